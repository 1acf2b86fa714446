/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "probe.h"
#include "zf/report.h"

struct correspond_options {
    const char *layer;
    int64_t size, repeats, permutations, batch;
};

#define FIELD(name) offsetof(struct correspond_options, name)
static const struct zf_option correspond_table[] = {
    {"layer", "L...",
     "layers whose features are compared; the last convolution and the last hidden layer, before "
     "their rectifiers, unless named",
     ZF_OPTION_TEXT, FIELD(layer), 0, 0, 0, NULL},
    {"size", "PX",
     "side of the square where the list says none; 0 = 32 px, but at most 2/7 of the input",
     ZF_OPTION_INT, FIELD(size), 0, 0, 65536, NULL},
    {"repeats", "N", "random places a picture", ZF_OPTION_INT, FIELD(repeats), 25, 2, 1000, NULL},
    {"permutations", "N", "of the test of each part", ZF_OPTION_INT, FIELD(permutations), 20000, 1,
     1e7, NULL},
    {"batch", "N", "inputs at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
};
#undef FIELD

static void print_row(const struct call *call, const char *name, struct zf_consistency it)
{
    fprintf(call->out, "  %-20s  %.4f +- %.4f  change %.3f", name, it.mean, it.std, it.change);
}

static void print_table(const struct call *call, const struct zf_net *net,
                        const struct zf_parts *parts, const struct zf_correspondence *result)
{
    for (size_t l = 0; l < result->layer_count; l++) {
        fprintf(call->out, "%s\n", zf_net_layer(net, result->layers[l]).name);
        for (size_t p = 0; p < result->part_count; p++) {
            const struct zf_consistency it = result->parts[l * result->part_count + p];

            print_row(call, parts->parts[p], it);
            fprintf(call->out, "  p = %.3g, %zu pictures\n", it.p, result->pictures_with[p]);
        }
        fprintf(call->out, "  %-20s  %.4f                          p = %.3g\n", "all parts",
                result->all[l].mean, result->all[l].p);
        print_row(call, "random", result->random[l]);
        fprintf(call->out, "  standard error %.2g\n", result->random[l].standard_error);
    }
}

static enum zf_status run_correspond(struct call *call, struct zf_error *err)
{
    const struct option_table table = {correspond_table, COUNT(correspond_table)};
    enum zf_status status;
    struct correspond_options given;
    struct zf_correspond_options options = {0};
    struct zf_net *net = NULL;
    struct zf_parts *parts = NULL;
    struct zf_correspondence *result = NULL;
    int *layers = NULL;
    char *json = NULL;

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(model_open(call, call->args->words[0], &net, err));
    TRY(net_layers(net, given.layer, &layers, &options.layer_count, err));
    TRY(zf_parts_load(call->args->words[1], &parts, err));
    options.layers = layers;
    options.size = given.size;
    options.repeats = given.repeats;
    options.permutations = given.permutations;
    options.seed = (uint64_t)call->common.seed;
    options.compute = probe_run(call, given.batch);
    TRY(zf_correspond_run(net, parts, &options, &result, call->monitor, err));
    TRY(zf_correspond_report(net, parts, result, call->line, call->common.out, err));
    if (call->common.json)
        TRY(zf_correspond_json(net, parts, result, &json, err));
    else
        print_table(call, net, parts, result);
    probe_end(call, "correspond", json);
fail:
    zf_correspond_free(&result);
    zf_parts_free(&parts);
    zf_net_free(&net);
    free(layers);
    return status;
}

const struct command correspond_command = {
    .name = "correspond",
    .arguments = "MODEL PARTS.tsv",
    .summary = "whether hiding the same part changes different pictures alike (table 1)",
    .details = "PARTS.tsv has a line for each part of each picture: file <tab> part <tab> x <tab> "
               "y, optionally <tab> size, in pixels of the picture. The control are squares of the "
               "same size at random places around the parts. Delta is the share of features whose "
               "change has "
               "another sign, over all pairs of pictures; p is by a permutation test. Writes "
               "DIR/index.html, DIR/correspond.json and the figures.",
    .output = OUTPUT_DIRECTORY,
    .prepares = true,
    .imports = true,
    .least = 2,
    .most = 2,
    .options = correspond_table,
    .option_count = COUNT(correspond_table),
    .run = run_correspond,
};
