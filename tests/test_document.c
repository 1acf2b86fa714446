/* SPDX-License-Identifier: MIT */
/* Documents, and what a report reads back from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <ftw.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "page/document.h"
#include "page/sections.h"
#include "policy_fixture.h"

struct desk {
    char directory[64];
    struct zf_error err;
};

#define must(desk, expression)                                                                     \
    do {                                                                                           \
        if ((expression) != ZF_OK)                                                                 \
            fail_msg("%s: %s", #expression, (desk)->err.message);                                  \
    } while (0)

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);

    assert_non_null(desk);
    strcpy(desk->directory, "/tmp/zf-document-XXXXXX");
    assert_non_null(mkdtemp(desk->directory));
    *state = desk;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int clear_desk(void **state)
{
    struct desk *desk = *state;

    nftw(desk->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(desk);
    return 0;
}

/* Free with free(). */
static char *read_text(struct desk *desk, const char *name)
{
    char *path = zf_path_join(desk->directory, name), *text;
    struct zf_bytes bytes = {0};

    must(desk, zf_bytes_map(&bytes, path, (size_t)1 << 26, &desk->err));
    text = calloc(bytes.size + 1, 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    zf_bytes_release(&bytes);
    zf_free(path);
    return text;
}

static void write_text(struct desk *desk, const char *name, const char *text)
{
    char *path = zf_path_join(desk->directory, name);
    char *slash = strrchr(path, '/');

    *slash = '\0';
    must(desk, zf_directory_make(path, &desk->err));
    *slash = '/';
    must(desk, zf_file_write(path, text, strlen(text), &desk->err));
    zf_free(path);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + strlen(part), part))
        count++;
    return count;
}

/* ---- Documents. ---- */

static void write_document(struct desk *desk, const char *directory, const char *command)
{
    static const double x[] = {1, 2, 3}, y[] = {3, 1, 2};
    static const char *const columns[] = {"layer", "error, %"};
    const struct zf_series series = {"a & b", x, y, NULL, 3};
    const struct zf_chart charts[] = {{.title = "left", .series = &series, .series_count = 1},
                                      {.title = "right", .series = &series, .series_count = 1}};
    struct zf_document *document = NULL;
    struct zf_picture picture = {0};
    struct zf_json *json;
    char *path = zf_path_join(desk->directory, directory);

    must(desk, zf_picture_init(&picture, 3, 2, &desk->err));
    must(desk,
         zf_document_create(path, "trial", "A </title> \"trial\"", command, &document, &desk->err));
    zf_document_parameter(document, "square", "%d px", 32);
    zf_document_heading(document, "Head & tail");
    zf_document_paragraph(document, "<script>no \xff</script>");
    zf_document_picture(document, &picture, "a.png", "the \"caption\"");
    zf_document_charts(document, charts, 2, 2, "c.svg", "charts");
    zf_document_table(document, columns, 2, "table");
    zf_document_cell(document, "<conv1>");
    zf_document_cell(document, "−%d", 4);
    json = zf_document_numbers(document);
    zf_json_array(json, "images");
    zf_json_int(json, NULL, 7);
    zf_json_end(json);
    zf_json_text(json, "kind", "other");
    must(desk, zf_document_save(document, &desk->err));
    zf_document_free(&document);
    zf_picture_release(&picture);
    zf_free(path);
}

static void a_document_is_complete_and_refers_to_nothing_outside(void **state)
{
    struct desk *desk = *state;
    char *page, *policy, *svg;

    write_document(desk, "out", "zfscope trial <x>");
    page = read_text(desk, "out/index.html");
    policy = assert_policy_holds(page);
    assert_null(strstr(policy, "script-src"));
    assert_null(strstr(policy, "file:"));
    free(policy);
    assert_null(strstr(page, "://"));
    assert_null(strstr(page, "{{"));
    assert_null(strstr(page, "<script"));
    assert_non_null(strstr(page, "<h1>A &lt;/title&gt; &quot;trial&quot;</h1>"));
    assert_non_null(strstr(page, "&lt;script&gt;no \xef\xbf\xbd&lt;/script&gt;"));
    assert_non_null(strstr(page, "zfscope trial &lt;x&gt;"));
    assert_non_null(strstr(page, "alt=\"the &quot;caption&quot;\" src=\"data:image/png;base64,"));
    assert_non_null(strstr(page, "<td>&lt;conv1&gt;</td><td class=\"number\">−4</td>"));
    assert_int_equal(count_of(page, "<svg class=\"zf-chart\""), 2);
    assert_int_equal(count_of(page, "prefers-color-scheme: dark"), 2);
    svg = read_text(desk, "out/c.svg");
    assert_int_equal(count_of(svg, "<g class=\"zf-chart\""), 2);
    assert_non_null(strstr(svg, "a &amp; b"));
    free(svg);
    free(page);
}

