/* SPDX-License-Identifier: MIT */
/* Matrix products: with constant weights fully connected layers, or convolutions of one cell where
   they are of each cell; and of two operands. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "emit.h"
#include "model/safetensors.h"
#include "operators.h"

/* Weights as the file has them: number k, n stands at k * step_k + n * step_n. */
struct matrix {
    const struct zf_operand *data;
    int64_t inputs, outputs, step_k, step_n;
    double factor;
};

/*
 * Place of each input in the layer's [c, h, w]: a flattened NHWC map has its cells in another order
 * than a layer's, and so have the columns of the weights. NULL in *out where the orders agree.
 */
static enum zf_status input_places(const struct zf_import_node *node, const struct zf_operand *src,
                                   int64_t **out)
{
    const int64_t count = zf_operand_count(src);
    int64_t *places;

    *out = NULL;
    if (src->atom_count == 0 || (src->atom_count == 1 && src->atoms[0].stride == 1))
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
                                    const struct zf_operand *src, struct zf_import_layer *layer)
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
                (float)(m->factor * zf_operand_at(m->data, k * m->step_k + n * m->step_n));
    layer->weight = layer->owned_weight = weight;
fail:
    zf_free(places);
    return status;
}

/* `bias` is a number for each output, or one for all; times `factor`. */
static enum zf_status bring_bias(struct zf_import_node *node, const struct zf_operand *bias,
                                 double factor, struct zf_import_layer *layer)
{
    const int64_t outputs = layer->shape.c, count = zf_operand_count(bias);
    float *numbers;
    char text[128];

    if (bias->kind != ZF_OPERAND_FLOATS || (count != 1 && count != outputs) ||
        (count > 1 && bias->dims[bias->rank - 1] != outputs))
        return zf_node_fail(node, ZF_EINPUT, "a bias of shape %s for %" PRId64 " outputs",
                            zf_shape_text(bias->dims, bias->rank, text, sizeof text), outputs);
    numbers = zf_import_room(node->import, outputs, sizeof *numbers);
    if (!numbers)
        return node->import->err->status;
    for (int64_t n = 0; n < outputs; n++)
        numbers[n] = (float)(factor * zf_operand_at(bias, count == 1 ? 0 : n));
    layer->bias = layer->owned_bias = numbers;
    layer->bias_count = outputs;
    return ZF_OK;
}

/* Is only the last axis of an extent other than 1, and all of its layer? */
static bool is_vector(const struct zf_import_node *node, const struct zf_operand *src)
{
    const struct zf_shape shape = zf_import_shape(node->import, src->layer);

    for (int axis = 0; axis + 1 < src->rank; axis++)
        if (src->dims[axis] != 1)
            return false;
    return src->offset == 0 && zf_operand_count(src) == shape.c * shape.h * shape.w;
}

static enum zf_status check_weights(const struct zf_import_node *node, const struct zf_operand *src,
                                    int axis, const struct zf_operand *weight,
                                    const struct matrix *m)
{
    char is[128], has[128];

    if (src->rank > 0 && src->dims[axis] == m->inputs && m->outputs > 0 &&
        weight->kind == ZF_OPERAND_FLOATS)
        return ZF_OK;
    return zf_node_fail(node, ZF_EINPUT, "weights of shape %s do not fit an input of shape %s",
                        zf_shape_text(weight->dims, weight->rank, has, sizeof has),
                        zf_shape_text(src->dims, src->rank, is, sizeof is));
}

/* Of a vector: a fully connected layer. */
static enum zf_status add_dense(struct zf_import_node *node, struct zf_operand *src,
                                const struct matrix *m, const struct zf_operand *bias,
                                double bias_factor)
{
    int64_t dims[ZF_ONNX_RANK];
    struct zf_import_layer *layer;
    struct zf_operand made;
    int index;

    ZF_CHECK(zf_import_add(node, NULL, "fc", &src->layer, 1, ZF_KEYS(ZF_KEY("maps", m->outputs)),
                           &index));
    layer = &node->import->layers[index];
    ZF_CHECK(bring_weights(node, m, src, layer));
    if (bias)
        ZF_CHECK(bring_bias(node, bias, bias_factor, layer));
    memcpy(dims, src->dims, sizeof dims);
    dims[src->rank - 1] = m->outputs;
    zf_operand_plain(&made, index, layer->shape);
    zf_operand_reshape(&made, src->rank, dims);
    return zf_import_output(node, &made);
}

