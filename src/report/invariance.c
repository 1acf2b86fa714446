/* SPDX-License-Identifier: MIT */
/* Invariance as JSON and as a page in the manner of figure 5: a row for each motion. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/experiments.h"
#include "report/canvas.h"
#include "report/json.h"
#include "zf/document.h"
#include "zf/report.h"

#define MOST_SHOWN 8 /* pictures in figures; tables and JSON have all */
#define EXAMPLES 7   /* values of a motion that are shown as pictures */
#define TILE 112     /* px */
#define GAP 6
#define HEAD 22

/* How a motion is written. */
static const struct {
    const char *title, *axis, *unit;
} words[ZF_MOTIONS] = {
    {"Vertical translation", "shift downwards, px", "px"},
    {"Scale", "scale", "x"},
    {"Rotation", "rotation clockwise, degrees", "deg"},
};

/* ---- JSON. ---- */

/* Relative to the original's norm; of no features at all there is no such number. */
static double normalised(const struct zf_invariance *result, size_t image, int motion, size_t layer,
                         size_t i)
{
    const struct zf_invariance_image *of = &result->images[image];
    const double distance = of->curves[motion].distance[layer * result->value_count[motion] + i];

    return of->norms[layer] > 0.0 ? distance / of->norms[layer] : NAN;
}

static bool add_motion(cJSON *motions, const struct zf_net *net, const struct zf_invariance *result,
                       size_t image, int motion)
{
    const struct zf_invariance_curve *curve = &result->images[image].curves[motion];
    const size_t count = result->value_count[motion];
    double *relative = zf_alloc(count, sizeof(*relative));
    cJSON *object = cJSON_CreateObject(), *raw, *norm;
    bool ok;

    ok = cJSON_AddItemToArray(motions, object) && relative;
    ok = ok && zf_json_add_text(object, "kind", zf_motion_name((enum zf_motion)motion)) &&
         zf_json_add_text(object, "unit", words[motion].unit) &&
         zf_json_add_doubles(object, "values", result->values[motion], count);
    raw = ok ? cJSON_AddObjectToObject(object, "distance") : NULL;
    norm = raw ? cJSON_AddObjectToObject(object, "normalised_distance") : NULL;
    ok = norm != NULL;
    for (size_t l = 0; ok && l < result->layer_count; l++) {
        const char *name = zf_net_layer(net, result->layers[l]).name;

        for (size_t i = 0; i < count; i++)
            relative[i] = normalised(result, image, motion, l, i);
        ok = zf_json_add_doubles(raw, name, curve->distance + l * count, count) &&
             zf_json_add_doubles(norm, name, relative, count);
    }
    ok = ok && zf_json_add_doubles(object, "probability", curve->probability, count);
    zf_free(relative);
    return ok;
}

static bool add_image(cJSON *images, const struct zf_net *net, const struct zf_invariance *result,
                      size_t i, const char *name)
{
    const struct zf_invariance_image *image = &result->images[i];
    cJSON *object = cJSON_CreateObject(), *motions;
    bool ok = cJSON_AddItemToArray(images, object) && zf_json_add_text(object, "path", name) &&
              zf_json_add_int(object, "class", image->target) &&
              zf_json_add_text(object, "label", zf_net_label(net, image->target)) &&
              zf_json_add_double(object, "probability", image->probability);

    motions = ok ? cJSON_AddArrayToObject(object, "transforms") : NULL;
    ok = motions != NULL;
    for (int m = 0; ok && m < ZF_MOTIONS; m++)
        ok = add_motion(motions, net, result, i, m);
    return ok;
}

enum zf_status zf_invariance_json(const struct zf_net *net, const struct zf_invariance *result,
                                  const struct zf_probe_show *show, char **json,
                                  struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject(), *images = cJSON_AddArrayToObject(object, "images");
    bool ok = images != NULL;

    for (size_t i = 0; ok && i < result->count; i++)
        ok = add_image(images, net, result, i, show->names[i]);
    return zf_json_finish(object, ok, json, err);
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
    const enum zf_status status = zf_picture_transform(square, &transform, &moved, err);

    if (status != ZF_OK)
        return status;
    zf_canvas_place(sheet, box, &moved, (struct zf_box){view.x, view.y, in.w, in.h});
    zf_picture_release(&moved);
    return ZF_OK;
}

/* A row for each picture, a column for each example of the motion. */
static enum zf_status draw_examples(const struct zf_net *net, const struct zf_invariance *result,
                                    const struct zf_probe_show *show, int motion,
                                    struct zf_picture *sheet, struct zf_error *err)
{
    const struct zf_lettering small = {9.0, ZF_INK};
    const int64_t rows = (int64_t)shown_count(result);
    struct zf_picture made = {0};
    enum zf_status status;

