/* SPDX-License-Identifier: MIT */
#include "training.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/directory.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/data.h"
#include "data/pipeline.h"
#include "train/checkpoint_fields.h"
#include "train/finite.h"
#include "train/log.h"
#include "train/shards.h"
#include "train/together.h"

static enum zf_status check_recipe(const struct zf_recipe *recipe, struct zf_error *err)
{
    size_t count;
    const struct zf_option *options = zf_recipe_options(&count);

    for (size_t i = 0; i < count; i++) {
        const double value = zf_option_number(&options[i], recipe);
        const double most = zf_option_largest(&options[i]);

        if (!(value >= options[i].min && value <= most))
            return zf_fail(err, ZF_EINVAL, "%s is %g, but must be %g to %g", options[i].name, value,
                           options[i].min, most);
    }
    return ZF_OK;
}

static enum zf_status check_data(const struct zf_net *net, const struct zf_data *data,
                                 struct zf_error *err)
{
    const int64_t classes = zf_data_class_count(data);

    if (classes == 0)
        return zf_fail(err, ZF_EINPUT,
                       "%s has no labels to train on: its pictures must lie in one folder for each "
                       "class",
                       zf_data_name(data));
    if (classes != net->classes)
        return zf_fail(err, ZF_EINPUT, "%s has %" PRId64 " classes, but %s is built for %" PRId64,
                       zf_data_name(data), classes, net->name, net->classes);
    return ZF_OK;
}

static enum zf_status check_request(const struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(check_recipe(&t->options->recipe, err));
    ZF_CHECK(check_data(t->net, t->data, err));
    if (t->val && zf_data_class_count(t->val) == 0)
        return zf_fail(err, ZF_EINPUT, "%s has no labels to validate on", zf_data_name(t->val));
    if (t->options->compute.threads < 0 || t->options->compute.threads > ZF_PIPELINE_MAX_THREADS)
        return zf_fail(err, ZF_EINVAL, "%d threads, but must be 0 to %d",
                       t->options->compute.threads, ZF_PIPELINE_MAX_THREADS);
    else if (t->options->resume && zf_training_writes(t) && !zf_checkpoint_exists(t->run))
        return zf_fail(err, ZF_EINPUT, "%s holds no checkpoint to go on from", t->run);
    return ZF_OK;
}

/* From here on the directory is this run's alone. */
static enum zf_status take_directory(struct zf_training *t, struct zf_error *err)
{
    enum zf_status status;

    ZF_CHECK(zf_directory_make(t->run, err));
    status = zf_directory_lock(&t->lock, t->run, err);
    if (status == ZF_EINPUT)
        return zf_fail(err, status,
                       "another training is running in %s; wait for its end, or choose "
                       "another directory",
                       t->run);
    if (status == ZF_OK && !t->options->resume && zf_checkpoint_exists(t->run))
        status = zf_fail(err, ZF_EINVAL,
                         "%s already holds a run; go on with it by --resume, or "
                         "choose another directory",
                         t->run);
    return status;
}

/* What a killed run was writing: NAME.tmp-NUMBER. */
static bool is_temporary(const char *name)
{
    const char *mark = strstr(name, ".tmp-");

    return mark && mark[5] && strspn(mark + 5, "0123456789") == strlen(mark + 5);
}

static void remove_those(const char *directory, bool (*are_meant)(const char *name))
{
    struct zf_names names = {0};

    zf_directory_list(directory, &names,
                      NULL); /* what cannot be listed stays: it is only in the way */
    for (size_t i = 0; i < names.count; i++) {
        char *path = are_meant(names.items[i]) ? zf_path_join(directory, names.items[i]) : NULL;

        if (path)
            unlink(path);
        zf_free(path);
    }
    zf_names_release(&names);
}

static enum zf_status make_directories(struct zf_training *t, struct zf_error *err)
{
    enum zf_status status;
    char *epochs = zf_path_join(t->run, "epochs");

