/* SPDX-License-Identifier: MIT */
/* The experiments: one line each. */
#include "experiments/table.h"

#include <string.h>

#include "base/memory.h"

static const struct zf_experiment *const table[] = {
    &zf_experiment_top,      &zf_experiment_evolve,   &zf_experiment_invariance,
    &zf_experiment_diagnose, &zf_experiment_occlude,  &zf_experiment_correspond,
    &zf_experiment_ablate,   &zf_experiment_transfer,
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

static enum zf_status run(const struct zf_experiment *experiment, struct zf_call call,
                          struct zf_document *document, struct zf_error *err)
{
    void *defaults = NULL;
    enum zf_status status;

    if (!call.options) {
        defaults = zf_alloc(1, experiment->options_size);
        if (!defaults)
            return zf_no_memory(err, "the options of %s", experiment->name);
        zf_options_defaults(experiment->options, experiment->option_count, defaults);
        call.options = defaults;
    }
    status = experiment->run(&call, document, err);
    zf_free(defaults);
    return status;
}

enum zf_status zf_experiment_run(const struct zf_experiment *experiment, const struct zf_call *call,
                                 struct zf_document **document, struct zf_error *err)
{
    struct zf_document *made = NULL;
    enum zf_status status;

    ZF_TRY(zf_document_create(call->directory, experiment->name, experiment->title, call->command,
                              &made, err));
    ZF_TRY(run(experiment, *call, made, err));
    ZF_TRY(zf_document_save(made, err));
    if (document) {
        *document = made;
        made = NULL;
    }
fail:
    zf_document_free(&made);
    return status;
}
