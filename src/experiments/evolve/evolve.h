/* SPDX-License-Identifier: MIT */
/* Evolution: the kept epochs (epochs.c), the measurement (measure.c), and the document (page.c). */
#ifndef ZF_EXPERIMENTS_EVOLVE_H
#define ZF_EXPERIMENTS_EVOLVE_H

#include "experiments/table.h"
#include "zf/look.h"

/* ---- measure.c ---- */

#define ZF_EVOLVE_DEFAULT_MAPS 8

#define ZF_EVOLVE_BOUND 0.9 /* similarity from which on a map counts as settled */

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
    float **projections; /* [c, height, width] of the entry's patch; signed */
    float **patches;     /* the same of the input */
    size_t settled;      /* index of the epoch from which on the filter (of a layer without:
                            the projection) stays as similar as the bound */
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
    size_t epoch_count;
    int64_t *epochs; /* rising */
    size_t layer_count;
    struct zf_evolve_layer *layers;
};

/**
 * Look at the kept epochs of a run, run/epochs/NNNN.safetensors: for each, one pass over `data`
 * and one projection a map.
 *
 * data  the paper: the training set
 * out   handed over; free with zf_evolution_free()
 *
 * Returns ZF_EINPUT where there is no run, it keeps fewer than two epochs, or one of them is of
 * another net; ZF_EINVAL for a bound out of range; what zf_model_load() and zf_top_run() return.
 * Memory: two patches of floats for each map and epoch.
 */
enum zf_status zf_evolve_run(const char *run, const struct zf_data *data,
                             const struct zf_evolve_options *options, struct zf_evolution **out,
                             const struct zf_monitor *monitor, struct zf_error *err);
void zf_evolution_free(struct zf_evolution **evolution);

/* ---- page.c ---- */

void zf_evolve_page(const struct zf_evolution *evolution, const struct zf_data *data,
                    struct zf_document *document);

#endif
