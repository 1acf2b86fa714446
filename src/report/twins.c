/* SPDX-License-Identifier: MIT */
#include "report/twins.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/cells.h"

#define SHOWN_TWINS 50 /* pairs that the page lists; the JSON has all */
#define TILE 96        /* px */
#define GAP 4

static void paste(struct zf_picture *sheet, const struct zf_picture *tile, int64_t left,
                  int64_t top)
{
    for (int64_t y = 0; y < tile->height; y++)
        memcpy(sheet->pixels + ((top + y) * sheet->width + left) * 3,
               tile->pixels + y * tile->width * 3, (size_t)tile->width * 3);
}

/* The pairs side by side, each picture above the one that it is like. */
static enum zf_status add_pictures(const struct zf_transfer *t, struct zf_document *document,
                                   struct zf_error *err)
{
    enum zf_status status;
    const int64_t pairs = (int64_t)t->twin_pictured;
    struct zf_picture sheet = {0}, tile = {0};

    ZF_TRY(zf_picture_init(&sheet, pairs * (TILE + GAP) - GAP, 2 * TILE + GAP, err));
    memset(sheet.pixels, 255, (size_t)(sheet.width * sheet.height * 3));
    for (int64_t i = 0; i < 2 * pairs; i++) {
        zf_picture_release(&tile);
        ZF_TRY(zf_picture_square(&t->twin_pictures[i], zf_geometry_square(ZF_RESIZE_WARP, TILE),
                                 &tile, err));
        paste(&sheet, &tile, i / 2 * (TILE + GAP), i % 2 * (TILE + GAP));
    }
    ZF_TRY(zf_document_picture(document, "seen.png",
                               "Above, pictures of the task; below, what the model had seen. Most "
                               "alike first.",
                               &sheet, err));
fail:
    zf_picture_release(&sheet);
    zf_picture_release(&tile);
    return status;
}

static enum zf_status add_twins_table(const struct zf_transfer *t, struct zf_document *document,
                                      struct zf_error *err)
{
    static const char *const columns[] = {"picture", "seen in training as", "correlation"};
    const size_t shown = t->twin_count < SHOWN_TWINS ? t->twin_count : SHOWN_TWINS;
    enum zf_status status;
    struct zf_cells cells = {0};

    for (size_t i = 0; i < shown; i++) {
        zf_cells_add(&cells, "%s", t->twin_paths[2 * i]);
        zf_cells_add(&cells, "%s", t->twin_paths[2 * i + 1]);
        zf_cells_add(&cells, "%.3f", t->twins[i].correlation);
    }
    ZF_TRY(zf_cells_check(&cells, err));
    ZF_TRY(zf_document_table(document,
                             &(struct zf_table){
                                 .caption = shown < t->twin_count ? "Those most alike." : NULL,
                                 .columns = columns,
                                 .column_count = ZF_COUNT(columns),
                                 .cells = (const char *const *)cells.items,
                                 .row_count = shown,
                             },
                             err));
fail:
    zf_cells_release(&cells);
    return status;
}

enum zf_status zf_twins_add(const struct zf_transfer *t, struct zf_document *document,
                            struct zf_error *err)
{
    enum zf_status status;
    struct zf_cells text = {0};

    if (!t->compared)
        return ZF_OK;
    ZF_TRY(zf_document_heading(document, "Pictures that the model had seen", err));
    ZF_TRY(zf_document_paragraph(
        document,
        zf_cells_add(&text,
                     "%zu of the pictures %s nearly the same as one of the %" PRId64
                     " that the model was trained on: their grey thumbnails of 32 px, mean "
                     "subtracted, correlate by %g or more. They are counted above all the same; "
                     "mirrored copies are not looked for.",
                     t->twin_count, t->twin_count == 1 ? "is" : "are", t->seen_images, t->same),
        err));
    if (t->twin_count > 0) {
        ZF_TRY(add_pictures(t, document, err));
        ZF_TRY(add_twins_table(t, document, err));
    }
fail:
    zf_cells_release(&text);
    return status;
}
