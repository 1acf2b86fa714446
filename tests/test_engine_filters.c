/* SPDX-License-Identifier: MIT */
/*
 * The reference engine's convolutions and fully connected layers against small cases worked out by
 * hand, the definition, the adjoint identity and finite differences: what the other engines are
 * held against must be right.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "held.h"

#define BACKWARD ZF_PROGRAM_BACKWARD

/* ---- Convolution ---- */

static const struct zf_window square2 = {2, 2, 1, 1, 0, 0, 0, 0, 1, 0, 0};

static void a_2x2_convolution_by_hand(void **state)
{
    static const float src[] = {1, 2, 3, 4, 5, 6, 7, 8, 9}, weight[] = {1, 2, 3, 4};
    static const float ten[] = {10}, minus_fifty[] = {-50};
    static const double expected[] = {47, 57, 77, 87}, rectified[] = {0, 0, 17, 27};
    struct rig rig;
    zf_value x, w, y, z;

    (void)state;
    reference_rig(&rig, 0, 1);
    x = given(&rig, dims4(1, 1, 3, 3), src);
    w = held(&rig, dims4(1, 1, 2, 2), weight);
    y = rig.ops->conv_forward(rig.e, &square2, x, w, held(&rig, vector(1), ten), false);
    z = rig.ops->conv_forward(rig.e, &square2, x, w, held(&rig, vector(1), minus_fifty), true);
    rig_finish(&rig);
    rig_forward(&rig);
    expect_numbers(&rig, y, expected, 0.0);
    expect_numbers(&rig, z, rectified, 0.0);
    rig_release(&rig);
}

struct conv {
    struct zf_window window;
    struct zf_dims src, weight, dst;
};

/* Small and odd: groups, unequal pads, strides beyond the kernel, dilation, maps of one cell. */
static struct conv any_conv(struct rig *rig)
{
    struct conv conv;

    do {
        struct zf_window w = {.groups = rig_between(rig, 1, 3)};

        w.kernel_h = rig_between(rig, 1, 4);
        w.kernel_w = rig_between(rig, 1, 4);
        w.stride_h = rig_between(rig, 1, 5);
        w.stride_w = rig_between(rig, 1, 5);
        w.pad_top = rig_between(rig, 0, 3);
        w.pad_left = rig_between(rig, 0, 3);
        w.pad_bottom = rig_between(rig, 0, 3);
        w.pad_right = rig_between(rig, 0, 3);
        w.dilate_h = rig_between(rig, 0, 2);
        w.dilate_w = rig_between(rig, 0, 2);
        conv.window = w;
        conv.weight = dims4(w.groups * rig_between(rig, 1, 3), rig_between(rig, 1, 3), w.kernel_h,
                            w.kernel_w);
        conv.src = dims4(rig->batch, w.groups * conv.weight.d[1], rig_between(rig, 1, 8),
                         rig_between(rig, 1, 8));
        conv.dst = zf_window_dims(&w, conv.src, conv.weight.d[0]);
    } while (conv.dst.d[2] < 1 || conv.dst.d[3] < 1);
    return conv;
}

static int64_t at(struct zf_dims dims, int64_t n, int64_t c, int64_t y, int64_t x)
{
    return ((n * dims.d[1] + c) * dims.d[2] + y) * dims.d[3] + x;
}

/* Straight from the definition, one output number at a time. */
static double convolved(const struct conv *conv, const float *src, const float *weight,
                        const int64_t cell[4])
{
    const struct zf_window *w = &conv->window;
    const int64_t group = cell[1] / (conv->weight.d[0] / w->groups);
    double sum = 0.0;

    for (int64_t i = 0; i < conv->weight.d[1]; i++) {
        for (int64_t ky = 0; ky < w->kernel_h; ky++) {
            for (int64_t kx = 0; kx < w->kernel_w; kx++) {
                const int64_t y = cell[2] * w->stride_h + ky * (w->dilate_h + 1) - w->pad_top;
                const int64_t x = cell[3] * w->stride_w + kx * (w->dilate_w + 1) - w->pad_left;

                if (y < 0 || x < 0 || y >= conv->src.d[2] || x >= conv->src.d[3])
                    continue;
                sum += (double)src[at(conv->src, cell[0], group * conv->weight.d[1] + i, y, x)] *
                       (double)weight[at(conv->weight, cell[1], i, ky, kx)];
            }
        }
    }
    return sum;
}

