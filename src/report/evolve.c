/* SPDX-License-Identifier: MIT */
/* Figure 4: how the strongest activation of each map looks from epoch to epoch. */
#include "zf/evolve.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/chart.h"
#include "report/report.h"
#include "zf/document.h"

#define PAPER 255
#define MARGIN 12 /* px */
#define GAP 3     /* px between tiles */
#define HEAD 14   /* px above the rows, for the epochs */
#define CORNER 9  /* px of the mark of a change */

static const uint8_t mark_colour[3] = {0xdd, 0x4a, 0x12};

/* ---- A layer's sheet. ---- */

static enum zf_status draw_tiles(const struct zf_evolution *evolution,
                                 const struct zf_evolve_layer *layer, struct zf_sprites *sprites,
                                 struct zf_error *err)
{
    for (size_t m = 0; m < layer->map_count; m++) {
        const struct zf_evolve_map *map = &layer->maps[m];

        for (size_t e = 0; e < evolution->epoch_count; e++) {
            enum zf_status status = map->projections[e]
                                        ? zf_sprites_draw_patch(sprites, m, e, map->patches[e],
                                                                map->projections[e], err)
                                        : ZF_OK;

            if (status != ZF_OK)
                return status;
        }
    }
    return ZF_OK;
}

static void copy_tile(struct zf_picture *sheet, int64_t left, int64_t top,
                      const struct zf_picture *sprite, int64_t x, int64_t tile)
{
    for (int64_t row = 0; row < tile; row++)
        memcpy(sheet->pixels + ((top + row) * sheet->width + left) * 3,
               sprite->pixels + (row * sprite->width + x) * 3, (size_t)tile * 3);
}

/* A triangle in the upper left corner. */
static void mark(struct zf_picture *sheet, int64_t left, int64_t top)
{
    for (int64_t y = 0; y < CORNER; y++) {
        for (int64_t x = 0; x < CORNER - y; x++)
            memcpy(sheet->pixels + ((top + y) * sheet->width + left + x) * 3, mark_colour, 3);
    }
}

static int64_t digits_of(int64_t number)
{
    int64_t digits = 1;

    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

/* Two blocks, projections and patches, each with a column an epoch and a row a map. */
static enum zf_status draw_sheet(const struct zf_evolution *evolution,
                                 const struct zf_evolve_layer *layer,
                                 const struct zf_sprites *sprites, struct zf_picture *sheet,
                                 struct zf_error *err)
{
    const int64_t count = (int64_t)evolution->epoch_count, tile = sprites->tile;
    const int64_t pitch = tile + GAP, block = count * pitch + MARGIN;
    const int64_t left = MARGIN + 5 * ZF_NUMBER_PITCH, top = MARGIN + HEAD;
    enum zf_status status = zf_picture_init(sheet, left + 2 * block,
                                            top + (int64_t)layer->map_count * pitch + MARGIN, err);

    if (status != ZF_OK)
        return status;
    memset(sheet->pixels, PAPER, (size_t)(sheet->width * sheet->height * 3));
    for (int64_t i = 0; i < 2 * count; i++) {
        const int64_t e = i % count, x = left + i / count * block + e * pitch;
        const int64_t width = digits_of(evolution->epochs[e]) * ZF_NUMBER_PITCH;

        zf_sheet_number(sheet, x + (tile > width ? (tile - width) / 2 : 0), MARGIN,
                        evolution->epochs[e]);
        for (size_t m = 0; m < layer->map_count; m++) {
            const int64_t y = top + (int64_t)m * pitch;

            copy_tile(sheet, x, y, &sprites->pictures[m], i * tile, tile);
            if (layer->maps[m].changed[e])
                mark(sheet, x, y);
        }
    }
    for (size_t m = 0; m < layer->map_count; m++)
        zf_sheet_number(sheet, MARGIN, top + (int64_t)m * pitch + tile / 2 - 3, layer->maps[m].map);
    return ZF_OK;
}

static enum zf_status layer_picture(const struct zf_evolution *evolution,
                                    const struct zf_evolve_layer *layer, struct zf_picture *sheet,
                                    struct zf_error *err)
{
    struct zf_top_layer top = {.layer = layer->layer, .map_count = layer->map_count};
    struct zf_sprites sprites = {0};
    enum zf_status status;

    top.maps = zf_alloc(layer->map_count, sizeof *top.maps);
    if (!top.maps)
        return zf_fail(err, ZF_ENOMEM, "out of memory for %zu maps", layer->map_count);
    for (size_t m = 0; m < layer->map_count; m++)
        top.maps[m] =
            (struct zf_top_map){layer->maps[m].map, evolution->epoch_count, layer->maps[m].entries};
    ZF_TRY(zf_sprites_init_row(&sprites, evolution->net, &top, evolution->epoch_count, err));
    ZF_TRY(draw_tiles(evolution, layer, &sprites, err));
    ZF_TRY(draw_sheet(evolution, layer, &sprites, sheet, err));
fail:
    zf_sprites_release(&sprites);
    zf_free(top.maps);
    return status;
}

static enum zf_status add_layer(const struct zf_evolution *evolution, size_t l,
                                struct zf_document *document, struct zf_error *err)
{
    const struct zf_evolve_layer *layer = &evolution->layers[l];
    const char *name = zf_net_layer(evolution->net, layer->layer).name;
    enum zf_status status;
    struct zf_picture sheet = {0};
    char *slug = zf_name_slug(name, layer->layer), *file = slug ? zf_format("%s.png", slug) : NULL;
    char *caption = zf_format(
        "%s: a row a map, with its number; a column a kept epoch. On the left, the projection of "
        "the map's strongest activation in all pictures, each at its own contrast; on the right, "
        "the patch it comes from. A corner marks where another picture than at the epoch before "
        "became the strongest.",
        name);

    if (!file || !caption) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the sheet of %s", name);
        goto fail;
    }
    ZF_TRY(layer_picture(evolution, layer, &sheet, err));
    ZF_TRY(zf_document_heading(document, name, err));
    ZF_TRY(zf_document_picture(document, file, caption, &sheet, err));
fail:
    zf_picture_release(&sheet);
    zf_free(caption);
    zf_free(file);
    zf_free(slug);
    return status;
}

