/* SPDX-License-Identifier: MIT */
/*
 * What graphs need where branches part and meet: combining two values, and moving numbers.
 *
 * A value [n,c,h,w] and a box of it, or a value and one that is repeated along extents of 1, are
 * walked together: for each cell of the one, or the first of each row, its place in the other.
 */
#include "reference.h"

#include <math.h>
#include <string.h>

/* Index of a cell of `small` that stands for cell (n,c,y,x) of the larger value. */
static int64_t repeated(struct zf_dims small, const int64_t at[4])
{
    int64_t index = 0;

    for (int i = 0; i < 4; i++)
        index = index * small.d[i] + (small.d[i] == 1 ? 0 : at[i]);
    return index;
}

static void cell_of(struct zf_dims dims, int64_t index, int64_t at[4])
{
    for (int i = 3; i >= 0; i--) {
        at[i] = index % dims.d[i];
        index /= dims.d[i];
    }
}

static double combined(enum zf_combination how, double a, double b)
{
    switch (how) {
    case ZF_SUM:
        return a + b;
    case ZF_DIFFERENCE:
        return a - b;
    case ZF_PRODUCT:
        return a * b;
    case ZF_QUOTIENT:
        return a / b;
    case ZF_LARGER: /* NaN passes */
        return a >= b || isnan(a) ? a : b;
    case ZF_SMALLER:
        return a <= b || isnan(a) ? a : b;
    }
    return 0.0;
}

/* src, other -> dst */
static void run_combine(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src), small = zf_ref_dims(e, op->other);
    const int64_t width = dims.d[3], step = small.d[3] == 1 ? 0 : 1;
    const double *a = zf_ref_data(e, op->src), *b = zf_ref_data(e, op->other);
    double *dst = zf_ref_data(e, op->dst);
    const enum zf_combination *how = op->parameters;

    (void)run;
    ZF_PARALLEL_FOR(zf_ref_threads(e, zf_ref_count(dims)))
    for (int64_t row = 0; row < zf_ref_count(dims) / width; row++) {
        int64_t at[4], first;

        cell_of(dims, row * width, at);
        first = repeated(small, at);
        for (int64_t x = 0; x < width; x++)
            dst[row * width + x] = combined(*how, a[row * width + x], b[first + x * step]);
    }
}

zf_value zf_ref_combine(struct zf_engine *e, enum zf_combination how, zf_value a, zf_value b)
{
    return zf_ref_record(e, run_combine, a, b, zf_ref_dims(e, a), &how, sizeof how);
}

/* src -> dst */
static void run_sum_to(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims from = zf_ref_dims(e, op->src), to = zf_ref_dims(e, op->dst);
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t i = 0; i < zf_ref_count(to); i++)
        dst[i] = 0.0;
    for (int64_t i = 0; i < zf_ref_count(from); i++) {
        int64_t at[4];

        cell_of(from, i, at);
        dst[repeated(to, at)] += src[i];
    }
}

zf_value zf_ref_sum_to(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    return zf_ref_record(e, run_sum_to, value, ZF_NO_VALUE, dims, NULL, 0);
}

/* The index in the whole of cell i of a box at `at`. */
static int64_t in_whole(struct zf_dims box, struct zf_dims at, struct zf_dims whole, int64_t i)
{
    int64_t cell[4], index = 0;

    cell_of(box, i, cell);
    for (int d = 0; d < 4; d++)
        index = index * whole.d[d] + at.d[d] + cell[d];
    return index;
}

/* src -> dst, a box of it; parameters: where it begins */
static void run_slice(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims whole = zf_ref_dims(e, op->src), box = zf_ref_dims(e, op->dst);
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);
    const struct zf_dims *at = op->parameters;

    (void)run;
    for (int64_t row = 0; row < zf_ref_count(box); row += box.d[3]) {
        const double *from = src + in_whole(box, *at, whole, row);

        for (int64_t x = 0; x < box.d[3]; x++)
            dst[row + x] = from[x];
    }
}

