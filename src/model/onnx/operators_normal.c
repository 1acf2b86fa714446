/* SPDX-License-Identifier: MIT */
/* Normalisations: by statistics that the file holds, by the picture's own, and softmax. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "emit.h"
#include "operators.h"

/* ---- BatchNormalization ---- */

enum statistic { GAMMA, BETA, MEAN, VARIANCE, STATISTICS };

static enum zf_status read_vector(const struct zf_import_node *node, int i, int64_t maps,
                                  struct zf_operand **out)
{
    ZF_CHECK(zf_node_constant(node, i, out));
    if ((*out)->kind != ZF_OPERAND_FLOATS || zf_operand_count(*out) != maps)
        return zf_node_fail(node, ZF_EINPUT,
                            "\"%.100s\" has %" PRId64 " values for %" PRId64 " maps",
                            node->proto->input[i], zf_operand_count(*out), maps);
    return ZF_OK;
}

/* The maps on axis 1, wherever they lie. */
static enum zf_status settle_maps(struct zf_import_node *node, struct zf_operand *src)
{
    struct zf_view view;

    if (src->rank < 2)
        return zf_node_fail(node, ZF_EINPUT, "its input has %d dimensions", src->rank);
    ZF_CHECK(zf_import_settle(node, src, &view));
    if (zf_import_is_axis(&view, src, 1))
        return ZF_OK;
    for (int axis = 0; axis < src->rank; axis++)
        view.role[axis] = axis <= 1 ? ZF_ROLE_C : axis == 2 ? ZF_ROLE_H : ZF_ROLE_W;
    return zf_import_bring(node, "arrange", src, &view);
}

/* With its statistics frozen: a scale and a shift of each map. */
static enum zf_status translate_batchnorm(struct zf_import_node *node)
{
    const double epsilon = zf_node_real(node, "epsilon", 1e-5);
    struct zf_operand *src = NULL, *s[STATISTICS];
    float *scale = NULL, *shift = NULL;
    enum zf_status status;
    int64_t maps;

    if (zf_node_integer(node, "training_mode", 0) != 0 || zf_node_integer(node, "spatial", 1) != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "statistics of the batch; export the model in evaluation mode");
    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(settle_maps(node, src));
    maps = zf_import_shape(node->import, src->layer).c;
    for (int i = 0; i < STATISTICS; i++)
        ZF_TRY(read_vector(node, i + 1, maps, &s[i]));
    scale = zf_alloc((size_t)maps, sizeof *scale);
    shift = zf_alloc((size_t)maps, sizeof *shift);
    if (!scale || !shift)
        ZF_LEAVE(zf_node_no_memory(node));
    for (int64_t m = 0; m < maps; m++) {
        const double variance = zf_operand_at(s[VARIANCE], m);
        const double factor = zf_operand_at(s[GAMMA], m) / sqrt(variance + epsilon);

        scale[m] = (float)factor;
        shift[m] = (float)(zf_operand_at(s[BETA], m) - zf_operand_at(s[MEAN], m) * factor);
        if (variance + epsilon <= 0 && isfinite(variance))
            ZF_LEAVE(zf_node_fail(node, ZF_EINPUT, "map %" PRId64 " has variance %g", m, variance));
    }
    ZF_TRY(zf_import_affine(node, src, scale, shift));
fail:
    zf_free(scale);
    zf_free(shift);
    return status;
}

/* ---- By the picture's own statistics ---- */

/* The norm layer, and behind it a scale of each map; either input may be missing. `shared` maps
   have one factor. */
