/* SPDX-License-Identifier: MIT */
/**
 * The index of a tar: NAME.tar.zfindex beside it, or in a directory for what can be made again.
 * Numbers are in the machine's own order; the index of a machine of another one is made again:
 *
 *     offset 0    header, 128 bytes: struct zf_index_header
 *     128         count samples of 32 bytes: struct zf_shard_sample
 *     then        text_bytes of NUL-terminated strings; the last byte is 0
 *
 * It belongs to the tar of that size and time of change, whose first and last picture still have
 * the headers that they had. Whatever else is found is made again and written over.
 */
#ifndef ZF_DATA_SHARD_INDEX_H
#define ZF_DATA_SHARD_INDEX_H

#include <sys/stat.h>

#include "data/shard.h"

#define ZF_INDEX_MAGIC "zfindx\r\n"
#define ZF_INDEX_VERSION 1
#define ZF_INDEX_ENDING ".zfindex"

struct zf_index_header {
    char magic[8];
    uint32_t version;
    uint32_t unused_example; /* as in struct zf_shard, as are the next two and `unused` */
    uint64_t count, text_bytes;
    uint64_t unused;
    uint64_t tar_size;
    int64_t tar_s, tar_ns; /* when it was changed last */
    uint64_t body;         /* checksum of all behind the header */
    uint8_t reserved[48];
    uint64_t checksum; /* of the 120 bytes before it */
};

/* Whether the file at `path` is this tar's index; it is then mapped into *shard. */
bool zf_index_load(const char *path, const struct zf_tar_source *source, const struct stat *info,
                   struct zf_shard *shard);

/* ZF_EIO, ZF_ENOMEM; what was at `path` is then as it was. */
enum zf_status zf_index_save(const char *path, const struct zf_shard *shard,
                             const struct stat *info, struct zf_error *err);

#endif
