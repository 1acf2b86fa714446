/* SPDX-License-Identifier: MIT */
/* The entries of a tar that count: pictures, and what is said of them beside them. */
#ifndef ZF_DATA_SHARD_ENTRIES_H
#define ZF_DATA_SHARD_ENTRIES_H

#include "base/tar.h"
#include "data/listing.h"

#define ZF_SHARD_MAX_CLASSES (1 << 20)
#define ZF_SHARD_NAME_BYTES 256 /* of the longest name of a class, with its NUL */

/* Where a sample's class stands. */
enum zf_shard_label {
    ZF_SHARD_NONE,    /* nowhere, or in the folders of its name */
    ZF_SHARD_NUMBER,  /* a number, in .cls or .json */
    ZF_SHARD_NAME,    /* a name there */
    ZF_SHARD_TEXT,    /* .txt: a class's name, or a caption */
    ZF_SHARD_ARCHIVE, /* the tar within the tar that it lies in */
};

/* Who is told how far the reading of many tars is: `done` of `total` before this one. */
struct zf_shard_watch {
    const struct zf_monitor *monitor;
    int64_t done, total;
};

enum zf_shard_role { ZF_SHARD_PICTURE, ZF_SHARD_CLS, ZF_SHARD_JSON, ZF_SHARD_TXT };

struct zf_shard_entry {
    const char *name; /* once all are read */
    size_t name_at;
    uint64_t header, size;
    uint32_t crc;
    enum zf_shard_role role;
    /* What a file of labels says; of a picture, what its place says. */
    enum zf_shard_label kind;
    uint32_t number;
    size_t label_at;
    int64_t taken; /* of a file of labels: the picture that it is of; -1 = none yet */
};

struct zf_shard_entries {
    struct zf_shard_entry *items; /* by name, once all are read */
    size_t count, capacity;
    struct zf_text text;
    uint64_t unused;
    size_t unused_at;
};

/* All of a tar, by name; no name is there twice. Release in any case. */
enum zf_status zf_shard_entries_read(struct zf_tar_source source,
                                     const struct zf_shard_watch *watch,
                                     struct zf_shard_entries *entries, struct zf_error *err);
void zf_shard_entries_release(struct zf_shard_entries *entries);

/**
 * What the `size` bytes of a .cls, .json or .txt say.
 *
 * name    of the class, or "" ; at least ZF_SHARD_NAME_BYTES bytes
 *
 * ZF_EINPUT, with `why` alone as the sentence, for what is no label.
 */
struct zf_shard_said {
    enum zf_shard_label kind;
    uint32_t number;
    char name[ZF_SHARD_NAME_BYTES];
};
enum zf_status zf_shard_parse_label(enum zf_shard_role role, const char *text, size_t size,
                                    struct zf_shard_said *said, struct zf_error *err);

#endif
