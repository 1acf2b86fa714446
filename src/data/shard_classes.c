/* SPDX-License-Identifier: MIT */
#include "data/shard_classes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/files.h"

#define KINDS (ZF_SHARD_ARCHIVE + 1)
#define MAX_NAMES_BYTES ((size_t)16 << 20)

/* How many samples say their class in which way, and the first of each. */
struct survey {
    uint64_t counts[KINDS], all, captions;
    struct {
        size_t shard;
        uint64_t sample;
    } first[KINDS];
    uint32_t largest;
};

static const struct zf_shard_sample *sample_of(const struct zf_shard_set *set, size_t shard,
                                               uint64_t i)
{
    return &set->shards[shard].samples[i];
}

static const char *name_of(const struct zf_shard_set *set, size_t shard, uint64_t i)
{
    return set->shards[shard].text + sample_of(set, shard, i)->name;
}

static const char *label_of(const struct zf_shard_set *set, size_t shard, uint64_t i)
{
    return set->shards[shard].text + sample_of(set, shard, i)->label;
}

static void look_at_all(const struct zf_shard_set *set, struct survey *survey)
{
    for (size_t s = 0; s < set->count; s++) {
        for (uint64_t i = 0; i < set->shards[s].count; i++) {
            const struct zf_shard_sample *sample = sample_of(set, s, i);

            if (survey->counts[sample->kind]++ == 0) {
                survey->first[sample->kind].shard = s;
                survey->first[sample->kind].sample = i;
            }
            survey->all++;
            survey->captions += sample->kind == ZF_SHARD_TEXT && label_of(set, s, i)[0] == '\0';
            if (sample->kind == ZF_SHARD_NUMBER && sample->number > survey->largest)
                survey->largest = sample->number;
        }
    }
}

/* Of two samples that do not go together, one each. */
static enum zf_status refuse(const struct zf_shard_set *set, const struct survey *survey,
                             enum zf_shard_label one, const char *has, enum zf_shard_label other,
                             const char * not, struct zf_error *err)
{
    const size_t a = survey->first[one].shard, b = survey->first[other].shard;
    const uint64_t i = survey->first[one].sample, j = survey->first[other].sample;

    return zf_fail(err, ZF_EINPUT,
                   "%s at offset %" PRIu64 ": \"%.200s\" %s, where \"%.200s\" in %s %s",
                   set->paths[b], sample_of(set, b, j)->offset - ZF_TAR_BLOCK, name_of(set, b, j),
                   not, name_of(set, a, i), set->paths[a], has);
}

static enum zf_status choose_source(const struct zf_shard_set *set, const struct survey *survey,
                                    enum zf_shard_label *source, struct zf_error *err)
{
    static const enum zf_shard_label order[] = {ZF_SHARD_NUMBER, ZF_SHARD_NAME, ZF_SHARD_ARCHIVE,
                                                ZF_SHARD_TEXT};

    *source = ZF_SHARD_NONE;
    if (survey->counts[ZF_SHARD_NUMBER] && survey->counts[ZF_SHARD_NAME])
        return refuse(set, survey, ZF_SHARD_NUMBER, "has its number", ZF_SHARD_NAME,
                      "has its class's name", err);
    for (size_t k = 0; k < ZF_COUNT(order); k++) {
        const enum zf_shard_label kind = order[k];

        if (survey->counts[kind] == 0 || (kind == ZF_SHARD_TEXT && survey->captions > 0))
            continue;
        *source = kind;
        for (int other = 0; other < KINDS; other++) {
            if (other != (int)kind && survey->counts[other] > 0)
                return refuse(set, survey, kind, "has one", (enum zf_shard_label)other,
                              "has no class beside it in its shard", err);
        }
        return ZF_OK;
    }
    return ZF_OK;
}

/* ---- Names of numbers ---- */

static enum zf_status set_name(struct zf_shard_classes *classes, uint32_t number, const char *name,
                               size_t length, const char *from, struct zf_error *err)
{
    char **at = &classes->names[number];

    if (*at && (strlen(*at) != length || memcmp(*at, name, length) != 0))
        return zf_fail(err, ZF_EINPUT, "%s: class %" PRIu32 " is \"%.200s\" and \"%.*s\"", from,
                       number, *at, (int)length, name);
    if (!*at && !(*at = zf_format("%.*s", (int)length, name)))
        return zf_no_memory(err, "the names of classes");
    return ZF_OK;
}

/* One a line; what is behind the numbers that occur are classes without pictures. */
static enum zf_status read_names(const char *path, struct zf_shard_classes *classes,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};
    const char *at, *end;
    uint32_t lines = 0;

    ZF_TRY(zf_bytes_map(&file, path, MAX_NAMES_BYTES, err));
    at = (const char *)file.data;
    end = at + file.size;
    while (end > at && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    for (const char *p = at; p < end; p++)
        lines += *p == '\n';
    lines += end > at;
    if (lines < classes->count || lines > ZF_SHARD_MAX_CLASSES)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s names %" PRIu32 " classes, and the largest number in "
                         "the shards is %" PRIu32,
                         path, lines, classes->count - 1));
    classes->names = zf_alloc(lines, sizeof *classes->names);
    if (!classes->names)
        ZF_LEAVE(zf_no_memory(err, "the %" PRIu32 " classes of %s", lines, path));
    classes->count = lines;
    for (uint32_t k = 0; k < lines; k++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - at);

        length -= length > 0 && at[length - 1] == '\r';
        if (length == 0 || length >= ZF_SHARD_NAME_BYTES || memchr(at, '\0', length))
            ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s:%" PRIu32 ": no name of a class", path, k + 1));
        ZF_TRY(set_name(classes, k, at, length, path, err));
        at = stop + 1;
    }
