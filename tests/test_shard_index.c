/* SPDX-License-Identifier: MIT */
/* The index of a tar: used while it is right, made again when it is not, never believed. */
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
#include <utime.h>
#include <cmocka.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "data/shard_index.h"
#include "data_fixture.h"
#include "tar_fixture.h"

/* set.tar with two pictures and a caption; the second picture of that number, or none. */
static void write_tar(void *const *state, int number)
{
    struct tar_made tar = {0};

    tar_put_picture(&tar, "ant/a.png", 0);
    tar_put_picture(&tar, "bee/b.png", number);
    tar_put_text(&tar, "bee/b.txt", "a bee\nin flight");
    tar_end(&tar);
    tar_save(&tar, fixture_path(state, "set.tar"));
}

static void expect_picture(const struct zf_data *data, int64_t i, int number, void *const *state)
{
    struct zf_picture a = {0}, b = {0};
    struct zf_error err = {0};

    fixture_picture(fixture_path(state, "expected/x.png"), number);
    if (zf_data_square(data, i, ZF_RESIZE_SHORT, 9, &a, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_picture_load_square(fixture_path(state, "expected/x.png"),
                                            zf_geometry_square(ZF_RESIZE_SHORT, 9), NULL, &b, &err),
                     ZF_OK);
    assert_memory_equal(a.pixels, b.pixels, 9 * 9 * 3);
    zf_picture_release(&a);
    zf_picture_release(&b);
}

static void expect_set(void *const *state, int number)
{
    struct zf_data *data = fixture_open(fixture_path(state, "set.tar"));

    assert_int_equal(zf_data_count(data), 2);
    assert_int_equal(zf_data_class_count(data), 2);
    expect_picture(data, 0, 0, state);
    expect_picture(data, 1, number, state);
    zf_data_free(&data);
}

static ino_t inode_of(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? info.st_ino : 0;
}

static void an_index_is_kept_and_made_again_when_the_tar_changed(void **state)
{
    const char *index = "set.tar" ZF_INDEX_ENDING;
    const struct utimbuf past = {1000, 1000};
    ino_t first;

    write_tar(state, 1);
    expect_set(state, 1);
    first = inode_of(fixture_path(state, index));
    assert_int_not_equal(first, 0);
    expect_set(state, 1);
    assert_int_equal(inode_of(fixture_path(state, index)), first);
    write_tar(state, 2); /* of another size, or not; of another time in any case */
    assert_int_equal(utime(fixture_path(state, "set.tar"), &past), 0);
    expect_set(state, 2);
    assert_int_not_equal(inode_of(fixture_path(state, index)), first);
}

/* Same size, same time: only the headers can tell. */
static void a_tar_that_looks_unchanged_is_known_by_its_headers(void **state)
{
    const struct utimbuf past = {1000, 1000};
    struct tar_made tar = {0};

    write_tar(state, 1);
    assert_int_equal(utime(fixture_path(state, "set.tar"), &past), 0);
    expect_set(state, 1);
    tar.bytes = fixture_read(fixture_path(state, "set.tar"), &tar.size);
    memcpy(tar.bytes, "cow/c.png", 9);
    tar_sum(&tar, 0);
    tar_save(&tar, fixture_path(state, "set.tar"));
    assert_int_equal(utime(fixture_path(state, "set.tar"), &past), 0);
    {
        struct zf_data *data = fixture_open(fixture_path(state, "set.tar"));

        assert_string_equal(zf_data_class(data, 1), "cow");
        zf_data_free(&data);
    }
}

static void an_index_that_is_damaged_anywhere_is_made_again(void **state)
{
    const char *index = "set.tar" ZF_INDEX_ENDING;
    uint8_t *right, *bytes;
    size_t size, again;

    write_tar(state, 1);
    expect_set(state, 1);
    right = fixture_read(fixture_path(state, index), &size);
    for (size_t at = 0; at < size; at += at < 140 ? 1 : 7) {
        right[at] ^= 0x41;
        fixture_write(fixture_path(state, index), right, size);
        right[at] ^= 0x41;
        expect_set(state, 1);
        bytes = fixture_read(fixture_path(state, index), &again);
        assert_int_equal(again, size);
        assert_memory_equal(bytes, right, size);
        free(bytes);
    }
    for (size_t cut = 0; cut < size; cut += 13) {
        fixture_write(fixture_path(state, index), right, cut);
        expect_set(state, 1);
    }
    free(right);
}

/* With all checksums right, as a hostile writer would have them. */
static void an_index_that_lies_is_not_believed(void **state)
{
    static const struct {
        size_t at, size;
        uint64_t value;
    } lies[] = {
        {0, 8, UINT64_MAX},
        {0, 8, 0},
        {0, 8, 512},
        {0, 8, 1u << 30},
        {8, 4, UINT32_MAX - 1},
        {16, 4, 1u << 31},
        {20, 4, 1u << 31},
        {24, 4, 1u << 30},
        {28, 4, 77},
        {12, 4, 0},
    };
    const char *index = "set.tar" ZF_INDEX_ENDING;
    size_t size;
    uint8_t *right;

    write_tar(state, 1);
    expect_set(state, 1);
    right = fixture_read(fixture_path(state, index), &size);
    for (size_t k = 0; k < sizeof lies / sizeof lies[0]; k++) {
        uint8_t *bytes = malloc(size);
        struct zf_index_header header;

        assert_non_null(bytes);
        memcpy(bytes, right, size);
        memcpy(bytes + 128 + lies[k].at, &lies[k].value, lies[k].size);
        memcpy(&header, bytes, sizeof header);
        header.body = zf_fnv(ZF_FNV_START, bytes + 128, size - 128);
        header.checksum = zf_fnv(ZF_FNV_START, &header, offsetof(struct zf_index_header, checksum));
        memcpy(bytes, &header, sizeof header);
        fixture_write(fixture_path(state, index), bytes, size);
        expect_set(state, 1);
        free(bytes);
    }
    free(right);
}

static void a_tar_that_is_changed_while_it_is_open_is_an_error(void **state)
{
    struct zf_data *data;
    struct zf_picture square = {0};
    struct zf_error err = {0};

    write_tar(state, 1);
    data = fixture_open(fixture_path(state, "set.tar"));
    write_tar(state, 2);
    assert_int_equal(zf_data_square(data, 1, ZF_RESIZE_SHORT, 9, &square, &err), ZF_EIO);
    assert_non_null(strstr(err.message, "was changed"));
    zf_data_free(&data);
}

/* What cannot be written beside, for anybody: a directory stands there. */
static void an_index_goes_to_the_cache_where_it_cannot_stand_beside(void **state)
{
    char cache[FIXTURE_PATH * 2];
    const struct zf_monitor monitor = {.cache_directory = cache};
    struct zf_data *data = NULL;
    struct zf_names names = {0};

    snprintf(cache, sizeof cache, "%s", fixture_path(state, "cache/of/mine"));
    write_tar(state, 1);
    assert_int_equal(mkdir(fixture_path(state, "set.tar" ZF_INDEX_ENDING), 0777), 0);
    data = fixture_open(fixture_path(state, "set.tar"));
    assert_non_null(strstr(zf_data_note(data, 0), "could not be kept"));
    zf_data_free(&data);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(zf_data_open_noting(fixture_path(state, "set.tar"), &monitor, &data, NULL),
                         ZF_OK);
        assert_null(strstr(zf_data_note(data, 0), "could not be kept"));
        expect_picture(data, 1, 1, state);
        zf_data_free(&data);
    }
    assert_int_equal(zf_directory_list(cache, &names, NULL), ZF_OK);
    assert_int_equal(names.count, 1);
    assert_non_null(strstr(names.items[0], "-set.tar" ZF_INDEX_ENDING));
    zf_names_release(&names);
}

