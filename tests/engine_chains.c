/* SPDX-License-Identifier: MIT */
/*
 * Short nets of several operations, so that layouts, reorders, memory that values share, and the
 * order of programs are held against the reference too.
 *
 * Maximum and rectifier decide by comparing, and a rounding error could tip a near tie and send a
 * signal another way. So up to the last of them all numbers are small whole ones, whose sums are
 * exact in any order; only what follows is real-valued.
 */
#include "engine_compare.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/status.h"

#define MOST_STAGES 3
#define MOST_PARAMETERS 16

/* A handful of sums and powers one after the other, at about 1e-6 each. */
static const struct tolerance chain_tolerance = {3e-5, 0.0};

struct parameter {
    zf_value value;
    float *numbers;
    int64_t count;
    enum numbers kind;
    double scale;
};

/* conv, relu, maybe pool, maybe normalisation: with what the way back needs. */
struct stage {
    struct zf_window conv_window, pool_window;
    struct zf_dims src_dims, conv_dims, dst_dims;
    bool pools, normalises;
    zf_value weight, bias, src, rectified, pooled, switches, scales, dst;
};

struct net {
    struct rig *rig;
    const struct zf_engine_ops *ops;
    struct zf_engine *e;
    struct parameter parameters[MOST_PARAMETERS];
    size_t parameter_count;
    struct stage stages[MOST_STAGES];
    int stage_count;
    zf_value top;
};

static zf_value parameter(struct net *net, struct zf_dims dims, enum numbers kind, double scale)
{
    struct parameter *p = &net->parameters[net->parameter_count++];

    p->kind = kind;
    p->scale = scale;
    p->count = dims_count(dims);
    p->numbers = rig_array(net->rig, p->count, kind, scale);
    p->value = net->ops->host(net->e, dims, p->numbers);
    return p->value;
}

static void change_parameters(struct net *net)
{
    for (size_t i = 0; i < net->parameter_count; i++) {
        struct parameter *p = &net->parameters[i];

        rig_fill(net->rig, p->numbers, p->count, p->kind, p->scale);
    }
    rig_run(net->rig, ZF_PROGRAM_REFRESH);
}

/* 3x3, 5x5 or 1x1 of any stride that fits; pads as the paper's rounding up makes them. */
static struct zf_window chain_window(struct rig *rig, struct zf_dims src, bool pool)
{
    const int64_t k = pool ? rig_between(rig, 2, 3) : 1 + 2 * rig_between(rig, 0, 2);
    const int64_t stride = rig_between(rig, 1, 2), pad = pool ? 0 : rig_between(rig, 0, k / 2);
    const int64_t kh = src.d[2] < k ? src.d[2] : k, kw = src.d[3] < k ? src.d[3] : k;
    const int64_t v = kh == k ? pad : 0, h = kw == k ? pad : 0;
    const int64_t oh = zf_window_extent(src.d[2], kh, stride, v, v, true);
    const int64_t ow = zf_window_extent(src.d[3], kw, stride, h, h, true);
    const int64_t below = (oh - 1) * stride + kh - v - src.d[2];
    const int64_t right = (ow - 1) * stride + kw - h - src.d[3];

    return (struct zf_window){
        kh, kw, stride, stride, v, h, below > 0 ? below : 0, right > 0 ? right : 0, 1, 0, 0};
}

