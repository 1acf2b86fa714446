/* SPDX-License-Identifier: MIT */
/*
 * Compiling a net: every layer emits its operations into the engine's programs, up for FORWARD and
 * down for BACKWARD and for each projection. Walking down is the same for both: the signal at each
 * value is the sum over its users, and a layer turns the signal at its output into that at its
 * inputs.
 */
#include "plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

/* Cutting boxes out and finding switches again costs a little of what cones spare. */
#define WORTH_A_CONE 0.75

static struct zf_dims dims_of(int64_t n, struct zf_shape shape)
{
    return (struct zf_dims){4, {n, shape.c, shape.h, shape.w}};
}

/* Taps, the last layer unless only taps are wanted, and all that they stand on. */
static void mark_needed(const struct zf_net *net, const struct zf_plan_options *options,
                        bool *needed)
{
    for (size_t i = 0; i < options->tap_count; i++)
        needed[options->taps[i]] = true;
    if (!options->taps_only)
        needed[net->layer_count - 1] = true;
    for (int i = net->layer_count - 1; i >= 0; i--)
        for (int k = 0; needed[i] && k < net->layers[i].input_count; k++)
            if (net->layers[i].inputs[k] != ZF_NET_INPUT)
                needed[net->layers[i].inputs[k]] = true;
}

/* May layer i rectify on the way out? Only when a relu is all that looks at its output. */
static bool only_user_is_relu(const struct zf_net *net, int i, const bool *needed, int *user)
{
    int users = 0;

    for (int k = i + 1; k < net->layer_count; k++)
        for (int m = 0; needed[k] && m < net->layers[k].input_count; m++)
            if (net->layers[k].inputs[m] == i) {
                users++;
                *user = k;
            }
    return users == 1 && strcmp(net->layers[*user].type->name, "relu") == 0;
}

/* Fusing is offered to the layers that end in a sum of products. */
static void mark_fused(struct zf_plan *plan, const bool *needed)
{
    const struct zf_net *net = plan->net;

    for (int i = 0; i < net->layer_count; i++) {
        int user = i;

        if (!needed[i] || plan->readable[i] || (plan->watch.looked && plan->watch.looked[i]) ||
            net->layers[i].inferred.weight.rank < 2 || !only_user_is_relu(net, i, needed, &user))
            continue;
        if (plan->purpose == ZF_PATCH && plan->patch.frames[i].used)
            plan->patch.frames[i].rectified = true;
        else
            plan->emits[i].fuse_relu = plan->emits[user].fused = true;
    }
}

zf_value zf_plan_value(const struct zf_plan *plan, int layer)
{
    return layer == ZF_NET_INPUT ? plan->input : plan->outputs[layer];
}

/* A layer's parameters, or their gradients, as values: weight and bias. */
static void bind_parameters(const struct zf_plan *plan, const struct zf_layer *layer, float *array,
                            zf_value *weight, zf_value *bias)
{
    *weight = *bias = ZF_NO_VALUE;
    for (int i = 0; i < layer->parameter_count; i++) {
        const struct zf_parameter_slot *slot = &plan->net->slots[layer->first_parameter + i];

        *(slot->is_bias ? bias : weight) =
            plan->op->host(plan->engine, slot->dims, array + slot->offset);
    }
}

/* Cones find their switches on their own boxes. */
static enum zf_purpose forward_purpose(const struct zf_plan *plan)
{
    if (plan->purpose != ZF_PROJECT)
        return plan->purpose == ZF_PATCH ? ZF_INFER : plan->purpose;
    for (int t = 0; t < plan->target_count; t++)
        if (!plan->targets[t].cone)
            return ZF_PROJECT;
    return ZF_INFER;
}

/* A layer's maps times one, and one of them times zero. */
static zf_value masked(const struct zf_plan *plan, const struct zf_emit *e)
{
    const struct zf_dims maps = {1, {e->layer->inferred.out.c}};

    return plan->op->scale_forward(plan->engine, e->dst,
                                   plan->op->host(plan->engine, maps, plan->mask), ZF_NO_VALUE);
}

