/* SPDX-License-Identifier: MIT */
/* Correspondence as numbers, as a page with its table 1, and in a few lines. */
#include "experiments/correspond/correspond.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "page/canvas.h"
#include "page/document.h"

#define MOST_SHOWN 12 /* pictures on the sheet */
#define MOST_PARTS 6  /* columns of hidden parts on the sheet */
#define TILE 160      /* px */
#define GAP 4
#define HEAD 30
#define PANEL_TILE 84 /* px of a tile on the page, at least */
#define HIDDEN ((struct zf_rgb){128, 128, 128})

static const struct zf_consistency *part_of(const struct zf_correspondence *result, size_t l,
                                            size_t p)
{
    return &result->parts[l * result->part_count + p];
}

static const char *layer_name(const struct zf_net *net, const struct zf_correspondence *result,
                              size_t l)
{
    return zf_net_layer(net, result->layers[l]).name;
}

/* ---- Numbers. ---- */

static void begin_row(struct zf_json *json, const char *name, const struct zf_consistency *it)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "part", name);
    zf_json_real(json, "mean", it->mean);
    zf_json_real(json, "std", it->std);
    zf_json_real(json, "change", it->change);
}

static void add_layer(struct zf_json *json, const struct zf_net *net, const struct zf_parts *parts,
                      const struct zf_correspondence *result, size_t l)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "name", layer_name(net, result, l));
    zf_json_array(json, "parts");
    for (size_t p = 0; p < result->part_count; p++) {
        begin_row(json, parts->parts[p], part_of(result, l, p));
        zf_json_real(json, "p", part_of(result, l, p)->p);
        zf_json_real(json, "least_p", part_of(result, l, p)->least_p);
        zf_json_int(json, "pictures", (int64_t)result->pictures_with[p]);
        zf_json_end(json);
    }
    begin_row(json, "random", &result->random[l]);
    zf_json_real(json, "standard_error", result->random[l].standard_error);
    zf_json_int(json, "pictures", (int64_t)result->picture_count);
    zf_json_end(json);
    zf_json_end(json);
    zf_json_object(json, "all_parts");
    zf_json_real(json, "mean", result->all[l].mean);
    zf_json_real(json, "p", result->all[l].p);
    zf_json_real(json, "least_p", result->all[l].least_p);
    zf_json_end(json);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_net *net,
                        const struct zf_parts *parts, const struct zf_correspondence *result)
{
    zf_json_array(json, "layers");
    for (size_t l = 0; l < result->layer_count; l++)
        add_layer(json, net, parts, result, l);
    zf_json_end(json);
    zf_json_int(json, "pictures", (int64_t)result->picture_count);
    zf_json_int(json, "size", result->size);
    zf_json_int(json, "repeats", result->repeats);
    zf_json_int(json, "permutations", result->permutations);
    zf_json_int(json, "seed", (int64_t)result->seed);
}

/* ---- The sheet: what was hidden. ---- */

static struct zf_box scaled(struct zf_box box, struct zf_shape input, int64_t left, int64_t top)
{
    return (struct zf_box){left + box.x * TILE / input.w, top + box.y * TILE / input.h,
                           box.width * TILE / input.w, box.height * TILE / input.h};
}

static size_t shown_pictures(const struct zf_correspondence *result)
{
    return result->picture_count < MOST_SHOWN ? result->picture_count : MOST_SHOWN;
}

static size_t shown_parts(const struct zf_correspondence *result)
{
    return result->part_count < MOST_PARTS ? result->part_count : MOST_PARTS;
}

/* A row for each picture: with all parts framed, then with each part hidden in turn. */
static enum zf_status draw_sheet(const struct zf_parts *parts,
                                 const struct zf_correspondence *result, struct zf_picture *sheet,
                                 struct zf_error *err)
{
    const struct zf_lettering small = {12.0, ZF_INK};
    const size_t rows = shown_pictures(result), columns = shown_parts(result);

