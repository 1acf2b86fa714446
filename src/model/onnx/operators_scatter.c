/* SPDX-License-Identifier: MIT */
/*
 * Numbers put into maps at places that are known: y[..., 0:2] = z, as PyTorch exports it. The maps
 * before and behind that range, and z between them, are joined.
 */
#include <inttypes.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

/* Do the indices name every cell of a range of one axis, in order? */
static bool is_range(const struct zf_operand *src, const struct zf_operand *indices,
                     const struct zf_operand *updates, int *axis, int64_t *first)
{
    const int rank = src->rank;
    const int64_t cells = zf_operand_count(updates);

    if (indices->kind != ZF_OPERAND_INTEGERS || indices->rank != rank + 1 ||
        indices->dims[rank] != rank || updates->rank != rank ||
        zf_operand_count(indices) != cells * rank)
        return false;
    *axis = -1;
    for (int i = 0; i < rank; i++) {
        if (updates->dims[i] == src->dims[i])
            continue;
        if (*axis >= 0 || updates->dims[i] > src->dims[i])
            return false;
        *axis = i;
    }
    *axis = *axis < 0 ? 0 : *axis;
    *first = indices->integers[*axis] + (indices->integers[*axis] < 0 ? src->dims[*axis] : 0);
    if (*first < 0 || *first > src->dims[*axis] - updates->dims[*axis])
        return false;
    for (int64_t i = 0; i < cells; i++) {
        int64_t left = i;

        for (int k = rank; k-- > 0; left /= updates->dims[k]) {
            const int64_t index = indices->integers[i * rank + k];
            const int64_t at = left % updates->dims[k] + (k == *axis ? *first : 0);

            if ((index < 0 ? index + src->dims[k] : index) != at)
                return false;
        }
    }
    return true;
}

/* As maps under the view. */
static enum zf_status settle(struct zf_import_node *node, const char *part,
                             struct zf_operand *value, const struct zf_view *view)
{
    struct zf_operand filled;

    if (value->kind == ZF_OPERAND_MAPS)
        return zf_import_bring(node, part, value, view);
    ZF_CHECK(zf_import_filled(node, "constant", value, view, &filled));
    *value = filled;
    return ZF_OK;
}

static enum zf_status replace(struct zf_import_node *node, const struct zf_operand *src,
                              const struct zf_operand *updates, int axis, int64_t first)
{
    const struct zf_view view = zf_view_along(src->rank, axis);
    const int64_t end = first + updates->dims[axis], extent = src->dims[axis];
    struct zf_operand whole = *src, before, between = *updates, behind, made;
    int inputs[3], count = 0, layer;

    if (updates->dims[axis] == extent)
        return zf_import_alias(node, updates);
    ZF_CHECK(settle(node, "arrange", &whole, &view));
    ZF_CHECK(settle(node, "arrange", &between, &view));
    before = behind = whole;
    if (first > 0) {
        zf_operand_cut(&before, axis, 0, 1, first);
        ZF_CHECK(zf_import_bring(node, "before", &before, &view));
        inputs[count++] = before.layer;
    }
    inputs[count++] = between.layer;
    if (end < extent) {
        zf_operand_cut(&behind, axis, end, 1, extent - end);
        ZF_CHECK(zf_import_bring(node, "behind", &behind, &view));
        inputs[count++] = behind.layer;
    }
    ZF_CHECK(zf_import_add(node, NULL, "concat", inputs, count, NULL, &layer));
    zf_operand_place(&made, layer, src->rank, src->dims, &view);
    return zf_import_output(node, &made);
}

static enum zf_status translate_scatter(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, *indices = NULL, *updates = NULL;
    int64_t first = 0;
    int axis = 0;

    ZF_CHECK(zf_node_input(node, 0, &src));
    ZF_CHECK(zf_node_constant(node, 1, &indices));
    ZF_CHECK(zf_node_input(node, 2, &updates));
    if (!zf_node_says(node, "reduction", "none", "none") ||
        !is_range(src, indices, updates, &axis, &first))
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "it puts numbers elsewhere than in a range of one axis");
    return replace(node, src, updates, axis, first);
}

const struct zf_operator zf_operators_scatter[] = {
    {"ScatterND", zf_fold_places, translate_scatter},
    {NULL, NULL, NULL},
};
