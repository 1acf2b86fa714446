/* SPDX-License-Identifier: MIT */
/*
 * Dropout: in training a share `rate` of the values is zeroed and the rest scaled by
 * 1 / (1 - rate), so that nothing need be scaled at test. Outside of training it does nothing.
 */
#include "layers.h"

#include "base/status.h"

struct dropout_params {
    double rate;
};

static const struct zf_option dropout_options[] = {
    ZF_OPTION_ROW_REAL(dropout_params, rate, "", "share of values that are zeroed", 0.5, 0, 0.99),
};

static zf_value mask(const struct zf_emit *e, zf_value value)
{
    const struct dropout_params *p = e->layer->params;

    return e->op->dropout(e->engine, value, (float)p->rate, (uint64_t)e->index);
}

static void forward(struct zf_emit *e)
{
    e->dst = e->purpose == ZF_TRAIN ? mask(e, e->src[0]) : e->src[0];
}

static void backward(struct zf_emit *e)
{
    e->diff_src[0] = mask(e, e->diff_dst);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->diff_dst;
}

const struct zf_layer_type zf_layer_dropout = {
    .name = "dropout",
    .help = "dropout, in training only",
    .params_size = sizeof(struct dropout_params),
    .options = dropout_options,
    .option_count = ZF_COUNT(dropout_options),
    .infer = zf_infer_same,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = zf_largest_input,
};
