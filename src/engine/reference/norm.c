/* SPDX-License-Identifier: MIT */
/*
 * Operations across the maps of one place: response normalisation, softmax and its loss.
 *
 * Response normalisation divides by a power of the scale
 *
 *     s[c] = k + alpha/size * sum of src[j]^2 over j = c - (size-1)/2 .. c + size/2, clipped
 *     dst[c] = src[c] * s[c]^-beta
 *
 * so src[c] stands in the scales of j = c - size/2 .. c + (size-1)/2, and going back
 *
 *     diff_src[c] = diff_dst[c] * s[c]^-beta
 *                   - 2*alpha*beta/size * src[c] * sum over j of diff_dst[j]*src[j]*s[j]^(-beta-1)
 */
#include "reference.h"

#include <math.h>

/* src -> dst, extra = scales or none */
static void run_lrn(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const struct zf_lrn *lrn = op->parameters;
    const double share = (double)lrn->alpha / (double)lrn->size;
    const int64_t cells = dims.d[2] * dims.d[3], count = zf_ref_count(dims);
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);
    double *scales = op->extra == ZF_NO_VALUE ? NULL : zf_ref_data(e, op->extra);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i / cells % dims.d[1];
        const int64_t first = zf_ref_max(c - (lrn->size - 1) / 2, 0);
        const int64_t last = zf_ref_min(c + lrn->size / 2, dims.d[1] - 1);
        double squares = 0.0, scale;

        for (int64_t j = first; j <= last; j++) {
            const double x = src[i + (j - c) * cells];
            squares += x * x;
        }
        scale = (double)lrn->k + share * squares;
        dst[i] = src[i] * pow(scale, -(double)lrn->beta);
        if (scales)
            scales[i] = scale;
    }
}

zf_value zf_ref_lrn_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                            zf_value *workspace)
{
    const struct zf_dims dims = zf_ref_dims(e, src);
    struct zf_ref_op op = zf_ref_op_of(run_lrn);

    op.src = src;
    op.dst = zf_ref_value(e, dims);
    if (workspace) {
        op.extra = zf_ref_value(e, dims);
        *workspace = op.extra;
    }
    zf_ref_emit_with(e, op, lrn, sizeof *lrn);
    return op.dst;
}

/* src = diff_dst, other = the forward source, extra = scales -> dst = diff_src */
static void run_lrn_backward(struct zf_engine *e, const struct zf_ref_op *op,
                             const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const struct zf_lrn *lrn = op->parameters;
    const double beta = (double)lrn->beta;
    const double factor = 2.0 * (double)lrn->alpha * beta / (double)lrn->size;
    const int64_t cells = dims.d[2] * dims.d[3], count = zf_ref_count(dims);
    const double *diff_dst = zf_ref_data(e, op->src), *src = zf_ref_data(e, op->other);
    const double *scales = zf_ref_data(e, op->extra);
    double *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i / cells % dims.d[1];
        const int64_t first = zf_ref_max(c - lrn->size / 2, 0);
        const int64_t last = zf_ref_min(c + (lrn->size - 1) / 2, dims.d[1] - 1);
        double sum = 0.0;

        for (int64_t j = first; j <= last; j++) {
            const int64_t at = i + (j - c) * cells;
            sum += diff_dst[at] * src[at] * pow(scales[at], -beta - 1.0);
        }
        diff_src[i] = diff_dst[i] * pow(scales[i], -beta) - factor * src[i] * sum;
    }
}

zf_value zf_ref_lrn_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                             zf_value diff_dst, zf_value workspace)
{
    struct zf_ref_op op = zf_ref_op_of(run_lrn_backward);

    op.src = diff_dst;
    op.other = src;
    op.extra = workspace;
    op.dst = zf_ref_value(e, zf_ref_dims(e, src));
    zf_ref_emit_with(e, op, lrn, sizeof *lrn);
    return op.dst;
}

/* src -> dst */
static void run_softmax(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3], classes = dims.d[1];

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(dims)))
    for (int64_t i = 0; i < dims.d[0] * cells; i++) {
        const int64_t first = i / cells * classes * cells + i % cells;
        const double *src = zf_ref_data(e, op->src) + first;
        double *dst = zf_ref_data(e, op->dst) + first;
        double largest = src[0], sum = 0.0;

        for (int64_t c = 1; c < classes; c++)
            largest = fmax(largest, src[c * cells]);
        for (int64_t c = 0; c < classes; c++) {
            dst[c * cells] = exp(src[c * cells] - largest);
            sum += dst[c * cells];
        }
        for (int64_t c = 0; c < classes; c++)
            dst[c * cells] /= sum;
    }
}

zf_value zf_ref_softmax_forward(struct zf_engine *e, zf_value src)
{
    return zf_ref_record(e, run_softmax, src, ZF_NO_VALUE, zf_ref_dims(e, src), NULL, 0);
}

/* src = diff_dst, other = the forward output -> dst = diff_src */
static void run_softmax_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3], classes = dims.d[1];
    const double *diff_dst = zf_ref_data(e, op->src), *dst = zf_ref_data(e, op->other);
    double *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(dims)))
    for (int64_t i = 0; i < dims.d[0] * cells; i++) {
        const int64_t first = i / cells * classes * cells + i % cells;
        const int64_t end = first + classes * cells;
        double mean = 0.0;

        for (int64_t k = first; k < end; k += cells)
            mean += diff_dst[k] * dst[k];
        for (int64_t k = first; k < end; k += cells)
            diff_src[k] = dst[k] * (diff_dst[k] - mean);
    }
}

zf_value zf_ref_softmax_backward(struct zf_engine *e, zf_value dst, zf_value diff_dst)
{
    return zf_ref_record(e, run_softmax_backward, diff_dst, dst, zf_ref_dims(e, dst), NULL, 0);
}

/* src = the forward output -> dst */
static void run_cross_entropy_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                       const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t classes = zf_ref_sample(dims);
    const double *probability = zf_ref_data(e, op->src);
    double *diff = zf_ref_data(e, op->dst);
    int64_t labelled = 0;

    for (int64_t n = 0; n < run->count; n++)
        labelled += run->labels[n] >= 0;
    if (run->whole > 0)
        labelled = run->whole;
    for (int64_t n = 0; n < dims.d[0]; n++, probability += classes, diff += classes) {
        const bool counts = n < run->count && run->labels[n] >= 0;

        assert(!counts || run->labels[n] < classes);
        for (int64_t c = 0; c < classes; c++) {
            const double target = counts && run->labels[n] == c ? 1.0 : 0.0;
            diff[c] = counts ? (probability[c] - target) / (double)labelled : 0.0;
        }
    }
}

zf_value zf_ref_cross_entropy_backward(struct zf_engine *e, zf_value dst)
{
    return zf_ref_record(e, run_cross_entropy_backward, dst, ZF_NO_VALUE, zf_ref_dims(e, dst), NULL,
                         0);
}
