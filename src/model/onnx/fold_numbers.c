/* SPDX-License-Identifier: MIT */
/* Constants computed: several into one, reduced, and multiplied as matrices. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "emit.h"
#include "operators.h"

/* ---- Of several ---- */

#define OF_TWO(name, expression)                                                                   \
    static double name(double a, double b)                                                         \
    {                                                                                              \
        return expression;                                                                         \
    }

OF_TWO(add, a + b)
OF_TWO(subtract, a - b)
OF_TWO(multiply, (a * b))
OF_TWO(divide, a / b)
OF_TWO(divide_whole, trunc(a / b))
OF_TWO(remainder_of, a - b * floor(a / b))
OF_TWO(equal, !(a < b) && !(a > b) && !isnan(a) && !isnan(b))
OF_TWO(less, a < b)
OF_TWO(less_or_equal, a <= b)
OF_TWO(greater, a > b)
OF_TWO(greater_or_equal, a >= b)
OF_TWO(both, a != 0 && b != 0)
OF_TWO(either, a != 0 || b != 0)
OF_TWO(one_of, (a != 0) != (b != 0))

static const struct {
    const char *name;
    double (*compute)(double a, double b);
    bool logical; /* whole numbers whatever goes in */
} operations[] = {
    {"Add", add, false},
    {"Sub", subtract, false},
    {"Mul", multiply, false},
    {"Div", divide, false},
    {"Pow", pow, false},
    {"Max", fmax, false},
    {"Min", fmin, false},
    {"Mod", remainder_of, false},
    {"Sum", add, false},
    {"Mean", add, false},
    {"Equal", equal, true},
    {"Less", less, true},
    {"LessOrEqual", less_or_equal, true},
    {"Greater", greater, true},
    {"GreaterOrEqual", greater_or_equal, true},
    {"And", both, true},
    {"Or", either, true},
    {"Xor", one_of, true},
};

/* The shape that all inputs spread to. */
static enum zf_status broadcast(const struct zf_import_node *node, int *rank, int64_t *dims)
{
    *rank = 0;
    for (int k = 0; k < node->in_count; k++)
        *rank = node->in[k]->rank > *rank ? node->in[k]->rank : *rank;
    for (int i = 0; i < *rank; i++) {
        dims[i] = 1;
        for (int k = 0; k < node->in_count; k++) {
            const int axis = i - (*rank - node->in[k]->rank);
            const int64_t extent = axis < 0 ? 1 : node->in[k]->dims[axis];

            if (extent != dims[i] && extent != 1 && dims[i] != 1)
                return zf_node_fail(node, ZF_EINPUT,
                                    "%" PRId64 " and %" PRId64 " cells on one axis", dims[i],
                                    extent);
            dims[i] = extent == 1 ? dims[i] : extent;
        }
    }
    return ZF_OK;
}

/* Where cell i of a tensor of `dims` reads from `src`, which spreads to it. */
static int64_t broadcast_place(const struct zf_operand *src, int rank, const int64_t *dims,
                               int64_t i)
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

static double number_of(const struct zf_import_node *node, int k, const struct zf_operand *made,
                        int64_t i)
{
    return zf_operand_at(node->in[k], broadcast_place(node->in[k], made->rank, made->dims, i));
}

static double combined(const struct zf_import_node *node, size_t f, const struct zf_operand *made,
                       int64_t i)
{
    double value = number_of(node, 0, made, i);

    for (int k = 1; k < node->in_count; k++)
        value = operations[f].compute == divide && made->kind == ZF_OPERAND_INTEGERS
                    ? divide_whole(value, number_of(node, k, made, i))
                    : operations[f].compute(value, number_of(node, k, made, i));
    if (strcmp(operations[f].name, "Mean") == 0)
        value /= node->in_count;
    return value;
}

static enum zf_status check_inputs(const struct zf_import_node *node, bool where)
{
    const bool many =
        strcmp(node->proto->op_type, "Sum") == 0 || strcmp(node->proto->op_type, "Mean") == 0 ||
        strcmp(node->proto->op_type, "Max") == 0 || strcmp(node->proto->op_type, "Min") == 0;
    const int expected = where ? 3 : 2;
    struct zf_operand *value;

    for (int k = 0; k < node->in_count; k++) {
        ZF_CHECK(zf_node_constant(node, k, &value));
    }
    if (many ? node->in_count < 1 : node->in_count != expected)
        return zf_node_fail(node, ZF_EINPUT, "%d inputs", node->in_count);
    return ZF_OK;
}

enum zf_status zf_fold_combined(struct zf_import_node *node, struct zf_operand *out)
{
    const bool where = strcmp(node->proto->op_type, "Where") == 0;
    struct zf_operand made = {0};
    int64_t dims[ZF_ONNX_RANK];
    enum zf_operand_kind kind;
    enum zf_status status;
    size_t f = 0;
    int rank;

    while (f + 1 < ZF_COUNT(operations) && strcmp(operations[f].name, node->proto->op_type) != 0)
        f++;
    ZF_TRY(check_inputs(node, where));
    ZF_TRY(broadcast(node, &rank, dims));
    kind = where                   ? node->in[1]->kind
           : operations[f].logical ? ZF_OPERAND_INTEGERS
                                   : node->in[0]->kind;
    ZF_TRY(zf_fold_make(node, kind, rank, dims, &made));
    for (int64_t i = 0, count = zf_operand_count(&made); i < count; i++) {
        const double value =
            !where ? combined(node, f, &made, i)
                   : number_of(node, number_of(node, 0, &made, i) != 0 ? 1 : 2, &made, i);

        ZF_TRY(zf_fold_set(node, &made, i, value));
    }
    *out = made;
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}

