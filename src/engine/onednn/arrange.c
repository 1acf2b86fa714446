/* SPDX-License-Identifier: MIT */
/* Numbers of a sample in another order, and rows or columns read anew: plain loops on plain
   layouts, as oneDNN has no such reorder and no other resampling than its own two. */
#include <assert.h>
#include <string.h>

#include "engine/parallel.h"
#include "onednn.h"

#define BLOCK 32 /* cells of an axis whose taps are known at once */

static int64_t count_of(struct zf_dims dims)
{
    return dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
}

/* Where in the source the first cell of row `row` lies, a row being the last run. */
static int64_t place_of(const struct zf_arrangement *how, int64_t row)
{
    int64_t place = how->offset;

    for (int k = how->count - 2; k >= 0; k--) {
        place += row % how->extents[k] * how->strides[k];
        row /= how->extents[k];
    }
    return place;
}

/* values: src, dst */
static void run_arrange(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const struct zf_arrangement *how = step->parameters;
    const struct zf_dims in = zf_onednn_dims(e, step->values[0]);
    const struct zf_dims out = zf_onednn_dims(e, step->values[1]);
    const int64_t width = how->extents[how->count - 1], stride = how->strides[how->count - 1];
    const int64_t rows = count_of(out) / out.d[0] / width, sample = count_of(in) / in.d[0];
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t row = 0; row < out.d[0] * rows; row++) {
        const float *from = src + row / rows * sample + place_of(how, row % rows);
        float *to = dst + row * width;

        if (stride == 1)
            memcpy(to, from, (size_t)width * sizeof *to);
        else
            for (int64_t x = 0; x < width; x++)
                to[x] = from[x * stride];
    }
}

/* values: diff_dst, diff_src */
static void run_arrange_back(struct zf_engine *e, const struct zf_onednn_step *step,
                             const struct zf_run *run)
{
    const struct zf_arrangement *how = step->parameters;
    const struct zf_dims in = zf_onednn_dims(e, step->values[0]);
    const struct zf_dims out = zf_onednn_dims(e, step->values[1]);
    const int64_t width = how->extents[how->count - 1], stride = how->strides[how->count - 1];
    const int64_t rows = count_of(in) / in.d[0] / width, sample = count_of(out) / out.d[0];
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;

    (void)run;
    memset(dst, 0, (size_t)count_of(out) * sizeof *dst);
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t n = 0; n < in.d[0]; n++) {
        for (int64_t row = 0; row < rows; row++) {
            const float *from = src + (n * rows + row) * width;
            float *to = dst + n * sample + place_of(how, row);

            for (int64_t x = 0; x < width; x++)
                to[x * stride] += from[x];
        }
    }
}

static zf_value emit(struct zf_engine *e, zf_onednn_loop *loop, zf_value src, struct zf_dims dims,
                     const void *parameters, size_t size)
{
    struct zf_onednn_step step = {.program = e->program, .loop = loop, .count = 2};

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = zf_onednn_new(e, dims, NULL);
    zf_onednn_append_loop(e, &step, parameters, size);
    return step.values[1];
}

zf_value zf_onednn_arrange(struct zf_engine *e, const struct zf_arrangement *how, zf_value src,
                           struct zf_dims dims)
{
    assert(how->count > 0);
    return emit(e, run_arrange, src, dims, how, sizeof *how);
}

zf_value zf_onednn_arrange_back(struct zf_engine *e, const struct zf_arrangement *how,
                                zf_value diff_dst, struct zf_dims src_dims)
{
    assert(how->count > 0);
    return emit(e, run_arrange_back, diff_dst, src_dims, how, sizeof *how);
}

/* ---- Sampling ---- */

struct resampling {
    struct zf_sampling how;
    int axis;
};

/* out[0..inner) = the sum of the taps' lines of `in`, or += it. */
static void gather_line(const struct zf_taps *taps, const float *in, int64_t inner, bool more,
                        float *out)
{
    const int first = more || taps->count == 0 ? 0 : 1;

    for (int64_t x = 0; x < inner && !more; x++)
        out[x] = first ? (float)taps->weight[0] * in[taps->index[0] * inner + x] : 0.0f;
    for (int k = first; k < taps->count; k++) {
        const float weight = (float)taps->weight[k];
        const float *line = in + taps->index[k] * inner;

        for (int64_t x = 0; x < inner; x++)
            out[x] += weight * line[x];
    }
}

static void scatter_line(const struct zf_taps *taps, const float *in, int64_t inner, float *out)
{
    for (int k = 0; k < taps->count; k++) {
        const float weight = (float)taps->weight[k];
        float *line = out + taps->index[k] * inner;

        for (int64_t x = 0; x < inner; x++)
            line[x] += weight * in[x];
    }
}

/* Cells first .. first + count of the finer side, by one part of their taps. */
static void resample_block(const struct zf_sampling *how, int64_t first, int64_t count,
                           int64_t part, int64_t outer, int64_t inner, bool back, int threads,
                           const float *src, float *dst)
{
    struct zf_taps taps[BLOCK];

    for (int64_t i = 0; i < count; i++)
        zf_sampling_taps(how, first + i, part, &taps[i]);
    ZF_PARALLEL_FOR(threads)
    for (int64_t o = 0; o < outer; o++) {
        for (int64_t i = 0; i < count; i++) {
            const int64_t fine = (o * how->to + first + i) * inner;
            const int64_t coarse = o * how->from * inner;

            if (back)
                scatter_line(&taps[i], src + fine, inner, dst + coarse);
            else
                gather_line(&taps[i], src + coarse, inner, part > 0, dst + fine);
        }
    }
}

/* values: src, dst; lines of the axis lie `outer` times side by side, cells `inner` apart */
static void run_resample(struct zf_engine *e, const struct zf_onednn_step *step, bool back)
{
    const struct resampling *by = step->parameters;
    const struct zf_sampling *how = &by->how;
    const struct zf_dims dims = zf_onednn_dims(e, step->values[0]);
    const int64_t inner = by->axis == 3 ? 1 : dims.d[3];
    const int64_t outer = count_of(dims) / dims.d[by->axis] / inner;
    const int64_t parts = zf_sampling_parts(how);
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;

    if (back)
        memset(dst, 0, (size_t)(outer * how->from * inner) * sizeof *dst);
    for (int64_t first = 0; first < how->to; first += BLOCK)
        for (int64_t part = 0; part < parts; part++)
            resample_block(how, first, how->to - first < BLOCK ? how->to - first : BLOCK, part,
                           outer, inner, back, e->config.threads, src, dst);
}

static void run_forward(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    (void)run;
    run_resample(e, step, false);
}

static void run_back(struct zf_engine *e, const struct zf_onednn_step *step,
                     const struct zf_run *run)
{
    (void)run;
    run_resample(e, step, true);
}

zf_value zf_onednn_resample(struct zf_engine *e, const struct zf_sampling *how, int axis,
                            zf_value src)
{
    const struct resampling parameters = {*how, axis};
    struct zf_dims dims = zf_onednn_dims(e, src);

    dims.d[axis] = how->to;
    return emit(e, run_forward, src, dims, &parameters, sizeof parameters);
}

zf_value zf_onednn_resample_back(struct zf_engine *e, const struct zf_sampling *how, int axis,
                                 zf_value diff_dst)
{
    const struct resampling parameters = {*how, axis};
    struct zf_dims dims = zf_onednn_dims(e, diff_dst);

    dims.d[axis] = how->from;
    return emit(e, run_back, diff_dst, dims, &parameters, sizeof parameters);
}
