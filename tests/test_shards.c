/* SPDX-License-Identifier: MIT */
/* Tar shards as a data set: the same as the folder, however they are cut; their indexes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>
#include <cmocka.h>

#include "base/fnv.h"
#include "base/file.h"
#include "data/shard_index.h"
#include "data/shard_names.h"
#include "data_fixture.h"
#include "tar_fixture.h"

static const char *const classes[] = {"ant", "bee", "cat"};
enum { EACH = 3, ALL = 9, SHARDS = 2 };

/* The samples of set/<class>/<i>.png, in whichever way, over two shards in an order of their own.
 */
enum way { NAMES, NUMBERS, JSON, JSON_NAMES, TEXTS, FOLDERS, DEEPER, NESTED };

static void put_sample(struct tar_made *tar, enum way way, int k, int i)
{
    char stem[64], name[80], label[80];

    snprintf(stem, sizeof stem, "%s_%d", classes[k], i);
    snprintf(name, sizeof name, "%s.png", stem);
    if (way == FOLDERS || way == DEEPER)
        snprintf(name, sizeof name, "%s%s/%d.png", way == DEEPER ? "./train/" : "", classes[k], i);
    if (way == NUMBERS || way == NAMES) {
        if (way == NUMBERS)
            snprintf(label, sizeof label, "%d", k);
        else
            snprintf(label, sizeof label, "%s\n", classes[k]);
        snprintf(name, sizeof name, "%s.cls", stem);
        tar_put_text(tar, name, label);
        snprintf(name, sizeof name, "%s.png", stem);
    }
    tar_put_picture(tar, name, k * EACH + i);
    snprintf(name, sizeof name, "%s.%s", stem, way == TEXTS ? "txt" : "json");
    if (way == JSON)
        snprintf(label, sizeof label, "{\"label\": %d, \"class_name\": \"%s\"}", k, classes[k]);
    else if (way == JSON_NAMES)
        snprintf(label, sizeof label, "{\"width\": 24, \"class\": \"%s\"}", classes[k]);
    else
        snprintf(label, sizeof label, "%s", classes[k]);
    if (way == JSON || way == JSON_NAMES || way == TEXTS)
        tar_put_text(tar, name, label);
}

static void write_nested(const char *path)
{
    struct tar_made outer = {0};

    for (int k = 2; k >= 0; k--) {
        struct tar_made inner = {0};
        char name[16];

        for (int i = EACH; i-- > 0;)
            put_sample(&inner, NESTED, k, i);
        tar_end(&inner);
        snprintf(name, sizeof name, "%s.tar", classes[k]);
        tar_put(&outer, '0', name, inner.bytes, inner.size);
        free(inner.bytes);
    }
    tar_end(&outer);
    tar_save(&outer, path);
}

static const char *write_shards(void *const *state, enum way way)
{
    struct tar_made tars[SHARDS] = {{0}, {0}};
    char name[32];

    mkdir(fixture_path(state, "shards"), 0777);
    if (way == NESTED) {
        write_nested(fixture_path(state, "shards/all.tar"));
        return fixture_path(state, "shards/all.tar");
    }
    for (int n = ALL; n-- > 0;)
        put_sample(&tars[n * 5 % 7 % SHARDS], way, n / EACH, n % EACH);
    for (int s = 0; s < SHARDS; s++) {
        snprintf(name, sizeof name, "shards/%03d.tar", s + 8);
        tar_end(&tars[s]);
        tar_save(&tars[s], fixture_path(state, name));
    }
    if (way == NUMBERS)
        fixture_write(fixture_path(state, "shards/classes.txt"), "ant\r\nbee\r\ncat\r\n", 15);
    return fixture_path(state, "shards/{008..009}.tar");
}

static void expect_same(const struct zf_data *data, const struct zf_data *folder)
{
    struct zf_picture a = {0}, b = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_data_count(data), zf_data_count(folder));
    assert_int_equal(zf_data_class_count(data), zf_data_class_count(folder));
    for (int64_t k = 0; k < zf_data_class_count(folder); k++)
        assert_string_equal(zf_data_class(data, k), zf_data_class(folder, k));
    for (int64_t i = 0; i < zf_data_count(folder); i++) {
        assert_int_equal(zf_data_label(data, i), zf_data_label(folder, i));
        if (zf_data_square(data, i, ZF_RESIZE_SHORT, 11, &a, &err) != ZF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(zf_data_square(folder, i, ZF_RESIZE_SHORT, 11, &b, &err), ZF_OK);
        assert_memory_equal(a.pixels, b.pixels, 11 * 11 * 3);
        zf_picture_release(&a);
        zf_picture_release(&b);
    }
}

