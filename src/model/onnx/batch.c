/* SPDX-License-Identifier: MIT */
/*
 * A net is read for one picture, so a mean over the batch axis would be that picture itself: right
 * of a batch of one, and not what the file does with several. So the batch axis is followed through
 * the graph, and what goes over it is refused.
 *
 * Its extent is 1 in every shape here, and a Reshape to [1, 1, 8] does not tell which 1 it is. So a
 * tensor has all axes that it may be on; a node that cannot go over it rules an axis out, and the
 * last one ruled out is the error.
 */
#include "batch.h"

#include <inttypes.h>
#include <string.h>

#include "base/status.h"
#include "einsum.h"

static bool is_anywhere(const struct zf_import_batch *batch)
{
    for (int axis = 0; axis < ZF_ONNX_RANK; axis++)
        if (batch->outside[axis] > 0)
            return true;
    return false;
}

static enum zf_status fail_joined(const struct zf_import_node *node)
{
    return zf_node_fail(node, ZF_EUNSUPPORTED,
                        "it goes over the batch axis, so that the pictures of a batch would change "
                        "each other's answer; here each is by itself");
}

/* The batch is on none of the named axes. */
static enum zf_status rule_out(const struct zf_import_node *node, const bool *named,
                               struct zf_import_batch *batch)
{
    const bool before = is_anywhere(batch);

    for (int axis = 0; axis < ZF_ONNX_RANK; axis++)
        if (named[axis])
            batch->outside[axis] = 0;
    return before && !is_anywhere(batch) ? fail_joined(node) : ZF_OK;
}

/* The file makes sense for a batch of one alone, whatever its shapes say. */
static void forget(struct zf_import_node *node)
{
    node->import->one_picture = true;
}

/* A batch of a tensor of `rank` in one of `to` axes that ends alike. */
static struct zf_import_batch align(const struct zf_import_batch *batch, int rank, int to)
{
    struct zf_import_batch aligned = {{0}};

    for (int axis = 0; axis < rank; axis++)
        if (axis + to - rank >= 0)
            aligned.outside[axis + to - rank] = batch->outside[axis];
    return aligned;
}

/* Both at once: of two inputs that lie on one another. */
static enum zf_status meet(const struct zf_import_node *node, struct zf_import_batch *batch,
                           const struct zf_import_batch *other)
{
    bool apart[ZF_ONNX_RANK];

    if (is_anywhere(batch) != is_anywhere(other))
        return fail_joined(node);
    for (int axis = 0; axis < ZF_ONNX_RANK; axis++)
        apart[axis] = other->outside[axis] == 0;
    return rule_out(node, apart, batch);
}

/* ---- What nodes do with it ---- */

/* Cell by cell, inputs of fewer axes spread. */
static enum zf_status follow_cells(struct zf_import_node *node, int first,
                                   struct zf_import_batch *batch)
{
    int rank = 0, own = node->in[first]->rank;

    for (int i = 0; i < node->in_count; i++)
        if (node->in[i] && node->in[i]->rank > rank)
            rank = node->in[i]->rank;
    *batch = align(batch, own, rank);
    for (int i = first + 1; i < node->in_count; i++) {
        struct zf_import_batch other;

        if (!node->in[i] || node->in[i]->kind != ZF_OPERAND_MAPS)
            continue;
        other = align(&node->from[i]->batch, node->in[i]->rank, rank);
        ZF_CHECK(meet(node, batch, &other));
    }
    return ZF_OK;
}

/* With constants: numbers for each picture of a batch are no numbers of one. */
static enum zf_status follow_spread(struct zf_import_node *node, int first,
                                    struct zf_import_batch *batch)
{
    bool named[ZF_ONNX_RANK] = {false};
    struct zf_import_batch left;
    int rank = 0;

    ZF_CHECK(follow_cells(node, first, batch));
    for (int i = 0; i < node->in_count; i++)
        if (node->in[i] && node->in[i]->rank > rank)
            rank = node->in[i]->rank;
    for (int i = 0; i < node->in_count; i++) {
        const struct zf_operand *in = node->in[i];

        for (int axis = 0; in && zf_operand_is_constant(in) && axis < in->rank; axis++)
            if (in->dims[axis] > 1)
                named[axis + rank - in->rank] = true;
    }
    left = *batch;
    if (rule_out(node, named, &left) == ZF_OK) {
        *batch = left;
        return ZF_OK;
    }
    if (node->import->batch > 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "a constant with numbers of their own for each picture of its batch "
                            "of %" PRId64,
                            node->import->batch);
    forget(node);
    return ZF_OK;
}

