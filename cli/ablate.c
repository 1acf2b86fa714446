/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "output.h"
#include "training.h"
#include "zf/compare.h"
#include "zf/data.h"
#include "zf/report.h"

struct ablate_options {
    const char *nets, *data, *val;
    int64_t seeds;
    bool resume, strict;
};

#define FIELD(name) offsetof(struct ablate_options, name)
static const struct zf_option ablate_table[] = {
    {"nets", "NET...", "what to compare: names of built-in nets or spec files", ZF_OPTION_TEXT,
     FIELD(nets), 0, 0, 0, NULL},
    {"data", "DATA", "pictures to train on", ZF_OPTION_TEXT, FIELD(data), 0, 0, 0, NULL},
    {"val", "DATA", "pictures to compare on; the rate follows their error", ZF_OPTION_TEXT,
     FIELD(val), 0, 0, 0, NULL},
    {"seeds", "N", "runs a net, of seeds --seed and the following", ZF_OPTION_INT, FIELD(seeds), 1,
     1, 1000, NULL},
    {"resume", "", "go on with the runs in the directory; finished ones are not done again",
     ZF_OPTION_FLAG, FIELD(resume), 0, 0, 0, NULL},
    {"strict", "", "a picture that cannot be read stops the run instead of being skipped",
     ZF_OPTION_FLAG, FIELD(strict), 0, 0, 0, NULL},
};
#undef FIELD

/* The nets of --nets, each with its own recipe under what the command line says. */
struct variants {
    struct zf_variant *items;
    char **names; /* what items[i].net points to */
    size_t count;
};

static void variants_release(struct variants *variants)
{
    for (size_t i = 0; i < variants->count; i++)
        free(variants->names[i]);
    free(variants->names);
    free(variants->items);
}

static enum zf_status read_variants(const struct call *call, const char *names, int64_t classes,
                                    struct variants *variants, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const size_t room = strlen(names) + 1;

    variants->items = calloc(room, sizeof *variants->items);
    variants->names = calloc(room, sizeof *variants->names);
    if (!variants->items || !variants->names)
        return fail(err, ZF_ENOMEM, "out of memory");
    for (;;) {
        struct zf_variant *variant = &variants->items[variants->count];

        TRY(next_item(&names, &variants->names[variants->count], err));
        if (!variants->names[variants->count])
            break;
        variant->net = variants->names[variants->count++];
        TRY(recipe_read(call, variant->net, classes, &variant->recipe, err));
    }
fail:
    return status;
}

static enum zf_status print_ablation(const struct call *call, const struct zf_ablation *ablation,
                                     struct zf_error *err)
{
    const bool several = ablation->seeds > 1;
    char *json = NULL, count[32];

    if (call->common.json) {
        enum zf_status status = zf_ablation_json(ablation, &json, err);

        if (status == ZF_OK)
            fprintf(call->out, "%s\n", json);
        zf_text_free(json);
        return status;
    }
    fprintf(call->out, "%-20s%-18s%-18s%-18s%14s\n", "net", "train top-1", "val top-1", "val top-5",
            "parameters");
    for (size_t i = 0; i < ablation->row_count; i++) {
        const struct zf_ablation_row *row = &ablation->rows[i];
        const struct zf_spread errors[] = {row->train_top1_error, row->val_top1_error,
                                           row->val_top5_error};

        fprintf(call->out, "%-20s", row->net);
        for (size_t k = 0; k < COUNT(errors); k++) {
            char deviation[24] = "";

            if (several)
                snprintf(deviation, sizeof deviation, " +- %.4f", errors[k].deviation);
            fprintf(call->out, "%.4f%-12s", errors[k].mean, deviation);
        }
        fprintf(call->out, "%14s\n", format_count(row->parameters, count, sizeof count));
    }
    return ZF_OK;
}

static enum zf_status run_ablate(struct call *call, struct zf_error *err)
{
    const struct option_table table = {ablate_table, COUNT(ablate_table)};
    enum zf_status status;
    struct ablate_options given;
    struct zf_ablate_options options = {0};
    struct variants variants = {0};
    struct zf_data *data = NULL, *val = NULL;
    struct zf_ablation *ablation = NULL;
    struct watch watch = {.progress = call->progress};
    const struct zf_train_monitor monitor = watch_monitor(&watch);

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, given.nets, "--nets NET...", err));
    TRY(need(call, given.data, "--data DATA", err));
    TRY(need(call, given.val, "--val DATA", err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(zf_data_open(given.data, &data, err));
    TRY(zf_data_open(given.val, &val, err));
    TRY(read_variants(call, given.nets, zf_data_class_count(data), &variants, err));
    options.variants = variants.items;
    options.variant_count = variants.count;
    options.seeds = given.seeds;
    options.train = train_options_of(call);
    options.train.strict = given.strict;
    options.train.resume = given.resume;
    status = zf_ablate_run(&options, data, val, call->common.out, &ablation, &monitor, err);
    if (status == ZF_ECANCELED)
        advise_resume(call, " keeps what was done", err);
    TRY(status);
    TRY(zf_ablation_report(ablation, call->common.out, call->line, err));
    TRY(print_ablation(call, ablation, err));
    progress_say(call->progress, "wrote %s/index.html and ablate.json; each run is in %s/NET-sSEED",
                 call->common.out, call->common.out);
fail:
    zf_ablation_free(&ablation);
    variants_release(&variants);
    zf_data_free(&val);
    zf_data_free(&data);
    return status;
}

const struct command ablate_command = {
    .name = "ablate",
    .arguments = "",
    .summary = "train variants of a net from scratch and compare them (table 3)",
    .details = "Every net is trained on the same pictures with the same budget and seeds, each by "
               "its own recipe where the command line does not say otherwise. Writes "
               "DIR/index.html, DIR/ablate.json and a run in DIR/NET-sSEED for each. Ctrl-C keeps "
               "what was done; --resume goes on from there.",
    .output = OUTPUT_DIRECTORY,
    .least = 0,
    .most = 0,
    .options = ablate_table,
    .option_count = COUNT(ablate_table),
    .library_options = zf_recipe_options,
    .run = run_ablate,
};
