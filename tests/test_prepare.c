/* SPDX-License-Identifier: MIT */
/* From a picture to a net's input and back: resize, views, mean, channels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/random.h"
#include "image/picture.h"
#include "pictures.h"

static const int64_t sizes[][2] = {
    {1, 1},   {2, 3},   {17, 17}, {50, 37},  {37, 50},
    {100, 1}, {1, 100}, {16, 90}, {131, 64}, {200, 151},
};

enum { SIZES = sizeof sizes / sizeof sizes[0], SIDE = 32 };

static struct zf_picture noise(int64_t width, int64_t height, uint64_t seed)
{
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);
    struct zf_picture picture = {0};

    assert_int_equal(zf_picture_init(&picture, width, height, NULL), ZF_OK);
    for (int64_t i = 0; i < width * height * 3; i++)
        picture.pixels[i] = (uint8_t)zf_random_below(&random, 256);
    return picture;
}

static struct zf_picture squared(const struct zf_picture *picture, enum zf_resize resize,
                                 int64_t size)
{
    struct zf_picture square = {0};

    assert_int_equal(zf_picture_square(picture, zf_geometry_square(resize, size), &square, NULL),
                     ZF_OK);
    assert_int_equal(square.width, size);
    assert_int_equal(square.height, size);
    return square;
}

/* By the definition, in two dimensions at once and over the whole picture. */
static double filtered(const struct zf_picture *picture, double cx, double cy, double sx, double sy,
                       int c)
{
    double sum = 0.0, weights = 0.0;

    for (int64_t y = 0; y < picture->height; y++) {
        for (int64_t x = 0; x < picture->width; x++) {
            const double w = fmax(0.0, 1.0 - fabs((double)x + 0.5 - cx) / sx) *
                             fmax(0.0, 1.0 - fabs((double)y + 0.5 - cy) / sy);

            sum += w * picture->pixels[(y * picture->width + x) * 3 + c];
            weights += w;
        }
    }
    return sum / weights;
}

static void resizing_agrees_with_the_definition_to_a_level(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * SIZES; i++) {
        const int64_t width = sizes[i / 2][0], height = sizes[i / 2][1];
        const int64_t shorter = width < height ? width : height;
        const enum zf_resize resize = i % 2 ? ZF_RESIZE_SHORT : ZF_RESIZE_WARP;
        const int64_t full_w = i % 2 ? SIDE * width / shorter : SIDE;
        const int64_t full_h = i % 2 ? SIDE * height / shorter : SIDE;
        const double scale_x = (double)width / (double)full_w;
        const double scale_y = (double)height / (double)full_h;
        /* Rounds halves to the even number, as Python does. */
        const double left = nearbyint((double)(full_w - SIDE) / 2.0);
        const double top = nearbyint((double)(full_h - SIDE) / 2.0);
        struct zf_picture picture = noise(width, height, (uint64_t)i);
        struct zf_picture square = squared(&picture, resize, SIDE);

        for (int at = 0; at < SIDE * SIDE * 3; at++) {
            const int x = at / 3 % SIDE, y = at / 3 / SIDE;
            const double want =
                filtered(&picture, (x + left + 0.5) * scale_x, (y + top + 0.5) * scale_y,
                         fmax(1.0, scale_x), fmax(1.0, scale_y), at % 3);

            if (fabs(square.pixels[at] - want) > 0.51)
                fail_msg("%d x %d at %d,%d: expected %.3f, got %d", (int)width, (int)height, x, y,
                         want, square.pixels[at]);
        }
        zf_picture_release(&square);
        zf_picture_release(&picture);
    }
}

/*
 * Levels 8x + 12y at pixel centres (x, y), twice as wide and three times as high: between the
 * centres of the outermost pixels a linear picture stays linear, so row i, column j of the result
 * has 8 ((j + 1/2) / 2 - 1/2) + 12 ((i + 1/2) / 3 - 1/2).
 */
