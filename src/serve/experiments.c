/* SPDX-License-Identifier: MIT */
/* Routes of the experiments' page: forms are made of the option tables. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "serve/server.h"

#define MOST_RESULT ((size_t)256 << 20)

static void add_option(struct zf_json *json, const struct zf_option *option)
{
    static const char *const kinds[] = {
        [ZF_OPTION_INT] = "int",       [ZF_OPTION_REAL] = "real", [ZF_OPTION_FLAG] = "flag",
        [ZF_OPTION_CHOICE] = "choice", [ZF_OPTION_TEXT] = "text", [ZF_OPTION_EXTENTS] = "text"};

    if (!zf_trial_may_set(option))
        return;
    zf_json_object(json, NULL);
    zf_json_text(json, "name", option->name);
    zf_json_text(json, "unit", option->unit);
    zf_json_text(json, "help", option->help);
    zf_json_text(json, "kind", kinds[option->kind]);
    zf_json_real(json, "initial", option->initial);
    zf_json_real(json, "min", option->min);
    zf_json_real(json, "max", option->max);
    if (option->kind == ZF_OPTION_CHOICE) {
        zf_json_array(json, "choices");
        for (size_t i = 0; option->choices[i]; i++)
            zf_json_text(json, NULL, option->choices[i]);
        zf_json_end(json);
    }
    zf_json_end(json);
}

static void add_experiment(struct zf_json *json, const struct zf_experiment *experiment,
                           const struct zf_serve_options *options)
{
    size_t count = 0;
    const struct zf_option *recipe = experiment->trains ? zf_recipe_options(&count) : NULL;

    zf_json_object(json, NULL);
    zf_json_text(json, "name", experiment->name);
    zf_json_text(json, "figure", experiment->figure);
    zf_json_text(json, "title", experiment->title);
    zf_json_text(json, "summary", experiment->summary);
    zf_json_text(json, "details", experiment->details);
    zf_json_flag(json, "takes_picture", experiment->takes == ZF_TAKES_PICTURES);
    zf_json_text(json, "obstacle", zf_trial_obstacle(experiment, options));
    zf_json_array(json, "options");
    for (size_t i = 0; i < experiment->option_count; i++)
        add_option(json, &experiment->options[i]);
    for (size_t i = 0; i < count; i++)
        add_option(json, &recipe[i]);
    zf_json_end(json);
    zf_json_end(json);
}

enum zf_status zf_answer_experiments(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_json json = zf_reply_object();

    zf_json_array(&json, "experiments");
    for (size_t i = 0; zf_experiment_at(i); i++)
        add_experiment(&json, zf_experiment_at(i), asked->server->options);
    zf_json_end(&json);
    return zf_reply_json(&asked->reply, &json, err);
}

enum zf_status zf_answer_trials(struct zf_asked *asked, struct zf_error *err)
{
    struct zf_json json = zf_reply_object();

    zf_trials_list(&asked->server->trials, &json);
    return zf_reply_json(&asked->reply, &json, err);
}

/* An upload is a file's bytes; a sample of the data set has a path, or else is written as PNG. */
static enum zf_status find_picture(struct zf_asked *asked, struct zf_trial_picture *picture,
                                   uint8_t **owned, struct zf_error *err)
{
    struct zf_sight *sight;

    ZF_CHECK(zf_sights_find(&asked->server->sights, &asked->request, &sight, err));
    *picture =
        (struct zf_trial_picture){.bytes = sight->bytes, .size = sight->size, .name = sight->name};
    if (sight->sample < 0)
        return ZF_OK;
    picture->path = zf_data_path(asked->server->data, sight->sample);
    if (access(picture->path, R_OK) == 0)
        return ZF_OK;
    picture->path = NULL;
    picture->name = "picture.png";
    ZF_CHECK(zf_picture_encode(sight->square.pixels ? &sight->square : &sight->shown, 0, owned,
                               &picture->size, err));
    picture->bytes = *owned;
    return ZF_OK;
}

enum zf_status zf_answer_try(struct zf_asked *asked, struct zf_error *err)
{
    const char *name = zf_request_text(&asked->request, "experiment");
    const struct zf_experiment *experiment = name ? zf_experiment_find(name) : NULL;
    struct zf_trial_picture picture;
    struct zf_json json;
    uint8_t *owned = NULL;
    enum zf_status status;
    int64_t id;

    if (!experiment)
        return zf_fail(err, ZF_EINVAL, "there is no experiment '%s'", name ? name : "");
    if (experiment->takes == ZF_TAKES_PICTURES)
        ZF_TRY(find_picture(asked, &picture, &owned, err));
    ZF_TRY(zf_trials_add(&asked->server->trials, experiment, &asked->request,
                         experiment->takes == ZF_TAKES_PICTURES ? &picture : NULL, &id, err));
    json = zf_reply_object();
    zf_json_int(&json, "id", id);
    status = zf_reply_json(&asked->reply, &json, err);
fail:
    zf_bytes_free(owned);
    return status;
}

static enum zf_status asked_id(const struct zf_asked *asked, int64_t *id, struct zf_error *err)
{
    *id = -1;
    return zf_request_int(&asked->request, "id", 0, INT64_MAX / 2, id, err);
}

enum zf_status zf_answer_cancel(struct zf_asked *asked, struct zf_error *err)
{
    int64_t id;

    ZF_CHECK(asked_id(asked, &id, err));
    ZF_CHECK(zf_trials_cancel(&asked->server->trials, id, err));
    return zf_answer_trials(asked, err);
}

static enum zf_status send_file(struct zf_asked *asked, const char *path, const char *type,
                                struct zf_error *err)
{
    struct zf_bytes file = {0};
    enum zf_status status;
    uint8_t *bytes;

    ZF_TRY(zf_bytes_map(&file, path, MOST_RESULT, err));
    bytes = zf_alloc_raw(file.size, 1);
    if (!bytes)
        ZF_LEAVE(zf_no_memory(err, "a result of %zu bytes", file.size));
    memcpy(bytes, file.data, file.size);
    zf_reply_bytes(&asked->reply, type, bytes, file.size);
fail:
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_answer_result(struct zf_asked *asked, struct zf_error *err)
{
    static const char *const forms[] = {"html", "json", NULL};
    enum zf_status status;
    char *path = NULL;
    int64_t id;
    int form = 0;

    ZF_CHECK(asked_id(asked, &id, err));
    ZF_CHECK(zf_request_choice(&asked->request, "form", forms, &form, err));
    ZF_CHECK(zf_trials_result(&asked->server->trials, id, form == 1, &path, err));
    ZF_TRY(send_file(asked, path,
                     form == 1 ? "application/json; charset=utf-8" : "text/html; charset=utf-8",
                     err));
    asked->reply.document = form == 0;
fail:
    zf_free(path);
    return status;
}

/* All results on one page. */
enum zf_status zf_answer_report(struct zf_asked *asked, struct zf_error *err)
{
    const char *directory = asked->server->trials.directory;
    char *path = zf_path_join(directory, "report.html");
    enum zf_status status;

    if (!path)
        return zf_no_memory(err, "a path");
    ZF_TRY(zf_report_write(directory, path, &(struct zf_report_options){.single_file = true}, err));
    ZF_TRY(send_file(asked, path, "text/html; charset=utf-8", err));
    asked->reply.document = true;
fail:
    zf_free(path);
    return status;
}
