/* SPDX-License-Identifier: MIT */
/* Collects (path, class) pairs in any order and gives a data set its samples and classes. */
#ifndef ZF_DATA_LISTING_H
#define ZF_DATA_LISTING_H

#include "base/file.h"
#include "data/data.h"

/* Text that grows: strings with their NUL, one after the other. */
struct zf_text {
    char *bytes;
    size_t size, capacity;
};

/* *at is where the string begins. False when memory is short. */
bool zf_text_add(struct zf_text *text, const char *string, size_t *at);

struct zf_listing {
    struct zf_text paths, classes;
    struct zf_listing_item {
        size_t path, class; /* offsets in the texts; of a class alone, the path is empty */
        size_t key;         /* where in the path what it is sorted by begins */
    } * items;
    size_t count, capacity;
};

/* ZF_ENOMEM is the only failure of these three. */
enum zf_status zf_listing_add(struct zf_listing *listing, const char *path, const char *class,
                              struct zf_error *err);

/* The same of one that is sorted by its path from `key` on, and then by all of it. */
enum zf_status zf_listing_add_keyed(struct zf_listing *listing, const char *path, size_t key,
                                    const char *class, struct zf_error *err);

/* A class that may have no sample. */
enum zf_status zf_listing_add_class(struct zf_listing *listing, const char *class,
                                    struct zf_error *err);

/**
 * Sort by class, then path, both bytewise, and fill in the data set's count, classes, labels and
 * paths. The listing is empty afterwards, whatever happens.
 *
 * order  NULL, or for each sample which of those added it is, counted from 0; handed over
 */
enum zf_status zf_listing_finish(struct zf_listing *listing, struct zf_data *data, size_t **order,
                                 struct zf_error *err);
void zf_listing_release(struct zf_listing *listing);

/**
 * Fill a data set in from the bytes of a list.tsv; data->name is set and names it in errors. What
 * was filled in is freed with the data set, also after a failure. ZF_EINPUT with the line.
 */
enum zf_status zf_list_parse(const struct zf_bytes *file, struct zf_data *data,
                             struct zf_error *err);

#endif
