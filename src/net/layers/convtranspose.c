/* SPDX-License-Identifier: MIT */
/*
 * Transposed convolution: each number of the source puts a multiple of the filters onto the larger
 * result, `stride` cells from the next. What a convolution of these filters does on the way down,
 * done on the way up; so its own way down is that convolution, and its filters are held as such a
 * convolution's: [maps of the source, maps / groups, kernel].
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

struct convtranspose_params {
    int64_t maps;
    struct zf_extents kernel, stride, pad, dilation, more;
    int64_t groups;
    bool bias;
};

static const struct zf_option convtranspose_options[] = {
    ZF_OPTION_ROW_INT(convtranspose_params, maps, "N", "feature maps of the output", 0, 1, 65536),
    ZF_OPTION_ROW_EXTENTS(convtranspose_params, kernel, "HxW", "the window", 0, 1, 4096, NULL),
    ZF_OPTION_ROW_EXTENTS(convtranspose_params, stride, "HxW",
                          "cells of the result for each of the source", 1, 1, 4096, NULL),
    ZF_OPTION_ROW_EXTENTS(convtranspose_params, pad, "TxLxBxR", "cells that are cut off the result",
                          0, 0, 4096, NULL),
    ZF_OPTION_ROW_EXTENTS(convtranspose_params, dilation, "HxW", "distance of the window's cells",
                          1, 1, 4096, NULL),
    ZF_OPTION_ROW_EXTENTS(convtranspose_params, more, "HxW",
                          "rows and columns behind the last window, less than a stride", 0, 0, 4096,
                          NULL),
    ZF_OPTION_ROW_INT(convtranspose_params, groups, "N",
                      "equal parts that maps and inputs are split into", 1, 1, 65536),
    ZF_OPTION_ROW(convtranspose_params, bias, "", "whether a number is added to each map",
                  ZF_OPTION_FLAG, 1, 0, 0, NULL),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct convtranspose_params *p = params;
    struct zf_window *w = &out->window;
    int64_t more_h, more_w;

    (void)count;
    if (!zf_extents_pair(&p->kernel, &w->kernel_h, &w->kernel_w) || w->kernel_h < 1 ||
        !zf_extents_pair(&p->stride, &w->stride_h, &w->stride_w) ||
        !zf_extents_pair(&p->dilation, &w->dilate_h, &w->dilate_w) ||
        !zf_extents_pair(&p->more, &more_h, &more_w))
        return zf_fail(err, ZF_EINPUT, "needs kernel = N; all but pad take one number or HxW");
    if (p->maps < 1 || p->maps % p->groups != 0 || in[0].c % p->groups != 0)
        return zf_fail(err, ZF_EINPUT,
                       "%" PRId64 " groups do not divide both %" PRId64 " inputs and %" PRId64
                       " maps",
                       p->groups, in[0].c, p->maps);
    w->dilate_h--;
    w->dilate_w--;
    w->groups = p->groups;
    zf_window_pads(&p->pad, w);
    if (more_h >= w->stride_h || more_w >= w->stride_w)
        return zf_fail(err, ZF_EINPUT,
                       "%" PRId64 "x%" PRId64 " more cells are a stride of %" PRId64 "x%" PRId64
                       " or over",
                       more_h, more_w, w->stride_h, w->stride_w);
    out->out =
        (struct zf_shape){p->maps,
                          (in[0].h - 1) * w->stride_h + zf_window_reach(w->kernel_h, w->dilate_h) +
                              more_h - w->pad_top - w->pad_bottom,
                          (in[0].w - 1) * w->stride_w + zf_window_reach(w->kernel_w, w->dilate_w) +
                              more_w - w->pad_left - w->pad_right};
    if (out->out.h < 1 || out->out.w < 1)
        return zf_fail(err, ZF_EINPUT,
                       "pads of %" PRId64 "x%" PRId64 " leave nothing of the result", w->pad_top,
                       w->pad_left);
    out->transposed = true;
    out->fan_in = in[0].c / p->groups * w->kernel_h * w->kernel_w;
    out->weight = (struct zf_dims){4, {in[0].c, p->maps / p->groups, w->kernel_h, w->kernel_w}};
    out->bias = (struct zf_dims){p->bias, {p->maps}};
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    const struct zf_dims dims = {4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}};

    e->dst = e->op->conv_backward_data(e->engine, &e->window, e->src[0], e->weight, dims);
    if (e->bias != ZF_NO_VALUE)
        e->dst = e->op->scale_forward(e->engine, e->dst, ZF_NO_VALUE, e->bias);
    if (e->fuse_relu)
        e->dst = e->op->relu_forward(e->engine, e->dst);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] =
        e->op->conv_forward(e->engine, &e->window, e->diff_dst, e->weight, ZF_NO_VALUE, false);
}

static void backward(struct zf_emit *e)
{
    e->op->conv_backward_weights(e->engine, &e->window, e->diff_dst, e->src[0], e->diff_weight,
                                 ZF_NO_VALUE);
    if (e->diff_bias != ZF_NO_VALUE)
        e->op->scale_backward_weights(e->engine, e->diff_dst, e->diff_dst, ZF_NO_VALUE,
                                      e->diff_bias);
    if (e->want_diff_src)
        project(e);
}

/* A row of weights is what one number of the source puts on the result. */
static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    return m->in[0] * m->weight * (double)layer->inferred.weight.d[0] + m->bias;
}

const struct zf_layer_type zf_layer_convtranspose = {
    .name = "convtranspose",
    .help = "transposed convolution: maps made larger by filters",
    .params_size = sizeof(struct convtranspose_params),
    .options = convtranspose_options,
    .option_count = ZF_COUNT(convtranspose_options),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .project = project,
    .largest = largest,
};
