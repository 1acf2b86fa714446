/* SPDX-License-Identifier: MIT */
/**
 * The operations that nets are made of: what each computes, on which extents, and the list of them.
 *
 * An operation is declared once, by the type of its function. Of ZF_OPERATIONS, the list of their
 * names, are made the fields of zf_engine_ops, the declarations of each engine and its table's
 * rows.
 */
#ifndef ZF_ENGINE_OPERATIONS_H
#define ZF_ENGINE_OPERATIONS_H

#include "engine/sampling.h"
#include "zf/base.h"

struct zf_engine;

typedef int zf_value;
#define ZF_NO_VALUE (-1)

/* Extents of a value: activations n c h w; filters o i h w with i per group; biases o. */
struct zf_dims {
    int rank;
    int64_t d[4];
};

/* Sliding window of a convolution or pooling. Right and bottom pads may differ from left and top:
   the paper's rounding up needs it. All >= 0, kernel and stride >= 1. */
struct zf_window {
    int64_t kernel_h, kernel_w;
    int64_t stride_h, stride_w;
    int64_t pad_top, pad_left, pad_bottom, pad_right;
    int64_t groups;             /* convolution only; >= 1 */
    int64_t dilate_h, dilate_w; /* cells skipped between taps: 0 where the dilation is 1 */
};

/* Cross-map response normalisation: x / (k + alpha/size * sum of squares over size maps)^beta.
   Krizhevsky et al. 2012, section 3.3, with the alpha of the frameworks (divided by size). The
   sum runs over maps c - (size-1)/2 .. c + size/2 that exist, for even sizes too. */
struct zf_lrn {
    int64_t size;
    float alpha, beta, k;
};

/* What maps each number by itself, besides the plain rectifier. */
enum zf_function_kind {
    ZF_LEAKY,   /* x > 0 ? x : a x */
    ZF_CLIP,    /* min(max(x, a), b) */
    ZF_ELU,     /* x > 0 ? x : a (e^x - 1) */
    ZF_SIGMOID, /* 1 / (1 + e^-x) */
    ZF_TANH,
    ZF_HARDSIGMOID, /* min(max(a x + b, 0), 1) */
    ZF_HARDSWISH,   /* x min(max(x / 6 + 1/2, 0), 1) */
    ZF_SILU,        /* x / (1 + e^-x) */
    ZF_GELU,        /* x (1 + erf(x / sqrt 2)) / 2 */
    ZF_LINEAR,      /* a x + b */
    /* From here on every engine computes them by curve.h: */
    ZF_SELU,      /* b (x > 0 ? x : a (e^x - 1)) */
    ZF_SOFTPLUS,  /* log(1 + e^x) */
    ZF_MISH,      /* x tanh(log(1 + e^x)) */
    ZF_THRESHOLD, /* x > a ? x : 0 */
    ZF_GELU_TANH, /* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */
    ZF_SOFTSIGN,  /* x / (1 + |x|) */
    ZF_ERF,
    ZF_EXP,
    ZF_LOG,
    ZF_POWER, /* x^a */
    ZF_ABS,
    ZF_SIN,
    ZF_COS,
    ZF_ATAN,
    ZF_SIGN, /* -1, 0, 1 */
    ZF_FLOOR,
    ZF_CEIL,
    ZF_ROUND, /* halves to even */
    ZF_LEVEL, /* x / a rounded, as in float; its slope is taken for 1 / a */
};

struct zf_function {
    enum zf_function_kind kind;
    float a, b;
};

enum zf_combination { ZF_SUM, ZF_DIFFERENCE, ZF_PRODUCT, ZF_QUOTIENT, ZF_LARGER, ZF_SMALLER };

#define ZF_ATOMS 16 /* most runs that an arrangement is made of */

/* The numbers of a sample in another order: cell (i0, i1, ...) of the runs, the last the fastest,
   is number offset + sum of ik * strides[k] of the source. A stride of 0 repeats, a negative one
   goes backwards; what no cell names is left out. */
struct zf_arrangement {
    int count;
    int64_t extents[ZF_ATOMS], strides[ZF_ATOMS];
    int64_t offset;
};

/* Of a box: its first cell on the map, which may lie outside. */
struct zf_corner {
    int64_t y, x;
};

/* What a cut has inside the map. The last two need both patch and base. */
enum zf_cut_kind {
    ZF_CUT_OVER,       /* the patch where it covers the map, else the base */
    ZF_CUT_DIFFERENCE, /* patch - base where it covers the map, else zeros */
    ZF_CUT_SUM,        /* base, plus the patch where it covers the map */
};

/* A box of each sample's map, all of one size, each at a place of its own: cells outside the map
   are `fill`. Sums, differences and rectifying are for engines that compute in float32. */
struct zf_cut {
    enum zf_cut_kind kind;
    bool rectify;          /* numbers inside the map below zero become zero */
    struct zf_dims dims;   /* of the result */
    int64_t height, width; /* of the map */
    int at;                /* row of zf_run.corners: where the boxes begin */
    zf_value base;         /* maps; that of sample i is zf_run.samples[i]. None: zeros */
    zf_value patch;        /* boxes that lie over the map, or none ... */
    int patch_at;          /* ... and the row of their corners */
    float fill;
};

