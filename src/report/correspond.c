/* SPDX-License-Identifier: MIT */
/* Correspondence as JSON and as a page with its table 1. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/canvas.h"
#include "report/json.h"
#include "zf/document.h"
#include "zf/probe.h"
#include "zf/report.h"

#define MOST_SHOWN 12 /* pictures on the sheet */
#define MOST_PARTS 6  /* columns of hidden parts on the sheet */
#define TILE 128      /* px */
#define GAP 6
#define HEAD 22
#define HIDDEN ((struct zf_rgb){128, 128, 128})

/* ---- JSON. ---- */

static bool add_consistency(cJSON *list, const char *name, struct zf_consistency it)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(list, object) && zf_json_add_text(object, "part", name) &&
           zf_json_add_double(object, "mean", it.mean) &&
           zf_json_add_double(object, "std", it.std) &&
           zf_json_add_double(object, "change", it.change);
}

static bool add_layer(cJSON *layers, const struct zf_net *net, const struct zf_parts *parts,
                      const struct zf_correspondence *result, size_t l)
{
    cJSON *object = cJSON_CreateObject(), *list, *last;
    bool ok = cJSON_AddItemToArray(layers, object) &&
              zf_json_add_text(object, "name", zf_net_layer(net, result->layers[l]).name);

    list = ok ? cJSON_AddArrayToObject(object, "parts") : NULL;
    ok = list != NULL;
    for (size_t p = 0; ok && p < result->part_count; p++) {
        const struct zf_consistency it = result->parts[l * result->part_count + p];

        ok = add_consistency(list, parts->parts[p], it);
        last = ok ? cJSON_GetArrayItem(list, (int)p) : NULL;
        ok = ok && zf_json_add_double(last, "p", it.p) &&
             zf_json_add_double(last, "least_p", it.least_p) &&
             zf_json_add_int(last, "pictures", (int64_t)result->pictures_with[p]);
    }
    ok = ok && add_consistency(list, "random", result->random[l]);
    last = ok ? cJSON_GetArrayItem(list, (int)result->part_count) : NULL;
    ok = ok && zf_json_add_double(last, "standard_error", result->random[l].standard_error) &&
         zf_json_add_int(last, "pictures", (int64_t)result->picture_count);
    last = ok ? cJSON_AddObjectToObject(object, "all_parts") : NULL;
    return last && zf_json_add_double(last, "mean", result->all[l].mean) &&
           zf_json_add_double(last, "p", result->all[l].p) &&
           zf_json_add_double(last, "least_p", result->all[l].least_p);
}

enum zf_status zf_correspond_json(const struct zf_net *net, const struct zf_parts *parts,
                                  const struct zf_correspondence *result, char **json,
                                  struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject(), *layers = cJSON_AddArrayToObject(object, "layers");
    bool ok = layers != NULL;

    for (size_t l = 0; ok && l < result->layer_count; l++)
        ok = add_layer(layers, net, parts, result, l);
    ok = ok && zf_json_add_int(object, "pictures", (int64_t)result->picture_count) &&
         zf_json_add_int(object, "size", result->size) &&
         zf_json_add_int(object, "repeats", result->repeats) &&
         zf_json_add_int(object, "permutations", result->permutations) &&
         zf_json_add_int(object, "seed", (int64_t)result->seed);
    return zf_json_finish(object, ok, json, err);
}

/* ---- The sheet: what was hidden. ---- */

static struct zf_box scaled(struct zf_box box, struct zf_shape input, int64_t left, int64_t top)
{
    return (struct zf_box){left + box.x * TILE / input.w, top + box.y * TILE / input.h,
                           box.width * TILE / input.w, box.height * TILE / input.h};
}

/* A row for each picture: with all parts framed, then with each part hidden in turn. */
static enum zf_status draw_sheet(const struct zf_parts *parts,
                                 const struct zf_correspondence *result, struct zf_picture *sheet,
                                 struct zf_error *err)
{
    const struct zf_lettering small = {9.0, ZF_INK};
    const size_t rows = result->picture_count < MOST_SHOWN ? result->picture_count : MOST_SHOWN;
    const size_t columns = result->part_count < MOST_PARTS ? result->part_count : MOST_PARTS;
    enum zf_status status = zf_canvas_init(sheet, GAP + (1 + (int64_t)columns) * (TILE + GAP),
                                           HEAD + (int64_t)rows * (TILE + GAP), err);

