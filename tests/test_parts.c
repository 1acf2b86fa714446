/* SPDX-License-Identifier: MIT */
/* A packed file in parts: the same data set, made piece by piece. */
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

#include "base/memory.h"
#include "data_fixture.h"

static bool pack(const char *set, const char *directory, int size, int part, int parts, bool *there,
                 struct zf_error *err)
{
    struct zf_data *data = fixture_open(set);
    const enum zf_status status =
        zf_data_pack_part(data, ZF_RESIZE_SHORT, size, 1, directory, part, parts, there, NULL, err);

    zf_data_free(&data);
    return status == ZF_OK;
}

static void pack_all(const char *set, const char *directory, int parts)
{
    struct zf_error err = {0};
    bool there;

    for (int k = parts; k >= 1; k--) { /* in whatever order */
        if (!pack(set, directory, 7, k, parts, &there, &err))
            fail_msg("%s", err.message);
        assert_false(there);
    }
}

static void parts_are_the_same_data_set_as_one_file(void **state)
{
    const char *set = fixture_folder(state, "set", 5), *file = fixture_path(state, "one.zfpack");
    struct zf_data *data, *one, *all;

    fixture_write(fixture_path(state, "set/bee/1.png"), "broken", 6);
    data = fixture_open(set);
    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 7, 1, file, NULL, NULL), ZF_OK);
    one = fixture_open(file);
    for (int parts = 1; parts <= 7; parts += 3) {
        char name[8];
        struct zf_picture a = {0}, b = {0};

        snprintf(name, sizeof name, "in%d", parts);
        pack_all(set, fixture_path(state, name), parts);
        all = fixture_open(fixture_path(state, name));
        assert_int_equal(zf_data_count(all), 14);
        assert_int_equal(zf_data_count(one), 14);
        assert_int_equal(zf_data_class_count(all), 3);
        for (int64_t i = 0; i < 14; i++) {
            assert_string_equal(zf_data_path(all, i), zf_data_path(one, i));
            assert_int_equal(zf_data_label(all, i), zf_data_label(one, i));
            assert_int_equal(zf_data_square(all, i, ZF_RESIZE_SHORT, 7, &a, NULL), ZF_OK);
            assert_int_equal(zf_data_square(one, i, ZF_RESIZE_SHORT, 7, &b, NULL), ZF_OK);
            assert_memory_equal(a.pixels, b.pixels, 7 * 7 * 3);
            zf_picture_release(&a);
            zf_picture_release(&b);
        }
        zf_data_free(&all);
    }
    zf_data_free(&one);
    zf_data_free(&data);
}

static void a_part_that_is_there_stays_and_a_damaged_one_is_made_again(void **state)
{
    const char *set = fixture_folder(state, "set", 2), *out = fixture_path(state, "out");
    const char *part = fixture_path(state, "out/part-0002-of-0003.zfpack");
    struct zf_error err = {0};
    struct stat before, after;
    bool there = false;

    pack_all(set, out, 3);
    assert_int_equal(stat(part, &before), 0);
    assert_true(pack(set, out, 7, 2, 3, &there, &err));
    assert_true(there);
    assert_int_equal(stat(part, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(truncate(part, before.st_size - 1), 0);
    fixture_refuse(out, ZF_EINPUT, "part-0002-of-0003", "cut off");
    assert_true(pack(set, out, 7, 2, 3, &there, &err));
    assert_false(there);
    assert_int_equal(stat(part, &after), 0);
    assert_int_equal(before.st_size, after.st_size);
}

static void parts_that_do_not_belong_together_are_refused(void **state)
{
    char set[FIXTURE_PATH], other[FIXTURE_PATH], out[FIXTURE_PATH];
    struct zf_error err = {0};
    bool there;

    snprintf(set, sizeof set, "%.500s", fixture_folder(state, "set", 2));
    snprintf(other, sizeof other, "%.500s", fixture_folder(state, "other", 3));
    snprintf(out, sizeof out, "%.500s", fixture_path(state, "out"));
    pack_all(set, out, 3);
    assert_int_equal(unlink(fixture_path(state, "out/part-0002-of-0003.zfpack")), 0);
    fixture_refuse(out, ZF_EINPUT, "lacks part 2 of 3", "--part 2/3");
    assert_true(pack(other, out, 7, 2, 3, &there, &err));
    fixture_refuse(out, ZF_EINPUT, "part-0002", "other pictures");
    assert_false(pack(set, out, 7, 2, 3, &there, &err));
    assert_non_null(strstr(err.message, "of other pictures"));
    assert_false(pack(set, out, 8, 1, 3, &there, &err));
    assert_non_null(strstr(err.message, "another size"));
    assert_true(pack(set, out, 7, 1, 2, &there, &err));
    fixture_refuse(out, ZF_EINPUT, "parts of ", "one packing");
    assert_false(pack(set, out, 7, 1, 7, &there, &err));
    assert_non_null(strstr(err.message, "none of them empty"));
}

static atomic_int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub(&allocations_left, 1) > 0;
}

static void opening_survives_each_failing_allocation(void **state)
{
    const char *out = fixture_path(state, "out");
    enum zf_status status = ZF_ENOMEM;
    int room;

    pack_all(fixture_folder(state, "set", 2), fixture_path(state, "out"), 2);
    out = fixture_path(state, "out");
    for (room = 0; status != ZF_OK; room++) {
        struct zf_data *data = NULL;

        atomic_store(&allocations_left, room);
        zf_alloc_allowed = allow_some;
        status = zf_data_open(out, &data, NULL);
        zf_alloc_allowed = NULL;
        assert_true(status == ZF_OK || (status == ZF_ENOMEM && !data));
        zf_data_free(&data);
    }
    assert_true(room > 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_are_the_same_data_set_as_one_file),
        TEST(a_part_that_is_there_stays_and_a_damaged_one_is_made_again),
        TEST(parts_that_do_not_belong_together_are_refused),
        TEST(opening_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
