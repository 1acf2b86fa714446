/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "zf/tensor.h"

struct fixture {
    char directory[64], path[96];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    strcpy(f->directory, "/tmp/zf-npy-XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof f->path, "%s/a.npy", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0); /* fails when a temporary file was left */
    free(f);
    return 0;
}

static struct zf_tensor counting(int64_t n, int64_t c, int64_t h, int64_t w)
{
    struct zf_tensor tensor = {0};

    assert_int_equal(zf_tensor_init(&tensor, n, c, h, w, NULL), ZF_OK);
    for (int64_t i = 0; i < zf_tensor_count(&tensor); i++)
        tensor.data[i] = (float)i * 0.37f - 5.0f;
    return tensor;
}

/* A file of format `major` with this header text and `values` floats 0, 1, 2, ... */
static void write_file(const struct fixture *f, int major, const char *header, int values)
{
    FILE *file = fopen(f->path, "wb");
    const size_t length = strlen(header);
    const uint8_t bytes[4] = {length & 0xFF, (length >> 8) & 0xFF, 0, 0};
    const uint8_t version[2] = {(uint8_t)major, 0};

    assert_non_null(file);
    fwrite("\x93NUMPY", 1, 6, file);
    fwrite(version, 1, 2, file);
    fwrite(bytes, 1, major == 1 ? 2 : 4, file);
    fwrite(header, 1, length, file);
    for (int i = 0; i < values; i++) {
        const float value = (float)i;

        fwrite(&value, sizeof value, 1, file);
    }
    fclose(file);
}

static void accept(const struct fixture *f, const int64_t dims[4])
{
    struct zf_tensor tensor = {0};
    struct zf_error err = {0};

    if (zf_tensor_load_npy(f->path, &tensor, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(tensor.n, dims[0]);
    assert_int_equal(tensor.c, dims[1]);
    assert_int_equal(tensor.h, dims[2]);
    assert_int_equal(tensor.w, dims[3]);
    for (int64_t i = 0; i < zf_tensor_count(&tensor); i++)
        assert_true(tensor.data[i] == (float)i);
    zf_tensor_release(&tensor);
}

/* Refused with a sentence that names the file and has this word; the tensor is untouched. */
static void refuse(const struct fixture *f, const char *word)
{
    struct zf_tensor tensor = {.n = 77};
    struct zf_error err = {0};

    assert_int_equal(zf_tensor_load_npy(f->path, &tensor, &err), ZF_EINPUT);
    if (!strstr(err.message, word) || !strstr(err.message, f->path))
        fail_msg("expected '%s' in: %s", word, err.message);
    assert_int_equal(err.status, ZF_EINPUT);
    assert_int_equal(tensor.n, 77);
    assert_null(tensor.data);
}

static void what_is_saved_is_loaded_bit_for_bit(void **state)
{
    const struct fixture *f = *state;
    struct zf_tensor saved = counting(2, 3, 5, 7), loaded = {0};

    assert_int_equal(zf_tensor_save_npy(&saved, f->path, NULL), ZF_OK);
    assert_int_equal(zf_tensor_load_npy(f->path, &loaded, NULL), ZF_OK);
    assert_int_equal(loaded.n, 2);
    assert_int_equal(loaded.c, 3);
    assert_int_equal(loaded.h, 5);
    assert_int_equal(loaded.w, 7);
    assert_memory_equal(saved.data, loaded.data, 2 * 3 * 5 * 7 * sizeof(float));
    zf_tensor_release(&saved);
    zf_tensor_release(&loaded);
}

static void saved_values_begin_at_a_multiple_of_64_bytes(void **state)
{
    const struct fixture *f = *state;
    struct zf_tensor saved = counting(1, 1, 2, 2);
    struct zf_bytes file = {0};

    assert_int_equal(zf_tensor_save_npy(&saved, f->path, NULL), ZF_OK);
    assert_int_equal(zf_bytes_map(&file, f->path, 4096, NULL), ZF_OK);
    assert_int_equal((file.size - 16) % 64, 0);
    assert_memory_equal(file.data + file.size - 16, saved.data, 16);
    zf_bytes_release(&file);
    zf_tensor_release(&saved);
}

static void every_truncation_is_refused_and_so_is_a_byte_too_many(void **state)
{
    const struct fixture *f = *state;
    struct zf_tensor saved = counting(1, 2, 3, 1);
    struct zf_bytes file = {0};
    uint8_t bytes[256] = {0};
    size_t size;

    assert_int_equal(zf_tensor_save_npy(&saved, f->path, NULL), ZF_OK);
    zf_tensor_release(&saved);
    assert_int_equal(zf_bytes_map(&file, f->path, sizeof bytes - 1, NULL), ZF_OK);
    size = file.size;
    memcpy(bytes, file.data, size);
    zf_bytes_release(&file);
    for (size_t n = 0; n < size; n++) {
        assert_int_equal(zf_file_write(f->path, bytes, n, NULL), ZF_OK);
        refuse(f, n < 6 ? "not a .npy file" : "truncated");
    }
    assert_int_equal(zf_file_write(f->path, bytes, size + 1, NULL), ZF_OK);
    refuse(f, "too long");
}

static void no_changed_header_byte_makes_it_read_beyond_the_file(void **state)
{
    const struct fixture *f = *state;
    struct zf_tensor saved = counting(1, 2, 3, 1);
    struct zf_bytes file = {0};
    uint8_t bytes[256] = {0};
    size_t size;
    int refused = 0;

    assert_int_equal(zf_tensor_save_npy(&saved, f->path, NULL), ZF_OK);
    zf_tensor_release(&saved);
    assert_int_equal(zf_bytes_map(&file, f->path, sizeof bytes, NULL), ZF_OK);
    size = file.size;
    memcpy(bytes, file.data, size);
    zf_bytes_release(&file);
    for (size_t i = 0; i < 90; i++) {
        static const uint8_t changes[] = {0x00, 0xFF, '9', '(', ')', '\'', '{', '}'};
        const uint8_t kept = bytes[i];

        for (size_t k = 0; k < sizeof changes; k++) {
            struct zf_tensor tensor = {0};

            bytes[i] = changes[k];
            assert_int_equal(zf_file_write(f->path, bytes, size, NULL), ZF_OK);
            if (zf_tensor_load_npy(f->path, &tensor, NULL) == ZF_OK)
                assert_int_equal(zf_tensor_count(&tensor), 6);
            else
                refused++;
            zf_tensor_release(&tensor);
        }
        bytes[i] = kept;
    }
    assert_true(refused > 500); /* nearly all of them break the header */
}

static void one_to_four_dimensions_fill_up_with_ones(void **state)
{
    const struct fixture *f = *state;

    write_file(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }\n", 6);
    accept(f, (const int64_t[]){6, 1, 1, 1});
    write_file(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 6);
    accept(f, (const int64_t[]){2, 3, 1, 1});
    write_file(f, 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1, 4)}", 24);
    accept(f, (const int64_t[]){2, 3, 1, 4});
}

static void formats_1_2_and_3_and_any_order_of_keys_are_read(void **state)
{
    const struct fixture *f = *state;
    const int64_t dims[] = {2, 2, 1, 1};

    for (int major = 1; major <= 3; major++) {
        write_file(f, major, "{ \"shape\":(2,2) ,'fortran_order' :False,'descr':'<f4'}  \n", 4);
        accept(f, dims);
    }
    write_file(f, 4, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }", 4);
    refuse(f, "4.0");
}

/* Four numbers of a type, as it stores them, are 0, 1, 2 and 3. */
static void any_real_and_whole_type_is_read_in_either_order_of_bytes(void **state)
{
    static const struct {
        const char *dtype;
        size_t size;
        uint8_t bytes[32];
    } types[] = {
        {"|u1", 1, {0, 1, 2, 3}},
        {"|i1", 1, {0, 1, 2, 3}},
        {"<u2", 2, {0, 0, 1, 0, 2, 0, 3, 0}},
        {">i2", 2, {0, 0, 0, 1, 0, 2, 0, 3}},
        {"<i4", 4, {0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0}},
        {">u4", 4, {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}},
        {"<f2", 2, {0, 0, 0, 0x3C, 0, 0x40, 0, 0x42}},
        {">f4", 4, {0, 0, 0, 0, 0x3F, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0}},
        {"<i8", 8, {[8] = 1, [16] = 2, [24] = 3}},
        {">f8", 8, {[8] = 0x3F, [9] = 0xF0, [16] = 0x40, [24] = 0x40, [25] = 0x08}},
    };
    const struct fixture *f = *state;
    char header[128];

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        FILE *file;

        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 2)}",
                 types[i].dtype);
        write_file(f, 1, header, 0);
        file = fopen(f->path, "ab");
        assert_non_null(file);
        fwrite(types[i].bytes, types[i].size, 4, file);
        fclose(file);
        accept(f, (const int64_t[]){2, 2, 1, 1});
    }
}

