/* SPDX-License-Identifier: MIT */
/* Convolutions by Winograd's algorithm, ours: oneDNN has it in version 2 alone, and slower. */
#include "onednn.h"

#include "engine/parallel.h"
#include "engine/winograd.h"

#define LANES 8 /* blocks of fewer maps suit none of oneDNN's own code */

static bool may_use(const struct zf_engine *e)
{
    return !e->config.exact && !e->config.bf16 && e->config.threads <= ZF_PARALLEL_MOST;
}

static bool choose(const struct zf_engine *e, const struct zf_window *window, struct zf_dims src,
                   int64_t maps, struct zf_winograd *w)
{
    /* Transformed for one run or few, filters have to pay at once. */
    const bool anew = e->config.training || e->config.brief;

    return may_use(e) &&
           zf_winograd_choose(w, zf_onednn_loops_isa(), window, src, maps, anew, e->config.threads);
}

static bool choose_gradient(const struct zf_engine *e, const struct zf_window *window,
                            struct zf_dims src, int64_t maps, struct zf_winograd *w)
{
    return may_use(e) && zf_winograd_choose_gradient(w, zf_onednn_loops_isa(), window, src, maps,
                                                     e->config.threads);
}

/* The way down is a convolution of the signal with mirrored filters. */
static bool choose_down(const struct zf_engine *e, const struct zf_window *window,
                        struct zf_dims src, int64_t maps, struct zf_winograd *w)
{
    struct zf_window mirrored = *window;

    mirrored.pad_top = 2 - window->pad_top;
    mirrored.pad_left = 2 - window->pad_left;
    mirrored.pad_bottom = 2 - window->pad_bottom;
    mirrored.pad_right = 2 - window->pad_right;
    return window->stride_h == 1 && choose(e, &mirrored, src, maps, w);
}

bool zf_onednn_winograd_pays_up(const struct zf_engine *e, const struct zf_window *window,
                                struct zf_dims src, int64_t maps)
{
    return choose(e, window, src, maps, &(struct zf_winograd){0});
}

bool zf_onednn_winograd_pays_down(const struct zf_engine *e, const struct zf_window *window,
                                  struct zf_dims src, int64_t maps)
{
    return choose_down(e, window, src, maps, &(struct zf_winograd){0});
}

bool zf_onednn_winograd_pays_weights(const struct zf_engine *e, const struct zf_window *window,
                                     struct zf_dims src, int64_t maps)
{
    return choose_gradient(e, window, src, maps, &(struct zf_winograd){0});
}

struct product {
    struct zf_winograd winograd;
    bool relu;
};

/* values: dst, src, filters, scratch, maybe bias */
static void run_winograd(struct zf_engine *e, const struct zf_onednn_step *step,
                         const struct zf_run *run)
{
    const float *bias = step->count > 4 ? zf_onednn_at(e, step->values[4])->data : NULL;
    const struct product *p = step->parameters;

    (void)run;
    zf_winograd_run(&p->winograd, zf_onednn_at(e, step->values[1])->data,
                    zf_onednn_at(e, step->values[2])->data, bias, p->relu,
                    zf_onednn_at(e, step->values[0])->data, zf_onednn_at(e, step->values[3])->data);
}

/* values: weight, filters */
static void transform(const struct zf_engine *e, const struct zf_onednn_step *step, bool down)
{
    zf_winograd_transform_filters(step->parameters, zf_onednn_at(e, step->values[0])->data, down,
                                  zf_onednn_at(e, step->values[1])->data);
}

static void run_filters_up(struct zf_engine *e, const struct zf_onednn_step *step,
                           const struct zf_run *run)
{
    (void)run;
    transform(e, step, false);
}

static void run_filters_down(struct zf_engine *e, const struct zf_onednn_step *step,
                             const struct zf_run *run)
{
    (void)run;
    transform(e, step, true);
}

/* values: diff_weight, src, diff_dst, scratch, maybe diff_bias */
static void run_gradient(struct zf_engine *e, const struct zf_onednn_step *step,
                         const struct zf_run *run)
{
    float *diff_bias = step->count > 4 ? zf_onednn_at(e, step->values[4])->data : NULL;

    (void)run;
    zf_winograd_gradient(step->parameters, zf_onednn_at(e, step->values[1])->data,
                         zf_onednn_at(e, step->values[2])->data,
                         zf_onednn_at(e, step->values[0])->data, diff_bias,
                         zf_onednn_at(e, step->values[3])->data);
}

