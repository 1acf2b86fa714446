/* SPDX-License-Identifier: MIT */
/* The page and the JSON of a transfer: tables 4 and 7, accuracy by layer and by training images. */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/cells.h"
#include "report/json.h"
#include "report/twins.h"
#include "zf/compare.h"
#include "zf/document.h"
#include "zf/report.h"

#define CLASSIFIERS 2 /* kinds that there are */

static size_t group_count(const struct zf_transfer *t)
{
    return t->row_count / t->per_class_count;
}

/* Rows that differ in per_class only: a line of the table. */
static const struct zf_transfer_row *group_at(const struct zf_transfer *t, size_t i)
{
    return t->rows + i * t->per_class_count;
}

static const char *layer_name(const struct zf_transfer *t, const struct zf_transfer_row *row)
{
    return row->layer < 0 ? "all, from scratch" : t->layers[row->layer];
}

static const char *classifier_name(const struct zf_transfer *t, const struct zf_transfer_row *row)
{
    return row->layer < 0 ? t->scratch : zf_classifier_name((int)row->classifier);
}

/* ---- JSON ---- */

static bool add_row(const struct zf_transfer *t, cJSON *rows, const struct zf_transfer_row *row)
{
    cJSON *item = zf_json_add_item(rows);

    return item && zf_json_add_text(item, "layer", row->layer < 0 ? "all" : layer_name(t, row)) &&
           zf_json_add_text(item, "classifier",
                            row->layer < 0 ? "scratch" : classifier_name(t, row)) &&
           zf_json_add_double(item, "per_class", (double)row->per_class) &&
           zf_json_add_double(item, "accuracy_mean", row->accuracy.mean) &&
           zf_json_add_double(item, "accuracy_std", row->accuracy.deviation) &&
           zf_json_add_double(item, "folds", (double)t->folds);
}

static bool add_overlap(const struct zf_transfer *t, cJSON *object)
{
    cJSON *overlap = t->compared ? cJSON_AddObjectToObject(object, "overlap")
                                 : cJSON_AddNullToObject(object, "overlap");
    cJSON *pairs = t->compared ? cJSON_AddArrayToObject(overlap, "pairs") : NULL;

    if (!t->compared)
        return overlap != NULL;
    for (size_t i = 0; i < t->twin_count; i++) {
        cJSON *pair = zf_json_add_item(pairs);

        if (!pair || !zf_json_add_text(pair, "path", t->twin_paths[2 * i]) ||
            !zf_json_add_text(pair, "seen", t->twin_paths[2 * i + 1]) ||
            !zf_json_add_double(pair, "correlation", t->twins[i].correlation))
            return false;
    }
    return pairs && zf_json_add_double(overlap, "images", (double)t->twin_count) &&
           zf_json_add_double(overlap, "seen_images", (double)t->seen_images) &&
           zf_json_add_double(overlap, "correlation", t->same);
}

enum zf_status zf_transfer_json(const struct zf_transfer *transfer, char **json,
                                struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(object, "rows");
    bool complete = rows != NULL;

    for (size_t i = 0; complete && i < transfer->row_count; i++)
        complete = add_row(transfer, rows, &transfer->rows[i]);
    complete = complete && zf_json_add_double(object, "classes", (double)transfer->classes) &&
               zf_json_add_double(object, "images", (double)transfer->images) &&
               zf_json_add_double(object, "cost", transfer->cost) &&
               zf_json_add_double(object, "seed", (double)transfer->seed) &&
               add_overlap(transfer, object);
    return zf_json_finish(object, complete, json, err);
}

/* ---- The page. ---- */

static const char *tested_on(const struct zf_transfer *t, struct zf_cells *text)
{
    if (t->fewest_tested == t->most_tested)
        return zf_cells_add(text, "%" PRId64 " pictures a class that the fold has not trained on",
                            t->most_tested);
    return zf_cells_add(
        text, "%" PRId64 " to %" PRId64 " pictures a class that the fold has not trained on",
        t->fewest_tested, t->most_tested);
}

