/* SPDX-License-Identifier: MIT */
/*
 * Operators that rearrange or pass on: they make no layer, the value remembers. Those that take a
 * part of the maps make a slice.
 */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

/* ---- For constants and maps alike ---- */

static enum zf_status any_input(const struct zf_import_node *node, struct zf_value **out)
{
    if (node->in_count < 1 || !node->in[0])
        return zf_node_fail(node, ZF_EINPUT, "it has no input");
    *out = node->in[0];
    return ZF_OK;
}

/* The input under another shape of as many cells. */
static enum zf_status reshape_to(struct zf_import_node *node, const struct zf_value *src, int rank,
                                 const int64_t *dims)
{
    struct zf_value made = *src;
    int64_t count = 1;
    char is[128], wanted[128];

    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || !zf_mul3(count, dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "a shape of dimension %lld", (long long)dims[i]);
    }
    zf_shape_text(src->dims, src->rank, is, sizeof is);
    zf_shape_text(dims, rank, wanted, sizeof wanted);
    if (count != zf_value_count(src))
        return zf_node_fail(node, ZF_EINPUT, "%s cannot become %s", is, wanted);
    if (!zf_value_reshape(&made, rank, dims))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%s as %s mixes what does not divide", is,
                            wanted);
    return zf_import_alias(node, &made);
}

enum zf_status zf_node_reshape(struct zf_import_node *node)
{
    const bool allow_zero = zf_node_integer(node, "allowzero", 0) != 0;
    const int64_t batch = node->import->batch;
    int64_t dims[ZF_ONNX_RANK], known = 1, count;
    struct zf_value *src = NULL;
    enum zf_status status;
    int rank, open = -1;

    ZF_TRY(any_input(node, &src));
    ZF_TRY(zf_node_list(node, "shape", 1, dims, ZF_ONNX_RANK, &rank));
    if (rank > 0 && batch > 1 && src->kind == ZF_VALUE_MAPS && dims[0] == batch)
        dims[0] = 1; /* exported for a fixed batch */
    for (int i = 0; i < rank; i++) {
        if (dims[i] == 0 && !allow_zero && i < src->rank)
            dims[i] = src->dims[i];
        if (dims[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 0 || !zf_mul3(known, dims[i], 1, &known))
            return zf_node_fail(node, ZF_EINPUT, "dimension %d of its shape is %lld", i,
                                (long long)dims[i]);
    }
    count = zf_value_count(src);
    if (open >= 0)
        dims[open] = known > 0 && count % known == 0 ? count / known : 0;
    ZF_TRY(reshape_to(node, src, rank, dims));
fail:
    return status;
}

enum zf_status zf_node_flatten(struct zf_import_node *node)
{
    struct zf_value *src = NULL;
    int64_t axis, dims[2] = {1, 1};
    enum zf_status status;

    ZF_TRY(any_input(node, &src));
    axis = zf_node_integer(node, "axis", 1);
    axis = axis < 0 ? axis + src->rank : axis;
    if (axis < 0 || axis > src->rank)
        return zf_node_fail(node, ZF_EINPUT, "axis %lld of a tensor of %d dimensions",
                            (long long)axis, src->rank);
    for (int i = 0; i < src->rank; i++)
        dims[i >= axis] *= src->dims[i];
    ZF_TRY(reshape_to(node, src, 2, dims));
fail:
    return status;
}

enum zf_status zf_node_squeeze(struct zf_import_node *node)
{
    int64_t axes[ZF_ONNX_RANK], dims[ZF_ONNX_RANK];
    bool gone[ZF_ONNX_RANK] = {false};
    struct zf_value *src = NULL;
    enum zf_status status;
    int count, axis, rank = 0;

    ZF_TRY(any_input(node, &src));
    ZF_TRY(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    for (int i = 0; i < count; i++) {
        ZF_TRY(zf_node_axis(node, axes[i], src->rank, &axis));
        gone[axis] = true;
    }
    for (int i = 0; i < src->rank; i++) {
        if (!gone[i] && !(count == 0 && src->dims[i] == 1))
            dims[rank++] = src->dims[i];
    }
    ZF_TRY(reshape_to(node, src, rank, dims));
fail:
    return status;
}

enum zf_status zf_node_unsqueeze(struct zf_import_node *node)
{
    int64_t axes[ZF_ONNX_RANK], dims[ZF_ONNX_RANK];
    bool fresh[ZF_ONNX_RANK] = {false};
    struct zf_value *src = NULL;
    enum zf_status status;
    int count, axis, rank, from = 0;