static void convolution_is_its_definition(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct rig rig;
        struct conv conv;
        zf_value x, y;
        float *weight, *bias, *got;

        reference_rig(&rig, seed, 1 + (int64_t)seed % 3);
        conv = any_conv(&rig);
        weight = rig_array(&rig, dims_count(conv.weight), NORMAL, 1.0);
        bias = rig_array(&rig, conv.weight.d[0], NORMAL, 1.0);
        x = rig_input(&rig, conv.src, NORMAL, 1.0);
        y = rig.ops->conv_forward(rig.e, &conv.window, x, rig.ops->host(rig.e, conv.weight, weight),
                                  rig.ops->host(rig.e, vector(conv.weight.d[0]), bias), false);
        rig_finish(&rig);
        rig_forward(&rig);
        got = read_all(&rig, y);
        for (int64_t i = 0; i < dims_count(conv.dst); i++) {
            const int64_t w = conv.dst.d[3], h = conv.dst.d[2], c = conv.dst.d[1];
            const int64_t cell[4] = {i / (w * h * c), i / (w * h) % c, i / w % h, i % w};
            const double expected =
                convolved(&conv, rig.inputs[0].plain, weight, cell) + (double)bias[cell[1]];

            expect_near(&got[i], &expected, 1, 1e-7 * fabs(expected) + 1e-14);
        }
        rig_release(&rig);
    }
}

static void convolution_and_its_transpose_are_adjoint(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct rig rig;
        struct conv conv;
        zf_value x, d, w, y, back;
        double forward, backward;

        reference_rig(&rig, seed, 2);
        conv = any_conv(&rig);
        x = rig_input(&rig, conv.src, NORMAL, 1.0);
        d = rig_input(&rig, conv.dst, NORMAL, 1.0);
        w = rig_host(&rig, conv.weight, NORMAL, 1.0);
        y = rig.ops->conv_forward(rig.e, &conv.window, x, w, ZF_NO_VALUE, false);
        back = rig.ops->conv_backward_data(rig.e, &conv.window, d, w, conv.src);
        rig_finish(&rig);
        rig_forward(&rig);
        forward = dot(read_all(&rig, y), rig.inputs[1].plain, dims_count(conv.dst));
        backward = dot(rig.inputs[0].plain, read_all(&rig, back), dims_count(conv.src));
        assert_true(fabs(forward - backward) <= 1e-5 * (1.0 + fabs(forward)));
        rig_release(&rig);
    }
}

/* ---- Gradients ---- */

static void gradients_of_a_convolution_are_finite_differences(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct rig rig;
        struct conv conv;
        zf_value x, d, w, b, y, back;
        float *weight, *bias, *diff_weight, *diff_bias, *diff;
        int64_t weights, maps;

        reference_rig(&rig, seed, 2);
        conv = any_conv(&rig);
        weights = dims_count(conv.weight);
        maps = conv.weight.d[0];
        weight = rig_array(&rig, weights, NORMAL, 1.0);
        bias = rig_array(&rig, maps, NORMAL, 1.0);
        diff_weight = rig_array(&rig, weights, NORMAL, 1.0);
        diff_bias = rig_array(&rig, maps, NORMAL, 1.0);
        x = rig_input(&rig, conv.src, NORMAL, 1.0);
        d = rig_input(&rig, conv.dst, NORMAL, 1.0);
        diff = rig.inputs[1].plain;
        w = rig.ops->host(rig.e, conv.weight, weight);
        b = rig.ops->host(rig.e, vector(maps), bias);
        y = rig.ops->conv_forward(rig.e, &conv.window, x, w, b, false);
        rig.ops->begin(rig.e, BACKWARD);
        rig.ops->conv_backward_weights(rig.e, &conv.window, x, d,
                                       rig.ops->host(rig.e, conv.weight, diff_weight),
                                       rig.ops->host(rig.e, vector(maps), diff_bias));
        back = rig.ops->conv_backward_data(rig.e, &conv.window, d, w, conv.src);
        rig_finish(&rig);
        rig_forward(&rig);
        rig_run(&rig, BACKWARD);
        expect_gradient(&rig, y, diff, weight, diff_weight, weights);
        expect_gradient(&rig, y, diff, bias, diff_bias, maps);
        expect_gradient(&rig, y, diff, rig.inputs[0].plain, read_all(&rig, back),
                        dims_count(conv.src));
        rig_release(&rig);
    }
}

