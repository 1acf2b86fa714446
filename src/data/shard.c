/* SPDX-License-Identifier: MIT */
#include "data/shard.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

/* The files of labels that a picture may have. */
struct beside {
    struct zf_shard_entry *cls, *json, *txt;
};

struct maker {
    const char *tar;
    struct zf_shard_entries *entries;
    struct zf_text text;
    struct zf_shard_sample *samples;
    uint64_t count, unused;
    char key[2 * ZF_TAR_PATH + 8];
};

/* Bytes of a name before its ending: before the last dot of its last part, or before the first. */
static size_t stem_of(const char *name, bool first)
{
    const char *slash = strrchr(name, '/'), *part = slash ? slash + 1 : name, *dot;

    dot = part[0] == '\0' ? NULL : first ? strchr(part + 1, '.') : strrchr(part + 1, '.');
    return dot ? (size_t)(dot - name) : strlen(name);
}

static struct zf_shard_entry *find(struct maker *maker, const char *name, size_t stem,
                                   const char *ending)
{
    struct zf_shard_entry *items = maker->entries->items;
    size_t low = 0, high = maker->entries->count;

    memcpy(maker->key, name, stem);
    memcpy(maker->key + stem, ending, strlen(ending) + 1);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(items[middle].name, maker->key);

        if (order == 0)
            return &items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool look_beside(struct maker *maker, const char *name, size_t stem, struct beside *beside)
{
    beside->cls = find(maker, name, stem, ".cls");
    beside->json = find(maker, name, stem, ".json");
    beside->txt = find(maker, name, stem, ".txt");
    return beside->cls || beside->json || beside->txt;
}

/* *part: the label is that of another picture, which this one, "a.mask.png" beside "a.jpg", goes
   with. */
static enum zf_status take(struct maker *maker, int64_t picture, struct zf_shard_entry *label,
                           bool by_first_dot, bool *part, struct zf_error *err)
{
    const struct zf_shard_entry *items = maker->entries->items;

    if (!label)
        return ZF_OK;
    if (label->taken < 0) {
        label->taken = picture;
        return ZF_OK;
    }
    *part = by_first_dot &&
            stem_of(items[label->taken].name, true) == stem_of(items[label->taken].name, false);
    if (!*part)
        return zf_fail(err, ZF_EINPUT,
                       "%s: \"%.200s\" (offset %" PRIu64 ") and \"%.200s\" (offset %" PRIu64
                       ") are two pictures of one sample",
                       maker->tar, items[label->taken].name, items[label->taken].header,
                       items[picture].name, items[picture].header);
    return ZF_OK;
}

static bool keep_text(struct maker *maker, const char *string, uint32_t *at)
{
    size_t where;

    if (!zf_text_add(&maker->text, string, &where))
        return false;
    *at = (uint32_t)where;
    return true;
}

/* Neighbours often have the same: it is then stored once. */
static bool keep_label(struct maker *maker, const char *label, uint32_t *at)
{
    const struct zf_shard_sample *before =
        maker->count > 0 ? &maker->samples[maker->count - 1] : NULL;

    *at = before ? before->label : 0;
    return strcmp(maker->text.bytes + *at, label) == 0 || keep_text(maker, label, at);
}

/* .cls before .json before .txt; a number's name may stand in the .json. */
static enum zf_status add_sample(struct maker *maker, const struct zf_shard_entry *picture,
                                 const struct beside *beside, struct zf_error *err)
{
    const struct zf_shard_entry *from = picture;
    struct zf_shard_sample *sample = &maker->samples[maker->count];

    if (beside->cls)
        from = beside->cls;
    else if (beside->json && beside->json->kind != ZF_SHARD_NONE)
        from = beside->json;
    else if (beside->txt)
        from = beside->txt;
    if (from == beside->cls && beside->json && from->kind == ZF_SHARD_NUMBER &&
        beside->json->kind == ZF_SHARD_NUMBER && beside->json->number == from->number)
        from = beside->json;
    *sample = (struct zf_shard_sample){
        .offset = picture->header + ZF_TAR_BLOCK,
        .size = picture->size < UINT32_MAX ? (uint32_t)picture->size : UINT32_MAX,
        .crc = picture->crc,
        .kind = from->kind,
        .number = from->number,
    };
    if (!keep_text(maker, picture->name, &sample->name) ||
        !keep_label(maker, maker->entries->text.bytes + from->label_at, &sample->label))
        return zf_no_memory(err, "the samples of %s", maker->tar);
    maker->count++;
    return ZF_OK;
}

/* Labels at a picture's whole stem are its own, so these are given first. */
static enum zf_status give_own(struct maker *maker, struct zf_error *err)
{
    struct beside beside;
    bool part = false;

    for (size_t k = 0; k < maker->entries->count; k++) {
        const struct zf_shard_entry *entry = &maker->entries->items[k];

        if (entry->role != ZF_SHARD_PICTURE ||
            !look_beside(maker, entry->name, stem_of(entry->name, false), &beside))
            continue;
        ZF_CHECK(take(maker, (int64_t)k, beside.cls, false, &part, err));
        ZF_CHECK(take(maker, (int64_t)k, beside.json, false, &part, err));
        ZF_CHECK(take(maker, (int64_t)k, beside.txt, false, &part, err));
    }
    return ZF_OK;
}

static enum zf_status make_samples(struct maker *maker, struct zf_error *err)
{
    for (size_t k = 0; k < maker->entries->count; k++) {
        const struct zf_shard_entry *entry = &maker->entries->items[k];
        const size_t last = stem_of(entry->name, false), first = stem_of(entry->name, true);
        struct beside beside = {0};
        bool part = false;

        if (entry->role != ZF_SHARD_PICTURE)
            continue;
        if (!look_beside(maker, entry->name, last, &beside) && first != last &&
            look_beside(maker, entry->name, first, &beside)) {
            ZF_CHECK(take(maker, (int64_t)k, beside.cls, true, &part, err));
            if (!part)
                ZF_CHECK(take(maker, (int64_t)k, beside.json, true, &part, err));
            if (!part)
                ZF_CHECK(take(maker, (int64_t)k, beside.txt, true, &part, err));
        }
        if (!part)
            ZF_CHECK(add_sample(maker, entry, &beside, err));
        else if (maker->unused++ == 0)
            maker->entries->unused_at = entry->name_at;
    }
    return ZF_OK;
}

/* A class whose picture is not there: of a sample that was cut in two, the other half. */
static enum zf_status refuse_halves(const struct maker *maker, struct zf_error *err)
{
    for (size_t k = 0; k < maker->entries->count; k++) {
        const struct zf_shard_entry *entry = &maker->entries->items[k];

        if (entry->role == ZF_SHARD_CLS && entry->taken < 0 && maker->entries->unused == 0)
            return zf_fail(err, ZF_EINPUT,
                           "%s at offset %" PRIu64 ": \"%.200s\" has no picture; all files of a "
                           "sample must lie in one shard",
                           maker->tar, entry->header, entry->name);
    }
    return ZF_OK;
}

enum zf_status zf_shard_read(struct zf_tar_source source, const struct zf_shard_watch *watch,
                             struct zf_shard *shard, struct zf_error *err)
{
    enum zf_status status;
    struct zf_shard_entries entries = {0};
    struct maker *maker = zf_alloc(1, sizeof *maker);
    uint32_t example = 0;

    if (!maker)
        return zf_no_memory(err, "the samples of %s", source.name);
    maker->tar = source.name;
    maker->entries = &entries;
    ZF_TRY(zf_shard_entries_read(source, watch, &entries, err));
    maker->samples = zf_alloc_raw(entries.count, sizeof *maker->samples);
    if (!maker->samples || !keep_text(maker, "", &example))
        ZF_LEAVE(zf_no_memory(err, "the samples of %s", source.name));
    ZF_TRY(give_own(maker, err));
    ZF_TRY(make_samples(maker, err));
    ZF_TRY(refuse_halves(maker, err));
    if (!keep_text(maker, entries.text.bytes + entries.unused_at, &example))
        ZF_LEAVE(zf_no_memory(err, "the samples of %s", source.name));
    *shard = (struct zf_shard){
        .samples = maker->samples,
        .text = maker->text.bytes,
        .count = maker->count,
        .text_bytes = maker->text.size,
        .unused = entries.unused + maker->unused,
        .unused_example = example,
        .owned_samples = maker->samples,
        .owned_text = maker->text.bytes,
    };
    maker->samples = NULL;
    maker->text.bytes = NULL;
fail:
    zf_free(maker->samples);
    zf_free(maker->text.bytes);
    zf_free(maker);
    zf_shard_entries_release(&entries);
    return status;
}

void zf_shard_release(struct zf_shard *shard)
{
    zf_free(shard->owned_samples);
    zf_free(shard->owned_text);
    zf_bytes_release(&shard->file);
    *shard = (struct zf_shard){0};
}

int64_t zf_shard_find(const struct zf_shard *shard, const char *name)
{
    uint64_t low = 0, high = shard->count;

    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        const int order = strcmp(shard->text + shard->samples[middle].name, name);

        if (order == 0)
            return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}
