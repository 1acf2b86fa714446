/* SPDX-License-Identifier: MIT */
/*
 * Whether a matrix of weights may still be random numbers.
 *
 * Weights are drawn independently of each other and alike. Training takes that from them: filters
 * come to resemble or oppose each other, some grow, some inputs count for more, directions stand
 * out, and a few weights become large. Each is a number here that is near 0, with a deviation of
 * about 1, for a matrix of independent numbers, whatever they were drawn from (as long as its tails
 * are no heavier than the normal distribution's) and however its rows are scaled together.
 */
#ifndef ZF_MEASURE_RANDOMNESS_H
#define ZF_MEASURE_RANDOMNESS_H

#include "zf/base.h"

#define ZF_RANDOMNESS_LEAST 1024 /* weights; fewer tell too little */
#define ZF_RANDOMNESS_ROWS 4     /* rows and columns, at least */

/* In standard deviations of what independent numbers would give. */
struct zf_randomness {
    double pairs;     /* squared cosines of two rows, beyond 1/columns each; at most 512 rows */
    double rows;      /* how much the rows' lengths differ */
    double columns;   /* the same of columns */
    double tails;     /* fourth moment above the normal distribution's */
    double direction; /* largest singular value, beyond the edge of Marchenko and Pastur; in units
                         of Tracy and Widom's fluctuation (Johnstone 2001) */
    /* Largest of them, of pairs, rows and columns either way; NAN for a matrix that is too small.
       Independent numbers are above 5 in fewer than one of 200 matrices. */
    double most;
};

/**
 * Measure a matrix; rows of zeros are left out.
 *
 * weights  [rows, columns]
 *
 * ZF_ENOMEM. Cost: some thirty passes over the matrix, and the products of 512 rows.
 */
enum zf_status zf_randomness_measure(const float *weights, size_t rows, size_t columns,
                                     struct zf_randomness *out, struct zf_error *err);

#endif
