/* SPDX-License-Identifier: MIT */
/*
 * How maps are arranged in a tensor. A layer's output is [c, h, w] in memory; a tensor's axes are
 * made of atoms, each a run of cells at a stride. Reshape splits and joins atoms, Transpose
 * reorders them, and NHWC, flattened and shuffled maps are all the same thing.
 */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "model/safetensors.h"

int64_t zf_value_count(const struct zf_value *value)
{
    int64_t count = 1;

    for (int i = 0; i < value->rank; i++)
        count *= value->dims[i];
    return count;
}

bool zf_value_is_constant(const struct zf_value *value)
{
    return value->kind == ZF_VALUE_FLOATS || value->kind == ZF_VALUE_INTEGERS;
}

double zf_value_at(const struct zf_value *value, int64_t i)
{
    float number;

    if (value->kind != ZF_VALUE_FLOATS)
        return (double)value->integers[i];
    memcpy(&number, (const uint8_t *)value->floats + (size_t)i * sizeof number, sizeof number);
    return (double)number;
}

bool zf_value_is_arranged_like(const struct zf_value *a, const struct zf_value *b)
{
    if (a->rank != b->rank || a->atom_count != b->atom_count)
        return false;
    for (int i = 0; i < a->atom_count; i++) {
        if (a->atoms[i].axis != b->atoms[i].axis || a->atoms[i].extent != b->atoms[i].extent ||
            a->atoms[i].stride != b->atoms[i].stride)
            return false;
    }
    return true;
}

void zf_value_place(struct zf_value *value, int layer, struct zf_shape shape, int rank,
                    const struct zf_roles *roles)
{
    const int64_t extents[3] = {shape.c, shape.h, shape.w};
    const int64_t strides[3] = {shape.h * shape.w, shape.w, 1};

    *value = (struct zf_value){.kind = ZF_VALUE_MAPS, .rank = rank, .layer = layer};
    for (int axis = 0; axis < rank; axis++) {
        value->dims[axis] = 1;
        for (int role = 0; role < 3; role++) {
            if (roles->axis[role] != axis)
                continue;
            value->dims[axis] = extents[role];
            if (extents[role] > 1)
                value->atoms[value->atom_count++] =
                    (struct zf_atom){extents[role], strides[role], axis};
        }
    }
}

void zf_value_plain(struct zf_value *value, int layer, struct zf_shape shape)
{
    zf_value_place(value, layer, shape, 4, &(struct zf_roles){{1, 2, 3}});
}

/* Joins neighbours that are one run in memory: of one axis, or whatever their axes. */
static void join_atoms(struct zf_value *value, bool across)
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
static bool split_atoms(struct zf_value *value)
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

bool zf_value_reshape(struct zf_value *value, int rank, const int64_t *dims)
{
    struct zf_value reshaped = *value;

    reshaped.rank = rank;
    memcpy(reshaped.dims, dims, sizeof *dims * (size_t)rank);
    if (value->kind == ZF_VALUE_MAPS) {
        join_atoms(&reshaped, true);
        if (!split_atoms(&reshaped))
            return false;
        join_atoms(&reshaped, false);
    }
    *value = reshaped;
    return true;
}

