/* SPDX-License-Identifier: MIT */
/* Fully connected layers: Gemm and MatMul with constant weights. */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

/* Weights as the file has them: number k, n stands at k * step_k + n * step_n. */
struct matrix {
    const struct zf_value *data;
    int64_t inputs, outputs, step_k, step_n;
    double factor;
};

/*
 * Place of each input in the layer's [c, h, w]: a flattened NHWC map has its cells in another order
 * than a layer's, and so have the columns of the weights. NULL in *out where the orders agree.
 */
static enum zf_status input_places(const struct zf_import_node *node, const struct zf_value *src,
                                   int64_t **out)
{
    const int64_t count = zf_value_count(src);
    int64_t *places;

    *out = NULL;
    if (zf_value_is_vector(src, src->rank - 1))
        return ZF_OK;
    places = zf_import_room(node->import, count, sizeof *places);
    if (!places)
        return node->import->err->status;
    for (int64_t k = 0; k < count; k++) {
        int64_t left = k;

        places[k] = 0;
        for (int i = src->atom_count; i-- > 0; left /= src->atoms[i].extent)
            places[k] += left % src->atoms[i].extent * src->atoms[i].stride;
    }
    *out = places;
    return ZF_OK;
}

/* To [outputs, inputs] in the layer's order, unless they are so already. */
static enum zf_status bring_weights(struct zf_import_node *node, const struct matrix *m,
                                    const struct zf_value *src, struct zf_import_layer *layer)
{
    int64_t *places = NULL;
    float *weight;
    enum zf_status status;

    layer->weight_count = m->inputs * m->outputs;
    ZF_TRY(input_places(node, src, &places));
    if (!places && m->step_k == 1 && m->step_n == m->inputs && m->factor == 1) {
        layer->weight = m->data->floats;
        goto fail;
    }
    weight = zf_import_room(node->import, layer->weight_count, sizeof *weight);
    if (!weight) {
        status = node->import->err->status;
        goto fail;
    }
    for (int64_t n = 0; n < m->outputs; n++)
        for (int64_t k = 0; k < m->inputs; k++)
            weight[n * m->inputs + (places ? places[k] : k)] =
                (float)(m->factor * zf_value_at(m->data, k * m->step_k + n * m->step_n));
    layer->weight = layer->owned_weight = weight;
fail:
    zf_free(places);
    return status;
}

/* `bias` is a number for each output, or one for all; times `factor`. */
static enum zf_status bring_bias(struct zf_import_node *node, const struct zf_value *bias,
                                 double factor, struct zf_import_layer *layer)
{
    const int64_t outputs = layer->shape.c, count = zf_value_count(bias);
    float *numbers;
    char text[128];

    if (bias->kind != ZF_VALUE_FLOATS || (count != 1 && count != outputs) ||
        (count > 1 && bias->dims[bias->rank - 1] != outputs))
        return zf_node_fail(node, ZF_EINPUT, "a bias of shape %s for %lld outputs",
                            zf_shape_text(bias->dims, bias->rank, text, sizeof text),
                            (long long)outputs);
    numbers = zf_import_room(node->import, outputs, sizeof *numbers);
    if (!numbers)
        return node->import->err->status;
    for (int64_t n = 0; n < outputs; n++)
        numbers[n] = (float)(factor * zf_value_at(bias, count == 1 ? 0 : n));
    layer->bias = layer->owned_bias = numbers;
    layer->bias_count = outputs;
    return ZF_OK;
}

static enum zf_status check_dense(const struct zf_import_node *node, const struct zf_value *src,
                                  const struct zf_value *weight, const struct matrix *m)
{
    char is[128], has[128];

    zf_shape_text(src->dims, src->rank, is, sizeof is);
    zf_shape_text(weight->dims, weight->rank, has, sizeof has);
    for (int axis = 0; axis + 1 < src->rank; axis++) {
        if (src->dims[axis] != 1)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "a product with maps of shape %s; only vectors are read", is);
    }
    if (src->rank < 1 || src->dims[src->rank - 1] != m->inputs || m->outputs < 1 ||
        weight->kind != ZF_VALUE_FLOATS)
        return zf_node_fail(node, ZF_EINPUT, "weights of shape %s do not fit an input of shape %s",
                            has, is);
    return ZF_OK;
}

