/* SPDX-License-Identifier: MIT */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "memory.h"
#include "status.h"

void zf_names_release(struct zf_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        zf_free(names->items[i]);
    zf_free(names->items);
    *names = (struct zf_names){0};
}

static bool add(struct zf_names *names, const char *name)
{
    char *copy = zf_strdup(name);

    if (!copy ||
        !zf_grow((void **)&names->items, &names->capacity, names->count + 1, sizeof(char *))) {
        zf_free(copy);
        return false;
    }
    names->items[names->count++] = copy;
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

const struct dirent *zf_directory_next(DIR *directory, const char *path, enum zf_status *status,
                                       struct zf_error *err)
{
    const struct dirent *entry;

    errno = 0;
    entry = readdir(directory);
    if (!entry && errno != 0)
        *status = zf_fail_errno(err, ZF_EIO, errno, "cannot read on in the folder %s", path);
    return entry;
}

enum zf_status zf_directory_list(const char *path, struct zf_names *names, struct zf_error *err)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;
    enum zf_status status = ZF_OK;
    bool whole = true;

    if (!directory)
        return zf_fail_errno(err, zf_status_of_errno(errno), errno, "cannot list the folder %s",
                             path);
    while (whole && (entry = zf_directory_next(directory, path, &status, err)) != NULL)
        whole = entry->d_name[0] == '.' || add(names, entry->d_name);
    closedir(directory);
    if (status != ZF_OK)
        return status;
    if (!whole)
        return zf_no_memory(err, "the names in %s", path);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare);
    return ZF_OK;
}
