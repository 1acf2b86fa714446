/* SPDX-License-Identifier: MIT */
/* Softmax, and the gradient of the loss. */
#include "onednn.h"

#include <assert.h>
#include <string.h>

#include "engine/parallel.h"

zf_value zf_onednn_softmax_forward(struct zf_engine *e, zf_value src)
{
    const struct zf_dims dims = zf_onednn_dims(e, src);
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t plain;
    dnnl_status_t status;
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    plain = zf_layout_desc(dims.d[2] == 1 && dims.d[3] == 1
                               ? zf_layout_rows(&e->layouts, dims, dnnl_f32)
                               : zf_layout_plain(&e->layouts, dims, dnnl_f32));
    status =
        dnnl_softmax_forward_primitive_desc_create(&step.desc, e->engine, dnnl_forward_training,
                                                   dnnl_softmax_accurate, plain, plain, 1, e->attr);
    if (!zf_onednn_step_make(
            e, &step, status,
            &(struct zf_onednn_work){.operation = "softmax_forward", .first = dims}))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC, zf_onednn_plain(e, src));
    dst = zf_onednn_new(e, dims, NULL);
    zf_onednn_bind(e, &step, DNNL_ARG_DST, dst);
    zf_onednn_append(e, &step);
    return dst;
}

/* diff_src = dst * (diff_dst - <dst, diff_dst>), the product summed in double: it cancels. */
static void run_softmax_backward(struct zf_engine *e, const struct zf_onednn_step *step,
                                 const struct zf_run *run)
{
    const float *dst = zf_onednn_at(e, step->values[0])->data;
    const float *diff_dst = zf_onednn_at(e, step->values[1])->data;
    float *diff_src = zf_onednn_at(e, step->values[2])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t cells = dims.d[2] * dims.d[3], classes = dims.d[1];

    (void)run;
    ZF_PARALLEL_FOR(e->config.threads)
    for (int64_t i = 0; i < dims.d[0] * cells; i++) {
        const int64_t first = i / cells * classes * cells + i % cells;
        const int64_t end = first + classes * cells;
        double product = 0.0;

        for (int64_t k = first; k < end; k += cells)
            product += (double)dst[k] * (double)diff_dst[k];
        for (int64_t k = first; k < end; k += cells)
            diff_src[k] = (float)((double)dst[k] * ((double)diff_dst[k] - product));
    }
}

zf_value zf_onednn_softmax_backward(struct zf_engine *e, zf_value dst, zf_value diff_dst)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_softmax_backward};
    zf_value diff_src;

    if (!zf_onednn_ok(e) || dst == ZF_NO_VALUE || diff_dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    diff_src = zf_onednn_new(e, zf_onednn_dims(e, dst), NULL);
    step.values[0] = zf_onednn_plain(e, dst);
    step.values[1] = zf_onednn_plain(e, diff_dst);
    step.values[2] = diff_src;
    step.count = 3;
    zf_onednn_append(e, &step);
    return diff_src;
}

static void run_cross_entropy(struct zf_engine *e, const struct zf_onednn_step *step,
                              const struct zf_run *run)
{
    const float *dst = zf_onednn_at(e, step->values[0])->data;
    float *diff = zf_onednn_at(e, step->values[1])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t classes = dims.d[1] * dims.d[2] * dims.d[3];
    int64_t labelled = 0;
    float share;

    memset(diff, 0, (size_t)(dims.d[0] * classes) * sizeof *diff);
    for (int64_t n = 0; n < run->count; n++)
        labelled += run->labels[n] >= 0;
    if (labelled == 0)
        return;
    share = 1.0f / (float)(run->whole > 0 ? run->whole : labelled);
    for (int64_t n = 0; n < run->count; n++, dst += classes, diff += classes) {
        if (run->labels[n] < 0)
            continue;
        assert(run->labels[n] < classes);
        for (int64_t k = 0; k < classes; k++)
            diff[k] = dst[k] * share;
        diff[run->labels[n]] = (dst[run->labels[n]] - 1.0f) * share;
    }
}

zf_value zf_onednn_cross_entropy_backward(struct zf_engine *e, zf_value dst)
{
    struct zf_onednn_step step = {.program = e->program, .loop = run_cross_entropy};
    zf_value diff;

    if (!zf_onednn_ok(e) || dst == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    diff = zf_onednn_new(e, zf_onednn_dims(e, dst), NULL);
    step.values[0] = zf_onednn_plain(e, dst);
    step.values[1] = diff;
    step.count = 2;
    zf_onednn_append(e, &step);
    return diff;
}