static void signs_and_digits_beyond_float32_are_rounded(void **state)
{
    const struct fixture *f = *state;
    const double stored[2] = {-1.0 / 3, 16777217.0};
    struct zf_tensor tensor = {0};
    FILE *file;

    write_file(f, 1, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", 0);
    file = fopen(f->path, "ab");
    assert_non_null(file);
    fwrite(stored, sizeof stored, 1, file);
    fclose(file);
    assert_int_equal(zf_tensor_load_npy(f->path, &tensor, NULL), ZF_OK);
    assert_true(tensor.data[0] == -1.0f / 3 && tensor.data[1] == 16777216.0f);
    zf_tensor_release(&tensor);
    write_file(f, 1, "{'descr': '|i1', 'fortran_order': False, 'shape': (1,)}", 0);
    file = fopen(f->path, "ab");
    assert_non_null(file);
    fputc(0x85, file);
    fclose(file);
    assert_int_equal(zf_tensor_load_npy(f->path, &tensor, NULL), ZF_OK);
    assert_true(tensor.data[0] == -123.0f);
    zf_tensor_release(&tensor);
}

/* [2, 3] whose first axis runs fastest in the file. */
static void fortran_order_is_turned(void **state)
{
    static const float right[] = {0, 2, 4, 1, 3, 5};
    const struct fixture *f = *state;
    struct zf_tensor tensor = {0};

    write_file(f, 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 6);
    assert_int_equal(zf_tensor_load_npy(f->path, &tensor, NULL), ZF_OK);
    assert_int_equal(tensor.n, 2);
    assert_int_equal(tensor.c, 3);
    assert_memory_equal(tensor.data, right, sizeof right);
    zf_tensor_release(&tensor);
}

static void what_is_no_number_is_refused_by_name(void **state)
{
    static const struct {
        const char *header, *word;
    } cases[] = {
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", "<c8"},
        {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "<f16"},
        {"{'descr': '<U7', 'fortran_order': False, 'shape': (4,), }", "<U7"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (4,), }", "|O"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4,), }", "records"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(*state, 1, cases[i].header, 4);
        refuse(*state, cases[i].word);
    }
}

static void a_shape_that_lies_is_refused(void **state)
{
    static const struct {
        const char *shape, *word;
    } cases[] = {
        {"(5,)", "truncated"},
        {"(3,)", "too long"},
        {"()", "0 dimensions"},
        {"(1, 1, 1, 1, 4)", "5 dimensions"},
        {"(4, 0)", "extent 1"},
        {"(4294967296, 4294967296)", "4 GiB"},
        {"(9223372036854775807, 3)", "4 GiB"},
        {"(9223372036854775808,)", "understood"},
        {"(1073741825,)", "4 GiB"},
        {"(-4,)", "understood"},
        {"(4", "understood"},
        {"4", "understood"},
    };
    char header[128];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }",
                 cases[i].shape);
        write_file(*state, 1, header, 4);
        refuse(*state, cases[i].word);
    }
}

