/* SPDX-License-Identifier: MIT */
/* Figure 6: the first layer's filters, the second's projections, and what was measured of them. */
#include "zf/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/chart.h"
#include "report/report.h"
#include "zf/document.h"

#define FILTER_TILE 44 /* px */

/* ---- Pictures. ---- */

static enum zf_status add_picture(struct zf_document *document, const char *name, int layer,
                                  const char *caption, const struct zf_picture *picture,
                                  struct zf_error *err)
{
    char *slug = zf_name_slug(name, layer), *file = slug ? zf_format("%s.png", slug) : NULL;
    enum zf_status status =
        file ? zf_document_picture(document, file, caption, picture, err)
             : zf_fail(err, ZF_ENOMEM, "out of memory for the sheet of %s", name);

    zf_free(file);
    zf_free(slug);
    return status;
}

static enum zf_status add_filters(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                  struct zf_document *document, struct zf_error *err)
{
    const int layer = diagnosis->layers[0].layer;
    const char *name = zf_net_layer(net, layer).name;
    enum zf_status status;
    struct zf_picture sheet = {0};

    if (zf_net_input(net).c != 3)
        return ZF_OK;
    ZF_TRY(zf_filters_picture(net, layer, FILTER_TILE, &sheet, err));
    ZF_TRY(add_picture(document, name, layer,
                       "The first layer's filters in reading order, each at its own contrast: "
                       "grey is zero. Smooth edges and blobs of colour are what a healthy layer "
                       "has; grey or speckled ones have learned nothing.",
                       &sheet, err));
fail:
    zf_picture_release(&sheet);
    return status;
}

static enum zf_status add_projections(const struct zf_net *net,
                                      const struct zf_diagnosis *diagnosis,
                                      struct zf_document *document, struct zf_error *err)
{
    const struct zf_top_layer *second = diagnosis->second ? &diagnosis->second->layers[0] : NULL;
    enum zf_status status;
    struct zf_sprites sprites = {0};
    struct zf_picture sheet = {0};

    if (!second || zf_net_input(net).c != 3)
        return ZF_OK;
    ZF_TRY(zf_sprites_init_row(&sprites, net, second, 1, err));
    for (size_t m = 0; m < second->map_count; m++) {
        if (diagnosis->projections[m])
            ZF_TRY(zf_sprites_draw_patch(&sprites, m, 0, diagnosis->patches[m],
                                         diagnosis->projections[m], err));
    }
    ZF_TRY(zf_sheet_draw(&sprites, second->map_count, &sheet, err));
    ZF_TRY(add_picture(document, zf_net_layer(net, second->layer).name, second->layer,
                       "The second layer: under the number of each map, the projection of its "
                       "strongest activation in all pictures, and the patch that it comes from. "
                       "Fine grids and speckles in the projections are aliasing.",
                       &sheet, err));
fail:
    zf_picture_release(&sheet);
    zf_sprites_release(&sprites);
    return status;
}

/* ---- Charts. ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The maps of each layer, or of some where there are many, by a value, the smallest first. */
static enum zf_status sort_maps(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                bool fired, struct zf_series series[ZF_CHART_SERIES],
                                double *values[ZF_CHART_SERIES], struct zf_error *err)
{
    const size_t every = zf_chart_every(diagnosis->layer_count);

    for (size_t i = 0; i < diagnosis->layer_count; i += every) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
        const size_t count = layer->map_count;
        double *x = zf_alloc(2 * count, sizeof *x), *y = x ? x + count : NULL;

        if (!x)
            return zf_fail(err, ZF_ENOMEM, "out of memory for %zu maps", count);
        values[i / every] = x;
        for (size_t m = 0; m < count; m++) {
            x[m] = ((double)m + 0.5) / (double)count;
            y[m] = fired                   ? layer->maps[m].fired_positions
                   : layer->median_rms > 0 ? layer->maps[m].rms / layer->median_rms
                                           : 0;
        }
        qsort(y, count, sizeof *y, compare_doubles);
        series[i / every] =
            (struct zf_series){zf_net_layer(net, layer->layer).name, x, y, NULL, count};
    }
    return ZF_OK;
}

