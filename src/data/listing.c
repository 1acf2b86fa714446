/* SPDX-License-Identifier: MIT */
#include "data/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

struct sample {
    const char *class, *path;
    size_t key, item;
};

bool zf_text_add(struct zf_text *text, const char *string, size_t *at)
{
    const size_t length = strlen(string) + 1;

    if (!zf_grow((void **)&text->bytes, &text->capacity, text->size + length, 1))
        return false;
    *at = text->size;
    memcpy(text->bytes + text->size, string, length);
    text->size += length;
    return true;
}

/* Neighbours mostly share their class: its name is then stored once. */
static bool add_class(struct zf_listing *listing, const char *class, size_t *at)
{
    if (listing->count > 0) {
        *at = listing->items[listing->count - 1].class;
        if (strcmp(listing->classes.bytes + *at, class) == 0)
            return true;
    }
    return zf_text_add(&listing->classes, class, at);
}

enum zf_status zf_listing_add_keyed(struct zf_listing *listing, const char *path, size_t key,
                                    const char *class, struct zf_error *err)
{
    struct zf_listing_item item = {.key = key};

    if (!zf_grow((void **)&listing->items, &listing->capacity, listing->count + 1, sizeof item) ||
        !zf_text_add(&listing->paths, path, &item.path) || !add_class(listing, class, &item.class))
        return zf_fail(err, ZF_ENOMEM, "no memory to list sample %zu", listing->count);
    listing->items[listing->count++] = item;
    return ZF_OK;
}

enum zf_status zf_listing_add(struct zf_listing *listing, const char *path, const char *class,
                              struct zf_error *err)
{
    return zf_listing_add_keyed(listing, path, 0, class, err);
}

enum zf_status zf_listing_add_class(struct zf_listing *listing, const char *class,
                                    struct zf_error *err)
{
    return zf_listing_add(listing, "", class, err);
}

void zf_listing_release(struct zf_listing *listing)
{
    zf_free(listing->paths.bytes);
    zf_free(listing->classes.bytes);
    zf_free(listing->items);
    *listing = (struct zf_listing){0};
}

static int compare(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    int order = a->class == b->class ? 0 : strcmp(a->class, b->class);

    if (order == 0)
        order = strcmp(a->path + a->key, b->path + b->key);
    return order != 0 || a->key + b->key == 0 ? order : strcmp(a->path, b->path);
}

static bool starts_class(const struct sample *samples, size_t i)
{
    return i == 0 || strcmp(samples[i - 1].class, samples[i].class) != 0;
}

static bool fill(struct zf_data *data, const struct sample *samples, size_t count, size_t *order)
{
    size_t classes = 0;

    for (size_t i = 0; i < count; i++)
        classes += starts_class(samples, i);
    data->classes = zf_alloc(classes, sizeof *data->classes);
    data->labels = zf_alloc_raw(count, sizeof *data->labels);
    data->path_at = data->owned_path_at = zf_alloc_raw(count, sizeof *data->path_at);
    if (!data->classes || !data->labels || !data->path_at)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (starts_class(samples, i)) {
            char *name = zf_strdup(samples[i].class);
            if (!name)
                return false;
            data->classes[data->class_count++] = name;
        }
        if (samples[i].path[0] == '\0')
            continue; /* the class alone */
        data->labels[data->count] = (int32_t)(data->class_count - 1);
        if (order)
            order[data->count] = samples[i].item;
        data->owned_path_at[data->count++] = (uint64_t)(samples[i].path - data->paths);
    }
    return true;
}

enum zf_status zf_listing_finish(struct zf_listing *listing, struct zf_data *data, size_t **order,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct sample *samples = zf_alloc_raw(listing->count, sizeof *samples);
    size_t *items = order ? zf_alloc_raw(listing->count, sizeof *items) : NULL;

    data->paths = data->owned_paths = listing->paths.bytes;
    listing->paths = (struct zf_text){0};
    for (size_t i = 0; samples && i < listing->count; i++) {
        samples[i].path = data->paths + listing->items[i].path;
        samples[i].class = listing->classes.bytes + listing->items[i].class;
        samples[i].key = listing->items[i].key;
        samples[i].item = i;
    }
    if (samples && listing->count > 0)
        qsort(samples, listing->count, sizeof *samples, compare);
    if (!samples || (order && !items) || !fill(data, samples, listing->count, items))
        status = zf_fail(err, ZF_ENOMEM, "no memory for the %zu samples of %s", listing->count,
                         data->name);
    if (order && status == ZF_OK)
        *order = items;
    else
        zf_free(items);
    zf_free(samples);
    zf_listing_release(listing);
    return status;
}
