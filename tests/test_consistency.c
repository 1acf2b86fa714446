/* SPDX-License-Identifier: MIT */
/* Signs of changes, and the test that tells a consistent part from chance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/random.h"
#include "measure/consistency.h"

/* ---- Signs. ---- */

static void distances_count_the_signs_that_differ(void **state)
{
    static const int64_t lengths[] = {1, 63, 64, 65, 200};
    struct zf_random random = zf_random_stream(3, ZF_RANDOM_TEST, 0, 0);

    (void)state;
    for (size_t l = 0; l < 5; l++) {
        float base[200], changed[2][200];
        struct zf_signs signs = {0};
        int64_t different = 0;

        assert_int_equal(zf_signs_init(&signs, 2, lengths[l], NULL), ZF_OK);
        for (int64_t i = 0; i < lengths[l]; i++) {
            int sign[2];

            base[i] = (float)zf_random_below(&random, 3);
            for (int k = 0; k < 2; k++) {
                changed[k][i] = (float)zf_random_below(&random, 3);
                sign[k] = (base[i] > changed[k][i]) - (base[i] < changed[k][i]);
            }
            different += sign[0] != sign[1]; /* zero is a sign of its own */
        }
        for (size_t k = 0; k < 2; k++)
            zf_signs_set(&signs, k, base, changed[k], 1e-6f);
        assert_true(fabs(zf_signs_distance(&signs, 0, 1) - (double)different / (double)lengths[l]) <
                    1e-12);
        assert_true(zf_signs_distance(&signs, 1, 1) <= 0.0);
        zf_signs_release(&signs);
    }
}

static void a_change_within_rounding_is_none(void **state)
{
    const float base[] = {1.0f, 1.0f, 1.0f}, changed[] = {1.0f - 1e-4f, 1.0f, 1.0f + 1e-4f};
    struct zf_signs signs = {0};

    (void)state;
    assert_int_equal(zf_signs_init(&signs, 2, 3, NULL), ZF_OK);
    zf_signs_set(&signs, 0, base, changed, 1e-3f);
    zf_signs_set(&signs, 1, base, changed, 1e-5f);
    assert_true(fabs(zf_signs_distance(&signs, 0, 1) - 2.0 / 3.0) < 1e-12);
    zf_signs_release(&signs);
}

/* ---- The test. ---- */

#define TRIAL_PICTURES 6
#define TRIAL_RANDOM 10
#define TRIAL_LENGTH 300

/* Signs by chance, but those of part 0 are alike in `alike` of ten places. */
static void draw_trial(struct zf_signs *signs, uint64_t seed, uint64_t alike)
{
    const size_t per_picture = 1 + TRIAL_RANDOM;
    const float base[TRIAL_LENGTH] = {0};
    struct zf_random random = zf_random_stream(seed, ZF_RANDOM_TEST, 0, 0);

    assert_int_equal(zf_signs_init(signs, TRIAL_PICTURES * per_picture, TRIAL_LENGTH, NULL), ZF_OK);
    for (size_t i = 0; i < signs->count; i++) {
        float changed[TRIAL_LENGTH];

        for (int v = 0; v < TRIAL_LENGTH; v++) {
            const bool same = i % per_picture == 0 && zf_random_below(&random, 10) < alike;

            changed[v] = same ? 1.0f : (float)zf_random_below(&random, 3) - 1.0f;
        }
        zf_signs_set(signs, i, base, changed, 0.0f);
    }
}

static double test_trial(const struct zf_trial *trial)
{
    struct zf_consistency it = {.p = -1.0};

    assert_int_equal(zf_consistency_test(trial, 0, 1, 999,
                                         zf_random_stream(1, ZF_RANDOM_PERMUTE, 0, 0), &it, NULL),
                     ZF_OK);
    return it.p;
}

