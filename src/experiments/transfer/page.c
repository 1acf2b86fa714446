/* SPDX-License-Identifier: MIT */
/* Transfer as numbers, as a page with tables 4 and 7, accuracy by layer and by training images, and
   in a few lines. */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "page/document.h"

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

/* ---- Numbers. ---- */

static void add_row(struct zf_json *json, const struct zf_transfer *t,
                    const struct zf_transfer_row *row)
{
    const bool scratch = row->layer < 0;

    zf_json_object(json, NULL);
    zf_json_text(json, "layer", scratch ? "all" : layer_name(t, row));
    zf_json_text(json, "classifier", scratch ? "scratch" : classifier_name(t, row));
    zf_json_int(json, "per_class", row->per_class);
    zf_json_real(json, "accuracy_mean", row->accuracy.mean);
    zf_json_real(json, "accuracy_std", row->accuracy.deviation);
    zf_json_int(json, "folds", t->folds);
    zf_json_end(json);
}

static void add_saved(struct zf_json *json, const struct zf_transfer *t)
{
    const struct zf_transfer_saved *saved = &t->saved;

    if (!saved->path) {
        zf_json_text(json, "saved", NULL);
        return;
    }
    zf_json_object(json, "saved");
    zf_json_text(json, "path", saved->path);
    zf_json_text(json, "layer", layer_name(t, saved->row));
    zf_json_text(json, "classifier", classifier_name(t, saved->row));
    zf_json_int(json, "per_class", saved->row->per_class);
    zf_json_real(json, "accuracy", saved->accuracy);
    zf_json_real(json, "top1_error", saved->top1_error);
    zf_json_real(json, "top5_error", saved->top5_error);
    zf_json_int(json, "images", saved->tested);
    zf_json_text(json, "held_out", saved->held_out);
    zf_json_end(json);
}

static void add_overlap(struct zf_json *json, const struct zf_transfer *t)
{
    if (!t->compared) {
        zf_json_text(json, "overlap", NULL);
        return;
    }
    zf_json_object(json, "overlap");
    zf_json_array(json, "pairs");
    for (size_t i = 0; i < t->twin_count; i++) {
        zf_json_object(json, NULL);
        zf_json_text(json, "path", t->twin_paths[2 * i]);
        zf_json_text(json, "seen", t->twin_paths[2 * i + 1]);
        zf_json_real(json, "correlation", t->twins[i].correlation);
        zf_json_end(json);
    }
    zf_json_end(json);
    zf_json_int(json, "images", (int64_t)t->twin_count);
    zf_json_int(json, "seen_images", t->seen_images);
    zf_json_real(json, "correlation", t->same);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_transfer *t)
{
    zf_json_array(json, "rows");
    for (size_t i = 0; i < t->row_count; i++)
        add_row(json, t, &t->rows[i]);
    zf_json_end(json);
    zf_json_int(json, "classes", t->classes);
    zf_json_int(json, "images", t->images);
    zf_json_real(json, "cost", t->cost);
    zf_json_int(json, "seed", t->seed);
    add_saved(json, t);
    add_overlap(json, t);
}

/* ---- The page. ---- */

static void add_parameters(const struct zf_transfer *t, struct zf_document *document)
{
    zf_document_parameter(document, "features of", "%s", t->model);
    zf_document_parameter(document, "pictures", "%s: %s classes, %s pictures used", t->data_name,
                          zf_document_count(document, t->classes),
                          zf_document_count(document, t->images));
    zf_document_parameter(document, "folds", "%" PRId64 ", seed %" PRId64, t->folds, t->seed);
    if (t->fewest_tested == t->most_tested)
        zf_document_parameter(document, "tested on",
                              "%" PRId64 " pictures a class that the fold has not trained on",
                              t->most_tested);
    else
        zf_document_parameter(document, "tested on",
                              "%" PRId64 " to %" PRId64
                              " pictures a class that the fold has not trained on",
                              t->fewest_tested, t->most_tested);
    zf_document_parameter(document, "cost C", "%g", t->cost);
}