    ZF_TRY(zf_canvas_init(&made, GAP + EXAMPLES * (TILE + GAP), HEAD + rows * (TILE + GAP), err));
    for (int i = 0; i < EXAMPLES; i++) {
        const double value = result->values[motion][example(result, motion, i)];
        const int64_t left = GAP + i * (TILE + GAP);
        char text[48];

        snprintf(text, sizeof text,
                 motion == ZF_MOTION_TRANSLATION && value != 0.0 ? "%+g %s" : "%.3g %s", value,
                 words[motion].unit);
        zf_canvas_text(&made, &small, (double)left, 7.0, TILE, text);
        for (int64_t row = 0; row < rows; row++)
            ZF_TRY(draw_example(&made, net, &show->shown[row],
                                zf_motion_transform((enum zf_motion)motion, value),
                                (struct zf_box){left, HEAD + row * (TILE + GAP), TILE, TILE}, err));
    }
    *sheet = made;
    made = (struct zf_picture){0};
fail:
    zf_picture_release(&made);
    return status;
}

/* ---- Charts. ---- */

/* What the charts of one motion stand on. */
struct curves {
    size_t charts, series, values;
    double *y;               /* [charts * series * values] */
    struct zf_series *lines; /* [charts * series] */
    struct zf_chart *of;     /* [charts] */
    char **titles;           /* [charts] */
};

static void curves_release(struct curves *curves)
{
    for (size_t c = 0; curves->titles && c < curves->charts; c++)
        zf_free(curves->titles[c]);
    zf_free(curves->titles);
    zf_free(curves->y);
    zf_free(curves->lines);
    zf_free(curves->of);
}

/* The file's name, without its folders. */
static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash && slash[1] ? slash + 1 : path;
}

static enum zf_status curves_init(struct curves *curves, const struct zf_net *net,
                                  const struct zf_invariance *result, int motion,
                                  struct zf_error *err)
{
    const size_t layers = result->layer_count;

    curves->charts = layers + 1;
    curves->series = shown_count(result);
    curves->values = result->value_count[motion];
    curves->y = zf_alloc(curves->charts * curves->series * curves->values, sizeof(*curves->y));
    curves->lines = zf_alloc(curves->charts * curves->series, sizeof(*curves->lines));
    curves->of = zf_alloc(curves->charts, sizeof(*curves->of));
    curves->titles = zf_alloc(curves->charts, sizeof(*curves->titles));
    if (!curves->y || !curves->lines || !curves->of || !curves->titles)
        return zf_fail(err, ZF_ENOMEM, "out of memory for charts");
    for (size_t c = 0; c < curves->charts; c++) {
        curves->titles[c] =
            c < layers ? zf_format("features of %s", zf_net_layer(net, result->layers[c]).name)
                       : zf_strdup("probability of the class");
        if (!curves->titles[c])
            return zf_fail(err, ZF_ENOMEM, "out of memory for charts");
    }
    return ZF_OK;
}

static void fill_chart(struct curves *curves, const struct zf_invariance *result,
                       const struct zf_probe_show *show, int motion, size_t c)
{
    const bool probability = c == result->layer_count;

    for (size_t s = 0; s < curves->series; s++) {
        double *y = curves->y + (c * curves->series + s) * curves->values;

        for (size_t i = 0; i < curves->values; i++)
            y[i] = probability ? result->images[s].curves[motion].probability[i]
                               : normalised(result, s, motion, c, i);
        curves->lines[c * curves->series + s] =
            (struct zf_series){.name = short_name(show->names[s]),
                               .x = result->values[motion],
                               .y = y,
                               .count = curves->values};
    }
    curves->of[c] = (struct zf_chart){
        .kind = ZF_CHART_LINES,
        .title = curves->titles[c],
        .x_label = words[motion].axis,
        .y_label = probability ? "probability" : "distance / norm of the original's",
        .series = curves->lines + c * curves->series,
        .series_count = curves->series,
        .from_zero = true,
    };
}

static enum zf_status add_charts(struct zf_document *document, const struct zf_net *net,
                                 const struct zf_invariance *result,
                                 const struct zf_probe_show *show, int motion, struct zf_error *err)
{
    struct curves curves = {0};
    enum zf_status status;
    char file[64];

    ZF_TRY(curves_init(&curves, net, result, motion, err));
    for (size_t c = 0; c < curves.charts; c++)
        fill_chart(&curves, result, show, motion, c);
    snprintf(file, sizeof file, "invariance-%s.svg", zf_motion_name((enum zf_motion)motion));
    ZF_TRY(zf_document_charts(
        document, file,
        "Euclidean distance of the features to those of the picture as it is, as a share of their "
        "norm, layer by layer, and the probability of the class; a line for each picture.",
        curves.of, curves.charts, curves.charts < 4 ? curves.charts : 3, err));
fail:
    curves_release(&curves);
    return status;
}