static void only_a_part_that_is_consistent_is_told_from_chance(void **state)
{
    enum { TRIALS = 40 };
    const double unchanged[TRIAL_PICTURES * (1 + TRIAL_RANDOM)] = {0};
    struct zf_box boxes[TRIAL_PICTURES];
    double sum = 0.0;
    int small = 0;

    (void)state;
    for (int i = 0; i < TRIAL_PICTURES; i++)
        boxes[i] = (struct zf_box){0, 0, 1, 1};
    for (uint64_t seed = 0; seed < TRIALS; seed++) {
        struct zf_signs alike = {0}, chance = {0};
        struct zf_trial planted = {TRIAL_PICTURES, 1, 1 + TRIAL_RANDOM, boxes, unchanged, NULL};
        struct zf_trial null = planted;
        double p;

        draw_trial(&alike, seed, 3);
        draw_trial(&chance, seed, 0);
        assert_int_equal(zf_trial_measure(&planted, &alike, NULL), ZF_OK);
        assert_int_equal(zf_trial_measure(&null, &chance, NULL), ZF_OK);
        p = test_trial(&null);
        sum += p;
        small += p < 0.1;
        assert_true(test_trial(&planted) < 0.01);
        assert_true(test_trial(&null) >= p && test_trial(&null) <= p);
        assert_true(zf_consistency_of_part(&planted, 0).mean <
                    zf_consistency_of_random(&planted).mean);
        zf_trial_release(&planted);
        zf_trial_release(&null);
        zf_signs_release(&alike);
        zf_signs_release(&chance);
    }
    /* Of a part like any place, p is uniform: mean 1/2 and a tenth below 0.1, each within three
       deviations (0.289 / sqrt(40) and 1.9 of 4). */
    assert_true(fabs(sum / TRIALS - 0.5) < 0.14);
    assert_true(small <= 9);
}

/* Two parts and three random places in four pictures; the last shows part 0 alone. */
static void the_least_p_counts_what_could_be_called_a_part(void **state)
{
    enum { PICTURES_HERE = 4, RANDOM_HERE = 3, SQUARES = 2 + RANDOM_HERE };
    struct zf_box boxes[PICTURES_HERE * 2];
    struct zf_trial trial = {PICTURES_HERE, 2, SQUARES, boxes, NULL, NULL};
    struct zf_signs signs = {0};
    static const struct {
        size_t first, count;
        int64_t permutations;
        double least;
    } cases[] = {
        {0, 1, 999, 1.0 / (4 * 4 * 4 * 4)}, /* one of four squares, four times */
        {1, 1, 999, 1.0 / (4 * 4 * 4)},
        {0, 1, 99, 1.0 / 100}, /* fewer are drawn than there are */
        {0, 2, 99999, 1.0 / (20 * 20 * 20 * 4)},
    };

    (void)state;
    for (int i = 0; i < PICTURES_HERE * 2; i++)
        boxes[i] = (struct zf_box){0, 0, i + 1 < PICTURES_HERE * 2, 1};
    assert_int_equal(zf_signs_init(&signs, PICTURES_HERE * SQUARES, 70, NULL), ZF_OK);
    assert_int_equal(zf_trial_measure(&trial, &signs, NULL), ZF_OK);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct zf_consistency it = {0};

        assert_int_equal(
            zf_consistency_test(&trial, cases[c].first, cases[c].count, cases[c].permutations,
                                zf_random_stream(1, ZF_RANDOM_PERMUTE, 0, 0), &it, NULL),
            ZF_OK);
        assert_true(fabs(it.least_p - cases[c].least) < 1e-12);
        assert_true(it.p >= it.least_p);
    }
    zf_trial_release(&trial);
    zf_signs_release(&signs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_count_the_signs_that_differ),
        cmocka_unit_test(a_change_within_rounding_is_none),
        cmocka_unit_test(only_a_part_that_is_consistent_is_told_from_chance),
        cmocka_unit_test(the_least_p_counts_what_could_be_called_a_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
