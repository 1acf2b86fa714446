/* SPDX-License-Identifier: MIT */
/* A square made from the part of a JPEG that it takes is, bit for bit, the one made from all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/status.h"
#include "image/picture.h"
#include "pictures.h"

/* Edges and noise: where a neighbour is missing, it shows. */
static struct zf_picture paint_texture(int64_t width, int64_t height)
{
    struct zf_picture picture = paint_scene(width, height);
    uint32_t noise = 7;

    for (int64_t i = 0; i < width * height * 3; i++) {
        const int64_t x = i / 3 % width, y = i / 3 / width;

        noise = noise * 1664525u + 1013904223u;
        picture.pixels[i] =
            (uint8_t)(picture.pixels[i] / 2 + (x / 5 + y / 3) % 2 * 60 + (noise >> 26));
    }
    return picture;
}

static struct zf_source source_of(const uint8_t *bytes, size_t size, int64_t side)
{
    return (struct zf_source){.bytes = bytes, .size = size, .name = "cat.jpg", .short_side = side};
}

static void expect_the_same_square(const uint8_t *bytes, size_t size, int64_t side,
                                   enum zf_resize resize, const char *what)
{
    struct zf_picture whole = decode(bytes, size, side, NULL), expected = {0}, square = {0};
    const struct zf_source source = source_of(bytes, size, side);
    struct zf_error err = {0};

    assert_int_equal(zf_picture_square(&whole, zf_geometry_square(resize, side), &expected, NULL),
                     ZF_OK);
    if (zf_source_square(&source, zf_geometry_square(resize, side), &square, NULL, &err) != ZF_OK)
        fail_msg("%s", err.message);
    if (largest_difference(&expected, &square) != 0)
        fail_msg("%s, a square of %d px: they differ by up to %d", what, (int)side,
                 largest_difference(&expected, &square));
    zf_picture_release(&whole);
    zf_picture_release(&expected);
    zf_picture_release(&square);
}

/* For every size: in landscape and portrait, shrunk while decoding, afterwards, and enlarged. */
static void expect_the_same_squares(const struct jpeg_kind *kind, const char *name)
{
    static const int64_t sizes[][2] = {{211, 83}, {83, 211}, {150, 131}, {9, 120}, {322, 40}};
    static const int64_t sides[] = {9, 19, 37, 64, 101};

    for (size_t s = 0; s < ZF_COUNT(sizes); s++) {
        struct zf_picture picture = paint_texture(sizes[s][0], sizes[s][1]);
        char what[128];
        uint8_t *bytes;
        size_t size;

        bytes = jpeg_write(&picture, picture.pixels, kind, &size);
        snprintf(what, sizeof what, "%s, %d x %d px", name, (int)sizes[s][0], (int)sizes[s][1]);
        for (size_t k = 0; k < ZF_COUNT(sides); k++)
            expect_the_same_square(bytes, size, sides[k], ZF_RESIZE_SHORT, what);
        expect_the_same_square(bytes, size, 37, ZF_RESIZE_WARP, what);
        zf_picture_release(&picture);
        free(bytes);
    }
}

static void every_subsampling_gives_the_same_square_as_all_of_the_picture(void **state)
{
    static const int shared[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}, {4, 1}, {4, 2}};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(shared); i++) {
        struct jpeg_kind kind = {.across = shared[i][0], .down = shared[i][1]};
        char name[64];

        snprintf(name, sizeof name, "%d x %d pixels share their colour", kind.across, kind.down);
        expect_the_same_squares(&kind, name);
        kind.separate = true;
        expect_the_same_squares(&kind, name);
        kind.separate = false;
        kind.progressive = true;
        expect_the_same_squares(&kind, name);
    }
}

static void grey_and_plain_rgb_give_the_same_square_as_all_of_the_picture(void **state)
{
    (void)state;
    expect_the_same_squares(&(struct jpeg_kind){.pixels = JCS_GRAYSCALE}, "grey");
    expect_the_same_squares(&(struct jpeg_kind){.stored = JCS_RGB}, "stored as RGB");
}

/* The first scans only: the decoder fills in the waves that are missing from blocks around. */
static void an_unfinished_progressive_jpeg_gives_the_same_square_as_all_of_it(void **state)
{
    static const int scans[] = {1, 2, 5, 64};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(scans); i++)
        expect_the_same_squares(&(struct jpeg_kind){.pixels = JCS_GRAYSCALE, .scans = scans[i]},
                                "unfinished");
}

static void every_orientation_gives_the_same_square_as_all_of_the_picture(void **state)
{
    (void)state;
    for (int orientation = 1; orientation <= 8; orientation++) {
        uint8_t exif[64];
        char name[32];
        struct jpeg_kind kind = {.exif = exif, .across = 2, .down = 2};

        kind.exif_size = exif_write(exif, orientation, true);
        snprintf(name, sizeof name, "orientation %d", orientation);
        expect_the_same_squares(&kind, name);
    }
}

static void cmyk_gives_the_same_square_as_all_of_the_picture(void **state)
{
    const struct jpeg_kind kind = {.pixels = JCS_CMYK, .stored = JCS_YCCK};
    struct zf_picture picture = paint_texture(211, 83);
    uint8_t *inks = malloc(211 * 83 * 4), *bytes;
    size_t size;

    (void)state;
    for (int i = 0; i < 211 * 83 * 4; i++)
        inks[i] = picture.pixels[i / 4 * 3 + i % 3];
    bytes = jpeg_write(&picture, inks, &kind, &size);
    expect_the_same_square(bytes, size, 64, ZF_RESIZE_SHORT, "CMYK");
    zf_picture_release(&picture);
    free(inks);
    free(bytes);
}

