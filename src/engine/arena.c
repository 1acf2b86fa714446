/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdlib.h>

#include "base/memory.h"

static bool together(const struct zf_arena_item *a, const struct zf_arena_item *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Largest first; among equals the earlier, so that the order does not depend on qsort(). */
static int by_size(const void *left, const void *right)
{
    const struct zf_arena_item *a = *(struct zf_arena_item *const *)left;
    const struct zf_arena_item *b = *(struct zf_arena_item *const *)right;

    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* The lowest offset where `bytes` are free; placed[] is ordered by offset. */
static size_t lowest_gap(const struct zf_arena_item *item, size_t bytes,
                         struct zf_arena_item *const *placed, size_t count)
{
    size_t free_from = 0;

    for (size_t i = 0; i < count; i++) {
        const struct zf_arena_item *other = placed[i];
        size_t end;

        if (!together(item, other))
            continue;
        if (other->offset >= free_from && other->offset - free_from >= bytes)
            break;
        end = other->offset +
              (other->bytes + ZF_ARENA_ALIGNMENT - 1) / ZF_ARENA_ALIGNMENT * ZF_ARENA_ALIGNMENT;
        if (end > free_from)
            free_from = end;
    }
    return free_from;
}

bool zf_arena_assign(struct zf_arena_item *items, size_t count, size_t *total)
{
    struct zf_arena_item **order = zf_alloc(count, sizeof *order);
    struct zf_arena_item **placed = zf_alloc(count, sizeof *placed);
    bool fits = order && placed;
    size_t high = 0;

    for (size_t i = 0; fits && i < count; i++)
        order[i] = &items[i];
    if (fits && count > 0)
        qsort(order, count, sizeof *order, by_size);
    for (size_t i = 0; fits && i < count; i++) {
        struct zf_arena_item *item = order[i];
        size_t bytes, end, at = i;

        fits = item->bytes <= SIZE_MAX - ZF_ARENA_ALIGNMENT;
        if (!fits)
            break;
        bytes = (item->bytes + ZF_ARENA_ALIGNMENT - 1) / ZF_ARENA_ALIGNMENT * ZF_ARENA_ALIGNMENT;
        item->offset = lowest_gap(item, bytes, placed, i);
        fits = !__builtin_add_overflow(item->offset, bytes, &end);
        if (!fits)
            break;
        if (end > high)
            high = end;
        for (; at > 0 && placed[at - 1]->offset > item->offset; at--)
            placed[at] = placed[at - 1];
        placed[at] = item;
    }
    if (fits)
        *total = high;
    zf_free(order);
    zf_free(placed);
    return fits;
}