    t->log = zf_path_join(t->run, "log.jsonl");
    if (!epochs || !t->log)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", t->run));
    ZF_TRY(zf_directory_make(epochs, err));
    remove_those(t->run, is_temporary);
    remove_those(epochs, is_temporary);
fail:
    zf_free(epochs);
    return status;
}

/* All that the last bits of a run depend on, besides the threads. */
static enum zf_status name_engine(struct zf_training *t, struct zf_error *err)
{
    struct zf_engine_info engine;
    const char *exact = t->options->compute.exact ? " --exact" : "";

    ZF_CHECK(zf_engine_describe(zf_plan_engine(t->plan), &engine, err));
    if (engine.library)
        snprintf(t->at.engine, sizeof t->at.engine, "%s %s on %s%s", engine.name, engine.version,
                 engine.isa, exact);
    else
        snprintf(t->at.engine, sizeof t->at.engine, "%s%s", engine.name, exact);
    return ZF_OK;
}

/* Of the whole run: a checkpoint's, what is asked for, or what suits the ranks. */
static enum zf_status choose_shards(struct zf_training *t, struct zf_error *err)
{
    const struct zf_train_options *options = t->options;

    t->at.shards = options->shards;
    if (t->at.shards == 0 && options->resume)
        return zf_checkpoint_shards(t->run, &t->at.shards, &t->monitor, err);
    if (t->at.shards == 0)
        t->at.shards = options->compute.ranks ? ZF_SHARDS_BY_DEFAULT : 1;
    return ZF_OK;
}

static enum zf_status cut_batch(struct zf_training *t, struct zf_error *err)
{
    t->batch = t->options->recipe.batch;
    if (t->batch > zf_data_count(t->data))
        t->batch = zf_data_count(t->data);
    ZF_CHECK(zf_ranks_share(t->options->compute.ranks, 0, &t->at.shards, sizeof t->at.shards, err));
    return zf_shards_check(t->at.shards, t->batch, t->options->compute.ranks, err);
}

static enum zf_status make_buffers(struct zf_training *t, struct zf_error *err)
{
    const size_t floats = (size_t)zf_net_gradient_floats(t->net);

    t->gradients = zf_alloc(floats, sizeof *t->gradients);
    /* Elsewhere only what comes from rank 0 is used, and the rest takes no memory. */
    t->velocity = zf_training_writes(t) ? zf_alloc(floats, sizeof *t->velocity)
                                        : zf_alloc_raw(floats, sizeof *t->velocity);
    if (!t->gradients || !t->velocity)
        return zf_no_memory(err, "two times %zu floats", floats);
    ZF_CHECK(zf_shards_init(t, err));
    ZF_CHECK(zf_tensor_init(&t->probabilities, t->shards.size, t->net->classes, 1, 1, err));
    ZF_CHECK(zf_plan_create(
        t->net,
        &(struct zf_plan_options){.compute = zf_compute_batch(t->options->compute, t->shards.size),
                                  .purpose = ZF_TRAIN,
                                  .gradients = t->gradients},
        &t->plan, err));
    ZF_CHECK(name_engine(t, err));
    return ZF_OK;
}

/* A net that names no mean gets the paper's: per pixel, of the training data. */
static enum zf_status set_mean_image(struct zf_training *t, struct zf_error *err)
{
    enum zf_status status;
    struct zf_preparation preparation = t->net->preparation;
    const float *flat = preparation.mean;
    struct zf_tensor mean = {0};
    bool input = false;

    ZF_CHECK(zf_data_is_input(t->data, 0, t->net, &input, err));
    if (input) /* prepared already */
        return ZF_OK;
    if (!preparation.mean_image && (flat[0] != 0 || flat[1] != 0 || flat[2] != 0))
        return ZF_OK;
    ZF_TRY(zf_data_mean(t->data, preparation.resize, preparation.size, (int)t->at.threads, &mean,
                        &t->monitor, err));
    preparation.mean_image = mean.data;
    ZF_TRY(zf_net_set_preparation(t->net, &preparation, err));
fail:
    zf_tensor_release(&mean);
    return status;
}

