/* SPDX-License-Identifier: MIT */
/* Constants that name places: masks, one-hot rows, and numbers taken from places or put there. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "emit.h"
#include "operators.h"

/* The node's output, or on failure nothing. */
static enum zf_status hand_over(struct zf_import_node *node, enum zf_status status,
                                struct zf_operand *made)
{
    if (status == ZF_OK)
        status = zf_import_output(node, made);
    if (status != ZF_OK)
        zf_operand_release(made);
    return status;
}

/* A copy of the numbers, which may be changed. */
static enum zf_status copy(struct zf_import_node *node, const struct zf_operand *src,
                           struct zf_operand *made)
{
    ZF_CHECK(zf_fold_make(node, src->kind, src->rank, src->dims, made));
    for (int64_t i = 0, count = zf_operand_count(src); i < count; i++)
        if (src->kind == ZF_OPERAND_INTEGERS)
            ((int64_t *)made->owned)[i] = src->integers[i];
        else
            ((float *)made->owned)[i] = (float)zf_operand_at(src, i);
    return ZF_OK;
}

static enum zf_status one_number(const struct zf_import_node *node, int i, int64_t *number)
{
    struct zf_operand *value = NULL;

    ZF_CHECK(zf_node_constant(node, i, &value));
    if (value->kind != ZF_OPERAND_INTEGERS || zf_operand_count(value) != 1)
        return zf_node_fail(node, ZF_EINPUT, "input %d is not one whole number", i);
    *number = value->integers[0];
    return ZF_OK;
}

/* ---- Matrices ---- */

static enum zf_status fold_trilu(struct zf_import_node *node)
{
    const bool upper = zf_node_integer(node, "upper", 1) != 0;
    struct zf_operand *src = NULL, made = {0};
    int64_t diagonal = 0;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    if (zf_node_has(node, 1))
        ZF_CHECK(one_number(node, 1, &diagonal));
    if (src->rank < 2)
        return zf_node_fail(node, ZF_EINPUT, "its input has %d dimensions", src->rank);
    ZF_CHECK(copy(node, src, &made));
    for (int64_t i = 0, count = zf_operand_count(src); i < count; i++) {
        const int64_t columns = src->dims[src->rank - 1];
        const int64_t right = i % columns - i / columns % src->dims[src->rank - 2];

        if (upper ? right < diagonal : right > diagonal)
            zf_fold_set(node, &made, i, 0);
    }
    return hand_over(node, ZF_OK, &made);
}

/* Its type is that of the input, unless it names another. */
static enum zf_status fold_eye(struct zf_import_node *node)
{
    const int64_t type = zf_node_integer(node, "dtype", 0), k = zf_node_integer(node, "k", 0);
    const bool real = type == 1 || type == 10 || type == 11 || type == 16;
    struct zf_operand *like = NULL, made = {0};

    ZF_CHECK(zf_node_input(node, 0, &like));
    if (like->rank != 2)
        return zf_node_fail(node, ZF_EINPUT, "its input has %d dimensions, not 2", like->rank);
    ZF_CHECK(zf_import_fill(node->import, zf_operand_count(like)));
    ZF_CHECK(zf_fold_make(node,
                          type == 0 && like->kind == ZF_OPERAND_INTEGERS ? ZF_OPERAND_INTEGERS
                          : type == 0 || real                            ? ZF_OPERAND_FLOATS
                                                                         : ZF_OPERAND_INTEGERS,
                          2, like->dims, &made));
    for (int64_t i = 0, count = zf_operand_count(&made); i < count; i++)
        zf_fold_set(node, &made, i, i % like->dims[1] - i / like->dims[1] == k);
    return hand_over(node, ZF_OK, &made);
}

static enum zf_status fold_one_hot(struct zf_import_node *node)
{
    struct zf_operand *indices = NULL, *values = NULL, made = {0};
    int64_t depth = 0, after = 1, dims[ZF_ONNX_RANK];
    enum zf_status status = ZF_OK;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &indices));
    ZF_CHECK(one_number(node, 1, &depth));
    ZF_CHECK(zf_node_constant(node, 2, &values));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", -1), indices->rank + 1, &axis));
    if (indices->rank == ZF_ONNX_RANK || depth < 1 || zf_operand_count(values) != 2)
        return zf_node_fail(node, ZF_EINPUT, "a depth of %" PRId64 " for %d dimensions", depth,
                            indices->rank);
    for (int i = 0; i <= indices->rank; i++) {
        dims[i] = i < axis ? indices->dims[i] : i == axis ? depth : indices->dims[i - 1];
        after *= i > axis ? dims[i] : 1;
    }
    for (int64_t i = 0, total = depth; i < indices->rank; i++)
        if (!zf_mul3(total, indices->dims[i], 1, &total))
            return zf_node_fail(node, ZF_EINPUT, "an output that is too large");
    ZF_CHECK(zf_import_fill(node->import, depth * zf_operand_count(indices)));
    ZF_CHECK(zf_fold_make(node, values->kind, indices->rank + 1, dims, &made));
    for (int64_t i = 0, count = zf_operand_count(&made); i < count && status == ZF_OK; i++) {
        const int64_t from = i / (after * depth) * after + i % after;
        const double index = zf_operand_at(indices, from);

        status = zf_fold_set(node, &made, i,
                             zf_operand_at(values, (index < 0 ? index + (double)depth : index) ==
                                                       (double)(i / after % depth)));
    }
    return hand_over(node, status, &made);
}

