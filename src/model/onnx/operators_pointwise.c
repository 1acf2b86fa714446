/* SPDX-License-Identifier: MIT */
/* Operators cell by cell: rectifiers, other activations, and functions of one number. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "combine.h"
#include "emit.h"
#include "operators.h"

#define BOUNDLESS 1e30 /* as a clip layer has it */

/* ---- Layers without parameters ---- */

static const struct {
    const char *name, *type;
} plain[] = {
    {"Relu", "relu"},           {"Sigmoid", "sigmoid"},   {"Tanh", "tanh"},
    {"HardSwish", "hardswish"}, {"Softplus", "softplus"}, {"Mish", "mish"},
};

static enum zf_status translate_plain(struct zf_import_node *node)
{
    size_t i = 0;

    while (i + 1 < ZF_COUNT(plain) && strcmp(plain[i].name, node->proto->op_type) != 0)
        i++;
    return zf_import_unary(node, plain[i].type, NULL);
}

/* ---- Functions ---- */

static const struct {
    const char *name, *of;
} functions[] = {
    {"Abs", "abs"},   {"Exp", "exp"},     {"Log", "log"},     {"Erf", "erf"},
    {"Sin", "sin"},   {"Cos", "cos"},     {"Atan", "atan"},   {"Sign", "sign"},
    {"Ceil", "ceil"}, {"Floor", "floor"}, {"Round", "round"}, {"Softsign", "softsign"},
};

static enum zf_status translate_function(struct zf_import_node *node)
{
    size_t i = 0;

    while (i + 1 < ZF_COUNT(functions) && strcmp(functions[i].name, node->proto->op_type) != 0)
        i++;
    return zf_import_unary(
        node, "function",
        ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", functions[i].of))));
}

static enum zf_status translate_sqrt(struct zf_import_node *node)
{
    return zf_import_unary(node, "power", ZF_KEYS(ZF_KEY("exponent", 0.5)));
}

static enum zf_status translate_reciprocal(struct zf_import_node *node)
{
    return zf_import_unary(node, "power", ZF_KEYS(ZF_KEY("exponent", -1)));
}

/* ---- Rectifiers with parameters ---- */

static enum zf_status translate_gelu(struct zf_import_node *node)
{
    return zf_import_unary(
        node, zf_node_says(node, "approximate", "tanh", "none") ? "gelu_tanh" : "gelu", NULL);
}

static enum zf_status translate_leaky(struct zf_import_node *node)
{
    return zf_import_unary(node, "leaky",
                           ZF_KEYS(ZF_KEY("slope", zf_node_real(node, "alpha", 0.01))));
}

static enum zf_status translate_elu(struct zf_import_node *node)
{
    return zf_import_unary(node, "elu", ZF_KEYS(ZF_KEY("alpha", zf_node_real(node, "alpha", 1))));
}

static enum zf_status translate_selu(struct zf_import_node *node)
{
    const double alpha = zf_node_real(node, "alpha", 1.67326319217681884765625);
    const double gamma = zf_node_real(node, "gamma", 1.05070102214813232421875);

    return zf_import_unary(node, "selu", ZF_KEYS(ZF_KEY("alpha", alpha), ZF_KEY("gamma", gamma)));
}

/* max(0, x) + min(0, a (e^(x / a) - 1)): an elu of x / a, times a */
static enum zf_status translate_celu(struct zf_import_node *node)
{
    const double alpha = zf_node_real(node, "alpha", 1);
    struct zf_operand *src = NULL, made;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    if (alpha == 1)
        return zf_import_unary(node, "elu", NULL);
    if (!(fabs(alpha) > 1e-6))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "an alpha of %g", alpha);
    made = *src;
    ZF_CHECK(zf_combine_constant(
        node, ZF_PRODUCT, "over", &made,
        &(struct zf_operand){.kind = ZF_OPERAND_FLOATS, .floats = &(float){(float)(1 / alpha)}}));
    ZF_CHECK(zf_import_add(node, "elu", "elu", &made.layer, 1, NULL, &made.layer));
    return zf_import_linear(node, &made, alpha, 0);
}

