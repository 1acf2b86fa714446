/* SPDX-License-Identifier: MIT */
/* Operators that take a part of the maps, or repeat them: Split, Slice, Gather, Expand, Tile. */
#include <inttypes.h>
#include <string.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

/* Make sure that the axis is one run of cells, so that it can be cut. */
static enum zf_status straighten(struct zf_import_node *node, struct zf_operand *src, int axis)
{
    struct zf_view view;
    int atoms = 0;

    for (int i = 0; i < src->atom_count; i++)
        atoms += src->atoms[i].axis == axis;
    if (atoms <= 1)
        return ZF_OK;
    view = zf_view_along(src->rank, axis);
    return zf_import_bring(node, "arrange", src, &view);
}

/* The view that the source is its layer under, for what is cut out of it; NULL = none. */
static const struct zf_view *natural(const struct zf_import_node *node,
                                     const struct zf_operand *src, struct zf_view *view)
{
    return zf_operand_natural(src, zf_import_shape(node->import, src->layer), view) ? view : NULL;
}

static enum zf_status translate_split(struct zf_import_node *node)
{
    int64_t sizes[ZF_ONNX_WIDTH], first = 0;
    struct zf_operand *src = NULL;
    const struct zf_view *like;
    struct zf_view view;
    int axis;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    ZF_CHECK(zf_node_parts(node, src->dims[axis], sizes));
    ZF_CHECK(straighten(node, src, axis));
    like = natural(node, src, &view);
    for (int i = 0; i < node->out_count; i++) {
        struct zf_operand part = *src;

        if (node->out[i]) {
            zf_operand_cut(&part, axis, first, 1, sizes[i]);
            ZF_CHECK(zf_import_rearranged(node, i, &part, like));
        }
        first += sizes[i];
    }
    return ZF_OK;
}

static enum zf_status translate_slice(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, made;
    const struct zf_view *like;
    struct zf_ranges ranges;
    struct zf_view view;
    bool cut = false;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_ranges(node, src, &ranges));
    for (int axis = 0; axis < src->rank; axis++) {
        const bool whole = ranges.start[axis] == 0 && ranges.step[axis] == 1 &&
                           ranges.count[axis] == src->dims[axis];

        if (ranges.count[axis] < 1)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "nothing is left of axis %d", axis);
        cut = cut || !whole;
        if (!whole)
            ZF_CHECK(straighten(node, src, axis));
    }
    if (!cut)
        return zf_import_alias(node, src);
    like = natural(node, src, &view);
    made = *src;
    for (int axis = 0; axis < src->rank; axis++)
        zf_operand_cut(&made, axis, ranges.start[axis], ranges.step[axis], ranges.count[axis]);
    return zf_import_rearranged(node, 0, &made, like);
}

/* ---- Gather ---- */

/* Indices as runs: `outer` groups that begin `jump` apart, of `inner` that lie `step` apart. */
struct pattern {
    int64_t first, outer, jump, inner, step;
};

static bool find_pattern(const int64_t *indices, int64_t count, struct pattern *p)
{
    *p = (struct pattern){indices[0], 1, 0, 1, count > 1 ? indices[1] - indices[0] : 1};
    while (p->inner < count && indices[p->inner] - indices[p->inner - 1] == p->step)
        p->inner++;
    if (count % p->inner != 0)
        return false;
    p->outer = count / p->inner;
    p->jump = p->outer > 1 ? indices[p->inner] - indices[0] : 0;
    for (int64_t i = 0; i < count; i++)
        if (indices[i] != p->first + i / p->inner * p->jump + i % p->inner * p->step)
            return false;
    return true;
}

/* The axis of one run, with the cells that the pattern names. */
static bool take_pattern(struct zf_operand *maps, int axis, const struct pattern *p)
{
    int64_t stride = 0;
    int at = 0;

    while (at < maps->atom_count && maps->atoms[at].axis < axis)
        at++;
    if (at < maps->atom_count && maps->atoms[at].axis == axis) {
        stride = maps->atoms[at].stride;
        maps->atom_count--;
        memmove(&maps->atoms[at], &maps->atoms[at + 1],
                sizeof maps->atoms[0] * (size_t)(maps->atom_count - at));
    }
    if (maps->atom_count + 2 > ZF_ONNX_ATOMS)
        return false;
    maps->dims[axis] = 1;
    maps->offset += p->first * stride;
    if (p->inner > 1)
        zf_operand_repeat(maps, axis, p->inner);
    if (p->inner > 1)
        maps->atoms[at].stride = p->step * stride;
    if (p->outer > 1)
        zf_operand_repeat(maps, axis, p->outer); /* stands in front of the other */
    if (p->outer > 1)
        maps->atoms[at].stride = p->jump * stride;
    return true;
}

