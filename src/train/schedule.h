/* SPDX-License-Identifier: MIT */
#ifndef ZF_TRAIN_SCHEDULE_H
#define ZF_TRAIN_SCHEDULE_H

#include "zf/net.h"

/* Where the learning rate stands; part of a checkpoint. */
struct zf_schedule {
    double lr;
    double best;        /* lowest error so far, INFINITY before the first */
    int64_t best_epoch; /* 0 = none */
    int64_t waited;     /* epochs since the best, or since the rate fell */
    int64_t falls;      /* of the rate */
    int64_t ended;      /* 1 = training is over */
};

/* With the rate of the recipe's batch: see lr_batch. */
struct zf_schedule zf_schedule_begin(const struct zf_recipe *recipe);

/* The rate of a step, of those of the whole training from 0, `steps` an epoch. */
double zf_schedule_rate(const struct zf_schedule *schedule, const struct zf_recipe *recipe,
                        int64_t step, int64_t steps);

/**
 * Tell the error of a finished epoch (NaN counts as no better). After recipe->patience epochs
 * without a lower one, the rate falls by recipe->lr_drop; when that would be more than
 * recipe->drops falls, training ends instead. (Paper: section 3, where it is done by hand.)
 *
 * Returns whether the error is the lowest so far.
 */
bool zf_schedule_epoch(struct zf_schedule *schedule, const struct zf_recipe *recipe, int64_t epoch,
                       double error);

#endif
