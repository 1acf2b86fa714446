/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "data_fixture.h"
#include "base/memory.h"

static void a_folder_is_listed_by_class_and_path_bytewise(void **state)
{
    static const char *const names[] = {"b/z.png",    "B/x.JPG",  "a/2.png",   "a/10.png",
                                        "a/Z.webp",   "a/.png",   "a/not.txt", "a/.hidden.png",
                                        ".git/p.png", "loose.png"};
    static const char *const expected[] = {"B/x.JPG", "a/10.png", "a/2.png", "a/Z.webp", "b/z.png"};
    struct zf_data *data;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        fixture_picture(fixture_path(state, names[i]), (int)i);
    data = fixture_open(*state);
    assert_int_equal(zf_data_count(data), 5);
    assert_int_equal(zf_data_class_count(data), 3);
    assert_string_equal(zf_data_class(data, 0), "B");
    assert_string_equal(zf_data_class(data, 2), "b");
    for (int i = 0; i < 5; i++)
        assert_string_equal(zf_data_path(data, i), fixture_path(state, expected[i]));
    assert_int_equal(zf_data_label(data, 0), 0);
    assert_int_equal(zf_data_label(data, 3), 1);
    assert_int_equal(zf_data_label(data, 4), 2);
    assert_int_equal(zf_data_label(data, 5), -1);
    assert_null(zf_data_path(data, 5));
    zf_data_free(&data);
    assert_null(data);
}

static void nested_folders_belong_to_their_class(void **state)
{
    struct zf_data *data;

    fixture_picture(fixture_path(state, "dog/small/brown/1.png"), 1);
    fixture_picture(fixture_path(state, "dog/2.png"), 2);
    fixture_picture(fixture_path(state, "cat/old/3.png"), 3);
    data = fixture_open(fixture_path(state, "/")); /* slashes at the end do not reach the paths */
    assert_int_equal(zf_data_class_count(data), 2);
    assert_string_equal(zf_data_path(data, 0), fixture_path(state, "cat/old/3.png"));
    assert_string_equal(zf_data_path(data, 1), fixture_path(state, "dog/2.png"));
    assert_string_equal(zf_data_path(data, 2), fixture_path(state, "dog/small/brown/1.png"));
    zf_data_free(&data);
}

/* Twenty folders that each link to the next twice are a million paths. */
static void each_folder_is_looked_into_once_however_many_links_lead_there(void **state)
{
    char name[32], target[32];
    struct zf_data *data;

    fixture_picture(fixture_path(state, "cat/2.png"), 1);
    assert_int_equal(symlink(".", fixture_path(state, "cat/again")), 0);
    assert_int_equal(symlink("../cat", fixture_path(state, "cat/and_again")), 0);
    fixture_picture(fixture_path(state, "dog/d20/2.png"), 2);
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "dog/d%d", i);
        assert_int_equal(zf_directory_make(fixture_path(state, name), NULL), 0);
        snprintf(target, sizeof target, "../d%d", i + 1);
        for (const char *link = "ab"; *link; link++) {
            snprintf(name, sizeof name, "dog/d%d/%c", i, *link);
            assert_int_equal(symlink(target, fixture_path(state, name)), 0);
        }
    }
    data = fixture_open(*state);
    assert_int_equal(zf_data_count(data), 2);
    assert_string_equal(zf_data_path(data, 0), fixture_path(state, "cat/2.png"));
    zf_data_free(&data);
}

static void folders_nested_too_deep_are_refused(void **state)
{
    char name[200] = "dog";

    for (int i = 0; i < 40; i++)
        strcat(name, "/d");
    strcat(name, "/1.png");
    assert_int_equal(zf_directory_make(fixture_path(state, "cat"), NULL), 0);
    fixture_picture(fixture_path(state, name), 1);
    fixture_refuse(*state, ZF_EINPUT, "nested", "32");
}

static void missing_and_empty_data_are_refused_with_a_sentence(void **state)
{
    fixture_refuse(fixture_path(state, "nowhere"), ZF_EINPUT, "nowhere", "No such file");
    fixture_refuse(*state, ZF_EINPUT, *state, "no class folders");
    fixture_picture(fixture_path(state, "loose.png"), 1);
    fixture_refuse(fixture_path(state, "loose.png"), ZF_EINPUT, "not a data set", "synth:");
    fixture_refuse("synth:test", ZF_EINPUT, "synth:train", "synth:val");
    fixture_refuse("synth:val:9", ZF_EINPUT, "9 pictures", "10");
    fixture_refuse("synth:val:many", ZF_EINPUT, "\"many\"", "number");
}

static void a_list_is_sorted_and_relative_to_its_folder(void **state)
{
    static const char text[] = "\xEF\xBB\xBFx/2.png\tdog\r\n\n/abs/1.png\tcat\nx/1.png\tdog";
    struct zf_data *data;

    fixture_write(fixture_path(state, "list.tsv"), text, strlen(text));
    data = fixture_open(fixture_path(state, "list.tsv"));
    assert_int_equal(zf_data_count(data), 3);
    assert_int_equal(zf_data_class_count(data), 2);
    assert_string_equal(zf_data_path(data, 0), "/abs/1.png");
    assert_string_equal(zf_data_path(data, 1), fixture_path(state, "x/1.png"));
    assert_string_equal(zf_data_class(data, zf_data_label(data, 2)), "dog");
    zf_data_free(&data);
}

