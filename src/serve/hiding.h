/* SPDX-License-Identifier: MIT */
/*
 * What a square hides: one that a hand drags, answered at once; and whole maps of places, coarse
 * first, a little at a time while nobody asks for anything else. Used by the worker alone.
 */
#ifndef ZF_SERVE_HIDING_H
#define ZF_SERVE_HIDING_H

#include "experiments/occlude/occlude.h"
#include "look/cover.h"
#include "serve/sights.h"

/* How it is hidden, and whose activation is followed beside the answer. */
struct zf_hidden_as {
    bool coloured;
    float colour[3]; /* red, green, blue, 0..255; else the mean */
    int layer;
};

/* A cover, and what it is for. */
struct zf_veil {
    struct zf_cover cover;
    bool made;
    struct zf_hidden_as as;
    int64_t side;    /* px of the largest box that it has room for */
    float colour[3]; /* that the cover has borrowed */
    uint64_t serial; /* of the picture that it has; 0 = none */
};

/* A map of places, growing. */
struct zf_growing {
    uint64_t serial; /* of the picture; 0 = an empty place */
    struct zf_tensor input;
    struct zf_occlusions grid; /* places alone; no images */
    struct zf_hidden_as as;
    int64_t target, map;
    int64_t *order; /* [cells]: coarse first */
    int64_t done, cells;
    float *probability; /* [cells]; NaN where it is not known yet, as are these: */
    float *activation;  /* sum over the map */
    int32_t *class_map; /* -1 */
    struct zf_veil veil;
    double asked_s; /* when somebody last wanted it */
    struct zf_error failed;
};

#define ZF_MOST_GROWING 4

struct zf_hiding {
    const struct zf_net *net;
    struct zf_compute compute;
    struct zf_veil hand;
    struct zf_growing maps[ZF_MOST_GROWING];
};

void zf_hiding_init(struct zf_hiding *hiding, const struct zf_net *net,
                    const struct zf_compute *compute);
void zf_hiding_release(struct zf_hiding *hiding);

/**
 * Hide one box of a picture.
 * values  [classes], written
 * sum     NULL, or set to the sum over map `map` of as->layer
 */
enum zf_status zf_hiding_box(struct zf_hiding *hiding, const struct zf_sight *sight,
                             const struct zf_hidden_as *as, struct zf_box box, int64_t map,
                             float *values, float *sum, struct zf_error *err);

/* What a map of places is of. */
struct zf_growing_ask {
    struct zf_occlude_options options; /* size, stride and layer of it */
    struct zf_hidden_as as;
    int64_t target, map;
};

/** The map, as far as it has grown; begun where it is not there. Lent until the next call. */
enum zf_status zf_hiding_grow(struct zf_hiding *hiding, const struct zf_sight *sight,
                              const struct zf_growing_ask *ask, struct zf_growing **out,
                              struct zf_error *err);

/** Nobody wants it any more. */
void zf_hiding_stop(struct zf_growing *map);

/** A little of what grows and is wanted; false where there is nothing to do. */
bool zf_hiding_step(struct zf_hiding *hiding);

#endif
