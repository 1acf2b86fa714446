/* SPDX-License-Identifier: MIT */
/**
 * The packed file: decoded squares, ready to be mapped. All numbers are little-endian.
 *
 *     offset 0    header, 128 bytes: struct zf_packed_header
 *     128         pixels: count squares of size * size * 3 bytes (RGB, rows without gaps),
 *                 then zeros up to a multiple of 8
 *     then        path_at   uint64 [count]        offsets in the text
 *                 class_at  uint64 [class_count]  offsets in the text
 *                 labels    int32 [count]         0 .. class_count - 1; all 0 without classes
 *                 crcs      uint32 [count]        CRC-32C of each square; not in version 1;
 *                           then zeros up to a multiple of 8
 *                 text      text_bytes of NUL-terminated strings; the last byte is 0
 *
 * Nothing follows. Everything's place follows from the four counts, so there are no offsets that
 * could lie; the header carries a checksum of itself and one of the tables and text. These are
 * checked when the file is opened, the squares only when a pass over all of them is made, so that
 * opening takes no time. Version 1, which is still read, has no crcs. Version 3 is a part of a data
 * set that several files are together (parts.c); otherwise it is version 2, as which all else is
 * written.
 */
#ifndef ZF_DATA_PACKED_H
#define ZF_DATA_PACKED_H

#include "zf/image.h"

#define ZF_PACKED_MAGIC "zfpack\r\n" /* a transfer as text would change it */
#define ZF_PACKED_VERSION 3
#define ZF_PACKED_VERSION_WHOLE 2
#define ZF_PACKED_HEADER_BYTES 128

/* Which part of what data set; of version 2, all 0. */
struct zf_packed_part {
    uint32_t number, parts; /* 1 .. parts */
    uint64_t identity;      /* of the whole data set, by names and labels */
};

struct zf_packed_header {
    char magic[8];
    uint32_t version;
    uint32_t resize;      /* enum zf_resize */
    uint64_t size;        /* px, 1 .. 16384 */
    uint64_t count;       /* samples, at least 1 */
    uint64_t class_count; /* 0 = no labels */
    uint64_t text_bytes;
    uint64_t table_checksum;    /* of all that lies behind the pixels */
    struct zf_packed_part part; /* 0 but in version 3 */
    uint8_t reserved[48];       /* 0 */
    uint64_t checksum;          /* of the 120 bytes before it */
};

/* Where the parts lie. */
struct zf_packed_layout {
    uint64_t pixels_end;                                 /* without the zeros */
    uint64_t path_at, class_at, labels, crcs, text, end; /* crcs = 0: there are none */
};

/* False when the counts are out of range or the file would be larger than any can be. */
bool zf_packed_layout(const struct zf_packed_header *header, struct zf_packed_layout *layout);

/* The part that an open packed file is; parts = 0 for one that is whole. */
struct zf_data;
struct zf_packed_part zf_packed_part_of(const struct zf_data *data);

/* zf_data_pack() of a part. */
enum zf_status zf_pack_write(const struct zf_data *data, struct zf_geometry geometry, int threads,
                             struct zf_packed_part part, const char *path,
                             const struct zf_monitor *monitor, struct zf_error *err);

#endif
