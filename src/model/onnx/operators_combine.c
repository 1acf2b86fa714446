/* SPDX-License-Identifier: MIT */
/*
 * Operators of two and more: Add, Sub, Mul, Div, Sum, Concat. With a constant they are a scale and
 * a shift; and some products are activations that exporters write out in pieces (pieces.c).
 */
#include "import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

/* ---- Constants against maps ---- */

enum zf_status zf_node_per_map(const struct zf_import_node *node, const struct zf_value *constant,
                               const struct zf_value *maps, const struct zf_roles *roles,
                               float **out)
{
    const int64_t count = zf_import_shape(node->import, maps->layer).c;
    const int shift = maps->rank - constant->rank; /* axes are aligned at the end */
    bool spread = false;
    char text[128], of[128];
    float *numbers;

    for (int axis = 0; axis < constant->rank; axis++) {
        const bool is_maps = axis + shift >= 0 && axis + shift == roles->axis[0];

        if (constant->dims[axis] == 1)
            continue;
        if (!is_maps || constant->dims[axis] != count)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "a constant of shape %s is not a number for each map of %s",
                                zf_shape_text(constant->dims, constant->rank, text, sizeof text),
                                zf_shape_text(maps->dims, maps->rank, of, sizeof of));
        spread = true;
    }
    numbers = zf_import_room(node->import, count, sizeof *numbers);
    if (!numbers)
        return node->import->err->status;
    for (int64_t m = 0; m < count; m++)
        numbers[m] = (float)zf_value_at(constant, spread ? m : 0);
    *out = numbers;
    return ZF_OK;
}

/* How an operator with a constant v is scale * maps + shift. */
enum combination { ADD, SUB, MUL, DIV };

static void linear(enum combination op, bool constant_first, float v, float *scale, float *shift)
{
    *scale = op == MUL ? v : op == DIV ? 1 / v : op == SUB && constant_first ? -1 : 1;
    *shift = op == ADD ? v : op == SUB ? (constant_first ? v : -v) : 0;
}

/* ---- With a constant ---- */

static enum zf_status with_constant(struct zf_import_node *node, enum combination op,
                                    struct zf_value *maps, const struct zf_value *constant,
                                    bool constant_first)
{
    struct zf_roles roles = {{-1, -1, -1}};
    float *scale = NULL, *shift = NULL;
    enum zf_status status;
    bool done = false;
    int64_t count;

    if (op == DIV && constant_first)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a division by maps");
    if (zf_value_count(constant) != 1) /* one number is the same for all, however they lie */
        ZF_TRY(zf_import_settle(node, maps, &roles));
    count = zf_import_shape(node->import, maps->layer).c;
    ZF_TRY(zf_node_per_map(node, constant, maps, &roles, &scale));
    shift = zf_alloc((size_t)count, sizeof *shift);
    if (!shift) {
        status = zf_node_fail(node, ZF_ENOMEM, "out of memory");
        goto fail;
    }
    for (int64_t m = 0; m < count; m++) {
        linear(op, constant_first, scale[m], &scale[m], &shift[m]);
        if (!isfinite(scale[m]) || !isfinite(shift[m])) {
            status = zf_node_fail(node, ZF_EINPUT, "map %lld is scaled by %g and shifted by %g",
                                  (long long)m, (double)scale[m], (double)shift[m]);
            goto fail;
        }
    }
    ZF_TRY(zf_pieces_scaled(node, maps, scale, shift, &done));
    if (!done)
        ZF_TRY(zf_import_affine(node, maps, scale, shift));
fail:
    zf_free(scale);
    zf_free(shift);
    return status;
}

/* ---- Of maps ---- */

/* All on the same axes; extents of 1 are spread. */
static enum zf_status combine(struct zf_import_node *node, const char *type, int count)
{
    struct zf_value *first = NULL, made;
    struct zf_roles roles, other;
    int inputs[ZF_ONNX_WIDTH] = {0}, layer;
    enum zf_status status;
    bool same = true;

