/* SPDX-License-Identifier: MIT */
/* What the layer types share: the spatial options, and the list of types. */
#ifndef ZF_NET_LAYERS_H
#define ZF_NET_LAYERS_H

#include "net/net.h"

extern const char *const zf_round_choices[]; /* "down", "up" */

/* Rows of an option table for a `struct zf_spatial_params` member. */
#define ZF_SPATIAL_OPTIONS(type, member)                                                           \
    {"kernel",                                                                                     \
     "px",                                                                                         \
     "side of the square window",                                                                  \
     ZF_OPTION_INT,                                                                                \
     offsetof(type, member.kernel),                                                                \
     0,                                                                                            \
     1,                                                                                            \
     4096,                                                                                         \
     NULL},                                                                                        \
        {"stride", "px", "step of the window", ZF_OPTION_INT, offsetof(type, member.stride), 1, 1, \
         4096,     NULL},                                                                          \
        {"pad", "px", "border on all four sides", ZF_OPTION_INT, offsetof(type, member.pad), 0, 0, \
         4096,  NULL},                                                                             \
    {                                                                                              \
        "round", "", "what happens to a last window that overhangs", ZF_OPTION_CHOICE,             \
            offsetof(type, member.round), 0, 0, 1, zf_round_choices                                \
    }

/* infer() of the types that keep their input's shape and map cell to cell. */
enum zf_status zf_infer_same(const void *params, const struct zf_shape *in, int count,
                             struct zf_inferred *out, struct zf_error *err);

extern const struct zf_layer_type zf_layer_conv;
extern const struct zf_layer_type zf_layer_relu;
extern const struct zf_layer_type zf_layer_maxpool;
extern const struct zf_layer_type zf_layer_lrn;
extern const struct zf_layer_type zf_layer_fc;
extern const struct zf_layer_type zf_layer_dropout;
extern const struct zf_layer_type zf_layer_softmax;

#endif
