/* SPDX-License-Identifier: MIT */
/*
 * The course of training. What is done is a function of (seed, epoch, batch) and of the state that
 * a checkpoint holds, so a run that was stopped anywhere goes on to the same bits.
 */
#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/pipeline.h"
#include "train/log.h"
#include "train/step.h"
#include "zf/model.h"

#define FILTER_TILE 32 /* px of a first-layer filter in TensorBoard */
#define PROGRESS_EVERY_S 0.25

static const int64_t default_keep[] = {1, 2, 5, 10, 20, 30, 40, 64};

static int last_layer(const struct zf_net *net)
{
    return net->layer_count - 1;
}

static enum zf_status stop(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(zf_training_save(t, err));
    return zf_fail(err, ZF_ECANCELED,
                   "stopped at epoch %" PRId64 ", step %" PRId64 " of %" PRId64
                   "; --resume goes on from there",
                   t->at.epoch, t->at.batches, t->batches);
}

/* Forward, loss, backward, step on one batch. */
static enum zf_status train_batch(struct zf_training *t, const struct zf_batch *batch,
                                  struct zf_score *score, struct zf_error *err)
{
    const struct zf_recipe *recipe = &t->at.recipe;
    const struct zf_step step = {.lr = t->at.schedule.lr,
                                 .momentum = recipe->momentum,
                                 .weight_decay = recipe->weight_decay,
                                 .rms_limit = recipe->rms_limit,
                                 .threads = (int)t->at.threads};
    const int64_t done = (t->at.epoch - 1) * t->batches + t->at.batches;
    struct zf_tensor input = batch->input;
    struct zf_tensor probabilities = t->probabilities;

    input.n = probabilities.n = batch->count;
    zf_plan_forward_train(t->plan, &input, (uint64_t)t->at.seed, (uint64_t)done + 1);
    zf_plan_read(t->plan, last_layer(t->net), &probabilities);
    zf_score_add(score, &probabilities, batch->labels);
    if (!isfinite(score->loss))
        return zf_training_not_finite(t, &input, err);
    zf_plan_backward(t->plan, batch->labels);
    zf_step_apply(t->net, t->gradients, t->velocity, &step);
    zf_plan_refresh(t->plan);
    return ZF_OK;
}

static void tell_skipped(struct zf_training *t)
{
    const int64_t skipped = zf_loader_skipped(t->loader);

    for (; t->skipped_told < skipped; t->skipped_told++) {
        const char *reason = zf_loader_skipped_reason(t->loader, t->skipped_told);

        if (reason)
            zf_monitor_message(&t->monitor, "left out: %s", reason);
    }
}

/* Of the epoch so far: pictures a second, and the share of the time that the loader had us wait. */
static double rate_of(const struct zf_checkpoint *at)
{
    return at->seconds > 0 ? (double)at->score.images / at->seconds : 0;
}

static double wait_of(const struct zf_checkpoint *at)
{
    return at->seconds > 0 ? at->waited / at->seconds : 0;
}

/* After each step: tell, and save what would be a pity to lose. */
static enum zf_status after_step(struct zf_training *t, const struct zf_score *score,
                                 struct zf_error *err)
{
    const struct zf_train_options *options = t->options;
    const struct zf_train_state state = {
        .epoch = t->at.epoch,
        .epochs = t->at.recipe.epochs,
        .step = t->at.batches,
        .steps = t->batches,
        .loss = zf_score_loss(score),
        .images_per_second = rate_of(&t->at),
        .wait = wait_of(&t->at),
    };

    tell_skipped(t);
    if (t->told.step && !t->told.step(t->told.user, &state))
        return stop(t, err);
    if (options->save_every_s > 0 && zf_clock_s() - t->saved_s >= (double)options->save_every_s)
        return zf_training_save(t, err);
    return ZF_OK;
}

