/* SPDX-License-Identifier: MIT */
/* Running the programs of compile_boxes.c: where each sample's boxes lie. */
#include "plan.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

int zf_corners_seen(const struct zf_plan *plan, int layer)
{
    return plan->net->layer_count + 1 + layer;
}

int zf_corners_whole(const struct zf_plan *plan)
{
    return 2 * plan->net->layer_count + 1;
}

enum zf_status zf_corners_init(struct zf_plan *plan, struct zf_error *err)
{
    const size_t rows = (size_t)zf_corners_whole(plan) + 1;

    plan->corners = zf_alloc(rows * (size_t)plan->batch, sizeof *plan->corners);
    plan->samples = zf_alloc((size_t)plan->batch, sizeof *plan->samples);
    if (!plan->corners || !plan->samples)
        return zf_fail(err, ZF_ENOMEM, "no memory for the places of %" PRId64 " boxes",
                       plan->batch);
    return ZF_OK;
}

/* Sample n's boxes all follow from where the first is. */
static void place_boxes(struct zf_plan *plan, const struct zf_boxes *boxes, int64_t n,
                        struct zf_corner start)
{
    const struct zf_net *net = plan->net;

    for (int i = 0; i <= net->layer_count; i++)
        plan->corners[i * plan->batch + n] = zf_boxes_corner(boxes, i, start);
    for (int i = 0; i < net->layer_count; i++) {
        const struct zf_window *w = &net->layers[i].inferred.window;
        const struct zf_corner box = plan->corners[(i + 1) * plan->batch + n];

        plan->corners[zf_corners_seen(plan, i) * plan->batch + n] =
            (struct zf_corner){box.y * w->stride_h - w->pad_top, box.x * w->stride_w - w->pad_left};
    }
}

/* Where layers are given differences, these begin inside of what is seen. */
static void place_frames(struct zf_plan *plan, int64_t n)
{
    for (int i = 0; i < plan->net->layer_count; i++) {
        struct zf_corner *seen = &plan->corners[zf_corners_seen(plan, i) * plan->batch + n];

        if (plan->patch.frames[i].used) {
            seen->y += plan->patch.frames[i].rows.first;
            seen->x += plan->patch.frames[i].columns.first;
        }
    }
}

void zf_plan_forward_patched(struct zf_plan *plan, const struct zf_tensor *patches,
                             const struct zf_box *boxes)
{
    const struct zf_run run = {
        .count = patches->n, .corners = plan->corners, .samples = plan->samples};

    assert(plan->purpose == ZF_PATCH && patches->n >= 1 && patches->n <= plan->batch);
    for (int64_t n = 0; n < patches->n; n++) {
        assert(boxes[n].height == patches->h && boxes[n].width == patches->w);
        place_boxes(plan, &plan->patch.boxes, n, (struct zf_corner){boxes[n].y, boxes[n].x});
        place_frames(plan, n);
        plan->samples[n] = 0;
    }
    plan->op->write(plan->engine, plan->patch.input, patches->data, patches->n);
    plan->op->run(plan->engine, plan->patch.program, &run);
    plan->images = patches->n;
    plan->patched = true;
}

static float start_value(struct zf_plan *plan, int layer, struct zf_place place, const float *value)
{
    return value ? *value
                 : plan->op->peek(plan->engine, plan->outputs[layer],
                                  (struct zf_cell){place.n, place.map, place.y, place.x});
}

static void project_cones(struct zf_plan *plan, const struct zf_target *target,
                          const struct zf_place *places, const float *values, struct zf_tensor *dst)
{
    const struct zf_run run = {.count = dst->n, .corners = plan->corners, .samples = plan->samples};

    plan->op->zero(plan->engine, target->seed);
    for (int64_t n = 0; n < dst->n; n++) {
        const struct zf_place place = places[n];
        struct zf_corner seed;

        place_boxes(plan, &target->boxes, n, (struct zf_corner){place.y, place.x});
        seed = plan->corners[(target->layer + 1) * plan->batch + n];
        plan->samples[n] = place.n;
        plan->op->poke(plan->engine, target->seed,
                       (struct zf_cell){n, place.map, place.y - seed.y, place.x - seed.x},
                       start_value(plan, target->layer, place, values ? &values[n] : NULL));
    }
    plan->op->run(plan->engine, target->program, &run);
    plan->op->read(plan->engine, target->pixels, dst->data, dst->n);
}

/* One place of each picture at a time, in rounds; done [dst->n] is room for what has had its. */
static void project_in_rounds(struct zf_plan *plan, int layer, const struct zf_place *places,
                              const float *values, struct zf_tensor *dst)
{
    const int64_t image = dst->c * dst->h * dst->w;
    struct zf_tensor whole =
        zf_tensor_view(plan->round.pixels, plan->images, dst->c, dst->h, dst->w);

    memset(plan->round.done, 0, (size_t)dst->n * sizeof *plan->round.done);
    for (int64_t left = dst->n; left > 0;) {
        int64_t *turn = plan->round.turn; /* [images]: whose, or -1 */
        size_t count = 0;

        for (int64_t n = 0; n < plan->images; n++)
            turn[n] = -1;
        for (int64_t i = 0; i < dst->n; i++) {
            if (plan->round.done[i] || turn[places[i].n] >= 0)
                continue;
            turn[places[i].n] = i;
            plan->round.done[i] = true;
            plan->round.places[count] = places[i];
            plan->round.values[count++] =
                start_value(plan, layer, places[i], values ? &values[i] : NULL);
        }
        zf_plan_project(plan, layer, plan->round.places, plan->round.values, count, &whole);
        for (int64_t n = 0; n < plan->images; n++)
            if (turn[n] >= 0)
                memcpy(dst->data + turn[n] * image, whole.data + n * image,
                       (size_t)image * sizeof *dst->data);
        left -= (int64_t)count;
    }
}

void zf_plan_project_each(struct zf_plan *plan, int layer, const struct zf_place *places,
                          const float *values, struct zf_tensor *dst)
{
    const struct zf_target *target = zf_plan_target(plan, layer);

    assert(target && plan->each && dst->n >= 1 && dst->n <= plan->batch);
    if (target->cone)
        project_cones(plan, target, places, values, dst);
    else
        project_in_rounds(plan, layer, places, values, dst);
}
