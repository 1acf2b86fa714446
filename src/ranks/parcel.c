/* SPDX-License-Identifier: MIT */
#include "ranks/parcel.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

/* What a piece takes. */
static size_t padded(size_t bytes)
{
    return (bytes + 7) / 8 * 8;
}

void zf_parcel_release(struct zf_parcel *parcel)
{
    zf_free(parcel->bytes);
    *parcel = (struct zf_parcel){0};
}

void zf_parcel_clear(struct zf_parcel *parcel)
{
    parcel->size = parcel->taken = 0;
    parcel->no_memory = false;
}

void *zf_parcel_room(struct zf_parcel *parcel, size_t bytes)
{
    const size_t at = parcel->size;
    void *items = parcel->bytes;

    if (parcel->no_memory || !zf_grow(&items, &parcel->capacity, at + padded(bytes), 1)) {
        parcel->no_memory = true;
        return NULL;
    }
    parcel->bytes = items;
    parcel->size = at + padded(bytes);
    memset(parcel->bytes + at + bytes, 0, padded(bytes) - bytes);
    return parcel->bytes + at;
}

void zf_parcel_add(struct zf_parcel *parcel, const void *data, size_t bytes)
{
    void *room = zf_parcel_room(parcel, bytes);

    if (room && bytes > 0)
        memcpy(room, data, bytes);
}

const void *zf_parcel_next(struct zf_parcel *parcel, size_t bytes)
{
    const size_t at = parcel->taken;

    assert(padded(bytes) <= parcel->size - at);
    parcel->taken = at + padded(bytes);
    return parcel->bytes + at;
}
