/* SPDX-License-Identifier: MIT */
/*
 * A number as one of the levels of a quantised net: dst = round(src / step) + zero, halves to even,
 * kept within low and high. What the levels mean, (level - zero) * step, is a scale layer behind
 * it, or behind the pooling and the like that are done on levels. In float32 all of it is exact.
 *
 * Down, a signal passes as if nothing were rounded (Bengio et al. 2013, the straight-through
 * estimator), where the level is within its ends. Levels from zero up are a rectifier: so exporters
 * write one that ended in a relu, and the deconvnet rectifies the signal there. Other ends are
 * none, and the deconvnet passes them.
 */
#include "layers.h"

#include <math.h>

struct quantise_params {
    double step;
    int64_t zero, low, high;
};

#define MOST (INT64_C(1) << 31)

static const struct zf_option quantise_options[] = {
    ZF_OPTION_ROW_REAL(quantise_params, step, "", "distance of two levels", 1, 1e-30, 1e30),
    ZF_OPTION_ROW_INT(quantise_params, zero, "", "the level of 0", 0, -MOST, MOST),
    ZF_OPTION_ROW_INT(quantise_params, low, "", "lowest level", 0, -MOST, MOST),
    ZF_OPTION_ROW_INT(quantise_params, high, "", "highest level", 255, -MOST, MOST),
};

static zf_value apply(const struct zf_emit *e, zf_value value, enum zf_function_kind kind, double a,
                      double b)
{
    return e->op->function_forward(e->engine, &(struct zf_function){kind, (float)a, (float)b},
                                   value);
}

static void forward(struct zf_emit *e)
{
    const struct quantise_params *p = e->layer->params;
    zf_value level = apply(e, e->src[0], ZF_LEVEL, p->step, 0);

    if (p->zero != 0)
        level = apply(e, level, ZF_LINEAR, 1, (double)p->zero);
    e->dst = apply(e, level, ZF_CLIP, (double)p->low, (double)p->high);
}

/* The ends as they are before the levels: the rest of the layer is a line. */
static struct zf_function ends_of(const struct quantise_params *p)
{
    return (struct zf_function){ZF_CLIP, (float)((double)(p->low - p->zero) * p->step),
                                (float)((double)(p->high - p->zero) * p->step)};
}

static void backward(struct zf_emit *e)
{
    const struct quantise_params *p = e->layer->params;
    const struct zf_function ends = ends_of(p);

    e->diff_src[0] = apply(e, e->op->function_backward(e->engine, &ends, e->src[0], e->diff_dst),
                           ZF_LINEAR, 1 / p->step, 0);
}

static void project(struct zf_emit *e)
{
    const struct quantise_params *p = e->layer->params;
    const struct zf_function ends = ends_of(p);
    zf_value signal = e->diff_dst;

    if (p->low >= p->zero)
        signal = zf_rectify_signal(e, &ends);
    else if (e->rule != ZF_RULE_DECONVNET)
        signal = e->op->function_backward(e->engine, &ends, e->src[0], signal);
    e->diff_src[0] = apply(e, signal, ZF_LINEAR, 1 / p->step, 0);
}

static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    const struct quantise_params *p = layer->params;

    (void)m;
    return fmax(fabs((double)p->low), fabs((double)p->high));
}

const struct zf_layer_type zf_layer_quantise = {
    .name = "quantise",
    .help = "numbers rounded to the levels of a quantised net",
    .params_size = sizeof(struct quantise_params),
    .options = quantise_options,
    .option_count = ZF_COUNT(quantise_options),
    .infer = zf_infer_same,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_BY_MASK,
    .project = project,
    .largest = largest,
};
