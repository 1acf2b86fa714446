/* SPDX-License-Identifier: MIT */
#include "data/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/array.h"
#include "data/cache.h"
#include "data/imagenet.h"
#include "data/names.h"

#define MAX_SIZE 16384 /* px: side of a square */

void zf_data_free(struct zf_data **data)
{
    struct zf_data *d = data ? *data : NULL;

    if (!d)
        return;
    if (d->kind && d->kind->close)
        d->kind->close(d);
    if (d->classes) {
        for (int64_t k = 0; k < d->class_count; k++)
            zf_free(d->classes[k]);
    }
    zf_free(d->classes);
    zf_free(d->labels);
    zf_free(d->owned_path_at);
    zf_free(d->owned_paths);
    zf_free(d->name);
    zf_notes_release(&d->notes);
    zf_cache_free(&d->cache);
    zf_free(d);
    *data = NULL;
}

const char *zf_data_name(const struct zf_data *data)
{
    return data->name;
}

int64_t zf_data_count(const struct zf_data *data)
{
    return data->count;
}

int64_t zf_data_class_count(const struct zf_data *data)
{
    return data->class_count;
}

const char *zf_data_class(const struct zf_data *data, int64_t k)
{
    return k >= 0 && k < data->class_count ? data->classes[k] : NULL;
}

int64_t zf_data_note_count(const struct zf_data *data)
{
    return (int64_t)data->notes.count;
}

const char *zf_data_note(const struct zf_data *data, int64_t k)
{
    return k >= 0 && k < zf_data_note_count(data) ? data->notes.sentences[k] : NULL;
}

int64_t zf_data_label(const struct zf_data *data, int64_t i)
{
    return i >= 0 && i < data->count && data->class_count > 0 ? data->labels[i] : -1;
}

const char *zf_data_path(const struct zf_data *data, int64_t i)
{
    return i >= 0 && i < data->count ? data->paths + data->path_at[i] : NULL;
}

/* Both lists are usually in the same order, so the search goes on behind the class found last. */
static int64_t find_label(const struct zf_net *net, int64_t count, const char *class, int64_t from)
{
    for (int64_t k = 0; k < count; k++) {
        const int64_t label = (from + k) % count;
        if (zf_names_equal(zf_net_label(net, label), class))
            return label;
    }
    return -1;
}

static enum zf_status number_classes(const struct zf_data *data, const struct zf_net *net,
                                     int32_t *number, struct zf_error *err)
{
    const int64_t count = zf_net_class_count(net);
    int64_t from = 0;

    for (int64_t k = 0; k < data->class_count; k++) {
        int64_t label = find_label(net, count, data->classes[k], from);
        if (label < 0)
            label = zf_imagenet_output(net, data->classes[k]);
        if (label < 0)
            return zf_fail(err, ZF_EINPUT,
                           "class \"%s\" of %s (%" PRId64
                           " classes) is not among the net's %" PRId64 " labels",
                           data->classes[k], data->name, data->class_count, count);
        number[k] = (int32_t)label;
        from = (label + 1) % count;
    }
    return ZF_OK;
}

/* The output that a class names by its number alone, "17"; -1 for other names. */
static int64_t output_of_number(const char *class, int64_t outputs)
{
    char *end;
    const long number = strtol(class, &end, 10);
    char printed[24];

    snprintf(printed, sizeof printed, "%ld", number);
    return strcmp(printed, class) == 0 && number >= 0 && number < outputs ? number : -1;
}

/* Classes that have numbers and no names are the net's by number: whether these count a background
   first, nobody can tell. False where some are no numbers, or where a label is one of them. */
static bool take_numbers(const struct zf_data *data, const struct zf_net *net, int32_t *number)
{
    const int64_t count = zf_net_class_count(net);

    if (count == ZF_IMAGENET_CLASSES + 1 && data->class_count <= ZF_IMAGENET_CLASSES)
        return false;
    for (int64_t k = 0; k < data->class_count; k++) {
        const int64_t output = output_of_number(data->classes[k], count);

        if (output < 0 || find_label(net, count, data->classes[k], 0) >= 0)
            return false;
        number[k] = (int32_t)output;
    }
    return true;
}

static void free_names(char **names, int64_t count)
{
    for (int64_t k = 0; names && k < count; k++)
        zf_free(names[k]);
    zf_free(names);
}

enum zf_status zf_data_match(struct zf_data *data, const struct zf_net *net, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int64_t count = zf_net_class_count(net);
    int32_t *number = NULL;
    char **names = NULL;

    if (data->class_count == 0)
        return ZF_OK;
    if (!zf_net_has_labels(net) && zf_imagenet_output(net, data->classes[0]) < 0) {
        if (count == data->class_count)
            return ZF_OK;
        return zf_fail(err, ZF_EINPUT,
                       "%s has %" PRId64 " classes, but the net has %" PRId64
                       " outputs and no labels",
                       data->name, data->class_count, count);
    }
    number = zf_alloc((size_t)data->class_count, sizeof *number);
    names = zf_alloc((size_t)count, sizeof *names);
    for (int64_t k = 0; names && k < count; k++) {
        names[k] = zf_strdup(zf_net_label(net, k));
        if (!names[k])
            status = ZF_ENOMEM;
    }
    if (!number || !names || status != ZF_OK)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for the classes of %s", data->name));
    if (!zf_net_has_labels(net) || !take_numbers(data, net, number))
        ZF_TRY(number_classes(data, net, number, err));
    for (int64_t i = 0; i < data->count; i++)
        data->labels[i] = number[data->labels[i]];
    free_names(data->classes, data->class_count);
    data->classes = names;
    data->class_count = count;
    names = NULL;
fail:
    free_names(names, count);
    zf_free(number);
    return status;
}

