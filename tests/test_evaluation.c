/* SPDX-License-Identifier: MIT */
/* What goes wrong: counted from answers made by hand, and on the page, in JSON and in CSV. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/csv.h"
#include "base/file.h"
#include "base/memory.h"
#include "experiments/eval/eval.h"
#include "look_world.h"
#include "policy_fixture.h"

static struct zf_tally *new_tally(int64_t classes)
{
    struct zf_tally *tally = NULL;

    assert_int_equal(zf_tally_create(classes, 0, &tally, NULL), ZF_OK);
    return tally;
}

static void answer(struct zf_tally *tally, int64_t sample, int32_t label,
                   const float *probabilities)
{
    assert_int_equal(
        zf_tally_answer(
            tally, &(struct zf_eval_answer){0, sample, label, probabilities, tally->classes}, NULL),
        ZF_OK);
}

/* Six pictures of three of four classes. */
static struct zf_tally *count_six(void)
{
    static const float said[6][4] = {
        {0.90f, 0.05f, 0.05f, 0.0f}, /* 0: right */
        {0.10f, 0.70f, 0.20f, 0.0f}, /* 0 taken for 1 */
        {0.30f, 0.40f, 0.30f, 0.0f}, /* 0 taken for 1 */
        {0.95f, 0.05f, 0.00f, 0.0f}, /* 1 taken for 0 */
        {0.30f, 0.60f, 0.10f, 0.0f}, /* 1: right */
        {0.20f, 0.20f, 0.60f, 0.0f}, /* 2: right */
    };
    static const int32_t labels[6] = {0, 0, 0, 1, 1, 2};
    struct zf_tally *tally = new_tally(4);

    for (int i = 0; i < 6; i++)
        answer(tally, 10 + i, labels[i], said[i]);
    return tally;
}

static void classes_and_pairs_are_counted(void **state)
{
    struct zf_tally *tally = count_six();
    static const int64_t expected[4][3] = {{3, 1, 2}, {2, 1, 3}, {1, 1, 1}, {0, 0, 0}};

    (void)state;
    assert_int_equal(zf_tally_finish(tally, NULL), ZF_OK);
    assert_int_equal(tally->pictures, 6);
    assert_int_equal(tally->right, 3);
    for (int k = 0; k < 4; k++) {
        assert_int_equal(tally->by_class[k].pictures, expected[k][0]);
        assert_int_equal(tally->by_class[k].right, expected[k][1]);
        assert_int_equal(tally->by_class[k].taken, expected[k][2]);
    }
    assert_int_equal(tally->confusion_count, 2);
    assert_int_equal(tally->confusions[0].label, 0);
    assert_int_equal(tally->confusions[0].predicted, 1);
    assert_int_equal(tally->confusions[0].pictures, 2);
    assert_int_equal(tally->confusions[1].label, 1);
    assert_int_equal(tally->confusions[1].pictures, 1);
    zf_tally_free(&tally);
    assert_null(tally);
}

static void mistakes_come_surest_first_and_hits_least_sure_first(void **state)
{
    struct zf_tally *tally = count_six();
    static const int64_t mistakes[] = {13, 11, 12}, hits[] = {14, 15, 10};

    (void)state;
    assert_int_equal(tally->mistake_count, 3);
    assert_int_equal(tally->hit_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tally->mistakes[i].sample, mistakes[i]);
        assert_int_equal(tally->hits[i].sample, hits[i]);
    }
    assert_float_equal(tally->mistakes[0].confidence, 0.95f, 0.0);
    assert_float_equal(tally->mistakes[0].label_probability, 0.05f, 0.0);
    zf_tally_free(&tally);
}

static void no_more_pictures_are_kept_than_there_is_room_for(void **state)
{
    struct zf_tally *tally = new_tally(2);

    (void)state;
    for (int i = 0; i < 100; i++) {
        const float sure = 0.5f + (float)((i * 37) % 100) / 250.0f;
        const float said[2] = {sure, 1.0f - sure};

        answer(tally, i, 1, said);
    }
    assert_int_equal(tally->mistake_count, ZF_TALLY_CASES);
    for (size_t i = 0; i < ZF_TALLY_CASES; i++)
        assert_int_equal((tally->mistakes[i].sample * 37) % 100, 99 - (int)i);
    zf_tally_free(&tally);
}

static void the_worst_classes_are_those_with_the_largest_share_of_mistakes(void **state)
{
    struct zf_tally *tally = count_six();
    int32_t worst[4];

    (void)state;
    assert_int_equal(zf_tally_worst(tally, worst, 4), 2); /* two have no mistake */
    assert_int_equal(worst[0], 0);                        /* 2 of 3 before 1 of 2 */
    assert_int_equal(worst[1], 1);
    assert_int_equal(zf_tally_worst(tally, worst, 1), 1);
    assert_int_equal(worst[0], 0);
    zf_tally_free(&tally);
}

