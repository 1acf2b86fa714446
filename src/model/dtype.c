/* SPDX-License-Identifier: MIT */
/* Element types of stored tensors: names, widths, and the way to float. */
#include "model/safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tensor/numbers.h"

static const struct {
    const char *name;
    size_t width;
} dtypes[] = {
#define X(name, width) {#name, width},
    ZF_DTYPE_MAP(X)
#undef X
};

const char *zf_dtype_name(enum zf_dtype dtype)
{
    return dtypes[dtype].name;
}

size_t zf_dtype_width(enum zf_dtype dtype)
{
    return dtypes[dtype].width;
}

bool zf_dtype_is_real(enum zf_dtype dtype)
{
    return dtype == ZF_F32 || dtype == ZF_F64 || dtype == ZF_F16 || dtype == ZF_BF16;
}

int64_t zf_stored_count(const struct zf_stored *tensor)
{
    int64_t count = 1;

    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

static float float_from_bits(uint32_t bits)
{
    float number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static float float_from_bfloat(uint16_t bfloat)
{
    return float_from_bits((uint32_t)bfloat << 16);
}

static void floats_from_doubles(const uint8_t *src, int64_t count, float *dst)
{
    for (int64_t i = 0; i < count; i++) {
        double number;

        memcpy(&number, src + (size_t)i * sizeof number, sizeof number);
        dst[i] = (float)number;
    }
}

static void floats_from_words(const uint8_t *src, int64_t count, float (*convert)(uint16_t),
                              float *dst)
{
    for (int64_t i = 0; i < count; i++) {
        uint16_t word;

        memcpy(&word, src + (size_t)i * sizeof word, sizeof word);
        dst[i] = convert(word);
    }
}

bool zf_stored_floats(const struct zf_stored *tensor, float *dst)
{
    const int64_t count = zf_stored_count(tensor);

    if (count == 0)
        return zf_dtype_is_real(tensor->dtype);
    switch (tensor->dtype) {
    case ZF_F32:
        memcpy(dst, tensor->data, tensor->bytes);
        return true;
    case ZF_F64:
        floats_from_doubles(tensor->data, count, dst);
        return true;
    case ZF_F16:
        floats_from_words(tensor->data, count, zf_float_from_half, dst);
        return true;
    case ZF_BF16:
        floats_from_words(tensor->data, count, float_from_bfloat, dst);
        return true;
    case ZF_I64:
    case ZF_U64:
    case ZF_I32:
    case ZF_U32:
    case ZF_I16:
    case ZF_U16:
    case ZF_I8:
    case ZF_U8:
    case ZF_BOOL:
        return false;
    }
    return false;
}

const char *zf_shape_text(const int64_t *dims, int rank, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "[");

    for (int i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRId64, i ? ", " : "", dims[i]);
    if (used < size)
        snprintf(text + used, size - used, "]");
    return text;
}