/* Along `axis` of several vectors: a convolution of one cell, that axis being its maps. */
static enum zf_status add_pointwise(struct zf_import_node *node, const char *part,
                                    struct zf_operand *src, int axis, const struct matrix *m,
                                    struct zf_operand *made)
{
    static const struct zf_operand vector = {.kind = ZF_OPERAND_MAPS, .rank = 1};
    struct zf_view view;
    int64_t dims[ZF_ONNX_RANK];
    int index;

    ZF_CHECK(zf_import_settle(node, src, &view));
    if (!zf_import_is_axis(&view, src, axis)) {
        view = zf_view_along(src->rank, axis);
        ZF_CHECK(zf_import_bring(node, "arrange", src, &view));
    }
    ZF_CHECK(zf_import_add(node, part, "conv", &src->layer, 1,
                           ZF_KEYS(ZF_KEY("maps", m->outputs), ZF_KEY("kernel", 1)), &index));
    ZF_CHECK(bring_weights(node, m, &vector, &node->import->layers[index]));
    memcpy(dims, src->dims, sizeof dims);
    dims[axis] = m->outputs;
    zf_operand_place(made, index, src->rank, dims, &view);
    return ZF_OK;
}

/* A factor under the view of matrices, repeated along the axes in front that the other has. */
static enum zf_status bring_factor(struct zf_import_node *node, const char *part,
                                   const struct zf_operand *given, int rank, const int64_t *batch,
                                   const struct zf_view *view, struct zf_operand *made)
{
    struct zf_operand aligned = *given;
    int64_t dims[ZF_ONNX_RANK] = {0};

    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - given->rank ? 1 : given->dims[i - (rank - given->rank)];
    zf_operand_reshape(&aligned, rank, dims);
    *made = aligned;
    if (given->kind != ZF_OPERAND_MAPS)
        ZF_CHECK(zf_import_filled(node, "constant", &aligned, view, made));
    for (int i = 0; i + 2 < rank; i++)
        if (dims[i] != batch[i])
            zf_operand_repeat(made, i, batch[i]);
    return zf_import_bring(node, part, made, view);
}

/* Rows of `a` times columns of `b`: matrices in their last two axes; those in front spread. */
static enum zf_status multiply(struct zf_import_node *node, const char *part, struct zf_operand *a,
                               struct zf_operand *b, struct zf_operand *made)
{
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    struct zf_operand first, second;
    struct zf_view view = {{ZF_ROLE_C}};
    int64_t dims[ZF_ONNX_RANK];
    int layer;

    if (a->rank < 2 || b->rank < 2 || a->dims[a->rank - 1] != b->dims[b->rank - 2])
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "a product of two inputs of %d and %d dimensions that are no matrices",
                            a->rank, b->rank);
    for (int i = 0; i < rank; i++) {
        const int of_a = i - (rank - a->rank), of_b = i - (rank - b->rank);
        const int64_t x = of_a < 0 ? 1 : a->dims[of_a], y = of_b < 0 ? 1 : b->dims[of_b];

        if (i + 2 < rank && x != y && x != 1 && y != 1)
            return zf_node_fail(node, ZF_EINPUT, "%" PRId64 " and %" PRId64 " matrices", x, y);
        dims[i] = i + 1 == rank ? y : i + 2 == rank ? x : x == 1 ? y : x;
        view.role[i] = i + 1 == rank ? ZF_ROLE_W : i + 2 == rank ? ZF_ROLE_H : ZF_ROLE_C;
    }
    ZF_CHECK(bring_factor(node, "first", a, rank, dims, &view, &first));
    ZF_CHECK(bring_factor(node, "second", b, rank, dims, &view, &second));
    ZF_CHECK(zf_import_add(node, part, "matmul", (const int[]){first.layer, second.layer}, 2, NULL,
                           &layer));
    zf_operand_place(made, layer, rank, dims, &view);
    return ZF_OK;
}

/* Any product, as *made; `m` is the constant second factor, or NULL. */
static enum zf_status product(struct zf_import_node *node, const char *part, struct zf_operand *a,
                              struct zf_operand *b, const struct matrix *m, struct zf_operand *made)
{
    if (b->kind == ZF_OPERAND_MAPS || b->rank != 2)
        return multiply(node, part, a, b, made);
    ZF_CHECK(check_weights(node, a, a->rank - 1, b, m));
    return add_pointwise(node, part, a, a->rank - 1, m, made);
}

