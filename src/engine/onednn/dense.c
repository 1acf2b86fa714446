/* SPDX-License-Identifier: MIT */
/* Fully connected layers, on plain layouts: the parameters are most of a net's memory, so in
   float32 they are used where they are, and only the small activations are ever reordered. In bf16
   there must be a copy anyway, so oneDNN chooses its layout. */
#include "onednn.h"

/* Seen as matrices: src [n,i], weight [o,i], dst [n,o]. */
struct matrices {
    struct zf_dims src, weight, dst;
};

static bool matrices_of(struct zf_engine *e, struct zf_dims src, zf_value weight,
                        struct matrices *m)
{
    if (!zf_onednn_ok(e) || weight == ZF_NO_VALUE)
        return false;
    m->src = src;
    m->weight = zf_onednn_dims(e, weight);
    m->dst = (struct zf_dims){4, {src.d[0], m->weight.d[0], 1, 1}};
    if (src.d[1] * src.d[2] * src.d[3] == m->weight.d[1] * m->weight.d[2] * m->weight.d[3])
        return true;
    zf_onednn_refuse(e, dnnl_invalid_arguments,
                     &(struct zf_onednn_work){.operation = "a fully connected layer",
                                              .first = src,
                                              .second = m->weight});
    return false;
}

static const struct zf_layout *rows(struct zf_engine *e, struct zf_dims dims, dnnl_data_type_t type)
{
    return zf_layout_rows(&e->layouts, dims, type);
}

/* The weight as the product wants it. */
static const_dnnl_memory_desc_t factor(struct zf_engine *e, struct zf_dims weight)
{
    const struct zf_dims matrix = {2, {weight.d[0], weight.d[1] * weight.d[2] * weight.d[3]}};
    const dnnl_data_type_t type = zf_onednn_type(e);

    return zf_layout_desc(type == dnnl_f32 ? rows(e, weight, type)
                                           : zf_layout_any(&e->layouts, matrix, type));
}

static const_dnnl_memory_desc_t bias_desc(struct zf_engine *e, zf_value bias)
{
    return bias == ZF_NO_VALUE ? NULL : zf_onednn_layout(e, bias)->desc;
}

zf_value zf_onednn_fc_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                              bool relu)
{
    const dnnl_prop_kind_t prop =
        e->config.training ? dnnl_forward_training : dnnl_forward_inference;
    struct matrices m;
    const dnnl_data_type_t type = zf_onednn_type(e);
    struct zf_onednn_step step;
    dnnl_status_t status;
    zf_value dst;

    if (!matrices_of(e, zf_onednn_dims(e, src), weight, &m))
        return ZF_NO_VALUE;
    if (zf_onednn_takes_gemv(e, m.src))
        return zf_onednn_gemv_forward(e, src, weight, bias, relu);
    if (!zf_onednn_step_begin(e, &step))
        return ZF_NO_VALUE;
    status = dnnl_inner_product_forward_primitive_desc_create(
        &step.desc, e->engine, prop, zf_layout_desc(rows(e, m.src, type)), factor(e, m.weight),
        bias_desc(e, bias), zf_layout_desc(rows(e, m.dst, dnnl_f32)),
        relu ? e->relu_attr : e->attr);
    if (!zf_onednn_step_make(e, &step, status,
                             &(struct zf_onednn_work){"fc_forward", m.src, m.weight}))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, zf_onednn_plain_of(e, src, type));
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, rows(e, m.weight, dnnl_f32));
    if (bias != ZF_NO_VALUE)
        zf_onednn_bind(e, &step, DNNL_ARG_BIAS, bias);
    dst = zf_onednn_new(e, m.dst, NULL);
    zf_onednn_bind(e, &step, DNNL_ARG_DST, dst);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_fc_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                    struct zf_dims src_dims)
{
    struct matrices m;
    const dnnl_data_type_t type = zf_onednn_type(e);
    struct zf_onednn_step step;
    dnnl_status_t status;
    zf_value diff_src;

    if (!matrices_of(e, src_dims, weight, &m))
        return ZF_NO_VALUE;
    if (zf_onednn_takes_gemv_down(e, m.dst))
        return zf_onednn_gemv_backward_data(e, diff_dst, weight, src_dims);
    if (!zf_onednn_step_begin(e, &step))
        return ZF_NO_VALUE;
    status = dnnl_inner_product_backward_data_primitive_desc_create(
        &step.desc, e->engine, zf_layout_desc(rows(e, m.src, dnnl_f32)), factor(e, m.weight),
        zf_layout_desc(rows(e, m.dst, type)), NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status,
                             &(struct zf_onednn_work){"fc_backward_data", m.dst, m.weight}))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_DST, zf_onednn_plain_of(e, diff_dst, type));
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, rows(e, m.weight, dnnl_f32));
    diff_src = zf_onednn_new(e, src_dims, NULL);
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_SRC, diff_src);
    zf_onednn_append(e, &step);
    return diff_src;
}

void zf_onednn_fc_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias)
{
    struct matrices m;
    struct zf_onednn_step step;
    dnnl_status_t status;

    if (!matrices_of(e, zf_onednn_dims(e, src), diff_weight, &m))
        return;
    if (!zf_onednn_step_begin(e, &step))
        return;
    /* In float32 always: bound by writing the gradient, and for plain matrices the product in 16
       bits is the slower. */
    status = dnnl_inner_product_backward_weights_primitive_desc_create(
        &step.desc, e->engine, zf_layout_desc(rows(e, m.src, dnnl_f32)),
        zf_layout_desc(rows(e, m.weight, dnnl_f32)), bias_desc(e, diff_bias),
        zf_layout_desc(rows(e, m.dst, dnnl_f32)), NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status,
                             &(struct zf_onednn_work){"fc_backward_weights", m.src, m.weight}))
        return;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, zf_onednn_plain(e, src));
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_DST, zf_onednn_plain(e, diff_dst));
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_WEIGHTS, diff_weight);
    if (diff_bias != ZF_NO_VALUE)
        zf_onednn_bind(e, &step, DNNL_ARG_DIFF_BIAS, diff_bias);
    zf_onednn_append(e, &step);
}