static void shards_are_the_same_data_set_as_the_folder(void **state)
{
    struct zf_data *folder = fixture_open(fixture_folder(state, "set", EACH)), *data;

    for (enum way way = NAMES; way <= NESTED; way++) {
        const char *name = write_shards(state, way);

        for (int again = 0; again < 2; again++) { /* from the tars, then from their indexes */
            data = fixture_open(name);
            expect_same(data, folder);
            assert_int_equal(zf_data_note_count(data), 0);
            zf_data_free(&data);
        }
        if (way != NESTED) {
            data = fixture_open(fixture_path(state, "shards"));
            expect_same(data, folder);
            zf_data_free(&data);
        }
        unlink(fixture_path(state, "shards/classes.txt"));
    }
    zf_data_free(&folder);
}

static void a_sample_is_named_by_its_shard_and_its_place_in_it(void **state)
{
    struct zf_data *data = fixture_open(write_shards(state, NAMES));

    assert_non_null(strstr(zf_data_path(data, 0), "shards/008.tar/ant_0.png"));
    zf_data_free(&data);
    unlink(fixture_path(state, "shards/008.tar"));
    unlink(fixture_path(state, "shards/009.tar"));
    data = fixture_open(write_shards(state, NESTED));
    assert_non_null(strstr(zf_data_path(data, 8), "shards/all.tar/cat.tar/cat_2.png"));
    zf_data_free(&data);
}

/* Numbers without names are themselves, in the order of numbers, and a net's outputs. */
static void numbers_without_names_are_the_nets_outputs(void **state)
{
    struct tar_made tar = {0};
    const char *path = fixture_path(state, "numbers.tar");
    char *labels[12];
    struct zf_net *net = fixture_net(8, 12, 12);
    struct zf_data *data;

    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "a.cls", "10");
    tar_put_picture(&tar, "b.png", 1);
    tar_put_text(&tar, "b.cls", "2\n");
    tar_end(&tar);
    tar_save(&tar, path);
    data = fixture_open(path);
    assert_int_equal(zf_data_class_count(data), 11);
    assert_string_equal(zf_data_class(data, 10), "10");
    assert_int_equal(zf_data_label(data, 0), 2);
    assert_int_equal(zf_data_label(data, 1), 10);
    for (int k = 0; k < 12; k++) {
        labels[k] = malloc(8);
        assert_non_null(labels[k]);
        snprintf(labels[k], 8, "name%c", 'z' - k);
    }
    assert_int_equal(zf_net_set_labels(net, (const char *const *)labels, NULL), ZF_OK);
    assert_int_equal(zf_data_match(data, net, NULL), ZF_OK);
    assert_int_equal(zf_data_label(data, 1), 10);
    assert_string_equal(zf_data_class(data, 10), "namep");
    for (int k = 0; k < 12; k++)
        free(labels[k]);
    zf_data_free(&data);
    zf_net_free(&net);
}

