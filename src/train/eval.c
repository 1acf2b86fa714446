/* SPDX-License-Identifier: MIT */
/* Top-1 and top-5 error of models and of their ensemble. Source: paper, table 2. */
#include "zf/train.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"
#include "data/pass.h"
#include "data/pipeline.h"
#include "train/alike.h"
#include "train/loss.h"
#include "zf/plan.h"

#define TEN 10
#define DEFAULT_BATCH 64
#define PROGRESS_EVERY_S 0.25
#define BLOCK_BYTES (32 << 20) /* of the answers of several models that wait for each other */

/* What one call shares over its models. */
struct evaluation {
    struct zf_data *data;
    const struct zf_eval_options *options;
    const struct zf_monitor *monitor;
    struct zf_compute compute; /* batch and threads >= 1 */
    int64_t views, classes, models;
    /* Several models go over the same block of samples one after the other, and then over the
       next, so that memory does not grow with the samples. */
    int64_t first, count; /* samples of this block */
    int64_t most;         /* of a block: whole batches */
    int64_t *samples;     /* NULL, or [most]: those of the block */
    float *ensemble;      /* NULL, or [most][classes]: sum over models */
    int32_t *answers;     /* NULL, or [most]: how many models have seen the sample */
    int64_t seen;         /* samples so far, over all models */
    double told_s;
};

/* A model at work. */
struct subject {
    struct evaluation *of;
    const struct zf_net *net;
    size_t index;                   /* of the net */
    struct zf_tensor probabilities; /* [batch, classes, 1, 1] */
    struct zf_tensor means;         /* [batch / views, classes, 1, 1] */
    int32_t *labels;                /* [batch / views] */
    struct zf_score score;
};

static enum zf_status check_net(const struct zf_net *net, struct zf_error *err)
{
    ZF_CHECK(zf_net_check_answers(net, err));
    if (zf_net_answer(net) == ZF_ANSWER_NUMBERS)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s answers with plain numbers, which cannot be held against classes; if "
                       "they are what goes into a softmax or sigmoid, say so (--answer softmax, "
                       "--answer sigmoid)",
                       zf_net_name(net));
    return zf_net_check_finite(net, err);
}

static enum zf_status check_nets(const struct zf_net *const *nets, size_t count,
                                 struct zf_error *err)
{
    const int64_t classes = zf_net_class_count(nets[0]);

    for (size_t i = 0; i < count; i++)
        ZF_CHECK(check_net(nets[i], err));
    for (size_t i = 1; i < count; i++) {
        if (zf_net_class_count(nets[i]) != classes)
            return zf_fail(err, ZF_EINPUT,
                           "model 1 (%s) has %" PRId64 " classes, but model %zu "
                           "(%s) has %" PRId64,
                           zf_net_name(nets[0]), classes, i + 1, zf_net_name(nets[i]),
                           zf_net_class_count(nets[i]));
        for (int64_t k = 0; k < classes; k++) {
            if (strcmp(zf_net_label(nets[0], k), zf_net_label(nets[i], k)) != 0)
                return zf_fail(err, ZF_EINPUT,
                               "class %" PRId64 " is %s in model 1 (%s), but %s in "
                               "model %zu (%s)",
                               k, zf_net_label(nets[0], k), zf_net_name(nets[0]),
                               zf_net_label(nets[i], k), i + 1, zf_net_name(nets[i]));
        }
    }
    return ZF_OK;
}

/* Room for the answers to one block; the first rank has those of all. */
static enum zf_status make_block(struct evaluation *e, struct zf_error *err)
{
    const int64_t samples = zf_data_count(e->data), batch = e->compute.batch / e->views;
    const int64_t each = e->classes * (int64_t)sizeof *e->ensemble + (int64_t)sizeof *e->answers +
                         (int64_t)sizeof *e->samples;
    const int64_t fitting = BLOCK_BYTES / each / batch * batch;

