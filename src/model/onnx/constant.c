/* SPDX-License-Identifier: MIT */
/* Tensors of the file as numbers: reals as float, everything whole as int64. */
#include "constant.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

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
                                 struct zf_operand *value)
{
    const int64_t count = zf_stored_count(stored);
    const bool real = zf_dtype_is_real(stored->dtype);
    const size_t width = zf_dtype_width(stored->dtype);

    value->kind = real ? ZF_OPERAND_FLOATS : ZF_OPERAND_INTEGERS;
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
                                  struct zf_stored *stored, struct zf_operand *value)
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
                                 struct zf_operand *value)
{
    const size_t counts[] = {tensor->n_float_data, tensor->n_double_data, tensor->n_int32_data,
                             tensor->n_int64_data, tensor->n_uint64_data};
    const int64_t count = zf_stored_count(stored);

    if ((uint64_t)count != counts[element->field])
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: tensor \"%.100s\" has %zu values, its shape needs %" PRId64,
                       import->path, stored->name, counts[element->field], count);
    switch (element->field) {
    case FLOATS:
        value->kind = ZF_OPERAND_FLOATS;
        value->floats = tensor->float_data;
        return ZF_OK;
    case INT64S:
        value->kind = ZF_OPERAND_INTEGERS;
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
                           "%s: tensor \"%.100s\" has dimension %d = %" PRId64 ", which cannot be",
                           import->path, stored->name, i, stored->dims[i]);
    }
    stored->bytes = (size_t)bytes;
    return ZF_OK;
}

enum zf_status zf_import_constant(struct zf_import *import, const Onnx__TensorProto *tensor,
                                  struct zf_operand *value)
{
    struct zf_stored stored = {.name = tensor->name ? tensor->name : ""};
    struct zf_operand read = {0};
    const struct element *element;
    enum zf_status status = ZF_OK;
    const bool external =
        (tensor->has_data_location && tensor->data_location != 0) || tensor->n_external_data > 0;

    ZF_TRY(read_type_and_shape(import, tensor, &element, &stored));
    read.rank = stored.rank;
    memcpy(read.dims, stored.dims, sizeof read.dims);
    if (external) {
        ZF_TRY(zf_import_external(import, tensor, &stored));
        ZF_TRY(take_bytes(import, &stored, &read));
    } else if (tensor->has_raw_data && (tensor->raw_data.len > 0 || stored.bytes == 0)) {
        if (tensor->raw_data.len != stored.bytes)
            ZF_LEAVE(zf_fail(import->err, ZF_EINPUT,
                             "%s: tensor \"%.100s\" has %zu bytes, its shape needs %zu",
                             import->path, stored.name, tensor->raw_data.len, stored.bytes));
        stored.data = tensor->raw_data.data;
        ZF_TRY(take_bytes(import, &stored, &read));
    } else {
        ZF_TRY(take_field(import, tensor, element, &stored, &read));
    }
    *value = read;
    read = (struct zf_operand){0};
fail:
    zf_operand_release(&read);
    return status;
}
