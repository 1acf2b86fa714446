/* SPDX-License-Identifier: MIT */
/* Receptive fields: from the pixel up, layer by layer, along the largest path where several meet.
 */
#include "build.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static struct zf_receptive_field through(const struct zf_receptive_field *below,
                                         const struct zf_window *w)
{
    return (struct zf_receptive_field){
        .height = below->height + (zf_window_reach(w->kernel_h, w->dilate_h) - 1) * below->stride_y,
        .width = below->width + (zf_window_reach(w->kernel_w, w->dilate_w) - 1) * below->stride_x,
        .stride_y = below->stride_y * w->stride_h,
        .stride_x = below->stride_x * w->stride_w,
        .start_y = below->start_y - w->pad_top * below->stride_y,
        .start_x = below->start_x - w->pad_left * below->stride_x,
    };
}

/* The window is the source's, whose cells are `stride` of the result apart. False where that is
   finer than a pixel. */
static bool through_transposed(const struct zf_receptive_field *below, const struct zf_window *w,
                               struct zf_receptive_field *field)
{
    const int64_t reach_y = zf_window_reach(w->kernel_h, w->dilate_h) - 1;
    const int64_t reach_x = zf_window_reach(w->kernel_w, w->dilate_w) - 1;
    const int64_t step_y = below->stride_y / w->stride_h, step_x = below->stride_x / w->stride_w;

    *field = (struct zf_receptive_field){
        .height = below->height + reach_y * step_y,
        .width = below->width + reach_x * step_x,
        .stride_y = step_y,
        .stride_x = step_x,
        .start_y = below->start_y - (reach_y - w->pad_top) * step_y,
        .start_x = below->start_x - (reach_x - w->pad_left) * step_x,
    };
    return step_y * w->stride_h == below->stride_y && step_x * w->stride_w == below->stride_x;
}

/* What either sees. Paths that meet have the same stride, unless one is global. */
static struct zf_receptive_field joined(const struct zf_receptive_field *a,
                                        const struct zf_receptive_field *b)
{
    struct zf_receptive_field field = *a;

    field.start_y = least(a->start_y, b->start_y);
    field.start_x = least(a->start_x, b->start_x);
    field.height = most(a->start_y + a->height, b->start_y + b->height) - field.start_y;
    field.width = most(a->start_x + a->width, b->start_x + b->width) - field.start_x;
    field.global =
        a->global || b->global || a->stride_y != b->stride_y || a->stride_x != b->stride_x;
    return field;
}

static struct zf_receptive_field whole_picture(const struct zf_net *net)
{
    return (struct zf_receptive_field){net->input.h, net->input.w, 1, 1, 0, 0, true};
}

struct zf_receptive_field zf_net_field(const struct zf_net *net, const struct zf_layer *layer)
{
    static const struct zf_receptive_field pixel = {1, 1, 1, 1, 0, 0, false};
    const struct zf_inferred *inferred = &layer->inferred;
    struct zf_receptive_field field = {0}, above;

    for (int i = 0; i < layer->input_count; i++) {
        const int below = layer->inputs[i];
        const struct zf_receptive_field *one =
            below == ZF_NET_INPUT ? &pixel : &net->layers[below].field;

        field = i == 0 ? *one : joined(&field, one);
    }
    if (inferred->global || field.global)
        return whole_picture(net);
    if (!inferred->transposed)
        return through(&field, &inferred->window);
    return through_transposed(&field, &inferred->window, &above) ? above : whole_picture(net);
}
