/* SPDX-License-Identifier: MIT */
/**
 * Convolution by minimal filtering (Winograd; Lavin & Gray 2016): 3x3 filters at stride 1, and 4x4
 * to 6x6 at stride 2.
 *
 * A tile of m x m results needs (m+2) x (m+2) numbers of each map of the source. Both are
 * transformed so that the sum over taps becomes a product number by number, and what is left is the
 * sum over maps: (m+2)^2 products of matrices, with 36/16 multiplications a result instead of 9 for
 * m = 4. Filters are transformed once, for many runs. Their gradient is the same transposed: tiles
 * of the source and of the result's gradient are transformed and multiplied, and what is left is
 * the sum over tiles.
 *
 * At stride 2, the cells of even and odd rows and columns are four sources of their own, whose maps
 * are added up, each with at most 3x3 of the taps.
 *
 * Activations are in blocks of maps: [n, c/lanes, h, w, lanes], maps beyond c being zeros. Where
 * the sides of a map are no multiple of m, the samples of a batch are laid side by side with a pad
 * between, so that tiles may straddle them and few are cut.
 *
 * All results are the same bits for every number of threads.
 */
#ifndef ZF_ENGINE_WINOGRAD_H
#define ZF_ENGINE_WINOGRAD_H

#include "engine/cpu.h"
#include "engine/engine.h"

/* One side of the maps, samples beside one another. */
struct zf_winograd_axis {
    int64_t in, out, pad; /* of one sample */
    int64_t samples, pitch;
    bool shared; /* tiles straddle samples */
    int64_t tiles;
};

struct zf_winograd {
    const struct zf_winograd_kernels *kernels;
    int64_t lanes;
    int64_t side;               /* of a tile of the source: m + 2 */
    int64_t src_maps, dst_maps; /* not rounded up */
    int64_t src_blocks, dst_blocks;
    int64_t kernel, stride;
    int64_t src_groups;           /* src_blocks of each source */
    struct zf_winograd_axis y, x; /* y.samples * x.samples is the batch */
    int64_t tiles;
    int64_t block_tiles, blocks; /* tiles that are worked on together */
    bool shares_blocks;          /* all threads work on one block, else each on its own */
    int threads;
    /* In floats, for the caller to provide. */
    int64_t filters_size, scratch_size;
};

/* How to compute it: src [n,ic,h,w], dst_maps, the pads of the window (0 .. kernel - 1), tiles of
   m x m results (2 or 4). cpu: the most that may be used; the processor must have it. False where
   this is none of the windows above. */
bool zf_winograd_init(struct zf_winograd *w, enum zf_cpu cpu, const struct zf_window *window,
                      struct zf_dims src, int64_t dst_maps, int64_t m, int threads);

/* The same with the best m; false also where direct convolution is as fast. anew: filters are
   transformed for each run. */
bool zf_winograd_choose(struct zf_winograd *w, enum zf_cpu cpu, const struct zf_window *window,
                        struct zf_dims src, int64_t dst_maps, bool anew, int threads);

/* weight [dst_maps, src_maps, kernel, kernel] -> filters [filters_size]. down, at stride 1: weight
   is [src_maps, dst_maps, 3, 3], and the filters are its mirror images: with pads of 2 - pad, this
   is the way down through a convolution. */
void zf_winograd_transform_filters(const struct zf_winograd *w, const float *weight, bool down,
                                   float *filters);

/* bias [dst_maps] or NULL; scratch [scratch_size], aligned to 64 bytes as src and dst. */
void zf_winograd_run(const struct zf_winograd *w, const float *src, const float *filters,
                     const float *bias, bool relu, float *dst, float *scratch);

/* ---- The gradient of the filters ---- */

/* As zf_winograd_choose(); the plan is for the gradient only. */
bool zf_winograd_choose_gradient(struct zf_winograd *w, enum zf_cpu cpu,
                                 const struct zf_window *window, struct zf_dims src,
                                 int64_t dst_maps, int threads);

/* What zf_winograd_init() has made becomes a plan for the gradient. */
void zf_winograd_plan_gradient(struct zf_winograd *w);

/* src and diff_dst in blocks of maps; diff_weight [dst_maps, src_maps, kernel, kernel], diff_bias
   [dst_maps] or NULL: both written completely. scratch [scratch_size], aligned to 64 bytes. */
void zf_winograd_gradient(const struct zf_winograd *w, const float *src, const float *diff_dst,
                          float *diff_weight, float *diff_bias, float *scratch);

#endif
