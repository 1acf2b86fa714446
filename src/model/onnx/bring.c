/* SPDX-License-Identifier: MIT */
#include "bring.h"

#include "base/status.h"
#include "emit.h"
#include "model/safetensors.h"

#define RUNS 8 /* of an arrange layer */

static bool same_shape(struct zf_shape a, struct zf_shape b)
{
    return a.c == b.c && a.h == b.h && a.w == b.w;
}

/* Are the runs all cells of a layer in their own order? */
static bool in_order(const struct zf_operand *maps, const struct zf_atom *runs, int count)
{
    int64_t stride = 1;

    for (int i = count; i-- > 0; stride *= runs[i].extent) {
        if (runs[i].stride != stride)
            return false;
    }
    return maps->offset == 0;
}

/* Maps in the order of a [groups, c / groups] read by columns: ShuffleNet's. */
static bool is_shuffle(const struct zf_operand *maps, const struct zf_atom *runs, int count,
                       struct zf_shape shape, int64_t *groups)
{
    const int64_t area = shape.h * shape.w;

    if (count < 2 || maps->offset != 0 || runs[0].axis != ZF_ROLE_C || runs[1].axis != ZF_ROLE_C ||
        runs[0].stride != area || runs[1].stride != area * runs[0].extent ||
        runs[0].extent * runs[1].extent != shape.c)
        return false;
    *groups = runs[1].extent;
    return in_order(maps, runs + 2, count - 2);
}

/* Neighbouring maps, whole. */
static bool is_slice(const struct zf_operand *maps, const struct zf_atom *runs, int count,
                     struct zf_shape from, struct zf_shape to)
{
    const int64_t area = from.h * from.w;
    const int maps_run = count > 0 && runs[0].axis == ZF_ROLE_C;

    if (from.h != to.h || from.w != to.w || maps->offset % area != 0 || to.c >= from.c ||
        (to.c > 1 && (!maps_run || runs[0].stride != area)))
        return false;
    return in_order(&(struct zf_operand){.offset = 0}, runs + (to.c > 1), count - (to.c > 1));
}

static enum zf_status add_arrange(struct zf_import_node *node, const char *part,
                                  const struct zf_operand *maps, const struct zf_atom *runs,
                                  int count, struct zf_shape to, int *layer)
{
    static const char *const names[RUNS] = {"run1", "run2", "run3", "run4",
                                            "run5", "run6", "run7", "run8"};
    struct zf_key keys[RUNS + 5] = {ZF_KEY("maps", to.c), ZF_KEY("height", to.h),
                                    ZF_KEY("width", to.w), ZF_KEY("offset", maps->offset)};

    if (count > RUNS)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "numbers taken apart into more than %d runs",
                            RUNS);
    for (int i = 0; i < count; i++)
        keys[4 + i] = (struct zf_key)ZF_KEY_PAIR(names[i], runs[i].extent, runs[i].stride);
    return zf_import_add(node, part, "arrange", &maps->layer, 1, keys, layer);
}

enum zf_status zf_import_bring(struct zf_import_node *node, const char *part,
                               struct zf_operand *maps, const struct zf_view *view)
{
    const struct zf_shape from = zf_import_shape(node->import, maps->layer);
    const struct zf_shape to = zf_view_shape(view, maps->rank, maps->dims);
    const struct zf_operand old = *maps;
    struct zf_atom runs[ZF_ONNX_ATOMS];
    const int count = zf_operand_runs(maps, view, runs);
    int layer = maps->layer;
    int64_t groups;

    if (in_order(maps, runs, count) && same_shape(from, to) && part)
        goto done;
    if (in_order(maps, runs, count) && to.h == 1 && to.w == 1 && from.c * from.h * from.w == to.c)
        ZF_CHECK(
            zf_import_add(node, part ? "flatten" : NULL, "flatten", &old.layer, 1, NULL, &layer));
    else if (same_shape(from, to) && is_shuffle(maps, runs, count, from, &groups))
        ZF_CHECK(zf_import_add(node, part ? "shuffle" : NULL, "shuffle", &old.layer, 1,
                               ZF_KEYS(ZF_KEY("groups", groups)), &layer));
    else if (is_slice(maps, runs, count, from, to))
        ZF_CHECK(zf_import_add(
            node, part, "slice", &old.layer, 1,
            ZF_KEYS(ZF_KEY("first", maps->offset / (from.h * from.w)), ZF_KEY("maps", to.c)),
            &layer));
    else
        ZF_CHECK(add_arrange(node, part, maps, runs, count, to, &layer));
done:
    zf_operand_place(maps, layer, old.rank, old.dims, view);
    return ZF_OK;
}