static void tables_of_other_programs_are_lists(void **state)
{
    static const struct {
        const char *name, *text;
    } tables[] = {
        {"a.csv", "1.png,\"cat, big\"\r\n2.png,dog\r\n"},
        {"b.csv", "filename,label\n1.png,\"cat, big\"\n2.png,dog\n"},
        {"c.csv", "id;class;image\n7;cat, big;1.png\n8;dog;2.png\n"},
        {"d.CSV", "1.png\tcat, big\n2.png\tdog\n"},
        {"e.tsv", "label\tsplit\tpath\ncat, big\ttrain\t1.png\ndog\tval\t2.png\n"},
    };

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct zf_data *data;

        fixture_write(fixture_path(state, tables[i].name), tables[i].text, strlen(tables[i].text));
        data = fixture_open(fixture_path(state, tables[i].name));
        assert_int_equal(zf_data_count(data), 2);
        assert_string_equal(zf_data_class(data, 0), "cat, big");
        assert_string_equal(zf_data_path(data, 1), fixture_path(state, "2.png"));
        zf_data_free(&data);
    }
    fixture_write(fixture_path(state, "f.csv"), "1.png,cat,dog\n", 14);
    fixture_refuse(fixture_path(state, "f.csv"), ZF_EINPUT, "f.csv:1", "second comma");
    fixture_write(fixture_path(state, "g.tsv"),
                  "\xFF\xFE"
                  "a\0",
                  4);
    fixture_refuse(fixture_path(state, "g.tsv"), ZF_EINPUT, "g.tsv", "UTF-16");
}

static void a_mistake_in_a_list_is_told_with_its_line(void **state)
{
    static const struct {
        const char *text, *word, *another;
    } wrong[] = {
        {"a.png\tx\nb.png x\n", "list.tsv:2", "no tab"},
        {"\ta\n", "list.tsv:1", "empty path"},
        {"a\tx\n\n\nb\t\n", "list.tsv:4", "empty class"},
        {"a\tx\ty\n", "list.tsv:1", "second tab"},
        {"", "list.tsv", "empty"},
        {"\n\n", "list.tsv", "no pictures"},
    };
    char long_line[9000];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fixture_write(fixture_path(state, "list.tsv"), wrong[i].text, strlen(wrong[i].text));
        fixture_refuse(fixture_path(state, "list.tsv"), ZF_EINPUT, wrong[i].word, wrong[i].another);
    }
    fixture_write(fixture_path(state, "list.tsv"), "a\tb\n\0\tc\n", 8);
    fixture_refuse(fixture_path(state, "list.tsv"), ZF_EINPUT, "list.tsv:2", "zero byte");
    memset(long_line, 'x', sizeof long_line);
    fixture_write(fixture_path(state, "list.tsv"), long_line, sizeof long_line);
    fixture_refuse(fixture_path(state, "list.tsv"), ZF_EINPUT, "list.tsv:1", "8192");
}

static void labels_are_renumbered_to_those_of_a_net(void **state)
{
    static const char *const labels[] = {"dog", "cat", "bee", "ant"};
    static const char *const strangers[] = {"dog", "cat", "bee", "cow"};
    struct zf_error err = {0};
    struct zf_net *net = fixture_net(16, 18, 4);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 2));

    assert_int_equal(zf_data_match(data, net, &err), ZF_EINPUT); /* 3 classes, 4 outputs */
    assert_non_null(strstr(err.message, "3 classes"));
    assert_int_equal(zf_net_set_labels(net, strangers, &err), ZF_OK);
    assert_int_equal(zf_data_match(data, net, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "\"ant\""));
    assert_int_equal(zf_data_label(data, 0), 0);
    assert_int_equal(zf_net_set_labels(net, labels, &err), ZF_OK);
    assert_int_equal(zf_data_match(data, net, &err), ZF_OK);
    assert_int_equal(zf_data_class_count(data), 4);
    assert_int_equal(zf_data_label(data, 0), 3);
    assert_string_equal(zf_data_class(data, zf_data_label(data, 2)), "bee");
    assert_int_equal(zf_data_label(data, 5), 1);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void note_bad(void *user, int64_t i, const char *path, const char *reason, bool used)
{
    char *noted = user;

    assert_false(used);
    assert_non_null(strstr(reason, path));
    sprintf(noted + strlen(noted), "%d ", (int)i);
}

static void checking_names_each_bad_file_in_order(void **state)
{
    char noted[64] = "";
    struct zf_data_found found = {0};
    struct zf_error err = {0};
    struct zf_data *data;
    const char *set = fixture_folder(state, "set", 12);

    fixture_write(fixture_path(state, "set/bee/0.png"), "not a picture", 13);
    fixture_write(fixture_path(state, "set/ant/11.png"), "", 0);
    assert_int_equal(truncate(fixture_path(state, "set/cat/9.png"), 200), 0);
    data = fixture_open(set);
    assert_int_equal(zf_data_check(data, 3, note_bad, noted, &found, NULL, &err), ZF_OK);
    assert_string_equal(noted, "3 12 35 ");
    assert_int_equal(found.bad, 3);
    assert_int_equal(found.odd, 0);
    zf_data_free(&data);
}