static void the_json_has_the_given_members_and_the_blocks(void **state)
{
    struct desk *desk = *state;
    static const char *const types[] = {"heading", "paragraph", "picture", "charts", "table"};
    const cJSON *blocks;
    char *text;
    cJSON *root;

    write_document(desk, "out", NULL);
    text = read_text(desk, "out/trial.json");
    root = cJSON_Parse(text);
    assert_non_null(root);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "images")), 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(root, "kind")), "trial");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(root, "command")));
    blocks = cJSON_GetObjectItem(root, "blocks");
    assert_int_equal(cJSON_GetArraySize(blocks), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(
            cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(blocks, i), "type")),
            types[i]);
    cJSON_Delete(root);
    free(text);
}

static void a_page_made_from_the_json_is_the_same(void **state)
{
    struct desk *desk = *state;
    char *directory = zf_path_join(desk->directory, "out");
    char *path = zf_path_join(desk->directory, "again.html");
    char *text, *first, *second;
    cJSON *root;

    write_document(desk, "out", "zfscope trial");
    text = read_text(desk, "out/trial.json");
    root = cJSON_Parse(text);
    must(desk,
         zf_sections_write(path, cJSON_GetStringValue(cJSON_GetObjectItem(root, "title")), NULL,
                           &(struct zf_section){.root = root, .directory = directory, .id = "top"},
                           1, NULL, &desk->err));
    first = read_text(desk, "out/index.html");
    second = read_text(desk, "again.html");
    assert_string_equal(first, second);
    free(first);
    free(second);
    free(text);
    cJSON_Delete(root);
    zf_free(path);
    zf_free(directory);
}

static void the_same_document_twice_is_the_same_bytes(void **state)
{
    struct desk *desk = *state;
    static const char *const names[] = {"index.html", "trial.json", "c.svg", "a.png"};

    write_document(desk, "a", "zfscope trial");
    write_document(desk, "b", "zfscope trial");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64], *first, *second;

        snprintf(name, sizeof name, "a/%s", names[i]);
        first = read_text(desk, name);
        snprintf(name, sizeof name, "b/%s", names[i]);
        second = read_text(desk, name);
        assert_string_equal(first, second);
        free(first);
        free(second);
    }
}

static void the_first_failure_is_told_at_the_end_and_leaves_no_result(void **state)
{
    struct desk *desk = *state;
    struct zf_document *document = NULL;
    struct zf_picture picture = {0};
    char *path = zf_path_join(desk->directory, "index.html");

    must(desk, zf_picture_init(&picture, 3, 2, &desk->err));
    must(desk, zf_document_create(desk->directory, "trial", "t", NULL, &document, &desk->err));
    zf_document_picture(document, &picture, "no/where.png", "in a folder that is not there");
    zf_document_picture(document, &picture, "b.png", "what comes after");
    zf_document_paragraph(document, "and this");
    assert_int_equal(zf_document_save(document, &desk->err), ZF_EIO);
    assert_non_null(strstr(desk->err.message, "no/where.png"));
    assert_null(fopen(path, "r"));
    zf_document_free(&document);
    zf_document_free(&document);
    must(desk, zf_document_create(desk->directory, "trial", "t", NULL, &document, &desk->err));
    must(desk, zf_document_save(document, &desk->err));
    zf_document_free(&document);
    zf_picture_release(&picture);
    zf_free(path);
}

static void what_it_took_is_in_no_file(void **state)
{
    struct desk *desk = *state;
    struct zf_document *document = NULL;
    char *text = NULL, *file;

    must(desk, zf_document_create(desk->directory, "trial", "t", NULL, &document, &desk->err));
    zf_json_real(zf_document_numbers(document), "mean", 0.1);
    zf_json_real(zf_document_numbers(document), "none", 0.0 / 0.0);
    zf_document_took(document, 1.5);
    zf_document_say(document, "%d of", 3);
    zf_document_say(document, " %d\n", 4);
    must(desk, zf_document_json(document, &text, &desk->err));
    assert_string_equal(text, "{\"mean\":0.1,\"none\":null,\"seconds\":1.5}");
    assert_string_equal(zf_document_said(document), "3 of 4\n");
    must(desk, zf_document_save(document, &desk->err));
    file = read_text(desk, "trial.json");
    assert_null(strstr(file, "seconds"));
    assert_non_null(strstr(file, "\"mean\":\t0.1"));
    free(file);
    zf_free(text);
    zf_document_free(&document);
}

