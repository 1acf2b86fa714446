/* SPDX-License-Identifier: MIT */
/* A new classifier on the frozen features of a layer. */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>

#include "base/memory.h"
#include "base/status.h"
#include "learn/classifier.h"

struct examples {
    struct zf_examples view;
    const float **rows;
    int32_t *labels;
    int64_t *from; /* [count]: which of the samples asked for */
};

static void examples_release(struct examples *e)
{
    zf_free(e->rows);
    zf_free(e->labels);
    zf_free(e->from);
}

/* The rows of those samples that could be read. */
static enum zf_status examples_init(struct examples *e, const struct zf_transfer_work *work,
                                    size_t layer, const int64_t *samples, int64_t count,
                                    struct zf_error *err)
{
    int64_t n = 0;

    e->rows = zf_alloc((size_t)count, sizeof *e->rows);
    e->labels = zf_alloc((size_t)count, sizeof *e->labels);
    e->from = zf_alloc((size_t)count, sizeof *e->from);
    if (!e->rows || !e->labels || !e->from)
        return zf_no_memory(err, "%" PRId64 " pictures", count);
    for (int64_t i = 0; i < count; i++) {
        const float *row = zf_features_row(work->features, layer, samples[i]);

        if (!row)
            continue;
        e->rows[n] = row;
        e->labels[n] = (int32_t)zf_data_label(work->data, samples[i]);
        e->from[n++] = i;
    }
    e->view =
        (struct zf_examples){e->rows, e->labels, n, zf_features_stride(work->features, layer)};
    return ZF_OK;
}

enum zf_status zf_transfer_classify(const struct zf_transfer_work *work,
                                    const struct zf_transfer_fit *fit, const struct zf_fold *fold,
                                    int32_t *answers, const struct zf_linear *fitted,
                                    struct zf_error *err)
{
    enum zf_status status;
    const struct zf_transfer_options *options = &work->options;
    const int64_t classes = zf_data_class_count(work->data);
    struct zf_fit_options how = {
        .classes = classes,
        .cost = options->cost,
        .memory = options->svm_memory,
        .compute = work->compute,
    };
    struct examples train = {0}, test = {0};
    int32_t *given = zf_alloc((size_t)fold->test_count, sizeof *given);

    how.compute.precision = ZF_PRECISION_F32; /* bf16 is for the nets */
    if (!given)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " pictures", fold->test_count));
    ZF_TRY(examples_init(&train, work, fit->layer, fold->train, fit->per_class * classes, err));
    ZF_TRY(examples_init(&test, work, fit->layer, fold->test, fold->test_count, err));
    if (train.view.count == 0 || test.view.count == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: no picture of a fold can be read",
                         zf_data_name(work->data)));
    ZF_TRY(zf_classifier_at((int)fit->classifier)
               ->run(&train.view, &test.view, &how, given, fitted, err));
    for (int64_t i = 0; i < fold->test_count; i++)
        answers[i] = -1;
    for (int64_t i = 0; i < test.view.count; i++)
        answers[test.from[i]] = given[i];
fail:
    zf_free(given);
    examples_release(&train);
    examples_release(&test);
    return status;
}