static void stage_forward(struct net *net, struct stage *s, zf_value src, bool first)
{
    /* Passes its input through bit for bit, whatever layout that takes. */
    const struct zf_lrn identity = {.size = 5, .alpha = 0.0f, .beta = 0.75f, .k = 1.0f};
    static const int64_t maps[] = {1, 3, 8, 16, 16, 17};
    struct rig *rig = net->rig;
    const int64_t oc = rig_pick(rig, maps, ZF_COUNT(maps));
    const bool fused = rig_chance(rig, 70);
    char text[64], more[160];

    s->src = src;
    s->src_dims = net->ops->dims(net->e, src);
    s->conv_window = chain_window(rig, s->src_dims, false);
    s->conv_window.groups = !first && oc == 16 && s->src_dims.d[1] % 2 == 0 ? 2 : 1;
    s->weight = parameter(net,
                          dims4(oc, s->src_dims.d[1] / s->conv_window.groups,
                                s->conv_window.kernel_h, s->conv_window.kernel_w),
                          SIGN, 1.0);
    s->bias = parameter(net, (struct zf_dims){1, {oc}}, WHOLE, 1.0);
    rig_describe(rig, "; conv to %" PRId64 " %s", oc, window_text(&s->conv_window, more));
    s->rectified = net->ops->conv_forward(net->e, &s->conv_window, src, s->weight, s->bias, fused);
    if (!fused)
        s->rectified = net->ops->relu_forward(net->e, s->rectified);
    s->dst = s->rectified;
    s->conv_dims = net->ops->dims(net->e, s->dst);
    s->pools = rig_chance(rig, 70);
    if (s->pools) {
        s->pool_window = chain_window(rig, s->conv_dims, true);
        s->pooled = s->dst =
            net->ops->maxpool_forward(net->e, &s->pool_window, s->dst, &s->switches);
        rig_describe(rig, "; pool %s", window_text(&s->pool_window, more));
    }
    s->normalises = rig_chance(rig, 40);
    if (s->normalises) {
        s->dst = net->ops->lrn_forward(net->e, &identity, s->dst, NULL);
        rig_describe(rig, "; norm");
    }
    s->dst_dims = net->ops->dims(net->e, s->dst);
    rig_describe(rig, " -> %s", dims_text(s->dst_dims, text));
}

static zf_value stage_project(struct net *net, const struct stage *s, zf_value signal,
                              enum zf_rectify how)
{
    if (s->pools)
        signal = net->ops->unpool(net->e, &s->pool_window, signal, s->switches, s->conv_dims);
    signal = net->ops->rectify(net->e, how, signal,
                               how == ZF_RECTIFY_SIGNAL ? ZF_NO_VALUE : s->rectified);
    return net->ops->conv_backward_data(net->e, &s->conv_window, signal, s->weight, s->src_dims);
}

static void net_init(struct net *net, struct rig *rig, bool training)
{
    *net = (struct net){.rig = rig, .ops = rig->ops};
    rig_create_engine(rig, rig_between(rig, 1, 5), training, true);
    net->e = rig->e;
}

static zf_value build_stages(struct net *net, int count)
{
    struct rig *rig = net->rig;
    const struct zf_dims input = dims4(rig->batch, rig_chance(rig, 70) ? 3 : rig_between(rig, 1, 4),
                                       rig_between(rig, 1, 24), rig_between(rig, 1, 24));
    zf_value value = rig_input(rig, input, WHOLE, 1.0);
    char text[64];

    rig_describe(rig, "input %s", dims_text(input, text));
    net->stage_count = count;
    for (int i = 0; i < count; i++) {
        stage_forward(net, &net->stages[i], value, i == 0);
        value = net->stages[i].dst;
    }
    return value;
}

static int64_t sample_count(const struct net *net, zf_value value)
{
    const struct zf_dims dims = net->ops->dims(net->e, value);

    return dims_count(dims) / dims.d[0];
}

/* A fully connected layer whose outputs are about 1 when its inputs are about `typical`. */
static zf_value fc(struct net *net, zf_value src, int64_t units, double typical, zf_value *weight,
                   zf_value *bias)
{
    const int64_t inputs = sample_count(net, src);

    *weight = parameter(net, (struct zf_dims){2, {units, inputs}}, NORMAL,
                        1.0 / (typical * sqrt((double)inputs)));
    *bias = parameter(net, (struct zf_dims){1, {units}}, NORMAL, 1.0);
    return net->ops->fc_forward(net->e, src, *weight, *bias, false);
}

/* ---- Projections ---- */

struct projection {
    int program;
    zf_value of, seed, pixels;
};

static struct projection build_projection(struct net *net, int program, zf_value of,
                                          zf_value fc_weight, enum zf_rectify how)
{
    struct projection p = {.program = program, .of = of};
    zf_value signal;

    net->ops->begin(net->e, program);
    signal = p.seed = net->ops->like(net->e, of);
    if (fc_weight != ZF_NO_VALUE)
        signal = net->ops->fc_backward_data(net->e, signal, fc_weight,
                                            net->stages[net->stage_count - 1].dst_dims);
    for (int i = net->stage_count; i-- > 0;)
        signal = stage_project(net, &net->stages[i], signal, how);
    p.pixels = signal;
    net->ops->keep(net->e, signal);
    return p;
}

