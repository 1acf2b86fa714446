/* SPDX-License-Identifier: MIT */
#include "data/shard_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/shard_index.h"

#define MOST_OPEN 1024

enum zf_status zf_shard_files_init(struct zf_shard_files *files, char *const *names, size_t count,
                                   struct zf_error *err)
{
    struct rlimit limit;
    int most = MOST_OPEN;

    files->items = zf_alloc(count, sizeof *files->items);
    if (!files->items)
        return zf_no_memory(err, "%zu shards", count);
    for (; files->count < count; files->count++) {
        struct zf_shard_file *file = &files->items[files->count];

        atomic_init(&file->fd, -1);
        file->path = zf_strdup(names[files->count]);
        if (!file->path)
            return zf_no_memory(err, "%zu shards", count);
    }
    /* What else the process opens has the other half. */
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < MOST_OPEN)
        most = (int)(limit.rlim_cur / 2);
    atomic_init(&files->open, 0);
    atomic_init(&files->most_open, most);
    return ZF_OK;
}

void zf_shard_files_release(struct zf_shard_files *files)
{
    for (size_t k = 0; k < files->count; k++) {
        const int fd = atomic_load(&files->items[k].fd);

        if (fd >= 0)
            close(fd);
        zf_free(files->items[k].path);
    }
    zf_free(files->items);
    files->items = NULL;
    files->count = 0;
}

static enum zf_status open_tar(const char *path, int *fd, struct stat *info, struct zf_error *err)
{
    enum zf_status status = ZF_OK;

    *fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* not waiting for a FIFO's writer */
    if (*fd < 0)
        return zf_fail_errno(err, zf_status_of_errno(errno), errno, "%s", path);
    if (fstat(*fd, info) != 0)
        status = zf_fail_errno(err, zf_status_of_errno(errno), errno, "%s", path);
    else if (!S_ISREG(info->st_mode))
        status = zf_fail(err, ZF_EINPUT, "%s: not a regular file", path);
    if (status != ZF_OK)
        close(*fd);
    return status;
}

/* ---- Indexes ---- */

/* Many tars may be called the same, so the name has a number of the whole path. */
static char *path_in_cache(const struct zf_monitor *monitor, const char *tar)
{
    char *whole, *path;
    const char *slash = strrchr(tar, '/');

    if (!monitor || !monitor->cache_directory || !(whole = realpath(tar, NULL)))
        return NULL;
    path = zf_format("%s/%016" PRIx64 "-%s" ZF_INDEX_ENDING, monitor->cache_directory,
                     zf_fnv(ZF_FNV_START, whole, strlen(whole)), slash ? slash + 1 : tar);
    free(whole);
    return path;
}

/* Beside the tar, or in the cache. That it cannot be kept is no failure. */
static bool keep_index(const char *beside, const char *cached, const struct zf_monitor *monitor,
                       const struct zf_shard *shard, const struct stat *info)
{
    if (zf_index_save(beside, shard, info, NULL) == ZF_OK)
        return true;
    return cached && zf_directory_make(monitor->cache_directory, NULL) == ZF_OK &&
           zf_index_save(cached, shard, info, NULL) == ZF_OK;
}

enum zf_status zf_shard_files_load(struct zf_shard_files *files, size_t k,
                                   const struct zf_monitor *monitor, struct zf_shard *shard,
                                   bool *kept, struct zf_error *err)
{
    struct zf_shard_file *file = &files->items[k];
    const struct zf_shard_watch watch = {monitor, (int64_t)k, (int64_t)files->count};
    struct zf_tar_source source = {.name = file->path};
    char *beside = zf_format("%s" ZF_INDEX_ENDING, file->path), *cached = NULL;
    enum zf_status status;
    struct stat info;

    *kept = true;
    source.fd = -1;
    if (!beside)
        return zf_no_memory(err, "the index of %s", file->path);
    status = open_tar(file->path, &source.fd, &info, err);
    if (status != ZF_OK) {
        zf_free(beside);
        return status;
    }
    source.size = (uint64_t)info.st_size;
    file->size = source.size;
    file->changed_s = (int64_t)info.st_mtim.tv_sec;
    file->changed_ns = (int64_t)info.st_mtim.tv_nsec;
    if (zf_index_load(beside, &source, &info, shard))
        goto fail;
    cached = path_in_cache(monitor, file->path);
    if (cached && zf_index_load(cached, &source, &info, shard))
        goto fail;
    ZF_TRY(zf_shard_read(source, &watch, shard, err));
    *kept = keep_index(beside, cached, monitor, shard, &info);
fail:
    close(source.fd);
    zf_free(beside);
    zf_free(cached);
    return status;
}

/* ---- Bytes ---- */

static enum zf_status is_unchanged(const struct zf_shard_file *file, const struct stat *info,
                                   struct zf_error *err)
{
    if ((uint64_t)info->st_size == file->size && info->st_mtim.tv_sec == file->changed_s &&
        info->st_mtim.tv_nsec == file->changed_ns)
        return ZF_OK;
    return zf_fail(err, ZF_EIO, "%s was changed while it was in use", file->path);
}

/* A descriptor of the file; *ours says whether the caller closes it. */
static enum zf_status borrow(struct zf_shard_files *files, struct zf_shard_file *file, int *fd,
                             bool *ours, struct zf_error *err)
{
    enum zf_status status;
    struct stat info;
    int none = -1;

    *ours = false;
    *fd = atomic_load(&file->fd);
    if (*fd >= 0)
        return ZF_OK;
    ZF_CHECK(open_tar(file->path, fd, &info, err));
    status = is_unchanged(file, &info, err);
    if (status != ZF_OK) {
        close(*fd);
        return status;
    }
    *ours = true;
    if (atomic_fetch_add(&files->open, 1) >= atomic_load(&files->most_open) ||
        !atomic_compare_exchange_strong(&file->fd, &none, *fd))
        atomic_fetch_sub(&files->open, 1);
    else
        *ours = false;
    return ZF_OK;
}

enum zf_status zf_shard_files_read(struct zf_shard_files *files, struct zf_shard_place place,
                                   uint8_t **out, struct zf_error *err)
{
    struct zf_shard_file *file = &files->items[place.file];
    const size_t size = (size_t)place.size + ZF_TAR_BLOCK;
    struct zf_tar_source source = {.name = file->path, .size = file->size};
    uint8_t *block = NULL;
    enum zf_status status;
    bool ours = false;

    ZF_CHECK(borrow(files, file, &source.fd, &ours, err));
    block = zf_alloc_raw(size, 1);
    if (!block)
        ZF_LEAVE(zf_no_memory(err, "a picture of %" PRIu32 " bytes", place.size));
    ZF_TRY(zf_tar_read(&source, place.offset - ZF_TAR_BLOCK, block, size, err));
    if (zf_crc32c(0, block, ZF_TAR_BLOCK) != place.crc)
        ZF_LEAVE(zf_fail(err, ZF_EIO,
                         "%s at offset %" PRIu64
                         " is not what its index says: it was changed; remove %s" ZF_INDEX_ENDING,
                         file->path, place.offset - ZF_TAR_BLOCK, file->path));
    *out = block;
    block = NULL;
fail:
    if (ours)
        close(source.fd);
    zf_free(block);
    return status;
}
