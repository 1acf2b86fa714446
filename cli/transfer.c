/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "nets.h"
#include "output.h"
#include "preparation.h"
#include "training.h"
#include "zf/compare.h"
#include "zf/data.h"
#include "zf/report.h"

struct transfer_options {
    const char *data, *per_class, *layer, *classifier, *scratch, *overlap;
    int64_t folds, test_per_class;
    double cost, same;
    bool resume, strict;
};

#define FIELD(name) offsetof(struct transfer_options, name)
static const struct zf_option transfer_table[] = {
    {"data", "DATA", "labelled pictures of the new task", ZF_OPTION_TEXT, FIELD(data), 0, 0, 0,
     NULL},
    {"per_class", "N,N,...", "training pictures a class; 15,30 unless named", ZF_OPTION_TEXT,
     FIELD(per_class), 0, 0, 0, NULL},
    {"folds", "N", "random splits into training and test pictures", ZF_OPTION_INT, FIELD(folds), 5,
     1, 1000, NULL},
    {"layer", "L...", "whose features; what each layer hands to the next unless named",
     ZF_OPTION_TEXT, FIELD(layer), 0, 0, 0, NULL},
    {"classifier", "C...", "softmax or svm, or both; softmax unless named", ZF_OPTION_TEXT,
     FIELD(classifier), 0, 0, 0, NULL},
    {"cost", "C", "weight of a picture's loss beside the size of the classifier's weights",
     ZF_OPTION_REAL, FIELD(cost), 10, 1e-6, 1e6, NULL},
    {"test_per_class", "N", "test pictures a class, at most", ZF_OPTION_INT, FIELD(test_per_class),
     50, 1, 1000000, NULL},
    {"scratch", "NET", "also train this net from scratch on each fold's pictures", ZF_OPTION_TEXT,
     FIELD(scratch), 0, 0, 0, NULL},
    {"overlap", "DATA", "what the model was trained on: pictures that are in both are told",
     ZF_OPTION_TEXT, FIELD(overlap), 0, 0, 0, NULL},
    {"same", "X", "correlation from which two pictures are the same", ZF_OPTION_REAL, FIELD(same),
     0.95, 0.5, 1, NULL},
    {"resume", "", "go on with the runs of --scratch; finished ones are not done again",
     ZF_OPTION_FLAG, FIELD(resume), 0, 0, 0, NULL},
    {"strict", "", "a picture that cannot be read is an error instead of being skipped",
     ZF_OPTION_FLAG, FIELD(strict), 0, 0, 0, NULL},
};
#undef FIELD

static enum zf_status find_classifier(const char *name, enum zf_classifier *out,
                                      struct zf_error *err)
{
    for (int i = 0; zf_classifier_name(i); i++) {
        if (strcmp(name, zf_classifier_name(i)) == 0) {
            *out = (enum zf_classifier)i;
            return ZF_OK;
        }
    }
    return fail(err, ZF_EINVAL, "classifier takes softmax or svm, not '%s'", name);
}

/* *classifiers is the caller's to free. */
static enum zf_status read_classifiers(const char *names, enum zf_classifier **classifiers,
                                       size_t *count, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    enum zf_classifier *found = calloc(strlen(names) + 1, sizeof *found);
    char *name = NULL;
    size_t n = 0;

    if (!found)
        return fail(err, ZF_ENOMEM, "out of memory");
    for (;;) {
        TRY(next_item(&names, &name, err));
        if (!name)
            break;
        TRY(find_classifier(name, &found[n++], err));
        free(name);
        name = NULL;
    }
    *classifiers = found;
    *count = n;
    found = NULL;
fail:
    free(name);
    free(found);
    return status;
}

static enum zf_status print_transfer(const struct call *call, const struct zf_transfer *transfer,
                                     struct zf_error *err)
{
    char *json = NULL;

