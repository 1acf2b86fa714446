/* SPDX-License-Identifier: MIT */
/*
 * The five panels of figure 7 side by side, each under its title and over what explains it, as wide
 * as a slide; and the same panels for a page. A cell of a map lies where the middle of the square
 * was, so that half a square around them has no value: there the picture shows through, faded.
 */
#include "experiments/occlude/occlude.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/signal.h"
#include "page/heat.h"

#define PANELS 5
#define SIDE 360 /* px of a panel's longer side: five and their gaps are 1920 */
#define GAP 20   /* px between and around panels */
#define TITLE 30 /* px above a panel */
#define BAR 12   /* px of a colour bar's height */
#define BELOW 10 /* px between a panel and what explains it */
#define LINE 24  /* px of a legend's line */
#define SEAM 4   /* px between the tiles of other pictures */

#define RAISES ((struct zf_rgb){40, 110, 220}) /* the frame of what speaks against the class */

static const struct zf_lettering title = {13.5, {40, 42, 46}};
static const struct zf_lettering small = {12.0, {40, 42, 46}};

struct figure {
    const struct zf_net *net;
    const struct zf_occlusions *result;
    const struct zf_occlusion *image;
    const struct zf_picture *shown;
    struct zf_document *document; /* whose words the panels have */
    struct zf_picture canvas;
    struct zf_occlude_panels *panels;
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

/* The panel's title in the figure and its place for the page. */
static struct zf_panel *begin_panel(struct figure *figure, int panel, const char *text)
{
    const struct zf_box box = panel_box(figure, panel);
    struct zf_panel *added = &figure->panels->items[figure->panels->count++];

