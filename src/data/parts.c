/* SPDX-License-Identifier: MIT */
/*
 * A packed data set in several files: part-0001-of-0008.zfpack and so on in one directory. A part
 * is a packed file with all of the classes and some neighbouring samples, which are in no other; in
 * the order of their numbers they are the one file.
 */
#include "data/data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "data/packed.h"

#define ENDING ".zfpack"

struct parts {
    struct zf_data **items; /* [count] */
    int64_t count;
    int64_t *first; /* [count]: the first sample of each */
};

static char *path_of(const char *directory, int64_t part, int64_t parts)
{
    const size_t length = strlen(directory);

    return zf_format("%s%spart-%04" PRId64 "-of-%04" PRId64 ENDING, directory,
                     length > 0 && directory[length - 1] == '/' ? "" : "/", part, parts);
}

/* ---- Writing ---- */

/* Names and labels, not folders: these may be called otherwise on another machine. */
static uint64_t identity_of(const struct zf_data *data)
{
    uint64_t hash = zf_fnv(ZF_FNV_START, &data->count, sizeof data->count);

    for (int64_t k = 0; k < data->class_count; k++)
        hash = zf_fnv(hash, data->classes[k], strlen(data->classes[k]) + 1);
    for (int64_t i = 0; i < data->count; i++) {
        const char *path = zf_data_path(data, i), *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        const int64_t label = zf_data_label(data, i);

        hash = zf_fnv(hash, name, strlen(name) + 1);
        hash = zf_fnv(hash, &label, sizeof label);
    }
    return hash;
}

static bool same_part(struct zf_packed_part a, struct zf_packed_part b)
{
    return a.number == b.number && a.parts == b.parts && a.identity == b.identity;
}

/* What is damaged is made again; what is of other data is somebody's. */
static enum zf_status look_for(const char *path, struct zf_packed_part part,
                               struct zf_geometry geometry, bool *there, struct zf_error *err)
{
    struct zf_data *data = NULL;
    enum zf_status status = access(path, F_OK) == 0 ? zf_data_open(path, &data, NULL) : ZF_EINPUT;

    *there = status == ZF_OK;
    if (!*there)
        return status == ZF_EINPUT ? ZF_OK : zf_fail(err, status, "%s cannot be read", path);
    status = data->kind == &zf_data_packed && same_part(zf_packed_part_of(data), part) &&
                     data->fixed.height == geometry.height && data->fixed.resize == geometry.resize
                 ? ZF_OK
                 : zf_fail(err, ZF_EINPUT,
                           "%s is there already, of other pictures or another size: remove it, or "
                           "name another directory",
                           path);
    zf_data_free(&data);
    return status;
}

enum zf_status zf_data_pack_part(const struct zf_data *data, enum zf_resize resize, int64_t size,
                                 int threads, const char *directory, int64_t part, int64_t parts,
                                 bool *there, const struct zf_monitor *monitor,
                                 struct zf_error *err)
{
    const int64_t from = data->count * (part - 1) / (parts > 0 ? parts : 1);
    const int64_t to = data->count * part / (parts > 0 ? parts : 1);
    const struct zf_geometry geometry = zf_geometry_square(resize, size);
    struct zf_packed_part which = {(uint32_t)part, (uint32_t)parts, 0};
    struct zf_data *some = NULL;
    int64_t *samples = NULL;
    enum zf_status status;
    char *path;

    if (parts < 1 || parts > ZF_MOST_PARTS || part < 1 || part > parts || to <= from)
        return zf_fail(err, ZF_EINVAL,
                       "part %" PRId64 " of %" PRId64 ": of %" PRId64
                       " pictures there are 1 to %d parts, none of them empty",
                       part, parts, data->count, ZF_MOST_PARTS);
    which.identity = identity_of(data);
    path = path_of(directory, part, parts);
    samples = zf_alloc_raw((size_t)(to - from), sizeof *samples);
    if (!path || !samples)
        ZF_LEAVE(zf_no_memory(err, "a part of %s", data->name));
    ZF_TRY(zf_directory_make(directory, err));
    ZF_TRY(look_for(path, which, geometry, there, err));
    if (*there)
        goto fail;
    for (int64_t i = from; i < to; i++)
        samples[i - from] = i;
    ZF_TRY(zf_data_subset(data, samples, to - from, &some, err));
    ZF_TRY(zf_pack_write(some, geometry, threads, which, path, monitor, err));
fail:
    zf_data_free(&some);
    zf_free(samples);
    zf_free(path);
    return status;
}

