/* SPDX-License-Identifier: MIT */
/*
 * The pictures that are looked at, in memory: uploads, under a number that was drawn, and those of
 * the data set that somebody has opened. Forgotten by age, number and bytes, the longest unused
 * first. Used by the worker alone, but for zf_sight_read().
 */
#ifndef ZF_SERVE_SIGHTS_H
#define ZF_SERVE_SIGHTS_H

#include "serve/request.h"
#include "zf/data.h"
#include "zf/image.h"
#include "zf/net.h"

#define ZF_MOST_SIGHTS 48
#define ZF_MOST_SIGHT_BYTES (INT64_C(256) << 20)
#define ZF_SIGHT_AGE_S 3600.0
#define ZF_MOST_PICTURE_BYTES (INT64_C(64) << 20) /* of an upload */

struct zf_sight {
    char id[20];              /* of an upload; of the data set "" */
    int64_t sample;           /* index in the data set; -1 = an upload */
    uint64_t serial;          /* never given twice */
    struct zf_picture square; /* that crops are taken from; empty for inputs made elsewhere */
    struct zf_picture shown;  /* what the net sees, as a person sees it */
    struct zf_tensor input;   /* [1, c, h, w], prepared */
    float *answer;            /* NULL, or [classes]: once it has been asked for */
    uint8_t *bytes;           /* the upload itself; NULL for the data set's */
    size_t size;
    const char *name; /* of an upload: its kind by its ending; static */
    double used_s;
};

struct zf_sights {
    const struct zf_net *net;
    const struct zf_data *data; /* NULL = none */
    struct zf_sight *items[ZF_MOST_SIGHTS];
    size_t count;
    uint64_t serial;
};

void zf_sights_init(struct zf_sights *sights, const struct zf_net *net, const struct zf_data *data);
void zf_sights_release(struct zf_sights *sights);

/**
 * Decode an upload and prepare it. From any thread.
 * bytes  taken over, also after a failure
 * out    handed over: to zf_sights_add(), or free with zf_sight_free()
 * A .npy or .npz file is an input that was prepared elsewhere, or a picture's levels.
 * ZF_EINPUT for what is none of these, or too large.
 */
enum zf_status zf_sight_read(const struct zf_net *net, uint8_t *bytes, size_t size,
                             struct zf_sight **out, struct zf_error *err);
void zf_sight_free(struct zf_sight **sight);

/** Take a picture in; gives it an id. ZF_EIO. */
enum zf_status zf_sights_add(struct zf_sights *sights, struct zf_sight *sight,
                             struct zf_error *err);

/**
 * The picture that a request names by `picture` or, as a sample of the data set, by `data`; lent
 * until the next call of these. ZF_EINPUT where it is not there any more.
 */
enum zf_status zf_sights_find(struct zf_sights *sights, const struct zf_request *request,
                              struct zf_sight **out, struct zf_error *err);

/** Forget what is old; for idle times. */
void zf_sights_forget(struct zf_sights *sights);

#endif
