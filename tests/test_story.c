/* SPDX-License-Identifier: MIT */
/* What a report says of each result in a sentence, and how it links to their pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "page/links.h"
#include "page/story.h"

static cJSON *parse(const char *text)
{
    cJSON *root = cJSON_Parse(text);

    if (!root)
        fail_msg("no JSON: %s", text);
    return root;
}

static void assert_headline(const char *json, enum zf_part part, const char *expected)
{
    cJSON *root = parse(json);
    char *headline = zf_story_headline(root);

    assert_int_equal(zf_story_part(root), part);
    if (expected)
        assert_string_equal(headline ? headline : "none", expected);
    else
        assert_null(headline);
    zf_free(headline);
    cJSON_Delete(root);
}

#define EVAL                                                                                       \
    "{'kind':'eval','images':40,'models':[{'top1_error':0.25}],'classes':[{'label':'cat'},"        \
    "{'label':'dog'}],'confusions':[{'label':'cat','predicted':'dog','pictures':6}]}"

/* JSON with ' for ". */
static void say(const char *json, enum zf_part part, const char *expected)
{
    char *text = strdup(json);

    assert_non_null(text);
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    assert_headline(text, part, expected);
    free(text);
}

static void each_kind_of_result_has_its_sentence(void **state)
{
    (void)state;
    say("{'kind':'train','parameters':[{'name':'epochs','value':'3'},{'name':'lowest validation "
        "error','value':'5 %'}]}",
        ZF_PART_TRAINING, "After 3 epochs; the lowest validation error was 5 %.");
    say(EVAL, ZF_PART_MISTAKES,
        "25.0% of 40 pictures are taken for another class, most often cat for dog (6).");
    say("{'kind':'compare','images':9,'models':[{'path':'a','top1_error':0.5},{'path':'b',"
        "'top1_error':0.25}]}",
        ZF_PART_MISTAKES, "a gets 50.0% of 9 pictures wrong, b 25.0%.");
    say("{'kind':'top','images':7,'layers':[{'maps':[{'top':[{'activation':1}]},{'top':[{"
        "'activation':0}]}]}]}",
        ZF_PART_FEATURES,
        "What 2 maps of 1 layer answer to among 7 pictures; 1 of them to nothing.");
    say("{'kind':'unit','layer':'conv5','map':12,'images':30,'above_zero':10,'classes':[{'label':"
        "'car'}]}",
        ZF_PART_FEATURES,
        "Map 12 of conv5 is above zero in 10 of 30 pictures, and answers most to car.");
    say("{'kind':'evolve','epochs':[1,5,12],'layers':[{'maps':[1,2]},{'maps':[3]}]}",
        ZF_PART_FEATURES, "How 3 maps came to be, from epoch 1 to 12.");
    say("{'kind':'occlude','images':[{'label':'cat','probability':0.9,'size':8,'probability_map':"
        "[[0.5,0.25],[0.75,0.5]]}]}",
        ZF_PART_REASONS,
        "Hiding a square of 8 px lowers the probability of cat from 0.9 to 0.25 at the worst "
        "place.");
    say("{'kind':'invariance','images':[{'label':'cat','probability':0.9,'transforms':[{"
        "'probability':[0.5,0.9,0.4]}]},{}]}",
        ZF_PART_REASONS,
        "Shifting the picture lowers the probability of cat from 0.9 to 0.4 at the least, in the "
        "first picture.");
    say("{'kind':'correspond','layers':[{'name':'conv5','parts':[{'p':0.001},{'p':0.5},{'part':"
        "'random'}]}]}",
        ZF_PART_REASONS,
        "In conv5, hiding 1 of 2 parts changes different pictures alike (p below 0.01).");
    say("{'kind':'diagnose','layers':[{'name':'conv1','verdict':'Too fast.'},{'name':'conv2',"
        "'verdict':'Nothing stands out: all.'}]}",
        ZF_PART_CHANGES, "1 of 2 layers stand out. conv1: Too fast.");
    say("{'kind':'ablate','rows':[{'net':'a','val_top1_error':0.5},{'net':'b','val_top1_error':"
        "0.25}]}",
        ZF_PART_CHANGES, "Of 2 nets, b has the lowest validation error: 25.0%.");
    say("{'kind':'transfer','rows':[{'layer':'fc7','accuracy_mean':0.75,'per_class':15},{'layer':"
        "'fc6','accuracy_mean':0.5,'per_class':15}]}",
        ZF_PART_CHANGES,
        "The features of fc7 do best on the new task: 75.0% right, with 15 pictures a class.");
}

