/* SPDX-License-Identifier: MIT */
/*
 * safetensors, bent in their header's JSON: a number, a text, a member more or less. Mostly the
 * tensors are laid out anew afterwards, so that shapes which changed reach what takes them.
 */
#include "bend.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "model/safetensors.h"

enum { MOST = 4096, MOST_BENDS = 4, LENGTH = 8 };

struct pool {
    cJSON *items[MOST]; /* all but the root */
    const char *texts[MOST];
    size_t count, text_count;
    uint64_t state;
};

static void gather(struct pool *pool, cJSON *parent)
{
    for (cJSON *item = parent->child; item && pool->count < MOST; item = item->next) {
        pool->items[pool->count++] = item;
        if (cJSON_IsString(item) && pool->text_count < MOST)
            pool->texts[pool->text_count++] = item->valuestring;
        gather(pool, item);
    }
}

static cJSON *parent_of(cJSON *root, const cJSON *wanted)
{
    for (cJSON *item = root->child; item; item = item->next) {
        cJSON *found = item == wanted ? root : parent_of(item, wanted);

        if (found)
            return found;
    }
    return NULL;
}

/* Beside itself once more: in an object under its own name, or that of another one. */
static void add_again(struct pool *pool, cJSON *parent, const cJSON *item)
{
    const cJSON *other = pool->items[fuzz_draw_below(&pool->state, pool->count)];
    cJSON *copy = cJSON_Duplicate(item, true);

    if (!copy)
        return;
    if (cJSON_IsArray(parent))
        cJSON_AddItemToArray(parent, copy);
    else if (!cJSON_AddItemToObject(parent, other->string ? other->string : item->string, copy))
        cJSON_Delete(copy);
}

static void bend_item(struct pool *pool, cJSON *item)
{
    if (cJSON_IsNumber(item)) {
        cJSON_SetNumberHelper(item, fuzz_draw_below(&pool->state, 3) == 0
                                        ? item->valuedouble + 1
                                        : (double)fuzz_draw_edge(&pool->state));
    } else if (cJSON_IsString(item)) {
        char *text = fuzz_bend_text(item->valuestring,
                                    pool->texts[fuzz_draw_below(&pool->state, pool->text_count)],
                                    &pool->state);

        if (text)
            cJSON_SetValuestring(item, text);
        free(text);
    }
}

/* One change. The pool is gathered anew each time: items come and go. */
static void bend(struct pool *pool, cJSON *root)
{
    cJSON *item, *parent;
    size_t way;

    pool->count = pool->text_count = 0;
    gather(pool, root);
    if (pool->count == 0)
        return;
    item = pool->items[fuzz_draw_below(&pool->state, pool->count)];
    parent = parent_of(root, item);
    way = fuzz_draw_below(&pool->state, 8);
    if (way == 0)
        cJSON_Delete(cJSON_DetachItemViaPointer(parent, item));
    else if (way == 1)
        add_again(pool, parent, item);
    else
        bend_item(pool, item);
}

/* ---- Where the tensors lie. ---- */

static size_t width_of(const char *name)
{
    static const struct {
        const char *name;
        size_t width;
    } widths[] = {
#define X(name, width) {#name, width},
        ZF_DTYPE_MAP(X)
#undef X
    };

    for (size_t i = 0; name && i < sizeof widths / sizeof *widths; i++)
        if (strcmp(widths[i].name, name) == 0)
            return widths[i].width;
    return 1;
}

/* Bytes that a tensor takes; `most` where it would be more, or is no honest one. */
static size_t bytes_of(const cJSON *tensor, size_t most)
{
    size_t bytes =
        width_of(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tensor, "dtype")));
    const cJSON *extent;

    cJSON_ArrayForEach(extent, cJSON_GetObjectItemCaseSensitive(tensor, "shape"))
    {
        const double n = cJSON_GetNumberValue(extent);

        if (!(n >= 0 && (double)bytes * n <= (double)most))
            return most;
        bytes *= (size_t)n;
    }
    return bytes;
}

/* One behind the other; returns the bytes of all. */
static size_t lay_out(cJSON *root, size_t most)
{
    size_t at = 0;
    cJSON *tensor;

    cJSON_ArrayForEach(tensor, root)
    {
        cJSON *offsets = cJSON_GetObjectItemCaseSensitive(tensor, "data_offsets");
        const size_t bytes = bytes_of(tensor, most);

        if (cJSON_GetArraySize(offsets) != 2)
            continue;
        cJSON_SetNumberHelper(offsets->child, (double)at);
        cJSON_SetNumberHelper(offsets->child->next, (double)(at + bytes));
        at += bytes;
    }
    return at;
}

static uint64_t length_of(const uint8_t *bytes)
{
    uint64_t length = 0;

    for (int i = LENGTH - 1; i >= 0; i--)
        length = length << 8 | bytes[i];
    return length;
}

/* The file of this header, in place. What was behind the old one stays, cut off or filled up. */
static size_t write_file(uint8_t *bytes, size_t size, size_t room, const char *header,
                         size_t data_bytes)
{
    const size_t length = strlen(header), was = LENGTH + (size_t)length_of(bytes);
    const size_t kept = size - was < data_bytes ? size - was : data_bytes;

    if (length > room - LENGTH || data_bytes > room - LENGTH - length)
        return 0;
    memmove(bytes + LENGTH + length, bytes + was, kept);
    memset(bytes + LENGTH + length + kept, 0, data_bytes - kept);
    memcpy(bytes + LENGTH, header, length);
    for (int i = 0; i < LENGTH; i++)
        bytes[i] = (uint8_t)((uint64_t)length >> 8 * i);
    return LENGTH + length + data_bytes;
}

size_t fuzz_bend(uint8_t *bytes, size_t size, size_t room, uint64_t seed)
{
    struct pool *pool;
    cJSON *root = NULL;
    size_t bent = 0, bends, data_bytes;
    char *header;

    if (size < LENGTH || length_of(bytes) > size - LENGTH)
        return 0;
    pool = calloc(1, sizeof *pool);
    if (pool)
        root = cJSON_ParseWithLength((const char *)bytes + LENGTH, (size_t)length_of(bytes));
    if (cJSON_IsObject(root)) {
        pool->state = seed * 2 + 1;
        for (int i = 0; i < 8; i++)
            fuzz_draw(&pool->state);
        bends = 1 + fuzz_draw_below(&pool->state, MOST_BENDS);
        for (size_t i = 0; i < bends; i++)
            bend(pool, root);
        data_bytes = fuzz_draw_below(&pool->state, 4) > 0 ? lay_out(root, room / 4) : room;
        if (data_bytes > room / 2)
            data_bytes = size - LENGTH - (size_t)length_of(bytes);
        header = cJSON_PrintUnformatted(root);
        if (header)
            bent = write_file(bytes, size, room, header, data_bytes);
        cJSON_free(header);
    }
    cJSON_Delete(root);
    free(pool);
    return bent;
}
