/* SPDX-License-Identifier: MIT */
/* Names of classes that two sides wrote differently. */
#ifndef ZF_DATA_NAMES_H
#define ZF_DATA_NAMES_H

#include <stdbool.h>

/* The same bytes, or the same letters: an accent is a character of its own in names that come from
   a Mac, and part of its letter elsewhere (Unicode's forms NFD and NFC). */
bool zf_names_equal(const char *a, const char *b);

#endif