/* Training changes them at each step: they are transformed where they are used, and take room for
   that long only. */
static zf_value filters_of(struct zf_engine *e, const struct zf_winograd *w, zf_value weight,
                           bool down)
{
    /* Known by extents of their own, up and down, and not by pads. */
    const struct zf_dims dims = {2, {down ? 1 : w->filters_size, down ? w->filters_size : 1}};
    const struct zf_onednn_arrangement how = {
        .window = {.kernel_h = w->kernel, .stride_h = w->stride},
        .loop = down ? run_filters_down : run_filters_up,
        .parameters = w,
        .size = sizeof *w};
    struct zf_onednn_step step = {.program = e->program, .loop = how.loop, .count = 2};

    if (!e->config.training)
        return zf_onednn_arranged_weight(e, &how, weight, dims);
    step.values[0] = weight;
    step.values[1] = zf_onednn_new(e, dims, NULL);
    zf_onednn_append_loop(e, &step, how.parameters, how.size);
    return step.values[1];
}

static zf_value in_blocks(struct zf_engine *e, const struct zf_winograd *w, zf_value value)
{
    return zf_onednn_convert(
        e, value, NULL,
        zf_layout_blocked(&e->layouts, zf_onednn_dims(e, value), w->lanes, dnnl_f32));
}

static zf_value append(struct zf_engine *e, const struct zf_winograd *w, zf_value src,
                       zf_value weight, bool down, zf_value bias, bool relu)
{
    const struct zf_dims from = zf_onednn_dims(e, src);
    const struct zf_dims to = {4, {from.d[0], w->dst_maps, w->y.out, w->x.out}};
    const struct product product = {*w, relu};
    struct zf_onednn_step step = {.program = e->program, .loop = run_winograd};

    step.values[1] = in_blocks(e, w, src);
    step.values[2] = filters_of(e, w, weight, down);
    step.values[0] = zf_onednn_new(e, to, zf_layout_blocked(&e->layouts, to, w->lanes, dnnl_f32));
    step.values[3] = zf_onednn_new(e, (struct zf_dims){1, {w->scratch_size}}, NULL);
    step.values[4] = bias;
    step.count = bias == ZF_NO_VALUE ? 4 : 5;
    zf_onednn_append_loop(e, &step, &product, sizeof product);
    if (w->lanes >= LANES || step.values[0] == ZF_NO_VALUE)
        return step.values[0];
    return zf_onednn_convert(e, step.values[0], NULL, zf_onednn_layout_like(e, src, to));
}

zf_value zf_onednn_winograd_forward(struct zf_engine *e, const struct zf_window *window,
                                    zf_value src, zf_value weight, zf_value bias, bool relu)
{
    struct zf_winograd w;

    choose(e, window, zf_onednn_dims(e, src), zf_onednn_dims(e, weight).d[0], &w);
    return append(e, &w, src, weight, false, bias, relu);
}

zf_value zf_onednn_winograd_backward_data(struct zf_engine *e, const struct zf_window *window,
                                          zf_value diff_dst, zf_value weight,
                                          struct zf_dims src_dims)
{
    struct zf_winograd w;

    choose_down(e, window, zf_onednn_dims(e, diff_dst), src_dims.d[1], &w);
    return append(e, &w, diff_dst, weight, true, ZF_NO_VALUE, false);
}

void zf_onednn_winograd_backward_weights(struct zf_engine *e, const struct zf_window *window,
                                         zf_value src, zf_value diff_dst, zf_value diff_weight,
                                         zf_value diff_bias)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_gradient};
    struct zf_winograd w;

    choose_gradient(e, window, zf_onednn_dims(e, src), zf_onednn_dims(e, diff_weight).d[0], &w);
    step.values[0] = diff_weight;
    step.values[1] = in_blocks(e, &w, src);
    step.values[2] = in_blocks(e, &w, diff_dst);
    step.values[3] = zf_onednn_new(e, (struct zf_dims){1, {w.scratch_size}}, NULL);
    step.values[4] = diff_bias;
    step.count = diff_bias == ZF_NO_VALUE ? 4 : 5;
    zf_onednn_append_loop(e, &step, &w, sizeof w);
}
