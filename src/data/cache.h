/* SPDX-License-Identifier: MIT */
/* Decoded squares kept in memory, so that a small data set is decoded once and not every epoch. */
#ifndef ZF_DATA_CACHE_H
#define ZF_DATA_CACHE_H

#include "zf/image.h"

/* What the squares of one data set may take together. */
#define ZF_CACHE_MAX_BYTES ((int64_t)1 << 30)

struct zf_cache;

struct zf_cache *zf_cache_create(void); /* NULL when memory is short */
void zf_cache_free(struct zf_cache **cache);

void zf_cache_want(struct zf_cache *cache); /* see zf_data_keep() */

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
