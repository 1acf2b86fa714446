/* SPDX-License-Identifier: MIT */
#include "zf/train.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "continue.h"
#include "output.h"
#include "recall.h"
#include "split.h"
#include "training.h"
#include "zf/data.h"
#include "zf/net.h"

struct train_options {
    const char *data, *val, *keep, *freeze;
    double val_split;
    bool resume, strict;
    int64_t save_every, shards;
};

static const struct zf_option train_table[] = {
    ZF_OPTION_ROW_TEXT(train_options, data, "DATA", "pictures to train on"),
    ZF_OPTION_ROW_TEXT(train_options, val, "DATA",
                       "pictures to validate on after each epoch; the rate follows their error"),
    ZF_OPTION_ROW_REAL(
        train_options, val_split, "SHARE",
        "keep this share of each class out of training and validate on it; chosen by --seed", 0, 0,
        0.9),
    ZF_OPTION_ROW_FLAG(train_options, resume, "go on from the checkpoint in the run's directory"),
    ZF_OPTION_ROW_TEXT(
        train_options, keep, "E,E,...",
        "epochs whose model is kept; 1,2,5,10,20,30,40,64 and the last unless named"),
    ZF_OPTION_ROW_TEXT(train_options, freeze, "L,L,...",
                       "layers of a MODEL that keep their weights; ..L is all up to L"),
    ZF_OPTION_ROW_FLAG(train_options, strict,
                       "a picture that cannot be read stops the run instead of being skipped"),
    ZF_OPTION_ROW_INT(train_options, save_every, "SECONDS",
                      "a checkpoint at least this often; 0 = after each epoch only", 60, 0, 86400),
    ZF_OPTION_ROW_INT(train_options, shards, "N",
                      "equal parts of a batch, added up in a fixed tree, so that 1, 2, 4, ... or N "
                      "ranks come to the same bits; 0 = as the run was begun, else 16 under mpirun "
                      "and 1 without",
                      0, 0, 256),
};

/* Of a MODEL that was gone on from: which, its frozen layers, and the new one. */
static void add_beginning(const struct call *call, const struct beginning *begun, cJSON *json)
{
    cJSON *frozen;

    if (!begun->continues)
        return;
    cJSON_AddStringToObject(json, "from", call->args->words[0]);
    frozen = cJSON_AddArrayToObject(json, "frozen");
    for (int i = 0; i < zf_net_layer_count(begun->net); i++) {
        if (zf_net_layer(begun->net, i).frozen)
            cJSON_AddItemToArray(frozen, cJSON_CreateString(zf_net_layer(begun->net, i).name));
    }
    if (begun->fresh >= 0)
        cJSON_AddStringToObject(json, "new_layer", zf_net_layer(begun->net, begun->fresh).name);
}

static enum zf_status print_result(const struct call *call, const struct beginning *begun,
                                   const struct watch *watch, struct zf_error *err)
{
    const struct zf_net *net = begun->net;
    const struct zf_epoch *last = &watch->last;
    const char *run = call->common.out;
    char model[1024];
    cJSON *json;

    snprintf(model, sizeof model, "%s/model.safetensors", run);
    if (!call->common.json) {
        if (watch->best_epoch == 0)
            fprintf(call->out, "%s: untrained, %" PRId64 " parameters\n", model,
                    zf_net_parameter_count(net));
        else
            fprintf(call->out, "%s: %s %.4f after epoch %" PRId64 " of %" PRId64 "\n", model,
                    watch->validates ? "top-1 error" : "training loss", watch->best,
                    watch->best_epoch, watch->ended_epoch);
        return ZF_OK;
    }
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "run", run);
    cJSON_AddStringToObject(json, "model", model);
    cJSON_AddStringToObject(json, "net", zf_net_name(net));
    cJSON_AddNumberToObject(json, "parameters", (double)zf_net_parameter_count(net));
    cJSON_AddNumberToObject(json, "epoch", (double)watch->ended_epoch);
    if (watch->best_epoch > 0) {
        cJSON_AddNumberToObject(json, "best_epoch", (double)watch->best_epoch);
        cJSON_AddNumberToObject(json, watch->validates ? "best_val_top1_error" : "best_loss",
                                watch->best);
    }
    if (last->epoch > 0) {
        cJSON_AddNumberToObject(json, "loss", last->loss);
        cJSON_AddNumberToObject(json, "train_top1_error", last->train_top1_error);
        cJSON_AddNumberToObject(json, "val_top1_error", last->val_top1_error);
        cJSON_AddNumberToObject(json, "val_top5_error", last->val_top5_error);
        cJSON_AddNumberToObject(json, "images_per_second", last->images_per_second);
        cJSON_AddNumberToObject(json, "skipped", (double)last->skipped);
    }
    add_beginning(call, begun, json);
    return output_json(call->out, json, err);
}

