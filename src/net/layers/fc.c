/* SPDX-License-Identifier: MIT */
/*
 * Fully connected: dst = weight * src + bias, src taken as one vector (c, h, w in that order).
 * Down, the transposed matrix.
 */
#include "layers.h"

#include "base/status.h"

struct fc_params {
    int64_t maps;
    bool bias;
};

static const struct zf_option fc_options[] = {
    ZF_OPTION_ROW_INT(fc_params, maps, "N", "outputs, or 'classes'", 0, 1, 1 << 20),
    ZF_OPTION_ROW(fc_params, bias, "", "whether a number is added to each output", ZF_OPTION_FLAG,
                  1, 0, 0, NULL),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct fc_params *p = params;

    (void)count;
    if (p->maps < 1)
        return zf_fail(err, ZF_EINPUT, "a fully connected layer needs maps = N, its outputs");
    out->out = (struct zf_shape){p->maps, 1, 1};
    out->global = true;
    out->fan_in = in[0].c * in[0].h * in[0].w;
    out->weight = (struct zf_dims){2, {p->maps, out->fan_in}};
    out->bias = (struct zf_dims){p->bias, {p->maps}};
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->fc_forward(e->engine, e->src[0], e->weight, e->bias, e->fuse_relu);
}

static void backward(struct zf_emit *e)
{
    e->op->fc_backward_weights(e->engine, e->src[0], e->diff_dst, e->diff_weight, e->diff_bias);
    if (e->want_diff_src)
        e->diff_src[0] = e->op->fc_backward_data(e->engine, e->diff_dst, e->weight, e->src_dims[0]);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->fc_backward_data(e->engine, e->diff_dst, e->weight, e->src_dims[0]);
}

const struct zf_layer_type zf_layer_fc = {
    .name = "fc",
    .help = "fully connected",
    .params_size = sizeof(struct fc_params),
    .options = fc_options,
    .option_count = ZF_COUNT(fc_options),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = zf_largest_weighted,
};
