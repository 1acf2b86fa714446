/* SPDX-License-Identifier: MIT */
/* Operators that make maps larger or smaller, or put a border around them. */
#include <inttypes.h>
#include <math.h>

#include "base/status.h"
#include "bring.h"
#include "emit.h"
#include "operators.h"

#define LONGEST_SIDE 65535

/* ---- Resize and Upsample ---- */

struct resizing {
    struct zf_view view;
    int axes[2];             /* rows and columns */
    int64_t extents[2];      /* of the result */
    double scales[2];        /* as the file says; 0 = by the extents */
    double begin[2], end[2]; /* of a crop */
};

/* By attribute `scales` (Upsample 7), input 1 (Upsample 9, Resize 10) or input 2 (Resize 11). */
static enum zf_status read_scales(const struct zf_import_node *node, double *scales, int *count)
{
    const bool old = zf_node_attribute(node, "scales") || node->import->opset < 11;

    return zf_node_reals(node, "scales", old ? 1 : 2, scales, ZF_ONNX_RANK, count);
}

/* What each axis becomes; axes may be named, since opset 18. */
static enum zf_status read_extents(const struct zf_import_node *node, const struct zf_operand *src,
                                   int64_t *extents, double *scales)
{
    int64_t sizes[ZF_ONNX_RANK], axes[ZF_ONNX_RANK];
    double factors[ZF_ONNX_RANK];
    int scale_count, size_count = 0, axis_count, count, axis;

    ZF_CHECK(zf_node_integers(node, "axes", axes, ZF_ONNX_RANK, &axis_count));
    ZF_CHECK(read_scales(node, factors, &scale_count));
    if (zf_node_has(node, 3))
        ZF_CHECK(zf_node_list(node, "sizes", 3, sizes, ZF_ONNX_RANK, &size_count));
    count = size_count ? size_count : scale_count;
    if (count != (axis_count ? axis_count : src->rank))
        return zf_node_fail(node, ZF_EINPUT, "%d scales and %d sizes for %d dimensions",
                            scale_count, size_count, axis_count ? axis_count : src->rank);
    for (int i = 0; i < src->rank; i++) {
        extents[i] = src->dims[i];
        scales[i] = 0;
    }
    for (int i = 0; i < count; i++) {
        double extent;

        ZF_CHECK(zf_node_axis(node, axis_count ? axes[i] : i, src->rank, &axis));
        extent = size_count ? (double)sizes[i] : floor((double)src->dims[axis] * factors[i]);
        if (!(extent >= 1 && extent <= LONGEST_SIDE))
            return zf_node_fail(node, ZF_EINPUT, "axis %d becomes %g cells", axis, extent);
        extents[axis] = (int64_t)extent;
        scales[axis] = size_count ? 0 : factors[i];
        if (axis == 0 && size_count && src->dims[0] == 1 && sizes[i] == node->import->batch)
            extents[0] = 1; /* exported for a fixed batch */
    }
    return ZF_OK;
}

/* keep_aspect_ratio_policy: one scale for both sides, the smaller or the larger. */
static enum zf_status keep_aspect(const struct zf_import_node *node, const struct zf_operand *src,
                                  struct resizing *r)
{
    static const char *const words[] = {"stretch", "not_larger", "not_smaller", NULL};
    const int policy = zf_node_choice(node, "keep_aspect_ratio_policy", words, 0);
    double scale[2];

    if (policy < 0)
        return node->import->err->status;
    for (int i = 0; i < 2; i++)
        scale[i] = (double)r->extents[i] / (double)src->dims[r->axes[i]];
    for (int i = 0; policy > 0 && i < 2; i++) {
        const double same = policy == 1 ? fmin(scale[0], scale[1]) : fmax(scale[0], scale[1]);

        r->extents[i] = (int64_t)round(same * (double)src->dims[r->axes[i]]);
        r->scales[i] = same;
    }
    return ZF_OK;
}

/* Of tf_crop_and_resize: what is looked at, as parts of each axis. */
static enum zf_status read_crop(const struct zf_import_node *node, const struct zf_operand *src,
                                struct resizing *r)
{
    double roi[2 * ZF_ONNX_RANK];
    int64_t axes[ZF_ONNX_RANK];
    int count, axis_count, axis;

    ZF_CHECK(zf_node_reals(node, "roi", 1, roi, 2 * ZF_ONNX_RANK, &count));
    ZF_CHECK(zf_node_integers(node, "axes", axes, ZF_ONNX_RANK, &axis_count));
    if (zf_node_real(node, "extrapolation_value", 0) != 0)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "an extrapolation_value that is not 0");
    if (count != 2 * (axis_count ? axis_count : src->rank))
        return zf_node_fail(node, ZF_EINPUT, "a roi of %d numbers", count);
    for (int i = 0; i < count / 2; i++) {
        ZF_CHECK(zf_node_axis(node, axis_count ? axes[i] : i, src->rank, &axis));
        for (int side = 0; side < 2; side++) {
            if (r->axes[side] != axis)
                continue;
            r->begin[side] = roi[i];
            r->end[side] = roi[i + count / 2];
        }
    }
    return ZF_OK;
}

