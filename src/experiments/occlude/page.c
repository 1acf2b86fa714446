/* SPDX-License-Identifier: MIT */
/* Occlusion as numbers, as a page, and in a few lines. */
#include "experiments/occlude/occlude.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "page/document.h"

#define PANEL 168 /* px of a panel on the page, at least */

/* ---- Numbers. ---- */

static bool has_classes(const struct zf_net *net)
{
    return zf_net_answer(net) != ZF_ANSWER_NUMBERS;
}

static void add_image(struct zf_json *json, const struct zf_net *net,
                      const struct zf_occlusions *result, size_t i, const char *name)
{
    const struct zf_occlusion *image = &result->images[i];
    const double grid[] = {(double)result->rows, (double)result->columns};

    zf_json_object(json, NULL);
    zf_json_text(json, "path", name);
    zf_json_int(json, "class", image->target);
    zf_json_text(json, "label", zf_net_label(net, image->target));
    zf_json_float(json, zf_net_answer_word(net), image->probability);
    zf_json_int(json, "predicted", image->predicted);
    zf_json_text(json, "predicted_label", zf_net_label(net, image->predicted));
    zf_json_float(json, has_classes(net) ? "predicted_probability" : "predicted_value",
                  image->predicted_probability);
    zf_json_int(json, "size", result->size);
    zf_json_int(json, "stride", result->stride);
    zf_json_reals(json, "grid", grid, 2);
    zf_json_float_grid(json, has_classes(net) ? "probability_map" : "value_map",
                       image->probability_map, result->rows, result->columns);
    if (has_classes(net))
        zf_json_float_grid(json, "log_odds_map", image->odds_map, result->rows, result->columns);
    zf_json_object(json, "lowest"); /* the corner of the square where the class is least probable */
    zf_json_int(json, "x", zf_occlude_place(result, image->lowest).x);
    zf_json_int(json, "y", zf_occlude_place(result, image->lowest).y);
    zf_json_end(json);
    zf_json_object(json, "highest"); /* and where it is most probable */
    zf_json_int(json, "x", zf_occlude_place(result, image->highest).x);
    zf_json_int(json, "y", zf_occlude_place(result, image->highest).y);
    zf_json_end(json);
    zf_json_real(json, "raised_share",
                 (double)image->raised / (double)(result->rows * result->columns));
    zf_json_int_grid(json, "class_map", image->class_map, result->rows, result->columns);
    zf_json_text(json, "layer", zf_net_layer(net, result->layer).name);
    zf_json_int(json, "map", image->map);
    zf_json_int(json, "y", image->y);
    zf_json_int(json, "x", image->x);
    zf_json_float(json, "activation", image->activation);
    zf_json_float(json, "total", image->total);
    zf_json_real(json, "projection_dependence", image->dependence.value);
    zf_json_float_grid(json, "activation_map", image->activation_map, result->rows,
                       result->columns);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_net *net,
                        const struct zf_occlusions *result, const char *const *names)
{
    zf_json_array(json, "images");
    for (size_t i = 0; i < result->count; i++)
        add_image(json, net, result, i, names[i]);
    zf_json_end(json);
}

/* ---- The page. ---- */

static void add_words(struct zf_document *document, const struct zf_net *net,
                      const struct zf_occlusions *result, size_t i)
{
    const struct zf_occlusion *image = &result->images[i];
    const int64_t lowest = image->lowest, cells = result->rows * result->columns;
    int64_t kept = 0;
    char predicted[256] = "", odds[64] = "", depends[256];

    for (int64_t k = 0; k < cells; k++)
        kept += image->class_map[k] == image->target;
    if (image->predicted != image->target)
        snprintf(predicted, sizeof predicted,
                 has_classes(net) ? " (the net says %.120s, with %.3g)"
                                  : " (the largest is that of %.120s, %.3g)",
                 zf_net_label(net, image->predicted), (double)image->predicted_probability);
    if (has_classes(net) && image->probability_map[lowest] > ZF_ALMOST_SURE)
        snprintf(odds, sizeof odds, " (odds of %.2g to 1)", exp((double)image->odds_map[lowest]));
    zf_dependence_words(net, &image->dependence, depends, sizeof depends);
    zf_document_paragraph(
        document,
        "With nothing hidden, the %s of %s is %.3g%s. It is lowest, %.3g%s, with the "
        "square's corner at x %" PRId64 ", y %" PRId64 ". It is the largest of the net's at "
        "%" PRId64 " of %" PRId64 " places of the square. Hiding raises it at %" PRId64
        " of them, up to %.3g at x %" PRId64 ", y %" PRId64 ". The projection %s.",
        zf_net_answer_word(net), zf_net_label(net, image->target), (double)image->probability,
        predicted, (double)image->probability_map[lowest], odds, zf_occlude_place(result, lowest).x,
        zf_occlude_place(result, lowest).y, kept, cells, image->raised,
        (double)image->probability_map[image->highest], zf_occlude_place(result, image->highest).x,
        zf_occlude_place(result, image->highest).y, depends);
}

