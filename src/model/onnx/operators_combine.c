/* SPDX-License-Identifier: MIT */
/*
 * Operators of two and more: Add, Sub, Mul, Div, Pow, Max, Min, Sum, Mean, Where, Concat. With a
 * constant number for each map, sums and products are a scale and a shift; some products and
 * quotients are what exporters write out in pieces (pieces.c).
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "emit.h"
#include "operators.h"
#include "pieces.h"

/* ---- With a constant ---- */

/* v against maps as scale * maps + shift. */
static void linear(enum zf_combination how, bool constant_first, float v, float *scale,
                   float *shift)
{
    *scale = how == ZF_PRODUCT                        ? v
             : how == ZF_QUOTIENT                     ? 1 / v
             : how == ZF_DIFFERENCE && constant_first ? -1
                                                      : 1;
    *shift = how == ZF_SUM ? v : how == ZF_DIFFERENCE ? (constant_first ? v : -v) : 0;
}

/* A scale and a shift of each map: into the layer below, an activation, or a layer. */
static enum zf_status scale_maps(struct zf_import_node *node, enum zf_combination how,
                                 struct zf_operand *maps, float *scale, bool constant_first)
{
    const int64_t count = zf_import_shape(node->import, maps->layer).c;
    float *shift = zf_alloc((size_t)count, sizeof *shift);
    enum zf_status status;
    bool done = false;

    if (!shift)
        return zf_node_no_memory(node);
    for (int64_t m = 0; m < count; m++)
        linear(how, constant_first, scale[m], &scale[m], &shift[m]);
    ZF_TRY(zf_pieces_scaled(node, maps, scale, shift, &done));
    if (!done)
        ZF_TRY(zf_import_affine(node, maps, scale, shift));
fail:
    zf_free(shift);
    return status;
}

static enum zf_status reciprocal(struct zf_import_node *node, const char *part,
                                 struct zf_operand *maps)
{
    return zf_import_add(node, part, "power", &maps->layer, 1, ZF_KEYS(ZF_KEY("exponent", -1)),
                         &maps->layer);
}

static enum zf_status with_constant(struct zf_import_node *node, enum zf_combination how,
                                    struct zf_operand *maps, struct zf_operand *constant,
                                    bool constant_first)
{
    struct zf_operand made = *maps, *of_maps = maps;
    struct zf_view view = {{ZF_ROLE_C}};
    float *scale = NULL;
    enum zf_status status;
    bool fits = how != ZF_LARGER && how != ZF_SMALLER;

    for (int axis = 0; axis < constant->rank; axis++) /* it must not add axes or extents */
        fits = fits && (constant->dims[axis] == 1 || constant->rank <= maps->rank);
    fits = fits && constant->rank <= maps->rank;
    if (how == ZF_QUOTIENT && constant_first) {
        ZF_TRY(reciprocal(node,
                          zf_operand_count(constant) == 1 && zf_operand_at(constant, 0) == 1
                              ? NULL
                              : "reciprocal",
                          &made));
        if (zf_operand_count(constant) == 1 && zf_operand_at(constant, 0) == 1)
            return zf_import_output(node, &made);
        how = ZF_PRODUCT;
        of_maps = &made;
    }
    if (fits && zf_operand_count(constant) != 1) /* one number is the same however maps lie */
        ZF_TRY(zf_import_settle(node, of_maps, &view));
    if (fits)
        ZF_TRY(zf_combine_per_map(node, constant, of_maps, &view, &scale));
    if (scale) {
        ZF_TRY(scale_maps(node, how, of_maps, scale, constant_first));
    } else {
        if (constant_first)
            ZF_TRY(zf_combine_maps(node, how, NULL, constant, of_maps, &made));
        else
            ZF_TRY(zf_combine_maps(node, how, NULL, of_maps, constant, &made));
        ZF_TRY(zf_import_output(node, &made));
    }
fail:
    zf_free(scale);
    return status;
}

/* ---- Of two ---- */

static enum zf_status binary(struct zf_import_node *node, enum zf_combination how)
{
    struct zf_operand *a = NULL, *b = NULL, made;
    bool done = false;

    ZF_CHECK(zf_node_input(node, 0, &a));
    ZF_CHECK(zf_node_input(node, 1, &b));
    if (zf_operand_is_constant(b))
        return with_constant(node, how, a, b, false);
    if (zf_operand_is_constant(a))
        return with_constant(node, how, b, a, true);
    if (how == ZF_PRODUCT)
        ZF_CHECK(zf_pieces_gated(node, a, b, &done));
    if (how == ZF_PRODUCT && !done)
        ZF_CHECK(zf_pieces_gated(node, b, a, &done));
    if (how == ZF_QUOTIENT)
        ZF_CHECK(zf_pieces_divided(node, a, b, &done));
    if (done)
        return ZF_OK;
    ZF_CHECK(zf_combine_maps(node, how, NULL, a, b, &made));
    return zf_import_output(node, &made);
}