static void only_about_what_the_square_takes_is_decoded(void **state)
{
    static const struct {
        int64_t width, height, at_most_width, at_most_height;
    } cases[] = {
        {640, 100, 100 + 2 * 16 + 4, 100},
        {100, 640, 100, 100 + 2 * 16 + 4},
    };

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(cases); i++) {
        const struct jpeg_kind kind = {.across = 2, .down = 2};
        struct zf_picture picture = paint_texture(cases[i].width, cases[i].height);
        size_t size;
        uint8_t *bytes = jpeg_write(&picture, NULL, &kind, &size);
        struct zf_source source = source_of(bytes, size, 64);
        const struct zf_geometry square = zf_geometry_square(ZF_RESIZE_SHORT, 64);
        struct zf_decoded decoded = {0};
        struct zf_error err = {0};

        source.square = &square;
        source.limits = (struct zf_picture_limits){1 << 30, 1 << 14, 1 << 30};
        if (zf_jpeg_decoder.decode(&source, &decoded, &err) != ZF_OK)
            fail_msg("%s", err.message);
        assert_in_range(decoded.picture.width, 100, cases[i].at_most_width);
        assert_in_range(decoded.picture.height, 100, cases[i].at_most_height);
        assert_int_equal(decoded.width, cases[i].width);
        assert_int_equal(decoded.height, cases[i].height);
        assert_int_equal(decoded.original.width, cases[i].width);
        zf_picture_release(&decoded.picture);
        zf_picture_release(&picture);
        free(bytes);
    }
}

/* Heights and subsamplings decide where libjpeg skips from and to. */
static void every_height_gives_the_same_square_as_all_of_the_picture(void **state)
{
    static const int shared[][2] = {{1, 1}, {2, 1}, {1, 2}, {2, 2}};

    (void)state;
    for (int i = 0; i < 4 * 33; i++) {
        const struct jpeg_kind kind = {.across = shared[i % 4][0], .down = shared[i % 4][1]};
        struct zf_picture picture = paint_texture(33, 96 + i / 4);
        size_t size;
        uint8_t *bytes = jpeg_write(&picture, NULL, &kind, &size);
        char what[64];

        snprintf(what, sizeof what, "33 x %d px", 96 + i / 4);
        for (int64_t side = 16; side <= 48; side += 16)
            expect_the_same_square(bytes, size, side, ZF_RESIZE_SHORT, what);
        zf_picture_release(&picture);
        free(bytes);
    }
}

/* Also where the damage lies below the part that is kept. */
static void what_is_not_decoded_must_be_whole_all_the_same(void **state)
{
    struct zf_picture picture = paint_texture(64, 400);

    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        const struct jpeg_kind kind = {.progressive = progressive == 1, .across = 2, .down = 2};
        size_t size;
        uint8_t *bytes = jpeg_write(&picture, NULL, &kind, &size);

        for (size_t n = size - 3; n > size / 4; n -= n + 40 > size ? 1 : 97) {
            const struct zf_source source = source_of(bytes, n, 64);
            struct zf_picture square = {.width = 77};
            struct zf_error err = {0};

            assert_int_equal(
                zf_source_square(&source, zf_geometry_square(ZF_RESIZE_SHORT, source.short_side),
                                 &square, NULL, &err),
                ZF_EINPUT);
            if (!strstr(err.message, "truncated") || !strstr(err.message, "cat.jpg"))
                fail_msg("%s", err.message);
            assert_int_equal(square.width, 77);
        }
        free(bytes);
    }
    zf_picture_release(&picture);
}

static void a_box_turned_to_where_it_is_stored_and_back_is_itself(void **state)
{
    const struct zf_box box = {3, 5, 7, 11};

    (void)state;
    for (int orientation = 0; orientation <= 9; orientation++) {
        const bool on_its_side = orientation >= 5 && orientation <= 8;
        const int64_t width = on_its_side ? 30 : 40, height = on_its_side ? 40 : 30;
        const struct zf_box stored = zf_box_to_stored(box, orientation, width, height);
        const struct zf_box back = zf_box_to_upright(stored, orientation, width, height);

        assert_memory_equal(&back, &box, sizeof box);
        assert_int_equal(stored.width, on_its_side ? 11 : 7);
        assert_true(stored.x >= 0 && stored.x + stored.width <= width);
        assert_true(stored.y >= 0 && stored.y + stored.height <= height);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_subsampling_gives_the_same_square_as_all_of_the_picture),
        cmocka_unit_test(grey_and_plain_rgb_give_the_same_square_as_all_of_the_picture),
        cmocka_unit_test(an_unfinished_progressive_jpeg_gives_the_same_square_as_all_of_it),
        cmocka_unit_test(every_orientation_gives_the_same_square_as_all_of_the_picture),
        cmocka_unit_test(cmyk_gives_the_same_square_as_all_of_the_picture),
        cmocka_unit_test(every_height_gives_the_same_square_as_all_of_the_picture),
        cmocka_unit_test(only_about_what_the_square_takes_is_decoded),
        cmocka_unit_test(what_is_not_decoded_must_be_whole_all_the_same),
        cmocka_unit_test(a_box_turned_to_where_it_is_stored_and_back_is_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
