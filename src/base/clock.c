/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <time.h>

double zf_clock_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}
