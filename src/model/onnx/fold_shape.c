/* SPDX-License-Identifier: MIT */
/* Constants cut, picked, joined, turned and spread: as they are, cell by cell, whatever their type.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "emit.h"
#include "operators.h"

static size_t width_of(const struct zf_operand *value)
{
    return value->kind == ZF_OPERAND_FLOATS ? sizeof(float) : sizeof(int64_t);
}

static const uint8_t *cells_of(const struct zf_operand *value)
{
    return value->kind == ZF_OPERAND_FLOATS ? value->floats : (const void *)value->integers;
}

/* Room for made->dims in the type of `src`. */
static enum zf_status make_like(struct zf_import_node *node, const struct zf_operand *src,
                                struct zf_operand *made)
{
    made->kind = src->kind;
    made->owned = zf_import_room(node->import, zf_operand_count(made), width_of(src));
    if (!made->owned)
        return node->import->err->status;
    if (made->kind == ZF_OPERAND_FLOATS)
        made->floats = made->owned;
    else
        made->integers = made->owned;
    return ZF_OK;
}

/* Cell (i0, i1, ...) of *made is that of `src` at offset + sum of i * strides. */
static void copy_strided(const struct zf_operand *src, int64_t offset, const int64_t *strides,
                         struct zf_operand *made)
{
    const int64_t count = zf_operand_count(made);
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

static void row_major(const struct zf_operand *value, int64_t *strides)
{
    int64_t stride = 1;

    for (int axis = value->rank; axis-- > 0; stride *= value->dims[axis])
        strides[axis] = stride;
}

enum zf_status zf_fold_transpose(struct zf_import_node *node)
{
    int64_t perm[ZF_ONNX_RANK], strides[ZF_ONNX_RANK], turned[ZF_ONNX_RANK];
    bool seen[ZF_ONNX_RANK] = {false};
    struct zf_operand *src, made = {0};
    int count;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_integers(node, "perm", perm, ZF_ONNX_RANK, &count));
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
    ZF_CHECK(make_like(node, src, &made));
    copy_strided(src, 0, turned, &made);
    return zf_import_output(node, &made);
}

static int64_t clamp(int64_t x, int64_t least, int64_t most)
{
    return x < least ? least : x > most ? most : x;
}

/* Attributes before opset 10, inputs since; counted from the end where negative, cut to fit. */
enum zf_status zf_node_ranges(const struct zf_import_node *node, const struct zf_operand *src,
                              struct zf_ranges *ranges)
{
    int64_t starts[ZF_ONNX_RANK], ends[ZF_ONNX_RANK], axes[ZF_ONNX_RANK], steps[ZF_ONNX_RANK];
    int count, end_count, axis_count, step_count, axis;

    ZF_CHECK(zf_node_list(node, "starts", 1, starts, ZF_ONNX_RANK, &count));
    ZF_CHECK(zf_node_list(node, "ends", 2, ends, ZF_ONNX_RANK, &end_count));
    ZF_CHECK(zf_node_list(node, "axes", 3, axes, ZF_ONNX_RANK, &axis_count));
    ZF_CHECK(zf_node_list(node, "steps", 4, steps, ZF_ONNX_RANK, &step_count));
    if (count != end_count || (axis_count && axis_count != count) ||
        (step_count && step_count != count) || (!axis_count && count > src->rank))
        return zf_node_fail(node, ZF_EINPUT, "%d starts, %d ends, %d axes, %d steps", count,
                            end_count, axis_count, step_count);
    for (int i = 0; i < src->rank; i++) {
        ranges->start[i] = 0;
        ranges->step[i] = 1;
        ranges->count[i] = src->dims[i];
    }
    for (int i = 0; i < count; i++) {
        int64_t size, step = step_count ? steps[i] : 1, start, end;

        ZF_CHECK(zf_node_axis(node, axis_count ? axes[i] : i, src->rank, &axis));
        size = src->dims[axis];
        if (step == 0 || step == INT64_MIN)
            return zf_node_fail(node, ZF_EINPUT, "a step of %" PRId64, step);
        start = clamp(starts[i] < 0 ? starts[i] + size : starts[i], step > 0 ? 0 : -1,
                      step > 0 ? size : size - 1);
        start = start < 0 && step < 0 ? 0 : start;
        end = clamp(ends[i] < 0 ? ends[i] + size : ends[i], step > 0 ? 0 : -1, size);
        ranges->start[axis] = start;
        ranges->step[axis] = step;
        ranges->count[axis] =
            step > 0 ? (end - start + (step - 1)) / step : (start - end + (-step - 1)) / -step;
        if (ranges->count[axis] < 0 || (step > 0 ? end <= start : start <= end))
            ranges->count[axis] = 0;
    }
    return ZF_OK;
}