static void emit_forward(struct zf_plan *plan, const struct zf_plan_options *options,
                         const bool *needed)
{
    const struct zf_net *net = plan->net;
    const int64_t images = plan->purpose == ZF_PATCH ? 1 : plan->batch;

    plan->op->begin(plan->engine, ZF_PROGRAM_FORWARD);
    plan->input = plan->op->input(plan->engine, dims_of(images, net->input));
    for (int i = 0; i < net->layer_count; i++) {
        struct zf_emit *e = &plan->emits[i];

        plan->outputs[i] = ZF_NO_VALUE;
        if (!needed[i])
            continue;
        e->op = plan->op;
        e->engine = plan->engine;
        e->layer = &net->layers[i];
        e->index = i;
        e->window = e->layer->inferred.window;
        e->out = e->layer->inferred.out;
        e->purpose = forward_purpose(plan);
        e->state = ZF_NO_VALUE;
        for (int k = 0; k < e->layer->input_count; k++) {
            e->src[k] = zf_plan_value(plan, e->layer->inputs[k]);
            e->src_dims[k] = plan->op->dims(plan->engine, e->src[k]);
        }
        bind_parameters(plan, e->layer, net->parameters, &e->weight, &e->bias);
        if (options->gradients)
            bind_parameters(plan, e->layer, options->gradients, &e->diff_weight, &e->diff_bias);
        e->layer->type->forward(e);
        if (options->silence && options->silence->layer == i)
            e->dst = masked(plan, e);
        plan->outputs[i] = e->dst;
        if (plan->readable[i] || (plan->watch.looked && plan->watch.looked[i]))
            plan->op->keep(plan->engine, e->dst);
    }
}

/* Which layers are on the way to parameters that are trained, their own included? No gradient need
   go elsewhere. */
static void mark_trained(const struct zf_net *net, bool *trained)
{
    for (int i = 0; i < net->layer_count; i++) {
        const struct zf_layer *layer = &net->layers[i];

        trained[i] = layer->parameter_count > 0 && !layer->frozen;
        for (int k = 0; k < layer->input_count; k++)
            trained[i] |= layer->inputs[k] != ZF_NET_INPUT && trained[layer->inputs[k]];
    }
}

/* From the signal at layer `top` down to the input; returns the signal there, or ZF_NO_VALUE.
   signals [layers] is room for the signal at each layer's output; trained [layers], in training. */
static zf_value emit_down(struct zf_plan *plan, int top, zf_value seed, zf_value *signals,
                          const bool *trained)
{
    const struct zf_net *net = plan->net;
    const bool training = plan->purpose == ZF_TRAIN;
    zf_value at_input = ZF_NO_VALUE;

    for (int i = 0; i < net->layer_count; i++)
        signals[i] = ZF_NO_VALUE;
    signals[top] = seed;
    for (int i = top; i >= 0; i--) {
        struct zf_emit *e = &plan->emits[i];

        if (signals[i] == ZF_NO_VALUE && !(training && i == top))
            continue;
        e->diff_dst = signals[i];
        e->want_diff_src = false;
        for (int k = 0; k < e->layer->input_count; k++) {
            e->diff_src[k] = ZF_NO_VALUE;
            e->want_diff_src |=
                !training || (e->layer->inputs[k] != ZF_NET_INPUT && trained[e->layer->inputs[k]]);
        }
        (training ? e->layer->type->backward : e->layer->type->project)(e);
        if (training && e->layer->parameter_count > 0 && !e->layer->frozen)
            plan->op->mark(plan->engine, i);
        for (int k = 0; k < e->layer->input_count; k++) {
            const int below = e->layer->inputs[k];
            zf_value *sum = below == ZF_NET_INPUT ? &at_input : &signals[below];

            if (e->diff_src[k] == ZF_NO_VALUE)
                continue;
            *sum = *sum == ZF_NO_VALUE ? e->diff_src[k]
                                       : plan->op->add(plan->engine, *sum, e->diff_src[k]);
        }
    }
    return at_input;
}

static void emit_projections(struct zf_plan *plan, zf_value *signals)
{
    for (int t = 0; t < plan->target_count; t++) {
        struct zf_target *target = &plan->targets[t];

        for (int i = 0; i <= target->layer; i++)
            plan->emits[i].rule = target->rule;
        if (target->cone) {
            zf_emit_cone(plan, target, signals);
            continue;
        }
        plan->op->begin(plan->engine, target->program);
        target->seed = plan->op->like(plan->engine, plan->outputs[target->layer]);
        target->pixels = emit_down(plan, target->layer, target->seed, signals, NULL);
        plan->op->keep(plan->engine, target->pixels);
    }
}

static size_t rules_of(const struct zf_plan_options *options)
{
    return options->every_rule ? ZF_RULE_COUNT : 1;
}

static enum zf_status check_options(const struct zf_net *net, const struct zf_plan_options *options,
                                    struct zf_error *err)
{
    const struct zf_layer *last = &net->layers[net->layer_count - 1];

