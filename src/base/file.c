/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* fopencookie() */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapped.h"
#include "memory.h"
#include "status.h"

enum zf_status zf_status_of_errno(int error_number)
{
    static const int of_the_path[] = {ENOENT, ENOTDIR, EISDIR, EACCES,       EPERM,
                                      EROFS,  ENXIO,   ELOOP,  ENAMETOOLONG, EINVAL};

    for (size_t k = 0; k < ZF_COUNT(of_the_path); k++) {
        if (error_number == of_the_path[k])
            return ZF_EINPUT;
    }
    return error_number == ENOMEM ? ZF_ENOMEM : ZF_EIO;
}

/* A descriptor in *fd, and what is known of the file. Opening does not wait for a FIFO's writer. */
static enum zf_status open_regular(const char *path, int *fd, struct stat *info,
                                   struct zf_error *err)
{
    const int opened = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    enum zf_status status = ZF_OK;

    /* Permission may be a matter of a moment, too: nothing is replaced for want of it. */
    if (opened < 0)
        return zf_fail_errno(err, errno == EACCES ? ZF_EIO : zf_status_of_errno(errno), errno, "%s",
                             path);
    if (fstat(opened, info) != 0)
        status = zf_fail_errno(err, zf_status_of_errno(errno), errno, "%s", path);
    else if (S_ISDIR(info->st_mode))
        status = zf_fail(err, ZF_EINPUT, "%s is a directory: not a regular file", path);
    else if (!S_ISREG(info->st_mode))
        status = zf_fail(err, ZF_EINPUT, "%s: not a regular file", path);
    if (status != ZF_OK)
        close(opened);
    else
        *fd = opened;
    return status;
}

enum zf_status zf_bytes_map(struct zf_bytes *bytes, const char *path, size_t limit,
                            struct zf_error *err)
{
    enum zf_status status;
    struct stat info;
    void *data = NULL;
    int fd = -1;

    ZF_CHECK(open_regular(path, &fd, &info, err));
    if ((uint64_t)info.st_size > limit)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " bytes, more than the limit of %zu", path,
                         info.st_size, limit));
    if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = zf_fail_errno(err, errno == ENOMEM ? ZF_ENOMEM : ZF_EIO, errno, "%s", path);
            goto fail;
        }
    }
    if (data)
        zf_mapped_add(data, (size_t)info.st_size, path, &info);
    *bytes = (struct zf_bytes){data, (size_t)info.st_size, data != NULL};
    status = ZF_OK;
fail:
    close(fd);
    return status;
}

enum zf_status zf_file_open(FILE **out, const char *path, struct zf_error *err)
{
    struct stat info;
    int fd = -1;

    ZF_CHECK(open_regular(path, &fd, &info, err));
    *out = fdopen(fd, "rb");
    if (!*out) {
        zf_fail_errno(err, ZF_EIO, errno, "%s", path);
        close(fd);
        return ZF_EIO;
    }
    return ZF_OK;
}

void zf_bytes_release(struct zf_bytes *bytes)
{
    if (bytes->mapped) {
        zf_mapped_remove(bytes->data);
        munmap((void *)(uintptr_t)bytes->data, bytes->size);
    }
    *bytes = (struct zf_bytes){0};
}

bool zf_bytes_make_writable(const struct zf_bytes *bytes)
{
    return bytes->mapped &&
           mprotect((void *)(uintptr_t)bytes->data, bytes->size, PROT_READ | PROT_WRITE) == 0;
}

/* A stream forgets why a write failed, so what is below it does not. */
struct zf_sink {
    int fd, error;
};

static ssize_t sink_write(void *cookie, const char *bytes, size_t size)
{
    struct zf_sink *sink = cookie;
    size_t done = 0;

    while (done < size) {
        const ssize_t written = write(sink->fd, bytes + done, size - done);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            if (sink->error == 0)
                sink->error = written < 0 ? errno : EIO;
            return 0;
        }
        done += (size_t)written;
    }
    return (ssize_t)size;
}

static int sink_seek(void *cookie, off64_t *offset, int whence)
{
    const struct zf_sink *sink = cookie;
    const off_t place = lseek(sink->fd, *offset, whence);

    if (place < 0)
        return -1;
    *offset = place;
    return 0;
}

/* NAME.tmp-0, empty and locked, in *fd; -1 there when somebody else writes it, or something else
   stands there. False, with errno, when it cannot be told. */
static bool take_temporary(const char *temporary, int *fd)
{
    const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    const int opened = open(temporary, flags, 0666);
    struct stat own, named = {0};
    bool told = true, ours = false;

    *fd = -1;
    if (opened < 0)
        return true;
    if (flock(opened, LOCK_EX | LOCK_NB) == 0) {
        /* Between opening and locking another process may have renamed it to its final name. */
        told = fstat(opened, &own) == 0 && (lstat(temporary, &named) == 0 || errno == ENOENT);
        ours = told && S_ISREG(own.st_mode) && own.st_nlink == 1 && named.st_ino == own.st_ino &&
               named.st_dev == own.st_dev;
        if (ours && ftruncate(opened, 0) != 0)
            told = ours = false;
    }
    if (ours) {
        *fd = opened;
    } else {
        const int failure = errno;

        close(opened);
        errno = failure;
    }
    return told;
}

