/* SPDX-License-Identifier: MIT */
#include "report/report.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"
#include "look/look.h"
#include "report/text.h"

const char *zf_rule_name(enum zf_rule rule)
{
    switch (rule) {
    case ZF_RULE_DECONVNET:
        return "deconvnet";
    case ZF_RULE_GRADIENT:
        return "gradient";
    case ZF_RULE_GUIDED:
        return "guided";
    }
    return "";
}

const char *zf_contrast_name(enum zf_contrast contrast)
{
    switch (contrast) {
    case ZF_CONTRAST_MAP:
        return "map";
    case ZF_CONTRAST_IMAGE:
        return "image";
    case ZF_CONTRAST_SHARED:
        return "shared";
    }
    return "";
}

/* A float with the digits that tell it from its neighbours, and no more. */
static bool add_float(cJSON *object, const char *key, float value)
{
    char text[32];

    snprintf(text, sizeof text, "%.9g", (double)value);
    return cJSON_AddRawToObject(object, key, text) != NULL;
}

static bool add_int(cJSON *object, const char *key, int64_t value)
{
    return cJSON_AddNumberToObject(object, key, (double)value) != NULL;
}

static bool add_text(cJSON *object, const char *key, const char *text)
{
    return cJSON_AddItemToObject(object, key, zf_json_text(text));
}

static bool add_entry(cJSON *list, const struct zf_data *data, const struct zf_top_entry *entry)
{
    const char *label = zf_data_class(data, zf_data_label(data, entry->sample));
    cJSON *object = cJSON_CreateObject(), *patch;

    if (!cJSON_AddItemToArray(list, object))
        return false;
    return add_text(object, "image", zf_data_path(data, entry->sample)) &&
           add_text(object, "label", label) && add_float(object, "activation", entry->activation) &&
           add_int(object, "y", entry->y) && add_int(object, "x", entry->x) &&
           (patch = cJSON_AddObjectToObject(object, "patch")) != NULL &&
           add_int(patch, "x", entry->patch.x) && add_int(patch, "y", entry->patch.y) &&
           add_int(patch, "width", entry->patch.width) &&
           add_int(patch, "height", entry->patch.height);
}

static bool add_map(cJSON *list, const struct zf_data *data, const struct zf_top_map *map)
{
    cJSON *object = cJSON_CreateObject(), *top;

    if (!cJSON_AddItemToArray(list, object) || !add_int(object, "map", map->map) ||
        !(top = cJSON_AddArrayToObject(object, "top")))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        if (!add_entry(top, data, &map->entries[i]))
            return false;
    }
    return true;
}

static bool add_shape(cJSON *object, const struct zf_layer_info *info)
{
    double shape[] = {(double)info->shape.c, (double)info->shape.h, (double)info->shape.w};
    cJSON *field;

    return cJSON_AddItemToObject(object, "shape", cJSON_CreateDoubleArray(shape, 3)) &&
           (field = cJSON_AddObjectToObject(object, "receptive_field")) != NULL &&
           add_int(field, "height", info->field.height) &&
           add_int(field, "width", info->field.width) &&
           add_int(field, "stride", info->field.stride_y) &&
           cJSON_AddBoolToObject(field, "global", info->field.global) != NULL;
}

cJSON *zf_top_layer_json(const struct zf_net *net, const struct zf_data *data,
                         const struct zf_top_layer *layer)
{
    struct zf_layer_info info = zf_net_layer(net, layer->layer);
    cJSON *object = cJSON_CreateObject(), *maps;

    if (!object || !add_text(object, "name", info.name) || !add_shape(object, &info) ||
        !(maps = cJSON_AddArrayToObject(object, "maps")))
        goto fail;
    for (size_t m = 0; m < layer->map_count; m++) {
        if (!add_map(maps, data, &layer->maps[m]))
            goto fail;
    }
    return object;
fail:
    cJSON_Delete(object);
    return NULL;
}

static bool add_work(cJSON *root, const struct zf_top_work *work)
{
    const struct zf_top_options *options = work->options;

    if (options && (!add_int(root, "k", options->k ? options->k : ZF_TOP_DEFAULT_K) ||
                    !add_text(root, "rule", zf_rule_name(options->rule))))
        return false;
    if (work->report && (!add_text(root, "contrast", zf_contrast_name(work->report->contrast)) ||
                         !add_text(root, "command", work->report->command)))
        return false;
    return true;
}

/* Where the layer's picture lies, beside top.json. */
static bool add_sheet(cJSON *layer, const struct zf_top_work *work, size_t i)
{
    char *name = zf_sheet_name(work->net, work->top, i);
    bool added = name && add_text(layer, "sheet", name);

    zf_free(name);
    return added;
}

enum zf_status zf_top_work_json(const struct zf_top_work *work, char **json, struct zf_error *err)
{
    const struct zf_top *top = work->top;
    cJSON *root = cJSON_CreateObject(), *layers;
    char *text = NULL, *copy = NULL;

    if (!root || !add_text(root, "net", zf_net_name(work->net)) ||
        !add_text(root, "data", zf_data_name(work->data)) ||
        !add_int(root, "images", top->images) || !add_int(root, "skipped", top->skipped) ||
        !cJSON_AddNumberToObject(root, "images_per_second", top->images_per_second) ||
        !add_work(root, work) || !(layers = cJSON_AddArrayToObject(root, "layers")))
        goto done;
    for (size_t i = 0; i < top->layer_count; i++) {
        cJSON *layer = zf_top_layer_json(work->net, work->data, &top->layers[i]);

        if (!cJSON_AddItemToArray(layers, layer) || (work->report && !add_sheet(layer, work, i)))
            goto done;
    }
    text = cJSON_PrintUnformatted(root);
    copy = text ? zf_strdup(text) : NULL;
done:
    cJSON_free(text);
    cJSON_Delete(root);
    if (!copy)
        return zf_fail(err, ZF_ENOMEM, "out of memory for the JSON of %zu layers",
                       top->layer_count);
    *json = copy;
    return ZF_OK;
}

enum zf_status zf_top_json(const struct zf_net *net, const struct zf_data *data,
                           const struct zf_top *top, char **json, struct zf_error *err)
{
    return zf_top_work_json(&(struct zf_top_work){.net = net, .data = data, .top = top}, json, err);
}

void zf_text_free(char *text)
{
    zf_free(text);
}
