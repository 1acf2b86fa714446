/* SPDX-License-Identifier: MIT */
/* Functions of one number with their derivatives, in double. */
#ifndef ZF_ENGINE_CURVE_H
#define ZF_ENGINE_CURVE_H

#include "operations.h"

/** Is it one that no library has, so that every engine computes it by the two below? */
bool zf_curve_is(enum zf_function_kind kind);

double zf_curve_value(const struct zf_function *f, double x);

/** The derivative; at a kink that from below, as for the rectifier; 0 where the function jumps. */
double zf_curve_slope(const struct zf_function *f, double x);

#endif
