/* SPDX-License-Identifier: MIT */
/*
 * Max pooling with switches, and the way back to them.
 *
 * A window that overhangs the map is clipped to it, so pads never win. The scan starts with the
 * window's first cell and only a larger value replaces it: ties go to the first in row-major
 * order, and a window of NaNs still has a switch inside the map.
 */
#include "reference.h"

static struct zf_dims dst_dims(const struct zf_window *w, struct zf_dims src)
{
    return zf_ref_nchw(
        src.d[0], src.d[1],
        zf_window_extent(src.d[2], w->kernel_h, w->stride_h, w->pad_top, w->pad_bottom, false),
        zf_window_extent(src.d[3], w->kernel_w, w->stride_w, w->pad_left, w->pad_right, false));
}

/* Where the maximum of output cell (y, x) stands in map [h,w]. */
static int64_t strongest_of(const struct zf_window *w, const float *map, struct zf_dims src,
                            int64_t y, int64_t x)
{
    const int64_t top = y * w->stride_h - w->pad_top, left = x * w->stride_w - w->pad_left;
    const int64_t first_y = zf_ref_max(top, 0), first_x = zf_ref_max(left, 0);
    const int64_t end_y = zf_ref_min(top + w->kernel_h, src.d[2]);
    const int64_t end_x = zf_ref_min(left + w->kernel_w, src.d[3]);
    int64_t best = first_y * src.d[3] + first_x;

    assert(first_y < end_y && first_x < end_x); /* pads are narrower than the kernel */
    for (int64_t sy = first_y; sy < end_y; sy++) {
        for (int64_t sx = first_x; sx < end_x; sx++) {
            if (map[sy * src.d[3] + sx] > map[best])
                best = sy * src.d[3] + sx;
        }
    }
    return best;
}

/* src -> dst, extra = switches or none */
static void run_maxpool(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims src_dims = zf_ref_dims(e, op->src), dst = zf_ref_dims(e, op->dst);
    const float *map = zf_ref_data(e, op->src);
    float *out = zf_ref_data(e, op->dst);
    int32_t *switches = op->extra == ZF_NO_VALUE ? NULL : e->values[op->extra].switches;
    int64_t cell = 0;

    (void)run;
    assert(src_dims.d[2] * src_dims.d[3] <= INT32_MAX);
    for (int64_t m = 0; m < dst.d[0] * dst.d[1]; m++, map += src_dims.d[2] * src_dims.d[3]) {
        for (int64_t y = 0; y < dst.d[2]; y++) {
            for (int64_t x = 0; x < dst.d[3]; x++, cell++) {
                const int64_t at = strongest_of(&op->window, map, src_dims, y, x);

                out[cell] = map[at];
                if (switches)
                    switches[cell] = (int32_t)at;
            }
        }
    }
}

zf_value zf_ref_maxpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value *switches)
{
    const struct zf_dims dims = dst_dims(window, zf_ref_dims(e, src));
    struct zf_ref_op op = zf_ref_op_of(run_maxpool);

    op.window = *window;
    op.src = src;
    op.dst = zf_ref_value(e, dims);
    if (switches) {
        op.extra = zf_ref_switches(e, dims);
        *switches = op.extra;
    }
    zf_ref_emit(e, op);
    return op.dst;
}

/* src = signal, extra = switches -> dst */
static void run_unpool(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims from = zf_ref_dims(e, op->src), to = zf_ref_dims(e, op->dst);
    const int64_t pooled = from.d[2] * from.d[3], cells = to.d[2] * to.d[3];
    const float *signal = zf_ref_data(e, op->src);
    const int32_t *switches = e->values[op->extra].switches;
    float *map = zf_ref_data(e, op->dst);

    (void)run;
    assert(from.d[0] == to.d[0] && from.d[1] == to.d[1]);
    for (int64_t i = 0; i < zf_ref_count(to); i++)
        map[i] = 0.0f;
    for (int64_t i = 0; i < zf_ref_count(from); i++)
        map[i / pooled * cells + switches[i]] += signal[i];
}

zf_value zf_ref_unpool(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                       zf_value switches, struct zf_dims src_dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_unpool);

    op.window = *window;
    op.src = signal;
    op.extra = switches;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_emit(e, op);
    return op.dst;
}
