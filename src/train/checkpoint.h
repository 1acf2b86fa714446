/* SPDX-License-Identifier: MIT */
/**
 * The state of a run on disk: RUN/checkpoint, and the one before it as RUN/checkpoint.previous.
 *
 * It is a safetensors file: every number of struct zf_checkpoint and of the recipe as a tensor of
 * rank 0, the parameters under the names they have in models, their velocities as
 * "velocity.NAME", the per-pixel mean as "preparation.mean"; spec, labels and engine in the
 * metadata, with a CRC-32C over all of it.
 */
#ifndef ZF_TRAIN_CHECKPOINT_H
#define ZF_TRAIN_CHECKPOINT_H

#include "model/safetensors.h"
#include "train/loss.h"
#include "train/schedule.h"
#include "zf/data.h"

/* Which data a run is about: the same paths with the same labels give the same hash. */
struct zf_data_identity {
    int64_t count; /* 0 = no data */
    uint64_t hash;
};

struct zf_checkpoint {
    /* Where the run stands. */
    int64_t epoch;          /* in progress, from 1 */
    int64_t batches;        /* of that epoch that are done */
    struct zf_score score;  /* of that epoch so far */
    double seconds, waited; /* spent on it, and of these waiting for the loader */
    struct zf_schedule schedule;

    /* What the run is: must be the same when it goes on. */
    struct zf_recipe recipe;
    int64_t seed;
    int64_t shards; /* of a batch; 1 = it is one */
    struct zf_data_identity data, val;

    /* What its last bits depend on. */
    int64_t threads;
    char engine[96]; /* "onednn 2.6.3 on avx2"; " --exact" behind it where that was asked for */
};

struct zf_data_identity zf_data_identify(const struct zf_data *data); /* NULL gives count 0 */

/**
 * Write RUN/checkpoint; the one that is there becomes RUN/checkpoint.previous. At every moment at
 * least one of them is whole.
 *
 * velocity  in the net's layout; lent
 *
 * Returns ZF_EIO with the old checkpoint as it was (a full disk is reported as such), ZF_ENOMEM.
 */
enum zf_status zf_checkpoint_save(const char *run, const struct zf_net *net, const float *velocity,
                                  const struct zf_checkpoint *checkpoint, struct zf_error *err);

/**
 * Read the checkpoint, or the previous one when it is missing or damaged (with a message; it then
 * takes its place). Sets the net's parameters, per-pixel mean and labels, and the velocity.
 *
 * Returns ZF_EINPUT when neither can be used, or when it is of another net; ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_checkpoint_load(const char *run, struct zf_net *net, float *velocity,
                                  struct zf_checkpoint *checkpoint,
                                  const struct zf_monitor *monitor, struct zf_error *err);

/**
 * Whether a checkpoint's file is whole (its CRC is that of its contents), and how many epochs are
 * behind it. ZF_EINPUT when it is not; ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_checkpoint_verify(const char *path, int64_t *epochs, struct zf_error *err);

/**
 * How many epochs are planned, for who watches a run: reads RUN/checkpoint, which may be written
 * anew meanwhile, touches nothing and trusts its header. ZF_EINPUT where there is none; ZF_ENOMEM.
 */
enum zf_status zf_checkpoint_planned(const char *run, int64_t *epochs, struct zf_error *err);

/** Whether `run` holds a checkpoint, whole or not. */
bool zf_checkpoint_exists(const char *run);

/** How many shards a batch of the run has, from the checkpoint that zf_checkpoint_load() would
 * read; the same errors. */
enum zf_status zf_checkpoint_shards(const char *run, int64_t *shards,
                                    const struct zf_monitor *monitor, struct zf_error *err);

/**
 * Hold what a run was against what is asked of it now. Returns ZF_EINPUT with the first thing that
 * differs and both values; the number of epochs may differ. A different number of threads or
 * engine gives a message: the last bits may differ.
 */
enum zf_status zf_checkpoint_compare(const struct zf_checkpoint *was,
                                     const struct zf_checkpoint *asked,
                                     const struct zf_monitor *monitor, struct zf_error *err);

/* Of that the data alone. */
enum zf_status zf_checkpoint_compare_data(const struct zf_checkpoint *was,
                                          const struct zf_checkpoint *asked, struct zf_error *err);

#endif