static enum zf_status read_resizing(struct zf_import_node *node, struct zf_operand *src,
                                    struct resizing *r)
{
    static const struct zf_view plain = {{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    int64_t extents[ZF_ONNX_RANK];
    double scales[ZF_ONNX_RANK];
    bool fits = true;

    ZF_CHECK(read_extents(node, src, extents, scales));
    ZF_CHECK(zf_import_settle(node, src, &r->view));
    for (int axis = 0; axis < src->rank; axis++)
        fits = fits && (extents[axis] == src->dims[axis] || r->view.role[axis] != ZF_ROLE_C);
    if (!fits &&
        src->rank == 4) { /* whatever the maps were, what is resized are rows and columns */
        r->view = plain;
        ZF_CHECK(zf_import_bring(node, "arrange", src, &plain));
    }
    r->axes[0] = zf_view_axis(&r->view, src, ZF_ROLE_H);
    r->axes[1] = zf_view_axis(&r->view, src, ZF_ROLE_W);
    for (int axis = 0; axis < src->rank; axis++) {
        if (axis != r->axes[0] && axis != r->axes[1] && extents[axis] != src->dims[axis])
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "axis %d is resized, which is not rows or "
                                "columns",
                                axis);
    }
    for (int side = 0; side < 2; side++) {
        r->extents[side] = r->axes[side] < 0 ? 1 : extents[r->axes[side]];
        r->scales[side] = r->axes[side] < 0 ? 0 : scales[r->axes[side]];
        r->begin[side] = 0;
        r->end[side] = 1;
    }
    return ZF_OK;
}

/* What the operators' versions mean where they say nothing. */
static enum zf_status read_manner(const struct zf_import_node *node, int *mode, int *place,
                                  int *rounding)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const places[] = {
        "half_pixel",           "asymmetric",           "align_corners",      "pytorch_half_pixel",
        "half_pixel_symmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize", NULL};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil", NULL};
    const bool old = node->import->opset < 11;
    const bool bilinear = zf_node_says(node, "mode", "bilinear", "nearest");

    *mode = bilinear ? 1 : zf_node_choice(node, "mode", modes, 0);
    *place = old ? 1 : zf_node_choice(node, "coordinate_transformation_mode", places, 0);
    *rounding = old ? zf_import_choice("resize", "rounding", "simple")
                    : zf_node_choice(node, "nearest_mode", roundings, 0);
    if (*mode < 0 || *place < 0 || *rounding < 0)
        return node->import->err->status;
    return ZF_OK;
}

static enum zf_status translate_resize(struct zf_import_node *node)
{
    struct zf_operand *src = NULL, made;
    struct resizing r;
    int mode, place, rounding, layer;
    int64_t dims[ZF_ONNX_RANK];

    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(read_manner(node, &mode, &place, &rounding));
    ZF_CHECK(read_resizing(node, src, &r));
    ZF_CHECK(keep_aspect(node, src, &r));
    if (place == zf_import_choice("resize", "place", "tf_crop_and_resize"))
        ZF_CHECK(read_crop(node, src, &r));
    ZF_CHECK(zf_import_add(
        node, NULL, "resize", &src->layer, 1,
        ZF_KEYS(ZF_KEY("height", r.extents[0]), ZF_KEY("width", r.extents[1]), ZF_KEY("mode", mode),
                ZF_KEY("place", place), ZF_KEY("rounding", rounding),
                ZF_KEY("scale_h", r.scales[0]), ZF_KEY("scale_w", r.scales[1]),
                ZF_KEY("cubic", zf_node_real(node, "cubic_coeff_a", -0.75)),
                ZF_KEY("inside", zf_node_integer(node, "exclude_outside", 0) != 0),
                ZF_KEY("antialias", zf_node_integer(node, "antialias", 0) != 0),
                ZF_KEY("top", r.begin[0]), ZF_KEY("left", r.begin[1]), ZF_KEY("bottom", r.end[0]),
                ZF_KEY("right", r.end[1])),
        &layer));
    for (int axis = 0; axis < src->rank; axis++)
        dims[axis] = src->dims[axis];
    for (int side = 0; side < 2; side++)
        if (r.axes[side] >= 0)
            dims[r.axes[side]] = r.extents[side];
    zf_operand_place(&made, layer, src->rank, dims, &r.view);
    return zf_import_output(node, &made);
}

/* ---- Pad ---- */