static void a_warp_to_a_picture_that_is_no_square_keeps_a_gradient(void **state)
{
    const struct zf_geometry geometry = {.resize = ZF_RESIZE_WARP, .height = 24, .width = 20};
    struct zf_picture picture = {0}, warped = {0};

    (void)state;
    assert_int_equal(zf_picture_init(&picture, 10, 8, NULL), ZF_OK);
    for (int64_t i = 0; i < 10 * 8 * 3; i++)
        picture.pixels[i] = (uint8_t)(8 * (i / 3 % 10) + 12 * (i / 30));
    assert_int_equal(zf_picture_square(&picture, geometry, &warped, NULL), ZF_OK);
    assert_int_equal(warped.width, 20);
    assert_int_equal(warped.height, 24);
    for (int i = 1; i < 23; i++) {
        for (int j = 1; j < 19; j++) {
            const double want = 8 * ((j + 0.5) / 2 - 0.5) + 12 * ((i + 0.5) / 3 - 0.5);
            const uint8_t *pixel = warped.pixels + (i * 20 + j) * 3;
            const struct zf_placing at =
                zf_picture_place(10, 8, geometry, (j + 0.5) / 2, (i + 0.5) / 3);

            if (fabs(pixel[0] - want) > 0.51 || pixel[0] != pixel[1] || pixel[0] != pixel[2])
                fail_msg("row %d, column %d: expected %.3f, got %d", i, j, want, pixel[0]);
            assert_true(fabs(at.x - (j + 0.5)) < 1e-9);
            assert_true(fabs(at.y - (i + 0.5)) < 1e-9);
        }
    }
    zf_picture_release(&warped);
    zf_picture_release(&picture);
}

/* Shrunk, enlarged, and one of each: the definition holds on either axis by itself. */
static void a_warp_agrees_with_the_definition_on_each_axis(void **state)
{
    static const int64_t targets[][2] = {{12, 40}, {40, 12}, {7, 7}, {1, 50}, {60, 3}};

    (void)state;
    for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
        const int64_t h = targets[t][0], w = targets[t][1];
        struct zf_picture picture = noise(31, 23, t), warped = {0};

        assert_int_equal(
            zf_picture_square(
                &picture, (struct zf_geometry){.resize = ZF_RESIZE_WARP, .height = h, .width = w},
                &warped, NULL),
            ZF_OK);
        for (int64_t at = 0; at < h * w * 3; at++) {
            const double sx = 31.0 / (double)w, sy = 23.0 / (double)h;
            const double x = (double)(at / 3 % w) + 0.5, y = (double)(at / 3 / w) + 0.5;
            const double want =
                filtered(&picture, x * sx, y * sy, fmax(1, sx), fmax(1, sy), (int)(at % 3));

            if (fabs(warped.pixels[at] - want) > 0.51)
                fail_msg("%d x %d at %d: expected %.3f, got %d", (int)h, (int)w, (int)at, want,
                         warped.pixels[at]);
        }
        zf_picture_release(&warped);
        zf_picture_release(&picture);
    }
}

static void a_constant_picture_stays_constant(void **state)
{
    static const int64_t sides[] = {1, 2, 31, 64};

    (void)state;
    for (int i = 0; i < SIZES * 8; i++) {
        struct zf_picture picture = {0}, square;
        const int64_t *wh = sizes[i / 8];
        const uint8_t level = i % 3 == 0 ? 255 : (uint8_t)(i * 3);

        assert_int_equal(zf_picture_init(&picture, wh[0], wh[1], NULL), ZF_OK);
        memset(picture.pixels, level, (size_t)(wh[0] * wh[1] * 3));
        square = squared(&picture, i % 2 ? ZF_RESIZE_SHORT : ZF_RESIZE_WARP, sides[i % 8 / 2]);
        for (int64_t k = 0; k < square.width * square.height * 3; k++)
            assert_int_equal(square.pixels[k], level);
        zf_picture_release(&square);
        zf_picture_release(&picture);
    }
}

static void a_square_of_the_wanted_size_does_not_change(void **state)
{
    struct zf_picture picture = noise(SIDE, SIDE, 1);

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct zf_picture square = squared(&picture, i ? ZF_RESIZE_SHORT : ZF_RESIZE_WARP, SIDE);

        assert_int_equal(largest_difference(&picture, &square), 0);
        zf_picture_release(&square);
    }
    zf_picture_release(&picture);
}

