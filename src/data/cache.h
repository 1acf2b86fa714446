/* SPDX-License-Identifier: MIT */
/* Decoded squares kept in memory, so that a small data set is decoded once and not every epoch. */
#ifndef ZF_DATA_CACHE_H
#define ZF_DATA_CACHE_H

#include "zf/image.h"

/* What the squares of one data set may take together, of a training and of what only goes over it
   twice. */
#define ZF_CACHE_MAX_BYTES ((int64_t)1 << 30)
#define ZF_CACHE_SOME_BYTES ((int64_t)64 << 20)

struct zf_cache;

struct zf_cache *zf_cache_create(void); /* NULL when memory is short */
void zf_cache_free(struct zf_cache **cache);

/* See zf_data_keep(). bytes: the most of all squares; what was wanted before is not made less. */
void zf_cache_want(struct zf_cache *cache, int64_t bytes);

/**
 * Begin to keep `count` squares of this geometry, when they are wanted and all of them fit within
 * the bound; does nothing otherwise, or when memory is short.
 */
void zf_cache_enable(struct zf_cache *cache, struct zf_geometry geometry, int64_t count);

/* Copy the square of sample i to `pixels`; false when it is not there. Thread-safe. */
bool zf_cache_get(const struct zf_cache *cache, struct zf_geometry geometry, int64_t i,
                  uint8_t *pixels);

/* Keep a copy of `pixels`, if squares of this geometry are kept. Thread-safe. */
void zf_cache_put(struct zf_cache *cache, struct zf_geometry geometry, int64_t i,
                  const uint8_t *pixels);

#endif