/* Cells before and behind each axis: all before, then all behind; axes may be named. */
static enum zf_status read_pads(const struct zf_import_node *node, const struct zf_operand *src,
                                int64_t (*pads)[2])
{
    int64_t numbers[2 * ZF_ONNX_RANK], axes[ZF_ONNX_RANK];
    int count, axis_count = 0, axis;

    ZF_CHECK(zf_node_list(node, "pads", 1, numbers, 2 * ZF_ONNX_RANK, &count));
    if (zf_node_has(node, 3))
        ZF_CHECK(zf_node_list(node, "axes", 3, axes, ZF_ONNX_RANK, &axis_count));
    if (count != 2 * (axis_count ? axis_count : src->rank))
        return zf_node_fail(node, ZF_EINPUT, "%d pads for %d dimensions", count,
                            axis_count ? axis_count : src->rank);
    for (int i = 0; i < src->rank; i++)
        pads[i][0] = pads[i][1] = 0;
    for (int i = 0; i < count / 2; i++) {
        ZF_CHECK(zf_node_axis(node, axis_count ? axes[i] : i, src->rank, &axis));
        for (int end = 0; end < 2; end++) {
            const int64_t cells = numbers[i + end * count / 2];

            if (cells < -LONGEST_SIDE || cells > LONGEST_SIDE)
                return zf_node_fail(node, ZF_EUNSUPPORTED, "a pad of %" PRId64 " on axis %d", cells,
                                    axis);
            pads[axis][end] = cells;
        }
    }
    return ZF_OK;
}

/* Negative pads cut off: what is left of each axis. */
static enum zf_status cut_off(struct zf_import_node *node, struct zf_operand *maps,
                              const struct zf_view *view, int64_t (*pads)[2], bool *cut)
{
    *cut = false;
    for (int axis = 0; axis < maps->rank; axis++) {
        const int64_t before = pads[axis][0] < 0 ? -pads[axis][0] : 0;
        const int64_t behind = pads[axis][1] < 0 ? -pads[axis][1] : 0;

        if (before == 0 && behind == 0)
            continue;
        if (maps->dims[axis] <= before + behind)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "pads that leave nothing of axis %d", axis);
        zf_operand_cut(maps, axis, before, 1, maps->dims[axis] - before - behind);
        *cut = true;
        for (int end = 0; end < 2; end++)
            pads[axis][end] = pads[axis][end] < 0 ? 0 : pads[axis][end];
    }
    return *cut ? zf_import_bring(node, "cut", maps, view) : ZF_OK;
}

static enum zf_status read_number(const struct zf_import_node *node, double *number)
{
    struct zf_operand *value = NULL;

    *number = zf_node_real(node, "value", 0);
    if (!zf_node_has(node, 2))
        return ZF_OK;
    ZF_CHECK(zf_node_constant(node, 2, &value));
    if (zf_operand_count(value) != 1)
        return zf_node_fail(node, ZF_EINPUT, "its value is not one number");
    *number = zf_operand_at(value, 0);
    return ZF_OK;
}

/* One border: of axes `h` and `w` of maps that are settled under the view. */
static enum zf_status add_border(struct zf_import_node *node, const char *part,
                                 struct zf_operand *maps, const struct zf_view *view, int mode,
                                 double value, int64_t (*pads)[2])
{
    const int axes[2] = {zf_view_axis(view, maps, ZF_ROLE_H), zf_view_axis(view, maps, ZF_ROLE_W)};
    int64_t pad[4] = {0}, dims[ZF_ONNX_RANK];
    int layer;

    for (int axis = 0; axis < maps->rank; axis++)
        dims[axis] = maps->dims[axis];
    for (int side = 0; side < 2; side++) {
        if (axes[side] < 0)
            continue;
        pad[side] = pads[axes[side]][0];
        pad[side + 2] = pads[axes[side]][1];
        dims[axes[side]] += pad[side] + pad[side + 2];
    }
    ZF_CHECK(zf_import_add(
        node, part, "pad", &maps->layer, 1,
        ZF_KEYS(ZF_KEY_PADS("pad", pad), ZF_KEY("mode", mode), ZF_KEY("value", value)), &layer));
    zf_operand_place(maps, layer, maps->rank, dims, view);
    return ZF_OK;
}

static enum zf_status translate_pad(struct zf_import_node *node)
{
    static const char *const modes[] = {"constant", "reflect", "edge", "wrap", NULL};
    const int mode = zf_node_choice(node, "mode", modes, 0);
    int64_t pads[ZF_ONNX_RANK][2];
    struct zf_operand *src = NULL, made;
    struct zf_view view, turned;
    bool cut = false, done = false;
    double value = 0;
    int maps_axis;

