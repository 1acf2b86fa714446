/* SPDX-License-Identifier: MIT */
#include "zf/base.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

/* Bytes of the character that begins here: 1 to 4, 0 when it is no UTF-8. */
static size_t character(const unsigned char *at)
{
    static const unsigned int least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = at[0] < 0x80   ? 1
                          : at[0] < 0xC0 ? 0
                          : at[0] < 0xE0 ? 2
                          : at[0] < 0xF0 ? 3
                          : at[0] < 0xF8 ? 4
                                         : 0;
    unsigned int point = length > 1 ? at[0] & (0x7Fu >> length) : at[0];

    for (size_t k = 1; k < length; k++) {
        if ((at[k] & 0xC0) != 0x80)
            return 0;
        point = point << 6 | (at[k] & 0x3Fu);
    }
    if (length > 0 && (point < least[length] || point > 0x10FFFF || (point >> 11) == 0x1B))
        return 0; /* longer than need be, beyond the last, or half of a pair */
    return length;
}

char *zf_json_sound(char *printed)
{
    enum { ESCAPE = 6 };
    const unsigned char *at = (const unsigned char *)printed;
    size_t wrong = 0, size = 1;
    char *sound, *out;

    for (; at && *at; size++) {
        const size_t length = character(at);

        wrong += length == 0;
        size += length > 0 ? length - 1 : 0;
        at += length > 0 ? length : 1;
    }
    if (wrong == 0)
        return printed;
    sound = out = cJSON_malloc(size + wrong * (ESCAPE - 1));
    for (at = (const unsigned char *)printed; sound && *at;) {
        const size_t length = character(at);

        if (length == 0) {
            out += snprintf(out, ESCAPE + 1, "\\udc%02x", *at++);
        } else {
            memcpy(out, at, length);
            out += length;
            at += length;
        }
    }
    if (sound)
        *out = '\0';
    cJSON_free(printed);
    return sound;
}
