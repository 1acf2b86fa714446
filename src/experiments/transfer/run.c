/* SPDX-License-Identifier: MIT */
/* Transfer as a command: what is asked. */
#include "experiments/transfer/transfer.h"

#include "base/memory.h"

struct transfer {
    const char *data, *per_class, *layer, *classifier, *scratch, *overlap, *save;
    int64_t folds, test_per_class;
    double cost, same;
    bool resume, strict;
};

static const struct zf_option rows[] = {
    ZF_OPTION_ROW_TEXT(transfer, data, "DATA", "labelled pictures of the new task"),
    ZF_OPTION_ROW_TEXT(transfer, per_class, "N,N,...",
                       "training pictures a class; 15,30 unless named"),
    ZF_OPTION_ROW_INT(transfer, folds, "N", "random splits into training and test pictures", 5, 1,
                      1000),
    ZF_OPTION_ROW_TEXT(transfer, layer, "L...",
                       "whose features; unless named, what each layer hands to the next, of a "
                       "deep net what its stages end in"),
    ZF_OPTION_ROW_TEXT(transfer, classifier, "C...",
                       "softmax or svm, or both; softmax unless named"),
    ZF_OPTION_ROW_REAL(transfer, cost, "C",
                       "weight of a picture's loss beside the size of the classifier's weights", 10,
                       1e-6, 1e6),
    ZF_OPTION_ROW_INT(transfer, test_per_class, "N", "test pictures a class, at most", 50, 1,
                      1000000),
    ZF_OPTION_ROW_TEXT(transfer, scratch, "NET",
                       "also train this net from scratch on each fold's pictures"),
    ZF_OPTION_ROW_TEXT(transfer, overlap, "DATA",
                       "what the model was trained on: pictures that are in both are reported"),
    ZF_OPTION_ROW_TEXT(transfer, save, "MODEL",
                       "keep the best features and their classifier as a model of its own, "
                       ".safetensors or .onnx"),
    ZF_OPTION_ROW_REAL(transfer, same, "X", "correlation from which two pictures are the same",
                       0.95, 0.5, 1),
    ZF_OPTION_ROW_FLAG(transfer, resume,
                       "go on with the runs of --scratch; finished ones are not done again"),
    ZF_OPTION_ROW_FLAG(transfer, strict,
                       "a picture that cannot be read is an error instead of being skipped"),
};

/* *classifiers is handed over; free with zf_free(). */
static enum zf_status read_classifiers(const char *names, enum zf_classifier **classifiers,
                                       size_t *count, struct zf_error *err)
{
    enum zf_status status;
    char **items = NULL;
    enum zf_classifier *found = NULL;

    ZF_TRY(zf_list_split(names, &items, count, err));
    found = zf_alloc(*count, sizeof *found);
    if (!found)
        ZF_LEAVE(zf_no_memory(err, "%zu classifiers", *count));
    for (size_t i = 0; i < *count; i++)
        ZF_TRY(zf_classifier_find(items[i], &found[i], err));
    *classifiers = found;
    found = NULL;
fail:
    zf_free(found);
    zf_free(items);
    return status;
}

static enum zf_status run(const struct zf_call *call, struct zf_document *document,
                          struct zf_error *err)
{
    const struct transfer *given = call->options;
    struct zf_transfer_options options = {
        .layers = call->layers,
        .layer_count = call->layer_count,
        .folds = given->folds,
        .test_per_class = given->test_per_class,
        .cost = given->cost,
        .same = given->same,
        .save = given->save,
        .train = zf_training_options(call, given->resume, given->strict),
    };
    enum zf_status status;
    struct zf_variant scratch = {0};
    struct zf_data *seen = NULL;
    struct zf_transfer *transfer = NULL;
    int64_t *per_class = NULL;
    enum zf_classifier *classifiers = NULL;

    ZF_TRY(zf_list_numbers(given->per_class ? given->per_class : "15,30", "per-class", &per_class,
                           &options.per_class_count, err));
    ZF_TRY(read_classifiers(given->classifier ? given->classifier : "softmax", &classifiers,
                            &options.classifier_count, err));
    if (given->overlap)
        ZF_TRY(zf_data_open_noting(given->overlap, call->monitor, &seen, err));
    if (given->scratch)
        ZF_TRY(
            zf_variant_read(&scratch, call, given->scratch, zf_data_class_count(call->data), err));
    options.per_class = per_class;
    options.classifiers = classifiers;
    options.scratch = given->scratch ? &scratch : NULL;
    options.seen = seen;
    status = zf_transfer_run(call->net, call->data, &options, call->directory, &transfer,
                             call->trained, err);
    if (status == ZF_ECANCELED && given->scratch)
        zf_training_stopped(call, "the runs from scratch", err);
    ZF_TRY(status);
    if (zf_call_shows(call))
        zf_transfer_page(transfer, document);
fail:
    zf_transfer_free(&transfer);
    zf_data_free(&seen);
    zf_free(per_class);
    zf_free(classifiers);
    return status;
}

const struct zf_experiment zf_experiment_transfer = {
    .name = "transfer",
    .figure = "tables 4, 5 and 7",
    .title = "What the features are worth elsewhere",
    .summary = "how well a model's frozen features serve another task",
    .details =
        "Every picture runs through the model once; a new linear classifier is fitted on each "
        "layer's features, fold by fold, and tested on pictures that the fold has not seen. The "
        "accuracy is the mean of the classes' accuracies. Options of training are for --scratch. "
        "Writes DIR/index.html and DIR/transfer.json; with --save also the model of the best row, "
        "with the first fold's classifier, and DIR/held-out.tsv, the pictures that fold was tested "
        "on: eval MODEL --data DIR/held-out.tsv says the same.",
    .takes = ZF_TAKES_MODEL,
    .opens = ZF_NEEDS_DATA,
    .looks_at_layers = true,
    .trains = true,
    .shares = true,
    .options = rows,
    .option_count = ZF_COUNT(rows),
    .options_size = sizeof(struct transfer),
    .run = run,
};
