/* SPDX-License-Identifier: MIT */
/*
 * The strongest pictures of every map, in one pass over a data set. (Paper: section 4.1.)
 *
 * Workers of the loader read and decode while the net runs. Of a batch only the maximum of each
 * map and its place leave the plan; a list per map keeps the k best, so memory is that of one
 * plan and the lists however many pictures there are. A picture counts once a map, at its
 * strongest place: otherwise one picture with a regular texture would fill all nine. Ranks that
 * share the pictures keep lists of their own, which become one in the end: their order is total.
 *
 * A pass that goes on begins at a batch of the whole pass, so each picture is run in the company,
 * and to the bits, that it has without a stop.
 */
#include "look/look.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "ranks/ranks.h"

#define DEFAULT_BATCH 64
#define KEEP_EVERY_S 10

struct looking {
    const struct zf_net *net;
    const struct zf_data *data;
    const struct zf_top_options *options;
    const struct zf_monitor *monitor;
    int64_t pictures, batch;
    struct zf_top *top;
    size_t capacity;
    struct zf_top_so_far before, so_far; /* when this pass began, and now */
    double begun, kept;                  /* on the clock */
    int64_t *samples;                    /* that are left; NULL = all */
    int *layers;                         /* that the plan is asked for */
    float *strongest;                    /* [batch * maps] of the layer at hand */
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

static enum zf_status allocate(struct looking *at, struct zf_error *err)
{
    const struct zf_top *top = at->top;
    const int64_t batch = at->batch;
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

/* ---- A pass that can go on. ---- */

static enum zf_status keep(struct looking *at, struct zf_error *err)
{
    at->kept = zf_clock_s();
    at->so_far.seconds = at->before.seconds + at->kept - at->begun;
    if (!at->options->kept || zf_ranks_count(at->options->compute.ranks) > 1)
        return ZF_OK;
    return zf_top_keep(at->options->kept, at->options->asked, at->top, &at->so_far, err);
}

/* Where the pass begins: at the first picture, or where an earlier one came to. */
static enum zf_status find_start(struct looking *at, struct zf_error *err)
{
    if (at->options->kept && at->options->resume)
        ZF_CHECK(zf_top_recall(at->options->kept, at->options->asked, at->net, at->capacity,
                               at->pictures, at->top, &at->before, err));
    at->so_far = at->before;
    if (at->before.next == 0 || at->before.next == at->pictures)
        return ZF_OK;
    at->samples = zf_alloc((size_t)(at->pictures - at->before.next), sizeof *at->samples);
    if (!at->samples)
        return zf_no_memory(err, "%" PRId64 " pictures", at->pictures);
    for (int64_t i = at->before.next; i < at->pictures; i++)
        at->samples[i - at->before.next] = i;
    return ZF_OK;
}

static enum zf_status collect_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                    struct zf_error *err)
{
    struct looking *at = user;
    const int64_t next = (batch->samples[batch->count - 1] / at->batch + 1) * at->batch;

    for (size_t i = 0; i < at->top->layer_count; i++)
        collect(at, plan, &at->top->layers[i], batch);
    at->so_far.next = next < at->pictures ? next : at->pictures;
    at->so_far.images += batch->count;
    return zf_clock_s() - at->kept < KEEP_EVERY_S ? ZF_OK : keep(at, err);
}

static bool progress(void *user, const char *stage, int64_t done, int64_t total)
{
    const struct looking *at = user;

    (void)total;
    return zf_monitor_progress(at->monitor, stage, at->before.next + done, at->pictures);
}

static void message(void *user, const char *sentence)
{
    const struct looking *at = user;

    zf_monitor_message(at->monitor, "%s", sentence);
}

/* All pictures that are left; what was found is kept however it ends. */
static enum zf_status look(struct looking *at, struct zf_passed *passed, struct zf_error *err)
{
    const struct zf_top_options *options = at->options;
    const struct zf_monitor monitor = {.user = at, .progress = progress, .message = message};
    enum zf_status status;

    at->begun = zf_clock_s();
    ZF_CHECK(keep(at, err));
    status = zf_pass_run(
        &(struct zf_pass){.net = at->net,
                          .data = at->data,
                          .plan = {.compute = zf_compute_batch(options->compute, at->batch),
                                   .purpose = ZF_INFER,
                                   .taps = at->layers,
                                   .tap_count = at->top->layer_count,
                                   .taps_only = true},
                          .strict = options->strict,
                          .any_numbers = options->any_numbers,
                          .samples = at->samples,
                          .sample_count = at->samples ? at->pictures - at->before.next : 0,
                          .stage = "looking",
                          .missing = "skipped",
                          .visit = collect_batch,
                          .user = at},
        passed, &monitor, err);
    if (status == ZF_OK) {
        at->so_far.next = at->pictures;
        return keep(at, err);
    }
    if (status == ZF_ECANCELED)
        keep(at, NULL);
    return status;
}

/* ---- The lists of all ranks. ---- */

/* The lists of a layer as one array: a count for each map, then `capacity` entries for each. */
struct lists {
    size_t maps, capacity, bytes;
};

static struct lists lists_of(const struct looking *at, const struct zf_top_layer *layer)
{
    const size_t each = sizeof(int64_t) + at->capacity * sizeof(struct zf_top_entry);

