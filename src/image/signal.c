/* SPDX-License-Identifier: MIT */
#include "image/signal.h"

#include <inttypes.h>
#include <math.h>

#include "base/status.h"

#define BINS 4096 /* of a histogram of magnitudes */

static bool box_fits(struct zf_box box, struct zf_shape shape)
{
    return box.x >= 0 && box.y >= 0 && box.width >= 1 && box.height >= 1 &&
           box.width <= shape.w - box.x && box.height <= shape.h - box.y;
}

static float largest_magnitude(const float *src, struct zf_shape shape, struct zf_box box)
{
    float limit = 0.0f;

    for (int64_t c = 0; c < shape.c; c++) {
        for (int64_t y = box.y; y < box.y + box.height; y++) {
            const float *row = src + (c * shape.h + y) * shape.w;

            for (int64_t x = box.x; x < box.x + box.width; x++) {
                float magnitude = fabsf(row[x]);

                if (magnitude > limit && isfinite(magnitude))
                    limit = magnitude;
            }
        }
    }
    return limit;
}

float zf_signal_limit(const float *src, struct zf_shape shape, struct zf_box box, double share)
{
    const float largest = largest_magnitude(src, shape, box);
    const double scale = largest > 0.0f ? (BINS - 1) / (double)largest : 0.0;
    int64_t counts[BINS] = {0};
    int64_t above = (int64_t)(share * (double)(shape.c * box.height * box.width));
    int bin = BINS - 1;

    for (int64_t c = 0; c < shape.c; c++) {
        for (int64_t y = box.y; y < box.y + box.height; y++) {
            const float *row = src + (c * shape.h + y) * shape.w;

            for (int64_t x = box.x; x < box.x + box.width; x++) {
                if (isfinite(row[x]))
                    counts[(int)(fabs((double)row[x]) * scale)]++;
            }
        }
    }
    while (bin > 0 && counts[bin] <= above)
        above -= counts[bin--];
    return (float)((double)largest * (bin + 1) / BINS);
}

/* What three colours show of any number of channels: at each place the value of largest magnitude,
   with its sign. Of one channel that is its value. */
static float strongest(const float *src, struct zf_shape shape, int64_t y, int64_t x)
{
    float value = 0.0f;

    for (int64_t c = 0; c < shape.c; c++) {
        const float other = src[(c * shape.h + y) * shape.w + x];

        if (fabsf(other) > fabsf(value))
            value = other;
    }
    return value;
}

/* [-1, 1] to [0, 255]; what is not a number is as good as nothing. */
static uint8_t shade(double value)
{
    if (!(value == value))
        return ZF_GREY;
    value = value < -1.0 ? -1.0 : value > 1.0 ? 1.0 : value;
    return (uint8_t)lround(127.5 + 127.5 * value);
}

enum zf_status zf_picture_from_signal(const float *src, struct zf_shape src_shape,
                                      struct zf_box box, float limit, enum zf_channels channels,
                                      struct zf_picture *picture, struct zf_error *err)
{
    struct zf_picture made = {0};
    double scale; /* of a float near 0 the reciprocal is no float */

    if (!box_fits(box, src_shape))
        return zf_fail(err, ZF_EINVAL,
                       "a box of %" PRId64 "x%" PRId64 " px at (%" PRId64 ", %" PRId64
                       ") is not within %" PRId64 "x%" PRId64 " px",
                       box.width, box.height, box.x, box.y, src_shape.w, src_shape.h);
    if (!(limit >= 0.0f))
        return zf_fail(err, ZF_EINVAL, "a contrast limit of %g is not positive", (double)limit);
    ZF_CHECK(zf_picture_init(&made, box.width, box.height, err));

    if (limit == 0.0f)
        limit = largest_magnitude(src, src_shape, box);
    scale = limit > 0.0f ? 1.0 / (double)limit : 0.0;
    for (int64_t y = 0; src_shape.c != 3 && y < box.height; y++) {
        uint8_t *dst = made.pixels + y * box.width * 3;

        for (int64_t x = 0; x < box.width; x++, dst += 3) {
            const float value = strongest(src, src_shape, box.y + y, box.x + x);

            dst[0] = dst[1] = dst[2] = shade((double)value * scale);
        }
    }
    for (int64_t c = 0; src_shape.c == 3 && c < 3; c++) {
        int64_t plane = channels == ZF_CHANNELS_BGR ? 2 - c : c;

        for (int64_t y = 0; y < box.height; y++) {
            const float *row = src + (plane * src_shape.h + box.y + y) * src_shape.w + box.x;
            uint8_t *dst = made.pixels + y * box.width * 3 + c;

            for (int64_t x = 0; x < box.width; x++)
                dst[3 * x] = shade((double)row[x] * scale);
        }
    }
    *picture = made;
    return ZF_OK;
}
