/* SPDX-License-Identifier: MIT */
/*
 * Cross-map normalisation. oneDNN centres its window, so an even size would lose a map, and version
 * 3.7 crashes where it is a single map; these rare sizes are computed here:
 *
 *     s[c] = k + alpha/size * sum of src[j]^2 over j = c - (size-1)/2 .. c + size/2
 *     dst[c] = src[c] * s[c]^-beta
 *     diff_src[c] = diff_dst[c] * s[c]^-beta
 *         - 2*alpha*beta/size * src[c] * sum of diff_dst[j] * src[j] * s[j]^(-beta-1)
 *                                        over j = c - size/2 .. c + (size-1)/2
 */
#include "onednn.h"

#include <math.h>

/* The maps of one sample that a window around map c reaches. */
struct reach {
    int64_t first, last;
};

static struct reach reach_of(int64_t c, int64_t before, int64_t after, int64_t maps)
{
    return (struct reach){c > before ? c - before : 0, c + after < maps - 1 ? c + after : maps - 1};
}

static bool is_rare(int64_t size)
{
    return size % 2 == 0 || size == 1;
}

/* values: src, dst, s */
static void run_rare_forward(struct zf_engine *e, const struct zf_onednn_step *step,
                             const struct zf_run *run)
{
    const struct zf_lrn *lrn = step->parameters;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t maps = dims.d[1], cells = dims.d[2] * dims.d[3];
    const float share = lrn->alpha / (float)lrn->size;

    (void)run;
    for (int64_t i = 0; i < dims.d[0] * maps; i++) {
        const struct reach reach = reach_of(i % maps, (lrn->size - 1) / 2, lrn->size / 2, maps);
        const float *sample =
            (float *)zf_onednn_at(e, step->values[0])->data + i / maps * maps * cells;
        const float *src = sample + i % maps * cells;
        float *dst = (float *)zf_onednn_at(e, step->values[1])->data + i * cells;
        float *scale = (float *)zf_onednn_at(e, step->values[2])->data + i * cells;

        for (int64_t p = 0; p < cells; p++) {
            float squares = 0.0f;

            for (int64_t j = reach.first; j <= reach.last; j++)
                squares += sample[j * cells + p] * sample[j * cells + p];
            scale[p] = lrn->k + share * squares;
            dst[p] = src[p] * powf(scale[p], -lrn->beta);
        }
    }
}

/* values: src, diff_dst, s, diff_src */
static void run_rare_backward(struct zf_engine *e, const struct zf_onednn_step *step,
                              const struct zf_run *run)
{
    const struct zf_lrn *lrn = step->parameters;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t maps = dims.d[1], cells = dims.d[2] * dims.d[3];
    const float factor = 2.0f * lrn->alpha * lrn->beta / (float)lrn->size;

    (void)run;
    for (int64_t i = 0; i < dims.d[0] * maps; i++) {
        const struct reach reach = reach_of(i % maps, lrn->size / 2, (lrn->size - 1) / 2, maps);
        const int64_t sample = i / maps * maps * cells, own = i % maps * cells;
        const float *src = (float *)zf_onednn_at(e, step->values[0])->data + sample;
        const float *diff_dst = (float *)zf_onednn_at(e, step->values[1])->data + sample;
        const float *scale = (float *)zf_onednn_at(e, step->values[2])->data + sample;
        float *diff_src = (float *)zf_onednn_at(e, step->values[3])->data + sample + own;

        for (int64_t p = 0; p < cells; p++) {
            float sum = 0.0f;

            for (int64_t j = reach.first * cells + p; j <= reach.last * cells + p; j += cells)
                sum += diff_dst[j] * src[j] * powf(scale[j], -lrn->beta - 1.0f);
            diff_src[p] =
                diff_dst[own + p] * powf(scale[own + p], -lrn->beta) - factor * src[own + p] * sum;
        }
    }
}

static zf_value rare_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                             zf_value *workspace)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_rare_forward};
    const zf_value scale = zf_onednn_new(e, zf_onednn_dims(e, src), NULL);
    const zf_value dst = zf_onednn_new(e, zf_onednn_dims(e, src), NULL);

    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = dst;
    step.values[2] = scale;
    step.count = 3;
    zf_onednn_append_loop(e, &step, lrn, sizeof *lrn);
    if (workspace)
        *workspace = scale;
    return dst;
}

static zf_value rare_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                              zf_value diff_dst, zf_value scale)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_rare_backward};
    const zf_value diff_src = zf_onednn_new(e, zf_onednn_dims(e, src), NULL);

    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = zf_onednn_plain(e, diff_dst);
    step.values[2] = scale;
    step.values[3] = diff_src;
    step.count = 4;
    zf_onednn_append_loop(e, &step, lrn, sizeof *lrn);
    return diff_src;
}

zf_value zf_onednn_lrn_forward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                               zf_value *workspace)
{
    const struct zf_onednn_work work = {.operation = "lrn_forward",
                                        .first = zf_onednn_dims(e, src)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value dst;

    if (workspace)
        *workspace = ZF_NO_VALUE;
    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (is_rare(lrn->size))
        return rare_forward(e, lrn, src, workspace);
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, src)->desc;
    status = dnnl_lrn_forward_primitive_desc_create(
        &step.desc, e->engine, workspace ? dnnl_forward_training : dnnl_forward_inference,
        dnnl_lrn_across_channels, desc, desc, lrn->size, lrn->alpha, lrn->beta, lrn->k, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, src);
    dst = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, src));
    if (workspace)
        *workspace = zf_onednn_workspace(e, &step, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return dst;
}

zf_value zf_onednn_lrn_backward(struct zf_engine *e, const struct zf_lrn *lrn, zf_value src,
                                zf_value diff_dst, zf_value workspace)
{
    const struct zf_onednn_work work = {.operation = "lrn_backward",
                                        .first = zf_onednn_dims(e, src)};
    struct zf_onednn_step step;
    const_dnnl_primitive_desc_t up;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value diff_src;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE || workspace == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    if (is_rare(lrn->size))
        return rare_backward(e, lrn, src, diff_dst, workspace);
    zf_onednn_step_begin(e, &step);
    up = zf_onednn_at(e, workspace)->forward;
    desc = dnnl_primitive_desc_query_md(up, dnnl_query_exec_arg_md, DNNL_ARG_SRC);
    status = dnnl_lrn_backward_primitive_desc_create(
        &step.desc, e->engine, dnnl_lrn_across_channels, desc, desc, desc, lrn->size, lrn->alpha,
        lrn->beta, lrn->k, up, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_in(e, &step, DNNL_ARG_SRC, src, NULL);
    zf_onednn_in(e, &step, DNNL_ARG_DIFF_DST, diff_dst, NULL);
    if (zf_onednn_layout(e, workspace)->bytes > 0)
        zf_onednn_bind(e, &step, DNNL_ARG_WORKSPACE, workspace);
    diff_src = zf_onednn_out(e, &step, DNNL_ARG_DIFF_SRC, zf_onednn_dims(e, src));
    zf_onednn_append(e, &step);
    return diff_src;
}
