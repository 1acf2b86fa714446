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
#define HEADLINE 14           /* px of a capital of the title */
#define TOP (3 * MARGIN + 14) /* px above the blocks, for the title */
#define MOST_WIDE 6000        /* px of a sheet, where a block leaves the choice */

#define SCREEN 1920.0 /* px of what a sheet is looked at on: wider ones have larger words */

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

static float strength(const struct zf_top_map *map)
{
    return map->count > 0 ? map->entries[0].activation : -INFINITY;
}

/* Blocks side by side: as many as give a sheet the form of a screen. */
static int64_t columns_of(size_t count, int64_t width, int64_t height)
{
    const int64_t fitting = (MOST_WIDE - MARGIN) / width;
    int64_t columns = (int64_t)ceil(sqrt((double)count * (double)height / (double)width * 1.4));

    columns = columns > fitting ? fitting : columns;
    return columns < 1 ? 1 : columns;
}

enum zf_status zf_sheet_draw(const struct zf_sprites *sprites, const struct zf_sheet_part *part,
                             struct zf_picture *sheet, struct zf_panel *panels,
                             struct zf_error *err)
{
    const struct zf_picture *first = &sprites->pictures[0];
    const int64_t width = first->width + SEAM + MARGIN;
    const int64_t columns = columns_of(part->count, width, HEAD + first->height + MARGIN);
    const int64_t rows = ((int64_t)part->count + columns - 1) / columns;
    const double larger = fmax(1.0, (double)(MARGIN + columns * width) / SCREEN);
    const struct zf_lettering words = {larger * ZF_NUMBER_HEIGHT, numbers.colour};
    const struct zf_lettering headline = {larger * HEADLINE, numbers.colour};
    const int64_t head = lround(larger * HEAD), begin = lround(larger * TOP);
    const int64_t height = head + first->height + MARGIN;
    const int64_t end = begin + rows * height;
    struct zf_picture made = {0};

    ZF_CHECK(zf_canvas_init(&made, MARGIN + columns * width,
                            part->note ? end + lround(larger * TOP) - MARGIN : end, err));
    zf_canvas_text(&made, &headline, MARGIN, MARGIN, (double)(made.width - 2 * MARGIN),
                   part->title);
    if (part->note)
        zf_canvas_text(&made, &headline, MARGIN, (double)end, (double)(made.width - 2 * MARGIN),
                       part->note);
    for (size_t i = 0; i < part->count; i++) {
        const size_t m = part->first + i;
        const int64_t left = MARGIN + (int64_t)i % columns * width;
        const int64_t top = begin + (int64_t)i / columns * height;
        char number[24];

        snprintf(number, sizeof number, "%" PRId64, sprites->layer->maps[m].map);
        zf_canvas_text(&made, &words, (double)left, (double)top, (double)(width - MARGIN),
                       part->names ? part->names[i] : number);
        draw_block(&made, left, top + head, sprites, &sprites->pictures[m]);
        if (panels)
            panels[i] =
                (struct zf_panel){.box = {left, top + head, first->width / 2, first->height},
                                  .columns = 2,
                                  .gap = SEAM,
                                  .title = part->names ? part->names[i] : NULL};
    }
    *sheet = made;
    return ZF_OK;
}

/* ---- The strongest maps. ---- */

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

size_t zf_sheet_strongest(const struct zf_top_layer *layer, size_t most, size_t *maps)
{
    size_t count = 0;

    while (count < most && count < layer->map_count) {
        const size_t next = next_strongest(layer, count ? maps[count - 1] : layer->map_count);

        if (count > 0 && !(strength(&layer->maps[next]) > 0.0f))
            break;
        maps[count++] = next;
    }
    return count;
}

enum zf_status zf_sheet_stack(const struct zf_sprites *sprites, const size_t *maps, size_t count,
                              struct zf_picture *stack, struct zf_panel *panels,
                              struct zf_error *err)
{
    const struct zf_picture *first = &sprites->pictures[0];

    ZF_CHECK(zf_picture_init(stack, first->width, (int64_t)count * first->height, err));
    for (size_t i = 0; i < count; i++) {
        const int64_t top = (int64_t)i * first->height;

        zf_canvas_paste(stack, 0, top, &sprites->pictures[maps[i]], zf_picture_box(first));
        panels[i] = (struct zf_panel){.box = {0, top, first->width / 2, first->height},
                                      .columns = 2,
                                      .tile_columns = sprites->columns,
                                      .tile_rows = sprites->rows};
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
