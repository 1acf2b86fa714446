/* SPDX-License-Identifier: MIT */
/*
 * Matrix product of two inputs, map by map: rows of the first times columns of the second,
 * dst[c][m][n] = sum over k of a[c][m][k] * b[c][k][n]. As products of repeated maps that are
 * summed up, since these matrices are small.
 *
 * Down, the derivative under every rule: the signal times the other matrix, transposed.
 */
#include "layers.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_PRODUCTS (INT64_C(1) << 26) /* of one picture; all are in memory at once */

static enum zf_status infer(const void *params, const struct zf_shape *in, int count,
                            struct zf_inferred *out, struct zf_error *err)
{
    int64_t products;

    (void)params;
    if (count != 2)
        return zf_fail(err, ZF_EINPUT, "a matrix product has two inputs, not %d", count);
    if (in[0].c != in[1].c || in[0].w != in[1].h)
        return zf_fail(err, ZF_EINPUT,
                       "%" PRId64 "x%" PRId64 "x%" PRId64 " and %" PRId64 "x%" PRId64 "x%" PRId64
                       " have no matrix product",
                       in[0].c, in[0].h, in[0].w, in[1].c, in[1].h, in[1].w);
    if (!zf_mul3(in[0].c, in[0].h, in[0].w, &products) ||
        !zf_mul3(products, in[1].w, 1, &products) || products > MOST_PRODUCTS)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "a product of %" PRId64 "x%" PRId64 "x%" PRId64 " and %" PRId64 "x%" PRId64
                       "x%" PRId64 " is too large here",
                       in[0].c, in[0].h, in[0].w, in[1].c, in[1].h, in[1].w);
    out->out = (struct zf_shape){in[0].c, in[0].h, in[1].w};
    out->global = true;
    return ZF_OK;
}

/* Extents of the products: batch, c * m, k, n. */
static struct zf_dims product_dims(const struct zf_emit *e)
{
    const struct zf_dims a = e->src_dims[0], b = e->src_dims[1];

    return (struct zf_dims){4, {a.d[0], a.d[1] * a.d[2], a.d[3], b.d[3]}};
}

/* b for each row of a: [c * m, k, n] */
static struct zf_arrangement rows_of(const struct zf_emit *e)
{
    const struct zf_dims a = e->src_dims[0], b = e->src_dims[1];
    const int64_t map = b.d[2] * b.d[3];

    return (struct zf_arrangement){
        .count = 3, .extents = {b.d[1], a.d[2], map}, .strides = {map, 0, 1}};
}

static zf_value repeated_b(const struct zf_emit *e)
{
    const struct zf_arrangement how = rows_of(e);

    return e->op->arrange(e->engine, &how, e->src[1], product_dims(e));
}

/* a [c * m, k, 1] */
static zf_value columns_of_a(const struct zf_emit *e)
{
    struct zf_dims d = product_dims(e);

    d.d[3] = 1;
    return e->op->reshape(e->engine, e->src[0], d);
}

static void forward(struct zf_emit *e)
{
    struct zf_dims d = product_dims(e);
    zf_value products = e->op->combine(e->engine, ZF_PRODUCT, repeated_b(e), columns_of_a(e));

    d.d[2] = 1;
    products = e->op->sum_to(e->engine, products, d);
    e->dst = e->op->reshape(
        e->engine, products,
        (struct zf_dims){4, {d.d[0], e->src_dims[0].d[1], e->src_dims[0].d[2], d.d[3]}});
}

static void project(struct zf_emit *e)
{
    const struct zf_arrangement how = rows_of(e);
    struct zf_dims d = product_dims(e), row = d;
    zf_value signal, value;

    row.d[2] = 1;
    signal = e->op->reshape(e->engine, e->diff_dst, row);
    value = e->op->combine(e->engine, ZF_PRODUCT, repeated_b(e), signal);
    d.d[3] = 1;
    value = e->op->sum_to(e->engine, value, d);
    e->diff_src[0] = e->op->reshape(e->engine, value, e->src_dims[0]);
    value = zf_repeat(e, columns_of_a(e), product_dims(e));
    value = e->op->combine(e->engine, ZF_PRODUCT, value, signal);
    e->diff_src[1] = e->op->arrange_back(e->engine, &how, value, e->src_dims[1]);
}

const struct zf_layer_type zf_layer_matmul = {
    .name = "matmul",
    .help = "matrix product of two inputs, map by map",
    .branches = true,
    .infer = infer,
    .forward = forward,
    .backward = project,
    .looks_back = ZF_LOOKS_ALWAYS,
    .project = project,
};
