/* SPDX-License-Identifier: MIT */
/*
 * The growth of features. (Paper: section 4.1, figure 4.)
 *
 * The last kept epoch comes first: it decides which maps are looked at, and is what the others are
 * measured against. Every epoch is one pass of zf_top_run() with k = 1 over all maps, of which the
 * chosen ones are projected. A projection belongs to a place of a picture, so two of them are laid
 * over each other by their receptive fields before they are compared.
 *
 * When a map has settled is a matter of its features (growth.c): filters are alike from the first
 * epoch on, as wide layers move little from where they were drawn, and the projection jumps
 * whenever another picture becomes the strongest, which says as much about the data as about the
 * map. Both are reported beside it.
 */
#include "experiments/evolve/evolve.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/evolve/epochs.h"
#include "look/patch.h"
#include "measure/similarity.h"

struct evolving {
    const char *run;
    const struct zf_data *data;
    const struct zf_evolve_options *options;
    const struct zf_monitor *monitor;
    struct zf_evolution *made;
    int *layers;   /* NULL = every convolution */
    size_t epoch;  /* index of the one at hand */
    size_t passes; /* over the data, that are done */
};

/* ---- Life. ---- */

static void free_map(struct zf_evolve_map *map, size_t epochs)
{
    for (size_t e = 0; e < epochs; e++) {
        if (map->projections)
            zf_free(map->projections[e]);
        if (map->patches)
            zf_free(map->patches[e]);
    }
    zf_free(map->projections);
    zf_free(map->patches);
    zf_free(map->entries);
    zf_free(map->changed);
    zf_free(map->similarity_projection);
    zf_free(map->similarity_filter);
    zf_free(map->similarity_feature);
    zf_free(map->share);
    zf_free(map->features);
}

void zf_evolution_free(struct zf_evolution **evolution)
{
    struct zf_evolution *e = evolution ? *evolution : NULL;

    if (!e)
        return;
    for (size_t l = 0; e->layers && l < e->layer_count; l++) {
        for (size_t m = 0; e->layers[l].maps && m < e->layers[l].map_count; m++)
            free_map(&e->layers[l].maps[m], e->epoch_count);
        zf_free(e->layers[l].maps);
    }
    zf_free(e->layers);
    zf_free(e->epochs);
    zf_free(e->samples);
    zf_net_free(&e->net);
    zf_free(e);
    *evolution = NULL;
}

static bool init_map(struct zf_evolve_map *map, int64_t number, size_t epochs)
{
    map->map = number;
    map->entries = zf_alloc(epochs, sizeof *map->entries);
    map->changed = zf_alloc(epochs, sizeof *map->changed);
    map->similarity_projection = zf_alloc(epochs, sizeof *map->similarity_projection);
    map->similarity_filter = zf_alloc(epochs, sizeof *map->similarity_filter);
    map->similarity_feature = zf_alloc(epochs, sizeof *map->similarity_feature);
    map->share = zf_alloc(epochs, sizeof *map->share);
    map->projections = zf_alloc(epochs, sizeof *map->projections);
    map->patches = zf_alloc(epochs, sizeof *map->patches);
    return map->entries && map->changed && map->similarity_projection && map->similarity_filter &&
           map->similarity_feature && map->share && map->projections && map->patches;
}

static bool is_alive(const struct zf_top_map *map)
{
    return map->count > 0 && map->entries[0].activation > 0;
}

/* The first that are alive; where they are too few, dead ones after them. */
static enum zf_status choose_maps(struct evolving *at, const struct zf_top_layer *from,
                                  struct zf_evolve_layer *layer, struct zf_error *err)
{
    const size_t wanted =
        at->options->maps > 0 ? (size_t)at->options->maps : ZF_EVOLVE_DEFAULT_MAPS;
    const size_t most = wanted < from->map_count ? wanted : from->map_count;

