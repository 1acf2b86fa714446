/* SPDX-License-Identifier: MIT */
/*
 * Rectifier: dst = max(0, src).
 *
 * This is the only layer in which the three rules of projection differ. The deconvnet rectifies
 * the signal on its way down; the gradient masks it by where the forward pass was positive; guided
 * backpropagation does both. Zeiler & Fergus 2013, section 2.1, step (ii).
 */
#include "layers.h"

static const enum zf_rectify rectify_by_rule[] = {
    [ZF_RULE_DECONVNET] = ZF_RECTIFY_SIGNAL,
    [ZF_RULE_GRADIENT] = ZF_RECTIFY_MASK,
    [ZF_RULE_GUIDED] = ZF_RECTIFY_BOTH,
};

static void forward(struct zf_emit *e)
{
    e->dst = e->fused ? e->src[0] : e->op->relu_forward(e->engine, e->src[0]);
}

static void backward(struct zf_emit *e)
{
    e->diff_src[0] = e->op->rectify(e->engine, ZF_RECTIFY_MASK, e->diff_dst, e->dst);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->rectify(e->engine, rectify_by_rule[e->rule], e->diff_dst, e->dst);
}

const struct zf_layer_type zf_layer_relu = {
    .name = "relu",
    .help = "rectifier",
    .infer = zf_infer_same,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_BY_MASK,
    .project = project,
    .largest = zf_largest_input,
};
