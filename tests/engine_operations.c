/* SPDX-License-Identifier: MIT */
/* One case per operation: random odd shapes, one operation, its output. */
#include "engine_compare.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/status.h"

/* ---- Pooling ---- */

/* Numbers are only selected, moved and (whole ones) added up: everything must be equal. The
   switches show themselves by where they send the distinct numbers of the signal. */
static void maxpool_and_unpool(struct rig *rig)
{
    const struct zf_dims src_dims = rig_dims(rig);
    const struct zf_window window = rig_window(rig, src_dims);
    const struct zf_dims dst_dims = zf_window_dims(&window, src_dims, src_dims.d[1]);
    const enum numbers kind = rig_chance(rig, 70) ? RECTIFIED : NORMAL;
    const bool with_switches = rig_chance(rig, 90);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value switches = ZF_NO_VALUE, src, dst, signal, unpooled = ZF_NO_VALUE;
    char text[64], more[160];

    rig_create_engine(rig, src_dims.d[0], false, rig_chance(rig, 50));
    rig_describe(rig, "src %s, %s%s", dims_text(src_dims, text), window_text(&window, more),
                 kind == RECTIFIED ? ", ties" : "");
    src = rig_source(rig, src_dims, kind, 1.0);
    signal = rig_source(rig, dst_dims, DISTINCT, 1.0);
    dst = ops->maxpool_forward(rig->e, &window, src, with_switches ? &switches : NULL);
    ops->keep(rig->e, dst);
    if (with_switches) {
        ops->begin(rig->e, ZF_PROGRAM_PROJECT);
        unpooled = ops->unpool(rig->e, &window, signal, switches, src_dims);
        ops->keep(rig->e, unpooled);
    }
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "dst", dst, EQUAL);
    if (with_switches) {
        rig_run(rig, ZF_PROGRAM_PROJECT);
        rig_show(rig, "unpooled", unpooled, EQUAL);
    }
}

/* ---- Across maps ---- */

static void lrn(struct rig *rig)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 5, 5, 5, 7, 9};
    static const float alphas[] = {1e-4f, 0.1f, 1.0f}, betas[] = {0.75f, 0.75f, 0.5f, 1.0f};
    const struct zf_dims dims = rig_dims(rig);
    const struct zf_lrn lrn = {
        .size = rig_pick(rig, sizes, ZF_COUNT(sizes)),
        .alpha = alphas[rig_between(rig, 0, 2)],
        .beta = betas[rig_between(rig, 0, 3)],
        .k = (float)rig_between(rig, 1, 2),
    };
    const double scale = rig_chance(rig, 50) ? 1.0 : 100.0;
    const bool training = rig_chance(rig, 70);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value src, dst, diff_dst, diff_src = ZF_NO_VALUE, workspace = ZF_NO_VALUE;
    char text[64];

    rig_create_engine(rig, dims.d[0], training, rig_chance(rig, 50));
    rig_describe(rig, "src %s, size %" PRId64 ", alpha %g, beta %g, k %g, inputs about %g%s",
                 dims_text(dims, text), lrn.size, (double)lrn.alpha, (double)lrn.beta,
                 (double)lrn.k, scale, training ? ", training" : "");
    src = rig_source(rig, dims, NORMAL, scale);
    diff_dst = rig_source(rig, dims, NORMAL, 1.0);
    dst = ops->lrn_forward(rig->e, &lrn, src, training ? &workspace : NULL);
    ops->keep(rig->e, dst);
    if (training) {
        ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
        diff_src = ops->lrn_backward(rig->e, &lrn, src, diff_dst, workspace);
        ops->keep(rig->e, diff_src);
    }
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "dst", dst, (struct tolerance){POWER, 0.0});
    if (training) {
        rig_run(rig, ZF_PROGRAM_BACKWARD);
        rig_show(rig, "diff_src", diff_src, (struct tolerance){SUM, 0.0});
    }
}

/* A few labels are missing, and the last samples may be unfilled. */
static void any_labels(struct rig *rig, int32_t *labels, int64_t classes)
{
    for (int64_t n = 0; n < rig->batch; n++)
        labels[n] = (int32_t)rig_between(rig, rig_chance(rig, 30) ? -1 : 0, classes - 1);
    rig->run.labels = labels;
    rig->run.count = rig_between(rig, 1, rig->batch);
}