/* ImageNet's validation pictures have no classes but in a list. */
static void the_paths_of_a_list_may_lead_into_tars(void **state)
{
    static const char list[] = "shards/009.tar/bee_0.png\tx\nset/cat/1.png\ty\n"
                               "shards/008.tar/ant_0.png\ty\n";
    const char *wrong = "shards/008.tar/none.png\tx\n";
    struct zf_data *folder, *data;
    struct zf_picture a = {0}, b = {0};
    struct zf_error err = {0};
    static const int64_t whole[] = {3, 7, 0};

    write_shards(state, NAMES);
    folder = fixture_open(fixture_folder(state, "set", EACH));
    fixture_write(fixture_path(state, "list.tsv"), list, strlen(list));
    data = fixture_open(fixture_path(state, "list.tsv"));
    assert_int_equal(zf_data_count(data), 3);
    assert_string_equal(zf_data_class(data, zf_data_label(data, 0)), "x");
    for (int i = 0; i < 3; i++) {
        const int64_t of = strstr(zf_data_path(data, i), "bee_0")   ? whole[0]
                           : strstr(zf_data_path(data, i), "cat/1") ? whole[1]
                                                                    : whole[2];

        if (zf_data_square(data, i, ZF_RESIZE_SHORT, 11, &a, &err) != ZF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(zf_data_square(folder, of, ZF_RESIZE_SHORT, 11, &b, &err), ZF_OK);
        assert_memory_equal(a.pixels, b.pixels, 11 * 11 * 3);
        zf_picture_release(&a);
        zf_picture_release(&b);
    }
    zf_data_free(&data);
    zf_data_free(&folder);
    fixture_write(fixture_path(state, "list.tsv"), wrong, strlen(wrong));
    fixture_refuse(fixture_path(state, "list.tsv"), ZF_EINPUT, "none.png", "no such picture");
}

/* ---- What is refused, or not used ---- */

static void expect_tar(void *const *state, struct tar_made *tar, const char *word,
                       const char *another)
{
    const char *path = fixture_path(state, "odd.tar");
    struct zf_data *data;

    tar_end(tar);
    tar_save(tar, path);
    if (word) {
        fixture_refuse(path, ZF_EINPUT, word, another);
        return;
    }
    data = fixture_open(path);
    assert_non_null(strstr(zf_data_path(data, 0), another));
    zf_data_free(&data);
}

static void a_sample_has_one_picture_and_all_of_it_in_one_shard(void **state)
{
    struct tar_made tar = {0};

    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "b.cls", "2");
    expect_tar(state, &tar, "offset ", "\"b.cls\" has no picture");
    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "a.cls", "2");
    tar_put_picture(&tar, "b.png", 1);
    expect_tar(state, &tar, "\"b.png\" has no class", "\"a.png\"");
    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "a.cls", "2");
    tar_put_picture(&tar, "a.jpg", 1);
    expect_tar(state, &tar, "\"a.jpg\"", "two pictures of one sample");
    tar_put_text(&tar, "a.cls", "2"); /* in whatever order */
    tar_put_picture(&tar, "b.png", 1);
    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "b.cls", "2");
    expect_tar(state, &tar, NULL, "odd.tar/a.png");
    tar_put_picture(&tar, "x/a.png", 1);
    tar_put_picture(&tar, "b.png", 0);
    expect_tar(state, &tar, "\"x/a.png\" lies in a folder", "\"b.png\" in none");
    tar_put_picture(&tar, "a.png", 0);
    tar_put_picture(&tar, "b.png", 1);
    tar_put_picture(&tar, "a.png", 1);
    expect_tar(state, &tar, "\"a.png\" twice", "offsets 0 and ");
}

static void what_goes_with_a_picture_is_no_sample(void **state)
{
    struct tar_made tar = {0};
    struct zf_data *data;

    tar_put_picture(&tar, "a.mask.png", 1);
    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "a.cls", "2");
    tar_put_picture(&tar, "__MACOSX/._a.png", 0);
    tar_put_picture(&tar, "b.left.png", 2); /* no other picture: it is the sample's */
    tar_put_text(&tar, "b.cls", "2");
    tar_put_text(&tar, "README", "this is no picture");
    tar_end(&tar);
    tar_save(&tar, fixture_path(state, "odd.tar"));
    data = fixture_open(fixture_path(state, "odd.tar"));
    assert_int_equal(zf_data_count(data), 2);
    assert_non_null(strstr(zf_data_path(data, 0), "odd.tar/a.png"));
    assert_non_null(strstr(zf_data_path(data, 1), "odd.tar/b.left.png"));
    assert_int_equal(zf_data_note_count(data), 1);
    assert_non_null(strstr(zf_data_note(data, 0), "1 file"));
    assert_non_null(strstr(zf_data_note(data, 0), "a.mask.png"));
    zf_data_free(&data);
}

static void labels_that_are_none_are_refused_by_name(void **state)
{
    static const struct {
        const char *name, *text, *word;
    } cases[] = {
        {"a.cls", "", "is empty"},
        {"a.cls", "two\nlines", "is no class"},
        {"a.json", "{\"label\": ", "is no JSON"},
        {"a.json", "[1]", "no JSON object"},
        {"a.json", "{\"label\": -1}", "\"label\""},
        {"a.json", "{\"cls\": 1.5}", "\"cls\""},
        {"a.json", "{\"class\": 1e30}", "\"class\""},
        {"a.json", "{\"label\": [2]}", "\"label\""},
    };

    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct tar_made tar = {0};

        tar_put_picture(&tar, "a.png", 0);
        tar_put_text(&tar, cases[k].name, cases[k].text);
        expect_tar(state, &tar, cases[k].name, cases[k].word);
    }
}

