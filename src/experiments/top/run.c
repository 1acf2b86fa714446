/* SPDX-License-Identifier: MIT */
/*
 * The strongest pictures of every map, and what of each excites it. (Paper: section 4, figure 2.)
 * Finding them is zf_top_run(), projecting them zf_top_project(), drawing them fill.c; here is what
 * can be asked.
 */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "experiments/subjects.h"
#include "experiments/trainings.h"
#include "look/choose.h"
#include "page/document.h"

#define MAPS_OF_A_STAGE 256 /* of a deep net, unless layers or maps are named */
#define BYTES_OF_A_MAP 22e3 /* of a page that is one file */

struct top {
    const char *data, *layer, *maps;
    int64_t k, batch, tile, sheets, figure;
    int rule, contrast;
    bool strict, single_file, resume;
};

static const char *const all_word[] = {"all", NULL};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(top, data, "DATA", "pictures to look through"),
    ZF_OPTION_ROW_WORDS(
        top, layer, "L...",
        "layers to look at, or all: every convolution. Unless named: those that end a "
        "stage, of nets of up to 8 convolutions each",
        all_word),
    ZF_OPTION_ROW_WORDS(
        top, maps, "M",
        "all, the first N, or exactly K,K,... (\"7,\" is map 7 alone); of the ends of "
        "stages the first 256 unless said",
        all_word),
    ZF_OPTION_ROW_INT(top, k, "N", "strongest pictures a map", 9, 1, 1000),
    ZF_OPTION_ROW_CHOICE(top, rule, "R", "what a rectifier does to the signal on its way down",
                         ZF_RULE_DECONVNET, zf_rule_names),
    ZF_OPTION_ROW_CHOICE(
        top, contrast, "C",
        "what shares a scale: a map's projections, each image alone, all of a layer",
        ZF_CONTRAST_MAP, zf_contrast_names),
    ZF_OPTION_ROW_INT(top, batch, "N", "pictures at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_INT(top, tile, "PX", "side of a tile on the sheets; 0 = by layer", 0, 0,
                      ZF_TOP_MOST_TILE),
    ZF_OPTION_ROW_INT(top, sheets, "N",
                      "sheets a layer at most, of 64 maps each; 0 = as many as show all", 1, 0,
                      1e6),
    ZF_OPTION_ROW_INT(top, figure, "N",
                      "a slide a layer as well, 1920 px wide, with its N strongest maps: "
                      "LAYER+figure.png, and .svg, "
                      "whose words can be edited; 0 = none",
                      0, 0, 256),
    ZF_OPTION_ROW_FLAG(top, single_file,
                       "all pictures in the page, to send it as one file: some 20 kB a map"),
    ZF_OPTION_ROW_FLAG(top, resume,
                       "go on with the run in the directory that was stopped or killed"),
    ZF_OPTION_ROW_FLAG(top, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
};

/* "all", "16" or "3,5,8" */
static enum zf_status parse_maps(const char *text, struct zf_top_options *options, int64_t **maps,
                                 struct zf_error *err)
{
    size_t count = 0;

    if (!text || strcmp(text, "all") == 0)
        return ZF_OK;
    ZF_CHECK(zf_list_numbers(text, "maps", maps, &count, err));
    if (strchr(text, ',')) {
        options->maps = *maps;
        options->map_count = count;
        return ZF_OK;
    }
    options->max_maps = (*maps)[0];
    if (options->max_maps < 1)
        return zf_fail(err, ZF_EINVAL,
                       "maps takes all, a number of at least 1, or a list, not '%s'", text);
    return ZF_OK;
}

static int64_t count_maps(const struct zf_net *net, const struct zf_top_options *options)
{
    int64_t count = 0;

    for (size_t i = 0; i < options->layer_count; i++) {
        const int64_t all = zf_net_layer(net, options->layers[i]).shape.c;

        count += options->maps                                      ? (int64_t)options->map_count
                 : options->max_maps > 0 && options->max_maps < all ? options->max_maps
                                                                    : all;
    }
    return count;
}

