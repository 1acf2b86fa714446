/* SPDX-License-Identifier: MIT */
/*
 * Max pooling with switches, and the way back to them; average pooling.
 *
 * A window that overhangs the map is clipped to it, so pads never win. The scan starts with the
 * window's first cell and only a larger value replaces it: ties go to the first in row-major
 * order, and a window of NaNs still has a switch inside the map.
 */
#include "reference.h"

/* Along one side, the taps of output cell `cell` that lie inside the map. */
struct taps {
    int64_t first, end, step; /* source cells */
};

static struct taps taps_of(int64_t cell, int64_t stride, int64_t pad, int64_t kernel,
                           int64_t dilate, int64_t in)
{
    const int64_t begin = cell * stride - pad, step = dilate + 1;
    const int64_t skipped = begin < 0 ? (-begin + step - 1) / step : 0;

    return (struct taps){begin + skipped * step,
                         zf_ref_min(begin + zf_window_reach(kernel, dilate), in), step};
}

static struct taps rows_of(const struct zf_window *w, struct zf_dims src, int64_t y)
{
    return taps_of(y, w->stride_h, w->pad_top, w->kernel_h, w->dilate_h, src.d[2]);
}

static struct taps columns_of(const struct zf_window *w, struct zf_dims src, int64_t x)
{
    return taps_of(x, w->stride_w, w->pad_left, w->kernel_w, w->dilate_w, src.d[3]);
}

/* Where the maximum of output cell (y, x) stands in map [h,w]. */
static int64_t strongest_of(const struct zf_window *w, const float *map, struct zf_dims src,
                            int64_t y, int64_t x)
{
    const struct taps ys = rows_of(w, src, y), xs = columns_of(w, src, x);
    int64_t best = ys.first * src.d[3] + xs.first;

    assert(ys.first < ys.end && xs.first < xs.end); /* pads are narrower than the kernel */
    for (int64_t sy = ys.first; sy < ys.end; sy += ys.step) {
        for (int64_t sx = xs.first; sx < xs.end; sx += xs.step) {
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
    const struct zf_dims src_dims = zf_ref_dims(e, src);
    const struct zf_dims dims = zf_window_dims(window, src_dims, src_dims.d[1]);
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

/* What the cells of window (y, x) are divided by. */
static double divisor_of(const struct zf_ref_op *op, struct taps ys, struct taps xs)
{
    return op->inside ? (double)((ys.end - ys.first) * (xs.end - xs.first))
                      : (double)(op->window.kernel_h * op->window.kernel_w);
}

/* src -> dst */
static void run_avgpool(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims src = zf_ref_dims(e, op->src), dst = zf_ref_dims(e, op->dst);
    const float *map = zf_ref_data(e, op->src);
    float *out = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t m = 0; m < dst.d[0] * dst.d[1]; m++, map += src.d[2] * src.d[3]) {
        for (int64_t cell = 0; cell < dst.d[2] * dst.d[3]; cell++) {
            const struct taps ys = rows_of(&op->window, src, cell / dst.d[3]);
            const struct taps xs = columns_of(&op->window, src, cell % dst.d[3]);
            double sum = 0.0;

            for (int64_t y = ys.first; y < ys.end; y++) {
                for (int64_t x = xs.first; x < xs.end; x++)
                    sum += (double)map[y * src.d[3] + x];
            }
            *out++ = (float)(sum / divisor_of(op, ys, xs));
        }
    }
}

zf_value zf_ref_avgpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                bool inside)
{
    const struct zf_dims dims = zf_ref_dims(e, src);
    struct zf_ref_op op = zf_ref_op_of(run_avgpool);

    op.window = *window;
    op.inside = inside;
    op.src = src;
    op.dst = zf_ref_value(e, zf_window_dims(window, dims, dims.d[1]));
    zf_ref_emit(e, op);
    return op.dst;
}

/* src = diff_dst -> dst = diff_src */
static void run_avgpool_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct zf_dims from = zf_ref_dims(e, op->src), to = zf_ref_dims(e, op->dst);
    const int64_t cells = to.d[2] * to.d[3];
    const float *signal = zf_ref_data(e, op->src);
    float *map = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t m = 0; m < to.d[0] * to.d[1]; m++, map += cells) {
        for (int64_t i = 0; i < cells; i++)
            e->sums[i] = 0.0;
        for (int64_t cell = 0; cell < from.d[2] * from.d[3]; cell++) {
            const struct taps ys = rows_of(&op->window, to, cell / from.d[3]);
            const struct taps xs = columns_of(&op->window, to, cell % from.d[3]);
            const double share = (double)*signal++ / divisor_of(op, ys, xs);

            for (int64_t y = ys.first; y < ys.end; y++) {
                for (int64_t x = xs.first; x < xs.end; x++)
                    e->sums[y * to.d[3] + x] += share;
            }
        }
        for (int64_t i = 0; i < cells; i++)
            map[i] = (float)e->sums[i];
    }
}

zf_value zf_ref_avgpool_backward(struct zf_engine *e, const struct zf_window *window,
                                 zf_value diff_dst, bool inside, struct zf_dims src_dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_avgpool_backward);

    op.window = *window;
    op.inside = inside;
    op.src = diff_dst;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_emit(e, op);
    return op.dst;
}