static enum zf_status add_map_charts(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                     struct zf_document *document, struct zf_error *err)
{
    const size_t every = zf_chart_every(diagnosis->layer_count);
    const size_t count = (diagnosis->layer_count + every - 1) / every;
    struct zf_series sizes[ZF_CHART_SERIES] = {{0}}, firing[ZF_CHART_SERIES] = {{0}};
    double *values[2][ZF_CHART_SERIES] = {{NULL}};
    const struct zf_chart charts[] = {{.kind = ZF_CHART_LINES,
                                       .title = "Size of the filters",
                                       .x_label = "share of the layer's maps",
                                       .y_label = "RMS, as a multiple of the median",
                                       .series = sizes,
                                       .series_count = count,
                                       .from_zero = true},
                                      {.kind = ZF_CHART_LINES,
                                       .title = "How often maps fire",
                                       .x_label = "share of the layer's maps",
                                       .y_label = "share of positions above zero",
                                       .series = firing,
                                       .series_count = count,
                                       .from_zero = true}};
    const bool seen = diagnosis->images > 0;
    enum zf_status status;

    ZF_TRY(sort_maps(net, diagnosis, false, sizes, values[0], err));
    if (seen)
        ZF_TRY(sort_maps(net, diagnosis, true, firing, values[1], err));
    ZF_TRY(zf_document_charts(
        document, "maps.svg",
        seen ? "Each layer's maps in order of their value, the smallest on the left. A line that "
               "begins at zero on the right-hand chart is dead maps; one that shoots up at the end "
               "of the left-hand chart is filters that dominate."
             : "Each layer's filters in order of their size: a line that shoots up at the end is "
               "filters that dominate.",
        charts, seen ? 2 : 1, 2, err));
fail:
    for (size_t i = 0; i < count; i++) {
        zf_free(values[0][i]);
        zf_free(values[1][i]);
    }
    return status;
}

static enum zf_status add_bands(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                struct zf_document *document, struct zf_error *err)
{
    static const char *const bands[ZF_BANDS] = {"low, below 1/8", "middle", "high, above 1/4"};
    const size_t layers = diagnosis->layer_count;
    double *values = zf_alloc(ZF_BANDS * layers, sizeof *values);
    const char **names = zf_alloc(layers, sizeof *names);
    struct zf_series series[ZF_BANDS];
    enum zf_status status;

    if (!values || !names) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for %zu layers", layers);
        goto fail;
    }
    for (size_t i = 0; i < layers; i++) {
        names[i] = zf_net_layer(net, diagnosis->layers[i].layer).name;
        for (size_t b = 0; b < ZF_BANDS; b++)
            values[b * layers + i] = diagnosis->layers[i].band[b];
    }
    for (size_t b = 0; b < ZF_BANDS; b++)
        series[b] = (struct zf_series){bands[b], NULL, values + b * layers, NULL, layers};
    status = zf_document_charts(
        document, "frequencies.svg",
        "Where the energy of the filters lies, in cycles per pixel of what they look at. White "
        "noise has 0.05, 0.15 and 0.80; a first layer that has learned has much at low and middle "
        "frequencies.",
        &(struct zf_chart){.kind = ZF_CHART_BARS,
                           .title = "Spatial frequencies",
                           .y_label = "share of the energy",
                           .categories = names,
                           .category_count = layers,
                           .series = series,
                           .series_count = ZF_BANDS},
        1, 1, err);
fail:
    zf_free(names);
    zf_free(values);
    return status;
}

/* ---- Words. ---- */

#define COLUMNS 8

static enum zf_status add_table(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                struct zf_document *document, struct zf_error *err)
{
    static const char *const columns[COLUMNS] = {"layer",          "maps",       "dead",
                                                 "dominating",     "saturated",  "duplicates",
                                                 "middle band, %", "aliasing, %"};
    const size_t count = diagnosis->layer_count * COLUMNS;
    char **cells = zf_alloc(count, sizeof *cells);
    enum zf_status status = cells ? ZF_OK : zf_fail(err, ZF_ENOMEM, "out of memory for a table");

    for (size_t i = 0; cells && i < diagnosis->layer_count; i++) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
        char **row = cells + i * COLUMNS;

