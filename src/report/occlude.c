/* SPDX-License-Identifier: MIT */
/* Occlusion as JSON and as a page. */
#include "report/occlude.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/json.h"
#include "report/report.h"
#include "zf/document.h"
#include "zf/report.h"

/* ---- JSON. ---- */

/* The corner of the square where the class is least probable. */
static bool add_lowest(cJSON *image, const struct zf_occlusions *result, int64_t lowest)
{
    cJSON *object = cJSON_AddObjectToObject(image, "lowest");

    return object && zf_json_add_int(object, "x", lowest % result->columns * result->stride) &&
           zf_json_add_int(object, "y", lowest / result->columns * result->stride);
}

static bool add_image(cJSON *images, const struct zf_net *net, const struct zf_occlusions *result,
                      size_t i, const char *name)
{
    const struct zf_occlusion *image = &result->images[i];
    const double grid[] = {(double)result->rows, (double)result->columns};
    cJSON *object = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(images, object))
        return false;
    return zf_json_add_text(object, "path", name) &&
           zf_json_add_int(object, "class", image->target) &&
           zf_json_add_text(object, "label", zf_net_label(net, image->target)) &&
           zf_json_add_float(object, "probability", image->probability) &&
           zf_json_add_int(object, "predicted", image->predicted) &&
           zf_json_add_text(object, "predicted_label", zf_net_label(net, image->predicted)) &&
           zf_json_add_float(object, "predicted_probability", image->predicted_probability) &&
           zf_json_add_int(object, "size", result->size) &&
           zf_json_add_int(object, "stride", result->stride) &&
           zf_json_add_doubles(object, "grid", grid, 2) &&
           zf_json_add_float_grid(object, "probability_map", image->probability_map, result->rows,
                                  result->columns) &&
           zf_json_add_float_grid(object, "log_odds_map", image->odds_map, result->rows,
                                  result->columns) &&
           add_lowest(object, result, image->lowest) &&
           zf_json_add_int_grid(object, "class_map", image->class_map, result->rows,
                                result->columns) &&
           zf_json_add_text(object, "layer", zf_net_layer(net, result->layer).name) &&
           zf_json_add_int(object, "map", image->map) && zf_json_add_int(object, "y", image->y) &&
           zf_json_add_int(object, "x", image->x) &&
           zf_json_add_float(object, "activation", image->activation) &&
           zf_json_add_float(object, "total", image->total) &&
           zf_json_add_float_grid(object, "activation_map", image->activation_map, result->rows,
                                  result->columns);
}

/* `timed`: with how long it took. No file holds that, so that equal runs leave equal files. */
static enum zf_status write_json(const struct zf_net *net, const struct zf_occlusions *result,
                                 const struct zf_probe_show *show, bool timed, char **json,
                                 struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject(), *images = cJSON_AddArrayToObject(object, "images");
    bool ok = images != NULL;

    for (size_t i = 0; ok && i < result->count; i++)
        ok = add_image(images, net, result, i, show->names[i]);
    if (timed)
        ok = ok && zf_json_add_double(object, "seconds", result->seconds);
    return zf_json_finish(object, ok, json, err);
}

enum zf_status zf_occlude_json(const struct zf_net *net, const struct zf_occlusions *result,
                               const struct zf_probe_show *show, char **json, struct zf_error *err)
{
    return write_json(net, result, show, true, json, err);
}

/* ---- The same map in other pictures. ---- */

/* Fills the others of all images whose map is projected. */
struct gathering {
    const struct zf_net *net;
    const struct zf_occlusions *result;
    const struct zf_probe_show *show;
    struct zf_others *others; /* [images] */
};

/* Of each image only those in which the map is strong; the image itself is none of the others. */
static bool wants(const struct gathering *gathering, size_t image, int64_t map,
                  const struct zf_picture *patch, struct zf_box box)
{
    const struct zf_picture *shown = &gathering->show->shown[image];

    if (gathering->result->images[image].map != map || gathering->others[image].count > ZF_OTHERS)
        return false;
    for (int64_t y = 0; y < box.height; y++) {
        if (memcmp(shown->pixels + ((box.y + y) * shown->width + box.x) * 3,
                   patch->pixels + y * patch->width * 3, (size_t)patch->width * 3) != 0)
            return true;
    }
    return false;
}