/* The full resize of a 1 x 16000 picture would be 256 x 4096000. */
static void a_picture_as_thin_as_a_hair_costs_no_more_than_its_square(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct zf_picture hair = noise(i % 2 ? 1 : 16000, i % 2 ? 16000 : 1, 5);
        struct zf_picture square = squared(&hair, i / 2 ? ZF_RESIZE_SHORT : ZF_RESIZE_WARP, 256);
        const int64_t step = i % 2 ? 3 : 256 * 3; /* across the hair all pixels are the same */

        for (int64_t k = 1; k < 256; k++)
            assert_memory_equal(square.pixels, square.pixels + k * step, 3);
        zf_picture_release(&square);
        zf_picture_release(&hair);
    }
}

static void a_size_that_cannot_be_is_refused(void **state)
{
    struct zf_picture picture = noise(4, 4, 1), square = {0};
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(
        zf_picture_square(&picture, zf_geometry_square(ZF_RESIZE_SHORT, 0), &square, &err),
        ZF_EINVAL);
    assert_int_equal(
        zf_picture_square(&picture, zf_geometry_square(ZF_RESIZE_WARP, INT64_MAX), &square, &err),
        ZF_EINVAL);
    assert_null(square.pixels);
    assert_int_equal(zf_picture_init(&square, 0, 5, &err), ZF_EINVAL);
    assert_int_equal(zf_picture_init(&square, INT64_MAX, 5, &err), ZF_EINVAL);
    assert_null(square.pixels);
    zf_picture_release(&picture);
}

static const struct zf_shape crop = {3, 24, 20};

static struct zf_preparation preparation_of(enum zf_channels channels, const float *mean_image)
{
    return (struct zf_preparation){.resize = ZF_RESIZE_SHORT,
                                   .size = SIDE,
                                   .channels = channels,
                                   .mean = {124.5f, 117.0f, 104.25f},
                                   .scale = {1.0f, 0.5f, 1.0f / 58.0f},
                                   .mean_image = mean_image};
}

static void fill_mean(float mean[3 * SIDE * SIDE])
{
    for (int i = 0; i < 3 * SIDE * SIDE; i++)
        mean[i] = 100.0f + (float)(i % 97) * 0.25f;
}

static void the_ten_views_are_corners_and_centre_and_their_mirrors(void **state)
{
    static const int64_t corners[5][2] = {{0, 0}, {0, 12}, {8, 0}, {8, 12}, {4, 6}};
    const struct zf_preparation preparation = preparation_of(ZF_CHANNELS_RGB, NULL);
    const struct zf_view centre = zf_view_centre(&preparation, crop);

    (void)state;
    assert_int_equal(centre.y, 4);
    assert_int_equal(centre.x, 6);
    assert_false(centre.mirror);
    for (int i = 0; i < 10; i++) {
        const struct zf_view view = zf_view_ten(&preparation, crop, i);

        assert_int_equal(view.y, corners[i % 5][0]);
        assert_int_equal(view.x, corners[i % 5][1]);
        assert_int_equal(view.mirror, i >= 5);
    }
}

static void the_views_of_a_warp_stay_within_it(void **state)
{
    static const int64_t corners[5][2] = {{0, 0}, {0, 20}, {2, 0}, {2, 20}, {1, 10}};
    const struct zf_preparation preparation = {
        .resize = ZF_RESIZE_WARP, .size = 26, .width = 40, .scale = {1, 1, 1}};
    struct zf_picture warped = noise(40, 26, 9);
    float input[3 * 24 * 20];

    (void)state;
    for (int i = 0; i < 10; i++) {
        const struct zf_view view = zf_view_ten(&preparation, crop, i);

        assert_int_equal(view.y, corners[i % 5][0]);
        assert_int_equal(view.x, corners[i % 5][1]);
        zf_picture_prepare(&warped, &preparation, crop, view, input);
        for (int64_t k = 0; k < 3 * 24 * 20; k++) {
            const int64_t y = view.y + k / 20 % 24;
            const int64_t x = view.x + (view.mirror ? 19 - k % 20 : k % 20);

            assert_int_equal((int)input[k], warped.pixels[(y * 40 + x) * 3 + k / (24 * 20)]);
        }
    }
    zf_picture_release(&warped);
}

