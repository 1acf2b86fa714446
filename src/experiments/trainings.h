/* SPDX-License-Identifier: MIT */
/* What the experiments that train share: one training among several, begun, gone on with, or found
   finished; and means over them. */
#ifndef ZF_EXPERIMENTS_TRAININGS_H
#define ZF_EXPERIMENTS_TRAININGS_H

#include "zf/document.h"
#include "zf/experiment.h"
#include "zf/train.h"

struct zf_variant {
    const char *net; /* a spec file or the name of a built-in net; lent */
    struct zf_recipe recipe;
};

/** A net's own recipe, under what the call's settings say. `classes` as in zf_net_load_spec(). */
enum zf_status zf_variant_read(struct zf_variant *variant, const struct zf_call *call,
                               const char *net, int64_t classes, struct zf_error *err);

/** Options of training as far as a call says them; the recipe and the run are left. */
struct zf_train_options zf_training_options(const struct zf_call *call, bool resume, bool strict);

/** After a stop on request: ZF_ECANCELED with what `kept` was done, and how to go on. */
enum zf_status zf_training_stopped(const struct zf_call *call, const char *kept,
                                   struct zf_error *err);

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

/* Mean and sample deviation over runs or folds; the deviation of one is 0. */
struct zf_spread {
    double mean, deviation;
};

/** Mean and sample deviation of count values, `stride` bytes apart. */
struct zf_spread zf_spread_of(const double *first, size_t count, size_t stride);

/** A fraction as a cell in percent, "38.4", with its deviation where there are several: "38.4 ±
 * 0.3";
 *  "-" for no number. */
void zf_document_percent(struct zf_document *document, struct zf_spread spread, bool several);

#endif
