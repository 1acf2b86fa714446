/* SPDX-License-Identifier: MIT */
/*
 * Projects every entry of a zf_top, each alone. (Paper: section 2.1.)
 *
 * A picture that is among the strongest of many maps is forwarded once, in a batch of them, and
 * then projected from once for each of these maps; projections, too, are computed a batch at a
 * time. They are taken in rounds: the first seed of every picture, then the second. Where a
 * projection takes the whole net and not just a cone, a batch of it is then one run. For the same
 * reason pictures are sorted by their number of seeds; one with very many takes several slots.
 */
#include "look/look.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"

/* A projecting plan keeps every activation and switch of its batch, so it is smaller than one that
   only looks; it costs nothing a picture. */
#define PROJECT_BATCH 16
#define EXACT_BATCH 2   /* in double more would only take memory */
#define SEEDS_A_SLOT 32 /* at most; another forward run is cheap beside so many projections */

/* One entry of the layer. */
struct seed {
    int64_t sample;
    size_t map, rank;
};

/* A picture in the batch and the seeds it stands for. */
struct slot {
    int64_t sample;
    size_t first, count; /* in `seeds` */
};

/* The walk over one layer. */
struct walk {
    const struct zf_net *net;
    const struct zf_top_layer *layer;
    size_t index; /* of the layer, for the visitor */
    int64_t batch;

    struct seed *seeds;
    struct slot *slots;
    int64_t *samples; /* of the slots, for the loader */
    size_t seed_count, slot_count;

    const struct slot *next; /* the slots of the next batch */
    struct zf_place *places; /* [batch]: what is projected next ... */
    struct seed *turns;      /* ... and for which entry */
    int64_t waiting;         /* of these */
    struct zf_tensor projections;

    zf_top_visit *visit;
    void *user;
    const struct zf_monitor *monitor;
    int64_t done, total; /* entries, over all layers */
};

static void walk_release(struct walk *walk)
{
    zf_tensor_release(&walk->projections);
    zf_free(walk->places);
    zf_free(walk->turns);
    zf_free(walk->samples);
    zf_free(walk->slots);
    zf_free(walk->seeds);
}

static int three_way(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_sample(const void *left, const void *right)
{
    const struct seed *a = left, *b = right;
    int order = three_way(a->sample, b->sample);

    if (order == 0)
        order = three_way((int64_t)a->map, (int64_t)b->map);
    return order ? order : three_way((int64_t)a->rank, (int64_t)b->rank);
}

static int by_count(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;
    int order = three_way((int64_t)b->count, (int64_t)a->count);

    return order ? order : three_way((int64_t)a->first, (int64_t)b->first);
}

static enum zf_status gather_seeds(struct walk *walk, int64_t pictures, struct zf_error *err)
{
    const struct zf_top_layer *layer = walk->layer;
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++)
        count += layer->maps[m].count;
    walk->seeds = zf_alloc_raw(count, sizeof *walk->seeds);
    walk->slots = zf_alloc_raw(count, sizeof *walk->slots);
    walk->samples = zf_alloc_raw(count, sizeof *walk->samples);
    if (!walk->seeds || !walk->slots || !walk->samples)
        return zf_no_memory(err, "%zu projections", count);
    for (size_t m = 0; m < layer->map_count; m++) {
        for (size_t rank = 0; rank < layer->maps[m].count; rank++) {
            int64_t sample = layer->maps[m].entries[rank].sample;

            if (sample < 0 || sample >= pictures)
                return zf_fail(err, ZF_EINVAL,
                               "picture %" PRId64 " is not among the %" PRId64 " of the data set",
                               sample, pictures);
            walk->seeds[walk->seed_count++] = (struct seed){sample, m, rank};
        }
    }
    qsort(walk->seeds, walk->seed_count, sizeof *walk->seeds, by_sample);
    return ZF_OK;
}

static void gather_slots(struct walk *walk)
{
    for (size_t i = 0; i < walk->seed_count; i++) {
        struct slot *last = walk->slot_count ? &walk->slots[walk->slot_count - 1] : NULL;
        int64_t sample = walk->seeds[i].sample;

        if (last && last->sample == sample && last->count < SEEDS_A_SLOT)
            last->count++;
        else
            walk->slots[walk->slot_count++] = (struct slot){sample, i, 1};
    }
    qsort(walk->slots, walk->slot_count, sizeof *walk->slots, by_count);
    for (size_t i = 0; i < walk->slot_count; i++)
        walk->samples[i] = walk->slots[i].sample;
}

