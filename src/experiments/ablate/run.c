/* SPDX-License-Identifier: MIT */
/* Ablation as a command: what is asked. */
#include "experiments/ablate/ablate.h"

#include "base/memory.h"
#include "experiments/subjects.h"
#include "train/alike.h"

struct ablate {
    const char *nets, *data, *val;
    int64_t seeds;
    bool resume, strict;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(ablate, nets, "NET...",
                       "what to compare: names of built-in nets or spec files"),
    ZF_OPTION_ROW_TEXT(ablate, data, "DATA", "pictures to train on"),
    ZF_OPTION_ROW_TEXT(ablate, val, "DATA", "pictures to compare on; the rate follows their error"),
    ZF_OPTION_ROW_INT(ablate, seeds, "N", "runs a net, of seeds --seed and the following", 1, 1,
                      ZF_ABLATE_MOST_SEEDS),
    ZF_OPTION_ROW_FLAG(ablate, resume,
                       "go on with the runs in the directory; finished ones are not done again"),
    ZF_OPTION_ROW_FLAG(ablate, strict,
                       "a picture that cannot be read stops the run instead of being skipped"),
};

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct ablate *given = call->options;
    struct zf_ablate_options options = {
        .seeds = given->seeds, .train = zf_training_options(call, given->resume, given->strict)};
    enum zf_status status;
    struct zf_variant *variants = NULL;
    struct zf_data *data = NULL, *val = NULL;
    struct zf_ablation *ablation = NULL;
    char **nets = NULL;

    ZF_TRY(zf_option_needed("ablate", given->nets, "--nets NET...", err));
    ZF_TRY(zf_option_needed("ablate", given->data, "--data DATA", err));
    ZF_TRY(zf_option_needed("ablate", given->val, "--val DATA", err));
    ZF_TRY(zf_data_open_noting(given->data, call->monitor, &data, err));
    ZF_TRY(zf_data_open_noting(given->val, call->monitor, &val, err));
    ZF_TRY(zf_list_split(given->nets, &nets, &options.variant_count, err));
    ZF_TRY(zf_alike_check(&(struct zf_alike){&call->compute, NULL, 0, data}, err));
    ZF_TRY(zf_alike_check(&(struct zf_alike){&call->compute, NULL, 0, val}, err));
    options.variants = variants = zf_alloc(options.variant_count, sizeof *variants);
    if (!variants)
        ZF_LEAVE(zf_no_memory(err, "%zu nets", options.variant_count));
    for (size_t i = 0; i < options.variant_count; i++)
        ZF_TRY(zf_variant_read(&variants[i], call, nets[i], zf_data_class_count(data), err));
    status = zf_ablate_run(&options, data, val, call->directory, &ablation, call->trained, err);
    if (status == ZF_ECANCELED)
        zf_training_stopped(call, "what was done", err);
    ZF_TRY(status);
    if (zf_call_shows(call))
        zf_ablate_page(ablation, document);
fail:
    zf_ablation_free(&ablation);
    zf_free(variants);
    zf_free(nets);
    zf_data_free(&val);
    zf_data_free(&data);
    return status;
}

const struct zf_experiment zf_experiment_ablate = {
    .name = "ablate",
    .figure = "table 3",
    .title = "What each change of the net costs",
    .summary = "train variants of a net from scratch and compare them",
    .details = "Every net is trained on the same pictures with the same budget and seeds, each by "
               "its own recipe where the command line does not say otherwise. Writes "
               "DIR/index.html, DIR/ablate.json and a run in DIR/NET-sSEED for each. Ctrl-C keeps "
               "what was done; --resume goes on from there.",
    .takes = ZF_TAKES_NOTHING,
    .trains = true,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct ablate),
    .run = run,
};
