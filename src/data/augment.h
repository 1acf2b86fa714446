/* SPDX-License-Identifier: MIT */
/* Random views of a square: where to crop, and a resized window where that is asked for. */
#ifndef ZF_DATA_AUGMENT_H
#define ZF_DATA_AUGMENT_H

#include "base/random.h"
#include "zf/image.h"

/**
 * A crop of the net's input size with its corner anywhere, mirrored or not with equal chances.
 * (Paper: section 3, which takes the corners and the centre.)
 */
struct zf_view zf_augment_crop(struct zf_random *random, const struct zf_preparation *preparation,
                               struct zf_shape input);

/**
 * A window of the input's proportions, of min_scale to all of the square's side, anywhere in it,
 * brought to the input's size by bilinear sampling (it shrinks by size / crop at most, which needs
 * no smoothing before).
 *
 * square   as the preparation resizes to
 * resized  of the same size, allocated: what lies under the centre crop is written, so that the
 * mean subtracted from it is the centre's
 *
 * Returns the view of `resized` to prepare: the centre crop, mirrored or not.
 */
struct zf_view zf_augment_window(struct zf_random *random, const struct zf_preparation *preparation,
                                 struct zf_shape input, double min_scale,
                                 const struct zf_picture *square, struct zf_picture *resized);

#endif
