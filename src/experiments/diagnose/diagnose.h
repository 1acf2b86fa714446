/* SPDX-License-Identifier: MIT */
/* Diagnosis: its course (run.c), its parts, and the document (page.c). */
#ifndef ZF_EXPERIMENTS_DIAGNOSE_H
#define ZF_EXPERIMENTS_DIAGNOSE_H

#include "experiments/table.h"
#include "measure/randomness.h"
#include "measure/spectrum.h"
#include "zf/look.h"

/* ---- run.c ---- */

/* The rules. */
/* A map is dead that fires in a smaller share of the pictures... */
#define ZF_DEAD_PICTURES 0.001
#define ZF_DEAD_RMS 0.001     /* ...or, without data, whose filter has less of the median RMS */
#define ZF_SATURATED 0.99     /* share of all positions above zero: the map no longer selects */
#define ZF_DOMINATING 10.0    /* times the median RMS of the layer's filters */
#define ZF_DUPLICATE 0.98     /* cosine with an earlier filter of the layer... */
#define ZF_DUPLICATE_LEAST 25 /* ...of as many weights: smaller ones are alike by chance */

/* A layer whose zf_randomness is below this has weights as random numbers are: it is untrained, or
   hardly trained. docs/diagnosis.md has how often that is wrong. */
#define ZF_RANDOM 5.0
#define ZF_RANDOM_WEIGHTS                                                                          \
    "Its weights cannot be told from random numbers: it is untrained, or hardly trained; train "   \
    "longer, or at a higher learning rate."
/* Training had not ended whose loss fell by more over its last third of epochs, and whose best
   epoch is among them. */
#define ZF_FALLING 0.1
/* It has learned its pictures by heart when more of the validation pictures than of the training's
   are wrong, by this share of all and by this factor. */
#define ZF_GAP 0.1
#define ZF_GAP_TIMES 2.0

/* Of a layer with weights, also a fully connected one. */
struct zf_diagnosis_weights {
    int layer;
    struct zf_randomness randomness;
    bool random;
};

/* Of the log beside the model. */
struct zf_diagnosis_course {
    int64_t epochs; /* 0 = there is no log */
    bool told;      /* enough of them for the rest */
    double fall;    /* share by which the loss fell over the last third */
    int64_t best_epoch;
    double train, val; /* top-1 errors of that epoch; NAN without validation */
    bool falling, gap;
};

struct zf_diagnosis_map {
    double rms;             /* root mean square of the filter, bias excluded */
    double fired_pictures;  /* share of pictures with an activation > 0; NAN without data */
    double fired_positions; /* the same of all positions */
    double band[ZF_BANDS];  /* share of the filter's energy; they add up to 1, or are all 0 */
    int64_t twin;           /* the most similar earlier filter; -1 = none */
    double twin_cosine;
    bool not_finite; /* NaN or infinity in the filter, or among the activations: no verdict else */
    bool dead, saturated, dominating, duplicate;
};

struct zf_diagnosis_layer {
    int layer;
    int64_t kernel, stride; /* stride in cells of the layer's input */
    size_t map_count;
    struct zf_diagnosis_map *maps;
    size_t not_finite, dead, saturated, dominating, duplicate; /* maps that are */
    double median_rms;     /* of filters without NaN and infinity */
    double band[ZF_BANDS]; /* of all filters' energy together */
    /* Share of energy that the first layer's stride s folds, above 1/(2 s) cycles per pixel along
       either axis: in the first layer of its filters, in the second of its maps' projections.
       NAN elsewhere, and in the second without data. */
    double aliasing;
    bool sound;    /* nothing stands out, and the verdict says so */
    char *verdict; /* sentences with the numbers, and the change to try */
};

struct zf_diagnosis {
    size_t weight_count;
    struct zf_diagnosis_weights *weights; /* every layer with weights, in order */
    struct zf_diagnosis_course course;
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
 * options  compute, strict, rule; the rest is not used
 * out      handed over; free with zf_diagnosis_free()
 *
 * Returns ZF_EUNSUPPORTED for a net without a convolution; what zf_top_run() returns.
 * Cost: two passes over the data.
 */
enum zf_status zf_diagnose_run(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_top_options *options, struct zf_diagnosis **out,
                               const struct zf_monitor *monitor, struct zf_error *err);
void zf_diagnosis_free(struct zf_diagnosis **diagnosis);

/* ---- filters.c: what the weights tell. ---- */

/* RMS, bands, duplicates, dominating filters, and aliasing of the first layer. */
enum zf_status zf_diagnose_filters(const struct zf_net *net, struct zf_diagnosis *diagnosis,
                                   struct zf_error *err);

/* ---- firing.c: what the activations tell. ---- */

/* How often each map of each layer fires over the data, and which are dead and saturated. */
enum zf_status zf_diagnose_firing(const struct zf_net *net, const struct zf_data *data,
                                  const struct zf_top_options *options,
                                  struct zf_diagnosis *diagnosis, const struct zf_monitor *monitor,
                                  struct zf_error *err);

/* ---- training.c: what is left to learn. ---- */

/* Which layers' weights may be random numbers still. */
enum zf_status zf_diagnose_weights(const struct zf_net *net, struct zf_diagnosis *diagnosis,
                                   struct zf_error *err);

/* Of a layer; NULL when it has none. */
const struct zf_diagnosis_weights *zf_diagnosis_weights_of(const struct zf_diagnosis *diagnosis,
                                                           int layer);

/* Read the log of the run that `model`, a path, is of: RUN/model.safetensors or an epoch that it
   kept. ZF_EIO, ZF_ENOMEM; no log is none. */
enum zf_status zf_diagnose_log(const char *model, struct zf_diagnosis_course *course,
                               struct zf_error *err);

/* ---- verdict.c ---- */

/* Fill in the verdict of layer i. ZF_ENOMEM. */
enum zf_status zf_diagnose_verdict(struct zf_diagnosis *diagnosis, size_t i, const char *first,
                                   struct zf_error *err);

/* ---- page.c ---- */

/* data  NULL = none */
void zf_diagnose_page(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                      const struct zf_data *data, struct zf_document *document);

#endif
