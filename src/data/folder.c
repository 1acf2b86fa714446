/* SPDX-License-Identifier: MIT */
/* ImageFolder: DATA/<class>/.../picture. Hidden files and folders are not looked at. */
#include "data/data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/listing.h"

#define MAX_DEPTH 32 /* folders within folders: more is a loop of links */
#define MAX_PATH 4096

/* What counts as a picture, in either case. */
static const char *const extensions[] = {
    ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pnm",
};

/* One path that grows and shrinks while the tree is walked. */
struct walk {
    struct zf_listing *listing;
    const char *class;
    char path[MAX_PATH];
    int depth;
};

static bool is_picture(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t k = 0; dot && k < ZF_COUNT(extensions); k++) {
        if (strcasecmp(dot, extensions[k]) == 0)
            return true;
    }
    return false;
}

static bool is_directory(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A link that leads nowhere counts as a file: it is then named as a bad sample. */
static bool is_file(const char *path)
{
    struct stat info;

    return stat(path, &info) != 0 || S_ISREG(info.st_mode);
}

/* Append "/name" to the path; false when it gets too long. *length is what to cut back to. */
static bool enter(struct walk *walk, const char *name, size_t *length)
{
    int written;

    *length = strlen(walk->path);
    written = snprintf(walk->path + *length, MAX_PATH - *length, "/%s", name);
    return written > 0 && (size_t)written < MAX_PATH - *length;
}

static enum zf_status walk_directory(struct walk *walk, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct dirent *entry;
    size_t length;
    DIR *directory = opendir(walk->path);

    if (!directory)
        return zf_fail_errno(err, ZF_EINPUT, errno, "cannot list the folder %s", walk->path);
    walk->depth++;
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.')
            continue;
        if (walk->depth > MAX_DEPTH || !enter(walk, entry->d_name, &length)) {
            status = zf_fail(err, ZF_EINPUT,
                             "%.200s...: nested more than %d folders deep, or a path of more than "
                             "%d bytes",
                             walk->path, MAX_DEPTH, MAX_PATH - 1);
            goto fail;
        }
        if (is_directory(walk->path))
            ZF_TRY(walk_directory(walk, err));
        else if (is_picture(entry->d_name) && is_file(walk->path))
            ZF_TRY(zf_listing_add(walk->listing, walk->path, walk->class, err));
        walk->path[length] = '\0';
    }
fail:
    walk->depth--;
    closedir(directory);
    return status;
}

static int compare_names(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;

    return strcmp(*a, *b);
}

struct names {
    char **items;
    size_t count, capacity;
};

static void names_release(struct names *names)
{
    for (size_t k = 0; k < names->count; k++)
        zf_free(names->items[k]);
    zf_free(names->items);
}

/* The classes in order, so that the first one without pictures is the same on every machine. */
static enum zf_status list_classes(struct walk *walk, struct names *names, bool *loose,
                                   struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct dirent *entry;
    size_t length;
    DIR *directory = opendir(walk->path);

    if (!directory)
        return zf_fail_errno(err, ZF_EINPUT, errno, "cannot list the folder %s", walk->path);
    while ((entry = readdir(directory))) {
        bool is_class;
        if (entry->d_name[0] == '.')
            continue;
        is_class = enter(walk, entry->d_name, &length) && is_directory(walk->path);
        walk->path[length] = '\0';
        *loose = *loose || is_picture(entry->d_name);
        if (!is_class)
            continue;
        if (!zf_grow((void **)&names->items, &names->capacity, names->count + 1,
                     sizeof *names->items) ||
            !(names->items[names->count] = zf_strdup(entry->d_name))) {
            status = zf_fail(err, ZF_ENOMEM, "no memory for the classes of %s", walk->path);
            break;
        }
        names->count++;
    }
    closedir(directory);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare_names);
    return status;
}

static enum zf_status folder_open(struct zf_data *data, struct zf_error *err)
{
    enum zf_status status;
    struct zf_listing listing = {0};
    struct walk walk = {.listing = &listing};
    struct names classes = {0};
    bool loose = false;
    size_t length = strlen(data->name);

    while (length > 1 && data->name[length - 1] == '/')
        length--;
    if (length >= MAX_PATH)
        return zf_fail(err, ZF_EINPUT, "a path of %zu bytes is too long", length);
    memcpy(walk.path, data->name, length);
    ZF_TRY(list_classes(&walk, &classes, &loose, err));
    if (classes.count == 0) {
        status = zf_fail(err, ZF_EINPUT, "%s holds no class folders%s", data->name,
                         loose ? ": its pictures must lie in one folder for each class" : "");
        goto fail;
    }
    for (size_t k = 0; k < classes.count; k++) {
        const size_t before = listing.count;
        size_t root;
        walk.class = classes.items[k];
        enter(&walk, walk.class, &root);
        ZF_TRY(walk_directory(&walk, err));
        walk.path[root] = '\0';
        if (listing.count == before) {
            status = zf_fail(err, ZF_EINPUT,
                             "class \"%s\" of %s holds no pictures (jpg, png, gif, bmp, tif, webp, "
                             "ppm, pgm, pnm)",
                             walk.class, data->name);
            goto fail;
        }
    }
    ZF_TRY(zf_listing_finish(&listing, data, err));
fail:
    names_release(&classes);
    zf_listing_release(&listing);
    return status;
}

const struct zf_data_kind zf_data_folder = {
    .name = "folder",
    .form = "a directory with a folder of pictures for each class",
    .matches = is_directory,
    .open = folder_open,
    .square = zf_data_square_of_file,
};
