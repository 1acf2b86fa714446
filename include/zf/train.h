/* SPDX-License-Identifier: MIT */
/**
 * Training by the paper's recipe (section 3), resumable bit for bit, and evaluation.
 */
#ifndef ZF_TRAIN_H
#define ZF_TRAIN_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/net.h"
#include "zf/plan.h"
#include "zf/ranks.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a run is asked to do; `recipe` starts as the net's own, zf_net_recipe(). */
struct zf_train_options {
    struct zf_recipe recipe;
    int64_t seed;
    int64_t save_every_s;      /* a checkpoint at least this often; 0 = at the end of epochs only */
    bool strict;               /* a bad picture stops the run */
    bool resume;               /* go on from RUN/checkpoint; fails if there is none */
    const int64_t *keep;       /* epochs whose model is kept; NULL = 1,2,5,10,20,30,40,64 */
    size_t keep_count;         /* the last epoch is kept always */
    bool continues;            /* begin with the net's own parameters, labels and preparation, as
                                  zf_net_continue() gives them */
    struct zf_compute compute; /* the batch is the recipe's. Its ranks share it: a power of two of
                                  them, at most `shards` */
    int64_t shards; /* equal parts of a batch, 1, 2, 4, ... 256, whose gradients are added
                       up in a fixed tree; 0 = as the run was begun, else 16 where there
                       are ranks, else 1: the batch as it is */
};

/* How long a rank waited in an epoch, since this process began: for its pictures, and for others.
 */
struct zf_rank_waits {
    double pictures_s, ranks_s;
};

/* One finished epoch: a line of log.jsonl. Errors are fractions. */
struct zf_epoch {
    int64_t epoch; /* from 1 */
    double loss;   /* mean over the epoch's training images, with dropout */
    double train_top1_error;
    double val_loss; /* mean over the validation images, without dropout; this and the next two are
                        NaN without validation data */
    double val_top1_error, val_top5_error;
    double lr, seconds, images_per_second;
    double waited_seconds; /* for the loader */
    double wait;           /* their share of `seconds` */
    int64_t skipped;       /* bad pictures so far */
    const char *from;      /* zf_net_from() of the net; NULL = none. Lent */
    int ranks;             /* that shared it; 1 = it was alone, and what follows is NULL */
    const struct zf_rank_waits *waits; /* [ranks]. Lent */
};

/* Where a run is, after a step. */
struct zf_train_state {
    int64_t epoch, epochs;          /* from 1 */
    int64_t step, steps;            /* of the epoch, from 1 */
    double loss;                    /* of the step's pictures */
    double images_per_second, wait; /* of the epoch so far; see struct zf_epoch */
};

/* How training reports back; every field may be NULL. Runs on the calling thread. */
struct zf_train_monitor {
    void *user;
    /* After each step. Returning false saves a checkpoint and returns ZF_ECANCELED. */
    bool (*step)(void *user, const struct zf_train_state *state);
    void (*epoch)(void *user, const struct zf_epoch *epoch, bool best);
    void (*message)(void *user, const char *sentence);
    /* Once, when the run has come to its end: the last epoch, and the best of the whole run with
       its error (of validation, or the training loss without), also when it was resumed. */
    void (*end)(void *user, int64_t epoch, int64_t best_epoch, double best);
    /* Progress of validation, of the mean image, ...: as zf_monitor. */
    bool (*progress)(void *user, const char *stage, int64_t done, int64_t total);
};

/**
 * Train `net` on `data`.
 *
 * net      built, its class count that of the data; parameters, labels and the per-pixel mean are
 *          set by this call (initial draw, or from the checkpoint) and trained in place; with
 *          options->continues those that it has are where training begins
 * data     training data; val: NULL, or validation data. Lent, and kept: see zf_data_keep().
 * run      directory of the run, made if missing: model.safetensors (best on val, or the last),
 *          checkpoint, checkpoint.previous, epochs/NNNN.safetensors, log.jsonl, events for
 *          TensorBoard
 *
 * Returns ZF_ECANCELED after a stop by the monitor (a checkpoint is there), ZF_ENUMERIC when the
 * loss is not finite (step, first layer at fault, advice), ZF_EINPUT when the checkpoint or the
 * data does not fit the net or the run, or another training is running in `run`; ZF_EINVAL when
 * `run` already holds a run and resume is off; ZF_EIO with the last good checkpoint intact;
 * ZF_ENOMEM.
 */
