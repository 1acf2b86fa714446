/* SPDX-License-Identifier: MIT */
/*
 * Concatenation: the maps of its inputs, one behind the other. Down, each input takes the part of
 * the signal that belongs to its maps.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    (void)params;
    out->out = (struct zf_shape){0, in[0].h, in[0].w};
    for (int i = 0; i < count; i++) {
        if (in[i].h != in[0].h || in[i].w != in[0].w)
            return zf_fail(err, ZF_EINPUT,
                           "maps of %" PRId64 "x%" PRId64 " and %" PRId64 "x%" PRId64
                           " do not go together",
                           in[0].h, in[0].w, in[i].h, in[i].w);
        out->out.c += in[i].c;
    }
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    e->dst = e->op->concat(e->engine, e->src, e->layer->input_count);
}

static void project(struct zf_emit *e)
{
    struct zf_dims at = {4, {0}};

    for (int i = 0; i < e->layer->input_count; i++) {
        e->diff_src[i] = e->op->slice(e->engine, e->diff_dst, at, e->src_dims[i]);
        at.d[1] += e->src_dims[i].d[1];
    }
}

const struct zf_layer_type zf_layer_concat = {
    .name = "concat",
    .help = "the maps of its inputs, one behind the other",
    .branches = true,
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
