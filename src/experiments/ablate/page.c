/* SPDX-License-Identifier: MIT */
/* Ablation as numbers, as a page with table 3 and error against size, and in a few lines. */
#include "experiments/ablate/ablate.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/words.h"
#include "page/document.h"

#define WIDE 20

/* ---- Numbers. ---- */

static void add_run(struct zf_json *json, const struct zf_ablation_run *run)
{
    zf_json_object(json, NULL);
    zf_json_int(json, "seed", run->seed);
    zf_json_real(json, "train_top1_error", run->train_top1_error);
    zf_json_real(json, "val_top1_error", run->val_top1_error);
    zf_json_real(json, "val_top5_error", run->val_top5_error);
    zf_json_int(json, "epochs", run->epochs);
    zf_json_int(json, "best_epoch", run->best_epoch);
    zf_json_real(json, "seconds", run->seconds);
    zf_json_end(json);
}

static void add_row(struct zf_json *json, const struct zf_ablation_row *row, int64_t seeds)
{
    zf_json_object(json, NULL);
    zf_json_text(json, "net", row->net);
    zf_json_real(json, "train_top1_error", row->train_top1_error.mean);
    zf_json_real(json, "val_top1_error", row->val_top1_error.mean);
    zf_json_real(json, "val_top5_error", row->val_top5_error.mean);
    zf_json_int(json, "parameters", row->parameters);
    zf_json_real(json, "epochs", row->epochs.mean);
    zf_json_int(json, "seeds", seeds);
    zf_json_real(json, "train_top1_error_std", row->train_top1_error.deviation);
    zf_json_real(json, "val_top1_error_std", row->val_top1_error.deviation);
    zf_json_real(json, "val_top5_error_std", row->val_top5_error.deviation);
    zf_json_real(json, "seconds", row->seconds.mean);
    zf_json_array(json, "runs");
    for (int64_t i = 0; i < seeds; i++)
        add_run(json, &row->runs[i]);
    zf_json_end(json);
    zf_json_end(json);
}

static void add_numbers(struct zf_json *json, const struct zf_ablation *a)
{
    zf_json_array(json, "rows");
    for (size_t i = 0; i < a->row_count; i++)
        add_row(json, &a->rows[i], a->seeds);
    zf_json_end(json);
}

/* ---- The page. ---- */

static void add_parameters(const struct zf_ablation *a, struct zf_document *document)
{
    const struct zf_recipe *recipe = &a->recipe;

    zf_document_parameter(document, "training data", "%s: %s pictures in %s classes", a->data_name,
                          zf_document_count(document, a->train_images),
                          zf_document_count(document, a->classes));
    zf_document_parameter(document, "validation data", "%s: %s pictures", a->val_name,
                          zf_document_count(document, a->val_images));
    zf_document_parameter(document, "budget", "at most %" PRId64 " epochs", recipe->epochs);
    zf_document_parameter(document, "runs a net", "%" PRId64 ", seeds %" PRId64 " on", a->seeds,
                          a->rows[0].runs[0].seed);
    zf_document_parameter(document, "recipe of the first net",
                          "batch %" PRId64 ", rate %g, momentum %g, decay %g", recipe->batch,
                          recipe->lr, recipe->momentum, recipe->weight_decay);
}

static void add_table(const struct zf_ablation *a, struct zf_document *document)
{
    static const char *const columns[] = {"net", "train top-1 error, %", "val top-1 error, %",
                                          "val top-5 error, %", "parameters, millions"};
    const bool several = a->seeds > 1;

    zf_document_table(document, columns, ZF_COUNT(columns),
                      "%sErrors are of the model with the lowest validation error of its run, on "
                      "centre crops, without dropout. (Paper: table 3.)",
                      several ? "Means and standard deviations over the seeds. " : "");
    for (size_t i = 0; i < a->row_count; i++) {
        const struct zf_ablation_row *row = &a->rows[i];

        zf_document_cell(document, "%s", row->net);
        zf_document_percent(document, row->train_top1_error, several);
        zf_document_percent(document, row->val_top1_error, several);
        zf_document_percent(document, row->val_top5_error, several);
        zf_document_cell(document, "%.3f", 1e-6 * (double)row->parameters);
    }
}

static void add_runs_table(const struct zf_ablation *a, struct zf_document *document)
{
    static const char *const columns[] = {
        "net",    "seed",       "train top-1, %",   "val top-1, %",
        "epochs", "best epoch", "training, minutes"};

    zf_document_table(
        document, columns, ZF_COUNT(columns),
        "Every run. A run ends before its budget when the validation error has stopped "
        "falling.");
    for (size_t i = 0; i < a->row_count; i++) {
        for (int64_t s = 0; s < a->seeds; s++) {
            const struct zf_ablation_run *run = &a->rows[i].runs[s];

            zf_document_cell(document, "%s", a->rows[i].net);
            zf_document_cell(document, "%" PRId64, run->seed);
            zf_document_cell(document, "%.1f", 100 * run->train_top1_error);
            zf_document_cell(document, "%.1f", 100 * run->val_top1_error);
            zf_document_cell(document, "%" PRId64, run->epochs);
            zf_document_cell(document, "%" PRId64, run->best_epoch);
            zf_document_cell(document, "%.1f", run->seconds / 60);
        }
    }
}