static enum zf_status add_parameters(const struct zf_transfer *t, struct zf_document *document,
                                     struct zf_cells *text, struct zf_error *err)
{
    enum zf_status status;

    ZF_TRY(zf_document_parameter(document, "features of", t->model, err));
    ZF_TRY(zf_document_parameter(document, "pictures",
                                 zf_cells_add(text,
                                              "%s: %" PRId64 " classes, %" PRId64 " pictures used",
                                              t->data_name, t->classes, t->images),
                                 err));
    ZF_TRY(zf_document_parameter(
        document, "folds", zf_cells_add(text, "%" PRId64 ", seed %" PRId64, t->folds, t->seed),
        err));
    ZF_TRY(zf_document_parameter(document, "tested on", tested_on(t, text), err));
    ZF_TRY(zf_document_parameter(document, "cost C", zf_cells_add(text, "%g", t->cost), err));
fail:
    return status;
}

/* Whether a is the better one to speak of. */
static bool is_better(const struct zf_transfer_row *a, const struct zf_transfer_row *b)
{
    if (isnan(a->accuracy.mean) || isnan(b->accuracy.mean))
        return isnan(b->accuracy.mean);
    if (a->per_class != b->per_class)
        return a->per_class > b->per_class;
    return a->accuracy.mean > b->accuracy.mean;
}

/* The best row of the most training images; NULL when everything was from scratch. */
static const struct zf_transfer_row *best_row(const struct zf_transfer *t)
{
    const struct zf_transfer_row *best = NULL;

    for (size_t i = 0; i < t->row_count; i++) {
        const struct zf_transfer_row *row = &t->rows[i];

        if (row->layer >= 0 && (!best || is_better(row, best)))
            best = row;
    }
    return best;
}

/* The sentence that a reader takes home. */
static const char *conclude(const struct zf_transfer *t, struct zf_cells *text)
{
    const struct zf_transfer_row *best = best_row(t);

    for (size_t i = 0; i < t->row_count && t->rows[i].layer < 0; i++) {
        if (t->rows[i].per_class == best->per_class)
            return zf_cells_add(text,
                                "With %" PRId64 " training pictures a class, the features of %s "
                                "tell the %" PRId64 " classes apart with an accuracy of %.1f %%; "
                                "%s, trained from scratch on the same pictures, reaches %.1f %%, "
                                "and guessing %.1f %%.",
                                best->per_class, layer_name(t, best), t->classes,
                                100 * best->accuracy.mean, t->scratch,
                                100 * t->rows[i].accuracy.mean, 100 * t->chance);
    }
    return zf_cells_add(text,
                        "With %" PRId64 " training pictures a class, the features of %s tell the "
                        "%" PRId64 " classes apart with an accuracy of %.1f %%; guessing reaches "
                        "%.1f %%.",
                        best->per_class, layer_name(t, best), t->classes, 100 * best->accuracy.mean,
                        100 * t->chance);
}

static enum zf_status add_table(const struct zf_transfer *t, struct zf_document *document,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_cells columns = {0}, cells = {0};

    zf_cells_add(&columns, "features of layer");
    zf_cells_add(&columns, "classifier");
    for (size_t n = 0; n < t->per_class_count; n++)
        zf_cells_add(&columns, "accuracy at %" PRId64 " a class, %%", t->rows[n].per_class);
    for (size_t g = 0; g < group_count(t); g++) {
        const struct zf_transfer_row *rows = group_at(t, g);

        zf_cells_add(&cells, "%s", layer_name(t, rows));
        zf_cells_add(&cells, "%s", classifier_name(t, rows));
        for (size_t n = 0; n < t->per_class_count; n++)
            zf_cells_add_percent(&cells, rows[n].accuracy, t->folds > 1);
    }
    ZF_TRY(zf_cells_check(&columns, err));
    ZF_TRY(zf_cells_check(&cells, err));
    ZF_TRY(zf_document_table(
        document,
        &(struct zf_table){
            .caption = t->folds > 1
                           ? "Mean of the accuracies of the classes; mean and standard deviation "
                             "over the folds. (Paper: tables 4, 5 and 7.)"
                           : "Mean of the accuracies of the classes. (Paper: tables 4, 5 and 7.)",
            .columns = (const char *const *)columns.items,
            .column_count = columns.count,
            .cells = (const char *const *)cells.items,
            .row_count = group_count(t),
        },
        err));
fail:
    zf_cells_release(&columns);
    zf_cells_release(&cells);
    return status;
}

