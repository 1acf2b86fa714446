/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "graph.h"

#define MOST_LAYERS 8192 /* with those that others absorb; a net has fewer */

struct zf_shape zf_import_shape(const struct zf_import *import, int layer)
{
    return layer == ZF_NET_INPUT ? import->input : import->layers[layer].shape;
}

bool zf_import_is(const struct zf_import_layer *layer, const char *type)
{
    return strcmp(layer->type->name, type) == 0;
}

/* ---- Parameters ---- */

const struct zf_layer_type *zf_import_type(const char *name)
{
    for (size_t i = 0; zf_layer_type_at(i); i++) {
        if (strcmp(zf_layer_type_at(i)->name, name) == 0)
            return zf_layer_type_at(i);
    }
    return NULL;
}

static const struct zf_option *option_of(const struct zf_layer_type *type, const char *name)
{
    return zf_option_find(type->options, type->option_count, name);
}

double zf_import_number(const struct zf_import_layer *layer, const char *name)
{
    return zf_option_number(option_of(layer->type, name), layer->params);
}

struct zf_extents zf_import_extents(const struct zf_import_layer *layer, const char *name)
{
    const struct zf_option *option = option_of(layer->type, name);

    return *(const struct zf_extents *)((const char *)layer->params + option->offset);
}

int zf_import_choice(const char *type, const char *name, const char *word)
{
    const struct zf_option *option = option_of(zf_import_type(type), name);
    int i = 0;

    while (option->choices[i] && strcmp(option->choices[i], word) != 0)
        i++;
    return i;
}

static bool in_range(const struct zf_option *option, const struct zf_key *key)
{
    if (option->kind != ZF_OPTION_INT && option->kind != ZF_OPTION_REAL &&
        option->kind != ZF_OPTION_EXTENTS)
        return true;
    for (int i = 0; i < key->count; i++) {
        if (!(key->number[i] >= option->min && key->number[i] <= option->max))
            return false;
    }
    return true;
}

static void set_key(const struct zf_option *option, const struct zf_key *key, void *params)
{
    struct zf_extents *extents = (struct zf_extents *)((char *)params + option->offset);

    zf_option_put(option, key->number[0], params);
    for (int i = 0; option->kind == ZF_OPTION_EXTENTS && i < key->count; i++)
        extents->value[i] = (int64_t)key->number[i];
    if (option->kind == ZF_OPTION_EXTENTS)
        extents->count = key->count;
}

static enum zf_status set_keys(const struct zf_import_node *node, const struct zf_layer_type *type,
                               const struct zf_key *keys, void *params)
{
    zf_options_defaults(type->options, type->option_count, params);
    for (; keys && keys->name; keys++) {
        const struct zf_option *option = option_of(type, keys->name);

        if (!option)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a %s layer has no %s", type->name,
                                keys->name);
        if (!in_range(option, keys))
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a %s layer cannot have a %s of %g",
                                type->name, keys->name, keys->number[0]);
        set_key(option, keys, params);
    }
    return ZF_OK;
}

/* ---- Adding layers ---- */

/* By the layer's own type, so that no rule of shapes stands here a second time. */
static enum zf_status infer_shape(struct zf_import_node *node, struct zf_import_layer *layer)
{
    struct zf_inferred inferred = {.window = {1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0}};
    struct zf_shape in[ZF_ONNX_WIDTH];
    struct zf_error reason = {0};
    enum zf_status status;
    int64_t cells;

    for (int i = 0; i < layer->input_count; i++)
        in[i] = zf_import_shape(node->import, layer->inputs[i]);
    status = layer->type->infer(layer->params, in, layer->input_count, &inferred, &reason);
    if (status != ZF_OK)
        return zf_node_fail(node, status, "%s", reason.message);
    layer->shape = inferred.out;
    return zf_mul3(inferred.out.c, inferred.out.h, inferred.out.w, &cells) && cells < INT32_MAX
               ? ZF_OK
               : zf_node_fail(node, ZF_EINPUT, "its output is too large");
}

