/* SPDX-License-Identifier: MIT */
/* The functions of engine/curve.h: cell by cell, whatever the layout. */
#include "engine/curve.h"

#include "engine/parallel.h"
#include "onednn.h"

/* Numbers of a value's memory; what blocks are padded with is zero and may become anything else,
   so those layouts are left. */
static int64_t count_of(const struct zf_engine *e, zf_value value)
{
    const struct zf_dims dims = zf_onednn_dims(e, value);

    return dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
}

/* The value in float32, every number of its memory being one of its cells. */
static zf_value dense(struct zf_engine *e, zf_value value)
{
    const struct zf_layout *layout = zf_onednn_layout(e, value);
    const size_t bytes = (size_t)count_of(e, value) * sizeof(float);

    return layout->type == dnnl_f32 && layout->bytes == bytes ? value : zf_onednn_plain(e, value);
}

/* values: src, dst */
static void run_forward(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const int64_t count = count_of(e, step->values[0]);
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < count; i++)
        dst[i] = (float)zf_curve_value(step->parameters, (double)src[i]);
}

zf_value zf_onednn_curve_forward(struct zf_engine *e, const struct zf_function *function,
                                 zf_value src)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_forward, .count = 2};

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    step.values[0] = dense(e, src);
    if (step.values[0] == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    step.values[1] = zf_onednn_new(e, zf_onednn_dims(e, src), zf_onednn_layout(e, step.values[0]));
    zf_onednn_append_loop(e, &step, function, sizeof *function);
    return step.values[1];
}

/* values: src, diff_dst, diff_src */
static void run_backward(struct zf_engine *e, const struct zf_onednn_step *step,
                         const struct zf_run *run)
{
    const int64_t count = count_of(e, step->values[0]);
    const float *src = zf_onednn_at(e, step->values[0])->data;
    const float *diff_dst = zf_onednn_at(e, step->values[1])->data;
    float *diff_src = zf_onednn_at(e, step->values[2])->data;

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < count; i++)
        diff_src[i] =
            (float)((double)diff_dst[i] * zf_curve_slope(step->parameters, (double)src[i]));
}

zf_value zf_onednn_curve_backward(struct zf_engine *e, const struct zf_function *function,
                                  zf_value src, zf_value diff_dst)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_backward, .count = 3};

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    step.values[0] = dense(e, src);
    if (step.values[0] == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    step.values[1] = zf_onednn_convert(e, diff_dst, NULL, zf_onednn_layout(e, step.values[0]));
    step.values[2] = zf_onednn_new(e, zf_onednn_dims(e, src), zf_onednn_layout(e, step.values[0]));
    zf_onednn_append_loop(e, &step, function, sizeof *function);
    return step.values[2];
}
