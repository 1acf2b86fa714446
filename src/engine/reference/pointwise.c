/* SPDX-License-Identifier: MIT */
/* Operations that work on each number by itself. */
#include "reference.h"

/* src -> dst */
static void run_relu(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        dst[i] = zf_ref_relu(src[i]);
}

zf_value zf_ref_relu_forward(struct zf_engine *e, zf_value src)
{
    return zf_ref_record(e, run_relu, src, ZF_NO_VALUE, zf_ref_dims(e, src), NULL, 0);
}

static double rectified(enum zf_rectify how, double signal, double forward)
{
    const double masked = forward > 0.0 ? signal : 0.0;

    switch (how) {
    case ZF_RECTIFY_SIGNAL:
        return zf_ref_relu(signal);
    case ZF_RECTIFY_MASK:
        return masked;
    case ZF_RECTIFY_BOTH:
        return zf_ref_relu(masked);
    }
    return 0.0;
}

/* src = signal, other = the forward output or none -> dst */
static void run_rectify(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *signal = zf_ref_data(e, op->src);
    const enum zf_rectify how = *(const enum zf_rectify *)op->parameters;
    const double *forward = how == ZF_RECTIFY_SIGNAL ? signal : zf_ref_data(e, op->other);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        dst[i] = rectified(how, signal[i], forward[i]);
}

zf_value zf_ref_rectify(struct zf_engine *e, enum zf_rectify how, zf_value signal, zf_value dst)
{
    return zf_ref_record(e, run_rectify, signal, dst, zf_ref_dims(e, signal), &how, sizeof how);
}

struct dropout {
    float rate;
    uint64_t layer;
};

/* src -> dst */
static void run_dropout(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t count = zf_ref_count(dims);
    const uint64_t first = (uint64_t)(run->first * (count / dims.d[0]));
    const struct dropout *d = op->parameters;
    const double *src = zf_ref_data(e, op->src);
    const double scale = 1.0 / (1.0 - (double)d->rate);
    double *dst = zf_ref_data(e, op->dst);

    assert(d->rate >= 0.0f && d->rate < 1.0f);
    for (int64_t i = 0; i < count; i++) {
        if (run->dropout_key == 0)
            dst[i] = src[i];
        else if (zf_dropout_keeps(run->dropout_key, d->layer, first + (uint64_t)i, d->rate))
            dst[i] = src[i] * scale;
        else
            dst[i] = 0.0;
    }
}

zf_value zf_ref_dropout(struct zf_engine *e, zf_value src, float rate, uint64_t layer)
{
    const struct dropout parameters = {rate, layer};

    return zf_ref_record(e, run_dropout, src, ZF_NO_VALUE, zf_ref_dims(e, src), &parameters,
                         sizeof parameters);
}

/* src + other -> dst */
static void run_add(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->src));
    const double *a = zf_ref_data(e, op->src), *b = zf_ref_data(e, op->other);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, count))
    for (int64_t i = 0; i < count; i++)
        dst[i] = a[i] + b[i];
}

zf_value zf_ref_add(struct zf_engine *e, zf_value a, zf_value b)
{
    return zf_ref_record(e, run_add, a, b, zf_ref_dims(e, a), NULL, 0);
}
