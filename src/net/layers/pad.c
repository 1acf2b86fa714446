/* SPDX-License-Identifier: MIT */
/*
 * A border around the maps: of one number (zero unless said), of the map's mirror image, of its
 * outermost cells again, or of the opposite side. Down, the border's part of the signal goes to the
 * cells that it was copied from, and is dropped where it was a number.
 */
#include "layers.h"

#include <inttypes.h>
#include <math.h>

#include "base/status.h"

enum mode { NUMBER, REFLECT, EDGE, WRAP };

struct pad_params {
    struct zf_extents pad;
    int mode;
    double value;
};

static const char *const mode_choices[] = {"number", "reflect", "edge", "wrap", NULL};

static const struct zf_option pad_options[] = {
    ZF_OPTION_ROW_EXTENTS(pad_params, pad, "TxLxBxR", "width of the border", 0, 0, 4096, NULL),
    ZF_OPTION_ROW_CHOICE(pad_params, mode, "", "what the border is made of", 0, mode_choices),
    ZF_OPTION_ROW_REAL(pad_params, value, "", "the number", 0, -1e30, 1e30),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct pad_params *p = params;
    struct zf_window *w = &out->window;

    (void)count;
    zf_window_pads(&p->pad, w);
    if (p->mode == REFLECT && (w->pad_top >= in[0].h || w->pad_bottom >= in[0].h ||
                               w->pad_left >= in[0].w || w->pad_right >= in[0].w))
        return zf_fail(err, ZF_EINPUT,
                       "a border of %" PRId64 "x%" PRId64 "x%" PRId64 "x%" PRId64
                       " reflects more than %" PRId64 "x%" PRId64,
                       w->pad_top, w->pad_left, w->pad_bottom, w->pad_right, in[0].h, in[0].w);
    out->out = (struct zf_shape){in[0].c, in[0].h + w->pad_top + w->pad_bottom,
                                 in[0].w + w->pad_left + w->pad_right};
    out->uneven = p->mode != NUMBER || p->value != 0;
    return ZF_OK;
}

static const struct pad_params *params_of(const struct zf_emit *e)
{
    return e->layer->params;
}

static struct zf_dims corner_of(const struct zf_emit *e)
{
    const struct zf_window *w = &e->window;

    return (struct zf_dims){4, {0, 0, w->pad_top, w->pad_left}};
}

static struct zf_sampling sampling_of(const struct zf_emit *e, bool rows)
{
    static const enum zf_sampling_kind kinds[] = {
        [REFLECT] = ZF_SAMPLE_REFLECT, [EDGE] = ZF_SAMPLE_EDGE, [WRAP] = ZF_SAMPLE_WRAP};

    return (struct zf_sampling){.kind = kinds[params_of(e)->mode],
                                .from = e->src_dims[0].d[rows ? 2 : 3],
                                .to = rows ? e->out.h : e->out.w,
                                .before = rows ? e->window.pad_top : e->window.pad_left};
}

static zf_value shifted(const struct zf_emit *e, zf_value value, double by)
{
    return e->op->function_forward(e->engine, &(struct zf_function){ZF_LINEAR, 1, (float)by},
                                   value);
}

/* A border of a number other than 0 is one of zeros around what is less by that number. */
static void forward(struct zf_emit *e)
{
    const struct zf_dims dims = {4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}};
    const double value = params_of(e)->value;

    if (params_of(e)->mode != NUMBER) {
        const struct zf_sampling rows = sampling_of(e, true), columns = sampling_of(e, false);

        e->dst = e->op->resample(e->engine, &rows, 2, e->src[0]);
        e->dst = e->op->resample(e->engine, &columns, 3, e->dst);
        return;
    }
    e->dst = value != 0 ? shifted(e, e->src[0], -value) : e->src[0];
    e->dst = e->op->embed(e->engine, e->dst, corner_of(e), dims);
    if (value != 0)
        e->dst = shifted(e, e->dst, value);
}

static void project(struct zf_emit *e)
{
    if (params_of(e)->mode != NUMBER) {
        const struct zf_sampling rows = sampling_of(e, true), columns = sampling_of(e, false);

        e->diff_src[0] = e->op->resample_back(e->engine, &columns, 3, e->diff_dst);
        e->diff_src[0] = e->op->resample_back(e->engine, &rows, 2, e->diff_src[0]);
        return;
    }
    e->diff_src[0] = e->op->slice(e->engine, e->diff_dst, corner_of(e), e->src_dims[0]);
}

static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    const struct pad_params *p = layer->params;

    return fmax(m->in[0], fabs(p->value));
}

const struct zf_layer_type zf_layer_pad = {
    .name = "pad",
    .help = "a border around the maps",
    .params_size = sizeof(struct pad_params),
    .options = pad_options,
    .option_count = ZF_COUNT(pad_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = largest,
};
