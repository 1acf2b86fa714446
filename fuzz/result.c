/* SPDX-License-Identifier: MIT */
/* The JSON of a result, as `report` takes it: what it says becomes part of a page. */
#include "target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "page/blocks.h"

/* Text has become no markup of its own. */
static void assert_inert(const char *html)
{
    static const char *const never[] = {"<script",   "<iframe",  "<object",
                                        " onerror=", " onload=", "javascript:"};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        for (const char *at = strstr(html, never[i]); at; at = strstr(at + 1, never[i]))
            if (*at == '<')
                abort();
}

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    struct zf_sizes sizes = {0};
    struct zf_error err;
    cJSON *root = NULL;
    char *html = NULL;
    size_t length = 0;
    FILE *out;
    bool accepted = zf_json_parse((const char *)bytes, size, &root, NULL) == ZF_OK;
    const cJSON *block;

    if (!accepted)
        return false;
    out = open_memstream(&html, &length);
    if (!out)
        abort();
    cJSON_ArrayForEach(block, cJSON_GetObjectItemCaseSensitive(root, "blocks"))
    {
        const struct zf_block_place place = {out, "/nowhere", 2, true, NULL};

        zf_block_sizes(block, &sizes);
        accepted = zf_block_write(&place, block, &err) == ZF_OK && accepted;
    }
    zf_sizes_css(out, &sizes);
    if (fclose(out) != 0)
        abort();
    assert_inert(html);
    free(html);
    cJSON_Delete(root);
    return accepted;
}
