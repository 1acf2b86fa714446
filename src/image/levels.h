/* SPDX-License-Identifier: MIT */
/* Numbers of other kinds on their way to the 8 bits of a picture. */
#ifndef ZF_IMAGE_LEVELS_H
#define ZF_IMAGE_LEVELS_H

#include "zf/base.h"

/* `value` of 0 .. max as 0 .. 255: of 16 bits the upper 8, as for PNG everywhere; else rounded. */
static inline uint8_t zf_level(uint32_t value, uint32_t max)
{
    if (max == 255)
        return (uint8_t)value;
    if (max == 65535)
        return (uint8_t)(value >> 8);
    return (uint8_t)(((uint64_t)value * 255 + max / 2) / max);
}

/* A level under this much of alpha, on white. */
static inline uint8_t zf_level_on_white(uint32_t level, uint32_t alpha)
{
    return (uint8_t)((level * alpha + 255 * (255 - alpha) + 127) / 255);
}

/* What values of a floating-point picture lie between; starts as {0}. */
struct zf_span {
    bool begun, not_finite;
    bool whole; /* of integers; set by the caller */
    float low, high;
};
void zf_span_add(struct zf_span *span, const float *values, int64_t count);

/**
 * What to multiply values by, so that they are 0 .. 255. By their largest, floats are taken to go
 * from 0 to 1 (up to 2, as resizing overshoots), to 255 (up to 256), or to 65535 (up to 65536);
 * integers to 255, 4095 or 65535.
 *
 * Returns ZF_EINPUT, with `name`, for larger ones, for those that are not finite, and for negative
 * ones beyond a tenth of the largest.
 */
enum zf_status zf_span_scale(const struct zf_span *span, const char *name, float *scale,
                             struct zf_error *err);

/* The level of a value times scale; what lies outside of 0 .. 255 is clamped. */
static inline uint8_t zf_level_of_float(float value, float scale)
{
    const float level = value * scale + 0.5f;

    return level >= 255.0f ? 255 : level > 0.0f ? (uint8_t)level : 0;
}

#endif
