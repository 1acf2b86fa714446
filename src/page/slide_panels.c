/* SPDX-License-Identifier: MIT */
/* Panels with their words laid out for a slide. */
#include <math.h>

#include "base/memory.h"
#include "page/heat.h"
#include "page/slide.h"

#define MARGIN 40     /* px around all */
#define GAP 28        /* px between panels */
#define SEAM 4        /* px between the cells of one */
#define BELOW 10      /* px between a panel and its words */
#define TITLE_GAP 12  /* px between the title and the panels */
#define LINE 30       /* px of a line of a panel's words */
#define PITCH 26      /* px of a line of the caption */
#define HEAD_LINE 44  /* px of a line of the title */
#define TITLE_LINES 2 /* of the title, at most, and of a panel's */
#define NOTE_LINES 3
#define MOST_LINES 8       /* of the caption */
#define SCALE 18           /* px of a scale's height */
#define LEAST_PANEL 96     /* px of a panel that is to be read */
#define TALL_PANEL 300     /* px of one where there are too many for a slide's height */
#define MOST_ENLARGED 24.0 /* px of the slide for one of a panel */

static const struct zf_lettering headline = {24.0, {40, 42, 46}};
static const struct zf_lettering label = {15.0, {40, 42, 46}};
static const struct zf_lettering quiet = {13.0, {90, 92, 96}};

/* A grid for the panels, all enlarged alike. */
struct grid {
    const struct zf_panel *panels;
    size_t count;
    int64_t columns, width; /* px of a column */
    double scale;           /* px of the slide for one of the panels' picture */
};

static int64_t at_least_one(int64_t cells)
{
    return cells > 0 ? cells : 1;
}

static int64_t panel_width(const struct zf_panel *panel, double scale)
{
    const int64_t columns = at_least_one(panel->columns);

    return columns * lround((double)panel->box.width * scale) + (columns - 1) * SEAM;
}

static int64_t panel_height(const struct zf_panel *panel, double scale)
{
    const int64_t rows = at_least_one(panel->rows);

    return rows * lround((double)panel->box.height * scale) + (rows - 1) * SEAM;
}

/* How much a panel can be enlarged within a place. */
static double fitting(const struct zf_panel *panel, double width, double height)
{
    const double columns = (double)at_least_one(panel->columns);
    const double rows = (double)at_least_one(panel->rows);
    const double across = (width - (columns - 1.0) * SEAM) / (columns * (double)panel->box.width);
    const double down = (height - (rows - 1.0) * SEAM) / (rows * (double)panel->box.height);

    return fmin(across, down);
}

/* About as many lines as it takes; 0 without words. */
static int64_t lines_of(const struct zf_lettering *lettering, const char *text, int64_t room,
                        int64_t most)
{
    const double width = text && *text ? zf_lettering_width(lettering, text) : 0.0;
    const int64_t lines = (int64_t)ceil(1.1 * width / (double)room);

    return !text || !*text ? 0 : lines > most ? most : lines < 1 ? 1 : lines;
}

/* px of a panel's words above and below it. */
static int64_t words_height(const struct zf_panel *panel, int64_t room)
{
    return BELOW +
           LINE * (lines_of(&label, panel->title, room, TITLE_LINES) + (panel->heads != NULL) +
                   (panel->low != NULL) + (int64_t)panel->key_count +
                   lines_of(&quiet, panel->note, room, NOTE_LINES)) +
           (panel->low ? SCALE : 0);
}

static int64_t column_width(int64_t columns)
{
    return (ZF_SLIDE_WIDTH - 2 * MARGIN - (columns - 1) * GAP) / columns;
}

/* The scale at which all panels fit into `height` px in so many columns. */
static double scale_of(const struct grid *grid, int64_t columns, int64_t height)
{
    const int64_t rows = ((int64_t)grid->count + columns - 1) / columns;
    const int64_t width = column_width(columns);
    double scale = MOST_ENLARGED;

    for (size_t i = 0; i < grid->count; i++) {
        const double room =
            (double)height / (double)rows - GAP - (double)words_height(&grid->panels[i], width);

        scale = fmin(scale, fitting(&grid->panels[i], (double)width, room));
    }
    return scale;
}

/* The columns with which panels become largest; where they cannot be read, such that they can. */
static void choose_grid(struct grid *grid, int64_t height)
{
    int64_t most = 1;

    grid->scale = 0.0;
    for (int64_t columns = 1; columns <= (int64_t)grid->count && column_width(columns) >= SEAM;
         columns++) {
        const double scale = scale_of(grid, columns, height);

        if (scale > grid->scale) {
            grid->scale = scale;
            grid->columns = columns;
        }
    }
    if (grid->scale <= 0.0 || panel_width(&grid->panels[0], grid->scale) < LEAST_PANEL) {
        while (column_width(most + 1) >= TALL_PANEL && most < (int64_t)grid->count)
            most++;
        grid->columns = most;
        grid->scale = MOST_ENLARGED;
        for (size_t i = 0; i < grid->count; i++)
            grid->scale =
                fmin(grid->scale, fitting(&grid->panels[i], (double)column_width(most), INFINITY));
    }
    grid->width = column_width(grid->columns);
}

/* ---- A panel. ---- */

/* Lines between the tiles of a cell. */
static void divide(struct zf_slide *slide, const struct zf_panel *panel, struct zf_box cell)
{
    for (int64_t i = 1; i < panel->tile_columns; i++)
        zf_slide_box(slide,
                     (struct zf_box){cell.x + i * cell.width / panel->tile_columns - 1, cell.y, 2,
                                     cell.height},
                     0, ZF_PAPER);
    for (int64_t i = 1; i < panel->tile_rows; i++)
        zf_slide_box(
            slide,
            (struct zf_box){cell.x, cell.y + i * cell.height / panel->tile_rows - 1, cell.width, 2},
            0, ZF_PAPER);
}