    if (call->common.json) {
        enum zf_status status = zf_transfer_json(transfer, &json, err);

        if (status == ZF_OK)
            fprintf(call->out, "%s\n", json);
        zf_text_free(json);
        return status;
    }
    fprintf(call->out, "%-12s%-12s%10s    %s\n", "layer", "classifier", "per class", "accuracy");
    for (size_t i = 0; i < transfer->row_count; i++) {
        const struct zf_transfer_row *row = &transfer->rows[i];
        char accuracy[48] = "-";

        if (transfer->folds > 1 && !isnan(row->accuracy.mean))
            snprintf(accuracy, sizeof accuracy, "%.4f +- %.4f", row->accuracy.mean,
                     row->accuracy.deviation);
        else if (!isnan(row->accuracy.mean))
            snprintf(accuracy, sizeof accuracy, "%.4f", row->accuracy.mean);
        fprintf(call->out, "%-12s%-12s%10lld    %s\n",
                row->layer < 0 ? "all" : transfer->layers[row->layer],
                row->layer < 0 ? "scratch" : zf_classifier_name((int)row->classifier),
                (long long)row->per_class, accuracy);
    }
    fprintf(call->out, "%lld pictures in %lld classes; guessing reaches %.4f\n",
            (long long)transfer->images, (long long)transfer->classes, transfer->chance);
    if (transfer->compared)
        fprintf(call->out, "%zu picture%s nearly the same as one of the %lld seen in training\n",
                transfer->twin_count, transfer->twin_count == 1 ? " is" : "s are",
                (long long)transfer->seen_images);
    return ZF_OK;
}

static void fill_options(const struct call *call, const struct transfer_options *given,
                         struct zf_transfer_options *options)
{
    options->folds = given->folds;
    options->test_per_class = given->test_per_class;
    options->cost = given->cost;
    options->same = given->same;
    options->train = train_options_of(call);
    options->train.resume = given->resume;
    options->train.strict = given->strict;
}

static enum zf_status run_transfer(struct call *call, struct zf_error *err)
{
    const struct option_table table = {transfer_table, COUNT(transfer_table)};
    enum zf_status status;
    struct transfer_options given;
    struct zf_transfer_options options = {0};
    struct zf_variant scratch = {0};
    struct zf_net *net = NULL;
    struct zf_data *data = NULL, *seen = NULL;
    struct zf_transfer *transfer = NULL;
    int *layers = NULL;
    int64_t *per_class = NULL;
    enum zf_classifier *classifiers = NULL;
    struct watch watch = {.progress = call->progress};
    const struct zf_train_monitor monitor = watch_monitor(&watch);

    TRY(args_read(call->args, table, &given, err));
    TRY(need(call, given.data, "--data DATA", err));
    TRY(need(call, call->common.out, "-o DIR", err));
    TRY(parse_numbers(given.per_class ? given.per_class : "15,30", "per-class", &per_class,
                      &options.per_class_count, err));
    TRY(read_classifiers(given.classifier ? given.classifier : "softmax", &classifiers,
                         &options.classifier_count, err));
    TRY(model_open(call, call->args->words[0], &net, err));
    TRY(net_layers(net, given.layer, &layers, &options.layer_count, err));
    TRY(zf_data_open(given.data, &data, err));
    if (given.overlap)
        TRY(zf_data_open(given.overlap, &seen, err));
    if (given.scratch) {
        scratch.net = given.scratch;
        TRY(recipe_read(call, given.scratch, zf_data_class_count(data), &scratch.recipe, err));
    }
    options.layers = layers;
    options.per_class = per_class;
    options.classifiers = classifiers;
    options.scratch = given.scratch ? &scratch : NULL;
    options.seen = seen;
    fill_options(call, &given, &options);
    status = zf_transfer_run(net, data, &options, call->common.out, &transfer, &monitor, err);
    if (status == ZF_ECANCELED && given.scratch)
        advise_resume(call, " keeps the runs from scratch", err);
    TRY(status);
    TRY(zf_transfer_report(transfer, call->common.out, call->line, err));
    TRY(print_transfer(call, transfer, err));
    progress_say(call->progress, "wrote %s/index.html and transfer.json", call->common.out);
fail:
    zf_transfer_free(&transfer);
    zf_data_free(&seen);
    zf_data_free(&data);
    zf_net_free(&net);
    free(layers);
    free(per_class);
    free(classifiers);
    return status;
}

const struct command transfer_command = {
    .name = "transfer",
    .arguments = "MODEL",
    .summary = "how well a model's frozen features serve another task (tables 4, 5 and 7)",
    .details =
        "Every picture runs through the model once; a new linear classifier is fitted on each "
        "layer's features, fold by fold, and tested on pictures that the fold has not seen. The "
        "accuracy is the mean of the classes' accuracies. Options of training are for --scratch. "
        "Writes DIR/index.html and DIR/transfer.json.",
    .output = OUTPUT_DIRECTORY,
    .prepares = true,
    .imports = true,
    .least = 1,
    .most = 1,
    .options = transfer_table,
    .option_count = COUNT(transfer_table),
    .library_options = zf_recipe_options,
    .run = run_transfer,
};
