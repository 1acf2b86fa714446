/* SPDX-License-Identifier: MIT */
/* The ground floor: error sentences, random numbers, memory, files, tensors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "zf/tensor.h"

/* ---- status ---- */

static void every_status_has_a_text_of_its_own(void **state)
{
    const enum zf_status all[] = {
#define X(name, value, text) ZF_##name,
        ZF_STATUS_MAP(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(all); i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(zf_status_text(all[i]), zf_status_text(all[j]));
    }
}

static void a_failure_carries_its_sentence_and_a_long_one_is_cut(void **state)
{
    struct zf_error err = {0};
    char *longer = zf_alloc(2000, 1);

    (void)state;
    assert_int_equal(zf_fail(&err, ZF_EINPUT, "%s: %d", "conv3", 7), ZF_EINPUT);
    assert_int_equal(err.status, ZF_EINPUT);
    assert_string_equal(err.message, "conv3: 7");
    memset(longer, 'x', 1999);
    assert_int_equal(zf_fail(&err, ZF_EIO, "%s", longer), ZF_EIO);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(zf_fail_errno(&err, ZF_EIO, 2, "%s", longer), ZF_EIO);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_non_null(strstr(err.message, "xxx...: No such file or directory"));
    assert_int_equal(zf_fail(NULL, ZF_ENOMEM, "nobody listens"), ZF_ENOMEM);
    zf_free(longer);
}

/* ---- random numbers ---- */

static void equal_names_give_equal_streams_and_others_differ(void **state)
{
    struct zf_random a = zf_random_stream(1, ZF_RANDOM_TEST, 2, 3);
    struct zf_random b = zf_random_stream(1, ZF_RANDOM_TEST, 2, 3);
    struct zf_random others[] = {
        zf_random_stream(2, ZF_RANDOM_TEST, 2, 3),
        zf_random_stream(1, ZF_RANDOM_SYNTH, 2, 3),
        zf_random_stream(1, ZF_RANDOM_TEST, 3, 3),
        zf_random_stream(1, ZF_RANDOM_TEST, 2, 4),
    };
    const uint64_t first = zf_random_next(&a);

    (void)state;
    assert_true(first == zf_random_next(&b));
    for (size_t i = 0; i < ZF_COUNT(others); i++)
        assert_true(first != zf_random_next(&others[i]));
}

static void numbers_below_a_bound_reach_every_value_about_equally(void **state)
{
    struct zf_random random = zf_random_stream(7, ZF_RANDOM_TEST, 0, 0);
    int counts[10] = {0};

    (void)state;
    for (int i = 0; i < 10000; i++)
        counts[zf_random_below(&random, 10)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(counts[i], 850, 1150); /* 5 standard deviations of 30 */
}

static void uniform_and_normal_numbers_have_their_moments(void **state)
{
    struct zf_random random = zf_random_stream(7, ZF_RANDOM_TEST, 0, 1);
    double uniform = 0, normal = 0, squares = 0;
    const int count = 20000;

    (void)state;
    for (int i = 0; i < count; i++) {
        const double u = zf_random_uniform(&random);
        const double z = zf_random_normal(&random);

        assert_true(u >= 0 && u < 1);
        uniform += u / count;
        normal += z / count;
        squares += z * z / count;
    }
    /* Bounds of about 5 standard errors. */
    assert_true(fabs(uniform - 0.5) < 0.011);
    assert_true(fabs(normal) < 0.036);
    assert_true(fabs(squares - 1) < 0.051);
}

/* ---- memory ---- */

static void memory_is_zeroed_aligned_and_refused_on_overflow(void **state)
{
    unsigned char *bytes = zf_alloc(1000, 3);

    (void)state;
    assert_non_null(bytes);
    assert_int_equal((uintptr_t)bytes % 64, 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(bytes[i], 0);
    zf_free(bytes);
    assert_null(zf_alloc(SIZE_MAX / 2, 3));
    assert_null(zf_alloc(SIZE_MAX, 1));
}

static void growing_keeps_what_is_there(void **state)
{
    int *items = NULL;
    size_t capacity = 0;

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_true(zf_grow((void **)&items, &capacity, i + 1, sizeof *items));
        items[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_false(zf_grow((void **)&items, &capacity, SIZE_MAX, sizeof *items));
    assert_int_equal(items[999], 999);
    zf_free(items);
}

static bool refuse(size_t bytes)
{
    (void)bytes;
    return false;
}

static void the_hook_can_make_an_allocation_fail(void **state)
{
    struct zf_tensor tensor = {0};

    (void)state;
    zf_alloc_allowed = refuse;
    assert_null(zf_alloc(1, 1));
    assert_null(zf_strdup("text"));
    assert_int_equal(zf_tensor_init(&tensor, 1, 1, 1, 1, NULL), ZF_ENOMEM);
    zf_alloc_allowed = NULL;
    assert_null(tensor.data);
}

static void products_of_three_are_checked(void **state)
{
    int64_t product = 0;

    (void)state;
    assert_true(zf_mul3(1 << 20, 1 << 20, 4, &product));
    assert_true(product == INT64_C(1) << 42);
    assert_false(zf_mul3(INT64_C(1) << 40, INT64_C(1) << 40, 1, &product));
    assert_false(zf_mul3(-1, 1, 1, &product));
}

/* ---- files ---- */

struct folder {
    char path[64];
    char file[96];
};

static int make_folder(void **state)
{
    struct folder *folder = test_calloc(1, sizeof *folder);

    strcpy(folder->path, "/tmp/zf-base-XXXXXX");
    if (!mkdtemp(folder->path))
        return -1;
    snprintf(folder->file, sizeof folder->file, "%s/a", folder->path);
    *state = folder;
    return 0;
}

static int drop_folder(void **state)
{
    struct folder *folder = *state;

    unlink(folder->file);
    rmdir(folder->path);
    test_free(folder);
    return 0;
}

static void a_written_file_reads_back_and_leaves_nothing_beside_it(void **state)
{
    const struct folder *folder = *state;
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_file_write(folder->file, "seven", 5, &err), ZF_OK);
    assert_int_equal(zf_file_write(folder->file, "eight", 5, &err), ZF_OK);
    assert_int_equal(zf_bytes_map(&bytes, folder->file, 100, &err), ZF_OK);
    assert_int_equal(bytes.size, 5);
    assert_memory_equal(bytes.data, "eight", 5);
    zf_bytes_release(&bytes);
    assert_int_equal(zf_bytes_map(&bytes, folder->file, 4, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "5 bytes"));
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(rmdir(folder->path), 0); /* fails if a temporary file were left */
}

static void a_discarded_output_leaves_the_old_file(void **state)
{
    const struct folder *folder = *state;
    struct zf_output output = {0};
    struct zf_bytes bytes = {0};

    assert_int_equal(zf_file_write(folder->file, "old", 3, NULL), ZF_OK);
    assert_int_equal(zf_output_open(&output, folder->file, NULL), ZF_OK);
    fputs("new", output.stream);
    zf_output_discard(&output);
    assert_int_equal(zf_bytes_map(&bytes, folder->file, 100, NULL), ZF_OK);
    assert_memory_equal(bytes.data, "old", 3);
    zf_bytes_release(&bytes);
    assert_int_equal(unlink(folder->file), 0);
    assert_int_equal(rmdir(folder->path), 0);
}

static void missing_files_and_directories_are_named(void **state)
{
    const struct folder *folder = *state;
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_bytes_map(&bytes, folder->file, 100, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, folder->file));
    assert_int_equal(zf_bytes_map(&bytes, folder->path, 100, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "not a regular file"));
    assert_int_equal(zf_file_write("/nowhere/at/all", "x", 1, &err), ZF_EIO);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

/* ---- tensors ---- */

static void a_tensor_goes_through_npy_unchanged(void **state)
{
    const struct folder *folder = *state;
    struct zf_tensor tensor = {0}, back = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_tensor_init(&tensor, 2, 3, 4, 5, &err), ZF_OK);
    assert_int_equal(zf_tensor_count(&tensor), 120);
    for (int i = 0; i < 120; i++)
        tensor.data[i] = (float)i * 0.37f - 9;
    assert_int_equal(zf_tensor_save_npy(&tensor, folder->file, &err), ZF_OK);
    assert_int_equal(zf_tensor_load_npy(folder->file, &back, &err), ZF_OK);
    assert_int_equal(back.n, 2);
    assert_int_equal(back.c, 3);
    assert_int_equal(back.h, 4);
    assert_int_equal(back.w, 5);
    assert_memory_equal(back.data, tensor.data, 120 * sizeof(float));
    zf_tensor_release(&tensor);
    zf_tensor_release(&back);
}

static void an_npy_file_cut_at_any_byte_is_refused(void **state)
{
    const struct folder *folder = *state;
    struct zf_tensor tensor = {0};
    struct zf_bytes bytes = {0};
    unsigned char copy[512];
    size_t size;

    assert_int_equal(zf_tensor_init(&tensor, 1, 1, 2, 3, NULL), ZF_OK);
    assert_int_equal(zf_tensor_save_npy(&tensor, folder->file, NULL), ZF_OK);
    zf_tensor_release(&tensor);
    assert_int_equal(zf_bytes_map(&bytes, folder->file, sizeof copy, NULL), ZF_OK);
    size = bytes.size;
    memcpy(copy, bytes.data, size);
    zf_bytes_release(&bytes);
    for (size_t cut = 0; cut < size; cut++) {
        struct zf_error err = {0};

        assert_int_equal(zf_file_write(folder->file, copy, cut, NULL), ZF_OK);
        assert_int_equal(zf_tensor_load_npy(folder->file, &tensor, &err), ZF_EINPUT);
        assert_non_null(strstr(err.message, folder->file));
        assert_null(tensor.data);
    }
}

static void impossible_shapes_are_refused(void **state)
{
    struct zf_tensor tensor = {0};

    (void)state;
    assert_int_equal(zf_tensor_init(&tensor, 0, 1, 1, 1, NULL), ZF_EINVAL);
    assert_int_equal(zf_tensor_init(&tensor, 1, -3, 1, 1, NULL), ZF_EINVAL);
    assert_int_equal(
        zf_tensor_init(&tensor, INT64_C(1) << 31, INT64_C(1) << 31, INT64_C(1) << 31, 2, NULL),
        ZF_EINVAL);
    assert_null(tensor.data);
}

static void printed_json_is_utf8_whatever_was_in_it(void **state)
{
    static const struct {
        const char *text, *sound;
    } cases[] = {
        {"plain", "plain"},
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9F", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x9F"},
        {"caf\xE9", "caf\\udce9"},
        {"\xFF\xFE.png", "\\udcff\\udcfe.png"},
        {"cut \xE2\x82", "cut \\udce2\\udc82"},
        {"long \xC0\xAF", "long \\udcc0\\udcaf"},
        {"half \xED\xA0\x80", "half \\udced\\udca0\\udc80"},
        {"beyond \xF4\x90\x80\x80", "beyond \\udcf4\\udc90\\udc80\\udc80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *printed = cJSON_malloc(strlen(cases[i].text) + 1), *sound;

        strcpy(printed, cases[i].text);
        sound = zf_json_sound(printed);
        assert_string_equal(sound, cases[i].sound);
        cJSON_free(sound);
    }
    assert_null(zf_json_sound(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_json_is_utf8_whatever_was_in_it),
        cmocka_unit_test(every_status_has_a_text_of_its_own),
        cmocka_unit_test(a_failure_carries_its_sentence_and_a_long_one_is_cut),
        cmocka_unit_test(equal_names_give_equal_streams_and_others_differ),
        cmocka_unit_test(numbers_below_a_bound_reach_every_value_about_equally),
        cmocka_unit_test(uniform_and_normal_numbers_have_their_moments),
        cmocka_unit_test(memory_is_zeroed_aligned_and_refused_on_overflow),
        cmocka_unit_test(growing_keeps_what_is_there),
        cmocka_unit_test(the_hook_can_make_an_allocation_fail),
        cmocka_unit_test(products_of_three_are_checked),
        cmocka_unit_test_setup_teardown(a_written_file_reads_back_and_leaves_nothing_beside_it,
                                        make_folder, drop_folder),
        cmocka_unit_test_setup_teardown(a_discarded_output_leaves_the_old_file, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(missing_files_and_directories_are_named, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(a_tensor_goes_through_npy_unchanged, make_folder,
                                        drop_folder),
        cmocka_unit_test_setup_teardown(an_npy_file_cut_at_any_byte_is_refused, make_folder,
                                        drop_folder),
        cmocka_unit_test(impossible_shapes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