    e->most = fitting < batch ? batch : fitting;
    if (e->most >= samples)
        e->most = samples;
    else
        e->samples = zf_alloc((size_t)e->most, sizeof *e->samples);
    if (zf_ranks_rank(e->compute.ranks) == 0) {
        e->ensemble = zf_alloc((size_t)(e->most * e->classes), sizeof *e->ensemble);
        e->answers = zf_alloc((size_t)e->most, sizeof *e->answers);
    }
    if ((e->most < samples && !e->samples) ||
        (zf_ranks_rank(e->compute.ranks) == 0 && (!e->ensemble || !e->answers)))
        return zf_no_memory(err, "%" PRId64 " x %" PRId64 " probabilities", e->most, e->classes);
    return ZF_OK;
}

static enum zf_status evaluation_init(struct evaluation *e, const struct zf_net *const *nets,
                                      size_t count, struct zf_error *err)
{
    const struct zf_eval_options *options = e->options;
    int64_t batch;

    e->compute = options->compute;
    if (e->compute.batch < 0 || e->compute.threads < 0 ||
        e->compute.threads > ZF_PIPELINE_MAX_THREADS)
        return zf_fail(err, ZF_EINVAL,
                       "a batch of %" PRId64 " on %d threads: both must be 0 or "
                       "more, and at most %d threads",
                       e->compute.batch, e->compute.threads, ZF_PIPELINE_MAX_THREADS);
    ZF_CHECK(check_nets(nets, count, err));
    if (zf_data_class_count(e->data) == 0)
        return zf_fail(err, ZF_EINPUT, "%s has no labels to hold predictions against",
                       zf_data_name(e->data));
    ZF_CHECK(zf_data_match(e->data, nets[0], err));
    e->models = (int64_t)count;
    e->classes = zf_net_class_count(nets[0]);
    e->views = options->ten_views ? TEN : 1;
    batch = e->compute.batch ? e->compute.batch : DEFAULT_BATCH;
    if (batch > zf_data_count(e->data) * e->views)
        batch = zf_data_count(e->data) * e->views;
    e->most = zf_data_count(e->data);
    e->compute.batch = batch < e->views ? e->views : batch / e->views * e->views;
    if (e->compute.threads == 0)
        e->compute.threads = zf_core_count();
    if (e->compute.threads > ZF_PIPELINE_MAX_THREADS)
        e->compute.threads = ZF_PIPELINE_MAX_THREADS;
    return count > 1 ? make_block(e, err) : ZF_OK;
}

static void subject_release(struct subject *s)
{
    zf_tensor_release(&s->probabilities);
    zf_tensor_release(&s->means);
    zf_free(s->labels);
}

static enum zf_status subject_init(struct subject *s, struct zf_error *err)
{
    const struct evaluation *e = s->of;
    const int64_t samples = e->compute.batch / e->views;

    ZF_CHECK(zf_tensor_init(&s->probabilities, e->compute.batch, e->classes, 1, 1, err));
    ZF_CHECK(zf_tensor_init(&s->means, samples, e->classes, 1, 1, err));
    s->labels = zf_alloc((size_t)samples, sizeof *s->labels);
    return s->labels ? ZF_OK : zf_no_memory(err, "%" PRId64 " labels", samples);
}

/* The mean over a sample's views, in their order. */
static void average_views(const struct subject *s, int64_t first, int64_t views, int64_t classes,
                          float *mean)
{
    for (int64_t k = 0; k < classes; k++) {
        double sum = 0;

        for (int64_t v = 0; v < views; v++)
            sum += (double)s->probabilities.data[(first + v) * classes + k];
        mean[k] = (float)(sum / (double)views);
    }
}

static enum zf_status hand_over(const struct evaluation *e, size_t model, int64_t sample,
                                int32_t label, const float *probabilities, struct zf_error *err)
{
    if (!e->options->answer)
        return ZF_OK;
    return e->options->answer(
        e->options->user, &(struct zf_eval_answer){model, sample, label, probabilities, e->classes},
        err);
}

static enum zf_status tell(struct evaluation *e, struct zf_error *err)
{
    const int64_t total = zf_data_count(e->data) * e->models;

    if (zf_clock_s() - e->told_s < PROGRESS_EVERY_S)
        return ZF_OK;
    e->told_s = zf_clock_s();
    if (!zf_monitor_progress(e->monitor, "evaluating", e->seen, total))
        return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " pictures",
                       e->seen, total);
    return ZF_OK;
}

