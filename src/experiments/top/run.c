/* SPDX-License-Identifier: MIT */
/*
 * The strongest pictures of every map, and what of each excites it. (Paper: section 4, figure 2.)
 * Finding them is zf_top_run(), projecting them zf_top_project(); here layers are drawn one after
 * the other as they are projected.
 */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <string.h>

#include "base/status.h"
#include "experiments/subjects.h"

#define MAX_TILE 1024 /* px */

/* One layer's projections are a call of their own; the user sees one progress over all. */
struct layer_walk {
    struct zf_sprites *sprites;
    const struct zf_monitor *monitor;
    int64_t before, total; /* entries */
};

static enum zf_status draw_entry(void *user, size_t layer, size_t map, size_t rank,
                                 const float *input, const float *projection, struct zf_error *err)
{
    struct layer_walk *walk = user;

    (void)layer;
    return zf_sprites_draw(walk->sprites, map, rank, input, projection, err);
}

static bool forward_progress(void *user, const char *stage, int64_t done, int64_t total)
{
    struct layer_walk *walk = user;

    (void)total;
    return zf_monitor_progress(walk->monitor, stage, walk->before + done, walk->total);
}

static int64_t count_entries(const struct zf_top_layer *layer)
{
    int64_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++)
        count += (int64_t)layer->maps[m].count;
    return count;
}

static enum zf_status fill_layer(const struct zf_top_show *show, size_t i, struct layer_walk *walk,
                                 struct zf_document *document, struct zf_error *err)
{
    enum zf_status status;
    struct zf_sprites sprites = {0};
    struct zf_top one = *show->top;
    const struct zf_monitor monitor = {.user = walk, .progress = forward_progress};

    one.layers = &show->top->layers[i];
    one.layer_count = 1;
    walk->sprites = &sprites;
    ZF_TRY(zf_sprites_init(&sprites, show->net, show->top, i, show->tile, err));
    ZF_TRY(zf_top_project(show->net, show->data, &one, show->options, draw_entry, walk, &monitor,
                          err));
    zf_sprites_finish(&sprites, show->contrast);
    zf_top_layer(show, i, &sprites, document);
    walk->before += count_entries(&show->top->layers[i]);
fail:
    zf_sprites_release(&sprites);
    return status;
}

enum zf_status zf_top_fill(const struct zf_top_show *show, struct zf_document *document,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    struct layer_walk walk = {.monitor = monitor};

    if (show->tile < 0 || show->tile > MAX_TILE || show->sheet_maps < 0)
        return zf_fail(err, ZF_EINVAL,
                       "a tile of %" PRId64 " px is not in 0 .. %d, or a sheet of %" PRId64 " maps",
                       show->tile, MAX_TILE, show->sheet_maps);
    for (size_t i = 0; i < show->top->layer_count; i++)
        walk.total += count_entries(&show->top->layers[i]);
    zf_top_begin(show, document);
    for (size_t i = 0; i < show->top->layer_count; i++)
        ZF_CHECK(fill_layer(show, i, &walk, document, err));
    zf_json_end(zf_document_numbers(document));
    zf_top_say(show, document);
    return ZF_OK;
}

/* ---- The row. ---- */

struct top {
    const char *data, *layer, *maps;
    int64_t k, batch, tile;
    int rule, contrast;
    bool strict;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(top, data, "DATA", "pictures to look through"),
    ZF_OPTION_ROW_TEXT(top, layer, "L...", "layers to look at; every convolution unless named"),
    ZF_OPTION_ROW_TEXT(top, maps, "M",
                       "all, the first N, or exactly K,K,... (\"7,\" is map 7 alone)"),
    ZF_OPTION_ROW_INT(top, k, "N", "strongest pictures a map", 9, 1, 1000),
    ZF_OPTION_ROW_CHOICE(top, rule, "R", "what a rectifier does to the signal on its way down",
                         ZF_RULE_DECONVNET, zf_rule_names),
    ZF_OPTION_ROW_CHOICE(
        top, contrast, "C",
        "what shares a scale: a map's projections, each image alone, all of a layer",
        ZF_CONTRAST_MAP, zf_contrast_names),
    ZF_OPTION_ROW_INT(top, batch, "N", "pictures at a time; 0 = chosen", 0, 0, 4096),
    ZF_OPTION_ROW_INT(top, tile, "PX", "side of a tile on the sheets; 0 = by layer", 0, 0,
                      MAX_TILE),
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

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct top *given = call->options;
    struct zf_top_options options = {.layers = call->layers,
                                     .layer_count = call->layer_count,
                                     .k = given->k,
                                     .rule = (enum zf_rule)given->rule,
                                     .strict = given->strict,
                                     .compute = zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_top *top = NULL;
    int64_t *maps = NULL;

    ZF_TRY(parse_maps(given->maps, &options, &maps, err));
    ZF_TRY(zf_top_run(call->net, call->data, &options, &top, call->monitor, err));
    ZF_TRY(zf_top_fill(&(struct zf_top_show){.net = call->net,
                                             .data = call->data,
                                             .top = top,
                                             .options = &options,
                                             .contrast = (enum zf_contrast)given->contrast,
                                             .tile = given->tile},
                       document, call->monitor, err));
fail:
    zf_top_free(&top);
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
               "page to browse), DIR/LAYER.png (sheets) and DIR/top.json.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_NEEDS_DATA,
    .looks_at_layers = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct top),
    .run = run,
};
