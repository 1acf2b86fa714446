/* SPDX-License-Identifier: MIT */
#ifndef ZF_TRAIN_LOSS_H
#define ZF_TRAIN_LOSS_H

#include "zf/tensor.h"

/* Sums over images; part of a checkpoint. */
struct zf_score {
    double loss; /* sum of the cross-entropies */
    int64_t images, top1_wrong, top5_wrong;
};

/**
 * Add the images of one batch.
 *
 * probabilities  [n, classes, 1, 1]
 * labels         [n]; images with a label < 0 do not count
 *
 * A probability of 0 counts as the smallest float, so that a confident mistake costs 87 and not
 * infinity. Classes of equal probability rank by index; NaN is never right.
 */
void zf_score_add(struct zf_score *score, const struct zf_tensor *probabilities,
                  const int32_t *labels);

/** The most probable class; of equal ones the first, and NaN never. */
int32_t zf_most_probable(const float *probabilities, int64_t classes);

/** total += part */
void zf_score_merge(struct zf_score *total, const struct zf_score *part);

/* Means over the images; NaN when there are none. */
double zf_score_loss(const struct zf_score *score);
double zf_score_top1_error(const struct zf_score *score);
double zf_score_top5_error(const struct zf_score *score);

#endif
