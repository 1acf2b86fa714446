/* SPDX-License-Identifier: MIT */
/* Tiles of what excites a layer's maps, and sheets of them. */
#ifndef ZF_PAGE_SPRITES_H
#define ZF_PAGE_SPRITES_H

#include "page/panels.h"
#include "zf/document.h"
#include "zf/look.h"

/* ---- sprites.c: the tiles of one layer's maps, one picture a map. ---- */

/* What shares a scale. The strongest half percent of a projection's values is cut, so that a few
   peaks do not leave the rest in the grey. */
enum zf_contrast {
    ZF_CONTRAST_MAP,    /* the k projections of one map share a scale */
    ZF_CONTRAST_IMAGE,  /* each on its own */
    ZF_CONTRAST_SHARED, /* all maps of a layer share one */
};

/**
 * A map's sprite holds its projections on the left and the patches they belong to on the right,
 * each a block of columns x rows tiles, strongest first in reading order.
 */
struct zf_sprites {
    struct zf_shape input;
    const struct zf_preparation *preparation;
    const struct zf_top_layer *layer;
    struct zf_receptive_field field;
    int64_t tile;                /* px */
    int64_t columns, rows;       /* tiles of a block */
    size_t k;                    /* places in a block that entries may take */
    struct zf_picture *pictures; /* [maps] */
    float *limits;               /* [maps * k]: what a tile's projection is scaled by */
};

/* The sprites of layer i of a zf_top. tile: 0 = chosen, such that a page of all layers stays small.
 */
enum zf_status zf_sprites_init(struct zf_sprites *sprites, const struct zf_net *net,
                               const struct zf_top *top, size_t i, int64_t tile,
                               struct zf_error *err);
/* The k places of a block in one row; `layer` holds k entries a map. */
enum zf_status zf_sprites_init_row(struct zf_sprites *sprites, const struct zf_net *net,
                                   const struct zf_top_layer *layer, size_t k,
                                   struct zf_error *err);
void zf_sprites_release(struct zf_sprites *sprites); /* accepts empty */

/* Draw one entry: its projection, scaled to its own largest magnitude for now, and its patch. */
enum zf_status zf_sprites_draw(struct zf_sprites *sprites, size_t map, size_t rank,
                               const float *input, const float *projection, struct zf_error *err);

/* The same from what was kept of them: [c, height, width] of the entry's patch. */
enum zf_status zf_sprites_draw_patch(struct zf_sprites *sprites, size_t map, size_t rank,
                                     const float *input, const float *projection,
                                     struct zf_error *err);

/* When all are drawn: bring the projections that share a contrast to one scale. */
void zf_sprites_finish(struct zf_sprites *sprites, enum zf_contrast contrast);

/* ---- sheet.c ---- */

#define ZF_NUMBER_HEIGHT 12 /* px of a digit */

/* A number >= 0, its corner at (left, top). */
void zf_sheet_number(struct zf_picture *sheet, int64_t left, int64_t top, int64_t number);

double zf_sheet_number_width(int64_t number); /* px */

/* Some of the maps of a layer, in order; everything is lent. */
struct zf_sheet_part {
    size_t first, count;
    const char *const *names; /* [count] above each; NULL = the maps' numbers */
    const char *title;
    const char *note; /* below all, or NULL */
};

/**
 * The sprites of a part of a layer's maps in a grid. Its words are such that they can be read
 * where the sheet is shown on a screen as a whole.
 * panels  [part->count] written, or NULL: where each map is, and its name if it is given
 */
enum zf_status zf_sheet_draw(const struct zf_sprites *sprites, const struct zf_sheet_part *part,
                             struct zf_picture *sheet, struct zf_panel *panels,
                             struct zf_error *err);

/* The maps of a layer that answer most strongly, `most` at most: no dead one is among them unless
   all are. maps: [most] written, places in the layer's list; returns how many. */
size_t zf_sheet_strongest(const struct zf_top_layer *layer, size_t most, size_t *maps);

/* Sprites one below the other, and where they are, for a slide. panels: [count] written. */
enum zf_status zf_sheet_stack(const struct zf_sprites *sprites, const size_t *maps, size_t count,
                              struct zf_picture *stack, struct zf_panel *panels,
                              struct zf_error *err);

/**
 * A layer's name as it can stand in file names and links: letters, digits, '.', '_' and '-' stay,
 * the rest becomes '_'. Unique within a net. NULL when memory is short; free with zf_free().
 */
char *zf_layer_slug(const struct zf_net *net, int layer);

/* A picture of a document whose file is called by a layer, "conv1.png"; panels as in
   zf_document_panels(). */
void zf_layer_sheet(struct zf_document *document, const struct zf_picture *sheet,
                    const struct zf_net *net, int layer, const struct zf_panel *panels,
                    size_t panel_count, int64_t width, const char *caption);

#endif
