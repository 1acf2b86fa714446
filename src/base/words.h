/* SPDX-License-Identifier: MIT */
/* Words: names listed in a sentence, endings of names. Lists of options are in zf/option.h. */
#ifndef ZF_BASE_WORDS_H
#define ZF_BASE_WORDS_H

#include "zf/base.h"

/** Whether `text` ends in `ending` and has something before it. */
bool zf_ends_in(const char *text, const char *ending);

/**
 * Append a name to the list in `names` of `size` bytes: "", "a", "a, b". From the first on that
 * does not fit, the list ends in ", ...".
 */
void zf_add_name(char *names, size_t size, const char *name);

#define ZF_COUNT_TEXT 64 /* bytes of a count as text */

/**
 * A whole number with a gap between each three of its digits, "12 345 678", so that a person can
 * read it. gap   a few bytes: " " where columns are counted, ZF_THIN_GAP on a page text
 * [ZF_COUNT_TEXT], written; returned
 */
const char *zf_count_text(int64_t value, const char *gap, char *text);

#define ZF_THIN_GAP "\u202f" /* narrow, and no line breaks there */

/** Bytes of the UTF-8 character at `text` (Unicode, table 3-7), 0 where there is none. */
size_t zf_utf8_length(const char *text);

#endif
