/* SPDX-License-Identifier: MIT */
/*
 * The reference engine's other operations (pooling and switches, normalisation, softmax and loss,
 * rectifiers, dropout) against small cases worked out by hand and finite differences.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/status.h"
#include "engine_fixture.h"

#define BACKWARD ZF_PROGRAM_BACKWARD

/* ---- Pooling ---- */

/* Pools `src` [1,1,h,w], sends `signal` back, and compares both. */
static void expect_pooling(struct zf_dims src_dims, const float *src,
                           const struct zf_window *window, const double *pooled,
                           const float *signal, const double *unpooled)
{
    struct rig rig;
    zf_value x, y, s, back, switches;

    reference_rig(&rig, 0, src_dims.d[0]);
    x = given(&rig, src_dims, src);
    y = rig.ops->maxpool_forward(rig.e, window, x, &switches);
    s = given(&rig, rig.ops->dims(rig.e, y), signal);
    rig.ops->begin(rig.e, ZF_PROGRAM_PROJECT);
    back = rig.ops->unpool(rig.e, window, s, switches, src_dims);
    rig_finish(&rig);
    rig_forward(&rig);
    rig_run(&rig, ZF_PROGRAM_PROJECT);
    expect_numbers(&rig, y, pooled, 0.0);
    expect_numbers(&rig, back, unpooled, 0.0);
    rig_release(&rig);
}

static void unpooling_puts_each_value_at_its_switch(void **state)
{
    static const struct zf_window window = {2, 2, 2, 2, 0, 0, 0, 0, 1, 0, 0};
    static const float src[] = {1, 5, 2, 2, 3, 4, 9, 1}, signal[] = {7, -8};
    static const double pooled[] = {5, 9}, unpooled[] = {0, 7, 0, 0, 0, 0, -8, 0};

    (void)state;
    expect_pooling(dims4(1, 1, 2, 4), src, &window, pooled, signal, unpooled);
}