/* Every combination of channel order, kind of mean and view, against the formula. */
static void an_input_is_the_crop_less_the_mean_times_the_scale(void **state)
{
    struct zf_picture square = noise(SIDE, SIDE, 3);
    float mean[3 * SIDE * SIDE], input[3 * 24 * 20];

    (void)state;
    fill_mean(mean);
    for (int k = 0; k < 40; k++) {
        const bool bgr = k % 2 == 1;
        const struct zf_preparation preparation =
            preparation_of(bgr ? ZF_CHANNELS_BGR : ZF_CHANNELS_RGB, k / 2 % 2 ? mean : NULL);
        const struct zf_view view = zf_view_ten(&preparation, crop, k / 4);

        zf_picture_prepare(&square, &preparation, crop, view, input);
        for (int64_t i = 0; i < 3 * 24 * 20; i++) {
            const int64_t c = i / (24 * 20), y = i / 20 % 24 + view.y;
            const int64_t x = view.x + (view.mirror ? 19 - i % 20 : i % 20);
            const int64_t colour = bgr ? 2 - c : c;
            const float m =
                preparation.mean_image ? mean[(colour * SIDE + y) * SIDE + x] : preparation.mean[c];
            const float level = square.pixels[(y * SIDE + x) * 3 + colour];

            assert_true(input[i] == (level - m) * preparation.scale[c]);
        }
    }
    zf_picture_release(&square);
}

static void mirroring_twice_changes_nothing(void **state)
{
    const struct zf_preparation preparation = preparation_of(ZF_CHANNELS_RGB, NULL);
    struct zf_picture square = noise(SIDE, SIDE, 4), flipped = noise(SIDE, SIDE, 4);
    struct zf_view view = {3, 5, false}, across = {3, SIDE - 20 - 5, true};
    float straight[3 * 24 * 20], twice[3 * 24 * 20];

    (void)state;
    for (int64_t i = 0; i < SIDE * SIDE; i++)
        memcpy(flipped.pixels + 3 * i, square.pixels + 3 * (i / SIDE * SIDE + SIDE - 1 - i % SIDE),
               3);
    zf_picture_prepare(&square, &preparation, crop, view, straight);
    zf_picture_prepare(&flipped, &preparation, crop, across, twice);
    assert_memory_equal(straight, twice, sizeof straight);
    zf_picture_release(&square);
    zf_picture_release(&flipped);
}

static void the_way_back_from_an_input_gives_the_crop(void **state)
{
    struct zf_picture square = noise(SIDE, SIDE, 6), back = {0};
    float mean[3 * SIDE * SIDE], input[3 * 24 * 20];

    (void)state;
    fill_mean(mean);
    for (int k = 0; k < 4; k++) {
        const struct zf_preparation preparation =
            preparation_of(k % 2 ? ZF_CHANNELS_BGR : ZF_CHANNELS_RGB, k / 2 ? mean : NULL);

        zf_picture_prepare(&square, &preparation, crop, zf_view_centre(&preparation, crop), input);
        assert_int_equal(zf_picture_from_input(input, crop, &preparation, &back, NULL), ZF_OK);
        assert_int_equal(back.width, 20);
        assert_int_equal(back.height, 24);
        for (int64_t y = 0; y < 24; y++)
            assert_memory_equal(back.pixels + y * 60, square.pixels + ((y + 4) * SIDE + 6) * 3, 60);
        zf_picture_release(&back);
    }
    zf_picture_release(&square);
}

static void values_beyond_a_picture_are_clamped(void **state)
{
    const struct zf_preparation preparation = {.size = 4, .scale = {1.0f, 1.0f, 1.0f}};
    const float values[] = {-1e30f, 1e30f,  INFINITY, NAN,   0.4f,   0.6f,
                            254.6f, 255.4f, 17.0f,    -0.4f, 256.0f, 100.0f};
    static const uint8_t levels[] = {0, 255, 255, 0, 0, 1, 255, 255, 17, 0, 255, 100};
    const struct zf_shape shape = {3, 2, 2};
    struct zf_picture picture = {0};

    (void)state;
    assert_int_equal(zf_picture_from_input(values, shape, &preparation, &picture, NULL), ZF_OK);
    for (int i = 0; i < 12; i++)
        assert_int_equal(picture.pixels[i % 4 * 3 + i / 4], levels[i]);
    zf_picture_release(&picture);
}

