/* SPDX-License-Identifier: MIT */
/**
 * Three experiments on single pictures: what hides the answer (occlusion, figure 7), what moves
 * the features (invariance, figure 5), and whether the same part means the same in different
 * pictures (correspondence, table 1). Each runs to a result, and a result to JSON and a page.
 *
 * Sizes are in pixels of the net's input. Those that the paper gives for an input of 224 px are
 * the defaults, in proportion where the input has another size and nothing else is said.
 *
 * All runs return ZF_EINVAL for an option out of range, ZF_EUNSUPPORTED for a net that gives no
 * probabilities, ZF_ENUMERIC when those of a picture are not finite, ZF_ECANCELED, ZF_ENOMEM.
 * Threads: every call may run beside others, on one net too.
 */
#ifndef ZF_PROBE_H
#define ZF_PROBE_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/image.h"
#include "zf/look.h"
#include "zf/net.h"
#include "zf/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Occlusion ---- */

struct zf_occlude_options {
    int64_t size, stride; /* of the square and of its steps; 0 = 32 and 8 px, but at most 2/7 and
                             1/28 of the input */
    int64_t target; /* class whose probability is followed; -1 = the most probable of each input */
    int layer;      /* whose strongest map is followed; -1 = the last convolution, behind its
                       rectifier where one follows it */
    const float *colour; /* of the square: red, green, blue, 0..255, lent; NULL = the mean, which
                            is zero in a prepared input */
    struct zf_compute compute;
};

/* One input. Maps are [rows * columns], by the place of the square; cell (i, j) hides
   size x size px from row i * stride and column j * stride on. */
struct zf_occlusion {
    int64_t target; /* the class that is followed, and its probability when nothing is hidden */
    float probability;
    int64_t predicted; /* the most probable class when nothing is hidden */
    float predicted_probability;
    int64_t map; /* the map with the strongest activation when nothing is hidden, */
    int64_t y, x;
    float activation; /* where that is, how strong, */
    float total;      /* and the sum over the map */
    float *probability_map;
    float *odds_map;       /* logarithm of the class's probability over that of all others together:
                              goes on where a probability rounds to 1 or to 0 */
    int64_t lowest;        /* the place where the odds, and so the probability, are lowest */
    int32_t *class_map;    /* most probable class */
    float *activation_map; /* sum over the map */
    float *projection;     /* [c, h, w]: the strongest activation, projected */
};

struct zf_occlusions {
    int64_t size, stride;
    int64_t rows, columns; /* of the maps: every place where the square lies within the input */
    int layer;
    struct zf_shape input;
    size_t count;
    struct zf_occlusion *images;
    double seconds; /* of the run */
};

/**
 * Slide a square over each input.
 *
 * inputs  [n, c, h, w], prepared; lent
 * out     handed over; free with zf_occlude_free()
 *
 * Cost: rows * columns forward runs an input. Source: section 4.2, figure 7; the paper does not
 * give the square's size, step or colour.
 */
ZF_API enum zf_status zf_occlude_run(const struct zf_net *net, const struct zf_tensor *inputs,
                                     const struct zf_occlude_options *options,
                                     struct zf_occlusions **out, const struct zf_monitor *monitor,
                                     struct zf_error *err);
ZF_API void zf_occlude_free(struct zf_occlusions **result);

/* What a page shows beside the numbers; everything is lent. */
struct zf_probe_show {
    const char *const *names;       /* [count] paths of the pictures */
    const struct zf_picture *shown; /* [count] of the input's size, as a person sees them */
    const char *command;            /* the command line; may be NULL */
    const char *const *parameters;  /* further "name", "value", ...; NULL ends; may be NULL */
    const struct zf_data *others;   /* occlusion: NULL, or where `top` comes from; */
    const struct zf_top *top;       /* it must hold the followed maps of the followed layer */
    const struct zf_top_options *top_options; /* of zf_top_run() */
};

/**
 * The result as JSON: what occlude.json has, and the seconds it took, which no file holds, so that
 * equal runs leave equal files. Handed over, free with zf_text_free().
 */
ZF_API enum zf_status zf_occlude_json(const struct zf_net *net, const struct zf_occlusions *result,
                                      const struct zf_probe_show *show, char **json,
                                      struct zf_error *err);

/**
 * Write directory/index.html, occlude.json and for each input the five panels of figure 7:
 * occlude-NNN.png. Files appear whole or not at all. ZF_EIO; the rest as of the run.
 */
ZF_API enum zf_status zf_occlude_report(const struct zf_net *net,
                                        const struct zf_occlusions *result,
                                        const struct zf_probe_show *show, const char *directory,
                                        const struct zf_monitor *monitor, struct zf_error *err);

/* ---- Invariance ---- */

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
ZF_API enum zf_status zf_invariance_run(const struct zf_net *net, const struct zf_picture *squares,
                                        size_t count, const struct zf_invariance_options *options,
                                        struct zf_invariance **out,
                                        const struct zf_monitor *monitor, struct zf_error *err);
ZF_API void zf_invariance_free(struct zf_invariance **result);

ZF_API const char *zf_motion_name(enum zf_motion motion); /* "translation", ... */

