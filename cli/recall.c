/* SPDX-License-Identifier: MIT */
#include "recall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "output.h"

#define LARGEST_RECORD (1 << 20) /* bytes */

/* "RUN/command.json"; NULL when memory is short. */
static char *record_of(const char *run)
{
    static const char name[] = "/command.json";
    char *path = calloc(strlen(run) + sizeof name, 1);

    if (path) {
        strcpy(path, run);
        strcat(path, name);
    }
    return path;
}

bool run_stands(const char *run)
{
    static const char name[] = "/checkpoint";
    char *path = calloc(strlen(run) + sizeof name, 1);
    struct stat info;
    bool stands;

    if (!path)
        return true; /* nothing is written then */
    strcpy(path, run);
    strcat(path, name);
    stands = stat(path, &info) == 0;
    free(path);
    return stands;
}

enum zf_status recall_write(const char *run, int argc, char **argv, struct zf_error *err)
{
    char *path = record_of(run), *text = NULL, *here = getcwd(NULL, 0);
    cJSON *json = cJSON_CreateObject(), *words;
    enum zf_status status = ZF_OK;

    if (here)
        cJSON_AddStringToObject(json, "directory", here);
    words = cJSON_AddArrayToObject(json, "words");
    for (int i = 0; i < argc; i++)
        cJSON_AddItemToArray(words, cJSON_CreateString(argv[i]));
    text = cJSON_Print(json);
    if (!path || !text)
        status = zf_fail(err, ZF_ENOMEM, "out of memory");
    if (status == ZF_OK) {
        output_make_parents(path);
        status = zf_file_write(path, text, strlen(text), err);
    }
    cJSON_Delete(json);
    cJSON_free(text);
    free(here);
    free(path);
    return status;
}

static enum zf_status read_record(const char *run, cJSON **out, struct zf_error *err)
{
    char *path = record_of(run), *text = calloc(LARGEST_RECORD, 1);
    FILE *file = path ? fopen(path, "rb") : NULL;
    enum zf_status status = ZF_OK;
    cJSON *json = NULL;

    if (!path || !text)
        status = zf_fail(err, ZF_ENOMEM, "out of memory");
    else if (!file)
        status = zf_fail(err, ZF_EINPUT,
                         "%s does not say how it was begun (no command.json: %s); give the whole "
                         "command line",
                         run, strerror(errno));
    if (status == ZF_OK) {
        text[fread(text, 1, LARGEST_RECORD - 1, file)] = '\0';
        json = cJSON_Parse(text);
        if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "words")))
            status = zf_fail(err, ZF_EINPUT, "%s does not hold a command line", path);
    }
    if (status == ZF_OK)
        *out = json;
    else
        cJSON_Delete(json);
    if (file)
        fclose(file);
    free(text);
    free(path);
    return status;
}

enum zf_status recall_read(const char *run, int argc, char **argv, char ***words, int *count,
                           struct zf_error *err)
{
    cJSON *json = NULL;
    const cJSON *list, *word;
    const char *there;
    char **made = NULL, *here = getcwd(NULL, 0);
    enum zf_status status;
    bool complete;
    int used = 0;

    ZF_TRY(read_record(run, &json, err));
    there = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "directory"));
    if (there && here && strcmp(there, here) != 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "the run was begun in %s, where its paths begin: go on there, or give the "
                         "whole command line",
                         there));
    list = cJSON_GetObjectItemCaseSensitive(json, "words");
    made = calloc((size_t)cJSON_GetArraySize(list) + (size_t)argc + 1, sizeof *made);
    complete = made != NULL;
    cJSON_ArrayForEach(word, list)
    {
        if (complete && cJSON_IsString(word))
            complete = (made[used++] = strdup(word->valuestring)) != NULL;
    }
    for (int i = 0; complete && i < argc; i++)
        complete = (made[used++] = strdup(argv[i])) != NULL;
    if (!complete) {
        recall_free(made, used);
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "out of memory"));
    }
    *words = made;
    *count = used;
fail:
    cJSON_Delete(json);
    free(here);
    return status;
}

void recall_free(char **words, int count)
{
    for (int i = 0; words && i < count; i++)
        free(words[i]);
    free(words);
}
