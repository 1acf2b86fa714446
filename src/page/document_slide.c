/* SPDX-License-Identifier: MIT */
/* A document's pictures for slides. */
#include <string.h>

#include "base/memory.h"
#include "page/document.h"
#include "page/slide.h"
#include "page/text.h"

void zf_document_slides(struct zf_document *document)
{
    document->slides = true;
}

/* NAME+figure and an ending, for "NAME.png"; NULL after a failure. */
static char *place_of(struct zf_document *document, const char *file, const char *ending)
{
    const char *dot = strrchr(file, '.');
    char *name =
        zf_format("%.*s+figure%s", (int)(dot ? dot - file : (ptrdiff_t)strlen(file)), file, ending);
    char *path = name ? zf_document_place(document, name) : NULL;

    if (!name)
        zf_document_fail(document, ZF_ENOMEM, NULL);
    zf_free(name);
    return path;
}

static enum zf_status save(const struct zf_slide *slide, const char *title, const char *png,
                           const char *svg, struct zf_error *err)
{
    struct zf_picture drawn = {0};
    enum zf_status status;

    ZF_TRY(zf_slide_draw(slide, &drawn, err));
    ZF_TRY(zf_picture_save_png(&drawn, png, err));
    ZF_TRY(zf_slide_write(slide, title, svg, err));
fail:
    zf_picture_release(&drawn);
    return status;
}

void zf_document_slide(struct zf_document *document, const struct zf_picture *picture,
                       const char *file, const struct zf_panel *panels, size_t count,
                       const char *title, const char *caption)
{
    const struct zf_panel whole = {.box = zf_picture_box(picture)};
    char *png = place_of(document, file, ".png"), *svg = place_of(document, file, ".svg");
    struct zf_error err = {0};
    struct zf_slide slide;

    if (png && svg) {
        zf_slide_panels(&slide, picture, count > 0 ? panels : &whole, count > 0 ? count : 1, title,
                        caption);
        if (save(&slide, title, png, svg, &err) != ZF_OK)
            zf_document_fail(document, err.status, &err);
        zf_slide_release(&slide);
    }
    zf_free(svg);
    zf_free(png);
}

/* What the blocks so far end with, under which a picture stands; "" without any. */
static const char *last_heading(const struct zf_document *document)
{
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    const char *heading = "";
    const cJSON *block;

    cJSON_ArrayForEach(block, blocks)
    {
        if (strcmp(zf_text_of(block, "type"), "heading") == 0)
            heading = zf_text_of(block, "text");
    }
    return heading;
}

void zf_document_slide_too(struct zf_document *document, const struct zf_picture *picture,
                           const char *file, const struct zf_panel *panels, size_t count,
                           const char *caption)
{
    const char *title = zf_text_of(document->root, "title"), *heading = last_heading(document);

    if (document->slides)
        zf_document_slide(
            document, picture, file, panels, count,
            zf_document_words(document, "%s%s%s", title, *heading ? ": " : "", heading), caption);
}
