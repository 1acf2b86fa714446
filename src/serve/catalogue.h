/* SPDX-License-Identifier: MIT */
/*
 * What every map of the layers with weights answers to, over the data set: a pass in the
 * background, a batch at a time, which can be asked while it goes on. Kept beside the model, and
 * valid for the same parameters and the same list of pictures alone. Thread-safe.
 */
#ifndef ZF_SERVE_CATALOGUE_H
#define ZF_SERVE_CATALOGUE_H

#include <pthread.h>

#include "look/look.h"
#include "page/json.h"
#include "zf/data.h"
#include "zf/plan.h"

#define ZF_CATALOGUE_BINS 40
#define ZF_CATALOGUE_LENGTH 27 /* pictures a map: three pages of nine */

/* Of a map's strongest cell, over the pictures. */
struct zf_catalogue_map {
    double sum, squares;
    int64_t pictures, active; /* active: above zero */
    double width; /* of a bin; doubled where a value does not fit; 0 = none is above 0 */
    uint32_t bins[ZF_CATALOGUE_BINS]; /* of those above zero */
};

struct zf_catalogue {
    const struct zf_net *net;
    const struct zf_data *data; /* NULL = there is none, and nothing else */
    struct zf_compute compute;
    char *path; /* of the file; NULL = none is kept */
    uint64_t key;
    pthread_mutex_t lock;
    struct zf_top *top;             /* its lists, as long as ZF_CATALOGUE_LENGTH; under the lock, */
    struct zf_catalogue_map **maps; /* [layers of top][maps], */
    int64_t done;                   /* samples that were looked at, as is this */
    struct zf_plan *plan;           /* of the thread that looks, as are these */
    struct zf_loader *loader;
    float *strongest;
    int32_t *where;
    int64_t saved; /* of `done`, on disk */
    double saved_s;
    bool failed;
};

/**
 * data  NULL: no catalogue, which is asked and released all the same
 * model path that the net was loaded from; the file is beside it
 * Reads the file where there is one that fits. ZF_ENOMEM, ZF_EUNSUPPORTED.
 */
enum zf_status zf_catalogue_init(struct zf_catalogue *catalogue, const struct zf_net *net,
                                 const struct zf_data *data, const char *model,
                                 const struct zf_compute *compute, struct zf_error *err);
void zf_catalogue_release(struct zf_catalogue *catalogue);

/** Look at one more batch; false where there is none. By one thread. */
bool zf_catalogue_step(struct zf_catalogue *catalogue);

/** Keep what there is on disk, where it has changed. By that thread, or after its end. */
void zf_catalogue_save(struct zf_catalogue *catalogue);

/* ---- Questions. ---- */

/** Index in top->layers of the layer that computes a map of `layer`, and its number there; -1 =
 *  none. */
int zf_catalogue_find(const struct zf_catalogue *catalogue, int layer, int64_t *map);

/** "done", "images", and "layers" that are looked at. */
void zf_catalogue_progress(struct zf_catalogue *catalogue, struct zf_json *json);

/** "mean" and "deviation" of each map's strongest cell. */
void zf_catalogue_layer_numbers(struct zf_catalogue *catalogue, int at, struct zf_json *json);

/** All about one map. */
void zf_catalogue_map_numbers(struct zf_catalogue *catalogue, int at, int64_t map,
                              struct zf_json *json);

/** The strongest pictures of a map, `most` at most; returns how many there are. */
size_t zf_catalogue_strongest(struct zf_catalogue *catalogue, int at, int64_t map,
                              struct zf_top_entry *entries, size_t most);

/* ---- The file (catalogue_file.c), with the lock held. ---- */

enum zf_status zf_catalogue_read(struct zf_catalogue *catalogue, struct zf_error *err);
enum zf_status zf_catalogue_write(struct zf_catalogue *catalogue, struct zf_error *err);

#endif
