/* SPDX-License-Identifier: MIT */
#include "engine_compare.h"

#include "base/status.h"

enum { ROWS = 2 };

/* A corner from which a box of `size` covers some of a map of `map` cells, or none. */
static int64_t any_corner(struct rig *rig, int64_t size, int64_t map)
{
    return rig_between(rig, -size - 1, map + 1);
}

/* Boxes that hang over, lie inside and outside, of maps with and without a patch. */
void engine_cut(struct rig *rig)
{
    static const int64_t maps[] = {1, 3, 8, 16, 32, 48};
    const struct zf_engine_ops *ops = rig->ops;
    const int64_t batch = rig_between(rig, 1, 4);
    const int64_t c = rig_pick(rig, maps, ZF_COUNT(maps));
    const struct zf_dims map = dims4(batch, c, rig_between(rig, 1, 9), rig_between(rig, 1, 9));
    const struct zf_dims over = dims4(batch, c, rig_between(rig, 1, 6), rig_between(rig, 1, 6));
    const int with = (int)rig_between(rig, 1, 3);
    struct zf_cut cut = {.dims = dims4(batch, c, rig_between(rig, 1, 9), rig_between(rig, 1, 9)),
                         .height = map.d[2],
                         .width = map.d[3],
                         .at = 1,
                         .base = ZF_NO_VALUE,
                         .patch = ZF_NO_VALUE,
                         .patch_at = 0,
                         .fill = (float)rig_between(rig, -1, 1),
                         .kind = with == 3 ? (enum zf_cut_kind)rig_between(rig, 0, 2) : ZF_CUT_OVER,
                         .rectify = rig_between(rig, 0, 1) == 1};
    struct zf_corner corners[ROWS * 4];
    int64_t of[4];
    zf_value boxes;
    char text[64], more[64], last[64];

    rig_create_engine(rig, batch, false, true);
    rig_describe(rig, "map %s, box %s, patch %s (of base and patch: %d; kind %d, rectified: %d)",
                 dims_text(map, text), dims_text(cut.dims, more), dims_text(over, last), with,
                 (int)cut.kind, (int)cut.rectify);
    if (with & 1)
        cut.base = rig_source(rig, map, DISTINCT, 1.0);
    if (with & 2)
        cut.patch = rig_source(rig, over, DISTINCT, -1.0);
    boxes = ops->cut(rig->e, &cut);
    ops->keep(rig->e, boxes);
    for (int64_t n = 0; n < batch; n++) {
        corners[n] = (struct zf_corner){any_corner(rig, over.d[2], map.d[2]),
                                        any_corner(rig, over.d[3], map.d[3])};
        corners[batch + n] = (struct zf_corner){any_corner(rig, cut.dims.d[2], map.d[2]),
                                                any_corner(rig, cut.dims.d[3], map.d[3])};
        of[n] = rig_between(rig, 0, batch - 1);
    }
    rig->run.corners = corners;
    rig->run.samples = of;
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "boxes", boxes, EQUAL);
}

/* Where the boxes of each sample begin, and those of its patch, and whose map they lie on. */
struct places {
    struct zf_corner corners[ROWS * 4];
    int64_t of[4];
};

/* Signals whose windows hang over, lie inside and outside, as they come and on the way down through
   a convolution. */
void engine_unpool_box(struct rig *rig)
{
    static const int64_t maps[] = {1, 3, 8, 16, 32, 48};
    const struct zf_engine_ops *ops = rig->ops;
    const int64_t batch = rig_between(rig, 1, 4), c = rig_pick(rig, maps, ZF_COUNT(maps));
    const struct zf_dims map = dims4(batch, c, rig_between(rig, 3, 9), rig_between(rig, 3, 9));
    const bool whole = rig_chance(rig, 30), convolved = rig_chance(rig, 50);
    struct zf_window window = rig_window(rig, map);
    const struct zf_window filters = {
        .kernel_h = 3, .kernel_w = 5, .stride_h = 2, .stride_w = 1, .groups = 1};
    struct zf_cut box = {.dims = dims4(batch, c, rig_between(rig, 1, 9), rig_between(rig, 1, 9)),
                         .height = map.d[2],
                         .width = map.d[3],
                         .at = 1};
    struct zf_dims signal = zf_window_dims(&window, map, c);
    struct places places;
    zf_value weight, result;
    char text[64], more[64], last[160];

    if (!whole) {
        window.pad_top = window.pad_left = window.pad_bottom = window.pad_right = 0;
        signal = dims4(batch, c, rig_between(rig, 1, 5), rig_between(rig, 1, 5));
    }
    rig_create_engine(rig, batch, false, true);
    rig_describe(rig, "map %s, signal %s, %s%s%s", dims_text(map, text), dims_text(signal, more),
                 window_text(&window, last), whole ? ", whole" : "",
                 convolved ? ", rectified and convolved" : "");
    box.base = rig_source(rig, map, rig_chance(rig, 50) ? RECTIFIED : NORMAL, 1.0);
    box.patch = rig_source(rig, signal, DISTINCT, 1.0);
    weight = rig_host(rig, dims4(c, 3, 3, 5), NORMAL, 0.1);
    result = ops->unpool_box(rig->e, &window, &box);
    if (convolved)
        result = ops->conv_backward_data(
            rig->e, &filters, ops->rectify(rig->e, ZF_RECTIFY_SIGNAL, result, ZF_NO_VALUE), weight,
            dims4(batch, 3, 2 * box.dims.d[2] + 1, box.dims.d[3] + 4));
    ops->keep(rig->e, result);
    for (int64_t n = 0; n < batch; n++) {
        places.corners[n] = (struct zf_corner){any_corner(rig, signal.d[2], map.d[2]),
                                               any_corner(rig, signal.d[3], map.d[3])};
        if (whole)
            places.corners[n] = (struct zf_corner){0, 0};
        places.corners[batch + n] = (struct zf_corner){any_corner(rig, box.dims.d[2], map.d[2]),
                                                       any_corner(rig, box.dims.d[3], map.d[3])};
        places.of[n] = rig_between(rig, 0, batch - 1);
    }
    rig->run.corners = places.corners;
    rig->run.samples = places.of;
    rig_finish(rig);
    rig_forward(rig);
    rig_show(rig, "boxes", result, convolved ? (struct tolerance){SUM, 0.1} : EQUAL);
}
