/* SPDX-License-Identifier: MIT */
/* NumPy's archives, put together byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <zlib.h>

#include "tensor/npz.h"

#define NPY_BYTES 80 /* what array() writes */

/* A ZIP file that grows. */
struct archive {
    uint8_t bytes[4096], directory[1024];
    size_t size, directory_size, count;
};

static void put(uint8_t *at, uint64_t value, int bytes)
{
    for (int k = 0; k < bytes; k++)
        at[k] = (uint8_t)(value >> 8 * k);
}

/* A .npy of three uint8: first, first + 1, first + 2. */
static void array(uint8_t *out, uint8_t first)
{
    static const char header[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}";

    memset(out, 0, NPY_BYTES);
    memcpy(out, "\x93NUMPY\1\0", 8);
    put(out + 8, NPY_BYTES - 13, 2);
    memset(out + 10, ' ', NPY_BYTES - 13);
    memcpy(out + 10, header, sizeof header - 1);
    for (int k = 0; k < 3; k++)
        out[NPY_BYTES - 3 + k] = (uint8_t)(first + k);
}

/* As savez() does it, or as savez_compressed(). */
static void add(struct archive *a, const char *name, uint8_t first, bool deflated)
{
    uint8_t npy[NPY_BYTES], packed[256], *local = a->bytes + a->size,
                                         *entry = a->directory + a->directory_size;
    z_stream stream = {
        .next_in = npy, .avail_in = NPY_BYTES, .next_out = packed, .avail_out = sizeof packed};
    const size_t length = strlen(name);
    size_t size = NPY_BYTES;

    array(npy, first);
    memcpy(packed, npy, NPY_BYTES);
    if (deflated) {
        assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        size = (size_t)stream.total_out;
        deflateEnd(&stream);
    }
    memcpy(local, "PK\3\4", 4);
    put(local + 26, length, 2);
    memcpy(local + 30, name, length);
    memcpy(local + 30 + length, packed, size);
    memcpy(entry, "PK\1\2", 4);
    put(entry + 10, deflated ? 8 : 0, 2);
    put(entry + 16, crc32(0, npy, NPY_BYTES), 4);
    put(entry + 20, size, 4);
    put(entry + 24, NPY_BYTES, 4);
    put(entry + 28, length, 2);
    put(entry + 42, a->size, 4);
    memcpy(entry + 46, name, length);
    a->size += 30 + length + size;
    a->directory_size += 46 + length;
    a->count++;
}

static struct zf_bytes finish(struct archive *a)
{
    uint8_t *end = a->bytes + a->size + a->directory_size;

    memcpy(a->bytes + a->size, a->directory, a->directory_size);
    memcpy(end, "PK\5\6", 4);
    put(end + 8, a->count, 2);
    put(end + 10, a->count, 2);
    put(end + 12, a->directory_size, 4);
    put(end + 16, a->size, 4);
    return (struct zf_bytes){.data = a->bytes, .size = a->size + a->directory_size + 22};
}

static void expect(const struct zf_bytes *file, float first)
{
    struct zf_tensor tensor = {0};
    struct zf_npy_form form = {0};
    struct zf_error err = {0};

    if (zf_npz_parse(file, "a.npz", &tensor, &form, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(tensor.n, 3);
    assert_int_equal(form.rank, 1);
    assert_true(form.levels);
    for (int k = 0; k < 3; k++)
        assert_true(tensor.data[k] == first + (float)k);
    zf_tensor_release(&tensor);
}

static void refuse(const struct zf_bytes *file, const char *word)
{
    struct zf_tensor tensor = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_npz_parse(file, "a.npz", &tensor, NULL, &err), ZF_EINPUT);
    if (!strstr(err.message, word) || !strstr(err.message, "a.npz"))
        fail_msg("expected '%s' in: %s", word, err.message);
    assert_null(tensor.data);
}

static void the_only_array_is_read_stored_and_deflated(void **state)
{
    for (int deflated = 0; deflated < 2; deflated++) {
        struct archive archive = {0};
        struct zf_bytes file;

        add(&archive, "whatever.npy", 5, deflated);
        file = finish(&archive);
        expect(&file, 5);
    }
    (void)state;
}

static void of_several_the_one_with_an_inputs_name_is_read(void **state)
{
    struct archive archive = {0};
    struct zf_bytes file;

    (void)state;
    add(&archive, "labels.npy", 5, true);
    add(&archive, "other.npy", 15, false);
    file = finish(&archive);
    refuse(&file, "labels, other");
    add(&archive, "arr_0.npy", 25, true);
    add(&archive, "images.npy", 35, true);
    file = finish(&archive);
    expect(&file, 35);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    struct archive archive = {0};
    struct zf_bytes file;

    (void)state;
    add(&archive, "x.npy", 5, true);
    file = finish(&archive);
    for (size_t size = file.size; size-- > 0;) {
        struct zf_bytes cut = {.data = memcpy(malloc(size + 1), file.data, size), .size = size};

        refuse(&cut, "");
        free((void *)(uintptr_t)cut.data);
    }
}

/* No byte beyond the file is read, whatever is written in it; and no changed number is believed. */
static void a_file_with_any_byte_changed_is_read_or_refused(void **state)
{
    for (int deflated = 0; deflated < 2; deflated++) {
        struct archive archive = {0};
        struct zf_bytes file;
        uint8_t *bytes;

        add(&archive, "x.npy", 5, deflated);
        file = finish(&archive);
        bytes = memcpy(malloc(file.size), file.data, file.size);
        file.data = bytes;
        for (size_t i = 0; i < file.size; i++) {
            for (int bit = 0; bit < 8; bit++) {
                struct zf_tensor tensor = {0};

                bytes[i] ^= (uint8_t)(1 << bit);
                if (zf_npz_parse(&file, "a.npz", &tensor, NULL, NULL) == ZF_OK)
                    assert_true(tensor.data[0] == 5 && tensor.data[2] == 7);
                zf_tensor_release(&tensor);
                bytes[i] ^= (uint8_t)(1 << bit);
            }
        }
        free(bytes);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_only_array_is_read_stored_and_deflated),
        cmocka_unit_test(of_several_the_one_with_an_inputs_name_is_read),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_file_with_any_byte_changed_is_read_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