static void softmax_and_loss(struct rig *rig)
{
    static const double scales[] = {1.0, 10.0, 100.0};
    const struct zf_dims dims = dims4(rig_between(rig, 1, 5), rig_maps(rig), 1, 1);
    const double scale = scales[rig_between(rig, 0, 2)];
    /* Where the probabilities are near 0 and 1, differences from the mean or the label cancel. */
    const struct tolerance tolerance = {SUM, 0.1 / sqrt((double)dims.d[1])};
    const struct zf_engine_ops *ops = rig->ops;
    zf_value dst, diff_dst, diff_src, loss;
    int32_t labels[5];
    char text[64];

    rig_create_engine(rig, dims.d[0], true, rig_chance(rig, 50));
    any_labels(rig, labels, dims.d[1]);
    rig_describe(rig, "src %s, logits about %g, %" PRId64 " filled", dims_text(dims, text), scale,
                 rig->run.count);
    dst = ops->softmax_forward(rig->e, rig_source(rig, dims, NORMAL, scale));
    diff_dst = rig_source(rig, dims, NORMAL, 1.0);
    ops->keep(rig->e, dst);
    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    diff_src = ops->softmax_backward(rig->e, dst, diff_dst);
    loss = ops->cross_entropy_backward(rig->e, dst);
    ops->keep(rig->e, diff_src);
    ops->keep(rig->e, loss);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "dst", dst, tolerance);
    rig_show(rig, "diff_src", diff_src, tolerance);
    rig_show(rig, "cross entropy", loss, tolerance);
}

/* ---- Number by number ---- */

static void relu_and_add(struct rig *rig)
{
    const struct zf_dims dims = rig_dims(rig);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value rectified, sum;
    char text[64];

    rig_create_engine(rig, dims.d[0], false, true);
    rig_describe(rig, "%s", dims_text(dims, text));
    rectified = ops->relu_forward(rig->e, rig_source(rig, dims, NORMAL, 1.0));
    ops->keep(rig->e, rectified);
    sum = ops->add(rig->e, rig_source(rig, dims, NORMAL, 1.0), rig_source(rig, dims, NORMAL, 1.0));
    ops->keep(rig->e, sum);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "rectified", rectified, EQUAL);
    rig_show(rig, "sum", sum, EQUAL);
}

static void rectify(struct rig *rig)
{
    const struct zf_dims dims = rig_dims(rig);
    const enum zf_rectify how = (enum zf_rectify)rig_between(rig, 0, 2);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value signal, forward, result;
    char text[64];

    rig_create_engine(rig, dims.d[0], false, true);
    rig_describe(rig, "%s, rule %d", dims_text(dims, text), (int)how);
    signal = rig_source(rig, dims, NORMAL, 1.0);
    forward = ops->relu_forward(rig->e, rig_source(rig, dims, WHOLE, 1.0));
    ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    result = ops->rectify(rig->e, how, signal, how == ZF_RECTIFY_SIGNAL ? ZF_NO_VALUE : forward);
    ops->keep(rig->e, result);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_PROJECT);
    rig_show(rig, "result", result, EQUAL);
}

static void dropout(struct rig *rig)
{
    static const float rates[] = {0.0f, 0.25f, 0.5f, 0.9f};
    const struct zf_dims dims = rig_dims(rig);
    const float rate = rates[rig_between(rig, 0, 3)];
    const uint64_t layer = (uint64_t)rig_between(rig, 0, 30);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value forward, backward;
    char text[64];

    rig_create_engine(rig, dims.d[0], true, true);
    rig_describe(rig, "%s, rate %g", dims_text(dims, text), (double)rate);
    forward = ops->dropout(rig->e, rig_source(rig, dims, NORMAL, 1.0), rate, layer);
    ops->keep(rig->e, forward);
    backward = rig_source(rig, dims, NORMAL, 1.0);
    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    backward = ops->dropout(rig->e, backward, rate, layer);
    ops->keep(rig->e, backward);
    rig_finish(rig);
    rig->run.dropout_key = zf_random_next(&rig->random) | 1;
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "forward", forward, (struct tolerance){ROUNDING, 0.0});
    rig_show(rig, "backward", backward, (struct tolerance){ROUNDING, 0.0});
    rig->run.dropout_key = 0;
    rig_forward(rig);
    rig_show(rig, "without", forward, EQUAL);
}

/* ---- Functions ---- */

/* EXPONENT  exp, erf and tanh by polynomials, good to some ulps at 1; differences of what is near
             1 lose digits that the rms makes up for. */
#define EXPONENT 5e-6