static enum zf_status translate_threshold(struct zf_import_node *node)
{
    return zf_import_unary(node, "threshold",
                           ZF_KEYS(ZF_KEY("threshold", zf_node_real(node, "alpha", 1))));
}

static enum zf_status translate_hardsigmoid(struct zf_import_node *node)
{
    return zf_import_unary(node, "hardsigmoid",
                           ZF_KEYS(ZF_KEY("alpha", zf_node_real(node, "alpha", 0.2)),
                                   ZF_KEY("beta", zf_node_real(node, "beta", 0.5))));
}

/* x * sigmoid(alpha x) */
static enum zf_status translate_swish(struct zf_import_node *node)
{
    const double alpha = zf_node_real(node, "alpha", 1);
    struct zf_operand *src = NULL, gate, made;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    if (alpha == 1)
        return zf_import_unary(node, "silu", NULL);
    gate = *src;
    ZF_CHECK(zf_combine_constant(
        node, ZF_PRODUCT, "times", &gate,
        &(struct zf_operand){.kind = ZF_OPERAND_FLOATS, .floats = &(float){(float)alpha}}));
    ZF_CHECK(zf_import_add(node, "gate", "sigmoid", &gate.layer, 1, NULL, &gate.layer));
    ZF_CHECK(zf_combine_maps(node, ZF_PRODUCT, NULL, src, &gate, &made));
    return zf_import_output(node, &made);
}

/* A bound of Clip: an attribute before opset 11, an input since. */
static enum zf_status read_bound(const struct zf_import_node *node, int i, const char *name,
                                 double *bound)
{
    struct zf_operand *value = NULL;

    *bound = zf_node_real(node, name, *bound);
    if (zf_node_has(node, i)) {
        ZF_CHECK(zf_node_constant(node, i, &value));
        if (zf_operand_count(value) != 1)
            return zf_node_fail(node, ZF_EINPUT, "its %s is not one number", name);
        *bound = zf_operand_at(value, 0);
    }
    if (isnan(*bound))
        return zf_node_fail(node, ZF_EINPUT, "its %s is not a number", name);
    return ZF_OK;
}

static enum zf_status translate_clip(struct zf_import_node *node)
{
    double min = -BOUNDLESS, max = BOUNDLESS;
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(read_bound(node, 1, "min", &min));
    ZF_CHECK(read_bound(node, 2, "max", &max));
    if (min <= -BOUNDLESS && max >= BOUNDLESS)
        return zf_import_alias(node, src);
    if (min == 0 && max >= BOUNDLESS)
        return zf_import_unary(node, "relu", NULL);
    min = min < -BOUNDLESS ? -BOUNDLESS : min;
    max = max > BOUNDLESS ? BOUNDLESS : max;
    min = min > max ? max : min; /* as ONNX says: max(min) first, then min(max) */
    return zf_import_unary(node, "clip", ZF_KEYS(ZF_KEY("min", min), ZF_KEY("max", max)));
}

/* ---- PRelu ---- */

/* max(0, x) + slope * min(0, x), for slopes that differ from cell to cell */
static enum zf_status prelu_of_cells(struct zf_import_node *node, struct zf_operand *src,
                                     struct zf_operand *slope)
{
    struct zf_operand above = *src, below = *src, made;

    ZF_CHECK(zf_import_add(node, "above", "relu", &src->layer, 1, NULL, &above.layer));
    ZF_CHECK(zf_import_add(node, "below", "clip", &src->layer, 1,
                           ZF_KEYS(ZF_KEY("min", -BOUNDLESS), ZF_KEY("max", 0)), &below.layer));
    ZF_CHECK(zf_combine_constant(node, ZF_PRODUCT, "sloped", &below, slope));
    ZF_CHECK(zf_combine_maps(node, ZF_SUM, NULL, &above, &below, &made));
    return zf_import_output(node, &made);
}