static void the_mean_is_that_of_the_squares_whatever_the_threads(void **state)
{
    const int64_t size = 9;
    struct zf_error err = {0};
    struct zf_tensor one = {0}, five = {0};
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 5));
    double sum = 0;

    assert_int_equal(zf_data_mean(data, ZF_RESIZE_SHORT, size, 1, &one, NULL, &err), ZF_OK);
    assert_int_equal(zf_data_mean(data, ZF_RESIZE_SHORT, size, 5, &five, NULL, &err), ZF_OK);
    assert_int_equal(one.c, 3);
    assert_int_equal(one.h, size);
    assert_memory_equal(one.data, five.data, (size_t)zf_tensor_count(&one) * sizeof *one.data);
    for (int64_t i = 0; i < 15; i++) {
        struct zf_picture square;
        assert_int_equal(zf_data_square(data, i, ZF_RESIZE_SHORT, size, &square, &err), ZF_OK);
        sum += square.pixels[(4 * size + 7) * 3 + 1];
        zf_picture_release(&square);
    }
    assert_true((float)(sum / 15) == one.data[1 * size * size + 4 * size + 7]);
    zf_tensor_release(&one);
    zf_tensor_release(&five);
    zf_data_free(&data);
}

static atomic_int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub(&allocations_left, 1) > 0;
}

/* With room for 0, 1, 2, ... allocations, until it opens; the sanitizer sees what leaks. */
static void open_with_little_memory(const char *name)
{
    struct zf_data *data = NULL;
    struct zf_error err = {0};
    enum zf_status status = ZF_ENOMEM;
    int room;

    for (room = 0; status != ZF_OK; room++) {
        atomic_store(&allocations_left, room);
        zf_alloc_allowed = allow_some;
        status = zf_data_open(name, &data, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK) {
            assert_int_equal(status, ZF_ENOMEM);
            assert_null(data);
        }
    }
    assert_true(room > 8);
    zf_data_free(&data);
}

static void opening_survives_each_failing_allocation(void **state)
{
    static const char list[] = "x/2.png\tdog\nx/1.png\tcat\n";
    struct zf_error err = {0};
    const char *set = fixture_folder(state, "set", 2), *file = fixture_path(state, "packed");
    struct zf_data *data = fixture_open(set);

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 4, 1, file, NULL, &err), ZF_OK);
    zf_data_free(&data);
    fixture_write(fixture_path(state, "list.tsv"), list, strlen(list));
    open_with_little_memory(set);
    open_with_little_memory(file);
    open_with_little_memory(fixture_path(state, "list.tsv"));
    open_with_little_memory("synth:val:20");
}

static void loaders_and_scans_survive_each_failing_allocation(void **state)
{
    const struct zf_loader_options options = {.batch = 4, .threads = 2};
    struct zf_error err = {0};
    struct zf_net *net = fixture_net(8, 12, 10);
    bool complete = false;

    (void)state;
    for (int room = 0; !complete; room++) {
        struct zf_data *data = fixture_open("synth:val:10");
        struct zf_loader *loader = NULL;
        struct zf_tensor mean = {0};
        struct zf_batch batch;
        enum zf_status status;
        bool done = false;

        atomic_store(&allocations_left, room);
        zf_alloc_allowed = allow_some;
        status = zf_data_mean(data, ZF_RESIZE_SHORT, 12, 2, &mean, NULL, &err);
        if (status == ZF_OK)
            status = zf_loader_create(data, net, &options, &loader, &err);
        while (status == ZF_OK && !done)
            status = zf_loader_next(loader, &batch, &done, &err);
        zf_loader_free(&loader); /* its threads allocate, so they end before the hook goes */
        zf_alloc_allowed = NULL;
        if (status != ZF_OK)
            assert_int_equal(status, ZF_ENOMEM);
        complete = status == ZF_OK;
        zf_tensor_release(&mean);
        zf_data_free(&data);
    }
    zf_net_free(&net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_is_listed_by_class_and_path_bytewise),
        TEST(nested_folders_belong_to_their_class),
        TEST(each_folder_is_looked_into_once_however_many_links_lead_there),
        TEST(folders_nested_too_deep_are_refused),
        TEST(missing_and_empty_data_are_refused_with_a_sentence),
        TEST(a_list_is_sorted_and_relative_to_its_folder),
        TEST(tables_of_other_programs_are_lists),
        TEST(a_mistake_in_a_list_is_told_with_its_line),
        TEST(labels_are_renumbered_to_those_of_a_net),
        TEST(checking_names_each_bad_file_in_order),
        TEST(the_mean_is_that_of_the_squares_whatever_the_threads),
        TEST(opening_survives_each_failing_allocation),
        TEST(loaders_and_scans_survive_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
