/* SPDX-License-Identifier: MIT */
/**
 * The samples of one tar file: which of its entries are pictures, where they lie, and what the
 * files of the same stem say of them. They are found once and kept in an index (shard_index.h).
 */
#ifndef ZF_DATA_SHARD_H
#define ZF_DATA_SHARD_H

#include "base/file.h"
#include "data/shard_entries.h"

/* 32 bytes, as they stand in an index. */
struct zf_shard_sample {
    uint64_t offset; /* of its bytes; its header is the block before */
    uint32_t size;   /* UINT32_MAX for more, which no picture has */
    uint32_t crc;    /* CRC-32C of its header */
    uint32_t name;   /* in the text: its path within the tar */
    uint32_t label;  /* in the text: its class's name; of a number "" or that class's name */
    uint32_t number; /* the class's number */
    uint32_t kind;   /* enum zf_shard_label */
};

struct zf_shard {
    const struct zf_shard_sample *samples; /* [count], by name */
    const char *text;                      /* NUL-terminated strings */
    uint64_t count, text_bytes;
    uint64_t unused;         /* pictures of no kind that is read, and parts of samples */
    uint32_t unused_example; /* in the text; "" when there is none */
    struct zf_bytes file;    /* the index that this is in, or empty: then these are owned */
    struct zf_shard_sample *owned_samples;
    char *owned_text;
};

/**
 * Read all headers of a tar. One level of tars within it is read as well.
 *
 * Returns ZF_EINPUT for a tar that cannot be used, with its name and the offset; ZF_EIO, ZF_ENOMEM,
 * ZF_ECANCELED.
 */
enum zf_status zf_shard_read(struct zf_tar_source source, const struct zf_shard_watch *watch,
                             struct zf_shard *shard, struct zf_error *err);
void zf_shard_release(struct zf_shard *shard);

/* The sample of this path within the tar; -1 for none. */
int64_t zf_shard_find(const struct zf_shard *shard, const char *name);

#endif
