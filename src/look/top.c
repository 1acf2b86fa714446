/* SPDX-License-Identifier: MIT */
/*
 * The strongest pictures of every map, in one pass over a data set. (Paper: section 4.1.)
 *
 * Workers of the loader read and decode while the net runs. Of a batch only the maximum of each
 * map and its place leave the plan; a list per map keeps the k best, so memory is that of one
 * plan and the lists however many pictures there are. A picture counts once a map, at its
 * strongest place: otherwise one picture with a regular texture would fill all nine.
 */
#include "look/look.h"

#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"

#define DEFAULT_BATCH 64

struct looking {
    const struct zf_net *net;
    struct zf_top *top;
    size_t capacity;
    int *layers;      /* that the plan is asked for */
    float *strongest; /* [batch * maps] of the layer at hand */
    int32_t *where;
    int64_t not_finite; /* activations left out */
};

static int64_t most_maps(const struct zf_net *net, const struct zf_top *top)
{
    int64_t most = 0;

    for (size_t i = 0; i < top->layer_count; i++) {
        int64_t maps = zf_net_layer(net, top->layers[i].layer).shape.c;

        most = maps > most ? maps : most;
    }
    return most;
}

static enum zf_status allocate(struct looking *at, int64_t batch, struct zf_error *err)
{
    const struct zf_top *top = at->top;
    const size_t cells = (size_t)batch * (size_t)most_maps(at->net, top);

    at->layers = zf_alloc(top->layer_count, sizeof *at->layers);
    at->strongest = zf_alloc_raw(cells, sizeof *at->strongest);
    at->where = zf_alloc_raw(cells, sizeof *at->where);
    if (!at->layers || !at->strongest || !at->where)
        return zf_no_memory(err, "the maxima of %" PRId64 " pictures", batch);
    for (size_t i = 0; i < top->layer_count; i++)
        at->layers[i] = top->layers[i].layer;
    return ZF_OK;
}

/* Offer the maxima of the batch that the plan has just run to the lists of one layer. */
static void collect(struct looking *at, struct zf_plan *plan, struct zf_top_layer *layer,
                    const struct zf_batch *batch)
{
    struct zf_shape shape = zf_net_layer(at->net, layer->layer).shape;

    zf_plan_maxima(plan, layer->layer, at->strongest, at->where);
    for (int64_t n = 0; n < batch->count; n++) {
        for (size_t m = 0; m < layer->map_count; m++) {
            struct zf_top_map *map = &layer->maps[m];
            int64_t i = n * shape.c + map->map;
            struct zf_top_entry entry = {
                .sample = batch->samples[n],
                .activation = at->strongest[i],
                .y = at->where[i] / shape.w,
                .x = at->where[i] % shape.w,
            };

            if (isfinite(entry.activation))
                zf_top_offer(map, at->capacity, &entry);
            else
                at->not_finite++;
        }
    }
}

static enum zf_status collect_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                    struct zf_error *err)
{
    struct looking *at = user;

    (void)err;
    for (size_t i = 0; i < at->top->layer_count; i++)
        collect(at, plan, &at->top->layers[i], batch);
    return ZF_OK;
}

static void add_patches(const struct zf_net *net, struct zf_top *top)
{
    for (size_t i = 0; i < top->layer_count; i++) {
        const struct zf_top_layer *layer = &top->layers[i];

        for (size_t m = 0; m < layer->map_count; m++) {
            for (size_t k = 0; k < layer->maps[m].count; k++) {
                struct zf_top_entry *entry = &layer->maps[m].entries[k];

                entry->patch = zf_net_patch(net, layer->layer, entry->y, entry->x);
            }
        }
    }
}

enum zf_status zf_top_run(const struct zf_net *net, const struct zf_data *data,
                          const struct zf_top_options *options, struct zf_top **top,
                          const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct looking at = {.net = net};
    int64_t pictures = zf_data_count(data);
    int64_t batch = options->compute.batch ? options->compute.batch : DEFAULT_BATCH;
    struct zf_passed passed;

    if (batch < 1 || options->compute.threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") and threads (%d) must not be negative",
                       batch, options->compute.threads);
    batch = batch < pictures ? batch : pictures;
    ZF_TRY(zf_top_select(net, options, pictures, &at.top, err));
    at.capacity = zf_top_capacity(options, pictures);
    ZF_TRY(allocate(&at, batch, err));
    ZF_TRY(
        zf_pass_run(&(struct zf_pass){.net = net,
                                      .data = data,
                                      .plan = {.compute = zf_compute_batch(options->compute, batch),
                                               .purpose = ZF_INFER,
                                               .taps = at.layers,
                                               .tap_count = at.top->layer_count,
                                               .taps_only = true},
                                      .strict = options->strict,
                                      .any_numbers = options->any_numbers,
                                      .stage = "looking",
                                      .missing = "skipped",
                                      .visit = collect_batch,
                                      .user = &at},
                    &passed, monitor, err));
    at.top->images = passed.images;
    at.top->skipped = passed.skipped;
    at.top->images_per_second = (double)passed.images / passed.seconds;
    add_patches(net, at.top);
    if (at.not_finite)
        zf_monitor_message(monitor,
                           "%" PRId64 " activations were not finite and are left out: the net "
                           "overflows on some of these pictures",
                           at.not_finite);
    *top = at.top;
    at.top = NULL;
fail:
    zf_free(at.layers);
    zf_free(at.strongest);
    zf_free(at.where);
    zf_top_free(&at.top);
    return status;
}
