/* SPDX-License-Identifier: MIT */
/* What is shown on stderr of a training, and how to go on with one. */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "command.h"
#include "zf/train.h"

/* A step, counted over the whole run from 1. */
struct mark {
    int64_t epoch, step; /* 0 until the first */
    double at_s;
};

/* A bar within an epoch, a line for each one. Starts with its progress alone; the rest is what has
 * been heard of the run. */
struct watch {
    struct progress *progress;
    struct mark before, begun; /* where the epoch before, and this one, began */
    int64_t epochs;
    struct zf_epoch last; /* of this process; epoch 0 when it did none */
    bool validates;
    int64_t ended_epoch, best_epoch;
    double best; /* error of validation, or the training loss without */
};

/**
 * What the course of a finished training says of the next one: a sentence, or "" where it says
 * nothing. For words of that many bytes.
 */
void watch_advise(const struct watch *watch, char *text, size_t size);

/** The monitor to hand to the library; `watch` must outlive it. */
struct zf_train_monitor watch_monitor(struct watch *watch);

#endif
