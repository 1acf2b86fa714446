/* SPDX-License-Identifier: MIT */
/* Tensors of the file as numbers: reals as float, everything whole as int64. */
#include "import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

/* Where a tensor's numbers may lie beside raw_data. */
enum field { FLOATS, DOUBLES, INT32S, INT64S, UINT64S };

static const struct element {
    int32_t code; /* TensorProto.DataType */
    enum zf_dtype dtype;
    enum field field;
} elements[] = {{1, ZF_F32, FLOATS},   {10, ZF_F16, INT32S}, {16, ZF_BF16, INT32S},
                {11, ZF_F64, DOUBLES}, {7, ZF_I64, INT64S},  {6, ZF_I32, INT32S},
                {9, ZF_BOOL, INT32S},  {2, ZF_U8, INT32S},   {3, ZF_I8, INT32S},
                {4, ZF_U16, INT32S},   {5, ZF_I16, INT32S},  {12, ZF_U32, UINT64S},
                {13, ZF_U64, UINT64S}};

#define MEMORY_PER_BYTE 10 /* half precision, turned, folded, and in the net */
#define WORK_PER_BYTE 4    /* of half precision: each weight scaled 8 times over */

void zf_import_afford(struct zf_import *import, size_t bytes)
{
    import->memory += MEMORY_PER_BYTE * (int64_t)bytes;
    import->work += WORK_PER_BYTE * (int64_t)bytes;
}

void *zf_import_room(struct zf_import *import, int64_t count, size_t size)
{
    int64_t bytes;
    void *room;

    if (!zf_mul3(count, (int64_t)size, 1, &bytes) || bytes > import->memory) {
        zf_fail(import->err, ZF_EINPUT,
                "%s: %lld numbers computed from constants are more than a file of this size needs",
                import->path, (long long)count);
        return NULL;
    }
    room = zf_alloc_raw((size_t)count, size);
    if (!room)
        zf_fail(import->err, ZF_ENOMEM, "%s: no memory for %lld numbers", import->path,
                (long long)count);
    else
        import->memory -= bytes;
    return room;
}

enum zf_status zf_import_work(struct zf_import *import, int64_t count)
{
    import->work -= count;
    return import->work >= 0
               ? ZF_OK
               : zf_fail(import->err, ZF_EINPUT,
                         "%s: the same %lld numbers are gone through again and again, more often "
                         "than a file of this size needs",
                         import->path, (long long)count);
}

void zf_value_release(struct zf_value *value)
{
    zf_free(value->owned);
    *value = (struct zf_value){0};
}

/* The status of what zf_import_room() has said. */
static enum zf_status no_room(const struct zf_import *import)
{
    return import->err->status;
}

static int64_t integer_at(enum zf_dtype dtype, const uint8_t *data)
{
    int64_t wide = 0;

    memcpy(&wide, data, zf_dtype_width(dtype));
    switch (dtype) { /* the bytes above are zero: signs must be brought there */
    case ZF_I32:
        return (int32_t)wide;
    case ZF_I16:
        return (int16_t)wide;
    case ZF_I8:
        return (int8_t)wide;
    case ZF_F64:
    case ZF_F32:
    case ZF_F16:
    case ZF_BF16:
    case ZF_I64:
    case ZF_U64:
    case ZF_U32:
    case ZF_U16:
    case ZF_U8:
    case ZF_BOOL:
        return wide;
    }
    return wide;
}

/* `stored` has the type, the shape and the bytes. */
static enum zf_status take_bytes(struct zf_import *import, const struct zf_stored *stored,
                                 struct zf_value *value)
{
    const int64_t count = zf_stored_count(stored);
    const bool real = zf_dtype_is_real(stored->dtype);
    const size_t width = zf_dtype_width(stored->dtype);

    value->kind = real ? ZF_VALUE_FLOATS : ZF_VALUE_INTEGERS;
    if (stored->dtype == ZF_F32) {
        value->floats = stored->data;
        return ZF_OK;
    }
    value->owned = zf_import_room(import, count, real ? sizeof(float) : sizeof(int64_t));
    if (!value->owned)
        return no_room(import);
    if (real) {
        zf_stored_floats(stored, value->owned);
        value->floats = value->owned;
    } else {
        int64_t *integers = value->owned;

        for (int64_t i = 0; i < count; i++)
            integers[i] =
                integer_at(stored->dtype, (const uint8_t *)stored->data + (size_t)i * width);
        value->integers = integers;
    }
    return ZF_OK;
}