    if (options->compute.batch < 1 || options->compute.batch > 65536)
        return zf_fail(err, ZF_EINVAL, "a batch of %" PRId64 "; it must be from 1 to 65536",
                       options->compute.batch);
    for (size_t i = 0; i < options->tap_count; i++)
        if (options->taps[i] < 0 || options->taps[i] >= net->layer_count)
            return zf_fail(err, ZF_EINVAL, "layer %d; %s has layers 0 to %d", options->taps[i],
                           net->name, net->layer_count - 1);
    if (options->taps_only && options->tap_count == 0)
        return zf_fail(err, ZF_EINVAL, "a plan for taps only needs at least one");
    if (options->purpose == ZF_PROJECT &&
        options->tap_count > (ZF_PROGRAM_LIMIT - ZF_PROGRAM_PROJECT) / rules_of(options))
        return zf_fail(err, ZF_EINVAL, "%zu layers to project from; the limit is %zu",
                       options->tap_count,
                       (ZF_PROGRAM_LIMIT - ZF_PROGRAM_PROJECT) / rules_of(options));
    if (options->silence &&
        (options->purpose != ZF_INFER || options->silence->layer < 0 ||
         options->silence->layer >= net->layer_count || options->silence->map < 0 ||
         options->silence->map >= net->layers[options->silence->layer].inferred.out.c))
        return zf_fail(err, ZF_EINVAL,
                       "map %" PRId64 " of layer %d cannot be silenced: it must be one of %s, in a "
                       "plan that infers",
                       options->silence->map, options->silence->layer, net->name);
    if (options->purpose == ZF_TRAIN && (!options->gradients || options->taps_only))
        return zf_fail(err, ZF_EINVAL,
                       "a plan for training needs room for gradients, and the "
                       "whole net");
    if (options->purpose == ZF_TRAIN && strcmp(last->type->name, "softmax") != 0)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s ends in %s, a %s layer; training needs a softmax at the end", net->name,
                       last->name, last->type->name);
    return ZF_OK;
}

/* A tap to project from; by cones where asked for and where they spare a good part of the work. */
static enum zf_status add_target(struct zf_plan *plan, int layer, enum zf_rule rule,
                                 struct zf_error *err)
{
    struct zf_target *target = &plan->targets[plan->target_count];
    double boxed, whole;

    *target = (struct zf_target){.layer = layer,
                                 .rule = rule,
                                 .program = ZF_PROGRAM_PROJECT + plan->target_count,
                                 .seed = ZF_NO_VALUE,
                                 .pixels = ZF_NO_VALUE};
    plan->target_count++;
    if (plan->each) {
        ZF_CHECK(zf_boxes_down(plan->net, layer, &target->boxes, err));
        zf_boxes_cost(plan->net, &target->boxes, &boxed, &whole);
        target->cone = boxed < WORTH_A_CONE * whole;
    }
    return ZF_OK;
}

static enum zf_status add_targets(struct zf_plan *plan, int layer,
                                  const struct zf_plan_options *options, struct zf_error *err)
{
    ZF_CHECK(add_target(plan, layer, options->rule, err));
    for (int r = 0; options->every_rule && r < ZF_RULE_COUNT; r++) {
        if ((enum zf_rule)r != options->rule)
            ZF_CHECK(add_target(plan, layer, (enum zf_rule)r, err));
    }
    return ZF_OK;
}

static enum zf_status allocate_round(struct zf_plan *plan, struct zf_error *err)
{
    const struct zf_shape input = plan->net->input;
    const size_t batch = (size_t)plan->batch;
    int64_t floats;

    if (zf_mul3(input.c, input.h, input.w, &floats))
        plan->round.pixels = zf_alloc(batch, (size_t)floats * sizeof *plan->round.pixels);
    plan->round.places = zf_alloc(batch, sizeof *plan->round.places);
    plan->round.values = zf_alloc(batch, sizeof *plan->round.values);
    plan->round.turn = zf_alloc(batch, sizeof *plan->round.turn);
    plan->round.done = zf_alloc(batch, sizeof *plan->round.done);
    if (!plan->round.pixels || !plan->round.places || !plan->round.values || !plan->round.turn ||
        !plan->round.done)
        return zf_fail(err, ZF_ENOMEM, "no memory for projections of a batch of %" PRId64,
                       plan->batch);
    return ZF_OK;
}

static enum zf_status allocate_mask(struct zf_plan *plan, const struct zf_silence *silence,
                                    struct zf_error *err)
{
    const int64_t maps = plan->net->layers[silence->layer].inferred.out.c;

    plan->mask = zf_alloc((size_t)maps, sizeof *plan->mask);
    if (!plan->mask)
        return zf_no_memory(err, "%" PRId64 " maps", maps);
    for (int64_t m = 0; m < maps; m++)
        plan->mask[m] = m == silence->map ? 0.0f : 1.0f;
    return ZF_OK;
}

/* Where decisions of a rectifier or a maximum carry a whole signal, digits come from double. */
static const char *engine_of(const struct zf_plan_options *options)
{
    const bool in_double = options->compute.exact && options->purpose == ZF_PROJECT;

    return in_double && !options->compute.engine ? zf_engine_reference.name
                                                 : options->compute.engine;
}

