/* SPDX-License-Identifier: MIT */
/*
 * Reading a safetensors container. Nothing in it is believed: the header's length is held against
 * the file's, the JSON is bounded before it is parsed, each tensor's bytes against its shape, and
 * the tensors together must cover the data exactly, so that a file cut at any byte is refused.
 */
#include "model/safetensors.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "model/format.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian, and so far tensors are used as they lie in the file"
#endif

#define PREFIX_BYTES 8      /* the header's length */
#define HEADER_DEPTH 3      /* { name: { "shape": [ ... ] } } */
#define ITEMS_PER_TENSOR 32 /* JSON values that describe a tensor: 8 dimensions and some more */
#define EXACT_INTEGERS 9007199254740992.0 /* 2^53: JSON numbers are doubles */

static const struct zf_model_limits default_limits = {
    .max_file_bytes = INT64_C(8) << 30,
    .max_header_bytes = INT64_C(16) << 20,
    .max_tensors = 10000,
};

struct zf_safetensors {
    struct zf_bytes mapped;     /* empty when the bytes are the caller's */
    cJSON *json;                /* owns all strings */
    const cJSON *notes;         /* "__metadata__", or NULL */
    struct zf_stored *tensors;  /* [count], in the order of their data */
    struct zf_stored **by_name; /* [count] */
    size_t count;
};

/* What the steps of reading share. */
struct reader {
    const char *path;
    struct zf_model_limits limits;
    const char *header;
    size_t header_bytes;
    const uint8_t *data;
    size_t data_bytes;
};

struct zf_model_limits zf_model_limits_full(const struct zf_model_limits *limits)
{
    struct zf_model_limits full = limits ? *limits : default_limits;

    if (full.max_file_bytes <= 0)
        full.max_file_bytes = default_limits.max_file_bytes;
    if (full.max_header_bytes <= 0)
        full.max_header_bytes = default_limits.max_header_bytes;
    if (full.max_tensors <= 0)
        full.max_tensors = default_limits.max_tensors;
    return full;
}

/* Finds the header and the data within the file. */
static enum zf_status split_file(const struct zf_bytes *bytes, struct reader *reader,
                                 struct zf_error *err)
{
    uint64_t length;

    if (bytes->size < PREFIX_BYTES)
        return zf_fail(err, ZF_EINPUT, "%s: %zu bytes are too few for a safetensors file",
                       reader->path, bytes->size);
    memcpy(&length, bytes->data, sizeof length);
    if (length > (uint64_t)reader->limits.max_header_bytes)
        return zf_fail(err, ZF_EINPUT,
                       "%s: says that its header has %" PRIu64
                       " bytes, more than the limit of %" PRId64 "; "
                       "is it a safetensors file?",
                       reader->path, length, reader->limits.max_header_bytes);
    if (length > bytes->size - PREFIX_BYTES)
        return zf_fail(err, ZF_EINPUT,
                       "%s: truncated: its header has %" PRIu64 " bytes, but only %zu follow",
                       reader->path, length, bytes->size - PREFIX_BYTES);
    reader->header = (const char *)bytes->data + PREFIX_BYTES;
    reader->header_bytes = (size_t)length;
    reader->data = bytes->data + PREFIX_BYTES + length;
    reader->data_bytes = bytes->size - PREFIX_BYTES - (size_t)length;
    return ZF_OK;
}

/* A parser spends about forty bytes on each byte of "[[[[" or "0,0,0,": bound both before it. */
static enum zf_status check_header_cost(const struct reader *reader, struct zf_error *err)
{
    const int64_t most_items = (reader->limits.max_tensors + 1) * ITEMS_PER_TENSOR;
    int64_t items = 1;
    int depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < reader->header_bytes; i++) {
        const char c = reader->header[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string) {
            depth += (c == '{' || c == '[') - (c == '}' || c == ']');
            items += c == ',';
        }
        if (depth > HEADER_DEPTH)
            return zf_fail(err, ZF_EINPUT, "%s: its header nests deeper than %d levels at byte %zu",
                           reader->path, HEADER_DEPTH, i);
        if (items > most_items)
            return zf_fail(err, ZF_EINPUT, "%s: its header lists more than %" PRId64 " values",
                           reader->path, most_items);
    }
    return ZF_OK;
}