    ZF_TRY(any_input(node, &src));
    ZF_TRY(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    rank = src->rank + count;
    if (rank > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EINPUT, "a tensor of %d dimensions", rank);
    for (int i = 0; i < count; i++) {
        ZF_TRY(zf_node_axis(node, axes[i], rank, &axis));
        if (fresh[axis])
            return zf_node_fail(node, ZF_EINPUT, "axis %d twice", axis);
        fresh[axis] = true;
    }
    for (int i = 0; i < rank; i++)
        dims[i] = fresh[i] ? 1 : src->dims[from++];
    ZF_TRY(reshape_to(node, src, rank, dims));
fail:
    return status;
}

enum zf_status zf_node_identity(struct zf_import_node *node)
{
    struct zf_value *src = NULL;
    enum zf_status status;

    ZF_TRY(any_input(node, &src));
    ZF_TRY(zf_import_alias(node, src));
fail:
    return status;
}

/* ---- Maps ---- */

static enum zf_status translate_transpose(struct zf_import_node *node)
{
    int64_t perm[ZF_ONNX_RANK];
    bool seen[ZF_ONNX_RANK] = {false};
    struct zf_value *src = NULL, made;
    int order[ZF_ONNX_RANK], count;
    enum zf_status status;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_integers(node, "perm", perm, ZF_ONNX_RANK, &count));
    for (int i = 0; i < src->rank; i++) {
        const int64_t axis = count ? perm[i] : src->rank - 1 - i;

        if ((count && count != src->rank) || axis < 0 || axis >= src->rank || seen[axis])
            return zf_node_fail(node, ZF_EINPUT, "its perm is no order of %d axes", src->rank);
        seen[axis] = true;
        order[i] = (int)axis;
    }
    made = *src;
    zf_value_transpose(&made, order);
    ZF_TRY(zf_import_alias(node, &made));
fail:
    return status;
}

/* To another real type; the engine has only one. */
static enum zf_status translate_cast(struct zf_import_node *node)
{
    const int64_t to = zf_node_integer(node, "to", 0);

    if (to != 1 && to != 10 && to != 11 && to != 16)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "maps as whole numbers (type %lld)",
                            (long long)to);
    return zf_node_identity(node);
}

/* `count` maps from `first` as output i of the node, which is on `roles`. */
static enum zf_status take_maps(struct zf_import_node *node, int i, const struct zf_value *src,
                                const struct zf_roles *roles, int64_t first, int64_t count)
{
    struct zf_import *import = node->import;
    struct zf_value made;
    char keys[96];
    enum zf_status status;
    int layer;

    snprintf(keys, sizeof keys, "first = %lld\nmaps = %lld\n", (long long)first, (long long)count);
    ZF_TRY(zf_import_add(node, NULL, "slice", &src->layer, 1, keys, &layer));
    if (node->out_count > 1)
        import->layers[layer].name = node->out[i]->name;
    zf_value_place(&made, layer, import->layers[layer].shape, src->rank, roles);
    node->out[i]->value = made;
    import->layers[layer].output = node->out[i];
fail:
    return status;
}

static enum zf_status translate_split(struct zf_import_node *node)
{
    int64_t sizes[ZF_ONNX_WIDTH], first = 0;
    struct zf_value *src = NULL;
    struct zf_roles roles;
    int64_t maps, each;
    enum zf_status status;
    int count, axis;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    if (axis != roles.axis[0])
        return zf_node_fail(node, ZF_EUNSUPPORTED, "only maps are split, and axis %d is not theirs",
                            axis);
    maps = zf_import_shape(node->import, src->layer).c;
    ZF_TRY(zf_node_list(node, "split", 1, sizes, ZF_ONNX_WIDTH, &count));
    each = (maps + node->out_count - 1) / node->out_count;
    for (int i = 0; count == 0 && i < node->out_count; i++) /* equal parts, the last the smallest */
        sizes[i] = each * (i + 1) <= maps ? each : maps - each * i;
    if (count != 0 && count != node->out_count)
        return zf_node_fail(node, ZF_EINPUT, "%d parts for %d outputs", count, node->out_count);
    for (int i = 0; i < node->out_count; i++) {
        if (sizes[i] < 1 || sizes[i] > maps - first)
            return zf_node_fail(node, ZF_EINPUT, "part %d is %lld of %lld maps", i,
                                (long long)sizes[i], (long long)maps);
        if (node->out[i] && node->out[i]->users > 0)
            ZF_TRY(take_maps(node, i, src, &roles, first, sizes[i]));
        first += sizes[i];
    }
fail:
    return status;
}

static enum zf_status translate_slice(struct zf_import_node *node)
{
    struct zf_value *src = NULL;
    struct zf_slice slice;
    struct zf_roles roles;
    enum zf_status status;
    int cut = -1;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_import_settle(node, src, &roles));
    ZF_TRY(zf_node_slice(node, src, &slice));
    for (int axis = 0; axis < src->rank; axis++) {
        if (slice.start[axis] == 0 && slice.step[axis] == 1 && slice.count[axis] == src->dims[axis])
            continue;
        if (axis != roles.axis[0] || slice.step[axis] != 1 || slice.count[axis] < 1)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "only a range of maps is cut out, and axis %d is not theirs", axis);
        cut = axis;
    }
    if (cut < 0)
        return zf_import_alias(node, src);
    ZF_TRY(take_maps(node, 0, src, &roles, slice.start[cut], slice.count[cut]));
