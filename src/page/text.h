/* SPDX-License-Identifier: MIT */
/* Bytes from outside (paths, labels, layer names) on their way into HTML and JSON. */
#ifndef ZF_PAGE_TEXT_H
#define ZF_PAGE_TEXT_H

#include <stdio.h>

#include <cjson/cJSON.h>

/**
 * A copy that is valid UTF-8: a path is any bytes, JSON is not. Bytes that belong to no character
 * become U+FFFD. NULL when memory is short; free with zf_free().
 */
char *zf_text_utf8(const char *bytes);

/* The same as a JSON string, NULL as null; NULL when memory is short. */
cJSON *zf_text_json(const char *bytes);

/* A member that is a text; "" where there is none. Lent by `object`. */
const char *zf_text_of(const cJSON *object, const char *key);

/* Write text as content or quoted attribute of HTML. Bytes >= 0x80 stay. */
void zf_text_html(FILE *stream, const char *text);

/* Write JSON such that it can stand in a <script>. */
void zf_text_script(FILE *stream, const char *json);

void zf_text_base64(FILE *stream, const unsigned char *bytes, size_t size);

#endif
