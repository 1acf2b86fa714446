/* SPDX-License-Identifier: MIT */
/* The same task for a net that has seen nothing else: trained from scratch on a fold's images. */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"
#include "train/loss.h"
#include "zf/plan.h"

#define BATCH 64

/* Where the answers of a pass go. */
struct answering {
    struct zf_tensor probabilities; /* of a batch */
    int last;                       /* layer of the net */
    int32_t *by_sample;             /* [pictures of the data] */
};

static enum zf_status answer_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                   struct zf_error *err)
{
    const struct answering *at = user;
    struct zf_tensor probabilities = at->probabilities;

    (void)err;
    probabilities.n = batch->count;
    zf_plan_read(plan, at->last, &probabilities);
    for (int64_t i = 0; i < batch->count; i++)
        at->by_sample[batch->samples[i]] =
            zf_most_probable(probabilities.data + i * probabilities.c, probabilities.c);
    return ZF_OK;
}

/* by_sample  [pictures of the data], -1 */
static enum zf_status answer_with_net(const struct zf_transfer_work *work, const struct zf_net *net,
                                      const struct zf_fold *fold, int32_t *by_sample,
                                      struct zf_error *err)
{
    struct answering at = {.last = zf_net_layer_count(net) - 1, .by_sample = by_sample};
    enum zf_status status;

    ZF_CHECK(zf_tensor_init(&at.probabilities, BATCH, zf_net_class_count(net), 1, 1, err));
    status =
        zf_pass_run(&(struct zf_pass){.net = net,
                                      .data = work->data,
                                      .plan = {.compute = zf_compute_batch(work->compute, BATCH),
                                               .purpose = ZF_INFER},
                                      .strict = work->options.train.strict,
                                      .samples = fold->test,
                                      .sample_count = fold->test_count,
                                      .visit = answer_batch,
                                      .user = &at},
                    NULL, NULL, err);
    zf_tensor_release(&at.probabilities);
    return status;
}

/* The training pictures of a fold, in the order of the whole data set. */
static enum zf_status training_subset(const struct zf_transfer_work *work,
                                      const struct zf_fold *fold, int64_t per_class,
                                      struct zf_data **subset, struct zf_error *err)
{
    enum zf_status status;
    const size_t count = (size_t)(per_class * zf_data_class_count(work->data));
    int64_t *samples = zf_alloc(count, sizeof *samples);

    if (!samples)
        return zf_no_memory(err, "%zu pictures", count);
    memcpy(samples, fold->train, count * sizeof *samples);
    qsort(samples, count, sizeof *samples, zf_compare_samples);
    status = zf_data_subset(work->data, samples, (int64_t)count, subset, err);
    zf_free(samples);
    return status;
}

static char *scratch_run(const struct zf_transfer_work *work, int64_t f, int64_t per_class)
{
    return zf_format("%s/scratch-n%" PRId64 "-f%" PRId64, work->directory, per_class, f + 1);
}

enum zf_status zf_transfer_scratch(const struct zf_transfer_work *work, int64_t f,
                                   int64_t per_class, int32_t *answers, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_fold *fold = &work->folds[f];
    const int64_t pictures = zf_data_count(work->data);
    char *run = scratch_run(work, f, per_class);
    const struct zf_member member = {work->options.scratch, run, work->options.train.seed,
                                     &work->options.train};
    struct zf_member_result result = {0};
    struct zf_data *subset = NULL;
    int32_t *by_sample = zf_alloc((size_t)pictures, sizeof *by_sample);

    if (!run || !by_sample)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", work->directory));
    zf_monitor_message(&work->monitor,
                       "%s from scratch, %" PRId64 " pictures a class, fold %" PRId64,
                       work->options.scratch->net, per_class, f + 1);
    ZF_TRY(training_subset(work, fold, per_class, &subset, err));
    ZF_TRY(zf_member_run(&member, subset, NULL, &result, work->told, err));
    for (int64_t i = 0; i < pictures; i++)
        by_sample[i] = -1;
    ZF_TRY(answer_with_net(work, result.net, fold, by_sample, err));
    for (int64_t i = 0; i < fold->test_count; i++)
        answers[i] = by_sample[fold->test[i]];
fail:
    zf_net_free(&result.net);
    zf_data_free(&subset);
    zf_free(by_sample);
    zf_free(run);
    return status;
}

enum zf_status zf_transfer_check_scratch(const struct zf_transfer_work *work, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_net *net = NULL;
    char *run = NULL;

    if (!work->options.scratch)
        return ZF_OK;
    ZF_TRY(
        zf_net_load_spec(work->options.scratch->net, zf_data_class_count(work->data), &net, err));
    for (int64_t f = 0; f < work->options.folds; f++) {
        for (size_t n = 0; n < work->options.per_class_count; n++) {
            struct zf_member member = {.train = &work->options.train};

            run = scratch_run(work, f, work->options.per_class[n]);
            member.run = run;
            ZF_TRY(run ? zf_member_check(&member, err)
                       : zf_fail(err, ZF_ENOMEM, "%s: out of memory", work->directory));
            zf_free(run);
            run = NULL;
        }
    }
fail:
    zf_free(run);
    zf_net_free(&net);
    return status;
}
