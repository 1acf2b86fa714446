/* SPDX-License-Identifier: MIT */
/*
 * Programs that compute only boxes of the maps, each sample's at a place of its own.
 *
 * Up: a patch of the input has changed, and so has a box of each map. A layer's box is computed
 * from what its windows see: the box below, laid over the map of the unchanged picture. Down: from
 * one activation a signal comes to a box of each map and is zero elsewhere.
 *
 * A layer runs on its box as on a small map of its own, without pads: what is outside of the map
 * is cut out along with the rest. A layer that is not local, and one whose boxes have grown to the
 * whole maps, runs on these as always.
 *
 * A convolution is linear: what is added to its input adds its own convolution to the output. So,
 * up, it is given only the difference between the changed box and the unchanged map, with zeros
 * around, and what comes out is added to what the layer gave for the unchanged picture:
 *
 *     conv(map with a changed box) = conv(map) + conv(box - map)
 *
 * The box below is smaller than what the windows of the box above see, by a kernel less one on each
 * side. Zeros there are pads, which cost nothing or little: for zfnet's conv4 a difference of 7 x 7
 * becomes a box of 9 x 9, where 11 x 11 cells were looked at.
 */
#include "plan.h"

/* Products that each number of a box must be spared, or adding it up costs more. */
#define WORTH_A_FRAME 128

struct boxed {
    struct zf_plan *plan;
    const struct zf_boxes *boxes;
    zf_value *values; /* [layers + 1]: the boxes of the maps, or of the signals at them */
};

/* What a layer's windows see of an input: rows x columns, and the row of corners. */
struct region {
    int64_t height, width;
    int at;
    bool whole;
};

static const struct zf_layer *layer_at(const struct boxed *b, int i)
{
    return &b->plan->net->layers[i];
}

static struct zf_dims box_dims(const struct boxed *b, int entry)
{
    return (struct zf_dims){4,
                            {b->plan->batch, zf_net_shape(b->plan->net, entry - 1).c,
                             b->boxes->rows.extent[entry], b->boxes->columns.extent[entry]}};
}

/* Is the box the whole map? */
static bool covers(const struct boxed *b, int entry)
{
    const struct zf_shape map = zf_net_shape(b->plan->net, entry - 1);

    return b->boxes->rows.extent[entry] == map.h && b->boxes->columns.extent[entry] == map.w;
}

/* NULL: the layer is not one that is given differences. */
static const struct zf_frame *frame_of(const struct boxed *b, int i)
{
    const struct zf_frame *frame = &b->plan->patch.frames[i];

    return frame->used ? frame : NULL;
}

static struct region region_of(const struct boxed *b, int i, int below)
{
    const struct zf_layer *layer = layer_at(b, i);
    const struct zf_window *w = &layer->inferred.window;
    const struct zf_shape map = zf_net_shape(b->plan->net, below);
    bool whole = covers(b, i + 1);

    for (int k = 0; k < layer->input_count; k++)
        whole = whole && covers(b, layer->inputs[k] + 1);
    if (whole || !zf_layer_is_local(b->plan->net, i))
        return (struct region){map.h, map.w, zf_corners_whole(b->plan), true};
    return (struct region){(b->boxes->rows.extent[i + 1] - 1) * w->stride_h +
                               zf_window_reach(w->kernel_h, w->dilate_h),
                           (b->boxes->columns.extent[i + 1] - 1) * w->stride_w +
                               zf_window_reach(w->kernel_w, w->dilate_w),
                           zf_corners_seen(b->plan, i), false};
}

/* Does the layer see exactly the box of its input? */
static bool sees_box(const struct boxed *b, int i, int below)
{
    const struct zf_window *w = &layer_at(b, i)->inferred.window;

    if (region_of(b, i, below).whole)
        return covers(b, below + 1);
    return w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
           !w->pad_top && !w->pad_left && zf_boxes_coincide(b->boxes, below + 1, i + 1);
}

/* Cut of the map of layer `below`; base, patch and where they are left to the caller. */
static struct zf_cut cut_of(const struct boxed *b, int below, int64_t height, int64_t width)
{
    const struct zf_shape map = zf_net_shape(b->plan->net, below);

    return (struct zf_cut){.dims = {4, {b->plan->batch, map.c, height, width}},
                           .height = map.h,
                           .width = map.w,
                           .base = ZF_NO_VALUE,
                           .patch = ZF_NO_VALUE};
}

/* The layer, to run on its box. */
static struct zf_emit emit_of(const struct boxed *b, int i)
{
    struct zf_emit e = b->plan->emits[i];