/* The sentence that a reader takes home. */
static void conclude(const struct zf_transfer *t, struct zf_document *document)
{
    const struct zf_transfer_row *best = zf_transfer_best(t), *scratch = NULL;
    const char *beside = "";

    for (size_t i = 0; i < t->row_count && t->rows[i].layer < 0 && !scratch; i++)
        scratch = t->rows[i].per_class == best->per_class ? &t->rows[i] : NULL;
    if (scratch)
        beside = zf_document_words(
            document,
            "%s, trained from scratch on the same pictures, reaches %.1f %%, and guessing",
            t->scratch, 100 * scratch->accuracy.mean);
    zf_document_paragraph(document,
                          "With %" PRId64 " training pictures a class, the features of %s tell the "
                          "%" PRId64 " classes apart with an accuracy of %.1f %%; %s %.1f %%.",
                          best->per_class, layer_name(t, best), t->classes,
                          100 * best->accuracy.mean, scratch ? beside : "guessing reaches",
                          100 * t->chance);
}

static void add_table(const struct zf_transfer *t, struct zf_document *document)
{
    const size_t columns = 2 + t->per_class_count;
    const char **heads = zf_document_room(document, columns, sizeof *heads);

    if (!heads)
        return;
    heads[0] = "features of layer";
    heads[1] = "classifier";
    for (size_t n = 0; n < t->per_class_count; n++)
        heads[2 + n] = zf_document_words(document, "accuracy at %" PRId64 " a class, %%",
                                         t->rows[n].per_class);
    zf_document_table(document, heads, columns,
                      "Mean of the accuracies of the classes%s. (Paper: tables 4, 5 and 7.)",
                      t->folds > 1 ? "; mean and standard deviation over the folds" : "");
    for (size_t g = 0; g < group_count(t); g++) {
        const struct zf_transfer_row *rows = group_at(t, g);

        zf_document_cell(document, "%s", layer_name(t, rows));
        zf_document_cell(document, "%s", classifier_name(t, rows));
        for (size_t n = 0; n < t->per_class_count; n++)
            zf_document_percent(document, rows[n].accuracy, t->folds > 1);
    }
}

static void add_model(const struct zf_transfer *t, struct zf_document *document)
{
    const struct zf_transfer_saved *saved = &t->saved;

    if (!saved->path)
        return;
    zf_document_paragraph(
        document,
        "%s is the model of these features and the %s that was fitted in the first fold on %" PRId64
        " pictures a class. It is wrong on %.1f %% of the %s pictures that this fold was tested "
        "on%s%s.%s",
        saved->path, classifier_name(t, saved->row), saved->row->per_class, 100 * saved->top1_error,
        zf_document_count(document, saved->tested), saved->held_out ? ", listed in " : "",
        saved->held_out ? saved->held_out : "",
        saved->row->classifier == ZF_CLASSIFIER_SVM
            ? " An SVM's margins say which class is first, but how sure that is only roughly: the "
              "softmax of them is no calibrated probability."
            : "");
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
static void add_layer_chart(const struct zf_transfer *t, struct zf_document *document)
{
    const size_t groups = group_count(t);
    const size_t n = (size_t)(zf_transfer_best(t) - t->rows) % t->per_class_count;
    const char **names = zf_document_room(document, groups, sizeof *names);
    int *layers = zf_document_room(document, groups, sizeof *layers);
    double *y = zf_document_room(document, 2 * CLASSIFIERS * groups, sizeof *y);
    struct zf_series series[CLASSIFIERS];
    size_t layer_count, series_count = 0;

    if (!names || !layers || !y)
        return;
    layer_count = list_layers(t, names, layers);
    for (int c = 0; c < CLASSIFIERS; c++, y += 2 * groups) {
        if (find_group(t, layers[0], (enum zf_classifier)c) == groups)
            continue;
        for (size_t l = 0; l < layer_count; l++) {
            const size_t g = find_group(t, layers[l], (enum zf_classifier)c);

            y[l] = 100 * group_at(t, g)[n].accuracy.mean;
            y[groups + l] = 100 * group_at(t, g)[n].accuracy.deviation;
        }
        series[series_count++] = (struct zf_series){zf_classifier_name(c), NULL, y,
                                                    t->folds > 1 ? y + groups : NULL, layer_count};
    }
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_BARS,
                                          .title = "Accuracy by layer",
                                          .x_label = "features of layer",
                                          .y_label = "accuracy, %",
                                          .categories = names,
                                          .category_count = layer_count,
                                          .series = series,
                                          .series_count = series_count,
                                          .from_zero = true},
                       1, 1, "accuracy-by-layer.svg",
                       "How well a linear classifier does on the features of each layer, with "
                       "%" PRId64 " training pictures a class.",
                       zf_transfer_best(t)->per_class);
}