static void place_cells(struct zf_slide *slide, const struct zf_picture *picture,
                        const struct zf_panel *panel, double scale, int64_t left, int64_t top)
{
    const int64_t columns = at_least_one(panel->columns), rows = at_least_one(panel->rows);
    const struct zf_box box = panel->box;
    const int64_t width = lround((double)box.width * scale);
    const int64_t height = lround((double)box.height * scale);

    for (int64_t i = 0; i < columns * rows; i++) {
        const int64_t x = i % columns, y = i / columns;
        const struct zf_box cell = {left + x * (width + SEAM), top + y * (height + SEAM), width,
                                    height};

        zf_slide_picture(slide, cell, picture,
                         (struct zf_box){box.x + x * (box.width + panel->gap),
                                         box.y + y * (box.height + panel->gap), box.width,
                                         box.height});
        divide(slide, panel, cell);
    }
}

/* The colours from low to high, in steps that nobody sees, and what their ends are. */
static int64_t place_scale(struct zf_slide *slide, const struct zf_panel *panel, int64_t left,
                           int64_t top, int64_t width)
{
    const int64_t steps = width < 64 ? width : 64;
    const int64_t high = lround(zf_lettering_width(&quiet, panel->high));

    for (int64_t i = 0; i < steps; i++) {
        const int64_t from = left + i * width / steps, to = left + (i + 1) * width / steps;

        zf_slide_box(slide, (struct zf_box){from, top, to - from, SCALE}, 0,
                     zf_heat_colour((double)i / (double)(steps > 1 ? steps - 1 : 1)));
    }
    zf_slide_words(slide, &quiet, left, top + SCALE + 8, width, panel->low);
    zf_slide_words(slide, &quiet, left + width - high, top + SCALE + 8, width, panel->high);
    return SCALE + LINE;
}

/* Returns px below `top` that the words take. */
static int64_t place_below(struct zf_slide *slide, const struct zf_panel *panel, int64_t left,
                           int64_t top, int64_t width, int64_t room)
{
    int64_t y = top;

    if (panel->low && panel->high)
        y += place_scale(slide, panel, left, y, width);
    for (size_t i = 0; i < panel->key_count; i++, y += LINE) {
        zf_slide_box(slide, (struct zf_box){left, y, 16, 16}, 0, panel->keys[i].colour);
        zf_slide_words(slide, &quiet, left + 24, y + 1, room - 24, panel->keys[i].text);
    }
    if (panel->note)
        y +=
            LINE * zf_slide_paragraph(slide, &quiet, left, y, room, PITCH, NOTE_LINES, panel->note);
    return y - top;
}

/* A row of panels; returns its height. */
static int64_t place_row(struct zf_slide *slide, const struct zf_picture *picture,
                         const struct grid *grid, size_t first, int64_t top)
{
    const size_t end =
        first + (size_t)grid->columns < grid->count ? first + (size_t)grid->columns : grid->count;
    int64_t above = 0, height = 0;

    for (size_t i = first; i < end; i++) {
        const int64_t lines = lines_of(&label, grid->panels[i].title, grid->width, TITLE_LINES) +
                              (grid->panels[i].heads != NULL);

        above = lines > above ? lines : above;
    }
    above *= LINE;
    for (size_t i = first; i < end; i++) {
        const struct zf_panel *panel = &grid->panels[i];
        const int64_t width = panel_width(panel, grid->scale);
        const int64_t down = panel_height(panel, grid->scale);
        const int64_t column = MARGIN + (int64_t)(i - first) * (grid->width + GAP);
        const int64_t left = column + (grid->width - width) / 2;
        const int64_t room = column + grid->width - left;
        const int64_t cell = width / at_least_one(panel->columns);
        int64_t below;

        if (panel->title)
            zf_slide_paragraph(slide, &label, left, top, room, LINE, TITLE_LINES, panel->title);
        for (int64_t k = 0; panel->heads && k < panel->columns; k++)
            zf_slide_words(slide, &quiet, left + k * cell, top + above - LINE + 2, cell - SEAM,
                           panel->heads[k]);
        place_cells(slide, picture, panel, grid->scale, left, top + above);
        below = place_below(slide, panel, left, top + above + down + BELOW, width, room);
        below += above + down + BELOW;
        height = below > height ? below : height;
    }
    return height;
}

void zf_slide_panels(struct zf_slide *slide, const struct zf_picture *picture,
                     const struct zf_panel *panels, size_t count, const char *title,
                     const char *caption)
{
    struct grid grid = {.panels = panels, .count = count, .columns = 1};
    const int64_t wide = ZF_SLIDE_WIDTH - 2 * MARGIN;
    int64_t below = PITCH * lines_of(&quiet, caption, wide, MOST_LINES), y = MARGIN;

    *slide = (struct zf_slide){.width = ZF_SLIDE_WIDTH};
    y += HEAD_LINE *
         zf_slide_paragraph(slide, &headline, MARGIN, y, wide, HEAD_LINE, TITLE_LINES, title);
    y += TITLE_GAP;
    choose_grid(&grid, ZF_SLIDE_HEIGHT - y - below - MARGIN);
    for (size_t i = 0; i < count; i += (size_t)grid.columns)
        y += place_row(slide, picture, &grid, i, y) + GAP;
    if (caption)
        y += PITCH * zf_slide_paragraph(slide, &quiet, MARGIN, y, wide, PITCH, MOST_LINES, caption);
    slide->height = y + MARGIN / 2;
}
