/* SPDX-License-Identifier: MIT */
/* The experiments: one line each. */
#include "experiments/table.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "experiments/subjects.h"
#include "page/document.h"
#include "train/alike.h"

static const struct zf_experiment *const table[] = {
    &zf_experiment_top,        &zf_experiment_unit,     &zf_experiment_evolve,
    &zf_experiment_invariance, &zf_experiment_diagnose, &zf_experiment_occlude,
    &zf_experiment_correspond, &zf_experiment_compare,  &zf_experiment_ablate,
    &zf_experiment_transfer,
};

const struct zf_experiment *zf_experiment_at(size_t i)
{
    return i < ZF_COUNT(table) ? table[i] : NULL;
}

const struct zf_experiment *zf_experiment_find(const char *name)
{
    for (size_t i = 0; i < ZF_COUNT(table); i++) {
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    }
    return NULL;
}

static const char *given_text(const struct zf_experiment *experiment, const struct zf_call *call,
                              const char *name)
{
    const struct zf_option *row =
        zf_option_find(experiment->options, experiment->option_count, name);

    return row ? zf_option_text(row, call->options) : NULL;
}

static bool has_flag(const struct zf_experiment *experiment, const char *name)
{
    const struct zf_option *row =
        zf_option_find(experiment->options, experiment->option_count, name);

    return row && row->kind == ZF_OPTION_FLAG;
}

static bool asks_for(const struct zf_experiment *experiment, const struct zf_call *call,
                     const char *name)
{
    return has_flag(experiment, name) &&
           zf_option_number(zf_option_find(experiment->options, experiment->option_count, name),
                            call->options) > 0;
}

/* What is asked of the document; how large a page in one file becomes is said beforehand. */
static void begin_document(const struct zf_experiment *experiment, const struct zf_call *call,
                           struct zf_document *document)
{
    const bool asked = asks_for(experiment, call, "single_file");

    if (asks_for(experiment, call, "figure"))
        zf_document_slides(document);
    if (asked || call->single_file || !has_flag(experiment, "single_file"))
        zf_document_single_file(document);
    if (asked && experiment->picture_bytes > 0 && zf_call_shows(call))
        zf_monitor_message(call->monitor, "the page will have about %.1f MB",
                           1e-6 * experiment->picture_bytes * (double)call->argument_count);
}

static enum zf_status open_data(const struct zf_experiment *experiment, const struct zf_call *call,
                                struct zf_data **data, struct zf_error *err)
{
    const char *name = given_text(experiment, call, "data");

    if (experiment->opens == ZF_NEEDS_DATA)
        ZF_CHECK(zf_option_needed(experiment->name, name, "--data DATA", err));
    if (experiment->opens == ZF_OPENS_NOTHING || !name)
        return ZF_OK;
    return zf_data_open_noting(name, call->monitor, data, err);
}

static enum zf_status open_all(const struct zf_experiment *experiment, struct zf_call *call,
                               int **layers, struct zf_data **data, struct zf_error *err)
{
    if (experiment->looks_at_layers)
        ZF_CHECK(zf_net_find_layers(call->net, given_text(experiment, call, "layer"), layers,
                                    &call->layer_count, err));
    return open_data(experiment, call, data, err);
}

static enum zf_status run(const struct zf_experiment *experiment, struct zf_call call,
                          struct zf_document *document, struct zf_error *err)
{
    enum zf_status status;
    void *defaults = NULL;
    struct zf_data *data = NULL;
    int *layers = NULL;

    if (!call.options) {
        defaults = zf_alloc(1, experiment->options_size);
        if (!defaults)
            return zf_no_memory(err, "the options of %s", experiment->name);
        zf_options_defaults(experiment->options, experiment->option_count, defaults);
        call.options = defaults;
    }
    ZF_TRY(
        zf_ranks_agree(call.compute.ranks, open_all(experiment, &call, &layers, &data, err), err));
    call.layers = layers;
    call.data = data;
    ZF_TRY(zf_alike_check(&(struct zf_alike){&call.compute, &call.net, call.net ? 1 : 0, call.data},
                          err));
    begin_document(experiment, &call, document);
    ZF_TRY(experiment->run(&call, document, err));
fail:
    zf_data_free(&data);
    zf_free(layers);
    zf_free(defaults);
    return status;
}

/* The page says what makes it, not how often that was stopped. NULL for want of memory, too. */
static char *without_resume(const char *command)
{
    static const char word[] = " --resume";
    const char *at = command ? strstr(command, word) : NULL;
    const char *end = at ? at + sizeof word - 1 : NULL;

    if (!end || (*end && *end != ' '))
        return command ? zf_strdup(command) : NULL;
    return zf_format("%.*s%s", (int)(at - command), command, end);
}

enum zf_status zf_experiment_run(const struct zf_experiment *experiment, const struct zf_call *call,
                                 struct zf_document **document, struct zf_error *err)
{
    struct zf_document *made = NULL;
    char *command = without_resume(call->command);
    enum zf_status status;

    if (zf_ranks_count(call->compute.ranks) > 1 && !experiment->shares)
        ZF_TRY(zf_fail(err, ZF_EUNSUPPORTED, "%s does not divide its work between ranks",
                       experiment->name));
    ZF_TRY(zf_document_create(call->directory, experiment->name, experiment->title, command, &made,
                              err));
    ZF_TRY(run(experiment, *call, made, err));
    if (zf_call_shows(call))
        ZF_TRY(zf_document_save(made, err));
    if (document) {
        *document = made;
        made = NULL;
    }
fail:
    zf_document_free(&made);
    zf_free(command);
    return status;
}
