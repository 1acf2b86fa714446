/* SPDX-License-Identifier: MIT */
/* Words: names joined for a sentence, endings of names. Lists of options are in zf/option.h. */
#ifndef ZF_BASE_WORDS_H
#define ZF_BASE_WORDS_H

#include "zf/base.h"

/** Whether `text` ends in `ending` and has something before it. */
bool zf_ends_in(const char *text, const char *ending);

/**
 * "a", "a and b", "a, b and c"; nothing of none. NULL when memory is short; free with zf_free().
 */
char *zf_join_names(const char *const *names, size_t count);

#endif
