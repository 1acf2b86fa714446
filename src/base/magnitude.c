/* SPDX-License-Identifier: MIT */
#include "base/magnitude.h"

#include <string.h>

#define MAGNITUDE 0x7fffffff /* the bits of a float32 without its sign */
#define INFINITE 0x7f800000

/* Bits of magnitudes are in the order of the magnitudes, and those of NaN come last: a comparison
   of integers becomes vectors, one of floats would not. */
float zf_largest_magnitude(const float *numbers, int64_t count)
{
    int32_t most = 0;
    float largest;

    for (int64_t i = 0; i < count; i++) {
        int32_t bits;

        memcpy(&bits, &numbers[i], sizeof bits);
        bits &= MAGNITUDE;
        most = bits > most ? bits : most;
    }
    if (most > INFINITE)
        most = INFINITE;
    memcpy(&largest, &most, sizeof largest);
    return largest;
}
