/* SPDX-License-Identifier: MIT */
/* What a document is made of, for those who read it back. */
#ifndef ZF_REPORT_DOCUMENT_H
#define ZF_REPORT_DOCUMENT_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/document.h"

/*
 * A document is a JSON object from the first call on; the page is written from it, and so is the
 * report's, from the same object read back:
 *
 *     {"kind","title","command","parameters":[{"name","value"}],"blocks":[
 *         {"type":"heading","text"} | {"type":"paragraph","text"}
 *         | {"type":"table","caption","columns":[...],"rows":[[...]]}
 *         | {"type":"picture","file","caption","width","height"}
 *         | {"type":"charts","file","caption","columns","charts":[...]}]}
 *
 * Texts are UTF-8; files lie in the document's directory.
 */

/* A document without blocks; NULL when memory is short. command may be NULL. */
cJSON *zf_document_root(const char *kind, const char *title, const char *command);

/* Add to a root; false when memory is short. */
bool zf_document_add_text(cJSON *root, const char *type, const char *text);
bool zf_document_add_parameter(cJSON *root, const char *name, const char *value);
bool zf_document_add_picture(cJSON *root, const char *file, const char *caption, int64_t width,
                             int64_t height);
bool zf_document_add_charts(cJSON *root, const char *file, const char *caption,
                            const struct zf_chart *charts, size_t count, size_t columns);

/* ---- document_page.c ---- */

/* One document on a page of several. */
struct zf_section {
    const cJSON *root;
    const char *directory; /* of its files */
    const char *id;        /* of its heading within the page, and the beginning of others */
};

/**
 * Write a page, self-contained: one document, or several below `title` with their contents listed.
 * ZF_EINPUT for a block that is not as above, or whose picture is missing; ZF_EIO, ZF_ENOMEM.
 */
enum zf_status zf_sections_write(const char *path, const char *title, const char *lead,
                                 const struct zf_section *sections, size_t count,
                                 struct zf_error *err);

#endif
