/* SPDX-License-Identifier: MIT */
/*
 * NumPy's file format: "\x93NUMPY", major and minor version, the header's length (two bytes in
 * format 1, four in 2 and 3), the header, the values. The header is a Python dictionary of three
 * known keys, {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }, in any order.
 */
#include "tensor/npy.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "tensor/numbers.h"

#define MAX_FILE (UINT64_C(4) << 30)
#define MAX_HEADER 65535 /* bytes; NumPy writes 118 for our shapes */
#define MAX_RANK 4

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

struct header {
    char dtype[16];
    bool fortran_order;
    int rank;
    int64_t dims[MAX_RANK];
};

/* What is left to read; the helpers below move `at` and never pass `end`. */
struct text {
    const char *at, *end;
};

static void skip_space(struct text *text)
{
    while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
        text->at++;
}

static bool take(struct text *text, const char *word)
{
    const size_t length = strlen(word);

    skip_space(text);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

static bool take_string(struct text *text, char *out, size_t room)
{
    const char *start, *close;
    const char quote = take(text, "'") ? '\'' : '"';

    if (quote == '"' && !take(text, "\""))
        return false;
    start = text->at;
    close = memchr(start, quote, (size_t)(text->end - start));
    if (!close || (size_t)(close - start) >= room)
        return false;
    memcpy(out, start, (size_t)(close - start));
    out[close - start] = '\0';
    text->at = close + 1;
    return true;
}

static bool take_number(struct text *text, int64_t *out)
{
    const char *start;
    int64_t value = 0;

    skip_space(text);
    start = text->at;
    for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, *text->at - '0', &value))
            return false;
    }
    *out = value;
    return text->at > start;
}

static bool parse_dtype(struct text *text, struct header *header)
{
    /* A list of fields is not read further; its bracket stands for the type. */
    if (take(text, "["))
        header->dtype[0] = '[';
    return header->dtype[0] != '[' && take_string(text, header->dtype, sizeof header->dtype);
}

static bool parse_order(struct text *text, struct header *header)
{
    header->fortran_order = take(text, "True");
    return header->fortran_order || take(text, "False");
}

static bool parse_shape(struct text *text, struct header *header)
{
    int64_t extent;

    if (!take(text, "("))
        return false;
    for (header->rank = 0; !take(text, ")"); header->rank++) {
        if (!take_number(text, &extent))
            return false;
        if (header->rank < MAX_RANK)
            header->dims[header->rank] = extent;
        if (!take(text, ",")) {
            header->rank++;
            return take(text, ")");
        }
    }
    return true;
}

static const struct key {
    const char *name;
    bool (*parse)(struct text *text, struct header *header);
} keys[] = {
    {"descr", parse_dtype},
    {"fortran_order", parse_order},
    {"shape", parse_shape},
};

static bool parse_header(struct text text, struct header *header)
{
    unsigned int seen = 0;
    char name[16];

    if (!take(&text, "{"))
        return false;
    while (!take(&text, "}")) {
        size_t i = 0;

        if (!take_string(&text, name, sizeof name) || !take(&text, ":"))
            return false;
        while (i < ZF_COUNT(keys) && strcmp(name, keys[i].name) != 0)
            i++;
        if (i == ZF_COUNT(keys) || (seen & 1U << i) || !keys[i].parse(&text, header))
            return false;
        seen |= 1U << i;
        if (!take(&text, ",")) {
            if (!take(&text, "}"))
                return false;
            break;
        }
    }
    skip_space(&text);
    return seen == (1U << ZF_COUNT(keys)) - 1 && text.at == text.end;
}

static enum zf_status check_dtype(const char *path, const struct header *header,
                                  struct zf_number_type *type, struct zf_error *err)
{
    if (header->dtype[0] == '[')
        return zf_fail(err, ZF_EINPUT,
                       "%s: holds records of several fields, where numbers are needed", path);
    if (zf_number_type_of(header->dtype, type))
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT,
                   "%s: holds %s, where real or whole numbers of up to 64 bits are needed", path,
                   header->dtype);
}

/* Splits the file into header and values, by the lengths it states. */
static enum zf_status find_header(const char *path, const struct zf_bytes *file,
                                  struct text *header, struct zf_error *err)
{
    const uint8_t *b = file->data;
    size_t start, length;

    if (file->size < sizeof magic || memcmp(b, magic, sizeof magic) != 0)
        return zf_fail(err, ZF_EINPUT, "%s: not a .npy file", path);
    if (file->size < 12)
        return zf_fail(err, ZF_EINPUT, "%s: truncated after %zu bytes, within its header", path,
                       file->size);
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return zf_fail(err, ZF_EINPUT, "%s: .npy format %d.%d, where 1.0, 2.0 or 3.0 would fit",
                       path, b[6], b[7]);
    start = b[6] == 1 ? 10 : 12;
    length = (size_t)b[8] | (size_t)b[9] << 8;
    if (b[6] > 1)
        length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (length > MAX_HEADER)
        return zf_fail(err, ZF_EINPUT, "%s: a header of %zu bytes, more than the limit of %d", path,
                       length, MAX_HEADER);
    if (length > file->size - start)
        return zf_fail(err, ZF_EINPUT, "%s: truncated after %zu bytes, within its header of %zu",
                       path, file->size, length);
    header->at = (const char *)b + start;
    header->end = header->at + length;
    return ZF_OK;
}

