/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <assert.h>

#include "base/memory.h"
#include "base/random.h"
#include "net/answer.h"

const char *const zf_rule_names[] = {"deconvnet", "gradient", "guided", NULL};

void zf_plan_free(struct zf_plan **pointer)
{
    struct zf_plan *plan = pointer ? *pointer : NULL;

    if (!plan)
        return;
    if (plan->engine)
        plan->op->free(&plan->engine);
    for (int t = 0; t < plan->target_count; t++)
        zf_boxes_release(&plan->targets[t].boxes);
    zf_watch_release(plan);
    zf_boxes_release(&plan->patch.boxes);
    zf_free(plan->patch.outputs);
    zf_free(plan->patch.frames);
    zf_free(plan->round.pixels);
    zf_free(plan->round.places);
    zf_free(plan->round.values);
    zf_free(plan->round.turn);
    zf_free(plan->round.done);
    zf_free(plan->corners);
    zf_free(plan->samples);
    zf_free(plan->outputs);
    zf_free(plan->readable);
    zf_free(plan->emits);
    zf_free(plan->mask);
    zf_free(plan->targets);
    zf_free(plan);
    *pointer = NULL;
}

const struct zf_target *zf_plan_target(const struct zf_plan *plan, int layer)
{
    for (int t = 0; t < plan->target_count; t++)
        if (plan->targets[t].layer == layer && plan->targets[t].rule == plan->rule)
            return &plan->targets[t];
    return NULL;
}

static void forward(struct zf_plan *plan, const struct zf_tensor *src, uint64_t dropout_key)
{
    struct zf_run run = {.count = src->n, .dropout_key = dropout_key, .first = plan->first};

    assert(src->n >= 1 && src->n <= (plan->purpose == ZF_PATCH ? 1 : plan->batch) &&
           src->c == plan->net->input.c && src->h == plan->net->input.h &&
           src->w == plan->net->input.w);
    plan->images = src->n;
    plan->patched = false;
    plan->dropout_key = dropout_key;
    plan->op->write(plan->engine, plan->input, src->data, src->n);
    plan->op->run(plan->engine, ZF_PROGRAM_FORWARD, &run);
}

void zf_plan_refresh(struct zf_plan *plan)
{
    plan->op->run(plan->engine, ZF_PROGRAM_REFRESH, &(struct zf_run){.count = plan->batch});
    zf_watch_refresh(plan);
}

void zf_plan_set_part(struct zf_plan *plan, int64_t first, int64_t whole)
{
    plan->first = first;
    plan->whole = whole;
}

void zf_plan_forward(struct zf_plan *plan, const struct zf_tensor *src)
{
    forward(plan, src, 0);
}

void zf_plan_forward_train(struct zf_plan *plan, const struct zf_tensor *src, uint64_t seed,
                           uint64_t step)
{
    struct zf_random masks = zf_random_stream(seed, ZF_RANDOM_DROPOUT, step, 0);

    forward(plan, src, zf_random_next(&masks) | 1); /* 0 would mean no dropout */
}

void zf_plan_backward_told(struct zf_plan *plan, const int32_t *labels,
                           void (*there)(void *user, int layer), void *user)
{
    struct zf_run run = {.count = plan->images,
                         .labels = labels,
                         .dropout_key = plan->dropout_key,
                         .first = plan->first,
                         .whole = plan->whole,
                         .passed = there,
                         .user = user};

    assert(plan->purpose == ZF_TRAIN);
    plan->op->run(plan->engine, ZF_PROGRAM_BACKWARD, &run);
}

void zf_plan_backward(struct zf_plan *plan, const int32_t *labels)
{
    zf_plan_backward_told(plan, labels, NULL, NULL);
}

/* A layer's output of the last run. */
static zf_value shown(const struct zf_plan *plan, int layer)
{
    return plan->patched ? plan->patch.outputs[layer] : plan->outputs[layer];
}

void zf_plan_read(struct zf_plan *plan, int layer, struct zf_tensor *dst)
{
    assert(plan->readable[layer] && dst->n >= 1 && dst->n <= plan->images);
    assert(dst->c * dst->h * dst->w == plan->net->layers[layer].inferred.out.c *
                                           plan->net->layers[layer].inferred.out.h *
                                           plan->net->layers[layer].inferred.out.w);
    plan->op->read(plan->engine, shown(plan, layer), dst->data, dst->n);
}

/* In double: the order of a float's sum would show. */
static void average(const float *map, int64_t cells, float *mean)
{
    double sum = 0;

    for (int64_t i = 0; i < cells; i++)
        sum += (double)map[i];
    *mean = (float)(sum / (double)cells);
}

enum zf_status zf_plan_answer(struct zf_plan *plan, struct zf_tensor *dst, struct zf_error *err)
{
    const int last = plan->net->layer_count - 1;
    const struct zf_shape out = zf_net_shape(plan->net, last);
    const int64_t cells = out.h * out.w;
    struct zf_tensor maps = {0}, values = zf_tensor_view(dst->data, dst->n, out.c, 1, 1);

    if (cells == 1) {
        zf_plan_read(plan, last, &values);
        zf_answer_from_outputs(plan->net, dst->data, dst->n);
        return ZF_OK;
    }
    ZF_CHECK(zf_tensor_init(&maps, dst->n, out.c, out.h, out.w, err));
    zf_plan_read(plan, last, &maps);
    for (int64_t i = 0; i < dst->n * out.c; i++)
        average(maps.data + i * cells, cells, &dst->data[i]);
    zf_tensor_release(&maps);
    return ZF_OK;
}

float zf_plan_activation(struct zf_plan *plan, int layer, struct zf_place place)
{
    assert(plan->readable[layer] && place.n < plan->images);
    return plan->op->peek(plan->engine, shown(plan, layer),
                          (struct zf_cell){place.n, place.map, place.y, place.x});
}

void zf_plan_maxima(struct zf_plan *plan, int layer, float *strongest, int32_t *where)
{
    assert(plan->readable[layer]);
    plan->op->map_maxima(plan->engine, shown(plan, layer), strongest, where, plan->images);
}

void zf_plan_project(struct zf_plan *plan, int layer, const struct zf_place *places,
                     const float *values, size_t count, struct zf_tensor *dst)
{
    const struct zf_target *target = zf_plan_target(plan, layer);
    struct zf_run run = {.count = plan->images};

    assert(target && !target->cone && dst->n >= 1 && dst->n <= plan->images);
    plan->op->zero(plan->engine, target->seed);
    for (size_t i = 0; i < count; i++) {
        const struct zf_cell cell = {places[i].n, places[i].map, places[i].y, places[i].x};

        plan->op->poke(plan->engine, target->seed, cell,
                       values ? values[i]
                              : plan->op->peek(plan->engine, plan->outputs[layer], cell));
    }
    plan->op->run(plan->engine, target->program, &run);
    plan->op->read(plan->engine, target->pixels, dst->data, dst->n);
}

void zf_plan_set_rule(struct zf_plan *plan, enum zf_rule rule)
{
    plan->rule = rule;
}

const char *zf_plan_engine(const struct zf_plan *plan)
{
    return plan->op->name;
}

size_t zf_plan_memory(const struct zf_plan *plan)
{
    return plan->op->memory(plan->engine);
}
