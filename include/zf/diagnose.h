/* SPDX-License-Identifier: MIT */
/**
 * What is wrong with the convolutions of a net: dead maps, dominating filters, missing
 * frequencies, aliasing, duplicates; and the change to try. (Paper: section 4.1, figure 6.)
 */
#ifndef ZF_DIAGNOSE_H
#define ZF_DIAGNOSE_H

#include "zf/base.h"
#include "zf/data.h"
#include "zf/look.h"
#include "zf/net.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The rules. */
#define ZF_DEAD_PICTURES                                                                           \
    0.001                 /* a map is dead that fires in a smaller share of the pictures...        \
                           */
#define ZF_DEAD_RMS 0.001 /* ...or, without data, whose filter has less of the median RMS */
#define ZF_SATURATED 0.99 /* share of all positions above zero: the map no longer selects */
#define ZF_DOMINATING 3.0 /* times the median RMS of the layer's filters */
#define ZF_DUPLICATE 0.95 /* cosine with an earlier filter of the layer */

/* Bands of spatial frequency, in cycles per pixel of what a filter looks at: white noise has
   0.05, 0.15 and 0.80 of its energy in them. */
enum zf_band {
    ZF_BAND_LOW,    /* below 1/8 */
    ZF_BAND_MIDDLE, /* 1/8 to 1/4 */
    ZF_BAND_HIGH,   /* above 1/4: a quarter of the sampling rate */
    ZF_BANDS
};

struct zf_diagnosis_map {
    double rms;             /* root mean square of the filter, bias excluded */
    double fired_pictures;  /* share of pictures with an activation > 0; NAN without data */
    double fired_positions; /* the same of all positions */
    double band[ZF_BANDS];  /* share of the filter's energy; they add up to 1, or are all 0 */
    int64_t twin;           /* the most similar earlier filter; -1 = none */
    double twin_cosine;
    bool dead, saturated, dominating, duplicate;
};

struct zf_diagnosis_layer {
    int layer;
    int64_t kernel, stride; /* stride in cells of the layer's input */
    size_t map_count;
    struct zf_diagnosis_map *maps;
    size_t dead, saturated, dominating, duplicate; /* maps that are */
    double median_rms;
    double band[ZF_BANDS]; /* of all filters' energy together */
    /* Share of energy that the first layer's stride s folds, above 1/(2 s) cycles per pixel along
       either axis: in the first layer of its filters, in the second of its maps' projections.
       NAN elsewhere, and in the second without data. */
    double aliasing;
    bool sound;    /* nothing stands out, and the verdict says so */
    char *verdict; /* sentences with the numbers, and the change to try */
};

struct zf_diagnosis {
    size_t layer_count;
    struct zf_diagnosis_layer *layers; /* every convolution, in order */
    int64_t images;                    /* looked at; 0 without data */
    /* The strongest activation of each map of the second convolution, where there is data. */
    struct zf_top *second;
    float **projections, **patches; /* [maps]: [c, height, width] of the entry's patch; NULL for a
                                       map without an entry */
};

/**
 * data     NULL: weights alone are looked at
 * options  batch, threads, strict, engine, exact, precision, rule; the rest is not used
 * out      handed over; free with zf_diagnosis_free()
 *
 * Returns ZF_EUNSUPPORTED for a net without a convolution; what zf_top_run() returns.
 * Cost: two passes over the data.
 */
ZF_API enum zf_status zf_diagnose_run(const struct zf_net *net, const struct zf_data *data,
                                      const struct zf_top_options *options,
                                      struct zf_diagnosis **out, const struct zf_monitor *monitor,
                                      struct zf_error *err);
ZF_API void zf_diagnosis_free(struct zf_diagnosis **diagnosis);

/**
 * Write directory/diagnose.json, index.html, the first layer's filters and the second's
 * projections (LAYER.png), and charts. data and command may be NULL.
 */
ZF_API enum zf_status zf_diagnose_report(const struct zf_net *net,
                                         const struct zf_diagnosis *diagnosis,
                                         const struct zf_data *data, const char *command,
                                         const char *directory, struct zf_error *err);

/** diagnose.json without what the page adds; handed over, free with zf_text_free(). */
ZF_API enum zf_status zf_diagnose_json(const struct zf_net *net,
                                       const struct zf_diagnosis *diagnosis, char **json,
                                       struct zf_error *err);

#ifdef __cplusplus
}
#endif

#endif
