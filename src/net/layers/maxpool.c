/* SPDX-License-Identifier: MIT */
/*
 * Max pooling: dst = the maximum of each window; its place is the window's *switch*.
 *
 * Down, each value goes back to its switch: the paper's unpooling, and equally the gradient. Where
 * overlapping windows share a maximum their values add up (the adjoint; the paper does not say).
 * Zeiler & Fergus 2013, section 2.1, step (i).
 */
#include "layers.h"

#include <float.h>

#include "base/status.h"

struct maxpool_params {
    struct zf_spatial_params spatial;
};

static const struct zf_option maxpool_options[] = {
    ZF_SPATIAL_OPTIONS(maxpool_params, spatial),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct maxpool_params *layer = params;

    (void)count;
    out->out.c = in[0].c;
    return zf_pooling_window(&layer->spatial, in[0], out, err);
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->maxpool_forward(e->engine, &e->window, e->src[0],
                                    e->purpose == ZF_INFER ? NULL : &e->state);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->unpool(e->engine, &e->window, e->diff_dst, e->state, e->src_dims[0]);
}

static zf_value project_box(struct zf_emit *e, const struct zf_cut *box)
{
    return e->op->unpool_box(e->engine, &e->window, box);
}

const struct zf_layer_type zf_layer_maxpool = {
    .name = "maxpool",
    .help = "max pooling",
    .params_size = sizeof(struct maxpool_params),
    .options = maxpool_options,
    .option_count = ZF_COUNT(maxpool_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .looks_back = ZF_LOOKS_ALWAYS,
    .project = project,
    .project_box = project_box,
    .largest = zf_largest_input,
    .outside = -FLT_MAX,
};