static enum zf_status add_dense(struct zf_import_node *node, struct zf_value *src,
                                const struct zf_value *weight, const struct matrix *m,
                                const struct zf_value *bias, double bias_factor)
{
    int64_t dims[ZF_ONNX_RANK];
    struct zf_import_layer *layer;
    struct zf_value made;
    char keys[64];
    enum zf_status status;
    int index;

    ZF_TRY(check_dense(node, src, weight, m));
    snprintf(keys, sizeof keys, "maps = %lld\n", (long long)m->outputs);
    ZF_TRY(zf_import_add(node, NULL, "fc", &src->layer, 1, keys, &index));
    layer = &node->import->layers[index];
    ZF_TRY(bring_weights(node, m, src, layer));
    if (bias)
        ZF_TRY(bring_bias(node, bias, bias_factor, layer));
    memcpy(dims, src->dims, sizeof dims);
    dims[src->rank - 1] = m->outputs;
    zf_value_plain(&made, index, layer->shape);
    zf_value_reshape(&made, src->rank, dims);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status translate_gemm(struct zf_import_node *node)
{
    const bool turned = zf_node_integer(node, "transB", 0) != 0;
    struct zf_value *given = NULL, *weight = NULL, *bias = NULL, src;
    struct matrix m;
    enum zf_status status;

    ZF_TRY(zf_node_maps(node, 0, &given));
    ZF_TRY(zf_node_constant(node, 1, &weight));
    src = *given;
    if (node->in_count > 2 && node->in[2])
        ZF_TRY(zf_node_constant(node, 2, &bias));
    if (src.rank != 2 || weight->rank != 2)
        return zf_node_fail(node, ZF_EINPUT, "inputs of %d and %d dimensions, not matrices",
                            src.rank, weight->rank);
    if (zf_node_integer(node, "transA", 0) != 0)
        zf_value_transpose(&src, (const int[]){1, 0});
    m = (struct matrix){.data = weight,
                        .inputs = weight->dims[turned],
                        .outputs = weight->dims[!turned],
                        .step_k = turned ? 1 : weight->dims[1],
                        .step_n = turned ? weight->dims[1] : 1,
                        .factor = zf_node_real(node, "alpha", 1)};
    ZF_TRY(add_dense(node, &src, weight, &m, bias, zf_node_real(node, "beta", 1)));
fail:
    return status;
}

/* On maps [1, h, w, c], MatMul is a convolution of one cell. */
static enum zf_status add_pointwise(struct zf_import_node *node, struct zf_value *src,
                                    const struct zf_roles *roles, const struct matrix *m)
{
    static const struct zf_value vector = {.kind = ZF_VALUE_MAPS, .rank = 1};
    struct zf_import_layer *layer;
    struct zf_value made;
    char keys[64];
    enum zf_status status;
    int index;

    snprintf(keys, sizeof keys, "maps = %lld\nkernel = 1\n", (long long)m->outputs);
    ZF_TRY(zf_import_add(node, NULL, "conv", &src->layer, 1, keys, &index));
    layer = &node->import->layers[index];
    ZF_TRY(bring_weights(node, m, &vector, layer));
    zf_value_place(&made, index, layer->shape, src->rank, roles);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status translate_matmul(struct zf_import_node *node)
{
    struct zf_value *src = NULL, *weight = NULL;
    struct zf_roles roles;
    struct matrix m;
    enum zf_status status;
    bool vector = true;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &weight));
    if (weight->rank != 2)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "weights of %d dimensions, not a matrix",
                            weight->rank);
    m = (struct matrix){weight, weight->dims[0], weight->dims[1], weight->dims[1], 1, 1};
    for (int axis = 0; axis + 1 < src->rank; axis++)
        vector = vector && src->dims[axis] == 1;
    if (!vector && src->rank == 4 && src->dims[3] == m.inputs && m.outputs > 0 &&
        weight->kind == ZF_VALUE_FLOATS) {
        ZF_TRY(zf_import_settle(node, src, &roles));
        if (roles.axis[0] == 3)
            return add_pointwise(node, src, &roles, &m);
    }
    ZF_TRY(add_dense(node, src, weight, &m, NULL, 0));
fail:
    return status;
}

const struct zf_operator zf_operators_dense[] = {
    {"Gemm", NULL, translate_gemm},
    {"MatMul", NULL, translate_matmul},
    {NULL, NULL, NULL},
};