static enum zf_status translate_add(struct zf_import_node *node)
{
    return binary(node, ZF_SUM);
}

static enum zf_status translate_sub(struct zf_import_node *node)
{
    return binary(node, ZF_DIFFERENCE);
}

static enum zf_status translate_mul(struct zf_import_node *node)
{
    return binary(node, ZF_PRODUCT);
}

static enum zf_status translate_div(struct zf_import_node *node)
{
    return binary(node, ZF_QUOTIENT);
}

static bool one_number(const struct zf_operand *constant, double *number)
{
    const int64_t count = zf_operand_is_constant(constant) ? zf_operand_count(constant) : 0;

    for (int64_t i = 1; i < count; i++)
        if (zf_operand_at(constant, i) != zf_operand_at(constant, 0))
            return false;
    *number = count > 0 ? zf_operand_at(constant, 0) : 0;
    return count > 0;
}

static enum zf_status translate_pow(struct zf_import_node *node)
{
    struct zf_operand *base = NULL, *exponent = NULL, made;
    double number;

    ZF_CHECK(zf_node_input(node, 0, &base));
    ZF_CHECK(zf_node_input(node, 1, &exponent));
    if (one_number(exponent, &number))
        return number == 1 ? zf_import_alias(node, base)
                           : zf_import_unary(node, "power", ZF_KEYS(ZF_KEY("exponent", number)));
    if (!one_number(base, &number) || number <= 0 || exponent->kind != ZF_OPERAND_MAPS)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a power whose exponents differ");
    made = *exponent; /* a^x = e^(x log a) */
    ZF_CHECK(zf_combine_constant(
        node, ZF_PRODUCT, "log", &made,
        &(struct zf_operand){.kind = ZF_OPERAND_FLOATS, .floats = &(float){(float)log(number)}}));
    ZF_CHECK(zf_import_add(node, NULL, "function", &made.layer, 1,
                           ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "exp"))),
                           &made.layer));
    return zf_import_output(node, &made);
}

/* ---- Of several ---- */

/* Sum of the layers of operands that lie alike, as one layer; *done = false where they do not. */
static enum zf_status add_all(struct zf_import_node *node, bool *done)
{
    int inputs[ZF_ONNX_WIDTH], layer;
    struct zf_operand made;

    *done = node->in_count > 1;
    for (int i = 0; i < node->in_count && *done; i++) {
        const struct zf_operand *in = node->in[i];

        *done = in && in->kind == ZF_OPERAND_MAPS && zf_operand_is_arranged_like(node->in[0], in);
        inputs[i] = in ? in->layer : 0;
    }
    if (!*done)
        return ZF_OK;
    ZF_CHECK(zf_import_add(node, NULL, "add", inputs, node->in_count, NULL, &layer));
    made = *node->in[0];
    made.layer = layer;
    return zf_import_output(node, &made);
}

/* One after the other. */
static enum zf_status chain(struct zf_import_node *node, enum zf_combination how, bool last,
                            struct zf_operand *made)
{
    struct zf_operand *value = NULL;

    for (int i = 0; i < node->in_count; i++)
        ZF_CHECK(zf_node_input(node, i, &value));
    if (node->in_count == 0)
        return zf_node_fail(node, ZF_EINPUT, "it has no inputs");
    *made = *node->in[0];
    for (int i = 1; i < node->in_count; i++) {
        struct zf_operand sum;

        ZF_CHECK(zf_combine_maps(node, how, last && i + 1 == node->in_count ? NULL : "next", made,
                                 node->in[i], &sum));
        *made = sum;
    }
    return ZF_OK;
}

static enum zf_status several(struct zf_import_node *node, enum zf_combination how)
{
    struct zf_operand made;
    bool done = false;

    if (node->in_count == 1 && node->in[0])
        return zf_import_alias(node, node->in[0]);
    if (node->in_count == 2 && how == ZF_SUM)
        return binary(node, how);
    if (how == ZF_SUM)
        ZF_CHECK(add_all(node, &done));
    if (done)
        return ZF_OK;
    ZF_CHECK(chain(node, how, true, &made));
    return zf_import_output(node, &made);
}

static enum zf_status translate_sum(struct zf_import_node *node)
{
    return several(node, ZF_SUM);
}

static enum zf_status translate_mean(struct zf_import_node *node)
{
    struct zf_operand made;

    if (node->in_count == 1 && node->in[0])
        return zf_import_alias(node, node->in[0]);
    ZF_CHECK(chain(node, ZF_SUM, false, &made));
    return zf_import_linear(node, &made, 1.0 / node->in_count, 0);
}

/* With one number, a clip or a rectifier. */
static enum zf_status limit(struct zf_import_node *node, bool largest)
{
    struct zf_operand *maps = NULL;
    double number = 0, other = 0;
    bool numbers = node->in_count == 2;

