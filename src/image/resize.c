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
 * Only the wanted square is computed: the source rows that an output row needs are resized across,
 * each of them once, and summed.
 */
#include "picture.h"

#include <assert.h>
#include <inttypes.h>
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

/* The part of an axis that is wanted, before anything is allocated for it. */
struct line {
    int64_t in, from, count; /* outputs [from, from + count) of `in` pixels */
    double scale, support;
    int64_t taps;
};

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

/* Where the centre `size` pixels of `full` begin; halves go to the even pixel. */
static int64_t centre_of(int64_t full, int64_t size)
{
    const int64_t spare = full - size;

    return spare / 2 + (spare % 4 == 3);
}

/* The centre `size` of `in` pixels that are resized to `full`; of fewer than that, these within a
   border. */
static struct line line_of(int64_t in, int64_t full, int64_t size)
{
    const double scale = (double)in / (double)full;
    const double support = fmax(scale, 1.0);
    /* An open interval of length 2s holds at most ceil(2s) pixel centres. */
    const double wanted = ceil(2.0 * support);

    return (struct line){
        .in = in,
        .from = centre_of(full, size),
        .count = size,
        .scale = scale,
        .support = support,
        .taps = wanted < (double)in ? (int64_t)wanted : in,
    };
}

/* The whole picture's size when its square is cut from it. */
static void full_size(int64_t width, int64_t height, struct zf_geometry geometry,
                      int64_t *full_width, int64_t *full_height)
{
    const int64_t shorter = width < height ? width : height;
    const bool warp = geometry.resize == ZF_RESIZE_WARP;

    if (width == geometry.kept_width && height == geometry.kept_height) {
        *full_width = width;
        *full_height = height;
        return;
    }
    *full_width = warp ? geometry.width : geometry.width * width / shorter;
    *full_height = warp ? geometry.height : geometry.height * height / shorter;
}

/* The two lines of a square; false when its size cannot be computed with. */
static bool lines_of(int64_t width, int64_t height, struct zf_geometry geometry,
                     struct line lines[2])
{
    int64_t full_width, full_height, room;

    if (geometry.height < 1 || geometry.width < 1 || !zf_mul3(geometry.width, width, 1, &room) ||
        !zf_mul3(geometry.height, height, 1, &room))
        return false;
    full_size(width, height, geometry, &full_width, &full_height);
    lines[0] = line_of(width, full_width, geometry.width);
    lines[1] = line_of(height, full_height, geometry.height);
    return true;
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

/* In a border, and for outputs before the first pixel's centre, it is that of the outermost. */
static double centre_among(const struct line *line, int64_t i)
{
    const double centre = ((double)(line->from + i) + 0.5) * line->scale;

    return fmin(fmax(centre, 0.5), (double)line->in - 0.5);
}

/* At the borders the taps slide inwards; weigh() gives 0 to those that are then too far. */
static int64_t first_tap(const struct line *line, int64_t i)
{
    const int64_t first = (int64_t)floor(centre_among(line, i) - line->support - 0.5) + 1;
    const int64_t last = line->in - line->taps;

    return first < 0 ? 0 : first > last ? last : first;
}

static enum zf_status axis_init(struct axis *axis, const struct line *line, struct zf_error *err)
{
    int64_t weights;