    zf_canvas_text(&figure->canvas, &title, (double)box.x, (double)GAP, (double)box.width, text);
    *added = (struct zf_panel){.box = box, .title = text};
    return added;
}

/* ---- Maps. ---- */

/* Edges of the cells along one side, px: halfway between the squares' middles, so that the last
   ones are narrower where their squares were moved in to end at the picture's edge. */
static int64_t *edges(const struct figure *figure, int64_t count, int64_t input, bool down)
{
    const struct zf_occlusions *result = figure->result;
    const double half = (double)result->size / 2.0, step = (double)result->stride / 2.0;
    int64_t *made = zf_alloc((size_t)count + 1, sizeof *made);
    double before = 0.0;

    for (int64_t i = 0; made && i < count; i++) {
        const struct zf_box place = zf_occlude_place(result, down ? i * result->columns : i);
        const double middle = (double)(down ? place.y : place.x) + half;

        made[i] =
            lround(figure->scale * (i > 0 ? (before + middle) / 2.0 : fmax(0, middle - step)));
        before = middle;
    }
    if (made)
        made[count] = lround(figure->scale * fmin((double)input, before + step));
    return made;
}

/* The lattice moved to a panel; free its sides. NULL sides when memory is short. */
static enum zf_status lattice_in(const struct figure *figure, int panel, struct zf_lattice *lattice,
                                 int64_t **x, int64_t **y, struct zf_error *err)
{
    const struct zf_occlusions *result = figure->result;
    const struct zf_box box = panel_box(figure, panel);

    *x = edges(figure, result->columns, result->input.w, false);
    *y = edges(figure, result->rows, result->input.h, true);
    if (!*x || !*y)
        return zf_no_memory(err, "the cells of a map");
    for (int64_t i = 0; i <= result->columns; i++)
        (*x)[i] += box.x;
    for (int64_t i = 0; i <= result->rows; i++)
        (*y)[i] += box.y;
    *lattice = (struct zf_lattice){*x, *y};
    return ZF_OK;
}

/* The picture halfway to a light grey, for what has no value. */
static void draw_faded(struct figure *figure, int panel)
{
    const struct zf_box box = panel_box(figure, panel);

    zf_canvas_place(&figure->canvas, box, figure->shown, zf_picture_box(figure->shown));
    for (int64_t y = box.y; y < box.y + box.height; y++) {
        uint8_t *pixel = figure->canvas.pixels + (y * figure->canvas.width + box.x) * 3;

        for (int64_t x = 0; x < box.width; x++, pixel += 3) {
            const int grey = (pixel[0] * 2 + pixel[1] * 5 + pixel[2]) / 8;

            memset(pixel, (grey + 2 * 190) / 3, 3);
        }
    }
}

/* A heat map and its bar. */
static enum zf_status draw_heat(struct figure *figure, int panel, const float *values,
                                bool probability, struct zf_error *err)
{
    const struct zf_occlusions *result = figure->result;
    const struct zf_box box = panel_box(figure, panel);
    struct zf_heat heat = {values, result->rows, result->columns, 0.0, 1.0};
    struct zf_lattice lattice;
    int64_t *x = NULL, *y = NULL;
    char low[24], high[24];
    enum zf_status status;

    zf_heat_fit(&heat);
    if (probability)
        heat.low = 0.0; /* so that a map that hardly changes does not look dramatic */
    draw_faded(figure, panel);
    ZF_TRY(lattice_in(figure, panel, &lattice, &x, &y, err));
    zf_heat_draw(&figure->canvas, &lattice, &heat);
    zf_heat_bar(&figure->canvas, (struct zf_box){box.x, box.y + box.height + BELOW, box.width, BAR},
                &heat, &small);
    reach(figure, box.y + box.height + BELOW + BAR + LINE);
    zf_heat_number(low, heat.low);
    zf_heat_number(high, heat.high);
    figure->panels->items[panel].low = zf_document_words(figure->document, "%s", low);
    figure->panels->items[panel].high = zf_document_words(figure->document, "%s", high);
fail:
    zf_free(x);
    zf_free(y);
    return status;
}

/* ---- The panels. ---- */

/* (a): the picture, and the square where it hurts most. */
static void draw_picture(struct figure *figure)
{
    const int64_t lowest = figure->image->lowest;
    const struct zf_occlusions *result = figure->result;
    const struct zf_box box = panel_box(figure, 0), place = zf_occlude_place(result, lowest);
    const int64_t left = lround((double)place.x * figure->scale);
    const int64_t top = lround((double)place.y * figure->scale);
    const int64_t side = lround((double)result->size * figure->scale);
    const struct zf_box square = {box.x + left, box.y + top, side, side};
    const double y = (double)(box.y + box.height + BELOW + 2);
    struct zf_panel *panel = begin_panel(figure, 0, "(a) the picture");
    const char *brings = "framed: hiding this brings", *what, *up = NULL;

    zf_canvas_place(&figure->canvas, box, figure->shown, zf_picture_box(figure->shown));
    zf_canvas_frame(&figure->canvas, square, 4, ZF_PAPER);
    zf_canvas_frame(&figure->canvas, square, 2, ZF_INK);
    if (zf_net_answer(figure->net) != ZF_ANSWER_NUMBERS &&
        figure->image->probability_map[lowest] > ZF_ALMOST_SURE)
        what = zf_document_words(figure->document, "the odds down to %.2g to 1",
                                 exp((double)figure->image->odds_map[lowest]));
    else
        what = zf_document_words(
            figure->document, "the %s from %.2g to %.2g", zf_net_answer_word(figure->net),
            (double)figure->image->probability, (double)figure->image->probability_map[lowest]);
    if (figure->image->raised > 0) {
        const struct zf_box other = zf_occlude_place(result, figure->image->highest);
        const struct zf_box dots = {box.x + lround((double)other.x * figure->scale),
                                    box.y + lround((double)other.y * figure->scale), side, side};

        zf_canvas_frame(&figure->canvas, dots, 4, ZF_PAPER);
        zf_canvas_frame(&figure->canvas, dots, 2, RAISES);
        up = zf_document_words(figure->document, "in blue: hiding this, to %.2g",
                               (double)figure->image->probability_map[figure->image->highest]);
        zf_canvas_text(&figure->canvas, &small, (double)box.x, y + 2 * LINE, (double)box.width, up);
    }
    zf_canvas_text(&figure->canvas, &small, (double)box.x, y, (double)box.width, brings);
    zf_canvas_text(&figure->canvas, &small, (double)box.x, y + LINE, (double)box.width, what);
    panel->note = zf_document_words(figure->document, "%s %s%s%s", brings, what, up ? "; " : "",
                                    up ? up : "");
    reach(figure, box.y + box.height + BELOW + (up ? 3 : 2) * LINE);
}

/* Below (c): the same map's projections in other pictures, over the patches they come from. */
static void draw_others(struct figure *figure, const struct zf_others *others)
{
    const struct zf_box box = panel_box(figure, 2);
    const int64_t tile = (box.width - (ZF_OTHERS - 1) * SEAM) / ZF_OTHERS;
    const int64_t top = box.y + box.height + BELOW, pitch = tile + SEAM;
    const size_t count = others && others->count > ZF_OTHERS ? ZF_OTHERS
                         : others                            ? others->count
                                                             : 0;

    for (size_t i = 0; i < count; i++) {
        const struct zf_other *other = &others->items[i];
        const int64_t left = box.x + (int64_t)i * pitch;

        zf_canvas_place(&figure->canvas, (struct zf_box){left, top, tile, tile}, &other->projection,
                        zf_picture_box(&other->projection));
        zf_canvas_place(&figure->canvas, (struct zf_box){left, top + pitch, tile, tile},
                        &other->patch, zf_picture_box(&other->patch));
    }
    if (count == 0)
        return;
    reach(figure, top + pitch + tile);
    figure->panels->items[figure->panels->count++] =
        (struct zf_panel){.box = {box.x, top, tile, tile},
                          .columns = (int64_t)count,
                          .rows = 2,
                          .gap = SEAM,
                          .title = "that map in other pictures: projected, and the patch"};
}

/* (c) */
static enum zf_status draw_projection(struct figure *figure, struct zf_error *err)
{
    const struct zf_shape in = figure->result->input;
    const struct zf_box whole = {0, 0, in.w, in.h}, box = panel_box(figure, 2);
    const float limit = zf_signal_limit(figure->image->projection, in, whole, ZF_CUT_SHARE);
    struct zf_picture picture = {0};
    const enum zf_status status =
        zf_picture_from_signal(figure->image->projection, in, whole, limit,
                               zf_net_preparation(figure->net)->channels, &picture, err);