static void windows_that_share_a_maximum_add_up(void **state)
{
    static const struct zf_window window = {1, 3, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    static const float src[] = {0, 1, 9, 2, 3}, signal[] = {1, 10, 100};
    static const double pooled[] = {9, 9, 9}, unpooled[] = {0, 0, 111, 0, 0};

    (void)state;
    expect_pooling(dims4(1, 1, 1, 5), src, &window, pooled, signal, unpooled);
}

static void a_tie_goes_to_the_first_in_row_major_order(void **state)
{
    static const struct zf_window window = {3, 3, 1, 1, 0, 0, 0, 0, 1, 0, 0};
    static const float src[] = {1, 2, 4, 4, 0, 4, 4, 4, 4}, signal[] = {6};
    static const double pooled[] = {4}, unpooled[] = {0, 0, 6, 0, 0, 0, 0, 0, 0};

    (void)state;
    expect_pooling(dims4(1, 1, 3, 3), src, &window, pooled, signal, unpooled);
}

static void pads_never_win_a_maximum(void **state)
{
    static const struct zf_window window = {2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0};
    static const float src[] = {-1, -2, -3, -4, -5, -6}, signal[] = {1, 2, 3, 4};
    static const double pooled[] = {-1, -2, -4, -5}, unpooled[] = {1, 2, 0, 3, 4, 0};

    (void)state;
    expect_pooling(dims4(1, 1, 2, 3), src, &window, pooled, signal, unpooled);
}

static void a_window_of_nans_has_a_switch_inside_the_map(void **state)
{
    static const struct zf_window window = {2, 2, 2, 2, 1, 1, 1, 1, 1, 0, 0};
    static const float src[] = {NAN, NAN, NAN, NAN}, signal[] = {1, 2, 3, 4};
    static const double unpooled[] = {1, 2, 3, 4};
    struct rig rig;
    zf_value x, y, s, back, switches;
    float *pooled;

    (void)state;
    reference_rig(&rig, 0, 1);
    x = given(&rig, dims4(1, 1, 2, 2), src);
    y = rig.ops->maxpool_forward(rig.e, &window, x, &switches);
    s = given(&rig, dims4(1, 1, 2, 2), signal);
    back = rig.ops->unpool(rig.e, &window, s, switches, dims4(1, 1, 2, 2));
    rig_finish(&rig);
    rig_forward(&rig);
    pooled = read_all(&rig, y);
    for (int i = 0; i < 4; i++)
        assert_true(isnan(pooled[i]));
    expect_numbers(&rig, back, unpooled, 0.0);
    rig_release(&rig);
}

static void pooling_what_was_unpooled_gives_it_back(void **state)
{
    static const struct zf_window window = {3, 2, 3, 2, 0, 0, 0, 0, 1, 0, 0};
    struct rig rig;
    zf_value x, m, back, again, switches;
    float *expected, *got;

    (void)state;
    reference_rig(&rig, 3, 2);
    x = rig_input(&rig, dims4(2, 5, 9, 8), RECTIFIED, 1.0);
    m = rig_input(&rig, dims4(2, 5, 3, 4), RECTIFIED, 1.0);
    rig.ops->maxpool_forward(rig.e, &window, x, &switches);
    back = rig.ops->unpool(rig.e, &window, m, switches, dims4(2, 5, 9, 8));
    again = rig.ops->maxpool_forward(rig.e, &window, back, NULL);
    rig_finish(&rig);
    rig_forward(&rig);
    expected = read_all(&rig, m);
    got = read_all(&rig, again);
    for (int i = 0; i < 2 * 5 * 3 * 4; i++)
        assert_true(expected[i] == got[i]);
    rig_release(&rig);
}

/* ---- Across maps ---- */

static void expect_lrn(int64_t size, const double *expected)
{
    static const float src[] = {1, 2, 3};
    const struct zf_lrn lrn = {.size = size, .alpha = (float)size, .beta = 1.0f, .k = 1.0f};
    struct rig rig;
    zf_value y;

    reference_rig(&rig, 0, 1);
    y = rig.ops->lrn_forward(rig.e, &lrn, given(&rig, dims4(1, 3, 1, 1), src), NULL);
    rig_finish(&rig);
    rig_forward(&rig);
    expect_numbers(&rig, y, expected, 1e-7);
    rig_release(&rig);
}

static void response_normalisation_by_hand(void **state)
{
    /* Sums of squares 1+4, 1+4+9, 4+9; with an even size the window reaches further up. */
    static const double odd[] = {1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0};
    static const double even[] = {1.0 / 6.0, 2.0 / 14.0, 3.0 / 10.0};

    (void)state;
    expect_lrn(3, odd);
    expect_lrn(2, even);
}

static void the_gradient_of_response_normalisation_is_finite_differences(void **state)
{
    (void)state;
    for (int64_t size = 1; size <= 6; size++) {
        const struct zf_lrn lrn = {.size = size, .alpha = 0.7f, .beta = 0.75f, .k = 1.5f};
        const struct zf_dims dims = dims4(2, 5, 2, 1);
        struct rig rig;
        zf_value x, d, y, back, workspace;

        reference_rig(&rig, (uint64_t)size, 2);
        x = rig_input(&rig, dims, NORMAL, 1.0);
        d = rig_input(&rig, dims, NORMAL, 1.0);
        y = rig.ops->lrn_forward(rig.e, &lrn, x, &workspace);
        rig.ops->begin(rig.e, BACKWARD);
        back = rig.ops->lrn_backward(rig.e, &lrn, x, d, workspace);
        rig_finish(&rig);
        rig_forward(&rig);
        rig_run(&rig, BACKWARD);
        expect_gradient(&rig, y, rig.inputs[1].plain, rig.inputs[0].plain, read_all(&rig, back),
                        dims_count(dims));
        rig_release(&rig);
    }
}

static void softmax_by_hand_and_for_huge_logits(void **state)
{
    static const float src[] = {0.0f, 0.69314718f, 1.60943791f, 10000.0f, 10000.0f, -10000.0f};
    static const double expected[] = {0.125, 0.25, 0.625, 0.5, 0.5, 0.0};
    struct rig rig;
    zf_value y;

    (void)state;
    reference_rig(&rig, 0, 2);
    y = rig.ops->softmax_forward(rig.e, given(&rig, dims4(2, 3, 1, 1), src));
    rig_finish(&rig);
    rig_forward(&rig);
    expect_numbers(&rig, y, expected, 1e-7);
    rig_release(&rig);
}

static void the_gradient_of_softmax_is_finite_differences(void **state)
{
    const struct zf_dims dims = dims4(3, 4, 1, 1);
    struct rig rig;
    zf_value x, d, y, back;

    (void)state;
    reference_rig(&rig, 5, 3);
    x = rig_input(&rig, dims, NORMAL, 1.0);
    d = rig_input(&rig, dims, NORMAL, 1.0);
    y = rig.ops->softmax_forward(rig.e, x);
    rig.ops->begin(rig.e, BACKWARD);
    back = rig.ops->softmax_backward(rig.e, y, d);
    rig_finish(&rig);
    rig_forward(&rig);
    rig_run(&rig, BACKWARD);
    expect_gradient(&rig, y, rig.inputs[1].plain, rig.inputs[0].plain, read_all(&rig, back), 12);
    rig_release(&rig);
}

/* Mean over the labelled rows among the first `count`. */
static double cross_entropy(const float *logits, const int32_t *labels, int64_t count,
                            int64_t classes)
{
    double loss = 0.0;
    int labelled = 0;

    for (int64_t n = 0; n < count; n++) {
        double sum = 0.0;

        if (labels[n] < 0)
            continue;
        for (int64_t c = 0; c < classes; c++)
            sum += exp((double)logits[n * classes + c]);
        loss += log(sum) - (double)logits[n * classes + labels[n]];
        labelled++;
    }
    return loss / labelled;
}

static void the_gradient_of_the_loss_is_finite_differences(void **state)
{
    static const int32_t labels[] = {2, -1, 0, 1, 1};
    const int64_t classes = 3, filled = 4;
    const double step = 0x1p-10;
    double expected[5 * 3];
    struct rig rig;
    zf_value diff;
    float *logits;

    (void)state;
    reference_rig(&rig, 6, 5);
    diff = rig.ops->softmax_forward(rig.e, rig_input(&rig, dims4(5, classes, 1, 1), NORMAL, 1.0));
    rig.ops->begin(rig.e, BACKWARD);
    diff = rig.ops->cross_entropy_backward(rig.e, diff);
    rig_finish(&rig);
    rig.run.labels = labels;
    rig.run.count = filled;
    rig_forward(&rig);
    rig_run(&rig, BACKWARD);
    logits = rig.inputs[0].plain;
    for (int64_t i = 0; i < 5 * classes; i++) {
        const float middle = logits[i];
        double higher, lower;

        logits[i] = (float)((double)middle + step);
        higher = cross_entropy(logits, labels, filled, classes);
        logits[i] = (float)((double)middle - step);
        lower = cross_entropy(logits, labels, filled, classes);
        logits[i] = middle;
        expected[i] = (higher - lower) / (2.0 * step);
    }
    expect_numbers(&rig, diff, expected, 2e-5);
    for (int64_t i = 0; i < classes; i++) { /* no label; not filled */
        assert_true(read_all(&rig, diff)[1 * classes + i] == 0.0f);
        assert_true(read_all(&rig, diff)[4 * classes + i] == 0.0f);
    }
    rig_release(&rig);
}

static void a_batch_without_labels_has_no_gradient(void **state)
{
    static const int32_t labels[] = {-1, -1};
    static const double zeros[6] = {0.0};
    struct rig rig;
    zf_value diff;

    (void)state;
    reference_rig(&rig, 0, 2);
    diff = rig.ops->cross_entropy_backward(
        rig.e, rig.ops->softmax_forward(rig.e, rig_input(&rig, dims4(2, 3, 1, 1), NORMAL, 1.0)));
    rig_finish(&rig);
    rig.run.labels = labels;
    rig_forward(&rig);
    expect_numbers(&rig, diff, zeros, 0.0);
    rig_release(&rig);
}

/* ---- Number by number ---- */

static void the_three_rectifiers_differ_as_the_paper_says(void **state)
{
    static const float signal[] = {2, 2, -2, -2}, forward[] = {1, 0, 1, 0};
    static const double expected[3][4] = {{2, 2, 0, 0}, {2, 0, -2, 0}, {2, 0, 0, 0}};
    static const enum zf_rectify rules[] = {ZF_RECTIFY_SIGNAL, ZF_RECTIFY_MASK, ZF_RECTIFY_BOTH};

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct rig rig;
        zf_value dst, result;

        reference_rig(&rig, 0, 1);
        dst = i == 0 ? ZF_NO_VALUE : given(&rig, dims4(1, 4, 1, 1), forward);
        result = rig.ops->rectify(rig.e, rules[i], given(&rig, dims4(1, 4, 1, 1), signal), dst);
        rig_finish(&rig);
        rig_forward(&rig);
        expect_numbers(&rig, result, expected[i], 0.0);
        rig_release(&rig);
    }
}

