/* SPDX-License-Identifier: MIT */
/* One training among several of an experiment: begun, gone on with, or found finished. */
#ifndef ZF_EXPERIMENTS_MEMBER_H
#define ZF_EXPERIMENTS_MEMBER_H

#include "zf/compare.h"

struct zf_member {
    const struct zf_variant *variant;
    const char *run; /* directory */
    int64_t seed;
    const struct zf_train_options *train; /* all but recipe and seed */
};

/* What came of it. */
struct zf_member_result {
    struct zf_net *net; /* its model; free with zf_net_free() */
    int64_t epochs, best_epoch;
    double seconds;
};

/**
 * ZF_EINVAL, with the way out, when the run is there already and not to be gone on with: found out
 * before hours have gone into its neighbours.
 */
enum zf_status zf_member_check(const struct zf_member *member, struct zf_error *err);

/**
 * Train the member to its end, from where it stands where train->resume is set, and load the model.
 * val  may be NULL
 */
enum zf_status zf_member_run(const struct zf_member *member, struct zf_data *data,
                             struct zf_data *val, struct zf_member_result *result,
                             const struct zf_train_monitor *monitor, struct zf_error *err);

/** Mean and sample deviation of count values, `stride` bytes apart. */
struct zf_spread zf_spread_of(const double *first, size_t count, size_t stride);

#endif
