/* SPDX-License-Identifier: MIT */
/*
 * ImageFolder: DATA/<class>/.../picture. What other programs leave behind is not looked at. A
 * folder of pictures without class folders is a data set without labels.
 */
#include "data/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/files.h"
#include "data/listing.h"
#include "data/names.h"

#define MAX_DEPTH 32 /* folders within folders */
#define MAX_PATH 4096

struct place {
    dev_t device;
    ino_t inode;
};

/* One path that grows and shrinks while the tree is walked. */
struct walk {
    struct zf_listing *listing;
    struct zf_notes *notes;
    enum zf_file_use wanted; /* what are samples: pictures, or where there are none, arrays */
    const char *class;
    struct place *been; /* the data set's folder and all above it, then the class's so far: links
                           may lead to one again */
    size_t been_count, been_capacity, above_count;
    char path[MAX_PATH];
    int depth;
};

static bool folder_matches(const char *name, const struct stat *info)
{
    (void)name;
    return info && S_ISDIR(info->st_mode);
}

/* Of a name that was listed; that nobody could tell, for now, does not make it a file. */
static enum zf_status is_directory(const char *path, bool *directory, struct zf_error *err)
{
    struct stat info;
    const int failure = stat(path, &info) != 0 ? errno : 0;

    if (failure && zf_status_of_errno(failure) != ZF_EINPUT)
        return zf_fail_errno(err, zf_status_of_errno(failure), failure, "%s", path);
    *directory = !failure && S_ISDIR(info.st_mode);
    return ZF_OK;
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

/* A file of the walk's class, by what it is. */
static enum zf_status add_file(struct walk *walk, const char *name, struct zf_error *err)
{
    enum zf_file_use use;

    ZF_CHECK(zf_file_use_of(walk->path, name, &use, err));
    if (use == walk->wanted)
        return is_file(walk->path) ? zf_listing_add(walk->listing, walk->path, walk->class, err)
                                   : ZF_OK;
    if (use == ZF_FILE_UNUSED &&
        !zf_notes_add_unused(walk->notes, zf_ending_of(name).text, walk->path))
        return zf_fail(err, ZF_ENOMEM, "no memory to list %s", walk->path);
    return ZF_OK;
}

static bool is_among(const struct place *places, size_t count, const struct stat *info)
{
    for (size_t k = 0; k < count; k++) {
        if (places[k].inode == info->st_ino && places[k].device == info->st_dev)
            return true;
    }
    return false;
}

/* *again says whether the folder was listed for this class before, or holds the data set. */
static enum zf_status remember(struct walk *walk, const char *path, bool *again,
                               struct zf_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return zf_fail_errno(err, zf_status_of_errno(errno), errno, "cannot list the folder %s",
                             path);
    *again = is_among(walk->been, walk->been_count, &info);
    if (*again)
        return ZF_OK;
    if (!zf_grow((void **)&walk->been, &walk->been_capacity, walk->been_count + 1,
                 sizeof *walk->been))
        return zf_no_memory(err, "the folders of %s", walk->path);
    walk->been[walk->been_count++] = (struct place){info.st_dev, info.st_ino};
    return ZF_OK;
}

/* The walk's folder and those above it, up to the root, which is above itself. */
static enum zf_status remember_above(struct walk *walk, struct zf_error *err)
{
    char path[MAX_PATH];
    size_t length = strlen(walk->path);
    bool again = false;

    memcpy(path, walk->path, length + 1);
    ZF_CHECK(remember(walk, path, &again, err));
    while (!again && length + 3 < MAX_PATH) {
        memcpy(path + length, "/..", 4);
        length += 3;
        ZF_CHECK(remember(walk, path, &again, err));
    }
    walk->above_count = walk->been_count;
    return ZF_OK;
}

/* A link to the data set itself, or to what it lies in. */
static bool leads_above(const struct walk *walk)
{
    struct stat info;

    return stat(walk->path, &info) == 0 && is_among(walk->been, walk->above_count, &info);
}

/* In the order of names, so that of several ways to a folder every machine takes the same. */
static enum zf_status walk_directory(struct walk *walk, struct zf_error *err)
{
    enum zf_status status;
    struct zf_names names = {0};
    size_t length;
    bool again, directory = false;

