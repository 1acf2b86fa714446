/* SPDX-License-Identifier: MIT */
/* Small cases on the reference engine: given numbers, expected numbers, finite differences. */
#ifndef ZF_TESTS_ENGINE_FIXTURE_H
#define ZF_TESTS_ENGINE_FIXTURE_H

#include "engine_compare.h"

/* A rig of rig_init() and rig_create_engine() on the reference; end it with rig_release(). */
void reference_rig(struct rig *rig, uint64_t seed, int64_t batch);

/* An input, and a parameter, that hold `numbers`. */
zf_value given(struct rig *rig, struct zf_dims dims, const float *numbers);
zf_value held(struct rig *rig, struct zf_dims dims, const float *numbers);

struct zf_dims vector(int64_t count);
struct zf_dims matrix(int64_t rows, int64_t columns);

/* All of a value's numbers; they live as long as the rig. */
float *read_all(struct rig *rig, zf_value value);

void expect_near(const float *got, const double *expected, int64_t count, double margin);
void expect_numbers(struct rig *rig, zf_value value, const double *expected, double margin);

double dot(const float *a, const float *b, int64_t count);

/* d <diff, output> / d numbers[i] by four points, error of order step^4, against `analytic`: as
   vectors, so that one nearly vanishing component does not count by itself. numbers: the plain
   memory of an input or a parameter; restored. */
void expect_gradient(struct rig *rig, zf_value output, const float *diff, float *numbers,
                     const float *analytic, int64_t count);

#endif
