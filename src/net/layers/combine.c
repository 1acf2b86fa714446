/* SPDX-License-Identifier: MIT */
/*
 * Where branches meet: add and mul of two inputs or more, sub, div, max and min of two, number by
 * number. An input whose height, width or number of maps is 1 is repeated along it.
 *
 * Down, a sum passes the signal to all of its inputs, a difference passes it negated to the second,
 * a product multiplies it by the other factors, the larger or smaller number takes it (the second,
 * of two that are the same): the derivative, under every rule. Where an input was repeated, its
 * signal is the sum over what it was repeated to.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/status.h"

static int64_t wider(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool fits(int64_t extent, int64_t out)
{
    return extent == out || extent == 1;
}

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    struct zf_shape shape = in[0];

    (void)params;
    for (int i = 1; i < count; i++)
        shape = (struct zf_shape){wider(shape.c, in[i].c), wider(shape.h, in[i].h),
                                  wider(shape.w, in[i].w)};
    for (int i = 0; i < count; i++)
        if (!fits(in[i].c, shape.c) || !fits(in[i].h, shape.h) || !fits(in[i].w, shape.w))
            return zf_fail(err, ZF_EINPUT,
                           "inputs of %" PRId64 "x%" PRId64 "x%" PRId64 " and %" PRId64 "x%" PRId64
                           "x%" PRId64 " do not go together",
                           in[0].c, in[0].h, in[0].w, in[i].c, in[i].h, in[i].w);
    out->out = shape;
    return ZF_OK;
}

static struct zf_dims dst_dims(const struct zf_emit *e)
{
    return (struct zf_dims){4, {e->src_dims[0].d[0], e->out.c, e->out.h, e->out.w}};
}

static bool same_dims(struct zf_dims a, struct zf_dims b)
{
    return a.d[1] == b.d[1] && a.d[2] == b.d[2] && a.d[3] == b.d[3];
}

/* Input i, as large as the result. */
static zf_value whole(const struct zf_emit *e, int i)
{
    return zf_repeat(e, e->src[i], dst_dims(e));
}

/* The first input of the result's shape, that the others are combined into; else the first. */
static int base_of(const struct zf_emit *e)
{
    for (int i = 0; i < e->layer->input_count; i++)
        if (same_dims(e->src_dims[i], dst_dims(e)))
            return i;
    return 0;
}

/* `start`, of the result's shape, combined with all inputs but `left_out`. */
static zf_value combine_all(const struct zf_emit *e, enum zf_combination how, zf_value start,
                            int left_out)
{
    zf_value value = start;

    for (int i = 0; i < e->layer->input_count; i++)
        if (i != left_out)
            value = e->op->combine(e->engine, how, value, e->src[i]);
    return value;
}

static zf_value negated(const struct zf_emit *e, zf_value value)
{
    return e->op->function_forward(e->engine, &(struct zf_function){ZF_LINEAR, -1, 0}, value);
}

static void add_forward(struct zf_emit *e)
{
    const int base = base_of(e);

    e->dst = combine_all(e, ZF_SUM, whole(e, base), base);
}

static void mul_forward(struct zf_emit *e)
{
    const int base = base_of(e);

    e->dst = combine_all(e, ZF_PRODUCT, whole(e, base), base);
}

static void sub_forward(struct zf_emit *e)
{
    e->dst = e->op->combine(e->engine, ZF_DIFFERENCE, whole(e, 0), e->src[1]);
}

static void div_forward(struct zf_emit *e)
{
    e->dst = e->op->combine(e->engine, ZF_QUOTIENT, whole(e, 0), e->src[1]);
}

static void max_forward(struct zf_emit *e)
{
    e->dst = e->op->combine(e->engine, ZF_LARGER, whole(e, 0), e->src[1]);
}

static void min_forward(struct zf_emit *e)
{
    e->dst = e->op->combine(e->engine, ZF_SMALLER, whole(e, 0), e->src[1]);
}