fail:
    return status;
}

/* One map, or neighbours: what x[:, 0] and x[:, 1:3] are exported as. */
static enum zf_status translate_gather(struct zf_import_node *node)
{
    struct zf_value *src = NULL, *indices = NULL;
    struct zf_roles roles;
    int64_t maps, count, first, dims[ZF_ONNX_RANK];
    enum zf_status status;
    int axis, rank = 0;

    ZF_TRY(zf_node_maps(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &indices));
    ZF_TRY(zf_import_settle(node, src, &roles));
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    maps = zf_import_shape(node->import, src->layer).c;
    count = zf_value_count(indices);
    if (axis != roles.axis[0] || indices->kind != ZF_VALUE_INTEGERS || indices->rank > 1 ||
        count < 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "only maps are picked, and axis %d is not theirs", axis);
    first = indices->integers[0] < 0 ? indices->integers[0] + maps : indices->integers[0];
    if (first < 0 || first >= maps || count > maps - first)
        return zf_node_fail(node, ZF_EINPUT, "map %lld of %lld", (long long)first, (long long)maps);
    ZF_TRY(zf_import_work(node->import, count));
    for (int64_t i = 1; i < count; i++) {
        if (indices->integers[i] != indices->integers[0] + i)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "maps that are not neighbours");
    }
    ZF_TRY(take_maps(node, 0, src, &roles, first, count));
    for (int i = 0; i < src->rank; i++) {
        if (i != axis || indices->rank > 0)
            dims[rank++] = node->out[0]->value.dims[i];
    }
    zf_value_reshape(&node->out[0]->value, rank, dims);
fail:
    return status;
}

const struct zf_operator zf_operators_layout[] = {
    {"Reshape", zf_node_reshape, zf_node_reshape},
    {"Flatten", zf_node_flatten, zf_node_flatten},
    {"Squeeze", zf_node_squeeze, zf_node_squeeze},
    {"Unsqueeze", zf_node_unsqueeze, zf_node_unsqueeze},
    {"Transpose", zf_fold_transpose, translate_transpose},
    {"Identity", zf_node_identity, zf_node_identity},
    {"Dropout", zf_node_identity, zf_node_identity},
    {"Cast", zf_fold_cast, translate_cast},
    {"Shape", zf_node_shape, zf_node_shape},
    {"Size", zf_node_shape, zf_node_shape},
    {"Split", NULL, translate_split},
    {"Slice", zf_fold_slice, translate_slice},
    {"Gather", zf_fold_gather, translate_gather},
    {NULL, NULL, NULL},
};