/* A few activations of different samples, sent down together. */
static void show_projection(struct net *net, const struct projection *p)
{
    const struct zf_dims dims = net->ops->dims(net->e, p->of);
    struct rig *rig = net->rig;
    char name[48];

    net->ops->zero(net->e, p->seed);
    for (int i = 0; i < 3; i++) {
        const struct zf_cell cell = {
            rig_between(rig, 0, dims.d[0] - 1), rig_between(rig, 0, dims.d[1] - 1),
            rig_between(rig, 0, dims.d[2] - 1), rig_between(rig, 0, dims.d[3] - 1)};

        net->ops->poke(net->e, p->seed, cell, fabsf(net->ops->peek(net->e, p->of, cell)) + 1.0f);
    }
    rig_run(rig, p->program);
    snprintf(name, sizeof name, "projection %d", p->program - ZF_PROGRAM_PROJECT);
    rig_show(rig, name, p->pixels, chain_tolerance);
}

static void show_map_maxima(struct net *net, zf_value value)
{
    const struct zf_dims dims = net->ops->dims(net->e, value);
    const int64_t maps = dims.d[0] * dims.d[1];
    float strongest[5 * 17], where[5 * 17];
    int32_t places[5 * 17];

    net->ops->map_maxima(net->e, value, strongest, places, dims.d[0]);
    for (int64_t i = 0; i < maps; i++)
        where[i] = (float)places[i];
    rig_show_array(net->rig, "strongest", strongest, maps, EQUAL);
    rig_show_array(net->rig, "where", where, maps, EQUAL);
}

static void forward_then_projections_in_any_order(struct rig *rig)
{
    const enum zf_rectify how = (enum zf_rectify)rig_between(rig, 0, 2);
    struct projection projections[2];
    struct net net;
    zf_value weight, bias, below;

    net_init(&net, rig, false);
    below = build_stages(&net, (int)rig_between(rig, 1, MOST_STAGES));
    net.top = fc(&net, below, rig_between(rig, 1, 20), 10.0, &weight, &bias);
    net.ops->keep(net.e, below);
    net.ops->keep(net.e, net.top);
    projections[0] = build_projection(&net, ZF_PROGRAM_PROJECT, net.top, weight, how);
    projections[1] = build_projection(&net, ZF_PROGRAM_PROJECT + 1, below, ZF_NO_VALUE, how);
    rig_describe(rig, "; rule %d", (int)how);
    rig_finish(rig);
    for (int round = 0; round < 2; round++) {
        rig_forward(rig);
        show_map_maxima(&net, below);
        for (int i = 0; i < 5; i++)
            show_projection(&net, &projections[rig_between(rig, 0, 1)]);
        rig_show(rig, "activations after projecting", below, EQUAL);
        rig_show(rig, "top after projecting", net.top, chain_tolerance);
        rig_fill(rig, rig->inputs[0].plain, rig->inputs[0].count, WHOLE, 1.0);
        change_parameters(&net);
    }
}

/* Nothing is kept but the top, so that everything else may share memory. */
static void forward_only(struct rig *rig)
{
    struct net net;
    zf_value weight, bias, below;

    net_init(&net, rig, false);
    below = build_stages(&net, MOST_STAGES);
    net.top = net.ops->softmax_forward(
        net.e, fc(&net, below, rig_between(rig, 1, 20), 10.0, &weight, &bias));
    net.ops->keep(net.e, net.top);
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "first", net.top, chain_tolerance);
    change_parameters(&net);
    rig_forward(rig);
    rig_show(rig, "other parameters", net.top, chain_tolerance);
}

/* ---- Training ---- */

/* A layer's, of its weights and then of its bias: held as one, for what remains of a bias's one sum
   may be much smaller than the terms that cancelled in it. */
struct gradient {
    float *numbers;
    int64_t count;
};

struct gradients {
    struct gradient of[MOST_PARAMETERS / 2];
    size_t count;
};

static void gradient_of(struct net *net, struct gradients *gradients, zf_value weight,
                        zf_value bias, zf_value *diff_weight, zf_value *diff_bias)
{
    const struct zf_dims weight_dims = net->ops->dims(net->e, weight);
    const struct zf_dims bias_dims = net->ops->dims(net->e, bias);
    const int64_t weights = dims_count(weight_dims);
    struct gradient *g = &gradients->of[gradients->count++];

    g->count = weights + dims_count(bias_dims);
    g->numbers = rig_array(net->rig, g->count, NORMAL, 1.0);
    *diff_weight = net->ops->host(net->e, weight_dims, g->numbers);
    *diff_bias = net->ops->host(net->e, bias_dims, g->numbers + weights);
}

