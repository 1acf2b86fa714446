/* SPDX-License-Identifier: MIT */
/* One pass over the data that counts activations above zero: what a rectifier lets through. */
#include "experiments/diagnose/diagnose.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "ranks/ranks.h"

#define BATCH 16 /* every activation of every convolution leaves the plan: batches are small */

struct firing {
    const struct zf_net *net;
    struct zf_diagnosis *diagnosis;
    int *layers;              /* of the net: what the plan is asked for */
    struct zf_tensor *values; /* [layers] of a batch */
    int64_t **pictures;       /* [layers][maps] in which the map fired */
    int64_t **positions;      /* [layers][maps] at which it did */
    int64_t **not_finite;     /* [layers][maps]: activations that are NaN or infinite */
};

static void release(struct firing *at)
{
    const size_t layers = at->diagnosis->layer_count;

    for (size_t i = 0; i < layers; i++) {
        if (at->values)
            zf_tensor_release(&at->values[i]);
        if (at->pictures)
            zf_free(at->pictures[i]);
        if (at->positions)
            zf_free(at->positions[i]);
        if (at->not_finite)
            zf_free(at->not_finite[i]);
    }
    zf_free(at->layers);
    zf_free(at->values);
    zf_free(at->pictures);
    zf_free(at->positions);
    zf_free(at->not_finite);
}

static enum zf_status allocate(struct firing *at, int64_t batch, struct zf_error *err)
{
    const size_t layers = at->diagnosis->layer_count;

    at->layers = zf_alloc(layers, sizeof *at->layers);
    at->values = zf_alloc(layers, sizeof *at->values);
    at->pictures = zf_alloc(layers, sizeof *at->pictures);
    at->positions = zf_alloc(layers, sizeof *at->positions);
    at->not_finite = zf_alloc(layers, sizeof *at->not_finite);
    if (!at->layers || !at->values || !at->pictures || !at->positions || !at->not_finite)
        return zf_no_memory(err, "%zu layers", layers);
    for (size_t i = 0; i < layers; i++) {
        const struct zf_shape shape = zf_net_layer(at->net, at->diagnosis->layers[i].layer).shape;

        at->layers[i] = at->diagnosis->layers[i].layer;
        at->pictures[i] = zf_alloc((size_t)shape.c, sizeof **at->pictures);
        at->positions[i] = zf_alloc((size_t)shape.c, sizeof **at->positions);
        at->not_finite[i] = zf_alloc((size_t)shape.c, sizeof **at->not_finite);
        if (!at->pictures[i] || !at->positions[i] || !at->not_finite[i])
            return zf_no_memory(err, "%" PRId64 " maps", shape.c);
        ZF_CHECK(zf_tensor_init(&at->values[i], batch, shape.c, shape.h, shape.w, err));
    }
    return ZF_OK;
}

static void count_layer(struct firing *at, struct zf_plan *plan, size_t i, int64_t images)
{
    const struct zf_tensor *values = &at->values[i];
    const int64_t cells = values->h * values->w;
    struct zf_tensor dst = zf_tensor_view(values->data, images, values->c, values->h, values->w);

    zf_plan_read(plan, at->layers[i], &dst);
    for (int64_t n = 0; n < images; n++) {
        for (int64_t c = 0; c < values->c; c++) {
            const float *map = values->data + (n * values->c + c) * cells;
            int64_t count = 0, bad = 0;

            for (int64_t p = 0; p < cells; p++) {
                count += map[p] > 0;
                bad += !isfinite(map[p]);
            }
            at->not_finite[i][c] += bad;
            at->positions[i][c] += count;
            at->pictures[i][c] += count > 0;
        }
    }
}

static enum zf_status count_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                  struct zf_error *err)
{
    struct firing *at = user;

    (void)err;
    for (size_t i = 0; i < at->diagnosis->layer_count; i++)
        count_layer(at, plan, i, batch->count);
    return ZF_OK;
}

static void judge(struct firing *at)
{
    const double images = (double)at->diagnosis->images;

    for (size_t i = 0; i < at->diagnosis->layer_count; i++) {
        struct zf_diagnosis_layer *layer = &at->diagnosis->layers[i];
        const double cells = (double)(at->values[i].h * at->values[i].w);

        for (size_t m = 0; m < layer->map_count; m++) {
            struct zf_diagnosis_map *map = &layer->maps[m];

            map->fired_pictures = (double)at->pictures[i][m] / images;
            map->fired_positions = (double)at->positions[i][m] / images / cells;
            map->not_finite = map->not_finite || at->not_finite[i][m] > 0;
            map->dead = !map->not_finite && map->fired_pictures < ZF_DEAD_PICTURES;
            map->saturated = !map->not_finite && map->fired_positions >= ZF_SATURATED;
            layer->saturated += map->saturated;
        }
    }
}

/* What the ranks have counted, together. */
static enum zf_status add_up(struct firing *at, struct zf_ranks *ranks, struct zf_error *err)
{
    for (size_t i = 0; i < at->diagnosis->layer_count; i++) {
        const size_t maps = (size_t)at->values[i].c;

        ZF_CHECK(zf_ranks_add(ranks, at->pictures[i], maps, err));
        ZF_CHECK(zf_ranks_add(ranks, at->positions[i], maps, err));
        ZF_CHECK(zf_ranks_add(ranks, at->not_finite[i], maps, err));
    }
    return ZF_OK;
}

enum zf_status zf_diagnose_firing(const struct zf_net *net, const struct zf_data *data,
                                  const struct zf_top_options *options,
                                  struct zf_diagnosis *diagnosis, const struct zf_monitor *monitor,
                                  struct zf_error *err)
{
    struct firing at = {.net = net, .diagnosis = diagnosis};
    const int64_t pictures = zf_data_count(data);
    const int64_t wanted = options->compute.batch > 0 ? options->compute.batch : BATCH;
    const int64_t batch = wanted < pictures ? wanted : pictures;
    struct zf_passed passed;
    enum zf_status status;

    ZF_TRY(allocate(&at, batch, err));
    ZF_TRY(
        zf_pass_run(&(struct zf_pass){.net = net,
                                      .data = data,
                                      .plan = {.compute = zf_compute_batch(options->compute, batch),
                                               .purpose = ZF_INFER,
                                               .taps = at.layers,
                                               .tap_count = diagnosis->layer_count,
                                               .taps_only = true},
                                      .strict = options->strict,
                                      .any_numbers = options->any_numbers,
                                      .stage = "looking",
                                      .visit = count_batch,
                                      .user = &at},
                    &passed, monitor, err));
    ZF_TRY(add_up(&at, options->compute.ranks, err));
    diagnosis->images = passed.images;
    judge(&at);
fail:
    release(&at);
    return status;
}
