/* SPDX-License-Identifier: MIT */
/* Correspondence: the list of parts (parts.c), what is hidden (squares.c), the measurement
   (measure.c) and the document (page.c). */
#ifndef ZF_EXPERIMENTS_CORRESPOND_H
#define ZF_EXPERIMENTS_CORRESPOND_H

#include "experiments/table.h"
#include "measure/consistency.h"

/* ---- parts.c ---- */

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
enum zf_status zf_parts_load(const char *path, struct zf_parts **out, struct zf_error *err);
void zf_parts_free(struct zf_parts **parts);

/* ---- measure.c ---- */

#define ZF_CORRESPOND_DEFAULT_REPEATS 25
#define ZF_CORRESPOND_MAX_REPEATS 1000
#define ZF_CORRESPOND_DEFAULT_PERMUTATIONS 20000
#define ZF_CORRESPOND_MAX_PERMUTATIONS 10000000

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
enum zf_status zf_correspond_run(const struct zf_net *net, const struct zf_parts *parts,
                                 const struct zf_correspond_options *options,
                                 struct zf_correspondence **out, const struct zf_monitor *monitor,
                                 struct zf_error *err);
void zf_correspond_free(struct zf_correspondence **result);

/* ---- page.c ---- */

void zf_correspond_page(const struct zf_net *net, const struct zf_parts *parts,
                        const struct zf_correspondence *result, struct zf_document *document);

#endif
