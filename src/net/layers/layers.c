/* SPDX-License-Identifier: MIT */
#include "layers.h"

#include <inttypes.h>
#include <math.h>

#include "base/status.h"

#define ROW(name) &zf_layer_##name,
static const struct zf_layer_type *const types[] = {ZF_LAYER_TYPES(ROW)};

const char *const zf_round_choices[] = {"down", "up", NULL};
const char *const zf_extents_all[] = {"all", NULL};

const struct zf_layer_type *zf_layer_type_at(size_t i)
{
    return i < ZF_COUNT(types) ? types[i] : NULL;
}

enum zf_status zf_infer_same(const void *params, const struct zf_shape *in, int count,
                             struct zf_inferred *out, struct zf_error *err)
{
    (void)params;
    (void)count;
    (void)err;
    out->out = in[0];
    return ZF_OK;
}

double zf_largest_input(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    double most = m->in[0];

    (void)layer;
    for (int k = 1; k < m->count; k++)
        most = fmax(most, m->in[k]);
    return most;
}

double zf_largest_one(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    (void)layer;
    (void)m;
    return 1;
}

double zf_largest_weighted(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    (void)layer;
    return m->in[0] * m->weight + m->bias;
}

/* Height and width from one number or two. */
bool zf_extents_pair(const struct zf_extents *extents, int64_t *h, int64_t *w)
{
    *h = extents->value[0];
    *w = extents->value[extents->count == 2];
    return extents->count == 1 || extents->count == 2;
}

void zf_window_pads(const struct zf_extents *pad, struct zf_window *window)
{
    const int64_t *v = pad->value;

    window->pad_top = v[0];
    window->pad_left = v[pad->count > 1];
    window->pad_bottom = v[pad->count == 4 ? 2 : 0];
    window->pad_right = v[pad->count == 4 ? 3 : pad->count == 2];
}

/* Rounding up, the overhang becomes padding on the right and at the bottom. */
static void round_up(struct zf_window *w, struct zf_shape in, int64_t *out_h, int64_t *out_w)
{
    const int64_t reach_h = zf_window_reach(w->kernel_h, w->dilate_h);
    const int64_t reach_w = zf_window_reach(w->kernel_w, w->dilate_w);
    int64_t bottom, right;

    *out_h = zf_window_extent(in.h, reach_h, w->stride_h, w->pad_top, w->pad_bottom, true);
    *out_w = zf_window_extent(in.w, reach_w, w->stride_w, w->pad_left, w->pad_right, true);
    bottom = (*out_h - 1) * w->stride_h + reach_h - in.h - w->pad_top;
    right = (*out_w - 1) * w->stride_w + reach_w - in.w - w->pad_left;
    w->pad_bottom = bottom > 0 ? bottom : 0;
    w->pad_right = right > 0 ? right : 0;
}

enum zf_status zf_spatial_window(const struct zf_spatial_params *params, struct zf_shape in,
                                 struct zf_window *window, int64_t *out_h, int64_t *out_w,
                                 struct zf_error *err)
{
    struct zf_window w = {.kernel_h = in.h, .kernel_w = in.w, .groups = 1};
    struct zf_dims out;

    if (params->kernel.count != 0 && params->kernel.value[0] < 1)
        return zf_fail(err, ZF_EINPUT, "needs kernel = N, the side of its window");
    if ((params->kernel.count != 0 &&
         !zf_extents_pair(&params->kernel, &w.kernel_h, &w.kernel_w)) ||
        !zf_extents_pair(&params->stride, &w.stride_h, &w.stride_w) ||
        !zf_extents_pair(&params->dilation, &w.dilate_h, &w.dilate_w))
        return zf_fail(err, ZF_EINPUT, "kernel, stride and dilation take one number or HxW");
    w.dilate_h--;
    w.dilate_w--;
    zf_window_pads(&params->pad, &w);
    out = zf_window_dims(&w, (struct zf_dims){4, {1, 1, in.h, in.w}}, 1);
    *out_h = out.d[2];
    *out_w = out.d[3];
    if (params->round == 1 && *out_h > 0 && *out_w > 0)
        round_up(&w, in, out_h, out_w);
    if (*out_h < 1 || *out_w < 1)
        return zf_fail(err, ZF_EINPUT,
                       "a %" PRId64 "x%" PRId64 " kernel does not fit a %" PRId64 "x%" PRId64
                       " map with pad %" PRId64,
                       w.kernel_h, w.kernel_w, in.h, in.w, w.pad_top);
    *window = w;
    return ZF_OK;
}

enum zf_status zf_pooling_window(const struct zf_spatial_params *params, struct zf_shape in,
                                 struct zf_inferred *out, struct zf_error *err)
{
    struct zf_window *w = &out->window;

    ZF_CHECK(zf_spatial_window(params, in, w, &out->out.h, &out->out.w, err));
    if (w->pad_top >= w->kernel_h || w->pad_left >= w->kernel_w)
        return zf_fail(err, ZF_EINPUT,
                       "pad %" PRId64 " leaves %" PRId64 "x%" PRId64 " windows with nothing inside",
                       (w->pad_top >= w->kernel_h ? w->pad_top : w->pad_left), w->kernel_h,
                       w->kernel_w);
    out->global = params->kernel.count == 0;
    return ZF_OK;
}

zf_value zf_rectify_signal(struct zf_emit *e, const struct zf_function *function)
{
    zf_value signal = e->diff_dst;

    if (e->rule != ZF_RULE_DECONVNET)
        signal = e->op->function_backward(e->engine, function, e->src[0], signal);
    if (e->rule != ZF_RULE_GRADIENT)
        signal = e->op->rectify(e->engine, ZF_RECTIFY_SIGNAL, signal, ZF_NO_VALUE);
    return signal;
}

zf_value zf_repeat(const struct zf_emit *e, zf_value value, struct zf_dims dims)
{
    const struct zf_dims from = e->op->dims(e->engine, value);
    const int64_t strides[3] = {from.d[2] * from.d[3], from.d[3], 1};
    struct zf_arrangement how = {.count = 3};
    bool same = true;

    for (int k = 0; k < 3; k++) {
        how.extents[k] = dims.d[k + 1];
        how.strides[k] = from.d[k + 1] == 1 ? 0 : strides[k];
        same = same && from.d[k + 1] == dims.d[k + 1];
    }
    return same ? value : e->op->arrange(e->engine, &how, value, dims);
}