/* What the training was like, and what to do with it. */
static void propose(const struct call *call, const struct watch *watch, const char *data)
{
    const char *run = call->common.out;
    char advice[400];

    watch_advise(watch, advice, sizeof advice);
    if (*advice)
        progress_say(call->progress, "%s", advice);
    progress_say(
        call->progress,
        "which classes and pictures go wrong:  zfscope eval %s/model.safetensors --data %s "
        "-o %s/eval\n"
        "what its maps look for:               zfscope top %s/model.safetensors --data %s "
        "-o %s/top",
        run, data, run, run, data, run);
}

/* What a training needs open. */
struct opened {
    struct train_options given;
    struct zf_train_options options;
    struct zf_data *data, *train, *val; /* `train` and `val` may be parts of `data` */
    struct beginning begun;
    int64_t *keep;
};

static void opened_release(struct opened *o)
{
    zf_free(o->keep);
    zf_net_free(&o->begun.net);
    zf_data_free(&o->val);
    zf_data_free(&o->train);
    zf_data_free(&o->data);
}

static enum zf_status open_training(const struct call *call, struct opened *o, struct zf_error *err)
{
    const struct option_table table = {train_table, ZF_COUNT(train_table)};
    struct train_options *given = &o->given;
    struct split split;

    ZF_CHECK(args_read(call->args, table, given, err));
    ZF_CHECK(need(call, given->data, "--data DATA", err));
    ZF_CHECK(need(call, call->common.out, "-o RUN, the directory of the run", err));
    split.share = given->val_split;
    ZF_CHECK(split_recall(call, given->resume, given->val, &split, err));
    if (given->keep)
        ZF_CHECK(zf_list_numbers(given->keep, "keep", &o->keep, &o->options.keep_count, err));
    ZF_CHECK(zf_data_open_noting(given->data, call->monitor, &o->data, err));
    if (given->val)
        ZF_CHECK(zf_data_open_noting(given->val, call->monitor, &o->val, err));
    if (split.share > 0)
        ZF_CHECK(split_apply(call, &split, o->data, &o->train, &o->val, err));
    ZF_CHECK(begin_training(call, o->train ? o->train : o->data, given->freeze, &o->begun, err));

    o->options = (struct zf_train_options){
        .recipe = o->begun.recipe,
        .seed = call->common.seed,
        .save_every_s = given->save_every,
        .strict = given->strict,
        .resume = given->resume,
        .keep = o->keep,
        .keep_count = o->options.keep_count,
        .continues = o->begun.continues,
        .compute = call->compute,
        .shards = given->shards,
    };
    if (!given->resume && zf_ranks_rank(call->ranks) == 0 && !run_stands(call->common.out))
        ZF_CHECK(recall_write(call->common.out, call->typed_count, call->typed, err));
    return ZF_OK;
}

static enum zf_status run_train(struct call *call, struct zf_error *err)
{
    enum zf_status status;
    struct opened o = {0};
    struct watch watch = {.progress = call->progress};
    const struct zf_train_monitor monitor = watch_monitor(&watch);

    ZF_TRY(zf_ranks_agree(call->ranks, open_training(call, &o, err), err));
    watch.epochs = o.options.recipe.epochs;
    watch.validates = o.val != NULL;
    status = zf_train_run(o.begun.net, o.train ? o.train : o.data, o.val, call->common.out,
                          &o.options, &monitor, err);
    if (status == ZF_ECANCELED)
        zf_fail(err, ZF_ECANCELED,
                "stopped; %s/checkpoint is saved; go on with: zfscope train -o '%s' --resume",
                call->common.out, call->common.out);
    ZF_TRY(status);
    ZF_TRY(print_result(call, &o.begun, &watch, err));
    propose(call, &watch, o.given.val ? o.given.val : o.given.data);
fail:
    opened_release(&o);
    return status;
}

const struct command train_command = {
    .name = "train",
    .arguments = "NET|MODEL",
    .summary = "train a net by the paper's recipe, or train a model further",
    .details =
        "Writes RUN/model.safetensors (the best on the validation data), RUN/checkpoint, "
        "RUN/epochs/, RUN/log.jsonl and TensorBoard events, RUN being the directory of --out. "
        "Ctrl-C saves a checkpoint and says how to go on; --resume continues bit for bit; it needs "
        "no more than -o RUN, the rest is as it was. "
        "--epochs 0 writes the untrained net. A MODEL (.safetensors or .onnx) is trained further: "
        "from its weights, with its preparation, at a tenth of its recipe's rate and without the "
        "RMS limit unless they are named. Where the classes of the data are others than its own, "
        "it gets a new last layer; one that --until cut gets one on top. The model that comes out "
        "records which one it went on from, and what was frozen.",
    .output = OUTPUT_DIRECTORY,
    .least = 1,
    .most = 1,
    .options = train_table,
    .option_count = ZF_COUNT(train_table),
    .shares = true,
    .recalls = true,
    .library_options = zf_recipe_options,
    .imports = true,
    .prepares = true,
    .run = run_train,
};
