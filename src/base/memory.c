/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64 /* a cache line, and what AVX-512 loads like */

bool (*zf_alloc_allowed)(size_t bytes);
bool (*zf_alloc_plain_allowed)(size_t bytes);

void *zf_alloc_raw(size_t count, size_t size)
{
    size_t bytes;
    void *memory = NULL;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT)
        return NULL;
    bytes = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT;
    if (zf_alloc_allowed && !zf_alloc_allowed(bytes))
        return NULL;
    if (posix_memalign(&memory, ALIGNMENT, bytes) != 0)
        return NULL;
    return memory;
}

void *zf_alloc_plain(size_t bytes)
{
    return zf_alloc_plain_allowed && !zf_alloc_plain_allowed(bytes) ? NULL : malloc(bytes);
}

void *zf_alloc(size_t count, size_t size)
{
    void *memory = zf_alloc_raw(count, size);

    if (memory)
        memset(memory, 0, count * size);
    return memory;
}

bool zf_memory_left(size_t bytes)
{
    void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return room != MAP_FAILED && munmap(room, bytes) == 0;
}

bool zf_grow(void **items, size_t *capacity, size_t need, size_t size)
{
    size_t wanted = *capacity ? *capacity : 16;
    void *larger;

    if (need <= *capacity)
        return true;
    while (wanted < need) {
        if (__builtin_mul_overflow(wanted, (size_t)2, &wanted))
            return false;
    }
    larger = zf_alloc_raw(wanted, size);
    if (!larger)
        return false;
    if (*items)
        memcpy(larger, *items, *capacity * size);
    zf_free(*items);
    *items = larger;
    *capacity = wanted;
    return true;
}

char *zf_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = zf_alloc_raw(size, 1);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

char *zf_format_list(const char *format, va_list args)
{
    va_list again;
    int length;
    char *text = NULL;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    if (length >= 0)
        text = zf_alloc_raw((size_t)length + 1, 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

char *zf_format(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = zf_format_list(format, args);
    va_end(args);
    return text;
}

void zf_free(void *memory)
{
    free(memory);
}

bool zf_mul3(int64_t a, int64_t b, int64_t c, int64_t *product)
{
    int64_t ab;

    if (a < 0 || b < 0 || c < 0)
        return false;
    return !__builtin_mul_overflow(a, b, &ab) && !__builtin_mul_overflow(ab, c, product);
}
