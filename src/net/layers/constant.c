/* SPDX-License-Identifier: MIT */
/*
 * Maps that are the same for every picture: a parameter of their shape. What a net adds, joins or
 * multiplies to its maps number by number. The input only says how many pictures there are; down,
 * nothing reaches it.
 */
#include "layers.h"

#include "base/memory.h"
#include "base/status.h"

struct constant_params {
    int64_t maps, height, width;
};

static const struct zf_option constant_options[] = {
    ZF_OPTION_ROW_INT(constant_params, maps, "N", "how many", 1, 1, 1 << 24),
    ZF_OPTION_ROW_INT(constant_params, height, "cells", "their rows", 1, 1, 1 << 24),
    ZF_OPTION_ROW_INT(constant_params, width, "cells", "their columns", 1, 1, 1 << 24),
};

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    const struct constant_params *p = params;
    int64_t cells;

    (void)in;
    (void)count;
    if (!zf_mul3(p->maps, p->height, p->width, &cells) || cells > INT32_MAX)
        return zf_fail(err, ZF_EINPUT, "its output is too large");
    out->out = (struct zf_shape){p->maps, p->height, p->width};
    out->global = true;
    out->fan_in = 1;
    out->weight = (struct zf_dims){2, {cells, 1}};
    return ZF_OK;
}

static zf_value filled(const struct zf_emit *e, float number, struct zf_dims dims)
{
    static const struct zf_arrangement first = {.count = 1, .extents = {1}};
    zf_value value =
        e->op->arrange(e->engine, &first, e->src[0], (struct zf_dims){4, {dims.d[0], 1, 1, 1}});

    value = e->op->function_forward(e->engine, &(struct zf_function){ZF_LINEAR, 0, number}, value);
    return zf_repeat(e, value, dims);
}

/* The parameter as the only column of a matrix, times one for each picture. */
static zf_value ones(const struct zf_emit *e)
{
    return filled(e, 1, (struct zf_dims){4, {e->src_dims[0].d[0], 1, 1, 1}});
}

static void forward(struct zf_emit *e)
{
    e->state = ones(e);
    e->dst = e->op->fc_forward(e->engine, e->state, e->weight, ZF_NO_VALUE, e->fuse_relu);
    e->dst =
        e->op->reshape(e->engine, e->dst,
                       (struct zf_dims){4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}});
}

static void project(struct zf_emit *e)
{
    e->diff_src[0] = filled(e, 0, e->src_dims[0]);
}

static void backward(struct zf_emit *e)
{
    const struct zf_dims rows = {4, {e->src_dims[0].d[0], e->out.c * e->out.h * e->out.w, 1, 1}};

    e->op->fc_backward_weights(e->engine, e->state, e->op->reshape(e->engine, e->diff_dst, rows),
                               e->diff_weight, ZF_NO_VALUE);
    if (e->want_diff_src)
        project(e);
}

static double largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    (void)layer;
    return m->weight;
}

const struct zf_layer_type zf_layer_constant = {
    .name = "constant",
    .help = "maps that are the same for every picture",
    .params_size = sizeof(struct constant_params),
    .options = constant_options,
    .option_count = ZF_COUNT(constant_options),
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .looks_back = ZF_LOOKS_ALWAYS, /* for its batch */
    .project = project,
    .largest = largest,
};
