/* SPDX-License-Identifier: MIT */
/* The command that looks for damage: in a data set, a model, or the directory of a training or a
   result. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "nets.h"
#include "output.h"
#include "zf/data.h"
#include "zf/experiment.h"
#include "zf/train.h"

/* ---- Data ---- */

/* Where findings are listed: JSON, or lines of text. */
struct findings {
    FILE *out;
    cJSON *bad, *odd; /* NULL = text */
};

static void add_finding(void *user, int64_t i, const char *path, const char *reason, bool used)
{
    const struct findings *list = user;
    const size_t length = strlen(path);
    cJSON *item;

    (void)i;
    /* Reasons name the file they are about; once is enough. */
    if (strncmp(reason, path, length) == 0 && strncmp(reason + length, ": ", 2) == 0)
        reason += length + 2;
    if (!list->bad) {
        fprintf(list->out, "%s: %s%s\n", path, used ? "odd, but used: " : "", reason);
        return;
    }
    item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "path", path);
    cJSON_AddStringToObject(item, "reason", reason);
    cJSON_AddItemToArray(used ? list->odd : list->bad, item);
}

static enum zf_status check_data(struct call *call, const char *name, struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *data = NULL;
    struct findings list = {.out = call->out};
    struct zf_data_found found = {0};
    cJSON *json = NULL, *notes;
    int64_t count;

    ZF_TRY(zf_data_open_noting(name, call->monitor, &data, err));
    count = zf_data_count(data);
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "data", name);
        cJSON_AddNumberToObject(json, "images", (double)count);
        cJSON_AddNumberToObject(json, "classes", (double)zf_data_class_count(data));
        notes = cJSON_AddArrayToObject(json, "notes");
        for (int64_t k = 0; k < zf_data_note_count(data); k++)
            cJSON_AddItemToArray(notes, cJSON_CreateString(zf_data_note(data, k)));
        list.bad = cJSON_AddArrayToObject(json, "bad");
        list.odd = cJSON_AddArrayToObject(json, "odd");
    }
    ZF_TRY(zf_data_check(data, (int)call->common.threads, add_finding, &list, &found, call->monitor,
                         err));
    if (json) {
        status = output_json(call->out, json, err);
        json = NULL;
        ZF_TRY(status);
    } else if (found.bad == 0) {
        fprintf(call->out, "%s: %" PRId64 " pictures", name, count);
        if (zf_data_class_count(data) > 0)
            fprintf(call->out, " in %" PRId64 " classes", zf_data_class_count(data));
        fprintf(call->out, ", all good");
        if (found.odd > 0)
            fprintf(call->out, ", %" PRId64 " of them odd", found.odd);
        fprintf(call->out, "\n");
    }
    if (found.bad > 0) {
        call->result_stands = true;
        status = zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " of %" PRId64 " pictures cannot be used",
                         name, found.bad, count);
    }
fail:
    cJSON_Delete(json);
    zf_data_free(&data);
    return status;
}

/* ---- Models ---- */

static bool is_model(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot && (strcasecmp(dot, ".safetensors") == 0 || strcasecmp(dot, ".onnx") == 0);
}

static enum zf_status check_model(struct call *call, const char *name, struct zf_error *err)
{
    enum zf_status status;
    struct zf_net *net = NULL;
    cJSON *json;

    ZF_TRY(net_open(name, &net, NULL, err));
    ZF_TRY(zf_net_check_finite(net, err));
    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "model", name);
        cJSON_AddNumberToObject(json, "parameters", (double)zf_net_parameter_count(net));
        ZF_TRY(output_json(call->out, json, err));
    } else {
        fprintf(call->out, "%s: %" PRId64 " parameters in %d layers, all good\n", name,
                zf_net_parameter_count(net), zf_net_layer_count(net));
    }
fail:
    zf_net_free(&net);
    return status;
}

/* ---- Runs and results ---- */

/* A file of the directory: a line, or an item of `bad` (what is wrong) or `odd` (what it holds). */
static void add_file(void *user, const char *file, const char *what, bool good)
{
    const struct findings *list = user;
    cJSON *item;

    if (!list->bad) {
        fprintf(list->out, "%s: %s%s\n", file, good ? "" : "damaged: ", what);
        return;
    }
    item = cJSON_CreateObject();
    cJSON_AddStringToObject(item, "file", file);
    cJSON_AddStringToObject(item, good ? "holds" : "reason", what);
    cJSON_AddItemToArray(good ? list->odd : list->bad, item);
}