ZF_API enum zf_status zf_train_run(struct zf_net *net, struct zf_data *data, struct zf_data *val,
                                   const char *run, const struct zf_train_options *options,
                                   const struct zf_train_monitor *monitor, struct zf_error *err);

/* A file of a run: "epochs/0012.safetensors", and what it holds; or why it cannot be used. */
typedef void zf_run_finding(void *user, const char *file, const char *what, bool good);

struct zf_run_found {
    int64_t files, bad;
    const char
        *checkpoint; /* that a resumed training goes on from; NULL = none is whole. Static. */
    int64_t epochs;  /* behind that one */
};

/** Whether a directory is a run's: it holds a checkpoint, whole or not. */
ZF_API bool zf_run_exists(const char *directory);

/**
 * Read all that a run has on disk and report each file: the checkpoints against their CRC, the
 * models against their shapes and for NaN, the log line by line. Nothing is changed.
 *
 * Returns ZF_OK whatever is found; ZF_EIO, ZF_ENOMEM. Not while a training goes on there.
 */
ZF_API enum zf_status zf_run_check(const char *directory, zf_run_finding *finding, void *user,
                                   struct zf_run_found *found, struct zf_error *err);

/* What one step needs to know of the recipe. */
struct zf_step {
    double lr, momentum, weight_decay;
    double rms_limit; /* 0 = off */
    int threads;      /* results do not depend on it */
};

/**
 * One step of gradient descent on a net's parameters, in place:
 *
 *     velocity  = momentum * velocity - lr * (gradient + weight_decay * parameter)
 *     parameter = parameter + velocity
 *
 * without decay on biases; then every convolution filter whose RMS over its i * kh * kw weights
 * exceeds rms_limit is scaled back to it. Frozen layers keep every bit. zf_train_run() does this
 * after each batch; call it for a loop of one's own, while no other thread uses the net, and
 * zf_plan_refresh() after it.
 *
 * gradients, velocity  in the net's layout, zf_net_gradient_floats() each; lent
 *
 * Source: Zeiler & Fergus 2013, section 3.
 */
ZF_API void zf_step_apply(struct zf_net *net, const float *gradients, float *velocity,
                          const struct zf_step *step);

/* What a net, or all of them together, said of one picture. */
struct zf_eval_answer {
    size_t model; /* index of the net; net_count = all together, of several */
    int64_t sample;
    int32_t label;              /* the net's class; -1 = none */
    const float *probabilities; /* [classes], averaged over the views; lent for the call */
    int64_t classes;
};

struct zf_eval_options {
    bool ten_views; /* the paper's ten, averaged; else the centre crop */
    bool strict;
    struct zf_compute compute; /* batch 0 = 64 */
    /* NULL, or called on the calling thread for each picture, and of each net in the order of the
       samples: a net at a time over a block of them, then all together, then the next block. Of
       ranks on the first alone. Anything but ZF_OK ends the evaluation with it. */
    enum zf_status (*answer)(void *user, const struct zf_eval_answer *answer, struct zf_error *err);
    void *user;
};

struct zf_eval_result {
    double top1_error, top5_error; /* fractions */
};

/**
 * Top-1 and top-5 error of each model and of their ensemble: probabilities averaged over views,
 * then over models. (Paper: table 2.)
 *
 * nets      net_count of them, with equal class lists; lent
 * results   [net_count], written
 * ensemble  written when net_count > 1; may be NULL
 * images    NULL, or the number of pictures that counted
 *
 * Ranks (options->compute) share the pictures, and all have the results.
 * Memory does not grow with the pictures: the answers of several nets wait for each other in blocks
 * of 32 MiB, or of one batch, and 64 MiB of decoded pictures are kept at most.
 *
 * Returns ZF_EINPUT when classes do not fit the data or each other, ZF_ECANCELED, ZF_ENOMEM.
 */
ZF_API enum zf_status zf_eval_run(const struct zf_net *const *nets, size_t net_count,
                                  struct zf_data *data, const struct zf_eval_options *options,
                                  struct zf_eval_result *results, struct zf_eval_result *ensemble,
                                  int64_t *images, const struct zf_monitor *monitor,
                                  struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