    for (int k = 0; k < e.layer->input_count; k++) {
        const struct region seen = region_of(b, i, e.layer->inputs[k]);

        e.src[k] = e.diff_src[k] = ZF_NO_VALUE;
        e.src_dims[k] = cut_of(b, e.layer->inputs[k], seen.height, seen.width).dims;
        if (!seen.whole)
            e.window.pad_top = e.window.pad_left = e.window.pad_bottom = e.window.pad_right = 0;
    }
    e.out.h = b->boxes->rows.extent[i + 1];
    e.out.w = b->boxes->columns.extent[i + 1];
    return e;
}

/* What layer i sees of its input: its box of now, and the unchanged map around it. */
static zf_value seen_changed(const struct boxed *b, int i, int below)
{
    const struct region seen = region_of(b, i, below);
    struct zf_cut cut = cut_of(b, below, seen.height, seen.width);

    if (sees_box(b, i, below))
        return b->values[below + 1];
    cut.at = seen.at;
    cut.base = zf_plan_value(b->plan, below);
    cut.patch = b->values[below + 1];
    cut.patch_at = below + 1;
    cut.fill = layer_at(b, i)->type->outside;
    return b->plan->op->cut(b->plan->engine, &cut);
}

/* What layer i saw of its input in the forward run. */
static zf_value seen_before(const struct boxed *b, int i, int below)
{
    const struct region seen = region_of(b, i, below);
    struct zf_cut cut = cut_of(b, below, seen.height, seen.width);

    cut.at = seen.at;
    cut.base = zf_plan_value(b->plan, below);
    cut.fill = layer_at(b, i)->type->outside;
    return b->plan->op->cut(b->plan->engine, &cut);
}

/* The whole map of a layer (or the input), of its box and what is around. */
static zf_value whole_map(const struct boxed *b, int layer, zf_value base)
{
    const struct zf_shape map = zf_net_shape(b->plan->net, layer);
    struct zf_cut cut = cut_of(b, layer, map.h, map.w);

    if (covers(b, layer + 1))
        return b->values[layer + 1];
    cut.at = zf_corners_whole(b->plan);
    cut.base = base;
    cut.patch = b->values[layer + 1];
    cut.patch_at = layer + 1;
    return b->plan->op->cut(b->plan->engine, &cut);
}

/* How much of a sum over windows the difference touches, of one side. */
static double share(struct zf_boxes_part part, int64_t stride, int64_t box)
{
    const double share = (double)part.extent / (double)(stride * box);

    return share < 1.0 ? share : 1.0;
}

void zf_mark_frames(struct zf_plan *plan)
{
    const struct boxed b = {plan, &plan->patch.boxes, NULL};

    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct zf_layer *layer = layer_at(&b, i);
        const struct zf_window *w = &layer->inferred.window;
        struct zf_frame *frame = &plan->patch.frames[i];
        double spared;

        if (!layer->type->linear || !zf_layer_is_local(plan->net, i) ||
            region_of(&b, i, layer->inputs[0]).whole)
            continue;
        zf_boxes_changed(plan->net, b.boxes, i, &frame->rows, &frame->columns);
        spared = 1.0 - share(frame->rows, w->stride_h, b.boxes->rows.extent[i + 1]) *
                           share(frame->columns, w->stride_w, b.boxes->columns.extent[i + 1]);
        frame->used = spared * (double)layer->inferred.fan_in >= WORTH_A_FRAME;
    }
}

/* Layer i's box from the difference at its input: e is the layer, to run on its box. */
static zf_value changed_by(const struct boxed *b, const struct zf_frame *frame, struct zf_emit *e)
{
    const int i = e->index, below = e->layer->inputs[0];
    const struct region seen = region_of(b, i, below);
    struct zf_cut difference = cut_of(b, below, frame->rows.extent, frame->columns.extent);
    struct zf_cut sum = cut_of(b, i, e->out.h, e->out.w);

    difference.kind = ZF_CUT_DIFFERENCE;
    difference.at = seen.at;
    difference.base = zf_plan_value(b->plan, below);
    difference.patch = b->values[below + 1];
    difference.patch_at = below + 1;
    e->src[0] = b->plan->op->cut(b->plan->engine, &difference);
    e->src_dims[0] = difference.dims;
    e->window.pad_top = frame->rows.first;
    e->window.pad_bottom = seen.height - frame->rows.first - frame->rows.extent;
    e->window.pad_left = frame->columns.first;
    e->window.pad_right = seen.width - frame->columns.first - frame->columns.extent;
    e->bias = ZF_NO_VALUE;
    e->layer->type->forward(e);
    sum.kind = ZF_CUT_SUM;
    sum.rectify = frame->rectified;
    sum.at = sum.patch_at = i + 1;
    sum.base = b->plan->outputs[i];
    sum.patch = e->dst;
    return b->plan->op->cut(b->plan->engine, &sum);
}

