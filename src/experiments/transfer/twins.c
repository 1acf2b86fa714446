/* SPDX-License-Identifier: MIT */
/*
 * The thumbnails of one data set are the rows of a matrix; those of the other run against it in
 * batches, and of each product only the largest so far is kept. So memory is that of the smaller
 * set's thumbnails, 4 KiB a picture.
 */
#include "experiments/transfer/twins.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/scan.h"
#include "learn/vectors.h"

#define SQUARE 64 /* px of what is decoded, and shown */
#define SIDE 32   /* px of what is compared */
#define PIXELS (SIDE * SIDE)
#define BATCH 256
#define FLAT 1.0 /* squared deviation, in grey levels, below which a picture shows nothing */

_Static_assert(PIXELS % ZF_VECTOR_UNIT == 0, "a thumbnail is a whole vector");

/* Grey, centred, of length 1; zeros for a picture of one grey. */
static void make_thumbnail(const struct zf_picture *square, float *dst)
{
    double mean = 0, squares = 0;

    for (int i = 0; i < PIXELS; i++) {
        const uint8_t *p = square->pixels + 3 * i;

        dst[i] = 0.299f * (float)p[0] + 0.587f * (float)p[1] + 0.114f * (float)p[2];
        mean += (double)dst[i] / PIXELS;
    }
    for (int i = 0; i < PIXELS; i++) {
        dst[i] -= (float)mean;
        squares += (double)dst[i] * (double)dst[i];
    }
    for (int i = 0; i < PIXELS; i++)
        dst[i] *= squares > FLAT * PIXELS ? (float)(1 / sqrt(squares)) : 0;
}

/* Where thumbnails go as a scan sees the pictures. */
typedef enum zf_status take_thumbnail(void *user, int64_t i, const float *thumbnail,
                                      struct zf_error *err);

struct thumbnails {
    int64_t size; /* px of the squares that the scan brings */
    take_thumbnail *take;
    void *user;
};

static enum zf_status visit(void *user, int64_t i, const uint8_t *pixels, const char *reason,
                            struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const struct thumbnails *t = user;
    struct zf_picture square = {.width = t->size, .height = t->size};
    struct zf_picture small = {0};
    float thumbnail[PIXELS];

    (void)reason;
    if (!pixels)
        return ZF_OK;
    square.pixels = (uint8_t *)(uintptr_t)pixels; /* only read */
    ZF_TRY(zf_picture_square(&square, zf_geometry_square(ZF_RESIZE_WARP, SIDE), &small, err));
    make_thumbnail(&small, thumbnail);
    status = t->take(t->user, i, thumbnail, err);
fail:
    zf_picture_release(&small);
    return status;
}

static struct zf_geometry geometry_of(const struct zf_data *data)
{
    return data->fixed.height > 0 ? data->fixed : zf_geometry_square(ZF_RESIZE_SHORT, SQUARE);
}

static enum zf_status scan_thumbnails(const struct zf_data *data, take_thumbnail *take, void *user,
                                      int threads, const struct zf_monitor *monitor,
                                      struct zf_error *err)
{
    struct thumbnails thumbnails = {.take = take, .user = user};
    struct zf_scan scan = {
        .data = data,
        .geometry = geometry_of(data),
        .threads = threads,
        .stage = "comparing",
        .visit = visit,
        .user = &thumbnails,
    };

    thumbnails.size = scan.geometry.height;
    return zf_scan_run(&scan, monitor, err);
}

struct comparison {
    struct zf_net *net; /* its matrix: the thumbnails of `data` */
    struct zf_plan *plan;
    int64_t count;                    /* pictures of `data` */
    struct zf_transfer_twin *best;    /* [count] */
    struct zf_tensor input, products; /* a batch of `seen`, and what comes of it */
    int64_t *samples;                 /* [BATCH]: of `seen` */
    int64_t filled;
};

static enum zf_status keep_row(void *user, int64_t i, const float *thumbnail, struct zf_error *err)
{
    struct comparison *c = user;

    (void)err;
    memcpy(zf_vector_matrix(c->net) + i * PIXELS, thumbnail, PIXELS * sizeof *thumbnail);
    return ZF_OK;
}

