/* SPDX-License-Identifier: MIT */
/**
 * Response normalisation (struct zf_lrn) of numbers that lie in a strip: some cells of a sample,
 * all maps of each. Whatever the layout they come from, the arithmetic is one pass over the strip:
 *
 *     s[c] = k + alpha/size * sum of src[j]^2 over j = c - before .. c + after
 *     dst[c] = src[c] * s[c]^-beta
 *     diff_src[c] = diff_dst[c] * s[c]^-beta
 *         - 2*alpha*beta/size * src[c] * sum of diff_dst[j] * src[j] * s[j]^(-beta-1)
 *                                        over j = c - after .. c + before
 *
 * The maps of a cell lie side by side, or as rows of as many cells each. Between, before and after
 * them are gaps of zeros, so that windows need no clipping.
 */
#ifndef ZF_ENGINE_LRN_H
#define ZF_ENGINE_LRN_H

#include "engine/cpu.h"
#include "engine/operations.h"

/* How to compute it, and where in a strip the numbers lie. */
struct zf_lrn_plan {
    const struct zf_lrn_kernels *kernels;
    int64_t runs, run, gap; /* a gap, and then runs with a gap behind each, in numbers */
    int64_t step;           /* numbers from one map of a cell to the next */
    int64_t before, after;  /* maps of a window, besides its own; no more than there are */
    int64_t count;          /* numbers from the first run on, in whole vectors */
    int64_t size;           /* of all: floats of memory, aligned to 64 bytes */
    float share, k, exponent, loss;
    uint32_t least, most; /* the bits of scales whose powers the vector code is good for */
};

/* cpu: the most that may be used; the processor must have it. */
void zf_lrn_init(struct zf_lrn_plan *plan, enum zf_cpu cpu, const struct zf_lrn *lrn, int64_t maps,
                 int64_t cells, bool side_by_side);

/* Where map 0 of a cell lies. */
static inline int64_t zf_lrn_at(const struct zf_lrn_plan *plan, int64_t cell)
{
    return plan->gap + cell * (plan->step == 1 ? plan->run + plan->gap : 1);
}

/* All arrays [size]. src: zeros in the gaps; dst: any numbers there afterwards. A number's result
   is the same bits wherever in a strip it lies. */
void zf_lrn_forward(const struct zf_lrn_plan *plan, const float *src, float *dst);

/* diff: diff_dst, which becomes diff_src; scratch [2, size], any numbers. */
void zf_lrn_backward(const struct zf_lrn_plan *plan, const float *src, float *diff, float *scratch);

#endif
