/* SPDX-License-Identifier: MIT */
/* Functions of one number with their derivatives, and the scale of a map. */
#include "reference.h"

#include "engine/curve.h"

/* src -> dst */
static void run_function(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        dst[i] = zf_curve_value(op->parameters, src[i]);
}

zf_value zf_ref_function_forward(struct zf_engine *e, const struct zf_function *function,
                                 zf_value src)
{
    return zf_ref_record(e, run_function, src, ZF_NO_VALUE, zf_ref_dims(e, src), function,
                         sizeof *function);
}

/* src, other = diff_dst -> dst = diff_src */
static void run_function_backward(struct zf_engine *e, const struct zf_ref_op *op,
                                  const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    double *diff_src = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        diff_src[i] = diff_dst[i] * zf_curve_slope(op->parameters, src[i]);
}

zf_value zf_ref_function_backward(struct zf_engine *e, const struct zf_function *function,
                                  zf_value src, zf_value diff_dst)
{
    return zf_ref_record(e, run_function_backward, src, diff_dst, zf_ref_dims(e, src), function,
                         sizeof *function);
}

/* src, weight, bias -> dst */
static void run_scale(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3], count = zf_ref_count(dims);
    const double *src = zf_ref_data(e, op->src);
    const float *weight = zf_ref_host(e, op->weight), *bias = zf_ref_host(e, op->bias);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++) {
        const int64_t c = i / cells % dims.d[1];

        dst[i] = (weight ? (double)weight[c] : 1.0) * src[i] + (bias ? (double)bias[c] : 0.0);
    }
}

zf_value zf_ref_scale_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_scale);

    op.src = src;
    op.weight = weight;
    op.bias = bias;
    op.dst = zf_ref_value(e, zf_ref_dims(e, src));
    zf_ref_emit(e, op);
    return op.dst;
}

/* src, other = diff_dst -> weight, bias */
static void run_scale_backward_weights(struct zf_engine *e, const struct zf_ref_op *op,
                                       const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t cells = dims.d[2] * dims.d[3];
    const double *src = zf_ref_data(e, op->src), *diff_dst = zf_ref_data(e, op->other);
    float *diff_weight = zf_ref_host(e, op->weight), *diff_bias = zf_ref_host(e, op->bias);

    (void)run;
    for (int64_t c = 0; c < dims.d[1]; c++) {
        double weight = 0.0, bias = 0.0;

        for (int64_t n = 0; n < dims.d[0]; n++) {
            const int64_t map = (n * dims.d[1] + c) * cells;

            for (int64_t p = map; p < map + cells; p++) {
                weight += src[p] * diff_dst[p];
                bias += diff_dst[p];
            }
        }
        if (diff_weight)
            diff_weight[c] = (float)weight;
        if (diff_bias)
            diff_bias[c] = (float)bias;
    }
}

void zf_ref_scale_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias)
{
    struct zf_ref_op op = zf_ref_op_of(run_scale_backward_weights);

    op.src = src;
    op.other = diff_dst;
    op.weight = diff_weight;
    op.bias = diff_bias;
    zf_ref_emit(e, op);
}