    layer->layer = from->layer;
    layer->maps = zf_alloc(most, sizeof *layer->maps);
    for (int alive = 1; alive >= 0; alive--) {
        for (size_t m = 0; layer->maps && m < from->map_count && layer->map_count < most; m++) {
            if (is_alive(&from->maps[m]) == (alive == 1) &&
                !init_map(&layer->maps[layer->map_count++], from->maps[m].map,
                          at->made->epoch_count))
                return zf_no_memory(err, "%zu maps", most);
        }
    }
    return layer->maps ? ZF_OK : zf_no_memory(err, "%zu maps", most);
}

static enum zf_status choose(struct evolving *at, const struct zf_top *top, struct zf_error *err)
{
    struct zf_evolution *made = at->made;

    made->layers = zf_alloc(top->layer_count, sizeof *made->layers);
    if (!made->layers)
        return zf_no_memory(err, "%zu layers", top->layer_count);
    made->layer_count = top->layer_count;
    for (size_t l = 0; l < top->layer_count; l++)
        ZF_CHECK(choose_maps(at, &top->layers[l], &made->layers[l], err));
    return ZF_OK;
}

/* ---- One epoch. ---- */

static enum zf_status keep(void *user, size_t layer, size_t map, size_t rank, const float *input,
                           const float *projection, struct zf_error *err)
{
    struct evolving *at = user;
    struct zf_evolve_map *to = &at->made->layers[layer].maps[map];
    const struct zf_shape shape = zf_net_input(at->made->net);
    const struct zf_box box = to->entries[at->epoch].patch;

    (void)rank;
    to->projections[at->epoch] = zf_patch_cut(projection, shape, box);
    to->patches[at->epoch] = zf_patch_cut(input, shape, box);
    if (!to->projections[at->epoch] || !to->patches[at->epoch])
        return zf_no_memory(err, "a projection of %" PRId64 " px", box.width * box.height);
    return ZF_OK;
}

/* One progress over all passes. */
static bool count_passes(void *user, const char *stage, int64_t done, int64_t total)
{
    const struct evolving *at = user;

    if (strcmp(stage, "looking") != 0)
        return zf_monitor_progress(at->monitor, "looking", (int64_t)at->passes,
                                   (int64_t)at->made->epoch_count);
    return zf_monitor_progress(at->monitor, stage, (int64_t)at->passes * total + done,
                               (int64_t)at->made->epoch_count * total);
}

static void pass_message(void *user, const char *sentence)
{
    const struct evolving *at = user;

    zf_monitor_message(at->monitor, "%s", sentence);
}

/* The chosen maps of a pass as a zf_top of their own, which owns no entries. */
static enum zf_status take(struct evolving *at, const struct zf_top *from, struct zf_top *top,
                           struct zf_error *err)
{
    struct zf_evolution *made = at->made;

    *top = (struct zf_top){.layers = zf_alloc(made->layer_count, sizeof *top->layers),
                           .layer_count = made->layer_count,
                           .images = from->images};
    for (size_t l = 0; top->layers && l < made->layer_count; l++) {
        const struct zf_evolve_layer *layer = &made->layers[l];
        struct zf_top_layer *to = &top->layers[l];

        *to = (struct zf_top_layer){.layer = layer->layer,
                                    .map_count = layer->map_count,
                                    .maps = zf_alloc(layer->map_count, sizeof *to->maps)};
        if (!to->maps)
            return zf_no_memory(err, "%zu maps", layer->map_count);
        for (size_t m = 0; m < layer->map_count; m++) {
            const struct zf_top_map *map = &from->layers[l].maps[layer->maps[m].map];
            struct zf_top_entry *entry = &layer->maps[m].entries[at->epoch];

            *entry = map->count > 0 ? map->entries[0] : (struct zf_top_entry){.sample = -1};
            to->maps[m] = (struct zf_top_map){map->map, map->count > 0, entry};
        }
    }
    return top->layers ? ZF_OK : zf_no_memory(err, "the layers");
}

static enum zf_status check_net(const struct evolving *at, const struct zf_net *net,
                                struct zf_error *err)
{
    if (strcmp(zf_net_spec(net), zf_net_spec(at->made->net)) == 0)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT, "%s keeps epochs of different nets: %" PRId64 " is not of %s",
                   at->run, at->made->epochs[at->epoch], zf_net_name(at->made->net));
}