static void function(struct rig *rig)
{
    static const struct zf_function functions[] = {
        {ZF_LEAKY, 0.1f, 0},          {ZF_CLIP, -0.5f, 1.5f}, {ZF_ELU, 0.8f, 0},
        {ZF_SIGMOID, 0, 0},           {ZF_TANH, 0, 0},        {ZF_SILU, 0, 0},
        {ZF_HARDSIGMOID, 0.2f, 0.5f}, {ZF_HARDSWISH, 0, 0},   {ZF_GELU, 0, 0},
        {ZF_LINEAR, -2, 3},
    };
    const struct zf_function f = functions[rig_between(rig, 0, ZF_COUNT(functions) - 1)];
    const struct zf_dims dims = rig_dims(rig);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value src, dst, diff_dst, diff_src;
    char text[64];

    rig_create_engine(rig, dims.d[0], true, true);
    rig_describe(rig, "%s, function %d", dims_text(dims, text), (int)f.kind);
    src = rig_source(rig, dims, NORMAL, 2.0);
    diff_dst = rig_source(rig, dims, NORMAL, 1.0);
    dst = ops->function_forward(rig->e, &f, src);
    ops->keep(rig->e, dst);
    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    diff_src = ops->function_backward(rig->e, &f, src, diff_dst);
    ops->keep(rig->e, diff_src);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "dst", dst, (struct tolerance){EXPONENT, 0.5});
    rig_show(rig, "diff_src", diff_src, (struct tolerance){EXPONENT, 0.5});
}

static void scale(struct rig *rig)
{
    const struct zf_dims dims = rig_dims(rig), row = {1, {dims.d[1]}};
    const struct zf_engine_ops *ops = rig->ops;
    const bool biased = rig_chance(rig, 50);
    float *weight = rig_array(rig, dims.d[1], NORMAL, 1.0);
    float *bias = rig_array(rig, dims.d[1], NORMAL, 1.0);
    zf_value src, dst, diff_dst;
    char text[64];

    rig_create_engine(rig, dims.d[0], true, true);
    rig_describe(rig, "%s%s", dims_text(dims, text), biased ? ", bias" : "");
    src = rig_source(rig, dims, NORMAL, 1.0);
    diff_dst = rig_source(rig, dims, NORMAL, 1.0);
    dst = ops->scale_forward(rig->e, src, rig_host(rig, row, NORMAL, 1.0),
                             biased ? rig_host(rig, row, NORMAL, 1.0) : ZF_NO_VALUE);
    ops->keep(rig->e, dst);
    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    ops->scale_backward_weights(rig->e, src, diff_dst, ops->host(rig->e, row, weight),
                                ops->host(rig->e, row, bias));
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "dst", dst, (struct tolerance){SUM, 0.1});
    rig_show_array(rig, "diff_weight", weight, dims.d[1], (struct tolerance){SUM, 0.5});
    rig_show_array(rig, "diff_bias", bias, dims.d[1], (struct tolerance){SUM, 0.5});
}

static void avgpool(struct rig *rig)
{
    const struct zf_dims src_dims = rig_dims(rig);
    struct zf_window window = rig_window(rig, src_dims);
    const bool inside = rig_chance(rig, 50);
    const struct zf_engine_ops *ops = rig->ops;
    zf_value dst, diff_src;
    char text[64], more[160];

    window.dilate_h = window.dilate_w = 0;
    const struct zf_dims dst_dims = zf_window_dims(&window, src_dims, src_dims.d[1]);

    rig_create_engine(rig, src_dims.d[0], true, true);
    rig_describe(rig, "src %s, %s%s", dims_text(src_dims, text), window_text(&window, more),
                 inside ? ", inside" : "");
    dst = ops->avgpool_forward(rig->e, &window, rig_source(rig, src_dims, NORMAL, 1.0), inside);
    ops->keep(rig->e, dst);
    diff_src = rig_source(rig, dst_dims, NORMAL, 1.0);
    ops->begin(rig->e, ZF_PROGRAM_BACKWARD);
    diff_src = ops->avgpool_backward(rig->e, &window, diff_src, inside, src_dims);
    ops->keep(rig->e, diff_src);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "dst", dst, (struct tolerance){SUM, 0.01});
    rig_show(rig, "diff_src", diff_src, (struct tolerance){SUM, 0.01});
}

/* ---- Branches ---- */