/* Of each picture its index, its label, and the mean over its views. */
static enum zf_status pack_batch(void *user, struct zf_plan *plan, int64_t number,
                                 const struct zf_batch *batch, struct zf_parcel *parcel,
                                 struct zf_error *err)
{
    struct subject *s = user;
    const struct evaluation *e = s->of;
    const int64_t pictures = batch->count / e->views;
    struct zf_tensor probabilities = s->probabilities;

    (void)number;
    probabilities.n = batch->count;
    ZF_CHECK(zf_plan_answer(plan, &probabilities, err));
    zf_parcel_add(parcel, &pictures, sizeof pictures);
    for (int64_t i = 0; i < pictures; i++) {
        const int64_t sample = batch->samples[i * e->views];
        float *mean = s->means.data + i * e->classes;

        average_views(s, i * e->views, e->views, e->classes, mean);
        for (int64_t k = 0; k < e->classes; k++) {
            if (!isfinite(mean[k]))
                return zf_fail(err, ZF_EINPUT,
                               "%s: what it answers to sample %" PRId64
                               " of %s is not finite (NaN or infinite)",
                               zf_net_name(s->net), sample, zf_data_name(e->data));
        }
        zf_parcel_add(parcel, &sample, sizeof sample);
        zf_parcel_add(parcel, &batch->labels[i * e->views], sizeof *batch->labels);
        zf_parcel_add(parcel, mean, (size_t)e->classes * sizeof *mean);
    }
    return ZF_OK;
}

static enum zf_status take_batch(void *user, struct zf_parcel *parcel, struct zf_error *err)
{
    struct subject *s = user;
    struct evaluation *e = s->of;
    const size_t bytes = (size_t)e->classes * sizeof(float);
    struct zf_tensor means = s->means;

    means.n = *(const int64_t *)zf_parcel_next(parcel, sizeof means.n);
    for (int64_t i = 0; i < means.n; i++) {
        const int64_t sample = *(const int64_t *)zf_parcel_next(parcel, sizeof sample);
        float *mean = means.data + i * e->classes;

        s->labels[i] = *(const int32_t *)zf_parcel_next(parcel, sizeof *s->labels);
        memcpy(mean, zf_parcel_next(parcel, bytes), bytes);
        ZF_CHECK(hand_over(e, s->index, sample, s->labels[i], mean, err));
        if (!e->ensemble)
            continue;
        e->answers[sample - e->first]++;
        for (int64_t k = 0; k < e->classes; k++)
            e->ensemble[(sample - e->first) * e->classes + k] += mean[k];
    }
    zf_score_add(&s->score, &means, s->labels);
    e->seen += means.n;
    return tell(e, err);
}

/* One model over one block. Every model leaves out the same pictures, so the first one reports
 * them. */
static enum zf_status evaluate_net(struct evaluation *e, const struct zf_net *net, size_t index,
                                   struct zf_score *score, struct zf_error *err)
{
    struct subject s = {.of = e, .net = net, .index = index};
    enum zf_status status;

    ZF_TRY(subject_init(&s, err));
    ZF_TRY(zf_pass_run(
        &(struct zf_pass){.net = net,
                          .data = e->data,
                          .plan = {.compute = e->compute, .purpose = ZF_INFER},
                          .views = e->options->ten_views ? ZF_VIEWS_TEN : ZF_VIEWS_CENTRE,
                          .strict = e->options->strict,
                          .samples = e->samples,
                          .sample_count = e->count,
                          .part = e->samples != NULL,
                          .missing = index == 0 ? "left out" : NULL,
                          .pack = pack_batch,
                          .take = take_batch,
                          .user = &s},
        NULL, e->monitor, err));
    zf_score_merge(score, &s.score);
fail:
    subject_release(&s);
    return status;
}

static struct zf_eval_result result_of(const struct zf_score *score)
{
    return (struct zf_eval_result){zf_score_top1_error(score), zf_score_top5_error(score)};
}

