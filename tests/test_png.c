/* SPDX-License-Identifier: MIT */
/* The plain PNGs that libpng reads alone, held against libvips, which reads all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/picture.h"
#include "pictures.h"

#define IHDR_END 33
#define SIDE 37

static const struct zf_picture_limits limits = {1 << 20, 1000, 1000000};

static struct zf_source source_of(const uint8_t *bytes, size_t size)
{
    return (struct zf_source){.bytes = bytes, .size = size, .name = "a.png", .limits = limits};
}

/* Values of a picture of SIDE x SIDE pixels as a PNG; free() it. */
static uint8_t *write_scene(int bands, int bytes_each, size_t *size)
{
    static uint16_t values[SIDE * SIDE * 4];

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = (uint16_t)(i * 40503u);
    return png_write(values, SIDE, SIDE, bands, bytes_each, size);
}

/* The same file with a chunk behind its header; free() it. */
static uint8_t *insert(const uint8_t *png, size_t *size, const uint8_t *chunk, size_t length)
{
    uint8_t *file = malloc(*size + length);

    assert_non_null(file);
    memcpy(file, png, IHDR_END);
    memcpy(file + IHDR_END, chunk, length);
    memcpy(file + IHDR_END + length, png + IHDR_END, *size - IHDR_END);
    *size += length;
    return file;
}

static void assert_read_alike(const uint8_t *bytes, size_t size)
{
    const struct zf_source source = source_of(bytes, size);
    struct zf_decoded ours = {0}, theirs = {0};
    struct zf_error err = {0};

    assert_true(zf_png_decoder.knows(&source));
    if (zf_png_decoder.decode(&source, &ours, &err) != ZF_OK ||
        zf_vips_decoder.decode(&source, &theirs, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(largest_difference(&ours.picture, &theirs.picture), 0);
    assert_int_equal(ours.original.width, theirs.original.width);
    assert_int_equal(ours.original.height, theirs.original.height);
    zf_picture_release(&ours.picture);
    zf_picture_release(&theirs.picture);
}

static void grey_and_colour_are_what_libvips_reads(void **state)
{
    (void)state;
    for (int bands = 1; bands <= 3; bands += 2) {
        size_t size;
        uint8_t *png = write_scene(bands, 1, &size);

        assert_read_alike(png, size);
        free(png);
    }
}

static void others_are_left_to_libvips(void **state)
{
    static const struct {
        int bands, bytes_each;
    } kinds[] = {{2, 1}, {4, 1}, {1, 2}, {3, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size;
        uint8_t *png = write_scene(kinds[i].bands, kinds[i].bytes_each, &size);
        const struct zf_source source = source_of(png, size);

        assert_false(zf_png_decoder.knows(&source));
        free(png);
    }
}

/* RGB 1, 2, 3 is transparent. */
static void a_transparent_colour_is_left_to_libvips(void **state)
{
    static const uint8_t transparent[] = {0, 0, 0, 6, 't', 'R',  'N',  'S',  0,
                                          1, 0, 2, 0, 3,   0x30, 0x0e, 0x1b, 0x16};
    size_t size;
    uint8_t *png = write_scene(3, 1, &size);
    uint8_t *file = insert(png, &size, transparent, sizeof transparent);
    const struct zf_source source = source_of(file, size);

    (void)state;
    assert_false(zf_png_decoder.knows(&source));
    free(file);
    free(png);
}

/* Each cut, and each byte that is damaged, has the verdict and the pixels of libvips. */
static void damage_is_judged_by_libvips(void **state)
{
    size_t size;
    uint8_t *png = write_scene(3, 1, &size);

    (void)state;
    for (size_t at = 1; at < size; at += 1 + size / 200) {
        for (int cut = 0; cut < 2; cut++) {
            const struct zf_source source = source_of(png, cut ? at : size);
            struct zf_decoded ours = {0}, theirs = {0};
            struct zf_error our_error = {0}, their_error = {0};
            enum zf_status status;

            png[at] ^= (uint8_t)(cut ? 0 : 0x24);
            if (zf_png_decoder.knows(&source)) {
                status = zf_png_decoder.decode(&source, &ours, &our_error);
                assert_int_equal(status, zf_vips_decoder.decode(&source, &theirs, &their_error));
                assert_string_equal(our_error.message, their_error.message);
                if (status == ZF_OK)
                    assert_int_equal(largest_difference(&ours.picture, &theirs.picture), 0);
                zf_picture_release(&ours.picture);
                zf_picture_release(&theirs.picture);
            }
            png[at] ^= (uint8_t)(cut ? 0 : 0x24);
        }
    }
    free(png);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grey_and_colour_are_what_libvips_reads),
        cmocka_unit_test(others_are_left_to_libvips),
        cmocka_unit_test(a_transparent_colour_is_left_to_libvips),
        cmocka_unit_test(damage_is_judged_by_libvips),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