static enum zf_status train_epoch(struct zf_training *t, struct zf_error *err)
{
    while (t->at.batches < t->batches) {
        const double begun = zf_clock_s();
        struct zf_batch batch;
        struct zf_score score = {0};
        bool done = false;

        ZF_CHECK(zf_loader_next(t->loader, &batch, &done, err));
        if (done)
            continue; /* the end of the epoch before this one */
        if (batch.count > 0)
            ZF_CHECK(train_batch(t, &batch, &score, err));
        zf_score_merge(&t->at.score, &score);
        t->at.batches++;
        t->at.seconds += zf_clock_s() - begun;
        t->at.waited += batch.waited_s;
        ZF_CHECK(after_step(t, &score, err));
    }
    return ZF_OK;
}

/* Centre crops through the training plan, without dropout: no second set of activations. */
static enum zf_status validate(struct zf_training *t, struct zf_score *score, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_loader_options options = {.batch = t->batch,
                                              .views = ZF_VIEWS_CENTRE,
                                              .strict = t->options->strict,
                                              .threads = (int)t->at.threads};
    struct zf_loader *loader = NULL;
    struct zf_batch batch;
    double told = zf_clock_s();
    bool done = false;

    ZF_TRY(zf_loader_create(t->val, t->net, &options, &loader, err));
    for (;;) {
        struct zf_tensor probabilities = t->probabilities;

        ZF_TRY(zf_loader_next(loader, &batch, &done, err));
        if (done)
            break;
        if (batch.count == 0)
            continue;
        batch.input.n = probabilities.n = batch.count;
        zf_plan_forward(t->plan, &batch.input);
        zf_plan_read(t->plan, last_layer(t->net), &probabilities);
        zf_score_add(score, &probabilities, batch.labels);
        if (zf_clock_s() - told < PROGRESS_EVERY_S)
            continue;
        told = zf_clock_s();
        if (!zf_monitor_progress(&t->monitor, "validating", score->images, zf_data_count(t->val))) {
            status = stop(t, err);
            goto fail;
        }
    }
fail:
    zf_loader_free(&loader);
    return status;
}

static enum zf_status save_model(const struct zf_training *t, struct zf_error *err)
{
    enum zf_status status;
    char *path = zf_path_join(t->run, "model.safetensors");

    if (!path)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", t->run);
    status = zf_model_save(t->net, path, err);
    zf_free(path);
    return status;
}

static enum zf_status save_kept(const struct zf_training *t, int64_t epoch, struct zf_error *err)
{
    enum zf_status status;
    char *path = zf_format("%s/epochs/%04" PRId64 ".safetensors", t->run, epoch);

    if (!path)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", t->run);
    status = zf_model_save(t->net, path, err);
    zf_free(path);
    return status;
}

static bool is_kept(const struct zf_training *t, int64_t epoch)
{
    const struct zf_train_options *options = t->options;
    const int64_t *keep = options->keep ? options->keep : default_keep;
    const size_t count = options->keep ? options->keep_count : ZF_COUNT(default_keep);

    if (t->at.schedule.ended || epoch >= t->at.recipe.epochs)
        return true;
    for (size_t i = 0; i < count; i++) {
        if (keep[i] == epoch)
            return true;
    }
    return false;
}

/* The filters of the first layer: the paper's first look at whether training goes well. */
static enum zf_status log_filters(struct zf_training *t, int64_t epoch, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_picture picture = {0};
    const struct zf_parameter_slot *slot = t->net->slots;

    if (t->net->slot_count == 0 || slot->dims.rank != 4 || slot->dims.d[1] > zf_net_input(t->net).c)
        return ZF_OK;
    ZF_TRY(zf_filters_picture(t->net, slot->layer, FILTER_TILE, &picture, err));
    ZF_TRY(zf_events_picture(&t->events, t->net->layers[slot->layer].name, epoch, &picture, err));
fail:
    zf_picture_release(&picture);
    return status;
}

static struct zf_epoch summarise(const struct zf_training *t, const struct zf_score *val)
{
    const struct zf_checkpoint *at = &t->at;

    return (struct zf_epoch){
        .epoch = at->epoch,
        .loss = zf_score_loss(&at->score),
        .train_top1_error = zf_score_top1_error(&at->score),
        .val_loss = zf_score_loss(val),
        .val_top1_error = zf_score_top1_error(val),
        .val_top5_error = zf_score_top5_error(val),
        .lr = at->schedule.lr,
        .seconds = at->seconds,
        .images_per_second = rate_of(at),
        .waited_seconds = at->waited,
        .wait = wait_of(at),
        .skipped = zf_loader_skipped(t->loader),
        .from = zf_net_from(t->net),
    };
}

