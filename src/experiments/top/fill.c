/* SPDX-License-Identifier: MIT */
/* Layers are drawn one after the other as they are projected. */
#include "experiments/top/top.h"

#include <inttypes.h>
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/canvas.h"
#include "page/document.h"

#define PHOTO_SIDE 160    /* px of a photo's longer side */
#define MOST_PHOTOS 20000 /* beside a page; about 100 MB */
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

/* Those of a layer that an earlier run has drawn are there already. */
static enum zf_status count_photos(struct layer_walk *walk, const struct zf_top_layer *layer,
                                   struct zf_error *err)
{
    for (size_t m = 0; walk->photographed && m < layer->map_count; m++) {
        for (size_t k = 0; k < layer->maps[m].count; k++) {
            const int64_t sample = layer->maps[m].entries[k].sample;
            char *path;

            if (walk->photographed[sample])
                continue;
            path = zf_format("%s/photos/%" PRId64 ".jpg", walk->document->directory, sample);
            if (!path)
                return zf_no_memory(err, "the photos in %s", walk->document->directory);
            walk->photographed[sample] = access(path, F_OK) == 0;
            walk->photos += walk->photographed[sample];
            zf_free(path);
        }
    }
    return ZF_OK;
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

static enum zf_status draw_layer(struct layer_walk *walk, size_t i, const char *slug,
                                 struct zf_error *err)
{
    const struct zf_top_show *show = walk->show;
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
    zf_top_layer(show, i, &sprites, slug, walk->document);
    if (show->keeps && zf_document_stands(walk->document))
        ZF_TRY(zf_top_keep_layer(walk->document, slug, err));
fail:
    walk->sprites = NULL;
    zf_sprites_release(&sprites);
    return status;
}

/* Drawn, or as an earlier run has drawn it. */
static enum zf_status fill_layer(struct layer_walk *walk, size_t i, struct zf_error *err)
{
    const struct zf_top_show *show = walk->show;
    const struct zf_top_layer *layer = &show->top->layers[i];
    char *slug = zf_layer_slug(show->net, layer->layer);
    enum zf_status status;

    if (!slug)
        return zf_no_memory(err, "the pictures of %s", zf_net_layer(show->net, layer->layer).name);
    if (show->keeps && show->resume && zf_top_is_done(walk->document->directory, slug)) {
        ZF_TRY(zf_top_take_layer(walk->document, slug, err));
        ZF_TRY(count_photos(walk, layer, err));
    } else {
        ZF_TRY(draw_layer(walk, i, slug, err));
    }
    zf_top_layer_json(show, i, slug, walk->document);
    walk->before += count_entries(layer);
fail:
    zf_free(slug);
    return status;
}

/* Layer by layer; a page that loads its pictures has each of them as soon as it is done. */
static enum zf_status fill_layers(struct layer_walk *walk, struct zf_error *err)
{
    const struct zf_top_show *show = walk->show;
    const size_t count = show->top->layer_count;

    for (size_t i = 0; i < count; i++) {
        ZF_CHECK(fill_layer(walk, i, err));
        if (!show->single_file)
            ZF_CHECK(zf_document_write_page(
                walk->document,
                zf_document_words(walk->document,
                                  "Not finished: %zu of %zu layers so far. Load the page again to "
                                  "see more.",
                                  i + 1, count),
                err));
    }
    return ZF_OK;
}

enum zf_status zf_top_fill(const struct zf_top_show *show, struct zf_document *document,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    struct layer_walk walk = {.show = show, .document = document, .monitor = monitor};
    enum zf_status status;

    if (show->tile < 0 || show->tile > ZF_TOP_MOST_TILE || show->sheet_maps < 0)
        return zf_fail(err, ZF_EINVAL,
                       "a tile of %" PRId64 " px is not in 0 .. %d, or a sheet of %" PRId64 " maps",
                       show->tile, ZF_TOP_MOST_TILE, show->sheet_maps);
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