/* Which layers, how long, and how large a page that is one file becomes. */
static enum zf_status say_beforehand(const struct zf_call *call,
                                     const struct zf_top_options *options, bool stages, bool cut,
                                     bool single_file, struct zf_error *err)
{
    const int64_t maps = count_maps(call->net, options);
    char names[256] = "", page[64] = "";
    double seconds;

    ZF_CHECK(zf_top_estimate(call->net, zf_data_count(call->data), options, &seconds, err));
    for (size_t i = 0; i < options->layer_count; i++)
        zf_add_name(names, sizeof names, zf_net_layer(call->net, options->layers[i]).name);
    if (single_file)
        snprintf(page, sizeof page, "; the page will have about %.0f MB",
                 ceil((double)maps * BYTES_OF_A_MAP / 1e6));
    zf_monitor_message(
        call->monitor, "looks at %s%s: %" PRId64 " maps%s, about %.0f %s%s", names,
        stages ? ", the layers that end a stage (--layer all for every convolution)" : "", maps,
        cut ? ", the first 256 of each (--maps all for all)" : "",
        seconds < 90 ? ceil(seconds) : ceil(seconds / 60), seconds < 90 ? "s" : "min", page);
    return ZF_OK;
}

/* What is projected is seen on the first rank. */
static enum zf_status see_nothing(void *user, size_t layer, size_t map, size_t rank,
                                  const float *input, const float *projection, struct zf_error *err)
{
    (void)user, (void)layer, (void)map, (void)rank, (void)input, (void)projection, (void)err;
    return ZF_OK;
}

/* A page that says what goes on, until there is a first layer to show. */
static enum zf_status announce(const struct zf_call *call, const struct zf_top_options *options,
                               struct zf_error *err)
{
    struct zf_document *page = NULL;
    char *note = zf_format("Not finished: the %" PRId64
                           " pictures are looked through. What each map looks for follows layer by "
                           "layer. Load the page again to see more.",
                           zf_data_count(call->data));
    enum zf_status status;

    if (!note)
        return zf_no_memory(err, "the page in %s", call->directory);
    ZF_TRY(zf_document_create(call->directory, zf_experiment_top.name, zf_experiment_top.title,
                              call->command, &page, err));
    zf_document_parameter(page, "net", "%s", zf_net_name(call->net));
    zf_document_parameter(page, "pictures", "%s", zf_data_name(call->data));
    for (size_t i = 0; i < options->layer_count; i++)
        zf_document_parameter(page, i == 0 ? "layers" : "", "%s",
                              zf_net_layer(call->net, options->layers[i]).name);
    ZF_TRY(zf_document_write_page(page, note, err));
fail:
    zf_document_free(&page);
    zf_free(note);
    return status;
}

/* What must be the same for a run to go on, as a text. */
static char *describe(const struct zf_call *call)
{
    const struct top *given = call->options;
    char *text = zf_format(
        "layers %s, maps %s, k %" PRId64 ", %s, contrast %d, batch %" PRId64 ", tile %" PRId64
        ", sheets %" PRId64 ", figure %" PRId64 ", one file %d, exact %d",
        given->layer ? given->layer : "", given->maps ? given->maps : "", given->k,
        zf_rule_names[given->rule], given->contrast, given->batch, given->tile, given->sheets,
        given->figure, given->single_file, call->compute.exact);
    char *asked = text ? zf_top_asked(call->net, call->data, text) : NULL;

    zf_free(text);
    return asked;
}

static enum zf_status look_and_show(const struct zf_call *call, struct zf_top_options *options,
                                    struct zf_document *document, struct zf_error *err)
{
    const struct top *given = call->options;
    enum zf_status status;
    const bool alone = zf_ranks_count(call->compute.ranks) == 1;
    struct zf_top *top = NULL;
    char *asked = describe(call), *lists = zf_top_lists(call->directory);

