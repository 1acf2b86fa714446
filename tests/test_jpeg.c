/* SPDX-License-Identifier: MIT */
/* JPEG in all its kinds becomes plain upright RGB; broken ones are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/picture.h"
#include "pictures.h"

static void a_colour_jpeg_comes_out_as_it_was_painted(void **state)
{
    struct zf_picture scene = paint_scene(83, 61), picture;
    struct zf_box original;
    size_t size;

    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        const struct jpeg_kind kind = {.progressive = progressive == 1};
        uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

        picture = decode(bytes, size, 0, &original);
        assert_in_range(largest_difference(&scene, &picture), 0, 8);
        assert_int_equal(original.x, 0);
        assert_int_equal(original.y, 0);
        assert_int_equal(original.width, 83);
        assert_int_equal(original.height, 61);
        zf_picture_release(&picture);
        free(bytes);
    }
    zf_picture_release(&scene);
}

static void a_grey_jpeg_becomes_rgb(void **state)
{
    const struct jpeg_kind kind = {.pixels = JCS_GRAYSCALE};
    struct zf_picture scene = paint_scene(40, 30), picture;
    size_t size;
    uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

    (void)state;
    picture = decode(bytes, size, 0, NULL);
    for (int64_t i = 0; i < 40 * 30; i++) {
        assert_int_equal(picture.pixels[3 * i], picture.pixels[3 * i + 1]);
        assert_int_equal(picture.pixels[3 * i], picture.pixels[3 * i + 2]);
        assert_in_range(abs(picture.pixels[3 * i] - scene.pixels[3 * i]), 0, 8);
    }
    zf_picture_release(&picture);
    zf_picture_release(&scene);
    free(bytes);
}

/* Four inks: none (white), full yellow and magenta (red), full black, half cyan over half black.
   Adobe stores 255 for no ink, others 0. */
static void cmyk_and_ycck_with_and_without_adobes_marker_become_rgb(void **state)
{
    static const uint8_t ink[4][4] = {
        {0, 0, 0, 0}, {0, 255, 255, 0}, {0, 0, 0, 255}, {128, 0, 0, 128}};
    static const struct jpeg_kind kinds[] = {
        {.pixels = JCS_CMYK, .stored = JCS_CMYK},
        {.pixels = JCS_CMYK, .stored = JCS_CMYK, .no_adobe_marker = true},
        {.pixels = JCS_CMYK, .stored = JCS_YCCK},
    };
    struct zf_picture frame = {0};
    uint8_t inks[32 * 16 * 4 * 4];
    size_t size;

    (void)state;
    assert_int_equal(zf_picture_init(&frame, 128, 16, NULL), ZF_OK);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct zf_picture picture;
        uint8_t *bytes;

        for (int i = 0; i < 128 * 16 * 4; i++) {
            const uint8_t amount = ink[i / 4 % 128 / 32][i % 4];

            inks[i] = kinds[k].no_adobe_marker ? amount : (uint8_t)(255 - amount);
        }
        bytes = jpeg_write(&frame, inks, &kinds[k], &size);
        picture = decode(bytes, size, 0, NULL);
        expect_pixel(&picture, 16, 8, 255, 255, 255, 4);
        expect_pixel(&picture, 48, 8, 255, 0, 0, 4);
        expect_pixel(&picture, 80, 8, 0, 0, 0, 4);
        expect_pixel(&picture, 112, 8, 63, 127, 127, 4);
        zf_picture_release(&picture);
        free(bytes);
    }
    zf_picture_release(&frame);
}

/* EXIF defines an orientation by which visual sides the stored row 0 and column 0 are. */
static struct zf_picture store(const struct zf_picture *upright, int orientation)
{
    const int64_t w = upright->width, h = upright->height;
    const bool row_is_side = orientation >= 5;
    struct zf_picture stored = {0};

    assert_int_equal(zf_picture_init(&stored, row_is_side ? h : w, row_is_side ? w : h, NULL),
                     ZF_OK);
    for (int64_t row = 0; row < stored.height; row++) {
        for (int64_t column = 0; column < stored.width; column++) {
            int64_t x = row_is_side ? row : column, y = row_is_side ? column : row;

            if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7)
                x = w - 1 - x; /* column 0 is the right side, or row 0 is */
            if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8)
                y = h - 1 - y; /* row 0 is the bottom, or column 0 is */
            memcpy(stored.pixels + (row * stored.width + column) * 3,
                   upright->pixels + (y * w + x) * 3, 3);
        }
    }
    return stored;
}

static void all_eight_exif_orientations_come_out_upright(void **state)
{
    struct zf_picture scene = paint_scene(96, 40);

    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        struct zf_picture stored = store(&scene, orientation), picture;
        struct zf_box original;
        uint8_t exif[64], *bytes;
        size_t size;
        struct jpeg_kind kind = {.exif = exif};

        kind.exif_size = exif_write(exif, orientation, orientation % 2 == 0);
        bytes = jpeg_write(&stored, NULL, &kind, &size);
        picture = decode(bytes, size, 0, &original);
        assert_in_range(largest_difference(&scene, &picture), 0, 8);
        assert_int_equal(original.width, 96);
        assert_int_equal(original.height, 40);
        zf_picture_release(&picture);
        zf_picture_release(&stored);
        free(bytes);
    }
    zf_picture_release(&scene);
}