static enum zf_status check_run(struct call *call, const char *name, struct zf_error *err)
{
    struct findings list = {.out = call->out};
    struct zf_run_found found;
    cJSON *json = NULL;
    enum zf_status status;

    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "run", name);
        list.bad = cJSON_AddArrayToObject(json, "bad");
        list.odd = cJSON_AddArrayToObject(json, "good");
    }
    ZF_TRY(zf_run_check(name, add_file, &list, &found, err));
    if (json) {
        if (found.checkpoint) {
            cJSON_AddStringToObject(json, "resumes_from", found.checkpoint);
            cJSON_AddNumberToObject(json, "epochs", (double)found.epochs);
        }
        status = output_json(call->out, json, err);
        json = NULL;
        ZF_TRY(status);
    }
    if (found.checkpoint && !call->common.json)
        fprintf(call->out, "train --resume goes on from %s, after %" PRId64 " epochs\n",
                found.checkpoint, found.epochs);
    if (found.bad > 0) {
        call->result_stands = true;
        status = zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " of %" PRId64 " files are damaged%s", name,
                         found.bad, found.files,
                         found.checkpoint ? "" : ", among them every checkpoint");
    }
fail:
    cJSON_Delete(json);
    return status;
}

/* What is left of a damaged result, and how it is made again. */
static void say_what_is_left(FILE *out, const char *name, const struct zf_result_found *found)
{
    if (found->numbers)
        fprintf(out, "the numbers are whole\n");
    if (found->page)
        fprintf(out, "the page is whole, with all that it shows\n");
    else if (found->reports)
        fprintf(out, "zfscope report %s makes a page of what is whole\n", name);
    if (found->command)
        fprintf(out, "it was made by: %s\n", found->command);
}

static enum zf_status check_result(struct call *call, const char *name, struct zf_error *err)
{
    struct findings list = {.out = call->out};
    struct zf_result_found found = {0};
    cJSON *json = NULL;
    enum zf_status status;

    if (call->common.json) {
        json = cJSON_CreateObject();
        cJSON_AddStringToObject(json, "result", name);
        list.bad = cJSON_AddArrayToObject(json, "bad");
        list.odd = cJSON_AddArrayToObject(json, "good");
    }
    ZF_TRY(zf_result_check(name, add_file, &list, &found, err));
    if (json) {
        cJSON_AddBoolToObject(json, "numbers", found.numbers);
        cJSON_AddBoolToObject(json, "page", found.page);
        if (found.command)
            cJSON_AddStringToObject(json, "command", found.command);
        status = output_json(call->out, json, err);
        json = NULL;
        ZF_TRY(status);
    } else if (found.bad > 0) {
        say_what_is_left(call->out, name, &found);
    }
    if (found.bad > 0) {
        call->result_stands = true;
        status = zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " of %" PRId64 " files are damaged", name,
                         found.bad, found.files);
    }
fail:
    zf_free(found.command);
    cJSON_Delete(json);
    return status;
}

static enum zf_status run_check(struct call *call, struct zf_error *err)
{
    const char *name = call->args->words[0];

    if (is_model(name))
        return check_model(call, name, err);
    if (zf_run_exists(name))
        return check_run(call, name, err);
    return zf_result_exists(name) ? check_result(call, name, err) : check_data(call, name, err);
}

const struct command check_command = {
    .name = "check",
    .arguments = "DATA|MODEL|RUN|RESULT",
    .summary = "look for damage in a data set, a model, a training's directory or a result's",
    .details =
        "Of DATA every picture is decoded and the bad ones are named; `pack` leaves them out. "
        "Lists as odd, but used, what is unusual about a file that has all of its pixels, such as "
        "a JPEG without its end marker. Of a MODEL the shapes and the numbers are looked at; of "
        "RUN, which `train` has made, every file, and where `train --resume` would go on; of "
        "RESULT, the directory that `eval` or an experiment has made, its JSON, its page, and "
        "every figure that these name. Exits with 3 when there is damage, after listing it and "
        "what is left.",
    .output = OUTPUT_TEXT,
    .least = 1,
    .most = 1,
    .runs_no_net = true,
    .run = run_check,
};
