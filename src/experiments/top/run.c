/* SPDX-License-Identifier: MIT */
/*
 * The strongest pictures of every map, and what of each excites it. (Paper: section 4, figure 2.)
 * Finding them is zf_top_run(), projecting them zf_top_project(); here layers are drawn one after
 * the other as they are projected.
 */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "experiments/subjects.h"
#include "look/choose.h"
#include "page/canvas.h"
#include "page/document.h"

#define MAX_TILE 1024 /* px */

#define MAPS_OF_A_STAGE 256 /* of a deep net, unless layers or maps are named */
#define BYTES_OF_A_MAP 22e3 /* of a page that is one file */
#define PHOTO_SIDE 160      /* px of a photo's longer side */
#define MOST_PHOTOS 20000   /* beside a page; about 100 MB */
#define PHOTO_QUALITY 80

/* One layer's projections are a call of their own; the user sees one progress over all. */
struct layer_walk {
    const struct zf_top_show *show;
    struct zf_document *document;
    struct zf_sprites *sprites;
    const struct zf_monitor *monitor;
    int64_t before, total; /* entries */
    bool *photographed;    /* [samples]; NULL = no photos */
    int64_t photos;
};

/* What the net sees of a sample, as photos/SAMPLE.jpg: once. */
static enum zf_status save_photo(struct layer_walk *walk, int64_t sample, const float *input,
                                 struct zf_error *err)
{
    const struct zf_shape shape = zf_net_input(walk->show->net);
    const double scale = (double)PHOTO_SIDE / (double)(shape.h > shape.w ? shape.h : shape.w);
    struct zf_picture picture = {0}, small = {0};
    enum zf_status status = ZF_OK;
    uint8_t *bytes = NULL;
    size_t size = 0;
    char *path;

    if (!walk->photographed || walk->photographed[sample] || walk->photos == MOST_PHOTOS)
        return ZF_OK;
    walk->photographed[sample] = true;
    walk->photos++;
    path = zf_format("%s/photos/%" PRId64 ".jpg", walk->document->directory, sample);
    if (!path)
        return zf_no_memory(err, "the photos in %s", walk->document->directory);
    ZF_TRY(zf_picture_from_input(input, shape, zf_net_preparation(walk->show->net), &picture, err));
    ZF_TRY(zf_canvas_init(&small, llround(fmax(1.0, (double)shape.w * scale)),
                          llround(fmax(1.0, (double)shape.h * scale)), err));
    zf_canvas_place(&small, zf_picture_box(&small), &picture, zf_picture_box(&picture));
    ZF_TRY(zf_picture_encode(&small, PHOTO_QUALITY, &bytes, &size, err));
    ZF_TRY(zf_file_write(path, bytes, size, err));
fail:
    zf_bytes_free(bytes);
    zf_picture_release(&small);
    zf_picture_release(&picture);
    zf_free(path);
    return status;
}

/* Nothing to keep them in where the page is one file. */
static enum zf_status begin_photos(struct layer_walk *walk, struct zf_error *err)
{
    const int64_t samples = zf_data_count(walk->show->data);
    char *folder;
    enum zf_status status;

    if (walk->show->single_file)
        return ZF_OK;
    walk->photographed = zf_alloc((size_t)samples, sizeof *walk->photographed);
    folder = zf_path_join(walk->document->directory, "photos");
    status = walk->photographed && folder
                 ? zf_directory_make(folder, err)
                 : zf_no_memory(err, "the photos in %s", walk->document->directory);
    zf_free(folder);
    return status;
}

static enum zf_status draw_entry(void *user, size_t layer, size_t map, size_t rank,
                                 const float *input, const float *projection, struct zf_error *err)
{
    struct layer_walk *walk = user;

    (void)layer;
    ZF_CHECK(save_photo(walk, walk->sprites->layer->maps[map].entries[rank].sample, input, err));
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
    walk->sprites = NULL;
    zf_sprites_release(&sprites);
    return status;
}

/* Layer by layer; a page that loads its pictures is there from the first one on. */
static enum zf_status fill_layers(struct layer_walk *walk, struct zf_error *err)
{
    const struct zf_top_show *show = walk->show;

