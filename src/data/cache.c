/* SPDX-License-Identifier: MIT */
/*
 * One store for each geometry asked for, in a list that only grows at its front: readers follow it
 * without a lock. A square goes EMPTY -> WRITING -> READY; whoever wins the first step writes it.
 */
#include "data/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"

enum state { EMPTY, WRITING, READY };

struct store {
    struct store *next;
    struct zf_geometry geometry;
    size_t square_bytes;
    atomic_uchar *states; /* [count] */
    uint8_t *pixels;      /* [count][square_bytes]; pages that are never written cost nothing */
};

struct zf_cache {
    _Atomic int64_t wanted; /* bytes, 0 = none */
    pthread_mutex_t growing;
    _Atomic(struct store *) first;
    int64_t bytes;
};

struct zf_cache *zf_cache_create(void)
{
    struct zf_cache *cache = zf_alloc(1, sizeof *cache);

    if (cache && pthread_mutex_init(&cache->growing, NULL) != 0) {
        zf_free(cache);
        cache = NULL;
    }
    return cache;
}

static void store_free(struct store *store)
{
    if (store) {
        zf_free(store->states);
        zf_free(store->pixels);
        zf_free(store);
    }
}

void zf_cache_free(struct zf_cache **cache)
{
    if (!cache || !*cache)
        return;
    for (struct store *store = atomic_load(&(*cache)->first), *next; store; store = next) {
        next = store->next;
        store_free(store);
    }
    pthread_mutex_destroy(&(*cache)->growing);
    zf_free(*cache);
    *cache = NULL;
}

static struct store *find(const struct zf_cache *cache, struct zf_geometry geometry)
{
    struct store *store = atomic_load_explicit(&cache->first, memory_order_acquire);

    while (store &&
           (store->geometry.height != geometry.height || store->geometry.width != geometry.width ||
            store->geometry.resize != geometry.resize ||
            store->geometry.kept_height != geometry.kept_height ||
            store->geometry.kept_width != geometry.kept_width))
        store = store->next;
    return store;
}

static struct store *store_create(int64_t count, struct zf_geometry geometry)
{
    struct store *store = zf_alloc(1, sizeof *store);

    if (!store)
        return NULL;
    store->geometry = geometry;
    store->square_bytes = (size_t)(geometry.height * geometry.width * 3);
    store->states = zf_alloc((size_t)count, sizeof *store->states);
    store->pixels = zf_alloc_raw((size_t)count, store->square_bytes);
    if (!store->states || !store->pixels) {
        store_free(store);
        return NULL;
    }
    return store;
}

void zf_cache_want(struct zf_cache *cache, int64_t bytes)
{
    int64_t wanted = atomic_load(&cache->wanted);

    while (wanted < bytes && !atomic_compare_exchange_weak(&cache->wanted, &wanted, bytes))
        ;
}

void zf_cache_enable(struct zf_cache *cache, struct zf_geometry geometry, int64_t count)
{
    int64_t bytes;

    if (!zf_mul3(geometry.height * 3, geometry.width, count, &bytes))
        return;
    pthread_mutex_lock(&cache->growing);
    if (!find(cache, geometry) && bytes <= atomic_load(&cache->wanted) - cache->bytes) {
        struct store *store = store_create(count, geometry);
        if (store) {
            cache->bytes += bytes;
            store->next = atomic_load(&cache->first);
            atomic_store_explicit(&cache->first, store, memory_order_release);
        }
    }
    pthread_mutex_unlock(&cache->growing);
}

bool zf_cache_get(const struct zf_cache *cache, struct zf_geometry geometry, int64_t i,
                  uint8_t *pixels)
{
    const struct store *store = find(cache, geometry);

    if (!store || atomic_load_explicit(&store->states[i], memory_order_acquire) != READY)
        return false;
    memcpy(pixels, store->pixels + (size_t)i * store->square_bytes, store->square_bytes);
    return true;
}

void zf_cache_put(struct zf_cache *cache, struct zf_geometry geometry, int64_t i,
                  const uint8_t *pixels)
{
    struct store *store = find(cache, geometry);
    unsigned char expected = EMPTY;

    if (!store || !atomic_compare_exchange_strong(&store->states[i], &expected, WRITING))
        return;
    memcpy(store->pixels + (size_t)i * store->square_bytes, pixels, store->square_bytes);
    atomic_store_explicit(&store->states[i], READY, memory_order_release);
}
