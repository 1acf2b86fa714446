/* SPDX-License-Identifier: MIT */
/* Operators cell by cell: rectifiers and other activations, batch normalisation, softmax. */
#include "import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define BOUNDLESS 1e30 /* as a clip layer has it */

static enum zf_status translate_relu(struct zf_import_node *node)
{
    return zf_import_unary(node, "relu", "");
}

static enum zf_status translate_sigmoid(struct zf_import_node *node)
{
    return zf_import_unary(node, "sigmoid", "");
}

static enum zf_status translate_tanh(struct zf_import_node *node)
{
    return zf_import_unary(node, "tanh", "");
}

static enum zf_status translate_hardswish(struct zf_import_node *node)
{
    return zf_import_unary(node, "hardswish", "");
}

static enum zf_status translate_gelu(struct zf_import_node *node)
{
    const Onnx__AttributeProto *form = zf_node_attribute(node, "approximate");

    if (form && form->has_s && form->s.len == 4 && memcmp(form->s.data, "tanh", 4) == 0)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "the approximation by tanh");
    return zf_import_unary(node, "gelu", "");
}

static enum zf_status translate_leaky(struct zf_import_node *node)
{
    char keys[64];

    snprintf(keys, sizeof keys, "slope = %.9g\n", zf_node_real(node, "alpha", 0.01));
    return zf_import_unary(node, "leaky", keys);
}

static enum zf_status translate_elu(struct zf_import_node *node)
{
    char keys[64];

    snprintf(keys, sizeof keys, "alpha = %.9g\n", zf_node_real(node, "alpha", 1));
    return zf_import_unary(node, "elu", keys);
}

static enum zf_status translate_hardsigmoid(struct zf_import_node *node)
{
    char keys[96];

    snprintf(keys, sizeof keys, "alpha = %.9g\nbeta = %.9g\n", zf_node_real(node, "alpha", 0.2),
             zf_node_real(node, "beta", 0.5));
    return zf_import_unary(node, "hardsigmoid", keys);
}

/* A bound of Clip: an attribute before opset 11, an input since. */
static enum zf_status read_bound(const struct zf_import_node *node, int i, const char *name,
                                 double *bound)
{
    struct zf_value *value = NULL;
    enum zf_status status = ZF_OK;

    *bound = zf_node_real(node, name, *bound);
    if (i < node->in_count && node->in[i]) {
        ZF_TRY(zf_node_constant(node, i, &value));
        if (zf_value_count(value) != 1)
            return zf_node_fail(node, ZF_EINPUT, "its %s is not one number", name);
        *bound = zf_value_at(value, 0);
    }
    if (isnan(*bound))
        status = zf_node_fail(node, ZF_EINPUT, "its %s is not a number", name);
fail:
    return status;
}

static enum zf_status translate_clip(struct zf_import_node *node)
{
    double min = -BOUNDLESS, max = BOUNDLESS;
    struct zf_value *src = NULL;
    enum zf_status status;
    char keys[96];

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(read_bound(node, 1, "min", &min));
    ZF_TRY(read_bound(node, 2, "max", &max));
    if (min <= -BOUNDLESS && max >= BOUNDLESS)
        return zf_import_alias(node, src);
    if (min == 0 && max >= BOUNDLESS)
        return zf_import_unary(node, "relu", "");
    min = min < -BOUNDLESS ? -BOUNDLESS : min;
    max = max > BOUNDLESS ? BOUNDLESS : max;
    if (min > max)
        return zf_node_fail(node, ZF_EINPUT, "min %g is larger than max %g", min, max);
    snprintf(keys, sizeof keys, "min = %.9g\nmax = %.9g\n", min, max);
    ZF_TRY(zf_import_unary(node, "clip", keys));
fail:
    return status;
}

static enum zf_status translate_prelu(struct zf_import_node *node)
{
    struct zf_value *src = NULL, *slope = NULL;
    struct zf_import_layer *layer;
    struct zf_roles roles;
    float *slopes = NULL;
    enum zf_status status;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &slope));
    ZF_TRY(zf_import_settle(node, src, &roles));
    ZF_TRY(zf_node_per_map(node, slope, src, &roles, &slopes));
    ZF_TRY(zf_import_unary(node, "prelu", ""));
    layer = &node->import->layers[node->import->layer_count - 1];
    layer->weight = layer->owned_weight = slopes;
    layer->weight_count = layer->shape.c;
    slopes = NULL;
fail:
    zf_free(slopes);
    return status;
}

/* x * -1 */
static enum zf_status translate_neg(struct zf_import_node *node)
{
    struct zf_value *src = NULL;
    struct zf_roles roles;
    float *scale = NULL, *shift = NULL;
    enum zf_status status;
    int64_t maps;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    maps = zf_import_shape(node->import, src->layer).c;
    scale = zf_import_room(node->import, maps, sizeof *scale);
    shift = scale ? zf_alloc((size_t)maps, sizeof *shift) : NULL;
    if (!shift) {
        status = scale ? zf_node_fail(node, ZF_ENOMEM, "out of memory") : node->import->err->status;
        goto fail;
    }
    for (int64_t m = 0; m < maps; m++)
        scale[m] = -1;
    ZF_TRY(zf_import_affine(node, src, scale, shift));
fail:
    zf_free(scale);
    zf_free(shift);
    return status;
}

