/* SPDX-License-Identifier: MIT */
#include "experiments/trainings.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/checkpoint.h"
#include "train/log.h"
#include "zf/model.h"

#define SAVE_EVERY_S 60

enum zf_status zf_variant_read(struct zf_variant *variant, const struct zf_call *call,
                               const char *net, int64_t classes, struct zf_error *err)
{
    struct zf_net *loaded = NULL;
    const struct zf_option *rows;
    enum zf_status status;
    size_t count;

    ZF_CHECK(zf_net_load_spec(net, classes, &loaded, err));
    variant->net = net;
    variant->recipe = *zf_net_recipe(loaded);
    rows = zf_recipe_options(&count);
    status =
        zf_settings_apply(call->settings, call->setting_count, rows, count, &variant->recipe, err);
    zf_net_free(&loaded);
    return status;
}

struct zf_train_options zf_training_options(const struct zf_call *call, bool resume, bool strict)
{
    return (struct zf_train_options){.seed = call->seed,
                                     .save_every_s = SAVE_EVERY_S,
                                     .resume = resume,
                                     .strict = strict,
                                     .compute = call->compute};
}

enum zf_status zf_training_stopped(const struct zf_call *call, const char *kept,
                                   struct zf_error *err)
{
    const bool resuming = call->command && strstr(call->command, " --resume");

    if (!call->command)
        return zf_fail(err, ZF_ECANCELED, "stopped; %s keeps %s", call->directory, kept);
    return zf_fail(err, ZF_ECANCELED, "stopped; %s keeps %s; go on with: %s%s", call->directory,
                   kept, call->command, resuming ? "" : " --resume");
}

enum zf_status zf_member_check(const struct zf_member *member, struct zf_error *err)
{
    if (member->train->resume || !zf_checkpoint_exists(member->run))
        return ZF_OK;
    return zf_fail(err, ZF_EINVAL,
                   "%s already holds a run; go on with it by --resume, or choose another directory",
                   member->run);
}

static enum zf_status read_result(const struct zf_member *member, struct zf_member_result *result,
                                  struct zf_error *err)
{
    enum zf_status status;
    struct zf_log_summary summary;
    struct zf_net *net = NULL;
    char *log = zf_path_join(member->run, "log.jsonl");
    char *model = zf_path_join(member->run, "model.safetensors");

    if (!log || !model)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", member->run));
    ZF_TRY(zf_log_summarise(log, &summary, err));
    ZF_TRY(zf_model_load(model, NULL, &net, err));
    *result = (struct zf_member_result){net, summary.epochs, summary.best_epoch, summary.seconds};
fail:
    zf_free(log);
    zf_free(model);
    return status;
}

enum zf_status zf_member_run(const struct zf_member *member, struct zf_data *data,
                             struct zf_data *val, struct zf_member_result *result,
                             const struct zf_train_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_train_options options = *member->train;
    struct zf_net *net = NULL;

    options.recipe = member->variant->recipe;
    options.seed = member->seed;
    options.resume = options.resume && zf_checkpoint_exists(member->run);
    ZF_TRY(zf_net_load_spec(member->variant->net, zf_data_class_count(data), &net, err));
    ZF_TRY(zf_train_run(net, data, val, member->run, &options, monitor, err));
    ZF_TRY(read_result(member, result, err));
fail:
    zf_net_free(&net);
    return status;
}

struct zf_spread zf_spread_of(const double *first, size_t count, size_t stride)
{
    struct zf_spread spread = {0};
    double squares = 0;

    for (size_t i = 0; i < count; i++)
        spread.mean += *(const double *)((const char *)first + i * stride) / (double)count;
    for (size_t i = 0; i < count; i++) {
        const double d = *(const double *)((const char *)first + i * stride) - spread.mean;

        squares += d * d;
    }
    spread.deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : 0;
    return spread;
}

void zf_document_percent(struct zf_document *document, struct zf_spread spread, bool several)
{
    if (isnan(spread.mean))
        zf_document_cell(document, "-");
    else if (several)
        zf_document_cell(document, "%.1f \u00b1 %.1f", 100 * spread.mean, 100 * spread.deviation);
    else
        zf_document_cell(document, "%.1f", 100 * spread.mean);
}
