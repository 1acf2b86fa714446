/* SPDX-License-Identifier: MIT */
#include "look/look.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

size_t zf_top_capacity(const struct zf_top_options *options, int64_t pictures)
{
    int64_t k = options->k ? options->k : ZF_TOP_DEFAULT_K;

    return (size_t)(k < pictures ? k : pictures);
}

static bool stronger(const struct zf_top_entry *a, const struct zf_top_entry *b)
{
    return a->activation > b->activation ||
           (a->activation >= b->activation && a->sample < b->sample);
}

void zf_top_offer(struct zf_top_map *map, size_t capacity, const struct zf_top_entry *entry)
{
    size_t place = map->count;

    while (place > 0 && stronger(entry, &map->entries[place - 1]))
        place--;
    if (place == capacity)
        return;
    if (map->count < capacity)
        map->count++;
    memmove(&map->entries[place + 1], &map->entries[place],
            (map->count - place - 1) * sizeof *map->entries);
    map->entries[place] = *entry;
}

static enum zf_status count_layers(const struct zf_net *net, const struct zf_top_options *options,
                                   size_t *count, struct zf_error *err)
{
    if (options->layers) {
        if (options->layer_count == 0)
            return zf_fail(err, ZF_EINVAL, "the list of layers is empty");
        *count = options->layer_count;
        return ZF_OK;
    }
    *count = 0;
    for (int i = 0; i < zf_net_layer_count(net); i++)
        *count += strcmp(zf_net_layer(net, i).type, "conv") == 0;
    if (*count == 0)
        return zf_fail(err, ZF_EINVAL, "%s has no convolution: name the layers to look at",
                       zf_net_name(net));
    return ZF_OK;
}

static enum zf_status choose_layers(const struct zf_net *net, const struct zf_top_options *options,
                                    struct zf_top *top, struct zf_error *err)
{
    size_t found = 0;

    if (!options->layers) {
        for (int i = 0; i < zf_net_layer_count(net); i++) {
            if (strcmp(zf_net_layer(net, i).type, "conv") == 0)
                top->layers[found++].layer = i;
        }
        return ZF_OK;
    }
    for (size_t i = 0; i < options->layer_count; i++) {
        int layer = options->layers[i];

        if (layer < 0 || layer >= zf_net_layer_count(net))
            return zf_fail(err, ZF_EINVAL, "layer %d does not exist: %s has %d layers", layer,
                           zf_net_name(net), zf_net_layer_count(net));
        for (size_t j = 0; j < i; j++) {
            if (options->layers[j] == layer)
                return zf_fail(err, ZF_EINVAL, "layer %s is listed twice",
                               zf_net_layer(net, layer).name);
        }
        top->layers[i].layer = layer;
    }
    return ZF_OK;
}

static enum zf_status check_maps(const struct zf_layer_info *info,
                                 const struct zf_top_options *options, struct zf_error *err)
{
    for (size_t i = 0; i < options->map_count; i++) {
        int64_t map = options->maps[i];

        if (map < 0 || map >= info->shape.c)
            return zf_fail(err, ZF_EINVAL,
                           "map %" PRId64 " does not exist: %s has maps 0 to %" PRId64, map,
                           info->name, info->shape.c - 1);
        for (size_t j = 0; j < i; j++) {
            if (options->maps[j] == map)
                return zf_fail(err, ZF_EINVAL, "map %" PRId64 " is listed twice", map);
        }
    }
    return ZF_OK;
}

static enum zf_status choose_maps(const struct zf_net *net, const struct zf_top_options *options,
                                  size_t capacity, struct zf_top_layer *layer, struct zf_error *err)
{
    struct zf_layer_info info = zf_net_layer(net, layer->layer);
    int64_t maps = info.shape.c;
    int64_t room;
    struct zf_top_entry *entries;

    if (options->maps) {
        ZF_CHECK(check_maps(&info, options, err));
        maps = (int64_t)options->map_count;
    } else if (options->max_maps > 0 && options->max_maps < maps) {
        maps = options->max_maps;
    }

    layer->maps = zf_alloc((size_t)maps, sizeof *layer->maps);
    if (!layer->maps || !zf_mul3(maps, (int64_t)capacity, sizeof *entries, &room))
        return zf_no_memory(err, "the maps of %s", info.name);
    entries = zf_alloc((size_t)maps * capacity, sizeof *entries);
    if (!entries)
        return zf_no_memory(err, "the %zu strongest of %" PRId64 " maps of %s", capacity, maps,
                            info.name);
    layer->map_count = (size_t)maps;
    for (size_t m = 0; m < layer->map_count; m++) {
        layer->maps[m].map = options->maps ? options->maps[m] : (int64_t)m;
        layer->maps[m].entries = entries + m * capacity;
    }
    return ZF_OK;
}

enum zf_status zf_top_select(const struct zf_net *net, const struct zf_top_options *options,
                             int64_t pictures, struct zf_top **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_top *top = NULL;
    size_t count;

    if (options->k < 0 || options->max_maps < 0)
        return zf_fail(err, ZF_EINVAL,
                       "k (%" PRId64 ") and the number of maps (%" PRId64 ") must not be negative",
                       options->k, options->max_maps);
    if (options->maps && options->map_count == 0)
        return zf_fail(err, ZF_EINVAL, "the list of maps is empty");
    ZF_TRY(count_layers(net, options, &count, err));
    top = zf_alloc(1, sizeof *top);
    if (top)
        top->layers = zf_alloc(count, sizeof *top->layers);
    if (!top || !top->layers)
        ZF_LEAVE(zf_no_memory(err, "a list of %zu layers", count));
    top->layer_count = count;
    ZF_TRY(choose_layers(net, options, top, err));
    for (size_t i = 0; i < count; i++)
        ZF_TRY(choose_maps(net, options, zf_top_capacity(options, pictures), &top->layers[i], err));
    *out = top;
    top = NULL;
    status = ZF_OK;
fail:
    zf_top_free(&top);
    return status;
}

void zf_top_free(struct zf_top **top)
{
    if (!top || !*top)
        return;
    for (size_t i = 0; (*top)->layers && i < (*top)->layer_count; i++) {
        struct zf_top_layer *layer = &(*top)->layers[i];

        if (layer->map_count)
            zf_free(layer->maps[0].entries);
        zf_free(layer->maps);
    }
    zf_free((*top)->layers);
    zf_free(*top);
    *top = NULL;
}
