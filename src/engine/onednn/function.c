/* SPDX-License-Identifier: MIT */
/* Functions of one number, and the scale of a map, in whatever layout the values arrive. */
#include "engine/curve.h"
#include "onednn.h"

/* oneDNN's name for a function, with its two numbers. Not all versions have the hard sigmoid: see
   below. */
struct eltwise {
    dnnl_alg_kind_t algorithm;
    float alpha, beta;
};

static struct eltwise eltwise_of(const struct zf_function *f)
{
    switch ((int)f->kind) {
    case ZF_LEAKY:
        return (struct eltwise){dnnl_eltwise_relu, f->a, 0};
    case ZF_CLIP:
        return (struct eltwise){dnnl_eltwise_clip_v2, f->a, f->b};
    case ZF_ELU:
        return (struct eltwise){dnnl_eltwise_elu, f->a, 0};
    case ZF_SIGMOID:
        return (struct eltwise){dnnl_eltwise_logistic, 0, 0};
    case ZF_TANH:
        return (struct eltwise){dnnl_eltwise_tanh, 0, 0};
    case ZF_HARDSWISH:
        return (struct eltwise){dnnl_eltwise_hardswish, 1.0f / 6.0f, 0.5f};
    case ZF_SILU:
        return (struct eltwise){dnnl_eltwise_swish, 1, 0};
    case ZF_GELU:
        return (struct eltwise){dnnl_eltwise_gelu_erf, 0, 0};
    }
    return (struct eltwise){dnnl_eltwise_linear, f->a, f->b};
}

static const struct zf_function unit_clip = {ZF_CLIP, 0, 1};

static zf_value forward(struct zf_engine *e, const struct zf_function *function, zf_value src)
{
    const struct eltwise f = eltwise_of(function);
    const struct zf_onednn_work work = {.operation = "function_forward",
                                        .first = zf_onednn_dims(e, src)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, src)->desc;
    status = dnnl_eltwise_forward_primitive_desc_create(&step.desc, e->engine,
                                                        dnnl_forward_training, f.algorithm, desc,
                                                        desc, f.alpha, f.beta, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, src);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return dst;
}

static zf_value backward(struct zf_engine *e, const struct zf_function *function, zf_value src,
                         zf_value diff_dst)
{
    const struct eltwise f = eltwise_of(function);
    const struct zf_onednn_work work = {.operation = "function_backward",
                                        .first = zf_onednn_dims(e, src)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value diff_src;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, src)->desc;
    status = dnnl_eltwise_backward_primitive_desc_create(
        &step.desc, e->engine, f.algorithm, desc, desc, desc, f.alpha, f.beta, NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, src);
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, diff_dst, NULL);
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return diff_src;
}

/* The line of a hard sigmoid, before it is clipped. */
static zf_value line(struct zf_engine *e, const struct zf_function *function, zf_value src)
{
    return forward(e, &(struct zf_function){ZF_LINEAR, function->a, function->b}, src);
}

zf_value zf_onednn_function_forward(struct zf_engine *e, const struct zf_function *function,
                                    zf_value src)
{
    if (zf_curve_is(function->kind))
        return zf_onednn_curve_forward(e, function, src);
    if (function->kind == ZF_HARDSIGMOID)
        return forward(e, &unit_clip, line(e, function, src));
    return forward(e, function, src);
}

zf_value zf_onednn_function_backward(struct zf_engine *e, const struct zf_function *function,
                                     zf_value src, zf_value diff_dst)
{
    if (zf_curve_is(function->kind))
        return zf_onednn_curve_backward(e, function, src, diff_dst);
    if (function->kind == ZF_HARDSIGMOID)
        return forward(e, &(struct zf_function){ZF_LINEAR, function->a, 0},
                       backward(e, &unit_clip, line(e, function, src), diff_dst));
    return backward(e, function, src, diff_dst);
}

/* A vector [c] seen as [1,c,1,1]. */
static const_dnnl_memory_desc_t across(struct zf_engine *e, struct zf_dims dims)
{
    return zf_layout_desc(
        zf_layout_plain(&e->layouts, (struct zf_dims){4, {1, dims.d[1], 1, 1}}, dnnl_f32));
}

static zf_value with_vector(struct zf_engine *e, dnnl_alg_kind_t algorithm, zf_value src,
                            zf_value vector)
{
    const struct zf_onednn_work work = {.operation = "scale_forward",
                                        .first = zf_onednn_dims(e, src)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, src)->desc;
    status = dnnl_binary_primitive_desc_create(&step.desc, e->engine, algorithm, desc,
                                               across(e, zf_onednn_dims(e, src)), desc, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_0, src);
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_1, vector);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_scale_forward(struct zf_engine *e, zf_value src, zf_value weight, zf_value bias)
{
    const zf_value scaled =
        weight == ZF_NO_VALUE ? src : with_vector(e, dnnl_binary_mul, src, weight);

    return bias == ZF_NO_VALUE ? scaled : with_vector(e, dnnl_binary_add, scaled, bias);
}

/* values: src and diff_dst, plain; then the gradients of weight and bias, either may be none */
static void run_scale_backward(struct zf_engine *e, const struct zf_onednn_step *step,
                               const struct zf_run *run)
{
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t cells = dims.d[2] * dims.d[3];
    const float *src = zf_onednn_at(e, step->values[0])->data;
    const float *diff_dst = zf_onednn_at(e, step->values[1])->data;
    const int with_weight = *(const bool *)step->parameters ? 1 : 0;
    float *weight = with_weight ? zf_onednn_at(e, step->values[2])->data : NULL;
    float *bias =
        step->count > 2 + with_weight ? zf_onednn_at(e, step->values[2 + with_weight])->data : NULL;

    (void)run;
    for (int64_t c = 0; c < dims.d[1]; c++) {
        double products = 0, sum = 0;

        for (int64_t n = 0; n < dims.d[0]; n++) {
            const int64_t map = (n * dims.d[1] + c) * cells;

            for (int64_t p = map; p < map + cells; p++) {
                products += (double)src[p] * (double)diff_dst[p];
                sum += (double)diff_dst[p];
            }
        }
        if (weight)
            weight[c] = (float)products;
        if (bias)
            bias[c] = (float)sum;
    }
}

void zf_onednn_scale_backward_weights(struct zf_engine *e, zf_value src, zf_value diff_dst,
                                      zf_value diff_weight, zf_value diff_bias)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_scale_backward};
    const bool with_weight = diff_weight != ZF_NO_VALUE;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE)
        return;
    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = zf_onednn_plain(e, diff_dst);
    step.count = 2;
    if (with_weight)
        step.values[step.count++] = diff_weight;
    if (diff_bias != ZF_NO_VALUE)
        step.values[step.count++] = diff_bias;
    zf_onednn_append_loop(e, &step, &with_weight, sizeof with_weight);
}