enum zf_status zf_import_add(struct zf_import_node *node, const char *part, const char *type,
                             const int *inputs, int count, const struct zf_key *keys, int *layer)
{
    struct zf_import *import = node->import;
    struct zf_import_layer made = {.type = zf_import_type(type),
                                   .name = zf_node_name(node->proto),
                                   .part = part,
                                   .input_count = count};
    void *layers = import->layers;
    enum zf_status status;

    if (!made.type)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "this build has no %s layer", type);
    if (import->layer_count == MOST_LAYERS)
        return zf_node_fail(node, ZF_EINPUT, "more than %d layers", MOST_LAYERS);
    made.inputs = zf_alloc((size_t)count, sizeof *made.inputs);
    made.params = zf_alloc(1, made.type->params_size);
    if (!made.inputs || !made.params ||
        !zf_grow(&layers, &import->layer_capacity, import->layer_count + 1, sizeof made))
        ZF_LEAVE(zf_node_no_memory(node));
    import->layers = layers;
    memcpy(made.inputs, inputs, sizeof *inputs * (size_t)count);
    ZF_TRY(set_keys(node, made.type, keys, made.params));
    ZF_TRY(infer_shape(node, &made));
    *layer = (int)import->layer_count;
    import->layers[import->layer_count++] = made;
    return ZF_OK;
fail:
    zf_free(made.inputs);
    zf_free(made.params);
    return status;
}

void zf_import_own(struct zf_import *import, int layer, float *weight, int64_t count, float *bias,
                   int64_t bias_count)
{
    struct zf_import_layer *l = &import->layers[layer];

    l->weight = l->owned_weight = weight;
    l->weight_count = count;
    l->bias = l->owned_bias = bias;
    l->bias_count = bias_count;
}

enum zf_status zf_import_call(struct zf_import *import, int layer, const char *name)
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

enum zf_status zf_import_rename(struct zf_import *import, int from, int to, const char *name)
{
    struct zf_import_layer *l = from == ZF_NET_INPUT ? NULL : &import->layers[from];
    size_t kept = 0;

    for (size_t i = 0; l && i < l->aka_count; i++)
        if (strcmp(l->aka[i], name) != 0)
            l->aka[kept++] = l->aka[i];
    if (l)
        l->aka_count = kept;
    if (l && strcmp(l->name, name) == 0)
        l->part = "inner";
    import->layers[to].name = name;
    import->layers[to].part = NULL;
    return zf_import_call(import, to, name);
}

enum zf_status zf_import_output_at(struct zf_import_node *node, int i,
                                   const struct zf_operand *value)
{
    struct zf_definition *out = i < node->out_count ? node->out[i] : NULL;

    if (!out) {
        if (value->kind != ZF_OPERAND_MAPS)
            zf_free(value->owned);
        return ZF_OK;
    }
    out->value = *value;
    if (value->kind != ZF_OPERAND_MAPS)
        return ZF_OK;
    node->import->layers[value->layer].output = out;
    if (node->out_count > 1)
        node->import->layers[value->layer].name = out->name;
    return zf_import_call(node->import, value->layer, out->name);
}

enum zf_status zf_import_output(struct zf_import_node *node, const struct zf_operand *value)
{
    return zf_import_output_at(node, 0, value);
}

enum zf_status zf_import_alias(struct zf_import_node *node, const struct zf_operand *value)
{
    struct zf_definition *out = node->out_count > 0 ? node->out[0] : NULL;
    struct zf_import_layer *sole = node->in[0] ? zf_import_sole(node, node->in[0]) : NULL;

    if (!out)
        return ZF_OK;
    if (sole) /* what was this layer's only reader hands that on */
        sole->output = out;
    out->value = *value;
    if (value->kind != ZF_OPERAND_MAPS) {
        out->value.owned = NULL; /* the input keeps it */
        return ZF_OK;
    }
    if (value->layer == ZF_NET_INPUT)
        return ZF_OK;
    if (node->proto->name != node->import->layers[value->layer].name)
        ZF_CHECK(zf_import_call(node->import, value->layer, node->proto->name));
    return zf_import_call(node->import, value->layer, out->name);
}

enum zf_status zf_import_unary(struct zf_import_node *node, const char *type,
                               const struct zf_key *keys)
{
    struct zf_operand *src = NULL, made;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    made = *src; /* cell by cell, so the arrangement stays */
    ZF_CHECK(zf_import_add(node, NULL, type, &src->layer, 1, keys, &made.layer));
    return zf_import_output(node, &made);
}

struct zf_import_layer *zf_import_sole(struct zf_import_node *node, const struct zf_operand *value)
{
    struct zf_import_layer *layer;

    if (value->kind != ZF_OPERAND_MAPS || value->layer == ZF_NET_INPUT)
        return NULL;
    layer = &node->import->layers[value->layer];
    return layer->output && &layer->output->value == value && layer->output->users == 1 ? layer
                                                                                        : NULL;
}

enum zf_status zf_import_absorb(struct zf_import *import, int by, int dropped)
{
    struct zf_import_layer *layer = &import->layers[dropped];

