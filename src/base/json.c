/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"
#include "words.h"

static _Thread_local bool refused; /* memory, since this thread last began to parse */

static void *allocate(size_t bytes)
{
    void *memory = zf_alloc_plain(bytes);

    refused = refused || !memory;
    return memory;
}

static void set_hooks(void)
{
    cJSON_InitHooks(&(cJSON_Hooks){allocate, zf_free});
}

enum zf_status zf_json_parse(const char *text, size_t size, cJSON **out, const char **end)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const char *reached = text;

    pthread_once(&once, set_hooks);
    refused = false;
    *out = cJSON_ParseWithLengthOpts(text, size, &reached, false);
    if (end)
        *end = reached ? reached : text;
    if (*out)
        return ZF_OK;
    return refused ? ZF_ENOMEM : ZF_EINPUT;
}

char *zf_json_sound(char *printed)
{
    enum { ESCAPE = 6 };
    const char *at = printed;
    size_t wrong = 0, size = 1;
    char *sound, *out;

    for (; at && *at; size++) {
        const size_t length = zf_utf8_length(at);

        wrong += length == 0;
        size += length > 0 ? length - 1 : 0;
        at += length > 0 ? length : 1;
    }
    if (wrong == 0)
        return printed;
    sound = out = cJSON_malloc(size + wrong * (ESCAPE - 1));
    for (at = printed; sound && *at;) {
        const size_t length = zf_utf8_length(at);

        if (length == 0) {
            out += snprintf(out, ESCAPE + 1, "\\udc%02x", (unsigned)(uint8_t)*at++);
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
