/* SPDX-License-Identifier: MIT */
#ifndef ZF_MEASURE_SIGNS_H
#define ZF_MEASURE_SIGNS_H

#include "zf/base.h"

/* Vectors of signs (-1, 0, 1), two bits a value. */
struct zf_signs {
    size_t words;    /* of 64 values, a vector */
    int64_t length;  /* values */
    size_t count;    /* vectors */
    uint64_t *plus;  /* [count * words]: above zero */
    uint64_t *minus; /* below */
};

enum zf_status zf_signs_init(struct zf_signs *signs, size_t count, int64_t length,
                             struct zf_error *err);
void zf_signs_release(struct zf_signs *signs); /* accepts empty */

/* Vector i = the signs of base - changed, where a difference of at most `least` is none. */
void zf_signs_set(struct zf_signs *signs, size_t i, const float *base, const float *changed,
                  float least);

/* The share of values whose signs differ. */
double zf_signs_distance(const struct zf_signs *signs, size_t a, size_t b);

#endif
