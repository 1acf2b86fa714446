/* SPDX-License-Identifier: MIT */
/* Rectifiers, dropout, sums: in whatever layout the values arrive. */
#include "onednn.h"

#include <string.h>

static bool make_relu(struct zf_engine *e, struct zf_onednn_step *step, const char *operation,
                      zf_value src)
{
    const struct zf_onednn_work work = {.operation = operation, .first = zf_onednn_dims(e, src)};
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;

    if (!zf_onednn_step_begin(e, step))
        return false;
    desc = zf_onednn_layout(e, src)->desc;
    status = dnnl_eltwise_forward_primitive_desc_create(&step->desc, e->engine,
                                                        dnnl_forward_training, dnnl_eltwise_relu,
                                                        desc, desc, 0.0f, 0.0f, e->attr);
    return zf_onednn_step_make(e, step, status, &work);
}

zf_value zf_onednn_relu_forward(struct zf_engine *e, zf_value src)
{
    struct zf_onednn_step step;
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (!make_relu(e, &step, "relu_forward", src))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, src);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return dst;
}

/* Only zeros were put in. */
static void overwrite_by_zeros(struct zf_engine *e, zf_value value)
{
    const bool sparse = zf_onednn_at(e, value)->sparse;

    zf_onednn_overwrite(e, value);
    zf_onednn_at(e, value)->sparse = sparse;
}

/* max(0, signal), in place. */
static void clip(struct zf_engine *e, zf_value signal)
{
    struct zf_onednn_step step;

    if (!make_relu(e, &step, "rectify", signal))
        return;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, signal);
    zf_onednn_bind(e, &step, DNNL_ARG_DST, signal);
    zf_onednn_append(e, &step);
    overwrite_by_zeros(e, signal);
}

zf_value zf_onednn_mask(struct zf_engine *e, zf_value signal, zf_value dst, bool in_place)
{
    const struct zf_dims dims = zf_onednn_dims(e, signal);
    const struct zf_onednn_work work = {"rectify", dims, zf_onednn_dims(e, dst)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value masked;

    if (!zf_onednn_step_begin(e, &step))
        return ZF_NO_VALUE;
    desc = zf_onednn_layout(e, dst)->desc;
    status = dnnl_eltwise_backward_primitive_desc_create(&step.desc, e->engine,
                                                         dnnl_eltwise_relu_use_dst_for_bwd, desc,
                                                         desc, desc, 0.0f, 0.0f, NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_DST, dst);
    masked = zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, signal, NULL);
    if (in_place)
        zf_onednn_bind(e, &step, DNNL_ARG_DIFF_SRC, masked);
    else
        masked = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, dims);
    zf_onednn_append(e, &step);
    if (in_place)
        overwrite_by_zeros(e, masked);
    return masked;
}

zf_value zf_onednn_rectify(struct zf_engine *e, enum zf_rectify how, zf_value signal, zf_value dst)
{
    if (!zf_onednn_ok(e) || signal == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (how != ZF_RECTIFY_SIGNAL && dst != ZF_NO_VALUE) {
        if (zf_onednn_unpool_takes_mask(e, signal, dst))
            zf_onednn_unpool_mask(e, signal);
        else
            signal = zf_onednn_mask(e, signal, dst, true);
    }
    if (how != ZF_RECTIFY_MASK && signal != ZF_NO_VALUE)
        clip(e, signal);
    return signal;
}

static void run_dropout(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t count = dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
    const float scale = 1.0f / (1.0f - step->rate);

    if (run->dropout_key == 0) {
        memcpy(dst, src, (size_t)count * sizeof *dst);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        dst[i] = zf_dropout_keeps(run->dropout_key, step->layer, (uint64_t)i, step->rate)
                     ? src[i] * scale
                     : 0.0f;
}

zf_value zf_onednn_dropout(struct zf_engine *e, zf_value src, float rate, uint64_t layer)
{
    struct zf_onednn_step step = {
        .program = e->program, .loop = run_dropout, .rate = rate, .layer = layer};
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    dst = zf_onednn_new(e, zf_onednn_dims(e, src), NULL);
    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = dst;
    step.count = 2;
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_add(struct zf_engine *e, zf_value a, zf_value b)
{
    const struct zf_onednn_work work = {"add", zf_onednn_dims(e, a), zf_onednn_dims(e, b)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value sum = a;

    if (!zf_onednn_ok(e) || a == ZF_NO_VALUE || b == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, a)->desc;
    status = dnnl_binary_primitive_desc_create(&step.desc, e->engine, dnnl_binary_add, desc, desc,
                                               desc, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_0, a);
    zf_onednn_in(e, &step, DNNL_ARG_SRC_1, b, NULL);
    /* On the way up both terms may be wanted again, on the way down they are spent. */
    if (e->program <= ZF_PROGRAM_FORWARD || zf_onednn_at(e, a)->forever)
        sum = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, a));
    else
        zf_onednn_bind(e, &step, DNNL_ARG_DST, a);
    zf_onednn_append(e, &step);
    if (sum == a)
        zf_onednn_overwrite(e, a);
    return sum;
}
