/* SPDX-License-Identifier: MIT */
#include "page/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"

char *zf_text_utf8(const char *bytes)
{
    static const char replacement[] = "\xef\xbf\xbd";
    const unsigned char *src = (const unsigned char *)bytes;
    char *text = zf_alloc_raw(strlen(bytes) + 1, sizeof(replacement) - 1);
    size_t length = 0;

    if (!text)
        return NULL;
    while (*src) {
        size_t size = zf_utf8_length((const char *)src);

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

const char *zf_text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
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
