/* SPDX-License-Identifier: MIT */
/* Nets that look at one channel or at many: what they see of pictures, and what is drawn of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "pictures.h"
#include "zf/image.h"
#include "zf/net.h"

enum { SIDE = 32 };

static uint8_t *pixel_of(const struct zf_picture *picture, int64_t y, int64_t x)
{
    return picture->pixels + (y * picture->width + x) * 3;
}

/* 299 * 200 + 587 * 100 + 114 * 50 = 124 200, by hand. */
static void a_net_of_one_channel_sees_the_grey_of_a_picture(void **state)
{
    static const uint8_t colour[3] = {200, 100, 50};
    const struct zf_shape grey = {1, 24, 20};
    struct zf_preparation preparation = {.resize = ZF_RESIZE_SHORT,
                                         .size = SIDE,
                                         .channels = ZF_CHANNELS_BGR,
                                         .mean = {124.5f, 1.0f, 2.0f},
                                         .scale = {0.5f, 3.0f, 4.0f}};
    float mean[3 * SIDE * SIDE], input[24 * 20];
    struct zf_picture square = paint_scene(SIDE, SIDE), back;
    struct zf_error err = {0};

    (void)state;
    memcpy(pixel_of(&square, 4, 6), colour, 3);
    memset(pixel_of(&square, 4, 7), 77, 3);
    zf_picture_prepare(&square, &preparation, grey, zf_view_centre(&preparation, grey), input);
    assert_float_equal(input[0], (124.2f - 124.5f) * 0.5f, 1e-5);
    assert_float_equal(input[1], (77 - 124.5f) * 0.5f, 0); /* grey keeps its level */
    assert_int_equal(zf_picture_from_input(input, grey, &preparation, &back, &err), ZF_OK);
    assert_int_equal(back.pixels[0], 124);
    assert_int_equal(back.pixels[3], 77);
    zf_picture_grey(&square);
    for (int64_t y = 0; y < 24; y++)
        assert_memory_equal(pixel_of(&back, y, 0), pixel_of(&square, y + 4, 6), 20 * 3);
    zf_picture_release(&back);
    for (int i = 0; i < 3 * SIDE * SIDE; i++) /* 10, 20 and 30: their grey is 18.15 */
        mean[i] = 10.0f * (float)(1 + i / (SIDE * SIDE));
    preparation.mean_image = mean;
    zf_picture_prepare(&square, &preparation, grey, (struct zf_view){4, 6, true}, input);
    assert_float_equal(input[19], (124 - 18.15f) * 0.5f, 1e-4);
    zf_picture_release(&square);
}

/* Two channels have no colours: the larger of both shows, with its sign. */
static void signals_of_other_numbers_of_channels_are_shown_by_their_largest_values(void **state)
{
    static const float values[2 * 3] = {0, 1, -2, 0, 2, 1}, one[3] = {0, 1, -1};
    struct zf_picture picture;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_picture_from_signal(values, (struct zf_shape){2, 1, 3},
                                            (struct zf_box){0, 0, 3, 1}, 0.0f, ZF_CHANNELS_RGB,
                                            &picture, &err),
                     ZF_OK);
    for (int c = 0; c < 3; c++) {
        assert_int_equal(picture.pixels[c], 128);
        assert_int_equal(picture.pixels[3 + c], 255);
        assert_int_equal(picture.pixels[6 + c], 0);
    }
    zf_picture_release(&picture);
    assert_int_equal(zf_picture_from_signal(one, (struct zf_shape){1, 1, 3},
                                            (struct zf_box){1, 0, 2, 1}, 0.0f, ZF_CHANNELS_BGR,
                                            &picture, &err),
                     ZF_OK);
    assert_int_equal(picture.pixels[1], 255);
    assert_int_equal(picture.pixels[4], 0);
    zf_picture_release(&picture);
}

/* Value v of input i, counted with the channels first. */
static float value_of(int64_t i, int64_t v)
{
    return (float)(1000 * i + v);
}

/* Save a file of `count` inputs of 2 x 3 x 4 with the channels first or last, and load it. */
static void expect_read(const char *path, const struct zf_net *net, struct zf_tensor shape,
                        int64_t count, bool channels_last)
{
    float values[2 * 24];
    struct zf_tensor loaded = {0};
    struct zf_error err = {0};

    for (int64_t k = 0; k < count * 24; k++) {
        const int64_t at = k % 24, channel = at % 2, cell = at / 2;

        values[k] = value_of(k / 24, channels_last ? channel * 12 + cell : at);
    }
    shape.data = values;
    assert_int_equal(zf_tensor_save_npy(&shape, path, NULL), ZF_OK);
    assert_int_equal(zf_input_load(path, net, &loaded, NULL, &err), ZF_OK);
    assert_int_equal(loaded.n, count);
    assert_int_equal(loaded.c, 2);
    assert_int_equal(loaded.h, 3);
    assert_int_equal(loaded.w, 4);
    for (int64_t k = 0; k < count * 24; k++)
        assert_float_equal(loaded.data[k], value_of(k / 24, k % 24), 0);
    zf_tensor_release(&loaded);
}

