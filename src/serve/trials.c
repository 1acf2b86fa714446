/* SPDX-License-Identifier: MIT */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* mkdtemp() */
#endif

#include "serve/trials.h"

#include <errno.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define PREFIX "option."
#define POLITE 10 /* niceness, of the thread and those that it starts */

static const char before_it_began[] = "stopped before it began";

struct zf_trial {
    struct zf_job job; /* first: a job is its trial */
    struct zf_trials *trials;
    const struct zf_experiment *experiment;
    int64_t id;
    char *directory, *picture;
    void *options;
    char *texts[ZF_PARAMS]; /* that the options and settings borrow */
    size_t text_count;
    struct zf_setting settings[ZF_PARAMS];
    size_t setting_count;
    atomic_bool canceled;
    enum zf_trial_state state; /* what follows is under the lock */
    bool forgotten;            /* while it was in the queue still: not shown any more */
    char stage[64];
    int64_t done, total;
    char *said; /* the lines for a terminal */
    struct zf_error failed;
};

/* ---- One trial. ---- */

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    remove(path);
    return 0;
}

static void remove_directory(const char *path)
{
    if (path)
        nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void trial_free(struct zf_trial *trial)
{
    if (!trial)
        return;
    remove_directory(trial->directory);
    zf_free(trial->directory);
    zf_free(trial->picture);
    zf_free(trial->options);
    for (size_t i = 0; i < trial->text_count; i++)
        zf_free(trial->texts[i]);
    zf_free(trial->said);
    zf_free(trial);
}

static enum zf_status set_option(struct zf_trial *trial, const char *name, const char *value,
                                 struct zf_error *err)
{
    const struct zf_experiment *experiment = trial->experiment;
    const struct zf_option *option =
        zf_option_find(experiment->options, experiment->option_count, name);
    const bool own = option != NULL;
    char *text = zf_strdup(value);
    size_t count;

    if (!text)
        return zf_no_memory(err, "an option");
    trial->texts[trial->text_count++] = text;
    if (!option && experiment->trains) {
        const struct zf_option *recipe = zf_recipe_options(&count);

        option = zf_option_find(recipe, count, name);
    }
    if (!option)
        return zf_fail(err, ZF_EINVAL, "%s has no option '%s'", experiment->name, name);
    if (option->kind == ZF_OPTION_TEXT)
        ZF_CHECK(zf_trial_check_text(option, text, err));
    if (own)
        return zf_option_set(option, text, trial->options, err);
    trial->settings[trial->setting_count++] = (struct zf_setting){option, text};
    return ZF_OK;
}

/* What the server knows and a browser may not say: the data set; and that the page is one file. */
static enum zf_status set_given(struct zf_trial *trial, struct zf_error *err)
{
    static const char *const names[] = {"data", "val"};
    const struct zf_experiment *experiment = trial->experiment;
    const struct zf_data *data = trial->trials->options->data;
    const struct zf_option *row;

    for (size_t i = 0; data && i < ZF_COUNT(names); i++) {
        row = zf_option_find(experiment->options, experiment->option_count, names[i]);
        if (row && row->kind == ZF_OPTION_TEXT)
            ZF_CHECK(zf_option_set(row, zf_data_name(data), trial->options, err));
    }
    row = zf_option_find(experiment->options, experiment->option_count, "single_file");
    if (row && row->kind == ZF_OPTION_FLAG)
        zf_option_put(row, 1, trial->options);
    return ZF_OK;
}

static enum zf_status keep_picture(struct zf_trial *trial, const struct zf_trial_picture *picture,
                                   struct zf_error *err)
{
    if (trial->experiment->takes != ZF_TAKES_PICTURES)
        return ZF_OK;
    if (!picture)
        return zf_fail(err, ZF_EINPUT, "%s takes a picture: choose one first",
                       trial->experiment->name);
    trial->picture =
        picture->path ? zf_strdup(picture->path) : zf_path_join(trial->directory, picture->name);
    if (!trial->picture)
        return zf_no_memory(err, "a path");
    return picture->path ? ZF_OK
                         : zf_file_write(trial->picture, picture->bytes, picture->size, err);
}

static enum zf_status trial_create(struct zf_trials *trials, const struct zf_experiment *experiment,
                                   const struct zf_request *request,
                                   const struct zf_trial_picture *picture, int64_t id,
                                   struct zf_trial **out, struct zf_error *err)
{
    const size_t prefix = sizeof PREFIX - 1;
    struct zf_trial *trial = zf_alloc(1, sizeof *trial);
    enum zf_status status;

    if (!trial)
        return zf_no_memory(err, "an experiment");
    trial->trials = trials;
    trial->experiment = experiment;
    trial->id = id;
    trial->options = zf_alloc(1, experiment->options_size);
    trial->directory = zf_format("%s/%" PRId64, trials->directory, id);
    if (!trial->options || !trial->directory)
        ZF_LEAVE(zf_no_memory(err, "an experiment"));
    zf_options_defaults(experiment->options, experiment->option_count, trial->options);
    ZF_TRY(set_given(trial, err));
    for (size_t i = 0; i < request->param_count; i++) {
        const struct zf_param *param = &request->params[i];

        if (strncmp(param->name, PREFIX, prefix) == 0 && param->value[0] != '\0')
            ZF_TRY(set_option(trial, param->name + prefix, param->value, err));
    }
    ZF_TRY(zf_directory_make(trial->directory, err));
    ZF_TRY(keep_picture(trial, picture, err));
    *out = trial;
    trial = NULL;
fail:
    trial_free(trial);
    return status;
}

/* ---- It runs. ---- */

static bool goes_on(const struct zf_trial *trial)
{
    return !atomic_load(&trial->canceled) && !atomic_load(&trial->trials->ending);
}

static bool note_progress(void *user, const char *stage, int64_t done, int64_t total)
{
    struct zf_trial *trial = user;

    pthread_mutex_lock(&trial->trials->lock);
    snprintf(trial->stage, sizeof trial->stage, "%s", stage);
    trial->done = done;
    trial->total = total;
    pthread_mutex_unlock(&trial->trials->lock);
    return goes_on(trial);
}

static bool note_step(void *user, const struct zf_train_state *state)
{
    (void)state;
    return goes_on(user);
}

static enum zf_status run(struct zf_trial *trial, struct zf_document **document,
                          struct zf_error *err)
{
    const struct zf_experiment *experiment = trial->experiment;
    const struct zf_serve_options *options = trial->trials->options;
    const enum zf_takes takes = experiment->takes;
    const bool net = zf_takes_net(takes), two = takes == ZF_TAKES_TWO_MODELS;
    const char *arguments[] = {takes == ZF_TAKES_PICTURES ? trial->picture
                               : takes == ZF_TAKES_PARTS  ? options->parts
                               : takes == ZF_TAKES_RUN    ? options->run
                               : two                      ? options->model
                                                          : NULL,
                               options->other_model};
    const struct zf_monitor monitor = {.user = trial, .progress = note_progress};
    const struct zf_train_monitor trained = {
        .user = trial, .step = note_step, .progress = note_progress};

    setpriority(PRIO_PROCESS, 0, POLITE); /* on Linux: of this thread */
    return zf_experiment_run(experiment,
                             &(struct zf_call){
                                 .net = net ? options->net : NULL,
                                 .model = net ? options->model : NULL,
                                 .other = two ? options->other : NULL,
                                 .arguments = arguments,
                                 .argument_count = two            ? 2
                                                   : arguments[0] ? 1
                                                                  : 0,
                                 .options = trial->options,
                                 .compute = options->compute,
                                 .settings = trial->settings,
                                 .setting_count = trial->setting_count,
                                 .directory = trial->directory,
                                 .single_file = true, /* the page alone is sent */
                                 .monitor = &monitor,
                                 .trained = &trained,
                             },
                             document, err);
}

static void finish(struct zf_trial *trial, enum zf_status status, const struct zf_error *err,
                   const struct zf_document *document)
{
    pthread_mutex_lock(&trial->trials->lock);
    trial->state = status == ZF_OK ? ZF_TRIAL_DONE : ZF_TRIAL_FAILED;
    trial->failed = *err;
    if (status != ZF_OK && !err->message[0])
        zf_fail(&trial->failed, status, "%s", zf_status_text(status));
    if (document)
        trial->said = zf_strdup(zf_document_said(document));
    pthread_mutex_unlock(&trial->trials->lock);
}

static void run_job(void *user, struct zf_job *job)
{
    struct zf_trial *trial = (struct zf_trial *)job;
    struct zf_document *document = NULL;
    struct zf_error err = {0};
    enum zf_status status;

    (void)user;
    pthread_mutex_lock(&trial->trials->lock);
    trial->state = ZF_TRIAL_RUNS;
    pthread_mutex_unlock(&trial->trials->lock);
    status = run(trial, &document, &err);
    finish(trial, status, &err, document);
    zf_document_free(&document);
}

static bool is_wanted(void *user, struct zf_job *job)
{
    (void)user;
    return goes_on((struct zf_trial *)job);
}

static void drop_job(void *user, struct zf_job *job, enum zf_dropped why)
{
    struct zf_error err = {0};

    (void)user;
    (void)why;
    finish((struct zf_trial *)job, zf_fail(&err, ZF_ECANCELED, "%s", before_it_began), &err, NULL);
}

/* ---- All of them. ---- */

static bool pass_time(void *user)
{
    struct zf_trials *trials = user;

    setpriority(PRIO_PROCESS, 0, POLITE);
    return trials->idle(trials->user);
}

enum zf_status zf_trials_init(struct zf_trials *trials, const struct zf_serve_options *options,
                              bool (*idle)(void *user), void *user, struct zf_error *err)
{
    static const struct zf_queue_work work = {
        .run = run_job, .wanted = is_wanted, .drop = drop_job, .idle = pass_time};
    const char *below = options->temporary ? options->temporary : "/tmp";

    *trials = (struct zf_trials){.options = options, .next_id = 1, .idle = idle, .user = user};
    pthread_mutex_init(&trials->lock, NULL);
    trials->directory = zf_format("%s/zfscope-serve-XXXXXX", below);
    if (!trials->directory)
        return zf_no_memory(err, "a path");
    if (!mkdtemp(trials->directory)) {
        zf_free(trials->directory);
        trials->directory = NULL;
        return zf_fail_errno(err, ZF_EIO, errno, "cannot make a directory below %s", below);
    }
    return zf_queue_start(&trials->queue, &work, trials, err);
}

void zf_trials_stop(struct zf_trials *trials)
{
    atomic_store(&trials->ending, true);
    zf_queue_stop(&trials->queue);
}

void zf_trials_release(struct zf_trials *trials)
{
    for (size_t i = 0; i < trials->count; i++)
        trial_free(trials->items[i]);
    trials->count = 0;
    zf_queue_release(&trials->queue);
    remove_directory(trials->directory);
    zf_free(trials->directory);
    trials->directory = NULL;
}

static bool is_over(const struct zf_trial *trial)
{
    return trial->state == ZF_TRIAL_DONE || trial->state == ZF_TRIAL_FAILED;
}

/* In the queue still, which will drop it. */
static bool is_stopped(const struct zf_trial *trial)
{
    return trial->state == ZF_TRIAL_WAITS && atomic_load(&trial->canceled);
}

static void forget(struct zf_trials *trials, size_t i)
{
    trial_free(trials->items[i]);
    trials->count--;
    memmove(&trials->items[i], &trials->items[i + 1], (trials->count - i) * sizeof *trials->items);
}

/* The oldest result makes room; false where all are still to come. */
static bool make_room(struct zf_trials *trials)
{
    for (size_t i = 0; trials->count == ZF_MOST_TRIALS && i < trials->count; i++) {
        if (is_over(trials->items[i]))
            forget(trials, i);
    }
    return trials->count < ZF_MOST_TRIALS;
}

enum zf_status zf_trials_add(struct zf_trials *trials, const struct zf_experiment *experiment,
                             const struct zf_request *request,
                             const struct zf_trial_picture *picture, int64_t *id,
                             struct zf_error *err)
{
    const char *obstacle = zf_trial_obstacle(experiment, trials->options);
    struct zf_trial *trial = NULL;
    bool added;

    if (obstacle)
        return zf_fail(err, ZF_EINPUT, "%s: %s", experiment->name, obstacle);
    pthread_mutex_lock(&trials->lock);
    *id = trials->next_id++;
    pthread_mutex_unlock(&trials->lock);
    ZF_CHECK(trial_create(trials, experiment, request, picture, *id, &trial, err));
    pthread_mutex_lock(&trials->lock);
    added = make_room(trials);
    if (added)
        trials->items[trials->count++] = trial;
    pthread_mutex_unlock(&trials->lock);
    if (!added) {
        trial_free(trial);
        return zf_fail(err, ZF_ECANCELED, "%d experiments wait already", ZF_MOST_TRIALS);
    }
    if (!zf_queue_add(&trials->queue, &trial->job))
        drop_job(NULL, &trial->job, ZF_DROP_STOPPED);
    return ZF_OK;
}

/* With the lock held. */
static struct zf_trial *find(struct zf_trials *trials, int64_t id, size_t *at)
{
    for (size_t i = 0; i < trials->count; i++) {
        if (trials->items[i]->id == id) {
            *at = i;
            return trials->items[i];
        }
    }
    return NULL;
}

enum zf_status zf_trials_cancel(struct zf_trials *trials, int64_t id, struct zf_error *err)
{
    struct zf_trial *trial;
    size_t at;

    pthread_mutex_lock(&trials->lock);
    trial = find(trials, id, &at);
    if (trial && is_over(trial)) {
        forget(trials, at);
    } else if (trial) {
        trial->forgotten = is_stopped(trial);
        atomic_store(&trial->canceled, true);
    }
    pthread_mutex_unlock(&trials->lock);
    return trial ? ZF_OK : zf_fail(err, ZF_EINPUT, "there is no experiment %" PRId64, id);
}

void zf_trials_list(struct zf_trials *trials, struct zf_json *json)
{
    static const char *const states[] = {"waits", "runs", "done", "failed"};

    zf_json_array(json, "trials");
    pthread_mutex_lock(&trials->lock);
    for (size_t i = 0; i < trials->count; i++) {
        const struct zf_trial *trial = trials->items[i];
        const enum zf_trial_state state = is_stopped(trial) ? ZF_TRIAL_FAILED : trial->state;

        if (trial->forgotten)
            continue;
        zf_json_object(json, NULL);
        zf_json_int(json, "id", trial->id);
        zf_json_text(json, "experiment", trial->experiment->name);
        zf_json_text(json, "title", trial->experiment->title);
        zf_json_text(json, "state", states[state]);
        zf_json_text(json, "stage", trial->stage);
        zf_json_int(json, "done", trial->done);
        zf_json_int(json, "total", trial->total);
        zf_json_text(json, "said", trial->said);
        zf_json_text(json, "error",
                     is_stopped(trial)          ? before_it_began
                     : state == ZF_TRIAL_FAILED ? trial->failed.message
                                                : NULL);
        zf_json_end(json);
    }
    pthread_mutex_unlock(&trials->lock);
    zf_json_end(json);
}

enum zf_status zf_trials_result(struct zf_trials *trials, int64_t id, bool numbers, char **path,
                                struct zf_error *err)
{
    struct zf_trial *trial;
    char *found = NULL;
    size_t at;

    pthread_mutex_lock(&trials->lock);
    trial = find(trials, id, &at);
    if (trial && trial->state == ZF_TRIAL_DONE)
        found = numbers ? zf_format("%s/%s.json", trial->directory, trial->experiment->name)
                        : zf_path_join(trial->directory, "index.html");
    pthread_mutex_unlock(&trials->lock);
    if (!found)
        return zf_fail(err, ZF_EINPUT, "there is no result of experiment %" PRId64, id);
    *path = found;
    return ZF_OK;
}