    ZF_CHECK(remember(walk, walk->path, &again, err));
    if (again)
        return ZF_OK;
    walk->depth++;
    ZF_TRY(zf_directory_list(walk->path, &names, err));
    for (size_t k = 0; k < names.count; k++) {
        if (zf_name_is_leftover(names.items[k]))
            continue;
        if (walk->depth > MAX_DEPTH || !enter(walk, names.items[k], &length))
            ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                             "%.200s...: nested more than %d folders deep, or a path of more than "
                             "%d bytes",
                             walk->path, MAX_DEPTH, MAX_PATH - 1));
        ZF_TRY(is_directory(walk->path, &directory, err));
        if (directory)
            ZF_TRY(walk_directory(walk, err));
        else
            ZF_TRY(add_file(walk, names.items[k], err));
        walk->path[length] = '\0';
    }
fail:
    walk->depth--;
    zf_names_release(&names);
    return status;
}

static enum zf_status add_name(struct zf_names *names, const char *name, struct zf_error *err)
{
    if (!zf_grow((void **)&names->items, &names->capacity, names->count + 1,
                 sizeof *names->items) ||
        !(names->items[names->count] = zf_strdup(name)))
        return zf_no_memory(err, "the name of the folder %s", name);
    names->count++;
    return ZF_OK;
}

/* The folders in the walk's, in order, so that what is said of the first is the same on every
   machine; with a listing, also the pictures beside them. */
static enum zf_status list_folders(struct walk *walk, struct zf_names *folders,
                                   struct zf_error *err)
{
    enum zf_status status;
    struct zf_names names = {0};
    size_t length;
    bool directory = false;

    ZF_TRY(zf_directory_list(walk->path, &names, err));
    for (size_t k = 0; k < names.count; k++) {
        if (zf_name_is_leftover(names.items[k]) || !enter(walk, names.items[k], &length))
            continue;
        ZF_TRY(is_directory(walk->path, &directory, err));
        if (directory && !leads_above(walk))
            ZF_TRY(add_name(folders, names.items[k], err));
        else if (!directory && walk->listing)
            ZF_TRY(add_file(walk, names.items[k], err));
        walk->path[length] = '\0';
    }
fail:
    zf_names_release(&names);
    return status;
}

/* ---- What is no class ---- */

static enum zf_status list_within(const struct walk *walk, const char *name, struct zf_names *names,
                                  struct zf_error *err)
{
    struct walk inner = *walk;
    size_t length;

    inner.listing = NULL;
    return enter(&inner, name, &length) ? list_folders(&inner, names, err) : ZF_OK;
}

/* As long as a folder holds nothing but one folder, that one; *path, of `room` bytes, follows. */
static enum zf_status list_inner(const struct walk *walk, const char *name, char *path, size_t room,
                                 struct zf_names *names, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    size_t length = (size_t)snprintf(path, room, "%s", name);

    ZF_CHECK(list_within(walk, path, names, err));
    for (int depth = 0; names->count == 1 && depth < MAX_DEPTH && status == ZF_OK; depth++) {
        struct zf_names inner = {0};
        const int written =
            length < room ? snprintf(path + length, room - length, "/%s", names->items[0]) : -1;

        if (written < 0 || (size_t)written >= room - length)
            break;
        status = list_within(walk, path, &inner, err);
        if (status != ZF_OK || inner.count == 0) { /* that one is a class */
            path[length] = '\0';
            zf_names_release(&inner);
            break;
        }
        length += (size_t)written;
        zf_names_release(names);
        *names = inner;
    }
    return status;
}

