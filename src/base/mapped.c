/* SPDX-License-Identifier: MIT */
#include "base/mapped.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#define LONGEST_PATH 512

/* Read by a signal's handler, which can wait for no lock and reach no memory that may be given
   back: `data` is set last and cleared first, and the path stays where it is. */
struct mapped {
    _Atomic uintptr_t data;
    size_t size;
    bool watched;
    struct stat info;
    char path[LONGEST_PATH];
};

static struct mapped all[ZF_MOST_MAPPED];
static char changed[LONGEST_PATH];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under the lock. */
static struct mapped *find(uintptr_t data)
{
    for (int i = 0; i < ZF_MOST_MAPPED; i++)
        if (atomic_load(&all[i].data) == data)
            return &all[i];
    return NULL;
}

void zf_mapped_add(const void *data, size_t size, const char *path, const struct stat *info)
{
    struct mapped *mapped;

    pthread_mutex_lock(&lock);
    mapped = find(0);
    if (mapped) {
        mapped->size = size;
        mapped->watched = false;
        mapped->info = *info;
        snprintf(mapped->path, sizeof mapped->path, "%s", path);
        atomic_store(&mapped->data, (uintptr_t)data);
    }
    pthread_mutex_unlock(&lock);
}

void zf_mapped_watch(const void *data)
{
    struct mapped *mapped;

    pthread_mutex_lock(&lock);
    mapped = find((uintptr_t)data);
    if (mapped)
        mapped->watched = true;
    pthread_mutex_unlock(&lock);
}

/* A file that took the other's name is another file; the mapped one is as it was. */
static bool was_written(const struct mapped *mapped)
{
    const struct stat *was = &mapped->info;
    struct stat now;

    return stat(mapped->path, &now) == 0 && now.st_ino == was->st_ino &&
           now.st_dev == was->st_dev &&
           (now.st_size != was->st_size || now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != was->st_mtim.tv_nsec);
}

void zf_mapped_remove(const void *data)
{
    struct mapped *mapped;

    pthread_mutex_lock(&lock);
    mapped = find((uintptr_t)data);
    if (mapped) {
        if (mapped->watched && !changed[0] && was_written(mapped))
            snprintf(changed, sizeof changed, "%s", mapped->path);
        atomic_store(&mapped->data, 0);
    }
    pthread_mutex_unlock(&lock);
}

const char *zf_mapped_file_at(const void *address)
{
    const uintptr_t at = (uintptr_t)address;

    for (int i = 0; i < ZF_MOST_MAPPED; i++) {
        const uintptr_t data = atomic_load(&all[i].data);

        if (data && at >= data && at - data < all[i].size)
            return all[i].path;
    }
    return NULL;
}

const char *zf_changed_file(void)
{
    const char *path;

    pthread_mutex_lock(&lock);
    path = changed[0] ? changed : NULL;
    pthread_mutex_unlock(&lock);
    return path;
}
