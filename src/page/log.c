/* SPDX-License-Identifier: MIT */
/* The log of a run as curves by epoch. */
#include "page/log.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/document.h"

#define MAX_EPOCHS 100000

enum column { EPOCH, LOSS, VAL_LOSS, TRAIN_TOP1, VAL_TOP1, VAL_TOP5, COLUMNS };

static const char *const keys[COLUMNS] = {
    "epoch", "loss", "val_loss", "train_top1_error", "val_top1_error", "val_top5_error"};

struct curves {
    double *values[COLUMNS];
    size_t capacity[COLUMNS];
    size_t count;
};

static void release(struct curves *curves)
{
    for (size_t c = 0; c < COLUMNS; c++)
        zf_free(curves->values[c]);
}

/* What is null, or missing, is a gap. */
static bool add_epoch(struct curves *curves, const cJSON *line)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(line, keys[c]);

        if (!zf_grow((void **)&curves->values[c], &curves->capacity[c], curves->count + 1,
                     sizeof(double)))
            return false;
        curves->values[c][curves->count] = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    }
    curves->count++;
    return true;
}

static enum zf_status read_lines(const char *text, const char *path, struct curves *curves,
                                 struct zf_error *err)
{
    for (size_t number = 1; *text; number++) {
        const size_t length = strcspn(text, "\n");
        cJSON *line;
        const bool no_memory = zf_json_parse(text, length, &line, NULL) == ZF_ENOMEM;
        const bool whole = cJSON_IsObject(line), fits = curves->count < MAX_EPOCHS;
        const bool added = whole && fits && add_epoch(curves, line);

        cJSON_Delete(line);
        if (no_memory)
            return zf_no_memory(err, "the epochs of %s", path);
        /* A run may be writing its last line at this moment. */
        if (length > 0 && !whole && text[length] == '\0')
            return ZF_OK;
        if (length > 0 && !whole)
            return zf_fail(err, ZF_EINPUT, "%s: line %zu is no JSON object", path, number);
        if (!fits)
            return zf_fail(err, ZF_EINPUT, "%s: more than %d epochs", path, MAX_EPOCHS);
        if (length > 0 && !added)
            return zf_no_memory(err, "the epochs of %s", path);
        text += length + (text[length] == '\n');
    }
    return ZF_OK;
}

static bool any(const double *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i]))
            return true;
    }
    return false;
}

/* The epoch with the lowest validation error, which is the one that a run keeps. */
static void add_best(struct zf_document *document, const struct curves *curves)
{
    const double *errors = curves->values[VAL_TOP1];
    size_t best = 0;

    zf_document_parameter(document, "epochs", "%zu", curves->count);
    for (size_t i = 1; i < curves->count; i++) {
        if (errors[i] < errors[best] || !isfinite(errors[best]))
            best = i;
    }
    if (isfinite(errors[best]))
        zf_document_parameter(document, "lowest validation error",
                              "%.1f %% (top-5 %.1f %%), after epoch %.0f", 100 * errors[best],
                              100 * curves->values[VAL_TOP5][best], curves->values[EPOCH][best]);
}

static void add_charts(struct zf_document *document, const struct curves *curves)
{
    static const char *const names[] = {[LOSS] = "training",
                                        [VAL_LOSS] = "validation",
                                        [TRAIN_TOP1] = "training, top-1",
                                        [VAL_TOP1] = "validation, top-1",
                                        [VAL_TOP5] = "validation, top-5"};
    struct zf_series losses[COLUMNS], errors[COLUMNS];
    struct zf_chart charts[2] = {{.kind = ZF_CHART_LINES,
                                  .title = "Loss",
                                  .x_label = "epoch",
                                  .y_label = "cross-entropy",
                                  .series = losses},
                                 {.kind = ZF_CHART_LINES,
                                  .title = "Errors",
                                  .x_label = "epoch",
                                  .y_label = "share of pictures",
                                  .series = errors,
                                  .from_zero = true}};

    for (size_t c = LOSS; c < COLUMNS; c++) {
        struct zf_chart *chart = &charts[c >= TRAIN_TOP1];
        struct zf_series *series = c >= TRAIN_TOP1 ? errors : losses;

        if (c == LOSS || any(curves->values[c], curves->count))
            series[chart->series_count++] = (struct zf_series){
                names[c], curves->values[EPOCH], curves->values[c], NULL, curves->count};
    }
    zf_document_charts(
        document, charts, 2, 2, NULL,
        "Loss, and the share of pictures whose class is not the first guess (top-1) "
        "or among the first five (top-5). Training is measured while it goes on, with "
        "dropout and on random crops, so that it may look worse than validation.");
}

enum zf_status zf_log_document(const char *text, const char *path, const char *directory,
                               struct zf_document **document, struct zf_error *err)
{
    enum zf_status status;
    struct curves curves = {0};

    ZF_TRY(read_lines(text, path, &curves, err));
    if (curves.count == 0)
        goto fail;
    ZF_TRY(zf_document_create(directory, "train", "Training", NULL, document, err));
    add_best(*document, &curves);
    add_charts(*document, &curves);
    if (!zf_document_stands(*document)) {
        zf_document_free(document);
        status = zf_no_memory(err, "the curves of %s", path);
    }
fail:
    release(&curves);
    return status;
}
