/* SPDX-License-Identifier: MIT */
/*
 * Tiles of one layer. Each shows the whole window that its cell looks at: where a window hangs
 * over the edge of the picture, what is beyond stays grey, so that all tiles of a layer have one
 * scale and a feature sits at the same place in each.
 *
 * Entries come in no order, and the contrast that a map's projections share is known only after
 * the last. So a projection is drawn at its own contrast, its limit is kept, and finishing scales
 * the tiles down: 8 bits a value instead of 32, at an error of at most one level.
 */
#include "page/sprites.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/signal.h"
#include "page/canvas.h"

/* Sides of tiles. Multiples of 16, so that no block of a JPEG, nor its halved colour, spans two. */
static const int64_t tiles[] = {112, 96, 80, 64, 48, 32, 16};

/* Pixels of all sprites of a page: at about a bit each, 20 to 30 MB of page. */
#define PAGE_PIXELS (INT64_C(1) << 27)
#define SMALLEST_WISHED 48 /* px: smaller windows are enlarged to this */
#define ROW_WISHED 80      /* the same where a row is all there is of a map */

/* The side of a layer's window in pixels of the input. */
static int64_t window_side(struct zf_receptive_field field, struct zf_shape input)
{
    int64_t height = field.global || field.height > input.h ? input.h : field.height;
    int64_t width = field.global || field.width > input.w ? input.w : field.width;

    return height > width ? height : width;
}

static int64_t page_entries(const struct zf_top *top, size_t *k)
{
    int64_t entries = 0;

    *k = 1;
    for (size_t i = 0; i < top->layer_count; i++) {
        for (size_t m = 0; m < top->layers[i].map_count; m++) {
            size_t count = top->layers[i].maps[m].count;

            entries += (int64_t)count;
            *k = count > *k ? count : *k;
        }
    }
    return entries;
}

static int64_t choose_tile(int64_t side, int64_t entries)
{
    int64_t wished = side > SMALLEST_WISHED ? side : SMALLEST_WISHED;

    const size_t last = ZF_COUNT(tiles) - 1;

    for (size_t i = 0; i < last; i++) {
        bool affordable = 2 * entries <= PAGE_PIXELS / (tiles[i] * tiles[i]);

        if (affordable && tiles[i + 1] < wished)
            return tiles[i];
    }
    return tiles[last];
}

static void fill_grey(struct zf_picture *picture)
{
    memset(picture->pixels, ZF_GREY, (size_t)(picture->width * picture->height * 3));
}

static enum zf_status allocate(struct zf_sprites *sprites, struct zf_error *err)
{
    const size_t maps = sprites->layer->map_count;

    sprites->pictures = zf_alloc(maps, sizeof *sprites->pictures);
    sprites->limits = zf_alloc(maps * sprites->k, sizeof *sprites->limits);
    if (!sprites->pictures || !sprites->limits)
        return zf_no_memory(err, "the pictures of %zu maps", maps);
    for (size_t m = 0; m < maps; m++) {
        struct zf_picture *picture = &sprites->pictures[m];
        enum zf_status status = zf_picture_init(picture, 2 * sprites->columns * sprites->tile,
                                                sprites->rows * sprites->tile, err);

        if (status != ZF_OK)
            return status;
        fill_grey(picture);
    }
    return ZF_OK;
}

static struct zf_sprites empty_sprites(const struct zf_net *net, const struct zf_top_layer *layer)
{
    return (struct zf_sprites){
        .input = zf_net_input(net),
        .preparation = zf_net_preparation(net),
        .layer = layer,
        .field = zf_net_layer(net, layer->layer).field,
    };
}

enum zf_status zf_sprites_init(struct zf_sprites *sprites, const struct zf_net *net,
                               const struct zf_top *top, size_t i, int64_t tile,
                               struct zf_error *err)
{
    enum zf_status status;
    struct zf_sprites made = empty_sprites(net, &top->layers[i]);
    const int64_t entries = page_entries(top, &made.k);

