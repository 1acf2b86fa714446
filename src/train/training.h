/* SPDX-License-Identifier: MIT */
/* The inside of a training run, shared by its beginning (start.c) and its course (loop.c). */
#ifndef ZF_TRAIN_TRAINING_H
#define ZF_TRAIN_TRAINING_H

#include "base/file.h"
#include "net/net.h"
#include "ranks/ranks.h"
#include "train/checkpoint.h"
#include "train/tensorboard.h"
#include "zf/train.h"

#define ZF_SHARD_LEVELS 8 /* of their tree, at most */

/* What a rank tells the others with a step. */
struct zf_wish {
    enum zf_status status; /* how it has fared since the last one: a failure becomes everybody's */
    bool stop;             /* it is asked to */
    bool save;             /* it is time for a checkpoint */
};

/* How a batch is cut: see shards.h. */
struct zf_shards {
    int64_t count, size;            /* of a batch; pictures in each */
    int64_t own, first;             /* this rank's: how many, from which on */
    float *sums[ZF_SHARD_LEVELS];   /* that wait for their other half */
    float *total;                   /* where the sum over the batch comes to lie; lent */
    struct zf_sum *ranks;           /* over the ranks */
    struct zf_report *report, *all; /* of a step: this rank's, and everybody's [ranks] */
    size_t report_bytes;            /* of one */
    struct zf_traffic reports;      /* on their way */
    bool stop;                      /* somebody was asked to */
    int64_t *cuts;                  /* [cut_count]: where the parts begin that are sent, from the
                                       last parameters down to 0 */
    size_t cut_count, sent;         /* parts that are on their way, of a step */

    /* Of the step that is done. */
    struct zf_step step;
    struct zf_score score; /* of the batch */
    float factor;          /* of the sums, where pictures are missing */
    bool reported, failed, descends, save;
};

struct zf_training {
    /* What was asked; lent. */
    struct zf_net *net;
    struct zf_data *data, *val; /* val may be NULL */
    const char *run;
    const struct zf_train_options *options;
    struct zf_train_monitor told;
    struct zf_monitor monitor; /* the same for what knows nothing of training */

    /* Where it stands: what a checkpoint holds, with the net's parameters. */
    struct zf_checkpoint at;
    float *velocity; /* in the net's layout; of the parameters whose step is this rank's, and on
                        rank 0 also, when a checkpoint is read or written, of the others */

    /* What it runs on. */
    struct zf_directory_lock lock; /* of `run` */
    int64_t batch, batches;        /* images a step, steps an epoch */
    struct zf_shards shards;       /* of a batch */
    struct zf_plan *plan;
    struct zf_loader *loader;
    float *gradients; /* in the net's layout */
    struct zf_tensor probabilities;
    struct zf_events events;
    char *log;                   /* path */
    struct zf_rank_waits waited; /* before this epoch */
    double pictures_s;           /* waited for them since the start */
    double saved_s;              /* clock at the last checkpoint */
    int64_t skipped_told;        /* bad pictures that the user has heard of */
};

/**
 * Make everything ready for the first step: directory, classes, plan, mean image and weights or
 * the checkpoint, loader and logs. On failure release as well.
 */
enum zf_status zf_training_start(struct zf_training *t, struct zf_error *err);
void zf_training_release(struct zf_training *t);

/** Together: write a checkpoint, on the rank that does; ZF_ENUMERIC when a parameter is not
 * finite. */
enum zf_status zf_training_save(struct zf_training *t, struct zf_error *err);

/** Fail with ZF_ENUMERIC: when, where (`input`: see zf_describe_not_finite()), and advice. */
enum zf_status zf_training_not_finite(const struct zf_training *t, const struct zf_tensor *input,
                                      struct zf_error *err);

#endif
