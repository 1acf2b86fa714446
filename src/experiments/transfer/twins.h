/* SPDX-License-Identifier: MIT */
/*
 * Pictures that stand in two data sets, or nearly so. (Paper: section 5.2, where a few pictures of
 * Caltech-101 are found in ImageNet by normalised correlation.)
 */
#ifndef ZF_EXPERIMENTS_TWINS_H
#define ZF_EXPERIMENTS_TWINS_H

#include "experiments/transfer/transfer.h"

struct zf_overlap_options {
    double same;               /* correlation from which two pictures are the same */
    struct zf_compute compute; /* threads >= 1 */
};

/**
 * Hold every picture of `data` against every one of `seen`, as grey thumbnails of 32 px with their
 * mean subtracted, divided by their length. A picture of one grey is like no other. Mirrored copies
 * are not looked for.
 *
 * twins  pairs of at least options->same, each picture of `data` with the one most like it,
 *        most alike first; handed over, free with zf_free()
 */
enum zf_status zf_overlap_find(const struct zf_data *data, const struct zf_data *seen,
                               const struct zf_overlap_options *options,
                               struct zf_transfer_twin **twins, size_t *count,
                               const struct zf_monitor *monitor, struct zf_error *err);

/** The square of sample i as it was compared: 64 px, or the size that a packed data set holds. */
enum zf_status zf_overlap_picture(const struct zf_data *data, int64_t i, struct zf_picture *picture,
                                  struct zf_error *err);

#endif
