/* SPDX-License-Identifier: MIT */
/* Constants cut, picked, joined and turned: as they are, cell by cell, whatever their type. */
#include "import.h"

#include <string.h>

#include "base/status.h"

static size_t width_of(const struct zf_value *value)
{
    return value->kind == ZF_VALUE_FLOATS ? sizeof(float) : sizeof(int64_t);
}

static const uint8_t *cells_of(const struct zf_value *value)
{
    return value->kind == ZF_VALUE_FLOATS ? value->floats : (const void *)value->integers;
}

/* Room for made->dims in the type of `src`. */
static enum zf_status make_like(struct zf_import_node *node, const struct zf_value *src,
                                struct zf_value *made)
{
    made->kind = src->kind;
    made->owned = zf_import_room(node->import, zf_value_count(made), width_of(src));
    if (!made->owned)
        return node->import->err->status;
    if (made->kind == ZF_VALUE_FLOATS)
        made->floats = made->owned;
    else
        made->integers = made->owned;
    return ZF_OK;
}

/* Cell (i0, i1, ...) of *made is that of `src` at offset + sum of i * strides. */
static void copy_strided(const struct zf_value *src, int64_t offset, const int64_t *strides,
                         struct zf_value *made)
{
    const int64_t count = zf_value_count(made);
    const size_t width = width_of(src);
    const uint8_t *from = cells_of(src);
    uint8_t *to = made->owned;
    int64_t at[ZF_ONNX_RANK] = {0}, place = offset;

    for (int64_t i = 0; i < count; i++) {
        memcpy(to + (size_t)i * width, from + (size_t)place * width, width);
        for (int axis = made->rank; axis-- > 0;) {
            place += strides[axis];
            if (++at[axis] < made->dims[axis])
                break;
            place -= at[axis] * strides[axis];
            at[axis] = 0;
        }
    }
}

static void row_major(const struct zf_value *value, int64_t *strides)
{
    int64_t stride = 1;

    for (int axis = value->rank; axis-- > 0; stride *= value->dims[axis])
        strides[axis] = stride;
}

enum zf_status zf_fold_transpose(struct zf_import_node *node)
{
    int64_t perm[ZF_ONNX_RANK], strides[ZF_ONNX_RANK], turned[ZF_ONNX_RANK];
    bool seen[ZF_ONNX_RANK] = {false};
    struct zf_value *src, made = {0};
    enum zf_status status;
    int count;