/* Room for the series of a chart: `series` of `points` each. */
struct plot {
    struct zf_series *series;
    double *x, *y, *deviation;
    struct zf_cells names;
    size_t count;
};

static bool plot_init(struct plot *plot, size_t series, size_t points)
{
    plot->series = zf_alloc(series, sizeof *plot->series);
    plot->x = zf_alloc(series * points, sizeof *plot->x);
    plot->y = zf_alloc(series * points, sizeof *plot->y);
    plot->deviation = zf_alloc(series * points, sizeof *plot->deviation);
    return plot->series && plot->x && plot->y && plot->deviation;
}

static void plot_release(struct plot *plot)
{
    zf_free(plot->series);
    zf_free(plot->x);
    zf_free(plot->y);
    zf_free(plot->deviation);
    zf_cells_release(&plot->names);
}

/* The group of that layer and classifier; group_count() when there is none. */
static size_t find_group(const struct zf_transfer *t, int layer, enum zf_classifier classifier)
{
    size_t g = 0;

    while (g < group_count(t) &&
           (group_at(t, g)->layer != layer || group_at(t, g)->classifier != classifier))
        g++;
    return g;
}

/* The layers in their order, each once; returns how many. */
static size_t list_layers(const struct zf_transfer *t, const char **names, int *layers)
{
    size_t count = 0;

    for (size_t g = 0; g < group_count(t); g++) {
        const struct zf_transfer_row *row = group_at(t, g);
        bool known = row->layer < 0;

        for (size_t i = 0; i < count; i++)
            known |= layers[i] == row->layer;
        if (known)
            continue;
        layers[count] = row->layer;
        names[count++] = t->layers[row->layer];
    }
    return count;
}

/* Bars by layer, at the most training images: a series for each classifier. (Paper: table 7.) */
static enum zf_status add_layer_chart(const struct zf_transfer *t, struct zf_document *document,
                                      struct zf_cells *text, struct zf_error *err)
{
    enum zf_status status;
    const size_t groups = group_count(t);
    const size_t n = (size_t)(best_row(t) - t->rows) % t->per_class_count;
    const char **names = zf_alloc(groups, sizeof *names);
    int *layers = zf_alloc(groups, sizeof *layers);
    size_t layer_count = 0;
    struct plot plot = {0};

    if (!names || !layers || !plot_init(&plot, CLASSIFIERS, groups)) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a chart of %zu rows", t->row_count);
        goto fail;
    }
    layer_count = list_layers(t, names, layers);
    for (int c = 0; c < CLASSIFIERS; c++) {
        double *y = plot.y + plot.count * groups, *deviation = plot.deviation + plot.count * groups;

        if (find_group(t, layers[0], (enum zf_classifier)c) == groups)
            continue;
        for (size_t l = 0; l < layer_count; l++) {
            const size_t g = find_group(t, layers[l], (enum zf_classifier)c);

            y[l] = 100 * group_at(t, g)[n].accuracy.mean;
            deviation[l] = 100 * group_at(t, g)[n].accuracy.deviation;
        }
        plot.series[plot.count++] = (struct zf_series){
            .name = zf_classifier_name(c),
            .y = y,
            .deviation = t->folds > 1 ? deviation : NULL,
            .count = layer_count,
        };
    }
    ZF_TRY(zf_document_charts(
        document, "accuracy-by-layer.svg",
        zf_cells_add(
            text,
            "How well a linear classifier does on the features of each layer, with %" PRId64
            " training pictures a class.",
            best_row(t)->per_class),
        &(struct zf_chart){.kind = ZF_CHART_BARS,
                           .title = "Accuracy by layer",
                           .x_label = "features of layer",
                           .y_label = "accuracy, %",
                           .categories = names,
                           .category_count = layer_count,
                           .series = plot.series,
                           .series_count = plot.count,
                           .from_zero = true},
        1, 1, err));
