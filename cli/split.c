/* SPDX-License-Identifier: MIT */
#include "split.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "output.h"
#include "recall.h"

/* "RUN/val-split.json", owned; NULL when memory is short. */
static char *record_of(const struct call *call)
{
    static const char name[] = "/val-split.json";
    char *path = calloc(strlen(call->common.out) + sizeof name, 1);

    if (path) {
        strcpy(path, call->common.out);
        strcat(path, name);
    }
    return path;
}

/* share 0 when there is no record. */
static enum zf_status read_record(const char *path, struct split *split, struct zf_error *err)
{
    char text[512];
    FILE *file = fopen(path, "rb");
    cJSON *json;
    const cJSON *share, *seed;
    size_t size;
    bool failed;

    *split = (struct split){0};
    if (!file)
        return errno == ENOENT ? ZF_OK : zf_fail(err, ZF_EIO, "%s: %s", path, strerror(errno));
    size = fread(text, 1, sizeof text - 1, file);
    failed = ferror(file);
    fclose(file);
    if (failed)
        return zf_fail(err, ZF_EIO, "%s cannot be read", path);
    text[size] = '\0';
    json = cJSON_Parse(text);
    share = cJSON_GetObjectItemCaseSensitive(json, "share");
    seed = cJSON_GetObjectItemCaseSensitive(json, "seed");
    if (cJSON_IsNumber(share) && cJSON_IsNumber(seed))
        *split = (struct split){share->valuedouble, (int64_t)seed->valuedouble};
    cJSON_Delete(json);
    if (split->share > 0 && split->share < 1)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT, "%s does not say how the data was split", path);
}

enum zf_status split_recall(const struct call *call, bool resume, const char *val,
                            struct split *asked, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct split was = {0};
    char *record;

    if (asked->share > 0 && val)
        return zf_fail(err, ZF_EINVAL, "give --val or --val-split, not both");
    asked->seed = call->common.seed;
    if (!resume)
        return ZF_OK;
    record = record_of(call);
    if (!record)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(read_record(record, &was, err));
    if (was.share == 0)
        goto fail;
    if (val || (asked->share > 0 && (asked->share != was.share || asked->seed != was.seed)))
        status = zf_fail(
            err, ZF_EINVAL,
            "the run in %s validates on a split of %g by seed %" PRId64 ": leave %s out, or begin "
            "another run",
            call->common.out, was.share, was.seed, val ? "--val" : "--val-split and --seed");
    *asked = was;
fail:
    free(record);
    return status;
}

enum zf_status split_apply(const struct call *call, const struct split *split,
                           const struct zf_data *data, struct zf_data **train, struct zf_data **val,
                           struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *rest = NULL, *part = NULL;
    char *record = record_of(call), text[256];

    if (!record)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(zf_data_split(data, split->share, (uint64_t)split->seed, &rest, &part, err));
    snprintf(text, sizeof text,
             "{\"share\": %.15g, \"seed\": %" PRId64 ", \"train_images\": %" PRId64
             ", \"val_images\": %" PRId64 "}\n",
             split->share, split->seed, zf_data_count(rest), zf_data_count(part));
    if (zf_ranks_rank(call->ranks) == 0 && !run_stands(call->common.out)) {
        output_make_parents(record);
        ZF_TRY(zf_file_write(record, text, strlen(text), err));
    }
    progress_say(call->progress,
                 "%" PRId64 " pictures to train on, %" PRId64 " to validate on (%s)",
                 zf_data_count(rest), zf_data_count(part), record);
    *train = rest;
    *val = part;
    rest = part = NULL;
fail:
    zf_data_free(&rest);
    zf_data_free(&part);
    free(record);
    return status;
}
