/* SPDX-License-Identifier: MIT */
/* Names of classes that two sides wrote differently. */
#ifndef ZF_DATA_NAMES_H
#define ZF_DATA_NAMES_H

#include <stdbool.h>

#include "base/directory.h"

/* The same bytes, or the same letters: an accent is a character of its own in names that come from
   a Mac, and part of its letter elsewhere (Unicode's forms NFD and NFC). */
bool zf_names_equal(const char *a, const char *b);

/* Two names that differ in capitals or in those forms alone, the first such in order; NULL where
   there are none. ZF_ENOMEM is the only failure. */
enum zf_status zf_names_find_twins(const struct zf_names *names, const char **first,
                                   const char **second, struct zf_error *err);

#endif
