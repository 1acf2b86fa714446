/* SPDX-License-Identifier: MIT */
#include "experiment.h"

#include <stdlib.h>

#include "output.h"
#include "preparation.h"
#include "training.h"
#include "zf/experiment.h"

#define MOST_EXPERIMENTS 32

/* What stands for an experiment's positional arguments, and how many there are of them. */
static const struct {
    const char *arguments;
    size_t least, most;
} taken[] = {
    [ZF_TAKES_MODEL] = {"MODEL", 1, 1},
    [ZF_TAKES_PICTURES] = {"MODEL IMAGE...", 2, SIZE_MAX},
    [ZF_TAKES_PARTS] = {"MODEL PARTS.tsv", 2, 2},
    [ZF_TAKES_TWO_MODELS] = {"MODEL MODEL", 2, 2},
    [ZF_TAKES_RUN] = {"RUN", 1, 1},
    [ZF_TAKES_NOTHING] = {"", 0, 0},
};

static enum zf_status open_models(struct call *call, void *options, struct zf_net **net,
                                  struct zf_net **other, struct zf_error *err)
{
    const struct zf_experiment *experiment = call->command->experiment;
    const struct option_table table = {experiment->options, experiment->option_count};

    ZF_CHECK(args_read(call->args, table, options, err));
    ZF_CHECK(need(call, call->common.out, "-o DIR", err));
    if (zf_takes_net(experiment->takes))
        ZF_CHECK(model_open(call, call->args->words[0], net, err));
    if (experiment->takes == ZF_TAKES_TWO_MODELS)
        ZF_CHECK(model_open(call, call->args->words[1], other, err));
    return ZF_OK;
}

static enum zf_status run_experiment(struct call *call, struct zf_error *err)
{
    const struct zf_experiment *experiment = call->command->experiment;
    const bool two = experiment->takes == ZF_TAKES_TWO_MODELS;
    const size_t models = zf_takes_net(experiment->takes) && !two ? 1 : 0; /* no arguments of it */
    struct watch watch = {.progress = call->progress};
    const struct zf_train_monitor trained = watch_monitor(&watch);
    struct zf_net *net = NULL, *other = NULL;
    struct zf_document *document = NULL;
    void *options = calloc(1, experiment->options_size);
    char *json = NULL;
    enum zf_status status;

    if (!options)
        return zf_no_memory(err, "the options of %s", experiment->name);
    ZF_TRY(zf_ranks_agree(call->ranks, open_models(call, options, &net, &other, err), err));
    ZF_TRY(zf_experiment_run(experiment,
                             &(struct zf_call){
                                 .net = net,
                                 .other = other,
                                 .model = models > 0 ? call->args->words[0] : NULL,
                                 .arguments = call->args->words + models,
                                 .argument_count = call->args->word_count - models,
                                 .options = options,
                                 .compute = call->compute,
                                 .seed = call->common.seed,
                                 .settings = call->args->settings,
                                 .setting_count = call->args->setting_count,
                                 .directory = call->common.out,
                                 .command = call->line,
                                 .monitor = call->monitor,
                                 .trained = &trained,
                             },
                             &document, err));
    if (call->common.json)
        ZF_TRY(zf_document_json(document, &json, err));
    fprintf(call->out, "%s%s", json ? json : zf_document_said(document), json ? "\n" : "");
    progress_say(call->progress, "wrote %s/index.html, %s.json and the figures", call->common.out,
                 experiment->name);
fail:
    zf_free(json);
    zf_document_free(&document);
    zf_net_free(&net);
    zf_net_free(&other);
    free(options);
    return status;
}

const struct command *experiment_command(size_t i)
{
    static struct {
        struct command command;
        char summary[160];
    } made[MOST_EXPERIMENTS];
    const struct zf_experiment *experiment = i < MOST_EXPERIMENTS ? zf_experiment_at(i) : NULL;

    if (!experiment)
        return NULL;
    snprintf(made[i].summary, sizeof made[i].summary, "%s (%s)", experiment->summary,
             experiment->figure);
    made[i].command = (struct command){
        .name = experiment->name,
        .arguments = taken[experiment->takes].arguments,
        .summary = made[i].summary,
        .details = experiment->details,
        .output = OUTPUT_DIRECTORY,
        .least = taken[experiment->takes].least,
        .most = taken[experiment->takes].most,
        .options = experiment->options,
        .option_count = experiment->option_count,
        .library_options = experiment->trains ? zf_recipe_options : NULL,
        .shares = experiment->shares,
        .imports = zf_takes_net(experiment->takes),
        .prepares = zf_takes_net(experiment->takes),
        .run = run_experiment,
        .experiment = experiment,
    };
    return &made[i].command;
}