    if (status != ZF_OK)
        return status;
    zf_canvas_text(sheet, &small, GAP, 7.0, TILE, "marked");
    for (size_t p = 0; p < columns; p++)
        zf_canvas_text(sheet, &small, (double)(GAP + (1 + (int64_t)p) * (TILE + GAP)), 7.0, TILE,
                       parts->parts[p]);
    for (size_t i = 0; i < rows; i++) {
        const struct zf_box *boxes = result->boxes + i * result->part_count;
        const struct zf_picture *shown = &result->shown[i];
        const int64_t top = HEAD + (int64_t)i * (TILE + GAP);

        for (size_t c = 0; c <= columns; c++) {
            const int64_t left = GAP + (int64_t)c * (TILE + GAP);
            const struct zf_box tile = {left, top, TILE, TILE};

            if (c > 0 && boxes[c - 1].width == 0) {
                zf_canvas_fill(sheet, tile, ZF_QUIET);
                continue;
            }
            zf_canvas_place(sheet, tile, shown, zf_picture_box(shown));
            if (c > 0)
                zf_canvas_fill(sheet, scaled(boxes[c - 1], result->input, left, top), HIDDEN);
            for (size_t p = 0; c == 0 && p < result->part_count; p++) {
                if (boxes[p].width > 0) {
                    zf_canvas_frame(sheet, scaled(boxes[p], result->input, left, top), 2, ZF_PAPER);
                    zf_canvas_frame(sheet, scaled(boxes[p], result->input, left, top), 1, ZF_INK);
                }
            }
        }
    }
    return ZF_OK;
}

/* ---- The table and the chart. ---- */

/* Rows are the heads, the parts, all parts together, and the random places; after the name, a layer
   has three columns. */
#define LAYER_COLUMNS 3
struct table {
    size_t rows, columns;
    char **text; /* [rows * columns], all owned */
};

static void table_release(struct table *table)
{
    for (size_t i = 0; table->text && i < table->rows * table->columns; i++)
        zf_free(table->text[i]);
    zf_free(table->text);
}

/* What stands in a row about a layer. */
static void table_cells(char **cell, const char *layer, const struct zf_correspondence *result,
                        size_t l, size_t row)
{
    const size_t parts = result->part_count;

    if (row == 0) {
        cell[0] = zf_format("Delta, %s", layer);
        cell[1] = zf_format("p, %s", layer);
        cell[2] = zf_format("change, %s", layer);
    } else if (row <= parts) {
        const struct zf_consistency *it = &result->parts[l * parts + row - 1];

        cell[0] = zf_format("%.4f \xc2\xb1 %.4f", it->mean, it->std);
        cell[1] = zf_format("%.3g", it->p);
        cell[2] = zf_format("%.3f", it->change);
    } else if (row == parts + 1) {
        cell[0] = zf_format("%.4f", result->all[l].mean);
        cell[1] = zf_format("%.3g", result->all[l].p);
        cell[2] = zf_strdup("");
    } else {
        cell[0] = zf_format("%.4f \xc2\xb1 %.4f", result->random[l].mean, result->random[l].std);
        cell[1] = zf_format("(s.e. %.2g)", result->random[l].standard_error);
        cell[2] = zf_format("%.3f", result->random[l].change);
    }
}

static enum zf_status table_init(struct table *table, const struct zf_net *net,
                                 const struct zf_parts *parts,
                                 const struct zf_correspondence *result, struct zf_error *err)
{
    const size_t count = result->part_count;
    bool ok;

    table->rows = count + 3;
    table->columns = 1 + LAYER_COLUMNS * result->layer_count;
    table->text = zf_alloc(table->rows * table->columns, sizeof(*table->text));
    ok = table->text != NULL;
    for (size_t row = 0; ok && row < table->rows; row++) {
        char **cell = table->text + row * table->columns;

        cell[0] = zf_strdup(row == 0           ? "hidden"
                            : row <= count     ? parts->parts[row - 1]
                            : row == count + 1 ? "all parts"
                                               : "random");
        ok = cell[0] != NULL;
        for (size_t l = 0; ok && l < result->layer_count; l++) {
            char **of_layer = cell + 1 + LAYER_COLUMNS * l;

            table_cells(of_layer, zf_net_layer(net, result->layers[l]).name, result, l, row);
            for (size_t c = 0; c < LAYER_COLUMNS; c++)
                ok = ok && of_layer[c];
        }
    }
    return ok ? ZF_OK : zf_fail(err, ZF_ENOMEM, "out of memory for a table");
}

static enum zf_status add_table(struct zf_document *document, const struct zf_net *net,
                                const struct zf_parts *parts,
                                const struct zf_correspondence *result, struct zf_error *err)
{
    struct table table = {0};
    enum zf_status status;

    ZF_TRY(table_init(&table, net, parts, result, err));
    ZF_TRY(zf_document_table(
        document,
        &(struct zf_table){
            .caption = "Delta: the share of features whose change has another sign, mean and "
                       "deviation over pairs of pictures; lower is more consistent. p: how likely "
                       "random places are to be as consistent, by permutation. Change: how far the "
                       "features move, as a share of their length. A part that moves them no "
                       "further than random places do matters little to the net, and need not be "
                       "consistent.",
            .columns = (const char *const *)table.text,
            .column_count = table.columns,
            .cells = (const char *const *)table.text + table.columns,
            .row_count = table.rows - 1,
        },
        err));
fail:
    table_release(&table);
    return status;
}

