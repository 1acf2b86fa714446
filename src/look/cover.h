/* SPDX-License-Identifier: MIT */
/* Many copies of one input, each with a box hidden. */
#ifndef ZF_LOOK_COVER_H
#define ZF_LOOK_COVER_H

#include "zf/plan.h"

struct zf_cover_options {
    const float *colour; /* of the boxes: red, green, blue, 0..255; NULL = the mean */
    const int *taps;     /* these three as in zf_plan_options; lent as long as the cover lives */
    size_t tap_count;
    bool taps_only;
    int64_t most; /* boxes that there will ever be of a picture; 0 = unknown */
    int64_t box;  /* side of the largest box, as far as it is known; 0 = unknown */
    struct zf_compute compute;
};

struct zf_cover {
    const struct zf_net *net;
    struct zf_plan_options how;
    int64_t batch;            /* most boxes at once */
    struct zf_plan *plan;     /* ZF_PATCH; holds the results of the last zf_cover_run() */
    struct zf_tensor colour;  /* [1, c, h, w]: an input that is the boxes' colour all over */
    const float *input;       /* the picture ... */
    bool seen;                /* ... which the plan has run */
    struct zf_tensor patches; /* [batch, c, height, width] */
    struct zf_box *places;    /* [batch]: of the patches */
};

/* ZF_EINVAL for a colour or batch out of range, ZF_ENOMEM. */
enum zf_status zf_cover_init(struct zf_cover *cover, const struct zf_net *net,
                             const struct zf_cover_options *options, struct zf_error *err);
void zf_cover_release(struct zf_cover *cover); /* accepts empty */

/* From now on, boxes of this prepared input are hidden; lent until the next one. */
void zf_cover_picture(struct zf_cover *cover, const float *input);

/**
 * Run the net on `count` <= batch copies of the picture, copy i with boxes[i] hidden; an empty box
 * hides nothing. Only what the boxes can reach is computed. A box that is larger than all before
 * makes a new plan, which can fail.
 */
enum zf_status zf_cover_run(struct zf_cover *cover, const struct zf_box *boxes, int64_t count,
                            struct zf_error *err);

#endif