static void the_calibration_error_is_that_of_the_definition(void **state)
{
    struct zf_tally *tally = count_six();
    /* Bins: 0.3 to 0.4: one of 0.4, wrong; 0.5 to 0.6: two of 0.6, both right; 0.6 to 0.7: one,
       wrong; 0.8 to 0.9: one, right; above: one of 0.95, wrong. */
    const double expected = (0.4 + fabs(2 - 1.2) + 0.7 + fabs(1 - 0.9) + 0.95) / 6.0;

    (void)state;
    assert_true(fabs(zf_tally_calibration_error(tally) - expected) < 1e-6);
    assert_int_equal(tally->bins[3].pictures, 1);
    assert_int_equal(tally->bins[5].pictures, 2);
    assert_int_equal(tally->bins[5].right, 2);
    assert_int_equal(tally->bins[9].pictures, 1);
    zf_tally_free(&tally);
    tally = new_tally(2);
    assert_true(isnan(zf_tally_calibration_error(tally)));
    zf_tally_free(&tally);
}

static void every_pair_of_many_classes_is_told_from_the_others(void **state)
{
    enum { CLASSES = 90 };
    struct zf_tally *tally = new_tally(CLASSES);
    float said[CLASSES] = {0};

    (void)state;
    for (int32_t a = 0; a < CLASSES; a++) {
        for (int32_t b = 0; b < CLASSES; b++) {
            said[b] = 1.0f;
            for (int32_t times = 0; times < 1 + (a == 7 && b == 3); times++)
                answer(tally, a, a, said);
            said[b] = 0.0f;
        }
    }
    assert_int_equal(zf_tally_finish(tally, NULL), ZF_OK);
    assert_int_equal(tally->confusion_count, CLASSES * (CLASSES - 1));
    assert_int_equal(tally->confusions[0].label, 7);
    assert_int_equal(tally->confusions[0].predicted, 3);
    assert_int_equal(tally->confusions[0].pictures, 2);
    for (size_t i = 2; i < tally->confusion_count; i++) {
        const struct zf_confusion *p = &tally->confusions[i - 1], *q = &tally->confusions[i];

        assert_int_equal(q->pictures, 1);
        assert_true(p->label < q->label || (p->label == q->label && p->predicted < q->predicted));
    }
    zf_tally_free(&tally);
}

static void answers_of_other_models_and_pictures_without_a_label_do_not_count(void **state)
{
    struct zf_tally *tally = new_tally(2);
    const float said[2] = {0.25f, 0.75f};

    (void)state;
    answer(tally, 0, -1, said);
    assert_int_equal(zf_tally_answer(tally, &(struct zf_eval_answer){1, 0, 0, said, 2}, NULL),
                     ZF_OK);
    assert_int_equal(tally->pictures, 0);
    zf_tally_free(&tally);
}

static void a_matrix_shows_the_classes_with_the_most_mistakes(void **state)
{
    struct zf_tally *tally = new_tally(200);
    float said[200] = {0};
    int32_t classes[ZF_MATRIX_CLASSES];
    bool whole;

    (void)state;
    for (int32_t k = 0; k < 100; k++) { /* all right but for 60 to 79, taken for 5 */
        const int32_t as = k >= 60 && k < 80 ? 5 : k;

        said[as] = 1.0f;
        answer(tally, k, k, said);
        said[as] = 0.0f;
    }
    assert_int_equal(zf_matrix_choose(tally, classes, &whole), ZF_MATRIX_CLASSES);
    assert_false(whole);
    for (int i = 1; i < ZF_MATRIX_CLASSES; i++)
        assert_true(classes[i - 1] < classes[i]);
    assert_int_equal(classes[5], 5);
    assert_int_equal(classes[ZF_MATRIX_CLASSES - 1], 79);
    assert_int_equal(classes[ZF_MATRIX_CLASSES - 20], 60);
    zf_tally_free(&tally);
    tally = count_six();
    assert_int_equal(zf_matrix_choose(tally, classes, &whole), 3);
    assert_true(whole); /* the fourth neither is there nor was answered */
    zf_tally_free(&tally);
}

static void fields_of_csv_are_quoted_where_they_must_be(void **state)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    (void)state;
    zf_csv_text(stream, "plain name");
    fputc(' ', stream);
    zf_csv_text(stream, "a,b \"c\"\n");
    fclose(stream);
    assert_string_equal(text, "plain name \"a,b \"\"c\"\"\n\"");
    free(text);
}

/* ---- With a net and pictures. ---- */