static enum zf_status set_labels(struct zf_training *t, struct zf_error *err)
{
    enum zf_status status;
    const char **labels;

    if (zf_net_has_labels(t->net))
        return ZF_OK;
    labels = zf_alloc((size_t)t->net->classes, sizeof *labels);
    if (!labels)
        return zf_no_memory(err, "%" PRId64 " labels", t->net->classes);
    for (int64_t k = 0; k < t->net->classes; k++)
        labels[k] = zf_data_class(t->data, k);
    status = zf_net_set_labels(t->net, labels, err);
    zf_free(labels);
    return status;
}

/* Numbers the classes of the data as the net does, so that equal data have one identity. */
static enum zf_status match_data(struct zf_training *t, struct zf_checkpoint *at,
                                 struct zf_error *err)
{
    ZF_CHECK(zf_data_match(t->data, t->net, err));
    if (t->val)
        ZF_CHECK(zf_data_match(t->val, t->net, err));
    at->data = zf_data_identify(t->data);
    at->val = zf_data_identify(t->val);
    return ZF_OK;
}

static enum zf_status write_checkpoint(struct zf_training *t, struct zf_error *err)
{
    if (zf_find_not_finite(t->net, t->net->parameters) >= 0)
        return zf_training_not_finite(t, NULL, err);
    ZF_CHECK(zf_checkpoint_save(t->run, t->net, t->velocity, &t->at, err));
    t->saved_s = zf_clock_s();
    return ZF_OK;
}

static enum zf_status begin_anew(struct zf_training *t, struct zf_error *err)
{
    const struct zf_recipe *recipe = &t->at.recipe;

    ZF_CHECK(set_labels(t, err));
    ZF_CHECK(match_data(t, &t->at, err));
    if (!t->options->continues) {
        ZF_CHECK(set_mean_image(t, err));
        zf_net_init_parameters(t->net, (enum zf_init_kind)recipe->init, recipe->init_std,
                               (uint64_t)t->at.seed);
    }
    t->at.epoch = 1;
    t->at.schedule = zf_schedule_begin(recipe);
    return write_checkpoint(t, err);
}

static enum zf_status go_on(struct zf_training *t, struct zf_error *err)
{
    struct zf_checkpoint asked = t->at;
    struct zf_checkpoint was;

    ZF_CHECK(zf_checkpoint_load(t->run, t->net, t->velocity, &was, &t->monitor, err));
    ZF_CHECK(match_data(t, &asked, err));
    ZF_CHECK(zf_checkpoint_compare(&was, &asked, &t->monitor, err));
    t->at = was;
    t->at.recipe.epochs = asked.recipe.epochs;
    t->at.threads = asked.threads;
    memcpy(t->at.engine, asked.engine, sizeof t->at.engine);
    t->saved_s = zf_clock_s();
    return ZF_OK;
}

/* A checkpoint behind the last batch of an epoch leaves only its validation to do. */
static enum zf_status open_loader(struct zf_training *t, struct zf_error *err)
{
    const struct zf_recipe *recipe = &t->at.recipe;
    const struct zf_shards *shards = &t->shards;
    const bool epoch_done = t->at.batches >= zf_data_count(t->data) / t->batch;
    const struct zf_loader_options options = {
        .batch = shards->size,
        .of = shards->count > 1 ? t->batch : 0,
        .from = shards->first * shards->size,
        .share = shards->own * shards->size,
        .views = ZF_VIEWS_RANDOM,
        .min_scale = recipe->min_scale,
        .shuffle = true,
        .drop_last = true,
        .strict = t->options->strict,
        .threads = (int)t->at.threads,
        .seed = (uint64_t)t->at.seed,
        .epoch = epoch_done ? t->at.epoch + 1 : t->at.epoch,
        .first_batch = epoch_done ? 0 : t->at.batches * shards->own,
    };

    ZF_CHECK(zf_loader_create(t->data, t->net, &options, &t->loader, err));
    t->batches = zf_loader_batches(t->loader) / shards->own;
    return ZF_OK;
}

