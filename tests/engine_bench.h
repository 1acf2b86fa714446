/* SPDX-License-Identifier: MIT */
/**
 * The cases that hold engines against each other, as a benchmark: CSV on stdout, a line for each
 * case and engine, with
 *
 *     operation, seed, engine, threads, runs, ns (the median), spread ((slowest of the middle half
 *     - its fastest) / median), GFLOP/s (empty where nothing is multiplied), ratio (of the time of
 *     the reference engine to this one's), shape
 *
 * What is timed are the programs that the case runs after REFRESH: forward, and backward if it has
 * one; small shapes say what a call costs, and `layer_*` what an engine does at a net's.
 */
#ifndef ZF_TESTS_ENGINE_BENCH_H
#define ZF_TESTS_ENGINE_BENCH_H

#include "engine_compare.h"

/* name, seed: of what is benched; NULL = all, and the first few. False if there is no such case. */
bool engine_bench(const struct engine_cases *table, const char *name, const char *seed);
void engine_bench_title(void);

/* Convolutions of zfnet, for the benchmark alone; ended by a NULL name. */
extern const struct engine_cases engine_layers[];

#endif