static char *read_file(struct world *w, const char *name)
{
    char *path = in_world(w, name), *text;
    struct zf_bytes bytes = {0};

    must(w, zf_bytes_map(&bytes, path, 1 << 26, &w->err));
    text = calloc(bytes.size + 1, 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    zf_bytes_release(&bytes);
    zf_free(path);
    return text;
}

/* A net of zeros says 0.5 for each of two classes, which makes it the first one. */
static void write_page(struct world *w, const char *directory)
{
    const struct zf_net *net = w->net;
    const char *path = "zeros";
    struct zf_tally *tally = new_tally(2);
    struct zf_eval_options options = {
        .compute.engine = "reference", .answer = zf_tally_answer, .user = tally};
    struct zf_eval_result result;
    char *out = in_world(w, directory);
    int64_t images;

    memset(weights_of(w->net), 0, (size_t)zf_net_parameter_count(net) * sizeof(float));
    zf_tally_write_pictures(tally, net, w->data, out);
    must(w, zf_eval_run(&net, 1, w->data, &options, &result, NULL, &images, NULL, &w->err));
    assert_int_equal(images, PICTURES);
    must(w, zf_tally_finish(tally, &w->err));
    must(w, zf_evaluation_write(&(struct zf_evaluation){.nets = &net,
                                                        .paths = &path,
                                                        .net_count = 1,
                                                        .results = &result,
                                                        .tally = tally,
                                                        .data = w->data,
                                                        .images = images,
                                                        .views = 1,
                                                        .explained = 1,
                                                        .compute.engine = "reference",
                                                        .directory = out},
                                NULL, &w->err));
    zf_tally_free(&tally);
    zf_free(out);
}

static double number(const cJSON *json, const char *key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(json, key));
}

static void the_json_and_the_tables_say_what_a_net_of_zeros_does(void **state)
{
    struct world *w = *state;
    const cJSON *classes, *pair;
    char *text, *rest;
    cJSON *json;
    int lines = 0;

    write_page(w, "out");
    text = read_file(w, "out/eval.json");
    json = cJSON_Parse(text);
    assert_non_null(json);
    classes = cJSON_GetObjectItem(json, "classes");
    assert_int_equal(cJSON_GetArraySize(classes), 2);
    assert_int_equal((int)number(cJSON_GetArrayItem(classes, 0), "right"), 20);
    assert_int_equal((int)number(cJSON_GetArrayItem(classes, 1), "right"), 0);
    assert_int_equal((int)number(cJSON_GetArrayItem(classes, 0), "taken_for_it"), PICTURES);
    pair = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "confusions"), 0);
    assert_int_equal((int)number(pair, "pictures"), PICTURES - 20);
    assert_true(fabs(number(cJSON_GetObjectItem(json, "calibration"), "expected_error") -
                     (20.0 / PICTURES - 0.5)) < 1e-9);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "mistakes")), PICTURES - 20);
    cJSON_Delete(json);
    free(text);
    text = read_file(w, "out/confusion.csv");
    assert_string_equal(text, "label,predicted,pictures\n0,0,20\n1,0,17\n");
    free(text);
    text = read_file(w, "out/classes.csv");
    assert_string_equal(text, "class,label,pictures,right,taken_for_it,error\n"
                              "0,0,20,20,37,0\n1,1,17,0,0,1\n");
    free(text);
    text = read_file(w, "out/pictures.csv");
    for (rest = text; (rest = strchr(rest, '\n')); rest++)
        lines++;
    assert_int_equal(lines, PICTURES + 1);
    assert_non_null(strstr(text, "cats/000.png,0,0,0.5,0.5,1\n"));
    free(text);
}

static void the_matrix_of_few_classes_stands_on_the_page_in_numbers(void **state)
{
    struct world *w = *state;
    char *text, *table;

    write_page(w, "out");
    text = read_file(w, "out/index.html");
    table = strstr(text, "The same in numbers.");
    assert_non_null(table);
    assert_non_null(strstr(table, "<tr><td class=\"number\">0</td><td class=\"number\">20</td><td "
                                  "class=\"number\"></td></tr>\n"
                                  "<tr><td class=\"number\">1</td><td class=\"number\">17</td><td "
                                  "class=\"number\"></td></tr>\n"));
    free(text);
}

static void two_runs_leave_the_same_page(void **state)
{
    struct world *w = *state;
    char *one, *two;

    write_page(w, "one");
    write_page(w, "two");
    one = read_file(w, "one/index.html");
    two = read_file(w, "two/index.html");
    assert_string_equal(one, two);
    free(assert_policy_holds(one));
    assert_non_null(strstr(one, "17 of 37 pictures are taken for another class"));
    free(one);
    free(two);
}

/* ---- Memory. ---- */

#define MANY_CLASSES 8192
#define MANY_PICTURES 1100 /* their answers are 36 MB */

static size_t largest; /* allocation since it was set */

static bool note_largest(size_t bytes)
{
    largest = bytes > largest ? bytes : largest;
    return true;
}

