/* SPDX-License-Identifier: MIT */
/*
 * How far the maps have come on their way from the start of training to the last kept epoch.
 *
 * A map is what it answers to pictures, so its activations on a fixed sample of them are compared,
 * at all places: by their correlation r with those of the last epoch. That of the random start is
 * not zero: filters that began alike stay partly alike, the more the wider the layer, and what
 * training has made of a map is only what goes beyond it. So the share of the way is
 *
 *     (r - r_start) / (1 - r_start)
 *
 * which is 0 at the start and 1 in the end, in every layer. (Paper: section 4.1, figure 4, where
 * this is seen in projections. Choice: a measure, since the paper looks.)
 */
#include "experiments/evolve/evolve.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "train/checkpoint.h"

#define PICTURES 64 /* of the sample, evenly taken from the data */
#define BATCH 16

/* Sums over pictures and places of a map's activations x and those of the last epoch y. */
struct sums {
    double x, y, xx, yy, xy, count;
};

struct growing {
    struct zf_evolution *made;
    struct zf_tensor *values; /* [layers] of a batch */
    struct sums **sums;       /* [layers][maps]; NULL while the last epoch's are kept */
};

static void release(struct growing *at)
{
    const size_t layers = at->made->layer_count;

    for (size_t l = 0; l < layers; l++) {
        if (at->values)
            zf_tensor_release(&at->values[l]);
        if (at->sums)
            zf_free(at->sums[l]);
    }
    zf_free(at->values);
    zf_free(at->sums);
}

static enum zf_status allocate(struct growing *at, bool last, struct zf_error *err)
{
    struct zf_evolution *made = at->made;

    at->values = zf_alloc(made->layer_count, sizeof *at->values);
    at->sums = last ? NULL : zf_alloc(made->layer_count, sizeof *at->sums);
    if (!at->values || (!last && !at->sums))
        return zf_no_memory(err, "%zu layers", made->layer_count);
    for (size_t l = 0; l < made->layer_count; l++) {
        struct zf_evolve_layer *layer = &made->layers[l];
        const struct zf_shape shape = zf_net_layer(made->net, layer->layer).shape;

        ZF_CHECK(zf_tensor_init(&at->values[l], BATCH, shape.c, shape.h, shape.w, err));
        if (!last) {
            at->sums[l] = zf_alloc(layer->map_count, sizeof **at->sums);
            if (!at->sums[l])
                return zf_no_memory(err, "%zu maps", layer->map_count);
            continue;
        }
        for (size_t m = 0; m < layer->map_count; m++) {
            layer->maps[m].features =
                zf_alloc((size_t)(made->sample_count * shape.h * shape.w), sizeof(float));
            if (!layer->maps[m].features)
                return zf_no_memory(err, "the features of %zu maps", layer->map_count);
        }
    }
    return ZF_OK;
}

static void add(struct sums *sums, const float *x, const float *y, size_t cells)
{
    for (size_t i = 0; i < cells; i++) {
        sums->x += (double)x[i];
        sums->y += (double)y[i];
        sums->xx += (double)x[i] * (double)x[i];
        sums->yy += (double)y[i] * (double)y[i];
        sums->xy += (double)x[i] * (double)y[i];
    }
    sums->count += (double)cells;
}

static int compare_samples(const void *a, const void *b)
{
    const int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static size_t place_of(const struct zf_evolution *made, int64_t sample)
{
    const int64_t *found =
        bsearch(&sample, made->samples, (size_t)made->sample_count, sizeof sample, compare_samples);

    return (size_t)(found - made->samples);
}

static enum zf_status see_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                struct zf_error *err)
{
    struct growing *at = user;

    (void)err;
    for (size_t l = 0; l < at->made->layer_count; l++) {
        struct zf_evolve_layer *layer = &at->made->layers[l];
        struct zf_tensor values = at->values[l];
        const size_t cells = (size_t)(values.h * values.w);

        values.n = batch->count;
        zf_plan_read(plan, layer->layer, &values);
        for (size_t i = 0; i < (size_t)batch->count; i++) {
            const size_t place = place_of(at->made, batch->samples[i]);

            for (size_t m = 0; m < layer->map_count; m++) {
                struct zf_evolve_map *map = &layer->maps[m];
                const float *now = values.data + (i * (size_t)values.c + (size_t)map->map) * cells;

                if (at->sums)
                    add(&at->sums[l][m], now, map->features + place * cells, cells);
                else
                    memcpy(map->features + place * cells, now, cells * sizeof *now);
            }
        }
    }
    return ZF_OK;
}

