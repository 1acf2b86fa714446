/* SPDX-License-Identifier: MIT */
/* An axis of a chart: its range, and ticks at round numbers with their labels. */
#ifndef ZF_PAGE_AXIS_H
#define ZF_PAGE_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define ZF_AXIS_TICKS 32

struct zf_axis {
    double low, high; /* finite, low < high */
    bool log;         /* both > 0, distances by the logarithm */
    size_t tick_count;
    struct zf_tick {
        double value;
        char label[32]; /* UTF-8 */
    } ticks[ZF_AXIS_TICKS];
};

/* Whether a value can be placed: finite, and not so large that differences overflow. */
bool zf_axis_takes(double value);

/**
 * From `low` to `high`, which are widened where they are equal, with at least two ticks and, where
 * that allows it, at most `most` (3 to ZF_AXIS_TICKS), a round step apart. extend: to the next
 * ticks outside.
 */
void zf_axis_linear(struct zf_axis *axis, double low, double high, size_t most, bool extend);

/* The same for values > 0 by powers of ten, and 2 and 5 times these over a short range. */
void zf_axis_log(struct zf_axis *axis, double low, double high, size_t most);

/* Where a value lies: 0 at the low end, 1 at the high end. */
double zf_axis_place(const struct zf_axis *axis, double value);

#endif