/* A net of as many classes as numbers, that answers each picture with a sum of its own pixels. */
static struct zf_net *wide_net(struct world *w, float weight)
{
    char spec[512];
    struct zf_net *net = NULL;
    static char names[MANY_CLASSES][8];
    const char *labels[MANY_CLASSES];
    float *weights;

    for (int i = 0; i < MANY_CLASSES; i++) {
        snprintf(names[i], sizeof names[i], "%d", i);
        labels[i] = names[i];
    }
    snprintf(spec, sizeof spec,
             "[net]\nname = wide\ninput = 3x4x4\nclasses = %d\nsize = 4\n[fc]\ntype = fc\n"
             "maps = %d\n[prob]\ntype = softmax\n",
             MANY_CLASSES, MANY_CLASSES);
    must(w, zf_net_parse_spec(spec, "wide", 0, &net, &w->err));
    must(w, zf_net_set_labels(net, labels, &w->err));
    weights = weights_of(net);
    for (int64_t i = 0; i < zf_net_parameter_count(net); i++)
        weights[i] = weight * (float)(i % 7 - 3);
    return net;
}

/* The same two pictures, again and again, of the first classes. */
static struct zf_data *long_list(struct world *w)
{
    char *path = in_world(w, "long.tsv");
    FILE *list = fopen(path, "w");
    struct zf_data *data = NULL;

    assert_non_null(list);
    for (int i = 0; i < MANY_PICTURES; i++)
        fprintf(list, "%s\t%d\n", zf_data_path(w->data, i % 2), i % 5);
    fclose(list);
    must(w, zf_data_open(path, &data, &w->err));
    zf_free(path);
    return data;
}

struct heard {
    int64_t of_all, last;
    bool ordered;
};

static enum zf_status hear(void *user, const struct zf_eval_answer *answer, struct zf_error *err)
{
    struct heard *heard = user;

    (void)err;
    if (answer->model < 2)
        return ZF_OK;
    heard->ordered = heard->ordered && answer->sample == heard->last + 1;
    heard->last = answer->sample;
    heard->of_all++;
    return ZF_OK;
}

static void several_nets_hold_no_more_answers_than_a_block(void **state)
{
    struct world *w = *state;
    struct zf_net *nets[] = {wide_net(w, 1e-4f), wide_net(w, -2e-4f)};
    struct zf_data *data = long_list(w);
    struct heard heard = {.last = -1, .ordered = true};
    const struct zf_eval_options options = {
        .compute = {.engine = "reference", .threads = 1}, .answer = hear, .user = &heard};
    struct zf_eval_result each[2], whole;
    int64_t images;

    largest = 0;
    zf_alloc_allowed = note_largest;
    must(w, zf_eval_run((const struct zf_net *const *)nets, 2, data, &options, each, &whole,
                        &images, NULL, &w->err));
    zf_alloc_allowed = NULL;
    assert_int_equal(images, MANY_PICTURES);
    assert_int_equal(heard.of_all, MANY_PICTURES);
    assert_true(heard.ordered);
    assert_in_range(largest, 1, 33 << 20); /* a block is 32 MiB at most, whatever the pictures */
    assert_true(largest < MANY_PICTURES * MANY_CLASSES * sizeof(float));
    for (int i = 0; i < 2; i++) {
        const struct zf_net *net = nets[i];
        struct zf_eval_result alone;

        must(w, zf_eval_run(&net, 1, data, &(struct zf_eval_options){.compute = options.compute},
                            &alone, NULL, NULL, NULL, &w->err));
        assert_true(alone.top1_error == each[i].top1_error);
        assert_true(alone.top5_error == each[i].top5_error);
    }
    zf_data_free(&data);
    zf_net_free(&nets[0]);
    zf_net_free(&nets[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_and_pairs_are_counted),
        cmocka_unit_test(mistakes_come_surest_first_and_hits_least_sure_first),
        cmocka_unit_test(no_more_pictures_are_kept_than_there_is_room_for),
        cmocka_unit_test(the_worst_classes_are_those_with_the_largest_share_of_mistakes),
        cmocka_unit_test(the_calibration_error_is_that_of_the_definition),
        cmocka_unit_test(every_pair_of_many_classes_is_told_from_the_others),
        cmocka_unit_test(answers_of_other_models_and_pictures_without_a_label_do_not_count),
        cmocka_unit_test(a_matrix_shows_the_classes_with_the_most_mistakes),
        cmocka_unit_test(fields_of_csv_are_quoted_where_they_must_be),
        TEST(the_json_and_the_tables_say_what_a_net_of_zeros_does),
        TEST(the_matrix_of_few_classes_stands_on_the_page_in_numbers),
        TEST(two_runs_leave_the_same_page),
        TEST(several_nets_hold_no_more_answers_than_a_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
