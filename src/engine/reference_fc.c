/* SPDX-License-Identifier: MIT */
/*
 * Fully connected layers: dst[n,o] = bias[o] + sum over i of weight[o,i] * src[n,i], where src
 * [n,c,h,w] is seen as [n, c*h*w].
 */
#include "reference.h"

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

/* src, weight, bias -> dst */
static void run_forward(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->src, op->weight, op->dst);
    const float *src = zf_ref_data(e, op->src), *weight = zf_ref_data(e, op->weight);
    const float *bias = op->bias == ZF_NO_VALUE ? NULL : zf_ref_data(e, op->bias);
    float *dst = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t o = 0; o < fc.o; o++) {
        for (int64_t n = 0; n < fc.n; n++) {
            const double sum = zf_ref_dot(src + n * fc.i, 1, weight + o * fc.i, fc.i);
            const float biased = (float)(sum + (bias ? (double)bias[o] : 0.0));

            dst[n * fc.o + o] = op->relu ? zf_ref_relu(biased) : biased;
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
    op.relu = relu;
    op.dst =
        zf_ref_value(e, zf_ref_nchw(zf_ref_dims(e, src).d[0], zf_ref_dims(e, weight).d[0], 1, 1));
    zf_ref_emit(e, op);
    return op.dst;
}

/* to[0..count) = sum over k of factor[k * step] * rows[k * count ..], by way of e->sums. */
static void combine_rows(struct zf_engine *e, const float *factor, int64_t step, const float *rows,
                         int64_t row_count, int64_t count, float *to)
{
    for (int64_t i = 0; i < count; i++)
        e->sums[i] = 0.0;
    for (int64_t k = 0; k < row_count; k++, rows += count) {
        const double scale = (double)factor[k * step];

        for (int64_t i = 0; i < count; i++)
            e->sums[i] += scale * (double)rows[i];
    }
    for (int64_t i = 0; i < count; i++)
        to[i] = (float)e->sums[i];
}

/* src = diff_dst, weight -> dst = diff_src */
static void run_backward_data(struct zf_engine *e, const struct zf_ref_op *op,
                              const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->dst, op->weight, op->src);
    const float *diff_dst = zf_ref_data(e, op->src), *weight = zf_ref_data(e, op->weight);
    float *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t n = 0; n < fc.n; n++)
        combine_rows(e, diff_dst + n * fc.o, 1, weight, fc.o, fc.i, diff_src + n * fc.i);
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

/* src, other = diff_dst -> weight, bias */
static void run_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                 const struct zf_run *run)
{
    const struct fc fc = fc_of(e, op->src, op->weight, op->other);
    const float *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    float *diff_weight = zf_ref_data(e, op->weight);
    float *diff_bias = op->bias == ZF_NO_VALUE ? NULL : zf_ref_data(e, op->bias);

    (void)run;
    for (int64_t o = 0; o < fc.o; o++) {
        double sum = 0.0;

        combine_rows(e, diff_dst + o, fc.o, src, fc.n, fc.i, diff_weight + o * fc.i);
        for (int64_t n = 0; n < fc.n; n++)
            sum += (double)diff_dst[n * fc.o + o];
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
