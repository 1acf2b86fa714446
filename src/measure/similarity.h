/* SPDX-License-Identifier: MIT */
/* How alike two filters, or two projections, are. */
#ifndef ZF_MEASURE_SIMILARITY_H
#define ZF_MEASURE_SIMILARITY_H

#include "zf/net.h"

/* Cosine of two vectors, in [-1, 1]; two zeros are alike, a zero and another are not (0). */
double zf_cosine(const float *a, const float *b, size_t count);

/**
 * The same of two patches, [c, height, width] of their boxes, laid over each other by an offset:
 * pixel (y, x) of a meets (y - dy, x - dx) of b. What does not meet counts as zero.
 */
double zf_patch_cosine(const float *a, struct zf_box box_a, const float *b, struct zf_box box_b,
                       int64_t dy, int64_t dx, int64_t channels);

/**
 * The filters of a layer: its weight, one row of *length values for each of *count maps. Lent.
 * False when the layer has none.
 */
bool zf_layer_filters(const struct zf_net *net, int layer, struct zf_parameter *weight,
                      size_t *length);

#endif