    ZF_CHECK(zf_canvas_init(sheet, GAP + (1 + (int64_t)columns) * (TILE + GAP),
                            HEAD + (int64_t)rows * (TILE + GAP), err));
    zf_canvas_text(sheet, &small, GAP, 9.0, TILE, "marked");
    for (size_t p = 0; p < columns; p++)
        zf_canvas_text(sheet, &small, (double)(GAP + (1 + (int64_t)p) * (TILE + GAP)), 9.0, TILE,
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

static void add_sheet(struct zf_document *document, const struct zf_parts *parts,
                      const struct zf_correspondence *result)
{
    const size_t rows = shown_pictures(result), columns = 1 + shown_parts(result);
    struct zf_panel *panels = zf_document_room(document, rows, sizeof *panels);
    const char **heads = zf_document_room(document, columns, sizeof *heads);
    struct zf_picture sheet = {0};
    struct zf_error err = {0};

    if (!panels || !heads)
        return;
    if (draw_sheet(parts, result, &sheet, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    heads[0] = "marked";
    for (size_t c = 1; c < columns; c++)
        heads[c] = parts->parts[c - 1];
    for (size_t i = 0; i < rows; i++)
        panels[i] = (struct zf_panel){.box = {GAP, HEAD + (int64_t)i * (TILE + GAP), TILE, TILE},
                                      .columns = (int64_t)columns,
                                      .gap = GAP,
                                      .title = parts->pictures[i],
                                      .heads = heads};
    zf_document_panels(document, &sheet, "correspond.png", panels, rows,
                       PANEL_TILE * (int64_t)columns,
                       "What the net sees of each picture with the marked parts framed, and with "
                       "each part hidden.");
    zf_picture_release(&sheet);
}

/* ---- The table and the chart. ---- */

/* The heads of a table: the name, then three columns a layer. NULL when memory is short. */
static const char *const *list_heads(struct zf_document *document, const struct zf_net *net,
                                     const struct zf_correspondence *result)
{
    static const char *const kinds[] = {"Delta", "p", "change"};
    const size_t columns = 1 + ZF_COUNT(kinds) * result->layer_count;
    const char **heads = zf_document_room(document, columns, sizeof *heads);

    for (size_t c = 0; heads && c < columns; c++) {
        const char *layer = c > 0 ? layer_name(net, result, (c - 1) / ZF_COUNT(kinds)) : "";
        const size_t size = strlen(layer) + 16;
        char *head = zf_document_room(document, size, 1);

        if (!head)
            return NULL;
        if (c == 0)
            snprintf(head, size, "hidden");
        else
            snprintf(head, size, "%s, %s", kinds[(c - 1) % ZF_COUNT(kinds)], layer);
        heads[c] = head;
    }
    return heads;
}

static void add_table(struct zf_document *document, const struct zf_net *net,
                      const struct zf_parts *parts, const struct zf_correspondence *result)
{
    const char *const *heads = list_heads(document, net, result);

    if (!heads)
        return;
    zf_document_table(
        document, heads, 1 + 3 * result->layer_count,
        "Delta: the share of features whose change has another sign, mean and "
        "deviation over pairs of pictures; lower is more consistent. p: how likely "
        "random places are to be as consistent, by permutation. Change: how far the "
        "features move, as a share of their length. A part that moves them no further "
        "than random places do matters little to the net, and need not be "
        "consistent.");
    for (size_t p = 0; p < result->part_count; p++) {
        zf_document_cell(document, "%s", parts->parts[p]);
        for (size_t l = 0; l < result->layer_count; l++) {
            const struct zf_consistency *it = part_of(result, l, p);

            zf_document_cell(document, "%.4f \xc2\xb1 %.4f", it->mean, it->std);
            zf_document_cell(document, "%.3g", it->p);
            zf_document_cell(document, "%.3f", it->change);
        }
    }
    zf_document_cell(document, "all parts");
    for (size_t l = 0; l < result->layer_count; l++) {
        zf_document_cell(document, "%.4f", result->all[l].mean);
        zf_document_cell(document, "%.3g", result->all[l].p);
        zf_document_cell(document, "%s", "");
    }
    zf_document_cell(document, "random");
    for (size_t l = 0; l < result->layer_count; l++) {
        const struct zf_consistency *it = &result->random[l];

        zf_document_cell(document, "%.4f \xc2\xb1 %.4f", it->mean, it->std);
        zf_document_cell(document, "(s.e. %.2g)", it->standard_error);
        zf_document_cell(document, "%.3f", it->change);
    }
}

/* Where no p could have told a part from chance: the same in all layers. */
static void add_warning(struct zf_document *document, const struct zf_correspondence *result)
{
    size_t hopeless = 0;

    for (size_t p = 0; p < result->part_count; p++)
        hopeless += result->parts[p].least_p >= ZF_SIGNIFICANT;
    if (hopeless > 0)
        zf_document_paragraph(document,
                              "%zu of %zu parts cannot have p below %g, however alike the pictures "
                              "are: there are too few pictures, random places or permutations.",
                              hopeless, result->part_count, ZF_SIGNIFICANT);
}

static void add_chart(struct zf_document *document, const struct zf_net *net,
                      const struct zf_parts *parts, const struct zf_correspondence *result)
{
    const size_t layers = result->layer_count, bars = result->part_count + 1;
    struct zf_series *series = zf_document_room(document, layers, sizeof *series);
    const char **names = zf_document_room(document, bars, sizeof *names);
    double *y = zf_document_room(document, 2 * layers * bars, sizeof *y);

    if (!series || !names || !y)
        return;
    for (size_t b = 0; b < bars; b++)
        names[b] = b + 1 < bars ? parts->parts[b] : "random";
    for (size_t l = 0; l < layers; l++, y += 2 * bars) {
        for (size_t b = 0; b < bars; b++) {
            const struct zf_consistency *it =
                b + 1 < bars ? part_of(result, l, b) : &result->random[l];

            y[b] = it->mean;
            y[bars + b] = it->std;
        }
        series[l] = (struct zf_series){layer_name(net, result, l), NULL, y, y + bars, bars};
    }
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_BARS,
                                          .x_label = "hidden",
                                          .y_label = "Delta",
                                          .categories = names,
                                          .category_count = bars,
                                          .series = series,
                                          .series_count = layers,
                                          .from_zero = true},
                       1, 1, "correspond.svg",
                       "The same as bars, with deviations over pairs of pictures.");
}

/* ---- The document. ---- */

static void say_row(struct zf_document *document, const char *name, const struct zf_consistency *it)
{
    zf_document_say(document, "  %-20s  %.4f +- %.4f  change %.3f", name, it->mean, it->std,
                    it->change);
}

static void say(struct zf_document *document, const struct zf_net *net,
                const struct zf_parts *parts, const struct zf_correspondence *result)
{
    for (size_t l = 0; l < result->layer_count; l++) {
        zf_document_say(document, "%s\n", layer_name(net, result, l));
        for (size_t p = 0; p < result->part_count; p++) {
            say_row(document, parts->parts[p], part_of(result, l, p));
            zf_document_say(document, "  p = %.3g, %zu pictures\n", part_of(result, l, p)->p,
                            result->pictures_with[p]);
        }
        zf_document_say(document, "  %-20s  %.4f                          p = %.3g\n", "all parts",
                        result->all[l].mean, result->all[l].p);
        say_row(document, "random", &result->random[l]);
        zf_document_say(document, "  standard error %.2g\n", result->random[l].standard_error);
    }
}

void zf_correspond_page(const struct zf_net *net, const struct zf_parts *parts,
                        const struct zf_correspondence *result, struct zf_document *document)
{
    zf_document_parameter(document, "net", "%s", zf_net_name(net));
    zf_document_parameter(document, "parts", "%s", parts->name);
    zf_document_parameter(document, "pictures", "%zu", result->picture_count);
    zf_document_parameter(document, "square",
                          "%" PRId64 " px of the input's %" PRId64 " x %" PRId64, result->size,
                          result->input.w, result->input.h);
    zf_document_parameter(document, "random places", "%" PRId64 " a picture", result->repeats);
    zf_document_parameter(document, "permutations", "%" PRId64, result->permutations);
    zf_document_parameter(document, "seed", "%" PRIu64, result->seed);
    zf_document_paragraph(
        document,
        "The same part is hidden in every picture. If the net knows the part as such, its features "
        "change alike from picture to picture, more alike than when random places are hidden.");
    add_table(document, net, parts, result);
    add_warning(document, result);
    add_chart(document, net, parts, result);
    add_sheet(document, parts, result);
    add_numbers(zf_document_numbers(document), net, parts, result);
    say(document, net, parts, result);
}
