/* SPDX-License-Identifier: MIT */
/*
 * Antialiased bilinear resize, separable: a triangle filter whose support grows with the shrink,
 *
 *     dst[i] = sum_j w(j) src[j] / sum_j w(j),   w(j) = max(0, 1 - |j + 1/2 - c_i| / s),
 *
 * over the pixels j that exist, where c_i = (i + 1/2) in/full is the centre of output i among the
 * inputs and s = max(1, in/full). This and the rounding of the longer side are those of PIL's
 * BILINEAR and torchvision's Resize + CenterCrop, so squares agree with theirs to a level.
 *
 * Only the wanted square is computed, a row at a time: the rows above one another are summed
 * first (contiguous, so the compiler vectorises it), then the few columns that are left.
 */
#include "picture.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define ZF_LANES __attribute__((vector_size(16)))

/*
 * Four floats that are computed with as one. Left to themselves, compilers vectorise these loops
 * over the few taps and lose a factor of two.
 */
typedef float lanes ZF_LANES;

enum { BLOCK = 48 }; /* values of a row that are summed together, in 12 registers */

static inline lanes load(const float *values)
{
    lanes loaded;

    memcpy(&loaded, values, sizeof loaded);
    return loaded;
}

/* One axis: output i is the sum of `taps` inputs from first[i] on, times weight[i * taps ...]. */
struct axis {
    int64_t count; /* outputs */
    int64_t taps;
    int64_t *first;
    float *weight;
};

static void axis_release(struct axis *axis)
{
    zf_free(axis->first);
    zf_free(axis->weight);
}

static void weigh(double centre, double support, int64_t first, int64_t taps, float *weight)
{
    double sum = 0.0;

    for (int64_t k = 0; k < taps; k++)
        sum += fmax(0.0, 1.0 - fabs((double)(first + k) + 0.5 - centre) / support);
    for (int64_t k = 0; k < taps; k++)
        weight[k] =
            (float)(fmax(0.0, 1.0 - fabs((double)(first + k) + 0.5 - centre) / support) / sum);
}

/* Outputs [from, from + count) of `in` pixels resized to `full`. */
static enum zf_status axis_init(struct axis *axis, int64_t in, int64_t full, int64_t from,
                                int64_t count, struct zf_error *err)
{
    const double scale = (double)in / (double)full;
    const double support = fmax(scale, 1.0);
    /* An open interval of length 2s holds at most ceil(2s) pixel centres. */
    const double wanted = ceil(2.0 * support);
    int64_t weights;

    axis->count = count;
    axis->taps = wanted < (double)in ? (int64_t)wanted : in;
    if (zf_mul3(axis->taps, count, 1, &weights)) {
        axis->first = zf_alloc_raw((size_t)count, sizeof *axis->first);
        axis->weight = zf_alloc_raw((size_t)weights, sizeof *axis->weight);
    }
    if (!axis->first || !axis->weight)
        return zf_fail(err, ZF_ENOMEM, "no memory to resize %lld px to %lld", (long long)in,
                       (long long)full);
    for (int64_t i = 0; i < count; i++) {
        const double centre = ((double)(from + i) + 0.5) * scale;
        int64_t first = (int64_t)floor(centre - support - 0.5) + 1;

        /* At the borders the window slides inwards; weigh() gives 0 to what it then has beyond. */
        if (first > in - axis->taps)
            first = in - axis->taps;
        if (first < 0)
            first = 0;
        axis->first[i] = first;
        weigh(centre, support, first, axis->taps, axis->weight + i * axis->taps);
    }
    return ZF_OK;
}

/* One source row, resized across; both `pixels` and dst have one value to spare at their end. */
static inline void sum_taps(const float *pixels, const struct axis *axis, int64_t taps, float *dst)
{
    const int64_t *first = axis->first;
    const float *weight = axis->weight;
    const int64_t count = axis->count;

    for (int64_t x = 0; x < count; x++, dst += 3, weight += taps) {
        const float *pixel = pixels + 3 * (first[x] - first[0]);
        lanes sum = {0}; /* red, green, blue, and one that the next pixel overwrites */

        for (int64_t k = 0; k < taps; k++)
            sum += weight[k] * load(pixel + 3 * k);
        memcpy(dst, &sum, sizeof sum);
    }
}

/* Photos of the usual sizes need two to four taps: with the number known, the loop unrolls. */
static void sum_columns(const float *pixels, const struct axis *axis, float *dst)
{
    if (axis->taps == 2)
        sum_taps(pixels, axis, 2, dst);
    else if (axis->taps == 3)
        sum_taps(pixels, axis, 3, dst);
    else if (axis->taps == 4)
        sum_taps(pixels, axis, 4, dst);
    else
        sum_taps(pixels, axis, axis->taps, dst);
}

