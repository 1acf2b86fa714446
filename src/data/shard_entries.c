/* SPDX-License-Identifier: MIT */
#include "data/shard_entries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "data/files.h"
#include "image/kind.h"

#define MAX_TEXT UINT32_MAX /* bytes of all names: they are numbered in 32 bits */
#define MAX_LABEL (1 << 20) /* bytes of a file of labels */
#define TAR_ENDING ".tar"
#define REPORT_EVERY 1024

/* Where a walk over a tar is: in a tar within it, its name stands before all others. */
struct walk {
    struct zf_shard_entries *entries;
    const struct zf_shard_watch *watch; /* or NULL */
    struct zf_tar tar;
    char inner[ZF_TAR_PATH]; /* "n01440764.tar/", or "" */
    size_t class_at;         /* of the tar within: its name in the text */
};

static enum zf_status add_text(struct zf_shard_entries *entries, const char *string, size_t *at,
                               const char *tar, struct zf_error *err)
{
    if (!zf_text_add(&entries->text, string, at))
        return zf_no_memory(err, "the names in %s", tar);
    if (entries->text.size > MAX_TEXT)
        return zf_fail(err, ZF_EINPUT, "%s: its names take more than 4 GiB", tar);
    return ZF_OK;
}

static bool role_of_ending(const char *name, enum zf_shard_role *role)
{
    static const char *const endings[] = {".cls", ".json", ".txt"};
    static const enum zf_shard_role roles[] = {ZF_SHARD_CLS, ZF_SHARD_JSON, ZF_SHARD_TXT};

    for (size_t k = 0; k < ZF_COUNT(endings); k++) {
        *role = roles[k];
        if (zf_ends_in(name, endings[k]))
            return true;
    }
    return false;
}

static bool has_leftover(const char *path)
{
    char part[ZF_TAR_PATH];

    for (const char *at = path; *at;) {
        const size_t length = strcspn(at, "/");

        memcpy(part, at, length);
        part[length] = '\0';
        if (length > 0 && zf_name_is_leftover(part))
            return true;
        at += length + (at[length] == '/');
    }
    return false;
}

static enum zf_status read_label(struct walk *walk, const struct zf_tar_entry *found,
                                 struct zf_shard_entry *entry, struct zf_error *err)
{
    const char *name = walk->tar.source.name;
    struct zf_shard_said said;
    enum zf_status status;
    struct zf_error why;
    char *text;

    if (found->size > MAX_LABEL)
        return zf_fail(err, ZF_EINPUT,
                       "%s at offset %" PRIu64 ": %.200s of %" PRIu64
                       " bytes is no file of a label",
                       name, found->header, found->path, found->size);
    text = zf_alloc_raw((size_t)found->size + 1, 1);
    if (!text)
        return zf_no_memory(err, "%s in %s", found->path, name);
    ZF_TRY(zf_tar_peek(&walk->tar, found->offset, text, (size_t)found->size, err));
    text[found->size] = '\0';
    status = zf_shard_parse_label(entry->role, text, (size_t)found->size, &said, &why);
    if (status != ZF_OK)
        ZF_LEAVE(zf_fail(err, status, "%s at offset %" PRIu64 ": %.200s %s", name, found->header,
                         found->path, why.message));
    entry->kind = said.kind;
    entry->number = said.number;
    if (said.name[0])
        ZF_TRY(add_text(walk->entries, said.name, &entry->label_at, name, err));
fail:
    zf_free(text);
    return status;
}

/* Whether the entry is a picture, as far as its name and its first bytes say. */
static enum zf_status is_picture(struct walk *walk, const struct zf_tar_entry *found, bool *picture,
                                 struct zf_error *err)
{
    const char *slash = strrchr(found->path, '/'), *name = slash ? slash + 1 : found->path;
    uint8_t head[ZF_KIND_BYTES];
    const size_t size = found->size < sizeof head ? (size_t)found->size : sizeof head;
    enum zf_file_use use;

    if (zf_file_use_needs_head(name))
        ZF_CHECK(zf_tar_peek(&walk->tar, found->offset, head, size, err));
    use = zf_file_use_of_head(name, head, size, found->size);
    *picture = use == ZF_FILE_PICTURE;
    if (use == ZF_FILE_UNUSED && walk->entries->unused++ == 0)
        return add_text(walk->entries, found->path, &walk->entries->unused_at,
                        walk->tar.source.name, err);
    return ZF_OK;
}

static enum zf_status add_entry(struct walk *walk, const struct zf_tar_entry *found,
                                struct zf_error *err)
{
    struct zf_shard_entries *entries = walk->entries;
    const char *name = walk->tar.source.name;
    struct zf_shard_entry entry = {
        .header = found->header, .size = found->size, .crc = found->crc, .taken = -1};
    char path[2 * ZF_TAR_PATH];
    bool picture = false;