/* Files come from anybody. */
static void without_its_numbers_a_result_has_no_sentence(void **state)
{
    static const char *const kinds[] = {"train",      "eval",     "compare", "top",
                                        "unit",       "evolve",   "occlude", "invariance",
                                        "correspond", "diagnose", "ablate",  "transfer"};
    static const char *const bodies[] = {
        "", ",'models':[{'path':'a'}],'layers':'x','images':[{'label':'cat'}],'rows':[{'net':'a'}]",
        ",'models':7,'layers':[{'maps':[]}],'images':{},'epochs':['one'],'parameters':[1],'map':'"
        "x'"};

    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++) {
            char json[256];
            cJSON *root;
            char *headline;

            snprintf(json, sizeof json, "{'kind':'%s'%s}", kinds[k], bodies[b]);
            for (char *c = json; *c; c++)
                *c = *c == '\'' ? '"' : *c;
            root = parse(json);
            headline = zf_story_headline(root);
            if (headline && strcmp(kinds[k], "diagnose") != 0)
                fail_msg("%s: %s", json, headline);
            zf_free(headline);
            cJSON_Delete(root);
        }
    }
    say("{'kind':'of tomorrow'}", ZF_PART_MORE, NULL);
    say("{}", ZF_PART_MORE, NULL);
}

static void the_task_names_each_thing_once(void **state)
{
    cJSON *roots[3] = {
        parse("{\"net\":\"tiny\",\"data\":\"photos\"}"),
        parse("{\"net\":\"tiny\",\"parameters\":[{\"name\":\"data\",\"value\":\"others\"}]}"),
        parse("{\"net\":\"tin\",\"data\":\"photos\",\"classes\":[{\"label\":\"cat\"},"
              "{\"label\":\"dog\"}]}")};
    char *task = zf_story_task((const cJSON *const *)roots, 3);

    (void)state;
    assert_string_equal(task, "The net: tiny, tin. What it tells apart: cat, dog. Looked at with: "
                              "photos, others.");
    zf_free(task);
    for (int i = 0; i < 3; i++)
        cJSON_Delete(roots[i]);
}

static void write_page(const char *directory)
{
    char *path = zf_path_join(directory, "index.html");

    assert_int_equal(zf_directory_make(directory, NULL), ZF_OK);
    assert_int_equal(zf_file_write(path, "", 0, NULL), ZF_OK);
    zf_free(path);
}

static void a_report_links_to_pages_wherever_it_lies(void **state)
{
    static const struct {
        const char *page, *directory, *expected;
    } cases[] = {
        {"report.html", "a/top #1", "a/top%20%231/index.html"},
        {"a/report.html", "a/top #1", "top%20%231/index.html"},
        {"b/report.html", "a/top #1", "../a/top%20%231/index.html"},
        {"ab/report.html", "a", "../a/index.html"},
        {"a/report.html", "a", "index.html"},
        {"report.html", "b", NULL},
        {"nowhere/report.html", "a", NULL},
    };
    char directory[] = "/tmp/zf-story-XXXXXX", command[64];

    (void)state;
    assert_non_null(mkdtemp(directory));
    assert_int_equal(chdir(directory), 0);
    write_page("a");
    write_page("a/top #1");
    assert_int_equal(zf_directory_make("b", NULL), ZF_OK);
    assert_int_equal(zf_directory_make("ab", NULL), ZF_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *address;

        assert_int_equal(zf_link_home(cases[i].page, cases[i].directory, &address, NULL), ZF_OK);
        if (cases[i].expected)
            assert_string_equal(address ? address : "none", cases[i].expected);
        else
            assert_null(address);
        zf_free(address);
    }
    assert_int_equal(chdir("/"), 0);
    snprintf(command, sizeof command, "rm -r %s", directory);
    assert_int_equal(system(command), 0);
}

static void the_strongest_maps_of_a_layer_are_linked_in_order(void **state)
{
    cJSON *root = parse("{\"kind\":\"top\",\"layers\":[{\"name\":\"c<1>\",\"sheet\":\"c_1_.png\","
                        "\"maps\":[{\"map\":0,\"top\":[{\"activation\":1}]},{\"map\":4,\"top\":[{"
                        "\"activation\":3}]},{\"map\":2,\"top\":[{\"activation\":0}]}]}]}");
    char *html = NULL;
    size_t size;
    FILE *out = open_memstream(&html, &size);

    (void)state;
    assert_non_null(out);
    zf_links_write(out, root, "top/index.html");
    assert_int_equal(fclose(out), 0);
    assert_string_equal(html, "<p class=\"links\"><a href=\"top/index.html\">Its own page</a>; "
                              "strongest of c&lt;1&gt;: <a href=\"top/index.html#c_1_/4\">4</a>, "
                              "<a href=\"top/index.html#c_1_/0\">0</a></p>\n");
    free(html);
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_result_has_its_sentence),
        cmocka_unit_test(without_its_numbers_a_result_has_no_sentence),
        cmocka_unit_test(the_task_names_each_thing_once),
        cmocka_unit_test(a_report_links_to_pages_wherever_it_lies),
        cmocka_unit_test(the_strongest_maps_of_a_layer_are_linked_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