static enum zf_status add_norm(struct zf_import_node *node, struct zf_operand *src,
                               const struct zf_key *keys, int scale, int shift, int64_t shared)
{
    const int64_t maps = zf_import_shape(node->import, src->layer).c;
    struct zf_operand *gamma = NULL, *beta = NULL, normal = *src;
    const bool learned = zf_node_has(node, scale) || zf_node_has(node, shift);
    float *factors = NULL, *shifts = NULL;
    enum zf_status status;

    ZF_TRY(
        zf_import_add(node, learned ? "norm" : NULL, "norm", &src->layer, 1, keys, &normal.layer));
    if (!learned)
        return zf_import_output(node, &normal);
    factors = zf_alloc((size_t)maps, sizeof *factors);
    shifts = zf_alloc((size_t)maps, sizeof *shifts);
    if (!factors || !shifts)
        ZF_LEAVE(zf_node_no_memory(node));
    if (zf_node_has(node, scale))
        ZF_TRY(read_vector(node, scale, maps / shared, &gamma));
    if (zf_node_has(node, shift))
        ZF_TRY(read_vector(node, shift, maps / shared, &beta));
    for (int64_t m = 0; m < maps; m++) {
        factors[m] = gamma ? (float)zf_operand_at(gamma, m / shared) : 1;
        shifts[m] = beta ? (float)zf_operand_at(beta, m / shared) : 0;
    }
    ZF_TRY(zf_import_affine(node, &normal, factors, shifts));
fail:
    zf_free(factors);
    zf_free(shifts);
    return status;
}

static enum zf_status translate_instance(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(settle_maps(node, src));
    return add_norm(node, src,
                    ZF_KEYS(ZF_KEY("over", zf_import_choice("norm", "over", "cells")),
                            ZF_KEY("epsilon", zf_node_real(node, "epsilon", 1e-5))),
                    1, 2, 1);
}

/* Its factors are of groups in opset 18, and of maps since 21. */
static enum zf_status translate_group(struct zf_import_node *node)
{
    const int64_t groups = zf_node_integer(node, "num_groups", 1);
    struct zf_operand *src = NULL, *gamma = NULL;
    int64_t shared = 1;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(settle_maps(node, src));
    ZF_CHECK(zf_node_constant(node, 1, &gamma));
    if (groups < 1 || src->dims[1] % groups != 0)
        return zf_node_fail(node, ZF_EINPUT, "%" PRId64 " groups of %" PRId64 " maps", groups,
                            src->dims[1]);
    if (node->import->opset < 21 && zf_operand_count(gamma) == groups)
        shared = src->dims[1] / groups;
    return add_norm(node, src,
                    ZF_KEYS(ZF_KEY("over", zf_import_choice("norm", "over", "groups")),
                            ZF_KEY("groups", groups),
                            ZF_KEY("epsilon", zf_node_real(node, "epsilon", 1e-5))),
                    1, 2, shared);
}

/* Over all axes from `axis` on; RMSNormalization is the same without the mean. */
static enum zf_status translate_layer(struct zf_import_node *node)
{
    const bool mean = strcmp(node->proto->op_type, "LayerNormalization") == 0;
    struct zf_operand *src = NULL, made;
    struct zf_view view;
    bool all = true, of_maps = true, cells = true;
    int axis, over, layer;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", -1), src->rank, &axis));
    ZF_CHECK(zf_import_settle(node, src, &view));
    for (int i = 0; i < src->rank; i++) {
        if (src->dims[i] == 1)
            continue;
        all = all && i >= axis;
        of_maps = of_maps && (i >= axis) == (view.role[i] == ZF_ROLE_C);
        cells = cells && (i >= axis) == (view.role[i] != ZF_ROLE_C);
    }
    if (!all && !of_maps && !cells) { /* what has statistics together becomes the maps of a cell */
        for (int i = 0; i < src->rank; i++)
            view.role[i] = i >= axis ? ZF_ROLE_C : ZF_ROLE_H;
        ZF_CHECK(zf_import_bring(node, "arrange", src, &view));
    }
    over = zf_import_choice("norm", "over", all ? "groups" : cells && !of_maps ? "cells" : "maps");
    ZF_CHECK(zf_import_add(node, zf_node_has(node, 1) ? "norm" : NULL, "norm", &src->layer, 1,
                           ZF_KEYS(ZF_KEY("over", over), ZF_KEY("mean", mean),
                                   ZF_KEY("epsilon", zf_node_real(node, "epsilon", 1e-5))),
                           &layer));
    made = *src;
    made.layer = layer;
    if (zf_node_has(node, 1))
        ZF_CHECK(zf_combine_constant(node, ZF_PRODUCT, zf_node_has(node, 2) ? "scale" : NULL, &made,
                                     node->in[1]));
    if (zf_node_has(node, 2))
        ZF_CHECK(zf_combine_constant(node, ZF_SUM, NULL, &made, node->in[2]));
    return zf_import_output(node, &made);
}

