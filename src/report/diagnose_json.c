/* SPDX-License-Identifier: MIT */
#include "zf/diagnose.h"

#include "report/json.h"
#include "report/report.h"

/* The numbers of the maps of which a flag, at `offset` in zf_diagnosis_map, is set. */
static bool add_maps(cJSON *object, const char *key, const struct zf_diagnosis_layer *layer,
                     size_t offset)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);

    for (size_t m = 0; list && m < layer->map_count; m++) {
        const bool *flag = (const bool *)((const char *)&layer->maps[m] + offset);

        if (*flag && !cJSON_AddItemToArray(list, cJSON_CreateNumber((double)m)))
            return false;
    }
    return list != NULL;
}

static bool add_duplicates(cJSON *object, const struct zf_diagnosis_layer *layer)
{
    cJSON *list = cJSON_AddArrayToObject(object, "duplicates");

    for (size_t m = 0; list && m < layer->map_count; m++) {
        const struct zf_diagnosis_map *map = &layer->maps[m];
        cJSON *item;

        if (!map->duplicate)
            continue;
        item = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, item) || !zf_json_add_double(item, "map", (double)m) ||
            !zf_json_add_double(item, "of", (double)map->twin) ||
            !zf_json_add_double(item, "cosine", map->twin_cosine))
            return false;
    }
    return list != NULL;
}

static bool add_layer(cJSON *list, const struct zf_net *net, const struct zf_diagnosis_layer *layer)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(list, object) &&
           zf_json_add_text(object, "name", zf_net_layer(net, layer->layer).name) &&
           zf_json_add_double(object, "maps", (double)layer->map_count) &&
           add_maps(object, "dead", layer, offsetof(struct zf_diagnosis_map, dead)) &&
           add_maps(object, "dominating", layer, offsetof(struct zf_diagnosis_map, dominating)) &&
           add_maps(object, "saturated", layer, offsetof(struct zf_diagnosis_map, saturated)) &&
           add_duplicates(object, layer) &&
           zf_json_add_double(object, "aliasing", layer->aliasing) &&
           zf_json_add_double(object, "low_frequency_share", layer->band[ZF_BAND_LOW]) &&
           zf_json_add_double(object, "mid_frequency_share", layer->band[ZF_BAND_MIDDLE]) &&
           zf_json_add_double(object, "high_frequency_share", layer->band[ZF_BAND_HIGH]) &&
           zf_json_add_double(object, "median_rms", layer->median_rms) &&
           zf_json_add_text(object, "verdict", layer->verdict);
}

static bool add_all(cJSON *root, const struct zf_net *net, const struct zf_diagnosis *diagnosis)
{
    cJSON *layers;

    if (!zf_json_add_text(root, "net", zf_net_name(net)) ||
        !zf_json_add_double(root, "images", (double)diagnosis->images))
        return false;
    layers = cJSON_AddArrayToObject(root, "layers");
    for (size_t i = 0; layers && i < diagnosis->layer_count; i++) {
        if (!add_layer(layers, net, &diagnosis->layers[i]))
            return false;
    }
    return layers != NULL;
}

enum zf_status zf_diagnose_json(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                char **json, struct zf_error *err)
{
    cJSON *root = cJSON_CreateObject();

    return zf_json_finish(root, root && add_all(root, net, diagnosis), json, err);
}