static void captions_are_no_classes(void **state)
{
    struct tar_made tar = {0};
    struct zf_data *data;

    tar_put_picture(&tar, "a.png", 0);
    tar_put_text(&tar, "a.txt", "A dog on a beach.\nIt looks at the sea.");
    tar_end(&tar);
    tar_save(&tar, fixture_path(state, "odd.tar"));
    data = fixture_open(fixture_path(state, "odd.tar"));
    assert_int_equal(zf_data_class_count(data), 0);
    assert_int_equal(zf_data_label(data, 0), -1);
    assert_non_null(strstr(zf_data_note(data, 0), "captions"));
    zf_data_free(&data);
}

static void sets_that_cannot_be_meant_are_refused(void **state)
{
    static const char zipped[600] = "\x1f\x8b";

    write_shards(state, NAMES);
    fixture_refuse(fixture_path(state, "shards/{008,008}.tar"), ZF_EINPUT, "twice", "008.tar");
    fixture_refuse(fixture_path(state, "shards/{008..010}.tar"), ZF_EINPUT, "010.tar", "No such");
    fixture_write(fixture_path(state, "a.tar.gz"), zipped, 2);
    fixture_refuse(fixture_path(state, "a.tar.gz"), ZF_EINPUT, "a.tar.gz is compr", "gunzip");
    fixture_write(fixture_path(state, "zipped.tar"), zipped, sizeof zipped);
    fixture_refuse(fixture_path(state, "zipped.tar"), ZF_EINPUT, "zipped.tar", "compressed");
    assert_int_equal(
        rename(fixture_path(state, "shards/008.tar"), fixture_path(state, "shards/x-train-0.tar")),
        0);
    assert_int_equal(rename(fixture_path(state, "shards/009.tar"),
                            fixture_path(state, "shards/x-validation-0.tar")),
                     0);
    fixture_refuse(fixture_path(state, "shards"), ZF_EINPUT, "x-train-0.tar and x-validation-0.tar",
                   "more than one part");
}

/* ---- Names ---- */

static void braces_are_those_of_a_shell(void **state)
{
    static const struct {
        const char *name, *expanded;
    } cases[] = {
        {"a{08..11}.tar", "a08.tar a09.tar a10.tar a11.tar"},
        {"a{8..11}", "a8 a9 a10 a11"},
        {"a{2..000}", "a002 a001 a000"},
        {"{a,b}{1,2}.tar", "a1.tar a2.tar b1.tar b2.tar"},
        {"x{a,{0..1}}y", "xay x0y x1y"},
        {"{a,}b", "ab b"},
        {"plain", "plain"},
        {"open{", "open{"},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct zf_names names = {0};
        char joined[128] = "";

        assert_int_equal(zf_braces_expand(cases[k].name, &names, NULL), ZF_OK);
        for (size_t i = 0; i < names.count; i++)
            snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s",
                     i > 0 ? " " : "", names.items[i]);
        assert_string_equal(joined, cases[k].expanded);
        zf_names_release(&names);
    }
}

static void braces_that_mean_nothing_or_too_much_are_refused(void **state)
{
    static const char *const names[] = {"{x}.tar", "{0..100000}.tar", "{1..}.tar",
                                        "{0..9}{0..9}{0..9}{0..9}{0..9}{0..9}"};

    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        struct zf_names expanded = {0};

        assert_int_equal(zf_braces_expand(names[k], &expanded, NULL), ZF_EINPUT);
        zf_names_release(&expanded);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shards_are_the_same_data_set_as_the_folder),
        TEST(a_sample_is_named_by_its_shard_and_its_place_in_it),
        TEST(the_paths_of_a_list_may_lead_into_tars),
        TEST(numbers_without_names_are_the_nets_outputs),
        TEST(a_sample_has_one_picture_and_all_of_it_in_one_shard),
        TEST(what_goes_with_a_picture_is_no_sample),
        TEST(labels_that_are_none_are_refused_by_name),
        TEST(captions_are_no_classes),
        TEST(sets_that_cannot_be_meant_are_refused),
        TEST(braces_are_those_of_a_shell),
        TEST(braces_that_mean_nothing_or_too_much_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
