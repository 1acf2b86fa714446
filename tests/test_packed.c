/* SPDX-License-Identifier: MIT */
/* The packed file: what it holds, what is refused, and what a check of it finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data_fixture.h"
#include "base/fnv.h"
#include "data/packed.h"

static void a_packed_file_holds_the_good_squares_labels_and_names(void **state)
{
    struct zf_error err = {0};
    const char *set = fixture_folder(state, "set", 4), *file = fixture_path(state, "set.zfpack");
    struct zf_data *data, *packed;
    struct zf_picture a, b;

    fixture_write(fixture_path(state, "set/bee/1.png"), "broken", 6);
    data = fixture_open(set);
    assert_int_equal(zf_data_pack(data, ZF_RESIZE_WARP, 11, 2, file, NULL, &err), ZF_OK);
    packed = fixture_open(file);
    assert_int_equal(zf_data_count(packed), 11);
    assert_int_equal(zf_data_class_count(packed), 3);
    for (int64_t i = 0; i < 11; i++) {
        const int64_t from = i < 5 ? i : i + 1;
        assert_string_equal(zf_data_path(packed, i), zf_data_path(data, from));
        assert_string_equal(zf_data_class(packed, zf_data_label(packed, i)),
                            zf_data_class(data, zf_data_label(data, from)));
        assert_int_equal(zf_data_square(data, from, ZF_RESIZE_WARP, 11, &a, &err), ZF_OK);
        assert_int_equal(zf_data_square(packed, i, ZF_RESIZE_WARP, 11, &b, &err), ZF_OK);
        assert_memory_equal(a.pixels, b.pixels, 11 * 11 * 3);
        zf_picture_release(&a);
        zf_picture_release(&b);
    }
    assert_int_equal(zf_data_square(packed, 0, ZF_RESIZE_WARP, 12, &a, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "11 px (resize warp)"));
    assert_non_null(strstr(err.message, "pack"));
    assert_int_equal(zf_data_square(packed, 0, ZF_RESIZE_SHORT, 11, &a, &err), ZF_EINPUT);
    zf_data_free(&packed);
    zf_data_free(&data);
}

static void a_packed_file_that_is_cut_or_bent_anywhere_is_refused(void **state)
{
    struct zf_error err = {0};
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1)), *bent = NULL;
    const char *file = fixture_path(state, "set.zfpack"), *copy = fixture_path(state, "bent");
    const size_t pixels_end = 128 + 3 * 2 * 2 * 3;
    size_t size;
    uint8_t *bytes;

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 2, 1, file, NULL, &err), ZF_OK);
    bytes = fixture_read(file, &size);
    for (size_t cut = 0; cut < size; cut++) {
        fixture_write(copy, bytes, cut);
        assert_int_equal(zf_data_open(copy, &bent, &err), ZF_EINPUT);
    }
    for (size_t at = 0; at < size; at++) {
        if (at >= 128 && at < (pixels_end + 7) / 8 * 8)
            continue; /* that is for a check to find */
        bytes[at] ^= 0x41;
        fixture_write(copy, bytes, size);
        if (zf_data_open(copy, &bent, &err) != ZF_EINPUT)
            fail_msg("byte %zu changed, and the file was taken", at);
        bytes[at] ^= 0x41;
    }
    bytes = realloc(bytes, size + 1);
    assert_non_null(bytes);
    bytes[size] = 0;
    fixture_write(copy, bytes, size + 1);
    assert_int_equal(zf_data_open(copy, &bent, &err), ZF_EINPUT);
    free(bytes);
    zf_data_free(&data);
}

/* Set one field and make all checksums right again, as a hostile writer would. */
static void lie(void *const *state, const uint8_t *bytes, size_t size, size_t at, uint64_t value,
                size_t value_size)
{
    const char *copy = fixture_path(state, "bent");
    struct zf_packed_header header;
    struct zf_packed_layout layout;
    uint8_t *lying = malloc(size);

    assert_non_null(lying);
    memcpy(lying, bytes, size);
    memcpy(lying + at, &value, value_size);
    memcpy(&header, bytes, sizeof header);
    assert_true(zf_packed_layout(&header, &layout));
    memcpy(&header, lying, sizeof header);
    header.table_checksum = zf_fnv(ZF_FNV_START, lying + layout.path_at, size - layout.path_at);
    header.checksum = zf_fnv(ZF_FNV_START, &header, offsetof(struct zf_packed_header, checksum));
    memcpy(lying, &header, sizeof header);
    fixture_write(copy, lying, size);
    free(lying);
    fixture_refuse(copy, ZF_EINPUT, "bent", ":");
}

/* What a check said: of which sample, or for everybody. */
struct heard {
    int64_t sample;
    char sentence[512];
};

static void on_finding(void *user, int64_t i, const char *path, const char *reason, bool used)
{
    struct heard *heard = user;

    heard->sample = i;
    assert_false(used);
    assert_non_null(strstr(reason, path));
    snprintf(heard->sentence, sizeof heard->sentence, "%s", reason);
}

static void on_message(void *user, const char *sentence)
{
    struct heard *heard = user;

    snprintf(heard->sentence, sizeof heard->sentence, "%s", sentence);
}