enum zf_status zf_data_square_of_file(const struct zf_data *data, int64_t i,
                                      struct zf_geometry geometry, struct zf_picture *square,
                                      struct zf_oddity *odd, struct zf_error *err)
{
    return zf_picture_load_noting(zf_data_path(data, i), geometry, NULL, square, odd, err);
}

enum zf_status zf_data_accepts(const struct zf_data *data, struct zf_geometry geometry,
                               struct zf_error *err)
{
    static const char *const resizes[] = {"short", "warp"};
    const struct zf_geometry fixed = data->fixed;

    if (geometry.height < 1 || geometry.height > MAX_SIZE || geometry.width < 1 ||
        geometry.width > MAX_SIZE)
        return zf_fail(err, ZF_EINVAL,
                       "sides of %" PRId64 " and %" PRId64 " px are not within 1 and %d",
                       geometry.height, geometry.width, MAX_SIZE);
    /* What size its pictures had is not known any more: they fit as those that were resized. */
    if (geometry.resize == ZF_RESIZE_FIT)
        geometry.resize = ZF_RESIZE_SHORT;
    if (fixed.height == 0 || (fixed.height == geometry.height && fixed.width == geometry.width &&
                              fixed.resize == geometry.resize))
        return ZF_OK;
    if (geometry.height != geometry.width)
        return zf_fail(err, ZF_EINPUT,
                       "%s holds squares, but pictures of %" PRId64 "x%" PRId64
                       " px are needed; take the "
                       "pictures that it was made from",
                       data->name, geometry.height, geometry.width);
    return zf_fail(err, ZF_EINPUT,
                   "%s holds squares of %" PRId64 " px (resize %s), but %" PRId64
                   " px (resize %s) are needed; "
                   "pack the pictures it was made from again with these",
                   data->name, fixed.height, resizes[fixed.resize], geometry.height,
                   resizes[geometry.resize]);
}

enum zf_status zf_data_is_input(const struct zf_data *data, int64_t i, const struct zf_net *net,
                                bool *input, struct zf_error *err)
{
    const char *path = zf_data_path(data, i);
    struct zf_npy_form form;

    *input = false;
    if (!zf_is_array(path) || data->fixed.height != 0) /* what was packed is pictures */
        return ZF_OK;
    ZF_CHECK(zf_array_peek(path, &form, err));
    *input = !form.levels || (net && !zf_are_colours(zf_net_input(net).c));
    return ZF_OK;
}

enum zf_status zf_data_suits(const struct zf_data *data, const struct zf_net *net,
                             struct zf_error *err)
{
    for (int64_t i = 0; i < data->count; i++)
        if (zf_is_array(zf_data_path(data, i)))
            return ZF_OK;
    return zf_input_takes_pictures(net, err);
}

bool zf_data_is_bad_sample(enum zf_status status)
{
    return status == ZF_EINPUT || status == ZF_EUNSUPPORTED;
}

enum zf_status zf_data_square(const struct zf_data *data, int64_t i, enum zf_resize resize,
                              int64_t size, struct zf_picture *square, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_geometry geometry = zf_geometry_square(resize, size);
    struct zf_picture picture = {0};

    if (i < 0 || i >= data->count)
        return zf_fail(err, ZF_EINVAL, "sample %" PRId64 " is not one of the %" PRId64 " of %s", i,
                       data->count, data->name);
    ZF_TRY(zf_data_accepts(data, geometry, err));
    ZF_TRY(zf_picture_init(&picture, size, size, err));
    ZF_TRY(zf_data_pixels(data, i, geometry, picture.pixels, NULL, err));
    *square = picture;
    picture = (struct zf_picture){0};
fail:
    zf_picture_release(&picture);
    return status;
}

void zf_data_keep(const struct zf_data *data)
{
    zf_cache_want(data->cache, ZF_CACHE_MAX_BYTES);
}

void zf_data_keep_some(const struct zf_data *data)
{
    zf_cache_want(data->cache, ZF_CACHE_SOME_BYTES);
}

void zf_data_cache(const struct zf_data *data, struct zf_geometry geometry)
{
    if (data->fixed.height == 0) /* otherwise its squares are in memory, or mapped, already */
        zf_cache_enable(data->cache, geometry, data->count);
}

size_t zf_square_bytes(struct zf_geometry geometry)
{
    return (size_t)(geometry.height * geometry.width * 3);
}

enum zf_status zf_data_pixels(const struct zf_data *data, int64_t i, struct zf_geometry geometry,
                              uint8_t *pixels, struct zf_oddity *odd, struct zf_error *err)
{
    struct zf_picture square = {0};

    if (odd)
        odd->text[0] = '\0';
    if (zf_cache_get(data->cache, geometry, i, pixels))
        return ZF_OK;
    ZF_CHECK(data->kind->square(data, i, geometry, &square, odd, err));
    memcpy(pixels, square.pixels, zf_square_bytes(geometry));
    zf_cache_put(data->cache, geometry, i, pixels);
    zf_picture_release(&square);
    return ZF_OK;
}