static void a_block_from_outside_shows_no_other_file(void **state)
{
    struct desk *desk = *state;
    static const char *const blocks[] = {
        "{\"type\":\"picture\",\"file\":\"../secret.png\"}",
        "{\"type\":\"picture\",\"file\":\"..\"}",
        "{\"type\":\"picture\",\"file\":\"/etc/passwd\"}",
        "{\"type\":\"picture\",\"file\":\"notes.txt\"}",
        "{\"type\":\"picture\",\"file\":\"missing.png\"}",
        "{\"type\":\"picture\"}",
        "{\"type\":\"frame\"}",
        "{\"type\":\"charts\",\"charts\":[3]}",
        "7",
    };
    char *path = zf_path_join(desk->directory, "page.html");

    write_text(desk, "notes.txt", "not a picture, and long enough for one");
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        cJSON *root = cJSON_Parse("{\"kind\":\"trial\",\"title\":\"t\",\"blocks\":[]}");
        const struct zf_section section = {.root = root, .directory = desk->directory, .id = "top"};

        cJSON_AddItemToArray(cJSON_GetObjectItem(root, "blocks"), cJSON_Parse(blocks[i]));
        assert_int_equal(zf_sections_write(path, "t", NULL, &section, 1, NULL, &desk->err),
                         ZF_EINPUT);
        assert_null(fopen(path, "r"));
        cJSON_Delete(root);
    }
    zf_free(path);
}

/* Lets the first `allowed` allocations pass. */
static size_t allowed;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allowed > 0 && allowed-- > 0;
}

static void memory_that_runs_out_leaves_no_result(void **state)
{
    struct desk *desk = *state;
    static const char *const columns[] = {"a"};
    static const double y[] = {1, 2};
    const struct zf_series series = {NULL, y, y, NULL, 2};
    const struct zf_chart chart = {.kind = ZF_CHART_LINES, .series = &series, .series_count = 1};
    char *result = zf_path_join(desk->directory, "out/trial.json"); /* the last to be written */
    char *out = zf_path_join(desk->directory, "out");
    enum zf_status status = ZF_ENOMEM;
    size_t n = 0;

    for (; status != ZF_OK && n < 1000; n++) {
        struct zf_document *document = NULL;

        assert_null(fopen(result, "r"));
        allowed = n;
        zf_alloc_allowed = allow_some;
        status = zf_document_create(out, "trial", "t", "c", &document, &desk->err);
        if (status == ZF_OK) {
            zf_document_table(document, columns, 1, "t");
            zf_document_cell(document, "1");
            zf_document_charts(document, &chart, 1, 1, "c.svg", "c");
            zf_document_say(document, "done\n");
            status = zf_document_save(document, &desk->err);
        }
        zf_alloc_allowed = NULL;
        assert_true(status == ZF_OK || status == ZF_ENOMEM);
        zf_document_free(&document);
    }
    assert_true(n > 10 && n < 1000);
    zf_free(out);
    zf_free(result);
}

/* ---- Reports. ---- */

static enum zf_status report(struct desk *desk, const char *name)
{
    char *path = zf_path_join(desk->directory, name);
    char *page = zf_path_join(desk->directory, "report.html");
    enum zf_status status = zf_report_write(path, page, NULL, &desk->err);

    zf_free(page);
    zf_free(path);
    return status;
}

