/* SPDX-License-Identifier: MIT */
#include "combine.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "model/safetensors.h"

static const char *const types[] = {
    [ZF_SUM] = "add",      [ZF_DIFFERENCE] = "sub", [ZF_PRODUCT] = "mul",
    [ZF_QUOTIENT] = "div", [ZF_LARGER] = "max",     [ZF_SMALLER] = "min",
};

/* ---- Shapes that spread to one another ---- */

/* Axes are aligned at the end: ones in front of the shorter. */
static void align(struct zf_operand *operand, int rank)
{
    int64_t dims[ZF_ONNX_RANK];
    const int more = rank - operand->rank;

    for (int i = 0; i < rank; i++)
        dims[i] = i < more ? 1 : operand->dims[i - more];
    if (more > 0)
        zf_operand_reshape(operand, rank, dims);
}

static enum zf_status spread(const struct zf_import_node *node, const struct zf_operand *a,
                             const struct zf_operand *b, int64_t *dims)
{
    char of_a[128], of_b[128];

    for (int i = 0; i < a->rank; i++) {
        if (a->dims[i] != b->dims[i] && a->dims[i] != 1 && b->dims[i] != 1)
            return zf_node_fail(node, ZF_EINPUT, "%s and %s do not go together",
                                zf_shape_text(a->dims, a->rank, of_a, sizeof of_a),
                                zf_shape_text(b->dims, b->rank, of_b, sizeof of_b));
        dims[i] = a->dims[i] == 1 ? b->dims[i] : a->dims[i];
    }
    return ZF_OK;
}

/* Which of both has this axis: 0 none, 1 the first, 2 the second, 3 both. */
static int owners(const struct zf_operand *a, const struct zf_operand *b, int axis)
{
    return (a->dims[axis] > 1) | (b->dims[axis] > 1) << 1;
}

/* Do the axes of each role belong to the same operands? */
static bool suits(const struct zf_view *view, const struct zf_operand *a,
                  const struct zf_operand *b)
{
    int of_role[ZF_ROLES] = {0};

    for (int axis = 0; axis < a->rank; axis++) {
        const int who = owners(a, b, axis);
        int *seen = &of_role[view->role[axis]];

        if (who != 0 && *seen != 0 && *seen != who)
            return false;
        *seen = who ? who : *seen;
    }
    return true;
}

/* Neighbouring axes that belong to the same operands share a role; false for more than three. */
static bool group(const struct zf_operand *a, const struct zf_operand *b, struct zf_view *view)
{
    int role = 0, last = 0;

    for (int axis = 0; axis < a->rank; axis++) {
        const int who = owners(a, b, axis);

        if (who != 0 && last != 0 && who != last)
            role++;
        last = who ? who : last;
        if (role == ZF_ROLES)
            return false;
        view->role[axis] = (enum zf_role)role;
    }
    return true;
}

