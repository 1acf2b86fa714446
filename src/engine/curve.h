/* SPDX-License-Identifier: MIT */
/* Functions of one number that no library has for all engines alike, with their derivatives. */
#ifndef ZF_ENGINE_CURVE_H
#define ZF_ENGINE_CURVE_H

#include "operations.h"

/** Is the function one of these? */
bool zf_curve_is(enum zf_function_kind kind);

double zf_curve_value(const struct zf_function *f, double x);

/** Its derivative; at a kink that from below, where the function jumps or is flat 0. */
double zf_curve_slope(const struct zf_function *f, double x);

#endif