static enum zf_status translate_prelu(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, *slope = NULL;
    struct zf_view view;
    float *slopes = NULL;
    enum zf_status status;
    int layer;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &slope));
    ZF_TRY(zf_import_settle(node, src, &view));
    ZF_TRY(zf_combine_per_map(node, slope, src, &view, &slopes));
    if (!slopes)
        return prelu_of_cells(node, src, slope);
    ZF_TRY(zf_import_unary(node, "prelu", NULL));
    layer = (int)node->import->layer_count - 1;
    zf_import_own(node->import, layer, slopes, zf_import_shape(node->import, layer).c, NULL, 0);
    slopes = NULL;
fail:
    zf_free(slopes);
    return status;
}

/* ---- Others ---- */

static enum zf_status translate_neg(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    return zf_import_linear(node, src, -1, 0);
}

/* x below -bias or above bias, brought nearer to zero by lambd: x - clip(x, -lambd, lambd) for both
   numbers the same; or with a bias of 0 as it is */
static enum zf_status translate_shrink(struct zf_import_node *node)
{
    const double lambda = zf_node_real(node, "lambd", 0.5), bias = zf_node_real(node, "bias", 0);
    struct zf_operand *src = NULL, clipped, made;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    if (bias != lambda || lambda < 0)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a bias of %g that is not its lambd, %g", bias,
                            lambda);
    clipped = *src;
    ZF_CHECK(zf_import_add(node, "clip", "clip", &src->layer, 1,
                           ZF_KEYS(ZF_KEY("min", -lambda), ZF_KEY("max", lambda)), &clipped.layer));
    ZF_CHECK(zf_combine_maps(node, ZF_DIFFERENCE, NULL, src, &clipped, &made));
    return zf_import_output(node, &made);
}

const struct zf_operator zf_operators_pointwise[] = {
    {"Relu", zf_fold_function, translate_plain},
    {"Sigmoid", zf_fold_function, translate_plain},
    {"Tanh", zf_fold_function, translate_plain},
    {"HardSwish", zf_fold_function, translate_plain},
    {"Softplus", zf_fold_function, translate_plain},
    {"Mish", zf_fold_function, translate_plain},
    {"Abs", zf_fold_function, translate_function},
    {"Exp", zf_fold_function, translate_function},
    {"Log", zf_fold_function, translate_function},
    {"Erf", zf_fold_function, translate_function},
    {"Sin", zf_fold_function, translate_function},
    {"Cos", zf_fold_function, translate_function},
    {"Atan", zf_fold_function, translate_function},
    {"Sign", zf_fold_function, translate_function},
    {"Ceil", zf_fold_function, translate_function},
    {"Floor", zf_fold_function, translate_function},
    {"Round", zf_fold_function, translate_function},
    {"Softsign", zf_fold_function, translate_function},
    {"Sqrt", zf_fold_function, translate_sqrt},
    {"Reciprocal", zf_fold_function, translate_reciprocal},
    {"Neg", zf_fold_function, translate_neg},
    {"LeakyRelu", zf_fold_function, translate_leaky},
    {"ThresholdedRelu", zf_fold_function, translate_threshold},
    {"Elu", zf_fold_function, translate_elu},
    {"Selu", zf_fold_function, translate_selu},
    {"Celu", zf_fold_function, translate_celu},
    {"HardSigmoid", zf_fold_function, translate_hardsigmoid},
    {"Gelu", zf_fold_function, translate_gelu},
    {"Swish", NULL, translate_swish},
    {"Shrink", NULL, translate_shrink},
    {"Clip", zf_fold_function, translate_clip},
    {"PRelu", NULL, translate_prelu},
    {NULL, NULL, NULL},
};
