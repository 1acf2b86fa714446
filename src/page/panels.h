/* SPDX-License-Identifier: MIT */
/*
 * Parts of a picture that a page shows as pictures of their own, one below the other on a phone,
 * with their words as text. The picture's file has all of them together, for a slide or a paper.
 */
#ifndef ZF_PAGE_PANELS_H
#define ZF_PAGE_PANELS_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "page/beside.h"
#include "page/canvas.h"
#include "page/sizes.h"

/* A colour of a panel, and what it means. */
struct zf_panel_key {
    struct zf_rgb colour;
    const char *text;
};

/* Cells of equal size, in reading order; everything is lent. */
struct zf_panel {
    struct zf_box box;               /* the first cell, px of the picture */
    int64_t columns, rows;           /* of cells; 0 = 1 */
    int64_t gap;                     /* px between cells, which a page leaves out */
    int64_t tile_columns, tile_rows; /* within a cell, which a slide divides by lines; 0 = 1 */
    const char *title;               /* above, or NULL */
    const char *const *heads;        /* [columns] words above the columns, or NULL */
    const char *low, *high;          /* ends of a scale of zf_heat_colour(), or NULL */
    const struct zf_panel_key *keys;
    size_t key_count;
    const char *note; /* below all, or NULL */
};

/* As they stand in a document's block, see document.h; NULL when memory is short. */
cJSON *zf_panels_json(const struct zf_panel *panels, size_t count);

/* The sizes that the panels of a block need, for the page's style. */
void zf_panels_sizes(const cJSON *block, struct zf_sizes *sizes);

/**
 * The panels of a block as HTML.
 * picture  that of the block; lent
 * beside   where theirs go; NULL = within the HTML
 * name     of its file, for errors: ZF_EINPUT for a panel that is not as in document.h; ZF_EIO,
 *          ZF_ENOMEM
 */
enum zf_status zf_panels_write(FILE *out, const cJSON *block, const struct zf_picture *picture,
                               struct zf_beside *beside, const char *name, struct zf_error *err);

#endif