static enum zf_status cut(const struct zf_picture *picture, struct zf_box box,
                          struct zf_picture *out, struct zf_error *err)
{
    const enum zf_status status = zf_picture_init(out, box.width, box.height, err);

    for (int64_t y = 0; status == ZF_OK && y < box.height; y++)
        memcpy(out->pixels + y * box.width * 3,
               picture->pixels + ((box.y + y) * picture->width + box.x) * 3, (size_t)box.width * 3);
    return status;
}

/* An empty place in the order of ranks: entries come in any. */
static struct zf_other *make_room(struct zf_others *others, size_t rank)
{
    size_t at = others->count++;

    for (; at > 0 && others->items[at - 1].rank > rank; at--)
        others->items[at] = others->items[at - 1];
    others->items[at] = (struct zf_other){.rank = rank};
    return &others->items[at];
}

static enum zf_status visit(void *user, size_t layer, size_t m, size_t rank, const float *input,
                            const float *projection, struct zf_error *err)
{
    struct gathering *gathering = user;
    const struct zf_top_map *map = &gathering->show->top->layers[layer].maps[m];
    const struct zf_box box = map->entries[rank].patch;
    const struct zf_shape in = gathering->result->input;
    const struct zf_preparation *how = zf_net_preparation(gathering->net);
    const float limit = zf_signal_limit(projection, in, box, ZF_CUT_SHARE);
    struct zf_picture picture = {0}, patch = {0};
    enum zf_status status;

    ZF_TRY(zf_picture_from_input(input, in, how, &picture, err));
    ZF_TRY(cut(&picture, box, &patch, err));
    for (size_t i = 0; i < gathering->result->count; i++) {
        struct zf_other *other;

        if (!wants(gathering, i, map->map, &patch, box))
            continue;
        other = make_room(&gathering->others[i], rank);
        ZF_TRY(zf_picture_from_signal(projection, in, box, limit, how->channels, &other->projection,
                                      err));
        ZF_TRY(cut(&picture, box, &other->patch, err));
    }
fail:
    zf_picture_release(&picture);
    zf_picture_release(&patch);
    return status;
}

static void others_free(struct zf_others *others, size_t count)
{
    for (size_t i = 0; others && i < count; i++) {
        for (size_t k = 0; k <= ZF_OTHERS; k++) {
            zf_picture_release(&others[i].items[k].patch);
            zf_picture_release(&others[i].items[k].projection);
        }
    }
    zf_free(others);
}

static enum zf_status gather_others(const struct zf_net *net, const struct zf_occlusions *result,
                                    const struct zf_probe_show *show, struct zf_others **out,
                                    const struct zf_monitor *monitor, struct zf_error *err)
{
    struct gathering gathering = {net, result, show, NULL};
    enum zf_status status;

    gathering.others = zf_alloc(result->count, sizeof(*gathering.others));
    if (!gathering.others)
        return zf_fail(err, ZF_ENOMEM, "out of memory for the pictures of a page");
    status = zf_top_project(net, show->others, show->top, show->top_options, visit, &gathering,
                            monitor, err);
    if (status == ZF_OK)
        *out = gathering.others;
    else
        others_free(gathering.others, result->count);
    return status;
}

/* ---- The page. ---- */

static enum zf_status add_parameters(struct zf_document *document, const struct zf_net *net,
                                     const struct zf_occlusions *result,
                                     const struct zf_probe_show *show, struct zf_error *err)
{
    enum zf_status status;
    char text[96];

    ZF_TRY(zf_document_parameter(document, "net", zf_net_name(net), err));
    snprintf(text, sizeof text, "%" PRId64 " px of the input's %" PRId64 " x %" PRId64,
             result->size, result->input.w, result->input.h);
    ZF_TRY(zf_document_parameter(document, "square", text, err));
    snprintf(text, sizeof text, "%" PRId64 " px", result->stride);
    ZF_TRY(zf_document_parameter(document, "stride", text, err));
    ZF_TRY(zf_document_parameter(document, "layer", zf_net_layer(net, result->layer).name, err));
    for (size_t i = 0; show->parameters && show->parameters[i]; i += 2)
        ZF_TRY(zf_document_parameter(document, show->parameters[i], show->parameters[i + 1], err));
fail:
    return status;
}