static enum zf_status translate_gemm(struct zf_import_node *node)
{
    const bool turned = zf_node_integer(node, "transB", 0) != 0;
    const double alpha = zf_node_real(node, "alpha", 1), beta = zf_node_real(node, "beta", 1);
    struct zf_operand *given = NULL, *weight = NULL, *bias = NULL, a, b, made;
    struct matrix m = {0};

    ZF_CHECK(zf_node_maps(node, 0, &given));
    ZF_CHECK(zf_node_input(node, 1, &weight));
    a = *given;
    b = *weight;
    if (zf_node_has(node, 2))
        bias = node->in[2];
    if (a.rank != 2 || b.rank != 2)
        return zf_node_fail(node, ZF_EINPUT, "inputs of %d and %d dimensions, not matrices", a.rank,
                            b.rank);
    if (zf_node_integer(node, "transA", 0) != 0)
        zf_operand_transpose(&a, (const int[]){1, 0});
    if (b.kind == ZF_OPERAND_MAPS && turned)
        zf_operand_transpose(&b, (const int[]){1, 0});
    if (b.kind != ZF_OPERAND_MAPS)
        m = (struct matrix){.data = weight,
                            .inputs = b.dims[turned],
                            .outputs = b.dims[!turned],
                            .step_k = turned ? 1 : b.dims[1],
                            .step_n = turned ? b.dims[1] : 1,
                            .factor = alpha};
    if (b.kind != ZF_OPERAND_MAPS && is_vector(node, &a) &&
        (!bias || zf_operand_is_constant(bias))) {
        ZF_CHECK(check_weights(node, &a, 1, weight, &m));
        return add_dense(node, &a, &m, bias, beta);
    }
    if (b.kind == ZF_OPERAND_MAPS && alpha != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a product of two inputs times %g", alpha);
    if (bias && beta != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a sum with %g times its third input", beta);
    ZF_CHECK(product(node, bias ? "product" : NULL, &a, &b, &m, &made));
    if (bias && zf_operand_is_constant(bias))
        ZF_CHECK(zf_combine_constant(node, ZF_SUM, NULL, &made, bias));
    else if (bias)
        ZF_CHECK(zf_combine_maps(node, ZF_SUM, NULL, &made, bias, &a));
    return zf_import_output(node, bias && !zf_operand_is_constant(bias) ? &a : &made);
}

/* A constant matrix from the left: along the last axis but one. */
static enum zf_status multiply_left(struct zf_import_node *node, struct zf_operand *weight,
                                    struct zf_operand *src)
{
    struct matrix m;
    struct zf_operand made;

    if (weight->rank != 2) {
        ZF_CHECK(multiply(node, NULL, weight, src, &made));
        return zf_import_output(node, &made);
    }
    if (src->rank < 2)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a matrix times a vector of one dimension");
    m = (struct matrix){weight, weight->dims[1], weight->dims[0], 1, weight->dims[1], 1};
    ZF_CHECK(check_weights(node, src, src->rank - 2, weight, &m));
    ZF_CHECK(add_pointwise(node, NULL, src, src->rank - 2, &m, &made));
    return zf_import_output(node, &made);
}

static enum zf_status translate_matmul(struct zf_import_node *node)
{
    struct zf_operand *a = NULL, *b = NULL, made;
    struct matrix m = {0};

    ZF_CHECK(zf_node_input(node, 0, &a));
    ZF_CHECK(zf_node_input(node, 1, &b));
    if (zf_operand_is_constant(a))
        return multiply_left(node, a, b);
    if (zf_operand_is_constant(b) && b->rank == 2) {
        m = (struct matrix){b, b->dims[0], b->dims[1], b->dims[1], 1, 1};
        ZF_CHECK(check_weights(node, a, a->rank - 1, b, &m));
        if (is_vector(node, a))
            return add_dense(node, a, &m, NULL, 0);
    }
    ZF_CHECK(product(node, NULL, a, b, &m, &made));
    return zf_import_output(node, &made);
}

const struct zf_operator zf_operators_dense[] = {
    {"Gemm", NULL, translate_gemm},
    {"MatMul", zf_fold_matmul, translate_matmul},
    {NULL, NULL, NULL},
};
