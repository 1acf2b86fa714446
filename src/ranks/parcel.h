/* SPDX-License-Identifier: MIT */
/* Bytes that are packed in one rank and taken out in another, in the same order. */
#ifndef ZF_RANKS_PARCEL_H
#define ZF_RANKS_PARCEL_H

#include <stdbool.h>
#include <stddef.h>

/* Empty when zeroed. The pieces lie at multiples of 8 bytes. */
struct zf_parcel {
    char *bytes;
    size_t size, capacity;
    size_t taken; /* so far */
    bool no_memory;
};

void zf_parcel_release(struct zf_parcel *parcel);

/** Empty it, for what comes next in the same room. */
void zf_parcel_clear(struct zf_parcel *parcel);

/** Room for so many bytes, to be written before the next call; NULL, and `no_memory`, without. */
void *zf_parcel_room(struct zf_parcel *parcel, size_t bytes);

/** A copy of them; what is told by `no_memory`. */
void zf_parcel_add(struct zf_parcel *parcel, const void *data, size_t bytes);

/** The next so many bytes, lent as long as the parcel is as it is. */
const void *zf_parcel_next(struct zf_parcel *parcel, size_t bytes);

#endif
