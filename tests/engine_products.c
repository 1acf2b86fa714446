/* SPDX-License-Identifier: MIT */
/* The operations that multiply: convolutions and fully connected layers, and their gradients. */
#include "engine_compare.h"

#include <math.h>

#include "base/status.h"

/* Work of one convolution that keeps hundreds of cases within seconds. */
#define MOST_PRODUCTS 400000

/* ---- Convolution ---- */

struct conv {
    struct zf_window window;
    struct zf_dims src, weight, dst;
    bool exact;
    struct tolerance tolerance;
};

static struct conv any_conv(struct rig *rig, bool training)
{
    struct conv conv;
    char src[64], weight[64], window[160];

    do {
        const int64_t groups = rig_chance(rig, 70) ? 1 : rig_between(rig, 2, 4);
        const int64_t oc = rig_maps(rig);

        conv.src = rig_dims(rig);
        conv.src.d[1] = conv.src.d[1] * groups / (groups > 1 && conv.src.d[1] > 8 ? 4 : 1);
        conv.src.d[1] -= conv.src.d[1] % groups;
        conv.window = rig_window(rig, conv.src);
        conv.window.groups = groups;
        if (rig->bf16 && rig_chance(rig, 70)) { /* there are ways of their own for these */
            conv.window.stride_w = conv.window.stride_h;
            conv.window.dilate_h = conv.window.dilate_w = 0;
        }
        conv.weight = dims4((oc + groups - 1) / groups * groups, conv.src.d[1] / groups,
                            conv.window.kernel_h, conv.window.kernel_w);
        conv.dst = zf_window_dims(&conv.window, conv.src, conv.weight.d[0]);
    } while (conv.src.d[1] < 1 ||
             dims_count(conv.dst) * conv.weight.d[1] * conv.weight.d[2] * conv.weight.d[3] >
                 MOST_PRODUCTS);
    conv.exact = rig_chance(rig, 50);
    /* Inputs are scaled so that sums come out around 1; pads and strides may thin them out. */
    conv.tolerance = (struct tolerance){conv.exact ? SUM : FAST_SUM, 0.1};
    if (rig->bf16) /* errors are those of the terms, which may cancel */
        conv.tolerance = (struct tolerance){HALF, 0.5};
    rig_create_engine(rig, conv.src.d[0], training, conv.exact);
    rig_products(rig, (double)dims_count(conv.dst) * (double)conv.weight.d[1] *
                          (double)(conv.weight.d[2] * conv.weight.d[3]));
    rig_describe(rig, "src %s, weight %s, %s, %s", dims_text(conv.src, src),
                 dims_text(conv.weight, weight), window_text(&conv.window, window),
                 conv.exact ? "exact" : "fast");
    return conv;
}

static void show_conv_forward(struct rig *rig, const struct conv *given)
{
    const struct conv conv = *given;
    const double terms = (double)(dims_count(conv.weight) / conv.weight.d[0]);
    const bool relu = rig_chance(rig, 50), biased = rig_chance(rig, 50);
    const zf_value src = rig_source(rig, conv.src, NORMAL, 1.0);
    const zf_value weight = rig_host(rig, conv.weight, NORMAL, 1.0 / sqrt(terms));
    zf_value bias = ZF_NO_VALUE, dst;

    if (biased)
        bias = rig_host(rig, (struct zf_dims){1, {conv.weight.d[0]}}, NORMAL, 1.0);
    rig_describe(rig, "%s%s", biased ? ", bias" : "", relu ? ", relu" : "");
    dst = rig->ops->conv_forward(rig->e, &conv.window, src, weight, bias, relu);
    rig->ops->keep(rig->e, dst);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "dst", dst, conv.tolerance);
}

void engine_conv_backward_data(struct rig *rig)
{
    const struct conv conv = any_conv(rig, false);
    const double terms = (double)(dims_count(conv.weight) / conv.weight.d[1] / conv.window.groups);
    const zf_value diff_dst = rig_source(rig, conv.dst, NORMAL, 1.0);
    const zf_value weight = rig_host(rig, conv.weight, NORMAL, 1.0 / sqrt(terms));
    zf_value diff_src;

    rig->ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    diff_src = rig->ops->conv_backward_data(rig->e, &conv.window, diff_dst, weight, conv.src);
    rig->ops->keep(rig->e, diff_src);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_PROJECT);
    rig_show(rig, "diff_src", diff_src, conv.tolerance);
}

void engine_conv_forward(struct rig *rig)
{
    const struct conv conv = any_conv(rig, false);

    show_conv_forward(rig, &conv);
}