/* How a rectifier passes a signal down. Zeiler & Fergus 2013, section 2.1. */
enum zf_rectify {
    ZF_RECTIFY_SIGNAL, /* deconvnet: max(0, signal) */
    ZF_RECTIFY_MASK,   /* gradient: signal where the forward output was > 0 */
    ZF_RECTIFY_BOTH,   /* guided: both */
};

/* src [n,ic,h,w], weight [oc,ic/groups,kh,kw], bias [oc] or none -> dst [n,oc,oh,ow];
   relu: rectified on the way out. */
typedef zf_value zf_op_conv_forward(struct zf_engine *e, const struct zf_window *window,
                                    zf_value src, zf_value weight, zf_value bias, bool relu);
/* diff_dst -> diff_src of src_dims: the transposed filters. Also the paper's step (iii). */
typedef zf_value zf_op_conv_backward_data(struct zf_engine *e, const struct zf_window *window,
                                          zf_value diff_dst, zf_value weight,
                                          struct zf_dims src_dims);
typedef void zf_op_conv_backward_weights(struct zf_engine *e, const struct zf_window *window,
                                         zf_value src, zf_value diff_dst, zf_value diff_weight,
                                         zf_value diff_bias);

/* src [n,...] seen as [n,i], weight [o,i], bias [o] or none -> dst [n,o,1,1]. */
typedef zf_value zf_op_fc_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                                  bool relu);
typedef zf_value zf_op_fc_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                        struct zf_dims src_dims);
typedef void zf_op_fc_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                       zf_value diff_weight, zf_value diff_bias);

/* Max pooling; ties go to the first in row-major order, pads never win. *switches: NULL, or
   set to where each maximum came from, in the engine's own form. */
typedef zf_value zf_op_maxpool_forward(struct zf_engine *e, const struct zf_window *window,
                                       zf_value src, zf_value *switches);
/* Each value returns to its switch; windows that share a maximum add up. */
typedef zf_value zf_op_unpool(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                              zf_value switches, struct zf_dims src_dims);

/* The same for boxes of the map, whose switches are looked for again. box->patch: the signal; the
   first window of sample i begins at corners[patch_at], less the window's pads. box->base: the maps
   that were pooled. Each value goes to the maximum of its window in the map, if that is inside the
   box. */
typedef zf_value zf_op_unpool_box(struct zf_engine *e, const struct zf_window *window,
                                  const struct zf_cut *box);

/* Average pooling. inside: divided by the cells of the window that lie inside the map; else by
   all of its cells, pads counting as zeros. No dilation. */
typedef zf_value zf_op_avgpool_forward(struct zf_engine *e, const struct zf_window *window,
                                       zf_value src, bool inside);
typedef zf_value zf_op_avgpool_backward(struct zf_engine *e, const struct zf_window *window,
                                        zf_value diff_dst, bool inside, struct zf_dims src_dims);

/* *workspace: NULL, or set to what lrn_backward wants back. */
typedef zf_value zf_op_lrn_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                                   zf_value *workspace);
typedef zf_value zf_op_lrn_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                                    zf_value diff_dst, zf_value workspace);

typedef zf_value zf_op_relu_forward(struct zf_engine *e, zf_value src);
/* dst: the forward output (unused by ZF_RECTIFY_SIGNAL: may be none). The signal is
   overwritten: the result may be the same value. */
typedef zf_value zf_op_rectify(struct zf_engine *e, enum zf_rectify how, zf_value signal,
                               zf_value dst);

/* Any other function of one number; backward is diff_dst times the derivative at src. */
typedef zf_value zf_op_function_forward(struct zf_engine *e, const struct zf_function *function,
                                        zf_value src);
typedef zf_value zf_op_function_backward(struct zf_engine *e, const struct zf_function *function,
                                         zf_value src, zf_value diff_dst);

/* dst = weight[c] * src + bias[c]; either may be none, as may its gradient. */
typedef zf_value zf_op_scale_forward(struct zf_engine *e, zf_value src, zf_value weight,
                                     zf_value bias);
typedef void zf_op_scale_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                          zf_value diff_weight, zf_value diff_bias);

/* Zero a share `rate` of the values and scale the rest by 1 / (1 - rate). Value i (row-major)
   is kept when zf_dropout_keeps() says so, counted from the first sample of the whole batch: the
   same masks on every engine, so backward is the same operation on the gradient. Copies when the
   run's dropout_key is 0. */
typedef zf_value zf_op_dropout(struct zf_engine *e, zf_value src, float rate, uint64_t layer);

/* Over c of each cell. */
typedef zf_value zf_op_softmax_forward(struct zf_engine *e, zf_value src);
typedef zf_value zf_op_softmax_backward(struct zf_engine *e, zf_value dst, zf_value diff_dst);
/* Of [n,c,1,1]: the gradient of the mean cross-entropy at the logits: (dst - onehot(label)) /
   labelled, or / run.whole in a part of a batch. Rows without a label, or from run.count on, are
   zero. */