static bool have_common(const struct zf_names *a, const struct zf_names *b)
{
    for (size_t i = 0, j = 0; i < a->count && j < b->count;) {
        const int order = strcmp(a->items[i], b->items[j]);

        if (order == 0)
            return true;
        if (order < 0)
            i++;
        else
            j++;
    }
    return false;
}

/* Folders named like train, val or test that hold the same folders are parts of a data set; and
   those that are called nothing else where there are no others. */
static enum zf_status refuse_splits(const struct walk *walk, const struct zf_names *classes,
                                    const char *data, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_names within = {0}, others = {0};
    const char *first = NULL, *second = NULL;
    char inner[MAX_PATH] = "", ignored[MAX_PATH];
    bool common = false;
    size_t splits = 0;

    for (size_t k = 0; k < classes->count && !common; k++) {
        const char *name = classes->items[k];

        if (!zf_name_has_part(name))
            continue;
        splits += zf_part_of_data(name, strlen(name)) != NULL;
        if (!first) {
            first = name;
            ZF_TRY(list_inner(walk, name, inner, sizeof inner, &within, err));
            continue;
        }
        second = second ? second : name;
        zf_names_release(&others);
        ZF_TRY(list_inner(walk, name, ignored, sizeof ignored, &others, err));
        common = have_common(&within, &others);
        second = common ? name : second;
    }
    if (second && (common || splits == classes->count))
        status =
            zf_fail(err, ZF_EINPUT,
                    "%s holds %s and %s, which are parts of a data set and no classes: give one "
                    "at a time, %s/%s",
                    data, first, second, data, inner);
    else if (splits == 1 && classes->count == 1 && within.count > 0)
        status = zf_fail(err, ZF_EINPUT,
                         "%s holds only %s, which is a part of a data set and no class: give %s/%s",
                         data, first, data, inner);
fail:
    zf_names_release(&within);
    zf_names_release(&others);
    return status;
}

/* Two spellings of one name are two classes, which seldom is meant. */
static enum zf_status note_twins(const struct walk *walk, const struct zf_names *classes,
                                 const char *data, struct zf_error *err)
{
    const char *first, *second;

    ZF_CHECK(zf_names_find_twins(classes, &first, &second, err));
    if (first && !zf_notes_add(walk->notes,
                               "two of the classes of %.300s, \"%.100s\" and \"%.100s\", differ in "
                               "capitals or in the form of their letters alone",
                               data, first, second))
        return zf_no_memory(err, "the notes on %s", data);
    return ZF_OK;
}

/* ---- Opening ---- */

static bool note_loose(struct zf_notes *notes, const struct zf_listing *loose)
{
    return loose->count == 0 ||
           zf_notes_add(notes, "not used: %zu picture%s beside the class folders, such as %.300s",
                        loose->count, loose->count == 1 ? "" : "s", loose->paths.bytes);
}

/* Where a data set was unpacked into a folder of its own name, its classes are one further down. */
static enum zf_status note_one_class(const struct walk *walk, const struct zf_names *classes,
                                     struct zf_error *err)
{
    enum zf_status status;
    struct zf_names within = {0};
    char inner[MAX_PATH];

    if (classes->count != 1)
        return ZF_OK;
    ZF_TRY(list_inner(walk, classes->items[0], inner, sizeof inner, &within, err));
    if (within.count > 1 &&
        !zf_notes_add(walk->notes, "if %.100s, %.100s ... are the classes, give %.300s/%.300s",
                      within.items[0], within.items[1], walk->path, inner))
        status = zf_fail(err, ZF_ENOMEM, "no memory for the classes of %s", walk->path);
fail:
    zf_names_release(&within);
    return status;
}

static enum zf_status list_class(struct walk *walk, const char *class, struct zf_names *empty,
                                 struct zf_error *err)
{
    const size_t before = walk->listing->count;
    size_t root;