static void a_report_gathers_documents_runs_and_top_sheets(void **state)
{
    struct desk *desk = *state;
    char *from, *to, *page, *first, *second;

    write_document(desk, "all/b/trial", "zfscope trial b");
    write_document(desk, "all/a", "zfscope trial a");
    write_text(desk, "all/run/log.jsonl",
               "{\"epoch\":1,\"loss\":2.5,\"train_top1_error\":0.9,\"val_top1_error\":0.75,"
               "\"val_top5_error\":0.5}\n"
               "{\"epoch\":2,\"loss\":null,\"train_top1_error\":0.8,\"val_top1_error\":0.8,"
               "\"val_top5_error\":0.4}\n{\"epo");
    write_text(
        desk, "all/top/top.json",
        "{\"net\":\"tiny\",\"k\":9,\"layers\":[],\"kind\":\"top\",\"title\":\"What the maps "
        "look for\",\"command\":\"zfscope top it\",\"parameters\":[{\"name\":\"net\",\"value\":"
        "\"tiny\"}],\"blocks\":[{\"type\":\"heading\",\"text\":\"conv<1>\"},{\"type\":\"picture\","
        "\"file\":\"conv_1_.png\",\"caption\":\"\"}]}");
    write_text(desk, "all/truth.json", "{\"images\":[]}");
    write_text(desk, "all/notes.txt", "{");
    from = zf_path_join(desk->directory, "all/a/a.png");
    to = zf_path_join(desk->directory, "all/top/conv_1_.png");
    assert_int_equal(rename(from, to), 0);
    assert_int_equal(report(desk, "all"), ZF_EINPUT); /* a picture is gone */
    assert_non_null(strstr(desk->err.message, "all/a/a.png"));
    write_document(desk, "all/a", "zfscope trial a");

    must(desk, report(desk, "all"));
    page = read_text(desk, "report.html");
    free(assert_policy_holds(page));
    assert_int_equal(count_of(page, "<section id=\"result-"), 4);
    assert_int_equal(count_of(page, "<li><a href=\"#result-"), 4);
    assert_int_equal(count_of(page, "src=\"data:image/png"), 3);
    first = strstr(page, "zfscope trial a</code>");
    second = strstr(page, "zfscope trial b</code>");
    assert_true(first && second && first < second);
    assert_non_null(strstr(page, "75.0 % (top-5 50.0 %), after epoch 1"));
    assert_non_null(strstr(page, "<h3>What the maps look for</h3>"));
    assert_non_null(strstr(page, "<h4>conv&lt;1&gt;</h4>"));
    assert_null(strstr(page, "://"));
    first = strstr(page, "<h2 class=\"part\">How it learned</h2>");
    second = strstr(page, "<h2 class=\"part\">What it looks for</h2>");
    assert_true(first && second && first < second);
    assert_true(strstr(page, "How to read this report") < first);
    assert_true(strstr(page, "id=\"glossary\"") > second);
    assert_non_null(strstr(page,
                           "<p class=\"headline\">After 2 epochs; the lowest validation error "
                           "was 75.0 % (top-5 50.0 %), after epoch 1.</p>"));
    free(page);
    zf_free(from);
    zf_free(to);
}

static void a_directory_without_results_is_refused(void **state)
{
    struct desk *desk = *state;

    write_text(desk, "none/truth.json", "{\"images\":[]}");
    assert_int_equal(report(desk, "none"), ZF_EINPUT);
    assert_non_null(strstr(desk->err.message, "no results"));
    assert_int_equal(report(desk, "nowhere"), ZF_EINPUT);
    assert_non_null(strstr(desk->err.message, "nowhere"));
}

static void a_broken_result_is_named(void **state)
{
    struct desk *desk = *state;

    write_document(desk, "all/a", NULL);
    write_text(desk, "all/b/occlude.json", "{\"kind\":\"occlude\",");
    assert_int_equal(report(desk, "all"), ZF_EINPUT);
    assert_non_null(strstr(desk->err.message, "all/b/occlude.json"));
    write_text(desk, "all/b/occlude.json", "{}");
    write_text(desk, "all/b/log.jsonl", "{\"epoch\":1}\n{\"epoch\":\n{\"epoch\":3}\n");
    assert_int_equal(report(desk, "all"), ZF_EINPUT);
    assert_non_null(strstr(desk->err.message, "line 2"));
}

static void links_that_run_in_circles_are_not_followed(void **state)
{
    struct desk *desk = *state;
    char *link = zf_path_join(desk->directory, "all/a/loop");
    char *page;

    write_document(desk, "all/a", NULL);
    assert_int_equal(symlink("..", link), 0);
    must(desk, report(desk, "all"));
    page = read_text(desk, "report.html");
    assert_int_equal(count_of(page, "<section id=\"result-"), 1);
    free(page);
    zf_free(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_document_is_complete_and_refers_to_nothing_outside,
                                        open_desk, clear_desk),
        cmocka_unit_test_setup_teardown(the_json_has_the_given_members_and_the_blocks, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(a_page_made_from_the_json_is_the_same, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(the_same_document_twice_is_the_same_bytes, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(the_first_failure_is_told_at_the_end_and_leaves_no_result,
                                        open_desk, clear_desk),
        cmocka_unit_test_setup_teardown(what_it_took_is_in_no_file, open_desk, clear_desk),
        cmocka_unit_test_setup_teardown(a_block_from_outside_shows_no_other_file, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(memory_that_runs_out_leaves_no_result, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(a_report_gathers_documents_runs_and_top_sheets, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(a_directory_without_results_is_refused, open_desk,
                                        clear_desk),
        cmocka_unit_test_setup_teardown(a_broken_result_is_named, open_desk, clear_desk),
        cmocka_unit_test_setup_teardown(links_that_run_in_circles_are_not_followed, open_desk,
                                        clear_desk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
