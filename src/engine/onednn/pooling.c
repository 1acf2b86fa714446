/* SPDX-License-Identifier: MIT */
/* Max pooling, and its reverse by switches: oneDNN's workspace, fed back to its backward pass.
   The workspace is opaque, so it is never looked into. */
#include "onednn.h"

zf_value zf_onednn_maxpool_forward(struct zf_engine *e, const struct zf_window *window,
                                   zf_value src, zf_value *switches)
{
    const dnnl_dims_t kernel = {window->kernel_h, window->kernel_w};
    const dnnl_dims_t strides = {window->stride_h, window->stride_w};
    const dnnl_dims_t before = {window->pad_top, window->pad_left};
    const dnnl_dims_t after = {window->pad_bottom, window->pad_right};
    const struct zf_dims in = zf_onednn_dims(e, src);
    const struct zf_dims out = {
        4,
        {in.d[0], in.d[1],
         zf_window_extent(in.d[2], kernel[0], strides[0], before[0], after[0], false),
         zf_window_extent(in.d[3], kernel[1], strides[1], before[1], after[1], false)}};
    dnnl_pooling_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "maxpool_forward",
                                      .first = in,
                                      .second = {2, {kernel[0], kernel[1]}},
                                      .desc = &desc};
    struct zf_onednn_step step;
    dnnl_memory_desc_t any;
    zf_value dst;

    if (switches)
        *switches = ZF_NO_VALUE;
    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (out.d[2] < 1 || out.d[3] < 1) {
        zf_onednn_refuse(e, dnnl_invalid_arguments, &recipe);
        return ZF_NO_VALUE;
    }
    any = zf_onednn_any_desc(out);
    recipe.status = dnnl_pooling_forward_desc_init(
        &desc, switches ? dnnl_forward_training : dnnl_forward_inference, dnnl_pooling_max,
        &zf_onednn_at(e, src)->desc, &any, strides, kernel, before, after);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, src);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, out);
    if (switches)
        *switches = zf_onednn_workspace(e, &step, out);
    zf_onednn_append(e, &step);
    if (switches && *switches != ZF_NO_VALUE && zf_onednn_ok(e))
        zf_onednn_at(e, *switches)->pool = (struct zf_onednn_pool){
            .src = src,
            .src_version = zf_onednn_at(e, src)->version,
            .dst = dst,
        };
    return dst;
}

zf_value zf_onednn_unpool(struct zf_engine *e, const struct zf_window *window, zf_value signal,
                          zf_value switches, struct zf_dims src_dims)
{
    const dnnl_dims_t kernel = {window->kernel_h, window->kernel_w};
    const dnnl_dims_t strides = {window->stride_h, window->stride_w};
    const dnnl_dims_t before = {window->pad_top, window->pad_left};
    const dnnl_dims_t after = {window->pad_bottom, window->pad_right};
    dnnl_pooling_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "unpool",
                                      .first = zf_onednn_dims(e, signal),
                                      .second = src_dims,
                                      .desc = &desc};
    struct zf_onednn_step step;
    zf_value diff_src;

    if (!zf_onednn_ok(e) || signal == ZF_NO_VALUE || switches == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    /* Both sides have the layouts of the forward pass: the switches count on it. */
    recipe.forward = zf_onednn_at(e, switches)->forward;
    recipe.status = dnnl_pooling_backward_desc_init(
        &desc, dnnl_pooling_max,
        dnnl_primitive_desc_query_md(recipe.forward, dnnl_query_exec_arg_md, DNNL_ARG_SRC),
        dnnl_primitive_desc_query_md(recipe.forward, dnnl_query_exec_arg_md, DNNL_ARG_DST), strides,
        kernel, before, after);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, signal, NULL); /* in this order: see below */
    zf_onednn_bind(e, &step, DNNL_ARG_WORKSPACE, switches);
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, src_dims);
    zf_onednn_append(e, &step);
    if (diff_src != ZF_NO_VALUE)
        zf_onednn_at(e, diff_src)->unpooled_by = switches;
    return diff_src;
}

bool zf_onednn_unpool_takes_mask(const struct zf_engine *e, zf_value signal, zf_value dst)
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

void zf_onednn_unpool_mask(struct zf_engine *e, zf_value signal)
{
    const zf_value switches = zf_onednn_at(e, signal)->unpooled_by;
    struct zf_onednn_step unpool = e->steps[--e->step_count];

    unpool.values[0] =
        zf_onednn_mask(e, unpool.values[0], zf_onednn_at(e, switches)->pool.dst, false);
    zf_onednn_append(e, &unpool);
}