static int64_t check_file(const char *path, struct heard *heard)
{
    const struct zf_monitor monitor = {.user = heard, .message = on_message};
    struct zf_data *data = fixture_open(path);
    struct zf_error err = {0};
    struct zf_data_found found = {-1, -1};

    *heard = (struct heard){.sample = -1};
    if (zf_data_check(data, 2, on_finding, heard, &found, &monitor, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_data_free(&data);
    return found.bad;
}

static void a_check_finds_the_packed_picture_whose_pixels_changed(void **state)
{
    const size_t square = 2 * 2 * 3;
    const char *file = fixture_path(state, "set.zfpack"), *copy = fixture_path(state, "bent");
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1));
    struct heard heard;
    size_t size;
    uint8_t *bytes;

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 2, 1, file, NULL, NULL), ZF_OK);
    assert_int_equal(check_file(file, &heard), 0);
    assert_string_equal(heard.sentence, "");
    bytes = fixture_read(file, &size);
    for (size_t at = 128; at < 128 + 3 * square; at++) {
        bytes[at] ^= 1;
        fixture_write(copy, bytes, size);
        bytes[at] ^= 1;
        assert_int_equal(check_file(copy, &heard), 1);
        assert_int_equal(heard.sample, (at - 128) / square);
        assert_non_null(strstr(heard.sentence, "damaged"));
    }
    free(bytes);
    zf_data_free(&data);
}

/* Version 1 of the format is version 2 without the table of checksums. */
static void a_packed_file_of_version_1_is_read_and_says_what_it_lacks(void **state)
{
    const char *file = fixture_path(state, "set.zfpack"), *old = fixture_path(state, "old");
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1)), *packed;
    struct zf_packed_header header;
    struct zf_packed_layout from, to;
    struct zf_picture square = {0};
    struct heard heard;
    size_t size;
    uint8_t *bytes;

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 2, 1, file, NULL, NULL), ZF_OK);
    bytes = fixture_read(file, &size);
    memcpy(&header, bytes, sizeof header);
    assert_true(zf_packed_layout(&header, &from));
    header.version = 1;
    assert_true(zf_packed_layout(&header, &to));
    assert_true(to.end < from.end);
    memset(bytes + from.crcs, 0, to.text - from.crcs);
    memmove(bytes + to.text, bytes + from.text, header.text_bytes);
    header.table_checksum = zf_fnv(ZF_FNV_START, bytes + to.path_at, to.end - to.path_at);
    header.checksum = zf_fnv(ZF_FNV_START, &header, offsetof(struct zf_packed_header, checksum));
    memcpy(bytes, &header, sizeof header);
    fixture_write(old, bytes, to.end);
    packed = fixture_open(old);
    assert_string_equal(zf_data_path(packed, 2), zf_data_path(data, 2));
    assert_int_equal(zf_data_square(packed, 2, ZF_RESIZE_SHORT, 2, &square, NULL), ZF_OK);
    assert_memory_equal(square.pixels, bytes + 128 + 2 * 12, 12);
    assert_int_equal(check_file(old, &heard), 0);
    assert_non_null(strstr(heard.sentence, "version 1"));
    zf_picture_release(&square);
    free(bytes);
    zf_data_free(&packed);
    zf_data_free(&data);
}

static void a_packed_file_that_lies_with_right_checksums_is_refused(void **state)
{
    struct zf_error err = {0};
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1)), *packed;
    const char *file = fixture_path(state, "set.zfpack");
    struct zf_packed_header header;
    struct zf_packed_layout layout;
    size_t size;
    uint8_t *bytes;

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 2, 1, file, NULL, &err), ZF_OK);
    packed = fixture_open(file);
    bytes = fixture_read(file, &size);
    memcpy(&header, bytes, sizeof header);
    assert_true(zf_packed_layout(&header, &layout));
    lie(state, bytes, size, offsetof(struct zf_packed_header, count), UINT64_MAX, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, count), 4, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, count), 0, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, class_count), UINT64_MAX / 8, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, text_bytes), UINT64_MAX, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, size), UINT64_C(1) << 40, 8);
    lie(state, bytes, size, offsetof(struct zf_packed_header, resize), 2, 4);
    lie(state, bytes, size, offsetof(struct zf_packed_header, version), 3, 4);
    lie(state, bytes, size, offsetof(struct zf_packed_header, version), 1, 4);
    lie(state, bytes, size, offsetof(struct zf_packed_header, version), 0, 4);
    lie(state, bytes, size, layout.path_at + 8, header.text_bytes, 8);
    lie(state, bytes, size, layout.class_at, UINT64_MAX, 8);
    lie(state, bytes, size, layout.labels, 3, 4);
    lie(state, bytes, size, layout.labels + 4, UINT32_MAX, 4);
    lie(state, bytes, size, size - 1, 'x', 1);
    free(bytes);
    zf_data_free(&packed);
    zf_data_free(&data);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_packed_file_holds_the_good_squares_labels_and_names),
        TEST(a_packed_file_that_is_cut_or_bent_anywhere_is_refused),
        TEST(a_check_finds_the_packed_picture_whose_pixels_changed),
        TEST(a_packed_file_of_version_1_is_read_and_says_what_it_lacks),
        TEST(a_packed_file_that_lies_with_right_checksums_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
