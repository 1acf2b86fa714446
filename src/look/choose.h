/* SPDX-License-Identifier: MIT */
/* What is looked at when nobody says otherwise: sizes, layers, and the strongest. */
#ifndef ZF_LOOK_CHOOSE_H
#define ZF_LOOK_CHOOSE_H

#include "zf/plan.h"

/* `pixels` of an input of 224 px, in proportion; at least 1. */
int64_t zf_choose_pixels(const struct zf_net *net, int64_t pixels);

/* `pixels`, but no more than `of_paper` px of an input of 224 px are of this net's. */
int64_t zf_choose_at_most(const struct zf_net *net, int64_t pixels, int64_t of_paper);

/* Side of a square that hides; ZF_EINPUT for one (> 0) that is larger than the input. */
enum zf_status zf_choose_square(const struct zf_net *net, int64_t wanted, int64_t *side,
                                struct zf_error *err);

/* The last convolution, or the rectifier behind it. ZF_EUNSUPPORTED without one. */
enum zf_status zf_choose_last_conv(const struct zf_net *net, bool rectified, int *layer,
                                   struct zf_error *err);

/* The end of the first convolution's stage: the layer before the next one with weights. */
enum zf_status zf_choose_first_stage(const struct zf_net *net, int *layer, struct zf_error *err);

/* The last hidden layer: what the classifier stands on, dropout left aside; or what that is before
   its rectifier, the last layer with weights below the classifier. */
enum zf_status zf_choose_last_hidden(const struct zf_net *net, bool rectified, int *layer,
                                     struct zf_error *err);

/**
 * The layers to look at when none is named: of a deep net those that end a stage, otherwise, or if
 * `all`, every convolution.
 *
 * layers  handed over, free with zf_free(); NULL when there is no convolution
 * stages  whether they are those that end a stage
 *
 * ZF_ENOMEM.
 */
enum zf_status zf_choose_stages(const struct zf_net *net, bool all, int **layers, size_t *count,
                                bool *stages, struct zf_error *err);

/* ZF_EINVAL unless all of `layers` are the net's, and there are some. */
enum zf_status zf_check_layers(const struct zf_net *net, const int *layers, size_t count,
                               struct zf_error *err);

/* The first of the largest. */
int64_t zf_first_largest(const float *values, int64_t count);

#endif
