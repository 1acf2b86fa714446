/* SPDX-License-Identifier: MIT */
/* Convolution by oneDNN, in layouts of its choice. */
#include "onednn.h"

#include <string.h>

/* Down to a picture's colours, blocks of 16 maps would be mostly padding: plain is 2.7 times as
   fast there, through a matrix product. For one picture that takes longer to get going than to do.
 */
#define FEW_MAPS 4

/* A convolution in oneDNN's terms. */
struct geometry {
    struct zf_dims src, weight, dst;
    int64_t groups;
    dnnl_dims_t strides, dilates, before, after;
};

bool zf_onednn_fits(struct zf_engine *e, const struct zf_window *window, struct zf_dims src,
                    zf_value weight)
{
    const struct zf_dims filters = zf_onednn_dims(e, weight);
    const struct zf_dims dst = zf_window_dims(window, src, filters.d[0]);

    if (!zf_onednn_ok(e) || weight == ZF_NO_VALUE)
        return false;
    if (window->groups >= 1 && filters.d[0] % window->groups == 0 &&
        filters.d[1] * window->groups == src.d[1] && filters.d[2] == window->kernel_h &&
        filters.d[3] == window->kernel_w && dst.d[2] >= 1 && dst.d[3] >= 1)
        return true;
    zf_onednn_refuse(e, dnnl_invalid_arguments,
                     &(struct zf_onednn_work){"a convolution", src, filters});
    return false;
}

static bool geometry_of(struct zf_engine *e, const struct zf_window *window, struct zf_dims src,
                        zf_value weight, struct geometry *g)
{
    if (!zf_onednn_fits(e, window, src, weight))
        return false;
    memset(g, 0, sizeof *g);
    g->src = src;
    g->weight = zf_onednn_dims(e, weight);
    g->dst = zf_window_dims(window, src, g->weight.d[0]);
    g->groups = window->groups;
    memcpy(g->strides, (int64_t[]){window->stride_h, window->stride_w}, 2 * sizeof(int64_t));
    memcpy(g->dilates, (int64_t[]){window->dilate_h, window->dilate_w}, 2 * sizeof(int64_t));
    memcpy(g->before, (int64_t[]){window->pad_top, window->pad_left}, 2 * sizeof(int64_t));
    memcpy(g->after, (int64_t[]){window->pad_bottom, window->pad_right}, 2 * sizeof(int64_t));
    return true;
}

/* Layouts that are left for oneDNN to choose. */
static const_dnnl_memory_desc_t any(struct zf_engine *e, struct zf_dims dims, dnnl_data_type_t type)
{
    return zf_layout_desc(zf_layout_any(&e->layouts, dims, type));
}

static const_dnnl_memory_desc_t any_weight(struct zf_engine *e, const struct geometry *g,
                                           dnnl_data_type_t type)
{
    if (g->groups == 1)
        return any(e, g->weight, type);
    return zf_layout_desc(zf_layout_grouped(&e->layouts, g->weight, g->groups, type, false));
}

static const_dnnl_memory_desc_t any_bias(struct zf_engine *e, const struct geometry *g,
                                         zf_value bias)
{
    return bias == ZF_NO_VALUE ? NULL : any(e, (struct zf_dims){1, {g->weight.d[0]}}, dnnl_f32);
}

/* Filters as they are in host memory; with groups, these come first. */
static const struct zf_layout *plain_weight(struct zf_engine *e, const struct geometry *g)
{
    return g->groups == 1 ? zf_layout_plain(&e->layouts, g->weight, dnnl_f32)
                          : zf_layout_grouped(&e->layouts, g->weight, g->groups, dnnl_f32, true);
}

/* oneDNN's code for filters of one cell knows no pads; without it, it multiplies plain matrices. */
static bool pads_one_cell(const struct zf_window *w)
{
    return w->kernel_h == 1 && w->kernel_w == 1 &&
           (w->pad_top || w->pad_left || w->pad_bottom || w->pad_right);
}

static zf_value with_border(struct zf_engine *e, zf_value src, struct zf_window *window)
{
    const struct zf_dims at = {4, {0, 0, window->pad_top, window->pad_left}};
    struct zf_dims dims = zf_onednn_dims(e, src);

    dims.d[2] += window->pad_top + window->pad_bottom;
    dims.d[3] += window->pad_left + window->pad_right;
    window->pad_top = window->pad_left = window->pad_bottom = window->pad_right = 0;
    return zf_onednn_embed(e, src, at, dims);
}

