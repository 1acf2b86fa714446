/* SPDX-License-Identifier: MIT */
/*
 * Projects every entry of a zf_top, each alone. (Paper: section 2.1.)
 *
 * A picture that is among the strongest of many maps is forwarded once, in a batch of them, and
 * then projected from once for each of these maps; projections, too, are computed a batch at a
 * time. They are taken in rounds: the first seed of every picture, then the second. Where a
 * projection takes the whole net and not just a cone, a batch of it is then one run. For the same
 * reason pictures are sorted by their number of seeds; one with very many takes several slots.
 *
 * Ranks share the batches of pictures. What they have projected goes to the first one as the
 * pictures, and of each projection its patch, as it is zero elsewhere.
 */
#include "look/look.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"

/* A projecting plan keeps every activation and switch of its batch, so it is smaller than one that
   only looks; it costs nothing a picture. */
#define PROJECT_BATCH 16
#define EXACT_BATCH 2   /* in double more would only take memory */
#define SEEDS_A_SLOT 32 /* at most; another forward run is cheap beside so many projections */
#define FEWEST_A_SLOT 4
#define PACKED_BYTES                                                                               \
    ((int64_t)1 << 27) /* of a batch's projections, about: where patches are large                 \
                          a slot has fewer seeds */

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

    struct zf_place *places; /* [batch]: what is projected next ... */
    struct seed *turns;      /* ... and for which entry */
    int64_t waiting;         /* of these */
    struct zf_tensor projections;
    float *whole; /* [c, h, w] of a projection, zero but for the patch that it was given */

    zf_top_visit *visit;
    void *user;
    const struct zf_monitor *monitor;
    int64_t done, total; /* entries, over all layers */
    int64_t packed;      /* of the batch at hand */
};

