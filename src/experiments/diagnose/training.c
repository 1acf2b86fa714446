/* SPDX-License-Identifier: MIT */
/*
 * What is left to learn: layers whose weights may still be the random numbers that they were drawn
 * as, and what the log beside the model says of how its training ended.
 */
#include "experiments/diagnose/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "measure/similarity.h"

#define LOG_LIMIT ((size_t)64 << 20)
#define LEAST_EPOCHS 3
#define SAMPLE ((size_t)1 << 22) /* weights: the first filters of a larger layer stand for all */

/* ---- Weights. ---- */

static enum zf_status measure_layer(const struct zf_net *net, int layer,
                                    struct zf_diagnosis *diagnosis, struct zf_error *err)
{
    struct zf_diagnosis_weights *made = &diagnosis->weights[diagnosis->weight_count];
    struct zf_parameter weight;
    size_t length, rows;

    if (!zf_layer_filters(net, layer, &weight, &length) || weight.rank < 2)
        return ZF_OK;
    rows = (size_t)weight.dims[0];
    if (rows * length > SAMPLE && SAMPLE / length >= ZF_RANDOMNESS_ROWS)
        rows = SAMPLE / length;
    ZF_CHECK(zf_randomness_measure(weight.data, rows, length, &made->randomness, err));
    made->layer = layer;
    made->random = made->randomness.most < ZF_RANDOM;
    diagnosis->weight_count++;
    return ZF_OK;
}

enum zf_status zf_diagnose_weights(const struct zf_net *net, struct zf_diagnosis *diagnosis,
                                   struct zf_error *err)
{
    const int count = zf_net_layer_count(net);

    diagnosis->weights = zf_alloc((size_t)count, sizeof *diagnosis->weights);
    if (!diagnosis->weights)
        return zf_no_memory(err, "%d layers", count);
    for (int i = 0; i < count; i++)
        ZF_CHECK(measure_layer(net, i, diagnosis, err));
    return ZF_OK;
}

const struct zf_diagnosis_weights *zf_diagnosis_weights_of(const struct zf_diagnosis *diagnosis,
                                                           int layer)
{
    for (size_t i = 0; i < diagnosis->weight_count; i++) {
        if (diagnosis->weights[i].layer == layer)
            return &diagnosis->weights[i];
    }
    return NULL;
}

/* ---- The log. ---- */

/* One line of it. */
struct line {
    int64_t epoch;
    double loss, train, val; /* errors; NAN where there is none */
};

struct lines {
    struct line *items;
    size_t count, capacity;
};

static double number_of(const cJSON *json, const char *key)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, key);

    return cJSON_IsNumber(value) ? value->valuedouble : (double)NAN;
}

/* Lines that are not of an epoch, or beyond `until`, are passed over. */
static enum zf_status read_lines(const char *path, int64_t until, struct lines *lines,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    ZF_TRY(zf_bytes_map(&file, path, LOG_LIMIT, err));
    for (size_t at = 0; at < file.size;) {
        const char *text = (const char *)file.data + at;
        const char *end = memchr(text, '\n', file.size - at);
        const size_t length = end ? (size_t)(end - text) : file.size - at;
        cJSON *json = NULL;
        struct line line;

        at += length + 1;
        if (zf_json_parse(text, length, &json, NULL) == ZF_ENOMEM) {
            status = zf_no_memory(err, "the epochs of %s", path);
            goto fail;
        }
        line = (struct line){0, number_of(json, "loss"), number_of(json, "train_top1_error"),
                             number_of(json, "val_top1_error")};
        if (number_of(json, "epoch") >= 1 && number_of(json, "epoch") < 1e9)
            line.epoch = (int64_t)number_of(json, "epoch");
        cJSON_Delete(json);
        if (line.epoch < 1 || line.epoch > until || !isfinite(line.loss))
            continue;
        if (!zf_grow((void **)&lines->items, &lines->capacity, lines->count + 1,
                     sizeof *lines->items)) {
            status = zf_no_memory(err, "the epochs of %s", path);
            goto fail;
        }
        lines->items[lines->count++] = line;
    }
fail:
    zf_bytes_release(&file);
    return status;
}

static double mean_loss(const struct lines *lines, size_t from, size_t count)
{
    double sum = 0;

    for (size_t i = from; i < from + count; i++)
        sum += lines->items[i].loss;
    return sum / (double)count;
}

static void judge(const struct lines *lines, struct zf_diagnosis_course *course)
{
    const size_t count = lines->count, third = count / 3;
    const struct line *best = &lines->items[count - 1];
    double before;

    course->epochs = lines->items[count - 1].epoch;
    if (count < LEAST_EPOCHS)
        return;
    course->told = true;
    for (size_t i = 0; i < count; i++) {
        if (lines->items[i].val < best->val)
            best = &lines->items[i];
    }
    before = mean_loss(lines, count - 2 * third, third);
    course->fall = before > 0 ? 1 - mean_loss(lines, count - third, third) / before : 0;
    course->best_epoch = best->epoch;
    course->train = best->train;
    course->val = best->val;
    course->falling = course->fall > ZF_FALLING && best >= &lines->items[count - third];
    course->gap =
        course->val - course->train > ZF_GAP && course->val > ZF_GAP_TIMES * course->train;
}

/* RUN/log.jsonl of RUN/model.safetensors, or of RUN/epochs/0005.safetensors, whose epoch is in its
   name. NULL when memory is short. */
static char *log_of(const char *model, int64_t *until)
{
    static const char epochs[] = "epochs/";
    const size_t kept = sizeof epochs - 1;
    const char *slash = strrchr(model, '/');
    size_t folder = slash ? (size_t)(slash + 1 - model) : 0;

    *until = INT64_MAX;
    if (folder >= kept && strncmp(model + folder - kept, epochs, kept) == 0 &&
        (folder == kept || model[folder - kept - 1] == '/') &&
        strspn(model + folder, "0123456789") >= 4) {
        *until = strtoll(model + folder, NULL, 10);
        folder -= kept;
    }
    return zf_format("%.*slog.jsonl", (int)folder, model);
}

enum zf_status zf_diagnose_log(const char *model, struct zf_diagnosis_course *course,
                               struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct lines lines = {0};
    int64_t until;
    char *log = log_of(model, &until);

    if (!log)
        return zf_no_memory(err, "the log beside %s", model);
    if (access(log, F_OK) == 0)
        ZF_TRY(read_lines(log, until, &lines, err));
    if (lines.count > 0)
        judge(&lines, course);
fail:
    zf_free(lines.items);
    zf_free(log);
    return status;
}