/*
 * Wrong sums of oneDNN 3.7 in bf16 on tiles (AMX): seen where the result is one cell wide, and
 * known (its pull request 5494, mended in 3.13) where a stride is longer than its kernel, as sums
 * overwrite the copy of the source. Such convolutions are computed in float32. Filters of one cell
 * have code of their own, which is right.
 */
static dnnl_data_type_t forward_type(const struct zf_engine *e, const struct zf_window *w,
                                     const struct geometry *g)
{
    const bool overwritten =
        g->dst.d[3] == 1 || w->stride_h > w->kernel_h || w->stride_w > w->kernel_w;

    if (overwritten && w->kernel_h * w->kernel_w > 1 && zf_onednn_may_use(ZF_CPU_AMX))
        return dnnl_f32;
    return zf_onednn_type(e);
}

/* Always as for training: asked for inference, oneDNN 2.6 prefers channels last, which takes half
   again as long. */
static dnnl_status_t create_forward(struct zf_engine *e, const struct geometry *g,
                                    dnnl_data_type_t type, zf_value bias, bool relu,
                                    struct zf_onednn_step *step)
{
    return dnnl_convolution_forward_primitive_desc_create(
        &step->desc, e->engine, dnnl_forward_training, dnnl_convolution_direct,
        any(e, g->src, type), any_weight(e, g, type), any_bias(e, g, bias), any(e, g->dst, type),
        g->strides, g->dilates, g->before, g->after, relu ? e->relu_attr : e->attr);
}

zf_value zf_onednn_convolve(struct zf_engine *e, const struct zf_window *window, zf_value src,
                            zf_value weight, zf_value bias, bool relu)
{
    struct zf_window inside = *window;
    struct geometry g;
    struct zf_onednn_work work = {.operation = "conv_forward"};
    struct zf_onednn_step step;
    dnnl_data_type_t type;
    zf_value dst;

    if (zf_onednn_ok(e) && src != ZF_NO_VALUE && pads_one_cell(window)) {
        src = with_border(e, src, &inside);
        window = &inside;
    }
    if (!geometry_of(e, window, zf_onednn_dims(e, src), weight, &g))
        return ZF_NO_VALUE;
    if (!zf_onednn_step_begin(e, &step))
        return ZF_NO_VALUE;
    work.first = g.src;
    work.second = g.weight;
    type = forward_type(e, window, &g);
    if (!zf_onednn_step_make(e, &step, create_forward(e, &g, type, bias, relu, &step), &work))
        return ZF_NO_VALUE;
    zf_onednn_in(e, &step, DNNL_ARG_SRC, src, NULL);
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, plain_weight(e, &g));
    if (bias != ZF_NO_VALUE)
        zf_onednn_in(e, &step, DNNL_ARG_BIAS, bias, NULL);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, g.dst);
    zf_onednn_append(e, &step);
    return type == zf_onednn_type(e) ? dst : zf_onednn_plain_of(e, dst, zf_onednn_type(e));
}

/*
 * In bf16, oneDNN 3 would go down through a stride in channels last: without tiles (AMX) that is no
 * faster than in blocks, and both sides would have to be reordered. So a signal that comes in
 * blocks stays in blocks.
 */
static bool keeps_blocks(const struct zf_engine *e, const struct geometry *g, zf_value diff_dst)
{
    const int64_t block = zf_layout_maps_a_block(zf_onednn_layout(e, diff_dst));

    return e->config.bf16 && block > 1 && g->groups == 1 && g->src.d[1] % block == 0 &&
           g->dst.d[1] % block == 0;
}

/* Into step->desc, for a signal that lies as diff_dst, or as oneDNN likes it best. */
static dnnl_status_t create_backward_data(struct zf_engine *e, const struct geometry *g,
                                          zf_value diff_dst, bool keep_blocks,
                                          struct zf_onednn_step *step)
{
    const dnnl_data_type_t type = zf_onednn_type(e);
    const struct zf_layout *like = zf_onednn_layout(e, diff_dst);
    const_dnnl_memory_desc_t src = any(e, g->src, type), dst = any(e, g->dst, type);

    if (keep_blocks) {
        src = zf_layout_desc(zf_layout_like(&e->layouts, like, g->src, type));
        dst = zf_layout_desc(zf_layout_like(&e->layouts, like, g->dst, type));
    } else if (g->weight.d[1] <= FEW_MAPS && g->src.d[0] > 1) {
        src = zf_layout_desc(zf_layout_plain(&e->layouts, g->src, dnnl_f32));
    }
    return dnnl_convolution_backward_data_primitive_desc_create(
        &step->desc, e->engine, dnnl_convolution_direct, src, any_weight(e, g, type), dst,
        g->strides, g->dilates, g->before, g->after, NULL, e->attr);
}

