/* SPDX-License-Identifier: MIT */
/*
 * The five panels of figure 7 side by side, each under its title and over what explains it. Maps
 * lie where the middle of the square was: a margin of half a square stays free around them.
 */
#include "experiments/occlude/occlude.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/status.h"
#include "image/signal.h"
#include "page/heat.h"

#define PANELS 5
#define SIDE 240 /* px of a panel's longer side */
#define GAP 22   /* px between and around panels */
#define TITLE 20 /* px above a panel */
#define BAR 10   /* px of a colour bar's height */
#define BELOW 8  /* px between a panel and what explains it */
#define LINE 17  /* px of a legend's line */

static const struct zf_lettering title = {10.0, {40, 42, 46}};
static const struct zf_lettering small = {9.0, {40, 42, 46}};

struct figure {
    const struct zf_net *net;
    const struct zf_occlusions *result;
    const struct zf_occlusion *image;
    struct zf_picture canvas;
    int64_t width, height; /* of a panel */
    double scale;          /* px of a panel for one of the input */
    int64_t bottom;        /* where the lowest thing ends */
};

static struct zf_box panel_box(const struct figure *figure, int panel)
{
    return (struct zf_box){GAP + panel * (figure->width + GAP), GAP + TITLE, figure->width,
                           figure->height};
}

static void reach(struct figure *figure, int64_t bottom)
{
    figure->bottom = bottom > figure->bottom ? bottom : figure->bottom;
}

static void write_title(struct figure *figure, int panel, const char *text)
{
    const struct zf_box box = panel_box(figure, panel);

    zf_canvas_text(&figure->canvas, &title, (double)box.x, (double)GAP, (double)box.width, text);
}

/* A box of the input's pixels within a panel. */
static struct zf_box in_panel(const struct figure *figure, int panel, double x, double y,
                              double width, double height)
{
    const struct zf_box box = panel_box(figure, panel);
    const int64_t left = lround(x * figure->scale), top = lround(y * figure->scale);

    return (struct zf_box){box.x + left, box.y + top, lround((x + width) * figure->scale) - left,
                           lround((y + height) * figure->scale) - top};
}

/* The part of a panel that a map fills: cells are a stride wide, around the square's middle. Where
   the last place was moved in to end at the edge, all are a little narrower. */
static struct zf_box map_box(const struct figure *figure, int panel)
{
    const struct zf_occlusions *result = figure->result;
    const double margin = (double)(result->size - result->stride) / 2.0;

    return in_panel(
        figure, panel, margin, margin,
        fmin((double)(result->columns * result->stride), (double)result->input.w - 2.0 * margin),
        fmin((double)(result->rows * result->stride), (double)result->input.h - 2.0 * margin));
}

static void draw_margin(struct figure *figure, int panel)
{
    zf_canvas_fill(&figure->canvas, panel_box(figure, panel), ZF_QUIET);
}

/* A heat map, its bar, and a frame where it is lowest. */
static void draw_heat(struct figure *figure, int panel, const float *values, bool probability)
{
    const struct zf_occlusions *result = figure->result;
    const struct zf_box box = panel_box(figure, panel);
    struct zf_heat heat = {values, result->rows, result->columns, 0.0, 1.0};

    zf_heat_fit(&heat);
    if (probability)
        heat.low = 0.0; /* so that a map that hardly changes does not look dramatic */
    draw_margin(figure, panel);
    zf_heat_draw(&figure->canvas, map_box(figure, panel), &heat);
    zf_heat_bar(&figure->canvas, (struct zf_box){box.x, box.y + box.height + BELOW, box.width, BAR},
                &heat);
}

/* (a): the picture, and the square where it hurts most. */
static void draw_picture(struct figure *figure, const struct zf_picture *shown)
{
    const int64_t lowest = figure->image->lowest;
    const struct zf_occlusions *result = figure->result;
    const struct zf_box box = panel_box(figure, 0);
    const double size = (double)result->size;
    const struct zf_box place = zf_occlude_place(result, lowest);
    const struct zf_box square = in_panel(figure, 0, (double)place.x, (double)place.y, size, size);
    char text[96];

    write_title(figure, 0, "(a) the picture");
    zf_canvas_place(&figure->canvas, box, shown, zf_picture_box(shown));
    zf_canvas_frame(&figure->canvas, square, 3, ZF_PAPER);
    zf_canvas_frame(&figure->canvas, square, 1, ZF_INK);
    snprintf(text, sizeof text, "framed: hiding this brings");
    zf_canvas_text(&figure->canvas, &small, (double)box.x, (double)(box.y + box.height + BELOW + 2),
                   (double)box.width, text);
    if (zf_net_answer(figure->net) != ZF_ANSWER_NUMBERS &&
        figure->image->probability_map[lowest] > ZF_ALMOST_SURE)
        snprintf(text, sizeof text, "the odds down to %.2g to 1",
                 exp((double)figure->image->odds_map[lowest]));
    else
        snprintf(text, sizeof text, "the %s from %.2g to %.2g", zf_net_answer_word(figure->net),
                 (double)figure->image->probability,
                 (double)figure->image->probability_map[lowest]);
    zf_canvas_text(&figure->canvas, &small, (double)box.x,
                   (double)(box.y + box.height + BELOW + 2 + LINE), (double)box.width, text);
    reach(figure, box.y + box.height + BELOW + 2 + 2 * LINE);
}

