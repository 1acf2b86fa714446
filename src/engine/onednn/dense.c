/* SPDX-License-Identifier: MIT */
/* Fully connected layers, on plain layouts: the parameters are most of a net's memory, so in
   float32 they are used where they are, and only the small activations are ever reordered. In bf16
   there must be a copy anyway, so oneDNN chooses its layout. */
#include "onednn.h"

/* Seen as matrices: src [n,i], weight [o,i], dst [n,o]. */
struct matrices {
    dnnl_memory_desc_t src, weight, bias, dst;
    dnnl_memory_desc_t factor; /* the weight as the product wants it */
    dnnl_data_type_t type;
    struct zf_dims src_dims, weight_dims, dst_dims;
};

static bool matrices_of(struct zf_engine *e, struct zf_dims src, zf_value weight,
                        struct matrices *m)
{
    if (!zf_onednn_ok(e) || weight == ZF_NO_VALUE)
        return false;
    m->src_dims = src;
    m->weight_dims = zf_onednn_dims(e, weight);
    m->dst_dims = (struct zf_dims){4, {src.d[0], m->weight_dims.d[0], 1, 1}};
    m->type = zf_onednn_type(e);
    m->src = zf_onednn_rows_desc(m->src_dims, m->type);
    m->weight = m->factor = zf_onednn_rows_desc(m->weight_dims, dnnl_f32);
    if (m->type != dnnl_f32)
        m->factor = zf_onednn_any_desc((struct zf_dims){2, {m->weight.dims[0], m->weight.dims[1]}},
                                       m->type);
    m->dst = zf_onednn_rows_desc(m->dst_dims, dnnl_f32);
    m->bias = zf_onednn_plain_desc((struct zf_dims){1, {m->weight_dims.d[0]}});
    if (m->src.dims[1] == m->weight.dims[1])
        return true;
    zf_onednn_refuse(e, dnnl_invalid_arguments,
                     &(struct zf_onednn_recipe){.operation = "a fully connected layer",
                                                .first = src,
                                                .second = m->weight_dims});
    return false;
}

zf_value zf_onednn_fc_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias,
                              bool relu)
{
    const dnnl_prop_kind_t prop =
        e->config.training ? dnnl_forward_training : dnnl_forward_inference;
    struct matrices m;
    dnnl_inner_product_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "fc_forward", .desc = &desc, .relu = relu};
    struct zf_onednn_step step;
    zf_value dst;

    if (!matrices_of(e, zf_onednn_dims(e, src), weight, &m))
        return ZF_NO_VALUE;
    if (zf_onednn_takes_gemv(e, m.src_dims))
        return zf_onednn_gemv_forward(e, src, weight, bias, relu);
    recipe.first = m.src_dims;
    recipe.second = m.weight_dims;
    recipe.status = dnnl_inner_product_forward_desc_init(
        &desc, prop, &m.src, &m.factor, bias == ZF_NO_VALUE ? NULL : &m.bias, &m.dst);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, zf_onednn_plain_of(e, src, m.type));
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, &m.weight);
    if (bias != ZF_NO_VALUE)
        zf_onednn_bind(e, &step, DNNL_ARG_BIAS, bias);
    dst = zf_onednn_new(e, m.dst_dims, NULL);
    zf_onednn_bind(e, &step, DNNL_ARG_DST, dst);
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_fc_backward_data(struct zf_engine *e, zf_value diff_dst, zf_value weight,
                                    struct zf_dims src_dims)
{
    struct matrices m;
    dnnl_inner_product_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "fc_backward_data", .desc = &desc};
    struct zf_onednn_step step;
    zf_value diff_src;

    if (!matrices_of(e, src_dims, weight, &m))
        return ZF_NO_VALUE;
    recipe.first = m.dst_dims;
    recipe.second = m.weight_dims;
    m.src.data_type = dnnl_f32;
    m.dst.data_type = m.type;
    recipe.status = dnnl_inner_product_backward_data_desc_init(&desc, &m.src, &m.factor, &m.dst);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_DST, zf_onednn_plain_of(e, diff_dst, m.type));
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, &m.weight);
    diff_src = zf_onednn_new(e, src_dims, NULL);
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_SRC, diff_src);
    zf_onednn_append(e, &step);
    return diff_src;
}

void zf_onednn_fc_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                   zf_value diff_weight, zf_value diff_bias)
{
    struct matrices m;
    dnnl_inner_product_desc_t desc;
    struct zf_onednn_recipe recipe = {.operation = "fc_backward_weights", .desc = &desc};
    struct zf_onednn_step step;

    if (!matrices_of(e, zf_onednn_dims(e, src), diff_weight, &m))
        return;
    /* Bound by writing the gradient, and for plain matrices the product in 16 bits is the slower.
     */
    m.type = m.src.data_type = m.dst.data_type = dnnl_f32;
    recipe.first = m.src_dims;
    recipe.second = m.weight_dims;
    recipe.status = dnnl_inner_product_backward_weights_desc_init(
        &desc, &m.src, &m.weight, diff_bias == ZF_NO_VALUE ? NULL : &m.bias, &m.dst);
    if (!zf_onednn_step_init(e, &step, &recipe))
        return;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, zf_onednn_plain_of(e, src, m.type));
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_DST, zf_onednn_plain_of(e, diff_dst, m.type));
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_WEIGHTS, diff_weight);
    if (diff_bias != ZF_NO_VALUE)
        zf_onednn_bind(e, &step, DNNL_ARG_DIFF_BIAS, diff_bias);
    zf_onednn_append(e, &step);
}
