/* SPDX-License-Identifier: MIT */
/*
 * Variants of a net, each trained from scratch. (Paper: table 3.)
 *
 * A run is a directory of its own that zf_train_run() can go on with at any step; its errors are
 * written beside its model once they are known. So an experiment that was stopped anywhere is done
 * again, and whatever is there takes no time.
 */
#include "experiments/ablate/ablate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "ranks/deal.h"

#define ERRORS_FILE "errors.json"
#define ERRORS_LIMIT 65536 /* bytes of that file */

struct work {
    const struct zf_ablate_options *options; /* each run is of one rank */
    struct zf_ranks *ranks;                  /* that share the runs */
    struct zf_data *data, *val;
    const char *directory;
    struct zf_ablation *ablation;
    const struct zf_train_monitor *told;
    struct zf_monitor monitor; /* the same for what knows nothing of training */
};

static char *run_directory(const struct work *work, const char *net, int64_t seed)
{
    return zf_format("%s/%s-s%" PRId64, work->directory, net, seed);
}

static struct zf_member member_of(const struct work *work, size_t row, int64_t seed,
                                  const char *run)
{
    return (struct zf_member){&work->options->variants[row], run, seed, &work->options->train};
}

/* ---- Checks before the first run. ---- */

static enum zf_status check_options(const struct zf_ablate_options *options,
                                    const struct zf_data *data, const struct zf_data *val,
                                    struct zf_error *err)
{
    const struct zf_variant *first = options->variants;

    if (options->variant_count == 0)
        return zf_fail(err, ZF_EINVAL, "no net to train");
    if (options->seeds < 1 || options->seeds > ZF_ABLATE_MOST_SEEDS)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " seeds, but must be 1 to %d", options->seeds,
                       ZF_ABLATE_MOST_SEEDS);
    for (size_t i = 0; i < options->variant_count; i++) {
        if (first[i].recipe.epochs != first->recipe.epochs)
            return zf_fail(err, ZF_EINVAL,
                           "%s trains for %" PRId64 " epochs and %s for %" PRId64
                           "; give all of them the same with --epochs",
                           first->net, first->recipe.epochs, first[i].net, first[i].recipe.epochs);
        if (first[i].recipe.epochs < 1)
            return zf_fail(err, ZF_EINVAL, "%s is to train for 0 epochs", first[i].net);
    }
    if (zf_data_class_count(data) == 0 || zf_data_class_count(val) == 0)
        return zf_fail(err, ZF_EINPUT, "%s has no labels",
                       zf_data_name(zf_data_class_count(data) == 0 ? data : val));
    return ZF_OK;
}

static enum zf_status check_runs(const struct work *work, size_t row, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const int64_t first = work->options->train.seed;

    for (int64_t seed = first; status == ZF_OK && seed < first + work->options->seeds; seed++) {
        char *run = run_directory(work, work->ablation->rows[row].net, seed);
        const struct zf_member member = member_of(work, row, seed, run);

        status = run ? zf_member_check(&member, err)
                     : zf_fail(err, ZF_ENOMEM, "%s: out of memory", work->directory);
        zf_free(run);
    }
    return status;
}

/* The name of a net names a directory too. */
static enum zf_status check_name(const struct zf_ablation *ablation, size_t row,
                                 const struct zf_variant *variants, struct zf_error *err)
{
    const char *name = ablation->rows[row].net;

    if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
        return zf_fail(err, ZF_EINPUT,
                       "%s calls its net '%s', which cannot be the name of a directory; change its "
                       "[net] name",
                       variants[row].net, name);
    for (size_t i = 0; i < row; i++) {
        if (strcmp(ablation->rows[i].net, name) == 0)
            return zf_fail(err, ZF_EINPUT,
                           "%s and %s are both called %s; give one of them another [net] name",
                           variants[i].net, variants[row].net, name);
    }
    return ZF_OK;
}

static enum zf_status prepare_rows(struct work *work, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_ablation *ablation = work->ablation;
    const struct zf_variant *variants = work->options->variants;
    struct zf_net *net = NULL;

    for (size_t i = 0; i < ablation->row_count; i++) {
        struct zf_ablation_row *row = &ablation->rows[i];

        ZF_TRY(zf_net_load_spec(variants[i].net, ablation->classes, &net, err));
        row->net = zf_strdup(zf_net_name(net));
        row->parameters = zf_net_parameter_count(net);
        row->runs = zf_alloc((size_t)ablation->seeds, sizeof *row->runs);
        zf_net_free(&net);
        if (!row->net || !row->runs)
            ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", variants[i].net));
        ZF_TRY(check_name(ablation, i, variants, err));
        ZF_TRY(check_runs(work, i, err));
    }
fail:
    zf_net_free(&net);
    return status;
}