zf_value zf_onednn_convolve_back(struct zf_engine *e, const struct zf_window *window,
                                 zf_value diff_dst, zf_value weight, struct zf_dims src_dims)
{
    struct geometry g;
    struct zf_onednn_work work = {.operation = "conv_backward_data"};
    struct zf_onednn_step step;
    dnnl_status_t status = dnnl_unimplemented;
    zf_value diff_src;

    if (!geometry_of(e, window, src_dims, weight, &g))
        return ZF_NO_VALUE;
    if (!zf_onednn_step_begin(e, &step))
        return ZF_NO_VALUE;
    work.first = zf_onednn_dims(e, diff_dst);
    work.second = g.weight;
    if (keeps_blocks(e, &g, diff_dst))
        status = create_backward_data(e, &g, diff_dst, true, &step);
    if (status == dnnl_unimplemented)
        status = create_backward_data(e, &g, diff_dst, false, &step);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, diff_dst, NULL);
    zf_onednn_in(e, &step, DNNL_ARG_WEIGHTS, weight, plain_weight(e, &g));
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, src_dims);
    zf_onednn_append(e, &step);
    return diff_src;
}

/* Does a tap along this side meet nothing but pads? */
static bool is_idle_side(int64_t in, int64_t out, int64_t kernel, const int64_t step[3])
{
    const int64_t stride = step[0], pad = step[1], dilate = step[2] + 1;

    for (int64_t tap = 0; tap < kernel; tap++) {
        bool met = false;

        for (int64_t at = 0; at < out && !met; at++) {
            const int64_t cell = at * stride + tap * dilate - pad;

            met = cell >= 0 && cell < in;
        }
        if (!met)
            return true;
    }
    return false;
}

static bool any_idle_tap(const struct zf_window *w, struct zf_dims src, struct zf_dims dst)
{
    return is_idle_side(src.d[2], dst.d[2], w->kernel_h,
                        (int64_t[]){w->stride_h, w->pad_top, w->dilate_h}) ||
           is_idle_side(src.d[3], dst.d[3], w->kernel_w,
                        (int64_t[]){w->stride_w, w->pad_left, w->dilate_w});
}

/*
 * In 16 bits, oneDNN 2.6 takes three times as long as in 32 over the few maps of a picture, and
 * leaves the gradient of a tap that meets nothing but pads unwritten.
 */
void zf_onednn_convolve_weights(struct zf_engine *e, const struct zf_window *window, zf_value src,
                                zf_value diff_dst, zf_value diff_weight, zf_value diff_bias)
{
    struct geometry g;
    struct zf_onednn_work work = {.operation = "conv_backward_weights"};
    struct zf_onednn_step step;
    const struct zf_layout *plain, *wanted;
    dnnl_data_type_t type = zf_onednn_type(e);
    dnnl_status_t status;
    zf_value blocked = diff_weight;

    if (!geometry_of(e, window, zf_onednn_dims(e, src), diff_weight, &g))
        return;
    if (!zf_onednn_step_begin(e, &step))
        return;
    work.first = g.src;
    work.second = g.weight;
    if (g.weight.d[1] <= FEW_MAPS || any_idle_tap(window, g.src, g.dst))
        type = dnnl_f32;
    /* Gradients of filters are added up and kept in full. */
    status = dnnl_convolution_backward_weights_primitive_desc_create(
        &step.desc, e->engine, e->config.exact ? dnnl_convolution_direct : dnnl_convolution_auto,
        any(e, g.src, type), any_weight(e, &g, dnnl_f32), any_bias(e, &g, diff_bias),
        any(e, g.dst, type), g.strides, g.dilates, g.before, g.after, NULL, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return;
    zf_onednn_in(e, &step, DNNL_ARG_SRC, src, NULL);
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, diff_dst, NULL);
    plain = plain_weight(e, &g);
    wanted = zf_onednn_wants(e, &step, DNNL_ARG_DIFF_WEIGHTS);
    if (wanted != plain)
        blocked = zf_onednn_new(e, g.weight, wanted);
    zf_onednn_bind(e, &step, DNNL_ARG_DIFF_WEIGHTS, blocked);
    if (diff_bias != ZF_NO_VALUE)
        zf_onednn_bind(e, &step, DNNL_ARG_DIFF_BIAS, diff_bias);
    zf_onednn_append(e, &step);
    if (blocked != diff_weight && zf_onednn_ok(e))
        zf_onednn_reorder(e, e->program, blocked, wanted, diff_weight, plain);
}
