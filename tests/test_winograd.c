/* SPDX-License-Identifier: MIT */
/* Winograd's algorithm against the sum that defines a convolution, for every instruction set. */
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
#include "base/random.h"
#include "base/status.h"
#include "engine/winograd.h"

#define CASES 200
#define MOST_PRODUCTS 900000
#define BOUND 3e-6 /* relative, of all results together; a lone float rounds to within 6e-8 */

struct problem {
    struct zf_dims src, dst;
    struct zf_window window;
    bool down, relu, biased;
    float *plain_src, *weight, *bias;
    double *expected;
};

static int64_t between(struct zf_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)zf_random_below(random, (uint64_t)(high - low + 1));
}

static float *normal(struct zf_random *random, int64_t count)
{
    float *numbers = zf_alloc((size_t)count, sizeof *numbers);

    assert_non_null(numbers);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (float)zf_random_normal(random);
    return numbers;
}

static int64_t count_of(struct zf_dims dims)
{
    return dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
}

/* The tap of the filter from map c to map o. */
static double tap(const struct problem *p, int64_t o, int64_t c, int64_t i, int64_t j)
{
    const int64_t kernel = p->window.kernel_h, last = kernel * kernel - 1;

    if (p->down)
        return (double)p->weight[(c * p->dst.d[1] + o) * (last + 1) + last - i * kernel - j];
    return (double)p->weight[(o * p->src.d[1] + c) * (last + 1) + i * kernel + j];
}

static double expected_at(const struct problem *p, int64_t n, int64_t o, int64_t y, int64_t x)
{
    const struct zf_window *w = &p->window;
    const struct zf_dims src = p->src;
    double sum = p->biased ? (double)p->bias[o] : 0;

    for (int64_t c = 0; c < src.d[1]; c++)
        for (int64_t i = 0; i < w->kernel_h; i++)
            for (int64_t j = 0; j < w->kernel_w; j++) {
                const int64_t at_y = y * w->stride_h + i - w->pad_top;
                const int64_t at_x = x * w->stride_w + j - w->pad_left;
                const int64_t row = (n * src.d[1] + c) * src.d[2] + at_y;

                if (at_y >= 0 && at_y < src.d[2] && at_x >= 0 && at_x < src.d[3])
                    sum += tap(p, o, c, i, j) * (double)p->plain_src[row * src.d[3] + at_x];
            }
    return p->relu && sum < 0 ? 0 : sum;
}

/* With numbers, and what is expected. */
static void fill(struct problem *p, struct zf_random *random)
{
    int64_t k = 0;

    p->plain_src = normal(random, count_of(p->src));
    p->weight = normal(random, p->src.d[1] * p->dst.d[1] * p->window.kernel_h * p->window.kernel_w);
    p->bias = normal(random, p->dst.d[1]);
    p->expected = zf_alloc((size_t)count_of(p->dst), sizeof *p->expected);
    assert_non_null(p->expected);
    for (int64_t n = 0; n < p->dst.d[0]; n++)
        for (int64_t o = 0; o < p->dst.d[1]; o++)
            for (int64_t y = 0; y < p->dst.d[2]; y++)
                for (int64_t x = 0; x < p->dst.d[3]; x++)
                    p->expected[k++] = expected_at(p, n, o, y, x);
}

/* Maps of a few cells, of odd sides, pads on any side, and maps that fill no block. */
static struct problem problem_of(uint64_t seed)
{
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);
    const bool small = between(&random, 0, 3) == 0;
    struct problem p = {.relu = between(&random, 0, 1), .biased = between(&random, 0, 1)};

    const int64_t kernel = between(&random, 0, 2) ? 3 : between(&random, 4, 6);
    const int64_t stride = kernel == 3 ? 1 : 2;

    p.down = stride == 1 && between(&random, 0, 1);
    do {
        p.src = (struct zf_dims){4,
                                 {between(&random, 1, 6), between(&random, 1, 40),
                                  between(&random, 1, small ? 3 : 15),
                                  between(&random, 1, small ? 3 : 15)}};
        p.window = (struct zf_window){kernel,
                                      kernel,
                                      stride,
                                      stride,
                                      between(&random, 0, kernel - 1),
                                      between(&random, 0, kernel - 1),
                                      between(&random, 0, kernel - 1),
                                      between(&random, 0, kernel - 1),
                                      1,
                                      0,
                                      0};
        p.dst = zf_window_dims(&p.window, p.src, between(&random, 1, 70));
    } while (p.dst.d[2] < 1 || p.dst.d[3] < 1 ||
             count_of(p.dst) * p.src.d[1] * kernel * kernel > MOST_PRODUCTS);
    fill(&p, &random);
    return p;
}

