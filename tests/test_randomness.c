/* SPDX-License-Identifier: MIT */
/* Are weights still random numbers? Matrices that are, and that are not in one way each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/random.h"
#include "measure/randomness.h"

#define ROWS 48
#define COLUMNS 90

enum kind { NORMAL, UNIFORM, TRUNCATED, KINDS };

static float draw(enum kind kind, struct zf_random *random)
{
    double x = zf_random_normal(random);

    while (kind == TRUNCATED && fabs(x) > 2)
        x = zf_random_normal(random);
    if (kind == UNIFORM)
        x = (double)zf_random_below(random, 1 << 24) / (1 << 23) - 1;
    return (float)(0.02 * x);
}

static float *drawn(enum kind kind, size_t rows, size_t columns, uint64_t seed)
{
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, (uint64_t)kind, columns);
    float *weights = zf_alloc(rows * columns, sizeof *weights);

    for (size_t i = 0; i < rows * columns; i++)
        weights[i] = draw(kind, &random);
    return weights;
}

static struct zf_randomness measured(const float *weights, size_t rows, size_t columns)
{
    struct zf_randomness r;
    struct zf_error err = {0};

    if (zf_randomness_measure(weights, rows, columns, &r, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return r;
}

/* The error rate that the header states. */
static void random_numbers_are_taken_for_what_they_are(void **state)
{
    static const size_t sizes[][2] = {{64, 27},  {16, 75}, {32, 288}, {96, 96},
                                      {10, 128}, {128, 9}, {4, 300},  {200, 40}};
    int wrong = 0, count = 0;

    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            for (uint64_t seed = 0; seed < 40; seed++) {
                float *weights = drawn((enum kind)kind, sizes[s][0], sizes[s][1], seed);

                wrong += measured(weights, sizes[s][0], sizes[s][1]).most >= 5;
                count++;
                zf_free(weights);
            }
        }
    }
    if (wrong * 200 > count)
        fail_msg("%d of %d random matrices are above 5", wrong, count);
}

static void each_trace_of_training_is_seen_by_the_number_for_it(void **state)
{
    float *weights = drawn(NORMAL, ROWS, COLUMNS, 1);

    (void)state;
    assert_true(measured(weights, ROWS, COLUMNS).most < 5);
    for (size_t r = 0; r < ROWS; r++) /* one direction that all share */
        for (size_t c = 0; c < COLUMNS; c++)
            weights[r * COLUMNS + c] += (float)(0.01 * sin((double)c));
    assert_true(measured(weights, ROWS, COLUMNS).direction > 5);
    assert_true(measured(weights, ROWS, COLUMNS).pairs > 5);
    zf_free(weights);

    weights = drawn(NORMAL, ROWS, COLUMNS, 2);
    for (size_t r = 0; r < ROWS; r += 2) /* every other filter twice as large */
        for (size_t c = 0; c < COLUMNS; c++)
            weights[r * COLUMNS + c] *= 2;
    assert_true(measured(weights, ROWS, COLUMNS).rows > 5);
    assert_true(measured(weights, ROWS, COLUMNS).columns < 5);
    zf_free(weights);

    weights = drawn(NORMAL, ROWS, COLUMNS, 3);
    for (size_t r = 0; r < ROWS; r++) /* half of the inputs count for half */
        for (size_t c = 0; c < COLUMNS; c += 2)
            weights[r * COLUMNS + c] /= 2;
    assert_true(measured(weights, ROWS, COLUMNS).columns > 5);
    assert_true(measured(weights, ROWS, COLUMNS).rows < 5);
    zf_free(weights);

    weights = drawn(NORMAL, ROWS, COLUMNS, 4);
    for (size_t i = 0; i < ROWS * COLUMNS; i += 41) /* a few large weights */
        weights[i] *= 3;
    assert_true(measured(weights, ROWS, COLUMNS).tails > 5);
    zf_free(weights);
}

/* Filters that avoid each other are no more random than those that are alike. */
static void orthogonal_filters_are_not_random(void **state)
{
    float weights[32 * 32];

    (void)state;
    for (int r = 0; r < 32; r++)
        for (int c = 0; c < 32; c++)
            weights[r * 32 + c] =
                (float)cos(3.14159265358979 * (r + 0.5) * (c + 0.5) / 32); /* a DCT */
    assert_true(measured(weights, 32, 32).pairs < -5);
}

static void the_largest_singular_value_is_found(void **state)
{
    /* 64 rows of one direction but for noise: length sqrt(64 * 100), so its square is 6400. */
    float *weights = drawn(NORMAL, 64, 100, 5);
    const double edge = 18.0 * 18.0, unit = 18.0 * cbrt(1 / 8.0 + 1 / 10.0);

    (void)state;
    for (size_t i = 0; i < 64 * 100; i++)
        weights[i] = 1 + weights[i] / 1000;
    assert_true(fabs(measured(weights, 64, 100).direction - (6400 - edge) / unit) < 1e-3);
    zf_free(weights);
}

static void too_few_weights_or_dead_filters_give_no_number(void **state)
{
    float *weights = drawn(NORMAL, ROWS, COLUMNS, 6);

    (void)state;
    assert_true(isnan(measured(weights, 11, COLUMNS).most));  /* 990 weights */
    assert_true(isnan(measured(weights, 3, 1000).most));      /* 3 rows */
    assert_true(!isnan(measured(weights, 12, COLUMNS).most)); /* 1080 */
    for (size_t i = (size_t)(11 * COLUMNS); i < (size_t)(ROWS * COLUMNS); i++)
        weights[i] = 0;
    assert_true(isnan(measured(weights, ROWS, COLUMNS).most));
    zf_free(weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_are_taken_for_what_they_are),
        cmocka_unit_test(each_trace_of_training_is_seen_by_the_number_for_it),
        cmocka_unit_test(orthogonal_filters_are_not_random),
        cmocka_unit_test(the_largest_singular_value_is_found),
        cmocka_unit_test(too_few_weights_or_dead_filters_give_no_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
