/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader_record.h"

/* Every way to look at a sample, on a picture that is no square. */
static void a_warp_that_is_no_square_reaches_the_loader(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const struct zf_preparation how = {
        .resize = ZF_RESIZE_WARP, .size = CROP + 1, .width = 2 * SIZE, .scale = {1, 1, 1}};
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 2)), *packed;
    struct zf_loader_options options = {.batch = 10, .threads = 2};
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};
    struct zf_tensor alone = {0};
    struct record r;

    assert_int_equal(zf_net_set_preparation(net, &how, &err), ZF_OK);
    r = record_run(data, net, &options, 1);
    for (int64_t i = 0; i < zf_data_count(data); i++) {
        assert_int_equal(zf_input_load(zf_data_path(data, i), net, &alone, NULL, &err), ZF_OK);
        assert_memory_equal(r.inputs + i * VALUES, alone.data, VALUES * sizeof(float));
        zf_tensor_release(&alone);
    }
    record_release(&r);
    options.views = ZF_VIEWS_RANDOM;
    options.min_scale = 0.5;
    r = record_run(data, net, &options, 2);
    record_release(&r);
    options.min_scale = 0;
    r = record_run(data, net, &options, 2);
    record_release(&r);

    assert_int_equal(
        zf_data_pack(data, ZF_RESIZE_WARP, SIZE, 1, fixture_path(state, "packed"), NULL, &err),
        ZF_OK);
    packed = fixture_open(fixture_path(state, "packed"));
    assert_int_equal(zf_loader_create(packed, net, &options, &loader, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "holds squares"));
    assert_null(loader);
    zf_data_free(&packed);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void ten_views_of_a_sample_follow_each_other(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1));
    const struct zf_loader_options options = {.batch = 20, .views = ZF_VIEWS_TEN, .threads = 2};
    struct zf_loader_options wrong = options;
    struct record r = record_run(data, net, &options, 1);
    struct zf_loader *loader = NULL;
    struct zf_picture square;
    struct zf_error err = {0};
    float expected[VALUES];

    assert_int_equal(r.batches, 2);
    assert_int_equal(r.counts[0], 20);
    assert_int_equal(r.counts[1], 10);
    assert_int_equal(zf_data_square(data, 1, ZF_RESIZE_SHORT, SIZE, &square, &err), ZF_OK);
    for (int v = 0; v < 10; v++) {
        assert_int_equal(r.samples[10 + v], 1);
        zf_picture_prepare(&square, zf_net_preparation(net), zf_net_input(net),
                           zf_view_ten(zf_net_preparation(net), zf_net_input(net), v), expected);
        assert_memory_equal(r.inputs + (10 + v) * VALUES, expected, sizeof expected);
    }
    wrong.batch = 16;
    assert_int_equal(zf_loader_create(data, net, &wrong, &loader, &err), ZF_EINVAL);
    zf_picture_release(&square);
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void plain_random_views_are_crops_with_and_without_mirror(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1));
    struct zf_loader_options options = training;
    struct zf_picture square;
    struct zf_error err = {0};
    struct record r;
    int found[SIZE - CROP + 1][2] = {{0}};

    options.min_scale = 1;
    options.batch = 1;
    options.samples = (const int64_t[]){2};
    options.sample_count = 1;
    r = record_run(data, net, &options, 60);
    assert_int_equal(zf_data_square(data, 2, ZF_RESIZE_SHORT, SIZE, &square, &err), ZF_OK);
    for (int64_t b = 0; b < 60; b++) {
        int matches = 0;
        for (int place = 0; place < 2 * (SIZE - CROP + 1) * (SIZE - CROP + 1); place++) {
            const struct zf_view view = {.y = place / 2 / (SIZE - CROP + 1),
                                         .x = place / 2 % (SIZE - CROP + 1),
                                         .mirror = place % 2};
            float expected[VALUES];
            zf_picture_prepare(&square, zf_net_preparation(net), zf_net_input(net), view, expected);
            if (memcmp(expected, r.inputs + b * VALUES, sizeof expected) == 0) {
                matches++;
                found[view.x][view.mirror]++;
            }
        }
        assert_int_equal(matches, 1);
    }
    for (int x = 0; x <= SIZE - CROP; x++)
        assert_true(found[x][0] + found[x][1] > 0);
    assert_true(found[0][1] + found[SIZE - CROP][1] > 0 && found[0][0] + found[SIZE - CROP][0] > 0);
    zf_picture_release(&square);
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_warp_that_is_no_square_reaches_the_loader),
        TEST(ten_views_of_a_sample_follow_each_other),
        TEST(plain_random_views_are_crops_with_and_without_mirror),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
