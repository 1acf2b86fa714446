/* SPDX-License-Identifier: MIT */
/**
 * Inside of a data set. A kind (folder, list, packed, parts, shards, synth) is one file with one
 * const zf_data_kind at its bottom, named once in the table of open.c. Opening fills the struct
 * below; everything public in zf/data.h reads from it.
 */
#ifndef ZF_DATA_DATA_H
#define ZF_DATA_DATA_H

#include <sys/stat.h>

#include "zf/data.h"
#include "data/notes.h"
#include "image/oddity.h"

struct zf_data_kind;
struct zf_cache;

struct zf_data {
    const struct zf_data_kind *kind;
    char *name;
    int64_t count, class_count;
    char **classes;           /* [class_count] */
    int32_t *labels;          /* [count] */
    const uint64_t *path_at;  /* [count]: where in `paths` the sample's path begins */
    const char *paths;        /* NUL-terminated strings, one after the other */
    uint64_t *owned_path_at;  /* NULL where `path_at` belongs to the kind's state */
    char *owned_paths;        /* likewise */
    struct zf_geometry fixed; /* the only squares there are; height 0 = any can be made */
    void *state;              /* of the kind; released by its close() */
    struct zf_notes notes;    /* what to know of it, although it can be used */
    const char *caveat;       /* NULL, or why a check cannot find every damage; static */
    struct zf_cache *cache;
    const struct zf_monitor *monitor; /* while it is opened; may be NULL */
};

struct zf_data_kind {
    const char *name; /* as it stands in help and errors */
    const char *form; /* what a name of this kind looks like */

    /* info  of the file or folder of this name; NULL when there is none */
    bool (*matches)(const char *name, const struct stat *info);

    /* data->name is set, everything else is empty; what was filled in is freed after a failure. */
    enum zf_status (*open)(struct zf_data *data, struct zf_error *err);

    /* Makes sample i's square; thread-safe. *square is untouched on failure. `odd` is NULL, or
       empty and says what is unusual about the sample. */
    enum zf_status (*square)(const struct zf_data *data, int64_t i, struct zf_geometry geometry,
                             struct zf_picture *square, struct zf_oddity *odd,
                             struct zf_error *err);

    /* Whether these are the pixels that sample i's square once had; thread-safe. NULL = nobody
       knows better than square(). */
    enum zf_status (*verify)(const struct zf_data *data, int64_t i, const uint8_t *pixels,
                             struct zf_error *err);

    void (*close)(struct zf_data *data); /* NULL = no state; accepts a state of NULL */
};

extern const struct zf_data_kind zf_data_folder;
extern const struct zf_data_kind zf_data_list;
extern const struct zf_data_kind zf_data_packed;
extern const struct zf_data_kind zf_data_parts;
extern const struct zf_data_kind zf_data_shards;
extern const struct zf_data_kind zf_data_synth;

/* The square() of kinds whose paths are picture files. */
enum zf_status zf_data_square_of_file(const struct zf_data *data, int64_t i,
                                      struct zf_geometry geometry, struct zf_picture *square,
                                      struct zf_oddity *odd, struct zf_error *err);

/* Let the cache keep squares of this geometry, where that saves decoding them again. */
void zf_data_cache(const struct zf_data *data, struct zf_geometry geometry);

/* Bytes of such a square. */
size_t zf_square_bytes(struct zf_geometry geometry);

/**
 * The square of sample i into `pixels`, room for zf_square_bytes(), from the cache where it is
 * there. Thread-safe. This is what loops over a data set use. odd: NULL, or says what is unusual
 * about the sample, if anything is; the cache does not know.
 */
enum zf_status zf_data_pixels(const struct zf_data *data, int64_t i, struct zf_geometry geometry,
                              uint8_t *pixels, struct zf_oddity *odd, struct zf_error *err);

/* ZF_EINPUT, with the way out, when such squares cannot come from this data set at all. */
enum zf_status zf_data_accepts(const struct zf_data *data, struct zf_geometry geometry,
                               struct zf_error *err);

/* Whether sample i is a file of numbers that are the net's input as they are, rather than a
   picture's levels. ZF_EINPUT for one that cannot be read. */
enum zf_status zf_data_is_input(const struct zf_data *data, int64_t i, const struct zf_net *net,
                                bool *input, struct zf_error *err);

/* ZF_EINPUT for pictures where the net takes other channels than they have. */
enum zf_status zf_data_suits(const struct zf_data *data, const struct zf_net *net,
                             struct zf_error *err);

/* The picture itself cannot be used, as opposed to a failure of the machine around it. */
bool zf_data_is_bad_sample(enum zf_status status);

/* ZF_EINPUT: all of these visits were in vain. reason: of the first; NULL = not known */
enum zf_status zf_data_none_good(const struct zf_data *data, int64_t visits, const char *reason,
                                 struct zf_error *err);

#endif