enum zf_status zf_fold_arithmetic(struct zf_import_node *node)
{
    struct zf_operand made;

    ZF_CHECK(zf_fold_combined(node, &made));
    return zf_import_output(node, &made);
}

/* ---- Reduced ---- */

enum reduction { MEAN, SUM, MAX, MIN, PROD, L1, L2, SUM_SQUARE, LOG_SUM, LOG_SUM_EXP };
static const char *const reductions[] = {
    [MEAN] = "ReduceMean",      [SUM] = "ReduceSum",
    [MAX] = "ReduceMax",        [MIN] = "ReduceMin",
    [PROD] = "ReduceProd",      [L1] = "ReduceL1",
    [L2] = "ReduceL2",          [SUM_SQUARE] = "ReduceSumSquare",
    [LOG_SUM] = "ReduceLogSum", [LOG_SUM_EXP] = "ReduceLogSumExp",
};

static double begin(enum reduction how)
{
    return how == MAX ? -INFINITY : how == MIN ? INFINITY : how == PROD ? 1 : 0;
}

static double join(enum reduction how, double sum, double x)
{
    switch (how) {
    case MAX:
        return fmax(sum, x);
    case MIN:
        return fmin(sum, x);
    case PROD:
        return sum * x;
    case L1:
        return sum + fabs(x);
    case L2:
    case SUM_SQUARE:
        return sum + x * x;
    case LOG_SUM_EXP:
        return sum + exp(x);
    case MEAN:
    case SUM:
    case LOG_SUM:
        break;
    }
    return sum + x;
}

static double end(enum reduction how, double sum, double count)
{
    return how == MEAN                            ? sum / count
           : how == L2                            ? sqrt(sum)
           : how == LOG_SUM || how == LOG_SUM_EXP ? log(sum)
                                                  : sum;
}

enum zf_status zf_fold_reduce(struct zf_import_node *node)
{
    const bool keep = zf_node_integer(node, "keepdims", 1) != 0;
    struct zf_operand *src = NULL, made = {0};
    bool named[ZF_ONNX_RANK] = {false};
    int64_t dims[ZF_ONNX_RANK], whole[ZF_ONNX_RANK] = {0}, count;
    double *sums = NULL;
    enum zf_status status;
    size_t how = 0;
    int rank = 0;

    while (how + 1 < ZF_COUNT(reductions) && strcmp(reductions[how], node->proto->op_type) != 0)
        how++;
    ZF_TRY(zf_node_constant(node, 0, &src));
    ZF_TRY(zf_node_axes(node, src->rank, named));
    ZF_TRY(zf_import_work(node->import, zf_operand_count(src)));
    for (int i = 0; i < src->rank; i++) {
        whole[i] = named[i] ? 1 : src->dims[i];
        if (!named[i] || keep)
            dims[rank++] = whole[i];
    }
    ZF_TRY(zf_fold_make(node, src->kind, rank, dims, &made));
    count = zf_operand_count(&made);
    sums = zf_import_room(node->import, count, sizeof *sums);
    if (!sums) {
        status = node->import->err->status;
        goto fail;
    }
    for (int64_t i = 0; i < count; i++)
        sums[i] = begin((enum reduction)how);
    for (int64_t i = 0; i < zf_operand_count(src); i++) {
        int64_t left = i, place = 0, stride = 1;

        for (int axis = src->rank; axis-- > 0; left /= src->dims[axis]) {
            place += named[axis] ? 0 : left % src->dims[axis] * stride;
            stride *= whole[axis];
        }
        sums[place] = join((enum reduction)how, sums[place], zf_operand_at(src, i));
    }
    for (int64_t i = 0; i < count; i++)
        ZF_TRY(zf_fold_set(
            node, &made, i,
            end((enum reduction)how, sums[i], (double)zf_operand_count(src) / (double)count)));
    ZF_TRY(zf_import_output(node, &made));
    made = (struct zf_operand){0};
fail:
    zf_free(sums);
    zf_operand_release(&made);
    return status;
}

/* ---- Matrices ---- */

/* Matrices, or vectors, which are a row from the left and a column from the right. */
enum zf_status zf_fold_matmul(struct zf_import_node *node)
{
    struct zf_operand *a = NULL, *b = NULL, made = {0};
    int64_t rows, inner, columns, work, dims[2];
    enum zf_status status;
    int rank = 0;

    ZF_TRY(zf_node_constant(node, 0, &a));
    ZF_TRY(zf_node_constant(node, 1, &b));
    if (a->rank < 1 || a->rank > 2 || b->rank < 1 || b->rank > 2 ||
        a->dims[a->rank - 1] != b->dims[0])
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a product of constants that are no matrices");
    rows = a->rank == 2 ? a->dims[0] : 1;
    inner = b->dims[0];
    columns = b->rank == 2 ? b->dims[1] : 1;
    if (a->rank == 2)
        dims[rank++] = rows;
    if (b->rank == 2)
        dims[rank++] = columns;
    if (!zf_mul3(rows, inner, columns, &work))
        return zf_node_fail(node, ZF_EINPUT, "a product that is too large");
    ZF_TRY(zf_import_work(node->import, work / 64));
    ZF_TRY(zf_fold_make(node, a->kind, rank, dims, &made));
    for (int64_t i = 0; i < zf_operand_count(&made); i++) {
        double sum = 0;

        for (int64_t k = 0; k < inner; k++)
            sum += zf_operand_at(a, i / columns * inner + k) *
                   zf_operand_at(b, k * columns + i % columns);
        ZF_TRY(zf_fold_set(node, &made, i, sum));
    }
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}
