/* SPDX-License-Identifier: MIT */
/* Quantised constants, to levels and back: of all, or along an axis. */
#include <inttypes.h>
#include <math.h>

#include "base/status.h"
#include "emit.h"
#include "operators.h"

/* Scales and zero points, of which number i of the constant has its own. */
struct scales {
    struct zf_operand *src, *scale, *zero;
    int64_t along, after; /* cells of the axis, and numbers behind each of them */
};

static enum zf_status read_scales(const struct zf_import_node *node, struct scales *s)
{
    int axis = 0;

    *s = (struct scales){.along = 1, .after = 1};
    ZF_CHECK(zf_node_constant(node, 0, &s->src));
    ZF_CHECK(zf_node_constant(node, 1, &s->scale));
    if (zf_node_has(node, 2))
        ZF_CHECK(zf_node_constant(node, 2, &s->zero));
    if (zf_node_integer(node, "block_size", 0) != 0)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "scales of blocks");
    if (zf_operand_count(s->scale) != 1) {
        ZF_CHECK(zf_node_axis(node, zf_node_integer(node, "axis", 1), s->src->rank, &axis));
        s->along = s->src->dims[axis];
        for (int i = axis + 1; i < s->src->rank; i++)
            s->after *= s->src->dims[i];
    }
    if (zf_operand_count(s->scale) == s->along &&
        (!s->zero || zf_operand_count(s->zero) == s->along))
        return ZF_OK;
    return zf_node_fail(node, ZF_EINPUT, "%" PRId64 " scales for %" PRId64 " cells of axis %d",
                        zf_operand_count(s->scale), s->along, axis);
}

static double scale_at(const struct scales *s, int64_t i)
{
    return zf_operand_at(s->scale, i / s->after % s->along);
}

static double zero_at(const struct scales *s, int64_t i)
{
    return s->zero ? zf_operand_at(s->zero, i / s->after % s->along) : 0;
}

enum zf_status zf_fold_dequantize(struct zf_import_node *node)
{
    struct zf_operand made = {0};
    struct scales s;
    enum zf_status status;

    ZF_CHECK(read_scales(node, &s));
    ZF_TRY(zf_fold_make(node, ZF_OPERAND_FLOATS, s.src->rank, s.src->dims, &made));
    for (int64_t i = 0; i < zf_operand_count(s.src); i++)
        ZF_TRY(zf_fold_set(node, &made, i,
                           (zf_operand_at(s.src, i) - zero_at(&s, i)) * scale_at(&s, i)));
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}

enum zf_status zf_fold_quantize(struct zf_import_node *node)
{
    struct zf_operand made = {0};
    int64_t low, high;
    struct scales s;
    enum zf_status status;

    ZF_CHECK(zf_node_levels(node, &low, &high));
    ZF_CHECK(read_scales(node, &s));
    ZF_TRY(zf_fold_make(node, ZF_OPERAND_INTEGERS, s.src->rank, s.src->dims, &made));
    for (int64_t i = 0; i < zf_operand_count(s.src); i++) {
        const float steps = (float)zf_operand_at(s.src, i) / (float)scale_at(&s, i);
        const double level = (double)nearbyintf(steps) + zero_at(&s, i);

        ZF_TRY(zf_fold_set(node, &made, i, fmin(fmax(level, (double)low), (double)high)));
    }
    ZF_TRY(zf_import_output(node, &made));
    return ZF_OK;
fail:
    zf_operand_release(&made);
    return status;
}
