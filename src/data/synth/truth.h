/* SPDX-License-Identifier: MIT */
/* What a generated picture shows, and where. */
#ifndef ZF_DATA_SYNTH_TRUTH_H
#define ZF_DATA_SYNTH_TRUTH_H

#include "zf/image.h"

#define ZF_SYNTH_MAX_PARTS 6

/* A part's middle, in pixels of the picture. */
struct zf_synth_part {
    const char *name; /* static storage */
    double x, y;
};

/* Left and right are the picture's, not the thing's own. */
struct zf_synth_truth {
    int class;
    struct zf_box box; /* around the thing, within the picture */
    int part_count;
    struct zf_synth_part parts[ZF_SYNTH_MAX_PARTS];
};

#endif