    ZF_TRY(zf_node_constant(node, 0, &src));
    ZF_TRY(zf_node_integers(node, "perm", perm, ZF_ONNX_RANK, &count));
    row_major(src, strides);
    made.rank = src->rank;
    for (int i = 0; i < src->rank; i++) {
        const int64_t axis = count ? perm[i] : src->rank - 1 - i;

        if ((count && count != src->rank) || axis < 0 || axis >= src->rank || seen[axis])
            return zf_node_fail(node, ZF_EINPUT, "its perm is no order of %d axes", src->rank);
        seen[axis] = true;
        made.dims[i] = src->dims[axis];
        turned[i] = strides[axis];
    }
    ZF_TRY(make_like(node, src, &made));
    copy_strided(src, 0, turned, &made);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static int64_t clamp(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* Attributes before opset 10, inputs since; counted from the end where negative, cut to fit. */
enum zf_status zf_node_slice(const struct zf_import_node *node, const struct zf_value *src,
                             struct zf_slice *slice)
{
    int64_t starts[ZF_ONNX_RANK], ends[ZF_ONNX_RANK], axes[ZF_ONNX_RANK], steps[ZF_ONNX_RANK];
    int count, end_count, axis_count, step_count, axis;
    enum zf_status status;

    ZF_TRY(zf_node_list(node, "starts", 1, starts, ZF_ONNX_RANK, &count));
    ZF_TRY(zf_node_list(node, "ends", 2, ends, ZF_ONNX_RANK, &end_count));
    ZF_TRY(zf_node_list(node, "axes", 3, axes, ZF_ONNX_RANK, &axis_count));
    ZF_TRY(zf_node_list(node, "steps", 4, steps, ZF_ONNX_RANK, &step_count));
    if (count != end_count || (axis_count && axis_count != count) ||
        (step_count && step_count != count) || (!axis_count && count > src->rank))
        return zf_node_fail(node, ZF_EINPUT, "%d starts, %d ends, %d axes, %d steps", count,
                            end_count, axis_count, step_count);
    for (int i = 0; i < src->rank; i++) {
        slice->start[i] = 0;
        slice->step[i] = 1;
        slice->count[i] = src->dims[i];
    }
    for (int i = 0; i < count; i++) {
        int64_t size, step = step_count ? steps[i] : 1, start, end;

        ZF_TRY(zf_node_axis(node, axis_count ? axes[i] : i, src->rank, &axis));
        size = src->dims[axis];
        if (step == 0 || step == INT64_MIN)
            return zf_node_fail(node, ZF_EINPUT, "a step of %lld", (long long)step);
        start = clamp(starts[i] < 0 ? starts[i] + size : starts[i], step > 0 ? 0 : -1,
                      step > 0 ? size : size - 1);
        start = start < 0 && step < 0 ? 0 : start;
        end = clamp(ends[i] < 0 ? ends[i] + size : ends[i], step > 0 ? 0 : -1, size);
        slice->start[axis] = start;
        slice->step[axis] = step;
        slice->count[axis] =
            step > 0 ? (end - start + (step - 1)) / step : (start - end + (-step - 1)) / -step;
        if (slice->count[axis] < 0 || (step > 0 ? end <= start : start <= end))
            slice->count[axis] = 0;
    }
fail:
    return status;
}

enum zf_status zf_fold_slice(struct zf_import_node *node)
{
    int64_t strides[ZF_ONNX_RANK], offset = 0;
    struct zf_value *src, made = {0};
    struct zf_slice slice;
    enum zf_status status;

    ZF_TRY(zf_node_constant(node, 0, &src));
    ZF_TRY(zf_node_slice(node, src, &slice));
    row_major(src, strides);
    made.rank = src->rank;
    for (int axis = 0; axis < src->rank; axis++) {
        made.dims[axis] = slice.count[axis];
        offset += slice.start[axis] * strides[axis];
        strides[axis] *= slice.count[axis] > 1 ? slice.step[axis] : 0;
    }
    ZF_TRY(make_like(node, src, &made));
    copy_strided(src, offset, strides, &made);
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

/* Cells before and after an axis. */
static void around(const struct zf_value *value, int axis, int64_t *before, int64_t *after)
{
    *before = *after = 1;
    for (int i = 0; i < value->rank; i++) {
        if (i < axis)
            *before *= value->dims[i];
        else if (i > axis)
            *after *= value->dims[i];
    }
}

enum zf_status zf_fold_gather(struct zf_import_node *node)
{
    struct zf_value *src, *indices, made = {0};
    int64_t before, after, picks;
    enum zf_status status;
    int axis;

    ZF_TRY(zf_node_constant(node, 0, &src));
    ZF_TRY(zf_node_constant(node, 1, &indices));
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    if (indices->kind != ZF_VALUE_INTEGERS || src->rank - 1 + indices->rank > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EINPUT, "its indices are not whole numbers of few dimensions");
    picks = zf_value_count(indices);
    for (int i = 0; i < axis; i++)
        made.dims[made.rank++] = src->dims[i];
    for (int i = 0; i < indices->rank; i++)
        made.dims[made.rank++] = indices->dims[i];
    for (int i = axis + 1; i < src->rank; i++)
        made.dims[made.rank++] = src->dims[i];
    around(src, axis, &before, &after);
    for (int64_t k = 0; k < picks; k++) {
        if (indices->integers[k] < -src->dims[axis] || indices->integers[k] >= src->dims[axis])
            return zf_node_fail(node, ZF_EINPUT, "index %lld of %lld",
                                (long long)indices->integers[k], (long long)src->dims[axis]);
    }
    ZF_TRY(make_like(node, src, &made));
    for (int64_t b = 0; b < before; b++) {
        for (int64_t k = 0; k < picks; k++) {
            const int64_t index = indices->integers[k];
            const int64_t from =
                b * src->dims[axis] + (index < 0 ? index + src->dims[axis] : index);
            const size_t bytes = (size_t)after * width_of(src);

            memcpy((uint8_t *)made.owned + (size_t)(b * picks + k) * bytes,
                   cells_of(src) + (size_t)from * bytes, bytes);
        }
    }
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}

static enum zf_status concat_shape(const struct zf_import_node *node, int axis,
                                   struct zf_value *made)
{
    const struct zf_value *first = node->in[0];

    made->rank = first->rank;
    memcpy(made->dims, first->dims, sizeof made->dims);
    made->dims[axis] = 0;
    for (int k = 0; k < node->in_count; k++) {
        const struct zf_value *src = node->in[k];

        if (!src || src->kind != first->kind || src->rank != first->rank)
            return zf_node_fail(node, ZF_EINPUT, "inputs of several kinds");
        for (int i = 0; i < src->rank; i++) {
            if (i != axis && src->dims[i] != first->dims[i])
                return zf_node_fail(node, ZF_EINPUT, "inputs of several shapes");
        }
        if (__builtin_add_overflow(made->dims[axis], src->dims[axis], &made->dims[axis]))
            return zf_node_fail(node, ZF_EINPUT, "an output that is too large");
    }
    return ZF_OK;
}

enum zf_status zf_fold_concat(struct zf_import_node *node)
{
    struct zf_value *first, made = {0};
    int64_t before, after;
    enum zf_status status;
    size_t width, row, done = 0;
    int axis;

    ZF_TRY(zf_node_constant(node, 0, &first));
    ZF_TRY(zf_node_axis(node, zf_node_integer(node, "axis", 1), first->rank, &axis));
    ZF_TRY(concat_shape(node, axis, &made));
    ZF_TRY(make_like(node, first, &made));
    width = width_of(first);
    around(&made, axis, &before, &after);
    row = (size_t)(made.dims[axis] * after) * width;
    for (int k = 0; k < node->in_count; k++) {
        const size_t part = (size_t)(node->in[k]->dims[axis] * after) * width;

        for (int64_t b = 0; b < before && part > 0; b++)
            memcpy((uint8_t *)made.owned + (size_t)b * row + done,
                   cells_of(node->in[k]) + (size_t)b * part, part);
        done += part;
    }
    ZF_TRY(zf_import_output(node, &made));
fail:
    return status;
}