/* Lines by the number of training images: the best layer, and from scratch. (Paper: figure 9.) */
static void add_count_chart(const struct zf_transfer *t, struct zf_document *document)
{
    const size_t counts = t->per_class_count;
    const struct zf_transfer_row *best = zf_transfer_best(t);
    const struct zf_transfer_row *lines[] = {
        group_at(t, (size_t)(best - t->rows) / counts),
        t->rows->layer < 0 ? t->rows : NULL,
    };
    double *x = zf_document_room(document, 3 * ZF_COUNT(lines) * counts, sizeof *x);
    struct zf_series series[ZF_COUNT(lines)];
    size_t count = 0;

    if (!x)
        return;
    for (size_t s = 0; s < ZF_COUNT(lines) && lines[s]; s++, x += 3 * counts) {
        double *y = x + counts, *deviation = y + counts;

        for (size_t n = 0; n < counts; n++) {
            x[n] = (double)lines[s][n].per_class;
            y[n] = 100 * lines[s][n].accuracy.mean;
            deviation[n] = 100 * lines[s][n].accuracy.deviation;
        }
        series[count++] =
            (struct zf_series){zf_document_words(document, "%s%s", s == 0 ? "features of " : "",
                                                 layer_name(t, lines[s])),
                               x, y, t->folds > 1 ? deviation : NULL, counts};
    }
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_LINES,
                                          .title = "Accuracy by training pictures",
                                          .x_label = "training pictures a class",
                                          .y_label = "accuracy, %",
                                          .series = series,
                                          .series_count = count,
                                          .from_zero = true},
                       1, 1, "accuracy-by-images.svg",
                       "What more training pictures bring. (Paper: figure 9.)");
}

/* ---- The document. ---- */

/* Of the column of layers. */
static int widest_name(const struct zf_transfer *t)
{
    size_t widest = 10;

    for (size_t i = 0; i < t->row_count; i++) {
        const size_t length = t->rows[i].layer < 0 ? 0 : strlen(t->layers[t->rows[i].layer]);

        widest = length > widest ? length : widest;
    }
    return (int)widest;
}

static void say(const struct zf_transfer *t, struct zf_document *document)
{
    const int width = widest_name(t);

    zf_document_say(document, "%-*s  %-12s%10s    %s\n", width, "layer", "classifier", "per class",
                    "accuracy");
    for (size_t i = 0; i < t->row_count; i++) {
        const struct zf_transfer_row *row = &t->rows[i];
        char accuracy[48] = "-";

        if (t->folds > 1 && !isnan(row->accuracy.mean))
            snprintf(accuracy, sizeof accuracy, "%.4f +- %.4f", row->accuracy.mean,
                     row->accuracy.deviation);
        else if (!isnan(row->accuracy.mean))
            snprintf(accuracy, sizeof accuracy, "%.4f", row->accuracy.mean);
        zf_document_say(document, "%-*s  %-12s%10" PRId64 "    %s\n", width,
                        row->layer < 0 ? "all" : t->layers[row->layer],
                        row->layer < 0 ? "scratch" : zf_classifier_name((int)row->classifier),
                        row->per_class, accuracy);
    }
    zf_document_say(document,
                    "%" PRId64 " pictures in %" PRId64 " classes; guessing reaches %.4f\n",
                    t->images, t->classes, t->chance);
    if (t->saved.path)
        zf_document_say(document,
                        "saved %s: %s and its %s; top-1 error %.4f on the %" PRId64
                        " pictures of the first fold that it has not seen%s%s\n",
                        t->saved.path, layer_name(t, t->saved.row),
                        classifier_name(t, t->saved.row), t->saved.top1_error, t->saved.tested,
                        t->saved.held_out ? ", listed in " : "",
                        t->saved.held_out ? t->saved.held_out : "");
    if (t->compared)
        zf_document_say(
            document, "%zu picture%s nearly the same as one of the %" PRId64 " seen in training\n",
            t->twin_count, t->twin_count == 1 ? " is" : "s are", t->seen_images);
}

void zf_transfer_page(const struct zf_transfer *t, struct zf_document *document)
{
    add_parameters(t, document);
    conclude(t, document);
    add_table(t, document);
    add_model(t, document);
    add_layer_chart(t, document);
    if (t->per_class_count > 1)
        add_count_chart(t, document);
    zf_twins_page(t, document);
    add_numbers(zf_document_numbers(document), t);
    say(t, document);
}
