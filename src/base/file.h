/* SPDX-License-Identifier: MIT */
/* Reading files whole, and writing them so that they appear whole or not at all. */
#ifndef ZF_BASE_FILE_H
#define ZF_BASE_FILE_H

#include <stdio.h>

#include "zf/base.h"

/* A file mapped for reading, or bytes lent by somebody; `data` is NULL for an empty one. */
struct zf_bytes {
    const uint8_t *data;
    size_t size;
    bool mapped;
};

/**
 * Map `path` read-only. Returns ZF_EINPUT when it does not exist, is not a regular file (whatever
 * a FIFO or a device would make us wait for) or is larger than `limit` bytes; ZF_EIO otherwise.
 * Release with zf_bytes_release().
 */
enum zf_status zf_bytes_map(struct zf_bytes *bytes, const char *path, size_t limit,
                            struct zf_error *err);
void zf_bytes_release(struct zf_bytes *bytes); /* accepts empty; what is lent is left alone */

/* Let a mapping be written to: what changes is this process's copy of a page, never the file. False
   for what is no mapping, and where the system has no memory to promise. */
bool zf_bytes_make_writable(const struct zf_bytes *bytes);

/* What an errno of open(), stat() and the like says of a path: ZF_EINPUT for what stands there, or
   does not; ZF_ENOMEM and ZF_EIO for the machine, which may do it another time. */
enum zf_status zf_status_of_errno(int error_number);

/* Open `path` as a stream to read, on the terms of zf_bytes_map(). The caller closes it. */
enum zf_status zf_file_open(FILE **out, const char *path, struct zf_error *err);

/**
 * An output file under a temporary name beside its final one: NAME.tmp-0, which it has locked, so
 * that what a killed process left there is written over and what another one writes is not.
 *
 *     struct zf_output out = { 0 };
 *     ZF_TRY(zf_output_open(&out, path, err));
 *     fwrite(..., out.stream);                  -- the first error is kept
 *     ZF_TRY(zf_output_commit(&out, err));      -- flush, fsync, rename, fsync of the directory
 * fail:
 *     zf_output_discard(&out);                  -- removes the temporary file unless committed
 */
struct zf_output {
    FILE *stream;
    char *path, *temporary;
    struct zf_sink *sink; /* what the stream writes to */
};

enum zf_status zf_output_open(struct zf_output *output, const char *path, struct zf_error *err);
enum zf_status zf_output_commit(struct zf_output *output, struct zf_error *err);
void zf_output_discard(struct zf_output *output);

/* Make a directory and its parents; an existing one is fine. ZF_EIO otherwise. */
enum zf_status zf_directory_make(const char *path, struct zf_error *err);

/**
 * A directory that one process, and in it one call, has for itself. The system gives it up when the
 * process ends, however it ends, so no lock is ever left behind.
 */
struct zf_directory_lock {
    bool held;
    int fd;
};

/**
 * Lock an existing directory against all who ask by this function. Returns ZF_EINPUT when somebody
 * else has it, ZF_EIO when it cannot be opened. A file system without locks grants every one.
 */
enum zf_status zf_directory_lock(struct zf_directory_lock *lock, const char *path,
                                 struct zf_error *err);
void zf_directory_unlock(struct zf_directory_lock *lock); /* accepts one that is not held */

/* "directory/name", NULL when memory is short; free with zf_free(). */
char *zf_path_join(const char *directory, const char *name);

#endif