/* Of each picture's own maps, rows and columns. */
static enum zf_status follow_window(struct zf_import_node *node, int first,
                                    struct zf_import_batch *batch)
{
    bool named[ZF_ONNX_RANK];

    (void)first;
    for (int axis = 0; axis < ZF_ONNX_RANK; axis++)
        named[axis] = axis > 0;
    return rule_out(node, named, batch);
}

static enum zf_status follow_reduce(struct zf_import_node *node, int first,
                                    struct zf_import_batch *batch)
{
    const bool keep = zf_node_integer(node, "keepdims", 1) != 0;
    struct zf_import_batch kept = {{0}};
    bool named[ZF_ONNX_RANK] = {false};
    int to = 0;

    ZF_CHECK(zf_node_axes(node, node->in[first]->rank, named));
    ZF_CHECK(rule_out(node, named, batch));
    for (int axis = 0; axis < node->in[first]->rank; axis++)
        if (keep || !named[axis])
            kept.outside[to++] = batch->outside[axis];
    *batch = kept;
    return ZF_OK;
}

/* Over one axis, or from it on. */
static enum zf_status follow_axis(struct zf_import_node *node, int first,
                                  struct zf_import_batch *batch)
{
    const char *op = node->proto->op_type;
    const bool softmax = strstr(op, "oftmax") != NULL, old = node->import->opset < 13;
    const bool on = softmax ? old : strcmp(op, "LpNormalization") != 0;
    const int rank = node->in[first]->rank;
    bool named[ZF_ONNX_RANK] = {false};
    int axis;

    ZF_CHECK(
        zf_node_axis(node, zf_node_integer(node, "axis", softmax && old ? 1 : -1), rank, &axis));
    for (int i = axis; i < (on ? rank : axis + 1); i++)
        named[i] = true;
    return rule_out(node, named, batch);
}

/* The pictures of one factor stay where they are, unless its sums go over them. */
static enum zf_status follow_factor(const struct zf_import_node *node, int i, bool turned, int rank,
                                    struct zf_import_batch *batch)
{
    const int own = node->in[i]->rank, summed = own - 1 - (i == 1 && own > 1);
    bool named[ZF_ONNX_RANK] = {false};
    int64_t *outside = node->from[i]->batch.outside;
    struct zf_import_batch placed = {{0}};

    for (int axis = 0; axis < own; axis++)
        placed.outside[turned ? own - 1 - axis : axis] = outside[axis];
    named[summed] = true;
    if (rule_out(node, named, &placed) != ZF_OK)
        return ZF_EUNSUPPORTED;
    *batch = align(&placed, own, rank);
    return ZF_OK;
}

static enum zf_status follow_product(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    const int rank = node->in[0]->rank > node->in[1]->rank ? node->in[0]->rank : node->in[1]->rank;
    const bool turned[2] = {zf_node_integer(node, "transA", 0) != 0,
                            zf_node_integer(node, "transB", 0) != 0};

    ZF_CHECK(follow_factor(node, first, turned[first], rank, batch));
    for (int i = first + 1; i < node->in_count; i++) {
        struct zf_import_batch other;

        if (!node->in[i] || node->in[i]->kind != ZF_OPERAND_MAPS)
            continue;
        if (i == 1)
            ZF_CHECK(follow_factor(node, 1, turned[1], rank, &other));
        else /* what Gemm adds */
            other = align(&node->from[i]->batch, node->in[i]->rank, rank);
        ZF_CHECK(meet(node, batch, &other));
    }
    return ZF_OK;
}

/* A letter that the output has not is summed over. */
static enum zf_status follow_letters(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    struct zf_equation equation;

    ZF_CHECK(zf_einsum_read(node, &equation));
    for (int i = first; i < equation.count; i++) {
        struct zf_import_batch own = node->from[i]->batch, placed = {{0}};
        bool named[ZF_ONNX_RANK] = {false};

        if (node->in[i]->kind != ZF_OPERAND_MAPS)
            continue;
        for (int axis = 0; axis < node->in[i]->rank; axis++)
            named[axis] = strchr(equation.made, equation.terms[i][axis]) == NULL;
        ZF_CHECK(rule_out(node, named, &own));
        for (int axis = 0; axis < node->in[i]->rank; axis++)
            if (!named[axis])
                placed.outside[strchr(equation.made, equation.terms[i][axis]) - equation.made] =
                    own.outside[axis];
        if (i > first)
            ZF_CHECK(meet(node, batch, &placed));
        else
            *batch = placed;
    }
    return ZF_OK;
}