    if (!role_of_ending(found->path, &entry.role)) {
        entry.role = ZF_SHARD_PICTURE;
        ZF_CHECK(is_picture(walk, found, &picture, err));
        if (!picture)
            return ZF_OK;
        if (walk->inner[0]) {
            entry.kind = ZF_SHARD_ARCHIVE;
            entry.label_at = walk->class_at;
        }
    } else {
        ZF_CHECK(read_label(walk, found, &entry, err));
    }
    memcpy(path, walk->inner, strlen(walk->inner));
    memcpy(path + strlen(walk->inner), found->path, strlen(found->path) + 1);
    ZF_CHECK(add_text(entries, path, &entry.name_at, name, err));
    if (!zf_grow((void **)&entries->items, &entries->capacity, entries->count + 1,
                 sizeof *entries->items))
        return zf_no_memory(err, "the entries of %s", name);
    entries->items[entries->count++] = entry;
    return ZF_OK;
}

static enum zf_status walk_tar(struct walk *walk, struct zf_error *err);

/* A tar in the tar, such as each class of ImageNet's; its bytes are bytes of the outer one. */
static enum zf_status enter_tar(const struct walk *outer, const struct zf_tar_entry *found,
                                struct zf_error *err)
{
    const char *slash = strrchr(found->path, '/'), *name = slash ? slash + 1 : found->path;
    enum zf_status status;
    struct walk *inner;
    size_t length = strlen(found->path);

    if (outer->inner[0])
        return zf_fail(err, ZF_EINPUT,
                       "%s at offset %" PRIu64
                       ": %.200s is a tar in a tar in a tar; unpack the outermost",
                       outer->tar.source.name, found->header, found->path);
    inner = zf_alloc(1, sizeof *inner);
    if (!inner)
        return zf_no_memory(err, "%s in %s", found->path, outer->tar.source.name);
    inner->entries = outer->entries;
    inner->watch = outer->watch;
    memcpy(inner->inner, name, strlen(name) - strlen(TAR_ENDING)); /* the class, for now */
    ZF_TRY(add_text(outer->entries, inner->inner, &inner->class_at, outer->tar.source.name, err));
    if (length + 2 > sizeof inner->inner)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s at offset %" PRIu64 ": a name of %zu bytes",
                         outer->tar.source.name, found->header, length));
    memcpy(inner->inner, found->path, length);
    memcpy(inner->inner + length, "/", 2);
    zf_tar_begin(&inner->tar, outer->tar.source, found->offset, found->size);
    ZF_TRY(walk_tar(inner, err));
fail:
    zf_free(inner);
    return status;
}

static bool report(const struct walk *walk)
{
    const struct zf_shard_watch *watch = walk->watch;
    const int64_t entries = (int64_t)walk->entries->count;

    return !watch || entries % REPORT_EVERY != 0 ||
           (watch->total > 1
                ? zf_monitor_progress(watch->monitor, "indexing", watch->done, watch->total)
                : zf_monitor_progress(watch->monitor, "indexing", entries, 0));
}

static enum zf_status walk_tar(struct walk *walk, struct zf_error *err)
{
    struct zf_tar_entry found;
    bool done;

    for (;;) {
        ZF_CHECK(zf_tar_next(&walk->tar, &found, &done, err));
        if (done)
            return ZF_OK;
        if (!report(walk))
            return zf_fail(err, ZF_ECANCELED, "indexing %s stopped at offset %" PRIu64,
                           walk->tar.source.name, found.header);
        if (found.directory || has_leftover(found.path))
            continue;
        if (zf_ends_in(found.path, TAR_ENDING))
            ZF_CHECK(enter_tar(walk, &found, err));
        else
            ZF_CHECK(add_entry(walk, &found, err));
    }
}

static int compare(const void *left, const void *right)
{
    const struct zf_shard_entry *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static enum zf_status sort(struct zf_shard_entries *entries, const char *tar, struct zf_error *err)
{
    for (size_t k = 0; k < entries->count; k++)
        entries->items[k].name = entries->text.bytes + entries->items[k].name_at;
    if (entries->count > 0)
        qsort(entries->items, entries->count, sizeof *entries->items, compare);
    for (size_t k = 1; k < entries->count; k++) {
        const struct zf_shard_entry *a = &entries->items[k - 1], *b = &entries->items[k];

        if (strcmp(a->name, b->name) == 0)
            return zf_fail(err, ZF_EINPUT,
                           "%s holds \"%.200s\" twice, at offsets %" PRIu64 " and %" PRIu64, tar,
                           a->name, a->header < b->header ? a->header : b->header,
                           a->header < b->header ? b->header : a->header);
    }
    return ZF_OK;
}

enum zf_status zf_shard_entries_read(struct zf_tar_source source,
                                     const struct zf_shard_watch *watch,
                                     struct zf_shard_entries *entries, struct zf_error *err)
{
    enum zf_status status;
    struct walk *walk = zf_alloc(1, sizeof *walk);
    size_t empty;

    if (!walk)
        return zf_no_memory(err, "the entries of %s", source.name);
    walk->entries = entries;
    walk->watch = watch;
    ZF_TRY(add_text(entries, "", &empty, source.name, err)); /* at 0, for whatever has no name */
    zf_tar_begin(&walk->tar, source, 0, source.size);
    ZF_TRY(walk_tar(walk, err));
    ZF_TRY(sort(entries, source.name, err));
fail:
    zf_free(walk);
    return status;
}

void zf_shard_entries_release(struct zf_shard_entries *entries)
{
    zf_free(entries->items);
    zf_free(entries->text.bytes);
    *entries = (struct zf_shard_entries){0};
}