    for (int i = 0; i < node->in_count && numbers; i++) {
        const struct zf_operand *in = node->in[i];

        if (in && in->kind == ZF_OPERAND_MAPS && !maps)
            maps = node->in[i];
        else
            numbers = in && one_number(in, &number) && zf_operand_count(in) == 1;
    }
    if (!numbers || !maps || !(fabs(number) <= 1e30))
        return several(node, largest ? ZF_LARGER : ZF_SMALLER);
    node->in[0] = maps;
    other = largest ? 1e30 : -1e30;
    if (largest && number == 0)
        return zf_import_unary(node, "relu", NULL);
    return zf_import_unary(
        node, "clip",
        ZF_KEYS(ZF_KEY("min", largest ? number : other), ZF_KEY("max", largest ? other : number)));
}

static enum zf_status translate_max(struct zf_import_node *node)
{
    return limit(node, true);
}

static enum zf_status translate_min(struct zf_import_node *node)
{
    return limit(node, false);
}

/* ---- Concat ---- */

/* As the maps lie, if the axis is theirs and all lie alike; else with that axis as the maps. */
static enum zf_status concat_view(struct zf_import_node *node, int axis, struct zf_view *view)
{
    const struct zf_operand *first = NULL;
    enum zf_status status = ZF_OK;

    for (int i = 0; i < node->in_count && !first; i++)
        first = node->in[i]->kind == ZF_OPERAND_MAPS ? node->in[i] : NULL;
    if (first->rank == 4 && axis == 1 && first->dims[0] == 1)
        *view = (struct zf_view){{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    else
        *view = zf_view_along(first->rank, axis);
    for (int i = 0; i < node->in_count; i++) {
        struct zf_view natural;

        if (node->in[i]->kind != ZF_OPERAND_MAPS ||
            !zf_operand_natural(node->in[i], zf_import_shape(node->import, node->in[i]->layer),
                                &natural) ||
            zf_view_axis(&natural, node->in[i], ZF_ROLE_C) != axis)
            continue;
        *view = natural; /* channels last, say */
        break;
    }
    return status;
}

static enum zf_status check_parts(const struct zf_import_node *node, int axis, int64_t *dims)
{
    for (int i = 0; i < node->in_count; i++) {
        const struct zf_operand *in = node->in[i];

        if (in->rank != node->in[0]->rank)
            return zf_node_fail(node, ZF_EINPUT, "inputs of %d and %d dimensions",
                                node->in[0]->rank, in->rank);
        for (int k = 0; k < in->rank; k++) {
            if (i == 0)
                dims[k] = k == axis ? 0 : in->dims[k];
            else if (k != axis && dims[k] != in->dims[k])
                return zf_node_fail(node, ZF_EINPUT,
                                    "inputs of %" PRId64 " and %" PRId64 " cells on axis %d",
                                    dims[k], in->dims[k], k);
        }
        dims[axis] += in->dims[axis];
    }
    return ZF_OK;
}

static enum zf_status translate_concat(struct zf_import_node *node)
{
    int inputs[ZF_ONNX_WIDTH] = {0}, axis = 0, layer = 0;
    int64_t dims[ZF_ONNX_RANK] = {0};
    struct zf_operand *value = NULL, made;
    struct zf_view view;

    for (int i = 0; i < node->in_count; i++)
        ZF_CHECK(zf_node_input(node, i, &value));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 1), node->in[0]->rank, &axis));
    if (node->in_count == 1)
        return zf_import_alias(node, node->in[0]);
    ZF_CHECK(check_parts(node, axis, dims));
    ZF_CHECK(concat_view(node, axis, &view));
    for (int i = 0; i < node->in_count; i++) {
        if (node->in[i]->kind == ZF_OPERAND_MAPS) {
            ZF_CHECK(zf_import_bring(node, "arrange", node->in[i], &view));
            inputs[i] = node->in[i]->layer;
        } else {
            ZF_CHECK(zf_import_filled(node, "constant", node->in[i], &view, &made));
            inputs[i] = made.layer;
        }
    }
    ZF_CHECK(zf_import_add(node, NULL, "concat", inputs, node->in_count, NULL, &layer));
    zf_operand_place(&made, layer, node->in[0]->rank, dims, &view);
    return zf_import_output(node, &made);
}

const struct zf_operator zf_operators_combine[] = {
    {"Add", zf_fold_arithmetic, translate_add},
    {"Sub", zf_fold_arithmetic, translate_sub},
    {"Mul", zf_fold_arithmetic, translate_mul},
    {"Div", zf_fold_arithmetic, translate_div},
    {"Pow", zf_fold_arithmetic, translate_pow},
    {"Max", zf_fold_arithmetic, translate_max},
    {"Min", zf_fold_arithmetic, translate_min},
    {"Sum", zf_fold_arithmetic, translate_sum},
    {"Mean", zf_fold_arithmetic, translate_mean},
    {"Concat", zf_fold_concat, translate_concat},
    {NULL, NULL, NULL},
};
