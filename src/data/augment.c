/* SPDX-License-Identifier: MIT */
#include "data/augment.h"

#include <math.h>

struct zf_view zf_augment_crop(struct zf_random *random, const struct zf_preparation *preparation,
                               struct zf_shape input)
{
    const struct zf_geometry square = zf_geometry_of(preparation, input);
    struct zf_view view;

    view.y = (int64_t)zf_random_below(random, (uint64_t)(square.height - input.h + 1));
    view.x = (int64_t)zf_random_below(random, (uint64_t)(square.width - input.w + 1));
    view.mirror = zf_random_next(random) >> 63;
    return view;
}

/* Where a sample lies between two neighbours, in 256ths; pixel centres are at whole + 1/2. */
struct tap {
    int64_t low, high;
    uint32_t part; /* of `high`, 0 .. 256 */
};

static struct tap tap_at(double position, int64_t size)
{
    const double clamped = fmin(fmax(position - 0.5, 0), (double)(size - 1));
    const int64_t low = (int64_t)clamped;

    return (struct tap){low, low + (low + 1 < size),
                        (uint32_t)((clamped - (double)low) * 256 + 0.5)};
}

static uint8_t blend(const uint8_t *upper, const uint8_t *lower, struct tap x, struct tap y,
                     int64_t c)
{
    const uint32_t u = upper[x.low * 3 + c] * (256 - x.part) + upper[x.high * 3 + c] * x.part;
    const uint32_t l = lower[x.low * 3 + c] * (256 - x.part) + lower[x.high * 3 + c] * x.part;

    return (uint8_t)((u * (256 - y.part) + l * y.part + (1U << 15)) >> 16);
}

struct zf_view zf_augment_window(struct zf_random *random, const struct zf_preparation *preparation,
                                 struct zf_shape input, double min_scale,
                                 const struct zf_picture *square, struct zf_picture *resized)
{
    const int64_t rows = square->height, columns = square->width;
    const bool tall = rows * input.w <= columns * input.h; /* the height is what limits a window */
    const double side =
        (double)(tall ? rows : columns) * (min_scale + (1 - min_scale) * zf_random_uniform(random));
    /* Pixels of the square a pixel of the input. */
    const double step = side / (double)(tall ? input.h : input.w);
    const double top = ((double)rows - step * (double)input.h) * zf_random_uniform(random);
    const double left = ((double)columns - step * (double)input.w) * zf_random_uniform(random);
    struct zf_view view = zf_view_centre(preparation, input);

    for (int64_t y = 0; y < input.h; y++) {
        const struct tap row = tap_at(top + ((double)y + 0.5) * step, rows);
        const uint8_t *upper = square->pixels + row.low * columns * 3;
        const uint8_t *lower = square->pixels + row.high * columns * 3;
        uint8_t *dst = resized->pixels + ((view.y + y) * columns + view.x) * 3;
        for (int64_t x = 0; x < input.w; x++) {
            const struct tap column = tap_at(left + ((double)x + 0.5) * step, columns);
            for (int64_t c = 0; c < 3; c++)
                *dst++ = blend(upper, lower, column, row, c);
        }
    }
    view.mirror = zf_random_next(random) >> 63;
    return view;
}