static void problem_release(struct problem *p)
{
    zf_free(p->plain_src);
    zf_free(p->weight);
    zf_free(p->bias);
    zf_free(p->expected);
}

/* Where number i of a plain value lies in blocks of maps. */
static int64_t in_blocks(struct zf_dims dims, int64_t lanes, int64_t i)
{
    const int64_t cells = dims.d[2] * dims.d[3], blocks = (dims.d[1] + lanes - 1) / lanes;
    const int64_t n = i / cells / dims.d[1], c = i / cells % dims.d[1];

    return ((n * blocks + c / lanes) * cells + i % cells) * lanes + c % lanes;
}

static int64_t blocked_count(struct zf_dims dims, int64_t lanes)
{
    return dims.d[0] * ((dims.d[1] + lanes - 1) / lanes) * lanes * dims.d[2] * dims.d[3];
}

/* The results in blocks; everything they do not cover must stay NaN. */
static float *run(const struct problem *p, enum zf_cpu cpu, int64_t m, int threads,
                  struct zf_winograd *w)
{
    float *src, *dst, *filters, *scratch;
    int64_t size;

    assert_true(zf_winograd_init(w, cpu, &p->window, p->src, p->dst.d[1], m, threads));
    size = blocked_count(p->dst, w->lanes);
    src = zf_alloc((size_t)blocked_count(p->src, w->lanes), sizeof *src);
    dst = zf_alloc((size_t)size + 64, sizeof *dst);
    filters = zf_alloc((size_t)w->filters_size, sizeof *filters);
    scratch = zf_alloc((size_t)w->scratch_size, sizeof *scratch);
    assert_true(src && dst && filters && scratch);
    for (int64_t i = 0; i < count_of(p->src); i++)
        src[in_blocks(p->src, w->lanes, i)] = p->plain_src[i];
    for (int64_t i = 0; i < size + 64; i++)
        dst[i] = NAN;
    for (int64_t i = 0; i < w->scratch_size; i++)
        scratch[i] = NAN;
    zf_winograd_transform_filters(w, p->weight, p->down, filters);
    zf_winograd_run(w, src, filters, p->biased ? p->bias : NULL, p->relu, dst, scratch);
    for (int64_t i = size; i < size + 64; i++)
        assert_true(isnan(dst[i]));
    zf_free(src);
    zf_free(filters);
    zf_free(scratch);
    return dst;
}

static double difference(const struct problem *p, const struct zf_winograd *w, const float *dst)
{
    double error = 0, length = 1e-30, padded = 0;

    for (int64_t i = 0; i < count_of(p->dst); i++) {
        error += pow((double)dst[in_blocks(p->dst, w->lanes, i)] - p->expected[i], 2);
        length += pow(p->expected[i], 2);
    }
    for (int64_t i = 0; i < blocked_count(p->dst, w->lanes); i++)
        padded += (double)fabsf(dst[i]);
    for (int64_t i = 0; i < count_of(p->dst); i++)
        padded -= (double)fabsf(dst[in_blocks(p->dst, w->lanes, i)]);
    assert_true(fabs(padded) < 1e-6 * (1 + sqrt(length))); /* maps beyond the last are zeros */
    return sqrt(error / length);
}

static void agrees(enum zf_cpu cpu, int64_t m)
{
    double worst = 0;

    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct problem p = problem_of(seed);
        struct zf_winograd w;
        float *dst = run(&p, cpu, m, seed % 3 == 0 ? 3 : 1, &w);
        const double error = difference(&p, &w, dst);

        if (!(error < BOUND))
            fail_msg("%s, %d x %d, seed %d: off by %g", zf_cpu_text(cpu), (int)m, (int)m, (int)seed,
                     error);
        worst = error > worst ? error : worst;
        zf_free(dst);
        problem_release(&p);
    }
    print_message("%s, tiles of %d x %d: off by %.2g at most\n", zf_cpu_text(cpu), (int)m, (int)m,
                  worst);
}

static void tiles_give_what_the_sum_gives(void **state)
{
    static const enum zf_cpu sets[] = {ZF_CPU_PLAIN, ZF_CPU_AVX2, ZF_CPU_AVX512};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(sets); i++)
        for (int64_t m = 2; m <= 4 && zf_cpu_has(sets[i]); m += 2)
            agrees(sets[i], m);
}

/* ---- The gradient of the filters ---- */