/* 3x3 filters over maps that are large enough for other algorithms than small ones. */
void engine_conv_forward_large(struct rig *rig)
{
    static const int64_t maps[] = {32, 33, 48, 64, 96, 128};
    struct conv conv = {.tolerance = {FAST_SUM, 0.1}};
    char src[64], weight[64], window[160];
    double products;

    do {
        const int64_t pad = rig_between(rig, 0, 1);

        conv.src = dims4(rig_chance(rig, 40) ? 1 : rig_between(rig, 2, 6),
                         rig_pick(rig, maps, ZF_COUNT(maps)), rig_between(rig, 7, 32),
                         rig_between(rig, 7, 32));
        conv.weight = dims4(rig_pick(rig, maps, ZF_COUNT(maps)), conv.src.d[1], 3, 3);
        conv.window = (struct zf_window){
            3, 3, 1, 1, pad, rig_between(rig, 0, 1), rig_between(rig, 0, 1), pad, 1, 0, 0};
        conv.dst = zf_window_dims(&conv.window, conv.src, conv.weight.d[0]);
        products = (double)dims_count(conv.dst) * (double)conv.weight.d[1] * 9;
    } while (products < 15e6 || products > 50e6);
    rig_create_engine(rig, conv.src.d[0], false, false);
    rig_describe(rig, "src %s, weight %s, %s", dims_text(conv.src, src),
                 dims_text(conv.weight, weight), window_text(&conv.window, window));
    show_conv_forward(rig, &conv);
}

/* Behind unpooling, as in a projection: mostly zeros, which an engine may leave out. */
void engine_conv_backward_data_sparse(struct rig *rig)
{
    const struct conv conv = any_conv(rig, false);
    const double terms = (double)(dims_count(conv.weight) / conv.weight.d[1] / conv.window.groups);
    const int64_t kh = conv.dst.d[2] < 3 ? conv.dst.d[2] : rig_between(rig, 2, 3);
    const int64_t kw = conv.dst.d[3] < 3 ? conv.dst.d[3] : rig_between(rig, 2, 3);
    const struct zf_window pool = {.kernel_h = kh,
                                   .kernel_w = kw,
                                   .stride_h = rig_between(rig, 1, 3),
                                   .stride_w = rig_between(rig, 2, 3),
                                   .groups = 1};
    const struct zf_engine_ops *ops = rig->ops;
    const zf_value maps = rig_source(rig, conv.dst, NORMAL, 1.0);
    const zf_value weight = rig_host(rig, conv.weight, NORMAL, 1.0 / sqrt(terms));
    const zf_value signal =
        rig_source(rig, zf_window_dims(&pool, conv.dst, conv.dst.d[1]), NORMAL, 1.0);
    const bool rectified = rig_chance(rig, 60);
    zf_value switches, diff_dst, diff_src;
    char text[160];

    rig_describe(rig, "; behind %s%s", window_text(&pool, text), rectified ? ", rectified" : "");
    ops->maxpool_forward(rig->e, &pool, maps, &switches);
    ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    diff_dst = ops->unpool(rig->e, &pool, signal, switches, conv.dst);
    if (rectified)
        diff_dst = ops->rectify(rig->e, ZF_RECTIFY_SIGNAL, diff_dst, ZF_NO_VALUE);
    diff_src = ops->conv_backward_data(rig->e, &conv.window, diff_dst, weight, conv.src);
    ops->keep(rig->e, diff_src);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_PROJECT);
    rig_show(rig, "diff_src", diff_src, conv.tolerance);
}

void engine_conv_backward_weights(struct rig *rig)
{
    const struct conv conv = any_conv(rig, true);
    const double terms = (double)(dims_count(conv.dst) / conv.dst.d[1]);
    const bool biased = rig_chance(rig, 50);
    const zf_value src = rig_source(rig, conv.src, NORMAL, 1.0);
    const zf_value diff_dst = rig_source(rig, conv.dst, NORMAL, 1.0 / sqrt(terms));
    /* Filled with noise: the gradient must replace it. */
    float *weight = rig_array(rig, dims_count(conv.weight), NORMAL, 1.0);
    float *bias = rig_array(rig, conv.weight.d[0], NORMAL, 1.0);
    const struct zf_engine_ops *ops = rig->ops;

    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    ops->conv_backward_weights(
        rig->e, &conv.window, src, diff_dst, ops->host(rig->e, conv.weight, weight),
        biased ? ops->host(rig->e, (struct zf_dims){1, {conv.weight.d[0]}}, bias) : ZF_NO_VALUE);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show_array(rig, "diff_weight", weight, dims_count(conv.weight), conv.tolerance);
    rig_show_array(rig, "diff_bias", bias, conv.weight.d[0], conv.tolerance);
}

void engine_conv_forward_bf16(struct rig *rig)
{
    rig->bf16 = true;
    engine_conv_forward(rig);
}