fail:
    zf_bytes_release(&file);
    return status;
}

/* From the files of the samples; numbers that none of them names stay numbers. */
static enum zf_status collect_names(const struct zf_shard_set *set,
                                    struct zf_shard_classes *classes, struct zf_error *err)
{
    classes->names = zf_alloc(classes->count, sizeof *classes->names);
    if (!classes->names)
        return zf_no_memory(err, "%" PRIu32 " classes", classes->count);
    for (size_t s = 0; s < set->count; s++) {
        for (uint64_t i = 0; i < set->shards[s].count; i++) {
            const char *name = label_of(set, s, i);

            if (name[0])
                ZF_CHECK(set_name(classes, sample_of(set, s, i)->number, name, strlen(name),
                                  set->paths[s], err));
        }
    }
    for (uint32_t k = 0; k < classes->count; k++) {
        char number[16];
        const int length = snprintf(number, sizeof number, "%" PRIu32, k);

        if (!classes->names[k])
            ZF_CHECK(set_name(classes, k, number, (size_t)length, set->name, err));
    }
    return ZF_OK;
}

/* ---- Folders ---- */

static size_t folder_length(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? (size_t)(slash - name) + 1 : 0;
}

/* "n01440764.tar": a class, rather than a part of many. */
static bool is_class_tar(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    return name[0] == 'n' && strspn(name + 1, "0123456789") == 8 && strcmp(name + 9, ".tar") == 0;
}

/* The folders that all samples lie in, such as "train/", are none of the classes, unless one of the
   samples lies in these directly. */
static enum zf_status look_at_folders(const struct zf_shard_set *set,
                                      struct zf_shard_classes *classes, struct zf_error *err)
{
    const char *common = NULL, *bare = NULL, *deep = NULL;
    size_t length = 0, least = SIZE_MAX, tars = 0;

    for (size_t s = 0; s < set->count; s++) {
        tars += is_class_tar(set->paths[s]);
        for (uint64_t i = 0; i < set->shards[s].count; i++) {
            const char *name = name_of(set, s, i);
            const size_t folders = folder_length(name);

            if (folders == 0)
                bare = name;
            else
                deep = name;
            length = common ? length : folders;
            common = common ? common : name;
            while (length > 0 && (folders < length || strncmp(common, name, length) != 0))
                for (length--; length > 0 && common[length - 1] != '/';)
                    length--;
            least = folders < least ? folders : least;
        }
    }
    if (bare && deep)
        return zf_fail(err, ZF_EINPUT,
                       "%s: \"%.200s\" lies in a folder, its class, and \"%.200s\" in none",
                       set->name, deep, bare);
    if (!deep) {
        classes->source = tars == set->count ? ZF_CLASS_TAR : ZF_CLASS_NOWHERE;
        return ZF_OK;
    }
    if (length == least) /* some lie in there directly: it is a class itself */
        for (length--; length > 0 && common[length - 1] != '/';)
            length--;
    classes->source = ZF_CLASS_FOLDER;
    classes->folder = length;
    return ZF_OK;
}

/* ---- All ---- */

enum zf_status zf_shard_classes_find(const struct zf_shard_set *set, const char *classes_file,
                                     struct zf_shard_classes *classes, struct zf_notes *notes,
                                     struct zf_error *err)
{
    struct survey survey = {0};
    enum zf_shard_label source;

    look_at_all(set, &survey);
    ZF_CHECK(choose_source(set, &survey, &source, err));
    if (source == ZF_SHARD_NONE && survey.captions > 0 &&
        !zf_notes_add(notes, "the .txt of %.300s are captions and not classes", set->name))
        return zf_no_memory(err, "the notes on %s", set->name);
    if (source == ZF_SHARD_NONE)
        return look_at_folders(set, classes, err);
    classes->source = source == ZF_SHARD_NUMBER ? ZF_CLASS_NUMBER : ZF_CLASS_NAME;
    if (source != ZF_SHARD_NUMBER)
        return ZF_OK;
    classes->count = survey.largest + 1;
    return classes_file ? read_names(classes_file, classes, err) : collect_names(set, classes, err);
}

void zf_shard_classes_release(struct zf_shard_classes *classes)
{
    for (uint32_t k = 0; classes->names && k < classes->count; k++)
        zf_free(classes->names[k]);
    zf_free(classes->names);
    classes->names = NULL;
}

const char *zf_shard_class_of(struct zf_shard_classes *classes, const struct zf_shard_set *set,
                              size_t shard, uint64_t i)
{
    const char *name = name_of(set, shard, i) + classes->folder, *slash;

    switch (classes->source) {
    case ZF_CLASS_NOWHERE:
        return "pictures";
    case ZF_CLASS_NUMBER:
        snprintf(classes->buffer, sizeof classes->buffer, "%07" PRIu32,
                 sample_of(set, shard, i)->number);
        return classes->buffer;
    case ZF_CLASS_NAME:
        return label_of(set, shard, i);
    case ZF_CLASS_FOLDER:
        snprintf(classes->buffer, sizeof classes->buffer, "%.*s", (int)strcspn(name, "/"), name);
        return classes->buffer;
    case ZF_CLASS_TAR:
        slash = strrchr(set->paths[shard], '/');
        snprintf(classes->buffer, sizeof classes->buffer, "%.9s",
                 slash ? slash + 1 : set->paths[shard]);
        return classes->buffer;
    }
    return "";
}