/* ---- Reading ---- */

/* The count that is in the name of a part, 0 for other names. */
static int64_t parts_of_name(const char *name)
{
    unsigned part, parts;
    char end[8] = "";

    return sscanf(name, "part-%4u-of-%4u%7s", &part, &parts, end) == 3 && strcmp(end, ENDING) == 0
               ? (int64_t)parts
               : 0;
}

static bool parts_match(const char *name, const struct stat *info)
{
    DIR *directory = info && S_ISDIR(info->st_mode) ? opendir(name) : NULL;
    const struct dirent *entry;
    enum zf_status status = ZF_OK;
    bool found = false, other = false;

    while (directory && !other &&
           (entry = zf_directory_next(directory, name, &status, NULL)) != NULL) {
        found = found || parts_of_name(entry->d_name) > 0;
        other = entry->d_name[0] != '.' && !strstr(entry->d_name, ENDING); /* or one being made */
    }
    if (directory)
        closedir(directory);
    return found && !other;
}

static enum zf_status count_parts(const char *directory, int64_t *parts, struct zf_error *err)
{
    enum zf_status status;
    struct zf_names names = {0};

    *parts = 0;
    ZF_TRY(zf_directory_list(directory, &names, err));
    for (size_t k = 0; k < names.count; k++) {
        const int64_t said = parts_of_name(names.items[k]);

        if (said > 0 && *parts > 0 && said != *parts)
            ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                             "%s holds parts of %" PRId64 " and of %" PRId64
                             ": keep those of one packing",
                             directory, *parts, said));
        *parts = said > 0 ? said : *parts;
    }
fail:
    zf_names_release(&names);
    return status;
}

static enum zf_status open_part(const struct zf_data *data, int64_t k, int64_t count,
                                struct zf_data **out, struct zf_error *err)
{
    const struct parts *state = data->state;
    char *path = path_of(data->name, k + 1, count);
    enum zf_status status;
    struct zf_packed_part part, first;

    if (!path)
        return zf_no_memory(err, "the parts of %s", data->name);
    if (access(path, F_OK) != 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s lacks part %" PRId64 " of %" PRId64
                         ": make it by `zfscope pack DATA %s --part %" PRId64 "/%" PRId64 "`",
                         data->name, k + 1, count, data->name, k + 1, count));
    ZF_TRY(zf_data_open(path, out, err));
    if ((*out)->kind != &zf_data_packed)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s is no packed file", path));
    part = zf_packed_part_of(*out);
    first = k > 0 ? zf_packed_part_of(state->items[0]) : part;
    if (part.number != k + 1 || part.parts != count || part.identity != first.identity ||
        (k > 0 &&
         ((*out)->fixed.height != data->fixed.height ||
          (*out)->fixed.resize != data->fixed.resize || (*out)->class_count != data->class_count)))
        status = zf_fail(err, ZF_EINPUT,
                         "%s is part %" PRIu32 " of %" PRIu32
                         " of other pictures, or of another size: pack it again",
                         path, part.number, part.parts);
fail:
    zf_free(path);
    return status;
}

static enum zf_status copy_classes(struct zf_data *data, const struct zf_data *part,
                                   struct zf_error *err)
{
    data->classes = zf_alloc((size_t)part->class_count, sizeof *data->classes);
    for (int64_t k = 0; data->classes && k < part->class_count; k++) {
        if (!(data->classes[k] = zf_strdup(part->classes[k])))
            return zf_no_memory(err, "the classes of %s", data->name);
        data->class_count = k + 1;
    }
    return data->classes ? ZF_OK : zf_no_memory(err, "the classes of %s", data->name);
}