static void inputs_are_read_with_their_channels_first_or_last(void **state)
{
    static const char spec[] = "[net]\nname = two\ninput = 2x3x4\nclasses = 2\n"
                               "[fc1]\ntype = fc\nmaps = classes\n";
    char directory[] = "/tmp/zf-channels-XXXXXX", path[64];
    struct zf_net *net = NULL;
    struct zf_tensor loaded = {0}, other = {.n = 4, .c = 3, .h = 2, .w = 1};
    struct zf_error err = {0};
    float values[24] = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.npy", directory);
    assert_int_equal(zf_net_parse_spec(spec, "two", 0, &net, &err), ZF_OK);
    expect_read(path, net, (struct zf_tensor){.n = 2, .c = 2, .h = 3, .w = 4}, 2, false);
    expect_read(path, net, (struct zf_tensor){.n = 2, .c = 3, .h = 4, .w = 1}, 1, false);
    expect_read(path, net, (struct zf_tensor){.n = 2, .c = 3, .h = 4, .w = 2}, 2, true);
    expect_read(path, net, (struct zf_tensor){.n = 3, .c = 4, .h = 2, .w = 1}, 1, true);
    other.data = values;
    assert_int_equal(zf_tensor_save_npy(&other, path, NULL), ZF_OK);
    assert_int_equal(zf_input_load(path, net, &loaded, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "4 x 3 x 2 x 1"));
    zf_net_free(&net);
    unlink(path);
    assert_int_equal(rmdir(directory), 0);
}

/* 40 x 30 levels as [H,W,3], as [N,3,H,W] and as a picture file: the same input, to the bit. */
static void levels_are_prepared_as_a_picture_with_these_pixels(void **state)
{
    static const char spec[] = "[net]\nname = two\ninput = 3x16x16\nclasses = 2\n"
                               "[fc1]\ntype = fc\nmaps = classes\n";
    static const char *const headers[] = {"(30, 40, 3)", "(1, 3, 30, 40)"};
    const struct zf_preparation preparation = {.resize = ZF_RESIZE_SHORT,
                                               .size = 20,
                                               .channels = ZF_CHANNELS_BGR,
                                               .mean = {100, 90, 80},
                                               .scale = {0.5f, 0.25f, 2}};
    char directory[] = "/tmp/zf-levels-XXXXXX", picture_path[64], path[64];
    struct zf_picture picture = paint_scene(40, 30), *shown = NULL;
    struct zf_tensor right = {0}, loaded = {0};
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/a.npy", directory);
    snprintf(picture_path, sizeof picture_path, "%s/a.png", directory);
    assert_int_equal(zf_net_parse_spec(spec, "two", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_net_set_preparation(net, &preparation, &err), ZF_OK);
    assert_int_equal(zf_picture_save_png(&picture, picture_path, &err), ZF_OK);
    assert_int_equal(zf_input_load(picture_path, net, &right, NULL, &err), ZF_OK);
    for (int first = 0; first < 2; first++) {
        FILE *file = fopen(path, "wb");

        assert_non_null(file);
        fwrite("\x93NUMPY\1\0", 1, 8, file);
        fwrite("\x50\0", 1, 2, file);
        fprintf(file, "%-80s", "");
        fseek(file, 10, SEEK_SET);
        fprintf(file, "{'descr': '|u1', 'fortran_order': False, 'shape': %s}", headers[first]);
        fseek(file, 90, SEEK_SET);
        for (int i = 0; i < 3600; i++)
            fputc(picture.pixels[first ? i % 1200 * 3 + i / 1200 : i], file);
        assert_int_equal(fclose(file), 0);
        if (zf_input_load(path, net, &loaded, &shown, &err) != ZF_OK)
            fail_msg("%s", err.message);
        assert_int_equal(zf_tensor_count(&loaded), zf_tensor_count(&right));
        assert_memory_equal(loaded.data, right.data, 3 * 16 * 16 * sizeof(float));
        assert_int_equal(shown->width, 16);
        zf_pictures_free(&shown, 1);
        zf_tensor_release(&loaded);
    }
    unlink(path);
    unlink(picture_path);
    assert_int_equal(rmdir(directory), 0);
    zf_tensor_release(&right);
    zf_picture_release(&picture);
    zf_net_free(&net);
}

static void a_picture_cannot_give_two_channels(void **state)
{
    static const char spec[] = "[net]\nname = two\ninput = 2x8x8\nclasses = 2\n"
                               "[fc1]\ntype = fc\nmaps = classes\n";
    struct zf_net *net = NULL;
    struct zf_tensor input = {0};
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_net_parse_spec(spec, "two", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_input_load("any.png", net, &input, NULL, &err), ZF_EINPUT);
    assert_string_equal(err.message,
                        "two takes 2 channels, pictures have 1 or 3: give its inputs as "
                        ".npy files");
    assert_null(input.data);
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_of_one_channel_sees_the_grey_of_a_picture),
        cmocka_unit_test(signals_of_other_numbers_of_channels_are_shown_by_their_largest_values),
        cmocka_unit_test(inputs_are_read_with_their_channels_first_or_last),
        cmocka_unit_test(levels_are_prepared_as_a_picture_with_these_pixels),
        cmocka_unit_test(a_picture_cannot_give_two_channels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
