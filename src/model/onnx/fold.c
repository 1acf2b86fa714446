/* SPDX-License-Identifier: MIT */
/* Numbers out of nothing, of another type, or of a branch: what makes constants. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "constant.h"
#include "emit.h"
#include "operators.h"

#define EXACT 9007199254740992.0 /* 2^53: whole numbers up to here are exact in double */

enum zf_status zf_fold_make(struct zf_import_node *node, enum zf_operand_kind kind, int rank,
                            const int64_t *dims, struct zf_operand *made)
{
    const bool real = kind == ZF_OPERAND_FLOATS;
    int64_t count = 1;

    *made = (struct zf_operand){.kind = kind, .rank = rank};
    for (int i = 0; i < rank; i++) {
        made->dims[i] = dims[i];
        if (dims[i] < 0 || !zf_mul3(count, dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "a tensor of dimension %" PRId64, dims[i]);
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

enum zf_status zf_fold_set(const struct zf_import_node *node, struct zf_operand *made, int64_t i,
                           double number)
{
    if (made->kind == ZF_OPERAND_FLOATS)
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
    struct zf_operand made = {0};

    if (tensor && tensor->t) {
        ZF_CHECK(zf_import_constant(node->import, tensor->t, &made));
    } else if (one) {
        made = (struct zf_operand){.kind = ZF_OPERAND_INTEGERS, .integers = &one->i};
    } else if (many) {
        made = (struct zf_operand){.kind = ZF_OPERAND_INTEGERS,
                                   .rank = 1,
                                   .dims = {(int64_t)many->n_ints},
                                   .integers = many->ints};
    } else if (real) {
        made = (struct zf_operand){.kind = ZF_OPERAND_FLOATS, .floats = &real->f};
    } else if (reals) {
        made = (struct zf_operand){.kind = ZF_OPERAND_FLOATS,
                                   .rank = 1,
                                   .dims = {(int64_t)reals->n_floats},
                                   .floats = reals->floats};
    } else {
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a constant that is no numbers");
    }
    return zf_import_output(node, &made);
}

/* Lists are small anyway; weights that are filled, not stored, have a budget of their own. */
static enum zf_status afford_fill(struct zf_import_node *node, int rank, const int64_t *dims)
{
    int64_t count = 1;

    for (int i = 0; i < rank; i++)
        if (dims[i] < 0 || !zf_mul3(count, dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "a tensor of dimension %" PRId64, dims[i]);
    return zf_import_fill(node->import, count);
}

static enum zf_status fold_constant_of_shape(struct zf_import_node *node)
{
    const Onnx__AttributeProto *tensor = zf_node_attribute(node, "value");
    struct zf_operand made = {0}, fill = {.kind = ZF_OPERAND_FLOATS};
    const float zero = 0;
    int64_t dims[ZF_ONNX_RANK];
    enum zf_status status;
    int rank;

    fill.floats = &zero;
    ZF_TRY(zf_node_list(node, "shape", 0, dims, ZF_ONNX_RANK, &rank));
    if (tensor && tensor->t)
        ZF_TRY(zf_import_constant(node->import, tensor->t, &fill));
    if (zf_operand_count(&fill) != 1)
        ZF_LEAVE(zf_node_fail(node, ZF_EINPUT, "its value is not one number"));
    ZF_TRY(afford_fill(node, rank, dims));
    ZF_TRY(zf_fold_make(node, fill.kind, rank, dims, &made));
    for (int64_t i = 0, count = zf_operand_count(&made); i < count && status == ZF_OK; i++)
        status = zf_fold_set(node, &made, i, zf_operand_at(&fill, 0));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_operand_release(&made);
    zf_operand_release(&fill);
    return status;
}

static enum zf_status fold_range(struct zf_import_node *node)
{
    struct zf_operand *in[3], made = {0};
    double start, limit, step;
    enum zf_status status;
    int64_t count;

    for (int i = 0; i < 3; i++) {
        ZF_TRY(zf_node_constant(node, i, &in[i]));
        if (zf_operand_count(in[i]) != 1)
            return zf_node_fail(node, ZF_EINPUT, "input %d is not one number", i);
    }
    start = zf_operand_at(in[0], 0);
    limit = zf_operand_at(in[1], 0);
    step = zf_operand_at(in[2], 0);
    if (step == 0 || !(fabs((limit - start) / step) < 1e9))
        return zf_node_fail(node, ZF_EINPUT, "from %g to %g by %g", start, limit, step);
    count = (int64_t)ceil((limit - start) / step);
    ZF_TRY(zf_fold_make(node, in[0]->kind, 1, (int64_t[]){count > 0 ? count : 0}, &made));
    for (int64_t i = 0; i < made.dims[0] && status == ZF_OK; i++)
        status = zf_fold_set(node, &made, i, start + (double)i * step);
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_operand_release(&made);
    return status;
}

/* Shape, with opset 15's start and end, and Size: of constants and maps. */
enum zf_status zf_fold_shape(struct zf_import_node *node)
{
    const bool size = strcmp(node->proto->op_type, "Size") == 0;
    const struct zf_operand *src = node->in_count > 0 ? node->in[0] : NULL;
    struct zf_operand made;
    int64_t start, end, *dims;

    if (!src)
        return zf_node_fail(node, ZF_EINPUT, "it has no input");
    start = zf_node_integer(node, "start", 0);
    end = zf_node_integer(node, "end", src->rank);
    start = start < 0 ? start + src->rank : start;
    end = end < 0 ? end + src->rank : end;
    start = start < 0 ? 0 : start > src->rank ? src->rank : start;
    end = end < start ? start : end > src->rank ? src->rank : end;
    ZF_CHECK(
        zf_fold_make(node, ZF_OPERAND_INTEGERS, size ? 0 : 1, (int64_t[]){end - start}, &made));
    dims = made.owned;
    if (size)
        dims[0] = zf_operand_count(src);
    else
        memcpy(dims, src->dims + start, sizeof *dims * (size_t)(end - start));
    return zf_import_output(node, &made);
}

enum zf_status zf_fold_cast(struct zf_import_node *node)
{
    const int64_t to = zf_node_integer(node, "to", 0);
    const bool real = to == 1 || to == 10 || to == 11 || to == 16;
    struct zf_operand *src, made = {0};
    enum zf_status status;

    ZF_TRY(zf_node_constant(node, 0, &src));
    if (real == (src->kind == ZF_OPERAND_FLOATS) && to != 9)
        return zf_import_alias(node, src);
    ZF_TRY(zf_import_work(node->import, zf_operand_count(src)));
    ZF_TRY(zf_fold_make(node, real ? ZF_OPERAND_FLOATS : ZF_OPERAND_INTEGERS, src->rank, src->dims,
                        &made));
    for (int64_t i = 0, count = zf_operand_count(src); i < count && status == ZF_OK; i++)
        status = zf_fold_set(node, &made, i,
                             to == 9 ? zf_operand_at(src, i) != 0 : zf_operand_at(src, i));
    if (status == ZF_OK)
        status = zf_import_output(node, &made);
fail:
    if (status != ZF_OK)
        zf_operand_release(&made);
    return status;
}

/* ---- Branches ---- */

/* inline.c has put both branches before it: their outputs stand behind the condition. */
static enum zf_status choose_branch(struct zf_import_node *node)
{
    struct zf_operand *condition = NULL;
    bool taken;

    ZF_CHECK(zf_node_input(node, 0, &condition));
    if (!zf_operand_is_constant(condition) || zf_operand_count(condition) != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "its condition hangs on the picture: only a constant one is read");
    taken = zf_operand_at(condition, 0) != 0;
    for (int i = 0; i < node->out_count; i++) {
        const int at = 1 + i + (taken ? 0 : node->out_count);

        if (!node->out[i])
            continue;
        if (!zf_node_has(node, at) || node->in[at]->kind == ZF_OPERAND_NONE)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "the %s branch cannot be read",
                                taken ? "then" : "else");
        node->out[i]->value = *node->in[at];
        node->out[i]->value.owned = NULL; /* the branch keeps it */
        node->out[i]->batch = node->from[at]->batch;
        if (node->out[i]->value.kind == ZF_OPERAND_MAPS &&
            node->out[i]->value.layer != ZF_NET_INPUT)
            ZF_CHECK(zf_import_call(node->import, node->out[i]->value.layer, node->out[i]->name));
    }
    return ZF_OK;
}

const struct zf_operator zf_operators_fold[] = {
    {"Constant", fold_constant, NULL}, {"ConstantOfShape", fold_constant_of_shape, NULL},
    {"Range", fold_range, NULL},       {"If", choose_branch, choose_branch},
    {"Mod", zf_fold_arithmetic, NULL}, {NULL, NULL, NULL},
};
