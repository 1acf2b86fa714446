/* SPDX-License-Identifier: MIT */
/* What correspondence hides of a picture: its marked parts, and random places of the object. */
#ifndef ZF_EXPERIMENTS_SQUARES_H
#define ZF_EXPERIMENTS_SQUARES_H

#include "experiments/correspond/correspond.h"

struct zf_hiding {
    const struct zf_net *net;
    const struct zf_parts *parts;
    const struct zf_monitor *monitor;
    int64_t size;    /* of a square where a mark says none */
    int64_t repeats; /* random places a picture */
    uint64_t seed;   /* of them */
    bool prepared;   /* the picture at hand is the net's input as it is: nothing is resized */
};

/**
 * The square that hides a mark, within the input; *box stays as it is, with a message, when the net
 * does not see the part. ZF_EINPUT for a mark outside of the picture, whose size `original` has,
 * and for a square larger than the input.
 */
enum zf_status zf_square_of_mark(const struct zf_hiding *hiding, const struct zf_part_mark *mark,
                                 struct zf_box original, struct zf_box *box, struct zf_error *err);

/**
 * `repeats` squares of the mean size of the picture's parts, over the middle of none of them.
 * parts  [parts->part_count] squares of this picture; width 0: none
 */
void zf_squares_at_random(const struct zf_hiding *hiding, size_t picture,
                          const struct zf_box *parts, struct zf_box *random);

#endif