    if (status != ZF_OK)
        return status;
    begin_panel(figure, 2, "(c) that map, projected")->note =
        "its strongest activation, led back to pixels";
    zf_canvas_place(&figure->canvas, box, &picture, whole);
    zf_picture_release(&picture);
    reach(figure, box.y + box.height);
    return ZF_OK;
}

static void draw_legend_line(struct figure *figure, int64_t line, struct zf_panel_key key)
{
    const struct zf_box box = panel_box(figure, 4);
    const int64_t top = box.y + box.height + BELOW + line * LINE;

    zf_canvas_fill(&figure->canvas, (struct zf_box){box.x, top, 16, 16}, key.colour);
    zf_canvas_text(&figure->canvas, &small, (double)box.x + 24.0, (double)top + 2.0,
                   (double)box.width - 24.0, key.text);
    reach(figure, top + LINE);
}

/* (e): the most probable class, with a legend. */
static enum zf_status draw_classes(struct figure *figure, struct zf_panel *panel,
                                   struct zf_error *err)
{
    const struct zf_occlusions *result = figure->result;
    const double share = 100.0 / (double)(result->rows * result->columns);
    struct zf_class_map map = {
        figure->image->class_map, result->rows, result->columns, 0, {0}, {0}, 0};
    struct zf_panel_key *keys = figure->panels->keys;
    struct zf_lattice lattice;
    int64_t *x = NULL, *y = NULL;
    enum zf_status status;