    return (struct lists){layer->map_count, at->capacity, layer->map_count * each};
}

static void write_lists(const struct lists *lists, const struct zf_top_layer *layer, char *to)
{
    int64_t *counts = (int64_t *)(void *)to;
    struct zf_top_entry *entries = (struct zf_top_entry *)(void *)(counts + lists->maps);

    for (size_t m = 0; m < lists->maps; m++) {
        const struct zf_top_map *map = &layer->maps[m];

        counts[m] = (int64_t)map->count;
        memcpy(entries + m * lists->capacity, map->entries, map->count * sizeof *entries);
    }
}

static void offer_lists(const struct lists *lists, const char *from, struct zf_top_layer *layer)
{
    const int64_t *counts = (const int64_t *)(const void *)from;
    const struct zf_top_entry *entries =
        (const struct zf_top_entry *)(const void *)(counts + lists->maps);

    for (size_t m = 0; m < lists->maps; m++)
        for (int64_t i = 0; i < counts[m]; i++)
            zf_top_offer(&layer->maps[m], lists->capacity,
                         &entries[m * lists->capacity + (size_t)i]);
}

static enum zf_status merge_layer(const struct looking *at, struct zf_ranks *ranks,
                                  struct zf_top_layer *layer, struct zf_error *err)
{
    const struct lists lists = lists_of(at, layer);
    const size_t count = (size_t)zf_ranks_count(ranks);
    char *mine = zf_alloc(1, lists.bytes), *all = zf_alloc(count, lists.bytes);
    enum zf_status status = ZF_OK;

    if (!mine || !all)
        status = zf_no_memory(err, "the strongest of %zu ranks", count);
    ZF_TRY(zf_ranks_agree(ranks, status, err));
    write_lists(&lists, layer, mine);
    ZF_TRY(zf_ranks_gather(ranks, mine, lists.bytes, all, err));
    for (size_t k = 0; k < count; k++)
        if (k != (size_t)zf_ranks_rank(ranks))
            offer_lists(&lists, all + k * lists.bytes, layer);
fail:
    zf_free(mine);
    zf_free(all);
    return status;
}

/* All ranks come to the same. */
static enum zf_status merge(struct looking *at, struct zf_ranks *ranks, struct zf_error *err)
{
    if (zf_ranks_count(ranks) == 1)
        return ZF_OK;
    for (size_t i = 0; i < at->top->layer_count; i++)
        ZF_CHECK(merge_layer(at, ranks, &at->top->layers[i], err));
    return zf_ranks_add(ranks, &at->not_finite, 1, err);
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
    const int64_t pictures = zf_data_count(data);
    const int64_t batch = options->compute.batch ? options->compute.batch : DEFAULT_BATCH;
    struct looking at = {.net = net,
                         .data = data,
                         .options = options,
                         .monitor = monitor,
                         .pictures = pictures,
                         .batch = batch < pictures ? batch : pictures};
    struct zf_passed passed = {0};

    if (batch < 1 || options->compute.threads < 0)
        return zf_fail(err, ZF_EINVAL, "batch (%" PRId64 ") and threads (%d) must not be negative",
                       batch, options->compute.threads);
    ZF_TRY(zf_top_select(net, options, pictures, &at.top, err));
    at.capacity = zf_top_capacity(options, pictures);
    ZF_TRY(find_start(&at, err));
    ZF_TRY(allocate(&at, err));
    if (at.before.next < pictures)
        ZF_TRY(look(&at, &passed, err));
    ZF_TRY(merge(&at, options->compute.ranks, err));
    at.top->images = at.before.images + passed.images;
    at.top->skipped = at.before.next - at.before.images + passed.skipped;
    at.top->images_per_second = (double)at.top->images / (at.before.seconds + passed.seconds);
    add_patches(net, at.top);
    if (at.not_finite)
        zf_monitor_message(monitor,
                           "%" PRId64 " activations were not finite and are left out: the net "
                           "overflows on some of these pictures",
                           at.not_finite);
    *top = at.top;
    at.top = NULL;
fail:
    zf_free(at.samples);
    zf_free(at.layers);
    zf_free(at.strongest);
    zf_free(at.where);
    zf_top_free(&at.top);
    return status;
}