/* (c): the projection, and below it those of the same map in other pictures. */
static enum zf_status draw_projection(struct figure *figure, const struct zf_others *others,
                                      struct zf_error *err)
{
    const struct zf_shape in = figure->result->input;
    const struct zf_box whole = {0, 0, in.w, in.h}, box = panel_box(figure, 2);
    const float limit = zf_signal_limit(figure->image->projection, in, whole, ZF_CUT_SHARE);
    const int64_t tile = (box.width - (ZF_OTHERS - 1) * 4) / ZF_OTHERS;
    const int64_t top = box.y + box.height + BELOW;
    struct zf_picture picture = {0};
    enum zf_status status =
        zf_picture_from_signal(figure->image->projection, in, whole, limit,
                               zf_net_preparation(figure->net)->channels, &picture, err);

    if (status != ZF_OK)
        return status;
    zf_canvas_place(&figure->canvas, box, &picture, whole);
    zf_picture_release(&picture);
    for (size_t i = 0; others && i < others->count && i < ZF_OTHERS; i++) {
        const struct zf_other *other = &others->items[i];
        const int64_t left = box.x + (int64_t)i * (tile + 4);

        zf_canvas_place(&figure->canvas, (struct zf_box){left, top, tile, tile}, &other->projection,
                        zf_picture_box(&other->projection));
        zf_canvas_place(&figure->canvas, (struct zf_box){left, top + tile + 4, tile, tile},
                        &other->patch, zf_picture_box(&other->patch));
        reach(figure, top + 2 * tile + 4);
    }
    return ZF_OK;
}

static void draw_legend_line(struct figure *figure, int64_t line, struct zf_rgb colour,
                             const char *text)
{
    const struct zf_box box = panel_box(figure, 4);
    const int64_t top = box.y + box.height + BELOW + line * LINE;

    zf_canvas_fill(&figure->canvas, (struct zf_box){box.x, top, 12, 12}, colour);
    zf_canvas_text(&figure->canvas, &small, (double)box.x + 19.0, (double)top + 1.5,
                   (double)box.width - 19.0, text);
    reach(figure, top + LINE);
}

/* (e): the most probable class, with a legend. */
static enum zf_status draw_classes(struct figure *figure, struct zf_error *err)
{
    const struct zf_occlusions *result = figure->result;
    const int64_t cells = result->rows * result->columns;
    struct zf_class_map map = {
        figure->image->class_map, result->rows, result->columns, 0, {0}, {0}, 0};
    enum zf_status status = zf_class_map_choose(&map, (int32_t)figure->image->target, err);
    char text[160];

    if (status != ZF_OK)
        return status;
    draw_margin(figure, 4);
    zf_class_map_draw(&figure->canvas, map_box(figure, 4), &map);
    for (size_t i = 0; i < map.count; i++) {
        snprintf(text, sizeof text, "%.3g%% %s", 100.0 * (double)map.cells[i] / (double)cells,
                 zf_net_label(figure->net, map.shown[i]));
        draw_legend_line(figure, (int64_t)i, zf_class_map_colour(&map, map.shown[i]), text);
    }
    if (map.other > 0) {
        snprintf(text, sizeof text, "%.3g%% other classes",
                 100.0 * (double)map.other / (double)cells);
        draw_legend_line(figure, (int64_t)map.count, zf_class_map_colour(&map, -1), text);
    }
    return ZF_OK;
}

/* What stands below the panels needs at most: a legend, or two rows of tiles. */
static int64_t height_below(const struct figure *figure, bool tiles)
{
    const int64_t legend = (ZF_CLASS_COLOURS + 1) * LINE;
    const int64_t two_rows = 2 * (figure->width / ZF_OTHERS + 4);

    return BELOW + (tiles && two_rows > legend ? two_rows : legend) + GAP / 2;
}

enum zf_status zf_occlude_figure(const struct zf_net *net, const struct zf_occlusions *result,
                                 size_t image, const struct zf_picture *shown,
                                 const struct zf_others *others, struct zf_picture *made,
                                 struct zf_error *err)
{
    const struct zf_shape in = result->input;
    struct figure figure = {.net = net, .result = result, .image = &result->images[image]};
    const char *layer = zf_net_layer(net, result->layer).name;
    enum zf_status status;
    char text[160];

    figure.scale = (double)SIDE / (double)(in.h > in.w ? in.h : in.w);
    figure.width = lround((double)in.w * figure.scale);
    figure.height = lround((double)in.h * figure.scale);
    ZF_TRY(zf_canvas_init(&figure.canvas, GAP + PANELS * (figure.width + GAP),
                          GAP + TITLE + figure.height + height_below(&figure, others != NULL),
                          err));
    draw_picture(&figure, shown);
    snprintf(text, sizeof text, "(b) map %" PRId64 " of %s, summed", figure.image->map, layer);
    write_title(&figure, 1, text);
    draw_heat(&figure, 1, figure.image->activation_map, false);
    write_title(&figure, 2, "(c) that map, projected");
    ZF_TRY(draw_projection(&figure, others, err));
    snprintf(text, sizeof text, "(d) %s of %s", zf_net_answer_word(net),
             zf_net_label(net, figure.image->target));
    write_title(&figure, 3, text);
    draw_heat(&figure, 3, figure.image->probability_map, zf_net_answer(net) != ZF_ANSWER_NUMBERS);
    write_title(&figure, 4,
                zf_net_answer(net) == ZF_ANSWER_NUMBERS ? "(e) largest value"
                                                        : "(e) most probable class");
    ZF_TRY(draw_classes(&figure, err));
    figure.canvas.height = figure.bottom + GAP / 2; /* without room that no legend took */
    *made = figure.canvas;
    figure.canvas = (struct zf_picture){0};
fail:
    zf_picture_release(&figure.canvas);
    return status;
}
