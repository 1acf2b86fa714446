/* SPDX-License-Identifier: MIT */
/* Invariance: the measurement (measure.c) and the document (page.c). */
#ifndef ZF_EXPERIMENTS_INVARIANCE_H
#define ZF_EXPERIMENTS_INVARIANCE_H

#include "experiments/table.h"

/* ---- measure.c ---- */

enum zf_motion { ZF_MOTION_TRANSLATION, ZF_MOTION_SCALE, ZF_MOTION_ROTATION, ZF_MOTIONS };

struct zf_invariance_options {
    const int *layers; /* lent; NULL = the last layer before the second convolution, and the last
                          hidden one */
    size_t layer_count;
    const int64_t *classes; /* NULL, or of each picture the class to follow; -1 = most probable */
    struct zf_compute compute;
};

/* One picture under one motion. */
struct zf_invariance_curve {
    double *distance; /* [layers * values] Euclidean distance of the features to the original's */
    double *probability; /* [values] of the class */
};

struct zf_invariance_image {
    int64_t target;     /* class that is followed */
    double probability; /* of the picture as it is */
    double *norms;      /* [layers] Euclidean norm of the original's features */
    struct zf_invariance_curve curves[ZF_MOTIONS];
};

struct zf_invariance {
    size_t layer_count;
    int *layers;
    size_t value_count[ZF_MOTIONS];
    double *values[ZF_MOTIONS]; /* px downwards, factor, degrees clockwise */
    struct zf_shape input;
    size_t count;
    struct zf_invariance_image *images;
};

/**
 * Move, enlarge and turn pictures by zf_picture_transform(), and see what becomes of the features:
 * vertical shifts of up to 60 px of 224, scales 1 to 1.8, rotations by 0 to 350 degrees.
 * With nothing done to the picture the distance is exactly 0.
 *
 * squares  [count] pictures as the net's preparation resizes them (zf_picture_square()); lent
 * out      handed over; free with zf_invariance_free()
 *
 * Source: section 4.1, figure 5.
 */
enum zf_status zf_invariance_run(const struct zf_net *net, const struct zf_picture *squares,
                                 size_t count, const struct zf_invariance_options *options,
                                 struct zf_invariance **out, const struct zf_monitor *monitor,
                                 struct zf_error *err);
void zf_invariance_free(struct zf_invariance **result);

const char *zf_motion_name(enum zf_motion motion); /* "translation", ... */

/* What `value` of a motion does to a picture. */
struct zf_transform zf_motion_transform(enum zf_motion motion, double value);

/* ---- page.c ---- */

/* names, squares  [result->count] as measured */
void zf_invariance_page(const struct zf_net *net, const struct zf_invariance *result,
                        const char *const *names, const struct zf_picture *squares,
                        struct zf_document *document);

#endif