static void add_figure(struct zf_document *document, const struct zf_net *net,
                       const struct zf_occlusions *result, const struct zf_occlude_show *show,
                       size_t i)
{
    struct zf_occlude_panels panels;
    struct zf_picture figure = {0};
    struct zf_error err = {0};
    char file[48];

    snprintf(file, sizeof file, "occlude-%03zu.png", i);
    if (zf_occlude_figure(net, result, i, show, document, &figure, &panels, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    zf_document_panels(
        document, &figure, file, panels.items, panels.count, PANEL,
        zf_document_words(
            document,
            "%s: (a) the picture; (b) the sum over map %" PRId64
            " of %s, the strongest one, by the "
            "place of the square's middle; (c) that map's strongest activation projected to "
            "pixels%s; (d) the %s of %s; (e) %s. Around the maps, half a square of the picture has "
            "no value.",
            show->names[i], result->images[i].map, zf_net_layer(net, result->layer).name,
            show->others
                ? ", and below the same map's in the pictures of the data where it is strongest"
                : "",
            zf_net_answer_word(net), zf_net_label(net, result->images[i].target),
            has_classes(net) ? "the most probable class" : "which value is the largest"));
    zf_picture_release(&figure);
}

static void say(struct zf_document *document, const struct zf_net *net,
                const struct zf_occlusions *result, const char *const *names)
{
    for (size_t i = 0; i < result->count; i++) {
        const struct zf_occlusion *image = &result->images[i];
        const int64_t lowest = image->lowest;

        zf_document_say(
            document,
            "%s\n  %.4f  %s\n  %.4f  with the square at x %" PRId64 ", y %" PRId64 ": %s\n",
            names[i], (double)image->probability, zf_net_label(net, image->target),
            (double)image->probability_map[lowest], zf_occlude_place(result, lowest).x,
            zf_occlude_place(result, lowest).y, zf_net_label(net, image->class_map[lowest]));
        if (image->raised > 0)
            zf_document_say(document,
                            "  %.4f  with it at x %" PRId64 ", y %" PRId64 "; %" PRId64
                            " of %" PRId64 " places raise it\n",
                            (double)image->probability_map[image->highest],
                            zf_occlude_place(result, image->highest).x,
                            zf_occlude_place(result, image->highest).y, image->raised,
                            result->rows * result->columns);
    }
    zf_document_say(document, "%" PRId64 " x %" PRId64 " places of a square of %" PRId64 " px\n",
                    result->rows, result->columns, result->size);
}

void zf_occlude_page(const struct zf_net *net, const struct zf_occlusions *result,
                     const struct zf_occlude_show *show, struct zf_document *document)
{
    zf_document_parameter(document, "net", "%s", zf_net_name(net));
    zf_document_parameter(document, "square",
                          "%" PRId64 " px of the input's %" PRId64 " x %" PRId64, result->size,
                          result->input.w, result->input.h);
    zf_document_parameter(document, "stride", "%" PRId64 " px", result->stride);
    zf_document_parameter(document, "layer", "%s", zf_net_layer(net, result->layer).name);
    zf_document_parameter(document, "colour", "%s", show->colour);
    if (show->data)
        zf_document_parameter(document, "data", "%s", show->data);
    zf_document_paragraph(
        document,
        "A square slides over each picture. Where the %s that is followed falls (dark in "
        "panel d), the net needs what is there; where it stays, it does not. If the map's sum "
        "(panel b) falls at the same places that its projection (panel c) shows, the projection "
        "tells the truth about what excites the map.",
        zf_net_answer_word(net));
    for (size_t i = 0; i < result->count; i++) {
        zf_document_heading(document, "%s", show->names[i]);
        add_words(document, net, result, i);
        add_figure(document, net, result, show, i);
    }
    add_numbers(zf_document_numbers(document), net, result, show->names);
    zf_document_took(document, result->seconds);
    say(document, net, result, show->names);
}