static void relu_lets_nan_pass_and_add_adds(void **state)
{
    static const float a[] = {-1, 0, 3, NAN}, b[] = {1, 2, 3, 4};
    static const double rectified[] = {0, 0, 3}, sums[] = {0, 2, 6};
    struct rig rig;
    zf_value x, y, sum;

    (void)state;
    reference_rig(&rig, 0, 1);
    x = given(&rig, dims4(1, 4, 1, 1), a);
    y = rig.ops->relu_forward(rig.e, x);
    sum = rig.ops->add(rig.e, x, given(&rig, dims4(1, 4, 1, 1), b));
    rig_finish(&rig);
    rig_forward(&rig);
    expect_near(read_all(&rig, y), rectified, 3, 0.0);
    expect_near(read_all(&rig, sum), sums, 3, 0.0);
    assert_true(isnan(read_all(&rig, y)[3]));
    rig_release(&rig);
}

/* Four deviations of a binomial count: a true generator fails once in 16000 draws, and these are
   always the same draws. */
static void dropout_keeps_the_stated_share(void **state)
{
    static const float rates[] = {0.1f, 0.5f, 0.9f};
    const int64_t count = 100000;

    (void)state;
    for (size_t r = 0; r < ZF_COUNT(rates); r++) {
        const double keep = 1.0 - (double)rates[r];
        const double deviation = sqrt((double)count * keep * (1.0 - keep));
        int64_t kept = 0, kept_in_both = 0;

        for (uint64_t i = 0; i < (uint64_t)count; i++) {
            const bool here = zf_dropout_keeps(17, 3, i, rates[r]);

            kept += here;
            kept_in_both += here && zf_dropout_keeps(17, 4, i, rates[r]);
        }
        assert_true(fabs((double)kept - keep * (double)count) < 4.0 * deviation);
        /* Another layer has a mask of its own. */
        assert_true(fabs((double)kept_in_both - keep * (double)kept) < 4.0 * deviation);
    }
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(zf_dropout_keeps(17, 3, i, 0.0f));
}