/* ---- The errors of a finished run, beside its model. ---- */

static bool get_number(const cJSON *json, const char *key, double *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);

    if (cJSON_IsNumber(item))
        *value = item->valuedouble;
    return cJSON_IsNumber(item);
}

/* False when there are none, or when they are those of an earlier end of the run. */
static bool load_errors(const char *path, struct zf_ablation_run *run)
{
    struct zf_bytes bytes = {0};
    struct zf_ablation_run read = *run;
    double epochs = 0;
    cJSON *json = NULL;
    bool good = false;

    if (access(path, F_OK) != 0 || zf_bytes_map(&bytes, path, ERRORS_LIMIT, NULL) != ZF_OK)
        return false;
    zf_json_parse((const char *)bytes.data, bytes.size, &json, NULL);
    good = get_number(json, "epochs", &epochs) && epochs == (double)run->epochs &&
           get_number(json, "train_top1_error", &read.train_top1_error) &&
           get_number(json, "val_top1_error", &read.val_top1_error) &&
           get_number(json, "val_top5_error", &read.val_top5_error);
    if (good)
        *run = read;
    cJSON_Delete(json);
    zf_bytes_release(&bytes);
    return good;
}

static enum zf_status save_errors(const char *path, const struct zf_ablation_run *run,
                                  struct zf_error *err)
{
    enum zf_status status;
    cJSON *json = cJSON_CreateObject();
    char *text = NULL;

    if (cJSON_AddNumberToObject(json, "epochs", (double)run->epochs) &&
        cJSON_AddNumberToObject(json, "train_top1_error", run->train_top1_error) &&
        cJSON_AddNumberToObject(json, "val_top1_error", run->val_top1_error) &&
        cJSON_AddNumberToObject(json, "val_top5_error", run->val_top5_error))
        text = zf_json_sound(cJSON_Print(json));
    status = text ? zf_file_write(path, text, strlen(text), err)
                  : zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
    cJSON_free(text);
    cJSON_Delete(json);
    return status;
}

/* Both errors are of the same model, on centre crops and without dropout, so that their distance
   is what the net has learned by heart. */
static enum zf_status measure(const struct work *work, const struct zf_net *net,
                              struct zf_ablation_run *run, struct zf_error *err)
{
    const struct zf_train_options *train = &work->options->train;
    const struct zf_eval_options options = {
        .compute = train->compute,
        .strict = train->strict,
    };
    struct zf_eval_result on_train, on_val;

    ZF_CHECK(
        zf_eval_run(&net, 1, work->data, &options, &on_train, NULL, NULL, &work->monitor, err));
    ZF_CHECK(zf_eval_run(&net, 1, work->val, &options, &on_val, NULL, NULL, &work->monitor, err));
    run->train_top1_error = on_train.top1_error;
    run->val_top1_error = on_val.top1_error;
    run->val_top5_error = on_val.top5_error;
    return ZF_OK;
}

static enum zf_status do_run(const struct work *work, size_t row, int64_t seed,
                             struct zf_ablation_run *run, struct zf_error *err)
{
    enum zf_status status;
    char *directory = run_directory(work, work->ablation->rows[row].net, seed);
    char *errors = directory ? zf_path_join(directory, ERRORS_FILE) : NULL;
    const struct zf_member member = member_of(work, row, seed, directory);
    struct zf_member_result result = {0};

    if (!errors)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", work->directory));
    ZF_TRY(zf_member_run(&member, work->data, work->val, &result, work->told, err));
    *run = (struct zf_ablation_run){.seed = seed,
                                    .epochs = result.epochs,
                                    .best_epoch = result.best_epoch,
                                    .seconds = result.seconds};
    if (!load_errors(errors, run)) {
        ZF_TRY(measure(work, result.net, run, err));
        ZF_TRY(save_errors(errors, run, err));
    }
fail:
    zf_net_free(&result.net);
    zf_free(directory);
    zf_free(errors);
    return status;
}

static void summarise(struct zf_ablation_row *row, size_t seeds)
{
    const struct zf_ablation_run *runs = row->runs;
    double epochs[ZF_ABLATE_MOST_SEEDS];

    for (size_t i = 0; i < seeds; i++)
        epochs[i] = (double)runs[i].epochs;
    row->epochs = zf_spread_of(epochs, seeds, sizeof *epochs);
    row->train_top1_error = zf_spread_of(&runs->train_top1_error, seeds, sizeof *runs);
    row->val_top1_error = zf_spread_of(&runs->val_top1_error, seeds, sizeof *runs);
    row->val_top5_error = zf_spread_of(&runs->val_top5_error, seeds, sizeof *runs);
    row->seconds = zf_spread_of(&runs->seconds, seeds, sizeof *runs);
}

