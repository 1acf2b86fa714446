/* SPDX-License-Identifier: MIT */
/* Evolution: the kept epochs (epochs.c), the measurement (measure.c, growth.c), and the
   document (page.c). */
#ifndef ZF_EXPERIMENTS_EVOLVE_H
#define ZF_EXPERIMENTS_EVOLVE_H

#include "experiments/table.h"
#include "zf/look.h"

/* ---- measure.c ---- */

#define ZF_EVOLVE_DEFAULT_MAPS 8

#define ZF_EVOLVE_BOUND 0.75 /* share of its way from which on a map counts as settled */

struct zf_evolve_options {
    const char *const *layers; /* names, lent; NULL = every convolution */
    size_t layer_count;
    int64_t maps; /* of each layer: the first that are alive in the end, then dead ones; 0 = 8 */
    double bound; /* in (0, 1]; 0 = ZF_EVOLVE_BOUND */
    struct zf_top_options look; /* compute, rule, strict; the rest is not used */
};

/* One map; arrays are by kept epoch. */
struct zf_evolve_map {
    int64_t map;
    struct zf_top_entry *entries; /* the strongest activation of the whole data at that epoch;
                                     sample -1 where none was finite */
    bool *changed;                /* another picture than at the kept epoch before */
    /* Cosine with the last kept epoch's: of the projections, their receptive fields laid over each
       other, and of the weights; NAN where the layer has no filter. */
    double *similarity_projection, *similarity_filter;
    /* Correlation with the last kept epoch's, over pictures and places, of its activations; the
       same of the start; and the share of the way between that it has come. */
    double *similarity_feature, similarity_start, *share;
    float *features;     /* [samples, cells] of the last kept epoch */
    float **projections; /* [c, height, width] of the entry's patch; signed */
    float **patches;     /* the same of the input */
    size_t settled; /* index of the epoch from which on the share stays at the bound or above */
};

struct zf_evolve_layer {
    int layer;
    size_t map_count;
    struct zf_evolve_map *maps;
    size_t settled; /* index of the epoch at which half of the maps have settled */
};

struct zf_evolution {
    struct zf_net *net; /* of the last kept epoch */
    double bound;
    bool drawn;       /* the start is the net as it was drawn; else the first kept epoch */
    int64_t *samples; /* [sample_count] pictures on which features are compared, ascending */
    int64_t sample_count;
    size_t epoch_count;
    int64_t *epochs; /* rising */
    size_t layer_count;
    struct zf_evolve_layer *layers;
};

/**
 * Look at the kept epochs of a run, run/epochs/NNNN.safetensors: for each, one pass over `data`,
 * one projection a map, and the features of 64 pictures. The start of the run is drawn anew from
 * what run/checkpoint says of it; where that is not there, or the run went on from another model,
 * the first kept epoch stands for it.
 *
 * data  the paper: the training set
 * out   handed over; free with zf_evolution_free()
 *
 * Returns ZF_EINPUT where there is no run, it keeps fewer than two epochs, or one of them is of
 * another net; ZF_EINVAL for a bound out of range; what zf_model_load() and zf_top_run() return.
 * Memory: two patches of floats for each map and epoch, and 64 times each map.
 */
enum zf_status zf_evolve_run(const char *run, const struct zf_data *data,
                             const struct zf_evolve_options *options, struct zf_evolution **out,
                             const struct zf_monitor *monitor, struct zf_error *err);
void zf_evolution_free(struct zf_evolution **evolution);

/* ---- growth.c ---- */

#define ZF_EVOLVE_START SIZE_MAX /* in place of an epoch's index */

/**
 * Compare the features of `net`, that of kept epoch `epoch` or of the start, with those of the last
 * kept epoch, which comes first; into similarity_feature or similarity_start of each map.
 */
enum zf_status zf_evolve_grow(struct zf_evolution *made, const struct zf_net *net, size_t epoch,
                              const struct zf_data *data, const struct zf_top_options *look,
                              struct zf_error *err);

/** The net that the run began with, drawn anew; *out stays NULL where that is not known. */
enum zf_status zf_evolve_draw_start(const char *run, const struct zf_net *last, struct zf_net **out,
                                    const struct zf_monitor *monitor, struct zf_error *err);

/** Share of the way from the start to the end: 0 to 1, below 0 for a step back; 1 of no way. */
double zf_evolve_share(double similarity, double start);

/** Index of the first of `count` shares from which on all are at the bound or above. */
size_t zf_evolve_settled(const double *shares, size_t count, double bound);

/* ---- page.c ---- */

void zf_evolve_page(const struct zf_evolution *evolution, const struct zf_data *data,
                    struct zf_document *document);

#endif
