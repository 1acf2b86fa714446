/* SPDX-License-Identifier: MIT */
/*
 * Functions of one number that rectify nothing: `power`, x to an exponent (the root is 0.5, the
 * reciprocal -1), and `function`, one of a list. Under every rule a signal goes down through their
 * derivative. Where a function jumps, is flat, or is infinitely steep (a root or a logarithm at
 * zero, as of the length of a cell without any activation), nothing does.
 */
#include "layers.h"

#include <math.h>

#include "base/status.h"

#define LARGEST_LOGARITHM 104

struct function_params {
    int of;
    double exponent;
};

static const char *const of_choices[] = {"abs",   "exp",      "log",  "erf",   "sin",
                                         "cos",   "atan",     "sign", "floor", "ceil",
                                         "round", "softsign", NULL};
static const enum zf_function_kind kinds[] = {
    ZF_ABS,  ZF_EXP,  ZF_LOG,   ZF_ERF,  ZF_SIN,   ZF_COS,
    ZF_ATAN, ZF_SIGN, ZF_FLOOR, ZF_CEIL, ZF_ROUND, ZF_SOFTSIGN,
};

static const struct zf_option function_options[] = {
    ZF_OPTION_ROW_CHOICE(function_params, of, "", "which function", 0, of_choices),
};

static const struct zf_option power_options[] = {
    ZF_OPTION_ROW_REAL(function_params, exponent, "", "the power that numbers are raised to", 1,
                       -1e6, 1e6),
};

static struct zf_function function_of(const struct zf_layer *layer)
{
    const struct function_params *p = layer->params;

    if (layer->type == &zf_layer_power)
        return (struct zf_function){ZF_POWER, (float)p->exponent, 0};
    return (struct zf_function){kinds[p->of], 0, 0};
}

bool zf_layer_is_logarithm(const struct zf_layer *layer)
{
    const struct function_params *p = layer->params;

    return layer->type == &zf_layer_function && kinds[p->of] == ZF_LOG;
}

static void forward(struct zf_emit *e)
{
    const struct zf_function function = function_of(e->layer);

    e->dst = e->op->function_forward(e->engine, &function, e->src[0]);
}

static void project(struct zf_emit *e)
{
    const struct zf_function function = function_of(e->layer);

    e->diff_src[0] = e->op->function_backward(e->engine, &function, e->src[0], e->diff_dst);
}

/* Of powers and exp nothing is known beforehand. The others end where the logarithm does: at that
   of the smallest float, since that of zero is infinite and means it. */
static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    const enum zf_function_kind kind = function_of(layer).kind;

    if (kind == ZF_POWER || kind == ZF_EXP)
        return NAN;
    if (kind == ZF_ABS || kind == ZF_FLOOR || kind == ZF_CEIL || kind == ZF_ROUND)
        return m->in[0] + 1;
    return LARGEST_LOGARITHM;
}

#define FUNCTION(type_name, text)                                                                  \
    const struct zf_layer_type zf_layer_##type_name = {                                            \
        .name = #type_name,                                                                        \
        .help = text,                                                                              \
        .params_size = sizeof(struct function_params),                                             \
        .options = type_name##_options,                                                            \
        .option_count = ZF_COUNT(type_name##_options),                                             \
        .infer = zf_infer_same,                                                                    \
        .forward = forward,                                                                        \
        .backward = project,                                                                       \
        .looks_back = ZF_LOOKS_ALWAYS,                                                             \
        .project = project,                                                                        \
        .largest = largest,                                                                        \
    }

FUNCTION(function, "a function of each number");
FUNCTION(power, "each number to a power");
