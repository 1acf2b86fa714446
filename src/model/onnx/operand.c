/* SPDX-License-Identifier: MIT */
/* How the cells of a layer are arranged in a tensor: atoms split, joined, reordered. */
#include "operand.h"

#include <string.h>

#include "base/status.h"

int64_t zf_operand_count(const struct zf_operand *value)
{
    int64_t count = 1;

    for (int i = 0; i < value->rank; i++)
        count *= value->dims[i];
    return count;
}

bool zf_operand_is_constant(const struct zf_operand *value)
{
    return value->kind == ZF_OPERAND_FLOATS || value->kind == ZF_OPERAND_INTEGERS;
}

double zf_operand_at(const struct zf_operand *value, int64_t i)
{
    float number;

    if (value->kind != ZF_OPERAND_FLOATS)
        return (double)value->integers[i];
    memcpy(&number, (const uint8_t *)value->floats + (size_t)i * sizeof number, sizeof number);
    return (double)number;
}

bool zf_operand_is_arranged_like(const struct zf_operand *a, const struct zf_operand *b)
{
    if (a->rank != b->rank || a->atom_count != b->atom_count || a->offset != b->offset)
        return false;
    for (int i = 0; i < a->atom_count; i++) {
        if (a->atoms[i].axis != b->atoms[i].axis || a->atoms[i].extent != b->atoms[i].extent ||
            a->atoms[i].stride != b->atoms[i].stride)
            return false;
    }
    return true;
}

/* ---- Views ---- */

struct zf_shape zf_view_shape(const struct zf_view *view, int rank, const int64_t *dims)
{
    int64_t extents[ZF_ROLES] = {1, 1, 1};

    for (int axis = 0; axis < rank; axis++)
        extents[view->role[axis]] *= dims[axis];
    return (struct zf_shape){extents[ZF_ROLE_C], extents[ZF_ROLE_H], extents[ZF_ROLE_W]};
}

void zf_operand_place(struct zf_operand *operand, int layer, int rank, const int64_t *dims,
                      const struct zf_view *view)
{
    const struct zf_shape shape = zf_view_shape(view, rank, dims);
    int64_t strides[ZF_ROLES] = {shape.h * shape.w, shape.w, 1}, of_axis[ZF_ONNX_RANK];

    *operand = (struct zf_operand){.kind = ZF_OPERAND_MAPS, .rank = rank, .layer = layer};
    for (int axis = rank; axis-- > 0;) {
        of_axis[axis] = strides[view->role[axis]];
        strides[view->role[axis]] *= dims[axis];
    }
    for (int axis = 0; axis < rank; axis++) {
        operand->dims[axis] = dims[axis];
        if (dims[axis] > 1)
            operand->atoms[operand->atom_count++] =
                (struct zf_atom){dims[axis], of_axis[axis], axis};
    }
}

