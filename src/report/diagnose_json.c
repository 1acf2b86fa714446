/* SPDX-License-Identifier: MIT */
#include "zf/diagnose.h"

#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/report.h"
#include "report/text.h"

static bool add_number(cJSON *object, const char *key, double value)
{
    return cJSON_AddItemToObject(object, key,
                                 isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

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
        if (!cJSON_AddItemToArray(list, item) || !add_number(item, "map", (double)m) ||
            !add_number(item, "of", (double)map->twin) ||
            !add_number(item, "cosine", map->twin_cosine))
            return false;
    }
    return list != NULL;
}

static bool add_layer(cJSON *list, const struct zf_net *net, const struct zf_diagnosis_layer *layer)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(list, object) &&
           cJSON_AddItemToObject(object, "name",
                                 zf_json_text(zf_net_layer(net, layer->layer).name)) &&
           add_number(object, "maps", (double)layer->map_count) &&
           add_maps(object, "dead", layer, offsetof(struct zf_diagnosis_map, dead)) &&
           add_maps(object, "dominating", layer, offsetof(struct zf_diagnosis_map, dominating)) &&
           add_maps(object, "saturated", layer, offsetof(struct zf_diagnosis_map, saturated)) &&
           add_duplicates(object, layer) && add_number(object, "aliasing", layer->aliasing) &&
           add_number(object, "low_frequency_share", layer->band[ZF_BAND_LOW]) &&
           add_number(object, "mid_frequency_share", layer->band[ZF_BAND_MIDDLE]) &&
           add_number(object, "high_frequency_share", layer->band[ZF_BAND_HIGH]) &&
           add_number(object, "median_rms", layer->median_rms) &&
           cJSON_AddItemToObject(object, "verdict", zf_json_text(layer->verdict));
}

static bool add_all(cJSON *root, const struct zf_net *net, const struct zf_diagnosis *diagnosis)
{
    cJSON *layers;

    if (!cJSON_AddItemToObject(root, "net", zf_json_text(zf_net_name(net))) ||
        !add_number(root, "images", (double)diagnosis->images))
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
    char *text = root && add_all(root, net, diagnosis) ? cJSON_PrintUnformatted(root) : NULL;
    char *copy = text ? zf_strdup(text) : NULL;

    cJSON_free(text);
    cJSON_Delete(root);
    if (!copy)
        return zf_fail(err, ZF_ENOMEM, "out of memory for the JSON of %zu layers",
                       diagnosis->layer_count);
    *json = copy;
    return ZF_OK;
}