static void a_fully_connected_layer_by_hand(void **state)
{
    static const float src[] = {1, 2, 3, 4, 5, 6, 7, 8}, weight[] = {1, 0, 0, 1, -1, -1, -1, -1};
    static const float bias[] = {0.5f, 11};
    static const double expected[] = {5.5, 1, 13.5, 0};
    static const double back[] = {1, 0, 0, 1, -1, -1, -1, -1};
    static const float diff[] = {1, 0, 0, 1};
    struct rig rig;
    zf_value x, d, w, y, z;

    (void)state;
    reference_rig(&rig, 0, 2);
    x = given(&rig, dims4(2, 1, 2, 2), src);
    d = given(&rig, dims4(2, 2, 1, 1), diff);
    w = held(&rig, matrix(2, 4), weight);
    y = rig.ops->fc_forward(rig.e, x, w, held(&rig, vector(2), bias), true);
    z = rig.ops->fc_backward_data(rig.e, d, w, dims4(2, 1, 2, 2));
    rig_finish(&rig);
    rig_forward(&rig);
    assert_int_equal(rig.ops->dims(rig.e, y).rank, 4);
    expect_numbers(&rig, y, expected, 0.0);
    expect_numbers(&rig, z, back, 0.0);
    rig_release(&rig);
}

static void gradients_of_a_fully_connected_layer_are_finite_differences(void **state)
{
    const int64_t units = 3, inputs = 2 * 3 * 2;
    struct rig rig;
    zf_value x, d, w, y, back;
    float *weight, *bias, *diff_weight, *diff_bias, *diff;

    (void)state;
    reference_rig(&rig, 1, 4);
    weight = rig_array(&rig, units * inputs, NORMAL, 1.0);
    bias = rig_array(&rig, units, NORMAL, 1.0);
    diff_weight = rig_array(&rig, units * inputs, NORMAL, 1.0);
    diff_bias = rig_array(&rig, units, NORMAL, 1.0);
    x = rig_input(&rig, dims4(4, 2, 3, 2), NORMAL, 1.0);
    d = rig_input(&rig, dims4(4, units, 1, 1), NORMAL, 1.0);
    diff = rig.inputs[1].plain;
    w = rig.ops->host(rig.e, matrix(units, inputs), weight);
    y = rig.ops->fc_forward(rig.e, x, w, rig.ops->host(rig.e, vector(units), bias), false);
    rig.ops->begin(rig.e, BACKWARD);
    rig.ops->fc_backward_weights(rig.e, x, d,
                                 rig.ops->host(rig.e, matrix(units, inputs), diff_weight),
                                 rig.ops->host(rig.e, vector(units), diff_bias));
    back = rig.ops->fc_backward_data(rig.e, d, w, rig.ops->dims(rig.e, x));
    rig_finish(&rig);
    rig_forward(&rig);
    rig_run(&rig, BACKWARD);
    expect_gradient(&rig, y, diff, weight, diff_weight, units * inputs);
    expect_gradient(&rig, y, diff, bias, diff_bias, units);
    expect_gradient(&rig, y, diff, rig.inputs[0].plain, read_all(&rig, back), 4 * inputs);
    rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_2x2_convolution_by_hand),
        cmocka_unit_test(convolution_is_its_definition),
        cmocka_unit_test(convolution_and_its_transpose_are_adjoint),
        cmocka_unit_test(gradients_of_a_convolution_are_finite_differences),
        cmocka_unit_test(a_fully_connected_layer_by_hand),
        cmocka_unit_test(gradients_of_a_fully_connected_layer_are_finite_differences),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
