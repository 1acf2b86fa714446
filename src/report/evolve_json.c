/* SPDX-License-Identifier: MIT */
#include "zf/evolve.h"

#include "report/json.h"
#include "report/report.h"

static bool add_entry(cJSON *list, const struct zf_evolution *evolution, const struct zf_data *data,
                      const struct zf_evolve_map *map, size_t e)
{
    const struct zf_top_entry *entry = &map->entries[e];
    const char *image = entry->sample >= 0 ? zf_data_path(data, entry->sample) : NULL;
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(list, object) &&
           zf_json_add_double(object, "epoch", (double)evolution->epochs[e]) &&
           zf_json_add_text(object, "image", image) &&
           zf_json_add_double(object, "activation", (double)entry->activation) &&
           cJSON_AddBoolToObject(object, "changed", map->changed[e]) &&
           zf_json_add_double(object, "similarity_projection", map->similarity_projection[e]) &&
           zf_json_add_double(object, "similarity_filter", map->similarity_filter[e]);
}

static bool add_map(cJSON *list, const struct zf_evolution *evolution, const struct zf_data *data,
                    const struct zf_evolve_map *map)
{
    cJSON *object = cJSON_CreateObject(), *epochs;

    if (!cJSON_AddItemToArray(list, object) ||
        !zf_json_add_double(object, "map", (double)map->map) ||
        !(epochs = cJSON_AddArrayToObject(object, "epochs")))
        return false;
    for (size_t e = 0; e < evolution->epoch_count; e++) {
        if (!add_entry(epochs, evolution, data, map, e))
            return false;
    }
    return zf_json_add_double(object, "settled_epoch", (double)evolution->epochs[map->settled]);
}

static bool add_layer(cJSON *list, const struct zf_evolution *evolution, const struct zf_data *data,
                      const struct zf_evolve_layer *layer)
{
    cJSON *object = cJSON_CreateObject(), *maps;

    if (!cJSON_AddItemToArray(list, object) ||
        !zf_json_add_text(object, "name", zf_net_layer(evolution->net, layer->layer).name) ||
        !(maps = cJSON_AddArrayToObject(object, "maps")))
        return false;
    for (size_t m = 0; m < layer->map_count; m++) {
        if (!add_map(maps, evolution, data, &layer->maps[m]))
            return false;
    }
    return zf_json_add_double(object, "settled_epoch", (double)evolution->epochs[layer->settled]);
}

static bool add_all(cJSON *root, const struct zf_evolution *evolution, const struct zf_data *data)
{
    cJSON *epochs = cJSON_AddArrayToObject(root, "epochs"), *layers;

    if (!epochs || !zf_json_add_double(root, "bound", evolution->bound))
        return false;
    for (size_t e = 0; e < evolution->epoch_count; e++) {
        if (!cJSON_AddItemToArray(epochs, cJSON_CreateNumber((double)evolution->epochs[e])))
            return false;
    }
    layers = cJSON_AddArrayToObject(root, "layers");
    for (size_t l = 0; layers && l < evolution->layer_count; l++) {
        if (!add_layer(layers, evolution, data, &evolution->layers[l]))
            return false;
    }
    return layers != NULL;
}

enum zf_status zf_evolve_json(const struct zf_evolution *evolution, const struct zf_data *data,
                              char **json, struct zf_error *err)
{
    cJSON *root = cJSON_CreateObject();

    return zf_json_finish(root, root && add_all(root, evolution, data), json, err);
}
