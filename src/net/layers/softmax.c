/* SPDX-License-Identifier: MIT */
/*
 * Softmax over the maps of each cell: dst[k] = exp(src[k]) / sum of exp(src). In training it is the
 * net's last layer, of one cell, and its backward is that of the cross-entropy with the labels:
 * (dst - onehot) / images.
 */
#include "layers.h"

static void forward(struct zf_emit *e)
{
    e->dst = e->op->softmax_forward(e->engine, e->src[0]);
}

/* In a net's middle, or over several cells, the derivative. */
static void backward(struct zf_emit *e)
{
    if (e->diff_dst != ZF_NO_VALUE) {
        e->diff_src[0] = e->op->softmax_backward(e->engine, e->dst, e->diff_dst);
        return;
    }
    e->diff_src[0] = e->op->cross_entropy_backward(e->engine, e->dst);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->softmax_backward(e->engine, e->dst, e->diff_dst);
}

const struct zf_layer_type zf_layer_softmax = {
    .name = "softmax",
    .help = "softmax over the maps of each cell",
    .infer = zf_infer_same,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_ALWAYS,
    .project = project,
    .largest = zf_largest_one,
};
