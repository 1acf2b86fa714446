/* SPDX-License-Identifier: MIT */
/*
 * Tar files: webdataset's shards, tars of class folders, ImageNet's tar of class tars. Samples are
 * in the order of a folder that has them by class and name, in whichever shard they lie.
 */
#include "data/shards.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/files.h"
#include "data/listing.h"
#include "data/shard_classes.h"
#include "data/shard_names.h"

#define CLASSES_FILE "classes.txt"

/* While it is opened. */
struct opening {
    struct zf_data *data;
    struct zf_names paths;
    struct zf_shard *shards; /* [paths.count] */
    struct zf_shard_set set;
    struct zf_shard_classes classes;
    struct zf_listing listing;
    struct zf_shard_place *added; /* of each listed */
    size_t *order;
    uint64_t count;
};

static enum zf_status load_all(struct opening *opening, struct zf_error *err)
{
    struct zf_data *data = opening->data;
    struct zf_shards *state = data->state;
    uint64_t unused = 0;
    const char *example = NULL;
    size_t lost = 0;

    opening->shards = zf_alloc(opening->paths.count, sizeof *opening->shards);
    if (!opening->shards)
        return zf_no_memory(err, "the %zu shards of %s", opening->paths.count, data->name);
    opening->set = (struct zf_shard_set){data->name, opening->shards, opening->paths.items, 0};
    for (size_t k = 0; k < opening->paths.count; k++) {
        struct zf_shard *shard = &opening->shards[k];
        bool kept;

        ZF_CHECK(zf_shard_files_load(&state->files, k, data->monitor, shard, &kept, err));
        opening->set.count++;
        opening->count += shard->count;
        lost += !kept;
        unused += shard->unused;
        if (shard->unused > 0 && !example)
            example = shard->text + shard->unused_example;
    }
    if (opening->count == 0)
        return zf_fail(err, ZF_EINPUT, "%s holds no pictures", data->name);
    if ((lost > 0 &&
         !zf_notes_add(&data->notes,
                       "the index of %.300s could not be kept, beside it or in the cache, and is "
                       "made again each time",
                       data->name)) ||
        (example &&
         !zf_notes_add(&data->notes,
                       "not used: %" PRIu64 " file%s of no kind that is read, or beside "
                       "the picture of a sample: %s%.300s",
                       unused, unused == 1 ? "" : "s", unused > 1 ? "such as " : "", example)))
        return zf_no_memory(err, "the notes on %s", data->name);
    return ZF_OK;
}

/* The names of classes lie beside the first tar, if anywhere. */
static enum zf_status find_classes(struct opening *opening, struct zf_error *err)
{
    const char *first = opening->paths.items[0], *slash = strrchr(first, '/');
    char *path = zf_format("%.*s" CLASSES_FILE, slash ? (int)(slash - first) + 1 : 0, first);
    enum zf_status status;
    struct stat info;

    if (!path)
        return zf_no_memory(err, "the classes of %s", opening->data->name);
    status = zf_shard_classes_find(&opening->set, stat(path, &info) == 0 ? path : NULL,
                                   &opening->classes, &opening->data->notes, err);
    zf_free(path);
    return status;
}

static enum zf_status list_all(struct opening *opening, struct zf_error *err)
{
    const bool numbers = opening->classes.source == ZF_CLASS_NUMBER;
    size_t at = 0;

    opening->added = zf_alloc_raw(opening->count, sizeof *opening->added);
    if (!opening->added)
        return zf_no_memory(err, "the %" PRIu64 " samples of %s", opening->count,
                            opening->data->name);
    for (size_t s = 0; s < opening->set.count; s++) {
        const struct zf_shard *shard = &opening->shards[s];
        char path[2 * ZF_TAR_PATH + ZF_TAR_PATH];
        const size_t key = strlen(opening->paths.items[s]) + 1;

        for (uint64_t i = 0; i < shard->count; i++) {
            const struct zf_shard_sample *sample = &shard->samples[i];

            snprintf(path, sizeof path, "%s/%s", opening->paths.items[s],
                     shard->text + sample->name);
            ZF_CHECK(zf_listing_add_keyed(&opening->listing, path, key,
                                          zf_shard_class_of(&opening->classes, &opening->set, s, i),
                                          err));
            opening->added[at++] =
                (struct zf_shard_place){sample->offset, sample->size, sample->crc, (uint32_t)s};
        }
    }
    for (uint32_t k = 0; numbers && k < opening->classes.count; k++) {
        char class[16];

        snprintf(class, sizeof class, "%07" PRIu32, k);
        ZF_CHECK(zf_listing_add_class(&opening->listing, class, err));
    }
    return ZF_OK;
}