fail:
    plot_release(&plot);
    zf_free(names);
    zf_free(layers);
    return status;
}

/* Lines by the number of training images: the best layer, and from scratch. (Paper: figure 9.) */
static enum zf_status add_count_chart(const struct zf_transfer *t, struct zf_document *document,
                                      struct zf_error *err)
{
    enum zf_status status;
    const size_t counts = t->per_class_count;
    const struct zf_transfer_row *best = best_row(t);
    const struct zf_transfer_row *lines[] = {
        group_at(t, (size_t)(best - t->rows) / t->per_class_count),
        t->rows->layer < 0 ? t->rows : NULL,
    };
    struct plot plot = {0};

    if (!plot_init(&plot, ZF_COUNT(lines), counts)) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a chart of %zu rows", t->row_count);
        goto fail;
    }
    for (size_t s = 0; s < ZF_COUNT(lines) && lines[s]; s++) {
        for (size_t n = 0; n < counts; n++) {
            plot.x[s * counts + n] = (double)lines[s][n].per_class;
            plot.y[s * counts + n] = 100 * lines[s][n].accuracy.mean;
            plot.deviation[s * counts + n] = 100 * lines[s][n].accuracy.deviation;
        }
        plot.series[plot.count++] = (struct zf_series){
            .name = zf_cells_add(&plot.names, s == 0 ? "features of %s" : "%s",
                                 layer_name(t, lines[s])),
            .x = plot.x + s * counts,
            .y = plot.y + s * counts,
            .deviation = t->folds > 1 ? plot.deviation + s * counts : NULL,
            .count = counts,
        };
    }
    ZF_TRY(zf_document_charts(document, "accuracy-by-images.svg",
                              "What more training pictures bring. (Paper: figure 9.)",
                              &(struct zf_chart){.kind = ZF_CHART_LINES,
                                                 .title = "Accuracy by training pictures",
                                                 .x_label = "training pictures a class",
                                                 .y_label = "accuracy, %",
                                                 .series = plot.series,
                                                 .series_count = plot.count,
                                                 .from_zero = true},
                              1, 1, err));
fail:
    plot_release(&plot);
    return status;
}

enum zf_status zf_transfer_report(const struct zf_transfer *transfer, const char *directory,
                                  const char *command, struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *document = NULL;
    struct zf_cells text = {0};
    char *json = NULL;

    ZF_TRY(zf_document_create(directory, "transfer", "What the features are worth elsewhere",
                              command, &document, err));
    ZF_TRY(add_parameters(transfer, document, &text, err));
    ZF_TRY(zf_document_paragraph(document, conclude(transfer, &text), err));
    ZF_TRY(add_table(transfer, document, err));
    ZF_TRY(add_layer_chart(transfer, document, &text, err));
    if (transfer->per_class_count > 1)
        ZF_TRY(add_count_chart(transfer, document, err));
    ZF_TRY(zf_twins_add(transfer, document, err));
    ZF_TRY(zf_cells_check(&text, err));
    ZF_TRY(zf_transfer_json(transfer, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_text_free(json);
    zf_cells_release(&text);
    zf_document_free(&document);
    return status;
}
