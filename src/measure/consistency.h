/* SPDX-License-Identifier: MIT */
/* Statistics of table 1, over the signs of changed features. */
#ifndef ZF_MEASURE_CONSISTENCY_H
#define ZF_MEASURE_CONSISTENCY_H

#include "base/random.h"
#include "measure/signs.h"
#include "zf/net.h"

#define ZF_SIGNIFICANT 0.01 /* a p below it tells a part from random places */

/* How alike the pictures' features change when one part is hidden. Delta is the mean over pairs
   of pictures of the share of features whose change has another sign; 0 counts as a sign of its
   own. */
struct zf_consistency {
    double mean, std;      /* over pairs; std is 0 for a single pair */
    double standard_error; /* of the random places: of their mean, over repeats; else 0 */
    double change;  /* how far the features move, in shares of their length; mean of pictures */
    double p;       /* that random places are as alike as this part; 1 for those */
    double least_p; /* what p can be at least: 1 / permutations, or 1 / the number of ways to
                       call one of a picture's squares the part, in all pictures */
};

/* The changes of one layer's features; vectors of a picture are in a row: parts, random places. */
struct zf_trial {
    size_t pictures, parts, per_picture;
    const struct zf_box
        *boxes; /* [pictures * parts]; width 0: the picture does not show the part */
    const double
        *changes;     /* [vectors] how far each moved the features, in shares of their length */
    float *distances; /* [vectors * vectors], between those of different pictures, the first less */
};

static inline bool zf_trial_shows(const struct zf_trial *trial, size_t picture, size_t part)
{
    return trial->boxes[picture * trial->parts + part].width > 0;
}

/**
 * Measure the distances of all vectors; the other fields are set. ZF_EUNSUPPORTED when they would
 * take more than 1 GiB. Release with zf_trial_release() in any case.
 */
enum zf_status zf_trial_measure(struct zf_trial *trial, const struct zf_signs *signs,
                                struct zf_error *err);
void zf_trial_release(struct zf_trial *trial);

/* Delta over the pictures that show the part; `p` is left at 1. */
struct zf_consistency zf_consistency_of_part(const struct zf_trial *trial, size_t part);

/* Delta of the k-th random places of all pictures, over all k. */
struct zf_consistency zf_consistency_of_random(const struct zf_trial *trial);

/**
 * The probability that hiding random places is as consistent as hiding the parts [first, first +
 * count), by permutation: were a part no better than a random place, any of a picture's squares
 * could be called that part. Of several parts the mean of their Deltas is tested. Sets it->p, and
 * it->least_p: as low as it could be with so many arrangements and permutations.
 */
enum zf_status zf_consistency_test(const struct zf_trial *trial, size_t first, size_t count,
                                   int64_t permutations, struct zf_random random,
                                   struct zf_consistency *it, struct zf_error *err);

#endif