    if (mode < 0)
        return node->import->err->status;
    ZF_CHECK(zf_node_maps(node, 0, &src));
    ZF_CHECK(read_pads(node, src, pads));
    ZF_CHECK(read_number(node, &value));
    ZF_CHECK(zf_import_settle(node, src, &view));
    made = *src;
    ZF_CHECK(cut_off(node, &made, &view, pads, &cut));
    maps_axis = zf_view_axis(&view, &made, ZF_ROLE_C);
    for (int axis = 0; axis < made.rank; axis++) {
        const bool space = view.role[axis] != ZF_ROLE_C;

        done = done || (space && (pads[axis][0] > 0 || pads[axis][1] > 0));
        if (!space && axis != maps_axis && (pads[axis][0] > 0 || pads[axis][1] > 0))
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a pad on axis %d", axis);
    }
    if (maps_axis >= 0 && (pads[maps_axis][0] > 0 || pads[maps_axis][1] > 0)) {
        turned = view; /* more maps: rows take their place meanwhile */
        for (int axis = 0; axis < made.rank; axis++)
            turned.role[axis] = axis == maps_axis              ? ZF_ROLE_H
                                : view.role[axis] == ZF_ROLE_H ? ZF_ROLE_C
                                                               : view.role[axis];
        ZF_CHECK(zf_import_bring(node, "maps", &made, &turned));
        if (done) {
            int64_t only[ZF_ONNX_RANK][2] = {{0}};

            only[maps_axis][0] = pads[maps_axis][0];
            only[maps_axis][1] = pads[maps_axis][1];
            ZF_CHECK(add_border(node, "more", &made, &turned, mode, value, only));
            ZF_CHECK(zf_import_bring(node, "back", &made, &view));
        } else {
            ZF_CHECK(add_border(node, NULL, &made, &turned, mode, value, pads));
        }
        cut = true;
    }
    if (done)
        ZF_CHECK(add_border(node, NULL, &made, &view, mode, value, pads));
    if (done || cut)
        ZF_CHECK(zf_import_output(node, &made));
    else
        ZF_CHECK(zf_import_alias(node, src));
    return ZF_OK;
}

/* ---- DepthToSpace and SpaceToDepth ---- */

static enum zf_status reorder_blocks(struct zf_import_node *node, bool to_space)
{
    const int64_t b = zf_node_integer(node, "blocksize", 0);
    const bool columns_first = to_space && zf_node_says(node, "mode", "CRD", "DCR");
    struct zf_operand *src = NULL, made;
    int64_t c, h, w;

    ZF_CHECK(zf_node_maps(node, 0, &src));
    if (src->rank != 4 || src->dims[0] != 1)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "its input is not [1, maps, height, width]");
    c = src->dims[1];
    h = src->dims[2];
    w = src->dims[3];
    if (b < 1 || b > LONGEST_SIDE || (to_space ? c % (b * b) != 0 : (h % b != 0 || w % b != 0)))
        return zf_node_fail(node, ZF_EINPUT,
                            "blocks of %" PRId64 " do not divide %" PRId64 "x%" PRId64 "x%" PRId64,
                            b, c, h, w);
    ZF_CHECK(zf_import_settle_plain(node, src));
    made = *src;
    if (!to_space) {
        zf_operand_reshape(&made, 6, (const int64_t[]){1, c, h / b, b, w / b, b});
        zf_operand_transpose(&made, (const int[]){0, 3, 5, 1, 2, 4});
        zf_operand_reshape(&made, 4, (const int64_t[]){1, c * b * b, h / b, w / b});
    } else if (columns_first) {
        zf_operand_reshape(&made, 6, (const int64_t[]){1, c / (b * b), b, b, h, w});
        zf_operand_transpose(&made, (const int[]){0, 1, 4, 2, 5, 3});
        zf_operand_reshape(&made, 4, (const int64_t[]){1, c / (b * b), h * b, w * b});
    } else {
        zf_operand_reshape(&made, 6, (const int64_t[]){1, b, b, c / (b * b), h, w});
        zf_operand_transpose(&made, (const int[]){0, 3, 4, 1, 5, 2});
        zf_operand_reshape(&made, 4, (const int64_t[]){1, c / (b * b), h * b, w * b});
    }
    return zf_import_rearranged(node, 0, &made, NULL);
}

static enum zf_status translate_depth_to_space(struct zf_import_node *node)
{
    return reorder_blocks(node, true);
}

static enum zf_status translate_space_to_depth(struct zf_import_node *node)
{
    return reorder_blocks(node, false);
}

const struct zf_operator zf_operators_resize[] = {
    {"Resize", NULL, translate_resize},
    {"Upsample", NULL, translate_resize},
    {"Pad", zf_fold_pad, translate_pad},
    {"DepthToSpace", NULL, translate_depth_to_space},
    {"SpaceToDepth", NULL, translate_space_to_depth},
    {NULL, NULL, NULL},
};
