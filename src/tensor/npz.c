/* SPDX-License-Identifier: MIT */
/*
 * A ZIP file ends in a directory of its members: each entry has the sizes, the method (0 stored,
 * 8 deflated), the name, and where the member's own header is. Nothing in front is trusted.
 */
#include "tensor/npz.h"

#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"

#define END_BYTES 22   /* of the end of the directory */
#define ENTRY_BYTES 46 /* of an entry, before its name */
#define LOCAL_BYTES 30 /* of a member's header, before its name */
#define MOST_COMMENT 65535
#define MOST_MEMBERS 1000
#define MOST_BYTES (UINT64_C(4) << 30)
#define MOST_RATIO 1032 /* deflate cannot do better */
#define WIDE 0xFFFFFFFFu

struct member {
    const uint8_t *name;
    size_t name_length;
    int method;
    uint32_t crc;
    uint64_t packed, size, header;
};

static uint32_t number(const uint8_t *at, int bytes)
{
    uint32_t value = 0;

    for (int k = bytes; k-- > 0;)
        value = value << 8 | at[k];
    return value;
}

static uint64_t wide(const uint8_t *at)
{
    return (uint64_t)number(at + 4, 4) << 32 | number(at, 4);
}

/* Where the directory begins, and how many entries it has; false where there is none. */
static bool find_directory(const struct zf_bytes *file, size_t *at, size_t *count)
{
    for (size_t back = END_BYTES; back <= END_BYTES + MOST_COMMENT && back <= file->size; back++) {
        const uint8_t *end = file->data + file->size - back;

        if (memcmp(end, "PK\5\6", 4) != 0)
            continue;
        *count = number(end + 10, 2);
        *at = number(end + 16, 4);
        return *at <= file->size && *count <= MOST_MEMBERS;
    }
    return false;
}

/* Sizes beyond 32 bits stand behind the name, in this order, those alone that need it. */
static void read_wide(const uint8_t *extra, size_t length, struct member *member)
{
    uint64_t *const fields[] = {&member->size, &member->packed, &member->header};

    while (length >= 4) {
        const size_t bytes = number(extra + 2, 2);
        size_t at = 4;

        if (bytes > length - 4)
            return;
        for (size_t i = 0; number(extra, 2) == 1 && i < ZF_COUNT(fields); i++) {
            if (*fields[i] != WIDE || at + 8 > bytes + 4)
                continue;
            *fields[i] = wide(extra + at);
            at += 8;
        }
        extra += 4 + bytes;
        length -= 4 + bytes;
    }
}

/* The entry at *at, which moves to the next. */
static bool read_entry(const struct zf_bytes *file, size_t *at, struct member *member)
{
    const uint8_t *entry = file->data + *at;
    size_t name, extra, comment;

    if (file->size - *at < ENTRY_BYTES || memcmp(entry, "PK\1\2", 4) != 0)
        return false;
    name = number(entry + 28, 2);
    extra = number(entry + 30, 2);
    comment = number(entry + 32, 2);
    if (file->size - *at - ENTRY_BYTES < name + extra + comment)
        return false;
    *member =
        (struct member){.name = entry + ENTRY_BYTES,
                        .name_length = name,
                        .method = (number(entry + 8, 2) & 1) ? -1 : (int)number(entry + 10, 2),
                        .crc = number(entry + 16, 4),
                        .packed = number(entry + 20, 4),
                        .size = number(entry + 24, 4),
                        .header = number(entry + 42, 4)};
    read_wide(entry + ENTRY_BYTES + name, extra, member);
    *at += ENTRY_BYTES + name + extra + comment;
    return true;
}

/* The member's bytes as they are stored; NULL where they are not within the file. */
static const uint8_t *stored(const struct zf_bytes *file, const struct member *member)
{
    uint64_t start;

    if (member->header > file->size || file->size - member->header < LOCAL_BYTES ||
        memcmp(file->data + member->header, "PK\3\4", 4) != 0)
        return NULL;
    start = member->header + LOCAL_BYTES + number(file->data + member->header + 26, 2) +
            number(file->data + member->header + 28, 2);
    return start <= file->size && member->packed <= file->size - start ? file->data + start : NULL;
}