static void a_header_that_is_not_the_three_keys_is_refused(void **state)
{
    static const char *const headers[] = {
        "",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), 'more': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)} and more",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)",
        "{'descr': '<f4",
    };

    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        write_file(*state, 1, headers[i], 4);
        refuse(*state, "understood");
    }
}

static void a_file_that_cannot_be_written_leaves_nothing_behind(void **state)
{
    struct zf_tensor tensor = counting(1, 1, 1, 1);
    struct zf_error err = {0};
    char path[160];

    snprintf(path, sizeof path, "%s/missing/a.npy", ((const struct fixture *)*state)->directory);
    assert_int_equal(zf_tensor_save_npy(&tensor, path, &err), ZF_EIO);
    assert_non_null(strstr(err.message, path));
    zf_tensor_release(&tensor);
}

static bool never(size_t bytes)
{
    (void)bytes;
    return false;
}

static void without_memory_loading_and_saving_say_so(void **state)
{
    const struct fixture *f = *state;
    struct zf_tensor saved = counting(1, 1, 2, 2), loaded = {0};
    enum zf_status load, save;

    assert_int_equal(zf_tensor_save_npy(&saved, f->path, NULL), ZF_OK);
    zf_alloc_allowed = never;
    load = zf_tensor_load_npy(f->path, &loaded, NULL);
    save = zf_tensor_save_npy(&saved, f->path, NULL);
    zf_alloc_allowed = NULL;
    assert_int_equal(load, ZF_ENOMEM);
    assert_int_equal(save, ZF_ENOMEM);
    assert_null(loaded.data);
    zf_tensor_release(&saved);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_is_loaded_bit_for_bit),
        TEST(saved_values_begin_at_a_multiple_of_64_bytes),
        TEST(every_truncation_is_refused_and_so_is_a_byte_too_many),
        TEST(no_changed_header_byte_makes_it_read_beyond_the_file),
        TEST(one_to_four_dimensions_fill_up_with_ones),
        TEST(formats_1_2_and_3_and_any_order_of_keys_are_read),
        TEST(any_real_and_whole_type_is_read_in_either_order_of_bytes),
        TEST(signs_and_digits_beyond_float32_are_rounded),
        TEST(fortran_order_is_turned),
        TEST(what_is_no_number_is_refused_by_name),
        TEST(a_shape_that_lies_is_refused),
        TEST(a_header_that_is_not_the_three_keys_is_refused),
        TEST(a_file_that_cannot_be_written_leaves_nothing_behind),
        TEST(without_memory_loading_and_saving_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