    if (layer->output && layer->output->users > 1)
        return ZF_OK; /* somebody else still needs it */
    layer->dropped = true;
    layer->output = NULL;
    if (!layer->part)
        ZF_CHECK(zf_import_call(import, by, layer->name));
    for (size_t i = 0; i < layer->aka_count; i++)
        ZF_CHECK(zf_import_call(import, by, layer->aka[i]));
    return ZF_OK;
}

/* ---- Scales and shifts ---- */

/* Multiply each map's filter by scale[map]; the layer has weights of its own from here on. */
static enum zf_status scale_weights(struct zf_import_node *node, struct zf_import_layer *layer,
                                    const float *scale, const float *shift)
{
    const int64_t maps = layer->shape.c, each = layer->weight_count / maps;
    float *weight = layer->owned_weight, *bias = layer->owned_bias;

    ZF_CHECK(zf_import_work(node->import, layer->weight_count));
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
    return zf_import_is(layer, "conv") || zf_import_is(layer, "fc") || zf_import_is(layer, "scale");
}

static bool is_identity(const struct zf_import_layer *layer)
{
    bool identity = zf_import_is(layer, "scale");

    for (int64_t m = 0; m < layer->weight_count && identity; m++)
        identity = layer->owned_bias[m] == 0 && layer->owned_weight[m] > 1 - 1e-6f &&
                   layer->owned_weight[m] < 1 + 1e-6f;
    return identity;
}

/* After a scale or shift has gone into the layer of *src. */
static enum zf_status settle_affine(struct zf_import_node *node, const struct zf_operand *src)
{
    struct zf_import *import = node->import;
    struct zf_import_layer *layer = &import->layers[src->layer];
    struct zf_definition *out = node->out_count > 0 ? node->out[0] : NULL;
    struct zf_operand value = *src;

    if (is_identity(layer) && layer->inputs[0] != ZF_NET_INPUT) { /* a factor taken back */
        value.layer = layer->inputs[0];
        ZF_CHECK(zf_import_absorb(import, value.layer, src->layer));
    }
    if (!import->layers[value.layer].output || value.layer == src->layer)
        import->layers[value.layer].output = out;
    return zf_import_alias(node, &value);
}

enum zf_status zf_import_affine(struct zf_import_node *node, struct zf_operand *src,
                                const float *scale, const float *shift)
{
    struct zf_import_layer *below = zf_import_sole(node, src);
    struct zf_operand made = *src;
    int64_t maps;

    if (below && takes_scales(below)) {
        ZF_CHECK(scale_weights(node, below, scale, shift));
        return settle_affine(node, src);
    }
    ZF_CHECK(zf_import_add(node, NULL, "scale", &src->layer, 1, NULL, &made.layer));
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
    return zf_import_output(node, &made);
}

enum zf_status zf_import_linear(struct zf_import_node *node, struct zf_operand *src, double scale,
                                double shift)
{
    const int64_t maps = zf_import_shape(node->import, src->layer).c;
    float *numbers = zf_import_room(node->import, 2 * maps, sizeof *numbers);
    enum zf_status status;

    if (!numbers)
        return node->import->err->status;
    for (int64_t m = 0; m < maps; m++) {
        numbers[m] = (float)scale;
        numbers[maps + m] = (float)shift;
    }
    status = zf_import_affine(node, src, numbers, numbers + maps);
    zf_free(numbers);
    return status;
}

/* ---- Constants ---- */

/* Cell of the layer that number i of the tensor becomes. */
static int64_t place_of(const struct zf_operand *placed, int64_t i)
{
    int64_t place = 0;

    for (int k = placed->atom_count; k-- > 0; i /= placed->atoms[k].extent)
        place += i % placed->atoms[k].extent * placed->atoms[k].stride;
    return place;
}

enum zf_status zf_import_filled(struct zf_import_node *node, const char *part,
                                const struct zf_operand *constant, const struct zf_view *view,
                                struct zf_operand *made)
{
    const struct zf_shape shape = zf_view_shape(view, constant->rank, constant->dims);
    const int64_t count = zf_operand_count(constant);
    const int input = ZF_NET_INPUT;
    float *numbers;
    int layer;

    ZF_CHECK(zf_import_add(
        node, part, "constant", &input, 1,
        ZF_KEYS(ZF_KEY("maps", shape.c), ZF_KEY("height", shape.h), ZF_KEY("width", shape.w)),
        &layer));
    numbers = zf_import_room(node->import, count, sizeof *numbers);
    if (!numbers)
        return node->import->err->status;
    zf_operand_place(made, layer, constant->rank, constant->dims, view);
    for (int64_t i = 0; i < count; i++)
        numbers[place_of(made, i)] = (float)zf_operand_at(constant, i);
    zf_import_own(node->import, layer, numbers, count, NULL, 0);
    return ZF_OK;
}