static void a_bent_exif_block_is_read_within_its_bounds(void **state)
{
    uint8_t exif[64];
    const unsigned int size = exif_write(exif, 6, true);
    uint32_t random = 1;

    (void)state;
    assert_int_equal(zf_exif_orientation(exif, size), 6);
    for (unsigned int n = 0; n < size; n++) {
        uint8_t *exact = malloc(n + 1); /* so that a sanitizer sees a read beyond */

        memcpy(exact + 1, exif, n);
        assert_int_equal(zf_exif_orientation(exact + 1, n), n < size - 4 ? 1 : 6);
        free(exact);
    }
    for (int i = 0; i < 20000; i++) {
        uint8_t *bent = malloc(size);
        int orientation;

        memcpy(bent, exif, size);
        for (int k = 0; k < 3; k++) {
            random = random * 1664525u + 1013904223u;
            bent[6 + (random >> 8) % (size - 6)] = (uint8_t)(random >> 24);
        }
        orientation = zf_exif_orientation(bent, size);
        assert_in_range(orientation, 1, 8);
        free(bent);
    }
}

static void a_truncated_jpeg_is_refused_by_name(void **state)
{
    struct zf_picture scene = paint_scene(90, 70);
    size_t size;

    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        const struct jpeg_kind kind = {.progressive = progressive == 1};
        uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

        for (size_t n = 3; n < size - 2; n += n < 700 || n + 20 > size ? 1 : 13)
            refuse(bytes, n, NULL, "truncated"); /* the last two bytes are the end marker */
        free(bytes);
    }
    zf_picture_release(&scene);
}

static void a_damaged_jpeg_is_refused_rather_than_filled_with_grey(void **state)
{
    const struct jpeg_kind kind = {0};
    struct zf_picture scene = paint_scene(90, 70);
    size_t size;
    uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

    (void)state;
    memcpy(bytes + size / 2, "\xFF\xD9", 2); /* an end marker half way */
    refuse(bytes, size, NULL, "damaged");
    zf_picture_release(&scene);
    free(bytes);
}

static void a_jpeg_of_many_scans_is_refused(void **state)
{
    struct zf_picture scene = paint_scene(64, 64), picture;
    struct jpeg_kind kind = {.pixels = JCS_GRAYSCALE, .scans = 100};
    size_t size;
    uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

    (void)state;
    picture = decode(bytes, size, 0, NULL);
    zf_picture_release(&picture);
    free(bytes);
    kind.scans = 101;
    bytes = jpeg_write(&scene, NULL, &kind, &size);
    refuse(bytes, size, NULL, "scans");
    free(bytes);
    zf_picture_release(&scene);
}

static void a_jpeg_is_shrunk_while_decoding_but_never_below_what_is_wanted(void **state)
{
    static const struct {
        int64_t short_side, width, height;
    } cases[] = {
        {0, 403, 301},  {302, 403, 301}, {301, 403, 301}, {152, 403, 301}, {151, 202, 151},
        {77, 202, 151}, {76, 101, 76},   {39, 101, 76},   {38, 51, 38},    {1, 51, 38},
    };
    const struct jpeg_kind kind = {0};
    struct zf_picture scene = paint_scene(403, 301), picture;
    struct zf_box original;
    size_t size;
    uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        picture = decode(bytes, size, cases[i].short_side, &original);
        assert_int_equal(picture.width, cases[i].width);
        assert_int_equal(picture.height, cases[i].height);
        assert_int_equal(original.width, 403);
        assert_int_equal(original.height, 301);
        zf_picture_release(&picture);
    }
    zf_picture_release(&scene);
    free(bytes);
}

static void squares_from_a_shrunken_decode_are_close_to_those_from_a_full_one(void **state)
{
    const struct jpeg_kind kind = {0};
    struct zf_picture scene = paint_scene(640, 480);
    size_t size;
    uint8_t *bytes = jpeg_write(&scene, NULL, &kind, &size);

    (void)state;
    for (int64_t side = 50; side <= 240; side += 38) {
        struct zf_picture full = decode(bytes, size, 0, NULL),
                          small = decode(bytes, size, side, NULL);
        struct zf_picture a = {0}, b = {0};

        assert_true(small.width < full.width);
        assert_int_equal(
            zf_picture_square(&full, zf_geometry_square(ZF_RESIZE_SHORT, side), &a, NULL), ZF_OK);
        assert_int_equal(
            zf_picture_square(&small, zf_geometry_square(ZF_RESIZE_SHORT, side), &b, NULL), ZF_OK);
        assert_in_range(largest_difference(&a, &b), 0, 10);
        zf_picture_release(&full);
        zf_picture_release(&small);
        zf_picture_release(&a);
        zf_picture_release(&b);
    }
    zf_picture_release(&scene);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_colour_jpeg_comes_out_as_it_was_painted),
        cmocka_unit_test(a_grey_jpeg_becomes_rgb),
        cmocka_unit_test(cmyk_and_ycck_with_and_without_adobes_marker_become_rgb),
        cmocka_unit_test(all_eight_exif_orientations_come_out_upright),
        cmocka_unit_test(a_bent_exif_block_is_read_within_its_bounds),
        cmocka_unit_test(a_truncated_jpeg_is_refused_by_name),
        cmocka_unit_test(a_damaged_jpeg_is_refused_rather_than_filled_with_grey),
        cmocka_unit_test(a_jpeg_of_many_scans_is_refused),
        cmocka_unit_test(a_jpeg_is_shrunk_while_decoding_but_never_below_what_is_wanted),
        cmocka_unit_test(squares_from_a_shrunken_decode_are_close_to_those_from_a_full_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
