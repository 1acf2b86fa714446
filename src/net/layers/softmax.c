/* SPDX-License-Identifier: MIT */
/*
 * Softmax: dst[k] = exp(src[k]) / sum of exp(src). In training it is the net's last layer, and its
 * backward is that of the cross-entropy with the labels: (dst - onehot) / images.
 */
#include "layers.h"

#include "base/status.h"

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    (void)params;
    (void)count;
    if (in[0].h != 1 || in[0].w != 1)
        return zf_fail(err, ZF_EINPUT, "a softmax needs a vector, not %lldx%lld maps",
                       (long long)in[0].h, (long long)in[0].w);
    out->out = in[0];
    out->global = true;
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->softmax_forward(e->engine, e->src[0]);
}

static void backward(struct zf_emit *e)
{
    e->diff_src[0] = e->op->cross_entropy_backward(e->engine, e->dst);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->softmax_backward(e->engine, e->dst, e->diff_dst);
}

const struct zf_layer_type zf_layer_softmax = {
    .name = "softmax",
    .help = "softmax over the classes",
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_ALWAYS,
    .project = project,
};