    ZF_TRY(zf_class_map_choose(&map, (int32_t)figure->image->target, err));
    draw_faded(figure, 4);
    ZF_TRY(lattice_in(figure, 4, &lattice, &x, &y, err));
    zf_class_map_draw(&figure->canvas, &lattice, &map);
    for (size_t i = 0; i < map.count; i++)
        keys[panel->key_count++] = (struct zf_panel_key){
            zf_class_map_colour(&map, map.shown[i]),
            zf_document_words(figure->document, "%.3g%% %s", share * (double)map.cells[i],
                              zf_net_label(figure->net, map.shown[i]))};
    if (map.other > 0)
        keys[panel->key_count++] = (struct zf_panel_key){
            zf_class_map_colour(&map, -1),
            zf_document_words(figure->document, "%.3g%% other classes", share * (double)map.other)};
    for (size_t i = 0; i < panel->key_count; i++)
        draw_legend_line(figure, (int64_t)i, keys[i]);
    panel->keys = keys;
fail:
    zf_free(x);
    zf_free(y);
    return status;
}

/* What stands below the panels needs at most: a legend, or two rows of tiles. */
static int64_t height_below(const struct figure *figure, bool tiles)
{
    const int64_t legend = (ZF_CLASS_COLOURS + 1) * LINE;
    const int64_t two_rows = 2 * (figure->width / ZF_OTHERS + SEAM);

    return BELOW + (tiles && two_rows > legend ? two_rows : legend) + GAP;
}

enum zf_status zf_occlude_figure(const struct zf_net *net, const struct zf_occlusions *result,
                                 size_t image, const struct zf_occlude_show *show,
                                 struct zf_document *document, struct zf_picture *made,
                                 struct zf_occlude_panels *panels, struct zf_error *err)
{
    const struct zf_shape in = result->input;
    const struct zf_others *others = show->others ? &show->others[image] : NULL;
    struct figure figure = {.net = net,
                            .result = result,
                            .image = &result->images[image],
                            .shown = &show->shown[image],
                            .document = document,
                            .panels = panels};
    const bool numbers = zf_net_answer(net) == ZF_ANSWER_NUMBERS;
    enum zf_status status;

    panels->count = 0;
    figure.scale = (double)SIDE / (double)(in.h > in.w ? in.h : in.w);
    figure.width = lround((double)in.w * figure.scale);
    figure.height = lround((double)in.h * figure.scale);
    ZF_TRY(zf_canvas_init(&figure.canvas, GAP + PANELS * (figure.width + GAP),
                          GAP + TITLE + figure.height + height_below(&figure, others != NULL),
                          err));
    draw_picture(&figure);
    begin_panel(&figure, 1,
                zf_document_words(document, "(b) sum over map %" PRId64 " of %s", figure.image->map,
                                  zf_net_layer(net, result->layer).name));
    ZF_TRY(draw_heat(&figure, 1, figure.image->activation_map, false, err));
    ZF_TRY(draw_projection(&figure, err));
    begin_panel(&figure, 3,
                zf_document_words(document, "(d) %s of %s", zf_net_answer_word(net),
                                  zf_net_label(net, figure.image->target)));
    ZF_TRY(draw_heat(&figure, 3, figure.image->probability_map, !numbers, err));
    ZF_TRY(draw_classes(
        &figure, begin_panel(&figure, 4, numbers ? "(e) largest value" : "(e) most probable class"),
        err));
    draw_others(&figure, others);
    figure.canvas.height = figure.bottom + GAP; /* without room that no legend took */
    *made = figure.canvas;
    figure.canvas = (struct zf_picture){0};
fail:
    zf_picture_release(&figure.canvas);
    return status;
}