/* JSON is UTF-8; the parser takes any bytes for names and notes, which then reach what is written.
 */
static enum zf_status check_header_text(const struct reader *reader, struct zf_error *err)
{
    char tail[4 + 1] = ""; /* a character that begins at the end must not be looked for beyond */

    for (size_t i = 0; i < reader->header_bytes;) {
        const char *at = reader->header + i;
        size_t length;

        if (reader->header_bytes - i < sizeof tail - 1)
            at = memcpy(tail, at, reader->header_bytes - i);
        length = *at ? zf_utf8_length(at) : 1;
        if (length == 0)
            return zf_fail(err, ZF_EINPUT, "%s: its header is no UTF-8 (see byte %zu)",
                           reader->path, i + PREFIX_BYTES);
        i += length;
        memset(tail, 0, sizeof tail);
    }
    return ZF_OK;
}

static enum zf_status parse_header(const struct reader *reader, cJSON **out, struct zf_error *err)
{
    enum zf_status status;
    const char *end;
    cJSON *json = NULL;

    ZF_TRY(check_header_cost(reader, err));
    ZF_TRY(check_header_text(reader, err));
    status = zf_json_parse(reader->header, reader->header_bytes, &json, &end);
    if (status == ZF_ENOMEM)
        return zf_no_memory(err, "the header of %s", reader->path);
    if (!cJSON_IsObject(json))
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: its header is not a JSON object (see byte %td)",
                         reader->path, end - reader->header + PREFIX_BYTES));
    for (; end < reader->header + reader->header_bytes; end++) {
        if (*end != ' ')
            ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: its header goes on after its end, at byte %td",
                             reader->path, end - reader->header + PREFIX_BYTES));
    }
    *out = json;
    json = NULL;
    status = ZF_OK;
fail:
    cJSON_Delete(json);
    return status;
}

static bool read_integer(const cJSON *item, int64_t *out)
{
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) || item->valuedouble > EXACT_INTEGERS ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *out = (int64_t)item->valuedouble;
    return true;
}

static bool read_integers(const cJSON *array, int64_t *numbers, int limit, int *count)
{
    const cJSON *item;
    int found = 0;

    if (!cJSON_IsArray(array))
        return false;
    cJSON_ArrayForEach(item, array)
    {
        if (found == limit || !read_integer(item, &numbers[found]))
            return false;
        found++;
    }
    *count = found;
    return true;
}

static bool read_dtype(const cJSON *item, enum zf_dtype *out)
{
    for (enum zf_dtype dtype = ZF_F64; dtype <= ZF_BOOL; dtype++) {
        if (cJSON_IsString(item) && strcmp(item->valuestring, zf_dtype_name(dtype)) == 0) {
            *out = dtype;
            return true;
        }
    }
    return false;
}

/* Bytes that the shape needs; false if they do not fit 63 bits. */
static bool shape_bytes(const struct zf_stored *tensor, int64_t *bytes)
{
    *bytes = (int64_t)zf_dtype_width(tensor->dtype);
    for (int i = 0; i < tensor->rank; i++) {
        if (tensor->dims[i] < 0 || __builtin_mul_overflow(*bytes, tensor->dims[i], bytes))
            return false;
    }
    return true;
}

static enum zf_status read_tensor(const struct reader *reader, const cJSON *item,
                                  struct zf_stored *tensor, struct zf_error *err)
{
    const cJSON *dtype = cJSON_GetObjectItemCaseSensitive(item, "dtype");
    int64_t range[2], bytes;
    int bounds = 0;
    char shape[128];

