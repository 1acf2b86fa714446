/* SPDX-License-Identifier: MIT */
/*
 * Reductions: over the cells of each map they are poolings, over the maps of each cell a
 * convolution that adds these up, and over other axes one of both once these are brought there.
 */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

/* A reduction as steps on the numbers: before, the reduction itself, and after. */
struct reduction {
    const char *name;
    bool absolute, square, exponential; /* before */
    bool largest;                       /* the maximum instead of the mean */
    bool negative;                      /* the minimum: of the negated numbers, and negated */
    bool sum;                           /* times how many there are */
    bool root, logarithm;               /* after */
};

static const struct reduction reductions[] = {
    {.name = "ReduceMean"},
    {.name = "ReduceSum", .sum = true},
    {.name = "ReduceMax", .largest = true},
    {.name = "ReduceMin", .largest = true, .negative = true},
    {.name = "ReduceL1", .absolute = true, .sum = true},
    {.name = "ReduceL2", .square = true, .sum = true, .root = true},
    {.name = "ReduceSumSquare", .square = true, .sum = true},
    {.name = "ReduceLogSum", .sum = true, .logarithm = true},
    {.name = "ReduceLogSumExp", .exponential = true, .sum = true, .logarithm = true},
    {.name = "GlobalAveragePool"},
    {.name = "GlobalMaxPool", .largest = true},
};

static const struct reduction *reduction_of(const struct zf_import_node *node)
{
    for (size_t i = 0; i < ZF_COUNT(reductions); i++)
        if (strcmp(reductions[i].name, node->proto->op_type) == 0)
            return &reductions[i];
    return &reductions[0];
}

/* One more layer on *maps, cell by cell. */
static enum zf_status step(struct zf_import_node *node, const char *part, const char *type,
                           const struct zf_key *keys, struct zf_operand *maps)
{
    return zf_import_add(node, part, type, &maps->layer, 1, keys, &maps->layer);
}

static enum zf_status before(struct zf_import_node *node, const struct reduction *r,
                             struct zf_operand *maps)
{
    if (r->absolute)
        ZF_CHECK(step(node, "abs", "function",
                      ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "abs"))), maps));
    if (r->square)
        ZF_CHECK(step(node, "square", "power", ZF_KEYS(ZF_KEY("exponent", 2)), maps));
    if (r->exponential)
        ZF_CHECK(step(node, "exp", "function",
                      ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "exp"))), maps));
    return ZF_OK;
}

/* Layers that scale are named by the node when they are its last. */
static enum zf_status scaled(struct zf_import_node *node, const char *part, double factor,
                             struct zf_operand *maps)
{
    const int64_t count = zf_import_shape(node->import, maps->layer).c;
    float *weight, *bias;

    ZF_CHECK(step(node, part, "scale", NULL, maps));
    weight = zf_import_room(node->import, count, sizeof *weight);
    bias = weight ? zf_import_room(node->import, count, sizeof *bias) : NULL;
    zf_import_own(node->import, maps->layer, weight, count, bias, count);
    if (!bias)
        return node->import->err->status;
    for (int64_t m = 0; m < count; m++) {
        weight[m] = (float)factor;
        bias[m] = 0;
    }
    return ZF_OK;
}

/* The mean over the maps of each cell: a convolution to one map. */
static enum zf_status mean_of_maps(struct zf_import_node *node, const char *part, double factor,
                                   struct zf_operand *maps)
{
    const int64_t count = zf_import_shape(node->import, maps->layer).c;
    float *weight;

    ZF_CHECK(step(node, part, "conv", ZF_KEYS(ZF_KEY("maps", 1), ZF_KEY("kernel", 1)), maps));
    weight = zf_import_room(node->import, count, sizeof *weight);
    if (!weight)
        return node->import->err->status;
    zf_import_own(node->import, maps->layer, weight, count, NULL, 0);
    if (factor == 1)
        node->import->layers[maps->layer].mean_of = (double)count;
    for (int64_t m = 0; m < count; m++)
        weight[m] = (float)(factor / (double)count);
    return ZF_OK;
}

/* What of the result is left to do behind the reduction itself. */
static bool is_last(const struct reduction *r)
{
    return !r->negative && !r->root && !r->logarithm;
}

/* Over rows and columns, or over maps; `count` numbers each. */
static enum zf_status reduce(struct zf_import_node *node, const struct reduction *r, bool of_maps,
                             double count, struct zf_operand *maps)
{
    ZF_CHECK(before(node, r, maps));
    if (r->negative)
        ZF_CHECK(scaled(node, "negative", -1, maps));
    if (of_maps)
        ZF_CHECK(mean_of_maps(node, is_last(r) ? NULL : "sum", r->sum ? count : 1, maps));
    else
        ZF_CHECK(step(node, is_last(r) && !r->sum ? NULL : "all",
                      r->largest ? "maxpool" : "avgpool", ZF_KEYS(ZF_KEY_ALL("kernel")), maps));
    if (r->sum && !of_maps)
        ZF_CHECK(scaled(node, is_last(r) ? NULL : "sum", count, maps));
    if (r->negative)
        ZF_CHECK(scaled(node, NULL, -1, maps));
    if (r->root)
        ZF_CHECK(step(node, NULL, "power", ZF_KEYS(ZF_KEY("exponent", 0.5)), maps));
    if (r->logarithm)
        ZF_CHECK(step(node, NULL, "function",
                      ZF_KEYS(ZF_KEY("of", zf_import_choice("function", "of", "log"))), maps));
    return ZF_OK;
}

