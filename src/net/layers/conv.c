/* SPDX-License-Identifier: MIT */
/*
 * Convolution: dst[o] = bias[o] + sum over i of weight[o][i] * src[i].
 *
 * Down, the same filters transposed (flipped both ways), without the bias: step (iii) of the
 * deconvnet, and equally the gradient. Zeiler & Fergus 2013, section 2.1.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

struct conv_params {
    int64_t maps;
    struct zf_spatial_params spatial;
    int64_t groups;
    bool bias;
};

static const struct zf_option conv_options[] = {
    ZF_OPTION_ROW_INT(conv_params, maps, "N", "feature maps of the output", 0, 1, 65536),
    ZF_SPATIAL_OPTIONS(conv_params, spatial),
    ZF_OPTION_ROW_INT(conv_params, groups, "N", "equal parts that maps and inputs are split into",
                      1, 1, 65536),
    ZF_OPTION_ROW(conv_params, bias, "", "whether a number is added to each map", ZF_OPTION_FLAG, 1,
                  0, 0, NULL),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct conv_params *p = params;

    (void)count;
    ZF_CHECK(zf_spatial_window(&p->spatial, in[0], &out->window, &out->out.h, &out->out.w, err));
    if (p->maps < 1)
        return zf_fail(err, ZF_EINPUT, "a convolution needs maps = N, its number of feature maps");
    if (p->maps % p->groups != 0 || in[0].c % p->groups != 0)
        return zf_fail(err, ZF_EINPUT,
                       "%" PRId64 " groups divide neither or only one of %" PRId64
                       " inputs and %" PRId64 " maps",
                       p->groups, in[0].c, p->maps);
    out->window.groups = p->groups;
    out->out.c = p->maps;
    out->fan_in = in[0].c / p->groups * out->window.kernel_h * out->window.kernel_w;
    out->weight = (struct zf_dims){
        4, {p->maps, in[0].c / p->groups, out->window.kernel_h, out->window.kernel_w}};
    out->bias = (struct zf_dims){p->bias, {p->maps}};
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    e->dst =
        e->op->conv_forward(e->engine, &e->window, e->src[0], e->weight, e->bias, e->fuse_relu);
}

static void backward(struct zf_emit *e)
{
    const struct zf_window *window = &e->window;

    e->op->conv_backward_weights(e->engine, window, e->src[0], e->diff_dst, e->diff_weight,
                                 e->diff_bias);
    if (e->want_diff_src)
        e->diff_src[0] =
            e->op->conv_backward_data(e->engine, window, e->diff_dst, e->weight, e->src_dims[0]);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] =
        e->op->conv_backward_data(e->engine, &e->window, e->diff_dst, e->weight, e->src_dims[0]);
}

const struct zf_layer_type zf_layer_conv = {
    .name = "conv",
    .help = "convolution",
    .params_size = sizeof(struct conv_params),
    .options = conv_options,
    .option_count = ZF_COUNT(conv_options),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = zf_largest_weighted,
    .linear = true,
};