/* ---- BatchNormalization ---- */

enum statistic { GAMMA, BETA, MEAN, VARIANCE, STATISTICS };

static enum zf_status read_statistics(const struct zf_import_node *node, int64_t maps,
                                      const struct zf_value *statistics[STATISTICS])
{
    enum zf_status status = ZF_OK;
    struct zf_value *value = NULL;

    for (int i = 0; i < STATISTICS; i++) {
        ZF_TRY(zf_node_constant(node, i + 1, &value));
        if (value->kind != ZF_VALUE_FLOATS || zf_value_count(value) != maps)
            return zf_node_fail(node, ZF_EINPUT, "\"%.100s\" has %lld values for %lld maps",
                                node->proto->input[i + 1], (long long)zf_value_count(value),
                                (long long)maps);
        statistics[i] = value;
    }
fail:
    return status;
}

/* With its statistics frozen: a scale and a shift of each map. */
static enum zf_status translate_batchnorm(struct zf_import_node *node)
{
    const double epsilon = zf_node_real(node, "epsilon", 1e-5);
    const struct zf_value *s[STATISTICS];
    struct zf_value *src = NULL;
    struct zf_roles roles;
    float *scale = NULL, *shift = NULL;
    enum zf_status status;
    int64_t maps;

    if (zf_node_integer(node, "training_mode", 0) != 0 || zf_node_integer(node, "spatial", 1) != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "statistics of the batch; export the model in evaluation mode");
    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    if (roles.axis[0] != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "its maps are not axis 1 but %d", roles.axis[0]);
    maps = zf_import_shape(node->import, src->layer).c;
    ZF_TRY(read_statistics(node, maps, s));
    scale = zf_alloc((size_t)maps, sizeof *scale);
    shift = zf_alloc((size_t)maps, sizeof *shift);
    if (!scale || !shift) {
        status = zf_node_fail(node, ZF_ENOMEM, "out of memory");
        goto fail;
    }
    for (int64_t m = 0; m < maps; m++) {
        const double variance = zf_value_at(s[VARIANCE], m);
        const double factor = zf_value_at(s[GAMMA], m) / sqrt(variance + epsilon);

        scale[m] = (float)factor;
        shift[m] = (float)(zf_value_at(s[BETA], m) - zf_value_at(s[MEAN], m) * factor);
        if (!isfinite(scale[m]) || !isfinite(shift[m])) {
            status =
                zf_node_fail(node, ZF_EINPUT, "map %lld has variance %g", (long long)m, variance);
            goto fail;
        }
    }
    ZF_TRY(zf_import_affine(node, src, scale, shift));
fail:
    zf_free(scale);
    zf_free(shift);
    return status;
}

/* ---- Softmax ---- */

/* LogSoftmax becomes the same layer: it is what a classifier ends in, and people read
   probabilities. */
static enum zf_status translate_softmax(struct zf_import_node *node)
{
    const bool logarithm = strcmp(node->proto->op_type, "LogSoftmax") == 0;
    struct zf_value *src = NULL, made;
    struct zf_roles roles;
    struct zf_shape shape;
    enum zf_status status;
    int axis;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    shape = zf_import_shape(node->import, src->layer);
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", node->import->opset < 13 ? 1 : -1),
                        src->rank, &axis));
    if (shape.h != 1 || shape.w != 1 ||
        (node->import->opset < 13 ? axis > roles.axis[0] : axis != roles.axis[0]))
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "only over the maps of a %lldx%lldx%lld output of 1x1 cells",
                            (long long)shape.c, (long long)shape.h, (long long)shape.w);
    if (logarithm && (!node->out[0] || node->out[0] != node->import->target))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "logarithms in the middle of a net");
    made = *src;
    ZF_TRY(zf_import_add(node, NULL, "softmax", &src->layer, 1, "", &made.layer));
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

const struct zf_operator zf_operators_pointwise[] = {
    {"Relu", NULL, translate_relu},
    {"LeakyRelu", NULL, translate_leaky},
    {"PRelu", NULL, translate_prelu},
    {"Clip", NULL, translate_clip},
    {"Elu", NULL, translate_elu},
    {"Sigmoid", NULL, translate_sigmoid},
    {"Tanh", NULL, translate_tanh},
    {"HardSigmoid", NULL, translate_hardsigmoid},
    {"HardSwish", NULL, translate_hardswish},
    {"Gelu", NULL, translate_gelu},
    {"Erf", NULL, zf_pieces_erf},
    {"Neg", zf_fold_arithmetic, translate_neg},
    {"BatchNormalization", NULL, translate_batchnorm},
    {"Softmax", NULL, translate_softmax},
    {"LogSoftmax", NULL, translate_softmax},
    {NULL, NULL, NULL},
};
