/* SPDX-License-Identifier: MIT */
/* Dropout and sums, in whatever layout the values arrive. */
#include "onednn.h"

#include <string.h>

struct dropout {
    float rate;
    uint64_t layer;
};

static void run_dropout(struct zf_engine *e, const struct zf_onednn_step *step,
                        const struct zf_run *run)
{
    const struct dropout *d = step->parameters;
    const float *src = zf_onednn_at(e, step->values[0])->data;
    float *dst = zf_onednn_at(e, step->values[1])->data;
    const struct zf_dims dims = zf_onednn_at(e, step->values[0])->dims;
    const int64_t count = dims.d[0] * dims.d[1] * dims.d[2] * dims.d[3];
    const uint64_t first = (uint64_t)(run->first * dims.d[1] * dims.d[2] * dims.d[3]);
    const float scale = 1.0f / (1.0f - d->rate);

    if (run->dropout_key == 0) {
        memcpy(dst, src, (size_t)count * sizeof *dst);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        dst[i] = zf_dropout_keeps(run->dropout_key, d->layer, first + (uint64_t)i, d->rate)
                     ? src[i] * scale
                     : 0.0f;
}

zf_value zf_onednn_dropout(struct zf_engine *e, zf_value src, float rate, uint64_t layer)
{
    const struct dropout parameters = {rate, layer};
    struct zf_onednn_step step = {.program = e->program, .loop = run_dropout};
    zf_value dst;

    if (!zf_onednn_ok(e) || src == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    dst = zf_onednn_new(e, zf_onednn_dims(e, src), NULL);
    step.values[0] = zf_onednn_plain(e, src);
    step.values[1] = dst;
    step.count = 2;
    zf_onednn_append_loop(e, &step, &parameters, sizeof parameters);
    return dst;
}

zf_value zf_onednn_add(struct zf_engine *e, zf_value a, zf_value b)
{
    const struct zf_onednn_work work = {"add", zf_onednn_dims(e, a), zf_onednn_dims(e, b)};
    struct zf_onednn_step step;
    const_dnnl_memory_desc_t desc;
    dnnl_status_t status;
    zf_value sum = a;

    if (!zf_onednn_ok(e) || a == ZF_NO_VALUE || b == ZF_NO_VALUE)
        return ZF_NO_VALUE;
    zf_onednn_step_begin(e, &step);
    desc = zf_onednn_layout(e, a)->desc;
    status = dnnl_binary_primitive_desc_create(&step.desc, e->engine, dnnl_binary_add, desc, desc,
                                               desc, e->attr);
    if (!zf_onednn_step_make(e, &step, status, &work))
        return ZF_NO_VALUE;
    zf_onednn_bind(e, &step, DNNL_ARG_SRC_0, a);
    zf_onednn_in(e, &step, DNNL_ARG_SRC_1, b, NULL);
    /* On the way up both terms may be wanted again, on the way down they are spent. */
    if (e->program <= ZF_PROGRAM_FORWARD || zf_onednn_at(e, a)->forever)
        sum = zf_onednn_out(e, &step, DNNL_ARG_DST, zf_onednn_dims(e, a));
    else
        zf_onednn_bind(e, &step, DNNL_ARG_DST, a);
    zf_onednn_append(e, &step);
    if (sum == a)
        zf_onednn_overwrite(e, a);
    return sum;
}
