/* SPDX-License-Identifier: MIT */
/*
 * Maps made larger or smaller: by the nearest cell, linearly, or by cubic convolution (Keys 1981),
 * rows and columns one after the other; antialiased, a kernel is as wide as what a cell of the
 * result stands for. ONNX's Resize has all of the options, under these words.
 *
 * Down, each cell of the signal goes to the cells that it was made of, by the same weights: the
 * transposed matrix.
 */
#include "layers.h"

#include "base/status.h"

struct resize_params {
    int64_t height, width;
    int mode, place, rounding;
    double scale_h, scale_w, cubic;
    bool inside, antialias;
    double top, left, bottom, right;
};

static const char *const mode_choices[] = {"nearest", "linear", "cubic", NULL};
static const char *const place_choices[] = {
    "half_pixel",           "asymmetric",           "align_corners",      "pytorch_half_pixel",
    "half_pixel_symmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
static const char *const rounding_choices[] = {"prefer_floor", "prefer_ceil", "floor",
                                               "ceil",         "simple",      NULL};

static const struct zf_option resize_options[] = {
    ZF_OPTION_ROW_INT(resize_params, height, "cells", "rows of the result", 0, 1, 65536),
    ZF_OPTION_ROW_INT(resize_params, width, "cells", "its columns", 0, 1, 65536),
    ZF_OPTION_ROW_CHOICE(resize_params, mode, "", "what a cell is made of", 1, mode_choices),
    ZF_OPTION_ROW_CHOICE(resize_params, place, "", "where in the source a cell of the result lies",
                         0, place_choices),
    ZF_OPTION_ROW_CHOICE(resize_params, rounding, "", "which cell is the nearest", 0,
                         rounding_choices),
    ZF_OPTION_ROW_REAL(resize_params, scale_h, "",
                       "rows for each of the source; 0 = as the extents say", 0, 0, 1e6),
    ZF_OPTION_ROW_REAL(resize_params, scale_w, "", "columns, likewise", 0, 0, 1e6),
    ZF_OPTION_ROW_REAL(resize_params, cubic, "", "Keys' a", -0.75, -10, 10),
    ZF_OPTION_ROW_FLAG(resize_params, inside,
                       "cubic: cells outside are left out, not the border's again"),
    ZF_OPTION_ROW_FLAG(resize_params, antialias,
                       "linear, cubic: what shrinks is smoothed, so that all cells have a part"),
    ZF_OPTION_ROW_REAL(resize_params, top, "",
                       "tf_crop_and_resize: what is resized, as parts of the source", 0, -1e6, 1e6),
    ZF_OPTION_ROW_REAL(resize_params, left, "", "likewise", 0, -1e6, 1e6),
    ZF_OPTION_ROW_REAL(resize_params, bottom, "", "likewise", 1, -1e6, 1e6),
    ZF_OPTION_ROW_REAL(resize_params, right, "", "likewise", 1, -1e6, 1e6),
};

static float scale_of(double said, int64_t from, int64_t to)
{
    return said > 0 ? (float)said : (float)to / (float)from;
}

static struct zf_sampling sampling_of(const struct resize_params *p, bool rows, int64_t from)
{
    const int64_t to = rows ? p->height : p->width;

    return (struct zf_sampling){
        .kind = (enum zf_sampling_kind)p->mode,
        .from = from,
        .to = to,
        .place = (enum zf_sampling_place)p->place,
        .rounding = (enum zf_sampling_rounding)p->rounding,
        .scale = scale_of(rows ? p->scale_h : p->scale_w, from, to),
        .cubic = (float)p->cubic,
        .inside = p->inside,
        .antialias = p->antialias,
        .begin = (float)(rows ? p->top : p->left),
        .end = (float)(rows ? p->bottom : p->right),
    };
}

/*
 * The window along one side, where the extents are multiples of one another: on the grid of the
 * finer of both, the cells that the result's can reach. False where they are not.
 */
static bool find_window(const struct zf_sampling *s, bool grows, int64_t *kernel, int64_t *stride,
                        int64_t *before, int64_t *behind)
{
    const int64_t grow = grows ? s->to / s->from : 1, shrink = grows ? 1 : s->from / s->to;
    int64_t low = INT64_MAX, high = INT64_MIN;

    if (s->from * grow != s->to * shrink)
        return false;
    for (int64_t i = 0; i < s->to; i++) {
        for (int64_t part = 0; part < zf_sampling_parts(s); part++) {
            struct zf_taps taps;

            zf_sampling_taps(s, i, part, &taps);
            for (int k = 0; k < taps.count; k++) {
                const int64_t away = taps.index[k] * grow - i * shrink;

                low = away < low ? away : low;
                high = away > high ? away : high;
            }
        }
    }
    if (low > high)
        return false;
    low = low > 0 ? 0 : low;
    high = high < 0 ? 0 : high;
    *kernel = high - low + 1;
    *stride = grow * shrink;
    *before = -low;
    *behind = high;
    return true;
}

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct resize_params *p = params;
    struct zf_window *w = &out->window;
    struct zf_sampling rows, columns;
    bool grows;

    (void)count;
    if (p->height < 1 || p->width < 1)
        return zf_fail(err, ZF_EINPUT, "a resized map needs height and width");
    rows = sampling_of(p, true, in[0].h);
    columns = sampling_of(p, false, in[0].w);
    out->out = (struct zf_shape){in[0].c, p->height, p->width};
    grows = p->height >= in[0].h;
    out->uneven = true; /* its borders are not as if zeros were outside */
    out->global =
        grows != (p->width >= in[0].w) || p->place == ZF_PLACE_CROP ||
        !find_window(&rows, grows, &w->kernel_h, &w->stride_h, &w->pad_top, &w->pad_bottom) ||
        !find_window(&columns, grows, &w->kernel_w, &w->stride_w, &w->pad_left, &w->pad_right);
    if (out->global)
        *w = (struct zf_window){
            .kernel_h = 1, .kernel_w = 1, .stride_h = 1, .stride_w = 1, .groups = 1};
    out->transposed = grows && !out->global;
    if (out->transposed) { /* seen from the source: see zf_inferred */
        w->pad_top = w->kernel_h - 1 - w->pad_top;
        w->pad_left = w->kernel_w - 1 - w->pad_left;
    }
    return ZF_OK;
}

struct zf_sampling zf_resize_sampling(const struct zf_layer *layer, bool rows, int64_t from)
{
    return sampling_of(layer->params, rows, from);
}

static void forward(struct zf_emit *e)
{
    const struct zf_sampling rows = sampling_of(e->layer->params, true, e->src_dims[0].d[2]);
    const struct zf_sampling columns = sampling_of(e->layer->params, false, e->src_dims[0].d[3]);

    e->dst = e->op->resample(e->engine, &rows, 2, e->src[0]);
    e->dst = e->op->resample(e->engine, &columns, 3, e->dst);
}

static void project(struct zf_emit *e)
{
    const struct zf_sampling rows = sampling_of(e->layer->params, true, e->src_dims[0].d[2]);
    const struct zf_sampling columns = sampling_of(e->layer->params, false, e->src_dims[0].d[3]);

    e->diff_src[0] = e->op->resample_back(e->engine, &columns, 3, e->diff_dst);
    e->diff_src[0] = e->op->resample_back(e->engine, &rows, 2, e->diff_src[0]);
}

const struct zf_layer_type zf_layer_resize = {
    .name = "resize",
    .help = "maps made larger or smaller",
    .params_size = sizeof(struct resize_params),
    .options = resize_options,
    .option_count = ZF_COUNT(resize_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