static enum zf_status add_words(struct zf_document *document, const struct zf_net *net,
                                const struct zf_occlusions *result, size_t i, struct zf_error *err)
{
    const struct zf_occlusion *image = &result->images[i];
    const int64_t lowest = image->lowest, cells = result->rows * result->columns;
    int64_t kept = 0;
    char text[896], predicted[256] = "", odds[64] = "";

    for (int64_t k = 0; k < cells; k++)
        kept += image->class_map[k] == image->target;
    if (image->predicted != image->target)
        snprintf(predicted, sizeof predicted, " (the net says %.120s, with %.3g)",
                 zf_net_label(net, image->predicted), (double)image->predicted_probability);
    if (image->probability_map[lowest] > ZF_ALMOST_SURE)
        snprintf(odds, sizeof odds, " (odds of %.2g to 1)", exp((double)image->odds_map[lowest]));
    snprintf(text, sizeof text,
             "With nothing hidden, the probability of %.200s is %.3g%s. It is lowest, %.3g%s, with "
             "the square's corner at x %" PRId64 ", y %" PRId64 ". The class is the most probable "
             "one at %" PRId64 " of %" PRId64 " places of the square.",
             zf_net_label(net, image->target), (double)image->probability, predicted,
             (double)image->probability_map[lowest], odds,
             lowest % result->columns * result->stride, lowest / result->columns * result->stride,
             kept, cells);
    return zf_document_paragraph(document, text, err);
}

static enum zf_status add_figure(struct zf_document *document, const struct zf_net *net,
                                 const struct zf_occlusions *result,
                                 const struct zf_probe_show *show, size_t i,
                                 const struct zf_others *others, struct zf_error *err)
{
    struct zf_picture figure = {0};
    enum zf_status status;
    char file[48];
    char *caption = zf_format(
        "%s: (a) the picture; (b) the sum over map %" PRId64 " of %s, the strongest one, by the "
        "place of the square's middle; (c) that map's strongest activation projected to pixels%s; "
        "(d) the probability of %s; (e) the most probable class.",
        show->names[i], result->images[i].map, zf_net_layer(net, result->layer).name,
        others ? ", and below the same map's in the pictures of the data where it is strongest"
               : "",
        zf_net_label(net, result->images[i].target));

    if (!caption)
        return zf_fail(err, ZF_ENOMEM, "out of memory for a caption");
    snprintf(file, sizeof file, "occlude-%03zu.png", i);
    ZF_TRY(zf_occlude_figure(net, result, i, &show->shown[i], others ? &others[i] : NULL, &figure,
                             err));
    ZF_TRY(zf_document_picture(document, file, caption, &figure, err));
fail:
    zf_picture_release(&figure);
    zf_free(caption);
    return status;
}

enum zf_status zf_occlude_report(const struct zf_net *net, const struct zf_occlusions *result,
                                 const struct zf_probe_show *show, const char *directory,
                                 const struct zf_monitor *monitor, struct zf_error *err)
{
    struct zf_document *document = NULL;
    struct zf_others *others = NULL;
    enum zf_status status;
    char *json = NULL;

    if (show->others && show->top)
        ZF_TRY(gather_others(net, result, show, &others, monitor, err));
    ZF_TRY(zf_document_create(directory, "occlude", "What hides the answer", show->command,
                              &document, err));
    ZF_TRY(add_parameters(document, net, result, show, err));
    ZF_TRY(zf_document_paragraph(
        document,
        "A square slides over each picture. Where the probability of the class falls (dark in "
        "panel d), the net needs what is there; where it stays, it does not. If the map's sum "
        "(panel b) falls at the same places that its projection (panel c) shows, the projection "
        "tells the truth about what excites the map.",
        err));
    for (size_t i = 0; i < result->count; i++) {
        ZF_TRY(zf_document_heading(document, show->names[i], err));
        ZF_TRY(add_words(document, net, result, i, err));
        ZF_TRY(add_figure(document, net, result, show, i, others, err));
    }
    ZF_TRY(write_json(net, result, show, false, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    others_free(others, result->count);
    zf_document_free(&document);
    zf_text_free(json);
    return status;
}