/* ---- Sums and places along an axis ---- */

static enum zf_status fold_cumulate(struct zf_import_node *node)
{
    const bool exclusive = zf_node_integer(node, "exclusive", 0) != 0;
    const bool reverse = zf_node_integer(node, "reverse", 0) != 0;
    struct zf_operand *src = NULL, made = {0};
    int64_t named = 0, after = 1, extent;
    enum zf_status status = ZF_OK;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(one_number(node, 1, &named));
    ZF_CHECK(zf_node_axis(node, named, src->rank, &axis));
    for (int i = axis + 1; i < src->rank; i++)
        after *= src->dims[i];
    extent = src->dims[axis];
    if (extent < 1)
        return zf_node_fail(node, ZF_EINPUT, "no numbers on axis %d", axis);
    ZF_CHECK(zf_fold_make(node, src->kind, src->rank, src->dims, &made));
    for (int64_t line = 0; line < zf_operand_count(src) / extent; line++) {
        const int64_t first = line / after * after * extent + line % after;
        double sum = 0;

        for (int64_t k = 0; k < extent && status == ZF_OK; k++) {
            const int64_t at = first + (reverse ? extent - 1 - k : k) * after;
            const double before = sum;

            sum += zf_operand_at(src, at);
            status = zf_fold_set(node, &made, at, exclusive ? before : sum);
        }
    }
    return hand_over(node, status, &made);
}

/* [rank, how many]: the places of what is not zero. */
static enum zf_status fold_nonzero(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, made = {0};
    int64_t count, found = 0, at = 0;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    count = zf_operand_count(src);
    for (int64_t i = 0; i < count; i++)
        found += zf_operand_at(src, i) != 0;
    ZF_CHECK(zf_fold_make(node, ZF_OPERAND_INTEGERS, 2, (int64_t[]){src->rank, found}, &made));
    for (int64_t i = 0; i < count; i++) {
        int64_t left = i;

        if (zf_operand_at(src, i) == 0)
            continue;
        for (int axis = src->rank; axis-- > 0; left /= src->dims[axis])
            ((int64_t *)made.owned)[axis * found + at] = left % src->dims[axis];
        at++;
    }
    return hand_over(node, ZF_OK, &made);
}

/* An index of an extent, from its end where it is negative; -1 for none. */
static int64_t index_of(const struct zf_operand *indices, int64_t i, int64_t extent)
{
    const int64_t index = indices->integers[i] + (indices->integers[i] < 0 ? extent : 0);

    return index >= 0 && index < extent ? index : -1;
}

static enum zf_status fail_index(const struct zf_import_node *node,
                                 const struct zf_operand *indices, int64_t i, int64_t extent)
{
    return zf_node_fail(node, ZF_EINPUT, "index %" PRId64 " of %" PRId64, indices->integers[i],
                        extent);
}

static enum zf_status read_indices(const struct zf_import_node *node, const struct zf_operand *src,
                                   struct zf_operand **indices)
{
    ZF_CHECK(zf_node_constant(node, 1, indices));
    if ((*indices)->kind != ZF_OPERAND_INTEGERS || (*indices)->rank < 1 || src->rank < 1)
        return zf_node_fail(node, ZF_EINPUT, "its indices are not whole numbers");
    return ZF_OK;
}

static const char *reduction_of(const struct zf_import_node *node)
{
    static const char *const words[] = {"none", "add", "mul", "max", "min", NULL};
    const int which = zf_node_choice(node, "reduction", words, 0);

    return which < 0 ? NULL : words[which];
}

static double reduced(const char *how, double old, double update)
{
    return strcmp(how, "add") == 0   ? old + update
           : strcmp(how, "mul") == 0 ? old * update
           : strcmp(how, "max") == 0 ? fmax(old, update)
           : strcmp(how, "min") == 0 ? fmin(old, update)
                                     : update;
}

/* GatherElements, and the way back ScatterElements: cell i of the indices names a cell of the
   data that differs from its own on one axis. */