    if (!asked || !lists)
        ZF_LEAVE(zf_no_memory(err, "what is unfinished in %s", call->directory));
    if (alone) {
        options->asked = asked;
        options->kept = lists;
        options->resume = given->resume;
        ZF_TRY(zf_top_open(call->directory, given->resume, err));
    }
    if (alone && !given->resume)
        ZF_TRY(announce(call, options, err));
    ZF_TRY(zf_top_run(call->net, call->data, options, &top, call->monitor, err));
    zf_monitor_message(call->monitor, "looked at %" PRId64 " pictures, %.0f a second", top->images,
                       top->images_per_second);
    if (!zf_call_shows(call)) { /* projects with the first rank, layer by layer as it does */
        ZF_TRY(zf_top_project(call->net, call->data, top, options, see_nothing, NULL, call->monitor,
                              err));
        goto fail;
    }
    ZF_TRY(zf_top_fill(&(struct zf_top_show){.net = call->net,
                                             .data = call->data,
                                             .model = call->model,
                                             .pictures = given->data,
                                             .top = top,
                                             .options = options,
                                             .contrast = (enum zf_contrast)given->contrast,
                                             .tile = given->tile,
                                             .single_file = given->single_file,
                                             .most_sheets = given->sheets,
                                             .slide_maps = given->figure,
                                             .keeps = alone,
                                             .resume = given->resume},
                       document, call->monitor, err));
    if (alone) {
        ZF_TRY(zf_document_save(document, err));
        zf_top_forget(call->directory);
    }
fail:
    if (status == ZF_ECANCELED && alone)
        zf_training_stopped(call, "a page of what is done", err);
    zf_top_free(&top);
    zf_free(lists);
    zf_free(asked);
    return status;
}

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct top *given = call->options;
    struct zf_top_options options = {.k = given->k,
                                     .rule = (enum zf_rule)given->rule,
                                     .strict = given->strict,
                                     .compute = zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    int64_t *maps = NULL;
    int *layers = NULL;
    bool stages = false, cut;

    if (given->resume && zf_ranks_count(call->compute.ranks) > 1)
        return zf_fail(err, ZF_EINVAL,
                       "several ranks do not go on with a run of top: leave out "
                       "--resume, or run it as one process");
    ZF_TRY(parse_maps(given->maps, &options, &maps, err));
    if (given->layer && strcmp(given->layer, "all") != 0)
        ZF_TRY(zf_net_find_layers(call->net, given->layer, &layers, &options.layer_count, err));
    else
        ZF_TRY(zf_choose_stages(call->net, given->layer != NULL, &layers, &options.layer_count,
                                &stages, err));
    options.layers = layers;
    cut = stages && !given->maps;
    if (cut)
        options.max_maps = MAPS_OF_A_STAGE;
    if (layers)
        ZF_TRY(say_beforehand(call, &options, stages, cut, given->single_file, err));
    ZF_TRY(look_and_show(call, &options, document, err));
fail:
    zf_free(layers);
    zf_free(maps);
    return status;
}

const struct zf_experiment zf_experiment_top = {
    .name = "top",
    .figure = "figure 2",
    .title = "What the maps look for",
    .summary = "the strongest pictures of every map, with their projections",
    .details = "One pass over the data finds the k strongest pictures of each map of each layer, "
               "one place a picture; each is then projected to pixels. Writes DIR/index.html (a "
               "page to browse, with DIR/maps and DIR/photos beside it), DIR/LAYER.png (a "
               "sheet of up to 64 maps, more of them as DIR/LAYER+2.png) and DIR/top.json. The "
               "page is there from the start and fills layer by layer. Stopped by Ctrl-C or "
               "killed, the run goes on with --resume, to the files that it makes without a "
               "stop.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_NEEDS_DATA,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct top),
    .run = run,
};
