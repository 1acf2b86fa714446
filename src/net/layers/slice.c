/* SPDX-License-Identifier: MIT */
/*
 * A range of the maps. Down, the signal goes to those maps, zeros to the others.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

struct slice_params {
    int64_t first, maps;
};

static const struct zf_option slice_options[] = {
    ZF_OPTION_ROW_INT(slice_params, first, "map", "where the range begins", 0, 0, 1 << 20),
    ZF_OPTION_ROW_INT(slice_params, maps, "N", "how many maps", 0, 1, 1 << 20),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct slice_params *p = params;

    (void)count;
    if (p->maps < 1 || p->first + p->maps > in[0].c)
        return zf_fail(err, ZF_EINPUT,
                       "%" PRId64 " maps from map %" PRId64 " on are not among %" PRId64, p->maps,
                       p->first, in[0].c);
    out->out = (struct zf_shape){p->maps, in[0].h, in[0].w};
    return ZF_OK;
}

static struct zf_dims first_of(const struct zf_emit *e)
{
    const struct slice_params *p = e->layer->params;

    return (struct zf_dims){4, {0, p->first, 0, 0}};
}

static void forward(struct zf_emit *e)
{
    struct zf_dims dims = e->src_dims[0];

    dims.d[1] = e->out.c;
    e->dst = e->op->slice(e->engine, e->src[0], first_of(e), dims);
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = e->op->embed(e->engine, e->diff_dst, first_of(e), e->src_dims[0]);
}

const struct zf_layer_type zf_layer_slice = {
    .name = "slice",
    .help = "a range of the maps",
    .params_size = sizeof(struct slice_params),
    .options = slice_options,
    .option_count = ZF_COUNT(slice_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