/* What rank 0 alone has to do with the run's directory. */
static enum zf_status prepare(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(check_request(t, err));
    if (!zf_training_writes(t))
        return ZF_OK;
    ZF_CHECK(take_directory(t, err));
    ZF_CHECK(make_directories(t, err));
    return choose_shards(t, err);
}

static enum zf_status open_logs(struct zf_training *t, struct zf_error *err)
{
    if (!zf_training_writes(t))
        return ZF_OK;
    ZF_CHECK(zf_log_cut(t->log, t->at.epoch - 1, err));
    if (t->at.epoch == 1 && t->at.batches == 0)
        remove_those(t->run,
                     zf_events_are_in); /* of a run that was killed before its first checkpoint */
    return zf_events_open(&t->events, t->run, t->at.epoch, err);
}

static enum zf_status begin(struct zf_training *t, struct zf_error *err)
{
    if (!zf_training_writes(t))
        return ZF_OK;
    return t->options->resume ? go_on(t, err) : begin_anew(t, err);
}

/* The data as the net that rank 0 has begun with numbers its classes. */
static enum zf_status follow(struct zf_training *t, struct zf_error *err)
{
    struct zf_checkpoint own = {0};

    if (zf_training_writes(t))
        return ZF_OK;
    ZF_CHECK(match_data(t, &own, err));
    return zf_checkpoint_compare_data(&t->at, &own, err);
}

static enum zf_status open_all(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(follow(t, err));
    zf_plan_refresh(t->plan);
    ZF_CHECK(open_loader(t, err));
    return open_logs(t, err);
}

enum zf_status zf_training_start(struct zf_training *t, struct zf_error *err)
{
    struct zf_ranks *ranks = t->options->compute.ranks;

    t->at.recipe = t->options->recipe;
    t->at.seed = t->options->seed;
    t->at.threads = t->options->compute.threads ? t->options->compute.threads : zf_core_count();
    if (t->at.threads > ZF_PIPELINE_MAX_THREADS)
        t->at.threads = ZF_PIPELINE_MAX_THREADS;
    ZF_CHECK(zf_ranks_agree(ranks, prepare(t, err), err));
    ZF_CHECK(zf_ranks_agree(ranks, cut_batch(t, err), err));
    ZF_CHECK(zf_ranks_agree(ranks, make_buffers(t, err), err));
    ZF_CHECK(zf_together_compare(t, err));
    zf_data_keep(t->data);
    if (t->val)
        zf_data_keep(t->val);
    ZF_CHECK(zf_together_share(t, begin(t, err), err));
    return zf_ranks_agree(ranks, open_all(t, err), err);
}

void zf_training_release(struct zf_training *t)
{
    zf_loader_free(&t->loader);
    zf_shards_release(t);
    zf_plan_free(&t->plan);
    zf_tensor_release(&t->probabilities);
    zf_events_close(&t->events);
    zf_free(t->gradients);
    zf_free(t->velocity);
    zf_free(t->log);
    zf_directory_unlock(&t->lock);
}

enum zf_status zf_training_save(struct zf_training *t, struct zf_error *err)
{
    ZF_CHECK(zf_sum_carry(t->shards.ranks, t->velocity, true, err));
    return zf_training_writes(t) ? write_checkpoint(t, err) : ZF_OK;
}

enum zf_status zf_training_not_finite(const struct zf_training *t, const struct zf_tensor *input,
                                      struct zf_error *err)
{
    char where[200];

    zf_describe_not_finite(t->net, t->gradients, input, where, sizeof where);
    return zf_fail(err, ZF_ENUMERIC,
                   "epoch %" PRId64 ", step %" PRId64 " of %" PRId64 ": a value "
                   "is not finite, first in %s; lower --lr (%g at the moment), keep the RMS limit "
                   "on, or begin with smaller weights",
                   t->at.epoch, t->at.batches + 1, t->batches, where, t->at.schedule.lr);
}