/* Any other pick: a convolution of one cell whose filters are each a single one. */
static enum zf_status pick_maps(struct zf_import_node *node, const char *part,
                                const struct zf_operand *src, int axis, const int64_t *indices,
                                int64_t count, struct zf_operand *made)
{
    struct zf_operand turned = *src;
    struct zf_view view;
    int64_t dims[ZF_ONNX_RANK], weights = count * src->dims[axis];
    float *weight;
    int layer;

    ZF_CHECK(zf_import_settle(node, &turned, &view));
    if (!zf_import_is_axis(&view, &turned, axis)) {
        view = zf_view_along(src->rank, axis);
        ZF_CHECK(zf_import_bring(node, "arrange", &turned, &view));
    }
    ZF_CHECK(zf_import_fill(node->import, weights));
    ZF_CHECK(zf_import_add(node, part, "conv", &turned.layer, 1,
                           ZF_KEYS(ZF_KEY("maps", count), ZF_KEY("kernel", 1)), &layer));
    weight = zf_import_room(node->import, weights, sizeof *weight);
    if (!weight)
        return node->import->err->status;
    zf_import_own(node->import, layer, weight, weights, NULL, 0);
    memset(weight, 0, (size_t)weights * sizeof *weight);
    for (int64_t i = 0; i < count; i++)
        weight[i * src->dims[axis] + indices[i]] = 1;
    memcpy(dims, src->dims, sizeof dims);
    dims[axis] = count;
    zf_operand_place(made, layer, src->rank, dims, &view);
    return ZF_OK;
}

/* The picked axis has the indices' own dimensions. */
static void set_index_dims(struct zf_operand *made, int axis, const struct zf_operand *indices)
{
    int64_t dims[ZF_ONNX_RANK];
    int rank = 0;

    for (int i = 0; i < axis; i++)
        dims[rank++] = made->dims[i];
    for (int i = 0; i < indices->rank; i++)
        dims[rank++] = indices->dims[i];
    for (int i = axis + 1; i < made->rank; i++)
        dims[rank++] = made->dims[i];
    zf_operand_reshape(made, rank, dims);
}

/* So has its view. */
static void set_index_view(struct zf_view *view, int axis, int indices, int rank)
{
    const struct zf_view old = *view;

    for (int i = 0; i < rank; i++)
        view->role[i] = i < axis             ? old.role[i]
                        : i < axis + indices ? old.role[axis]
                                             : old.role[i - indices + 1];
}

static enum zf_status read_indices(struct zf_import_node *node, const struct zf_operand *src,
                                   int axis, const struct zf_operand *indices, int64_t *picks)
{
    const int64_t count = zf_operand_count(indices);

    for (int64_t i = 0; i < count; i++) {
        picks[i] = indices->integers[i] + (indices->integers[i] < 0 ? src->dims[axis] : 0);
        if (picks[i] < 0 || picks[i] >= src->dims[axis])
            return zf_node_fail(node, ZF_EINPUT, "index %" PRId64 " of %" PRId64,
                                indices->integers[i], src->dims[axis]);
    }
    return ZF_OK;
}

static enum zf_status translate_gather(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, *indices = NULL, made, room = {0};
    const struct zf_view *like;
    struct pattern pattern;
    struct zf_view view;
    enum zf_status status;
    int64_t count;
    int axis;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &indices));
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    count = zf_operand_count(indices);
    if (indices->kind != ZF_OPERAND_INTEGERS || count < 1 ||
        src->rank - 1 + indices->rank > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EINPUT, "its indices are not whole numbers of few dimensions");
    room.owned = zf_import_room(node->import, count, sizeof(int64_t));
    if (!room.owned)
        return node->import->err->status;
    ZF_TRY(read_indices(node, src, axis, indices, room.owned));
    ZF_TRY(straighten(node, src, axis));
    like = natural(node, src, &view);
    made = *src;
    if (find_pattern(room.owned, count, &pattern) && take_pattern(&made, axis, &pattern)) {
        if (indices->rank != 1) {
            set_index_dims(&made, axis, indices);
            set_index_view(&view, axis, indices->rank, made.rank);
        }
        ZF_TRY(zf_import_rearranged(node, 0, &made, like));
    } else {
        ZF_TRY(pick_maps(node, NULL, src, axis, room.owned, count, &made));
        if (indices->rank != 1)
            set_index_dims(&made, axis, indices);
        ZF_TRY(zf_import_output(node, &made));
    }
fail:
    zf_operand_release(&room);
    return status;
}

/* ---- Repeated ---- */

static enum zf_status translate_expand(struct zf_import_node *node)
{
    const bool tile = strcmp(node->proto->op_type, "Tile") == 0;
    struct zf_operand *src = NULL, made;
    int64_t dims[ZF_ONNX_RANK], aligned[ZF_ONNX_RANK];
    bool changed = false;
    int rank;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(zf_node_expanded(node, src, &rank, dims));
    for (int i = 0; i < rank; i++)
        aligned[i] = i < rank - src->rank ? 1 : src->dims[i - (rank - src->rank)];
    made = *src;
    zf_operand_reshape(&made, rank, aligned);
    for (int i = 0; i < rank; i++) {
        if (!tile && aligned[i] != dims[i] && aligned[i] != 1)
            return zf_node_fail(node, ZF_EINPUT,
                                "%" PRId64 " cells of axis %d cannot become %" PRId64, aligned[i],
                                i, dims[i]);
        if (aligned[i] == dims[i])
            continue;
        if (made.atom_count == ZF_ONNX_ATOMS)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "too many parts");
        zf_operand_repeat(&made, i, dims[i] / aligned[i]);
        changed = true;
    }
    if (changed)
        ZF_CHECK(zf_import_rearranged(node, 0, &made, NULL));
    else
        ZF_CHECK(zf_import_alias(node, &made));
    return ZF_OK;
}

const struct zf_operator zf_operators_pick[] = {
    {"Split", zf_fold_split, translate_split},    {"Slice", zf_fold_slice, translate_slice},
    {"Gather", zf_fold_gather, translate_gather}, {"Expand", zf_fold_expand, translate_expand},
    {"Tile", zf_fold_tile, translate_expand},     {NULL, NULL, NULL},
};
