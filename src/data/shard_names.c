/* SPDX-License-Identifier: MIT */
#include "data/shard_names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/files.h"

#define MAX_DEPTH 16 /* braces within braces, and behind each other */
#define MAX_NAME 4096

/* ---- Braces ---- */

static enum zf_status add(struct zf_names *names, const char *name, struct zf_error *err)
{
    if (names->count >= ZF_MOST_SHARDS)
        return zf_fail(err, ZF_EINPUT, "%.200s ...: more than %d shards", names->items[0],
                       ZF_MOST_SHARDS);
    if (!zf_grow((void **)&names->items, &names->capacity, names->count + 1,
                 sizeof *names->items) ||
        !(names->items[names->count] = zf_strdup(name)))
        return zf_no_memory(err, "the names of shards");
    names->count++;
    return ZF_OK;
}

/* The brace that closes the one at `open`; NULL for none. */
static const char *closing(const char *open)
{
    int depth = 0;

    for (const char *p = open; *p; p++) {
        depth += (*p == '{') - (*p == '}');
        if (depth == 0)
            return p;
    }
    return NULL;
}

static enum zf_status expand(const char *name, int depth, struct zf_names *names,
                             struct zf_error *err);

/* What stands before the braces, one of what they hold, and what stands behind. */
static enum zf_status expand_with(const char *name, const char *open, const char *close,
                                  const char *item, size_t length, int depth,
                                  struct zf_names *names, struct zf_error *err)
{
    char *joined = zf_format("%.*s%.*s%s", (int)(open - name), name, (int)length, item, close + 1);
    enum zf_status status;

    if (!joined)
        return zf_no_memory(err, "the names of shards");
    status = expand(joined, depth + 1, names, err);
    zf_free(joined);
    return status;
}

/* "000..127"; *width is that of the ends when one has zeros in front. */
static bool is_range(const char *text, size_t length, uint32_t ends[2], int *width)
{
    int digits[2], used = 0;
    char copy[32];

    if (length >= sizeof copy)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    for (int k = 0; k < 2; k++) {
        const char *from = copy + used;

        digits[k] = (int)strspn(from, "0123456789");
        if (digits[k] < 1 || digits[k] > 9)
            return false;
        ends[k] = (uint32_t)strtoul(from, NULL, 10);
        if (from[0] == '0' && digits[k] > 1)
            *width = digits[k] > *width ? digits[k] : *width;
        used += digits[k] + (k == 0 ? 2 : 0);
        if (k == 0 && strncmp(from + digits[k], "..", 2) != 0)
            return false;
    }
    if (*width > 0)
        *width = digits[0] > digits[1] ? digits[0] : digits[1];
    return copy[used] == '\0';
}

static enum zf_status expand_range(const char *name, const char *open, const char *close,
                                   const uint32_t ends[2], int width, int depth,
                                   struct zf_names *names, struct zf_error *err)
{
    for (uint32_t at = ends[0];; at += ends[0] <= ends[1] ? 1u : UINT32_MAX) {
        char number[32];
        const int length = snprintf(number, sizeof number, "%0*" PRIu32, width, at);

        ZF_CHECK(expand_with(name, open, close, number, (size_t)length, depth, names, err));
        if (at == ends[1])
            return ZF_OK;
    }
}

static enum zf_status expand(const char *name, int depth, struct zf_names *names,
                             struct zf_error *err)
{
    const char *open = strchr(name, '{'), *close, *item;
    uint32_t ends[2];
    int width = 0, level = 0;
    bool list = false;

    if (depth > MAX_DEPTH || strlen(name) >= MAX_NAME)
        return zf_fail(err, ZF_EINPUT, "%.200s: braces more than %d deep, or a name of %zu bytes",
                       name, MAX_DEPTH, strlen(name));
    while (open && !(close = closing(open)))
        open = strchr(open + 1, '{');
    if (!open)
        return add(names, name, err);
    if (is_range(open + 1, (size_t)(close - open - 1), ends, &width))
        return expand_range(name, open, close, ends, width, depth, names, err);
    item = open + 1;
    for (const char *p = open + 1; p <= close; p++) {
        level += (*p == '{') - (*p == '}' && p < close);
        if (level > 0 || (*p != ',' && p < close) || (p == close && !list))
            continue;
        list = true;
        ZF_CHECK(expand_with(name, open, close, item, (size_t)(p - item), depth, names, err));
        item = p + 1;
    }
    return list ? ZF_OK
                : zf_fail(err, ZF_EINPUT,
                          "%.200s: braces hold a range, {000..127}, or a "
                          "list, {a,b}",
                          name);
}