static void walk_release(struct walk *walk)
{
    zf_tensor_release(&walk->projections);
    zf_free(walk->whole);
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

static struct zf_box patch_of(const struct walk *walk, const struct seed *seed)
{
    const struct zf_top_entry *entry = &walk->layer->maps[seed->map].entries[seed->rank];

    return zf_net_patch(walk->net, walk->layer->layer, entry->y, entry->x);
}

static size_t most_seeds(const struct walk *walk)
{
    int64_t largest = 1, most;

    for (size_t i = 0; i < walk->seed_count; i++) {
        const struct zf_box patch = patch_of(walk, &walk->seeds[i]);

        largest = patch.height * patch.width > largest ? patch.height * patch.width : largest;
    }
    largest *= zf_net_input(walk->net).c * (int64_t)sizeof(float);
    most = PACKED_BYTES / PROJECT_BATCH / largest;
    most = most < FEWEST_A_SLOT ? FEWEST_A_SLOT : most;
    return (size_t)(most < SEEDS_A_SLOT ? most : SEEDS_A_SLOT);
}

static void gather_slots(struct walk *walk)
{
    const size_t most = most_seeds(walk);

    for (size_t i = 0; i < walk->seed_count; i++) {
        struct slot *last = walk->slot_count ? &walk->slots[walk->slot_count - 1] : NULL;
        int64_t sample = walk->seeds[i].sample;

        if (last && last->sample == sample && last->count < most)
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
    walk->whole = zf_alloc((size_t)(in.c * in.h * in.w), sizeof *walk->whole);
    if (!walk->places || !walk->turns || !walk->whole)
        return zf_no_memory(err, "a batch of %" PRId64, walk->batch);
    return zf_tensor_init(&walk->projections, walk->batch, in.c, in.h, in.w, err);
}

/* ---- On the rank that projects. ---- */

/* What is packed of a projection; the numbers of its patch follow, [c, height, width]. */
struct projected {
    struct seed seed;
    int64_t picture; /* of the batch */
    struct zf_box patch;
};

/* The rows of a patch from an image to the numbers that are packed. */
static void copy_patch(struct zf_box patch, struct zf_shape in, const float *image, float *packed)
{
    for (int64_t c = 0; c < in.c; c++)
        for (int64_t y = 0; y < patch.height; y++, packed += patch.width)
            memcpy(packed, image + (c * in.h + patch.y + y) * in.w + patch.x,
                   (size_t)patch.width * sizeof *packed);
}

/* What waits. */
static enum zf_status project_waiting(struct walk *walk, struct zf_plan *plan,
                                      struct zf_parcel *parcel, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(walk->net);
    const int64_t count = walk->waiting;
    struct zf_tensor dst = walk->projections;

    walk->waiting = 0;
    if (count == 0)
        return ZF_OK;
    dst.n = count;
    zf_plan_project_each(plan, walk->layer->layer, walk->places, NULL, &dst);
    for (int64_t i = 0; i < count; i++) {
        const struct projected projected = {walk->turns[i], walk->places[i].n,
                                            patch_of(walk, &walk->turns[i])};
        const struct zf_box patch = projected.patch;
        float *packed;

        zf_parcel_add(parcel, &projected, sizeof projected);
        packed =
            zf_parcel_room(parcel, (size_t)(in.c * patch.height * patch.width) * sizeof *packed);
        if (!packed)
            return zf_no_memory(err, "%" PRId64 " projections", count);
        copy_patch(patch, in, dst.data + i * in.c * in.h * in.w, packed);
    }
    walk->packed += count;
    if (!zf_monitor_progress(walk->monitor, "projecting", walk->done + walk->packed, walk->total))
        return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " projections",
                       walk->done + walk->packed, walk->total);
    return ZF_OK;
}

/* The pictures of a batch of slots have been run: all of their seeds, in rounds. */
static enum zf_status project_slots(void *user, struct zf_plan *plan, int64_t number,
                                    const struct zf_batch *batch, struct zf_parcel *parcel,
                                    struct zf_error *err)
{
    struct walk *walk = user;
    const struct slot *slots = walk->slots + number * walk->batch;
    const struct zf_shape in = zf_net_input(walk->net);
    int64_t counts[] = {batch->count, 0};

    walk->packed = 0;
    for (int64_t n = 0; n < batch->count; n++)
        counts[1] += (int64_t)slots[n].count;
    zf_parcel_add(parcel, counts, sizeof counts);
    zf_parcel_add(parcel, batch->input.data,
                  (size_t)(batch->count * in.c * in.h * in.w) * sizeof(float));
    for (size_t round = 0; round < slots[0].count; round++) {
        for (int64_t n = 0; n < batch->count && slots[n].count > round; n++) {
            const struct seed *seed = &walk->seeds[slots[n].first + round];
            const struct zf_top_map *map = &walk->layer->maps[seed->map];

            walk->turns[walk->waiting] = *seed;
            walk->places[walk->waiting++] = (struct zf_place){
                n, map->map, map->entries[seed->rank].y, map->entries[seed->rank].x};
            if (walk->waiting == walk->batch)
                ZF_CHECK(project_waiting(walk, plan, parcel, err));
        }
    }
    return project_waiting(walk, plan, parcel, err);
}

/* ---- On the first. ---- */

static void set_patch(struct walk *walk, struct zf_box patch, const float *packed)
{
    const struct zf_shape in = zf_net_input(walk->net);

    for (int64_t c = 0; c < in.c; c++) {
        for (int64_t y = 0; y < patch.height; y++) {
            float *row = walk->whole + (c * in.h + patch.y + y) * in.w + patch.x;

            if (packed)
                memcpy(row, packed + (c * patch.height + y) * patch.width,
                       (size_t)patch.width * sizeof *row);
            else
                memset(row, 0, (size_t)patch.width * sizeof *row);
        }
    }
}

static enum zf_status take_slots(void *user, struct zf_parcel *parcel, struct zf_error *err)
{
    struct walk *walk = user;
    const struct zf_shape in = zf_net_input(walk->net);
    const int64_t image = in.c * in.h * in.w;
    const int64_t *counts = zf_parcel_next(parcel, 2 * sizeof *counts);
    const float *inputs = zf_parcel_next(parcel, (size_t)(counts[0] * image) * sizeof *inputs);

    for (int64_t i = 0; i < counts[1]; i++) {
        const struct projected *projected = zf_parcel_next(parcel, sizeof *projected);
        const struct seed *seed = &projected->seed;
        const struct zf_box patch = projected->patch;

        set_patch(
            walk, patch,
            zf_parcel_next(parcel, (size_t)(in.c * patch.height * patch.width) * sizeof(float)));
        ZF_CHECK(walk->visit(walk->user, walk->index, seed->map, seed->rank,
                             inputs + projected->picture * image, walk->whole, err));
        set_patch(walk, patch, NULL);
    }
    walk->done += counts[1];
    return ZF_OK;
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
                          .pack = project_slots,
                          .take = take_slots,
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