/* ---- Numbers. ---- */

static const double *similarity(const struct zf_evolve_map *map, bool filter)
{
    return filter ? map->similarity_filter : map->similarity_projection;
}

/* Mean over the maps, NAN where none has one. */
static double mean_similarity(const struct zf_evolve_layer *layer, size_t e, bool filter)
{
    double sum = 0;
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++) {
        const double value = similarity(&layer->maps[m], filter)[e];

        if (isnan(value))
            continue;
        sum += value;
        count++;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

static enum zf_status add_curves(const struct zf_evolution *evolution, struct zf_document *document,
                                 struct zf_error *err)
{
    static const char *const titles[] = {"Projections", "Filters"};
    const size_t epochs = evolution->epoch_count, every = zf_chart_every(evolution->layer_count);
    const size_t layers = (evolution->layer_count + every - 1) / every;
    const bool wide =
        evolution->epochs[0] > 0 && evolution->epochs[epochs - 1] >= 10 * evolution->epochs[0];
    double *x = zf_alloc(epochs, sizeof *x), *y = zf_alloc(2 * layers * epochs, sizeof *y);
    struct zf_series *series = zf_alloc(2 * layers, sizeof *series);
    struct zf_chart charts[2];
    enum zf_status status;

    if (!x || !y || !series) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the curves of %zu layers", layers);
        goto fail;
    }
    for (size_t e = 0; e < epochs; e++)
        x[e] = (double)evolution->epochs[e];
    for (size_t i = 0; i < 2 * layers; i++) {
        const struct zf_evolve_layer *layer = &evolution->layers[i % layers * every];

        for (size_t e = 0; e < epochs; e++)
            y[i * epochs + e] = mean_similarity(layer, e, i >= layers);
        series[i] = (struct zf_series){zf_net_layer(evolution->net, layer->layer).name, x,
                                       y + i * epochs, NULL, epochs};
    }
    for (size_t i = 0; i < 2; i++)
        charts[i] = (struct zf_chart){.kind = ZF_CHART_LINES,
                                      .title = titles[i],
                                      .x_label = "epoch",
                                      .y_label = "cosine with the last kept epoch's",
                                      .series = series + i * layers,
                                      .series_count = layers,
                                      .from_zero = true,
                                      .log_x = wide};
    status = zf_document_charts(
        document, "curves.svg",
        "How like their final form the maps' projections and filters already are, mean over the "
        "maps shown. A layer settles where its curve comes near 1.",
        charts, 2, 2, err);
fail:
    zf_free(series);
    zf_free(y);
    zf_free(x);
    return status;
}

