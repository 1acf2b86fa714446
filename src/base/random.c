/* SPDX-License-Identifier: MIT */
#include "random.h"

#include <math.h>

struct zf_random zf_random_stream(uint64_t seed, enum zf_random_purpose purpose, uint64_t a,
                                  uint64_t b)
{
    struct zf_random random;
    uint64_t key = zf_random_at(seed, (uint64_t)purpose);

    key = zf_random_at(zf_random_at(key, a), b);
    for (uint64_t i = 0; i < 4; i++)
        random.state[i] = zf_random_at(key, i);
    return random;
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

uint64_t zf_random_next(struct zf_random *random)
{
    uint64_t *s = random->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t zf_random_below(struct zf_random *random, uint64_t bound)
{
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t x;

    do
        x = zf_random_next(random);
    while (x >= limit);
    return x % bound;
}

double zf_random_uniform(struct zf_random *random)
{
    return (double)(zf_random_next(random) >> 11) * 0x1p-53;
}

/* Box and Muller; the second value of the pair is dropped to keep the stream stateless. */
double zf_random_normal(struct zf_random *random)
{
    const double u = 1.0 - zf_random_uniform(random);
    const double v = zf_random_uniform(random);

    return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}
