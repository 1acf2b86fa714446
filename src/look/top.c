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

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"

#define DEFAULT_BATCH 64
#define KEPT_REASONS 100 /* that a loader remembers */

struct pass {
    const struct zf_net *net;
    struct zf_plan *plan;
    struct zf_loader *loader;
    struct zf_top *top;
    size_t capacity;
    float *strongest; /* [batch * maps] of the layer at hand */
    int32_t *where;
    int64_t not_finite; /* activations left out */
    int64_t told;       /* skipped pictures that the user has heard of */
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

static enum zf_status pass_plan(struct pass *pass, const struct zf_top_options *options,
                                int64_t batch, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_top *top = pass->top;
    int *taps = zf_alloc(top->layer_count, sizeof(*taps));
    size_t cells = (size_t)batch * (size_t)most_maps(pass->net, top);

    pass->strongest = zf_alloc_raw(cells, sizeof(*pass->strongest));
    pass->where = zf_alloc_raw(cells, sizeof(*pass->where));
    if (!taps || !pass->strongest || !pass->where) {
        status =
            zf_fail(err, ZF_ENOMEM, "out of memory for the maxima of %" PRId64 " pictures", batch);
        goto fail;
    }
    for (size_t i = 0; i < top->layer_count; i++)
        taps[i] = top->layers[i].layer;
    ZF_TRY(zf_plan_create(
        pass->net,
        &(struct zf_plan_options){.compute = zf_compute_batch(options->compute, batch),
                                  .purpose = ZF_INFER,
                                  .taps = taps,
                                  .tap_count = top->layer_count,
                                  .taps_only = true},
        &pass->plan, err));
fail:
    zf_free(taps);
    return status;
}

/* Offer the maxima of the batch that the plan has just run to the lists of one layer. */
static void collect(struct pass *pass, struct zf_top_layer *layer, const struct zf_batch *batch)
{
    struct zf_shape shape = zf_net_layer(pass->net, layer->layer).shape;

    zf_plan_maxima(pass->plan, layer->layer, pass->strongest, pass->where);
    for (int64_t n = 0; n < batch->count; n++) {
        for (size_t m = 0; m < layer->map_count; m++) {
            struct zf_top_map *map = &layer->maps[m];
            int64_t i = n * shape.c + map->map;
            struct zf_top_entry entry = {
                .sample = batch->samples[n],
                .activation = pass->strongest[i],
                .y = pass->where[i] / shape.w,
                .x = pass->where[i] % shape.w,
            };

            if (isfinite(entry.activation))
                zf_top_offer(map, pass->capacity, &entry);
            else
                pass->not_finite++;
        }
    }
}

static void tell_skipped(struct pass *pass, const struct zf_monitor *monitor)
{
    int64_t skipped = zf_loader_skipped(pass->loader);

    for (; pass->told < skipped && pass->told < KEPT_REASONS; pass->told++)
        zf_monitor_message(monitor, "skipped: %s",
                           zf_loader_skipped_reason(pass->loader, pass->told));
    pass->top->skipped = skipped;
}

static enum zf_status pass_run(struct pass *pass, int64_t pictures,
                               const struct zf_monitor *monitor, struct zf_error *err)
{
    struct zf_top *top = pass->top;
    bool done = false;

    for (;;) {
        struct zf_batch batch;
        enum zf_status status = zf_loader_next(pass->loader, &batch, &done, err);

        if (status != ZF_OK)
            return status;
        tell_skipped(pass, monitor);
        if (done)
            return ZF_OK;
        if (batch.count > 0) {
            struct zf_tensor src = batch.input;

            src.n = batch.count;
            zf_plan_forward(pass->plan, &src);
            for (size_t i = 0; i < top->layer_count; i++)
                collect(pass, &top->layers[i], &batch);
            top->images += batch.count;
        }
        if (!zf_monitor_progress(monitor, "looking", top->images + top->skipped, pictures))
            return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " pictures",
                           top->images, pictures);
    }
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
    struct pass pass = {.net = net};
    int64_t pictures = zf_data_count(data);
    int64_t batch = options->compute.batch ? options->compute.batch : DEFAULT_BATCH;
    double start;

    if (batch < 1 || options->compute.threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") and threads (%d) must not be negative",
                       batch, options->compute.threads);
    batch = batch < pictures ? batch : pictures;
    ZF_TRY(zf_top_select(net, options, pictures, &pass.top, err));
    pass.capacity = zf_top_capacity(options, pictures);
    ZF_TRY(pass_plan(&pass, options, batch, err));

    start = zf_clock_s();
    ZF_TRY(zf_loader_create(data, net,
                            &(struct zf_loader_options){.batch = batch,
                                                        .views = ZF_VIEWS_CENTRE,
                                                        .strict = options->strict,
                                                        .threads = zf_look_workers(options)},
                            &pass.loader, err));
    ZF_TRY(pass_run(&pass, pictures, monitor, err));
    pass.top->images_per_second = (double)pass.top->images / (zf_clock_s() - start);

    add_patches(net, pass.top);
    if (pass.not_finite)
        zf_monitor_message(monitor,
                           "%" PRId64 " activations were not finite and are left out: the net "
                           "overflows on some of these pictures",
                           pass.not_finite);
    *top = pass.top;
    pass.top = NULL;
fail:
    zf_loader_free(&pass.loader);
    zf_plan_free(&pass.plan);
    zf_free(pass.strongest);
    zf_free(pass.where);
    zf_top_free(&pass.top);
    return status;
}
