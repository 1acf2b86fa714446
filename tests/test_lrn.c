/* SPDX-License-Identifier: MIT */
/* Response normalisation of strips against its formula in double, for every instruction set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "engine/lrn.h"

#define CASES 150
#define BOUND 4e-6 /* relative; a lone float rounds to within 6e-8, a sum of squares adds to it */
#define MOST_MAPS 40
#define MOST_CELLS 24

static const enum zf_cpu cpus[] = {ZF_CPU_PLAIN, ZF_CPU_AVX2, ZF_CPU_AVX512};

struct problem {
    struct zf_lrn lrn;
    int64_t maps, cells;
    bool side_by_side;
    float src[MOST_CELLS][MOST_MAPS], diff_dst[MOST_CELLS][MOST_MAPS];
};

static int64_t between(struct zf_random *random, int64_t low, int64_t high)
{
    return low + (int64_t)zf_random_below(random, (uint64_t)(high - low + 1));
}

static struct problem problem_of(uint64_t seed)
{
    static const float betas[] = {0.75f, 0.5f, 1.0f, 3.0f};
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);
    struct problem p = {
        .lrn = {between(&random, 0, 1) ? 5 : between(&random, 1, 60), 0.3f,
                betas[between(&random, 0, 3)], (float)between(&random, 1, 2)},
        .maps = between(&random, 1, MOST_MAPS),
        .cells = between(&random, 1, MOST_CELLS),
        .side_by_side = between(&random, 0, 1),
    };
    const float scale = between(&random, 0, 1) ? 1.0f : 50.0f;

    for (int64_t i = 0; i < p.cells; i++)
        for (int64_t c = 0; c < p.maps; c++) {
            p.src[i][c] = scale * (float)zf_random_normal(&random);
            p.diff_dst[i][c] = (float)zf_random_normal(&random);
        }
    return p;
}

static double scale_at(const struct problem *p, int64_t cell, int64_t map)
{
    const int64_t first = map - (p->lrn.size - 1) / 2, last = map + p->lrn.size / 2;
    double squares = 0;

    for (int64_t j = first < 0 ? 0 : first; j <= last && j < p->maps; j++)
        squares += (double)p->src[cell][j] * (double)p->src[cell][j];
    return (double)p->lrn.k + (double)p->lrn.alpha / (double)p->lrn.size * squares;
}

/* *size: of what is subtracted, for the bound. */
static double diff_at(const struct problem *p, int64_t cell, int64_t map, double *size)
{
    const int64_t first = map - p->lrn.size / 2, last = map + (p->lrn.size - 1) / 2;
    const double beta = (double)p->lrn.beta;
    const double own = (double)p->diff_dst[cell][map] * pow(scale_at(p, cell, map), -beta);
    const double factor =
        2 * (double)p->lrn.alpha * beta / (double)p->lrn.size * (double)p->src[cell][map];
    double sum = 0;

    *size = fabs(own);
    for (int64_t j = first < 0 ? 0 : first; j <= last && j < p->maps; j++) {
        const double term = (double)p->diff_dst[cell][j] * (double)p->src[cell][j] *
                            pow(scale_at(p, cell, j), -beta - 1);

        sum += term;
        *size += fabs(factor * term);
    }
    return own - factor * sum;
}

struct strips {
    struct zf_lrn_plan plan;
    float *src, *dst, *diff, *scratch;
};

static struct strips strips_of(const struct problem *p, enum zf_cpu cpu)
{
    struct strips s;
    float *all;

    zf_lrn_init(&s.plan, cpu, &p->lrn, p->maps, p->cells, p->side_by_side);
    all = zf_alloc((size_t)(5 * s.plan.size), sizeof *all);
    assert_non_null(all);
    s.src = all;
    s.dst = all + s.plan.size;
    s.diff = s.dst + s.plan.size;
    s.scratch = s.diff + s.plan.size;
    for (int64_t i = 0; i < 2 * s.plan.size; i++)
        s.scratch[i] = NAN;
    for (int64_t i = 0; i < p->cells; i++)
        for (int64_t c = 0; c < p->maps; c++) {
            s.src[zf_lrn_at(&s.plan, i) + c * s.plan.step] = p->src[i][c];
            s.diff[zf_lrn_at(&s.plan, i) + c * s.plan.step] = p->diff_dst[i][c];
        }
    zf_lrn_forward(&s.plan, s.src, s.dst);
    zf_lrn_backward(&s.plan, s.src, s.diff, s.scratch);
    return s;
}