static enum zf_status unpack(const struct member *member, const uint8_t *packed, const char *name,
                             uint8_t *out, struct zf_error *err)
{
    z_stream stream = {0};
    uint64_t taken = 0, made = 0;
    int result = inflateInit2(&stream, -MAX_WBITS);

    if (result != Z_OK)
        return zf_no_memory(err, "the inflation of %s", name);
    while (result == Z_OK) { /* zlib counts in 32 bits */
        const uint64_t in = member->packed - taken, room = member->size - made;

        stream.next_in = (z_const Bytef *)(uintptr_t)(packed + taken);
        stream.avail_in = (uInt)(in < (1u << 30) ? in : 1u << 30);
        stream.next_out = out + made;
        stream.avail_out = (uInt)(room < (1u << 30) ? room : 1u << 30);
        result = inflate(&stream, Z_NO_FLUSH);
        taken = (uint64_t)(stream.next_in - packed);
        made = (uint64_t)(stream.next_out - out);
    }
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR)
        return zf_no_memory(err, "the inflation of %s", name);
    return result == Z_STREAM_END && made == member->size
               ? ZF_OK
               : zf_fail(err, ZF_EINPUT, "%s: damaged: it does not inflate to its size", name);
}

static uint32_t checksum(const uint8_t *bytes, uint64_t size)
{
    uLong crc = crc32(0, NULL, 0);

    for (uint64_t at = 0; at < size; at += 1u << 30)
        crc = crc32(crc, bytes + at, (uInt)(size - at < (1u << 30) ? size - at : 1u << 30));
    return (uint32_t)crc;
}

static enum zf_status parse_member(const struct zf_bytes *file, const struct member *member,
                                   const char *name, struct zf_tensor *tensor,
                                   struct zf_npy_form *form, struct zf_error *err)
{
    const uint8_t *packed = stored(file, member);
    struct zf_bytes bytes = {.data = packed, .size = (size_t)member->packed};
    uint8_t *unpacked = NULL;
    enum zf_status status;

    if (!packed || member->size > MOST_BYTES ||
        (member->method == 0 && member->size != member->packed) ||
        member->size / MOST_RATIO > member->packed + 64)
        return zf_fail(err, ZF_EINPUT, "%s: damaged: its sizes cannot be", name);
    if (member->method != 0 && member->method != 8)
        return zf_fail(err, ZF_EINPUT, "%s: neither stored nor deflated, as NumPy writes it", name);
    if (member->method == 8) {
        unpacked = zf_alloc_raw((size_t)member->size + 1, 1);
        if (!unpacked)
            return zf_no_memory(err, "%s", name);
        ZF_TRY(unpack(member, packed, name, unpacked, err));
        bytes = (struct zf_bytes){.data = unpacked, .size = (size_t)member->size};
    }
    if (checksum(bytes.data, bytes.size) != member->crc)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: damaged: its checksum differs", name));
    ZF_TRY(zf_npy_parse(&bytes, name, tensor, form, err));
fail:
    zf_free(unpacked);
    return status;
}

/* ---- Which one ---- */

static const char *const usual[] = {"x", "input", "inputs", "image", "images", "data", "arr_0"};

/* Its name without ".npy": 0 is the best; all others are alike. */
static size_t rank_of(const char *name)
{
    size_t rank = 0;

    while (rank < ZF_COUNT(usual) && strcmp(name, usual[rank]) != 0)
        rank++;
    return rank;
}

static void name_member(const struct member *member, char *name, size_t size)
{
    size_t length = member->name_length;

    if (length > 4 && memcmp(member->name + length - 4, ".npy", 4) == 0)
        length -= 4;
    length = length < size - 1 ? length : size - 1;
    memcpy(name, member->name, length);
    name[length] = '\0';
}

enum zf_status zf_npz_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_npy_form *form, struct zf_error *err)
{
    struct member member, best = {0};
    size_t at, count, rank = ZF_COUNT(usual) + 1;
    char name[64], names[256] = "", *full;
    enum zf_status status;

    if (!find_directory(file, &at, &count))
        return zf_fail(err, ZF_EINPUT, "%s: not a .npz file, or one without its end", path);
    for (size_t i = 0; i < count; i++) {
        if (!read_entry(file, &at, &member))
            return zf_fail(err, ZF_EINPUT, "%s: damaged: its directory ends early", path);
        name_member(&member, name, sizeof name);
        zf_add_name(names, sizeof names, name);
        if (rank_of(name) < rank) {
            rank = rank_of(name);
            best = member;
        }
    }
    if (count == 0 || (count > 1 && rank == ZF_COUNT(usual)))
        return zf_fail(err, ZF_EINPUT,
                       "%s: holds %s%s; the input should be the only array, or be called x, input, "
                       "image or arr_0",
                       path, count ? "the arrays " : "no array", names);
    name_member(&best, name, sizeof name);
    full = zf_format("%s:%s", path, name);
    if (!full)
        return zf_no_memory(err, "the name of an array");
    status = parse_member(file, &best, full, tensor, form, err);
    zf_free(full);
    return status;
}