static void dropout_is_the_same_on_the_way_back(void **state)
{
    const struct zf_dims dims = dims4(3, 50, 2, 2);
    const int64_t count = dims_count(dims);
    float *forward, *backward, *other, *source;
    int64_t zeros = 0, changed = 0;
    struct rig rig;
    zf_value y, back;

    (void)state;
    reference_rig(&rig, 2, 3);
    y = rig.ops->dropout(rig.e, rig_input(&rig, dims, DISTINCT, 1.0), 0.75f, 6);
    back = rig_input(&rig, dims, DISTINCT, 1.0);
    rig.ops->begin(rig.e, BACKWARD);
    back = rig.ops->dropout(rig.e, back, 0.75f, 6);
    rig_finish(&rig);
    source = rig.inputs[0].plain;
    rig.run.dropout_key = 99;
    rig_forward(&rig);
    rig_run(&rig, BACKWARD);
    forward = read_all(&rig, y);
    backward = read_all(&rig, back);
    for (int64_t i = 0; i < count; i++) {
        assert_true(forward[i] == backward[i]);
        assert_true(forward[i] == 0.0f || forward[i] == 4.0f * source[i]);
        zeros += forward[i] == 0.0f;
    }
    assert_in_range(zeros, 400, 500); /* of 600, at rate 0.75 */
    rig.run.dropout_key = 100;
    rig_forward(&rig);
    other = read_all(&rig, y);
    for (int64_t i = 0; i < count; i++)
        changed += forward[i] != other[i];
    assert_in_range(changed, 150, 300); /* about 2 * 0.25 * 0.75 of 600 */
    rig.run.dropout_key = 0;
    rig_forward(&rig);
    forward = read_all(&rig, y);
    for (int64_t i = 0; i < count; i++)
        assert_true(forward[i] == source[i]);
    rig_release(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpooling_puts_each_value_at_its_switch),
        cmocka_unit_test(windows_that_share_a_maximum_add_up),
        cmocka_unit_test(a_tie_goes_to_the_first_in_row_major_order),
        cmocka_unit_test(pads_never_win_a_maximum),
        cmocka_unit_test(a_window_of_nans_has_a_switch_inside_the_map),
        cmocka_unit_test(pooling_what_was_unpooled_gives_it_back),
        cmocka_unit_test(response_normalisation_by_hand),
        cmocka_unit_test(the_gradient_of_response_normalisation_is_finite_differences),
        cmocka_unit_test(softmax_by_hand_and_for_huge_logits),
        cmocka_unit_test(the_gradient_of_softmax_is_finite_differences),
        cmocka_unit_test(the_gradient_of_the_loss_is_finite_differences),
        cmocka_unit_test(a_batch_without_labels_has_no_gradient),
        cmocka_unit_test(the_three_rectifiers_differ_as_the_paper_says),
        cmocka_unit_test(relu_lets_nan_pass_and_add_adds),
        cmocka_unit_test(dropout_keeps_the_stated_share),
        cmocka_unit_test(dropout_is_the_same_on_the_way_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