/* Of the data and of what is put into it; the places are the same in every picture. */
static enum zf_status follow_scatter(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    const struct zf_operand *updates = node->in[2];

    if (first == 0 && updates && updates->kind == ZF_OPERAND_MAPS)
        ZF_CHECK(meet(node, batch, &node->from[2]->batch));
    if (node->import->batch > 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "places in a batch of %" PRId64 " pictures",
                            node->import->batch);
    return ZF_OK;
}

/* ---- Where shapes change ---- */

static enum zf_status follow_transpose(struct zf_import_node *node, int first,
                                       struct zf_import_batch *batch)
{
    struct zf_import_batch turned = {{0}};
    int64_t perm[ZF_ONNX_RANK];
    const int rank = node->in[first]->rank;
    int count;

    ZF_CHECK(zf_node_integers(node, "perm", perm, ZF_ONNX_RANK, &count));
    for (int axis = 0; axis < rank; axis++)
        turned.outside[axis] = batch->outside[count ? perm[axis] : rank - 1 - axis];
    *batch = turned;
    return ZF_OK;
}

/* `outer` cells are outside of the batch: an axis of extent 1 there is it, or it is part of what
   lies around. */
static void put(int64_t outer, const struct zf_operand *made, struct zf_import_batch *batch)
{
    int64_t before = 1;
    int last = -1;
    bool own = false;

    for (int axis = 0; axis < made->rank && before <= outer; axis++) {
        if (before == outer && made->dims[axis] == 1) {
            batch->outside[axis] = 1;
            own = true;
        }
        if (before * made->dims[axis] > outer) {
            if (!own)
                batch->outside[axis] = outer / before;
            if (!own && before == outer && last >= 0)
                batch->outside[last] = made->dims[last];
            return;
        }
        before *= made->dims[axis];
        last = made->dims[axis] > 1 ? axis : last;
    }
    if (!own && last >= 0)
        batch->outside[last] = made->dims[last];
}

static enum zf_status follow_reshape(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    const struct zf_operand *src = node->in[first];
    struct zf_import_batch made = {{0}};
    int64_t outer = 1;

    for (int axis = 0; axis < src->rank && node->out[0]; axis++) {
        if (batch->outside[axis] > 0)
            put(outer * batch->outside[axis], &node->out[0]->value, &made);
        outer *= src->dims[axis];
    }
    *batch = made;
    return ZF_OK;
}

static enum zf_status follow_flatten(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    const struct zf_operand *src = node->in[first];
    int64_t axis = zf_node_integer(node, "axis", 1), outer = 1;
    struct zf_import_batch made = {{0}};

    axis = axis < 0 ? axis + src->rank : axis;
    for (int i = 0; i < src->rank; i++) {
        outer = i == axis ? 1 : outer;
        if (batch->outside[i] > 0)
            made.outside[i >= axis] = outer * batch->outside[i];
        outer *= src->dims[i];
    }
    *batch = made;
    return ZF_OK;
}

/* Axes gone or new. A batch axis that goes can have been only one picture. */
static enum zf_status follow_squeeze(struct zf_import_node *node, int first,
                                     struct zf_import_batch *batch)
{
    const bool squeeze = strcmp(node->proto->op_type, "Squeeze") == 0, there = is_anywhere(batch);
    const struct zf_operand *src = node->in[first];
    struct zf_import_batch made = {{0}};
    bool named[ZF_ONNX_RANK] = {false};
    int64_t axes[ZF_ONNX_RANK];
    int count, axis, to = 0;

    ZF_CHECK(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    for (int i = 0; i < count; i++) {
        ZF_CHECK(zf_node_axis(node, axes[i], src->rank + (squeeze ? 0 : count), &axis));
        named[axis] = true;
    }
    for (int i = 0; squeeze && count == 0 && i < src->rank; i++)
        named[i] = src->dims[i] == 1;
    if (squeeze)
        for (int i = 0; i < src->rank; i++)
            if (!named[i])
                made.outside[to++] = batch->outside[i];
    for (int i = 0; !squeeze && to < src->rank && i < ZF_ONNX_RANK; i++)
        if (!named[i])
            made.outside[i] = batch->outside[to++];
    *batch = made;
    if (there && !is_anywhere(batch))
        forget(node);
    return ZF_OK;
}

/* One picture taken out of a batch: what it is joined with must be of that one as well. */
static enum zf_status follow_gather(struct zf_import_node *node, int first,
                                    struct zf_import_batch *batch)
{
    struct zf_import_batch made = {{0}};
    const int rank = node->in[first]->rank;
    int axis;

    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 0), rank, &axis));
    for (int i = 0; i < rank; i++) {
        const int to = i < axis ? i : i - 1 + (node->in[1] ? node->in[1]->rank : 1);

        if (i != axis && to < ZF_ONNX_RANK)
            made.outside[to] = batch->outside[i];
        else if (node->in[1] && node->in[1]->rank == 1 && zf_operand_count(node->in[1]) > 1)
            made.outside[i] = batch->outside[i]; /* of an axis that the batch is part of */
    }
    *batch = made;
    return ZF_OK;
}