void zf_operand_plain(struct zf_operand *operand, int layer, struct zf_shape shape)
{
    static const struct zf_view view = {{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};

    zf_operand_place(operand, layer, 4, (const int64_t[]){1, shape.c, shape.h, shape.w}, &view);
}

int zf_view_axis(const struct zf_view *view, const struct zf_operand *operand, enum zf_role role)
{
    int found = -1;

    for (int axis = 0; axis < operand->rank; axis++) {
        if (view->role[axis] == role && operand->dims[axis] > 1)
            return axis;
        if (view->role[axis] == role && found <= 0) /* not the batch, if there is another */
            found = axis;
    }
    return found;
}

/* ---- Atoms ---- */

/* Joins neighbours that are one run in memory: of one axis, or whatever their axes. */
static void join_atoms(struct zf_operand *value, bool across)
{
    int kept = 0;

    for (int i = 0; i < value->atom_count; i++) {
        const struct zf_atom *atom = &value->atoms[i];
        struct zf_atom *last = kept > 0 ? &value->atoms[kept - 1] : NULL;

        if (last && (across || last->axis == atom->axis) &&
            last->stride == atom->extent * atom->stride) {
            last->extent *= atom->extent;
            last->stride = atom->stride;
        } else {
            value->atoms[kept++] = *atom;
        }
    }
    value->atom_count = kept;
}

/* Cuts the old atoms into runs that fill the new axes one after the other. */
static bool split_atoms(struct zf_operand *value)
{
    struct zf_atom atoms[ZF_ONNX_ATOMS];
    struct zf_atom rest = {0};
    int count = 0, next = 0;

    for (int axis = 0; axis < value->rank; axis++) {
        for (int64_t need = value->dims[axis]; need > 1;) {
            struct zf_atom part;

            if (rest.extent <= 1) {
                if (next == value->atom_count)
                    return false;
                rest = value->atoms[next++];
            }
            part = rest;
            if (need % rest.extent == 0) {
                need /= rest.extent;
                rest.extent = 1;
            } else if (rest.extent % need == 0) { /* the outer part of it */
                rest.extent /= need;
                part.extent = need;
                part.stride = rest.stride * rest.extent;
                need = 1;
            } else {
                return false;
            }
            if (count == ZF_ONNX_ATOMS)
                return false;
            part.axis = axis;
            atoms[count++] = part;
        }
    }
    memcpy(value->atoms, atoms, sizeof atoms[0] * (size_t)count);
    value->atom_count = count;
    return true;
}

bool zf_operand_reshape(struct zf_operand *value, int rank, const int64_t *dims)
{
    struct zf_operand reshaped = *value;

    reshaped.rank = rank;
    memcpy(reshaped.dims, dims, sizeof *dims * (size_t)rank);
    if (value->kind == ZF_OPERAND_MAPS) {
        join_atoms(&reshaped, true);
        if (!split_atoms(&reshaped))
            return false;
        join_atoms(&reshaped, false);
    }
    *value = reshaped;
    return true;
}

void zf_operand_transpose(struct zf_operand *maps, const int *order)
{
    struct zf_operand turned = *maps;

    turned.atom_count = 0;
    for (int axis = 0; axis < maps->rank; axis++) {
        turned.dims[axis] = maps->dims[order[axis]];
        for (int i = 0; i < maps->atom_count; i++) {
            if (maps->atoms[i].axis == order[axis]) {
                turned.atoms[turned.atom_count] = maps->atoms[i];
                turned.atoms[turned.atom_count++].axis = axis;
            }
        }
    }
    *maps = turned;
    join_atoms(maps, false);
}

bool zf_operand_cut(struct zf_operand *maps, int axis, int64_t start, int64_t step, int64_t count)
{
    struct zf_atom *atom = NULL;

    for (int i = 0; i < maps->atom_count; i++) {
        if (maps->atoms[i].axis != axis)
            continue;
        if (atom)
            return false;
        atom = &maps->atoms[i];
    }
    maps->dims[axis] = count;
    if (!atom)
        return true;
    maps->offset += start * atom->stride;
    atom->stride *= step;
    atom->extent = count;
    if (count == 1) {
        const int at = (int)(atom - maps->atoms);

        maps->atom_count--;
        memmove(atom, atom + 1, sizeof *atom * (size_t)(maps->atom_count - at));
    }
    return true;
}

void zf_operand_repeat(struct zf_operand *maps, int axis, int64_t count)
{
    int at = 0;

    if (count == 1 || maps->atom_count == ZF_ONNX_ATOMS)
        return;
    while (at < maps->atom_count && maps->atoms[at].axis < axis)
        at++;
    memmove(&maps->atoms[at + 1], &maps->atoms[at],
            sizeof maps->atoms[0] * (size_t)(maps->atom_count - at));
    maps->atoms[at] = (struct zf_atom){count, 0, axis};
    maps->atom_count++;
    maps->dims[axis] *= count;
}

/* ---- Natural views ---- */

/* The atom that is exactly this run, or NULL. */
static const struct zf_atom *find_atom(const struct zf_operand *maps, int64_t extent,
                                       int64_t stride)
{
    for (int i = 0; i < maps->atom_count; i++) {
        if (maps->atoms[i].extent == extent && maps->atoms[i].stride == stride)
            return &maps->atoms[i];
    }
    return NULL;
}

bool zf_operand_natural(const struct zf_operand *maps, struct zf_shape shape, struct zf_view *view)
{
    const int64_t extents[ZF_ROLES] = {shape.c, shape.h, shape.w};
    const int64_t strides[ZF_ROLES] = {shape.h * shape.w, shape.w, 1};
    bool taken[ZF_ONNX_RANK] = {false};
    int wanted = 0;

    if (maps->offset != 0)
        return false;
    for (int axis = 0; axis < ZF_ONNX_RANK; axis++)
        view->role[axis] = ZF_ROLE_C;
    for (int role = 0; role < ZF_ROLES; role++) {
        const struct zf_atom *atom = find_atom(maps, extents[role], strides[role]);

        if (extents[role] == 1)
            continue;
        wanted++;
        if (!atom || taken[atom->axis])
            return false;
        view->role[atom->axis] = (enum zf_role)role;
        taken[atom->axis] = true;
    }
    for (int role = 0; role < ZF_ROLES; role++) { /* the batch, axis 0, stays with the maps */
        for (int axis = 1; axis < maps->rank && extents[role] == 1; axis++) {
            if (taken[axis])
                continue;
            view->role[axis] = (enum zf_role)role;
            taken[axis] = true;
            break;
        }
    }
    return wanted == maps->atom_count;
}

int zf_operand_runs(const struct zf_operand *maps, const struct zf_view *view,
                    struct zf_atom runs[ZF_ONNX_ATOMS])
{
    int count = 0;

    for (int role = 0; role < ZF_ROLES; role++) {
        const int first = count;

        for (int i = 0; i < maps->atom_count; i++) {
            const struct zf_atom atom = maps->atoms[i];
            struct zf_atom *last = count > first ? &runs[count - 1] : NULL;

            if (view->role[atom.axis] != (enum zf_role)role)
                continue;
            if (last && last->stride == atom.extent * atom.stride) {
                last->extent *= atom.extent;
                last->stride = atom.stride;
            } else {
                runs[count] = atom;
                runs[count++].axis = role;
            }
        }
    }
    return count;
}
