/* SPDX-License-Identifier: MIT */
/*
 * Channel shuffle: maps numbered [g, c/g] are numbered [c/g, g] instead, so that the groups of the
 * next convolution see maps of every group. Zhang et al. 2017. Down, the same the other way round.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

struct shuffle_params {
    int64_t groups;
};

static const struct zf_option shuffle_options[] = {
    ZF_OPTION_ROW_INT(shuffle_params, groups, "N", "groups that are mixed", 2, 1, 65536),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct shuffle_params *p = params;

    (void)count;
    if (in[0].c % p->groups != 0)
        return zf_fail(err, ZF_EINPUT, "%" PRId64 " groups do not divide %" PRId64 " maps",
                       p->groups, in[0].c);
    out->out = in[0];
    return ZF_OK;
}

static void forward(struct zf_emit *e)
{
    const struct shuffle_params *p = e->layer->params;

    e->dst = e->op->shuffle(e->engine, e->src[0], p->groups);
}

static void project(struct zf_emit *e)
{
    const struct shuffle_params *p = e->layer->params;

    e->diff_src[0] = e->op->shuffle(e->engine, e->diff_dst, e->src_dims[0].d[1] / p->groups);
}

const struct zf_layer_type zf_layer_shuffle = {
    .name = "shuffle",
    .help = "maps of all groups mixed",
    .params_size = sizeof(struct shuffle_params),
    .options = shuffle_options,
    .option_count = ZF_COUNT(shuffle_options),
    .infer = infer,
    .forward = forward,
    .backward = project,
    .project = project,
    .largest = zf_largest_input,
};