/* Seed by seed, so that an experiment stopped early still compares all nets. */
static enum zf_status do_item(void *user, int64_t item, struct zf_parcel *parcel,
                              struct zf_error *err)
{
    const struct work *work = user;
    const struct zf_ablation *ablation = work->ablation;
    const size_t row = (size_t)item % ablation->row_count;
    const int64_t seed = work->options->train.seed + item / (int64_t)ablation->row_count;
    struct zf_ablation_run run;

    zf_monitor_message(&work->monitor, "%" PRId64 " of %" PRId64 ": %s, seed %" PRId64, item + 1,
                       (int64_t)ablation->row_count * ablation->seeds, ablation->rows[row].net,
                       seed);
    ZF_CHECK(do_run(work, row, seed, &run, err));
    zf_parcel_add(parcel, &run, sizeof run);
    return ZF_OK;
}

static enum zf_status take_item(void *user, int64_t item, struct zf_parcel *parcel,
                                struct zf_error *err)
{
    struct zf_ablation *ablation = ((struct work *)user)->ablation;
    struct zf_ablation_row *row = &ablation->rows[(size_t)item % ablation->row_count];

    (void)err;
    row->runs[item / (int64_t)ablation->row_count] =
        *(const struct zf_ablation_run *)zf_parcel_next(parcel, sizeof *row->runs);
    return ZF_OK;
}

static enum zf_status do_rows(struct work *work, struct zf_error *err)
{
    struct zf_ablation *ablation = work->ablation;

    ZF_CHECK(zf_deal_run(&(struct zf_deal){.ranks = work->ranks,
                                           .count = (int64_t)ablation->row_count * ablation->seeds,
                                           .work = do_item,
                                           .take = take_item,
                                           .user = work},
                         err));
    for (size_t i = 0; i < ablation->row_count; i++)
        summarise(&ablation->rows[i], (size_t)ablation->seeds);
    return ZF_OK;
}

static enum zf_status ablation_create(const struct zf_ablate_options *options,
                                      const struct zf_data *data, const struct zf_data *val,
                                      struct zf_ablation **out, struct zf_error *err)
{
    struct zf_ablation *ablation = zf_alloc(1, sizeof *ablation);

    if (ablation) {
        ablation->rows = zf_alloc(options->variant_count, sizeof *ablation->rows);
        ablation->row_count = ablation->rows ? options->variant_count : 0;
        ablation->seeds = options->seeds;
        ablation->recipe = options->variants[0].recipe;
        ablation->classes = zf_data_class_count(data);
        ablation->train_images = zf_data_count(data);
        ablation->val_images = zf_data_count(val);
        ablation->data_name = zf_strdup(zf_data_name(data));
        ablation->val_name = zf_strdup(zf_data_name(val));
    }
    if (!ablation || !ablation->rows || !ablation->data_name || !ablation->val_name) {
        zf_ablation_free(&ablation);
        return zf_no_memory(err, "%zu nets", options->variant_count);
    }
    *out = ablation;
    return ZF_OK;
}

enum zf_status zf_ablate_run(const struct zf_ablate_options *options, struct zf_data *data,
                             struct zf_data *val, const char *directory, struct zf_ablation **out,
                             const struct zf_train_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_ablate_options alone = *options;
    struct work work = {.options = &alone,
                        .ranks = options->train.compute.ranks,
                        .data = data,
                        .val = val,
                        .directory = directory,
                        .told = monitor};

    alone.train.compute = zf_compute_alone(alone.train.compute);
    if (monitor)
        work.monitor = (struct zf_monitor){
            .user = monitor->user, .progress = monitor->progress, .message = monitor->message};
    ZF_TRY(check_options(options, data, val, err));
    ZF_TRY(ablation_create(options, data, val, &work.ablation, err));
    /* Before any rank begins a run that others would find there. */
    ZF_TRY(zf_ranks_agree(work.ranks, prepare_rows(&work, err), err));
    ZF_TRY(zf_directory_make(directory, err));
    ZF_TRY(do_rows(&work, err));
    *out = work.ablation;
    work.ablation = NULL;
fail:
    zf_ablation_free(&work.ablation);
    return status;
}

void zf_ablation_free(struct zf_ablation **ablation)
{
    struct zf_ablation *a = ablation ? *ablation : NULL;

    if (!a)
        return;
    for (size_t i = 0; i < a->row_count; i++) {
        zf_free(a->rows[i].net);
        zf_free(a->rows[i].runs);
    }
    zf_free(a->rows);
    zf_free(a->data_name);
    zf_free(a->val_name);
    zf_free(a);
    *ablation = NULL;
}