static void compare_filters(struct evolving *at, const struct zf_net *net)
{
    for (size_t l = 0; l < at->made->layer_count; l++) {
        struct zf_evolve_layer *layer = &at->made->layers[l];
        struct zf_parameter now, last;
        size_t length;
        const bool has = zf_layer_filters(net, layer->layer, &now, &length) &&
                         zf_layer_filters(at->made->net, layer->layer, &last, &length);

        for (size_t m = 0; m < layer->map_count; m++) {
            const size_t from = (size_t)layer->maps[m].map * length;

            layer->maps[m].similarity_filter[at->epoch] =
                has ? zf_cosine(now.data + from, last.data + from, length) : NAN;
        }
    }
}

static enum zf_status look_at(struct evolving *at, const struct zf_net *net, struct zf_error *err)
{
    const struct zf_monitor monitor = {
        .user = at, .progress = count_passes, .message = pass_message};
    struct zf_top_options options = at->options->look;
    struct zf_top *all = NULL, chosen = {0};
    enum zf_status status;

    options.layers = at->layers;
    options.layer_count = at->options->layer_count;
    options.k = 1;
    options.max_maps = 0;
    options.maps = NULL;
    options.map_count = 0;
    ZF_TRY(check_net(at, net, err));
    ZF_TRY(zf_top_run(net, at->data, &options, &all, &monitor, err));
    at->passes++;
    if (!at->made->layers)
        ZF_TRY(choose(at, all, err));
    ZF_TRY(take(at, all, &chosen, err));
    ZF_TRY(zf_top_project(net, at->data, &chosen, &options, keep, at, &monitor, err));
    compare_filters(at, net);
    ZF_TRY(zf_evolve_grow(at->made, net, at->epoch, at->data, &at->options->look, err));
fail:
    for (size_t l = 0; chosen.layers && l < chosen.layer_count; l++)
        zf_free(chosen.layers[l].maps);
    zf_free(chosen.layers);
    zf_top_free(&all);
    return status;
}

/* ---- After all epochs. ---- */

/* Patches are cut off at the picture's edge, so it is the fields that are laid over each other. */
static double projection_similarity(const struct zf_evolution *made, int layer,
                                    const struct zf_evolve_map *map, size_t e)
{
    const struct zf_receptive_field field = zf_net_layer(made->net, layer).field;
    const size_t last = made->epoch_count - 1;
    const struct zf_top_entry *a = &map->entries[e], *b = &map->entries[last];
    int64_t dy = b->patch.y - a->patch.y, dx = b->patch.x - a->patch.x;

    if (!map->projections[e] || !map->projections[last])
        return NAN;
    if (!field.global) {
        dy -= (b->y - a->y) * field.stride_y;
        dx -= (b->x - a->x) * field.stride_x;
    }
    return zf_patch_cosine(map->projections[e], a->patch, map->projections[last], b->patch, dy, dx,
                           zf_net_input(made->net).c);
}

static int compare_sizes(const void *a, const void *b)
{
    const size_t left = *(const size_t *)a, right = *(const size_t *)b;

    return (left > right) - (left < right);
}

static enum zf_status settle(struct zf_evolution *made, struct zf_evolve_layer *layer,
                             struct zf_error *err)
{
    size_t *settled = zf_alloc(layer->map_count, sizeof *settled);

    if (!settled)
        return zf_no_memory(err, "%zu maps", layer->map_count);
    for (size_t m = 0; m < layer->map_count; m++) {
        struct zf_evolve_map *map = &layer->maps[m];

        for (size_t e = 0; e < made->epoch_count; e++) {
            map->similarity_projection[e] = projection_similarity(made, layer->layer, map, e);
            map->changed[e] = e > 0 && map->entries[e].sample != map->entries[e - 1].sample;
            map->share[e] = zf_evolve_share(map->similarity_feature[e], map->similarity_start);
        }
        map->settled = zf_evolve_settled(map->share, made->epoch_count, made->bound);
        settled[m] = map->settled;
    }
    qsort(settled, layer->map_count, sizeof *settled, compare_sizes);
    layer->settled = settled[(layer->map_count - 1) / 2];
    zf_free(settled);
    return ZF_OK;
}

