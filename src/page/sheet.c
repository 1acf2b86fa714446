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
#define INK 70
#define MARGIN 12 /* px between blocks */
#define SEAM 2    /* px between a block's two halves */
#define HEAD 15   /* px above a block, for its number */

static const struct zf_lettering numbers = {ZF_NUMBER_HEIGHT, {INK, INK, INK}};

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

static bool is_dead(const struct zf_top_map *map)
{
    return map->count == 0 || map->entries[0].activation <= 0.0f;
}

static size_t count_live(const struct zf_top_layer *layer)
{
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++)
        count += !is_dead(&layer->maps[m]);
    return count;
}

enum zf_status zf_sheet_draw(const struct zf_sprites *sprites, size_t limit,
                             struct zf_picture *sheet, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_top_layer *layer = sprites->layer;
    const struct zf_picture *first = &sprites->pictures[0];
    const bool all = layer->map_count <= limit;
    const size_t live = count_live(layer);
    const size_t wanted = all ? layer->map_count : live == 0 || live > limit ? limit : live;
    const int64_t width = first->width + SEAM + MARGIN, height = HEAD + first->height + MARGIN;
    struct zf_picture made = {0};
    int64_t columns = (int64_t)ceil(sqrt((double)wanted * (double)height / (double)width * 1.4));
    size_t placed = 0;

    columns = columns < 1 ? 1 : columns;
    status = zf_picture_init(&made, MARGIN + columns * width,
                             MARGIN + ((int64_t)wanted + columns - 1) / columns * height, err);
    if (status != ZF_OK)
        return status;
    memset(made.pixels, PAPER, (size_t)(made.width * made.height * 3));
    for (size_t m = 0; m < layer->map_count && placed < wanted; m++) {
        int64_t left = MARGIN + (int64_t)placed % columns * width;
        int64_t top = MARGIN + (int64_t)placed / columns * height;

        /* Where there is no room for all, the dead would only take it from the others. */
        if (!all && live > 0 && is_dead(&layer->maps[m]))
            continue;
        zf_sheet_number(&made, left, top, layer->maps[m].map);
        draw_block(&made, left, top + HEAD, sprites, &sprites->pictures[m]);
        placed++;
    }
    *sheet = made;
    return ZF_OK;
}

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
                    const struct zf_net *net, int layer, const char *caption)
{
    char *slug = zf_layer_slug(net, layer);

    if (slug)
        zf_document_picture(document, sheet, zf_document_words(document, "%s.png", slug), "%s",
                            caption);
    else
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_free(slug);
}
