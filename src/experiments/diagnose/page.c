/* SPDX-License-Identifier: MIT */
/* Diagnosis as numbers, as a page with figure 6, and in a few lines. */
#include "experiments/diagnose/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page/chart.h"
#include "page/document.h"
#include "page/sprites.h"

#define FILTER_TILE 44 /* px */
#define PANEL 108      /* px of a map on the page, at least */

static const char *name_of(const struct zf_net *net, const struct zf_diagnosis_layer *layer)
{
    return zf_net_layer(net, layer->layer).name;
}

/* ---- Numbers. ---- */

/* The numbers of the maps of which a flag, at `offset` in zf_diagnosis_map, is set. */
static void add_maps(struct zf_json *json, const char *key, const struct zf_diagnosis_layer *layer,
                     size_t offset)
{
    zf_json_array(json, key);
    for (size_t m = 0; m < layer->map_count; m++) {
        const bool *flag = (const bool *)((const char *)&layer->maps[m] + offset);

        if (*flag)
            zf_json_int(json, NULL, (int64_t)m);
    }
    zf_json_end(json);
}

static void add_duplicates(struct zf_json *json, const struct zf_diagnosis_layer *layer)
{
    zf_json_array(json, "duplicates");
    for (size_t m = 0; m < layer->map_count; m++) {
        const struct zf_diagnosis_map *map = &layer->maps[m];

        if (!map->duplicate)
            continue;
        zf_json_object(json, NULL);
        zf_json_int(json, "map", (int64_t)m);
        zf_json_int(json, "of", map->twin);
        zf_json_real(json, "cosine", map->twin_cosine);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_layer(struct zf_json *json, const struct zf_net *net,
                      const struct zf_diagnosis_layer *layer)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "name", name_of(net, layer));
    zf_json_int(json, "maps", (int64_t)layer->map_count);
    add_maps(json, "dead", layer, offsetof(struct zf_diagnosis_map, dead));
    add_maps(json, "dominating", layer, offsetof(struct zf_diagnosis_map, dominating));
    add_maps(json, "saturated", layer, offsetof(struct zf_diagnosis_map, saturated));
    add_maps(json, "not_finite", layer, offsetof(struct zf_diagnosis_map, not_finite));
    add_duplicates(json, layer);
    zf_json_real(json, "aliasing", layer->aliasing);
    zf_json_real(json, "low_frequency_share", layer->band[ZF_BAND_LOW]);
    zf_json_real(json, "mid_frequency_share", layer->band[ZF_BAND_MIDDLE]);
    zf_json_real(json, "high_frequency_share", layer->band[ZF_BAND_HIGH]);
    zf_json_real(json, "median_rms", layer->median_rms);
    zf_json_text(json, "verdict", layer->verdict);
    zf_json_end(json);
}

