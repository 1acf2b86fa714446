/* SPDX-License-Identifier: MIT */
/* A picture that has the input's size already goes in as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "image/picture.h"
#include "pictures.h"
#include "zf/image.h"

static const struct {
    int64_t h, w, size;
} cases[] = {{20, 20, 24}, {20, 20, 23}, {12, 20, 23}, {20, 11, 20}, {1, 2, 3}};

#define CASES (sizeof cases / sizeof cases[0])

static int64_t within(int64_t at, int64_t count)
{
    return at < 0 ? 0 : at >= count ? count - 1 : at;
}

/* The picture stands where the centre crop is, and beyond it its outermost pixels go on. */
static void expect_kept(const struct zf_picture *square, const struct zf_picture *picture,
                        struct zf_view view)
{
    for (int64_t y = 0; y < square->height; y++) {
        for (int64_t x = 0; x < square->width; x++) {
            const int64_t from_x = within(x - view.x, picture->width);
            const int64_t from_y = within(y - view.y, picture->height);

            assert_memory_equal(square->pixels + (y * square->width + x) * 3,
                                picture->pixels + (from_y * picture->width + from_x) * 3, 3);
        }
    }
}

static void a_picture_of_the_inputs_size_is_left_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const struct zf_shape input = {3, cases[i].h, cases[i].w};
        const struct zf_preparation how = {.resize = ZF_RESIZE_FIT, .size = cases[i].size};
        const struct zf_geometry geometry = zf_geometry_of(&how, input);
        const struct zf_view view = zf_view_centre(&how, input);
        const struct zf_placing at = zf_picture_place(input.w, input.h, geometry, 1.25, 0.5);
        struct zf_picture picture = paint_scene(input.w, input.h), square = {0};

        assert_int_equal(zf_picture_square(&picture, geometry, &square, NULL), ZF_OK);
        expect_kept(&square, &picture, view);
        assert_true(at.x - (double)view.x == 1.25 && at.y - (double)view.y == 0.5);
        zf_picture_release(&square);
        zf_picture_release(&picture);
    }
}

static void any_other_picture_is_resized_by_its_shorter_side(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const struct zf_shape input = {3, cases[i].h, cases[i].w};
        const struct zf_preparation how = {.resize = ZF_RESIZE_FIT, .size = cases[i].size};
        struct zf_picture picture = paint_scene(input.w + 1, input.h), fit = {0}, shorter = {0};

        assert_int_equal(zf_picture_square(&picture, zf_geometry_of(&how, input), &fit, NULL),
                         ZF_OK);
        assert_int_equal(zf_picture_square(&picture,
                                           zf_geometry_square(ZF_RESIZE_SHORT, cases[i].size),
                                           &shorter, NULL),
                         ZF_OK);
        assert_int_equal(largest_difference(&fit, &shorter), 0);
        zf_picture_release(&shorter);
        zf_picture_release(&fit);
        zf_picture_release(&picture);
    }
}

/* Of which only what the square takes is decoded. */
static void a_jpeg_of_the_inputs_size_is_whole(void **state)
{
    const struct jpeg_kind kind = {.across = 2, .down = 2};

    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const struct zf_shape input = {3, 8 * cases[i].h, 8 * cases[i].w};
        const struct zf_preparation how = {.resize = ZF_RESIZE_FIT, .size = 8 * cases[i].size};
        struct zf_picture painted = paint_scene(input.w, input.h), square = {0}, picture;
        size_t size;
        uint8_t *bytes = jpeg_write(&painted, NULL, &kind, &size);
        const struct zf_source source = {.bytes = bytes, .size = size, .name = "fit.jpg"};

        picture = decode(bytes, size, 0, NULL);
        assert_int_equal(
            zf_source_square(&source, zf_geometry_of(&how, input), &square, NULL, NULL), ZF_OK);
        expect_kept(&square, &picture, zf_view_centre(&how, input));
        zf_picture_release(&square);
        zf_picture_release(&picture);
        zf_picture_release(&painted);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_of_the_inputs_size_is_left_alone),
        cmocka_unit_test(any_other_picture_is_resized_by_its_shorter_side),
        cmocka_unit_test(a_jpeg_of_the_inputs_size_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
