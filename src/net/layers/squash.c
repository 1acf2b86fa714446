/* SPDX-License-Identifier: MIT */
/*
 * Squashing functions: sigmoid, hardsigmoid, tanh. They rectify nothing, so under every rule a
 * signal goes down through their derivative.
 */
#include "layers.h"

#include "base/status.h"

struct squash_params {
    double a, b;
};

static const struct zf_option hardsigmoid_options[] = {
    ZF_OPTION_ROW_AS("alpha", squash_params, a, "", "slope", ZF_OPTION_REAL, 0.2, -1e6, 1e6, NULL),
    ZF_OPTION_ROW_AS("beta", squash_params, b, "", "value at zero", ZF_OPTION_REAL, 0.5, -1e6, 1e6,
                     NULL),
};

static struct zf_function function_of(const struct zf_emit *e)
{
    const struct squash_params *p = e->layer->params;
    const enum zf_function_kind kind = e->layer->type == &zf_layer_sigmoid ? ZF_SIGMOID
                                       : e->layer->type == &zf_layer_tanh  ? ZF_TANH
                                                                           : ZF_HARDSIGMOID;

    return (struct zf_function){kind, (float)p->a, (float)p->b};
}

static void forward(struct zf_emit *e)
{
    const struct zf_function function = function_of(e);

    e->dst = e->op->function_forward(e->engine, &function, e->src[0]);
}

static void project(struct zf_emit *e)
{
    const struct zf_function function = function_of(e);

    e->diff_src[0] = e->op->function_backward(e->engine, &function, e->src[0], e->diff_dst);
}

#define SQUASH(type_name, text, table, table_count)                                                \
    const struct zf_layer_type zf_layer_##type_name = {                                            \
        .name = #type_name,                                                                        \
        .help = text,                                                                              \
        .params_size = sizeof(struct squash_params),                                               \
        .options = table,                                                                          \
        .option_count = table_count,                                                               \
        .infer = zf_infer_same,                                                                    \
        .forward = forward,                                                                        \
        .backward = project,                                                                       \
        .looks_back = ZF_LOOKS_ALWAYS,                                                             \
        .project = project,                                                                        \
        .largest = zf_largest_one,                                                                 \
    }

SQUASH(sigmoid, "1 / (1 + exp(-x))", NULL, 0);
SQUASH(hardsigmoid, "a line clipped to 0..1", hardsigmoid_options, ZF_COUNT(hardsigmoid_options));
SQUASH(tanh, "hyperbolic tangent", NULL, 0);