    *tensor = (struct zf_stored){.name = item->string};
    if (!read_dtype(dtype, &tensor->dtype))
        return zf_fail(err, ZF_EINPUT, "%s: tensor \"%.100s\" has the unknown type \"%.20s\"",
                       reader->path, tensor->name, cJSON_IsString(dtype) ? dtype->valuestring : "");
    if (!read_integers(cJSON_GetObjectItemCaseSensitive(item, "shape"), tensor->dims,
                       ZF_STORED_RANK, &tensor->rank))
        return zf_fail(err, ZF_EINPUT,
                       "%s: the shape of tensor \"%.100s\" is not a list of up to %d whole numbers",
                       reader->path, tensor->name, ZF_STORED_RANK);
    if (!read_integers(cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), range, 2, &bounds) ||
        bounds != 2 || range[0] > range[1])
        return zf_fail(err, ZF_EINPUT,
                       "%s: the data offsets of tensor \"%.100s\" are not a begin and an end",
                       reader->path, tensor->name);
    if ((uint64_t)range[1] > reader->data_bytes)
        return zf_fail(err, ZF_EINPUT,
                       "%s: truncated: tensor \"%.100s\" ends at byte %" PRId64
                       " of the data, which has %zu",
                       reader->path, tensor->name, range[1], reader->data_bytes);
    if (!shape_bytes(tensor, &bytes) || bytes != range[1] - range[0])
        return zf_fail(err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" %s of %s does not take the %" PRId64 " bytes "
                       "that it is given",
                       reader->path, tensor->name,
                       zf_shape_text(tensor->dims, tensor->rank, shape, sizeof shape),
                       zf_dtype_name(tensor->dtype), (range[1] - range[0]));
    tensor->data = reader->data + range[0];
    tensor->bytes = (size_t)bytes;
    return ZF_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum zf_status read_notes(const struct reader *reader, const cJSON *notes,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int count = cJSON_GetArraySize(notes);
    const char **keys = zf_alloc((size_t)count, sizeof *keys);
    const cJSON *item;
    int filled = 0;

    if (!keys)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", reader->path);
    if (!cJSON_IsObject(notes))
        status = zf_fail(err, ZF_EINPUT, "%s: its metadata is not a JSON object", reader->path);
    cJSON_ArrayForEach(item, notes)
    {
        if (status == ZF_OK && !cJSON_IsString(item))
            status = zf_fail(err, ZF_EINPUT, "%s: metadata \"%.100s\" is not a string",
                             reader->path, item->string ? item->string : "");
        keys[filled++] = item->string;
    }
    if (status == ZF_OK)
        qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    for (int i = 1; i < count && status == ZF_OK; i++) {
        if (strcmp(keys[i - 1], keys[i]) == 0)
            status = zf_fail(err, ZF_EINPUT, "%s: metadata \"%.100s\" stands there twice",
                             reader->path, keys[i]);
    }
    zf_free(keys);
    return status;
}

static int compare_places(const void *a, const void *b)
{
    const struct zf_stored *x = a, *y = b;

    if (x->data != y->data)
        return (const uint8_t *)x->data < (const uint8_t *)y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* empty ones first */
}

static int compare_names(const void *a, const void *b)
{
    const struct zf_stored *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* Sorts by place; each tensor must begin where the one before ends, and the last end the file. */
static enum zf_status check_coverage(const struct reader *reader, struct zf_safetensors *file,
                                     struct zf_error *err)
{
    size_t covered = 0;

    qsort(file->tensors, file->count, sizeof *file->tensors, compare_places);
    for (size_t i = 0; i < file->count; i++) {
        const struct zf_stored *tensor = &file->tensors[i];
        const size_t begin = (size_t)((const uint8_t *)tensor->data - reader->data);

        if (begin < covered)
            return zf_fail(err, ZF_EINPUT, "%s: tensors \"%.100s\" and \"%.100s\" overlap",
                           reader->path, file->tensors[i - 1].name, tensor->name);
        if (begin > covered)
            return zf_fail(err, ZF_EINPUT,
                           "%s: %zu bytes before tensor \"%.100s\" belong to no tensor",
                           reader->path, begin - covered, tensor->name);
        covered += tensor->bytes;
    }
    if (covered != reader->data_bytes)
        return zf_fail(err, ZF_EINPUT, "%s: %zu bytes after the last tensor belong to no tensor",
                       reader->path, reader->data_bytes - covered);
    return ZF_OK;
}

static enum zf_status check_names(const struct reader *reader, struct zf_safetensors *file,
                                  struct zf_error *err)
{
    for (size_t i = 0; i < file->count; i++)
        file->by_name[i] = &file->tensors[i];
    qsort(file->by_name, file->count, sizeof *file->by_name, compare_names);
    for (size_t i = 1; i < file->count; i++) {
        if (strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) == 0)
            return zf_fail(err, ZF_EINPUT, "%s: tensor \"%.100s\" stands there twice", reader->path,
                           file->by_name[i]->name);
    }
    return ZF_OK;
}

