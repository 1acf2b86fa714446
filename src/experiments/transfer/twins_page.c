/* SPDX-License-Identifier: MIT */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>

#include "page/canvas.h"
#include "page/document.h"

#define SHOWN_TWINS 50 /* pairs that the page lists; the JSON has all */
#define TILE 96        /* px */
#define GAP 4

/* The pairs side by side, each picture above the one that it is like. */
static enum zf_status draw_pairs(const struct zf_transfer *t, struct zf_picture *sheet,
                                 struct zf_error *err)
{
    const int64_t pairs = (int64_t)t->twin_pictured;

    ZF_CHECK(zf_canvas_init(sheet, pairs * (TILE + GAP) - GAP, 2 * TILE + GAP, err));
    for (int64_t i = 0; i < 2 * pairs; i++) {
        struct zf_picture tile = {0};

        ZF_CHECK(zf_picture_square(&t->twin_pictures[i], zf_geometry_square(ZF_RESIZE_WARP, TILE),
                                   &tile, err));
        zf_canvas_paste(sheet, i / 2 * (TILE + GAP), i % 2 * (TILE + GAP), &tile,
                        zf_picture_box(&tile));
        zf_picture_release(&tile);
    }
    return ZF_OK;
}

static void add_pairs(const struct zf_transfer *t, struct zf_document *document)
{
    static const char *const columns[] = {"picture", "seen in training as", "correlation"};
    const size_t shown = t->twin_count < SHOWN_TWINS ? t->twin_count : SHOWN_TWINS;
    struct zf_panel *panels = zf_document_room(document, t->twin_pictured, sizeof *panels);
    struct zf_picture sheet = {0};
    struct zf_error err = {0};

    if (!panels)
        return;
    if (draw_pairs(t, &sheet, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    for (size_t i = 0; i < t->twin_pictured; i++)
        panels[i] = (struct zf_panel){
            .box = {(int64_t)i * (TILE + GAP), 0, TILE, TILE}, .rows = 2, .gap = GAP};
    zf_document_panels(document, &sheet, "seen.png", panels, t->twin_pictured, TILE,
                       "Above, pictures of the task; below, what the model had seen. Most alike "
                       "first.");
    zf_picture_release(&sheet);
    zf_document_table(document, columns, ZF_COUNT(columns), "%s",
                      shown < t->twin_count ? "Those most alike." : "");
    for (size_t i = 0; i < shown; i++) {
        zf_document_cell(document, "%s", t->twin_paths[2 * i]);
        zf_document_cell(document, "%s", t->twin_paths[2 * i + 1]);
        zf_document_cell(document, "%.3f", t->twins[i].correlation);
    }
}

void zf_twins_page(const struct zf_transfer *t, struct zf_document *document)
{
    if (!t->compared)
        return;
    zf_document_heading(document, "Pictures that the model had seen");
    zf_document_paragraph(document,
                          "%zu of the pictures %s nearly the same as one of the %s "
                          "that the model was trained on: their grey thumbnails of 32 px, mean "
                          "subtracted, correlate by %g or more. They are counted above all the "
                          "same; mirrored copies are not looked for.",
                          t->twin_count, t->twin_count == 1 ? "is" : "are",
                          zf_document_count(document, t->seen_images), t->same);
    if (t->twin_count > 0)
        add_pairs(t, document);
}