void engine_conv_backward_data_bf16(struct rig *rig)
{
    rig->bf16 = true;
    engine_conv_backward_data(rig);
}

void engine_conv_backward_weights_bf16(struct rig *rig)
{
    rig->bf16 = true;
    engine_conv_backward_weights(rig);
}

/* ---- Fully connected ---- */

struct fc {
    struct zf_dims src, weight, dst;
};

static struct tolerance fc_tolerance(const struct rig *rig)
{
    return rig->bf16 ? (struct tolerance){HALF, 0.5} : (struct tolerance){SUM, 0.1};
}

static struct fc any_fc(struct rig *rig, bool training)
{
    struct fc fc;
    char src[64], weight[64];

    do {
        const int64_t o = rig_maps(rig);

        fc.src = rig_dims(rig);
        if (rig->bf16 && rig_chance(rig, 60)) /* there is a way of its own for one picture */
            fc.src.d[0] = 1;
        if (rig_chance(rig, 40))
            fc.src = dims4(fc.src.d[0], dims_count(fc.src) / fc.src.d[0], 1, 1);
        fc.weight = (struct zf_dims){2, {o, dims_count(fc.src) / fc.src.d[0]}};
        fc.dst = dims4(fc.src.d[0], o, 1, 1);
    } while (dims_count(fc.weight) * fc.src.d[0] > MOST_PRODUCTS);
    rig_create_engine(rig, fc.src.d[0], training, rig_chance(rig, 50));
    rig_products(rig, (double)dims_count(fc.weight) * (double)fc.src.d[0]);
    rig_describe(rig, "src %s, weight %s", dims_text(fc.src, src), dims_text(fc.weight, weight));
    return fc;
}

void engine_fc_forward(struct rig *rig)
{
    const struct fc fc = any_fc(rig, false);
    const bool relu = rig_chance(rig, 50), biased = rig_chance(rig, 50);
    const zf_value src = rig_source(rig, fc.src, NORMAL, 1.0);
    const zf_value weight = rig_host(rig, fc.weight, NORMAL, 1.0 / sqrt((double)fc.weight.d[1]));
    zf_value bias = ZF_NO_VALUE, dst;

    if (biased)
        bias = rig_host(rig, (struct zf_dims){1, {fc.weight.d[0]}}, NORMAL, 1.0);
    rig_describe(rig, "%s%s", biased ? ", bias" : "", relu ? ", relu" : "");
    dst = rig->ops->fc_forward(rig->e, src, weight, bias, relu);
    rig->ops->keep(rig->e, dst);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "dst", dst, fc_tolerance(rig));
}

void engine_fc_forward_bf16(struct rig *rig)
{
    rig->bf16 = true;
    engine_fc_forward(rig);
}

void engine_fc_backward_data(struct rig *rig)
{
    const struct fc fc = any_fc(rig, false);
    const enum numbers kind =
        rig_chance(rig, 50) ? NORMAL : RECTIFIED; /* rows of a zero are left out */
    const zf_value diff_dst = rig_source(rig, fc.dst, kind, 1.0);
    const zf_value weight = rig_host(rig, fc.weight, NORMAL, 1.0 / sqrt((double)fc.weight.d[0]));
    zf_value diff_src;

    rig->ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    diff_src = rig->ops->fc_backward_data(rig->e, diff_dst, weight, fc.src);
    rig->ops->keep(rig->e, diff_src);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_PROJECT);
    rig_show(rig, "diff_src", diff_src, fc_tolerance(rig));
}

void engine_fc_backward_data_bf16(struct rig *rig)
{
    rig->bf16 = true;
    engine_fc_backward_data(rig);
}

void engine_fc_backward_weights(struct rig *rig)
{
    const struct fc fc = any_fc(rig, true);
    const bool biased = rig_chance(rig, 50);
    const zf_value src = rig_source(rig, fc.src, NORMAL, 1.0);
    const zf_value diff_dst = rig_source(rig, fc.dst, NORMAL, 1.0 / sqrt((double)fc.src.d[0]));
    float *weight = rig_array(rig, dims_count(fc.weight), NORMAL, 1.0);
    float *bias = rig_array(rig, fc.weight.d[0], NORMAL, 1.0);
    const struct zf_engine_ops *ops = rig->ops;

    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    ops->fc_backward_weights(rig->e, src, diff_dst, ops->host(rig->e, fc.weight, weight),
                             biased ? ops->host(rig->e, (struct zf_dims){1, {fc.weight.d[0]}}, bias)
                                    : ZF_NO_VALUE);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show_array(rig, "diff_weight", weight, dims_count(fc.weight), fc_tolerance(rig));
    rig_show_array(rig, "diff_bias", bias, fc.weight.d[0], fc_tolerance(rig));
}
