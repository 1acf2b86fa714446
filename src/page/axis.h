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
        char label[96]; /* UTF-8 */
    } ticks[ZF_AXIS_TICKS];
};

/* Whether a value can be drawn: finite, and not so large that differences overflow. */
bool zf_axis_takes(double value);

/**
 * An axis from `low` to `high`, widened where they are equal. Ticks are a round step apart: at
 * least two and, where possible, at most `most` (3 to ZF_AXIS_TICKS). extend: the axis ends at the
 * next ticks outside. whole: all that is drawn are whole numbers, such as epochs or pictures, and
 * so are the ticks.
 */
void zf_axis_linear(struct zf_axis *axis, double low, double high, size_t most, bool extend,
                    bool whole);

/* The same for values > 0 by powers of ten, and 2 and 5 times these over a short range. */
void zf_axis_log(struct zf_axis *axis, double low, double high, size_t most);

/* Where a value lies: 0 at the low end, 1 at the high end. */
double zf_axis_place(const struct zf_axis *axis, double value);

#endif
