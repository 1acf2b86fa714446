/* SPDX-License-Identifier: MIT */
/* Tars as files: their indexes found or made, and bytes read from many of them by many threads. */
#ifndef ZF_DATA_SHARD_FILES_H
#define ZF_DATA_SHARD_FILES_H

#include <stdatomic.h>

#include "data/shard.h"

struct zf_shard_file {
    char *path; /* owned */
    uint64_t size;
    int64_t changed_s, changed_ns;
    atomic_int fd; /* -1 = not open; it stays so while there are not too many */
};

struct zf_shard_files {
    struct zf_shard_file *items; /* [count] */
    size_t count;
    atomic_int open, most_open;
};

/* Where a picture lies. */
struct zf_shard_place {
    uint64_t offset;
    uint32_t size, crc, file;
};

/* Take the names over; nothing is opened. ZF_ENOMEM. Release in any case. */
enum zf_status zf_shard_files_init(struct zf_shard_files *files, char *const *names, size_t count,
                                   struct zf_error *err);
void zf_shard_files_release(struct zf_shard_files *files); /* accepts empty */

/**
 * The samples of file k: from its index, or from the tar, and then an index is left beside it, or
 * where that cannot be in the monitor's directory.
 *
 * kept  whether there is an index now
 */
enum zf_status zf_shard_files_load(struct zf_shard_files *files, size_t k,
                                   const struct zf_monitor *monitor, struct zf_shard *shard,
                                   bool *kept, struct zf_error *err);

/**
 * A picture's header, of ZF_TAR_BLOCK bytes, and its bytes; free them with zf_free(). Thread-safe.
 *
 * ZF_EIO where the tar is no longer that which was indexed.
 */
enum zf_status zf_shard_files_read(struct zf_shard_files *files, struct zf_shard_place place,
                                   uint8_t **out, struct zf_error *err);

#endif
