/* SPDX-License-Identifier: MIT */
#ifndef ZF_TRAIN_LOG_H
#define ZF_TRAIN_LOG_H

#include "zf/train.h"

/**
 * Take out the lines of epochs after `epochs`, and a last one that is not whole: a run goes on
 * from its checkpoint, and each epoch shall stand once. A missing file is fine. ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_log_cut(const char *path, int64_t epochs, struct zf_error *err);

/** Append a line. NaN and infinity become null. ZF_EIO, ZF_ENOMEM. */
enum zf_status zf_log_append(const char *path, const struct zf_epoch *epoch, bool best,
                             struct zf_error *err);

/* What the log of a run adds up to. */
struct zf_log_summary {
    int64_t epochs, best_epoch; /* 0 = none */
    double seconds;
};

/** A missing file is an empty one. ZF_EIO, ZF_EINPUT for a line that is not one of ours. */
enum zf_status zf_log_summarise(const char *path, struct zf_log_summary *summary,
                                struct zf_error *err);

#endif