/* Layer i's box from what its windows see. */
static zf_value computed_anew(const struct boxed *b, struct zf_emit *e)
{
    for (int k = 0; k < e->layer->input_count; k++) {
        const int below = e->layer->inputs[k];

        e->src[k] = seen_changed(b, e->index, below);
        e->src_dims[k] = b->plan->op->dims(b->plan->engine, e->src[k]);
        if (below != ZF_NET_INPUT && b->plan->patch.frames[below].rectified)
            e->fused = true;
    }
    e->layer->type->forward(e);
    return e->dst;
}

void zf_emit_changed(struct zf_plan *plan, zf_value *values)
{
    const struct boxed b = {plan, &plan->patch.boxes, values};

    plan->op->begin(plan->engine, plan->patch.program);
    values[0] = plan->patch.input = plan->op->input(plan->engine, box_dims(&b, 0));
    for (int i = 0; i < plan->net->layer_count; i++) {
        const struct zf_frame *frame = frame_of(&b, i);
        struct zf_emit e;

        values[i + 1] = plan->patch.outputs[i] = ZF_NO_VALUE;
        if (plan->outputs[i] == ZF_NO_VALUE)
            continue;
        e = emit_of(&b, i);
        values[i + 1] = frame ? changed_by(&b, frame, &e) : computed_anew(&b, &e);
        if (plan->readable[i]) {
            plan->patch.outputs[i] = whole_map(&b, i, plan->outputs[i]);
            plan->op->keep(plan->engine, plan->patch.outputs[i]);
        }
    }
}

static bool looks_back(const struct zf_emit *e)
{
    return e->layer->type->looks_back == ZF_LOOKS_ALWAYS ||
           (e->layer->type->looks_back == ZF_LOOKS_BY_MASK && e->rule != ZF_RULE_DECONVNET);
}

/* At the box of layer i's input `below`, and in all of the pixels: a signal that lies where the
   layer's windows begin. */
static struct zf_cut box_below(const struct boxed *b, int i, int below, zf_value signal)
{
    const struct zf_shape map = zf_net_shape(b->plan->net, below);
    struct zf_cut cut =
        cut_of(b, below, b->boxes->rows.extent[below + 1], b->boxes->columns.extent[below + 1]);

    cut.at = below + 1;
    if (below == ZF_NET_INPUT) {
        cut.dims.d[2] = map.h;
        cut.dims.d[3] = map.w;
        cut.at = zf_corners_whole(b->plan);
    }
    cut.patch = signal;
    cut.patch_at = region_of(b, i, below).at;
    return cut;
}

/* From the signal at the layer's box to those at the boxes of its inputs: e->diff_src. */
static void project_box(const struct boxed *b, struct zf_emit *e)
{
    const struct zf_layer_type *type = e->layer->type;
    const int i = e->index;

    if (type->project_box) {
        const int below = e->layer->inputs[0];
        struct zf_cut box = box_below(b, i, below, e->diff_dst);

        box.base = zf_plan_value(b->plan, below);
        e->diff_src[0] = type->project_box(e, &box);
        return;
    }
    for (int k = 0; looks_back(e) && k < e->layer->input_count; k++)
        e->src[k] = seen_before(b, i, e->layer->inputs[k]);
    if (looks_back(e))
        type->forward(e);
    type->project(e);
    for (int k = 0; k < e->layer->input_count; k++) {
        const int below = e->layer->inputs[k];
        const struct zf_cut box = box_below(b, i, below, e->diff_src[k]);

        if (!sees_box(b, i, below) || (below == ZF_NET_INPUT && !covers(b, 0)))
            e->diff_src[k] = b->plan->op->cut(b->plan->engine, &box);
    }
}

void zf_emit_cone(struct zf_plan *plan, struct zf_target *target, zf_value *values)
{
    const struct boxed b = {plan, &target->boxes, values};

    plan->op->begin(plan->engine, target->program);
    for (int i = 0; i <= plan->net->layer_count; i++)
        values[i] = ZF_NO_VALUE;
    values[target->layer + 1] = target->seed =
        plan->op->input(plan->engine, box_dims(&b, target->layer + 1));
    for (int i = target->layer; i >= 0; i--) {
        struct zf_emit e;

        if (values[i + 1] == ZF_NO_VALUE)
            continue;
        e = emit_of(&b, i);
        e.purpose = ZF_PROJECT; /* what looks back is told all that it needs */
        e.diff_dst = values[i + 1];
        e.want_diff_src = true;
        project_box(&b, &e);
        for (int k = 0; k < e.layer->input_count; k++) {
            zf_value *sum = &values[e.layer->inputs[k] + 1];

            *sum = *sum == ZF_NO_VALUE ? e.diff_src[k]
                                       : plan->op->add(plan->engine, *sum, e.diff_src[k]);
        }
    }
    target->pixels = values[0];
    plan->op->keep(plan->engine, target->pixels);
}