        row[0] = zf_strdup(zf_net_layer(net, layer->layer).name);
        row[1] = zf_format("%zu", layer->map_count);
        row[2] = zf_format("%zu", layer->dead);
        row[3] = zf_format("%zu", layer->dominating);
        row[4] = diagnosis->images > 0 ? zf_format("%zu", layer->saturated) : zf_strdup("–");
        row[5] = zf_format("%zu", layer->duplicate);
        row[6] = zf_format("%.0f", 100 * layer->band[ZF_BAND_MIDDLE]);
        row[7] = isnan(layer->aliasing) ? zf_strdup("–") : zf_format("%.0f", 100 * layer->aliasing);
    }
    for (size_t i = 0; cells && status == ZF_OK && i < count; i++) {
        if (!cells[i])
            status = zf_fail(err, ZF_ENOMEM, "out of memory for a table");
    }
    if (status == ZF_OK)
        status = zf_document_table(
            document,
            &(struct zf_table){
                .caption =
                    "Dead: above zero in fewer than 0.1 % of the pictures (without pictures: a "
                    "filter of zeros). Dominating: an RMS of more than 3 times the layer's median. "
                    "Saturated: above zero at 99 % of all places. Duplicates: a cosine of 0.95 or "
                    "more with an earlier filter. Aliasing: energy that the first layer's stride "
                    "folds, of its own filters, and of the second layer's projections.",
                .columns = columns,
                .column_count = COLUMNS,
                .cells = (const char *const *)cells,
                .row_count = diagnosis->layer_count},
            err);
    for (size_t i = 0; cells && i < count; i++)
        zf_free(cells[i]);
    zf_free(cells);
    return status;
}

/* Takes `text`. */
static enum zf_status add_sentence(struct zf_document *document, char *text, struct zf_error *err)
{
    const enum zf_status status = text ? zf_document_paragraph(document, text, err)
                                       : zf_fail(err, ZF_ENOMEM, "out of memory for a verdict");

    zf_free(text);
    return status;
}

/* A paragraph for each layer with something to say; the others share one. */
static enum zf_status add_verdicts(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                   struct zf_document *document, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *sound = NULL;
    const char *verdict = NULL;
    size_t count = 0;

    for (size_t i = 0; i < diagnosis->layer_count; i++) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
        const char *name = zf_net_layer(net, layer->layer).name;

        if (layer->sound) {
            char *longer = zf_format("%s%s%s", sound ? sound : "", sound ? ", " : "", name);

            zf_free(sound);
            sound = longer;
            verdict = layer->verdict;
            count++;
        } else {
            ZF_TRY(add_sentence(document, zf_format("%s: %s", name, layer->verdict), err));
        }
    }
    if (count == 1)
        ZF_TRY(add_sentence(document, zf_format("%s: %s", sound, verdict), err));
    else if (count > 1)
        ZF_TRY(add_sentence(document, zf_format("Nothing stands out in %s.", sound), err));
fail:
    zf_free(sound);
    return status;
}

enum zf_status zf_diagnose_report(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                  const struct zf_data *data, const char *command,
                                  const char *directory, struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *document = NULL;
    char *json = NULL, *images = NULL;

    ZF_TRY(zf_document_create(directory, "diagnose", "What is wrong with the layers", command,
                              &document, err));
    images = data ? zf_format("%s, %" PRId64 " of them", zf_data_name(data), diagnosis->images)
                  : zf_strdup("none: the weights alone");
    if (!images) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the parameters");
        goto fail;
    }
    ZF_TRY(zf_document_parameter(document, "net", zf_net_name(net), err));
    ZF_TRY(zf_document_parameter(document, "pictures", images, err));
    ZF_TRY(add_verdicts(net, diagnosis, document, err));
    ZF_TRY(add_table(net, diagnosis, document, err));
    ZF_TRY(zf_document_heading(document, "Filters", err));
    ZF_TRY(add_filters(net, diagnosis, document, err));
    ZF_TRY(add_bands(net, diagnosis, document, err));
    ZF_TRY(zf_document_heading(document, "Maps", err));
    ZF_TRY(add_map_charts(net, diagnosis, document, err));
    ZF_TRY(add_projections(net, diagnosis, document, err));
    ZF_TRY(zf_diagnose_json(net, diagnosis, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_free(images);
    zf_text_free(json);
    zf_document_free(&document);
    return status;
}
