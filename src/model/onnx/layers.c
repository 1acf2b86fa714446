/* SPDX-License-Identifier: MIT */
/* The layers found so far: added, known by further names, and done by one another. */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define KEYS_BYTES 512
#define MOST_LAYERS 8192 /* with those that others absorb; a net has fewer */

struct zf_shape zf_import_shape(const struct zf_import *import, int layer)
{
    return layer == ZF_NET_INPUT ? import->input : import->layers[layer].shape;
}

/* ---- Adding layers ---- */

const struct zf_layer_type *zf_import_type(const char *name)
{
    for (size_t i = 0; zf_layer_type_at(i); i++) {
        if (strcmp(zf_layer_type_at(i)->name, name) == 0)
            return zf_layer_type_at(i);
    }
    return NULL;
}

/* The lines of `keys` into the params of the type. */
static enum zf_status set_keys(const struct zf_layer_type *type, const char *keys, void *params,
                               struct zf_error *err)
{
    char text[KEYS_BYTES], *line = text;

    zf_options_defaults(type->options, type->option_count, params);
    snprintf(text, sizeof text, "%s", keys);
    while (*line) {
        char *value = strstr(line, " = "), *end = line + strcspn(line, "\n");
        const struct zf_option *option;
        enum zf_status status;

        *value = '\0';
        option = zf_option_find(type->options, type->option_count, line);
        if (*end)
            *end++ = '\0';
        if (!option)
            return zf_fail(err, ZF_EUNSUPPORTED, "a %s layer has no key '%s'", type->name, line);
        status = zf_option_set(option, value + 3, params, err);
        if (status != ZF_OK)
            return zf_fail(err, ZF_EUNSUPPORTED, "a %s layer cannot have %s = %s", type->name, line,
                           value + 3);
        line = end;
    }
    return ZF_OK;
}

/* By the layer's own type, so that no rule of shapes stands here a second time. */
static enum zf_status infer_shape(struct zf_import_node *node, struct zf_import_layer *layer)
{
    const struct zf_layer_type *type = zf_import_type(layer->type);
    struct zf_inferred inferred = {.window = {1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0}};
    struct zf_shape in[ZF_ONNX_WIDTH];
    struct zf_error reason = {0};
    enum zf_status status = ZF_OK;
    void *params = type ? zf_alloc(1, type->params_size) : NULL;
    int64_t cells;

    if (!type)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "this build has no %s layer", layer->type);
    if (!params)
        return zf_node_fail(node, ZF_ENOMEM, "out of memory");
    for (int i = 0; i < layer->input_count; i++)
        in[i] = zf_import_shape(node->import, layer->inputs[i]);
    ZF_TRY(set_keys(type, layer->keys, params, &reason));
    ZF_TRY(type->infer(params, in, layer->input_count, &inferred, &reason));
    layer->shape = inferred.out;
    if (!zf_mul3(inferred.out.c, inferred.out.h, inferred.out.w, &cells))
        status = zf_fail(&reason, ZF_EINPUT, "its output is too large");
fail:
    zf_free(params);
    return status == ZF_OK ? ZF_OK : zf_node_fail(node, status, "%s", reason.message);
}

enum zf_status zf_import_add(struct zf_import_node *node, const char *part, const char *type,
                             const int *inputs, int count, const char *keys, int *layer)
{
    struct zf_import *import = node->import;
    struct zf_import_layer made = {
        .type = type, .name = zf_node_name(node->proto), .part = part, .input_count = count};
    void *layers = import->layers;
    enum zf_status status;

    if (import->layer_count == MOST_LAYERS)
        return zf_node_fail(node, ZF_EINPUT, "more than %d layers", MOST_LAYERS);
    made.inputs = zf_alloc((size_t)count, sizeof *made.inputs);
    made.keys = zf_strdup(keys);
    if (!made.inputs || !made.keys ||
        !zf_grow(&layers, &import->layer_capacity, import->layer_count + 1, sizeof made)) {
        status = zf_node_fail(node, ZF_ENOMEM, "out of memory");
        goto fail;
    }
    import->layers = layers;
    memcpy(made.inputs, inputs, sizeof *inputs * (size_t)count);
    ZF_TRY(infer_shape(node, &made));
    *layer = (int)import->layer_count;
    import->layers[import->layer_count++] = made;
    return ZF_OK;
fail:
    zf_free(made.inputs);
    zf_free(made.keys);
    return status;
}