/*
 * Do the named axes hold all cells of each map, and nothing of the maps (or the other way round)?
 * Rows and columns may be joined into one axis, maps and cells may not.
 */
static bool are_roles(const struct zf_operand *maps, struct zf_shape shape, const bool *named,
                      bool of_maps)
{
    const int64_t area = shape.h * shape.w;
    int64_t cells = 1;

    for (int i = 0; i < maps->atom_count; i++) {
        const struct zf_atom atom = maps->atoms[i];
        const bool within = atom.stride < area;

        if (atom.stride <= 0 || named[atom.axis] != (of_maps ? !within : within) ||
            (within && atom.extent > area / atom.stride))
            return false;
        cells *= atom.extent;
    }
    return maps->offset == 0 && cells == shape.c * area;
}

/* The same maps, the named axes of extent 1: what the layer that reduced them has. */
static enum zf_status output(struct zf_import_node *node, const struct zf_operand *src,
                             const bool *named, bool of_maps, bool keep, int layer)
{
    const struct zf_shape from = zf_import_shape(node->import, src->layer);
    struct zf_operand made = *src;
    int64_t dims[ZF_ONNX_RANK];
    int rank = 0;

    made.layer = layer;
    made.atom_count = 0;
    for (int i = 0; i < src->atom_count; i++) {
        if (named[src->atoms[i].axis])
            continue;
        made.atoms[made.atom_count] = src->atoms[i];
        if (!of_maps)
            made.atoms[made.atom_count].stride /= from.h * from.w;
        made.atom_count++;
    }
    for (int i = 0; i < src->rank; i++) {
        made.dims[i] = named[i] ? 1 : src->dims[i];
        if (!named[i] || keep)
            dims[rank++] = made.dims[i];
    }
    zf_operand_reshape(&made, rank, dims);
    return zf_import_output(node, &made);
}

static enum zf_status reduce_axes(struct zf_import_node *node, struct zf_operand *src,
                                  const bool *named, bool keep)
{
    const struct reduction *r = reduction_of(node);
    struct zf_shape shape = zf_import_shape(node->import, src->layer);
    struct zf_operand reduced;
    struct zf_view view = {{ZF_ROLE_C}};
    bool of_maps = !r->largest && are_roles(src, shape, named, true);
    double count = 1;

    for (int axis = 0; axis < src->rank; axis++) {
        count *= named[axis] ? (double)src->dims[axis] : 1;
        view.role[axis] = named[axis] ? ZF_ROLE_H : ZF_ROLE_C;
    }
    if (!of_maps && !are_roles(src, shape, named, false)) {
        ZF_CHECK(zf_import_bring(node, "arrange", src, &view));
        of_maps = false;
    }
    reduced = *src;
    ZF_CHECK(reduce(node, r, of_maps, count, &reduced));
    return output(node, src, named, of_maps, keep, reduced.layer);
}

/* The mean, sum, largest and smallest of one number are that number. */
static bool is_nothing(const struct reduction *r, const struct zf_operand *src, const bool *named)
{
    bool nothing = !r->absolute && !r->square && !r->exponential && !r->logarithm;

    for (int axis = 0; axis < src->rank; axis++)
        nothing = nothing && (!named[axis] || src->dims[axis] == 1);
    return nothing;
}

static enum zf_status translate_reduce(struct zf_import_node *node)
{
    const bool keep = zf_node_integer(node, "keepdims", 1) != 0;
    bool named[ZF_ONNX_RANK] = {false};
    struct zf_operand *src = NULL, made;
    int64_t dims[ZF_ONNX_RANK];
    int rank = 0;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_axes(node, src->rank, named));
    if (!is_nothing(reduction_of(node), src, named))
        return reduce_axes(node, src, named, keep);
    for (int axis = 0; axis < src->rank; axis++)
        if (keep || !named[axis])
            dims[rank++] = src->dims[axis];
    made = *src;
    zf_operand_reshape(&made, rank, dims);
    return zf_import_alias(node, &made);
}

/* Over all but the batch and the maps. */
static enum zf_status translate_global(struct zf_import_node *node)
{
    bool named[ZF_ONNX_RANK] = {false};
    struct zf_operand *src = NULL;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    for (int axis = 2; axis < src->rank; axis++)
        named[axis] = true;
    return reduce_axes(node, src, named, true);
}

const struct zf_operator zf_operators_reduce[] = {
    {"GlobalAveragePool", NULL, translate_global},
    {"GlobalMaxPool", NULL, translate_global},
    {"ReduceMean", zf_fold_reduce, translate_reduce},
    {"ReduceSum", zf_fold_reduce, translate_reduce},
    {"ReduceMax", zf_fold_reduce, translate_reduce},
    {"ReduceMin", zf_fold_reduce, translate_reduce},
    {"ReduceL1", zf_fold_reduce, translate_reduce},
    {"ReduceL2", zf_fold_reduce, translate_reduce},
    {"ReduceSumSquare", zf_fold_reduce, translate_reduce},
    {"ReduceLogSum", zf_fold_reduce, translate_reduce},
    {"ReduceLogSumExp", zf_fold_reduce, translate_reduce},
    {"ReduceProd", zf_fold_reduce, NULL},
    {NULL, NULL, NULL},
};
