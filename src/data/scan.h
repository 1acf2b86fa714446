/* SPDX-License-Identifier: MIT */
/* One pass over all squares of a data set: decoded and verified by workers, seen in order by the
   caller. */
#ifndef ZF_DATA_SCAN_H
#define ZF_DATA_SCAN_H

#include "data/data.h"

/**
 * Sees sample i, on the thread of the caller of zf_scan_run(). `pixels` is the square, or NULL
 * for a bad sample, with the reason; with a square, `reason` is NULL or says what is odd about the
 * sample. Anything but ZF_OK ends the scan with it.
 */
typedef enum zf_status zf_scan_visit(void *user, int64_t i, const uint8_t *pixels,
                                     const char *reason, struct zf_error *err);

struct zf_scan {
    const struct zf_data *data;
    struct zf_geometry geometry;
    int threads;
    const char *stage; /* for the monitor: "packing" */
    bool inputs;       /* files of numbers are good as well; what visit gets is no square then */
    zf_scan_visit *visit;
    void *user;
};

enum zf_status zf_scan_run(const struct zf_scan *scan, const struct zf_monitor *monitor,
                           struct zf_error *err);

#endif
