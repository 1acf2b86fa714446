/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "zf/data.h"
#include "zf/look.h"
#include "zf/report.h"

struct top_options {
    const char *data, *layer, *maps;
    int64_t k, batch, tile;
    int rule, contrast;
    bool strict;
};

static const char *const rules[] = {"deconvnet", "gradient", "guided", NULL};
static const char *const contrasts[] = {"map", "image", "shared", NULL};

#define FIELD(name) offsetof(struct top_options, name)
static const struct zf_option top_table[] = {
    {"data", "DATA", "pictures to look through", ZF_OPTION_TEXT, FIELD(data), 0, 0, 0, NULL},
    {"layer", "L...", "layers to look at; every convolution unless named", ZF_OPTION_TEXT,
     FIELD(layer), 0, 0, 0, NULL},
    {"maps", "M", "all, the first N, or exactly K,K,... (\"7,\" is map 7 alone)", ZF_OPTION_TEXT,
     FIELD(maps), 0, 0, 0, NULL},
    {"k", "N", "strongest pictures a map", ZF_OPTION_INT, FIELD(k), 9, 1, 1000, NULL},
    {"rule", "R", "what a rectifier does to the signal on its way down", ZF_OPTION_CHOICE,
     FIELD(rule), ZF_RULE_DECONVNET, 0, 0, rules},
    {"contrast", "C", "what shares a scale: a map's projections, each image alone, all of a layer",
     ZF_OPTION_CHOICE, FIELD(contrast), ZF_CONTRAST_MAP, 0, 0, contrasts},
    {"batch", "N", "pictures at a time; 0 = chosen", ZF_OPTION_INT, FIELD(batch), 0, 0, 4096, NULL},
    {"tile", "PX", "side of a tile on the sheets; 0 = by layer", ZF_OPTION_INT, FIELD(tile), 0, 0,
     1024, NULL},
    {"strict", "", "a picture that cannot be read is an error instead of being skipped",
     ZF_OPTION_FLAG, FIELD(strict), 0, 0, 0, NULL},
};
#undef FIELD

/* "all", "16" or "3,5,8" */
static enum zf_status parse_maps(const char *text, struct zf_top_options *options, int64_t **maps,
                                 struct zf_error *err)
{
    enum zf_status status;
    size_t count = 0;

    if (!text || strcmp(text, "all") == 0)
        return ZF_OK;
    status = parse_numbers(text, "maps", maps, &count, err);
    if (status != ZF_OK)
        return status;
    if (strchr(text, ',')) {
        options->maps = *maps;
        options->map_count = count;
        return ZF_OK;
    }
    options->max_maps = (*maps)[0];
    if (options->max_maps < 1)
        return fail(err, ZF_EINVAL, "maps takes all, a number of at least 1, or a list, not '%s'",
                    text);
    return ZF_OK;
}

static enum zf_status print_top(const struct call *call, const struct zf_net *net,
                                const struct zf_data *data, const struct zf_top *top,
                                struct zf_error *err)
{
    char *json = NULL;

    if (call->common.json) {
        enum zf_status status = zf_top_json(net, data, top, &json, err);

        if (status == ZF_OK)
            fprintf(call->out, "%s\n", json);
        zf_text_free(json);
        return status;
    }
    fprintf(call->out, "%-12s%8s  %s\n", "layer", "maps", "strongest activation");
    for (size_t i = 0; i < top->layer_count; i++) {
        const struct zf_top_layer *layer = &top->layers[i];
        const struct zf_top_map *best = NULL;

        for (size_t m = 0; m < layer->map_count; m++) {
            if (layer->maps[m].count > 0 &&
                (!best || layer->maps[m].entries[0].activation > best->entries[0].activation))
                best = &layer->maps[m];
        }
        fprintf(call->out, "%-12s%8zu", zf_net_layer(net, layer->layer).name, layer->map_count);
        if (best)
            fprintf(call->out, "  %.4g, map %lld, %s", (double)best->entries[0].activation,
                    (long long)best->map, zf_data_path(data, best->entries[0].sample));
        fputc('\n', call->out);
    }
    fprintf(call->out, "%lld pictures, %.0f a second", (long long)top->images,
            top->images_per_second);
    if (top->skipped > 0)
        fprintf(call->out, ", %lld could not be read", (long long)top->skipped);
    fputc('\n', call->out);
    return ZF_OK;
}

static enum zf_status run_top(struct call *call, struct zf_error *err)
{
    const struct option_table table = {top_table, COUNT(top_table)};
    enum zf_status status;
    struct top_options given;
    struct zf_top_options options = {0};
    struct zf_top_report_options report = {0};
    struct zf_net *net = NULL;
    struct zf_data *data = NULL;
    struct zf_top *top = NULL;
    int *layers = NULL;
    int64_t *maps = NULL;

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, given.data, "--data DATA", err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(parse_maps(given.maps, &options, &maps, err));
    TRY(model_open(call, call->args->words[0], &net, err));
    TRY(net_layers(net, given.layer, &layers, &options.layer_count, err));
    TRY(zf_data_open(given.data, &data, err));
    options.layers = layers;
    options.k = given.k;
    options.compute = call->compute;
    options.compute.batch = given.batch;
    options.rule = (enum zf_rule)given.rule;
    options.strict = given.strict;
    report.contrast = (enum zf_contrast)given.contrast;
    report.tile = given.tile;
    report.command = call->line;
    TRY(zf_top_run(net, data, &options, &top, call->monitor, err));
    TRY(zf_top_report(net, data, top, &options, &report, call->common.out, call->monitor, err));
    TRY(print_top(call, net, data, top, err));
    progress_say(call->progress, "wrote %s/index.html, top.json and a sheet for each layer",
                 call->common.out);
fail:
    zf_top_free(&top);
    zf_data_free(&data);
    zf_net_free(&net);
    free(layers);
    free(maps);
    return status;
}

const struct command top_command = {
    .name = "top",
    .arguments = "MODEL",
    .summary = "the strongest pictures of every map, with their projections (figure 2)",
    .details = "One pass over the data finds the k strongest pictures of each map of each layer, "
               "one place a picture; each is then projected to pixels. Writes DIR/index.html (a "
               "page to browse), DIR/LAYER.png (sheets) and DIR/top.json.",
    .output = OUTPUT_DIRECTORY,
    .least = 1,
    .most = 1,
    .options = top_table,
    .option_count = COUNT(top_table),
    .imports = true,
    .prepares = true,
    .run = run_top,
};