static enum zf_status read_items(const struct reader *reader, struct zf_safetensors *file,
                                 struct zf_error *err)
{
    const size_t items = (size_t)cJSON_GetArraySize(file->json);
    const cJSON *item;

    if (items > (uint64_t)reader->limits.max_tensors + 1)
        return zf_fail(err, ZF_EINPUT, "%s: %zu tensors, more than the limit of %" PRId64,
                       reader->path, items, reader->limits.max_tensors);
    file->tensors = zf_alloc(items, sizeof *file->tensors);
    file->by_name = zf_alloc(items, sizeof *file->by_name);
    if (!file->tensors || !file->by_name)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory for %zu tensors", reader->path, items);
    cJSON_ArrayForEach(item, file->json)
    {
        if (strcmp(item->string, "__metadata__") != 0) {
            ZF_CHECK(read_tensor(reader, item, &file->tensors[file->count], err));
            file->count++;
        } else if (file->notes) {
            return zf_fail(err, ZF_EINPUT, "%s: its metadata stands there twice", reader->path);
        } else {
            ZF_CHECK(read_notes(reader, item, err));
            file->notes = item;
        }
    }
    ZF_CHECK(check_coverage(reader, file, err));
    return check_names(reader, file, err);
}

enum zf_status zf_safetensors_parse(const struct zf_bytes *bytes, const char *path,
                                    const struct zf_model_limits *limits,
                                    struct zf_safetensors **out, struct zf_error *err)
{
    enum zf_status status;
    struct reader reader = {.path = path, .limits = zf_model_limits_full(limits)};
    struct zf_safetensors *file = zf_alloc(1, sizeof *file);

    if (!file)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
    ZF_TRY(split_file(bytes, &reader, err));
    ZF_TRY(parse_header(&reader, &file->json, err));
    ZF_TRY(read_items(&reader, file, err));
    *out = file;
    file = NULL;
fail:
    zf_safetensors_free(&file);
    return status;
}

enum zf_status zf_safetensors_open(const char *path, const struct zf_model_limits *limits,
                                   struct zf_safetensors **out, struct zf_error *err)
{
    enum zf_status status;
    const int64_t max_bytes = zf_model_limits_full(limits).max_file_bytes;
    struct zf_bytes bytes = {0};
    struct zf_safetensors *file = NULL;

    ZF_TRY(zf_bytes_map(&bytes, path, (size_t)max_bytes, err));
    ZF_TRY(zf_safetensors_parse(&bytes, path, limits, &file, err));
    file->mapped = bytes;
    bytes = (struct zf_bytes){0};
    *out = file;
fail:
    zf_bytes_release(&bytes);
    return status;
}

void zf_safetensors_free(struct zf_safetensors **file)
{
    if (!file || !*file)
        return;
    cJSON_Delete((*file)->json);
    zf_free((*file)->tensors);
    zf_free((*file)->by_name);
    zf_bytes_release(&(*file)->mapped);
    zf_free(*file);
    *file = NULL;
}

size_t zf_safetensors_count(const struct zf_safetensors *file)
{
    return file->count;
}

const struct zf_stored *zf_safetensors_at(const struct zf_safetensors *file, size_t i)
{
    return &file->tensors[i];
}

const struct zf_stored *zf_safetensors_find(const struct zf_safetensors *file, const char *name)
{
    const struct zf_stored key = {.name = name}, *wanted = &key;
    struct zf_stored **found =
        bsearch(&wanted, file->by_name, file->count, sizeof *file->by_name, compare_names);

    return found ? *found : NULL;
}

const char *zf_safetensors_note(const struct zf_safetensors *file, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(file->notes, key);

    return item ? item->valuestring : NULL;
}