typedef zf_value zf_op_cross_entropy_backward(struct zf_engine *e, zf_value dst);

/* a + b, where an output has several users. May overwrite a. */
typedef zf_value zf_op_add(struct zf_engine *e, zf_value a, zf_value b);

/* a with b, a new value; where an extent of b is 1 (never n) it is repeated. */
typedef zf_value zf_op_combine(struct zf_engine *e, enum zf_combination how, zf_value a,
                               zf_value b);
/* The way back of repeating: summed over the extents that are 1 in `dims`; many in double. */
typedef zf_value zf_op_sum_to(struct zf_engine *e, zf_value value, struct zf_dims dims);

/* Moving: maps behind one another; the box of `dims` at `at` (n is 0 and whole); a value as
   such a box among zeros; maps [g, c/g] transposed (ShuffleNet); the same numbers under other
   extents; a copy that may be overwritten. */
typedef zf_value zf_op_concat(struct zf_engine *e, const zf_value *parts, int count);
typedef zf_value zf_op_slice(struct zf_engine *e, zf_value value, struct zf_dims at,
                             struct zf_dims dims);
typedef zf_value zf_op_embed(struct zf_engine *e, zf_value value, struct zf_dims at,
                             struct zf_dims dims);
typedef zf_value zf_op_shuffle(struct zf_engine *e, zf_value value, int64_t groups);
typedef zf_value zf_op_reshape(struct zf_engine *e, zf_value value, struct zf_dims dims);
typedef zf_value zf_op_copy(struct zf_engine *e, zf_value value);

/* All numbers of each sample in the order of *how, as [n, dims]; and back: each number added to
   where it came from, zero where none did. */
typedef zf_value zf_op_arrange(struct zf_engine *e, const struct zf_arrangement *how, zf_value src,
                               struct zf_dims dims);
typedef zf_value zf_op_arrange_back(struct zf_engine *e, const struct zf_arrangement *how,
                                    zf_value diff_dst, struct zf_dims src_dims);

/* Rows (axis 2) or columns (axis 3) read anew: extent how->from becomes how->to; and back. */
typedef zf_value zf_op_resample(struct zf_engine *e, const struct zf_sampling *how, int axis,
                                zf_value src);
typedef zf_value zf_op_resample_back(struct zf_engine *e, const struct zf_sampling *how, int axis,
                                     zf_value diff_dst);

/* Boxes whose places are known only when the program runs. */
typedef zf_value zf_op_cut(struct zf_engine *e, const struct zf_cut *cut);

/* DO(name) for each. */
#define ZF_OPERATIONS(DO)                                                                          \
    DO(conv_forward)                                                                               \
    DO(conv_backward_data)                                                                         \
    DO(conv_backward_weights)                                                                      \
    DO(fc_forward)                                                                                 \
    DO(fc_backward_data)                                                                           \
    DO(fc_backward_weights)                                                                        \
    DO(maxpool_forward)                                                                            \
    DO(unpool)                                                                                     \
    DO(unpool_box)                                                                                 \
    DO(avgpool_forward)                                                                            \
    DO(avgpool_backward)                                                                           \
    DO(lrn_forward)                                                                                \
    DO(lrn_backward)                                                                               \
    DO(relu_forward)                                                                               \
    DO(rectify)                                                                                    \
    DO(function_forward)                                                                           \
    DO(function_backward)                                                                          \
    DO(scale_forward)                                                                              \
    DO(scale_backward_weights)                                                                     \
    DO(dropout)                                                                                    \
    DO(softmax_forward)                                                                            \
    DO(softmax_backward)                                                                           \
    DO(cross_entropy_backward)                                                                     \
    DO(add)                                                                                        \
    DO(combine)                                                                                    \
    DO(sum_to)                                                                                     \
    DO(concat)                                                                                     \
    DO(slice)                                                                                      \
    DO(embed)                                                                                      \
    DO(shuffle)                                                                                    \
    DO(reshape)                                                                                    \
    DO(copy)                                                                                       \
    DO(arrange)                                                                                    \
    DO(arrange_back)                                                                               \
    DO(resample)                                                                                   \
    DO(resample_back)                                                                              \
    DO(cut)

/** The mask of dropout: is element `index` of layer `layer` kept in the step named by `key`? */
bool zf_dropout_keeps(uint64_t key, uint64_t layer, uint64_t index, float rate);

/* Output extent of a window along one side: floor, or the paper's (cuda-convnet's) ceiling, where
   the last window overhangs but always begins inside the map or its leading pad. < 1 if the
   kernel does not fit. */
int64_t zf_window_extent(int64_t in, int64_t kernel, int64_t stride, int64_t pad_before,
                         int64_t pad_after, bool round_up);

/* Cells from a window's first tap to its last, both included. */
int64_t zf_window_reach(int64_t kernel, int64_t dilate);

/* Extents of a map of `in` behind a window whose pads hold what rounding up added. */
struct zf_dims zf_window_dims(const struct zf_window *window, struct zf_dims in, int64_t maps);

#endif
