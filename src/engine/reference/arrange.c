/* SPDX-License-Identifier: MIT */
/* Numbers of a sample in another order, and rows or columns read anew. */
#include "reference.h"

#include <string.h>

/* Where in the source the first cell of run `inner` of an arrangement lies. */
static int64_t place_of(const struct zf_arrangement *how, int64_t inner)
{
    int64_t place = how->offset;

    for (int k = how->count - 2; k >= 0; k--) {
        place += inner % how->extents[k] * how->strides[k];
        inner /= how->extents[k];
    }
    return place;
}

/* src -> dst */
static void run_arrange(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_arrangement *how = op->parameters;
    const int64_t from = zf_ref_sample(zf_ref_dims(e, op->src));
    const int64_t to = zf_ref_sample(zf_ref_dims(e, op->dst));
    const int64_t width = how->extents[how->count - 1], step = how->strides[how->count - 1];
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(zf_ref_dims(e, op->dst))))
    for (int64_t row = 0; row < zf_ref_count(zf_ref_dims(e, op->dst)) / width; row++) {
        const int64_t rows = to / width;
        const double *in = src + row / rows * from + place_of(how, row % rows);

        for (int64_t x = 0; x < width; x++)
            dst[row * width + x] = in[x * step];
    }
}

/* src = diff_dst -> dst = diff_src */
static void run_arrange_back(struct zf_engine *e, const struct zf_ref_op *op,
                             const struct zf_run *run)
{
    const struct zf_arrangement *how = op->parameters;
    const struct zf_dims dims = zf_ref_dims(e, op->dst);
    const int64_t from = zf_ref_sample(zf_ref_dims(e, op->src)), to = zf_ref_sample(dims);
    const int64_t width = how->extents[how->count - 1], step = how->strides[how->count - 1];
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    memset(dst, 0, (size_t)zf_ref_count(dims) * sizeof *dst);
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(dims)))
    for (int64_t n = 0; n < dims.d[0]; n++) {
        for (int64_t row = 0; row < from / width; row++) {
            double *out = dst + n * to + place_of(how, row);

            for (int64_t x = 0; x < width; x++)
                out[x * step] += src[n * from + row * width + x];
        }
    }
}

static zf_value emit_arrange(struct zf_engine *e, zf_ref_run *run, const struct zf_arrangement *how,
                             zf_value src, struct zf_dims dims)
{
    struct zf_ref_op op = zf_ref_op_of(run);

    assert(how->count > 0);
    op.src = src;
    op.dst = zf_ref_value(e, dims);
    zf_ref_emit_with(e, op, how, sizeof *how);
    return op.dst;
}

zf_value zf_ref_arrange(struct zf_engine *e, const struct zf_arrangement *how, zf_value src,
                        struct zf_dims dims)
{
    return emit_arrange(e, run_arrange, how, src, dims);
}

zf_value zf_ref_arrange_back(struct zf_engine *e, const struct zf_arrangement *how,
                             zf_value diff_dst, struct zf_dims src_dims)
{
    return emit_arrange(e, run_arrange_back, how, diff_dst, src_dims);
}

/* Cells behind one another along an axis are `inner` apart, and `outer` times there is such a line
   of them side by side. */
static void lines_of(struct zf_dims dims, int axis, int64_t *outer, int64_t *inner)
{
    *outer = dims.d[0] * dims.d[1] * (axis == 3 ? dims.d[2] : 1);
    *inner = axis == 3 ? 1 : dims.d[3];
}

struct resampling {
    struct zf_sampling how;
    int axis;
};

/* src -> dst */
static void run_resample(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct resampling *by = op->parameters;
    const struct zf_sampling *how = &by->how;
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);
    int64_t outer, inner;

    (void)run;
    lines_of(zf_ref_dims(e, op->src), by->axis, &outer, &inner);
    memset(dst, 0, (size_t)(outer * how->to * inner) * sizeof *dst);
    ZF_PARALLEL_FOR(zf_ref_threads(e, outer * inner * how->to))
    for (int64_t i = 0; i < how->to; i++) {
        for (int64_t part = 0; part < zf_sampling_parts(how); part++) {
            struct zf_taps taps;

            zf_sampling_taps(how, i, part, &taps);
            for (int64_t o = 0; o < outer; o++) {
                double *out = dst + (o * how->to + i) * inner;

                for (int k = 0; k < taps.count; k++) {
                    const double *in = src + (o * how->from + taps.index[k]) * inner;

                    for (int64_t x = 0; x < inner; x++)
                        out[x] += taps.weight[k] * in[x];
                }
            }
        }
    }
}

/* src = diff_dst -> dst = diff_src */
static void run_resample_back(struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run)
{
    const struct resampling *by = op->parameters;
    const struct zf_sampling *how = &by->how;
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);
    int64_t outer, inner;

    (void)run;
    lines_of(zf_ref_dims(e, op->src), by->axis, &outer, &inner);
    memset(dst, 0, (size_t)(outer * how->from * inner) * sizeof *dst);
    for (int64_t at = 0; at < how->to * zf_sampling_parts(how); at++) {
        const int64_t i = at / zf_sampling_parts(how);
        struct zf_taps taps;

        zf_sampling_taps(how, i, at % zf_sampling_parts(how), &taps);
        ZF_PARALLEL_FOR(zf_ref_threads(e, outer * inner))
        for (int64_t o = 0; o < outer; o++) {
            const double *in = src + (o * how->to + i) * inner;

            for (int k = 0; k < taps.count; k++) {
                double *out = dst + (o * how->from + taps.index[k]) * inner;

                for (int64_t x = 0; x < inner; x++)
                    out[x] += taps.weight[k] * in[x];
            }
        }
    }
}

static zf_value emit_resample(struct zf_engine *e, zf_ref_run *run, const struct zf_sampling *how,
                              int axis, zf_value src, int64_t extent)
{
    struct zf_ref_op op = zf_ref_op_of(run);
    struct zf_dims dims = zf_ref_dims(e, src);

    assert(axis == 2 || axis == 3);
    dims.d[axis] = extent;
    op.src = src;
    op.dst = zf_ref_value(e, dims);
    zf_ref_emit_with(e, op, &(struct resampling){*how, axis}, sizeof(struct resampling));
    return op.dst;
}

zf_value zf_ref_resample(struct zf_engine *e, const struct zf_sampling *how, int axis, zf_value src)
{
    return emit_resample(e, run_resample, how, axis, src, how->to);
}

zf_value zf_ref_resample_back(struct zf_engine *e, const struct zf_sampling *how, int axis,
                              zf_value diff_dst)
{
    return emit_resample(e, run_resample_back, how, axis, diff_dst, how->from);
}
