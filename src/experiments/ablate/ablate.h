/* SPDX-License-Identifier: MIT */
/* Ablation: the measurement (measure.c) and the document (page.c). */
#ifndef ZF_EXPERIMENTS_ABLATE_H
#define ZF_EXPERIMENTS_ABLATE_H

#include "experiments/table.h"
#include "experiments/trainings.h"

/* ---- measure.c ---- */

#define ZF_ABLATE_MOST_SEEDS 1000

struct zf_ablate_options {
    const struct zf_variant *variants; /* lent */
    size_t variant_count;
    int64_t seeds; /* runs a variant, >= 1: of seeds train.seed, train.seed + 1, ... */
    struct zf_train_options train; /* of every run; its recipe is the variant's. With `resume`,
                                      runs that are there go on, and finished ones are not done
                                      again. */
};

/* One run. Errors are fractions, of the model that was best in validation, on centre crops. */
struct zf_ablation_run {
    int64_t seed;
    int64_t epochs, best_epoch; /* trained; whose model it is */
    double train_top1_error, val_top1_error, val_top5_error;
    double seconds; /* of training */
};

struct zf_ablation_row {
    char *net; /* its name */
    int64_t parameters;
    struct zf_ablation_run *runs; /* [zf_ablation.seeds] */
    struct zf_spread train_top1_error, val_top1_error, val_top5_error, epochs, seconds;
};

struct zf_ablation {
    size_t row_count;
    struct zf_ablation_row *rows;
    int64_t seeds;
    int64_t classes, train_images, val_images;
    struct zf_recipe recipe; /* of the first variant */
    char *data_name, *val_name;
};

/**
 * Train every variant on the same data with the same budget and seeds, and measure its errors on
 * the training and the validation data. (Paper: table 3.)
 *
 * data, val  lent; both needed
 * directory  each run is in directory/NET-sSEED/, as zf_train_run() leaves it; ranks
 *            (options->train.compute) share the runs, and so need to see the same directory; the
 *            first has the results
 * out        handed over; free with zf_ablation_free()
 *
 * Everything that can be checked is checked before the first run begins: ZF_EINPUT for a net that
 * cannot take the data's classes or two of one name, ZF_EINVAL for budgets that differ, or for runs
 * that are there without `resume`. ZF_ECANCELED after a stop by the monitor (what was done is
 * kept), and what zf_train_run() and zf_eval_run() return.
 */
enum zf_status zf_ablate_run(const struct zf_ablate_options *options, struct zf_data *data,
                             struct zf_data *val, const char *directory, struct zf_ablation **out,
                             const struct zf_train_monitor *monitor, struct zf_error *err);
void zf_ablation_free(struct zf_ablation **ablation);

/* ---- page.c ---- */

void zf_ablate_page(const struct zf_ablation *ablation, struct zf_document *document);

#endif