    for (size_t i = 0; i < show->top->layer_count; i++) {
        ZF_CHECK(fill_layer(show, i, walk, walk->document, err));
        if (!show->single_file)
            ZF_CHECK(zf_document_write_page(walk->document, err));
    }
    return ZF_OK;
}

enum zf_status zf_top_fill(const struct zf_top_show *show, struct zf_document *document,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    struct layer_walk walk = {.show = show, .document = document, .monitor = monitor};
    enum zf_status status;

    if (show->tile < 0 || show->tile > MAX_TILE || show->sheet_maps < 0)
        return zf_fail(err, ZF_EINVAL,
                       "a tile of %" PRId64 " px is not in 0 .. %d, or a sheet of %" PRId64 " maps",
                       show->tile, MAX_TILE, show->sheet_maps);
    for (size_t i = 0; i < show->top->layer_count; i++)
        walk.total += count_entries(&show->top->layers[i]);
    ZF_TRY(begin_photos(&walk, err));
    zf_top_begin(show, document);
    ZF_TRY(fill_layers(&walk, err));
    zf_json_end(zf_document_numbers(document));
    zf_top_say(show, document);
fail:
    zf_free(walk.photographed);
    return status;
}

/* ---- The row. ---- */

struct top {
    const char *data, *layer, *maps;
    int64_t k, batch, tile, sheets, figure;
    int rule, contrast;
    bool strict, single_file;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(top, data, "DATA", "pictures to look through"),
    ZF_OPTION_ROW_TEXT(
        top, layer, "L...",
        "layers to look at, or all: every convolution. Unless named: those that end a "
        "stage, of nets of up to 8 convolutions each"),
    ZF_OPTION_ROW_TEXT(
        top, maps, "M",
        "all, the first N, or exactly K,K,... (\"7,\" is map 7 alone); of the ends of "
        "stages the first 256 unless said"),
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
    ZF_OPTION_ROW_INT(top, sheets, "N",
                      "sheets a layer at most, of 64 maps each; 0 = as many as show all", 1, 0,
                      1e6),
    ZF_OPTION_ROW_INT(
        top, figure, "N",
        "a slide a layer as well, 1920 x 1080 px, with its N strongest maps; 0 = none", 0, 0, 256),
    ZF_OPTION_ROW_FLAG(top, single_file,
                       "all pictures in the page, to send it as one file: some 20 kB a map"),
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

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct top *given = call->options;
    struct zf_top_options options = {.k = given->k,
                                     .rule = (enum zf_rule)given->rule,
                                     .strict = given->strict,
                                     .compute = zf_compute_batch(call->compute, given->batch)};
    enum zf_status status;
    struct zf_top *top = NULL;
    int64_t *maps = NULL;
    int *layers = NULL;
    bool stages = false, cut;

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
    ZF_TRY(zf_top_run(call->net, call->data, &options, &top, call->monitor, err));
    zf_monitor_message(call->monitor, "looked at %" PRId64 " pictures, %.0f a second", top->images,
                       top->images_per_second);
    if (!zf_call_shows(call)) { /* projects with the first rank, layer by layer as it does */
        ZF_TRY(zf_top_project(call->net, call->data, top, &options, see_nothing, NULL,
                              call->monitor, err));
        goto fail;
    }
    ZF_TRY(zf_top_fill(&(struct zf_top_show){.net = call->net,
                                             .data = call->data,
                                             .model = call->model,
                                             .pictures = given->data,
                                             .top = top,
                                             .options = &options,
                                             .contrast = (enum zf_contrast)given->contrast,
                                             .tile = given->tile,
                                             .single_file = given->single_file,
                                             .most_sheets = given->sheets,
                                             .slide_maps = given->figure},
                       document, call->monitor, err));
fail:
    zf_top_free(&top);
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
               "sheet of up to 64 maps, more of them as DIR/LAYER+2.png) and DIR/top.json. Stopped "
               "by Ctrl-C, it "
               "leaves a page of the layers that are done.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_NEEDS_DATA,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct top),
    .run = run,
};