/* ---- All. ---- */

static enum zf_status find_layers(struct evolving *at, struct zf_error *err)
{
    const size_t count = at->options->layer_count;

    if (count == 0 || !at->options->layers)
        return ZF_OK;
    at->layers = zf_alloc(count, sizeof *at->layers);
    if (!at->layers)
        return zf_no_memory(err, "%zu layers", count);
    for (size_t i = 0; i < count; i++) {
        ZF_CHECK(zf_net_find_layer(at->made->net, at->options->layers[i], &at->layers[i], err));
    }
    return ZF_OK;
}

static enum zf_status open_run(struct evolving *at, struct zf_error *err)
{
    struct zf_evolution *made = at->made;
    enum zf_status status = zf_epochs_list(at->run, &made->epochs, &made->epoch_count, err);

    if (status != ZF_OK)
        return status;
    if (made->epoch_count < 2)
        return zf_fail(err, ZF_EINPUT,
                       "%s keeps %zu epoch%s, and growth takes two: train with --keep 1,2,5,...",
                       at->run, made->epoch_count, made->epoch_count == 1 ? "" : "s");
    status = zf_epoch_load(at->run, made->epochs[made->epoch_count - 1], &made->net, err);
    return status == ZF_OK ? find_layers(at, err) : status;
}

/* Where the way begins: at the net as it was drawn, or at the first kept epoch. */
static enum zf_status look_at_start(struct evolving *at, struct zf_error *err)
{
    enum zf_status status;
    struct zf_evolution *made = at->made;
    struct zf_net *start = NULL;

    if (made->epochs[0] > 0)
        ZF_TRY(zf_evolve_draw_start(at->run, made->net, &start, at->monitor, err));
    made->drawn = made->epochs[0] == 0 || start;
    if (start) {
        status = zf_evolve_grow(made, start, ZF_EVOLVE_START, at->data, &at->options->look, err);
        goto fail;
    }
    for (size_t l = 0; l < made->layer_count; l++)
        for (size_t m = 0; m < made->layers[l].map_count; m++)
            made->layers[l].maps[m].similarity_start =
                made->layers[l].maps[m].similarity_feature[0];
    status = ZF_OK;
fail:
    zf_net_free(&start);
    return status;
}

enum zf_status zf_evolve_run(const char *run, const struct zf_data *data,
                             const struct zf_evolve_options *options, struct zf_evolution **out,
                             const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct evolving at = {.run = run, .data = data, .options = options, .monitor = monitor};
    struct zf_net *net = NULL;

    if (options->bound < 0 || options->bound > 1 || options->maps < 0)
        return zf_fail(err, ZF_EINVAL, "a bound of %g is not in 0 .. 1, or %" PRId64 " maps",
                       options->bound, options->maps);
    at.made = zf_alloc(1, sizeof *at.made);
    if (!at.made)
        return zf_no_memory(err, "the evolution of %s", run);
    at.made->bound = options->bound > 0 ? options->bound : ZF_EVOLVE_BOUND;
    ZF_TRY(open_run(&at, err));
    zf_data_keep(data);
    at.epoch = at.made->epoch_count - 1;
    ZF_TRY(look_at(&at, at.made->net, err));
    while (at.epoch-- > 0) {
        zf_net_free(&net);
        ZF_TRY(zf_epoch_load(run, at.made->epochs[at.epoch], &net, err));
        ZF_TRY(look_at(&at, net, err));
    }
    ZF_TRY(look_at_start(&at, err));
    for (size_t l = 0; l < at.made->layer_count; l++)
        ZF_TRY(settle(at.made, &at.made->layers[l], err));
    *out = at.made;
    at.made = NULL;
fail:
    zf_net_free(&net);
    zf_free(at.layers);
    zf_evolution_free(&at.made);
    return status;
}
