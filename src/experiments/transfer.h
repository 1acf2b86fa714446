/* SPDX-License-Identifier: MIT */
/* The inside of a transfer: what is asked (transfer_ask.c), a classifier on a layer
   (transfer_fit.c), the same task without the trained net (transfer_scratch.c), and the course of
   it (transfer.c). */
#ifndef ZF_EXPERIMENTS_TRANSFER_H
#define ZF_EXPERIMENTS_TRANSFER_H

#include "experiments/features.h"
#include "experiments/folds.h"
#include "zf/compare.h"

/* The experiment at work: the options with their defaults, and what it has come to. */
struct zf_transfer_work {
    struct zf_transfer_options options;
    const struct zf_net *net;
    struct zf_data *data;
    const char *directory;
    struct zf_transfer *transfer;
    int *layers;               /* the default ones; owned */
    struct zf_compute compute; /* threads >= 1 */
    int64_t most;              /* largest of per_class */
    struct zf_fold *folds;     /* [options.folds] */
    double *accuracies;        /* [rows][folds] */
    int64_t done, total;       /* fits and trainings */
    int64_t measured;          /* those that came to an accuracy */
    struct zf_features *features;
    const struct zf_train_monitor *told;
    struct zf_monitor monitor; /* the same for what knows nothing of training */
};

/** Fill in the defaults of work->options and check them; sets layers, compute and most. */
enum zf_status zf_transfer_ask(struct zf_transfer_work *work, struct zf_error *err);

/**
 * Fit a classifier on the first per_class images a class of a fold, at options.layers[layer].
 * answers  [fold->test_count] classes; -1 for a picture that could not be read
 */
struct zf_transfer_fit {
    size_t layer; /* of options.layers */
    enum zf_classifier classifier;
    int64_t per_class;
};
enum zf_status zf_transfer_classify(const struct zf_transfer_work *work,
                                    const struct zf_transfer_fit *fit, const struct zf_fold *fold,
                                    int32_t *answers, struct zf_error *err);

/** What must hold for hours of training to be worth beginning. */
enum zf_status zf_transfer_check_scratch(const struct zf_transfer_work *work, struct zf_error *err);

/** Train options.scratch on fold f's images; answers as above. */
enum zf_status zf_transfer_scratch(const struct zf_transfer_work *work, int64_t f,
                                   int64_t per_class, int32_t *answers, struct zf_error *err);

#endif
