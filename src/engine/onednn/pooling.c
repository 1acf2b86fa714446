/* SPDX-License-Identifier: MIT */
/* Max pooling, and its reverse by switches: oneDNN's workspace, fed back to its backward pass.
   The workspace is opaque, so it is never looked into. And average pooling. */
#include "onednn.h"

struct pooling {
    const char *operation;
    dnnl_prop_kind_t prop;
    dnnl_alg_kind_t algorithm;
};

/* A window in oneDNN's terms. */
struct geometry {
    dnnl_dims_t kernel, strides, dilates, before, after;
};

static struct geometry geometry_of(const struct zf_window *window)
{
    return (struct geometry){
        .kernel = {window->kernel_h, window->kernel_w},
        .strides = {window->stride_h, window->stride_w},
        .dilates = {window->dilate_h, window->dilate_w},
        .before = {window->pad_top, window->pad_left},
        .after = {window->pad_bottom, window->pad_right},
    };
}

/* Forward into a step; what it gives is left for the caller to attach. */
static bool forward_init(struct zf_engine *e, const struct zf_window *window, zf_value src,
                         const struct pooling *how, struct zf_onednn_step *step)
{
    const struct geometry g = geometry_of(window);
    const struct zf_dims in = zf_onednn_dims(e, src);
    const struct zf_dims out = zf_window_dims(window, in, in.d[1]);
    const struct zf_onednn_work work = {
        how->operation, in, {2, {window->kernel_h, window->kernel_w}}};
    const struct zf_layout *layout;
    dnnl_status_t status;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return false;
    if (out.d[2] < 1 || out.d[3] < 1) {
        zf_onednn_refuse(e, dnnl_invalid_arguments, &work);
        return false;
    }
    zf_onednn_step_begin(e, step);
    layout = zf_onednn_layout(e, src);
    status = dnnl_pooling_forward_primitive_desc_create(
        &step->desc, e->engine, how->prop, how->algorithm, layout->desc,
        zf_layout_desc(zf_layout_any(&e->layouts, out, layout->type)), g.strides, g.kernel,
        g.dilates, g.before, g.after, e->attr);
    if (!zf_onednn_step_make(e, step, status, &work))
        return false;
    zf_onednn_bind(e, step, DNNL_ARG_SRC, src);
    return true;
}

zf_value zf_onednn_maxpool_forward(struct zf_engine *e, const struct zf_window *window,
                                   zf_value src, zf_value *switches)
{
    const struct pooling how = {"maxpool_forward",
                                switches ? dnnl_forward_training : dnnl_forward_inference,
                                dnnl_pooling_max};
    const struct zf_dims in = zf_onednn_dims(e, src);
    const struct zf_dims out = zf_window_dims(window, in, in.d[1]);
    struct zf_onednn_step step;
    zf_value dst;

    if (switches)
        *switches = ZF_NO_VALUE;
    if (!forward_init(e, window, src, &how, &step))
        return ZF_NO_VALUE;
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
    const struct geometry g = geometry_of(window);
    const struct zf_onednn_work work = {"unpool", zf_onednn_dims(e, signal), src_dims};
    struct zf_onednn_step step;
    const_dnnl_primitive_desc_t up;
    dnnl_status_t status;
    zf_value diff_src;

    if (!zf_onednn_ok(e) || signal == ZF_NO_VALUE || switches == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    /* Both sides have the layouts of the forward pass: the switches count on it. */
    zf_onednn_step_begin(e, &step);
    up = zf_onednn_at(e, switches)->forward;
    status = dnnl_pooling_backward_primitive_desc_create(
        &step.desc, e->engine, dnnl_pooling_max,
        dnnl_primitive_desc_query_md(up, dnnl_query_exec_arg_md, DNNL_ARG_SRC),
        dnnl_primitive_desc_query_md(up, dnnl_query_exec_arg_md, DNNL_ARG_DST), g.strides, g.kernel,
        g.dilates, g.before, g.after, up, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, signal, NULL); /* in this order: see rectify.c */
    zf_onednn_bind(e, &step, DNNL_ARG_WORKSPACE, switches);
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, src_dims);
    zf_onednn_append(e, &step);
    if (diff_src != ZF_NO_VALUE) {
        zf_onednn_at(e, diff_src)->unpooled_by = switches;
        zf_onednn_at(e, diff_src)->sparse = zf_onednn_is_sparse(work.first, src_dims);
    }
    return diff_src;
}

static dnnl_alg_kind_t average(bool inside)
{
    return inside ? dnnl_pooling_avg_exclude_padding : dnnl_pooling_avg_include_padding;
}

zf_value zf_onednn_avgpool_forward(struct zf_engine *e, const struct zf_window *window,
                                   zf_value src, bool inside)
{
    const struct pooling how = {"avgpool_forward", dnnl_forward_inference, average(inside)};
    const struct zf_dims in = zf_onednn_dims(e, src);
    struct zf_onednn_step step;
    zf_value dst;

    if (zf_onednn_ok(e) && src != ZF_NO_VALUE && zf_onednn_sums(window, in))
        return zf_onednn_mean(e, src);
    if (!forward_init(e, window, src, &how, &step))
        return ZF_NO_VALUE;
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_window_dims(window, in, in.d[1]));
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_avgpool_backward(struct zf_engine *e, const struct zf_window *window,
                                    zf_value diff_dst, bool inside, struct zf_dims src_dims)
{
    const struct geometry g = geometry_of(window);
    const struct zf_onednn_work work = {"avgpool_backward", zf_onednn_dims(e, diff_dst), src_dims};
    struct zf_onednn_step step;
    dnnl_status_t status;
    zf_value diff_src;

    if (!zf_onednn_ok(e) || diff_dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    status = dnnl_pooling_backward_primitive_desc_create(
        &step.desc, e->engine, average(inside),
        zf_layout_desc(zf_onednn_layout_like(e, diff_dst, src_dims)),
        zf_onednn_layout(e, diff_dst)->desc, g.strides, g.kernel, g.dilates, g.before, g.after,
        NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_DST, diff_dst);
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, src_dims);
    zf_onednn_append(e, &step);
    return diff_src;
}
