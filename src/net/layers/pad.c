/* SPDX-License-Identifier: MIT */
/*
 * A border of zeros. Down, the border's part of the signal is dropped.
 */
#include "layers.h"

#include "base/status.h"

struct pad_params {
    struct zf_extents pad;
};

static const struct zf_option pad_options[] = {
    {"pad", "TxLxBxR", "width of the border", ZF_OPTION_EXTENTS, offsetof(struct pad_params, pad),
     0, 0, 4096, NULL},
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct pad_params *p = params;
    struct zf_window *w = &out->window;

    (void)count;
    (void)err;
    zf_window_pads(&p->pad, w);
    out->out = (struct zf_shape){in[0].c, in[0].h + w->pad_top + w->pad_bottom,
                                 in[0].w + w->pad_left + w->pad_right};
    return ZF_OK;
}

static struct zf_dims corner_of(const struct zf_emit *e)
{
    const struct zf_window *w = &e->window;

    return (struct zf_dims){4, {0, 0, w->pad_top, w->pad_left}};
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->embed(e->engine, e->src[0], corner_of(e),
                          (struct zf_dims){4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}});
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->slice(e->engine, e->diff_dst, corner_of(e), e->src_dims[0]);
}

const struct zf_layer_type zf_layer_pad = {
    .name = "pad",
    .help = "a border of zeros",
    .params_size = sizeof(struct pad_params),
    .options = pad_options,
    .option_count = ZF_COUNT(pad_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
};
