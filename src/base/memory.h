/* SPDX-License-Identifier: MIT */
/* All allocation of the library goes through here, so that tests can make the n-th one fail. */
#ifndef ZF_BASE_MEMORY_H
#define ZF_BASE_MEMORY_H

#include <stdarg.h>

#include "zf/base.h"

/**
 * Zeroed room for `count` items of `size` bytes, aligned to 64 bytes; NULL on overflow or when
 * memory is short. A count of 0 gives a valid pointer. Free with zf_free() of zf/base.h.
 */
void *zf_alloc(size_t count, size_t size);

/**
 * The same without zeroing, for large buffers that are written completely.
 */
void *zf_alloc_raw(size_t count, size_t size);

/* Room that is only aligned for any type, for the many small pieces of a library. */
void *zf_alloc_plain(size_t bytes);

/**
 * Grow an array to at least `need` items; *capacity is updated. Keeps the contents, does not zero
 * the rest. False, with everything unchanged, when memory is short.
 */
bool zf_grow(void **items, size_t *capacity, size_t need, size_t size);

/**
 * Whether the process may have this much more address space. Some libraries crash where a little of
 * their own is refused, so they are not asked to go on when little is left.
 */
bool zf_memory_left(size_t bytes);

char *zf_strdup(const char *text);

/* A formatted string of any length; NULL when memory is short. Free with zf_free(). */
char *zf_format(const char *format, ...) ZF_PRINTF(1, 2);
char *zf_format_list(const char *format, va_list args) ZF_PRINTF(1, 0);

/* a * b * c without overflow; false if it does not fit or one is negative. */
bool zf_mul3(int64_t a, int64_t b, int64_t c, int64_t *product);

/**
 * Test hook: NULL, or asked before each allocation; returning false makes it fail. Not for use
 * while other threads allocate.
 */
extern bool (*zf_alloc_allowed)(size_t bytes);

/* The same for zf_alloc_plain() alone: JSON that is being built when a piece of it fails is not yet
   given back everywhere. */
extern bool (*zf_alloc_plain_allowed)(size_t bytes);

#endif