/* Fills the tensor's extents from a header, and only accepts what the file really holds. */
static enum zf_status check_shape(const char *path, struct header *header, int size, size_t bytes,
                                  struct zf_error *err)
{
    int64_t *d = header->dims;
    int64_t count, need = 0, floats = 0;

    if (header->rank < 1 || header->rank > MAX_RANK)
        return zf_fail(err, ZF_EINPUT, "%s: has %d dimensions, where 1 to %d would fit", path,
                       header->rank, MAX_RANK);
    for (int i = 0; i < MAX_RANK; i++) {
        if (i >= header->rank)
            d[i] = 1;
        if (d[i] == 0)
            return zf_fail(err, ZF_EINPUT, "%s: is empty: extent %d of its shape is 0", path, i);
    }
    if (!zf_mul3(d[0], d[1], d[2], &count) || !zf_mul3(count, d[3], size, &need) ||
        (uint64_t)need > MAX_FILE || !zf_mul3(count, d[3], (int64_t)sizeof(float), &floats) ||
        (uint64_t)floats > MAX_FILE)
        return zf_fail(err, ZF_EINPUT,
                       "%s: its shape %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                       " is more than the limit of 4 GiB",
                       path, d[0], d[1], d[2], d[3]);
    if ((size_t)need != bytes)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %s: its shape %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64
                       " is %" PRId64 " bytes of values, but %zu are there",
                       path, (size_t)need > bytes ? "truncated" : "too long", d[0], d[1], d[2],
                       d[3], need, bytes);
    return ZF_OK;
}

static enum zf_status read_header(const char *path, struct text text, struct header *header,
                                  struct zf_number_type *type, struct zf_error *err)
{
    const bool parsed = parse_header(text, header);

    if (!parsed && header->dtype[0] != '[')
        return zf_fail(err, ZF_EINPUT, "%s: its .npy header cannot be understood", path);
    return check_dtype(path, header, type, err);
}

static struct zf_npy_form form_of(const struct header *header, const struct zf_number_type *type)
{
    return (struct zf_npy_form){header->rank, type->kind == ZF_NUMBER_WHOLE && type->size == 1};
}

/* The first axis runs fastest in the file. */
static void turn(const struct zf_number_type *type, const uint8_t *src, struct zf_tensor *dst)
{
    float *out = dst->data;

    for (int64_t n = 0; n < dst->n; n++)
        for (int64_t c = 0; c < dst->c; c++)
            for (int64_t h = 0; h < dst->h; h++)
                for (int64_t w = 0; w < dst->w; w++) {
                    const int64_t at = n + dst->n * (c + dst->c * (h + dst->h * w));

                    zf_numbers_read(type, src + at * type->size, 1, out++);
                }
}

enum zf_status zf_npy_parse(const struct zf_bytes *file, const char *path, struct zf_tensor *tensor,
                            struct zf_npy_form *form, struct zf_error *err)
{
    struct text text = {0};
    struct header header = {0};
    struct zf_tensor loaded = {0};
    struct zf_number_type type = {0};
    const int64_t *d = header.dims;
    const uint8_t *values;
    size_t bytes;

    ZF_CHECK(find_header(path, file, &text, err));
    ZF_CHECK(read_header(path, text, &header, &type, err));
    values = (const uint8_t *)text.end;
    bytes = file->size - (size_t)(values - file->data);
    ZF_CHECK(check_shape(path, &header, type.size, bytes, err));
    ZF_CHECK(zf_tensor_init(&loaded, d[0], d[1], d[2], d[3], err));
    if (header.fortran_order)
        turn(&type, values, &loaded);
    else
        zf_numbers_read(&type, values, zf_tensor_count(&loaded), loaded.data);
    if (form)
        *form = form_of(&header, &type);
    *tensor = loaded;
    return ZF_OK;
}

enum zf_status zf_npy_peek(const struct zf_bytes *file, const char *path, struct zf_npy_form *form,
                           struct zf_error *err)
{
    struct zf_number_type type = {0};
    struct header header = {0};
    struct text text = {0};

    ZF_CHECK(find_header(path, file, &text, err));
    ZF_CHECK(read_header(path, text, &header, &type, err));
    *form = form_of(&header, &type);
    return ZF_OK;
}

void zf_npy_write(const struct zf_tensor *tensor, FILE *stream)
{
    enum { PREAMBLE = 10, HEADER = 192 - PREAMBLE }; /* together a multiple of 64, as NumPy asks */
    char header[HEADER + 1];
    const uint8_t length[2] = {HEADER & 0xFF, HEADER >> 8};
    const int written = snprintf(header, sizeof header,
                                 "{'descr': '<f4', 'fortran_order': False, 'shape': (%" PRId64
                                 ", %" PRId64 ", %" PRId64 ", %" PRId64 "), }",
                                 tensor->n, tensor->c, tensor->h, tensor->w);

    memset(header + written, ' ', (size_t)(HEADER - 1 - written));
    header[HEADER - 1] = '\n';
    fwrite(magic, 1, sizeof magic, stream);
    fwrite("\x01\x00", 1, 2, stream);
    fwrite(length, 1, sizeof length, stream);
    fwrite(header, 1, HEADER, stream);
    fwrite(tensor->data, sizeof(float), (size_t)zf_tensor_count(tensor), stream);
}

enum zf_status zf_tensor_save_npy(const struct zf_tensor *tensor, const char *path,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};

    ZF_TRY(zf_output_open(&output, path, err));
    zf_npy_write(tensor, output.stream);
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    return status;
}
