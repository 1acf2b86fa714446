/* SPDX-License-Identifier: MIT */
/* A layer on one sheet, in the manner of figure 2: blocks of projections beside their patches. */
#include "page/sprites.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "page/canvas.h"
#include "page/document.h"

#define PAPER 255
#define INK 40
#define MARGIN 12             /* px between blocks */
#define SEAM 2                /* px between a block's two halves */
#define HEAD 20               /* px above a block, for its number */
#define TOP (3 * MARGIN + 14) /* px above the blocks, for the title */
#define MOST_WIDE 6000        /* px of a sheet, where a block leaves the choice */

#define SLIDE_WIDTH 1920
#define SLIDE_HEIGHT 1080
#define SLIDE_TOP 84  /* px above the blocks of a slide */
#define SLIDE_HEAD 26 /* px above one, for its number */

static const struct zf_lettering numbers = {ZF_NUMBER_HEIGHT, {INK, INK, INK}};
static const struct zf_lettering headline = {14.0, {INK, INK, INK}};

double zf_sheet_number_width(int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, number);
    return zf_lettering_width(&numbers, text);
}

void zf_sheet_number(struct zf_picture *sheet, int64_t left, int64_t top, int64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, number);
    zf_canvas_text(sheet, &numbers, (double)left, (double)top, (double)(sheet->width - left), text);
}

/* Thin lines between the tiles of one half. */
static void draw_lines(struct zf_picture *sheet, int64_t left, int64_t top,
                       const struct zf_sprites *sprites)
{
    const int64_t tile = sprites->tile;
    const int64_t width = sprites->columns * tile, height = sprites->rows * tile;

    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++)
            if ((y > 0 && y % tile == 0) || (x > 0 && x % tile == 0))
                memset(sheet->pixels + ((top + y) * sheet->width + left + x) * 3, PAPER, 3);
}

/* A sprite with a seam between its halves. */
static void draw_block(struct zf_picture *sheet, int64_t left, int64_t top,
                       const struct zf_sprites *sprites, const struct zf_picture *sprite)
{
    const int64_t half = sprite->width / 2;

    for (int64_t i = 0; i < 2; i++) {
        const int64_t at = left + i * (half + SEAM);

        zf_canvas_paste(sheet, at, top, sprite, (struct zf_box){i * half, 0, half, sprite->height});
        draw_lines(sheet, at, top, sprites);
    }
}

static float strength(const struct zf_top_map *map)
{
    return map->count > 0 ? map->entries[0].activation : -INFINITY;
}

enum zf_status zf_sheet_draw(const struct zf_sprites *sprites, struct zf_sheet_part part,
                             const char *title, struct zf_picture *sheet, struct zf_panel *panels,
                             struct zf_error *err)
{
    const struct zf_picture *first = &sprites->pictures[0];
    const int64_t width = first->width + SEAM + MARGIN, height = HEAD + first->height + MARGIN;
    const int64_t fitting = (MOST_WIDE - MARGIN) / width;
    int64_t columns =
        (int64_t)ceil(sqrt((double)part.count * (double)height / (double)width * 1.4));
    struct zf_picture made = {0};

    columns = columns > fitting ? fitting : columns;
    columns = columns < 1 ? 1 : columns;
    ZF_CHECK(zf_canvas_init(&made, MARGIN + columns * width,
                            TOP + ((int64_t)part.count + columns - 1) / columns * height, err));
    zf_canvas_text(&made, &headline, MARGIN, MARGIN, (double)(made.width - 2 * MARGIN), title);
    for (size_t i = 0; i < part.count; i++) {
        const size_t m = part.first + i;
        const int64_t left = MARGIN + (int64_t)i % columns * width;
        const int64_t top = TOP + (int64_t)i / columns * height;

        zf_sheet_number(&made, left, top, sprites->layer->maps[m].map);
        draw_block(&made, left, top + HEAD, sprites, &sprites->pictures[m]);
        if (panels)
            panels[i] =
                (struct zf_panel){.box = {left, top + HEAD, first->width / 2, first->height},
                                  .columns = 2,
                                  .gap = SEAM};
    }
    *sheet = made;
    return ZF_OK;
}

/* ---- A slide. ---- */

/* The strongest map that is weaker than the last one, or as strong and behind it; map_count when
   there is none. */
static size_t next_strongest(const struct zf_top_layer *layer, size_t last)
{
    size_t best = layer->map_count;

    for (size_t m = 0; m < layer->map_count; m++) {
        const bool comes = last == layer->map_count ||
                           strength(&layer->maps[m]) < strength(&layer->maps[last]) ||
                           (strength(&layer->maps[m]) == strength(&layer->maps[last]) && m > last);

        if (comes &&
            (best == layer->map_count || strength(&layer->maps[m]) > strength(&layer->maps[best])))
            best = m;
    }
    return best;
}