static atomic_int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return atomic_fetch_sub(&allocations_left, 1) > 0;
}

static void opening_survives_each_failing_allocation(void **state)
{
    const char *path = fixture_path(state, "set.tar");

    write_tar(state, 1);
    for (int indexed = 0; indexed < 2; indexed++) {
        enum zf_status status = ZF_ENOMEM;
        int room;

        for (room = 0; status != ZF_OK; room++) {
            struct zf_data *data = NULL;

            if (!indexed)
                unlink(fixture_path(state, "set.tar" ZF_INDEX_ENDING));
            path = fixture_path(state, "set.tar");
            atomic_store(&allocations_left, room);
            zf_alloc_allowed = allow_some;
            status = zf_data_open(path, &data, NULL);
            zf_alloc_allowed = NULL;
            assert_true(status == ZF_OK || (status == ZF_ENOMEM && !data));
            zf_data_free(&data);
        }
        assert_true(room > 12);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_index_is_kept_and_made_again_when_the_tar_changed),
        TEST(a_tar_that_looks_unchanged_is_known_by_its_headers),
        TEST(an_index_that_is_damaged_anywhere_is_made_again),
        TEST(an_index_that_lies_is_not_believed),
        TEST(a_tar_that_is_changed_while_it_is_open_is_an_error),
        TEST(an_index_goes_to_the_cache_where_it_cannot_stand_beside),
        TEST(opening_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
