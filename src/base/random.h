/* SPDX-License-Identifier: MIT */
/**
 * Random numbers as pure functions of a key, so that no result depends on the order of threads.
 *
 * A stream is named by (seed, purpose, a, b): the same four numbers give the same stream on
 * every machine. xoshiro256** seeded through splitmix64.
 */
#ifndef ZF_BASE_RANDOM_H
#define ZF_BASE_RANDOM_H

#include <stdint.h>

enum zf_random_purpose {
    ZF_RANDOM_INIT = 1, /* parameters; a = index of the parameter */
    ZF_RANDOM_ORDER,    /* order of samples; a = epoch */
    ZF_RANDOM_AUGMENT,  /* crop and mirror; a = epoch, b = index of the sample */
    ZF_RANDOM_DROPOUT,  /* a = step, b = layer */
    ZF_RANDOM_SYNTH,    /* generated pictures; a = split, b = index */
    ZF_RANDOM_TEST,
    ZF_RANDOM_PLACES,  /* of squares; a = picture */
    ZF_RANDOM_PERMUTE, /* a = layer, b = part */
    ZF_RANDOM_FOLD,    /* splits of a data set; a = fold, b = class */
    ZF_RANDOM_SPLIT,   /* pictures kept for validation; a = class */
};

struct zf_random {
    uint64_t state[4];
};

struct zf_random zf_random_stream(uint64_t seed, enum zf_random_purpose purpose, uint64_t a,
                                  uint64_t b);
uint64_t zf_random_next(struct zf_random *random);
uint64_t zf_random_below(struct zf_random *random, uint64_t bound); /* bound > 0, unbiased */
double zf_random_uniform(struct zf_random *random);                 /* [0, 1) */
double zf_random_normal(struct zf_random *random);                  /* mean 0, deviation 1 */

/* A well-mixed 64-bit hash of (key, index): random access into a stream, for dropout masks. */
static inline uint64_t zf_random_at(uint64_t key, uint64_t index)
{
    uint64_t z = key + (index + 1) * UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

#endif