static void combine_and_sum(struct rig *rig)
{
    const struct zf_dims dims = rig_dims(rig);
    const enum zf_combination how = (enum zf_combination)rig_between(rig, 0, 2);
    const struct zf_engine_ops *ops = rig->ops;
    struct zf_dims small = dims;
    zf_value combined, sum;
    char text[64], more[64];

    for (int i = 1; i < 4; i++)
        small.d[i] = rig_chance(rig, 40) ? 1 : small.d[i];
    if (rig_chance(rig, 40))
        small.d[2] = small.d[3] = 1;
    rig_create_engine(rig, dims.d[0], false, true);
    rig_describe(rig, "%s with %s, %d", dims_text(dims, text), dims_text(small, more), (int)how);
    combined = ops->combine(rig->e, how, rig_source(rig, dims, NORMAL, 1.0),
                            rig_source(rig, small, NORMAL, 1.0));
    ops->keep(rig->e, combined);
    sum = rig_source(rig, dims, NORMAL, 1.0);
    ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    sum = ops->sum_to(rig->e, ops->copy(rig->e, sum), small);
    ops->keep(rig->e, sum);
    rig_finish(rig);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_PROJECT);
    rig_show(rig, "combined", combined, EQUAL);
    rig_show(rig, "sum", sum, (struct tolerance){SUM, 1.0});
}

/* Numbers only move: all must be equal. */
static void move(struct rig *rig)
{
    static const int64_t awkward[] = {1, 8, 16, 16, 32, 48};
    const struct zf_engine_ops *ops = rig->ops;
    const int parts = (int)rig_between(rig, 1, 6);
    struct zf_dims dims = rig_dims(rig), at = {4, {0}}, box;
    zf_value part[6], whole, slice, embedded;
    char text[64], more[64];

    rig_create_engine(rig, dims.d[0], false, true);
    for (int i = 0; i < parts; i++) {
        struct zf_dims one = dims;

        one.d[1] = rig_chance(rig, 70) ? rig_pick(rig, awkward, ZF_COUNT(awkward)) : dims.d[1];
        part[i] = rig_source(rig, one, DISTINCT, 1.0);
    }
    whole = ops->concat(rig->e, part, parts);
    ops->keep(rig->e, whole);
    dims = ops->dims(rig->e, whole);
    box = dims;
    for (int i = 1; i < 4; i++) {
        at.d[i] = rig_chance(rig, 50) ? rig_between(rig, 0, dims.d[i] - 1) : 0;
        at.d[i] -= i == 1 && rig_chance(rig, 50) ? at.d[i] % 16 : 0;
        box.d[i] = rig_between(rig, 1, dims.d[i] - at.d[i]);
        box.d[i] -= i == 1 && box.d[i] > 16 && rig_chance(rig, 50) ? box.d[i] % 16 : 0;
    }
    rig_describe(rig, "%d parts, %s, box %s", parts, dims_text(dims, text), dims_text(box, more));
    slice = ops->slice(rig->e, whole, at, box);
    ops->keep(rig->e, slice);
    embedded = ops->embed(rig->e, slice, at, dims);
    ops->keep(rig->e, embedded);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "whole", whole, EQUAL);
    rig_show(rig, "slice", slice, EQUAL);
    rig_show(rig, "embedded", embedded, EQUAL);
}

static void shuffle_and_reshape(struct rig *rig)
{
    const struct zf_engine_ops *ops = rig->ops;
    const int64_t groups = rig_between(rig, 1, 5);
    struct zf_dims dims = rig_dims(rig);
    zf_value src, shuffled, flat, back;
    char text[64];

    dims.d[1] *= groups;
    rig_create_engine(rig, dims.d[0], false, true);
    rig_describe(rig, "%s, %" PRId64 " groups", dims_text(dims, text), groups);
    src = rig_source(rig, dims, DISTINCT, 1.0);
    shuffled = ops->shuffle(rig->e, src, groups);
    ops->keep(rig->e, shuffled);
    flat = ops->reshape(rig->e, src, dims4(dims.d[0], dims_count(dims) / dims.d[0], 1, 1));
    ops->keep(rig->e, flat);
    back = ops->reshape(rig->e, flat, dims);
    ops->keep(rig->e, back);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "shuffled", shuffled, EQUAL);
    rig_show(rig, "flat", flat, EQUAL);
    rig_show(rig, "back", back, EQUAL);
}

/* ---- Moving numbers in and out ---- */