/* An axis of extent 1 repeated is none that pictures are on, unless it is tiled. */
static enum zf_status follow_expand(struct zf_import_node *node, int first,
                                    struct zf_import_batch *batch)
{
    const struct zf_operand *src = node->in[first],
                            *made = node->out[0] ? &node->out[0]->value : src;
    const bool tile = strcmp(node->proto->op_type, "Tile") == 0, there = is_anywhere(batch);

    *batch = align(batch, src->rank, made->rank);
    for (int axis = 0; axis < src->rank; axis++) {
        const int to = axis + made->rank - src->rank;

        if (made->dims[to] == src->dims[axis])
            continue;
        batch->outside[to] = tile ? batch->outside[to] * (made->dims[to] / src->dims[axis]) : 0;
    }
    if (there && !is_anywhere(batch))
        forget(node);
    return ZF_OK;
}

/* ---- Of any node ---- */

static const struct rule {
    const char *op;
    enum zf_status (*follow)(struct zf_import_node *node, int first, struct zf_import_batch *batch);
} rules[] = {
    {"Conv", follow_window},
    {"ConvTranspose", follow_window},
    {"MaxPool", follow_window},
    {"AveragePool", follow_window},
    {"GlobalAveragePool", follow_window},
    {"GlobalMaxPool", follow_window},
    {"BatchNormalization", follow_window},
    {"InstanceNormalization", follow_window},
    {"GroupNormalization", follow_window},
    {"LRN", follow_window},
    {"DepthToSpace", follow_window},
    {"SpaceToDepth", follow_window},
    {"ReduceMean", follow_reduce},
    {"ReduceSum", follow_reduce},
    {"ReduceMax", follow_reduce},
    {"ReduceMin", follow_reduce},
    {"ReduceL1", follow_reduce},
    {"ReduceL2", follow_reduce},
    {"ReduceSumSquare", follow_reduce},
    {"ReduceLogSum", follow_reduce},
    {"ReduceLogSumExp", follow_reduce},
    {"Softmax", follow_axis},
    {"LogSoftmax", follow_axis},
    {"LayerNormalization", follow_axis},
    {"RMSNormalization", follow_axis},
    {"LpNormalization", follow_axis},
    {"MatMul", follow_product},
    {"Gemm", follow_product},
    {"Einsum", follow_letters},
    {"GlobalLpPool", follow_window},
    {"ScatterND", follow_scatter},
    {"Transpose", follow_transpose},
    {"Reshape", follow_reshape},
    {"Flatten", follow_flatten},
    {"Squeeze", follow_squeeze},
    {"Unsqueeze", follow_squeeze},
    {"Gather", follow_gather},
    {"Expand", follow_expand},
    {"Tile", follow_expand},
    {"Concat", follow_cells},
    {"Split", follow_cells},
    {"Slice", follow_cells},
    {"If", NULL}, /* as in the branch that is taken */
    {"Resize", follow_cells},
    {"Upsample", follow_cells},
    {"Pad", follow_cells},
};

enum zf_status zf_import_follow_batch(struct zf_import_node *node)
{
    enum zf_status (*follow)(struct zf_import_node *, int, struct zf_import_batch *) =
        follow_spread;
    struct zf_import_batch batch;
    int first = 0;

    while (first < node->in_count && !(node->in[first] && node->in[first]->kind == ZF_OPERAND_MAPS))
        first++;
    if (node->import->batch == 1 || node->import->one_picture || first == node->in_count)
        return ZF_OK;
    for (size_t i = 0; i < ZF_COUNT(rules); i++)
        if (strcmp(rules[i].op, node->proto->op_type) == 0)
            follow = rules[i].follow;
    if (!follow)
        return ZF_OK;
    batch = node->from[first]->batch;
    ZF_CHECK(follow(node, first, &batch));
    for (int i = 0; i < node->out_count; i++)
        if (node->out[i])
            node->out[i]->batch = batch;
    return ZF_OK;
}
