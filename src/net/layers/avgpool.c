/* SPDX-License-Identifier: MIT */
/*
 * Average pooling: dst = the mean of each window. Down, each cell of the window takes its share.
 */
#include "layers.h"

#include "base/status.h"

struct avgpool_params {
    struct zf_spatial_params spatial;
    int count; /* 0 inside, 1 window */
};

static const char *const count_choices[] = {"inside", "window", NULL};

static const struct zf_option avgpool_options[] = {
    ZF_SPATIAL_OPTIONS(avgpool_params, spatial),
    ZF_OPTION_ROW_CHOICE(avgpool_params, count, "",
                         "what a sum is divided by: cells inside the map, or all of the window's",
                         0, count_choices),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct avgpool_params *p = params;
    const struct zf_window *w = &out->window;

    (void)count;
    ZF_CHECK(zf_pooling_window(&p->spatial, in[0], out, err));
    if (w->dilate_h > 0 || w->dilate_w > 0)
        return zf_fail(err, ZF_EINPUT, "average pooling takes no dilation");
    if (p->count == 1 && p->spatial.round == 1 &&
        (w->pad_bottom > w->pad_top || w->pad_right > w->pad_left))
        return zf_fail(err, ZF_EINPUT,
                       "a window that overhangs by rounding up cannot count its padding; put a pad "
                       "layer before it");
    out->out.c = in[0].c;
    out->uneven = p->count == 0 && (w->pad_top || w->pad_left || w->pad_bottom || w->pad_right);
    return ZF_OK;
}

static bool inside(const struct zf_emit *e)
{
    const struct avgpool_params *p = e->layer->params;

    return p->count == 0;
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->avgpool_forward(e->engine, &e->window, e->src[0], inside(e));
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] =
        e->op->avgpool_backward(e->engine, &e->window, e->diff_dst, inside(e), e->src_dims[0]);
}

const struct zf_layer_type zf_layer_avgpool = {
    .name = "avgpool",
    .help = "average pooling",
    .params_size = sizeof(struct avgpool_params),
    .options = avgpool_options,
    .option_count = ZF_COUNT(avgpool_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