enum zf_status zf_output_open(struct zf_output *output, const char *path, struct zf_error *err)
{
    static const cookie_io_functions_t calls = {.write = sink_write, .seek = sink_seek};
    enum zf_status status;
    struct zf_output opened = {.path = zf_strdup(path), .temporary = zf_format("%s.tmp-0", path)};

    opened.sink = zf_alloc(1, sizeof *opened.sink);
    if (opened.sink)
        opened.sink->fd = -1;
    if (!opened.path || !opened.temporary || !opened.sink) {
        zf_free(opened.temporary); /* nothing is there to be removed */
        opened.temporary = NULL;
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    }
    if (!take_temporary(opened.temporary, &opened.sink->fd))
        ZF_LEAVE(zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", path));
    if (opened.sink->fd < 0) {
        zf_free(opened.temporary);
        opened.temporary = zf_format("%s.tmp-%ld", path, (long)getpid());
        if (!opened.temporary)
            ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
        opened.sink->fd = open(opened.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (opened.sink->fd < 0 || !(opened.stream = fopencookie(opened.sink, "wb", calls))) {
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", path);
        goto fail;
    }
    *output = opened;
    return ZF_OK;
fail:
    zf_output_discard(&opened);
    return status;
}

/* The rename itself is only durable once its directory is on disk. */
static void sync_directory_of(const char *path)
{
    char *directory = zf_strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    int fd;

    if (slash)
        *(slash == directory ? slash + 1 : slash) = '\0';
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    zf_free(directory);
}

enum zf_status zf_output_commit(struct zf_output *output, struct zf_error *err)
{
    struct zf_sink *sink = output->sink;
    enum zf_status status = ZF_OK;

    errno = 0; /* of a stream that has no memory for its buffer, say */
    if (fflush(output->stream) != 0 || ferror(output->stream) || fsync(sink->fd) != 0) {
        const int last = errno ? errno : EIO;

        status = zf_fail_errno(err, ZF_EIO, sink->error ? sink->error : last, "cannot write %s",
                               output->path);
    } else if (rename(output->temporary, output->path) != 0) {
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", output->path);
    } else {
        sync_directory_of(output->path);
        zf_free(output->temporary);
        output->temporary = NULL;
    }
    zf_output_discard(output);
    return status;
}

void zf_output_discard(struct zf_output *output)
{
    if (output->stream)
        fclose(output->stream);
    if (output->temporary)
        unlink(output->temporary);
    if (output->sink && output->sink->fd >= 0)
        close(output->sink->fd); /* last: it holds the lock, too */
    zf_free(output->path);
    zf_free(output->temporary);
    zf_free(output->sink);
    *output = (struct zf_output){0};
}

enum zf_status zf_file_write(const char *path, const void *data, size_t size, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};

    ZF_TRY(zf_output_open(&output, path, err));
    fwrite(data, 1, size, output.stream);
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    return status;
}

enum zf_status zf_directory_make(const char *path, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *partial = zf_strdup(path);
    struct stat info;

    if (!partial)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
    if (!*partial) {
        zf_free(partial);
        return zf_fail(err, ZF_EINVAL, "a directory without a name cannot be made");
    }
    for (char *p = partial + 1; status == ZF_OK; p++) {
        const char kept = *p;

        if (kept != '/' && kept != '\0')
            continue;
        *p = '\0';
        if (mkdir(partial, 0777) != 0 &&
            (errno != EEXIST || stat(partial, &info) != 0 || !S_ISDIR(info.st_mode)))
            status = zf_fail_errno(err, ZF_EIO, errno, "cannot make the directory %s", partial);
        *p = kept;
        if (kept == '\0')
            break;
    }
    zf_free(partial);
    return status;
}

enum zf_status zf_directory_lock(struct zf_directory_lock *lock, const char *path,
                                 struct zf_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return zf_fail_errno(err, ZF_EIO, errno, "cannot open the directory %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        close(fd);
        return zf_fail(err, ZF_EINPUT, "%s is in use by another process", path);
    }
    *lock = (struct zf_directory_lock){true, fd};
    return ZF_OK;
}

void zf_directory_unlock(struct zf_directory_lock *lock)
{
    if (lock->held)
        close(lock->fd);
    *lock = (struct zf_directory_lock){0};
}

char *zf_path_join(const char *directory, const char *name)
{
    const size_t length = strlen(directory);
    const bool slash = length > 0 && directory[length - 1] == '/';

    return zf_format("%s%s%s", directory, slash || length == 0 ? "" : "/", name);
}
