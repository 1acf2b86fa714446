/* SPDX-License-Identifier: MIT */
/* RUN/log.jsonl: a JSON object a line, one line an epoch. */
#include "log.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"

#define LOG_LIMIT ((size_t)256 << 20)

/* The epoch a line is about, 0 when it is none of ours. */
static int64_t epoch_of(const cJSON *line)
{
    const cJSON *epoch = cJSON_GetObjectItemCaseSensitive(line, "epoch");

    return cJSON_IsNumber(epoch) && epoch->valuedouble < 1e15 ? (int64_t)epoch->valuedouble : 0;
}

enum zf_status zf_log_cut(const char *path, int64_t epochs, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_bytes log = {0};
    size_t kept = 0;

    if (access(path, F_OK) != 0)
        return errno == ENOENT ? ZF_OK : zf_fail_errno(err, ZF_EIO, errno, "%s", path);
    ZF_TRY(zf_bytes_map(&log, path, LOG_LIMIT, err));
    while (kept < log.size) {
        const char *line = (const char *)log.data + kept;
        const char *end = memchr(line, '\n', log.size - kept);
        int64_t epoch;
        cJSON *json;

        if (!end)
            break;
        if (zf_json_parse(line, (size_t)(end - line), &json, NULL) == ZF_ENOMEM)
            ZF_LEAVE(zf_no_memory(err, "the epochs of %s", path));
        epoch = epoch_of(json);
        cJSON_Delete(json);
        if (epoch < 1 || epoch > epochs)
            break;
        kept += (size_t)(end - line) + 1;
    }
    if (kept < log.size)
        ZF_TRY(zf_file_write(path, log.data, kept, err));
fail:
    zf_bytes_release(&log);
    return status;
}

static bool add_waits(cJSON *json, const struct zf_epoch *epoch)
{
    cJSON *pictures, *ranks;

    if (!epoch->waits)
        return true;
    pictures = cJSON_AddArrayToObject(json, "rank_waited_seconds");
    ranks = cJSON_AddArrayToObject(json, "rank_communication_seconds");
    for (int k = 0; k < epoch->ranks; k++)
        if (!cJSON_AddItemToArray(pictures, cJSON_CreateNumber(epoch->waits[k].pictures_s)) ||
            !cJSON_AddItemToArray(ranks, cJSON_CreateNumber(epoch->waits[k].ranks_s)))
            return false;
    return true;
}

static char *make_line(const struct zf_epoch *epoch, bool best)
{
    cJSON *json = cJSON_CreateObject();
    char *line = NULL;

    if (json && cJSON_AddNumberToObject(json, "epoch", (double)epoch->epoch) &&
        cJSON_AddNumberToObject(json, "loss", epoch->loss) &&
        cJSON_AddNumberToObject(json, "train_top1_error", epoch->train_top1_error) &&
        cJSON_AddNumberToObject(json, "val_loss", epoch->val_loss) &&
        cJSON_AddNumberToObject(json, "val_top1_error", epoch->val_top1_error) &&
        cJSON_AddNumberToObject(json, "val_top5_error", epoch->val_top5_error) &&
        cJSON_AddNumberToObject(json, "lr", epoch->lr) &&
        cJSON_AddNumberToObject(json, "seconds", epoch->seconds) &&
        cJSON_AddNumberToObject(json, "images_per_second", epoch->images_per_second) &&
        cJSON_AddNumberToObject(json, "waited_seconds", epoch->waited_seconds) &&
        cJSON_AddNumberToObject(json, "wait", epoch->wait) &&
        cJSON_AddNumberToObject(json, "skipped", (double)epoch->skipped) &&
        cJSON_AddBoolToObject(json, "best", best) &&
        (!epoch->from || cJSON_AddStringToObject(json, "from", epoch->from)) &&
        add_waits(json, epoch))
        line = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return line;
}

enum zf_status zf_log_append(const char *path, const struct zf_epoch *epoch, bool best,
                             struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    FILE *stream = NULL;
    char *line = make_line(epoch, best);

    if (!line)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
    stream = fopen(path, "ab");
    if (!stream || fprintf(stream, "%s\n", line) < 0 || fflush(stream) != 0)
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", path);
    if (stream && fclose(stream) != 0 && status == ZF_OK)
        status = zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", path);
    cJSON_free(line);
    return status;
}

static bool add_line(struct zf_log_summary *sum, const cJSON *json)
{
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(json, "seconds");
    const int64_t epoch = epoch_of(json);
    const bool good = epoch > 0 && cJSON_IsNumber(seconds);

    if (good) {
        sum->epochs = epoch;
        sum->seconds += seconds->valuedouble;
        if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(json, "best")))
            sum->best_epoch = epoch;
    }
    return good;
}

enum zf_status zf_log_summarise(const char *path, struct zf_log_summary *summary,
                                struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_log_summary sum = {0};
    struct zf_bytes log = {0};

    if (access(path, F_OK) == 0 || errno != ENOENT)
        ZF_TRY(zf_bytes_map(&log, path, LOG_LIMIT, err));
    for (size_t at = 0; at < log.size;) {
        const char *line = (const char *)log.data + at;
        const char *end = memchr(line, '\n', log.size - at);
        const size_t length = end ? (size_t)(end - line) : log.size - at;

        cJSON *json;
        const bool no_memory = zf_json_parse(line, length, &json, NULL) == ZF_ENOMEM;
        const bool good = add_line(&sum, json);

        cJSON_Delete(json);
        if (no_memory)
            ZF_LEAVE(zf_no_memory(err, "the epochs of %s", path));
        if (!good)
            ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s: line %" PRId64 " is not about an epoch", path,
                             sum.epochs + 1));
        at += length + 1;
    }
    *summary = sum;
fail:
    zf_bytes_release(&log);
    return status;
}