    made.tile = tile ? tile : choose_tile(window_side(made.field, made.input), entries);
    made.columns = (int64_t)ceil(sqrt((double)made.k));
    made.rows = ((int64_t)made.k + made.columns - 1) / made.columns;
    ZF_TRY(allocate(&made, err));
    *sprites = made;
    made = (struct zf_sprites){0};
fail:
    zf_sprites_release(&made);
    return status;
}

enum zf_status zf_sprites_init_row(struct zf_sprites *sprites, const struct zf_net *net,
                                   const struct zf_top_layer *layer, size_t k, struct zf_error *err)
{
    enum zf_status status;
    struct zf_sprites made = empty_sprites(net, layer);
    const int64_t side = window_side(made.field, made.input);

    made.k = k;
    made.tile = choose_tile(side > ROW_WISHED ? side : ROW_WISHED, (int64_t)(k * layer->map_count));
    made.columns = (int64_t)k;
    made.rows = 1;
    ZF_TRY(allocate(&made, err));
    *sprites = made;
    made = (struct zf_sprites){0};
fail:
    zf_sprites_release(&made);
    return status;
}

void zf_sprites_release(struct zf_sprites *sprites)
{
    for (size_t m = 0; sprites->pictures && m < sprites->layer->map_count; m++)
        zf_picture_release(&sprites->pictures[m]);
    zf_free(sprites->pictures);
    zf_free(sprites->limits);
    *sprites = (struct zf_sprites){0};
}

/* The window of a cell, square and unclipped; the whole input where the window is larger. */
static struct zf_box window_of(const struct zf_sprites *sprites, const struct zf_top_entry *entry)
{
    const struct zf_receptive_field *field = &sprites->field;
    int64_t side = window_side(*field, sprites->input);
    struct zf_box window = {.width = side, .height = side};

    if (field->global || field->width > sprites->input.w)
        window.x = (sprites->input.w - side) / 2;
    else
        window.x = entry->x * field->stride_x + field->start_x - (side - field->width) / 2;
    if (field->global || field->height > sprites->input.h)
        window.y = (sprites->input.h - side) / 2;
    else
        window.y = entry->y * field->stride_y + field->start_y - (side - field->height) / 2;
    return window;
}

/* What two boxes share; a box without width or height where they do not meet. */
static struct zf_box meet(struct zf_box a, struct zf_box b)
{
    int64_t right = a.x + a.width < b.x + b.width ? a.x + a.width : b.x + b.width;
    int64_t bottom = a.y + a.height < b.y + b.height ? a.y + a.height : b.y + b.height;
    int64_t x = a.x > b.x ? a.x : b.x, y = a.y > b.y ? a.y : b.y;

    return (struct zf_box){x, y, right > x ? right - x : 0, bottom > y ? bottom - y : 0};
}

/* Bring a window to the size of a tile and put it at (column, row) of a sprite. */
static enum zf_status place_tile(const struct zf_picture *window, int64_t tile, int64_t column,
                                 int64_t row, struct zf_picture *sprite, struct zf_error *err)
{
    struct zf_picture small = {0};
    enum zf_status status =
        zf_picture_square(window, zf_geometry_square(ZF_RESIZE_WARP, tile), &small, err);

    if (status == ZF_OK)
        zf_canvas_paste(sprite, column * tile, row * tile, &small,
                        (struct zf_box){0, 0, tile, tile});
    zf_picture_release(&small);
    return status;
}

