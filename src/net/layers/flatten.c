/* SPDX-License-Identifier: MIT */
/*
 * All numbers of an image as one vector, in the order c, h, w. Down, back to their places.
 */
#include "layers.h"

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    (void)params;
    (void)count;
    (void)err;
    out->out = (struct zf_shape){in[0].c * in[0].h * in[0].w, 1, 1};
    out->global = in[0].h != 1 || in[0].w != 1;
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    const struct zf_dims d = e->src_dims[0];

    e->dst = e->op->reshape(e->engine, e->src[0],
                            (struct zf_dims){4, {d.d[0], d.d[1] * d.d[2] * d.d[3], 1, 1}});
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->reshape(e->engine, e->diff_dst, e->src_dims[0]);
}

const struct zf_layer_type zf_layer_flatten = {
    .name = "flatten",
    .help = "all numbers as one vector",
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