/* x / sqrt(sum of x^2): by the root of the mean square, over the root of how many there are. */
static enum zf_status translate_lp(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, normal;
    struct zf_view view;
    int axis;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", -1), src->rank, &axis));
    if (zf_node_integer(node, "p", 2) != 2)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a norm of p = %" PRId64 "; 2 is read",
                            zf_node_integer(node, "p", 2));
    ZF_CHECK(zf_import_settle(node, src, &view));
    if (!zf_import_is_axis(&view, src, axis)) {
        view = zf_view_along(src->rank, axis);
        ZF_CHECK(zf_import_bring(node, "arrange", src, &view));
    }
    normal = *src;
    ZF_CHECK(zf_import_add(node, "norm", "norm", &src->layer, 1,
                           ZF_KEYS(ZF_KEY("over", zf_import_choice("norm", "over", "maps")),
                                   ZF_KEY("mean", 0), ZF_KEY("epsilon", 0)),
                           &normal.layer));
    return zf_import_linear(node, &normal, 1 / sqrt((double)src->dims[axis]), 0);
}

/* ---- Softmax ---- */

/* Which axes are summed over: one, or before opset 13 all from it on. */
static enum zf_status softmax_view(struct zf_import_node *node, struct zf_operand *src,
                                   struct zf_view *view)
{
    const bool old = node->import->opset < 13;
    bool fits = true;
    int axis;

    ZF_CHECK(zf_import_settle(node, src, view));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", old ? 1 : -1), src->rank, &axis));
    for (int i = 0; i < src->rank; i++) {
        const bool summed = old ? i >= axis : i == axis;

        fits = fits && (src->dims[i] == 1 || summed == (view->role[i] == ZF_ROLE_C));
    }
    if (fits)
        return ZF_OK;
    for (int i = 0; i < src->rank; i++)
        view->role[i] = (old ? i >= axis : i == axis) ? ZF_ROLE_C
                        : i < axis                    ? ZF_ROLE_H
                                                      : ZF_ROLE_W;
    return zf_import_bring(node, "arrange", src, view);
}

static enum zf_status translate_softmax(struct zf_import_node *node)
{
    const bool logarithm = strcmp(node->proto->op_type, "LogSoftmax") == 0;
    struct zf_operand *src = NULL, made;
    struct zf_view view;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(softmax_view(node, src, &view));
    made = *src;
    ZF_CHECK(zf_import_add(node, logarithm ? "softmax" : NULL, "softmax", &src->layer, 1, NULL,
                           &made.layer));
    if (logarithm)
        ZF_CHECK(zf_import_add(node, NULL, "function", &made.layer, 1,
                               ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "log"))),
                               &made.layer));
    return zf_import_output(node, &made);
}

const struct zf_operator zf_operators_normal[] = {
    {"BatchNormalization", NULL, translate_batchnorm},
    {"InstanceNormalization", NULL, translate_instance},
    {"GroupNormalization", NULL, translate_group},
    {"LayerNormalization", NULL, translate_layer},
    {"RMSNormalization", NULL, translate_layer},
    {"LpNormalization", NULL, translate_lp},
    {"Softmax", NULL, translate_softmax},
    {"LogSoftmax", NULL, translate_softmax},
    {NULL, NULL, NULL},
};
