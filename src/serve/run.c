/* SPDX-License-Identifier: MIT */
/* Routes of the training's page: what a run has written so far. */
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "experiments/evolve/epochs.h"
#include "serve/server.h"
#include "train/checkpoint.h"

#define MOST_LOG ((size_t)32 << 20)

enum zf_status zf_need_run(const struct zf_asked *asked, struct zf_error *err)
{
    return asked->server->options->run
               ? ZF_OK
               : zf_fail(err, ZF_EINVAL, "there is no training here; start serve with --run");
}

/* Lines that are whole: the last may be being written. */
static void add_lines(struct zf_json *json, const struct zf_bytes *log)
{
    const char *at = (const char *)log->data, *end = at + log->size;

    while (at && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        cJSON *line = newline ? cJSON_ParseWithLength(at, (size_t)(newline - at)) : NULL;

        if (cJSON_IsObject(line))
            cJSON_AddItemToArray(json->at[json->depth - 1], line);
        else
            cJSON_Delete(line);
        at = newline ? newline + 1 : end;
    }
}

static void add_epochs(struct zf_json *json, const char *run)
{
    int64_t *epochs = NULL;
    size_t count = 0;

    if (zf_epochs_list(run, &epochs, &count, NULL) == ZF_OK) { /* it may keep none */
        for (size_t i = 0; i < count; i++)
            zf_json_int(json, NULL, epochs[i]);
    }
    zf_free(epochs);
}

/* Seconds since a file was written; NAN where there is none. */
static double age_of(const char *path)
{
    struct stat info;
    struct timespec now;

    if (stat(path, &info) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0)
        return NAN;
    return (double)(now.tv_sec - info.st_mtim.tv_sec) +
           1e-9 * (double)(now.tv_nsec - info.st_mtim.tv_nsec);
}

enum zf_status zf_answer_run(struct zf_asked *asked, struct zf_error *err)
{
    const char *run = asked->server->options->run;
    struct zf_bytes file = {0};
    struct zf_json json;
    enum zf_status status;
    int64_t planned = 0;
    char *log;

    ZF_CHECK(zf_need_run(asked, err));
    log = zf_path_join(run, "log.jsonl");
    if (!log)
        return zf_no_memory(err, "a path");
    json = zf_reply_object();
    zf_json_text(&json, "run", run);
    zf_json_real(&json, "age", age_of(log));
    if (zf_checkpoint_planned(run, &planned, NULL) == ZF_OK) /* it may have none yet */
        zf_json_int(&json, "planned", planned);
    zf_json_array(&json, "lines");
    if (zf_bytes_map(&file, log, MOST_LOG, NULL) == ZF_OK) /* at first there is none */
        add_lines(&json, &file);
    zf_json_end(&json);
    zf_json_array(&json, "epochs");
    add_epochs(&json, run);
    zf_json_end(&json);
    status = zf_reply_json(&asked->reply, &json, err);
    zf_bytes_release(&file);
    zf_free(log);
    return status;
}