static void add_weights(struct zf_json *json, const struct zf_net *net,
                        const struct zf_diagnosis *diagnosis)
{
    zf_json_array(json, "weights");
    for (size_t i = 0; i < diagnosis->weight_count; i++) {
        const struct zf_diagnosis_weights *w = &diagnosis->weights[i];

        zf_json_object(json, NULL);
        zf_json_text(json, "name", zf_net_layer(net, w->layer).name);
        zf_json_real(json, "pairs", w->randomness.pairs);
        zf_json_real(json, "rows", w->randomness.rows);
        zf_json_real(json, "columns", w->randomness.columns);
        zf_json_real(json, "tails", w->randomness.tails);
        zf_json_real(json, "direction", w->randomness.direction);
        zf_json_real(json, "most", w->randomness.most);
        zf_json_flag(json, "random", w->random);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_course(struct zf_json *json, const struct zf_diagnosis_course *course)
{
    zf_json_object(json, "training");
    zf_json_int(json, "epochs", course->epochs);
    zf_json_int(json, "best_epoch", course->best_epoch);
    zf_json_real(json, "loss_fall", course->fall);
    zf_json_real(json, "train_top1_error", course->train);
    zf_json_real(json, "val_top1_error", course->val);
    zf_json_flag(json, "falling", course->falling);
    zf_json_flag(json, "gap", course->gap);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_net *net,
                        const struct zf_diagnosis *diagnosis)
{
    zf_json_text(json, "net", zf_net_name(net));
    zf_json_int(json, "images", diagnosis->images);
    zf_json_array(json, "layers");
    for (size_t i = 0; i < diagnosis->layer_count; i++)
        add_layer(json, net, &diagnosis->layers[i]);
    zf_json_end(json);
    add_weights(json, net, diagnosis);
    if (diagnosis->course.told)
        add_course(json, &diagnosis->course);
}

/* ---- Pictures. ---- */

/* A filter a panel, in reading order. */
static const struct zf_panel *list_filters(struct zf_document *document,
                                           const struct zf_picture *sheet, size_t count)
{
    const int64_t columns = (sheet->width - ZF_FILTER_GAP) / (FILTER_TILE + ZF_FILTER_GAP);
    struct zf_panel *panels = zf_document_room(document, count, sizeof *panels);

    for (size_t i = 0; panels && columns > 0 && i < count; i++) {
        const int64_t column = (int64_t)i % columns, row = (int64_t)i / columns;

        panels[i].box = (struct zf_box){ZF_FILTER_GAP + column * (FILTER_TILE + ZF_FILTER_GAP),
                                        ZF_FILTER_GAP + row * (FILTER_TILE + ZF_FILTER_GAP),
                                        FILTER_TILE, FILTER_TILE};
    }
    return panels;
}

static void add_filters(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                        struct zf_document *document)
{
    const struct zf_diagnosis_layer *first = &diagnosis->layers[0];
    struct zf_picture sheet = {0};
    struct zf_error err = {0};
    enum zf_status status;

    status = zf_filters_picture(net, first->layer, FILTER_TILE, &sheet, &err);
    if (status == ZF_EINVAL) /* it does not look at the input's own channels */
        return;
    if (status != ZF_OK)
        zf_document_fail(document, err.status, &err);
    zf_layer_sheet(document, &sheet, net, first->layer,
                   list_filters(document, &sheet, first->map_count), first->map_count, FILTER_TILE,
                   "The first layer's filters in reading order, each at its own contrast: grey is "
                   "zero. Smooth edges and blobs of colour are what a healthy layer has; grey or "
                   "speckled ones have learned nothing.");
    zf_picture_release(&sheet);
}

static enum zf_status draw_projections(const struct zf_net *net,
                                       const struct zf_diagnosis *diagnosis, const char *title,
                                       struct zf_picture *sheet, struct zf_panel *panels,
                                       struct zf_error *err)
{
    const struct zf_top_layer *second = &diagnosis->second->layers[0];
    struct zf_sprites sprites = {0};
    enum zf_status status;

    ZF_TRY(zf_sprites_init_row(&sprites, net, second, 1, err));
    for (size_t m = 0; m < second->map_count; m++) {
        if (diagnosis->projections[m])
            ZF_TRY(zf_sprites_draw_patch(&sprites, m, 0, diagnosis->patches[m],
                                         diagnosis->projections[m], err));
    }
    ZF_TRY(zf_sheet_draw(&sprites,
                         &(struct zf_sheet_part){.count = second->map_count, .title = title}, sheet,
                         panels, err));
fail:
    zf_sprites_release(&sprites);
    return status;
}

static void add_projections(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                            struct zf_document *document)
{
    const struct zf_top_layer *second = diagnosis->second ? &diagnosis->second->layers[0] : NULL;
    struct zf_picture sheet = {0};
    struct zf_error err = {0};
    struct zf_panel *panels;

    if (!second)
        return;
    panels = zf_document_room(document, second->map_count, sizeof *panels);
    if (panels &&
        draw_projections(net, diagnosis,
                         zf_document_words(document, "%s of %s: the strongest of each map",
                                           name_of(net, &diagnosis->layers[1]), zf_net_name(net)),
                         &sheet, panels, &err) != ZF_OK)
        zf_document_fail(document, err.status, &err);
    for (size_t m = 0; panels && m < second->map_count; m++)
        panels[m].title = zf_document_words(document, "%" PRId64, second->maps[m].map);
    zf_layer_sheet(
        document, &sheet, net, diagnosis->layers[1].layer, panels, second->map_count, PANEL,
        "The second layer: under the number of each map, the projection of its strongest "
        "activation in all pictures, and the patch that it comes from. Fine grids and "
        "speckles in the projections are aliasing.");
    zf_picture_release(&sheet);
}

/* ---- Charts. ---- */

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The maps of each layer, or of some where there are many, by a value, the smallest first. False
   when memory is short. */
static bool sort_maps(const struct zf_net *net, const struct zf_diagnosis *diagnosis, bool fired,
                      struct zf_series series[ZF_CHART_SERIES], struct zf_document *document)
{
    const size_t every = zf_chart_every(diagnosis->layer_count);

    for (size_t i = 0; i < diagnosis->layer_count; i += every) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
        const size_t count = layer->map_count;
        double *x = zf_document_room(document, 2 * count, sizeof *x), *y = x ? x + count : NULL;

        if (!x)
            return false;
        for (size_t m = 0; m < count; m++) {
            x[m] = ((double)m + 0.5) / (double)count;
            y[m] = fired                   ? layer->maps[m].fired_positions
                   : layer->median_rms > 0 ? layer->maps[m].rms / layer->median_rms
                                           : 0;
        }
        qsort(y, count, sizeof *y, compare_doubles);
        series[i / every] = (struct zf_series){name_of(net, layer), x, y, NULL, count};
    }
    return true;
}

static void add_map_charts(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                           struct zf_document *document)
{
    const size_t every = zf_chart_every(diagnosis->layer_count);
    const size_t count = (diagnosis->layer_count + every - 1) / every;
    struct zf_series sizes[ZF_CHART_SERIES] = {{0}}, firing[ZF_CHART_SERIES] = {{0}};
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

    if (!sort_maps(net, diagnosis, false, sizes, document) ||
        (seen && !sort_maps(net, diagnosis, true, firing, document)))
        return;
    zf_document_charts(document, charts, seen ? 2 : 1, 2, "maps.svg", "%s",
                       seen
                           ? "Each layer's maps in order of their value, the smallest on the left. "
                             "A line that begins at zero on the right-hand chart is dead maps; one "
                             "that shoots up at the end of the left-hand chart is filters that "
                             "dominate."
                           : "Each layer's filters in order of their size: a line that shoots up "
                             "at the end is filters that dominate.");
}

static void add_bands(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                      struct zf_document *document)
{
    static const char *const bands[ZF_BANDS] = {"low, below 1/8", "middle", "high, above 1/4"};
    const size_t layers = diagnosis->layer_count;
    double *values = zf_document_room(document, ZF_BANDS * layers, sizeof *values);
    const char **names = zf_document_room(document, layers, sizeof *names);
    struct zf_series series[ZF_BANDS];

    if (!values || !names)
        return;
    for (size_t i = 0; i < layers; i++) {
        names[i] = name_of(net, &diagnosis->layers[i]);
        for (size_t b = 0; b < ZF_BANDS; b++)
            values[b * layers + i] = diagnosis->layers[i].band[b];
    }
    for (size_t b = 0; b < ZF_BANDS; b++)
        series[b] = (struct zf_series){bands[b], NULL, values + b * layers, NULL, layers};
    zf_document_charts(
        document,
        &(struct zf_chart){.kind = ZF_CHART_BARS,
                           .title = "Spatial frequencies",
                           .y_label = "share of the energy",
                           .categories = names,
                           .category_count = layers,
                           .series = series,
                           .series_count = ZF_BANDS},
        1, 1, "frequencies.svg",
        "Where the energy of the filters lies, in cycles per pixel of what they look "
        "at. White noise has 0.05, 0.15 and 0.80; a first layer that has learned has "
        "much at low and middle frequencies. Filters under 5 x 5 cannot be told from noise by "
        "this.");
}

/* ---- Words. ---- */

static void add_table(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                      struct zf_document *document)
{
    static const char *const columns[] = {"layer",          "maps",       "dead",
                                          "dominating",     "saturated",  "duplicates",
                                          "middle band, %", "aliasing, %"};

    zf_document_table(
        document, columns, ZF_COUNT(columns),
        "Dead: above zero in fewer than 0.1 %% of the pictures (without pictures: a filter of "
        "zeros). Dominating: an RMS of more than 10 times the layer's median. Saturated: above "
        "zero "
        "at 99 %% of all places. Duplicates: a cosine of 0.98 or more with an earlier filter of 25 "
        "weights or more. "
        "Aliasing: energy that the first layer's stride folds, of its own filters, and of the "
        "second layer's projections.");
    for (size_t i = 0; i < diagnosis->layer_count; i++) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];

        zf_document_cell(document, "%s", name_of(net, layer));
        zf_document_cell(document, "%zu", layer->map_count);
        zf_document_cell(document, "%zu", layer->dead);
        zf_document_cell(document, "%zu", layer->dominating);
        zf_document_number(document, 0,
                           diagnosis->images > 0 ? (double)layer->saturated : (double)NAN);
        zf_document_cell(document, "%zu", layer->duplicate);
        zf_document_number(document, 0, 100 * layer->band[ZF_BAND_MIDDLE]);
        zf_document_number(document, 0, 100 * layer->aliasing);
    }
}

