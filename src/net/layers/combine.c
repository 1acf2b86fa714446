/* SPDX-License-Identifier: MIT */
/*
 * Where branches meet: add, sub and mul of two inputs or more, number by number. An input whose
 * height, width or number of maps is 1 is repeated along it.
 *
 * Down, a sum passes the signal to all of its inputs, a difference passes it negated to the second,
 * and a product multiplies it by the other factors: the derivative, under every rule. Where an
 * input was repeated, its signal is the sum over what it was repeated to.
 */
#include "layers.h"

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
    bool whole = false; /* the engines want one input that is repeated nowhere */

    (void)params;
    for (int i = 1; i < count; i++)
        shape = (struct zf_shape){wider(shape.c, in[i].c), wider(shape.h, in[i].h),
                                  wider(shape.w, in[i].w)};
    for (int i = 0; i < count; i++) {
        if (!fits(in[i].c, shape.c) || !fits(in[i].h, shape.h) || !fits(in[i].w, shape.w))
            return zf_fail(err, ZF_EINPUT,
                           "inputs of %lldx%lldx%lld and %lldx%lldx%lld do not go together",
                           (long long)in[0].c, (long long)in[0].h, (long long)in[0].w,
                           (long long)in[i].c, (long long)in[i].h, (long long)in[i].w);
        whole |= in[i].c == shape.c && in[i].h == shape.h && in[i].w == shape.w;
    }
    if (!whole)
        return zf_fail(err, ZF_EINPUT, "no input has the shape of the result, %lldx%lldx%lld",
                       (long long)shape.c, (long long)shape.h, (long long)shape.w);
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

/* The first input of the result's shape: the others are combined into it. */
static int base_of(const struct zf_emit *e)
{
    int base = 0;

    while (!same_dims(e->src_dims[base], dst_dims(e)))
        base++;
    return base;
}

/* All inputs but `left_out`, combined; ZF_NO_VALUE if there is none. Where none of them has the
   full shape, `start` has. */
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

    e->dst = combine_all(e, ZF_SUM, e->src[base], base);
}

static void mul_forward(struct zf_emit *e)
{
    const int base = base_of(e);

    e->dst = combine_all(e, ZF_PRODUCT, e->src[base], base);
}

static void sub_forward(struct zf_emit *e)
{
    e->dst = base_of(e) == 0 ? e->op->combine(e->engine, ZF_DIFFERENCE, e->src[0], e->src[1])
                             : e->op->combine(e->engine, ZF_SUM, negated(e, e->src[1]), e->src[0]);
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

static enum zf_status sub_infer(const void *params, const struct zf_shape *in, int count,
                                struct zf_inferred *out, struct zf_error *err)
{
    if (count != 2)
        return zf_fail(err, ZF_EINPUT, "a difference has two inputs, not %d", count);
    return infer(params, in, count, out, err);
}

#define COMBINE(type_name, inferring, looks, text)                                                 \
    const struct zf_layer_type zf_layer_##type_name = {                                            \
        .name = #type_name,                                                                        \
        .help = text,                                                                              \
        .branches = true,                                                                          \
        .infer = inferring,                                                                        \
        .forward = type_name##_forward,                                                            \
        .backward = type_name##_project,                                                           \
        .looks_back = looks,                                                                       \
        .project = type_name##_project,                                                            \
    }

COMBINE(add, infer, ZF_LOOKS_NEVER, "sum of its inputs");
COMBINE(sub, sub_infer, ZF_LOOKS_NEVER, "first input minus the second");
COMBINE(mul, infer, ZF_LOOKS_ALWAYS, "product of its inputs");
