/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_CLOCK_H
#define ZF_BASE_CLOCK_H

/* Seconds on a clock that only goes forward. */
double zf_clock_s(void);

#endif