/* What is said before the layers, on the page and in lines. NULL = nothing. */
static const char *random_sentence(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                                   struct zf_document *document)
{
    const char *names = "";
    size_t count = 0, told = 0;

    for (size_t i = 0; i < diagnosis->weight_count; i++) {
        const struct zf_diagnosis_weights *w = &diagnosis->weights[i];

        told += isnan(w->randomness.most) ? 0 : 1;
        if (w->random)
            names = zf_document_words(document, "%s%s%s", names, count++ > 0 ? ", " : "",
                                      zf_net_layer(net, w->layer).name);
    }
    if (count == 0)
        return NULL;
    return zf_document_words(document,
                             "%zu of %zu layers of %d weights or more are untrained, or hardly "
                             "trained: %s. Their weights cannot be told from random numbers.",
                             count, told, ZF_RANDOMNESS_LEAST, names);
}

static const char *course_sentence(const struct zf_diagnosis_course *course,
                                   struct zf_document *document)
{
    const char *falling = "", *gap = "";

    if (course->falling)
        falling = zf_document_words(document,
                                    "Training had not ended: over the last third of its %" PRId64
                                    " epochs the loss fell by %.0f %%, and epoch %" PRId64
                                    " was the best; train longer.",
                                    course->epochs, 100 * course->fall, course->best_epoch);
    if (course->gap)
        gap = zf_document_words(
            document,
            "%sIt has learned its training pictures by heart: at epoch %" PRId64
            " %.1f %% of them were wrong, and %.1f %% of the validation pictures; try more "
            "pictures, more weight decay or dropout, or fewer maps.",
            course->falling ? " " : "", course->best_epoch, 100 * course->train, 100 * course->val);
    return course->falling || course->gap ? zf_document_words(document, "%s%s", falling, gap)
                                          : NULL;
}

