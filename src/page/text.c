/* SPDX-License-Identifier: MIT */
#include "page/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

/* Bytes of the well-formed character at `text` (Unicode, table 3-7), 0 if there is none. */
static size_t character(const unsigned char *text)
{
    unsigned char first = text[0], second;
    unsigned char low = 0x80, high = 0xbf; /* what the second byte may be */
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;

    if (length < 2)
        return length;
    low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : low;
    high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : high;
    second = text[1];
    if (second < low || second > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

char *zf_text_utf8(const char *bytes)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *src = (const unsigned char *)bytes;
    char *text = zf_alloc_raw(strlen(bytes) + 1, sizeof(replacement) - 1);
    size_t length = 0;

    if (!text)
        return NULL;
    while (*src) {
        size_t size = character(src);

        memcpy(text + length, size ? (const char *)src : replacement, size ? size : 3);
        length += size ? size : 3;
        src += size ? size : 1;
    }
    text[length] = '\0';
    return text;
}

cJSON *zf_text_json(const char *bytes)
{
    char *text = bytes ? zf_text_utf8(bytes) : NULL;
    cJSON *json = text ? cJSON_CreateString(text) : bytes ? NULL : cJSON_CreateNull();

    zf_free(text);
    return json;
}

void zf_text_html(FILE *stream, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", stream);
            break;
        case '<':
            fputs("&lt;", stream);
            break;
        case '>':
            fputs("&gt;", stream);
            break;
        case '"':
            fputs("&quot;", stream);
            break;
        default:
            fputc(*text, stream);
        }
    }
}

void zf_text_script(FILE *stream, const char *json)
{
    for (; *json; json++) {
        /* In JSON '<' stands only inside of strings; "</script>" must not. */
        if (*json == '<')
            fputs("\\u003c", stream);
        else
            fputc(*json, stream);
    }
}

void zf_text_base64(FILE *stream, const unsigned char *bytes, size_t size)
{
    static const char symbols[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        size_t rest = size - i < 3 ? size - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16 | (rest > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (rest > 2 ? bytes[i + 2] : 0);

        fputc(symbols[group >> 18], stream);
        fputc(symbols[group >> 12 & 63], stream);
        fputc(rest > 1 ? symbols[group >> 6 & 63] : '=', stream);
        fputc(rest > 2 ? symbols[group & 63] : '=', stream);
    }
}