static void tell_schedule(const struct zf_training *t, const struct zf_epoch *epoch)
{
    const char *what = t->val ? "validation error" : "training loss";

    if (t->at.schedule.ended)
        zf_monitor_message(&t->monitor,
                           "the %s falls no longer (lowest at epoch %" PRId64
                           "): training ends after epoch %" PRId64,
                           what, t->at.schedule.best_epoch, epoch->epoch);
    else if (t->at.schedule.lr < epoch->lr)
        zf_monitor_message(&t->monitor,
                           "the %s has not fallen for %" PRId64 " epochs: the "
                           "learning rate falls to %g",
                           what, t->at.recipe.patience, t->at.schedule.lr);
}

/* Validation, schedule, models, log, and last the checkpoint that makes it so: a run killed
   before it does the epoch's end again. */
static enum zf_status finish_epoch(struct zf_training *t, struct zf_error *err)
{
    struct zf_score val = {0};
    struct zf_epoch epoch;
    bool best;

    if (t->val)
        ZF_CHECK(validate(t, &val, err));
    epoch = summarise(t, &val);
    best = zf_schedule_epoch(&t->at.schedule, &t->at.recipe, epoch.epoch,
                             t->val ? epoch.val_top1_error : epoch.loss);
    if (best || !t->val || t->at.schedule.best_epoch == 0)
        ZF_CHECK(save_model(t, err));
    if (is_kept(t, epoch.epoch))
        ZF_CHECK(save_kept(t, epoch.epoch, err));
    ZF_CHECK(zf_log_append(t->log, &epoch, best, err));
    ZF_CHECK(zf_events_epoch(&t->events, &epoch, err));
    ZF_CHECK(log_filters(t, epoch.epoch, err));

    t->at.epoch++;
    t->at.batches = 0;
    t->at.score = (struct zf_score){0};
    t->at.seconds = t->at.waited = 0;
    ZF_CHECK(zf_training_save(t, err));
    tell_schedule(t, &epoch);
    if (t->told.epoch)
        t->told.epoch(t->told.user, &epoch, best);
    return ZF_OK;
}

static enum zf_status train(struct zf_training *t, struct zf_error *err)
{
    if (t->at.epoch == 1 && t->at.batches == 0) {
        ZF_CHECK(log_filters(t, 0, err));
        if (t->options->continues) /* what was drawn can be drawn again */
            ZF_CHECK(save_kept(t, 0, err));
        if (t->at.recipe.epochs == 0) {
            ZF_CHECK(save_kept(t, 0, err));
            return save_model(t, err);
        }
    }
    if (t->at.schedule.ended || t->at.epoch > t->at.recipe.epochs) {
        zf_monitor_message(&t->monitor, "%s has finished its %" PRId64 " epochs", t->run,
                           t->at.epoch - 1);
        return ZF_OK;
    }
    while (!t->at.schedule.ended && t->at.epoch <= t->at.recipe.epochs) {
        ZF_CHECK(train_epoch(t, err));
        ZF_CHECK(finish_epoch(t, err));
    }
    return ZF_OK;
}

enum zf_status zf_train_run(struct zf_net *net, struct zf_data *data, struct zf_data *val,
                            const char *run, const struct zf_train_options *options,
                            const struct zf_train_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_training t = {.net = net, .data = data, .val = val, .run = run, .options = options};

    if (monitor) {
        t.told = *monitor;
        t.monitor = (struct zf_monitor){
            .user = monitor->user, .progress = monitor->progress, .message = monitor->message};
    }
    ZF_TRY(zf_training_start(&t, err));
    ZF_TRY(train(&t, err));
    if (t.told.end)
        t.told.end(t.told.user, t.at.epoch - 1, t.at.schedule.best_epoch, t.at.schedule.best);
fail:
    zf_training_release(&t);
    return status;
}
