/* SPDX-License-Identifier: MIT */
/* How large numbers are. */
#ifndef ZF_BASE_MAGNITUDE_H
#define ZF_BASE_MAGNITUDE_H

#include <stdint.h>

/** The largest magnitude of `count` numbers, 0 of none; infinite where one is infinite or NaN. */
float zf_largest_magnitude(const float *numbers, int64_t count);

#endif
