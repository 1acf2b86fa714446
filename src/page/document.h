/* SPDX-License-Identifier: MIT */
/* The inside of a document, for code that adds HTML to its page or reads it back. */
#ifndef ZF_PAGE_DOCUMENT_H
#define ZF_PAGE_DOCUMENT_H

#include <cjson/cJSON.h>

#include "page/json.h"
#include "page/panels.h"
#include "page/sections.h"
#include "zf/document.h"

/*
 * A document is a JSON object from the first call on. Its page is written from that object, and a
 * report's from the same object read back:
 *
 *     {"kind","title","command","parameters":[{"name","value"}],"blocks":[
 *         {"type":"heading","text"} | {"type":"paragraph","text","remark":true}
 *         | {"type":"table","caption","columns":[...],"rows":[[...]]}
 *         | {"type":"picture","file","caption","width","height","panels":[...],"panel_width"}
 *         | {"type":"charts","file","caption","columns","charts":[...]}]}
 *
 * A picture's "panels" (none: it is shown whole) are boxes of it with their words, as in panels.h:
 * {"x","y","width","height","columns","rows","gap","title","heads":[...],"scale":[low, high],
 * "legend":[{"colour","text"}],"note"}. A paragraph that is a remark is folded. Texts are UTF-8;
 * files lie in the document's directory.
 */
struct zf_document {
    char *directory;
    cJSON *root;            /* that object */
    cJSON *table;           /* the last table: cells are added to it */
    struct zf_json numbers; /* members of the file beside those of the root */
    double seconds;         /* < 0 = not said */
    char *said;             /* lines for a terminal */
    void **rooms;           /* see zf_document_room() */
    size_t room_count, room_capacity;
    struct zf_dress dress;
    bool single_file;        /* see zf_document_single_file() */
    bool slides;             /* see zf_document_slides() */
    bool wordless;           /* it has been reported that pictures have no text */
    struct zf_error failure; /* the first one */
};

/** Remember a failure, unless there was one before. */
void zf_document_fail(struct zf_document *document, enum zf_status status,
                      const struct zf_error *failure);

/** Whether nothing has failed yet. */
bool zf_document_stands(const struct zf_document *document);

/** Another title than that of the experiment, one line. */
void zf_document_retitle(struct zf_document *document, const char *title);

/** A count for a sentence, "12 345", that lives as long as the document; "" when memory is short.
 */
const char *zf_document_count(struct zf_document *document, int64_t count);

/** zf_document_cell() with a count. */
void zf_document_count_cell(struct zf_document *document, int64_t count);

/** From now on its page holds all its pictures, however many; else see zf_document_save(). */
void zf_document_single_file(struct zf_document *document);

/** Where `file` goes, its directory made; NULL after a failure. Free with zf_free(). */
char *zf_document_place(struct zf_document *document, const char *file);

/**
 * Write directory/index.html with what the document has so far; see zf_document_save().
 * note  a sentence above it all: how far it is; NULL = it is finished
 */
enum zf_status zf_document_write_page(struct zf_document *document, const char *note,
                                      struct zf_error *err);

/** Write a picture's file, directory/file, without a block. */
void zf_document_beside(struct zf_document *document, const struct zf_picture *picture,
                        const char *file);

/**
 * zf_document_picture() with panels; NULL or none: shown whole.
 * width  px that a panel has at least where the page is wide enough; as many as fit stand side by
 *        side
 */
void zf_document_panels(struct zf_document *document, const struct zf_picture *picture,
                        const char *file, const struct zf_panel *panels, size_t count,
                        int64_t width, const char *caption);

/**
 * Write a picture's panels for a slide, of "NAME.png" as NAME+figure.png, 1920 px wide, and as
 * NAME+figure.svg; see slide.h. Without panels the whole picture is one.
 */
void zf_document_slide(struct zf_document *document, const struct zf_picture *picture,
                       const char *file, const struct zf_panel *panels, size_t count,
                       const char *title, const char *caption);

/**
 * From now on, each picture with panels is written for a slide as well, under the document's title
 * and its last heading.
 */
void zf_document_slides(struct zf_document *document);

/* What that makes of one picture; nothing unless it was called. */
void zf_document_slide_too(struct zf_document *document, const struct zf_picture *picture,
                           const char *file, const struct zf_panel *panels, size_t count,
                           const char *caption);

/**
 * Add to the document's own page what `dress` has: files under web/, and HTML `before` the first
 * replaced block and `after` all blocks, both handed over and freed with free(). A page's policy
 * lets neither style attributes nor inline scripts and handlers through (policy.h, sizes.h).
 */
void zf_document_dress(struct zf_document *document, const struct zf_dress *dress);

/* Write this HTML, also handed over, in place of the last `count` blocks. */
void zf_document_replace(struct zf_document *document, int count, char *html);

/* Where that HTML's sizes are added. */
struct zf_sizes *zf_document_sizes(struct zf_document *document);

/* ---- document_part.c: what an earlier run has made of a long document. ---- */

/**
 * The last `count` blocks, with the HTML in place of them, in a file; their own files lie beside
 * the page already.
 */
enum zf_status zf_document_keep_part(struct zf_document *document, int count, const char *path,
                                     struct zf_error *err);

/* Add what such a file has as the next blocks. ZF_EINPUT for a file that has no part. */
enum zf_status zf_document_take_part(struct zf_document *document, const char *path,
                                     struct zf_error *err);

#endif