/* Of a block. A sample that a model has not seen does not count. */
static enum zf_status score_ensemble(const struct evaluation *e, struct zf_score *score,
                                     struct zf_error *err)
{
    for (int64_t i = 0; i < e->count; i++) {
        float *mean = e->ensemble + i * e->classes;
        const struct zf_tensor row = zf_tensor_view(mean, 1, e->classes, 1, 1);
        const int32_t label = (int32_t)zf_data_label(e->data, e->first + i);

        if (e->answers[i] != e->models)
            continue;
        for (int64_t k = 0; k < e->classes; k++)
            mean[k] /= (float)e->models;
        zf_score_add(score, &row, &label);
        ZF_CHECK(hand_over(e, (size_t)e->models, e->first + i, label, mean, err));
    }
    return ZF_OK;
}

/* scores: [net_count + 1], the last of all together */
static enum zf_status evaluate_block(struct evaluation *e, const struct zf_net *const *nets,
                                     bool together, struct zf_score *scores, struct zf_error *err)
{
    const int64_t left = zf_data_count(e->data) - e->first;

    e->count = left < e->most ? left : e->most;
    for (int64_t i = 0; e->samples && i < e->count; i++)
        e->samples[i] = e->first + i;
    if (e->ensemble) {
        memset(e->ensemble, 0, (size_t)(e->count * e->classes) * sizeof *e->ensemble);
        memset(e->answers, 0, (size_t)e->count * sizeof *e->answers);
    }
    for (int64_t i = 0; i < e->models; i++)
        ZF_CHECK(evaluate_net(e, nets[i], (size_t)i, &scores[i], err));
    return e->ensemble && together ? score_ensemble(e, &scores[e->models], err) : ZF_OK;
}

/* A walk over all samples reports it itself when none of them is good; of blocks each may be bad.
 */
static enum zf_status check_seen(struct evaluation *e, struct zf_error *err)
{
    if (!e->samples)
        return ZF_OK;
    ZF_CHECK(zf_ranks_share(e->compute.ranks, 0, &e->seen, sizeof e->seen, err));
    if (e->seen > 0)
        return ZF_OK;
    zf_ranks_all_know(e->compute.ranks);
    return zf_data_none_good(e->data, zf_data_count(e->data), NULL, err);
}

enum zf_status zf_eval_run(const struct zf_net *const *nets, size_t net_count, struct zf_data *data,
                           const struct zf_eval_options *options, struct zf_eval_result *results,
                           struct zf_eval_result *ensemble, int64_t *images,
                           const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct evaluation e = {.data = data, .options = options, .monitor = monitor};
    struct zf_score *scores = NULL;

    if (net_count == 0)
        return zf_fail(err, ZF_EINVAL, "no model to evaluate");
    if (net_count > 1)
        zf_data_keep_some(data);
    ZF_TRY(evaluation_init(&e, nets, net_count, err));
    ZF_TRY(zf_alike_check(&(struct zf_alike){&e.compute, nets, net_count, data}, err));
    scores = zf_alloc(net_count + 1, sizeof *scores);
    if (!scores)
        ZF_LEAVE(zf_no_memory(err, "the scores of %zu models", net_count));
    for (; e.first < zf_data_count(data); e.first += e.most)
        ZF_TRY(evaluate_block(&e, nets, ensemble != NULL, scores, err));
    ZF_TRY(check_seen(&e, err));
    for (size_t i = 0; i < net_count; i++)
        results[i] = result_of(&scores[i]);
    if (e.ensemble && ensemble)
        *ensemble = result_of(&scores[net_count]);
    ZF_TRY(zf_ranks_share(e.compute.ranks, 0, results, net_count * sizeof *results, err));
    if (ensemble)
        ZF_TRY(zf_ranks_share(e.compute.ranks, 0, ensemble, sizeof *ensemble, err));
    ZF_TRY(zf_ranks_share(e.compute.ranks, 0, &scores[net_count - 1].images, sizeof scores->images,
                          err));
    if (images)
        *images = scores[net_count - 1].images;
fail:
    zf_free(scores);
    zf_free(e.samples);
    zf_free(e.ensemble);
    zf_free(e.answers);
    return status;
}
