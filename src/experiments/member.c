/* SPDX-License-Identifier: MIT */
#include "experiments/member.h"

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/checkpoint.h"
#include "train/log.h"
#include "zf/model.h"

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

    if (!log || !model) {
        status = zf_fail(err, ZF_ENOMEM, "%s: out of memory", member->run);
        goto fail;
    }
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