/* dst[i] = sum_k weight[k] rows[k][i], rounded; rows are readable up to a whole BLOCK. */
static void sum_rows(const float *const *rows, const float *weight, int64_t taps, uint8_t *dst,
                     size_t count)
{
    for (size_t at = 0; at < count; at += BLOCK) {
        const size_t n = count - at < BLOCK ? count - at : BLOCK;
        lanes sum[BLOCK / 4] = {{0}};
        float values[BLOCK];
        uint8_t levels[BLOCK];

        for (int64_t k = 0; k < taps; k++) {
            for (int i = 0; i < BLOCK / 4; i++)
                sum[i] += weight[k] * load(rows[k] + at + 4 * i);
        }
        memcpy(values, sum, sizeof values);
        for (int i = 0; i < BLOCK; i++) /* the weights sum to 1, so this stays below 256 */
            levels[i] = (uint8_t)(int)(values[i] + 0.5f);
        memcpy(dst + at, levels, n);
    }
}

/* Where the centre `size` pixels of `full` begin; halves go to the even pixel. */
static int64_t centre_of(int64_t full, int64_t size)
{
    const int64_t spare = full - size;

    return spare / 2 + (spare % 4 == 3);
}

/* Each source row is resized across once, when the first output row needs it. */
static enum zf_status resize_window(const struct zf_picture *picture, const struct axis *across,
                                    const struct axis *down, struct zf_picture *square,
                                    struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int64_t size = square->width, left = across->first[0];
    const size_t columns = (size_t)(across->first[size - 1] + across->taps - left) * 3;
    const size_t pitch = ((size_t)size * 3 + BLOCK) / BLOCK * BLOCK;
    float *pixels = zf_alloc(columns + 1, sizeof *pixels);
    float *ring = zf_alloc((size_t)down->taps * pitch, sizeof *ring);
    const float **rows = zf_alloc((size_t)down->taps, sizeof *rows);
    int64_t next = down->first[0];

    if (!pixels || !ring || !rows) {
        status = zf_fail(err, ZF_ENOMEM, "no memory to resize a picture of %lld x %lld px",
                         (long long)picture->width, (long long)picture->height);
        goto fail;
    }
    for (int64_t y = 0; y < size; y++) {
        for (; next < down->first[y] + down->taps; next++) {
            const uint8_t *src = picture->pixels + (next * picture->width + left) * 3;

            for (size_t i = 0; i < columns; i++)
                pixels[i] = (float)src[i];
            sum_columns(pixels, across, ring + (size_t)(next % down->taps) * pitch);
        }
        for (int64_t k = 0; k < down->taps; k++)
            rows[k] = ring + (size_t)((down->first[y] + k) % down->taps) * pitch;
        sum_rows(rows, down->weight + y * down->taps, down->taps, square->pixels + y * size * 3,
                 (size_t)size * 3);
    }
fail:
    zf_free(rows);
    zf_free(ring);
    zf_free(pixels);
    return status;
}

/* The whole picture's size when its square is cut from it. */
static void full_size(int64_t width, int64_t height, enum zf_resize resize, int64_t size,
                      int64_t *full_width, int64_t *full_height)
{
    const int64_t shorter = width < height ? width : height;
    const bool warp = resize == ZF_RESIZE_WARP;

    *full_width = warp ? size : size * width / shorter;
    *full_height = warp ? size : size * height / shorter;
}

struct zf_placing zf_picture_place(int64_t width, int64_t height, enum zf_resize resize,
                                   int64_t size, double x, double y)
{
    int64_t full_width, full_height;
    struct zf_placing placing;

    full_size(width, height, resize, size, &full_width, &full_height);
    placing.scale_x = (double)full_width / (double)width;
    placing.scale_y = (double)full_height / (double)height;
    placing.x = x * placing.scale_x - (double)centre_of(full_width, size);
    placing.y = y * placing.scale_y - (double)centre_of(full_height, size);
    return placing;
}

enum zf_status zf_picture_square(const struct zf_picture *picture, enum zf_resize resize,
                                 int64_t size, struct zf_picture *square, struct zf_error *err)
{
    enum zf_status status;
    struct axis across = {0}, down = {0};
    struct zf_picture made = {0};
    const int64_t width = picture->width, height = picture->height;
    int64_t full_width, full_height, room;

    if (size < 1 || !zf_mul3(size, width, 1, &room) || !zf_mul3(size, height, 1, &room))
        return zf_fail(err, ZF_EINVAL, "a picture cannot be resized to %lld px", (long long)size);
    full_size(width, height, resize, size, &full_width, &full_height);
    ZF_TRY(axis_init(&across, width, full_width, centre_of(full_width, size), size, err));
    ZF_TRY(axis_init(&down, height, full_height, centre_of(full_height, size), size, err));
    ZF_TRY(zf_picture_init_raw(&made, size, size, err));
    ZF_TRY(resize_window(picture, &across, &down, &made, err));
    *square = made;
    made = (struct zf_picture){0};
fail:
    zf_picture_release(&made);
    axis_release(&down);
    axis_release(&across);
    return status;
}