/* Where no p could have told a part from chance: the same in all layers. */
static enum zf_status add_warning(struct zf_document *document,
                                  const struct zf_correspondence *result, struct zf_error *err)
{
    size_t hopeless = 0;
    char text[256];

    for (size_t p = 0; p < result->part_count; p++)
        hopeless += result->parts[p].least_p >= ZF_SIGNIFICANT;
    if (hopeless == 0)
        return ZF_OK;
    snprintf(text, sizeof text,
             "%zu of %zu parts cannot have p below %g, however alike the pictures are: there are "
             "too few pictures, random places or permutations.",
             hopeless, result->part_count, ZF_SIGNIFICANT);
    return zf_document_paragraph(document, text, err);
}

static enum zf_status add_chart(struct zf_document *document, const struct zf_net *net,
                                const struct zf_parts *parts,
                                const struct zf_correspondence *result, struct zf_error *err)
{
    const size_t layers = result->layer_count, bars = result->part_count + 1;
    struct zf_series *series = zf_alloc(layers, sizeof(*series));
    const char **names = zf_alloc(bars, sizeof(*names));
    double *numbers = zf_alloc(2 * layers * bars, sizeof(*numbers));
    enum zf_status status;

    if (!series || !names || !numbers) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a chart");
        goto fail;
    }
    for (size_t b = 0; b < bars; b++)
        names[b] = b + 1 < bars ? parts->parts[b] : "random";
    for (size_t l = 0; l < layers; l++) {
        double *y = numbers + 2 * l * bars;

        for (size_t b = 0; b < bars; b++) {
            const struct zf_consistency *it =
                b + 1 < bars ? &result->parts[l * result->part_count + b] : &result->random[l];

            y[b] = it->mean;
            y[bars + b] = it->std;
        }
        series[l] = (struct zf_series){.name = zf_net_layer(net, result->layers[l]).name,
                                       .y = y,
                                       .deviation = y + bars,
                                       .count = bars};
    }
    ZF_TRY(zf_document_charts(document, "correspond.svg",
                              "The same as bars, with deviations over pairs of pictures.",
                              &(struct zf_chart){.kind = ZF_CHART_BARS,
                                                 .x_label = "hidden",
                                                 .y_label = "Delta",
                                                 .categories = names,
                                                 .category_count = bars,
                                                 .series = series,
                                                 .series_count = layers,
                                                 .from_zero = true},
                              1, 1, err));
fail:
    zf_free(series);
    zf_free(names);
    zf_free(numbers);
    return status;
}

/* ---- The page. ---- */

static enum zf_status add_parameters(struct zf_document *document, const struct zf_net *net,
                                     const struct zf_parts *parts,
                                     const struct zf_correspondence *result, struct zf_error *err)
{
    enum zf_status status;
    char text[96];

    ZF_TRY(zf_document_parameter(document, "net", zf_net_name(net), err));
    ZF_TRY(zf_document_parameter(document, "parts", parts->name, err));
    snprintf(text, sizeof text, "%zu", result->picture_count);
    ZF_TRY(zf_document_parameter(document, "pictures", text, err));
    snprintf(text, sizeof text, "%" PRId64 " px of the input's %" PRId64 " x %" PRId64,
             result->size, result->input.w, result->input.h);
    ZF_TRY(zf_document_parameter(document, "square", text, err));
    snprintf(text, sizeof text, "%" PRId64 " a picture", result->repeats);
    ZF_TRY(zf_document_parameter(document, "random places", text, err));
    snprintf(text, sizeof text, "%" PRId64, result->permutations);
    ZF_TRY(zf_document_parameter(document, "permutations", text, err));
    snprintf(text, sizeof text, "%" PRIu64, result->seed);
    ZF_TRY(zf_document_parameter(document, "seed", text, err));
fail:
    return status;
}

enum zf_status zf_correspond_report(const struct zf_net *net, const struct zf_parts *parts,
                                    const struct zf_correspondence *result, const char *command,
                                    const char *directory, struct zf_error *err)
{
    struct zf_document *document = NULL;
    struct zf_picture sheet = {0};
    enum zf_status status;
    char *json = NULL;

    ZF_TRY(zf_document_create(directory, "correspond", "Does the same part mean the same?", command,
                              &document, err));
    ZF_TRY(add_parameters(document, net, parts, result, err));
    ZF_TRY(zf_document_paragraph(
        document,
        "The same part is hidden in every picture. If the net knows the part as such, its features "
        "change alike from picture to picture, more alike than when random places are hidden.",
        err));
    ZF_TRY(add_table(document, net, parts, result, err));
    ZF_TRY(add_warning(document, result, err));
    ZF_TRY(add_chart(document, net, parts, result, err));
    ZF_TRY(draw_sheet(parts, result, &sheet, err));
    ZF_TRY(zf_document_picture(document, "correspond.png",
                               "What the net sees of each picture with the marked parts framed, "
                               "and with each part hidden.",
                               &sheet, err));
    ZF_TRY(zf_correspond_json(net, parts, result, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_picture_release(&sheet);
    zf_document_free(&document);
    zf_text_free(json);
    return status;
}
