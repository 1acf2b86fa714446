/* SPDX-License-Identifier: MIT */
#include "model/base64.h"

#include <string.h>

#include "base/memory.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *zf_base64_encode(const void *bytes, size_t size)
{
    const uint8_t *in = bytes;
    char *text = size / 3 < SIZE_MAX / 4 - 2 ? zf_alloc_raw((size + 2) / 3 * 4 + 1, 1) : NULL;
    char *out = text;

    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t group = (uint32_t)in[i] << 16 | (uint32_t)(left > 1 ? in[i + 1] : 0) << 8 |
                               (uint32_t)(left > 2 ? in[i + 2] : 0);

        *out++ = digits[group >> 18];
        *out++ = digits[group >> 12 & 63];
        *out++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

bool zf_base64_decode(const char *text, void *bytes, size_t size)
{
    uint8_t *out = bytes;

    if (strlen(text) / 4 != (size + 2) / 3 || strlen(text) % 4 != 0)
        return false;
    for (size_t i = 0; i < size; i += 3, text += 4) {
        const size_t left = size - i;
        const size_t used = left > 2 ? 4 : left + 1;
        uint32_t group = 0;

        for (size_t k = 0; k < 4; k++) {
            const char *digit = k < used ? strchr(digits, text[k]) : digits;

            if (!digit || (k >= used && text[k] != '='))
                return false;
            group = group << 6 | (uint32_t)(digit - digits);
        }
        for (size_t k = 0; k < 3 && k < left; k++)
            out[i + k] = (uint8_t)(group >> (16 - 8 * k));
    }
    return true;
}
