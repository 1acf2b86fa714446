/* SPDX-License-Identifier: MIT */
/*
 * Rectifier with a learned slope: dst = max(0, src) + weight[c] * min(0, src). He et al. 2015.
 *
 * Down as the other rectifiers: the deconvnet rectifies the signal, the gradient takes the slope of
 * the side that src was on, guided does both.
 */
#include "layers.h"

#define FIRST_SLOPE 0.25 /* He et al. 2015 */

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    out->weight = (struct zf_dims){1, {in[0].c}};
    out->start = FIRST_SLOPE;
    return zf_infer_same(params, in, count, out, err);
}

static void forward(struct zf_emit *e)
{
    const zf_value positive = e->op->relu_forward(e->engine, e->src[0]);
    const zf_value negative = e->op->combine(e->engine, ZF_DIFFERENCE, e->src[0], positive);

    e->dst = e->op->combine(e->engine, ZF_SUM, positive,
                            e->op->scale_forward(e->engine, negative, e->weight, ZF_NO_VALUE));
    e->state = positive;
}

/* The signal where src > 0, and weight times the signal elsewhere. */
static zf_value sloped(const struct zf_emit *e, zf_value signal)
{
    const zf_value copy = e->op->copy(e->engine, signal);
    const zf_value above = e->op->rectify(e->engine, ZF_RECTIFY_MASK, copy, e->state);
    const zf_value below = e->op->combine(e->engine, ZF_DIFFERENCE, signal, above);

    return e->op->combine(e->engine, ZF_SUM, above,
                          e->op->scale_forward(e->engine, below, e->weight, ZF_NO_VALUE));
}

static void backward(struct zf_emit *e)
{
    const zf_value negative = e->op->combine(e->engine, ZF_DIFFERENCE, e->src[0], e->state);

    e->op->scale_backward_weights(e->engine, negative, e->diff_dst, e->diff_weight, ZF_NO_VALUE);
    if (e->want_diff_src)
        e->diff_src[0] = sloped(e, e->diff_dst);
}

static void project(struct zf_emit *e)
{
    zf_value signal = e->diff_dst;

    if (e->rule != ZF_RULE_DECONVNET)
        signal = sloped(e, signal);
    if (e->rule != ZF_RULE_GRADIENT)
        signal = e->op->rectify(e->engine, ZF_RECTIFY_SIGNAL, signal, ZF_NO_VALUE);
    e->diff_src[0] = signal;
}

static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    (void)layer;
    return m->in[0] * (m->weight > 1 ? m->weight : 1);
}

const struct zf_layer_type zf_layer_prelu = {
    .name = "prelu",
    .help = "rectifier with a learned slope",
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_BY_MASK,
    .project = project,
    .largest = largest,
};
