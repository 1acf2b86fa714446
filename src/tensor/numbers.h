/* SPDX-License-Identifier: MIT */
/* Numbers as other programs store them, as float32. */
#ifndef ZF_TENSOR_NUMBERS_H
#define ZF_TENSOR_NUMBERS_H

#include <stdbool.h>
#include <stdint.h>

enum zf_number_kind { ZF_NUMBER_REAL, ZF_NUMBER_WHOLE, ZF_NUMBER_SIGNED };

struct zf_number_type {
    enum zf_number_kind kind;
    int size; /* bytes: 1, 2, 4, 8 */
    bool big; /* the largest byte first */
};

/** Of NumPy's "<f4", ">u2", "|b1" ...; false for what is no number of up to 64 bits. */
bool zf_number_type_of(const char *dtype, struct zf_number_type *out);

/** `count` numbers, one behind the other and not aligned, rounded to float32. */
void zf_numbers_read(const struct zf_number_type *type, const uint8_t *src, int64_t count,
                     float *dst);

/** IEEE 754 half precision, exactly. */
float zf_float_from_half(uint16_t half);

#endif