static enum zf_status fold_elements(struct zf_import_node *node)
{
    const bool scatter = strcmp(node->proto->op_type, "GatherElements") != 0;
    struct zf_operand *src = NULL, *indices = NULL, *updates = NULL, made = {0};
    const char *how = reduction_of(node);
    enum zf_status status = ZF_OK;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(read_indices(node, src, &indices));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    if (scatter)
        ZF_CHECK(zf_node_constant(node, 2, &updates));
    if (!how)
        return node->import->err->status;
    if (indices->rank != src->rank ||
        (scatter && zf_operand_count(updates) != zf_operand_count(indices)))
        return zf_node_fail(node, ZF_EINPUT, "indices of %d dimensions for %d", indices->rank,
                            src->rank);
    for (int i = 0; i < src->rank; i++)
        if (i != axis && indices->dims[i] > src->dims[i])
            return zf_node_fail(node, ZF_EINPUT, "%" PRId64 " indices on axis %d of %" PRId64,
                                indices->dims[i], i, src->dims[i]);
    if (scatter)
        ZF_CHECK(copy(node, src, &made));
    else
        ZF_CHECK(zf_fold_make(node, src->kind, indices->rank, indices->dims, &made));
    for (int64_t i = 0, count = zf_operand_count(indices); i < count && status == ZF_OK; i++) {
        const int64_t index = index_of(indices, i, src->dims[axis]);
        int64_t left = i, place = 0, stride = 1;

        for (int k = src->rank; k-- > 0; stride *= src->dims[k], left /= indices->dims[k])
            place += (k == axis ? index : left % indices->dims[k]) * stride;
        if (index < 0)
            status = fail_index(node, indices, i, src->dims[axis]);
        else if (scatter)
            status =
                zf_fold_set(node, &made, place,
                            reduced(how, zf_operand_at(&made, place), zf_operand_at(updates, i)));
        else
            status = zf_fold_set(node, &made, i, zf_operand_at(src, place));
    }
    return hand_over(node, status, &made);
}

/* GatherND, and the way back ScatterND: the last axis of the indices names a place on the first
   axes of the data. */
enum zf_status zf_fold_places(struct zf_import_node *node)
{
    const bool scatter = strcmp(node->proto->op_type, "ScatterND") == 0;
    struct zf_operand *src = NULL, *indices = NULL, *updates = NULL, made = {0};
    const char *how = reduction_of(node);
    enum zf_status status = ZF_OK;
    int64_t named, inner = 1, count, dims[ZF_ONNX_RANK];
    int rank = 0;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(read_indices(node, src, &indices));
    named = indices->dims[indices->rank - 1];
    if (!how)
        return node->import->err->status;
    if (named < 1 || named > src->rank || indices->rank - 1 + src->rank - named > ZF_ONNX_RANK ||
        zf_node_integer(node, "batch_dims", 0) != 0)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "indices of %" PRId64 " axes for %d, in a batch or not", named,
                            src->rank);
    for (int i = (int)named; i < src->rank; i++)
        inner *= src->dims[i];
    count = zf_operand_count(indices) / named;
    if (scatter) {
        ZF_CHECK(zf_node_constant(node, 2, &updates));
        if (zf_operand_count(updates) != count * inner)
            return zf_node_fail(node, ZF_EINPUT, "%" PRId64 " numbers for %" PRId64 " places",
                                zf_operand_count(updates), count * inner);
        ZF_CHECK(copy(node, src, &made));
    } else {
        for (int i = 0; i + 1 < indices->rank; i++)
            dims[rank++] = indices->dims[i];
        for (int i = (int)named; i < src->rank; i++)
            dims[rank++] = src->dims[i];
        ZF_CHECK(zf_fold_make(node, src->kind, rank, dims, &made));
    }
    for (int64_t i = 0; i < count && status == ZF_OK; i++) {
        int64_t place = 0;

        for (int64_t k = 0; k < named && status == ZF_OK; k++) {
            const int64_t index = index_of(indices, i * named + k, src->dims[k]);

            place = place * src->dims[k] + index;
            if (index < 0)
                status = fail_index(node, indices, i * named + k, src->dims[k]);
        }
        for (int64_t x = 0; x < inner && status == ZF_OK; x++) {
            const int64_t there = place * inner + x, here = i * inner + x;

            status = scatter ? zf_fold_set(node, &made, there,
                                           reduced(how, zf_operand_at(&made, there),
                                                   zf_operand_at(updates, here)))
                             : zf_fold_set(node, &made, here, zf_operand_at(src, there));
        }
    }
    return hand_over(node, status, &made);
}

const struct zf_operator zf_operators_places[] = {
    {"Trilu", fold_trilu, NULL},
    {"EyeLike", fold_eye, fold_eye},
    {"OneHot", fold_one_hot, NULL},
    {"CumSum", fold_cumulate, NULL},
    {"NonZero", fold_nonzero, NULL},
    {"GatherElements", fold_elements, NULL},
    {"ScatterElements", fold_elements, NULL},
    {"Scatter", fold_elements, NULL},
    {"GatherND", zf_fold_places, NULL},
    {NULL, NULL, NULL},
};