/* The parts' tables behind each other. */
static enum zf_status join(struct zf_data *data, int64_t count, struct zf_error *err)
{
    const struct parts *state = data->state;
    size_t bytes = 0, at = 0;

    for (int64_t k = 0; k < state->count; k++) {
        for (int64_t i = 0; i < state->items[k]->count; i++)
            bytes += strlen(zf_data_path(state->items[k], i)) + 1;
    }
    data->labels = zf_alloc_raw((size_t)count, sizeof *data->labels);
    data->path_at = data->owned_path_at = zf_alloc_raw((size_t)count, sizeof *data->path_at);
    data->paths = data->owned_paths = zf_alloc_raw(bytes, 1);
    if (!data->labels || !data->path_at || !data->paths)
        return zf_no_memory(err, "the %" PRId64 " samples of %s", count, data->name);
    for (int64_t k = 0; k < state->count; k++) {
        const struct zf_data *part = state->items[k];

        for (int64_t i = 0; i < part->count; i++) {
            const size_t length = strlen(zf_data_path(part, i)) + 1;

            data->labels[data->count] = part->labels[i];
            data->owned_path_at[data->count++] = at;
            memcpy(data->owned_paths + at, zf_data_path(part, i), length);
            at += length;
        }
    }
    return ZF_OK;
}

static enum zf_status parts_open(struct zf_data *data, struct zf_error *err)
{
    struct parts *state = zf_alloc(1, sizeof *state);
    int64_t parts, samples = 0;

    if (!state)
        return zf_no_memory(err, "the parts of %s", data->name);
    data->state = state;
    ZF_CHECK(count_parts(data->name, &parts, err));
    state->items = zf_alloc((size_t)parts, sizeof(struct zf_data *));
    state->first = zf_alloc((size_t)parts, sizeof *state->first);
    if (!state->items || !state->first)
        return zf_no_memory(err, "the %" PRId64 " parts of %s", parts, data->name);
    for (int64_t k = 0; k < parts; k++) {
        state->count = k + 1; /* what is opened is closed, also if it is not the right one */
        ZF_CHECK(open_part(data, k, parts, &state->items[k], err));
        state->first[k] = samples;
        samples += state->items[k]->count;
        if (k == 0) {
            data->fixed = state->items[0]->fixed;
            ZF_CHECK(copy_classes(data, state->items[0], err));
        }
    }
    return join(data, samples, err);
}

static void parts_close(struct zf_data *data)
{
    struct parts *state = data->state;

    if (state) {
        for (int64_t k = 0; k < state->count; k++)
            zf_data_free(&state->items[k]);
        zf_free(state->items);
        zf_free(state->first);
    }
    zf_free(state);
}

/* The part that sample *i is in; *i becomes its place there. */
static const struct zf_data *part_with(const struct zf_data *data, int64_t *i)
{
    const struct parts *state = data->state;
    int64_t low = 0, high = state->count;

    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;

        if (state->first[middle] <= *i)
            low = middle;
        else
            high = middle;
    }
    *i -= state->first[low];
    return state->items[low];
}

static enum zf_status parts_square(const struct zf_data *data, int64_t i,
                                   struct zf_geometry geometry, struct zf_picture *square,
                                   struct zf_oddity *odd, struct zf_error *err)
{
    const struct zf_data *part = part_with(data, &i);

    return part->kind->square(part, i, geometry, square, odd, err);
}

static enum zf_status parts_verify(const struct zf_data *data, int64_t i, const uint8_t *pixels,
                                   struct zf_error *err)
{
    const struct zf_data *part = part_with(data, &i);

    return part->kind->verify(part, i, pixels, err);
}

const struct zf_data_kind zf_data_parts = {
    .name = "parts",
    .form = "a directory of the parts of a packed file",
    .matches = parts_match,
    .open = parts_open,
    .square = parts_square,
    .verify = parts_verify,
    .close = parts_close,
};