/* Whether values want powers of ten on their axis. */
static bool is_wide(const double *values, size_t count)
{
    double least = values[0], most = values[0];

    for (size_t i = 1; i < count; i++) {
        least = fmin(least, values[i]);
        most = fmax(most, values[i]);
    }
    return most > WIDE * least;
}

static void add_chart(const struct zf_ablation *a, struct zf_document *document)
{
    enum { PARAMETERS, TRAIN, VAL, TRAIN_DEVIATION, VAL_DEVIATION, COLUMNS };
    const size_t n = a->row_count;
    const bool several = a->seeds > 1;
    double *values = zf_document_room(document, COLUMNS * n, sizeof *values), *column[COLUMNS];
    const char **names = zf_document_room(document, n, sizeof *names);
    struct zf_series series[2];

    if (!values || !names)
        return;
    for (size_t c = 0; c < COLUMNS; c++)
        column[c] = values + c * n;
    for (size_t i = 0; i < n; i++) {
        const struct zf_ablation_row *row = &a->rows[i];

        column[PARAMETERS][i] = 1e-6 * (double)row->parameters;
        column[TRAIN][i] = 100 * row->train_top1_error.mean;
        column[VAL][i] = 100 * row->val_top1_error.mean;
        column[TRAIN_DEVIATION][i] = 100 * row->train_top1_error.deviation;
        column[VAL_DEVIATION][i] = 100 * row->val_top1_error.deviation;
        names[i] = row->net;
    }
    series[0] = (struct zf_series){"validation", column[PARAMETERS], column[VAL],
                                   several ? column[VAL_DEVIATION] : NULL, n};
    series[1] = (struct zf_series){"training", column[PARAMETERS], column[TRAIN],
                                   several ? column[TRAIN_DEVIATION] : NULL, n};
    zf_document_charts(document,
                       &(struct zf_chart){.kind = ZF_CHART_POINTS,
                                          .title = "Error against size",
                                          .x_label = "parameters, millions",
                                          .y_label = "top-1 error, %",
                                          .point_names = names,
                                          .series = series,
                                          .series_count = ZF_COUNT(series),
                                          .log_x = is_wide(column[PARAMETERS], n)},
                       1, 1, "error-by-size.svg",
                       "Each pair of marks is one net. The distance between the two is what it has "
                       "learned by heart.");
}

/* The sentence that a reader takes home. */
static void conclude(const struct zf_ablation *a, struct zf_document *document)
{
    const struct zf_ablation_row *best = a->rows, *worst = a->rows;

    for (size_t i = 1; i < a->row_count; i++) {
        if (a->rows[i].val_top1_error.mean < best->val_top1_error.mean)
            best = &a->rows[i];
        if (a->rows[i].val_top1_error.mean > worst->val_top1_error.mean)
            worst = &a->rows[i];
    }
    if (best == worst)
        zf_document_paragraph(document, "%s errs on %.1f %% of the validation pictures.", best->net,
                              100 * best->val_top1_error.mean);
    else
        zf_document_paragraph(document,
                              "Of %zu nets, %s errs least on the validation pictures, %.1f %%, and "
                              "%s most, %.1f %%.",
                              a->row_count, best->net, 100 * best->val_top1_error.mean, worst->net,
                              100 * worst->val_top1_error.mean);
}

static void say(const struct zf_ablation *a, struct zf_document *document)
{
    char count[ZF_COUNT_TEXT];

    zf_document_say(document, "%-20s%-18s%-18s%-18s%14s\n", "net", "train top-1", "val top-1",
                    "val top-5", "parameters");
    for (size_t i = 0; i < a->row_count; i++) {
        const struct zf_ablation_row *row = &a->rows[i];
        const struct zf_spread errors[] = {row->train_top1_error, row->val_top1_error,
                                           row->val_top5_error};

        zf_document_say(document, "%-20s", row->net);
        for (size_t k = 0; k < ZF_COUNT(errors); k++) {
            char deviation[24] = "";

            if (a->seeds > 1)
                snprintf(deviation, sizeof deviation, " +- %.4f", errors[k].deviation);
            zf_document_say(document, "%.4f%-12s", errors[k].mean, deviation);
        }
        zf_document_say(document, "%14s\n", zf_count_text(row->parameters, " ", count));
    }
}

void zf_ablate_page(const struct zf_ablation *a, struct zf_document *document)
{
    add_parameters(a, document);
    conclude(a, document);
    add_table(a, document);
    if (a->row_count > 1)
        add_chart(a, document);
    add_runs_table(a, document);
    add_numbers(zf_document_numbers(document), a);
    say(a, document);
}
