/* SPDX-License-Identifier: MIT */
/*
 * Every other engine against the reference, on hundreds of random shapes for each operation and
 * on chains of operations.
 *
 *     test_engines_agree                      all cases
 *     test_engines_agree conv_forward         those of one operation
 *     test_engines_agree conv_forward 17      the one that failed with seed 17
 *     test_engines_agree --bench [NAME [SEED]]  how fast each engine is at them: see engine_bench.h
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "engine_bench.h"
#include "held.h"

#define MOST_REPORTED 5

static const char *only_name; /* from the command line */
static const char *only_seed;
static bool any_known; /* is there such a case? */

static int run_cases(const struct engine_cases *cases, const struct zf_engine_ops *engine)
{
    const uint64_t first = only_seed ? strtoull(only_seed, NULL, 10) : 0;
    const uint64_t end = only_seed ? first + 1 : (uint64_t)cases->count;
    int failures = 0;
    double worst = 0.0;

    if (only_name && strcmp(only_name, cases->name) != 0)
        return 0;
    any_known = true;
    for (uint64_t seed = first; seed < end && failures < MOST_REPORTED; seed++)
        failures += !engines_agree(cases, seed, engine, &worst);
    printf("  %-9s %-22s %4d cases, worst %.3g of the bound%s\n", engine->name, cases->name,
           (int)(end - first), worst, failures ? ": FAILED" : "");
    return failures;
}

static void run_table(const struct engine_cases *table)
{
    int failures = 0, others = 0;

    for (size_t i = 0; zf_engine_at(i); i++) {
        if (zf_engine_at(i) == &zf_engine_reference)
            continue;
        others++;
        for (const struct engine_cases *cases = table; cases->name; cases++)
            failures += run_cases(cases, zf_engine_at(i));
    }
    if (others == 0) {
        print_message("skipped: the reference is the only engine of this build\n");
        skip();
    }
    assert_int_equal(failures, 0);
}

static void every_operation_agrees_with_the_reference(void **state)
{
    (void)state;
    run_table(engine_operations);
}

static void chains_of_operations_agree_with_the_reference(void **state)
{
    (void)state;
    run_table(engine_chains);
}

static int bench(const char *name, const char *seed)
{
    bool any;

    engine_bench_title();
    any = engine_bench(engine_operations, name, seed);
    any = engine_bench(engine_layers, name, seed) || any;
    if (!any)
        fprintf(stderr, "there are no cases of the name %s\n", name);
    return any ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_agrees_with_the_reference),
        cmocka_unit_test(chains_of_operations_agree_with_the_reference),
    };

    int failed;

    if (argc > 1 && strcmp(argv[1], "--bench") == 0)
        return bench(argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    only_name = argc > 1 ? argv[1] : NULL;
    only_seed = argc > 2 ? argv[2] : NULL;
    failed = cmocka_run_group_tests(tests, hold_processor, NULL);

    if (only_name && !any_known && zf_engine_at(1)) {
        fprintf(stderr, "there are no cases of the name %s\n", only_name);
        return 1;
    }
    return failed;
}