/* ---- The page. ---- */

static enum zf_status add_motion_blocks(struct zf_document *document, const struct zf_net *net,
                                        const struct zf_invariance *result,
                                        const struct zf_probe_show *show, int motion,
                                        struct zf_error *err)
{
    struct zf_picture sheet = {0};
    enum zf_status status;
    char file[64];

    snprintf(file, sizeof file, "invariance-%s.png", zf_motion_name((enum zf_motion)motion));
    ZF_TRY(zf_document_heading(document, words[motion].title, err));
    ZF_TRY(draw_examples(net, result, show, motion, &sheet, err));
    ZF_TRY(zf_document_picture(
        document, file,
        "What the net sees at some of the values. Beyond its border a picture goes on with its "
        "outermost pixels.",
        &sheet, err));
    ZF_TRY(add_charts(document, net, result, show, motion, err));
fail:
    zf_picture_release(&sheet);
    return status;
}

static enum zf_status add_table(struct zf_document *document, const struct zf_net *net,
                                const struct zf_invariance *result,
                                const struct zf_probe_show *show, struct zf_error *err)
{
    static const char *const columns[] = {"picture", "class", "probability"};
    enum { COLUMNS = 3 };
    char(*numbers)[24] = zf_alloc(result->count, sizeof(*numbers));
    const char **cells = zf_alloc(result->count * COLUMNS, sizeof(*cells));
    enum zf_status status;

    if (!numbers || !cells) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a table");
        goto fail;
    }
    for (size_t i = 0; i < result->count; i++) {
        snprintf(numbers[i], sizeof numbers[i], "%.4f", result->images[i].probability);
        cells[i * COLUMNS] = show->names[i];
        cells[i * COLUMNS + 1] = zf_net_label(net, result->images[i].target);
        cells[i * COLUMNS + 2] = numbers[i];
    }
    ZF_TRY(zf_document_table(document,
                             &(struct zf_table){.caption = "The pictures as they are, and the "
                                                           "class whose probability is followed.",
                                                .columns = columns,
                                                .column_count = COLUMNS,
                                                .cells = cells,
                                                .row_count = result->count},
                             err));
fail:
    zf_free(cells);
    zf_free(numbers);
    return status;
}

static enum zf_status add_parameters(struct zf_document *document, const struct zf_net *net,
                                     const struct zf_invariance *result,
                                     const struct zf_probe_show *show, struct zf_error *err)
{
    enum zf_status status;

    ZF_TRY(zf_document_parameter(document, "net", zf_net_name(net), err));
    for (size_t l = 0; l < result->layer_count; l++)
        ZF_TRY(zf_document_parameter(document, "layer", zf_net_layer(net, result->layers[l]).name,
                                     err));
    for (size_t i = 0; show->parameters && show->parameters[i]; i += 2)
        ZF_TRY(zf_document_parameter(document, show->parameters[i], show->parameters[i + 1], err));
fail:
    return status;
}

enum zf_status zf_invariance_report(const struct zf_net *net, const struct zf_invariance *result,
                                    const struct zf_probe_show *show, const char *directory,
                                    struct zf_error *err)
{
    struct zf_document *document = NULL;
    enum zf_status status;
    char *json = NULL;

    ZF_TRY(zf_document_create(directory, "invariance", "What moves the features", show->command,
                              &document, err));
    ZF_TRY(add_parameters(document, net, result, show, err));
    ZF_TRY(zf_document_paragraph(
        document,
        "Each picture is shifted, enlarged and turned. In the paper the features of a low layer "
        "change at once and much, those of a high one more slowly. What the class's probability "
        "does not notice, the net is invariant to.",
        err));
    if (result->count > MOST_SHOWN)
        ZF_TRY(zf_document_paragraph(
            document, "Figures show the first eight pictures; invariance.json has all.", err));
    ZF_TRY(add_table(document, net, result, show, err));
    for (int m = 0; m < ZF_MOTIONS; m++)
        ZF_TRY(add_motion_blocks(document, net, result, show, m, err));
    ZF_TRY(zf_invariance_json(net, result, show, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_document_free(&document);
    zf_text_free(json);
    return status;
}