enum zf_status zf_sprites_draw(struct zf_sprites *sprites, size_t map, size_t rank,
                               const float *input, const float *projection, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_top_entry *entry = &sprites->layer->maps[map].entries[rank];
    const struct zf_box box = window_of(sprites, entry);
    const struct zf_box shown =
        meet(meet(box, entry->patch), (struct zf_box){0, 0, sprites->input.w, sprites->input.h});
    const int64_t column = (int64_t)rank % sprites->columns, row = (int64_t)rank / sprites->columns;
    const float limit = zf_signal_limit(projection, sprites->input, shown, ZF_CUT_SHARE);
    struct zf_picture *sprite = &sprites->pictures[map];
    struct zf_picture window = {0}, picture = {0};

    sprites->limits[map * sprites->k + rank] = limit;
    ZF_TRY(zf_picture_init(&window, box.width, box.height, err));
    fill_grey(&window);
    ZF_TRY(zf_picture_from_signal(projection, sprites->input, shown, limit,
                                  sprites->preparation->channels, &picture, err));
    zf_canvas_paste(&window, shown.x - box.x, shown.y - box.y, &picture,
                    (struct zf_box){0, 0, shown.width, shown.height});
    ZF_TRY(place_tile(&window, sprites->tile, column, row, sprite, err));

    zf_picture_release(&picture);
    fill_grey(&window);
    ZF_TRY(zf_picture_from_input(input, sprites->input, sprites->preparation, &picture, err));
    zf_canvas_paste(&window, shown.x - box.x, shown.y - box.y, &picture, shown);
    ZF_TRY(place_tile(&window, sprites->tile, sprites->columns + column, row, sprite, err));
fail:
    zf_picture_release(&picture);
    zf_picture_release(&window);
    return status;
}

/* A patch in its place within an input that is zero elsewhere. */
static float *put_back(const float *patch, struct zf_box box, struct zf_shape shape)
{
    float *dst = zf_alloc((size_t)(shape.c * shape.h * shape.w), sizeof *dst);

    for (int64_t c = 0; dst && c < shape.c; c++) {
        for (int64_t y = 0; y < box.height; y++)
            memcpy(dst + (c * shape.h + box.y + y) * shape.w + box.x,
                   patch + (c * box.height + y) * box.width, (size_t)box.width * sizeof *dst);
    }
    return dst;
}

enum zf_status zf_sprites_draw_patch(struct zf_sprites *sprites, size_t map, size_t rank,
                                     const float *input, const float *projection,
                                     struct zf_error *err)
{
    const struct zf_box box = sprites->layer->maps[map].entries[rank].patch;
    float *whole = put_back(input, box, sprites->input);
    float *signal = put_back(projection, box, sprites->input);
    enum zf_status status = whole && signal
                                ? zf_sprites_draw(sprites, map, rank, whole, signal, err)
                                : zf_no_memory(err, "a patch");

    zf_free(signal);
    zf_free(whole);
    return status;
}

/* Scale what is drawn in one tile towards grey. */
static void weaken_tile(struct zf_sprites *sprites, size_t map, size_t rank, float factor)
{
    struct zf_picture *sprite = &sprites->pictures[map];
    int64_t tile = sprites->tile;
    int64_t left = (int64_t)rank % sprites->columns * tile;
    int64_t top = (int64_t)rank / sprites->columns * tile;

    for (int64_t y = top; y < top + tile; y++) {
        uint8_t *row = sprite->pixels + (y * sprite->width + left) * 3;

        for (int64_t i = 0; i < tile * 3; i++)
            row[i] = (uint8_t)lroundf(ZF_GREY + factor * (float)(row[i] - ZF_GREY));
    }
}

static float largest(const float *values, size_t count)
{
    float max = 0.0f;

    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}

void zf_sprites_finish(struct zf_sprites *sprites, enum zf_contrast contrast)
{
    const size_t maps = sprites->layer->map_count, k = sprites->k;
    const float shared = largest(sprites->limits, maps * k);

    if (contrast == ZF_CONTRAST_IMAGE)
        return;
    for (size_t m = 0; m < maps; m++) {
        const float *limits = sprites->limits + m * k;
        const float limit = contrast == ZF_CONTRAST_SHARED ? shared : largest(limits, k);

        for (size_t rank = 0; rank < sprites->layer->maps[m].count; rank++) {
            if (limits[rank] < limit)
                weaken_tile(sprites, m, rank, limits[rank] / limit);
        }
    }
}
