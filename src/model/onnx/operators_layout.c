/* SPDX-License-Identifier: MIT */
/* Operators that rearrange or pass on: they make no layer, the operand remembers. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "model/safetensors.h"
#include "operators.h"

/* ---- For constants and maps alike ---- */

/* The input under another shape of as many cells. */
static enum zf_status reshape_to(struct zf_import_node *node, struct zf_operand *src, int rank,
                                 const int64_t *dims)
{
    static const struct zf_view row = {{ZF_ROLE_C}};
    struct zf_operand made = *src;
    int64_t count = 1;
    char is[128], wanted[128];

    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || !zf_mul3(count, dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "a shape of dimension %" PRId64, dims[i]);
    }
    zf_shape_text(src->dims, src->rank, is, sizeof is);
    zf_shape_text(dims, rank, wanted, sizeof wanted);
    if (count != zf_operand_count(src))
        return zf_node_fail(node, ZF_EINPUT, "%s cannot become %s", is, wanted);
    if (!zf_operand_reshape(&made, rank, dims)) { /* what does not divide is put in a row first */
        ZF_CHECK(zf_import_bring(node, "arrange", src, &row));
        made = *src;
        if (!zf_operand_reshape(&made, rank, dims))
            return zf_node_fail(node, ZF_EUNSUPPORTED, "%s as %s is too many parts", is, wanted);
    }
    return zf_import_alias(node, &made);
    return ZF_OK;
}

static enum zf_status translate_reshape(struct zf_import_node *node)
{
    const bool allow_zero = zf_node_integer(node, "allowzero", 0) != 0;
    const int64_t batch = node->import->batch;
    int64_t dims[ZF_ONNX_RANK], known = 1, count;
    struct zf_operand *src = NULL;
    int rank, open = -1;

    ZF_CHECK(zf_node_input(node, 0, &src));
    ZF_CHECK(zf_node_list(node, "shape", 1, dims, ZF_ONNX_RANK, &rank));
    if (rank > 0 && batch > 1 && src->kind == ZF_OPERAND_MAPS && dims[0] == batch)
        dims[0] = 1; /* exported for a fixed batch */
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 && !allow_zero && i < src->rank)
            dims[i] = src->dims[i];
        if (dims[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 0 || !zf_mul3(known, dims[i], 1, &known))
            return zf_node_fail(node, ZF_EINPUT, "dimension %d of its shape is %" PRId64, i,
                                dims[i]);
    }
    count = zf_operand_count(src);
    if (open >= 0)
        dims[open] = known > 0 && count % known == 0 ? count / known : 0;
    return reshape_to(node, src, rank, dims);
}

static enum zf_status translate_flatten(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;
    int64_t axis, dims[2] = {1, 1};

    ZF_CHECK(zf_node_input(node, 0, &src));
    axis = zf_node_integer(node, "axis", 1);
    axis = axis < 0 ? axis + src->rank : axis;
    if (axis < 0 || axis > src->rank)
        return zf_node_fail(node, ZF_EINPUT, "axis %" PRId64 " of a tensor of %d dimensions", axis,
                            src->rank);
    for (int i = 0; i < src->rank; i++)
        dims[i >= axis] *= src->dims[i];
    return reshape_to(node, src, 2, dims);
}

static enum zf_status translate_squeeze(struct zf_import_node *node)
{
    int64_t axes[ZF_ONNX_RANK], dims[ZF_ONNX_RANK];
    bool gone[ZF_ONNX_RANK] = {false};
    struct zf_operand *src = NULL;
    int count, axis, rank = 0;