zf_value zf_ref_slice(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims)
{
    return zf_ref_record(e, run_slice, value, ZF_NO_VALUE, dims, &at, sizeof at);
}

/* src -> a box of dst; parameters: where it begins */
static void run_place(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims box = zf_ref_dims(e, op->src), whole = zf_ref_dims(e, op->dst);
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);
    const struct zf_dims *at = op->parameters;

    (void)run;
    for (int64_t row = 0; row < zf_ref_count(box); row += box.d[3]) {
        double *to = dst + in_whole(box, *at, whole, row);

        for (int64_t x = 0; x < box.d[3]; x++)
            to[x] = src[row + x];
    }
}

/* -> dst */
static void run_zero(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    memset(dst, 0, (size_t)zf_ref_count(zf_ref_dims(e, op->dst)) * sizeof *dst);
}

static void emit_place(struct zf_engine *e, zf_value box, struct zf_dims at, zf_value whole)
{
    struct zf_ref_op op = zf_ref_op_of(run_place);

    op.src = box;
    op.dst = whole;
    zf_ref_emit_with(e, op, &at, sizeof at);
}

zf_value zf_ref_embed(struct zf_engine *e, zf_value value, struct zf_dims at, struct zf_dims dims)
{
    struct zf_ref_op op = zf_ref_op_of(run_zero);

    op.dst = zf_ref_value(e, dims);
    zf_ref_emit(e, op);
    emit_place(e, value, at, op.dst);
    return op.dst;
}

zf_value zf_ref_concat(struct zf_engine *e, const zf_value *parts, int count)
{
    struct zf_dims dims = zf_ref_dims(e, parts[0]), at = {4, {0}};
    zf_value dst;

    dims.d[1] = 0;
    for (int i = 0; i < count; i++)
        dims.d[1] += zf_ref_dims(e, parts[i]).d[1];
    dst = zf_ref_value(e, dims);
    for (int i = 0; i < count; i++) {
        emit_place(e, parts[i], at, dst);
        at.d[1] += zf_ref_dims(e, parts[i]).d[1];
    }
    return dst;
}

/* src -> dst: map i * (c / g) + j goes to j * g + i */
static void run_shuffle(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const struct zf_dims dims = zf_ref_dims(e, op->src);
    const int64_t groups = *(const int64_t *)op->parameters, per_group = dims.d[1] / groups;
    const int64_t cells = dims.d[2] * dims.d[3];
    const double *src = zf_ref_data(e, op->src);
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    for (int64_t m = 0; m < dims.d[0] * dims.d[1]; m++) {
        const int64_t c = m % dims.d[1];
        const int64_t to = m - c + c % per_group * groups + c / per_group;

        for (int64_t p = 0; p < cells; p++)
            dst[to * cells + p] = src[m * cells + p];
    }
}

zf_value zf_ref_shuffle(struct zf_engine *e, zf_value value, int64_t groups)
{
    return zf_ref_record(e, run_shuffle, value, ZF_NO_VALUE, zf_ref_dims(e, value), &groups,
                         sizeof groups);
}

/* src -> dst, in order */
static void run_copy(struct zf_engine *e, const struct zf_ref_op *op, const struct zf_run *run)
{
    const int64_t count = zf_ref_count(zf_ref_dims(e, op->dst));
    double *dst = zf_ref_data(e, op->dst);

    (void)run;
    assert(zf_ref_count(zf_ref_dims(e, op->src)) == count);
    memcpy(dst, zf_ref_data(e, op->src), (size_t)count * sizeof *dst);
}

zf_value zf_ref_reshape(struct zf_engine *e, zf_value value, struct zf_dims dims)
{
    return zf_ref_record(e, run_copy, value, ZF_NO_VALUE, dims, NULL, 0);
}

zf_value zf_ref_copy(struct zf_engine *e, zf_value value)
{
    return zf_ref_reshape(e, value, zf_ref_dims(e, value));
}
