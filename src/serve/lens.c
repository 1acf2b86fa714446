/* SPDX-License-Identifier: MIT */
#include "serve/lens.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "engine/engine.h"

#define MOST_TARGETS ((ZF_PROGRAM_LIMIT - ZF_PROGRAM_PROJECT) / ZF_RULE_COUNT)

enum zf_status zf_lens_init(struct zf_lens *lens, const struct zf_net *net,
                            const struct zf_compute *compute, struct zf_error *err)
{
    const int layers = zf_net_layer_count(net);
    const struct zf_shape in = zf_net_input(net);
    enum zf_status status = ZF_OK;

    *lens = (struct zf_lens){.net = net, .compute = zf_compute_batch(*compute, 1)};
    lens->projects_all = layers <= MOST_TARGETS;
    lens->layers = zf_alloc((size_t)layers, sizeof *lens->layers);
    if (!lens->layers)
        return zf_no_memory(err, "a list of %d layers", layers);
    for (int i = 0; i < layers; i++)
        lens->layers[i] = i;
    for (int r = 0; r < ZF_RULE_COUNT; r++)
        ZF_TRY(zf_tensor_init(&lens->projected[r].pixels, 1, in.c, in.h, in.w, err));
fail:
    if (status != ZF_OK)
        zf_lens_release(lens);
    return status;
}

void zf_lens_release(struct zf_lens *lens)
{
    zf_plan_free(&lens->view.plan);
    zf_plan_free(&lens->down.plan);
    for (int r = 0; r < ZF_RULE_COUNT; r++)
        zf_tensor_release(&lens->projected[r].pixels);
    zf_free(lens->layers);
    lens->layers = NULL;
}

/* `layer` -1: all of them. */
static enum zf_status make(const struct zf_lens *lens, enum zf_purpose purpose, int layer,
                           struct zf_glass *glass, struct zf_error *err)
{
    const bool all = layer < 0;
    struct zf_compute compute = lens->compute;
    struct zf_plan *plan = NULL;

    compute.exact |= purpose == ZF_INFER; /* as a plan that projects: which is there, nobody sees */
    ZF_CHECK(zf_plan_create(lens->net,
                            &(struct zf_plan_options){
                                .compute = compute,
                                .purpose = purpose,
                                .every_rule = purpose == ZF_PROJECT,
                                .each = purpose == ZF_PROJECT,
                                .watched = true,
                                .taps = all ? lens->layers : &layer,
                                .tap_count = all ? (size_t)zf_net_layer_count(lens->net) : 1,
                                .taps_only = !all,
                            },
                            &plan, err));
    zf_plan_free(&glass->plan);
    *glass = (struct zf_glass){.plan = plan, .layer = layer};
    return ZF_OK;
}

/* Where one plan has room to project from every layer, it is read from as well. */
static enum zf_status ready_down(struct zf_lens *lens, int layer, struct zf_error *err)
{
    const int wanted = lens->projects_all ? -1 : layer;

    if (lens->down.plan && lens->down.layer == wanted)
        return ZF_OK;
    ZF_CHECK(make(lens, ZF_PROJECT, wanted, &lens->down, err));
    if (lens->projects_all)
        zf_plan_free(&lens->view.plan);
    return ZF_OK;
}

static struct zf_glass *view_of(struct zf_lens *lens)
{
    return lens->projects_all && lens->down.plan ? &lens->down : &lens->view;
}

/* The smaller plan is there sooner: nobody waits for the other to see a picture. */
static enum zf_status ready_view(struct zf_lens *lens, struct zf_error *err)
{
    struct zf_glass *glass = view_of(lens);

    return glass->plan ? ZF_OK : make(lens, ZF_INFER, -1, glass, err);
}

bool zf_lens_warm(struct zf_lens *lens)
{
    if (!view_of(lens)->plan)
        return ready_view(lens, NULL) == ZF_OK;
    return lens->projects_all && !lens->down.plan && ready_down(lens, -1, NULL) == ZF_OK;
}

static enum zf_status run(struct zf_glass *glass, const struct zf_tensor *input, uint64_t serial,
                          struct zf_error *err)
{
    if (serial != 0 && glass->serial == serial)
        return ZF_OK;
    glass->serial = 0;
    zf_plan_forward(glass->plan, input);
    ZF_CHECK(zf_plan_check_finite(glass->plan, input, NULL, err));
    glass->serial = serial;
    return ZF_OK;
}

enum zf_status zf_lens_view(struct zf_lens *lens, struct zf_sight *sight, struct zf_plan **plan,
                            struct zf_error *err)
{
    ZF_CHECK(ready_view(lens, err));
    ZF_CHECK(run(view_of(lens), &sight->input, sight->serial, err));
    *plan = view_of(lens)->plan;
    return ZF_OK;
}

enum zf_status zf_lens_run(struct zf_lens *lens, const struct zf_tensor *input,
                           struct zf_plan **plan, struct zf_error *err)
{
    ZF_CHECK(ready_view(lens, err));
    ZF_CHECK(run(view_of(lens), input, 0, err));
    *plan = view_of(lens)->plan;
    return ZF_OK;
}

enum zf_status zf_lens_answer(struct zf_lens *lens, struct zf_sight *sight, struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(lens->net);
    struct zf_tensor values;
    struct zf_plan *plan;
    enum zf_status status;
    float *answer;

    if (sight->answer)
        return ZF_OK;
    ZF_CHECK(zf_lens_view(lens, sight, &plan, err));
    answer = zf_alloc((size_t)classes, sizeof *answer);
    if (!answer)
        return zf_no_memory(err, "an answer");
    values = zf_tensor_view(answer, 1, classes, 1, 1);
    ZF_TRY(zf_plan_answer(plan, &values, err));
    for (int64_t k = 0; k < classes; k++) {
        if (!isfinite(answer[k]))
            ZF_LEAVE(zf_fail(err, ZF_EINPUT, "what %s answers is not finite (NaN or infinite)",
                             zf_net_name(lens->net)));
    }
    sight->answer = answer;
    answer = NULL;
fail:
    zf_free(answer);
    return status;
}

static bool is_projected(const struct zf_lens *lens, const struct zf_sight *sight,
                         enum zf_rule rule, const struct zf_activation *wanted)
{
    const struct zf_activation *of = &lens->projected[rule].of;

    return lens->projected[rule].serial == sight->serial && of->layer == wanted->layer &&
           of->map == wanted->map && of->y == wanted->y && of->x == wanted->x;
}

enum zf_status zf_lens_project(struct zf_lens *lens, struct zf_sight *sight, enum zf_rule rule,
                               struct zf_activation *wanted, const struct zf_tensor **pixels,
                               struct zf_error *err)
{
    ZF_CHECK(zf_activation_check(lens->net, wanted, err));
    *pixels = &lens->projected[rule].pixels;
    if (is_projected(lens, sight, rule, wanted)) {
        *wanted = lens->projected[rule].of;
        return ZF_OK;
    }
    ZF_CHECK(ready_down(lens, wanted->layer, err));
    ZF_CHECK(run(&lens->down, &sight->input, sight->serial, err));
    zf_plan_set_rule(lens->down.plan, rule);
    lens->projected[rule].serial = 0;
    ZF_CHECK(zf_activation_project(lens->down.plan, lens->net, wanted,
                                   &lens->projected[rule].pixels, err));
    lens->projected[rule].of = *wanted;
    lens->projected[rule].serial = sight->serial;
    return ZF_OK;
}