    ZF_CHECK(zf_node_input(node, 0, &src));
    ZF_CHECK(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    for (int i = 0; i < count; i++) {
        ZF_CHECK(zf_node_axis(node, axes[i], src->rank, &axis));
        gone[axis] = true;
    }
    for (int i = 0; i < src->rank; i++) {
        if (!gone[i] && !(count == 0 && src->dims[i] == 1))
            dims[rank++] = src->dims[i];
    }
    return reshape_to(node, src, rank, dims);
}

static enum zf_status translate_unsqueeze(struct zf_import_node *node)
{
    int64_t axes[ZF_ONNX_RANK], dims[ZF_ONNX_RANK];
    bool fresh[ZF_ONNX_RANK] = {false};
    struct zf_operand *src = NULL;
    int count, axis, rank, from = 0;

    ZF_CHECK(zf_node_input(node, 0, &src));
    ZF_CHECK(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    rank = src->rank + count;
    if (rank > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EINPUT, "a tensor of %d dimensions", rank);
    for (int i = 0; i < count; i++) {
        ZF_CHECK(zf_node_axis(node, axes[i], rank, &axis));
        if (fresh[axis])
            return zf_node_fail(node, ZF_EINPUT, "axis %d twice", axis);
        fresh[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        dims[i] = fresh[i] ? 1 : src->dims[from++];
    return reshape_to(node, src, rank, dims);
}

static enum zf_status translate_identity(struct zf_import_node *node)
{
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_input(node, 0, &src));
    return zf_import_alias(node, src);
}

/* In evaluation it does nothing; in training it draws at random, which no picture tells. */
static enum zf_status translate_dropout(struct zf_import_node *node)
{
    struct zf_operand *ratio = NULL, *training = NULL;

    if (zf_node_has(node, 2) && node->import->opset >= 12) {
        ZF_CHECK(zf_node_constant(node, 2, &training));
        if (zf_node_has(node, 1))
            ZF_CHECK(zf_node_constant(node, 1, &ratio));
        if (zf_operand_count(training) == 1 && zf_operand_at(training, 0) != 0 &&
            !(ratio && zf_operand_count(ratio) == 1 && zf_operand_at(ratio, 0) == 0))
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "it drops numbers at random, as in training; export the model in "
                                "evaluation mode");
    }
    return translate_identity(node);
}

/* ---- Maps ---- */

static enum zf_status translate_transpose(struct zf_import_node *node)
{
    int64_t perm[ZF_ONNX_RANK];
    bool seen[ZF_ONNX_RANK] = {false};
    struct zf_operand *src = NULL, made;
    int order[ZF_ONNX_RANK], count;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_integers(node, "perm", perm, ZF_ONNX_RANK, &count));
    for (int i = 0; i < src->rank; i++) {
        const int64_t axis = count ? perm[i] : src->rank - 1 - i;

        if ((count && count != src->rank) || axis < 0 || axis >= src->rank || seen[axis])
            return zf_node_fail(node, ZF_EINPUT, "its perm is no order of %d axes", src->rank);
        seen[axis] = true;
        order[i] = (int)axis;
    }
    made = *src;
    zf_operand_transpose(&made, order);
    return zf_import_alias(node, &made);
}

/* To another real type; the engine has only one. */
static enum zf_status translate_cast(struct zf_import_node *node)
{
    const int64_t to = zf_node_integer(node, "to", 0);

    if (to != 1 && to != 10 && to != 11 && to != 16)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "maps as whole numbers (type %" PRId64 ")", to);
    return translate_identity(node);
}

const struct zf_operator zf_operators_layout[] = {
    {"Reshape", translate_reshape, translate_reshape},
    {"Flatten", translate_flatten, translate_flatten},
    {"Squeeze", translate_squeeze, translate_squeeze},
    {"Unsqueeze", translate_unsqueeze, translate_unsqueeze},
    {"Transpose", zf_fold_transpose, translate_transpose},
    {"Identity", translate_identity, translate_identity},
    {"Dropout", translate_dropout, translate_dropout},
    {"Cast", zf_fold_cast, translate_cast},
    {"CastLike", NULL, translate_identity},
    {"Shape", zf_fold_shape, zf_fold_shape},
    {"Size", zf_fold_shape, zf_fold_shape},
    {NULL, NULL, NULL},
};