static enum zf_status take_int32s(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_stored *stored, struct zf_value *value)
{
    const size_t count = tensor->n_int32_data, width = zf_dtype_width(stored->dtype);
    uint8_t *packed = zf_import_room(import, (int64_t)count, width);
    enum zf_status status;

    if (!packed)
        return no_room(import);
    for (size_t i = 0; i < count; i++) /* little-endian: the low bytes are first */
        memcpy(packed + i * width, &tensor->int32_data[i], width);
    stored->data = packed;
    status = take_bytes(import, stored, value);
    zf_free(packed);
    return status;
}

static enum zf_status take_field(struct zf_import *import, const Onnx__TensorProto *tensor,
                                 const struct element *element, struct zf_stored *stored,
                                 struct zf_value *value)
{
    const size_t counts[] = {tensor->n_float_data, tensor->n_double_data, tensor->n_int32_data,
                             tensor->n_int64_data, tensor->n_uint64_data};
    const int64_t count = zf_stored_count(stored);

    if ((uint64_t)count != counts[element->field])
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" has %zu values, its shape needs %lld", import->path,
                       stored->name, counts[element->field], (long long)count);
    switch (element->field) {
    case FLOATS:
        value->kind = ZF_VALUE_FLOATS;
        value->floats = tensor->float_data;
        return ZF_OK;
    case INT64S:
        value->kind = ZF_VALUE_INTEGERS;
        value->integers = tensor->int64_data;
        return ZF_OK;
    case DOUBLES:
        stored->data = tensor->double_data;
        return take_bytes(import, stored, value);
    case UINT64S:
        stored->data = tensor->uint64_data;
        stored->dtype = ZF_U64;
        return take_bytes(import, stored, value);
    case INT32S:
        return take_int32s(import, tensor, stored, value);
    }
    return ZF_OK;
}

/* ---- External data ---- */

static const char *external_note(const Onnx__TensorProto *tensor, const char *key)
{
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const Onnx__StringStringEntryProto *entry = tensor->external_data[i];

        if (entry->key && strcmp(entry->key, key) == 0)
            return entry->value;
    }
    return NULL;
}

/* `location` lies in the model's own directory, whatever links there are. */
static enum zf_status inside_directory(const struct zf_import *import, const char *location,
                                       char **out)
{
    const char *slash = strrchr(import->path, '/');
    char *directory =
        slash ? zf_format("%.*s/", (int)(slash - import->path), import->path) : zf_strdup("./");
    char *joined = directory ? zf_path_join(directory, location) : NULL;
    char *real_directory = directory ? realpath(directory, NULL) : NULL;
    char *real = joined ? realpath(joined, NULL) : NULL;
    const size_t length = real_directory ? strlen(real_directory) : 0;
    enum zf_status status = ZF_OK;

    if (!joined)
        status = zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    else if (!real || !real_directory)
        status = zf_fail(import->err, ZF_EINPUT, "%s: its external data \"%.100s\" is not there",
                         import->path, location);
    else if (strncmp(real, real_directory, length) != 0 ||
             (real[length] != '/' && strcmp(real_directory, "/") != 0))
        status = zf_fail(import->err, ZF_EINPUT,
                         "%s: its external data \"%.100s\" lies outside of the model's directory",
                         import->path, location);
    if (status == ZF_OK) {
        *out = joined;
        joined = NULL;
    }
    free(real);
    free(real_directory);
    zf_free(joined);
    zf_free(directory);
    return status;
}

static enum zf_status map_external(struct zf_import *import, const char *location,
                                   const struct zf_bytes **out)
{
    enum zf_status status;
    const int n = import->mapped_count;
    char *path = NULL;

    for (int i = 0; i < n; i++) {
        if (strcmp(import->mapped_names[i], location) == 0) {
            *out = &import->mapped[i];
            return ZF_OK;
        }
    }
    if (n == ZF_ONNX_MAPPED)
        return zf_fail(import->err, ZF_EINPUT, "%s: external data in more than %d files",
                       import->path, ZF_ONNX_MAPPED);
    ZF_TRY(inside_directory(import, location, &path));
    ZF_TRY(zf_bytes_map(&import->mapped[n], path, (size_t)import->options->limits.max_file_bytes,
                        import->err));
    import->mapped_names[n] = location;
    import->mapped_count++;
    zf_import_afford(import, import->mapped[n].size);
    *out = &import->mapped[n];
fail:
    zf_free(path);
    return status;
}

