/* SPDX-License-Identifier: MIT */
/* train --val-split: a part of the data to validate on, the same again when the run goes on. */
#ifndef CLI_SPLIT_H
#define CLI_SPLIT_H

#include "command.h"
#include "zf/data.h"

struct split {
    double share; /* 0 = none is asked for */
    int64_t seed;
};

/**
 * What this run is split by: as recorded in its directory where it goes on, else as asked for.
 *
 * asked  of the command line; overwritten
 *
 * Returns ZF_EINVAL where the command line says another split, or --val, than the run has;
 * ZF_EINPUT for a record that cannot be read.
 */
enum zf_status split_recall(const struct call *call, bool resume, const char *val,
                            struct split *asked, struct zf_error *err);

/** Split, say how, and record it in the run's directory, which is made where it is missing. */
enum zf_status split_apply(const struct call *call, const struct split *split,
                           const struct zf_data *data, struct zf_data **train, struct zf_data **val,
                           struct zf_error *err);

#endif