enum zf_status zf_braces_expand(const char *name, struct zf_names *names, struct zf_error *err)
{
    return expand(name, 0, names, err);
}

/* ---- Names ---- */

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);

    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

static bool is_compressed(const char *name)
{
    static const char *const endings[] = {".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst"};

    for (size_t k = 0; k < ZF_COUNT(endings); k++) {
        if (ends_in(name, endings[k]))
            return true;
    }
    return false;
}

/* The magic of a tar's first header, whatever the file is called. */
static bool begins_as_tar(const char *name)
{
    char block[265] = "";
    FILE *file;
    size_t size;

    if (zf_file_open(&file, name, NULL) != ZF_OK)
        return false;
    size = fread(block, 1, sizeof block, file);
    fclose(file);
    return size == sizeof block && memcmp(block + 257, "ustar", 5) == 0;
}

static bool is_other(const char *directory, const char *name)
{
    char *path;
    struct stat info;
    bool folder;

    if (zf_name_is_leftover(name) || ends_in(name, ".tar"))
        return false;
    if (zf_file_use_of_head(name, (const uint8_t *)"", 0, 0) == ZF_FILE_PICTURE)
        return true;
    path = zf_path_join(directory, name);
    folder = path && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    zf_free(path);
    return folder;
}

/* Tars, and neither folders nor pictures, which would be the data set. */
static bool holds_tars(const char *name)
{
    DIR *directory = opendir(name);
    const struct dirent *entry;
    enum zf_status status = ZF_OK;
    bool tars = false, others = false;

    if (!directory)
        return false;
    while (!others && (entry = zf_directory_next(directory, name, &status, NULL)) != NULL) {
        tars = tars || ends_in(entry->d_name, ".tar") || is_compressed(entry->d_name);
        others = is_other(name, entry->d_name);
    }
    closedir(directory);
    return tars && !others && status == ZF_OK;
}

bool zf_shard_names_match(const char *name, const struct stat *info)
{
    if (!info)
        return strchr(name, '{') && strchr(name, '}') && strstr(name, "tar");
    if (S_ISDIR(info->st_mode))
        return holds_tars(name);
    return S_ISREG(info->st_mode) &&
           (ends_in(name, ".tar") || is_compressed(name) || begins_as_tar(name));
}

/* The part of a data set that a shard's name speaks of, as one of its words: "train-0001.tar". */
static const char *part_of(const char *name)
{
    for (const char *at = name; *at;) {
        const char *part;
        size_t length = 0;

        while ((at[length] | 0x20) >= 'a' && (at[length] | 0x20) <= 'z')
            length++;
        part = zf_part_of_data(at, length);
        if (part)
            return part;
        at += length + (at[length] != '\0');
    }
    return NULL;
}

static enum zf_status list_directory(const char *directory, struct zf_names *names,
                                     struct zf_error *err)
{
    enum zf_status status;
    struct zf_names all = {0};
    const char *part = NULL, *first = NULL;
    char *path = NULL;

    ZF_TRY(zf_directory_list(directory, &all, err));
    for (size_t k = 0; k < all.count; k++) {
        const char *name = all.items[k], *other = part_of(name);

        if (!ends_in(name, ".tar") && !is_compressed(name))
            continue;
        if (first && (part ? !other || strcmp(part, other) != 0 : other != NULL))
            ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                             "%s holds shards of more than one part of a data set, such as %s and "
                             "%s: name those of one, as \"%s/train-{0000..1023}.tar\"",
                             directory, first, name, directory));
        part = other;
        first = name;
        path = zf_path_join(directory, name);
        ZF_TRY(path ? add(names, path, err) : zf_no_memory(err, "the names of shards"));
        zf_free(path);
        path = NULL;
    }
fail:
    zf_free(path);
    zf_names_release(&all);
    return status;
}

enum zf_status zf_shard_names(const char *name, struct zf_names *names, struct zf_error *err)
{
    struct stat info;
    const bool there = stat(name, &info) == 0;

    if (there && S_ISDIR(info.st_mode))
        ZF_CHECK(list_directory(name, names, err));
    else if (there)
        ZF_CHECK(add(names, name, err));
    else
        ZF_CHECK(zf_braces_expand(name, names, err));
    for (size_t k = 0; k < names->count; k++) {
        if (is_compressed(names->items[k]))
            return zf_fail(err, ZF_EINPUT,
                           "%s is compressed, and pictures are read in random order: unpack it "
                           "first, with gunzip, unxz, bunzip2 or zstd -d",
                           names->items[k]);
    }
    return ZF_OK;
}