enum zf_status zf_fold_slice(struct zf_import_node *node)
{
    int64_t strides[ZF_ONNX_RANK], offset = 0;
    struct zf_operand *src, made = {0};
    struct zf_ranges ranges;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_ranges(node, src, &ranges));
    row_major(src, strides);
    made.rank = src->rank;
    for (int axis = 0; axis < src->rank; axis++) {
        made.dims[axis] = ranges.count[axis];
        offset += ranges.start[axis] * strides[axis];
        strides[axis] *= ranges.count[axis] > 1 ? ranges.step[axis] : 0;
    }
    ZF_CHECK(make_like(node, src, &made));
    copy_strided(src, offset, strides, &made);
    return zf_import_output(node, &made);
}

/* Cells before and after an axis. */
static void around(const struct zf_operand *value, int axis, int64_t *before, int64_t *after)
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
    struct zf_operand *src, *indices, made = {0};
    int64_t before, after, picks;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_constant(node, 1, &indices));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    if (indices->kind != ZF_OPERAND_INTEGERS || src->rank - 1 + indices->rank > ZF_ONNX_RANK)
        return zf_node_fail(node, ZF_EINPUT, "its indices are not whole numbers of few dimensions");
    picks = zf_operand_count(indices);
    for (int i = 0; i < axis; i++)
        made.dims[made.rank++] = src->dims[i];
    for (int i = 0; i < indices->rank; i++)
        made.dims[made.rank++] = indices->dims[i];
    for (int i = axis + 1; i < src->rank; i++)
        made.dims[made.rank++] = src->dims[i];
    around(src, axis, &before, &after);
    for (int64_t k = 0; k < picks; k++) {
        if (indices->integers[k] < -src->dims[axis] || indices->integers[k] >= src->dims[axis])
            return zf_node_fail(node, ZF_EINPUT, "index %" PRId64 " of %" PRId64,
                                indices->integers[k], src->dims[axis]);
    }
    ZF_CHECK(make_like(node, src, &made));
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
    return zf_import_output(node, &made);
}

static enum zf_status concat_shape(const struct zf_import_node *node, int axis,
                                   struct zf_operand *made)
{
    const struct zf_operand *first = node->in[0];

    made->rank = first->rank;
    memcpy(made->dims, first->dims, sizeof made->dims);
    made->dims[axis] = 0;
    for (int k = 0; k < node->in_count; k++) {
        const struct zf_operand *src = node->in[k];

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
    struct zf_operand *first, made = {0};
    int64_t before, after;
    size_t width, row, done = 0;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &first));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 1), first->rank, &axis));
    ZF_CHECK(concat_shape(node, axis, &made));
    ZF_CHECK(make_like(node, first, &made));
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
    return zf_import_output(node, &made);
}

/* ---- Split, Expand, Tile, Pad ---- */

enum zf_status zf_node_parts(const struct zf_import_node *node, int64_t extent, int64_t *sizes)
{
    const int64_t each = (extent + node->out_count - 1) / node->out_count;
    int64_t left = extent;
    int count;

    ZF_CHECK(zf_node_list(node, "split", 1, sizes, ZF_ONNX_WIDTH, &count));
    if (count != 0 && count != node->out_count)
        return zf_node_fail(node, ZF_EINPUT, "%d parts for %d outputs", count, node->out_count);
    for (int i = 0; i < node->out_count; i++) { /* equal parts, the last the smallest */
        if (count == 0)
            sizes[i] = each < left ? each : left;
        if (sizes[i] < 1 || sizes[i] > left)
            return zf_node_fail(node, ZF_EINPUT, "part %d is %" PRId64 " of %" PRId64 " cells", i,
                                sizes[i], extent);
        left -= sizes[i];
    }
    return ZF_OK;
}

enum zf_status zf_fold_split(struct zf_import_node *node)
{
    int64_t sizes[ZF_ONNX_WIDTH], strides[ZF_ONNX_RANK], first = 0;
    struct zf_operand *src = NULL;
    int axis;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 0), src->rank, &axis));
    ZF_CHECK(zf_node_parts(node, src->dims[axis], sizes));
    row_major(src, strides);
    for (int i = 0; i < node->out_count; i++) {
        struct zf_operand made = {.rank = src->rank};

        memcpy(made.dims, src->dims, sizeof made.dims);
        made.dims[axis] = sizes[i];
        ZF_CHECK(make_like(node, src, &made));
        copy_strided(src, first * strides[axis], strides, &made);
        ZF_CHECK(zf_import_output_at(node, i, &made));
        first += sizes[i];
    }
    return ZF_OK;
}