/** As for occlusion; `shown` of `show` are the squares here. */
ZF_API enum zf_status zf_invariance_json(const struct zf_net *net,
                                         const struct zf_invariance *result,
                                         const struct zf_probe_show *show, char **json,
                                         struct zf_error *err);
ZF_API enum zf_status zf_invariance_report(const struct zf_net *net,
                                           const struct zf_invariance *result,
                                           const struct zf_probe_show *show, const char *directory,
                                           struct zf_error *err);

/* ---- Correspondence ---- */

/* A part of a picture, in pixels of the upright original. */
struct zf_part_mark {
    size_t picture, part; /* indices in the list */
    double x, y, size;    /* size 0 = the default */
    int64_t line;         /* of the file */
};

/* Marked parts: pictures in the order in which they first appear, and parts likewise. */
struct zf_parts {
    char *name; /* of the file, for sentences; owned, as all below */
    size_t picture_count, part_count, mark_count;
    char **pictures; /* paths */
    char **parts;
    struct zf_part_mark *marks;
};

/**
 * Read a list of parts: a line for each, "file <tab> part <tab> x <tab> y" and optionally
 * "<tab> size", after an optional first line of these words. Relative paths start at the list's
 * folder. At most 16 MiB, 256 pictures and 64 parts.
 *
 * Returns ZF_EINPUT with file and line for what does not fit, for a part marked twice in a
 * picture, and for fewer than two pictures; ZF_EIO, ZF_ENOMEM. Free with zf_parts_free().
 */
ZF_API enum zf_status zf_parts_load(const char *path, struct zf_parts **out, struct zf_error *err);
ZF_API void zf_parts_free(struct zf_parts **parts);

struct zf_correspond_options {
    const int *layers; /* lent; NULL = the last convolution and the last layer with weights below
                          the classifier, both before their rectifiers */
    size_t layer_count;
    int64_t size;         /* of the squares; 0 = 32 px, but at most 2/7 of the input */
    int64_t repeats;      /* random places of the object a picture, 2 .. 1000; 0 = 25 */
    int64_t permutations; /* of the test, up to 10 million; 0 = 20000 */
    uint64_t seed;        /* of the random places and of the permutations */
    struct zf_compute compute;
};

#define ZF_SIGNIFICANT 0.01 /* a p below it tells a part from random places */

/* How alike the pictures' features change when one part is hidden. Delta is the mean over pairs
   of pictures of the share of features whose change has another sign; 0 counts as a sign of its
   own. */
struct zf_consistency {
    double mean, std;      /* over pairs; std is 0 for a single pair */
    double standard_error; /* of the random places: of their mean, over repeats; else 0 */
    double change;  /* how far the features move, in shares of their length; mean of pictures */
    double p;       /* that random places are as alike as this part; 1 for those */
    double least_p; /* what p can be at least: 1 / permutations, or 1 / the number of ways to
                       call one of a picture's squares the part, in all pictures */
};

struct zf_correspondence {
    size_t layer_count, part_count, picture_count;
    int *layers;
    int64_t size, repeats, permutations;
    uint64_t seed;
    struct zf_shape input;
    size_t *pictures_with;         /* [part_count] pictures that show the part */
    struct zf_consistency *parts;  /* [layer_count * part_count] */
    struct zf_consistency *random; /* [layer_count] */
    struct zf_consistency *all;    /* [layer_count] all parts together: the mean of their means, and
                                      p; the deviations are 0 */
    struct zf_box *boxes;          /* [picture_count * part_count] hidden for each; width 0: none */
    struct zf_picture *shown;      /* [picture_count] what the net sees */
};

/**
 * Hide the marked parts, and random places of the same size, and compare how features change.
 *
 * A part outside of what the net sees (the centre crop) is left out with a message; one outside of
 * the picture itself is ZF_EINPUT, and so is a part that fewer than two pictures show.
 * A change is zero when it is less than a millionth of the layer's largest activation in that
 * picture: below the rounding of float32.
 * The net runs exactly (zf_compute.exact), whatever options->compute says: of a feature whose
 * change is near zero the sign, and so Delta, would depend on how a faster algorithm rounds. The
 * test of each part permutes, within every picture, which of the part and the random places is
 * called the part. A message tells of parts whose p cannot be below ZF_SIGNIFICANT.
 *
 * out  handed over; free with zf_correspond_free()
 *
 * Source: section 4.3, table 1.
 */
ZF_API enum zf_status zf_correspond_run(const struct zf_net *net, const struct zf_parts *parts,
                                        const struct zf_correspond_options *options,
                                        struct zf_correspondence **out,
                                        const struct zf_monitor *monitor, struct zf_error *err);
ZF_API void zf_correspond_free(struct zf_correspondence **result);

/** As for occlusion; names and pictures come from `parts` and the result. */
ZF_API enum zf_status zf_correspond_json(const struct zf_net *net, const struct zf_parts *parts,
                                         const struct zf_correspondence *result, char **json,
                                         struct zf_error *err);
ZF_API enum zf_status zf_correspond_report(const struct zf_net *net, const struct zf_parts *parts,
                                           const struct zf_correspondence *result,
                                           const char *command, const char *directory,
                                           struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