/* Of the tap (i, j) from map c to map o, by the sum that defines it; plain_src and diff [dst]. */
static double gradient_at(const struct problem *p, const float *diff, const int64_t at[4])
{
    const struct zf_window *w = &p->window;
    const struct zf_dims src = p->src, dst = p->dst;
    double sum = 0;

    for (int64_t n = 0; n < src.d[0]; n++)
        for (int64_t y = 0; y < dst.d[2]; y++)
            for (int64_t x = 0; x < dst.d[3]; x++) {
                const int64_t at_y = y * w->stride_h + at[2] - w->pad_top;
                const int64_t at_x = x * w->stride_w + at[3] - w->pad_left;
                const int64_t row = (n * src.d[1] + at[1]) * src.d[2] + at_y;

                if (at_y >= 0 && at_y < src.d[2] && at_x >= 0 && at_x < src.d[3])
                    sum += (double)diff[((n * dst.d[1] + at[0]) * dst.d[2] + y) * dst.d[3] + x] *
                           (double)p->plain_src[row * src.d[3] + at_x];
            }
    return sum;
}

static float *to_blocks(struct zf_dims dims, int64_t lanes, const float *plain)
{
    float *blocks = zf_alloc((size_t)blocked_count(dims, lanes), sizeof *blocks);

    assert_non_null(blocks);
    for (int64_t i = 0; i < count_of(dims); i++)
        blocks[in_blocks(dims, lanes, i)] = plain[i];
    return blocks;
}

static int64_t weights_of(const struct problem *p)
{
    return p->dst.d[1] * p->src.d[1] * p->window.kernel_h * p->window.kernel_w;
}

/* [weights, then dst maps], from scratch memory full of NaN. */
static float *run_gradient(const struct problem *p, enum zf_cpu cpu, int64_t m, int threads,
                           const float *diff)
{
    const int64_t count = weights_of(p) + p->dst.d[1];
    float *src, *dst, *scratch, *result = zf_alloc((size_t)count + 1, sizeof *result);
    struct zf_winograd w;

    assert_true(zf_winograd_init(&w, cpu, &p->window, p->src, p->dst.d[1], m, threads));
    zf_winograd_plan_gradient(&w);
    src = to_blocks(p->src, w.lanes, p->plain_src);
    dst = to_blocks(p->dst, w.lanes, diff);
    scratch = zf_alloc((size_t)w.scratch_size, sizeof *scratch);
    assert_true(result && scratch);
    for (int64_t i = 0; i < w.scratch_size; i++)
        scratch[i] = NAN;
    for (int64_t i = 0; i <= count; i++)
        result[i] = NAN;
    zf_winograd_gradient(&w, src, dst, result, p->biased ? result + weights_of(p) : NULL, scratch);
    assert_true(isnan(result[count]));
    assert_true(p->biased || isnan(result[weights_of(p)]));
    zf_free(src);
    zf_free(dst);
    zf_free(scratch);
    return result;
}

static double gradient_difference(const struct problem *p, const float *diff, const float *found)
{
    const int64_t kernel = p->window.kernel_h, area = kernel * kernel;
    double error = 0, length = 1e-30;

    for (int64_t i = 0; i < weights_of(p); i++) {
        const int64_t at[] = {i / area / p->src.d[1], i / area % p->src.d[1], i % area / kernel,
                              i % kernel};
        const double expected = gradient_at(p, diff, at);

        error += pow((double)found[i] - expected, 2);
        length += pow(expected, 2);
    }
    for (int64_t o = 0; o < p->dst.d[1] && p->biased; o++) {
        const int64_t cells = p->dst.d[2] * p->dst.d[3];
        double expected = 0;

        for (int64_t i = 0; i < p->dst.d[0] * cells; i++)
            expected += (double)diff[(i / cells * p->dst.d[1] + o) * cells + i % cells];
        error += pow((double)found[weights_of(p) + o] - expected, 2);
        length += pow(expected, 2);
    }
    return sqrt(error / length);
}

static void gradients_agree(enum zf_cpu cpu, int64_t m)
{
    double worst = 0;

    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct problem p = problem_of(seed);
        struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 2, 0);
        float *diff = normal(&random, count_of(p.dst));
        float *found = run_gradient(&p, cpu, m, seed % 3 == 0 ? 3 : 1, diff);
        const double error = gradient_difference(&p, diff, found);

        if (!(error < BOUND))
            fail_msg("%s, %d x %d, seed %d: off by %g", zf_cpu_text(cpu), (int)m, (int)m, (int)seed,
                     error);
        worst = error > worst ? error : worst;
        zf_free(found);
        zf_free(diff);
        problem_release(&p);
    }
    print_message("%s, gradients by %d x %d: off by %.2g at most\n", zf_cpu_text(cpu), (int)m,
                  (int)m, worst);
}

