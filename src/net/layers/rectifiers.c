/* SPDX-License-Identifier: MIT */
/*
 * Rectifiers besides relu: leaky, clip (relu6), elu, selu, silu, hardswish, gelu, softplus, mish,
 * threshold. They differ in the function and in nothing else.
 *
 * Down, the deconvnet rectifies the signal itself, whatever the shape of the rectifier; the
 * gradient multiplies by the function's derivative; guided does both. Zeiler & Fergus 2013,
 * section 2.1, step (ii).
 */
#include "layers.h"

#include <math.h>

#include "base/status.h"

struct rectifier_params {
    double a, b;
};

static const struct zf_option leaky_options[] = {
    ZF_OPTION_ROW_AS("slope", rectifier_params, a, "", "factor of negative numbers", ZF_OPTION_REAL,
                     0.01, -1e6, 1e6, NULL),
};

static const struct zf_option clip_options[] = {
    ZF_OPTION_ROW_AS("min", rectifier_params, a, "", "least value", ZF_OPTION_REAL, 0, -1e30, 1e30,
                     NULL),
    ZF_OPTION_ROW_AS("max", rectifier_params, b, "", "largest value", ZF_OPTION_REAL, 6, -1e30,
                     1e30, NULL),
};

static const struct zf_option elu_options[] = {
    ZF_OPTION_ROW_AS("alpha", rectifier_params, a, "", "depth of the negative side", ZF_OPTION_REAL,
                     1, -1e6, 1e6, NULL),
};

static const struct zf_option selu_options[] = {
    ZF_OPTION_ROW_AS("alpha", rectifier_params, a, "", "depth of the negative side", ZF_OPTION_REAL,
                     1.67326319217681884765625, -1e6, 1e6, NULL),
    ZF_OPTION_ROW_AS("gamma", rectifier_params, b, "", "factor of both sides", ZF_OPTION_REAL,
                     1.05070102214813232421875, -1e6, 1e6, NULL),
};

static const struct zf_option threshold_options[] = {
    ZF_OPTION_ROW_AS("threshold", rectifier_params, a, "", "what is not above it becomes 0",
                     ZF_OPTION_REAL, 1, -1e30, 1e30, NULL),
};

/* The types of this file in the order of their functions. */
static const struct {
    const struct zf_layer_type *type;
    enum zf_function_kind kind;
} kinds[] = {
    {&zf_layer_leaky, ZF_LEAKY},
    {&zf_layer_clip, ZF_CLIP},
    {&zf_layer_elu, ZF_ELU},
    {&zf_layer_selu, ZF_SELU},
    {&zf_layer_silu, ZF_SILU},
    {&zf_layer_hardswish, ZF_HARDSWISH},
    {&zf_layer_gelu, ZF_GELU},
    {&zf_layer_gelu_tanh, ZF_GELU_TANH},
    {&zf_layer_softplus, ZF_SOFTPLUS},
    {&zf_layer_mish, ZF_MISH},
    {&zf_layer_threshold, ZF_THRESHOLD},
};

static struct zf_function function_of(const struct zf_emit *e)
{
    const struct rectifier_params *p = e->layer->params;
    size_t i = 0;

    while (kinds[i].type != e->layer->type)
        i++;
    return (struct zf_function){kinds[i].kind, (float)p->a, (float)p->b};
}

static void forward(struct zf_emit *e)
{
    const struct zf_function function = function_of(e);

    e->dst = e->op->function_forward(e->engine, &function, e->src[0]);
}

static void backward(struct zf_emit *e)
{
    const struct zf_function function = function_of(e);

    e->diff_src[0] = e->op->function_backward(e->engine, &function, e->src[0], e->diff_dst);
}

static void project(struct zf_emit *e)
{
    const struct zf_function function = function_of(e);

    e->diff_src[0] = zf_rectify_signal(e, &function);
}

/* A clip's is among its ends; the others hardly leave what lies between their input and zero, but
   for their parameters: slopes, depths and factors. */
static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    const struct rectifier_params *p = layer->params;
    const double a = fabs(p->a), b = fabs(p->b);

    if (layer->type == &zf_layer_clip)
        return fmax(a, fmin(m->in[0], b));
    if (layer->type == &zf_layer_threshold)
        return m->in[0];
    return (m->in[0] + 1) * fmax(a, 1) * fmax(b, 1);
}

#define RECTIFIER(type_name, text, table, table_count)                                             \
    const struct zf_layer_type zf_layer_##type_name = {                                            \
        .name = #type_name,                                                                        \
        .help = text,                                                                              \
        .params_size = sizeof(struct rectifier_params),                                            \
        .options = table,                                                                          \
        .option_count = table_count,                                                               \
        .infer = zf_infer_same,                                                                    \
        .forward = forward,                                                                        \
        .backward = backward,                                                                      \
        .looks_back = ZF_LOOKS_BY_MASK,                                                            \
        .project = project,                                                                        \
        .largest = largest,                                                                        \
    }

RECTIFIER(leaky, "rectifier with a slope below zero", leaky_options, ZF_COUNT(leaky_options));
RECTIFIER(clip, "rectifier with a ceiling", clip_options, ZF_COUNT(clip_options));
RECTIFIER(elu, "exponential rectifier", elu_options, ZF_COUNT(elu_options));
RECTIFIER(silu, "x times its sigmoid (swish)", NULL, 0);
RECTIFIER(hardswish, "x times its hard sigmoid", NULL, 0);
RECTIFIER(gelu, "x times the normal distribution below it", NULL, 0);
RECTIFIER(gelu_tanh, "gelu, approximated by a hyperbolic tangent", NULL, 0);
RECTIFIER(selu, "exponential rectifier that keeps mean and variance", selu_options,
          ZF_COUNT(selu_options));
RECTIFIER(softplus, "log(1 + exp(x))", NULL, 0);
RECTIFIER(mish, "x times the tanh of its softplus", NULL, 0);
RECTIFIER(threshold, "what is above a threshold", threshold_options, ZF_COUNT(threshold_options));
