/* SPDX-License-Identifier: MIT */
/* Nodes whose inputs are all known: numbers made, computed and converted. */
#include "import.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define EXACT 9007199254740992.0 /* 2^53: whole numbers up to here are exact in double */

/* Room for a constant of that kind and shape, which *made owns. */
static enum zf_status make(struct zf_import_node *node, enum zf_value_kind kind, int rank,
                           const int64_t *dims, struct zf_value *made)
{
    const bool real = kind == ZF_VALUE_FLOATS;
    int64_t count = 1;

    *made = (struct zf_value){.kind = kind, .rank = rank};
    for (int i = 0; i < rank; i++) {
        made->dims[i] = dims[i];
        if (dims[i] < 0 || !zf_mul3(count, dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "a tensor of dimension %lld", (long long)dims[i]);
    }
    made->owned = zf_import_room(node->import, count, real ? sizeof(float) : sizeof(int64_t));
    if (!made->owned)
        return node->import->err->status;
    if (real)
        made->floats = made->owned;
    else
        made->integers = made->owned;
    return ZF_OK;
}

static enum zf_status set_at(const struct zf_import_node *node, struct zf_value *made, int64_t i,
                             double number)
{
    if (made->kind == ZF_VALUE_FLOATS)
        ((float *)made->owned)[i] = (float)number;
    else if (fabs(number) <= EXACT) /* false for NaN as well */
        ((int64_t *)made->owned)[i] = (int64_t)number;
    else
        return zf_node_fail(node, ZF_EINPUT, "%g as a whole number", number);
    return ZF_OK;
}

/* ---- Numbers out of nothing ---- */

static enum zf_status fold_constant(struct zf_import_node *node)
{
    const Onnx__AttributeProto *tensor = zf_node_attribute(node, "value");
    const Onnx__AttributeProto *one = zf_node_attribute(node, "value_int");
    const Onnx__AttributeProto *many = zf_node_attribute(node, "value_ints");
    const Onnx__AttributeProto *real = zf_node_attribute(node, "value_float");
    const Onnx__AttributeProto *reals = zf_node_attribute(node, "value_floats");
    struct zf_value made = {0};
    enum zf_status status;

    if (tensor && tensor->t) {
        ZF_TRY(zf_import_constant(node->import, tensor->t, &made));
    } else if (one) {
        made = (struct zf_value){.kind = ZF_VALUE_INTEGERS, .integers = &one->i};
    } else if (many) {
        made = (struct zf_value){.kind = ZF_VALUE_INTEGERS,
                                 .rank = 1,
                                 .dims = {(int64_t)many->n_ints},
                                 .integers = many->ints};
    } else if (real) {
        made = (struct zf_value){.kind = ZF_VALUE_FLOATS, .floats = &real->f};
    } else if (reals) {
        made = (struct zf_value){.kind = ZF_VALUE_FLOATS,
                                 .rank = 1,
                                 .dims = {(int64_t)reals->n_floats},
                                 .floats = reals->floats};
    } else {
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a constant that is no numbers");
    }
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status fold_constant_of_shape(struct zf_import_node *node)
{
    const Onnx__AttributeProto *tensor = zf_node_attribute(node, "value");
    struct zf_value made = {0}, fill = {.kind = ZF_VALUE_FLOATS};
    const float zero = 0;
    int64_t dims[ZF_ONNX_RANK];
    enum zf_status status;
    int rank;

    fill.floats = &zero;
    ZF_TRY(zf_node_list(node, "shape", 0, dims, ZF_ONNX_RANK, &rank));
    if (tensor && tensor->t)
        ZF_TRY(zf_import_constant(node->import, tensor->t, &fill));
    if (zf_value_count(&fill) != 1) {
        status = zf_node_fail(node, ZF_EINPUT, "its value is not one number");
        goto fail;
    }
    ZF_TRY(make(node, fill.kind, rank, dims, &made));
    for (int64_t i = 0, count = zf_value_count(&made); i < count && status == ZF_OK; i++)
        status = set_at(node, &made, i, zf_value_at(&fill, 0));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_value_release(&made);
    zf_value_release(&fill);
    return status;
}

static enum zf_status fold_range(struct zf_import_node *node)
{
    struct zf_value *in[3], made = {0};
    double start, limit, step;
    enum zf_status status;
    int64_t count;

    for (int i = 0; i < 3; i++) {
        ZF_TRY(zf_node_constant(node, i, &in[i]));
        if (zf_value_count(in[i]) != 1)
            return zf_node_fail(node, ZF_EINPUT, "input %d is not one number", i);
    }
    start = zf_value_at(in[0], 0);
    limit = zf_value_at(in[1], 0);
    step = zf_value_at(in[2], 0);
    if (step == 0 || !(fabs((limit - start) / step) < 1e9))
        return zf_node_fail(node, ZF_EINPUT, "from %g to %g by %g", start, limit, step);
    count = (int64_t)ceil((limit - start) / step);
    ZF_TRY(make(node, in[0]->kind, 1, (int64_t[]){count > 0 ? count : 0}, &made));
    for (int64_t i = 0; i < made.dims[0] && status == ZF_OK; i++)
        status = set_at(node, &made, i, start + (double)i * step);
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_value_release(&made);
    return status;
}

/* Shape, with opset 15's start and end, and Size: of constants and maps. */
enum zf_status zf_node_shape(struct zf_import_node *node)
{
    const bool size = strcmp(node->proto->op_type, "Size") == 0;
    const struct zf_value *src = node->in_count > 0 ? node->in[0] : NULL;
    struct zf_value made;
    int64_t start, end, *dims;
    enum zf_status status;

    if (!src)
        return zf_node_fail(node, ZF_EINPUT, "it has no input");
    start = zf_node_integer(node, "start", 0);
    end = zf_node_integer(node, "end", src->rank);
    start = start < 0 ? start + src->rank : start;
    end = end < 0 ? end + src->rank : end;
    start = start < 0 ? 0 : start > src->rank ? src->rank : start;
    end = end < start ? start : end > src->rank ? src->rank : end;
    ZF_TRY(make(node, ZF_VALUE_INTEGERS, size ? 0 : 1, (int64_t[]){end - start}, &made));
    dims = made.owned;
    if (size)
        dims[0] = zf_value_count(src);
    else
        memcpy(dims, src->dims + start, sizeof *dims * (size_t)(end - start));
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

enum zf_status zf_fold_cast(struct zf_import_node *node)
{
    const int64_t to = zf_node_integer(node, "to", 0);
    const bool real = to == 1 || to == 10 || to == 11 || to == 16;
    struct zf_value *src, made = {0};
    enum zf_status status;

    ZF_TRY(zf_node_constant(node, 0, &src));
    if (real == (src->kind == ZF_VALUE_FLOATS) && to != 9)
        return zf_import_alias(node, src);
    ZF_TRY(make(node, real ? ZF_VALUE_FLOATS : ZF_VALUE_INTEGERS, src->rank, src->dims, &made));
    for (int64_t i = 0, count = zf_value_count(src); i < count && status == ZF_OK; i++)
        status = set_at(node, &made, i, to == 9 ? zf_value_at(src, i) != 0 : zf_value_at(src, i));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_value_release(&made);
    return status;
}

/* ---- Arithmetic ---- */

static double add(double a, double b)
{
    return a + b;
}

static double subtract(double a, double b)
{
    return a - b;
}

static double multiply(double a, double b)
{
    return a * b;
}

static double divide(double a, double b)
{
    return a / b;
}

static double negate(double a, double b)
{
    (void)b;
    return -a;
}

static double root(double a, double b)
{
    (void)b;
    return sqrt(a);
}

static double invert(double a, double b)
{
    (void)b;
    return 1 / a;
}

static double round_down(double a, double b)
{
    (void)b;
    return floor(a);
}

static double round_up(double a, double b)
{
    (void)b;
    return ceil(a);
}

static const struct {
    const char *name;
    int inputs;
    double (*compute)(double a, double b);
} functions[] = {
    {"Add", 2, add},   {"Sub", 2, subtract},      {"Mul", 2, multiply},     {"Div", 2, divide},
    {"Pow", 2, pow},   {"Max", 2, fmax},          {"Min", 2, fmin},         {"Neg", 1, negate},
    {"Sqrt", 1, root}, {"Reciprocal", 1, invert}, {"Floor", 1, round_down}, {"Ceil", 1, round_up},
};

/* The shape that both spread to. */
static enum zf_status broadcast(const struct zf_import_node *node, const struct zf_value *a,
                                const struct zf_value *b, int *rank, int64_t *dims)
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (int i = 0; i < *rank; i++) {
        const int at_a = i - (*rank - a->rank), at_b = i - (*rank - b->rank);
        const int64_t of_a = at_a < 0 ? 1 : a->dims[at_a], of_b = at_b < 0 ? 1 : b->dims[at_b];

        if (of_a != of_b && of_a != 1 && of_b != 1)
            return zf_node_fail(node, ZF_EINPUT, "%lld and %lld cells on one axis", (long long)of_a,
                                (long long)of_b);
        dims[i] = of_a == 1 ? of_b : of_a;
    }
    return ZF_OK;
}

/* Where cell i of a tensor of `dims` reads from `src`, which spreads to it. */
static int64_t broadcast_place(const struct zf_value *src, int rank, const int64_t *dims, int64_t i)
{
    int64_t place = 0, stride = 1;

    for (int axis = rank; axis-- > 0;) {
        const int own = axis - (rank - src->rank);

        if (own < 0)
            break;
        if (src->dims[own] > 1)
            place += i % dims[axis] * stride;
        stride *= src->dims[own];
        i /= dims[axis];
    }
    return place;
}

enum zf_status zf_fold_arithmetic(struct zf_import_node *node)
{
    struct zf_value *a, *b, made = {0};
    int64_t dims[ZF_ONNX_RANK];
    enum zf_status status;
    size_t f = 0;
    int rank;

    while (f + 1 < ZF_COUNT(functions) && strcmp(functions[f].name, node->proto->op_type) != 0)
        f++;
    ZF_TRY(zf_node_constant(node, 0, &a));
    b = a;
    if (functions[f].inputs == 2)
        ZF_TRY(zf_node_constant(node, 1, &b));
    if (node->in_count > functions[f].inputs)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "more than %d inputs", functions[f].inputs);
    ZF_TRY(broadcast(node, a, b, &rank, dims));
    ZF_TRY(make(node, a->kind, rank, dims, &made));
    for (int64_t i = 0, count = zf_value_count(&made); i < count && status == ZF_OK; i++)
        status = set_at(node, &made, i,
                        functions[f].compute(zf_value_at(a, broadcast_place(a, rank, dims, i)),
                                             zf_value_at(b, broadcast_place(b, rank, dims, i))));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_value_release(&made);
    return status;
}

/* Spread to a shape. */
static enum zf_status fold_expand(struct zf_import_node *node)
{
    struct zf_value *src, shape = {0}, made = {0};
    int64_t dims[ZF_ONNX_RANK];
    enum zf_status status;
    int rank;

    ZF_TRY(zf_node_constant(node, 0, &src));
    ZF_TRY(zf_node_list(node, "shape", 1, shape.dims, ZF_ONNX_RANK, &shape.rank));
    ZF_TRY(broadcast(node, src, &shape, &rank, dims));
    ZF_TRY(make(node, src->kind, rank, dims, &made));
    for (int64_t i = 0, count = zf_value_count(&made); i < count && status == ZF_OK; i++)
        status = set_at(node, &made, i, zf_value_at(src, broadcast_place(src, rank, dims, i)));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_value_release(&made);
    return status;
}

/* Of a list of sizes, all of it. */
static enum zf_status fold_product(struct zf_import_node *node)
{
    struct zf_value *src, made = {0};
    double product = 1;
    enum zf_status status;

    ZF_TRY(zf_node_constant(node, 0, &src));
    if (src->rank > 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "only of a list of numbers");
    ZF_TRY(zf_import_work(node->import, zf_value_count(src)));
    for (int64_t i = 0; i < zf_value_count(src); i++)
        product *= zf_value_at(src, i);
    ZF_TRY(make(node, src->kind, (int)zf_node_integer(node, "keepdims", 1) != 0, (int64_t[]){1},
                &made));
    ZF_TRY(set_at(node, &made, 0, product));
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_value_release(&made);
    return status;
}

const struct zf_operator zf_operators_fold[] = {
    {"Constant", fold_constant, NULL},
    {"ConstantOfShape", fold_constant_of_shape, NULL},
    {"Range", fold_range, NULL},
    {"Expand", fold_expand, NULL},
    {"ReduceProd", fold_product, NULL},
    {"Pow", zf_fold_arithmetic, NULL},
    {"Max", zf_fold_arithmetic, NULL},
    {"Min", zf_fold_arithmetic, NULL},
    {"Sqrt", zf_fold_arithmetic, NULL},
    {"Reciprocal", zf_fold_arithmetic, NULL},
    {"Floor", zf_fold_arithmetic, NULL},
    {"Ceil", zf_fold_arithmetic, NULL},
    {NULL, NULL, NULL},
};