static bool read_offset(const char *text, uint64_t otherwise, uint64_t *out)
{
    char *end;

    *out = otherwise;
    if (!text)
        return true;
    *out = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0';
}

static enum zf_status find_external(struct zf_import *import, const Onnx__TensorProto *tensor,
                                    struct zf_stored *stored)
{
    const char *location = external_note(tensor, "location");
    const struct zf_bytes *file = NULL;
    uint64_t offset, length;
    enum zf_status status;

    if (!import->options->external_data)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" lies in another file, \"%.100s\"; allow that with "
                       "--external-data",
                       import->path, stored->name, location ? location : "");
    if (!location || !*location)
        return zf_fail(import->err, ZF_EINPUT, "%s: tensor \"%.100s\" lies in a file without name",
                       import->path, stored->name);
    ZF_TRY(map_external(import, location, &file));
    if (!read_offset(external_note(tensor, "offset"), 0, &offset) ||
        !read_offset(external_note(tensor, "length"), stored->bytes, &length) ||
        length != stored->bytes || offset > file->size || length > file->size - offset)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: tensor \"%.100s\" takes %zu bytes, which its place in \"%.100s\" of %zu "
            "bytes does not have",
            import->path, stored->name, stored->bytes, location, file->size);
    stored->data = file->data ? file->data + offset : NULL;
fail:
    return status;
}

/* ---- All of it ---- */

static enum zf_status read_type_and_shape(const struct zf_import *import,
                                          const Onnx__TensorProto *tensor,
                                          const struct element **element, struct zf_stored *stored)
{
    int64_t bytes;

    *element = NULL;
    for (size_t i = 0; i < ZF_COUNT(elements); i++) {
        if (tensor->has_data_type && elements[i].code == tensor->data_type)
            *element = &elements[i];
    }
    if (!*element)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" is of type %d, which are no numbers that are read",
                       import->path, stored->name, (int)tensor->data_type);
    if (tensor->n_dims > ZF_ONNX_RANK)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" has %zu dimensions, more than %d", import->path,
                       stored->name, tensor->n_dims, ZF_ONNX_RANK);
    stored->dtype = (*element)->dtype;
    stored->rank = (int)tensor->n_dims;
    bytes = (int64_t)zf_dtype_width(stored->dtype);
    for (int i = 0; i < stored->rank; i++) {
        stored->dims[i] = tensor->dims[i];
        if (stored->dims[i] < 0 || !zf_mul3(bytes, stored->dims[i], 1, &bytes))
            return zf_fail(import->err, ZF_EINPUT,
                           "%s: tensor \"%.100s\" has dimension %d = %lld, which cannot be",
                           import->path, stored->name, i, (long long)stored->dims[i]);
    }
    stored->bytes = (size_t)bytes;
    return ZF_OK;
}

enum zf_status zf_import_constant(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_value *value)
{
    struct zf_stored stored = {.name = tensor->name ? tensor->name : ""};
    struct zf_value read = {0};
    const struct element *element;
    enum zf_status status = ZF_OK;
    const bool external =
        (tensor->has_data_location && tensor->data_location != 0) || tensor->n_external_data > 0;

    ZF_TRY(read_type_and_shape(import, tensor, &element, &stored));
    read.rank = stored.rank;
    memcpy(read.dims, stored.dims, sizeof read.dims);
    if (external) {
        ZF_TRY(find_external(import, tensor, &stored));
        ZF_TRY(take_bytes(import, &stored, &read));
    } else if (tensor->has_raw_data && (tensor->raw_data.len > 0 || stored.bytes == 0)) {
        if (tensor->raw_data.len != stored.bytes) {
            status = zf_fail(import->err, ZF_EINPUT,
                             "%s: tensor \"%.100s\" has %zu bytes, its shape needs %zu",
                             import->path, stored.name, tensor->raw_data.len, stored.bytes);
            goto fail;
        }
        stored.data = tensor->raw_data.data;
        ZF_TRY(take_bytes(import, &stored, &read));
    } else {
        ZF_TRY(take_field(import, tensor, element, &stored, &read));
    }
    *value = read;
    read = (struct zf_value){0};
fail:
    zf_value_release(&read);
    return status;
}