static double changed_share(const struct zf_evolution *evolution,
                            const struct zf_evolve_layer *layer)
{
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++) {
        for (size_t e = 1; e < evolution->epoch_count; e++)
            count += layer->maps[m].changed[e];
    }
    return (double)count / (double)(layer->map_count * (evolution->epoch_count - 1));
}

#define COLUMNS 5

static enum zf_status add_table(const struct zf_evolution *evolution, struct zf_document *document,
                                struct zf_error *err)
{
    static const char *const columns[COLUMNS] = {"layer", "maps", "settled at epoch",
                                                 "first filter similarity", "pictures changed, %"};
    const size_t count = evolution->layer_count * COLUMNS;
    char **cells = zf_alloc(count, sizeof *cells);
    char *caption = zf_format(
        "The epoch at which half of a layer's maps have settled: from then on their filters (in a "
        "layer without, their projections) stay at a cosine of %.3g or more with the last kept "
        "epoch's (%" PRId64
        "). That epoch itself means: not before. The last column is the share of steps from one "
        "kept epoch to the next at which another picture became a map's strongest.",
        evolution->bound, evolution->epochs[evolution->epoch_count - 1]);
    enum zf_status status = ZF_OK;

    for (size_t l = 0; cells && l < evolution->layer_count; l++) {
        const struct zf_evolve_layer *layer = &evolution->layers[l];
        const double first = mean_similarity(layer, 0, true);
        char **row = cells + l * COLUMNS;

        row[0] = zf_strdup(zf_net_layer(evolution->net, layer->layer).name);
        row[1] = zf_format("%zu", layer->map_count);
        row[2] = zf_format("%" PRId64, evolution->epochs[layer->settled]);
        row[3] = isnan(first) ? zf_strdup("–") : zf_format("%.2f", first);
        row[4] = zf_format("%.0f", 100 * changed_share(evolution, layer));
    }
    for (size_t i = 0; cells && status == ZF_OK && i < count; i++) {
        if (!cells[i])
            status = zf_fail(err, ZF_ENOMEM, "out of memory for a table");
    }
    if (!cells || !caption)
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a table");
    if (status == ZF_OK)
        status = zf_document_table(document,
                                   &(struct zf_table){.caption = caption,
                                                      .columns = columns,
                                                      .column_count = COLUMNS,
                                                      .cells = (const char *const *)cells,
                                                      .row_count = evolution->layer_count},
                                   err);
    for (size_t i = 0; cells && i < count; i++)
        zf_free(cells[i]);
    zf_free(cells);
    zf_free(caption);
    return status;
}

/* ---- The document. ---- */

static enum zf_status add_parameters(const struct zf_evolution *evolution,
                                     const struct zf_data *data, struct zf_document *document,
                                     struct zf_error *err)
{
    enum zf_status status;
    char *epochs = zf_strdup(""), *bound = zf_format("%.3g", evolution->bound);

    for (size_t e = 0; epochs && e < evolution->epoch_count; e++) {
        char *longer = zf_format("%s%s%" PRId64, epochs, e > 0 ? ", " : "", evolution->epochs[e]);

        zf_free(epochs);
        epochs = longer;
    }
    if (!epochs || !bound) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the parameters");
        goto fail;
    }
    ZF_TRY(zf_document_parameter(document, "net", zf_net_name(evolution->net), err));
    ZF_TRY(zf_document_parameter(document, "pictures", zf_data_name(data), err));
    ZF_TRY(zf_document_parameter(document, "kept epochs", epochs, err));
    ZF_TRY(zf_document_parameter(document, "settled from a cosine of", bound, err));
fail:
    zf_free(epochs);
    zf_free(bound);
    return status;
}

enum zf_status zf_evolve_report(const struct zf_evolution *evolution, const struct zf_data *data,
                                const char *command, const char *directory, struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *document = NULL;
    char *json = NULL;

    if (zf_net_input(evolution->net).c != 3)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s looks at %" PRId64 " channels: only colour pictures, of 3, can be shown",
                       zf_net_name(evolution->net), zf_net_input(evolution->net).c);
    ZF_TRY(zf_document_create(directory, "evolve", "How the features grew in training", command,
                              &document, err));
    ZF_TRY(add_parameters(evolution, data, document, err));
    ZF_TRY(add_curves(evolution, document, err));
    ZF_TRY(add_table(evolution, document, err));
    for (size_t l = 0; l < evolution->layer_count; l++)
        ZF_TRY(add_layer(evolution, l, document, err));
    ZF_TRY(zf_evolve_json(evolution, data, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_text_free(json);
    zf_document_free(&document);
    return status;
}
