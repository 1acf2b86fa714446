/* SPDX-License-Identifier: MIT */
/* Functions of one number with their derivatives, and the scale of a map. */
#include "reference.h"

#include <math.h>

#include "engine/curve.h"

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double clipped(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double value_at(const struct zf_function *f, double x)
{
    const double a = (double)f->a, b = (double)f->b;

    if (zf_curve_is(f->kind))
        return zf_curve_value(f, x);
    switch ((int)f->kind) {
    case ZF_LEAKY:
        return x > 0 ? x : a * x;
    case ZF_CLIP:
        return clipped(x, a, b);
    case ZF_ELU:
        return x > 0 ? x : a * expm1(x);
    case ZF_SIGMOID:
        return sigmoid(x);
    case ZF_TANH:
        return tanh(x);
    case ZF_HARDSIGMOID:
        return clipped(a * x + b, 0, 1);
    case ZF_HARDSWISH:
        return x * clipped(x / 6 + 0.5, 0, 1);
    case ZF_SILU:
        return x * sigmoid(x);
    case ZF_GELU:
        return 0.5 * x * (1 + erf(x * sqrt(0.5)));
    case ZF_LINEAR:
        return a * x + b;
    }
    return NAN;
}

/* At a kink the derivative from below, as for the rectifier. */
static double slope_at(const struct zf_function *f, double x)
{
    static const double pi = 3.14159265358979323846;
    const double a = (double)f->a, b = (double)f->b, s = sigmoid(x);

    if (zf_curve_is(f->kind))
        return zf_curve_slope(f, x);
    switch ((int)f->kind) {
    case ZF_LEAKY:
        return x > 0 ? 1 : a;
    case ZF_CLIP:
        return x > a && x < b ? 1 : 0;
    case ZF_ELU:
        return x > 0 ? 1 : a * exp(x);
    case ZF_SIGMOID:
        return s * (1 - s);
    case ZF_TANH:
        return 1 - tanh(x) * tanh(x);
    case ZF_HARDSIGMOID:
        return a * x + b > 0 && a * x + b < 1 ? a : 0;
    case ZF_HARDSWISH:
        return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;
    case ZF_SILU:
        return s * (1 + x * (1 - s));
    case ZF_GELU:
        return 0.5 * (1 + erf(x * sqrt(0.5))) + x * exp(-x * x / 2) / sqrt(2 * pi);
    case ZF_LINEAR:
        return a;
    }
    return NAN;
}

/* src -> dst */
static void run_function(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        dst[i] = value_at(op->parameters, src[i]);
}

zf_value zf_ref_function_forward(struct zf_engine *e, const struct zf_function *function,
                                 zf_value src)
{
    struct zf_ref_op op = zf_ref_op_of(run_function);

    op.src = src;
    op.dst = zf_ref_value(e, zf_ref_dims(e, src));
    zf_ref_emit_with(e, op, function, sizeof *function);
    return op.dst;
}

/* src, other = diff_dst -> dst = diff_src */
static void run_function_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                  const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    double *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        diff_src[i] = diff_dst[i] * slope_at(op->parameters, src[i]);
}

zf_value zf_ref_function_backward(struct zf_engine *e, const struct zf_function *function,
                                  zf_value src, zf_value diff_dst)
{
    struct zf_ref_op op = zf_ref_op_of(run_function_backward);

    op.src = src;
    op.other = diff_dst;
    op.dst = zf_ref_value(e, zf_ref_dims(e, src));
    zf_ref_emit_with(e, op, function, sizeof *function);
    return op.dst;
}

/* src, weight, bias -> dst */
static void run_scale(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3], count = zf_ref_count(dims);
    const double *src = zf_ref_data(e, op->src);
    const float *weight = zf_ref_host(e, op->weight), *bias = zf_ref_host(e, op->bias);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i / cells % dims.d[1];

        dst[i] = (weight ? (double)weight[c] : 1.0) * src[i] + (bias ? (double)bias[c] : 0.0);
    }
}

zf_value zf_ref_scale_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_scale);

    op.src = src;
    op.weight = weight;
    op.bias = bias;
    op.dst = zf_ref_value(e, zf_ref_dims(e, src));
    zf_ref_emit(e, op);
    return op.dst;
}

/* src, other = diff_dst -> weight, bias */
static void run_scale_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                       const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3];
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    float *diff_weight = zf_ref_host(e, op->weight), *diff_bias = zf_ref_host(e, op->bias);

    (void)run;
    for (int64_t c = 0; c < dims.d[1]; c++) {
        double weight = 0.0, bias = 0.0;

        for (int64_t n = 0; n < dims.d[0]; n++) {
            const int64_t map = (n * dims.d[1] + c) * cells;

            for (int64_t p = map; p < map + cells; p++) {
                weight += src[p] * diff_dst[p];
                bias += diff_dst[p];
            }
        }
        if (diff_weight)
            diff_weight[c] = (float)weight;
        if (diff_bias)
            diff_bias[c] = (float)bias;
    }
}

void zf_ref_scale_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_scale_backward_weights);

    op.src = src;
    op.other = diff_dst;
    op.weight = diff_weight;
    op.bias = diff_bias;
    zf_ref_emit(e, op);
}
