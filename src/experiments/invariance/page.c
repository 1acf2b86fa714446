/* SPDX-License-Identifier: MIT */
/* Invariance as numbers, as a page in the manner of figure 5, and in a few lines. */
#include "experiments/invariance/invariance.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "page/canvas.h"
#include "page/document.h"

#define MOST_SHOWN 8 /* pictures in figures; tables and JSON have all */
#define EXAMPLES 7   /* values of a motion that are shown as pictures */
#define TILE 160     /* px */
#define GAP 4
#define HEAD 30
#define PANEL 360 /* px of a picture's examples on the page, at least */

/* How a motion is written. */
static const struct {
    const char *title, *axis, *unit;
} words[ZF_MOTIONS] = {
    {"Vertical translation", "shift downwards, px", "px"},
    {"Scale", "scale", "x"},
    {"Rotation", "rotation clockwise, degrees", "deg"},
};

/* ---- Numbers. ---- */

/* Relative to the original's norm; of no features at all there is no such number. */
static double normalised(const struct zf_invariance *result, size_t image, int motion, size_t layer,
                         size_t i)
{
    const struct zf_invariance_image *of = &result->images[image];
    const double distance = of->curves[motion].distance[layer * result->value_count[motion] + i];

    return of->norms[layer] > 0.0 ? distance / of->norms[layer] : NAN;
}

