/* SPDX-License-Identifier: MIT */
/* The kept epochs of a run: RUN/epochs/NNNN.safetensors. */
#ifndef ZF_EXPERIMENTS_EPOCHS_H
#define ZF_EXPERIMENTS_EPOCHS_H

#include "zf/net.h"

/**
 * Their numbers, rising; *epochs is handed over, free with zf_free(). ZF_EINPUT when `run` has no
 * folder epochs, or more than 10000 of them.
 */
enum zf_status zf_epochs_list(const char *run, int64_t **epochs, size_t *count,
                              struct zf_error *err);

enum zf_status zf_epoch_load(const char *run, int64_t epoch, struct zf_net **net,
                             struct zf_error *err);

#endif
