/* SPDX-License-Identifier: MIT */
/* The page and the JSON of an ablation: table 3, run by run, and error against size. */
#include <inttypes.h>
#include <math.h>

#include "base/memory.h"
#include "base/status.h"
#include "report/cells.h"
#include "report/json.h"
#include "zf/compare.h"
#include "zf/document.h"
#include "zf/report.h"

#define WIDE 20

/* ---- JSON ---- */

static bool add_runs(cJSON *row, const struct zf_ablation_run *runs, int64_t count)
{
    cJSON *array = cJSON_AddArrayToObject(row, "runs");

    for (int64_t i = 0; i < count; i++) {
        const struct zf_ablation_run *run = &runs[i];
        cJSON *item = zf_json_add_item(array);

        if (!item || !zf_json_add_double(item, "seed", (double)run->seed) ||
            !zf_json_add_double(item, "train_top1_error", run->train_top1_error) ||
            !zf_json_add_double(item, "val_top1_error", run->val_top1_error) ||
            !zf_json_add_double(item, "val_top5_error", run->val_top5_error) ||
            !zf_json_add_double(item, "epochs", (double)run->epochs) ||
            !zf_json_add_double(item, "best_epoch", (double)run->best_epoch) ||
            !zf_json_add_double(item, "seconds", run->seconds))
            return false;
    }
    return array != NULL;
}

static bool add_row(cJSON *rows, const struct zf_ablation_row *row, int64_t seeds)
{
    cJSON *item = zf_json_add_item(rows);

    return item && zf_json_add_text(item, "net", row->net) &&
           zf_json_add_double(item, "train_top1_error", row->train_top1_error.mean) &&
           zf_json_add_double(item, "val_top1_error", row->val_top1_error.mean) &&
           zf_json_add_double(item, "val_top5_error", row->val_top5_error.mean) &&
           zf_json_add_double(item, "parameters", (double)row->parameters) &&
           zf_json_add_double(item, "epochs", row->epochs.mean) &&
           zf_json_add_double(item, "seeds", (double)seeds) &&
           zf_json_add_double(item, "train_top1_error_std", row->train_top1_error.deviation) &&
           zf_json_add_double(item, "val_top1_error_std", row->val_top1_error.deviation) &&
           zf_json_add_double(item, "val_top5_error_std", row->val_top5_error.deviation) &&
           zf_json_add_double(item, "seconds", row->seconds.mean) &&
           add_runs(item, row->runs, seeds);
}

enum zf_status zf_ablation_json(const struct zf_ablation *ablation, char **json,
                                struct zf_error *err)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(object, "rows");
    bool complete = rows != NULL;

    for (size_t i = 0; complete && i < ablation->row_count; i++)
        complete = add_row(rows, &ablation->rows[i], ablation->seeds);
    return zf_json_finish(object, complete, json, err);
}

/* ---- The page. ---- */

static enum zf_status add_parameters(const struct zf_ablation *a, struct zf_document *document,
                                     struct zf_cells *text, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_recipe *recipe = &a->recipe;

    ZF_TRY(
        zf_document_parameter(document, "training data",
                              zf_cells_add(text, "%s: %" PRId64 " pictures in %" PRId64 " classes",
                                           a->data_name, a->train_images, a->classes),
                              err));
    ZF_TRY(zf_document_parameter(
        document, "validation data",
        zf_cells_add(text, "%s: %" PRId64 " pictures", a->val_name, a->val_images), err));
    ZF_TRY(zf_document_parameter(
        document, "budget", zf_cells_add(text, "at most %" PRId64 " epochs", recipe->epochs), err));
    ZF_TRY(zf_document_parameter(
        document, "runs a net",
        zf_cells_add(text, "%" PRId64 ", seeds %" PRId64 " on", a->seeds, a->rows[0].runs[0].seed),
        err));
    ZF_TRY(zf_document_parameter(
        document, "recipe of the first net",
        zf_cells_add(text, "batch %" PRId64 ", rate %g, momentum %g, decay %g", recipe->batch,
                     recipe->lr, recipe->momentum, recipe->weight_decay),
        err));
fail:
    return status;
}

static enum zf_status add_table(const struct zf_ablation *a, struct zf_document *document,
                                struct zf_error *err)
{
    static const char *const columns[] = {"net", "train top-1 error, %", "val top-1 error, %",
                                          "val top-5 error, %", "parameters, millions"};
    const bool several = a->seeds > 1;
    enum zf_status status;
    struct zf_cells cells = {0};

    for (size_t i = 0; i < a->row_count; i++) {
        const struct zf_ablation_row *row = &a->rows[i];

        zf_cells_add(&cells, "%s", row->net);
        zf_cells_add_percent(&cells, row->train_top1_error, several);
        zf_cells_add_percent(&cells, row->val_top1_error, several);
        zf_cells_add_percent(&cells, row->val_top5_error, several);
        zf_cells_add(&cells, "%.3f", 1e-6 * (double)row->parameters);
    }
    ZF_TRY(zf_cells_check(&cells, err));
    ZF_TRY(zf_document_table(
        document,
        &(struct zf_table){
            .caption = several ? "Means and standard deviations over the seeds. Errors are of the "
                                 "model with the lowest validation error of its run, on centre "
                                 "crops, without dropout. (Paper: table 3.)"
                               : "Errors are of the model with the lowest validation error of its "
                                 "run, on centre crops, without dropout. (Paper: table 3.)",
            .columns = columns,
            .column_count = ZF_COUNT(columns),
            .cells = (const char *const *)cells.items,
            .row_count = a->row_count,
        },
        err));
fail:
    zf_cells_release(&cells);
    return status;
}

