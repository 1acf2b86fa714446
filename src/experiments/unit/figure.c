/* SPDX-License-Identifier: MIT */
#include "experiments/unit/figure.h"

#include <math.h>
#include <string.h>

#include "image/signal.h"
#include "page/canvas.h"

#define COLUMNS 3 /* of pictures with their projections; twice as many without */
#define TILE 290  /* px of a picture's longer side */
#define GAP 24
#define SEAM 8
#define LINE 22

static const struct zf_lettering words = {12.0, {40, 42, 46}};
static const struct zf_lettering quiet = {11.0, {110, 112, 116}};

float zf_unit_limit(const struct zf_net *net, const struct zf_unit *unit)
{
    const struct zf_unit_pictures *group = &unit->groups[ZF_UNIT_STRONGEST];
    const struct zf_shape in = zf_net_input(net);
    float most = 0.0f;

    for (size_t i = 0; i < group->count; i++)
        most =
            fmaxf(most, zf_signal_limit(group->projections.data + (int64_t)i * in.c * in.h * in.w,
                                        in, group->entries[i].patch, ZF_CUT_SHARE));
    return most;
}

static void frame(struct zf_picture *canvas, struct zf_box place, struct zf_box patch, double scale)
{
    const struct zf_box box = {
        place.x + lround(scale * (double)patch.x), place.y + lround(scale * (double)patch.y),
        lround(scale * (double)patch.width), lround(scale * (double)patch.height)};

    zf_canvas_frame(canvas, box, 4, ZF_PAPER);
    zf_canvas_frame(canvas, box, 2, ZF_INK);
}

static enum zf_status draw_one(const struct zf_net *net, const struct zf_unit_pictures *group,
                               size_t i, float limit, double scale, struct zf_box place,
                               struct zf_picture *canvas, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    const struct zf_box whole = {0, 0, in.w, in.h};
    const struct zf_picture *shown = &group->album.shown[i];
    struct zf_picture projection = {0};
    struct zf_box beside = place;

    zf_canvas_place(canvas, place, shown, zf_picture_box(shown));
    frame(canvas, place, group->entries[i].patch, scale);
    if (!group->projections.data)
        return ZF_OK;
    beside.x += place.width + SEAM;
    ZF_CHECK(zf_picture_from_signal(group->projections.data + (int64_t)i * in.c * in.h * in.w, in,
                                    whole, limit > 0.0f ? limit : 1.0f,
                                    zf_net_preparation(net)->channels, &projection, err));
    zf_canvas_place(canvas, beside, &projection, zf_picture_box(&projection));
    frame(canvas, beside, group->entries[i].patch, scale);
    zf_picture_release(&projection);
    return ZF_OK;
}

enum zf_status zf_unit_draw(const struct zf_net *net, const struct zf_unit_pictures *group,
                            float limit, const char *const *titles, struct zf_picture *canvas,
                            struct zf_panel *panels, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    const double scale = (double)TILE / (double)(in.h > in.w ? in.h : in.w);
    const int64_t width = lround(scale * (double)in.w), height = lround(scale * (double)in.h);
    const int64_t cells = group->projections.data ? 2 : 1;
    const int64_t count = (int64_t)group->count, most = 2 * COLUMNS / cells;
    const int64_t columns = count < most ? count : most;
    const int64_t wide = cells * width + (cells - 1) * SEAM;
    const int64_t across = wide + GAP, down = height + 2 * LINE + GAP;

    ZF_CHECK(zf_canvas_init(canvas, GAP + columns * across,
                            GAP + (count + columns - 1) / columns * down, err));
    for (int64_t i = 0; i < count; i++) {
        const struct zf_box place = {GAP + i % columns * across, GAP + i / columns * down, width,
                                     height};
        const char *name = group->album.names[i], *slash = strrchr(name, '/');
        const double left = (double)place.x, below = (double)(place.y + height + 8);

        panels[i] = (struct zf_panel){
            .box = place, .columns = cells, .gap = SEAM, .title = titles[i], .note = name};
        ZF_CHECK(draw_one(net, group, (size_t)i, limit, scale, place, canvas, err));
        zf_canvas_text(canvas, &words, left, below, (double)wide, titles[i]);
        zf_canvas_text(canvas, &quiet, left, below + LINE, (double)wide, slash ? slash + 1 : name);
    }
    return ZF_OK;
}