    for (int i = 0; i < count; i++) {
        struct zf_value *value = NULL;

        ZF_TRY(zf_node_maps(node, i, &value));
        first = first ? first : value;
        same = same && zf_value_is_arranged_like(first, value);
    }
    for (int i = 0; i < count; i++) {
        struct zf_value *value = node->in[i];

        if (!same) {
            ZF_TRY(zf_import_settle(node, value, i == 0 ? &roles : &other));
            if (value->rank != first->rank || (i > 0 && memcmp(&roles, &other, sizeof roles) != 0))
                return zf_node_fail(node, ZF_EUNSUPPORTED,
                                    "\"%.100s\" and \"%.100s\" have their maps on different axes",
                                    node->proto->input[0], node->proto->input[i]);
        }
        inputs[i] = value->layer;
    }
    ZF_TRY(zf_import_add(node, NULL, type, inputs, count, "", &layer));
    made = *first;
    made.layer = layer;
    if (!same)
        zf_value_place(&made, layer, node->import->layers[layer].shape, first->rank, &roles);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status binary(struct zf_import_node *node, enum combination op, const char *type)
{
    struct zf_value *a = node->in_count > 0 ? node->in[0] : NULL;
    struct zf_value *b = node->in_count > 1 ? node->in[1] : NULL;
    enum zf_status status;
    bool done = false;

    if (!a || !b)
        return zf_node_fail(node, ZF_EINPUT, "it needs two inputs");
    if (zf_value_is_constant(b))
        return with_constant(node, op, a, b, false);
    if (zf_value_is_constant(a))
        return with_constant(node, op, b, a, true);
    if (!type)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a division by maps");
    if (op == MUL) {
        ZF_TRY(zf_pieces_gated(node, a, b, &done));
        if (!done)
            ZF_TRY(zf_pieces_gated(node, b, a, &done));
        if (done)
            return ZF_OK;
    }
    ZF_TRY(combine(node, type, 2));
fail:
    return status;
}

static enum zf_status translate_add(struct zf_import_node *node)
{
    return binary(node, ADD, "add");
}

static enum zf_status translate_sub(struct zf_import_node *node)
{
    return binary(node, SUB, "sub");
}

static enum zf_status translate_mul(struct zf_import_node *node)
{
    return binary(node, MUL, "mul");
}

static enum zf_status translate_div(struct zf_import_node *node)
{
    return binary(node, DIV, NULL);
}

static enum zf_status translate_sum(struct zf_import_node *node)
{
    struct zf_value *only = NULL;
    enum zf_status status;

    if (node->in_count > 1)
        return combine(node, "add", node->in_count);
    ZF_TRY(zf_node_maps(node, 0, &only));
    ZF_TRY(zf_import_alias(node, only));
fail:
    return status;
}

static enum zf_status translate_concat(struct zf_import_node *node)
{
    struct zf_value *value = NULL, made;
    struct zf_roles roles, other;
    int inputs[ZF_ONNX_WIDTH] = {0}, axis = 0, layer = 0;
    enum zf_status status;

    if (node->in_count == 0)
        return zf_node_fail(node, ZF_EINPUT, "it has no inputs");
    for (int i = 0; i < node->in_count; i++) {
        ZF_TRY(zf_node_maps(node, i, &value));
        ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 1), value->rank, &axis));
        ZF_TRY(zf_import_settle(node, value, i == 0 ? &roles : &other));
        if (roles.axis[0] != axis || (i > 0 && memcmp(&roles, &other, sizeof roles) != 0))
            return zf_node_fail(
                node, ZF_EUNSUPPORTED,
                "only maps are concatenated, and axis %d of \"%.100s\" is not theirs", axis,
                node->proto->input[i]);
        inputs[i] = value->layer;
    }
    if (node->in_count == 1)
        return zf_import_alias(node, value);
    ZF_TRY(zf_import_add(node, NULL, "concat", inputs, node->in_count, "", &layer));
    zf_value_place(&made, layer, node->import->layers[layer].shape, value->rank, &roles);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

const struct zf_operator zf_operators_combine[] = {
    {"Add", zf_fold_arithmetic, translate_add},
    {"Sub", zf_fold_arithmetic, translate_sub},
    {"Mul", zf_fold_arithmetic, translate_mul},
    {"Div", zf_fold_arithmetic, translate_div},
    {"Sum", NULL, translate_sum},
    {"Concat", zf_fold_concat, translate_concat},
    {NULL, NULL, NULL},
};
