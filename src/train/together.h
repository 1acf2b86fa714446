/* SPDX-License-Identifier: MIT */
/* The beginning of a training that several ranks share: see zf/ranks.h. Of one that is alone, all
   of these do nothing. */
#ifndef ZF_TRAIN_TOGETHER_H
#define ZF_TRAIN_TOGETHER_H

#include "train/training.h"

/** Is this the rank that writes? */
bool zf_training_writes(const struct zf_training *t);

/**
 * Were all ranks asked for the same, by the same program on the same kind of engine? ZF_EINPUT
 * names the first that differs from rank 0, and in what.
 */
enum zf_status zf_together_compare(struct zf_training *t, struct zf_error *err);

/**
 * Rank 0's state becomes everybody's: parameters, velocity, labels, mean image and where the run
 * stands. `begun` is how rank 0 has fared with it.
 */
enum zf_status zf_together_share(struct zf_training *t, enum zf_status begun, struct zf_error *err);

#endif