static void gradients_of_filters_are_what_the_sum_gives(void **state)
{
    static const enum zf_cpu sets[] = {ZF_CPU_PLAIN, ZF_CPU_AVX2, ZF_CPU_AVX512};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(sets); i++)
        for (int64_t m = 2; m <= 4 && zf_cpu_has(sets[i]); m += 2)
            gradients_agree(sets[i], m);
}

/* Of more tiles than one block takes. */
static void gradients_are_the_same_bits_for_every_number_of_threads(void **state)
{
    struct zf_random random = zf_random_stream(0, ZF_RANDOM_TEST, 3, 0);
    struct problem p = {.src = {4, {40, 3, 15, 14}},
                        .dst = {4, {40, 20, 15, 14}},
                        .window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0},
                        .biased = true};
    const size_t bytes = (size_t)(weights_of(&p) + p.dst.d[1]) * sizeof(float);
    float *diff, *alone;

    (void)state;
    fill(&p, &random);
    diff = normal(&random, count_of(p.dst));
    alone = run_gradient(&p, ZF_CPU_PLAIN, 4, 1, diff);
    assert_true(gradient_difference(&p, diff, alone) < BOUND);
    for (int threads = 2; threads <= 7; threads += 5) {
        float *found = run_gradient(&p, ZF_CPU_PLAIN, 4, threads, diff);

        assert_memory_equal(alone, found, bytes);
        zf_free(found);
    }
    zf_free(alone);
    zf_free(diff);
    problem_release(&p);
}

/* Of more tiles than one block takes, and filters enough that threads share blocks. */
static void every_number_of_threads_gives_the_same_bits(void **state)
{
    static const int64_t extents[][5] = {{40, 3, 15, 14, 20}, {2, 130, 5, 6, 150}};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(extents); i++) {
        struct zf_random random = zf_random_stream(i, ZF_RANDOM_TEST, 1, 0);
        const int64_t *d = extents[i];
        struct problem p = {.src = {4, {d[0], d[1], d[2], d[3]}},
                            .dst = {4, {d[0], d[4], d[2], d[3]}},
                            .window = {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0}};
        struct zf_winograd one, more;
        float *alone;

        fill(&p, &random);
        alone = run(&p, ZF_CPU_PLAIN, 4, 1, &one);
        assert_true(difference(&p, &one, alone) < BOUND);
        assert_true(i == 1 || one.blocks > 1);
        for (int threads = 2; threads <= 7; threads += 5) {
            float *dst = run(&p, ZF_CPU_PLAIN, 4, threads, &more);

            assert_true(more.shares_blocks == (i == 1));
            assert_memory_equal(alone, dst, (size_t)blocked_count(p.dst, one.lanes) * sizeof *dst);
            zf_free(dst);
        }
        zf_free(alone);
        problem_release(&p);
    }
}

static void other_windows_and_small_work_are_left_to_direct_convolution(void **state)
{
    const struct zf_dims src = {4, {1, 64, 28, 28}}, pixel = {4, {1, 64, 1, 1}};
    const struct zf_window good = {3, 3, 1, 1, 1, 1, 1, 1, 1, 0, 0};
    struct zf_window bad[7];
    struct zf_winograd w;

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(bad); i++)
        bad[i] = good;
    bad[0].kernel_h = 1;
    bad[1].kernel_w = 5;
    bad[2].stride_w = 2;
    bad[3].dilate_h = 1;
    bad[4].groups = 2;
    bad[5].pad_left = 3;
    bad[6].pad_bottom = -1; /* as the way down has where pads are wider than 2 */
    assert_true(zf_winograd_choose(&w, ZF_CPU_PLAIN, &good, src, 64, false, 1));
    for (size_t i = 0; i < ZF_COUNT(bad); i++)
        assert_false(zf_winograd_choose(&w, ZF_CPU_PLAIN, &bad[i], src, 64, false, 1));
    assert_false(zf_winograd_choose(&w, ZF_CPU_PLAIN, &good, pixel, 64, false, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_give_what_the_sum_gives),
        cmocka_unit_test(gradients_of_filters_are_what_the_sum_gives),
        cmocka_unit_test(gradients_are_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(every_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(other_windows_and_small_work_are_left_to_direct_convolution),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
