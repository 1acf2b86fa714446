/* SPDX-License-Identifier: MIT */
/*
 * Fully connected layers: dst[n,o] = bias[o] + sum over i of weight[o,i] * src[n,i], where src
 * [n,c,h,w] is seen as [n, c*h*w].
 */
#include "reference.h"

#define PIECE 512 /* inputs whose sums are carried along together */

/* [o,i], whatever rank the weights are declared with. */
struct fc {
    int64_t n, o, i;
};

static struct fc fc_of(const struct zf_engine *e, zf_value src, zf_value weight, zf_value dst)
{
    const struct zf_dims src_dims = zf_ref_dims(e, src), weight_dims = zf_ref_dims(e, weight);
    const struct fc fc = {src_dims.d[0], weight_dims.d[0], zf_ref_sample(weight_dims)};

    assert(zf_ref_sample(src_dims) == fc.i);
    assert(zf_ref_dims(e, dst).d[0] == fc.n && zf_ref_sample(zf_ref_dims(e, dst)) == fc.o);
    return fc;
}

/* sum of src[i] * weight[i]; four partial sums, as in zf_ref_dot(). */
static double weigh(const double *src, const float *weight, int64_t count)
{
    double sum[4] = {0.0, 0.0, 0.0, 0.0};
    int64_t i = 0;

    for (; i + 4 <= count; i += 4) {
        for (int64_t k = 0; k < 4; k++)
            sum[k] += src[i + k] * (double)weight[i + k];
    }
    for (; i < count; i++)
        sum[0] += src[i] * (double)weight[i];
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* src, weight, bias -> dst */
static void run_forward(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->src, op->weight, op->dst);
    const float *weight = zf_ref_host(e, op->weight), *bias = zf_ref_host(e, op->bias);
    const double *src = zf_ref_data(e, op->src);
    const bool relu = *(const bool *)op->parameters;
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, fc.n * fc.o * fc.i))
    for (int64_t o = 0; o < fc.o; o++) {
        for (int64_t n = 0; n < fc.n; n++) {
            const double sum = weigh(src + n * fc.i, weight + o * fc.i, fc.i);
            const double biased = sum + (bias ? (double)bias[o] : 0.0);

            dst[n * fc.o + o] = relu ? zf_ref_relu(biased) : biased;
        }
    }
}

zf_value zf_ref_fc_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                           bool relu)
{
    struct zf_ref_op op = zf_ref_op_of(run_forward);

    op.src = src;
    op.weight = weight;
    op.bias = bias;
    op.dst =
        zf_ref_value(e, zf_ref_nchw(zf_ref_dims(e, src).d[0], zf_ref_dims(e, weight).d[0], 1, 1));
    zf_ref_emit_with(e, op, &relu, sizeof relu);
    return op.dst;
}

/* src = diff_dst, weight -> dst = diff_src */
static void run_backward_data(struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->dst, op->weight, op->src);
    const int64_t pieces = (fc.i + PIECE - 1) / PIECE;
    const float *weight = zf_ref_host(e, op->weight);
    const double *diff_dst = zf_ref_data(e, op->src);
    double *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, fc.n * fc.o * fc.i))
    for (int64_t piece = 0; piece < fc.n * pieces; piece++) {
        const int64_t n = piece / pieces, first = piece % pieces * PIECE;
        const int64_t end = zf_ref_min(first + PIECE, fc.i);
        double *to = diff_src + n * fc.i;

        for (int64_t i = first; i < end; i++)
            to[i] = 0.0;
        for (int64_t o = 0; o < fc.o; o++) {
            const double signal = diff_dst[n * fc.o + o];

            for (int64_t i = first; i < end; i++)
                to[i] += signal * (double)weight[o * fc.i + i];
        }
    }
}

zf_value zf_ref_fc_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                 struct zf_dims src_dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_backward_data);

    op.src = diff_dst;
    op.weight = weight;
    op.dst = zf_ref_value(e, src_dims);
    zf_ref_emit(e, op);
    return op.dst;
}

/* The gradient of the weights from `first` on, PIECE at most, of output o. */
static void sum_weights(const struct fc *fc, const double *src, const double *diff_dst, int64_t o,
                        int64_t first, float *diff_weight)
{
    const int64_t count = zf_ref_min(PIECE, fc->i - first);
    double sums[PIECE] = {0.0};

    for (int64_t n = 0; n < fc->n; n++) {
        const double signal = diff_dst[n * fc->o + o];

        for (int64_t i = 0; i < count; i++)
            sums[i] += signal * src[n * fc->i + first + i];
    }
    for (int64_t i = 0; i < count; i++)
        diff_weight[o * fc->i + first + i] = (float)sums[i];
}

/* src, other = diff_dst -> weight, bias */
static void run_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->src, op->weight, op->other);
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    float *diff_weight = zf_ref_host(e, op->weight), *diff_bias = zf_ref_host(e, op->bias);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, fc.n * fc.o * fc.i))
    for (int64_t o = 0; o < fc.o; o++) {
        double sum = 0.0;

        for (int64_t first = 0; first < fc.i; first += PIECE)
            sum_weights(&fc, src, diff_dst, o, first, diff_weight);
        for (int64_t n = 0; n < fc.n; n++)
            sum += diff_dst[n * fc.o + o];
        if (diff_bias)
            diff_bias[o] = (float)sum;
    }
}

void zf_ref_fc_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                zf_value diff_weight, zf_value diff_bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_backward_weights);

    op.src = src;
    op.other = diff_dst;
    op.weight = diff_weight;
    op.bias = diff_bias;
    zf_ref_emit(e, op);
}
