/* SPDX-License-Identifier: MIT */
/* What the layer types share: the spatial options, and the list of types. */
#ifndef ZF_NET_LAYERS_H
#define ZF_NET_LAYERS_H

#include "net/net.h"

extern const char *const zf_round_choices[]; /* "down", "up" */

extern const char *const zf_extents_all[]; /* "all" */

/* Rows of an option table for a `struct zf_spatial_params` member. */
#define ZF_SPATIAL_OPTIONS(type, member)                                                           \
    ZF_SPATIAL_ROW(type, member, kernel, "HxW", "the window, or 'all' of the map", EXTENTS, 0, 1,  \
                   4096, zf_extents_all),                                                          \
        ZF_SPATIAL_ROW(type, member, stride, "HxW", "step of the window", EXTENTS, 1, 1, 4096,     \
                       NULL),                                                                      \
        ZF_SPATIAL_ROW(type, member, pad, "TxLxBxR", "border", EXTENTS, 0, 0, 4096, NULL),         \
        ZF_SPATIAL_ROW(type, member, dilation, "HxW", "distance of the window's cells", EXTENTS,   \
                       1, 1, 4096, NULL),                                                          \
        ZF_SPATIAL_ROW(type, member, round, "", "what happens to a last window that overhangs",    \
                       CHOICE, 0, 0, 1, zf_round_choices)
#define ZF_SPATIAL_ROW(type, member, field, unit, help, kind, initial, min, max, choices)          \
    ZF_OPTION_ROW_AS(#field, type, member.field, unit, help, ZF_OPTION_##kind, initial, min, max,  \
                     choices)

/* The pads of a window from one number, two or four. */
void zf_window_pads(const struct zf_extents *pad, struct zf_window *window);

/* One number for both, or height and width; false for another count. */
bool zf_extents_pair(const struct zf_extents *extents, int64_t *h, int64_t *w);

/* A value whose extents of 1 are repeated up to `dims`. */
zf_value zf_repeat(const struct zf_emit *e, zf_value value, struct zf_dims dims);

/* zf_spatial_window() for pooling: every window must have a cell inside the map. */
enum zf_status zf_pooling_window(const struct zf_spatial_params *params, struct zf_shape in,
                                 struct zf_inferred *out, struct zf_error *err);

/* What a rectifier that is not relu does on the way down: by its derivative, and by the rule. The
   deconvnet rectifies the signal whatever the rectifier's shape. Paper: section 2.1, step (ii). */
zf_value zf_rectify_signal(struct zf_emit *e, const struct zf_function *function);

/* infer() of the types that keep their input's shape and map cell to cell. */
enum zf_status zf_infer_same(const void *params, const struct zf_shape *in, int count,
                             struct zf_inferred *out, struct zf_error *err);

/* largest() of the types that move or average numbers; of one bounded by 1; and of weights times
   numbers, plus a bias. */
double zf_largest_input(const struct zf_layer *layer, const struct zf_magnitudes *m);
double zf_largest_one(const struct zf_layer *layer, const struct zf_magnitudes *m);
double zf_largest_weighted(const struct zf_layer *layer, const struct zf_magnitudes *m);

/** Whether it is a `function` that takes the logarithm. */
bool zf_layer_is_logarithm(const struct zf_layer *layer);

/** How a `resize` layer makes its rows, or columns, of `from` cells. */
struct zf_sampling zf_resize_sampling(const struct zf_layer *layer, bool rows, int64_t from);

/* DO(name) for each type: its struct zf_layer_type is zf_layer_NAME. */
#define ZF_LAYER_TYPES(DO)                                                                         \
    DO(conv)                                                                                       \
    DO(relu)                                                                                       \
    DO(maxpool)                                                                                    \
    DO(lrn)                                                                                        \
    DO(fc)                                                                                         \
    DO(dropout)                                                                                    \
    DO(softmax)                                                                                    \
    DO(avgpool)                                                                                    \
    DO(scale)                                                                                      \
    DO(leaky)                                                                                      \
    DO(prelu)                                                                                      \
    DO(clip)                                                                                       \
    DO(elu)                                                                                        \
    DO(silu)                                                                                       \
    DO(hardswish)                                                                                  \
    DO(gelu)                                                                                       \
    DO(sigmoid)                                                                                    \
    DO(hardsigmoid)                                                                                \
    DO(tanh)                                                                                       \
    DO(add)                                                                                        \
    DO(sub)                                                                                        \
    DO(mul)                                                                                        \
    DO(concat)                                                                                     \
    DO(slice)                                                                                      \
    DO(shuffle)                                                                                    \
    DO(pad)                                                                                        \
    DO(flatten)                                                                                    \
    DO(gelu_tanh)                                                                                  \
    DO(selu)                                                                                       \
    DO(softplus)                                                                                   \
    DO(mish)                                                                                       \
    DO(threshold)                                                                                  \
    DO(quantise)                                                                                   \
    DO(function)                                                                                   \
    DO(power)                                                                                      \
    DO(norm)                                                                                       \
    DO(convtranspose)                                                                              \
    DO(resize)                                                                                     \
    DO(arrange)                                                                                    \
    DO(constant)                                                                                   \
    DO(matmul)                                                                                     \
    DO(div)                                                                                        \
    DO(max)                                                                                        \
    DO(min)

#define ZF_LAYER_DECLARE(name) extern const struct zf_layer_type zf_layer_##name;
ZF_LAYER_TYPES(ZF_LAYER_DECLARE)

#endif
