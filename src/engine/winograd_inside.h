/* SPDX-License-Identifier: MIT */
/* Inside Winograd's algorithm: what its two schedules, winograd.c and winograd_gradient.c, know of
   the arithmetic, which is in winograd_kernels.h. */
#ifndef ZF_ENGINE_WINOGRAD_INSIDE_H
#define ZF_ENGINE_WINOGRAD_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

struct zf_winograd;

#define ZF_WINOGRAD_WIDTH 2 /* vectors of maps of the result that are summed together */

/* Tiles that are worked on together, and blocks of their maps. */
struct zf_winograd_part {
    int64_t tile, tiles;
    int64_t group, groups;
    int64_t src_step, dst_step; /* floats from one place in the tile to the next */
};

struct zf_winograd_kernels {
    int64_t lanes, tiles;
    void (*transform_source)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                             const float *src, float *to);
    void (*multiply)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                     const float *v, const float *filters, float *m);
    void (*transform_result)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                             const float *from, const float *bias, bool relu, float *dst);
    void (*transform_filters)(const struct zf_winograd *w, const float *weight, bool down,
                              int64_t group, float *filters);
    /* Of the gradient, where all goes the other way. */
    void (*spread_result)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                          const float *diff_dst, float *to);
    void (*add_products)(const struct zf_winograd *w, const struct zf_winograd_part *part,
                         int64_t place, const float *v, const float *m, float *sums);
    void (*gather_filters)(const struct zf_winograd *w, const float *sums, int64_t group,
                           float *diff_weight);
    void (*add_cells)(const struct zf_winograd *w, const float *diff_dst, int64_t group,
                      float *diff_bias);
};

#endif