/* Numbers were listed by their digits, which sort as they do. */
static void name_numbers(struct opening *opening)
{
    struct zf_data *data = opening->data;

    for (int64_t k = 0; k < data->class_count; k++) {
        zf_free(data->classes[k]);
        data->classes[k] = opening->classes.names[k];
        opening->classes.names[k] = NULL;
    }
}

static enum zf_status refuse_parts(const struct zf_data *data, struct zf_error *err)
{
    for (int64_t k = 0; k < data->class_count; k++) {
        if (!zf_part_of_data(data->classes[k], strlen(data->classes[k])))
            return ZF_OK;
    }
    return data->class_count < 2
               ? ZF_OK
               : zf_fail(err, ZF_EINPUT,
                         "%s holds %s and %s, which are parts of a data set and no classes: pack "
                         "each into tars of its own",
                         data->name, data->classes[0], data->classes[1]);
}

static enum zf_status take_places(struct opening *opening, struct zf_error *err)
{
    struct zf_data *data = opening->data;
    struct zf_shards *state = data->state;

    state->places = zf_alloc_raw((size_t)data->count, sizeof *state->places);
    if (!state->places)
        return zf_no_memory(err, "the samples of %s", data->name);
    for (int64_t i = 0; i < data->count; i++)
        state->places[i] = opening->added[opening->order[i]];
    for (int64_t i = 1; i < data->count; i++) {
        if (strcmp(zf_data_path(data, i - 1), zf_data_path(data, i)) == 0)
            return zf_fail(err, ZF_EINPUT, "%s names %s twice", data->name,
                           state->files.items[state->places[i].file].path);
    }
    return ZF_OK;
}

static void drop_classes(struct zf_data *data)
{
    for (int64_t k = 0; k < data->class_count; k++)
        zf_free(data->classes[k]);
    data->class_count = 0;
}

static enum zf_status shards_open(struct zf_data *data, struct zf_error *err)
{
    enum zf_status status;
    struct opening opening = {.data = data};
    struct zf_shards *state = zf_alloc(1, sizeof *state);

    if (!state)
        return zf_no_memory(err, "the shards of %s", data->name);
    data->state = state;
    ZF_TRY(zf_shard_names(data->name, &opening.paths, err));
    ZF_TRY(zf_shard_files_init(&state->files, opening.paths.items, opening.paths.count, err));
    ZF_TRY(load_all(&opening, err));
    ZF_TRY(find_classes(&opening, err));
    ZF_TRY(list_all(&opening, err));
    ZF_TRY(zf_listing_finish(&opening.listing, data, &opening.order, err));
    ZF_TRY(take_places(&opening, err));
    if (opening.classes.source == ZF_CLASS_NUMBER)
        name_numbers(&opening);
    else if (opening.classes.source == ZF_CLASS_NOWHERE)
        drop_classes(data);
    ZF_TRY(refuse_parts(data, err));
fail:
    for (size_t k = 0; opening.shards && k < opening.set.count; k++)
        zf_shard_release(&opening.shards[k]);
    zf_free(opening.shards);
    zf_free(opening.added);
    zf_free(opening.order);
    zf_shard_classes_release(&opening.classes);
    zf_listing_release(&opening.listing);
    zf_names_release(&opening.paths);
    return status;
}

void zf_shards_close(struct zf_data *data)
{
    struct zf_shards *state = data->state;

    if (state) {
        zf_shard_files_release(&state->files);
        zf_free(state->places);
    }
    zf_free(state);
}

static bool shards_match(const char *name, const struct stat *info)
{
    return zf_shard_names_match(name, info);
}

enum zf_status zf_shards_square(const struct zf_data *data, int64_t i, struct zf_geometry geometry,
                                struct zf_picture *square, struct zf_oddity *odd,
                                struct zf_error *err)
{
    struct zf_shards *state = data->state;
    const struct zf_shard_place place = state->places[i];
    uint8_t *block = NULL;
    enum zf_status status;

    if (place.file == ZF_NO_SHARD)
        return zf_data_square_of_file(data, i, geometry, square, odd, err);
    ZF_CHECK(zf_picture_check_bytes(place.size, zf_data_path(data, i), err));
    ZF_CHECK(zf_shard_files_read(&state->files, place, &block, err));
    status = zf_picture_square_noting(block + ZF_TAR_BLOCK, place.size, zf_data_path(data, i),
                                      geometry, square, odd, err);
    zf_free(block);
    return status;
}

const struct zf_data_kind zf_data_shards = {
    .name = "shards",
    .form = "tar files",
    .matches = shards_match,
    .open = shards_open,
    .square = zf_shards_square,
    .close = zf_shards_close,
};
