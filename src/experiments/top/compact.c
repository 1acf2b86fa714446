/* SPDX-License-Identifier: MIT */
/*
 * A layer's numbers for its page, which reads all of a layer before it shows a map of it: what
 * top.json has, but each name once, and an entry as ten numbers in a row.
 *
 *     {"name","labels":[...],"images":[...],"maps":[{"map","class","top":[
 *         image, label, sample, activation, y, x, patch x, y, width, height, ...]}]}
 */
#include "experiments/top/top.h"

#include "base/memory.h"
#include "page/document.h"

/* The places that samples have in the list of images, in the order in which they come. */
static void add_images(struct zf_json *json, const struct zf_data *data,
                       const struct zf_top_layer *layer, int64_t *places)
{
    int64_t count = 0;

    zf_json_array(json, "images");
    for (size_t m = 0; m < layer->map_count; m++) {
        for (size_t i = 0; i < layer->maps[m].count; i++) {
            const int64_t sample = layer->maps[m].entries[i].sample;

            if (places[sample] > 0)
                continue;
            places[sample] = ++count;
            zf_json_text(json, NULL, zf_data_path(data, sample));
        }
    }
    zf_json_end(json);
}

static void add_entry(struct zf_json *json, const struct zf_data *data,
                      const struct zf_top_entry *entry, int64_t place)
{
    zf_json_int(json, NULL, place);
    zf_json_int(json, NULL, zf_data_label(data, entry->sample));
    zf_json_int(json, NULL, entry->sample);
    zf_json_float(json, NULL, entry->activation);
    zf_json_int(json, NULL, entry->y);
    zf_json_int(json, NULL, entry->x);
    zf_json_int(json, NULL, entry->patch.x);
    zf_json_int(json, NULL, entry->patch.y);
    zf_json_int(json, NULL, entry->patch.width);
    zf_json_int(json, NULL, entry->patch.height);
}

void zf_top_layer_compact(struct zf_json *json, const struct zf_net *net,
                          const struct zf_data *data, const struct zf_top_layer *layer)
{
    const bool classes = zf_top_maps_are_classes(net, layer->layer);
    int64_t *places = zf_alloc((size_t)zf_data_count(data), sizeof *places);

    if (!places) {
        json->failed = true;
        return;
    }
    zf_json_text(json, "name", zf_net_layer(net, layer->layer).name);
    zf_json_array(json, "labels");
    for (int64_t k = 0; k < zf_data_class_count(data); k++)
        zf_json_text(json, NULL, zf_data_class(data, k));
    zf_json_end(json);
    add_images(json, data, layer, places);
    zf_json_array(json, "maps");
    for (size_t m = 0; m < layer->map_count; m++) {
        const struct zf_top_map *map = &layer->maps[m];

        zf_json_object(json, NULL);
        zf_json_int(json, "map", map->map);
        if (classes)
            zf_json_text(json, "class", zf_net_label(net, map->map));
        zf_json_array(json, "top");
        for (size_t i = 0; i < map->count; i++)
            add_entry(json, data, &map->entries[i], places[map->entries[i].sample] - 1);
        zf_json_end(json);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_free(places);
}