/* A signal of the result's shape as input i takes it: its own to overwrite. */
static zf_value taken(const struct zf_emit *e, zf_value signal, int i)
{
    return same_dims(e->src_dims[i], dst_dims(e))
               ? e->op->copy(e->engine, signal)
               : e->op->sum_to(e->engine, signal, e->src_dims[i]);
}

static void add_project(struct zf_emit *e)
{
    for (int i = 0; i < e->layer->input_count; i++)
        e->diff_src[i] = taken(e, e->diff_dst, i);
}

static void sub_project(struct zf_emit *e)
{
    e->diff_src[0] = taken(e, e->diff_dst, 0);
    e->diff_src[1] = negated(e, taken(e, e->diff_dst, 1));
}

static void mul_project(struct zf_emit *e)
{
    for (int i = 0; i < e->layer->input_count; i++)
        e->diff_src[i] = taken(e, combine_all(e, ZF_PRODUCT, e->diff_dst, i), i);
}

/* a / b: the signal over b, and that times minus the quotient */
static void div_project(struct zf_emit *e)
{
    const zf_value over = e->op->combine(e->engine, ZF_QUOTIENT, e->diff_dst, e->src[1]);
    const zf_value down = e->op->combine(e->engine, ZF_PRODUCT, over, e->dst);

    e->diff_src[0] = taken(e, over, 0);
    e->diff_src[1] = negated(e, taken(e, down, 1));
}

/* The signal goes to input 0 where the difference is above 0, to input 1 elsewhere. */
static void choose(struct zf_emit *e, zf_value difference)
{
    const zf_value signal = e->op->copy(e->engine, e->diff_dst);
    const zf_value first = e->op->rectify(e->engine, ZF_RECTIFY_MASK, signal, difference);
    const zf_value second = e->op->combine(e->engine, ZF_DIFFERENCE, e->diff_dst, first);

    e->diff_src[0] = taken(e, first, 0);
    e->diff_src[1] = taken(e, second, 1);
}

static void max_project(struct zf_emit *e)
{
    choose(e, e->op->combine(e->engine, ZF_DIFFERENCE, whole(e, 0), e->src[1]));
}

static void min_project(struct zf_emit *e)
{
    choose(e, e->op->combine(e->engine, ZF_DIFFERENCE, whole(e, 1), e->src[0]));
}

static enum zf_status two_infer(const void *params, const struct zf_shape *in, int count,
                                struct zf_inferred *out, struct zf_error *err)
{
    if (count != 2)
        return zf_fail(err, ZF_EINPUT, "it has two inputs, not %d", count);
    return infer(params, in, count, out, err);
}

static double sum_largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    double sum = 0;

    (void)layer;
    for (int k = 0; k < m->count; k++)
        sum += m->in[k];
    return sum;
}

static double product_largest(const struct zf_layer *layer, const struct zf_magnitudes *m)
{
    double product = 1;

    (void)layer;
    for (int k = 0; k < m->count; k++)
        product *= m->in[k];
    return product;
}

#define COMBINE(type_name, inferring, looks, bound, text)                                          \
    const struct zf_layer_type zf_layer_##type_name = {                                            \
        .name = #type_name,                                                                        \
        .help = text,                                                                              \
        .branches = true,                                                                          \
        .infer = inferring,                                                                        \
        .forward = type_name##_forward,                                                            \
        .backward = type_name##_project,                                                           \
        .looks_back = looks,                                                                       \
        .project = type_name##_project,                                                            \
        .largest = bound,                                                                          \
    }

COMBINE(add, infer, ZF_LOOKS_NEVER, sum_largest, "sum of its inputs");
COMBINE(sub, two_infer, ZF_LOOKS_NEVER, sum_largest, "first input minus the second");
COMBINE(mul, infer, ZF_LOOKS_ALWAYS, product_largest, "product of its inputs");
COMBINE(div, two_infer, ZF_LOOKS_ALWAYS, NULL, "first input divided by the second");
COMBINE(max, two_infer, ZF_LOOKS_ALWAYS, zf_largest_input, "the larger of two inputs");
COMBINE(min, two_infer, ZF_LOOKS_ALWAYS, zf_largest_input, "the smaller of two inputs");
