/* SPDX-License-Identifier: MIT */
/**
 * A batch in shards: equal parts whose gradients are computed one by one and added up in a binary
 * tree, (0 + 1) + (2 + 3) and so on. The tree is over the shards, not over who computes them, so
 * that any number of ranks comes to the same bits. One shard is the batch as it is.
 */
#ifndef ZF_TRAIN_SHARDS_H
#define ZF_TRAIN_SHARDS_H

#include "train/training.h"

#define ZF_SHARDS_BY_DEFAULT 16 /* where there are ranks */
#define ZF_SHARDS_MOST (1 << ZF_SHARD_LEVELS)

/** How many shards `batch` pictures can have: ZF_EINVAL says which numbers they can. */
enum zf_status zf_shards_check(int64_t shards, int64_t batch, const struct zf_ranks *ranks,
                               struct zf_error *err);

/** Room for t->at.shards of t->batch pictures. ZF_ENOMEM. */
enum zf_status zf_shards_init(struct zf_training *t, struct zf_error *err);
void zf_shards_release(struct zf_training *t); /* accepts empty */

/**
 * Together: one step on the next batch, the same on all ranks.
 *
 * wish   what this rank has to tell since the last step; behind the step, t->shards.stop and .save
 *        say whether a rank wants one
 * score  of the batch, added to
 */
enum zf_status zf_shards_step(struct zf_training *t, const struct zf_wish *wish,
                              struct zf_score *score, struct zf_error *err);

#endif