/* Fully connected layers have no verdict of their own but this. */
static void say_random(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                       struct zf_document *document)
{
    for (size_t i = 0; i < diagnosis->weight_count; i++) {
        const struct zf_layer_info layer = zf_net_layer(net, diagnosis->weights[i].layer);

        if (diagnosis->weights[i].random && strcmp(layer.type, "conv") != 0)
            zf_document_say(document, "%s: %s\n", layer.name, ZF_RANDOM_WEIGHTS);
    }
}

/* A paragraph for each layer with something to say; the others share one. */
static void add_verdicts(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                         struct zf_document *document)
{
    const char *sound = "", *verdict = NULL;
    size_t count = 0;

    for (size_t i = 0; i < diagnosis->layer_count; i++) {
        const struct zf_diagnosis_layer *layer = &diagnosis->layers[i];

        if (layer->sound) {
            sound = zf_document_words(document, "%s%s%s", sound, count++ > 0 ? ", " : "",
                                      name_of(net, layer));
            verdict = layer->verdict;
        } else {
            zf_document_paragraph(document, "%s: %s", name_of(net, layer), layer->verdict);
        }
    }
    if (count == 1)
        zf_document_paragraph(document, "%s: %s", sound, verdict);
    else if (count > 1)
        zf_document_paragraph(document, "Nothing stands out in %s.", sound);
}

void zf_diagnose_page(const struct zf_net *net, const struct zf_diagnosis *diagnosis,
                      const struct zf_data *data, struct zf_document *document)
{
    const char *course, *random;

    zf_document_parameter(document, "net", "%s", zf_net_name(net));
    if (data)
        zf_document_parameter(document, "pictures", "%s, %s of them", zf_data_name(data),
                              zf_document_count(document, diagnosis->images));
    else
        zf_document_parameter(document, "pictures", "none: the weights alone");
    course = course_sentence(&diagnosis->course, document);
    random = random_sentence(net, diagnosis, document);
    if (course)
        zf_document_paragraph(document, "%s", course);
    if (random)
        zf_document_paragraph(document, "%s", random);
    add_verdicts(net, diagnosis, document);
    add_table(net, diagnosis, document);
    zf_document_heading(document, "Filters");
    add_filters(net, diagnosis, document);
    add_bands(net, diagnosis, document);
    zf_document_heading(document, "Maps");
    add_map_charts(net, diagnosis, document);
    add_projections(net, diagnosis, document);
    add_numbers(zf_document_numbers(document), net, diagnosis);
    for (size_t i = 0; i < diagnosis->layer_count; i++)
        zf_document_say(document, "%s: %s\n", name_of(net, &diagnosis->layers[i]),
                        diagnosis->layers[i].verdict);
    say_random(net, diagnosis, document);
    if (course)
        zf_document_say(document, "%s\n", course);
}
