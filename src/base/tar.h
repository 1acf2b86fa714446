/* SPDX-License-Identifier: MIT */
/**
 * The entries of a tar archive, one after the other: ustar, GNU's long names and sizes, pax
 * headers. Nothing is unpacked, so names are names only; those that would lead out of a folder are
 * refused all the same, as are links, devices and sparse files, and whatever is damaged or cut off.
 * Each sentence has the archive and the offset in it.
 */
#ifndef ZF_BASE_TAR_H
#define ZF_BASE_TAR_H

#include "zf/base.h"

#define ZF_TAR_BLOCK 512
#define ZF_TAR_PATH 4096 /* bytes of the longest name, with its NUL */
#define ZF_TAR_WINDOW 4096

/* Where the bytes are: a file that is read where it is asked, or memory that is lent. */
struct zf_tar_source {
    const char *name;     /* lent, for sentences */
    const uint8_t *bytes; /* NULL: those of `fd` */
    int fd;
    uint64_t size;
};

struct zf_tar {
    struct zf_tar_source source;
    uint64_t at, end; /* of the next header; of the archive */
    uint8_t window[ZF_TAR_WINDOW];
    uint64_t window_at;
    size_t window_size;
    char path[ZF_TAR_PATH];
};

struct zf_tar_entry {
    const char *path; /* without "./" before it; lent until the next entry */
    bool directory;
    uint64_t header;       /* offset of its header; its bytes begin one block behind */
    uint64_t offset, size; /* of its bytes, within the source */
    uint32_t crc;          /* CRC-32C of the header, by which the entry is known again */
};

/* The archive in `size` bytes at `offset` of the source: all of it, or one that is an entry of it.
 */
void zf_tar_begin(struct zf_tar *tar, struct zf_tar_source source, uint64_t offset, uint64_t size);

/**
 * The next entry; *done where the archive ends as it should, in two blocks of zeros with nothing
 * behind them.
 *
 * Returns ZF_EINPUT for what is refused, ZF_EIO where reading fails.
 */
enum zf_status zf_tar_next(struct zf_tar *tar, struct zf_tar_entry *entry, bool *done,
                           struct zf_error *err);

/* Bytes at an offset of the source, as many as asked for. ZF_EINPUT where it ends before; ZF_EIO.
 */
enum zf_status zf_tar_read(const struct zf_tar_source *source, uint64_t offset, void *dst,
                           size_t size, struct zf_error *err);

/* The same through the window, for what lies close behind a header. */
enum zf_status zf_tar_peek(struct zf_tar *tar, uint64_t offset, void *dst, size_t size,
                           struct zf_error *err);

#endif