static void compare_batch(struct comparison *c)
{
    struct zf_tensor input = c->input, products = c->products;

    if (c->filled == 0)
        return;
    input.n = products.n = c->filled;
    zf_plan_forward(c->plan, &input);
    zf_plan_read(c->plan, zf_net_layer_count(c->net) - 1, &products);
    for (int64_t n = 0; n < c->filled; n++) {
        for (int64_t i = 0; i < c->count; i++) {
            const double correlation = (double)products.data[n * c->count + i];

            if (correlation > c->best[i].correlation)
                c->best[i] = (struct zf_transfer_twin){i, c->samples[n], correlation};
        }
    }
    c->filled = 0;
}

static enum zf_status add_to_batch(void *user, int64_t i, const float *thumbnail,
                                   struct zf_error *err)
{
    struct comparison *c = user;

    (void)err;
    memcpy(c->input.data + c->filled * PIXELS, thumbnail, PIXELS * sizeof *thumbnail);
    c->samples[c->filled++] = i;
    if (c->filled == c->input.n)
        compare_batch(c);
    return ZF_OK;
}

static enum zf_status comparison_init(struct comparison *c,
                                      const struct zf_overlap_options *options,
                                      struct zf_error *err)
{
    c->best = zf_alloc((size_t)c->count, sizeof *c->best);
    c->samples = zf_alloc(BATCH, sizeof *c->samples);
    if (!c->best || !c->samples)
        return zf_no_memory(err, "%" PRId64 " pictures", c->count);
    ZF_CHECK(zf_vector_net(PIXELS, c->count, false, &c->net, err));
    ZF_CHECK(zf_tensor_init(&c->input, BATCH, 1, PIXELS / ZF_VECTOR_UNIT, ZF_VECTOR_UNIT, err));
    ZF_CHECK(zf_tensor_init(&c->products, BATCH, c->count, 1, 1, err));
    ZF_CHECK(
        zf_plan_create(c->net,
                       &(struct zf_plan_options){.compute = {.engine = options->compute.engine,
                                                             .threads = options->compute.threads,
                                                             .batch = BATCH},
                                                 .purpose = ZF_INFER},
                       &c->plan, err));
    return ZF_OK;
}

static void comparison_release(struct comparison *c)
{
    zf_plan_free(&c->plan);
    zf_net_free(&c->net);
    zf_tensor_release(&c->input);
    zf_tensor_release(&c->products);
    zf_free(c->best);
    zf_free(c->samples);
}

/* Most alike first, then by sample: a total order. */
static int compare_twins(const void *a, const void *b)
{
    const struct zf_transfer_twin *x = a, *y = b;

    if (x->correlation != y->correlation)
        return x->correlation > y->correlation ? -1 : 1;
    return (x->sample > y->sample) - (x->sample < y->sample);
}

/* The twins move to the front of the list. */
static size_t select_twins(struct comparison *c, double same)
{
    size_t count = 0;

    for (int64_t i = 0; i < c->count; i++) {
        if (c->best[i].correlation >= same)
            c->best[count++] = c->best[i];
    }
    qsort(c->best, count, sizeof *c->best, compare_twins);
    return count;
}

enum zf_status zf_overlap_find(const struct zf_data *data, const struct zf_data *seen,
                               const struct zf_overlap_options *options,
                               struct zf_transfer_twin **twins, size_t *count,
                               const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct comparison c = {.count = zf_data_count(data)};

    ZF_TRY(comparison_init(&c, options, err));
    ZF_TRY(scan_thumbnails(data, keep_row, &c, options->compute.threads, monitor, err));
    zf_plan_refresh(c.plan);
    ZF_TRY(scan_thumbnails(seen, add_to_batch, &c, options->compute.threads, monitor, err));
    compare_batch(&c);
    *count = select_twins(&c, options->same);
    *twins = c.best;
    c.best = NULL;
fail:
    comparison_release(&c);
    return status;
}

enum zf_status zf_overlap_picture(const struct zf_data *data, int64_t i, struct zf_picture *picture,
                                  struct zf_error *err)
{
    const struct zf_geometry geometry = geometry_of(data);

    return zf_data_square(data, i, geometry.resize, geometry.height, picture, err);
}