void zf_value_transpose(struct zf_value *maps, const int *order)
{
    struct zf_value turned = *maps;

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

bool zf_value_is_vector(const struct zf_value *maps, int axis)
{
    for (int i = 0; i < maps->atom_count; i++) {
        if (maps->atoms[i].axis != axis)
            return false;
    }
    return maps->atom_count == 0 || (maps->atom_count == 1 && maps->atoms[0].stride == 1);
}

/* ---- Settling ---- */

/* The atom that is exactly this run, or NULL. */
static const struct zf_atom *find_atom(const struct zf_value *maps, int64_t extent, int64_t stride)
{
    for (int i = 0; i < maps->atom_count; i++) {
        if (maps->atoms[i].extent == extent && maps->atoms[i].stride == stride)
            return &maps->atoms[i];
    }
    return NULL;
}

/* Are c, h and w an axis each? Those of extent 1 get what axes are left, in order. */
static bool find_roles(const struct zf_value *maps, struct zf_shape shape, struct zf_roles *roles)
{
    const int64_t extents[3] = {shape.c, shape.h, shape.w};
    const int64_t strides[3] = {shape.h * shape.w, shape.w, 1};
    bool taken[ZF_ONNX_RANK] = {true}; /* the batch */

    if (maps->rank < 2)
        return false;
    for (int role = 0; role < 3; role++) {
        const struct zf_atom *atom =
            extents[role] > 1 ? find_atom(maps, extents[role], strides[role]) : NULL;

        roles->axis[role] = -1;
        if (extents[role] == 1)
            continue;
        if (!atom || atom->axis == 0 || taken[atom->axis])
            return false;
        roles->axis[role] = atom->axis;
        taken[atom->axis] = true;
    }
    for (int role = 0; role < 3; role++) {
        for (int axis = 1; axis < maps->rank && roles->axis[role] < 0; axis++) {
            if (!taken[axis]) {
                roles->axis[role] = axis;
                taken[axis] = true;
            }
        }
    }
    return true;
}

/* Maps in the order of a [groups, c / groups] read by columns: ShuffleNet's. */
static enum zf_status settle_shuffled(struct zf_import_node *node, struct zf_value *maps,
                                      struct zf_shape shape, bool *done)
{
    const int64_t area = shape.h * shape.w;
    enum zf_status status = ZF_OK;
    struct zf_roles roles;
    char keys[64];
    int layer;

    for (int i = 0; i + 1 < maps->atom_count && !*done; i++) {
        const struct zf_atom inner = maps->atoms[i], outer = maps->atoms[i + 1];
        struct zf_value settled = *maps;

        if (inner.axis != outer.axis || inner.stride != area ||
            outer.stride != area * inner.extent || inner.extent * outer.extent != shape.c)
            continue;
        settled.atoms[i] = (struct zf_atom){shape.c, area, inner.axis};
        settled.atom_count--;
        memmove(&settled.atoms[i + 1], &settled.atoms[i + 2],
                sizeof settled.atoms[0] * (size_t)(settled.atom_count - i - 1));
        if (!find_roles(&settled, shape, &roles))
            continue;
        snprintf(keys, sizeof keys, "groups = %lld\n", (long long)outer.extent);
        ZF_TRY(zf_import_add(node, "shuffle", "shuffle", &maps->layer, 1, keys, &layer));
        settled.layer = layer;
        *maps = settled;
        *done = true;
    }
fail:
    return status;
}

enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_value *maps,
                                struct zf_roles *roles)
{
    const struct zf_shape shape = zf_import_shape(node->import, maps->layer);
    char text[128];
    enum zf_status status;
    bool done = false;
    int layer;

    if (find_roles(maps, shape, roles))
        return ZF_OK;
    if (maps->rank >= 2 && zf_value_is_vector(maps, 1)) {
        const int64_t cells = shape.c * shape.h * shape.w;
        int rank = maps->rank;

        ZF_TRY(zf_import_add(node, "flatten", "flatten", &maps->layer, 1, "", &layer));
        zf_value_place(maps, layer, (struct zf_shape){cells, 1, 1}, rank,
                       &(struct zf_roles){{1, rank > 2 ? 2 : -1, rank > 3 ? 3 : -1}});
        done = true;
    } else {
        ZF_TRY(settle_shuffled(node, maps, shape, &done));
    }
    if (done && find_roles(maps, zf_import_shape(node->import, maps->layer), roles))
        return ZF_OK;
    status = zf_node_fail(node, ZF_EUNSUPPORTED,
                          "its input of shape %s does not keep maps, rows and columns apart (a "
                          "Reshape or Transpose below it mixes them)",
                          zf_shape_text(maps->dims, maps->rank, text, sizeof text));
fail:
    return status;
}

enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_value *maps)
{
    struct zf_roles roles;
    enum zf_status status;
    char text[128];

    ZF_TRY(zf_import_settle(node, maps, &roles));
    if (maps->rank != 4 || roles.axis[0] != 1 || roles.axis[1] != 2 || roles.axis[2] != 3)
        status = zf_node_fail(node, ZF_EUNSUPPORTED,
                              "its input of shape %s is not [batch, maps, height, width]",
                              zf_shape_text(maps->dims, maps->rank, text, sizeof text));
fail:
    return status;
}
