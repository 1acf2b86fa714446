/* SPDX-License-Identifier: MIT */
/*
 * Max pooling with switches, and the way back to them; average pooling.
 *
 * A window that overhangs the map is clipped to it, so pads never win. The scan starts with the
 * window's first cell and only a larger value replaces it: ties go to the first in row-major
 * order, and a window of NaNs still has a switch inside the map.
 */
#include "reference.h"

struct pool {
    struct zf_window window;
    bool inside; /* of averages: divided by the cells inside the map */
};

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
static int64_t strongest_of(const struct zf_window *w, const double *map, struct zf_dims src,
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
    const int64_t cells = src_dims.d[2] * src_dims.d[3], pooled = dst.d[2] * dst.d[3];
    const double *src = zf_ref_data(e, op->src);
    const struct zf_window *window = op->parameters;
    double *out = zf_ref_data(e, op->dst);
    int32_t *switches = op->extra == ZF_NO_VALUE ? NULL : e->values[op->extra].switches;

    (void)run;
    assert(cells <= INT32_MAX);
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(src_dims)))
    for (int64_t m = 0; m < dst.d[0] * dst.d[1]; m++) {
        const double *map = src + m * cells;

        for (int64_t i = 0; i < pooled; i++) {
            const int64_t at = strongest_of(window, map, src_dims, i / dst.d[3], i % dst.d[3]);

            out[m * pooled + i] = map[at];
            if (switches)
                switches[m * pooled + i] = (int32_t)at;
        }
    }
}

zf_value zf_ref_maxpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value *switches)
{
    const struct zf_dims src_dims = zf_ref_dims(e, src);
    const struct zf_dims dims = zf_window_dims(window, src_dims, src_dims.d[1]);
    struct zf_ref_op op = zf_ref_op_of(run_maxpool);

    op.src = src;
    op.dst = zf_ref_value(e, dims);
    if (switches) {
        op.extra = zf_ref_switches(e, dims);
        *switches = op.extra;
    }
    zf_ref_emit_with(e, op, window, sizeof *window);
    return op.dst;
}

/* src = signal, extra = switches -> dst */
static void run_unpool(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims from = zf_ref_dims(e, op->src), to = zf_ref_dims(e, op->dst);
    const int64_t pooled = from.d[2] * from.d[3], cells = to.d[2] * to.d[3];
    const double *signal = zf_ref_data(e, op->src);
    const int32_t *switches = e->values[op->extra].switches;
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    assert(from.d[0] == to.d[0] && from.d[1] == to.d[1]);
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(to)))
    for (int64_t m = 0; m < to.d[0] * to.d[1]; m++) {
        double *map = dst + m * cells;

        for (int64_t i = 0; i < cells; i++)
            map[i] = 0.0;
        for (int64_t i = m * pooled; i < (m + 1) * pooled; i++)
            map[switches[i]] += signal[i];
    }
}

zf_value zf_ref_unpool(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                       zf_value switches, struct zf_dims src_dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_unpool);

    (void)window; /* the switches know */
    op.src = signal;
    op.extra = switches;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_emit(e, op);
    return op.dst;
}

zf_value zf_ref_unpool_box(struct zf_engine *e, const struct zf_window *window,
                           const struct zf_cut *box)
{
    return zf_unpool_box_in_steps(e, &zf_engine_reference, window, box);
}

/* What the cells of window (y, x) are divided by. */
static double divisor_of(const struct pool *pool, struct taps ys, struct taps xs)
{
    return pool->inside ? (double)((ys.end - ys.first) * (xs.end - xs.first))
                        : (double)(pool->window.kernel_h * pool->window.kernel_w);
}

/* src -> dst */
static void run_avgpool(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims src = zf_ref_dims(e, op->src), dst = zf_ref_dims(e, op->dst);
    const int64_t cells = src.d[2] * src.d[3], pooled = dst.d[2] * dst.d[3];
    const struct pool *pool = op->parameters;
    const double *from = zf_ref_data(e, op->src);
    double *out = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(src)))
    for (int64_t m = 0; m < dst.d[0] * dst.d[1]; m++) {
        const double *map = from + m * cells;

        for (int64_t i = 0; i < pooled; i++) {
            const struct taps ys = rows_of(&pool->window, src, i / dst.d[3]);
            const struct taps xs = columns_of(&pool->window, src, i % dst.d[3]);
            double sum = 0.0;

            for (int64_t y = ys.first; y < ys.end; y++) {
                for (int64_t x = xs.first; x < xs.end; x++)
                    sum += map[y * src.d[3] + x];
            }
            out[m * pooled + i] = sum / divisor_of(pool, ys, xs);
        }
    }
}

zf_value zf_ref_avgpool_forward(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                bool inside)
{
    const struct zf_dims dims = zf_ref_dims(e, src);
    const struct pool pool = {*window, inside};

    return zf_ref_record(e, run_avgpool, src, ZF_NO_VALUE, zf_window_dims(window, dims, dims.d[1]),
                         &pool, sizeof pool);
}

/* src = diff_dst -> dst = diff_src */
static void run_avgpool_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct zf_dims from = zf_ref_dims(e, op->src), to = zf_ref_dims(e, op->dst);
    const int64_t pooled = from.d[2] * from.d[3], cells = to.d[2] * to.d[3];
    const struct pool *pool = op->parameters;
    const double *signal = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(to)))
    for (int64_t m = 0; m < to.d[0] * to.d[1]; m++) {
        double *map = dst + m * cells;

        for (int64_t i = 0; i < cells; i++)
            map[i] = 0.0;
        for (int64_t i = 0; i < pooled; i++) {
            const struct taps ys = rows_of(&pool->window, to, i / from.d[3]);
            const struct taps xs = columns_of(&pool->window, to, i % from.d[3]);
            const double share = signal[m * pooled + i] / divisor_of(pool, ys, xs);

            for (int64_t y = ys.first; y < ys.end; y++) {
                for (int64_t x = xs.first; x < xs.end; x++)
                    map[y * to.d[3] + x] += share;
            }
        }
    }
}

zf_value zf_ref_avgpool_backward(struct zf_engine *e, const struct zf_window *window,
                                 zf_value diff_dst, bool inside, struct zf_dims src_dims)
{
    const struct pool pool = {*window, inside};

    return zf_ref_record(e, run_avgpool_backward, diff_dst, ZF_NO_VALUE, src_dims, &pool,
                         sizeof pool);
}