static zf_value fc_backward(struct net *net, struct gradients *gradients, zf_value src,
                            zf_value diff_dst, zf_value weight, zf_value bias)
{
    zf_value diff_weight, diff_bias;

    gradient_of(net, gradients, weight, bias, &diff_weight, &diff_bias);
    net->ops->fc_backward_weights(net->e, src, diff_dst, diff_weight, diff_bias);
    return net->ops->fc_backward_data(net->e, diff_dst, weight, net->ops->dims(net->e, src));
}

static void stages_backward(struct net *net, struct gradients *gradients, zf_value diff)
{
    for (int i = net->stage_count; i-- > 0;) {
        const struct stage *s = &net->stages[i];
        zf_value diff_weight, diff_bias;

        if (s->pools)
            diff = net->ops->unpool(net->e, &s->pool_window, diff, s->switches, s->conv_dims);
        diff = net->ops->rectify(net->e, ZF_RECTIFY_MASK, diff, s->rectified);
        gradient_of(net, gradients, s->weight, s->bias, &diff_weight, &diff_bias);
        net->ops->conv_backward_weights(net->e, &s->conv_window, s->src, diff, diff_weight,
                                        diff_bias);
        if (i > 0)
            diff =
                net->ops->conv_backward_data(net->e, &s->conv_window, diff, s->weight, s->src_dims);
    }
}

static void train_and_show(struct net *net, const struct gradients *gradients, int32_t *labels)
{
    struct rig *rig = net->rig;
    const int64_t classes = sample_count(net, net->top);

    rig->run.count = rig_between(rig, 1, rig->batch);
    rig->run.labels = labels;
    rig->run.dropout_key = zf_random_next(&rig->random) | 1;
    for (int64_t n = 0; n < rig->batch; n++)
        labels[n] = (int32_t)rig_between(rig, n == 0 ? 0 : -1, classes - 1);
    rig_forward(rig);
    rig_run(rig, ZF_PROGRAM_BACKWARD);
    rig_show(rig, "probabilities", net->top, chain_tolerance);
    for (size_t i = 0; i < gradients->count; i++) {
        char name[48];

        snprintf(name, sizeof name, "gradient %zu of %zu", i, gradients->count);
        rig_show_array(rig, name, gradients->of[i].numbers, gradients->of[i].count,
                       (struct tolerance){3e-5, 1e-6});
    }
}

/* Two classifiers share what lies below and are added up, so a gradient has two users too. Whole
   numbers end with the dropout of rate 1/2, which doubles them. */
static void two_training_steps(struct rig *rig)
{
    const struct zf_lrn lrn = {.size = 5, .alpha = 0.1f, .beta = 0.75f, .k = 2.0f};
    struct gradients gradients = {.count = 0};
    struct net net;
    zf_value below, dropped, normal, scales, weight[2], bias[2], logits[2], diff;
    int32_t labels[5];
    int64_t classes;

    net_init(&net, rig, true);
    below = build_stages(&net, (int)rig_between(rig, 1, MOST_STAGES));
    dropped = net.ops->dropout(net.e, below, 0.5f, 7);
    normal = net.ops->lrn_forward(net.e, &lrn, dropped, &scales);
    classes = rig_between(rig, 2, 12);
    for (int i = 0; i < 2; i++)
        logits[i] = fc(&net, normal, classes, 3.0, &weight[i], &bias[i]);
    net.top = net.ops->softmax_forward(net.e, net.ops->add(net.e, logits[0], logits[1]));
    net.ops->keep(net.e, net.top);

    net.ops->begin(net.e, ZF_PROGRAM_BACKWARD);
    diff = net.ops->cross_entropy_backward(net.e, net.top);
    logits[0] = fc_backward(&net, &gradients, normal, diff, weight[0], bias[0]);
    logits[1] = fc_backward(&net, &gradients, normal, diff, weight[1], bias[1]);
    diff = net.ops->add(net.e, logits[0], logits[1]);
    diff = net.ops->lrn_backward(net.e, &lrn, dropped, diff, scales);
    diff = net.ops->dropout(net.e, diff, 0.5f, 7);
    stages_backward(&net, &gradients, diff);
    rig_finish(rig);
    train_and_show(&net, &gradients, labels);
    change_parameters(&net);
    train_and_show(&net, &gradients, labels);
}

const struct engine_cases engine_chains[] = {
    {"forward_only", 100, forward_only},
    {"forward_then_projections", 300, forward_then_projections_in_any_order},
    {"two_training_steps", 300, two_training_steps},
    {NULL, 0, NULL},
};
