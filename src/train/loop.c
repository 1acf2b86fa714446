/* SPDX-License-Identifier: MIT */
/*
 * The course of training. What is done is a function of (seed, epoch, batch) and of the state that
 * a checkpoint holds, so a run that was stopped anywhere goes on to the same bits. Ranks
 * (zf/ranks.h) take the same course; one of them writes, and what befalls one is agreed on by all.
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
#include "train/shards.h"
#include "train/together.h"
#include "zf/model.h"

#define FILTER_TILE 32 /* px of a first-layer filter in TensorBoard */
#define PROGRESS_EVERY_S 0.25

static const int64_t default_keep[] = {1, 2, 5, 10, 20, 30, 40, 64};

static bool is_alone(const struct zf_training *t)
{
    return zf_ranks_count(t->options->compute.ranks) == 1;
}

/* Together. */
static enum zf_status stop(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(zf_ranks_agree(t->options->compute.ranks, zf_training_save(t, err), err));
    zf_ranks_all_know(t->options->compute.ranks);
    return zf_fail(err, ZF_ECANCELED,
                   "stopped at epoch %" PRId64 ", step %" PRId64 " of %" PRId64
                   "; --resume goes on from there",
                   t->at.epoch, t->at.batches, t->batches);
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

static void tell_step(struct zf_training *t, const struct zf_score *score, struct zf_wish *wish)
{
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
        wish->stop = true;
}

/* What would be a pity to lose is saved. */
static bool is_time_to_save(const struct zf_training *t)
{
    const struct zf_train_options *options = t->options;

    return zf_training_writes(t) && options->save_every_s > 0 &&
           zf_clock_s() - t->saved_s >= (double)options->save_every_s;
}

/* What one rank comes to between two steps the others hear in the next. */
static enum zf_status train_epoch(struct zf_training *t, struct zf_error *err)
{
    struct zf_wish wish = {0};
    const struct zf_shards *told = &t->shards;

    while (t->at.batches < t->batches) {
        const double begun = zf_clock_s();
        struct zf_score score = {0};

        ZF_CHECK(zf_shards_step(t, &wish, &score, err));
        zf_score_merge(&t->at.score, &score);
        t->at.batches++;
        t->at.seconds += zf_clock_s() - begun;
        tell_step(t, &score, &wish);
        if (told->stop || (is_alone(t) && wish.stop))
            return stop(t, err);
        if (is_alone(t) ? is_time_to_save(t) : told->save)
            wish.status = zf_training_save(t, err);
        wish.save = is_time_to_save(t);
        if (is_alone(t))
            ZF_CHECK(wish.status);
    }
    return zf_ranks_agree(t->options->compute.ranks, wish.status, err);
}

/* The validation pictures of this rank: whole batches, one behind the other. */
static enum zf_status list_own(const struct zf_training *t, int64_t **samples, int64_t *count,
                               struct zf_error *err)
{
    const struct zf_ranks *ranks = t->options->compute.ranks;
    const int64_t all = zf_data_count(t->val), batch = t->shards.size;
    const int64_t batches = (all + batch - 1) / batch;
    const int64_t begin = batches * zf_ranks_rank(ranks) / zf_ranks_count(ranks) * batch;
    int64_t end = batches * (zf_ranks_rank(ranks) + 1) / zf_ranks_count(ranks) * batch;

    end = end < all ? end : all;
    *count = end > begin ? end - begin : 0;
    *samples = zf_alloc((size_t)*count, sizeof **samples);
    if (!*samples)
        return zf_no_memory(err, "a list of %" PRId64 " pictures", *count);
    for (int64_t i = 0; i < *count; i++)
        (*samples)[i] = begin + i;
    return ZF_OK;
}

/* Centre crops through the training plan, without dropout: no second set of activations. */
static enum zf_status validate_own(struct zf_training *t, struct zf_score *score, bool *asked,
                                   struct zf_error *err)
{
    enum zf_status status;
    struct zf_loader_options options = {.batch = t->shards.size,
                                        .views = ZF_VIEWS_CENTRE,
                                        .strict = t->options->strict,
                                        .threads = (int)t->at.threads};
    struct zf_loader *loader = NULL;
    struct zf_batch batch;
    int64_t *samples = NULL;
    double told = zf_clock_s();
    bool done = false;

    ZF_TRY(list_own(t, &samples, &options.sample_count, err));
    options.samples = samples;
    if (options.sample_count > 0)
        ZF_TRY(zf_loader_create(t->val, t->net, &options, &loader, err));
    while (loader && !*asked) {
        struct zf_tensor probabilities = t->probabilities;

        ZF_TRY(zf_loader_next(loader, &batch, &done, err));
        if (done)
            break;
        if (batch.count == 0)
            continue;
        batch.input.n = probabilities.n = batch.count;
        zf_plan_forward(t->plan, &batch.input);
        zf_plan_read(t->plan, t->net->layer_count - 1, &probabilities);
        zf_score_add(score, &probabilities, batch.labels);
        if (zf_clock_s() - told < PROGRESS_EVERY_S)
            continue;
        told = zf_clock_s();
        *asked =
            !zf_monitor_progress(&t->monitor, "validating", score->images, options.sample_count);
    }
fail:
    zf_loader_free(&loader);
    zf_free(samples);
    return status;
}

/* Together: the score of all ranks' pictures. */
static enum zf_status validate(struct zf_training *t, struct zf_score *score, struct zf_error *err)
{
    struct part {
        struct zf_score score;
        bool asked;
    } own = {0}, *all;
    struct zf_ranks *ranks = t->options->compute.ranks;
    const int count = zf_ranks_count(ranks);
    enum zf_status status = validate_own(t, &own.score, &own.asked, err);
    bool asked = false;

    ZF_CHECK(zf_ranks_agree(ranks, status, err));
    all = zf_alloc((size_t)count, sizeof *all);
    if (!all)
        return zf_no_memory(err, "the scores of %d ranks", count);
    status = zf_ranks_gather(ranks, &own, sizeof own, all, err);
    for (int k = 0; k < count && status == ZF_OK; k++) {
        zf_score_merge(score, &all[k].score);
        asked |= all[k].asked;
    }
    zf_free(all);
    return status == ZF_OK && asked ? stop(t, err) : status;
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

/* The files of an epoch, written by one rank. */
static enum zf_status write_epoch(struct zf_training *t, const struct zf_epoch *epoch, bool best,
                                  struct zf_error *err)
{
    if (!zf_training_writes(t))
        return ZF_OK;
    if (best || !t->val || t->at.schedule.best_epoch == 0)
        ZF_CHECK(save_model(t, err));
    if (is_kept(t, epoch->epoch))
        ZF_CHECK(save_kept(t, epoch->epoch, err));
    ZF_CHECK(zf_log_append(t->log, epoch, best, err));
    ZF_CHECK(zf_events_epoch(&t->events, epoch, err));
    return log_filters(t, epoch->epoch, err);
}

/* Together: the epoch's files, with how long each rank has waited. */
static enum zf_status write_with_waits(struct zf_training *t, struct zf_epoch *epoch, bool best,
                                       struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;
    const struct zf_rank_waits now = {t->pictures_s, zf_ranks_waited_s(ranks)};
    const struct zf_rank_waits own = {now.pictures_s - t->waited.pictures_s,
                                      now.ranks_s - t->waited.ranks_s};
    struct zf_rank_waits *all = zf_alloc((size_t)zf_ranks_count(ranks), sizeof *all);
    enum zf_status status = all ? ZF_OK : zf_no_memory(err, "the waits of the ranks");

    ZF_TRY(zf_ranks_agree(ranks, status, err));
    ZF_TRY(zf_ranks_gather(ranks, &own, sizeof own, all, err));
    t->waited = now;
    epoch->ranks = zf_ranks_count(ranks);
    epoch->waits = epoch->ranks > 1 ? all : NULL;
    ZF_TRY(zf_ranks_agree(ranks, write_epoch(t, epoch, best, err), err));
fail:
    epoch->waits = NULL;
    zf_free(all);
    return status;
}

static enum zf_status check_images(const struct zf_training *t, struct zf_error *err)
{
    if (t->at.score.images > 0)
        return ZF_OK;
    zf_ranks_all_know(t->options->compute.ranks);
    return zf_fail(err, ZF_EINPUT, "none of the pictures of %s can be read", zf_data_name(t->data));
}

/* Validation, schedule, models, log, and last the checkpoint that makes it so: a run killed
   before it does the epoch's end again. */
static enum zf_status finish_epoch(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;
    struct zf_score val = {0};
    struct zf_epoch epoch;
    bool best;

    ZF_CHECK(check_images(t, err));
    if (t->val)
        ZF_CHECK(validate(t, &val, err));
    epoch = summarise(t, &val);
    best = zf_schedule_epoch(&t->at.schedule, &t->at.recipe, epoch.epoch,
                             t->val ? epoch.val_top1_error : epoch.loss);
    ZF_CHECK(write_with_waits(t, &epoch, best, err));

    t->at.epoch++;
    t->at.batches = 0;
    t->at.score = (struct zf_score){0};
    t->at.seconds = t->at.waited = 0;
    ZF_CHECK(zf_ranks_agree(ranks, zf_training_save(t, err), err));
    tell_schedule(t, &epoch);
    if (t->told.epoch)
        t->told.epoch(t->told.user, &epoch, best);
    return ZF_OK;
}

/* What stands before the first step. */
static enum zf_status write_beginning(struct zf_training *t, struct zf_error *err)
{
    if (!zf_training_writes(t) || t->at.epoch > 1 || t->at.batches > 0)
        return ZF_OK;
    ZF_CHECK(log_filters(t, 0, err));
    if (t->options->continues || t->at.recipe.epochs == 0) /* what was drawn can be drawn again */
        ZF_CHECK(save_kept(t, 0, err));
    return t->at.recipe.epochs == 0 ? save_model(t, err) : ZF_OK;
}

/* What is not the paper's is said. */
static void tell_rate(struct zf_training *t)
{
    const struct zf_recipe *recipe = &t->at.recipe;

    if (recipe->lr_batch > 0 && recipe->lr_batch != recipe->batch)
        zf_monitor_message(&t->monitor,
                           "rate %g: %g for a batch of %" PRId64 ", times %" PRId64 " / %" PRId64,
                           zf_schedule_begin(recipe).lr, recipe->lr, recipe->lr_batch,
                           recipe->batch, recipe->lr_batch);
    if (recipe->warmup > 0 && (double)(t->at.epoch - 1) < recipe->warmup)
        zf_monitor_message(&t->monitor, "the rate rises over the first %g epochs", recipe->warmup);
}

static enum zf_status train(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(zf_ranks_agree(t->options->compute.ranks, write_beginning(t, err), err));
    if (t->at.recipe.epochs == 0 && t->at.epoch == 1 && t->at.batches == 0)
        return ZF_OK;
    if (t->at.schedule.ended || t->at.epoch > t->at.recipe.epochs) {
        zf_monitor_message(&t->monitor, "%s has finished its %" PRId64 " epochs", t->run,
                           t->at.epoch - 1);
        return ZF_OK;
    }
    tell_rate(t);
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