static float at(const struct strips *s, const float *strip, int64_t cell, int64_t map)
{
    return strip[zf_lrn_at(&s->plan, cell) + map * s->plan.step];
}

static void expect(const char *what, uint64_t seed, double expected, float got, double size)
{
    if (isnan(expected) ? isnan(got) : fabs((double)got - expected) <= BOUND * size)
        return;
    fail_msg("%s, seed %d: expected %g, got %g", what, (int)seed, expected, (double)got);
}

static void compare(const struct problem *p, enum zf_cpu cpu, uint64_t seed)
{
    const struct strips s = strips_of(p, cpu);

    for (int64_t i = 0; i < p->cells; i++)
        for (int64_t c = 0; c < p->maps; c++) {
            const double dst = (double)p->src[i][c] * pow(scale_at(p, i, c), -(double)p->lrn.beta);
            double size;
            const double diff = diff_at(p, i, c, &size);

            expect("dst", seed, dst, at(&s, s.dst, i, c), fabs(dst));
            expect("diff_src", seed, diff, at(&s, s.diff, i, c), size);
        }
    zf_free(s.src);
}

static void strips_are_normalised_on_every_instruction_set(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        const struct problem p = problem_of(seed);

        for (size_t k = 0; k < ZF_COUNT(cpus); k++)
            if (zf_cpu_has(cpus[k]))
                compare(&p, cpus[k], seed);
    }
}

/* 0 to the power of -beta is infinity, and 0 times that is no number. */
static void a_scale_of_zero_gives_no_numbers(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct problem p = problem_of(seed);

        p.lrn.k = 0;
        for (int64_t c = 0; c < p.maps; c++)
            p.src[p.cells / 2][c] = 0.0f;
        for (size_t k = 0; k < ZF_COUNT(cpus); k++)
            if (zf_cpu_has(cpus[k]))
                compare(&p, cpus[k], seed);
    }
}

static void what_is_no_number_stays_in_its_window(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct problem p = problem_of(seed);

        p.src[p.cells / 2][p.maps - 1] = NAN;
        for (size_t k = 0; k < ZF_COUNT(cpus); k++)
            if (zf_cpu_has(cpus[k]))
                compare(&p, cpus[k], seed);
    }
}

static void a_sum_beyond_floats_leaves_zeros(void **state)
{
    struct problem p = problem_of(1);

    (void)state;
    p.src[0][0] = 1e25f;
    for (size_t k = 0; k < ZF_COUNT(cpus); k++)
        if (zf_cpu_has(cpus[k])) {
            const struct strips s = strips_of(&p, cpus[k]);

            assert_true(at(&s, s.dst, 0, 0) == 0.0f);
            zf_free(s.src);
        }
}

/* Threads and batches cut maps into strips anywhere. */
static void a_result_does_not_depend_on_its_neighbours(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        const struct problem all = problem_of(seed);
        struct problem last = all;

        last.cells = 1;
        last.side_by_side = !all.side_by_side;
        memcpy(last.src[0], all.src[all.cells - 1], sizeof last.src[0]);
        memcpy(last.diff_dst[0], all.diff_dst[all.cells - 1], sizeof last.diff_dst[0]);
        for (size_t k = 0; k < ZF_COUNT(cpus); k++) {
            struct strips one, many;

            if (!zf_cpu_has(cpus[k]))
                continue;
            one = strips_of(&last, cpus[k]);
            many = strips_of(&all, cpus[k]);
            for (int64_t c = 0; c < all.maps; c++) {
                assert_true(at(&one, one.dst, 0, c) == at(&many, many.dst, all.cells - 1, c));
                assert_true(at(&one, one.diff, 0, c) == at(&many, many.diff, all.cells - 1, c));
            }
            zf_free(one.src);
            zf_free(many.src);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_are_normalised_on_every_instruction_set),
        cmocka_unit_test(a_scale_of_zero_gives_no_numbers),
        cmocka_unit_test(what_is_no_number_stays_in_its_window),
        cmocka_unit_test(a_sum_beyond_floats_leaves_zeros),
        cmocka_unit_test(a_result_does_not_depend_on_its_neighbours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
