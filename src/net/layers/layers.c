/* SPDX-License-Identifier: MIT */
#include "layers.h"

#include "base/status.h"

static const struct zf_layer_type *const types[] = {
    &zf_layer_conv, &zf_layer_relu,    &zf_layer_maxpool, &zf_layer_lrn,
    &zf_layer_fc,   &zf_layer_dropout, &zf_layer_softmax,
};

const char *const zf_round_choices[] = {"down", "up", NULL};

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

enum zf_status zf_spatial_window(const struct zf_spatial_params *params, struct zf_shape in,
                                 struct zf_window *window, int64_t *out_h, int64_t *out_w,
                                 struct zf_error *err)
{
    const int64_t kernel = params->kernel, stride = params->stride, pad = params->pad;
    const bool up = params->round == 1;
    int64_t after_h = pad, after_w = pad;

    if (kernel < 1)
        return zf_fail(err, ZF_EINPUT, "needs kernel = N, the side of its window");
    *out_h = zf_window_extent(in.h, kernel, stride, pad, pad, up);
    *out_w = zf_window_extent(in.w, kernel, stride, pad, pad, up);
    if (*out_h < 1 || *out_w < 1)
        return zf_fail(
            err, ZF_EINPUT, "a %lldx%lld kernel does not fit a %lldx%lld map with pad %lld",
            (long long)kernel, (long long)kernel, (long long)in.h, (long long)in.w, (long long)pad);
    if (up) { /* the overhang becomes padding on the right and at the bottom */
        after_h = (*out_h - 1) * stride + kernel - in.h - pad;
        after_w = (*out_w - 1) * stride + kernel - in.w - pad;
    }
    *window = (struct zf_window){
        .kernel_h = kernel,
        .kernel_w = kernel,
        .stride_h = stride,
        .stride_w = stride,
        .pad_top = pad,
        .pad_left = pad,
        .pad_bottom = after_h > 0 ? after_h : 0,
        .pad_right = after_w > 0 ? after_w : 0,
        .groups = 1,
    };
    return ZF_OK;
}
