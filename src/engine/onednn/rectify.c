/* SPDX-License-Identifier: MIT */
/* Rectifiers, up and down, in whatever layout the values arrive. */
#include "onednn.h"

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

    if (zf_onednn_rectify_unpooled(e, signal))
        return;
    if (!make_relu(e, &step, "rectify", signal))
        return;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, signal);
    zf_onednn_bind(e, &step, DNNL_ARG_DST, signal);
    zf_onednn_append(e, &step);
    overwrite_by_zeros(e, signal);
}

/* The signal where dst > 0, in the layout of dst; in place if asked for. */
static zf_value mask(struct zf_engine *e, zf_value signal, zf_value dst, bool in_place)
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

/*
 * A mask by the source of a pooling, right after unpool, is the mask by its result before it: what
 * unpool moves comes from where the two are the same number. That spares a pass over the larger
 * map, and the source need not be kept for it. Is this such a case?
 */
static bool unpool_takes_mask(const struct zf_engine *e, zf_value signal, zf_value dst)
{
    const zf_value switches = zf_onednn_at(e, signal)->unpooled_by;
    const struct zf_onednn_step *last = e->step_count > 0 ? &e->steps[e->step_count - 1] : NULL;
    const struct zf_onednn_pool *pool;

    if (switches == ZF_NO_VALUE || !last || last->program != e->program ||
        last->values[2] != signal)
        return false;
    pool = &zf_onednn_at(e, switches)->pool;
    return pool->src == dst && pool->src_version == zf_onednn_at(e, dst)->version;
}

/* Then the last step is taken back, and its signal masked before it. */
static void mask_before_unpool(struct zf_engine *e, zf_value signal)
{
    const zf_value switches = zf_onednn_at(e, signal)->unpooled_by;
    struct zf_onednn_step unpool = e->steps[--e->step_count];

    unpool.values[0] = mask(e, unpool.values[0], zf_onednn_at(e, switches)->pool.dst, false);
    zf_onednn_append(e, &unpool);
}

zf_value zf_onednn_rectify(struct zf_engine *e, enum zf_rectify how, zf_value signal, zf_value dst)
{
    if (!zf_onednn_ok(e) || signal == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (how != ZF_RECTIFY_SIGNAL && dst != ZF_NO_VALUE) {
        if (unpool_takes_mask(e, signal, dst))
            mask_before_unpool(e, signal);
        else
            signal = mask(e, signal, dst, true);
    }
    if (how != ZF_RECTIFY_MASK && signal != ZF_NO_VALUE)
        clip(e, signal);
    return signal;
}
