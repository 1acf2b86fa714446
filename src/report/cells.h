/* SPDX-License-Identifier: MIT */
/* Strings for the cells of tables and the like, made one after the other. */
#ifndef ZF_REPORT_CELLS_H
#define ZF_REPORT_CELLS_H

#include "zf/base.h"
#include "zf/compare.h"

/* Starts as {0}. Memory that is short is remembered, so that only the end needs a check. */
struct zf_cells {
    char **items;
    size_t count, capacity;
    bool failed;
};

/** Add a formatted cell; returns it, "" when memory is short. It moves no more. */
const char *zf_cells_add(struct zf_cells *cells, const char *format, ...) ZF_PRINTF(2, 3);

/** A fraction as percent, "38.4", with its deviation where there are several: "38.4 ± 0.3"; "-" for
 * no number. */
const char *zf_cells_add_percent(struct zf_cells *cells, struct zf_spread spread, bool several);

/** ZF_ENOMEM when memory has been short for one of them. */
enum zf_status zf_cells_check(const struct zf_cells *cells, struct zf_error *err);

void zf_cells_release(struct zf_cells *cells);

#endif
