/* SPDX-License-Identifier: MIT */
/**
 * Laying buffers out in one arena: those that are never in use together share memory.
 *
 * A buffer is in use from its first to its last step, both included. Placing them to the smallest
 * total is NP-hard; the largest first, each at the lowest place that is free for its whole time,
 * comes within a few percent for nets.
 */
#ifndef ZF_ENGINE_ARENA_H
#define ZF_ENGINE_ARENA_H

#include "zf/base.h"

#define ZF_ARENA_ALIGNMENT 64
#define ZF_ARENA_FOREVER INT64_MAX /* as `last`, with first = 0: never shared */

struct zf_arena_item {
    size_t bytes;
    int64_t first, last; /* steps; first <= last */
    size_t offset;       /* the answer: a multiple of ZF_ARENA_ALIGNMENT */
};

/**
 * Set each item's offset, and *total to the bytes that the arena needs. Equal input gives equal
 * offsets. False, with nothing changed but offsets, when memory is short or the total does not fit
 * a size_t.
 */
bool zf_arena_assign(struct zf_arena_item *items, size_t count, size_t *total);

#endif
