/* SPDX-License-Identifier: MIT */
/*
 * Numbers that a page's style needs and that differ from figure to figure. As style attributes they
 * would need a policy that lets any style through (policy.h); as classes they are rules of the
 * page's one style element, which is written before the figures, from those numbers alone.
 */
#ifndef ZF_PAGE_SIZES_H
#define ZF_PAGE_SIZES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum zf_size { ZF_SIZE_COLUMNS, ZF_SIZE_ROWS, ZF_SIZE_PANEL, ZF_SIZE_COUNT };

#define ZF_SIZE_MOST 4096

struct zf_sizes {
    bool used[ZF_SIZE_COUNT][ZF_SIZE_MOST + 1];
};

/* A value outside [1, ZF_SIZE_MOST] has no rule: the page does without. */
void zf_sizes_add(struct zf_sizes *sizes, enum zf_size size, int64_t value);

/* Write the name of the class, "columns-7". */
void zf_sizes_class(FILE *stream, enum zf_size size, int64_t value);

/* Write the rules, ".columns-7 { --columns: 7; }". */
void zf_sizes_css(FILE *stream, const struct zf_sizes *sizes);

#endif