static enum zf_status allocate(struct zf_plan *plan, const struct zf_plan_options *options,
                               struct zf_error *err)
{
    const size_t layers = (size_t)plan->net->layer_count;

    plan->outputs = zf_alloc(layers, sizeof *plan->outputs);
    plan->readable = zf_alloc(layers, sizeof *plan->readable);
    plan->emits = zf_alloc(layers, sizeof *plan->emits);
    plan->targets = zf_alloc(options->tap_count * rules_of(options), sizeof *plan->targets);
    if (!plan->outputs || !plan->readable || !plan->emits || !plan->targets)
        return zf_fail(err, ZF_ENOMEM, "no memory for a plan");
    if (options->silence)
        ZF_CHECK(allocate_mask(plan, options->silence, err));
    for (size_t i = 0; i < options->tap_count; i++) {
        if (plan->purpose == ZF_PROJECT && !plan->readable[options->taps[i]])
            ZF_CHECK(add_targets(plan, options->taps[i], options, err));
        plan->readable[options->taps[i]] = true;
    }
    if (!options->taps_only)
        plan->readable[layers - 1] = true;
    if (plan->each)
        ZF_CHECK(allocate_round(plan, err));
    if (plan->purpose == ZF_PATCH) {
        plan->patch.program = ZF_PROGRAM_PROJECT;
        plan->patch.outputs = zf_alloc(layers, sizeof *plan->patch.outputs);
        plan->patch.frames = zf_alloc(layers, sizeof *plan->patch.frames);
        if (!plan->patch.outputs || !plan->patch.frames)
            return zf_fail(err, ZF_ENOMEM, "no memory for a plan");
        ZF_CHECK(zf_boxes_up(plan->net, options->patch_height, options->patch_width,
                             &plan->patch.boxes, err));
        if (options->compute.precision == ZF_PRECISION_F32) /* in bf16 convolutions take little */
            zf_mark_frames(plan);
    }
    return plan->each || plan->purpose == ZF_PATCH ? zf_corners_init(plan, err) : ZF_OK;
}

enum zf_status zf_plan_create(const struct zf_net *net, const struct zf_plan_options *options,
                              struct zf_plan **out, struct zf_error *err)
{
    enum zf_status status;
    struct zf_plan *plan = NULL;
    bool *needed = NULL;
    zf_value *signals = NULL;
    struct zf_engine_config config = {
        .batch = options->compute.batch,
        .threads = options->compute.threads > 0 ? options->compute.threads : zf_core_count(),
        .training = options->purpose == ZF_TRAIN,
        .brief = options->brief,
        /* A switch between near-equal values turns on the last digits, so projections keep them. */
        .exact = options->compute.exact || options->purpose == ZF_PROJECT,
        .bf16 = options->compute.precision == ZF_PRECISION_BF16,
    };

    ZF_TRY(check_options(net, options, err));
    plan = zf_alloc(1, sizeof *plan);
    needed = zf_alloc((size_t)net->layer_count, sizeof *needed);
    signals = zf_alloc((size_t)net->layer_count + 1, sizeof *signals);
    if (!plan || !needed || !signals)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for a plan"));
    plan->net = net;
    plan->purpose = options->purpose;
    plan->rule = options->rule;
    plan->batch = options->compute.batch;
    plan->each = options->purpose == ZF_PROJECT && options->each;
    ZF_TRY(zf_engine_find(engine_of(options), &plan->op, err));
    ZF_TRY(allocate(plan, options, err));
    ZF_TRY(plan->op->create(&config, &plan->engine, err));
    mark_needed(net, options, needed);
    if (options->watched) {
        plan->watch.compute = options->compute;
        plan->watch.compute.threads = config.threads;
        ZF_TRY(zf_watch_init(plan, needed, err));
    }
    mark_fused(plan, needed);
    emit_forward(plan, options, needed);
    if (plan->purpose == ZF_TRAIN) {
        plan->op->begin(plan->engine, ZF_PROGRAM_BACKWARD);
        mark_trained(net, needed); /* all are needed */
        emit_down(plan, net->layer_count - 1, ZF_NO_VALUE, signals, needed);
    }
    emit_projections(plan, signals);
    if (plan->purpose == ZF_PATCH)
        zf_emit_changed(plan, signals);
    ZF_TRY(plan->op->finish(plan->engine, err));
    zf_free(plan->emits);
    plan->emits = NULL;
    plan->op->run(plan->engine, ZF_PROGRAM_REFRESH, &(struct zf_run){.count = plan->batch});
    *out = plan;
    plan = NULL;
fail:
    zf_free(needed);
    zf_free(signals);
    zf_plan_free(&plan);
    return status;
}