struct zf_view zf_view_of(int rank, const int64_t *dims)
{
    struct zf_view view = {{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    int left = 0, role = ZF_ROLE_C, seen = 0;

    if (rank == 4 && dims[0] == 1)
        return view;
    for (int axis = 0; axis < rank; axis++)
        left += dims[axis] > 1;
    for (int axis = 0; axis < rank; axis++) {
        if (dims[axis] > 1 && seen++ > 0 && left < ZF_ROLES)
            role++;
        left -= dims[axis] > 1;
        view.role[axis] = (enum zf_role)role;
    }
    return view;
}

enum zf_status zf_import_settle(struct zf_import_node *node, struct zf_operand *maps,
                                struct zf_view *view)
{
    if (zf_operand_natural(maps, zf_import_shape(node->import, maps->layer), view))
        return ZF_OK;
    *view = zf_view_of(maps->rank, maps->dims);
    return zf_import_bring(node, "arrange", maps, view);
}

enum zf_status zf_import_settle_end(struct zf_import_node *node, struct zf_operand *maps)
{
    static const struct zf_view row = {{ZF_ROLE_C}};
    const struct zf_shape shape = zf_import_shape(node->import, maps->layer);
    struct zf_atom runs[ZF_ONNX_ATOMS];
    const int count = zf_operand_runs(maps, &row, runs);
    struct zf_view view;

    if (in_order(maps, runs, count) && zf_operand_count(maps) == shape.c * shape.h * shape.w)
        return ZF_OK;
    if (maps->rank == 4)
        return zf_import_settle(node, maps, &view);
    view = zf_view_of(maps->rank, maps->dims);
    return zf_import_bring(node, "arrange", maps, &view);
}

enum zf_status zf_import_settle_plain(struct zf_import_node *node, struct zf_operand *maps)
{
    static const struct zf_view plain = {{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    char text[128];

    if (maps->rank != 4 || maps->dims[0] != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "its input of shape %s is not [1, maps, height, width]",
                            zf_shape_text(maps->dims, maps->rank, text, sizeof text));
    return zf_import_bring(node, "arrange", maps, &plain);
}

bool zf_import_is_axis(const struct zf_view *view, const struct zf_operand *maps, int axis)
{
    return zf_view_axis(view, maps, ZF_ROLE_C) == axis &&
           zf_view_shape(view, maps->rank, maps->dims).c == maps->dims[axis];
}

struct zf_view zf_view_along(int rank, int axis)
{
    struct zf_view view = {{ZF_ROLE_C}};

    for (int i = 0; i < rank; i++)
        view.role[i] = i < axis ? ZF_ROLE_H : i == axis ? ZF_ROLE_C : ZF_ROLE_W;
    return view;
}

/* Neighbouring maps with all of their cells, in whatever order: `count` of them. */
static bool are_whole_maps(const struct zf_operand *maps, struct zf_shape shape, int64_t *count)
{
    const int64_t area = shape.h * shape.w;
    int64_t cells = 1;

    *count = 1;
    for (int i = 0; i < maps->atom_count; i++) {
        const struct zf_atom atom = maps->atoms[i];

        if (atom.stride <= 0 || (atom.stride >= area && (*count > 1 || atom.stride != area)))
            return false;
        *(atom.stride >= area ? count : &cells) *= atom.extent;
    }
    return cells == area && maps->offset % area == 0 && *count < shape.c;
}

enum zf_status zf_import_rearranged(struct zf_import_node *node, int i,
                                    const struct zf_operand *maps, const struct zf_view *like)
{
    const struct zf_shape from = zf_import_shape(node->import, maps->layer);
    struct zf_operand made = *maps;
    struct zf_view view;
    int64_t count;

    if (are_whole_maps(maps, from, &count)) { /* lies as before, from its first map on */
        ZF_CHECK(zf_import_add(
            node, NULL, "slice", &maps->layer, 1,
            ZF_KEYS(ZF_KEY("first", maps->offset / (from.h * from.w)), ZF_KEY("maps", count)),
            &made.layer));
        made.offset = 0;
        return zf_import_output_at(node, i, &made);
    }
    view = like ? *like : zf_view_of(maps->rank, maps->dims);
    ZF_CHECK(zf_import_bring(node, NULL, &made, &view));
    return zf_import_output_at(node, i, &made);
}