/* As one of the maps lies, the larger first; as any picture lies; by groups of axes. */
static bool find_view(const struct zf_import_node *node, const struct zf_operand *a,
                      const struct zf_operand *b, struct zf_view *view)
{
    const bool swapped = zf_operand_count(b) > zf_operand_count(a);
    const struct zf_operand *const order[2] = {swapped ? b : a, swapped ? a : b};

    for (int i = 0; i < 2; i++)
        if (order[i]->kind == ZF_OPERAND_MAPS &&
            zf_operand_natural(order[i], zf_import_shape(node->import, order[i]->layer), view) &&
            suits(view, a, b))
            return true;
    *view = (struct zf_view){{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    return (a->rank == 4 && a->dims[0] == 1 && b->dims[0] == 1) || group(a, b, view);
}

/* The operand repeated to `dims`, however its axes interleave with the other's. */
static enum zf_status repeat_to(struct zf_import_node *node, struct zf_operand *operand,
                                const int64_t *dims)
{
    struct zf_view view = zf_view_of(operand->rank, operand->dims);
    struct zf_operand filled;

    if (operand->kind != ZF_OPERAND_MAPS) {
        ZF_CHECK(zf_import_filled(node, "constant", operand, &view, &filled));
        *operand = filled;
    }
    for (int axis = 0; axis < operand->rank; axis++) {
        if (operand->dims[axis] != dims[axis])
            zf_operand_repeat(operand, axis, dims[axis]);
        if (operand->dims[axis] != dims[axis])
            return zf_node_fail(node, ZF_EUNSUPPORTED, "an input of more than %d parts",
                                ZF_ONNX_ATOMS);
    }
    return ZF_OK;
}

static enum zf_status layer_of(struct zf_import_node *node, const char *part,
                               struct zf_operand *operand, const struct zf_view *view, int *layer)
{
    struct zf_operand filled;

    if (operand->kind == ZF_OPERAND_MAPS) {
        ZF_CHECK(zf_import_bring(node, part, operand, view));
        *layer = operand->layer;
    } else {
        ZF_CHECK(zf_import_filled(node, "constant", operand, view, &filled));
        *layer = filled.layer;
    }
    return ZF_OK;
}

static bool alike(const struct zf_import_node *node, const struct zf_operand *a,
                  const struct zf_operand *b)
{
    struct zf_shape of_a, of_b;

    if (a->kind != ZF_OPERAND_MAPS || b->kind != ZF_OPERAND_MAPS ||
        !zf_operand_is_arranged_like(a, b))
        return false;
    of_a = zf_import_shape(node->import, a->layer);
    of_b = zf_import_shape(node->import, b->layer);
    return of_a.c == of_b.c && of_a.h == of_b.h && of_a.w == of_b.w;
}

enum zf_status zf_combine_maps(struct zf_import_node *node, enum zf_combination how,
                               const char *part, struct zf_operand *a, struct zf_operand *b,
                               struct zf_operand *made)
{
    struct zf_operand copies[2] = {*a, *b}, *x = a, *y = b;
    int64_t dims[ZF_ONNX_RANK];
    struct zf_view view;
    int inputs[2], layer;

    if (alike(node, a, b)) { /* wherever their cells are, they are at the same places */
        *made = *a;
        return zf_import_add(node, part, types[how], (const int[]){a->layer, b->layer}, 2, NULL,
                             &made->layer);
    }
    if (a->rank != b->rank) { /* the shorter under a longer shape is nobody else's business */
        const int rank = a->rank > b->rank ? a->rank : b->rank;

        align(&copies[0], rank);
        align(&copies[1], rank);
        x = a->rank < rank ? &copies[0] : a;
        y = b->rank < rank ? &copies[1] : b;
    }
    ZF_CHECK(spread(node, x, y, dims));
    if (!find_view(node, x, y, &view)) {
        copies[0] = *x;
        copies[1] = *y;
        x = &copies[0];
        y = &copies[1];
        view = zf_view_of(x->rank, dims);
        ZF_CHECK(repeat_to(node, x, dims));
        ZF_CHECK(repeat_to(node, y, dims));
    }
    ZF_CHECK(layer_of(node, "first", x, &view, &inputs[0]));
    ZF_CHECK(layer_of(node, "second", y, &view, &inputs[1]));
    ZF_CHECK(zf_import_add(node, part, types[how], inputs, 2, NULL, &layer));
    zf_operand_place(made, layer, x->rank, dims, &view);
    return ZF_OK;
}

/* ---- Constants ---- */

enum zf_status zf_combine_per_map(const struct zf_import_node *node,
                                  const struct zf_operand *constant, const struct zf_operand *maps,
                                  const struct zf_view *view, float **out)
{
    const int64_t count = zf_import_shape(node->import, maps->layer).c;
    const int shift = maps->rank - constant->rank; /* axes are aligned at the end */
    const int axis_of_maps = zf_view_axis(view, maps, ZF_ROLE_C);
    bool by_map = false;
    float *numbers;

    *out = NULL;
    for (int axis = 0; axis < constant->rank; axis++) {
        if (constant->dims[axis] == 1)
            continue;
        if (axis + shift != axis_of_maps || axis + shift < 0 || constant->dims[axis] != count)
            return ZF_OK;
        by_map = true;
    }
    numbers = zf_import_room(node->import, count, sizeof *numbers);
    if (!numbers)
        return node->import->err->status;
    for (int64_t m = 0; m < count; m++)
        numbers[m] = (float)zf_operand_at(constant, by_map ? m : 0);
    *out = numbers;
    return ZF_OK;
}

/* As a scale and a shift of each map, where that is what it is: then *done. */
static enum zf_status by_map(struct zf_import_node *node, enum zf_combination how, const char *part,
                             struct zf_operand *maps, const struct zf_operand *constant, bool *done)
{
    float *numbers = NULL, *other = NULL;
    struct zf_view view;
    enum zf_status status;
    int64_t count;
    int layer;

    *done = false;
    ZF_TRY(zf_import_settle(node, maps, &view));
    ZF_TRY(zf_combine_per_map(node, constant, maps, &view, &numbers));
    if (!numbers)
        return ZF_OK;
    count = zf_import_shape(node->import, maps->layer).c;
    other = zf_import_room(node->import, count, sizeof *other);
    if (!other) {
        status = node->import->err->status;
        goto fail;
    }
    for (int64_t m = 0; m < count; m++) {
        other[m] = how == ZF_PRODUCT ? 0 : 1;
        numbers[m] = how == ZF_DIFFERENCE ? -numbers[m] : numbers[m];
    }
    ZF_TRY(zf_import_add(node, part, "scale", &maps->layer, 1, NULL, &layer));
    zf_import_own(node->import, layer, how == ZF_PRODUCT ? numbers : other, count,
                  how == ZF_PRODUCT ? other : numbers, count);
    numbers = other = NULL;
    maps->layer = layer;
    *done = true;
fail:
    zf_free(numbers);
    zf_free(other);
    return status;
}

enum zf_status zf_combine_constant(struct zf_import_node *node, enum zf_combination how,
                                   const char *part, struct zf_operand *maps,
                                   struct zf_operand *constant)
{
    struct zf_operand made;
    bool done = false;

    if (how == ZF_SUM || how == ZF_DIFFERENCE || how == ZF_PRODUCT)
        ZF_CHECK(by_map(node, how, part, maps, constant, &done));
    if (done)
        return ZF_OK;
    ZF_CHECK(zf_combine_maps(node, how, part, maps, constant, &made));
    *maps = made;
    return ZF_OK;
}
