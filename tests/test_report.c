/* SPDX-License-Identifier: MIT */
/* Pictures of signals and filters, and text from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "look_world.h"
#include "image/signal.h"
#include "page/text.h"

/* ---- Pictures. ---- */

static void a_signal_of_zero_is_mid_grey_and_its_limit_the_ends(void **state)
{
    struct world *w = *state;
    float src[3 * 2 * 3] = {0, 4, -4, 0, 0, 100, 0, 2, NAN, 0, 0, 0, 8, -8, 1, 0, 0, 0};
    const struct zf_shape shape = {3, 2, 3};
    struct zf_picture picture = {0};
    static const uint8_t expected[9] = {128, 128, 255, 255, 191, 0, 0, 128, 159};

    must(w, zf_picture_from_signal(src, shape, (struct zf_box){0, 0, 3, 1}, 4.0f, ZF_CHANNELS_RGB,
                                   &picture, &w->err));
    assert_int_equal(picture.width, 3);
    assert_int_equal(picture.height, 1);
    assert_memory_equal(picture.pixels, expected, sizeof expected);
    zf_picture_release(&picture);

    /* Without a limit: the largest magnitude of the box, 8; BGR turns the planes round. */
    must(w, zf_picture_from_signal(src, shape, (struct zf_box){1, 0, 2, 1}, 0.0f, ZF_CHANNELS_BGR,
                                   &picture, &w->err));
    assert_int_equal(picture.pixels[0], 0);
    assert_int_equal(picture.pixels[2], 191);
    zf_picture_release(&picture);

    memset(src, 0, sizeof src);
    must(w, zf_picture_from_signal(src, shape, (struct zf_box){0, 0, 3, 2}, 0.0f, ZF_CHANNELS_RGB,
                                   &picture, &w->err));
    for (size_t i = 0; i < 18; i++)
        assert_int_equal(picture.pixels[i], 128);
    zf_picture_release(&picture);
}

static void signals_of_any_scale_are_drawn_alike(void **state)
{
    static const float scales[] = {1e-45f, 2e-41f, 1e-36f, 1.0f, 1e38f};
    const struct zf_shape shape = {3, 1, 2};
    const struct zf_box box = {0, 0, 2, 1};
    static const uint8_t expected[6] = {255, 128, 0, 0, 128, 255};
    struct world *w = *state;

    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        const float s = scales[i], src[6] = {s, -s, 0, 0, -s, s};
        const float limit = zf_signal_limit(src, shape, box, 0.0);
        struct zf_picture picture = {0};

        assert_true(limit == s);
        must(w, zf_picture_from_signal(src, shape, box, limit, ZF_CHANNELS_RGB, &picture, &w->err));
        assert_memory_equal(picture.pixels, expected, sizeof expected);
        zf_picture_release(&picture);
    }
}

static void a_box_outside_of_a_signal_is_refused(void **state)
{
    struct world *w = *state;
    static const struct zf_box boxes[] = {
        {-1, 0, 2, 2}, {0, 0, 4, 2}, {2, 1, 2, 1}, {0, 0, 0, 1}, {0, 2, 1, 1}};
    const float src[18] = {0};
    struct zf_picture picture = {0};

    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        assert_int_equal(zf_picture_from_signal(src, (struct zf_shape){3, 2, 3}, boxes[i], 1.0f,
                                                ZF_CHANNELS_RGB, &picture, &w->err),
                         ZF_EINVAL);
        assert_null(picture.pixels);
    }
}

static void filters_are_tiles_in_a_grid_each_at_its_own_contrast(void **state)
{
    struct world *w = *state;
    struct zf_picture picture = {0};
    struct zf_parameter weight = zf_net_parameter(w->net, 0);
    const int64_t filter = 3 * 5 * 5;

    must(w, zf_filters_picture(w->net, 0, 10, &picture, &w->err));
    assert_int_equal(picture.width, 4 * 12 + 2); /* 6 filters: 4 and 2 */
    assert_int_equal(picture.height, 2 * 12 + 2);
    for (int64_t i = 0; i < 6; i++) {
        const float *data = weight.data + i * filter;
        float limit = 0.0f;

        for (int64_t j = 0; j < filter; j++)
            limit = fmaxf(limit, fabsf(data[j]));
        for (int64_t y = 0; y < 10; y++) {
            for (int64_t x = 0; x < 10; x++) {
                int64_t at = (2 + i / 4 * 12 + y) * picture.width + 2 + i % 4 * 12 + x;
                float red = data[y / 2 * 5 + x / 2] / limit;

                assert_int_equal(picture.pixels[3 * at], lroundf(127.5f + 127.5f * red));
            }
        }
    }
    zf_picture_release(&picture);

    assert_int_equal(zf_filters_picture(w->net, layer_index(w, "conv2"), 10, &picture, &w->err),
                     ZF_EINVAL);
    assert_non_null(strstr(w->err.message, "conv2"));
    assert_int_equal(zf_filters_picture(w->net, layer_index(w, "relu1"), 10, &picture, &w->err),
                     ZF_EINVAL);
    assert_int_equal(zf_filters_picture(w->net, 0, 0, &picture, &w->err), ZF_EINVAL);
}

static void text_from_outside_becomes_utf8(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb6",
         "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb6"},
        {"latin \xe9!", "latin \xef\xbf\xbd!"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* too long a form of '/' */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* half of a pair */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = zf_text_utf8(cases[i][0]);

        assert_string_equal(text, cases[i][1]);
        zf_free(text);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_signal_of_zero_is_mid_grey_and_its_limit_the_ends),
        TEST(signals_of_any_scale_are_drawn_alike),
        TEST(a_box_outside_of_a_signal_is_refused),
        TEST(filters_are_tiles_in_a_grid_each_at_its_own_contrast),
        cmocka_unit_test(text_from_outside_becomes_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