static enum zf_status add_aka(struct zf_import *import, int layer, const char *name)
{
    struct zf_import_layer *l = &import->layers[layer];
    void *aka = l->aka;

    if (!name || !*name)
        return ZF_OK;
    if (!zf_grow(&aka, &l->aka_capacity, l->aka_count + 1, sizeof *l->aka))
        return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    l->aka = aka;
    l->aka[l->aka_count++] = name;
    return ZF_OK;
}

enum zf_status zf_import_output(struct zf_import_node *node, const struct zf_value *value)
{
    struct zf_definition *out = node->out_count > 0 ? node->out[0] : NULL;

    if (!out)
        return ZF_OK;
    out->value = *value;
    if (value->kind != ZF_VALUE_MAPS)
        return ZF_OK;
    node->import->layers[value->layer].output = out;
    return add_aka(node->import, value->layer, out->name);
}

enum zf_status zf_import_alias(struct zf_import_node *node, const struct zf_value *value)
{
    struct zf_definition *out = node->out_count > 0 ? node->out[0] : NULL;
    struct zf_import_layer *sole = node->in[0] ? zf_import_sole(node, node->in[0]) : NULL;
    enum zf_status status = ZF_OK;

    if (!out)
        return ZF_OK;
    if (sole) /* what was this layer's only reader hands that on */
        sole->output = out;
    out->value = *value;
    if (value->kind != ZF_VALUE_MAPS) {
        out->value.owned = NULL; /* the input keeps it */
        return ZF_OK;
    }
    if (value->layer == ZF_NET_INPUT)
        return ZF_OK;
    if (node->proto->name != node->import->layers[value->layer].name)
        ZF_TRY(add_aka(node->import, value->layer, node->proto->name));
    ZF_TRY(add_aka(node->import, value->layer, out->name));
fail:
    return status;
}

enum zf_status zf_import_unary(struct zf_import_node *node, const char *type, const char *keys)
{
    enum zf_status status;
    struct zf_value *src = NULL, made;

    ZF_TRY(zf_node_maps(node, 0, &src));
    made = *src; /* cell by cell, so the arrangement stays */
    ZF_TRY(zf_import_add(node, NULL, type, &src->layer, 1, keys, &made.layer));
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

struct zf_import_layer *zf_import_sole(struct zf_import_node *node, const struct zf_value *value)
{
    struct zf_import_layer *layer;

    if (value->kind != ZF_VALUE_MAPS || value->layer == ZF_NET_INPUT)
        return NULL;
    layer = &node->import->layers[value->layer];
    return layer->output && &layer->output->value == value && layer->output->users == 1 ? layer
                                                                                        : NULL;
}

enum zf_status zf_import_absorb(struct zf_import *import, int by, int dropped)
{
    struct zf_import_layer *layer = &import->layers[dropped];
    enum zf_status status;

