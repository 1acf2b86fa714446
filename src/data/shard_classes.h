/* SPDX-License-Identifier: MIT */
/* Which class each sample of several tars is of. */
#ifndef ZF_DATA_SHARD_CLASSES_H
#define ZF_DATA_SHARD_CLASSES_H

#include "data/notes.h"
#include "data/shard.h"

/* All samples: those of each tar, and the tars' paths. */
struct zf_shard_set {
    const char *name; /* of the data set */
    const struct zf_shard *shards;
    char *const *paths;
    size_t count;
};

/* Where classes are taken from, the same for all samples. */
enum zf_class_source {
    ZF_CLASS_NOWHERE, /* no sample has one */
    ZF_CLASS_NUMBER,
    ZF_CLASS_NAME, /* as it stands beside the picture, or the tar's within the tar */
    ZF_CLASS_FOLDER,
    ZF_CLASS_TAR, /* the tar is called as the class: n01440764.tar */
};

struct zf_shard_classes {
    enum zf_class_source source;
    size_t folder;  /* bytes of a sample's name before the folder that is its class */
    uint32_t count; /* of numbers: the largest, and 1 */
    char **names;   /* [count] of numbers, where they have names */
    char buffer[ZF_TAR_PATH];
};

/**
 * Look at all samples. Release in any case.
 *
 * classes_file  a file of names, one a line, that may be there; for numbers
 *
 * ZF_EINPUT when some have a class and some have none, when some have a number and some a name,
 * when names and numbers contradict each other; always with an example. ZF_ENOMEM.
 */
enum zf_status zf_shard_classes_find(const struct zf_shard_set *set, const char *classes_file,
                                     struct zf_shard_classes *classes, struct zf_notes *notes,
                                     struct zf_error *err);
void zf_shard_classes_release(struct zf_shard_classes *classes);

/**
 * What a sample's class is sorted by: its name, or of a number seven digits. Lent until the next
 * call.
 */
const char *zf_shard_class_of(struct zf_shard_classes *classes, const struct zf_shard_set *set,
                              size_t shard, uint64_t sample);

#endif