/* Two maps that say nothing are alike; one that does and one that does not are not. */
static double correlation(const struct sums *s)
{
    const double x = s->xx - s->x * s->x / fmax(1, s->count);
    const double y = s->yy - s->y * s->y / fmax(1, s->count);
    const double tiny = 1e-12;

    if (x <= tiny * s->xx && y <= tiny * s->yy)
        return 1;
    if (x <= tiny * s->xx || y <= tiny * s->yy)
        return 0;
    return fmax(-1, fmin(1, (s->xy - s->x * s->y / s->count) / sqrt(x) / sqrt(y)));
}

static enum zf_status choose_samples(struct zf_evolution *made, const struct zf_data *data,
                                     struct zf_error *err)
{
    const int64_t all = zf_data_count(data);

    made->sample_count = all < PICTURES ? all : PICTURES;
    made->samples = zf_alloc((size_t)made->sample_count, sizeof *made->samples);
    if (!made->samples)
        return zf_no_memory(err, "%d pictures", PICTURES);
    for (int64_t i = 0; i < made->sample_count; i++)
        made->samples[i] = i * all / made->sample_count;
    return ZF_OK;
}

/* Where a net's similarities go: of a kept epoch, or of the start. */
static double *similarity_of(struct zf_evolve_map *map, size_t epoch)
{
    return epoch == ZF_EVOLVE_START ? &map->similarity_start : &map->similarity_feature[epoch];
}

enum zf_status zf_evolve_grow(struct zf_evolution *made, const struct zf_net *net, size_t epoch,
                              const struct zf_data *data, const struct zf_top_options *look,
                              struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const bool last = epoch + 1 == made->epoch_count;
    struct growing at = {.made = made};
    int *taps = zf_alloc(made->layer_count, sizeof *taps);

    if (!taps)
        return zf_no_memory(err, "%zu layers", made->layer_count);
    if (!made->samples)
        ZF_TRY(choose_samples(made, data, err));
    ZF_TRY(allocate(&at, last, err));
    for (size_t l = 0; l < made->layer_count; l++)
        taps[l] = made->layers[l].layer;
    ZF_TRY(zf_pass_run(&(struct zf_pass){.net = net,
                                         .data = data,
                                         .plan = {.compute = zf_compute_batch(look->compute, BATCH),
                                                  .purpose = ZF_INFER,
                                                  .taps = taps,
                                                  .tap_count = made->layer_count,
                                                  .taps_only = true},
                                         .strict = look->strict,
                                         .samples = made->samples,
                                         .sample_count = made->sample_count,
                                         .visit = see_batch,
                                         .user = &at},
                       NULL, NULL, err));
    for (size_t l = 0; l < made->layer_count; l++)
        for (size_t m = 0; m < made->layers[l].map_count; m++)
            *similarity_of(&made->layers[l].maps[m], epoch) =
                last ? 1 : correlation(&at.sums[l][m]);
fail:
    release(&at);
    zf_free(taps);
    return status;
}

/* ---- The start. ---- */

enum zf_status zf_evolve_draw_start(const char *run, const struct zf_net *last, struct zf_net **out,
                                    const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = NULL;
    struct zf_checkpoint at;
    float *velocity = NULL;

    if (zf_net_from(last) || !zf_checkpoint_exists(run))
        return ZF_OK;
    ZF_TRY(zf_net_parse_spec(zf_net_spec(last), zf_net_name(last), 0, &net, err));
    velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    if (!velocity) {
        status = zf_no_memory(err, "the start of %s", run);
        goto fail;
    }
    ZF_TRY(zf_checkpoint_load(run, net, velocity, &at, monitor, err));
    ZF_TRY(zf_net_set_preparation(net, zf_net_preparation(last), err));
    zf_net_init_parameters(net, (enum zf_init_kind)at.recipe.init, at.recipe.init_std,
                           (uint64_t)at.seed);
    *out = net;
    net = NULL;
fail:
    zf_free(velocity);
    zf_net_free(&net);
    return status;
}

/* ---- What it comes to. ---- */

double zf_evolve_share(double similarity, double start)
{
    return 1 - start > 1e-6 ? (similarity - start) / (1 - start) : 1;
}

size_t zf_evolve_settled(const double *shares, size_t count, double bound)
{
    size_t settled = count - 1;

    while (settled > 0 && shares[settled - 1] >= bound)
        settled--;
    return settled;
}
