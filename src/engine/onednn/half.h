/* SPDX-License-Identifier: MIT */
/* Numbers of bf16 in our own loops: the upper half of a float. */
#ifndef ZF_ENGINE_ONEDNN_HALF_H
#define ZF_ENGINE_ONEDNN_HALF_H

#include <stdint.h>
#include <string.h>

/* To the nearest, ties to even; NaN stays NaN. */
static inline uint16_t zf_onednn_to_bf16(float number)
{
    uint32_t bits;

    memcpy(&bits, &number, sizeof bits);
    /* No branch, so that loops become vectors. */
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u
                          ? bits >> 16 | 0x40u
                          : (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float zf_onednn_from_bf16(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

#endif