static struct zf_cell any_cell(struct rig *rig, struct zf_dims dims)
{
    return (struct zf_cell){
        .n = rig_between(rig, 0, dims.d[0] - 1),
        .c = rig_between(rig, 0, dims.d[1] - 1),
        .y = rig_between(rig, 0, dims.d[2] - 1),
        .x = rig_between(rig, 0, dims.d[3] - 1),
    };
}

static void show_maxima(struct rig *rig, zf_value value, struct zf_dims dims)
{
    const int64_t rows = rig_between(rig, 1, dims.d[0]), maps = rows * dims.d[1];
    float *strongest = rig_array(rig, maps, SIGN, 0.0), *where = rig_array(rig, maps, SIGN, 0.0);
    int32_t places[5 * 96];

    rig->ops->map_maxima(rig->e, value, strongest, places, rows);
    for (int64_t i = 0; i < maps; i++)
        where[i] = (float)places[i];
    rig_show_array(rig, "strongest", strongest, maps, EQUAL);
    rig_show_array(rig, "where", where, maps, EQUAL);
}

static void access(struct rig *rig)
{
    const struct zf_dims dims = rig_dims(rig);
    const struct zf_engine_ops *ops = rig->ops;
    const int64_t per_sample = dims_count(dims) / dims.d[0];
    zf_value value, seed;
    float peeked[8], *rows;
    int64_t count;
    char text[64];

    rig_create_engine(rig, dims.d[0], false, true);
    rig_describe(rig, "%s", dims_text(dims, text));
    value = rig_source(rig, dims, rig_chance(rig, 50) ? RECTIFIED : WHOLE, 1.0);
    ops->keep(rig->e, value);
    ops->begin(rig->e, ZF_PROGRAM_PROJECT);
    seed = ops->like(rig->e, value);
    rig_finish(rig);
    rig_forward(rig);
    for (size_t i = 0; i < ZF_COUNT(peeked); i++)
        peeked[i] = ops->peek(rig->e, value, any_cell(rig, dims));
    rig_show_array(rig, "peeked", peeked, (int64_t)ZF_COUNT(peeked), EQUAL);
    show_maxima(rig, value, dims);

    ops->zero(rig->e, seed);
    for (int i = 0; i < 8; i++)
        ops->poke(rig->e, seed, any_cell(rig, dims), (float)(i - 3));
    rig_show(rig, "poked", seed, EQUAL);
    show_maxima(rig, seed, dims);

    count = rig_between(rig, 1, dims.d[0]);
    rows = rig_array(rig, count * per_sample, NORMAL, 1.0);
    ops->write(rig->e, seed, rows, count);
    rig_show(rig, "overwritten", seed, EQUAL);
    ops->read(rig->e, value, rows, count);
    rig_show_array(rig, "first rows", rows, count * per_sample, EQUAL);
}

const struct engine_cases engine_operations[] = {
    {"conv_forward", 600, engine_conv_forward},
    {"conv_forward_large", 40, engine_conv_forward_large},
    {"conv_backward_data", 600, engine_conv_backward_data},
    {"conv_backward_data_sparse", 500, engine_conv_backward_data_sparse},
    {"conv_backward_weights", 600, engine_conv_backward_weights},
    {"conv_forward_bf16", 300, engine_conv_forward_bf16},
    {"conv_backward_data_bf16", 300, engine_conv_backward_data_bf16},
    {"conv_weights_bf16", 300, engine_conv_backward_weights_bf16},
    {"fc_forward", 500, engine_fc_forward},
    {"fc_forward_bf16", 300, engine_fc_forward_bf16},
    {"fc_backward_data", 500, engine_fc_backward_data},
    {"fc_backward_data_bf16", 300, engine_fc_backward_data_bf16},
    {"fc_backward_weights", 500, engine_fc_backward_weights},
    {"maxpool_and_unpool", 700, maxpool_and_unpool},
    {"lrn", 600, lrn},
    {"softmax_and_loss", 500, softmax_and_loss},
    {"relu_and_add", 500, relu_and_add},
    {"rectify", 500, rectify},
    {"dropout", 500, dropout},
    {"function", 500, function},
    {"scale", 300, scale},
    {"avgpool", 500, avgpool},
    {"combine_and_sum", 500, combine_and_sum},
    {"move", 500, move},
    {"shuffle_and_reshape", 300, shuffle_and_reshape},
    {"cut", 500, engine_cut},
    {"unpool_box", 700, engine_unpool_box},
    {"access", 500, access},
    {NULL, 0, NULL},
};
