/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "command.h"
#include "output.h"
#include "zf/data.h"
#include "zf/evolve.h"
#include "zf/report.h"

struct evolve_options {
    const char *data, *layer;
    int64_t maps, batch;
    double bound;
    int rule;
    bool strict;
};

static const char *const rules[] = {"deconvnet", "gradient", "guided", NULL};

#define FIELD(name) offsetof(struct evolve_options, name)
static const struct zf_option evolve_table[] = {
    {"data", "DATA", "pictures to look through; the paper takes the training set", ZF_OPTION_TEXT,
     FIELD(data), 0, 0, 0, NULL},
    {"layer", "L...", "layers to look at; every convolution unless named", ZF_OPTION_TEXT,
     FIELD(layer), 0, 0, 0, NULL},
    {"maps", "N", "maps of each layer: the first that are alive in the end", ZF_OPTION_INT,
     FIELD(maps), 8, 1, 4096, NULL},
    {"bound", "X", "cosine with the last epoch's filter from which on a map counts as settled",
     ZF_OPTION_REAL, FIELD(bound), ZF_EVOLVE_BOUND, 0.01, 1, NULL},
    {"rule", "R", "what a rectifier does to the signal on its way down", ZF_OPTION_CHOICE,
     FIELD(rule), ZF_RULE_DECONVNET, 0, 0, rules},
    {"batch", "N", "pictures at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
    {"strict", "", "a picture that cannot be read is an error instead of being skipped",
     ZF_OPTION_FLAG, FIELD(strict), 0, 0, 0, NULL},
};
#undef FIELD

/* A comma list as an array of owned strings. */
static enum zf_status split(const char *list, char ***names, size_t *count, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *item = NULL;

    if (!list)
        return ZF_OK;
    while ((status = next_item(&list, &item, err)) == ZF_OK && item) {
        char **grown = realloc(*names, (*count + 1) * sizeof **names);

        if (!grown) {
            free(item);
            return fail(err, ZF_ENOMEM, "out of memory");
        }
        *names = grown;
        (*names)[(*count)++] = item;
    }
    return status;
}

static enum zf_status print_evolution(const struct call *call, const struct zf_data *data,
                                      const struct zf_evolution *evolution, struct zf_error *err)
{
    char *json = NULL;

    if (call->common.json) {
        enum zf_status status = zf_evolve_json(evolution, data, &json, err);

        if (status == ZF_OK)
            fprintf(call->out, "%s\n", json);
        zf_text_free(json);
        return status;
    }
    fprintf(call->out, "%-12s%8s  %s\n", "layer", "maps", "settled at epoch");
    for (size_t l = 0; l < evolution->layer_count; l++) {
        const struct zf_evolve_layer *layer = &evolution->layers[l];

        fprintf(call->out, "%-12s%8zu  %lld%s\n", zf_net_layer(evolution->net, layer->layer).name,
                layer->map_count, (long long)evolution->epochs[layer->settled],
                layer->settled + 1 == evolution->epoch_count ? ", the last: not before" : "");
    }
    return ZF_OK;
}

static enum zf_status run_evolve(struct call *call, struct zf_error *err)
{
    const struct option_table table = {evolve_table, COUNT(evolve_table)};
    enum zf_status status;
    struct evolve_options given;
    struct zf_evolve_options options = {0};
    struct zf_data *data = NULL;
    struct zf_evolution *evolution = NULL;
    char **layers = NULL;

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, given.data, "--data DATA", err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(split(given.layer, &layers, &options.layer_count, err));
    options.layers = options.layer_count > 0 ? (const char *const *)layers : NULL;
    options.maps = given.maps;
    options.bound = given.bound;
    options.look = (struct zf_top_options){
        .compute = call->compute, .rule = (enum zf_rule)given.rule, .strict = given.strict};
    TRY(zf_data_open(given.data, &data, err));
    TRY(zf_evolve_run(call->args->words[0], data, &options, &evolution, call->monitor, err));
    TRY(zf_evolve_report(evolution, data, call->line, call->common.out, err));
    TRY(print_evolution(call, data, evolution, err));
    progress_say(call->progress, "wrote %s/index.html, evolve.json and a sheet for each layer",
                 call->common.out);
fail:
    zf_evolution_free(&evolution);
    zf_data_free(&data);
    for (size_t i = 0; i < options.layer_count; i++)
        free(layers[i]);
    free(layers);
    return status;
}

const struct command evolve_command = {
    .name = "evolve",
    .arguments = "RUN",
    .summary = "how the features grew from epoch to epoch (figure 4)",
    .details = "For each kept epoch of a run (RUN/epochs), one pass over the data finds the "
               "strongest activation of each map at that epoch and projects it. Writes "
               "DIR/index.html (rows of epochs, with a mark where another picture became the "
               "strongest, and when each layer settled), DIR/LAYER.png and DIR/evolve.json.",
    .output = OUTPUT_DIRECTORY,
    .least = 1,
    .most = 1,
    .options = evolve_table,
    .option_count = COUNT(evolve_table),
    .run = run_evolve,
};