/* The columns with which `count` blocks become largest, and how much they are enlarged. */
static int64_t choose_columns(int64_t count, double width, double height, double *scale)
{
    int64_t best = 1;

    *scale = 0.0;
    for (int64_t columns = 1; columns <= count; columns++) {
        const int64_t rows = (count + columns - 1) / columns;
        const double across = ((double)(SLIDE_WIDTH - MARGIN) / (double)columns - MARGIN) / width;
        const double down =
            ((double)(SLIDE_HEIGHT - SLIDE_TOP) / (double)rows - SLIDE_HEAD - MARGIN) / height;
        const double fits = fmin(across, down);

        if (fits > *scale) {
            *scale = fits;
            best = columns;
        }
    }
    return best;
}

/* One block of a sprite at another size, with lines between its tiles. */
static void place_half(struct zf_picture *slide, struct zf_box box,
                       const struct zf_sprites *sprites, const struct zf_picture *sprite,
                       int64_t side)
{
    const int64_t half = sprite->width / 2;

    zf_canvas_place(slide, box, sprite, (struct zf_box){side * half, 0, half, sprite->height});
    for (int64_t i = 1; i < sprites->columns; i++)
        zf_canvas_fill(
            slide,
            (struct zf_box){box.x + i * box.width / sprites->columns - 1, box.y, 2, box.height},
            ZF_PAPER);
    for (int64_t i = 1; i < sprites->rows; i++)
        zf_canvas_fill(
            slide, (struct zf_box){box.x, box.y + i * box.height / sprites->rows - 1, box.width, 2},
            ZF_PAPER);
}

enum zf_status zf_slide_draw(const struct zf_sprites *sprites, size_t most, const char *title,
                             struct zf_picture *slide, struct zf_error *err)
{
    const struct zf_top_layer *layer = sprites->layer;
    const struct zf_picture *first = &sprites->pictures[0];
    const struct zf_lettering large = {24.0, {INK, INK, INK}}, number = {16.0, {INK, INK, INK}};
    const int64_t half = first->width / 2;
    size_t count = 0, m = layer->map_count;
    double scale;
    int64_t columns, rows, width, height;

    while (count < most && count < layer->map_count) {
        const size_t next = next_strongest(layer, m);

        if (count > 0 && !(strength(&layer->maps[next]) > 0.0f))
            break;
        m = next;
        count++;
    }
    columns = choose_columns((int64_t)count, (double)first->width, (double)first->height, &scale);
    rows = ((int64_t)count + columns - 1) / columns;
    width = (int64_t)((double)half * scale) - SEAM;
    height = (int64_t)((double)first->height * scale);
    ZF_CHECK(zf_canvas_init(slide, SLIDE_WIDTH, SLIDE_HEIGHT, err));
    zf_canvas_text(slide, &large, 2 * MARGIN, 2 * MARGIN, SLIDE_WIDTH - 4 * MARGIN, title);
    m = layer->map_count;
    for (size_t i = 0; i < count; i++) {
        const int64_t left = MARGIN + (int64_t)i % columns * ((SLIDE_WIDTH - MARGIN) / columns);
        const int64_t top = SLIDE_TOP + (int64_t)i / columns * ((SLIDE_HEIGHT - SLIDE_TOP) / rows);
        char text[48];

        m = next_strongest(layer, m);
        snprintf(text, sizeof text, "%" PRId64, layer->maps[m].map);
        zf_canvas_text(slide, &number, (double)left, (double)top, (double)width, text);
        for (int64_t side = 0; side < 2; side++)
            place_half(
                slide,
                (struct zf_box){left + side * (width + SEAM), top + SLIDE_HEAD, width, height},
                sprites, &sprites->pictures[m], side);
    }
    return ZF_OK;
}

/* ---- Names. ---- */

char *zf_layer_slug(const struct zf_net *net, int layer)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    char *slug = zf_strdup(zf_net_layer(net, layer).name);
    bool changed = false;

    for (char *c = slug; c && *c; c++) {
        if (!strchr(allowed, *c) || (c == slug && *c == '.')) {
            *c = '_';
            changed = true;
        }
    }
    /* Two names may have become one. */
    if (slug && (changed || !*slug)) {
        char *numbered = zf_format("%s-%d", slug, layer);

        zf_free(slug);
        slug = numbered;
    }
    return slug;
}

void zf_layer_sheet(struct zf_document *document, const struct zf_picture *sheet,
                    const struct zf_net *net, int layer, const struct zf_panel *panels,
                    size_t panel_count, int64_t width, const char *caption)
{
    char *slug = zf_layer_slug(net, layer);

    if (slug)
        zf_document_panels(document, sheet, zf_document_words(document, "%s.png", slug), panels,
                           panel_count, width, caption);
    else
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_free(slug);
}