    layer->dropped = true;
    layer->output = NULL;
    if (!layer->part)
        ZF_TRY(add_aka(import, by, layer->name));
    for (size_t i = 0; i < layer->aka_count; i++)
        ZF_TRY(add_aka(import, by, layer->aka[i]));
    status = ZF_OK;
fail:
    return status;
}

/* ---- Scales and shifts ---- */

/* Multiply each map's filter by scale[map]; the layer has weights of its own from here on. */
static enum zf_status scale_weights(struct zf_import_node *node, struct zf_import_layer *layer,
                                    const float *scale, const float *shift)
{
    const int64_t maps = layer->shape.c, each = layer->weight_count / maps;
    float *weight = layer->owned_weight, *bias = layer->owned_bias;
    const enum zf_status status = zf_import_work(node->import, layer->weight_count);

    if (status != ZF_OK)
        return status;
    if (!weight) {
        weight = layer->owned_weight =
            zf_import_room(node->import, layer->weight_count, sizeof *weight);
        if (!weight)
            return node->import->err->status;
        memcpy(weight, layer->weight, sizeof *weight * (size_t)layer->weight_count);
    }
    if (!bias) {
        bias = layer->owned_bias = zf_import_room(node->import, maps, sizeof *bias);
        if (!bias)
            return node->import->err->status;
        memset(bias, 0, sizeof *bias * (size_t)maps);
        if (layer->bias)
            memcpy(bias, layer->bias, sizeof *bias * (size_t)maps);
    }
    for (int64_t m = 0; m < maps; m++) {
        for (int64_t i = 0; i < each; i++)
            weight[m * each + i] *= scale[m];
        bias[m] = bias[m] * scale[m] + shift[m];
    }
    layer->weight = weight;
    layer->bias = bias;
    layer->bias_count = maps;
    return ZF_OK;
}

static bool takes_scales(const struct zf_import_layer *layer)
{
    return strcmp(layer->type, "conv") == 0 || strcmp(layer->type, "fc") == 0 ||
           strcmp(layer->type, "scale") == 0;
}

static bool is_identity(const struct zf_import_layer *layer)
{
    bool identity = strcmp(layer->type, "scale") == 0;

    for (int64_t m = 0; m < layer->weight_count && identity; m++)
        identity = layer->owned_bias[m] == 0 && layer->owned_weight[m] > 1 - 1e-6f &&
                   layer->owned_weight[m] < 1 + 1e-6f;
    return identity;
}

/* After a scale or shift has gone into the layer of *src. */
static enum zf_status settle_affine(struct zf_import_node *node, const struct zf_value *src)
{
    struct zf_import *import = node->import;
    struct zf_import_layer *layer = &import->layers[src->layer];
    struct zf_definition *out = node->out_count > 0 ? node->out[0] : NULL;
    struct zf_value value = *src;
    enum zf_status status;

    if (is_identity(layer) && layer->inputs[0] != ZF_NET_INPUT) { /* a factor taken back */
        value.layer = layer->inputs[0];
        ZF_TRY(zf_import_absorb(import, value.layer, src->layer));
    }
    if (!import->layers[value.layer].output || value.layer == src->layer)
        import->layers[value.layer].output = out;
    ZF_TRY(zf_import_alias(node, &value));
fail:
    return status;
}

enum zf_status zf_import_affine(struct zf_import_node *node, struct zf_value *src,
                                const float *scale, const float *shift)
{
    struct zf_import_layer *below = zf_import_sole(node, src);
    struct zf_value made = *src;
    int64_t maps;
    enum zf_status status;

    if (below && takes_scales(below)) {
        ZF_TRY(scale_weights(node, below, scale, shift));
        return settle_affine(node, src);
    }
    ZF_TRY(zf_import_add(node, NULL, "scale", &src->layer, 1, "", &made.layer));
    below = &node->import->layers[made.layer];
    maps = below->shape.c;
    below->owned_weight = zf_import_room(node->import, maps, sizeof *scale);
    below->owned_bias = zf_import_room(node->import, maps, sizeof *shift);
    if (!below->owned_weight || !below->owned_bias)
        return node->import->err->status;
    memcpy(below->owned_weight, scale, sizeof *scale * (size_t)maps);
    memcpy(below->owned_bias, shift, sizeof *shift * (size_t)maps);
    below->weight = below->owned_weight;
    below->bias = below->owned_bias;
    below->weight_count = below->bias_count = maps;
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}