static enum zf_status add_runs_table(const struct zf_ablation *a, struct zf_document *document,
                                     struct zf_error *err)
{
    static const char *const columns[] = {
        "net",    "seed",       "train top-1, %",   "val top-1, %",
        "epochs", "best epoch", "training, minutes"};
    enum zf_status status;
    struct zf_cells cells = {0};

    for (size_t i = 0; i < a->row_count; i++) {
        for (int64_t s = 0; s < a->seeds; s++) {
            const struct zf_ablation_run *run = &a->rows[i].runs[s];

            zf_cells_add(&cells, "%s", a->rows[i].net);
            zf_cells_add(&cells, "%" PRId64, run->seed);
            zf_cells_add(&cells, "%.1f", 100 * run->train_top1_error);
            zf_cells_add(&cells, "%.1f", 100 * run->val_top1_error);
            zf_cells_add(&cells, "%" PRId64, run->epochs);
            zf_cells_add(&cells, "%" PRId64, run->best_epoch);
            zf_cells_add(&cells, "%.1f", run->seconds / 60);
        }
    }
    ZF_TRY(zf_cells_check(&cells, err));
    ZF_TRY(zf_document_table(
        document,
        &(struct zf_table){
            .caption = "Every run. A run ends before its budget when the validation error has "
                       "stopped falling.",
            .columns = columns,
            .column_count = ZF_COUNT(columns),
            .cells = (const char *const *)cells.items,
            .row_count = a->row_count * (size_t)a->seeds,
        },
        err));
fail:
    zf_cells_release(&cells);
    return status;
}

/* The columns of a chart, by net. */
struct columns {
    double *parameters, *train, *val, *train_deviation, *val_deviation;
    const char **names;
};

static void fill_columns(const struct zf_ablation *a, const struct columns *columns)
{
    for (size_t i = 0; i < a->row_count; i++) {
        const struct zf_ablation_row *row = &a->rows[i];

        columns->parameters[i] = 1e-6 * (double)row->parameters;
        columns->train[i] = 100 * row->train_top1_error.mean;
        columns->val[i] = 100 * row->val_top1_error.mean;
        columns->train_deviation[i] = 100 * row->train_top1_error.deviation;
        columns->val_deviation[i] = 100 * row->val_top1_error.deviation;
        columns->names[i] = row->net;
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

static enum zf_status add_chart(const struct zf_ablation *a, struct zf_document *document,
                                struct zf_error *err)
{
    enum zf_status status;
    const size_t n = a->row_count;
    double *values = zf_alloc(5 * n, sizeof *values);
    const struct columns c = {
        .parameters = values,
        .train = values + n,
        .val = values + 2 * n,
        .train_deviation = values + 3 * n,
        .val_deviation = values + 4 * n,
        .names = zf_alloc(n, sizeof *c.names),
    };

    if (!values || !c.names) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for a chart of %zu nets", n);
        goto fail;
    }
    fill_columns(a, &c);
    {
        const bool several = a->seeds > 1;
        const struct zf_series series[] = {
            {"validation", c.parameters, c.val, several ? c.val_deviation : NULL, n},
            {"training", c.parameters, c.train, several ? c.train_deviation : NULL, n},
        };
        const struct zf_chart chart = {
            .kind = ZF_CHART_POINTS,
            .title = "Error against size",
            .x_label = "parameters, millions",
            .y_label = "top-1 error, %",
            .point_names = c.names,
            .series = series,
            .series_count = ZF_COUNT(series),
            .log_x = is_wide(c.parameters, n),
        };

        ZF_TRY(zf_document_charts(
            document, "error-by-size.svg",
            "Each pair of marks is one net. The distance between the two is what it has learned by "
            "heart.",
            &chart, 1, 1, err));
    }
fail:
    zf_free(values);
    zf_free(c.names);
    return status;
}

/* The sentence that a reader takes home. */
static const char *conclude(const struct zf_ablation *a, struct zf_cells *text)
{
    const struct zf_ablation_row *best = a->rows, *worst = a->rows;

    for (size_t i = 1; i < a->row_count; i++) {
        if (a->rows[i].val_top1_error.mean < best->val_top1_error.mean)
            best = &a->rows[i];
        if (a->rows[i].val_top1_error.mean > worst->val_top1_error.mean)
            worst = &a->rows[i];
    }
    if (best == worst)
        return zf_cells_add(text, "%s errs on %.1f %% of the validation pictures.", best->net,
                            100 * best->val_top1_error.mean);
    return zf_cells_add(text,
                        "Of %zu nets, %s errs least on the validation pictures, %.1f %%, and %s "
                        "most, %.1f %%.",
                        a->row_count, best->net, 100 * best->val_top1_error.mean, worst->net,
                        100 * worst->val_top1_error.mean);
}

enum zf_status zf_ablation_report(const struct zf_ablation *ablation, const char *directory,
                                  const char *command, struct zf_error *err)
{
    enum zf_status status;
    struct zf_document *document = NULL;
    struct zf_cells text = {0};
    char *json = NULL;

    ZF_TRY(zf_document_create(directory, "ablate", "What each change of the net costs", command,
                              &document, err));
    ZF_TRY(add_parameters(ablation, document, &text, err));
    ZF_TRY(zf_document_paragraph(document, conclude(ablation, &text), err));
    ZF_TRY(add_table(ablation, document, err));
    if (ablation->row_count > 1)
        ZF_TRY(add_chart(ablation, document, err));
    ZF_TRY(add_runs_table(ablation, document, err));
    ZF_TRY(zf_cells_check(&text, err));
    ZF_TRY(zf_ablation_json(ablation, &json, err));
    ZF_TRY(zf_document_save(document, json, err));
fail:
    zf_text_free(json);
    zf_cells_release(&text);
    zf_document_free(&document);
    return status;
}
