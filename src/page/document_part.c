/* SPDX-License-Identifier: MIT */
/*
 * Some of a document's blocks as a file, so that a run that was stopped need not make them again:
 *
 *     {"blocks":[...],"html":"...","sizes":[[columns...],[rows...],[panels...]]}
 *
 * with blocks as in document.h, and all sizes that the document's HTML uses so far.
 */
#include "page/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define LARGEST_PART ((size_t)1 << 30)

/* ---- Keeping. ---- */

static bool add_sizes(cJSON *object, const struct zf_sizes *sizes)
{
    cJSON *lists = cJSON_AddArrayToObject(object, "sizes");

    for (size_t kind = 0; kind < ZF_SIZE_COUNT; kind++) {
        cJSON *list = cJSON_CreateArray();

        if (!cJSON_AddItemToArray(lists, list))
            return false;
        for (int value = 1; value <= ZF_SIZE_MOST; value++) {
            if (sizes->used[kind][value] && !cJSON_AddItemToArray(list, cJSON_CreateNumber(value)))
                return false;
        }
    }
    return true;
}

/* The HTML in place of blocks from `first` on; "" where they stand themselves. */
static const char *html_of(const struct zf_dress *dress, const cJSON *first)
{
    for (size_t i = 0; i < dress->count; i++) {
        if (dress->replaced[i].first == first)
            return dress->replaced[i].html;
    }
    return "";
}

enum zf_status zf_document_keep_part(struct zf_document *document, int count, const char *path,
                                     struct zf_error *err)
{
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    cJSON *block = cJSON_GetArrayItem(blocks, cJSON_GetArraySize(blocks) - count);
    cJSON *part = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(part, "blocks");
    bool complete = block && add_sizes(part, &document->dress.sizes) &&
                    cJSON_AddStringToObject(part, "html", html_of(&document->dress, block));
    enum zf_status status;
    char *text;

    for (; complete && block; block = block->next)
        complete = cJSON_AddItemReferenceToArray(list, block);
    text = complete ? cJSON_PrintUnformatted(part) : NULL;
    status = text ? zf_file_write(path, text, strlen(text), err)
                  : zf_no_memory(err, "a part of the document in %s", document->directory);
    cJSON_free(text);
    cJSON_Delete(part);
    return status;
}

/* ---- Taking. ---- */

static void take_sizes(struct zf_sizes *sizes, const cJSON *lists)
{
    const cJSON *list, *value;
    enum zf_size kind = 0;

    cJSON_ArrayForEach(list, lists)
    {
        cJSON_ArrayForEach(value, list)
        {
            if (kind < ZF_SIZE_COUNT)
                zf_sizes_add(sizes, kind, value->valueint);
        }
        kind++;
    }
}

/* As zf_document_replace() takes it; NULL when memory is short. */
static char *copy_html(const char *html)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&copy, &size);

    if (!stream)
        return NULL;
    fputs(html, stream);
    if (fclose(stream) == 0)
        return copy;
    free(copy);
    return NULL;
}

/* Whether the part was whole. */
static bool take_blocks(struct zf_document *document, cJSON *part)
{
    cJSON *from = cJSON_GetObjectItemCaseSensitive(part, "blocks");
    cJSON *to = cJSON_GetObjectItemCaseSensitive(document->root, "blocks");
    const char *html = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(part, "html"));
    const int count = cJSON_GetArraySize(from);

    if (!cJSON_IsArray(from) || count == 0 || !html)
        return false;
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(to, cJSON_DetachItemFromArray(from, 0));
    if (*html)
        zf_document_replace(document, count, copy_html(html));
    take_sizes(&document->dress.sizes, cJSON_GetObjectItemCaseSensitive(part, "sizes"));
    return true;
}

enum zf_status zf_document_take_part(struct zf_document *document, const char *path,
                                     struct zf_error *err)
{
    struct zf_bytes bytes = {0};
    enum zf_status status;
    cJSON *part;

    ZF_CHECK(zf_bytes_map(&bytes, path, LARGEST_PART, err));
    part = cJSON_ParseWithLength((const char *)bytes.data, bytes.size);
    status = part && take_blocks(document, part)
                 ? ZF_OK
                 : zf_fail(err, ZF_EINPUT, "%s does not hold a part of a page", path);
    cJSON_Delete(part);
    zf_bytes_release(&bytes);
    return status;
}