    walk->class = class;
    walk->been_count = walk->above_count;
    enter(walk, class, &root);
    ZF_CHECK(walk_directory(walk, err));
    walk->path[root] = '\0';
    if (walk->listing->count > before)
        return ZF_OK;
    ZF_CHECK(add_name(empty, class, err));
    return zf_listing_add_class(walk->listing, class, err);
}

static enum zf_status list_classes(struct walk *walk, const struct zf_names *classes,
                                   const char *data, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_names empty = {0};

    for (size_t k = 0; k < classes->count; k++)
        ZF_TRY(list_class(walk, classes->items[k], &empty, err));
    if (empty.count == classes->count) {
        const bool told = zf_notes_sum_up(walk->notes) && walk->notes->count > 0;

        status =
            zf_fail(err, ZF_EINPUT, "the class folders of %s hold no pictures%s%s", data,
                    told ? "; " : "", told ? walk->notes->sentences[walk->notes->count - 1] : "");
    } else if (empty.count > 0 &&
               !zf_notes_add(walk->notes,
                             "%zu of the %zu classes of %.300s hold no pictures: %.100s%s",
                             empty.count, classes->count, data, empty.items[0],
                             empty.count > 1 ? ", ..." : "")) {
        status = zf_fail(err, ZF_ENOMEM, "no memory for the classes of %s", data);
    }
fail:
    zf_names_release(&empty);
    return status;
}

static void drop_classes(struct zf_data *data)
{
    for (int64_t k = 0; k < data->class_count; k++)
        zf_free(data->classes[k]);
    data->class_count = 0;
}

static enum zf_status open_as(struct zf_data *data, enum zf_file_use wanted, struct zf_error *err)
{
    enum zf_status status;
    struct zf_listing listing = {0}, loose = {0};
    struct walk walk = {
        .listing = &loose, .notes = &data->notes, .wanted = wanted, .class = "pictures"};
    struct zf_names classes = {0};
    size_t length = strlen(data->name);

    while (length > 1 && data->name[length - 1] == '/')
        length--;
    if (length >= MAX_PATH)
        return zf_fail(err, ZF_EINPUT, "a path of %zu bytes is too long", length);
    memcpy(walk.path, data->name, length);
    ZF_TRY(remember_above(&walk, err));
    ZF_TRY(list_folders(&walk, &classes, err));
    if (classes.count == 0 && loose.count == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s holds no class folders and no pictures", data->name));
    if (classes.count == 0) {
        ZF_TRY(zf_listing_finish(&loose, data, NULL, err));
        drop_classes(data);
    } else {
        walk.listing = &listing;
        ZF_TRY(refuse_splits(&walk, &classes, walk.path, err));
        ZF_TRY(list_classes(&walk, &classes, data->name, err));
        ZF_TRY(note_one_class(&walk, &classes, err));
        ZF_TRY(note_twins(&walk, &classes, data->name, err));
        ZF_TRY(zf_listing_finish(&listing, data, NULL, err));
    }
    if ((classes.count > 0 && !note_loose(&data->notes, &loose)) || !zf_notes_sum_up(&data->notes))
        status = zf_fail(err, ZF_ENOMEM, "no memory for the notes on %s", data->name);
fail:
    zf_free(walk.been);
    zf_names_release(&classes);
    zf_listing_release(&listing);
    zf_listing_release(&loose);
    return status;
}

/* Arrays are samples where there is no picture: beside pictures they are masks, or features. */
static enum zf_status folder_open(struct zf_data *data, struct zf_error *err)
{
    const enum zf_status status = open_as(data, ZF_FILE_PICTURE, err);

    if (status != ZF_EINPUT)
        return status;
    zf_notes_release(&data->notes);
    return open_as(data, ZF_FILE_ARRAY, NULL) == ZF_OK ? ZF_OK : status;
}

const struct zf_data_kind zf_data_folder = {
    .name = "folder",
    .form = "a directory of pictures, with a folder for each class",
    .matches = folder_matches,
    .open = folder_open,
    .square = zf_data_square_of_file,
};
