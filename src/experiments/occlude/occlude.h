/* SPDX-License-Identifier: MIT */
/* Occlusion: the measurement (measure.c), the same map in other pictures (others.c), figure 7
   (figure.c), and the document (page.c). */
#ifndef ZF_EXPERIMENTS_OCCLUDE_H
#define ZF_EXPERIMENTS_OCCLUDE_H

#include "experiments/subjects.h"
#include "experiments/table.h"
#include "zf/look.h"
#include "page/heat.h"
#include "page/panels.h"

/* ---- measure.c ---- */

struct zf_occlude_options {
    int64_t size, stride; /* of the square and of its steps; 0 = 32 and 8 px, but at most 2/7 and
                             1/28 of the input */
    int64_t target; /* class whose probability is followed; -1 = the most probable of each input */
    const int64_t *classes; /* NULL, or of each input that class, -1 = the most probable; lent */
    int layer;           /* whose strongest map is followed; -1 = the last convolution, behind its
                            rectifier where one follows it */
    const float *colour; /* of the square: red, green, blue, 0..255, lent; NULL = the mean, which
                            is zero in a prepared input */
    struct zf_compute compute;
};

/* One input. Maps are [rows * columns], by the place of the square; cell (i, j) hides
   size x size px at zf_occlude_place(): from row i * stride and column j * stride on, the last ones
   moved in to end at the input's edge. */
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
    float *odds_map; /* logarithm of the class's probability over that of all others together:
                        goes on where a probability rounds to 1 or to 0 */
    float odds;      /* the same when nothing is hidden */
    int64_t lowest;  /* the place where the odds, and so the probability, are lowest, */
    int64_t highest; /* and where they are highest */
    int64_t raised;  /* places that raise the odds by a thousandth of their logarithm, or
                        1/1000, whichever is more: what is there speaks against the class */
    struct zf_dependence dependence; /* of the projection on the picture */
    int32_t *class_map;              /* most probable class */
    float *activation_map;           /* sum over the map */
    float *projection;               /* [c, h, w]: the strongest activation, projected */
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

/** Fill in size, stride, rows, columns, layer and input, and no more, with what zf_occlude_run()
 *  would take for `options`. ZF_EINVAL, ZF_EINPUT, ZF_EUNSUPPORTED. */
enum zf_status zf_occlude_grid(const struct zf_net *net, const struct zf_occlude_options *options,
                               struct zf_occlusions *grid, struct zf_error *err);

/** The square of cell i * columns + j of the maps, in pixels of the input. */
struct zf_box zf_occlude_place(const struct zf_occlusions *result, int64_t cell);

/**
 * Slide a square over each input.
 *
 * inputs  [n, c, h, w], prepared; lent
 * out     handed over; free with zf_occlude_free()
 *
 * Ranks (options->compute) share the inputs: the first has all of it, the others the followed maps.
 *
 * Cost: rows * columns forward runs an input. Source: section 4.2, figure 7; the paper does not
 * give the square's size, step or colour.
 */
enum zf_status zf_occlude_run(const struct zf_net *net, const struct zf_tensor *inputs,
                              const struct zf_occlude_options *options, struct zf_occlusions **out,
                              const struct zf_monitor *monitor, struct zf_error *err);
void zf_occlude_free(struct zf_occlusions **result);

/* ---- others.c ---- */

#define ZF_OTHERS 3 /* pictures of a data set in which the same map is strong */

/* One of those: its patch and the projection from it, as a person sees them. */
struct zf_other {
    size_t rank; /* among the strongest */
    struct zf_picture patch, projection;
};

/* Of one image, strongest first; one more than is shown, as the image may be among them itself. */
struct zf_others {
    struct zf_other items[ZF_OTHERS + 1];
    size_t count;
};

/**
 * The pictures of `data` in which the followed maps are strongest.
 * out  [result->count], handed over; free with zf_others_free()
 */
enum zf_status zf_others_find(const struct zf_net *net, const struct zf_data *data,
                              const struct zf_occlusions *result, const struct zf_picture *shown,
                              const struct zf_compute *compute, struct zf_others **out,
                              const struct zf_monitor *monitor, struct zf_error *err);
void zf_others_free(struct zf_others **others, size_t count);

/* ---- page.c, figure.c ---- */

/* What a page shows beside the numbers; everything is lent. */
struct zf_occlude_show {
    const char *const *names;       /* [count] paths of the pictures */
    const struct zf_picture *shown; /* [count] of the input's size, as a person sees them */
    const char *colour;             /* of the square, as it was asked for */
    const char *data;               /* the name of the others' data, or NULL */
    const struct zf_others *others; /* [count], or NULL */
};

void zf_occlude_page(const struct zf_net *net, const struct zf_occlusions *result,
                     const struct zf_occlude_show *show, struct zf_document *document);

#define ZF_ALMOST_SURE 0.99f /* a probability that says less than its odds do */

/* The panels of a figure for a page; their words are the document's. */
struct zf_occlude_panels {
    struct zf_panel items[6];
    size_t count;
    struct zf_panel_key keys[ZF_CLASS_COLOURS + 1]; /* of (e) */
};

/* The five panels of one image, as one picture and for a page. */
enum zf_status zf_occlude_figure(const struct zf_net *net, const struct zf_occlusions *result,
                                 size_t image, const struct zf_occlude_show *show,
                                 struct zf_document *document, struct zf_picture *figure,
                                 struct zf_occlude_panels *panels, struct zf_error *err);

#endif