/* Expand's shape spreads with that of its input; Tile's counts multiply it. */
enum zf_status zf_node_expanded(const struct zf_import_node *node, const struct zf_operand *src,
                                int *rank, int64_t *dims)
{
    const bool tile = strcmp(node->proto->op_type, "Tile") == 0;
    int64_t shape[ZF_ONNX_RANK];
    int count;

    ZF_CHECK(zf_node_list(node, "shape", 1, shape, ZF_ONNX_RANK, &count));
    if (tile && count != src->rank)
        return zf_node_fail(node, ZF_EINPUT, "%d repeats of %d dimensions", count, src->rank);
    *rank = count > src->rank ? count : src->rank;
    for (int i = 0; i < *rank; i++) {
        const int of_src = i - (*rank - src->rank), of_shape = i - (*rank - count);
        const int64_t extent = of_src < 0 ? 1 : src->dims[of_src];
        const int64_t wanted = of_shape < 0 ? 1 : shape[of_shape];

        if (wanted < 1 || (!tile && extent != wanted && extent != 1 && wanted != 1) ||
            (tile && !zf_mul3(extent, wanted, 1, &dims[i])))
            return zf_node_fail(node, ZF_EINPUT,
                                "%" PRId64 " cells of axis %d cannot become %" PRId64, extent, i,
                                wanted);
        if (!tile)
            dims[i] = extent > wanted ? extent : wanted;
    }
    return ZF_OK;
}

/* Each cell of the result, by where it lies in the source; a place below 0 is `fill`. */
static enum zf_status copy_cells(struct zf_import_node *node, const struct zf_operand *src,
                                 struct zf_operand *made, const int64_t *before, const void *fill)
{
    const size_t width = width_of(src);
    int64_t strides[ZF_ONNX_RANK], at[ZF_ONNX_RANK] = {0};

    ZF_CHECK(make_like(node, src, made));
    row_major(src, strides);
    for (int64_t i = 0; i < zf_operand_count(made); i++) {
        const int shift = made->rank - src->rank;
        int64_t place = 0;

        for (int axis = shift; axis < made->rank && place >= 0; axis++) {
            const int64_t extent = src->dims[axis - shift], cell = at[axis] - before[axis];

            if (fill && (cell < 0 || cell >= extent))
                place = -1;
            else
                place += cell % extent * strides[axis - shift];
        }
        memcpy((uint8_t *)made->owned + (size_t)i * width,
               place < 0 ? fill : cells_of(src) + (size_t)place * width, width);
        for (int axis = made->rank; axis-- > 0 && ++at[axis] == made->dims[axis];)
            at[axis] = 0;
    }
    return ZF_OK;
}

enum zf_status zf_fold_expand(struct zf_import_node *node)
{
    static const int64_t nothing[ZF_ONNX_RANK];
    struct zf_operand *src = NULL, made = {0};
    int64_t count = 1;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_expanded(node, src, &made.rank, made.dims));
    for (int i = 0; i < made.rank; i++)
        if (!zf_mul3(count, made.dims[i], 1, &count))
            return zf_node_fail(node, ZF_EINPUT, "an output that is too large");
    if (count > zf_operand_count(src))
        ZF_CHECK(zf_import_fill(node->import, count));
    ZF_CHECK(copy_cells(node, src, &made, nothing, NULL));
    return zf_import_output(node, &made);
}

enum zf_status zf_fold_tile(struct zf_import_node *node)
{
    return zf_fold_expand(node);
}

enum zf_status zf_fold_pad(struct zf_import_node *node)
{
    int64_t pads[2 * ZF_ONNX_RANK], whole = 0;
    struct zf_operand *src = NULL, *number = NULL, made = {0};
    float real = (float)zf_node_real(node, "value", 0);
    int count;

    ZF_CHECK(zf_node_constant(node, 0, &src));
    ZF_CHECK(zf_node_list(node, "pads", 1, pads, 2 * ZF_ONNX_RANK, &count));
    if (zf_node_has(node, 2)) {
        ZF_CHECK(zf_node_constant(node, 2, &number));
        real = zf_operand_count(number) == 1 ? (float)zf_operand_at(number, 0) : 0;
    }
    whole = (int64_t)(fabsf(real) < 1e15f ? real : 0);
    if (count != 2 * src->rank || zf_node_has(node, 3) ||
        !zf_node_says(node, "mode", "constant", "constant"))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "a constant padded otherwise than by a number");
    made.rank = src->rank;
    for (int i = 0; i < src->rank; i++) {
        made.dims[i] = src->dims[i] + pads[i] + pads[i + src->rank];
        if (pads[i] < -65535 || pads[i] > 65535 || pads[i + src->rank] < -65535 ||
            pads[i + src->rank] > 65535 || made.dims[i] < 1)
            return zf_node_fail(node, ZF_EINPUT, "pads of %" PRId64 " and %" PRId64, pads[i],
                                pads[i + src->rank]);
    }
    ZF_CHECK(copy_cells(node, src, &made, pads,
                        src->kind == ZF_OPERAND_FLOATS ? (const void *)&real : &whole));
    return zf_import_output(node, &made);
}
