/* SPDX-License-Identifier: MIT */
#include "tensor/numbers.h"

#include <stdlib.h>
#include <string.h>

static const bool big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

bool zf_number_type_of(const char *dtype, struct zf_number_type *out)
{
    const char *kind = dtype + 1;
    char *end;
    long size;

    if (!*dtype || !strchr("<>=|", *dtype) || !*kind || !strchr("fuib", *kind))
        return false;
    size = strtol(kind + 1, &end, 10);
    if (end == kind + 1 || *end != '\0' || (size != 1 && size != 2 && size != 4 && size != 8) ||
        (*kind == 'f' && size == 1) || (*kind == 'b' && size != 1))
        return false;
    out->kind = *kind == 'f' ? ZF_NUMBER_REAL : *kind == 'u' ? ZF_NUMBER_WHOLE : ZF_NUMBER_SIGNED;
    out->size = (int)size;
    out->big = *dtype == '>' || (*dtype != '<' && big_endian);
    return true;
}

static float float_from_bits(uint32_t bits)
{
    float number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

float zf_float_from_half(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1fu, fraction = half & 0x3ffu;

    if (exponent == 0) { /* zero and subnormals: fraction * 2^-24, exact in float */
        const float magnitude = (float)fraction * 0x1p-24f;

        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) /* infinity, NaN */
        return float_from_bits(sign | 0x7f800000u | fraction << 13);
    return float_from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static float real_of(uint64_t bits, int size)
{
    double real;

    if (size == 2)
        return zf_float_from_half((uint16_t)bits);
    if (size == 4)
        return float_from_bits((uint32_t)bits);
    memcpy(&real, &bits, sizeof real);
    return (float)real;
}

void zf_numbers_read(const struct zf_number_type *type, const uint8_t *src, int64_t count,
                     float *dst)
{
    const int size = type->size, unused = 64 - 8 * size;

    if (type->kind == ZF_NUMBER_REAL && size == 4 && type->big == big_endian) {
        memcpy(dst, src, sizeof *dst * (size_t)count);
        return;
    }
    for (int64_t i = 0; i < count; i++, src += size) {
        uint64_t bits = 0;

        for (int k = 0; k < size; k++) /* the largest byte first */
            bits = bits << 8 | src[type->big ? k : size - 1 - k];
        if (type->kind == ZF_NUMBER_REAL)
            dst[i] = real_of(bits, size);
        else if (type->kind == ZF_NUMBER_SIGNED)
            dst[i] = (float)((int64_t)(bits << unused) >> unused);
        else
            dst[i] = (float)bits;
    }
}
