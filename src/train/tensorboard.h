/* SPDX-License-Identifier: MIT */
/**
 * The event files that TensorBoard shows: RUN/events.out.tfevents.SECONDS.PID.zfscope.
 *
 * A file is a row of records: length (8 bytes), masked CRC-32C of these, an Event protobuf, masked
 * CRC-32C of it. Of Event only what is needed here is written, by hand.
 */
#ifndef ZF_TRAIN_TENSORBOARD_H
#define ZF_TRAIN_TENSORBOARD_H

#include <stdio.h>

#include "zf/image.h"
#include "zf/train.h"

/* An open file; empty is valid and writes nothing. */
struct zf_events {
    FILE *stream;
    char *path;
};

/**
 * Begin a file in `run`. What earlier files say of steps from `first_step` on is void: a run that
 * goes on from a checkpoint does them again. Close with zf_events_close(). ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_events_open(struct zf_events *events, const char *run, int64_t first_step,
                              struct zf_error *err);
void zf_events_close(struct zf_events *events); /* accepts empty */

/* Whether a file of a run's directory is one of these, by its name. */
bool zf_events_are_in(const char *name);

/** The figures of an epoch; NaN and infinity are left out. ZF_EIO, ZF_ENOMEM. */
enum zf_status zf_events_epoch(struct zf_events *events, const struct zf_epoch *epoch,
                               struct zf_error *err);

/** A picture at a step. ZF_EIO, ZF_ENOMEM. */
enum zf_status zf_events_picture(struct zf_events *events, const char *tag, int64_t step,
                                 const struct zf_picture *picture, struct zf_error *err);

#endif
