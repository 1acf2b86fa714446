/* SPDX-License-Identifier: MIT */
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

#include "memory.h"
#include "status.h"

enum zf_status zf_bytes_map(struct zf_bytes *bytes, const char *path, size_t limit,
                            struct zf_error *err)
{
    enum zf_status status;
    struct stat info;
    void *data = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return zf_fail_errno(err, errno == ENOENT || errno == ENOTDIR ? ZF_EINPUT : ZF_EIO, errno,
                             "%s", path);
    if (fstat(fd, &info) != 0) {
        status = zf_fail_errno(err, ZF_EIO, errno, "%s", path);
        goto fail;
    }
    if (!S_ISREG(info.st_mode)) {
        status = zf_fail(err, ZF_EINPUT, "%s: not a regular file", path);
        goto fail;
    }
    if ((uint64_t)info.st_size > limit) {
        status = zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " bytes, more than the limit of %zu", path,
                         info.st_size, limit);
        goto fail;
    }
    if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = zf_fail_errno(err, ZF_EIO, errno, "%s", path);
            goto fail;
        }
    }
    *bytes = (struct zf_bytes){data, (size_t)info.st_size, data != NULL};
    status = ZF_OK;
fail:
    close(fd);
    return status;
}

void zf_bytes_release(struct zf_bytes *bytes)
{
    if (bytes->mapped)
        munmap((void *)(uintptr_t)bytes->data, bytes->size);
    *bytes = (struct zf_bytes){0};
}

bool zf_bytes_make_writable(const struct zf_bytes *bytes)
{
    return bytes->mapped &&
           mprotect((void *)(uintptr_t)bytes->data, bytes->size, PROT_READ | PROT_WRITE) == 0;
}

enum zf_status zf_output_open(struct zf_output *output, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output opened = {0};
    int fd = -1;

    opened.path = zf_strdup(path);
    opened.temporary = zf_format("%s.tmp-%ld", path, (long)getpid());
    if (!opened.path || !opened.temporary) {
        status = zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
        goto fail;
    }
    fd = open(opened.temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || !(opened.stream = fdopen(fd, "wb"))) {
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", path);
        if (fd >= 0) {
            close(fd);
            unlink(opened.temporary);
        }
        goto fail;
    }
    *output = opened;
    return ZF_OK;
fail:
    zf_free(opened.path);
    zf_free(opened.temporary);
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
    enum zf_status status = ZF_OK;
    bool written;

    errno = 0; /* after an earlier failure the flush fails again, and says why */
    written = fflush(output->stream) == 0 && !ferror(output->stream) &&
              fsync(fileno(output->stream)) == 0;
    if (!written)
        status = zf_fail_errno(err, ZF_EIO, errno ? errno : EIO, "cannot write %s", output->path);
    if (fclose(output->stream) != 0 && written)
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", output->path);
    output->stream = NULL;
    if (status == ZF_OK && rename(output->temporary, output->path) != 0)
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", output->path);
    if (status == ZF_OK) {
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
    zf_free(output->path);
    zf_free(output->temporary);
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