static struct zf_net *small_net(void)
{
    static const char spec[] = "[net]\nname = small\ninput = 3x24x24\nclasses = 2\n"
                               "resize = short\nsize = 32\n\n[fc1]\ntype = fc\nmaps = classes\n";
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "small.ini", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static void only_a_warp_without_a_mean_image_may_be_no_square(void **state)
{
    static const float mean[3 * 32 * 40] = {0};
    struct zf_net *net = small_net();
    struct zf_preparation p = {.resize = ZF_RESIZE_WARP, .size = 32, .width = 40};
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_OK);
    assert_int_equal(zf_net_preparation(net)->width, 40);
    p.mean_image = mean;
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "a mean image is for squares, not pictures of 32x40 px"));
    p.mean_image = NULL;
    p.resize = ZF_RESIZE_SHORT;
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "by the shorter side gives squares"));
    p.width = 32; /* a square after all */
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_OK);
    assert_int_equal(zf_net_preparation(net)->width, 0);
    p.resize = ZF_RESIZE_WARP;
    p.width = 23;
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_EINVAL);
    assert_non_null(
        strstr(err.message, "crop of 24x24 px does not fit a picture resized to 32x23"));
    p.width = -1;
    assert_int_equal(zf_net_set_preparation(net, &p, &err), ZF_EINVAL);
    zf_net_free(&net);
}

static void an_input_is_read_from_a_picture_or_as_it_is_from_npy(void **state)
{
    char directory[] = "/tmp/zf-prepare-XXXXXX", png[64], npy[64];
    struct zf_net *net = small_net();
    struct zf_picture scene = paint_scene(60, 45), *shown = NULL, *again = NULL;
    struct zf_tensor input = {0}, same = {0};
    struct zf_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(png, sizeof png, "%s/a.png", directory);
    snprintf(npy, sizeof npy, "%s/a.npy", directory);
    assert_int_equal(zf_picture_save_png(&scene, png, NULL), ZF_OK);
    if (zf_input_load(png, net, &input, &shown, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(input.n, 1);
    assert_int_equal(input.h, 24);
    assert_int_equal(shown[0].width, 24);
    assert_int_equal(zf_tensor_save_npy(&input, npy, NULL), ZF_OK);
    assert_int_equal(zf_input_load(npy, net, &same, &again, &err), ZF_OK);
    assert_memory_equal(input.data, same.data, 3 * 24 * 24 * sizeof(float));
    assert_int_equal(largest_difference(&shown[0], &again[0]), 0);
    zf_tensor_release(&same);

    input.data[7] = NAN;
    assert_int_equal(zf_tensor_save_npy(&input, npy, NULL), ZF_OK);
    assert_int_equal(zf_input_load(npy, net, &same, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "value 7 of 1728 is not finite"));
    input.h = 12;
    assert_int_equal(zf_tensor_save_npy(&input, npy, NULL), ZF_OK);
    assert_int_equal(zf_input_load(npy, net, &same, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "1 x 3 x 12 x 24"));
    assert_int_equal(zf_input_load(directory, net, &same, NULL, &err), ZF_EINPUT);
    assert_null(same.data);

    zf_pictures_free(&shown, 1);
    zf_pictures_free(&again, 1);
    assert_null(shown);
    zf_tensor_release(&input);
    zf_picture_release(&scene);
    zf_net_free(&net);
    unlink(png);
    unlink(npy);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resizing_agrees_with_the_definition_to_a_level),
        cmocka_unit_test(a_warp_to_a_picture_that_is_no_square_keeps_a_gradient),
        cmocka_unit_test(a_warp_agrees_with_the_definition_on_each_axis),
        cmocka_unit_test(a_constant_picture_stays_constant),
        cmocka_unit_test(a_square_of_the_wanted_size_does_not_change),
        cmocka_unit_test(a_picture_as_thin_as_a_hair_costs_no_more_than_its_square),
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(the_ten_views_are_corners_and_centre_and_their_mirrors),
        cmocka_unit_test(the_views_of_a_warp_stay_within_it),
        cmocka_unit_test(an_input_is_the_crop_less_the_mean_times_the_scale),
        cmocka_unit_test(mirroring_twice_changes_nothing),
        cmocka_unit_test(the_way_back_from_an_input_gives_the_crop),
        cmocka_unit_test(values_beyond_a_picture_are_clamped),
        cmocka_unit_test(only_a_warp_without_a_mean_image_may_be_no_square),
        cmocka_unit_test(an_input_is_read_from_a_picture_or_as_it_is_from_npy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