    axis->count = line->count;
    axis->taps = line->taps;
    if (zf_mul3(axis->taps, axis->count, 1, &weights)) {
        axis->first = zf_alloc_raw((size_t)axis->count, sizeof *axis->first);
        axis->weight = zf_alloc_raw((size_t)weights, sizeof *axis->weight);
    }
    if (!axis->first || !axis->weight)
        return zf_fail(err, ZF_ENOMEM, "no memory to resize %" PRId64 " px", line->in);
    for (int64_t i = 0; i < axis->count; i++) {
        axis->first[i] = first_tap(line, i);
        weigh(centre_among(line, i), line->support, axis->first[i], axis->taps,
              axis->weight + i * axis->taps);
    }
    return ZF_OK;
}

/*
 * Two source rows, resized across: they share the weights, whose loading would cost as much as the
 * sums. All four rows have one value to spare at their end.
 */
static inline void sum_taps(float *const src[2], const struct axis *axis, int64_t taps,
                            float *const dst[2])
{
    const int64_t *first = axis->first;
    const float *weight = axis->weight;
    const int64_t count = axis->count;
    float *upper = dst[0], *lower = dst[1];

    for (int64_t x = 0; x < count; x++, upper += 3, lower += 3, weight += taps) {
        const int64_t at = 3 * (first[x] - first[0]);
        lanes sum[2] = {{0}}; /* red, green, blue, and one that the next pixel overwrites */

        for (int64_t k = 0; k < taps; k++) {
            sum[0] += weight[k] * load(src[0] + at + 3 * k);
            sum[1] += weight[k] * load(src[1] + at + 3 * k);
        }
        memcpy(upper, &sum[0], sizeof sum[0]);
        memcpy(lower, &sum[1], sizeof sum[1]);
    }
}

/* Photos of the usual sizes need two to four taps: with the number known, the loop unrolls. */
static void sum_columns(float *const src[2], const struct axis *axis, float *const dst[2])
{
    if (axis->taps == 2)
        sum_taps(src, axis, 2, dst);
    else if (axis->taps == 3)
        sum_taps(src, axis, 3, dst);
    else if (axis->taps == 4)
        sum_taps(src, axis, 4, dst);
    else
        sum_taps(src, axis, axis->taps, dst);
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

/* What resizing a window needs: two source rows as floats, and a ring of rows resized across. */
struct room {
    float *src[2];
    float *ring;
    const float **rows; /* [taps]: those that the next output row is the sum of */
    int64_t slots;      /* of the ring: one more than taps, for rows come in twos */
    size_t columns, pitch;
};

static void room_release(struct room *room)
{
    zf_free(room->src[0]);
    zf_free(room->src[1]);
    zf_free(room->ring);
    zf_free(room->rows);
}

static enum zf_status room_init(struct room *room, const struct axis *across,
                                const struct axis *down, struct zf_error *err)
{
    const int64_t last = across->first[across->count - 1];

    room->slots = down->taps + 1;
    room->columns = (size_t)(last + across->taps - across->first[0]) * 3;
    room->pitch = ((size_t)across->count * 3 + BLOCK) / BLOCK * BLOCK;
    room->src[0] = zf_alloc(room->columns + 1, sizeof *room->src[0]);
    room->src[1] = zf_alloc(room->columns + 1, sizeof *room->src[1]);
    room->ring = zf_alloc((size_t)room->slots * room->pitch, sizeof *room->ring);
    room->rows = zf_alloc((size_t)down->taps, sizeof *room->rows);
    if (!room->src[0] || !room->src[1] || !room->ring || !room->rows)
        return zf_fail(err, ZF_ENOMEM, "no memory to resize to %" PRId64 " rows of %" PRId64 " px",
                       down->count, across->count);
    return ZF_OK;
}

static float *slot(const struct room *room, int64_t row)
{
    return room->ring + (size_t)(row % room->slots) * room->pitch;
}

/* Rows `row` and the one below it, resized across; below the last there is itself once more. */
static void add_rows(const struct room *room, const struct zf_decoded *window,
                     const struct axis *across, int64_t row)
{
    const struct zf_picture *picture = &window->picture;
    float *const dst[2] = {slot(room, row), slot(room, row + 1)};

    for (int k = 0; k < 2; k++) {
        const int64_t below = row - window->y + k;
        const int64_t y = below < picture->height ? below : picture->height - 1;
        const uint8_t *src =
            picture->pixels + (y * picture->width + across->first[0] - window->x) * 3;

        for (size_t i = 0; i < room->columns; i++)
            room->src[k][i] = (float)src[i];
    }
    sum_columns(room->src, across, dst);
}

/* Each source row is resized across once, when the first output row needs it. */
static void resize_window(const struct zf_decoded *window, const struct axis *across,
                          const struct axis *down, const struct room *room, uint8_t *dst)
{
    const int64_t taps = down->taps;
    const size_t values = (size_t)across->count * 3;
    int64_t next = down->first[0];

    for (int64_t y = 0; y < down->count; y++, dst += values) {
        for (; next < down->first[y] + taps; next += 2)
            add_rows(room, window, across, next);
        for (int64_t k = 0; k < taps; k++)
            room->rows[k] = slot(room, down->first[y] + k);
        sum_rows(room->rows, down->weight + y * taps, taps, dst, values);
    }
}

static struct zf_box reach_of(const struct line lines[2])
{
    const int64_t x = first_tap(&lines[0], 0), y = first_tap(&lines[1], 0);
    const int64_t last_x = first_tap(&lines[0], lines[0].count - 1);
    const int64_t last_y = first_tap(&lines[1], lines[1].count - 1);

    return (struct zf_box){x, y, last_x + lines[0].taps - x, last_y + lines[1].taps - y};
}

static bool holds(const struct zf_decoded *window, struct zf_box reach)
{
    return reach.x >= window->x && reach.x + reach.width <= window->x + window->picture.width &&
           reach.y >= window->y && reach.y + reach.height <= window->y + window->picture.height;
}

struct zf_box zf_square_reach(int64_t width, int64_t height, struct zf_geometry geometry)
{
    struct line lines[2];

    if (!lines_of(width, height, geometry, lines))
        return (struct zf_box){0, 0, width, height};
    return reach_of(lines);
}

enum zf_status zf_decoded_square(const struct zf_decoded *decoded, struct zf_geometry geometry,
                                 struct zf_picture *square, struct zf_error *err)
{
    enum zf_status status;
    struct axis across = {0}, down = {0};
    struct room room = {0};
    struct line lines[2];
    struct zf_picture made = {0};

    if (!lines_of(decoded->width, decoded->height, geometry, lines))
        return zf_fail(err, ZF_EINVAL,
                       "a picture cannot be resized to %" PRId64 " x %" PRId64 " px",
                       geometry.width, geometry.height);
    assert(holds(decoded, reach_of(lines)));
    ZF_TRY(axis_init(&across, &lines[0], err));
    ZF_TRY(axis_init(&down, &lines[1], err));
    ZF_TRY(room_init(&room, &across, &down, err));
    ZF_TRY(zf_picture_init_raw(&made, geometry.width, geometry.height, err));
    resize_window(decoded, &across, &down, &room, made.pixels);
    *square = made;
    made = (struct zf_picture){0};
fail:
    zf_picture_release(&made);
    room_release(&room);
    axis_release(&down);
    axis_release(&across);
    return status;
}

struct zf_placing zf_picture_place(int64_t width, int64_t height, struct zf_geometry geometry,
                                   double x, double y)
{
    struct zf_placing placing;
    int64_t full_width, full_height;

    full_size(width, height, geometry, &full_width, &full_height);
    placing.scale_x = (double)full_width / (double)width;
    placing.scale_y = (double)full_height / (double)height;
    placing.x = x * placing.scale_x - (double)centre_of(full_width, geometry.width);
    placing.y = y * placing.scale_y - (double)centre_of(full_height, geometry.height);
    return placing;
}

enum zf_status zf_picture_square(const struct zf_picture *picture, struct zf_geometry geometry,
                                 struct zf_picture *square, struct zf_error *err)
{
    const struct zf_decoded whole = {
        .picture = *picture,
        .width = picture->width,
        .height = picture->height,
    };

    return zf_decoded_square(&whole, geometry, square, err);
}
