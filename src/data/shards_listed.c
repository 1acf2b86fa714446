/* SPDX-License-Identifier: MIT */
/* A list.tsv whose paths lead into tars: "ILSVRC2012_img_val.tar/ILSVRC2012_val_00000001.JPEG". */
#include "data/shards.h"

#include <inttypes.h>
#include <string.h>

#include "base/directory.h"
#include "base/memory.h"
#include "base/status.h"

/* The name within the tar that the path leads into; NULL for the path of a file. */
static const char *within(const char *path)
{
    const char *end = strstr(path, ".tar/");

    return end ? end + strlen(".tar/") : NULL;
}

/* Which of the tars, that of the path before as a rule; added where it is new. */
static enum zf_status number_of(struct zf_names *tars, const char *path, size_t length, size_t last,
                                uint32_t *number, struct zf_error *err)
{
    for (size_t k = 0; k < tars->count; k++) {
        const size_t at = (last + k) % tars->count;

        if (strlen(tars->items[at]) == length && memcmp(tars->items[at], path, length) == 0) {
            *number = (uint32_t)at;
            return ZF_OK;
        }
    }
    if (!zf_grow((void **)&tars->items, &tars->capacity, tars->count + 1, sizeof *tars->items) ||
        !(tars->items[tars->count] = zf_format("%.*s", (int)length, path)))
        return zf_no_memory(err, "the tars of a list");
    *number = (uint32_t)tars->count++;
    return ZF_OK;
}

static enum zf_status find_tars(const struct zf_data *data, struct zf_shards *state,
                                struct zf_names *tars, struct zf_error *err)
{
    uint32_t last = 0;

    for (int64_t i = 0; i < data->count; i++) {
        const char *path = zf_data_path(data, i), *name = within(path);

        state->places[i].file = ZF_NO_SHARD;
        if (name) {
            ZF_CHECK(number_of(tars, path, (size_t)(name - path) - 1, last, &last, err));
            state->places[i].file = last;
        }
    }
    return ZF_OK;
}

/* All samples of one tar, which is then not needed any more. */
static enum zf_status place_all(struct zf_data *data, uint32_t file, const struct zf_shard *shard,
                                struct zf_error *err)
{
    struct zf_shards *state = data->state;

    for (int64_t i = 0; i < data->count; i++) {
        const char *path = zf_data_path(data, i);
        struct zf_shard_place *place = &state->places[i];
        int64_t found;

        if (place->file != file)
            continue;
        found = zf_shard_find(shard, within(path));
        if (found < 0)
            return zf_fail(err, ZF_EINPUT, "%s names %s, and no such picture is in %s", data->name,
                           path, state->files.items[file].path);
        place->offset = shard->samples[found].offset;
        place->size = shard->samples[found].size;
        place->crc = shard->samples[found].crc;
    }
    return ZF_OK;
}

static enum zf_status load(struct zf_data *data, uint32_t file, struct zf_error *err)
{
    struct zf_shards *state = data->state;
    struct zf_shard shard = {0};
    enum zf_status status;
    bool kept;

    ZF_TRY(zf_shard_files_load(&state->files, file, data->monitor, &shard, &kept, err));
    ZF_TRY(place_all(data, file, &shard, err));
fail:
    zf_shard_release(&shard);
    return status;
}

enum zf_status zf_shards_find_listed(struct zf_data *data, struct zf_error *err)
{
    struct zf_names tars = {0};
    struct zf_shards *state;
    enum zf_status status;
    bool any = false;

    for (int64_t i = 0; i < data->count && !any; i++)
        any = within(zf_data_path(data, i)) != NULL;
    if (!any)
        return ZF_OK;
    state = zf_alloc(1, sizeof *state);
    if (!state)
        return zf_no_memory(err, "the tars of %s", data->name);
    data->state = state;
    state->places = zf_alloc((size_t)data->count, sizeof *state->places);
    if (!state->places)
        ZF_LEAVE(zf_no_memory(err, "the tars of %s", data->name));
    ZF_TRY(find_tars(data, state, &tars, err));
    ZF_TRY(zf_shard_files_init(&state->files, tars.items, tars.count, err));
    for (size_t k = 0; k < tars.count; k++)
        ZF_TRY(load(data, (uint32_t)k, err));
fail:
    zf_names_release(&tars);
    return status;
}
