/* SPDX-License-Identifier: MIT */
/* Evolution as numbers, as a page with figure 4, and in a few lines. */
#include "experiments/evolve/evolve.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "page/canvas.h"
#include "page/chart.h"
#include "page/document.h"
#include "page/sprites.h"

#define MARGIN 12       /* px */
#define GAP 3           /* px between tiles */
#define HEAD 20         /* px above the rows, for the epochs */
#define CORNER 9        /* px of the mark of a change */
#define PANEL_TILE 54   /* px of a tile on the page, at least */
#define PANEL_LEAST 200 /* px of a map on the page, at least */

static const uint8_t mark_colour[3] = {0xdd, 0x4a, 0x12};

static const char *name_of(const struct zf_evolution *evolution,
                           const struct zf_evolve_layer *layer)
{
    return zf_net_layer(evolution->net, layer->layer).name;
}

/* ---- Numbers. ---- */

static void add_map(struct zf_json *json, const struct zf_evolution *evolution,
                    const struct zf_data *data, const struct zf_evolve_map *map)
{
    zf_json_object(json, NULL);
    zf_json_int(json, "map", map->map);
    zf_json_array(json, "epochs");
    for (size_t e = 0; e < evolution->epoch_count; e++) {
        const struct zf_top_entry *entry = &map->entries[e];

        zf_json_object(json, NULL);
        zf_json_int(json, "epoch", evolution->epochs[e]);
        zf_json_text(json, "image", entry->sample >= 0 ? zf_data_path(data, entry->sample) : NULL);
        zf_json_real(json, "activation", (double)entry->activation);
        zf_json_flag(json, "changed", map->changed[e]);
        zf_json_real(json, "similarity_projection", map->similarity_projection[e]);
        zf_json_real(json, "similarity_filter", map->similarity_filter[e]);
        zf_json_real(json, "similarity_feature", map->similarity_feature[e]);
        zf_json_real(json, "share", map->share[e]);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_real(json, "similarity_start", map->similarity_start);
    zf_json_int(json, "settled_epoch", evolution->epochs[map->settled]);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_evolution *evolution,
                        const struct zf_data *data)
{
    zf_json_array(json, "epochs");
    for (size_t e = 0; e < evolution->epoch_count; e++)
        zf_json_int(json, NULL, evolution->epochs[e]);
    zf_json_end(json);
    zf_json_real(json, "bound", evolution->bound);
    zf_json_text(json, "start", evolution->drawn ? "drawn" : "first kept epoch");
    zf_json_array(json, "layers");
    for (size_t l = 0; l < evolution->layer_count; l++) {
        const struct zf_evolve_layer *layer = &evolution->layers[l];

        zf_json_object(json, NULL);
        zf_json_text(json, "name", name_of(evolution, layer));
        zf_json_array(json, "maps");
        for (size_t m = 0; m < layer->map_count; m++)
            add_map(json, evolution, data, &layer->maps[m]);
        zf_json_end(json);
        zf_json_int(json, "settled_epoch", evolution->epochs[layer->settled]);
        zf_json_end(json);
    }
    zf_json_end(json);
}

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

/* A triangle in the upper left corner. */
static void mark(struct zf_picture *sheet, int64_t left, int64_t top)
{
    for (int64_t y = 0; y < CORNER; y++) {
        for (int64_t x = 0; x < CORNER - y; x++)
            memcpy(sheet->pixels + ((top + y) * sheet->width + left + x) * 3, mark_colour, 3);
    }
}

/* Room for the numbers of the maps, left of their rows. */
static int64_t numbers_width(const struct zf_evolve_layer *layer)
{
    double widest = 0.0;

    for (size_t m = 0; m < layer->map_count; m++)
        widest = fmax(widest, zf_sheet_number_width(layer->maps[m].map));
    return (int64_t)ceil(widest) + MARGIN;
}

/* Where a map's tiles begin: its projections, and below them the patches. */
static int64_t map_top(const struct zf_sprites *sprites, size_t m)
{
    return MARGIN + HEAD + (int64_t)m * (2 * (sprites->tile + GAP) + MARGIN);
}

static int64_t tiles_left(const struct zf_evolve_layer *layer)
{
    return MARGIN + numbers_width(layer);
}

/* A column an epoch, two rows a map: projections, and the patches below. */
static enum zf_status draw_sheet(const struct zf_evolution *evolution,
                                 const struct zf_evolve_layer *layer,
                                 const struct zf_sprites *sprites, struct zf_picture *sheet,
                                 struct zf_error *err)
{
    const int64_t count = (int64_t)evolution->epoch_count, tile = sprites->tile;
    const int64_t pitch = tile + GAP, left = tiles_left(layer);
    enum zf_status status = zf_canvas_init(sheet, left + count * pitch + MARGIN,
                                           map_top(sprites, layer->map_count), err);

    if (status != ZF_OK)
        return status;
    for (int64_t e = 0; e < count; e++) {
        const int64_t x = left + e * pitch;
        const int64_t width = lround(zf_sheet_number_width(evolution->epochs[e]));

        zf_sheet_number(sheet, x + (tile > width ? (tile - width) / 2 : 0), MARGIN,
                        evolution->epochs[e]);
        for (size_t m = 0; m < layer->map_count; m++) {
            const int64_t y = map_top(sprites, m);

            for (int64_t i = 0; i < 2; i++)
                zf_canvas_paste(sheet, x, y + i * pitch, &sprites->pictures[m],
                                (struct zf_box){(i * count + e) * tile, 0, tile, tile});
            if (layer->maps[m].changed[e])
                mark(sheet, x, y);
        }
    }
    for (size_t m = 0; m < layer->map_count; m++)
        zf_sheet_number(sheet, MARGIN, map_top(sprites, m) + (tile - ZF_NUMBER_HEIGHT) / 2,
                        layer->maps[m].map);
    return ZF_OK;
}

/* A map a panel; NULL when memory is short, which the document knows then. */
static const struct zf_panel *list_panels(const struct zf_evolution *evolution,
                                          const struct zf_evolve_layer *layer,
                                          const struct zf_sprites *sprites,
                                          struct zf_document *document)
{
    const size_t count = evolution->epoch_count;
    const int64_t left = tiles_left(layer), tile = sprites->tile;
    struct zf_panel *panels = zf_document_room(document, layer->map_count, sizeof *panels);
    const char **heads = zf_document_room(document, count, sizeof *heads);

    for (size_t e = 0; heads && e < count; e++)
        heads[e] = zf_document_words(document, e == 0 ? "epoch %" PRId64 : "%" PRId64,
                                     evolution->epochs[e]);
    for (size_t m = 0; panels && heads && m < layer->map_count; m++)
        panels[m] = (struct zf_panel){
            .box = {left, map_top(sprites, m), tile, tile},
            .columns = (int64_t)count,
            .rows = 2,
            .gap = GAP,
            .title = zf_document_words(document, "map %" PRId64, layer->maps[m].map),
            .heads = heads,
        };
    return panels && heads ? panels : NULL;
}

static enum zf_status layer_picture(const struct zf_evolution *evolution,
                                    const struct zf_evolve_layer *layer,
                                    struct zf_document *document, struct zf_picture *sheet,
                                    const struct zf_panel **panels, struct zf_error *err)
{
    struct zf_top_layer top = {.layer = layer->layer, .map_count = layer->map_count};
    struct zf_sprites sprites = {0};
    enum zf_status status;

    top.maps = zf_alloc(layer->map_count, sizeof *top.maps);
    if (!top.maps)
        return zf_no_memory(err, "%zu maps", layer->map_count);
    for (size_t m = 0; m < layer->map_count; m++)
        top.maps[m] =
            (struct zf_top_map){layer->maps[m].map, evolution->epoch_count, layer->maps[m].entries};
    ZF_TRY(zf_sprites_init_row(&sprites, evolution->net, &top, evolution->epoch_count, err));
    ZF_TRY(draw_tiles(evolution, layer, &sprites, err));
    ZF_TRY(draw_sheet(evolution, layer, &sprites, sheet, err));
    *panels = list_panels(evolution, layer, &sprites, document);
fail:
    zf_sprites_release(&sprites);
    zf_free(top.maps);
    return status;
}

static void add_layer(const struct zf_evolution *evolution, const struct zf_evolve_layer *layer,
                      struct zf_document *document)
{
    const int64_t width = PANEL_TILE * (int64_t)evolution->epoch_count;
    const char *name = name_of(evolution, layer);
    const struct zf_panel *panels = NULL;
    struct zf_picture sheet = {0};
    struct zf_error err = {0};

    if (layer_picture(evolution, layer, document, &sheet, &panels, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    zf_document_heading(document, "%s", name);
    zf_layer_sheet(document, &sheet, evolution->net, layer->layer, panels, layer->map_count,
                   width < PANEL_LEAST ? PANEL_LEAST : width,
                   zf_document_words(
                       document,
                       "%s, kept epoch by kept epoch: above, the projection of a map's strongest "
                       "activation in all pictures, each at its own contrast; below, the patch it "
                       "comes from. A corner marks where another picture than at the epoch before "
                       "became the strongest.",
                       name));
    zf_picture_release(&sheet);
}

/* ---- The curves and the table. ---- */

enum curve { FEATURES, PROJECTIONS, FILTERS, CURVES };

static const double *curve_of(const struct zf_evolve_map *map, enum curve curve)
{
    const double *const values[CURVES] = {map->share, map->similarity_projection,
                                          map->similarity_filter};

    return values[curve];
}

/* Mean over the maps, NAN where none has one. */
static double mean_of(const struct zf_evolve_layer *layer, size_t e, enum curve curve)
{
    double sum = 0;
    size_t count = 0;

    for (size_t m = 0; m < layer->map_count; m++) {
        const double value = curve_of(&layer->maps[m], curve)[e];

        if (isnan(value))
            continue;
        sum += value;
        count++;
    }
    return count > 0 ? sum / (double)count : (double)NAN;
}

static void add_curves(const struct zf_evolution *evolution, struct zf_document *document)
{
    static const char *const titles[CURVES] = {"Features", "Projections", "Filters"};
    static const char *const units[CURVES] = {"share of the way to the last kept epoch's",
                                              "cosine with the last kept epoch's",
                                              "cosine with the last kept epoch's"};
    const size_t epochs = evolution->epoch_count, every = zf_chart_every(evolution->layer_count);
    const size_t layers = (evolution->layer_count + every - 1) / every;
    const bool wide =
        evolution->epochs[0] > 0 && evolution->epochs[epochs - 1] >= 10 * evolution->epochs[0];
    double *x = zf_document_room(document, epochs, sizeof *x);
    double *y = zf_document_room(document, CURVES * layers * epochs, sizeof *y);
    struct zf_series *series = zf_document_room(document, CURVES * layers, sizeof *series);
    struct zf_chart charts[CURVES];

    if (!x || !y || !series)
        return;
    for (size_t e = 0; e < epochs; e++)
        x[e] = (double)evolution->epochs[e];
    for (size_t i = 0; i < CURVES * layers; i++, y += epochs) {
        const struct zf_evolve_layer *layer = &evolution->layers[i % layers * every];

        for (size_t e = 0; e < epochs; e++)
            y[e] = mean_of(layer, e, (enum curve)(i / layers));
        series[i] = (struct zf_series){name_of(evolution, layer), x, y, NULL, epochs};
    }
    for (size_t i = 0; i < CURVES; i++)
        charts[i] = (struct zf_chart){.kind = ZF_CHART_LINES,
                                      .title = titles[i],
                                      .x_label = "epoch",
                                      .y_label = units[i],
                                      .series = series + i * layers,
                                      .series_count = layers,
                                      .from_zero = true,
                                      .log_x = wide};
    zf_document_charts(
        document, charts, CURVES, 2, "curves.svg",
        "How near to their final form the maps are, mean over the maps shown: their "
        "features, as a share of the way that they had to go; their projections; and "
        "their filters. A layer settles where its curve of features comes near 1. "
        "Filters of wide layers are alike from the beginning, since they move little "
        "from where they were drawn.");
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

static const char *start_of(const struct zf_evolution *evolution)
{
    return evolution->drawn ? "the random start" : "those of the first kept epoch";
}

static void add_table(const struct zf_evolution *evolution, struct zf_document *document)
{
    static const char *const columns[] = {"layer", "maps", "settled at epoch", "share at the first",
                                          "pictures changed, %"};

    zf_document_table(
        document, columns, ZF_COUNT(columns),
        "The epoch at which half of a layer's maps have settled: from then on their features stay "
        "at "
        "%.3g or more of the way from %s to those of the last kept epoch (%" PRId64
        "), by the correlation of their activations on %" PRId64
        " pictures. That epoch itself means: "
        "not before. Beside it the share that they had come at the first kept epoch, mean of the "
        "maps. The last column is the share of steps from one kept epoch to the next at which "
        "another "
        "picture became a map's strongest.",
        evolution->bound, start_of(evolution), evolution->epochs[evolution->epoch_count - 1],
        evolution->sample_count);
    for (size_t l = 0; l < evolution->layer_count; l++) {
        const struct zf_evolve_layer *layer = &evolution->layers[l];
        const double first = mean_of(layer, 0, FEATURES);

        zf_document_cell(document, "%s", name_of(evolution, layer));
        zf_document_cell(document, "%zu", layer->map_count);
        zf_document_cell(document, "%" PRId64, evolution->epochs[layer->settled]);
        zf_document_number(document, 2, first);
        zf_document_cell(document, "%.0f", 100 * changed_share(evolution, layer));
    }
}

/* ---- The document. ---- */

static void add_parameters(const struct zf_evolution *evolution, const struct zf_data *data,
                           struct zf_document *document)
{
    const char *epochs = "";

    for (size_t e = 0; e < evolution->epoch_count; e++)
        epochs = zf_document_words(document, "%s%s%" PRId64, epochs, e > 0 ? ", " : "",
                                   evolution->epochs[e]);
    zf_document_parameter(document, "net", "%s", zf_net_name(evolution->net));
    zf_document_parameter(document, "pictures", "%s", zf_data_name(data));
    zf_document_parameter(document, "kept epochs", "%s", epochs);
    zf_document_parameter(document, "settled from", "%.3g of the way from %s", evolution->bound,
                          start_of(evolution));
}

static void say(const struct zf_evolution *evolution, struct zf_document *document)
{
    zf_document_say(document, "%-12s%8s  %s\n", "layer", "maps", "settled at epoch");
    for (size_t l = 0; l < evolution->layer_count; l++) {
        const struct zf_evolve_layer *layer = &evolution->layers[l];

        zf_document_say(document, "%-12s%8zu  %" PRId64 "%s\n", name_of(evolution, layer),
                        layer->map_count, evolution->epochs[layer->settled],
                        layer->settled + 1 == evolution->epoch_count ? ", the last: not before"
                                                                     : "");
    }
}

void zf_evolve_page(const struct zf_evolution *evolution, const struct zf_data *data,
                    struct zf_document *document)
{
    add_parameters(evolution, data, document);
    add_curves(evolution, document);
    add_table(evolution, document);
    for (size_t l = 0; l < evolution->layer_count; l++)
        add_layer(evolution, &evolution->layers[l], document);
    add_numbers(zf_document_numbers(document), evolution, data);
    say(evolution, document);
}