static void add_motion(struct zf_json *json, const struct zf_net *net,
                       const struct zf_invariance *result, size_t image, int motion)
{
    const struct zf_invariance_curve *curve = &result->images[image].curves[motion];
    const size_t count = result->value_count[motion];

    zf_json_object(json, NULL);
    zf_json_text(json, "kind", zf_motion_name((enum zf_motion)motion));
    zf_json_text(json, "unit", words[motion].unit);
    zf_json_reals(json, "values", result->values[motion], count);
    zf_json_object(json, "distance");
    for (size_t l = 0; l < result->layer_count; l++)
        zf_json_reals(json, zf_net_layer(net, result->layers[l]).name, curve->distance + l * count,
                      count);
    zf_json_end(json);
    zf_json_object(json, "normalised_distance");
    for (size_t l = 0; l < result->layer_count; l++) {
        zf_json_array(json, zf_net_layer(net, result->layers[l]).name);
        for (size_t i = 0; i < count; i++)
            zf_json_real(json, NULL, normalised(result, image, motion, l, i));
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_reals(json, zf_net_answer_word(net), curve->probability, count);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_net *net,
                        const struct zf_invariance *result, const char *const *names)
{
    zf_json_array(json, "images");
    for (size_t i = 0; i < result->count; i++) {
        const struct zf_invariance_image *image = &result->images[i];

        zf_json_object(json, NULL);
        zf_json_text(json, "path", names[i]);
        zf_json_int(json, "class", image->target);
        zf_json_text(json, "label", zf_net_label(net, image->target));
        zf_json_real(json, zf_net_answer_word(net), image->probability);
        zf_json_array(json, "transforms");
        for (int m = 0; m < ZF_MOTIONS; m++)
            add_motion(json, net, result, i, m);
        zf_json_end(json);
        zf_json_end(json);
    }
    zf_json_end(json);
}

/* ---- Pictures. ---- */

static size_t shown_count(const struct zf_invariance *result)
{
    return result->count < MOST_SHOWN ? result->count : MOST_SHOWN;
}

static size_t example(const struct zf_invariance *result, int motion, int i)
{
    /* A full turn comes back to its beginning: its last example is as far from that as the rest. */
    const size_t last = result->value_count[motion] - (motion == ZF_MOTION_ROTATION ? 0 : 1);

    return last * (size_t)i / (size_t)(motion == ZF_MOTION_ROTATION ? EXAMPLES : EXAMPLES - 1);
}

static enum zf_status draw_example(struct zf_picture *sheet, const struct zf_net *net,
                                   const struct zf_picture *square, struct zf_transform transform,
                                   struct zf_box box, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(net);
    const struct zf_view view = zf_view_centre(zf_net_preparation(net), in);
    struct zf_picture moved = {0};

    ZF_CHECK(zf_picture_transform(square, &transform, &moved, err));
    zf_canvas_place(sheet, box, &moved, (struct zf_box){view.x, view.y, in.w, in.h});
    zf_picture_release(&moved);
    return ZF_OK;
}

/* The values that are shown as pictures, with their unit. NULL when memory is short. */
static const char **list_heads(struct zf_document *document, const struct zf_invariance *result,
                               int motion)
{
    const char **heads = zf_document_room(document, EXAMPLES, sizeof *heads);

    for (int i = 0; heads && i < EXAMPLES; i++) {
        const double value = result->values[motion][example(result, motion, i)];

        heads[i] = zf_document_words(
            document, motion == ZF_MOTION_TRANSLATION && value != 0.0 ? "%+g %s" : "%.3g %s", value,
            words[motion].unit);
    }
    return heads;
}

/* A row for each picture, a column for each example of the motion. */
static enum zf_status draw_examples(const struct zf_net *net, const struct zf_invariance *result,
                                    const struct zf_picture *squares, int motion,
                                    const char *const *heads, struct zf_picture *sheet,
                                    struct zf_error *err)
{
    const struct zf_lettering small = {12.0, ZF_INK};
    const int64_t rows = (int64_t)shown_count(result);
    struct zf_picture made = {0};
    enum zf_status status;

    ZF_TRY(zf_canvas_init(&made, GAP + EXAMPLES * (TILE + GAP), HEAD + rows * (TILE + GAP), err));
    for (int i = 0; i < EXAMPLES; i++) {
        const double value = result->values[motion][example(result, motion, i)];
        const int64_t left = GAP + i * (TILE + GAP);

        zf_canvas_text(&made, &small, (double)left, 9.0, TILE, heads[i]);
        for (int64_t row = 0; row < rows; row++)
            ZF_TRY(draw_example(&made, net, &squares[row],
                                zf_motion_transform((enum zf_motion)motion, value),
                                (struct zf_box){left, HEAD + row * (TILE + GAP), TILE, TILE}, err));
    }
    *sheet = made;
    made = (struct zf_picture){0};
fail:
    zf_picture_release(&made);
    return status;
}

/* The file's name, without its folders. */
static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

static void add_examples(struct zf_document *document, const struct zf_net *net,
                         const struct zf_invariance *result, const char *const *names,
                         const struct zf_picture *squares, int motion)
{
    const size_t rows = shown_count(result);
    const char *const *heads = list_heads(document, result, motion);
    struct zf_panel *panels = zf_document_room(document, rows, sizeof *panels);
    struct zf_picture sheet = {0};
    struct zf_error err = {0};

    if (!heads || !panels)
        return;
    if (draw_examples(net, result, squares, motion, heads, &sheet, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    for (size_t i = 0; i < rows; i++)
        panels[i] = (struct zf_panel){.box = {GAP, HEAD + (int64_t)i * (TILE + GAP), TILE, TILE},
                                      .columns = EXAMPLES,
                                      .gap = GAP,
                                      .title = short_name(names[i]),
                                      .heads = heads};
    zf_document_panels(
        document, &sheet,
        zf_document_words(document, "invariance-%s.png", zf_motion_name((enum zf_motion)motion)),
        panels, rows, PANEL,
        "What the net sees at some of the values. Beyond its border a picture goes "
        "on with its outermost pixels.");
    zf_picture_release(&sheet);
}

/* ---- Charts. ---- */

/* A chart for each layer, and one of the probability; a line for each picture. */
static void add_charts(struct zf_document *document, const struct zf_net *net,
                       const struct zf_invariance *result, const char *const *names, int motion)
{
    const size_t count = result->layer_count + 1, lines = shown_count(result);
    const size_t values = result->value_count[motion];
    struct zf_chart *charts = zf_document_room(document, count, sizeof *charts);
    struct zf_series *series = zf_document_room(document, count * lines, sizeof *series);
    double *y = zf_document_room(document, count * lines * values, sizeof *y);
    char file[64], (*titles)[96] = zf_document_room(document, count, sizeof *titles);

    if (!charts || !series || !y || !titles)
        return;
    for (size_t c = 0; c < count; c++) {
        const bool probability = c == result->layer_count;

        for (size_t s = 0; s < lines; s++, y += values) {
            for (size_t i = 0; i < values; i++)
                y[i] = probability ? result->images[s].curves[motion].probability[i]
                                   : normalised(result, s, motion, c, i);
            series[c * lines + s] =
                (struct zf_series){short_name(names[s]), result->values[motion], y, NULL, values};
        }
        if (probability)
            snprintf(titles[c], sizeof titles[c], "%s that is followed", zf_net_answer_word(net));
        else
            snprintf(titles[c], sizeof titles[c], "features of %s",
                     zf_net_layer(net, result->layers[c]).name);
        charts[c] = (struct zf_chart){
            .kind = ZF_CHART_LINES,
            .title = titles[c],
            .x_label = words[motion].axis,
            .y_label = probability ? zf_net_answer_word(net) : "distance / norm of the original's",
            .series = series + c * lines,
            .series_count = lines,
            .from_zero = true,
        };
    }
    snprintf(file, sizeof file, "invariance-%s.svg", zf_motion_name((enum zf_motion)motion));
    zf_document_charts(document, charts, count, count < 4 ? count : 3, file,
                       "Euclidean distance of the features to those of the picture as it is, as a "
                       "share of their norm, layer by layer, and the %s that is followed; a "
                       "line for each picture.",
                       zf_net_answer_word(net));
}

/* ---- The page. ---- */

static void add_motion_blocks(struct zf_document *document, const struct zf_net *net,
                              const struct zf_invariance *result, const char *const *names,
                              const struct zf_picture *squares, int motion)
{
    zf_document_heading(document, "%s", words[motion].title);
    add_examples(document, net, result, names, squares, motion);
    add_charts(document, net, result, names, motion);
}

static void add_table(struct zf_document *document, const struct zf_net *net,
                      const struct zf_invariance *result, const char *const *names)
{
    const char *const columns[] = {"picture", "class", zf_net_answer_word(net)};

    zf_document_table(document, columns, ZF_COUNT(columns),
                      "The pictures as they are, and the class whose %s is followed.",
                      zf_net_answer_word(net));
    for (size_t i = 0; i < result->count; i++) {
        zf_document_cell(document, "%s", names[i]);
        zf_document_cell(document, "%s", zf_net_label(net, result->images[i].target));
        zf_document_cell(document, "%.4f", result->images[i].probability);
    }
}

/* A line for each picture and motion: how far the features go, how low the probability. */
static void say_motion(struct zf_document *document, const struct zf_net *net,
                       const struct zf_invariance *result, size_t i, int motion)
{
    const struct zf_invariance_image *image = &result->images[i];
    double lowest = image->probability;

    zf_document_say(document, "  %-12s", zf_motion_name((enum zf_motion)motion));
    for (size_t l = 0; l < result->layer_count; l++) {
        double most = 0.0;

        for (size_t v = 0; v < result->value_count[motion]; v++)
            most = fmax(most, normalised(result, i, motion, l, v));
        zf_document_say(document, "  %s moves by up to %.2f",
                        zf_net_layer(net, result->layers[l]).name, most);
    }
    for (size_t v = 0; v < result->value_count[motion]; v++)
        lowest = fmin(lowest, image->curves[motion].probability[v]);
    zf_document_say(document, "  %s down to %.4f\n", zf_net_answer_word(net), lowest);
}

void zf_invariance_page(const struct zf_net *net, const struct zf_invariance *result,
                        const char *const *names, const struct zf_picture *squares,
                        struct zf_document *document)
{
    zf_document_parameter(document, "net", "%s", zf_net_name(net));
    for (size_t l = 0; l < result->layer_count; l++)
        zf_document_parameter(document, "layer", "%s", zf_net_layer(net, result->layers[l]).name);
    zf_document_paragraph(
        document,
        "Each picture is shifted, enlarged and turned. In the paper the features of a low layer "
        "change at once and much, those of a high one more slowly. What the class's %s "
        "does not notice, the net is invariant to.",
        zf_net_answer_word(net));
    if (result->count > MOST_SHOWN)
        zf_document_paragraph(document,
                              "Figures show the first eight pictures; invariance.json has all.");
    add_table(document, net, result, names);
    for (int m = 0; m < ZF_MOTIONS; m++)
        add_motion_blocks(document, net, result, names, squares, m);
    add_numbers(zf_document_numbers(document), net, result, names);
    for (size_t i = 0; i < result->count; i++) {
        zf_document_say(document, "%s\n  %.4f  %s\n", names[i], result->images[i].probability,
                        zf_net_label(net, result->images[i].target));
        for (int m = 0; m < ZF_MOTIONS; m++)
            say_motion(document, net, result, i, m);
    }
}
