/* SPDX-License-Identifier: MIT */
/*
 * Scale of a map: dst = weight[c] * src + bias[c]. A batch normalisation whose statistics are
 * fixed is one. Down, the signal times the weight.
 */
#include "layers.h"

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    out->weight = out->bias = (struct zf_dims){1, {in[0].c}};
    out->start = 1;
    return zf_infer_same(params, in, count, out, err);
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->scale_forward(e->engine, e->src[0], e->weight, e->bias);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->scale_forward(e->engine, e->diff_dst, e->weight, ZF_NO_VALUE);
}

static void backward(struct zf_emit *e)
{
    e->op->scale_backward_weights(e->engine, e->src[0], e->diff_dst, e->diff_weight, e->diff_bias);
    if (e->want_diff_src)
        project(e);
}

const struct zf_layer_type zf_layer_scale = {
    .name = "scale",
    .help = "each map times a number plus a number",
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = zf_largest_weighted,
};
