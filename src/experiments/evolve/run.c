/* SPDX-License-Identifier: MIT */
/* Evolution as a command: what is asked. */
#include "experiments/evolve/evolve.h"

#include "experiments/subjects.h"

struct evolve {
    const char *data, *layer;
    int64_t maps, batch;
    double bound;
    int rule;
    bool strict, figure, single_file;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(evolve, data, "DATA",
                       "pictures to look through; the paper takes the training set"),
    ZF_OPTION_ROW_TEXT(evolve, layer, "L...", "layers to look at; every convolution unless named"),
    ZF_OPTION_ROW_INT(evolve, maps, "N", "maps of each layer: the first that are alive in the end",
                      ZF_EVOLVE_DEFAULT_MAPS, 1, 4096),
    ZF_OPTION_ROW_REAL(evolve, bound, "X",
                       "share of the way from the start to the last epoch's features from which on "
                       "a map counts as settled",
                       ZF_EVOLVE_BOUND, 0.01, 1),
    ZF_OPTION_ROW_CHOICE(evolve, rule, "R", "what a rectifier does to the signal on its way down",
                         ZF_RULE_DECONVNET, zf_rule_names),
    ZF_OPTION_ROW_INT(evolve, batch, "N", "pictures at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_FLAG(evolve, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
    ZF_FIGURE_ROW(evolve),
    ZF_SINGLE_FILE_ROW(evolve),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct evolve *given = call->options;
    struct zf_evolve_options options = {
        .maps = given->maps,
        .bound = given->bound,
        .look = {.rule = (enum zf_rule)given->rule,
                 .strict = given->strict,
                 .compute = zf_compute_batch(call->compute, given->batch)}};
    enum zf_status status;
    struct zf_evolution *evolution = NULL;
    char **layers = NULL;

    ZF_TRY(zf_list_split(given->layer, &layers, &options.layer_count, err));
    options.layers = options.layer_count > 0 ? (const char *const *)layers : NULL;
    ZF_TRY(zf_evolve_run(call->arguments[0], call->data, &options, &evolution, call->monitor, err));
    zf_evolve_page(evolution, call->data, document);
fail:
    zf_evolution_free(&evolution);
    zf_free(layers);
    return status;
}

const struct zf_experiment zf_experiment_evolve = {
    .name = "evolve",
    .figure = "figure 4",
    .title = "How the features grew in training",
    .summary = "how the features grew from epoch to epoch",
    .details = "For each kept epoch of a run (RUN/epochs), one pass over the data finds the "
               "strongest activation of each map at that epoch and projects it. Writes "
               "DIR/index.html (rows of epochs, with a mark where another picture became the "
               "strongest, and when each layer settled), DIR/LAYER.png and DIR/evolve.json.",
    .takes = ZF_TAKES_RUN,
    .opens = ZF_NEEDS_DATA,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct evolve),
    .run = run,
};
