/* SPDX-License-Identifier: MIT */
/* Every kind of data set, and the one that a name is of. */
#include "data/data.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/recognise.h"
#include "base/status.h"
#include "data/cache.h"
#include "image/kind.h"

/* The first kind that matches a name is the one. */
static const struct zf_data_kind *const kinds[] = {
    &zf_data_synth,  &zf_data_parts, &zf_data_shards,
    &zf_data_folder, &zf_data_list,  &zf_data_packed,
};

/* NULL for a directory, and for what is not known. */
static const char *what_it_is(const char *path, const struct stat *info)
{
    uint8_t head[512];
    FILE *file = S_ISREG(info->st_mode) ? fopen(path, "rb") : NULL;
    const size_t size = file ? fread(head, 1, sizeof head, file) : 0;

    if (file)
        fclose(file);
    return size == 0 ? NULL
           : zf_picture_kind(head, size < ZF_KIND_BYTES ? size : ZF_KIND_BYTES, size)
               ? "one picture"
               : zf_recognise(head, size);
}

static enum zf_status find_kind(const char *name, const struct zf_data_kind **out,
                                struct zf_error *err)
{
    struct stat info;
    const int failure = stat(name, &info) != 0 ? errno : 0;
    const char *what;
    char forms[256];
    size_t length = 0;

    for (size_t k = 0; k < ZF_COUNT(kinds); k++) {
        if (kinds[k]->matches(name, failure ? NULL : &info)) {
            *out = kinds[k];
            return ZF_OK;
        }
    }
    if (failure)
        return zf_fail_errno(err, zf_status_of_errno(failure), failure,
                             "cannot open the data set %s", name);
    forms[0] = '\0';
    for (size_t k = 0; k < ZF_COUNT(kinds); k++) {
        const char *joint = k == 0 ? "" : k + 1 < ZF_COUNT(kinds) ? ", " : " or ";
        const size_t room = sizeof forms - length;
        int written = snprintf(forms + length, room, "%s%s", joint, kinds[k]->form);
        if (written < 0 || (size_t)written >= room)
            break;
        length += (size_t)written;
    }
    what = what_it_is(name, &info);
    return zf_fail(err, ZF_EINPUT, "%s is %s%snot a data set, which would be %s", name,
                   what ? what : "", what ? "; " : "", forms);
}

static enum zf_status open_watched(const char *name, const struct zf_monitor *monitor,
                                   struct zf_data **out, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_data_kind *kind = NULL;
    struct zf_data *data = zf_alloc(1, sizeof *data);

    if (!data)
        return zf_fail(err, ZF_ENOMEM, "no memory for the data set %s", name);
    ZF_TRY(find_kind(name, &kind, err));
    data->kind = kind;
    data->monitor = monitor;
    data->name = zf_strdup(name);
    data->cache = zf_cache_create();
    if (!data->name || !data->cache)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for the data set %s", name));
    ZF_TRY(kind->open(data, err));
    if (data->class_count == 1 &&
        !zf_notes_add(&data->notes, "all pictures of %.300s are of one class, \"%.200s\"", name,
                      data->classes[0]))
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for the data set %s", name));
    data->monitor = NULL;
    *out = data;
    data = NULL;
    status = ZF_OK;
fail:
    zf_data_free(&data);
    return status;
}

enum zf_status zf_data_open(const char *name, struct zf_data **out, struct zf_error *err)
{
    return open_watched(name, NULL, out, err);
}

enum zf_status zf_data_open_noting(const char *name, const struct zf_monitor *monitor,
                                   struct zf_data **out, struct zf_error *err)
{
    const enum zf_status status = open_watched(name, monitor, out, err);

    for (int64_t k = 0; status == ZF_OK && k < zf_data_note_count(*out); k++)
        zf_monitor_message(monitor, "note: %s", zf_data_note(*out, k));
    return status;
}
