/* SPDX-License-Identifier: MIT */
/* Random splits of a data set, class by class, as pure functions of (seed, fold). */
#ifndef ZF_LEARN_FOLDS_H
#define ZF_LEARN_FOLDS_H

#include "zf/data.h"

/* Samples of one fold. Those to train on come in rounds, one of each class in turn, so the first
   n * classes of them are n a class. */
struct zf_fold {
    int64_t *train; /* [train_count = most * classes] */
    int64_t train_count;
    int64_t *test; /* ascending */
    int64_t test_count;
};

/**
 * Draw fold `fold` (from 0): `most` images of each class to train on, and up to `test_per_class`
 * of its others to test on. Release with zf_fold_release().
 *
 * Returns ZF_EINPUT for a class with fewer than most + 1 images, named with the numbers; ZF_ENOMEM.
 */
enum zf_status zf_fold_draw(struct zf_fold *out, const struct zf_data *data, int64_t most,
                            int64_t test_per_class, uint64_t seed, int64_t fold,
                            struct zf_error *err);
void zf_fold_release(struct zf_fold *fold); /* accepts empty */

/** For qsort() and bsearch() over int64_t. */
int zf_compare_samples(const void *a, const void *b);

#endif
