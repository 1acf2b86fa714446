/* SPDX-License-Identifier: MIT */
#include "tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"
#include "memory.h"
#include "status.h"
#include "words.h"

#define MAX_EXTENDED (1 << 20) /* bytes of one header of names */
#define MAX_PADDING (1 << 20)  /* behind the end */

/* POSIX.1-1988, 10.1.1; GNU's differs behind `version`. */
struct header {
    char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
    char magic[6], version[2], owner[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == ZF_TAR_BLOCK, "a header is one block");

/* What headers before an entry's own say of it. */
struct extended {
    bool any, has_size;
    uint64_t size;
};

#define REFUSE(tar, at, err, ...) refuse((tar)->source.name, (at), err, __VA_ARGS__)
static enum zf_status refuse(const char *name, uint64_t at, struct zf_error *err,
                             const char *format, ...) ZF_PRINTF(4, 5);
static enum zf_status refuse(const char *name, uint64_t at, struct zf_error *err,
                             const char *format, ...)
{
    va_list arguments;
    char *what;
    enum zf_status status;

    va_start(arguments, format);
    what = zf_format_list(format, arguments);
    va_end(arguments);
    if (!what)
        return zf_no_memory(err, "a sentence on %s", name);
    status = zf_fail(err, ZF_EINPUT, "%s at offset %" PRIu64 ": %s", name, at, what);
    zf_free(what);
    return status;
}

/* ---- Bytes ---- */

enum zf_status zf_tar_read(const struct zf_tar_source *source, uint64_t offset, void *dst,
                           size_t size, struct zf_error *err)
{
    uint8_t *to = dst;

    if (offset > source->size || size > source->size - offset)
        return refuse(source->name, offset, err, "cut off: it ends at %" PRIu64, source->size);
    if (source->bytes) {
        memcpy(dst, source->bytes + offset, size);
        return ZF_OK;
    }
    for (size_t done = 0; done < size;) {
        const ssize_t got = pread(source->fd, to + done, size - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return zf_fail_errno(err, ZF_EIO, errno, "%s at offset %" PRIu64, source->name,
                                 offset + done);
        if (got == 0)
            return zf_fail(err, ZF_EIO, "%s was cut off at %" PRIu64 " while it was read",
                           source->name, offset + done);
        done += (size_t)got;
    }
    return ZF_OK;
}

enum zf_status zf_tar_peek(struct zf_tar *tar, uint64_t offset, void *dst, size_t size,
                           struct zf_error *err)
{
    const uint64_t left = tar->source.size - offset;

    if (size > sizeof tar->window || offset > tar->source.size || size > left)
        return zf_tar_read(&tar->source, offset, dst, size, err);
    if (offset < tar->window_at || offset + size > tar->window_at + tar->window_size) {
        tar->window_size = 0; /* until it is filled */
        ZF_CHECK(zf_tar_read(&tar->source, offset, tar->window,
                             left < sizeof tar->window ? (size_t)left : sizeof tar->window, err));
        tar->window_at = offset;
        tar->window_size = left < sizeof tar->window ? (size_t)left : sizeof tar->window;
    }
    memcpy(dst, tar->window + (offset - tar->window_at), size);
    return ZF_OK;
}

void zf_tar_begin(struct zf_tar *tar, struct zf_tar_source source, uint64_t offset, uint64_t size)
{
    tar->source = source;
    tar->at = offset;
    tar->end = offset + size;
    tar->window_size = 0;
    tar->path[0] = '\0';
}

/* ---- Fields ---- */

/* Octal digits between blanks, or GNU's binary, big-endian behind a set bit. */
static bool read_number(const char *field, size_t size, uint64_t *value)
{
    const unsigned char *bytes = (const unsigned char *)field;
    size_t k = 0;

    *value = 0;
    if (bytes[0] & 0x80) {
        for (k = 0; k < size; k++) {
            if (*value >> 55)
                return false;
            *value = *value << 8 | (k == 0 ? bytes[0] & 0x7f : bytes[k]);
        }
        return *value <= INT64_MAX;
    }
    while (k < size && field[k] == ' ')
        k++;
    for (; k < size && field[k] >= '0' && field[k] <= '7'; k++) {
        if (*value >> 60)
            return false;
        *value = *value << 3 | (uint64_t)(field[k] - '0');
    }
    while (k < size && (field[k] == ' ' || field[k] == '\0'))
        k++;
    return k == size;
}

/* The sum of a header with its own field blank; some old programs added signed bytes. */
static bool sum_is_right(const struct header *header)
{
    const unsigned char *bytes = (const unsigned char *)header;
    const size_t from = offsetof(struct header, checksum), to = from + sizeof header->checksum;
    int64_t plain = 0, with_signs = 0;
    uint64_t said;

    for (size_t k = 0; k < ZF_TAR_BLOCK; k++) {
        const unsigned char byte = k >= from && k < to ? ' ' : bytes[k];

        plain += byte;
        with_signs += byte < 0x80 ? byte : byte - 0x100;
    }
    return read_number(header->checksum, sizeof header->checksum, &said) &&
           ((int64_t)said == plain || (int64_t)said == with_signs);
}

/* By gzip, xz, bzip2 or zstd. */
static bool is_compressed(const struct header *header)
{
    return memcmp(header, "\x1f\x8b", 2) == 0 ||
           memcmp(header,
                  "\xfd"
                  "7zXZ",
                  5) == 0 ||
           memcmp(header, "BZh", 3) == 0 || memcmp(header, "\x28\xb5\x2f\xfd", 4) == 0;
}

static bool is_zero(const void *block, size_t size)
{
    const uint8_t *bytes = block;

    for (size_t k = 0; k < size; k++) {
        if (bytes[k])
            return false;
    }
    return true;
}

/* ---- Names ---- */

static bool set_path(struct zf_tar *tar, const char *name, size_t length)
{
    if (length >= sizeof tar->path)
        return false;
    memcpy(tar->path, name, length);
    tar->path[length] = '\0';
    return true;
}

/* POSIX keeps what does not fit into `name` in `prefix`, where GNU keeps other things. */
static void path_of_header(struct zf_tar *tar, const struct header *header)
{
    const size_t name = strnlen(header->name, sizeof header->name);
    size_t prefix = 0;

    if (memcmp(header->magic, "ustar\0", 6) == 0)
        prefix = strnlen(header->prefix, sizeof header->prefix);
    memcpy(tar->path, header->prefix, prefix);
    if (prefix > 0)
        tar->path[prefix++] = '/';
    memcpy(tar->path + prefix, header->name, name);
    tar->path[prefix + name] = '\0';
}

static enum zf_status check_path(const struct zf_tar *tar, const char *path, uint64_t at,
                                 struct zf_error *err)
{
    if (path[0] == '/')
        return REFUSE(tar, at, err, "\"%.200s\" is an absolute path; pack it without tar's -P",
                      path);
    for (const char *part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return REFUSE(tar, at, err, "\"%.200s\" leads out of the archive", path);
    }
    return ZF_OK;
}

/* ---- Headers before an entry's own ---- */

/* "LENGTH KEYWORD=VALUE\n", the length counting all of it. */
static enum zf_status read_record(struct zf_tar *tar, const char **text, const char *end,
                                  bool global, struct extended *extended, uint64_t at,
                                  struct zf_error *err)
{
    const char *record = *text, *key, *equals;
    uint64_t length = 0;
    const char *p = record;
    size_t value;

    while (p < end && *p >= '0' && *p <= '9' && length <= MAX_EXTENDED)
        length = length * 10 + (uint64_t)(*p++ - '0');
    if (p == record || p == end || *p != ' ' || length > (uint64_t)(end - record) ||
        length < (uint64_t)(p - record) + 3 || record[length - 1] != '\n')
        return REFUSE(tar, at, err, "a pax header that is damaged");
    key = p + 1;
    equals = memchr(key, '=', length - (size_t)(key - record));
    if (!equals)
        return REFUSE(tar, at, err, "a pax header that is damaged");
    *text = record + length;
    value = (size_t)(*text - 1 - (equals + 1));
#define IS(word) ((size_t)(equals - key) == strlen(word) && memcmp(key, word, strlen(word)) == 0)
    if (equals - key > 11 && memcmp(key, "GNU.sparse.", 11) == 0)
        return REFUSE(tar, at, err, "a sparse file; pack it without tar's --sparse");
    if (global && (IS("path") || IS("size")))
        return REFUSE(tar, at, err, "a pax header that gives all entries one name or size");
    if (IS("path")) {
        if (value == 0 || memchr(equals + 1, '\0', value) || !set_path(tar, equals + 1, value))
            return REFUSE(tar, at, err, "a name of %zu bytes, or one with a zero in it", value);
    } else if (IS("size")) {
        extended->has_size = value > 0 && value < 20;
        extended->size = 0;
        for (size_t k = 1; k <= value && extended->has_size; k++) {
            extended->has_size =
                equals[k] >= '0' && equals[k] <= '9' && extended->size < INT64_MAX / 10;
            extended->size = extended->size * 10 + (uint64_t)(equals[k] - '0');
        }
        if (!extended->has_size)
            return REFUSE(tar, at, err, "a pax header with a size that is no number");
    }
#undef IS
    return ZF_OK;
}

/* A long name of GNU's ('L'), or records of pax for the next entry ('x') or all ('g'). */
static enum zf_status read_extended(struct zf_tar *tar, char type, uint64_t at, uint64_t size,
                                    struct extended *extended, struct zf_error *err)
{
    enum zf_status status;
    char *text = NULL;
    const char *record;

    if (size == 0 || size > MAX_EXTENDED)
        return REFUSE(tar, at, err, "a header of names with %" PRIu64 " bytes", size);
    text = zf_alloc_raw((size_t)size + 1, 1);
    if (!text)
        return zf_no_memory(err, "the names in %s", tar->source.name);
    ZF_TRY(zf_tar_peek(tar, at + ZF_TAR_BLOCK, text, (size_t)size, err));
    text[size] = '\0';
    if (type == 'L' && !set_path(tar, text, strlen(text)))
        ZF_LEAVE(REFUSE(tar, at, err, "a name of %zu bytes", strlen(text)));
    for (record = text; type != 'L' && record < text + size;)
        ZF_TRY(read_record(tar, &record, text + size, type == 'g', extended, at, err));
    extended->any = extended->any || type != 'g';
fail:
    zf_free(text);
    return status;
}

/* ---- Entries ---- */

static enum zf_status check_type(const struct zf_tar *tar, char type, uint64_t at,
                                 struct zf_error *err)
{
    switch (type) {
    case '\0':
    case '0': /* a file */
    case '7': /* one that lay contiguous */
    case '5': /* a directory */
    case 'V': /* the archive's own name */
    case 'D': /* GNU's list of a directory */
        return ZF_OK;
    case '1':
        return REFUSE(tar, at, err,
                      "\"%.200s\" is a hard link; pack it with tar's --hard-dereference",
                      tar->path);
    case '2':
        return REFUSE(tar, at, err, "\"%.200s\" is a symbolic link; pack it with tar's -h",
                      tar->path);
    case '3':
    case '4':
    case '6':
        return REFUSE(tar, at, err, "\"%.200s\" is a device or a pipe", tar->path);
    case 'S':
        return REFUSE(tar, at, err, "\"%.200s\" is a sparse file; pack it without tar's --sparse",
                      tar->path);
    case 'M':
        return REFUSE(tar, at, err, "\"%.200s\" goes on from another volume", tar->path);
    default:
        return REFUSE(tar, at, err, "\"%.200s\" is of a type (%d) that no file has", tar->path,
                      type);
    }
}

/* Two blocks of zeros end an archive, and zeros fill it up. One that something follows was joined
   to another by cat, and most programs would not read on. */
static enum zf_status check_end(struct zf_tar *tar, struct zf_error *err)
{
    uint8_t block[ZF_TAR_BLOCK];
    const uint64_t from = tar->at;

    if (tar->end - from < 2 * ZF_TAR_BLOCK)
        return REFUSE(tar, from, err, "cut off: an archive ends in two blocks of zeros");
    for (uint64_t at = from; at < tar->end && at - from < MAX_PADDING;) {
        const size_t size = tar->end - at < sizeof block ? (size_t)(tar->end - at) : sizeof block;

        ZF_CHECK(zf_tar_peek(tar, at, block, size, err));
        if (!is_zero(block, size))
            return REFUSE(tar, at, err,
                          "something follows the end of the archive at %" PRIu64
                          ": of several that were joined, give each by itself",
                          from);
        at += size;
    }
    return ZF_OK;
}

static enum zf_status read_header(struct zf_tar *tar, struct header *header, uint64_t *size,
                                  struct zf_error *err)
{
    if (tar->end - tar->at < ZF_TAR_BLOCK)
        return REFUSE(tar, tar->at, err, "cut off: an archive ends in two blocks of zeros");
    ZF_CHECK(zf_tar_peek(tar, tar->at, header, sizeof *header, err));
    *size = 0;
    if (is_zero(header, sizeof *header))
        return ZF_OK;
    if (!sum_is_right(header) && tar->at == 0 && is_compressed(header))
        return REFUSE(tar, tar->at, err,
                      "compressed, whatever its name says; unpack it first, as entries are read in "
                      "random order");
    if (!sum_is_right(header))
        return REFUSE(tar, tar->at, err, "no header of a tar file, or a damaged one");
    if (!read_number(header->size, sizeof header->size, size))
        return REFUSE(tar, tar->at, err, "a header with a size that is no number");
    return ZF_OK;
}

static enum zf_status step_over(struct zf_tar *tar, uint64_t size, struct zf_error *err)
{
    const uint64_t left = tar->end - tar->at - ZF_TAR_BLOCK;

    if (size > left)
        return REFUSE(tar, tar->at, err,
                      "cut off: \"%.200s\" has %" PRIu64 " bytes, and %" PRIu64 " follow",
                      tar->path, size, left);
    size = (size + ZF_TAR_BLOCK - 1) / ZF_TAR_BLOCK * ZF_TAR_BLOCK;
    tar->at += ZF_TAR_BLOCK + (size < left ? size : left);
    return ZF_OK;
}

enum zf_status zf_tar_next(struct zf_tar *tar, struct zf_tar_entry *entry, bool *done,
                           struct zf_error *err)
{
    struct header header;
    struct extended extended = {0};
    uint64_t size = 0, at;

    *done = false;
    tar->path[0] = '\0';
    for (;;) {
        at = tar->at;
        ZF_CHECK(read_header(tar, &header, &size, err));
        if (is_zero(&header, sizeof header)) {
            if (extended.any)
                return REFUSE(tar, at, err, "the archive ends where a name announces a file");
            *done = true;
            return check_end(tar, err);
        }
        if (header.type != 'L' && header.type != 'x' && header.type != 'g' && header.type != 'K' &&
            header.type != 'X') {
            if (tar->path[0] == '\0')
                path_of_header(tar, &header);
            ZF_CHECK(check_type(tar, header.type, at, err));
            size = extended.has_size ? extended.size : size;
            if (header.type == '5' || header.type == 'V') /* nothing follows, whatever they say */
                size = 0;
            ZF_CHECK(step_over(tar, size, err));
            if (header.type != 'V' && header.type != 'D')
                break;
            tar->path[0] = '\0';
            extended = (struct extended){0};
            continue;
        }
        ZF_CHECK(step_over(tar, size, err));
        if (header.type != 'K') /* where a link leads: links are refused */
            ZF_CHECK(read_extended(tar, header.type == 'X' ? 'x' : header.type, at, size, &extended,
                                   err));
    }
    ZF_CHECK(check_path(tar, tar->path, at, err));
    entry->path = tar->path;
    while (entry->path[0] == '.' && entry->path[1] == '/')
        entry->path += 2 + strspn(entry->path + 2, "/");
    entry->directory = header.type == '5' || zf_ends_in(tar->path, "/");
    if (entry->path[0] == '\0' && !entry->directory)
        return REFUSE(tar, at, err, "a file without a name");
    entry->header = at;
    entry->offset = at + ZF_TAR_BLOCK;
    entry->size = size;
    entry->crc = zf_crc32c(0, &header, sizeof header);
    return ZF_OK;
}