static enum zf_status prepare(struct walk *walk, const struct zf_top_options *options,
                              struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(walk->net);
    const struct zf_compute *compute = &options->compute;
    const int64_t most = compute->exact && !compute->engine ? EXACT_BATCH : PROJECT_BATCH;

    walk->batch = compute->batch > 0 && compute->batch < most ? compute->batch : most;
    if (walk->slot_count < (size_t)walk->batch)
        walk->batch = (int64_t)walk->slot_count;
    walk->places = zf_alloc((size_t)walk->batch, sizeof *walk->places);
    walk->turns = zf_alloc((size_t)walk->batch, sizeof *walk->turns);
    if (!walk->places || !walk->turns)
        return zf_no_memory(err, "a batch of %" PRId64, walk->batch);
    return zf_tensor_init(&walk->projections, walk->batch, in.c, in.h, in.w, err);
}

/* What waits; `src` are the pictures of the last forward run. */
static enum zf_status project_waiting(struct walk *walk, struct zf_plan *plan,
                                      const struct zf_tensor *src, struct zf_error *err)
{
    const int64_t count = walk->waiting;
    struct zf_tensor dst = walk->projections;
    const int64_t image = dst.c * dst.h * dst.w;

    walk->waiting = 0;
    if (count == 0)
        return ZF_OK;
    dst.n = count;
    zf_plan_project_each(plan, walk->layer->layer, walk->places, NULL, &dst);
    for (int64_t i = 0; i < count; i++) {
        const struct seed *seed = &walk->turns[i];

        ZF_CHECK(walk->visit(walk->user, walk->index, seed->map, seed->rank,
                             src->data + walk->places[i].n * image, dst.data + i * image, err));
    }
    walk->done += count;
    if (!zf_monitor_progress(walk->monitor, "projecting", walk->done, walk->total))
        return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " projections",
                       walk->done, walk->total);
    return ZF_OK;
}

/* The pictures of the next slots have been run: all of their seeds, in rounds. */
static enum zf_status project_slots(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                    struct zf_error *err)
{
    struct walk *walk = user;
    const struct slot *slots = walk->next;

    walk->next += walk->batch;
    for (size_t round = 0; round < slots[0].count; round++) {
        for (int64_t n = 0; n < batch->count && slots[n].count > round; n++) {
            const struct seed *seed = &walk->seeds[slots[n].first + round];
            const struct zf_top_map *map = &walk->layer->maps[seed->map];

            walk->turns[walk->waiting] = *seed;
            walk->places[walk->waiting++] = (struct zf_place){
                n, map->map, map->entries[seed->rank].y, map->entries[seed->rank].x};
            if (walk->waiting == walk->batch)
                ZF_CHECK(project_waiting(walk, plan, &batch->input, err));
        }
    }
    return project_waiting(walk, plan, &batch->input, err);
}

static int64_t count_entries(const struct zf_top *top)
{
    int64_t count = 0;

    for (size_t i = 0; i < top->layer_count; i++) {
        for (size_t m = 0; m < top->layers[i].map_count; m++)
            count += (int64_t)top->layers[i].maps[m].count;
    }
    return count;
}

static enum zf_status project_layer(struct walk *walk, const struct zf_data *data,
                                    const struct zf_top_options *options, struct zf_error *err)
{
    enum zf_status status;

    ZF_TRY(gather_seeds(walk, zf_data_count(data), err));
    if (walk->seed_count == 0)
        goto fail;
    gather_slots(walk);
    ZF_TRY(prepare(walk, options, err));
    walk->next = walk->slots;
    /* A picture that could be read a moment ago is missed now: that is worth stopping for. */
    ZF_TRY(zf_pass_run(
        &(struct zf_pass){.net = walk->net,
                          .data = data,
                          .plan = {.compute = zf_compute_batch(options->compute, walk->batch),
                                   .purpose = ZF_PROJECT,
                                   .rule = options->rule,
                                   .each = true,
                                   .taps = &walk->layer->layer,
                                   .tap_count = 1,
                                   .taps_only = true},
                          .strict = true,
                          .any_numbers = options->any_numbers,
                          .samples = walk->samples,
                          .sample_count = (int64_t)walk->slot_count,
                          .visit = project_slots,
                          .user = walk},
        NULL, walk->monitor, err));
fail:
    walk_release(walk);
    return status;
}

enum zf_status zf_top_project(const struct zf_net *net, const struct zf_data *data,
                              const struct zf_top *top, const struct zf_top_options *options,
                              zf_top_visit *visit, void *user, const struct zf_monitor *monitor,
                              struct zf_error *err)
{
    int64_t done = 0;

    for (size_t i = 0; i < top->layer_count; i++) {
        struct walk walk = {.net = net,
                            .layer = &top->layers[i],
                            .index = i,
                            .visit = visit,
                            .user = user,
                            .monitor = monitor,
                            .done = done,
                            .total = count_entries(top)};

        ZF_CHECK(project_layer(&walk, data, options, err));
        done = walk.done;
    }
    return ZF_OK;
}
