/* SPDX-License-Identifier: MIT */
#include "engine/engine.h"

#include <float.h>

zf_value zf_unpool_box_in_steps(struct zf_engine *e, const struct zf_engine_ops *op,
                                const struct zf_window *window, const struct zf_cut *box)
{
    const struct zf_dims signal = op->dims(e, box->patch);
    struct zf_cut seen = *box, back = *box;
    struct zf_window begun = *window; /* what is behind the map is cut out along with it */
    zf_value switches;

    begun.pad_bottom = begun.pad_right = 0;
    seen.dims.d[2] = (signal.d[2] - 1) * window->stride_h +
                     zf_window_reach(window->kernel_h, window->dilate_h) - window->pad_top;
    seen.dims.d[3] = (signal.d[3] - 1) * window->stride_w +
                     zf_window_reach(window->kernel_w, window->dilate_w) - window->pad_left;
    seen.at = box->patch_at;
    seen.patch = ZF_NO_VALUE;
    seen.fill = -FLT_MAX;
    op->maxpool_forward(e, &begun, op->cut(e, &seen), &switches);
    back.base = ZF_NO_VALUE;
    back.patch = op->unpool(e, &begun, box->patch, switches, seen.dims);
    return op->cut(e, &back);
}
