/* SPDX-License-Identifier: MIT */
/*
 * Everything below a directory as one page. A result is a file that says what it is (results.h);
 * other files, and JSON of other kinds, are passed over. Links are not followed, so that a walk
 * ends; names are sorted, so that equal results give equal pages.
 */
#include "report/report.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "report/document.h"
#include "report/results.h"

#define MAX_DEPTH 16
#define MAX_ENTRIES 200000          /* files and folders looked at */
#define MAX_RESULTS 1000            /* on a page */
#define MAX_FILE ((size_t)64 << 20) /* bytes of a JSON file; larger ones are no results */

struct result {
    char *directory, *id;
    cJSON *root;
};

struct walk {
    const char *top;
    struct result *results;
    size_t count, capacity;
    int64_t entries;
};

struct names {
    char **items;
    size_t count, capacity;
};

static void release_walk(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        zf_free(walk->results[i].directory);
        zf_free(walk->results[i].id);
        cJSON_Delete(walk->results[i].root);
    }
    zf_free(walk->results);
}

/* ---- Files. ---- */

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);

    return length > tail && strcmp(name + length - tail, ending) == 0;
}

static enum zf_status add_result(struct walk *walk, const char *directory, cJSON *root,
                                 struct zf_error *err)
{
    struct result *result;

    if (walk->count == MAX_RESULTS) {
        cJSON_Delete(root);
        return zf_fail(err, ZF_EINPUT, "there are more than %d results below %s", MAX_RESULTS,
                       walk->top);
    }
    if (!zf_grow((void **)&walk->results, &walk->capacity, walk->count + 1, sizeof *result)) {
        cJSON_Delete(root);
        return zf_fail(err, ZF_ENOMEM, "out of memory for the results below %s", walk->top);
    }
    result = &walk->results[walk->count++];
    *result = (struct result){zf_strdup(directory), zf_format("result-%zu", walk->count), root};
    return result->directory && result->id
               ? ZF_OK
               : zf_fail(err, ZF_ENOMEM, "out of memory for the results below %s", walk->top);
}

static enum zf_status read_file(struct walk *walk, const char *directory, const char *path,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes bytes = {0};
    cJSON *root = NULL;
    char *text = NULL;

    ZF_TRY(zf_bytes_map(&bytes, path, MAX_FILE, err));
    text = zf_alloc_raw(bytes.size + 1, 1);
    if (!text) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for %s", path);
        goto fail;
    }
    if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    if (ends_in(path, "/log.jsonl"))
        ZF_TRY(zf_log_document(text, path, &root, err));
    else
        ZF_TRY(zf_result_parse(text, path, &root, err));
    if (root)
        ZF_TRY(add_result(walk, directory, root, err));
fail:
    zf_free(text);
    zf_bytes_release(&bytes);
    return status;
}

enum zf_status zf_result_parse(const char *text, const char *path, cJSON **root,
                               struct zf_error *err)
{
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithOpts(text, &end, true);
    const cJSON *layers;

    if (!json)
        return zf_fail(err, ZF_EINPUT, "%s is no JSON: it cannot be read from byte %zu on", path,
                       end ? (size_t)(end - text) : 0);
    layers = cJSON_GetObjectItemCaseSensitive(json, "layers");
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "kind")) &&
        cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "blocks"))) {
        *root = json;
        return ZF_OK;
    }
    if (ends_in(path, "/top.json") && cJSON_IsArray(layers)) {
        *root = zf_top_document(json);
        cJSON_Delete(json);
        return *root ? ZF_OK : zf_fail(err, ZF_ENOMEM, "out of memory for %s", path);
    }
    cJSON_Delete(json);
    return ZF_OK;
}

/* ---- Folders. ---- */

static void release_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        zf_free(names->items[i]);
    zf_free(names->items);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, sorted; hidden ones do not count. */
static enum zf_status list(struct walk *walk, const char *path, struct names *names,
                           struct zf_error *err)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (!folder)
        return zf_fail(err, ZF_EINPUT, "%s is no directory that can be read", path);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (++walk->entries > MAX_ENTRIES) {
            closedir(folder);
            return zf_fail(err, ZF_EINPUT,
                           "there are more than %d files below %s: name the directory of the "
                           "results alone",
                           MAX_ENTRIES, walk->top);
        }
        if (!zf_grow((void **)&names->items, &names->capacity, names->count + 1, sizeof(char *)) ||
            !(names->items[names->count] = zf_strdup(entry->d_name))) {
            closedir(folder);
            return zf_fail(err, ZF_ENOMEM, "out of memory for the files in %s", path);
        }
        names->count++;
    }
    closedir(folder);
    if (names->count > 0)
        qsort(names->items, names->count, sizeof *names->items, compare);
    return ZF_OK;
}

static enum zf_status visit(struct walk *walk, const char *directory, int depth,
                            struct zf_error *err)
{
    enum zf_status status;
    struct names names = {0};
    char *path = NULL;
    struct stat info;

    ZF_TRY(list(walk, directory, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        zf_free(path);
        path = zf_path_join(directory, names.items[i]);
        if (!path) {
            status = zf_fail(err, ZF_ENOMEM, "out of memory for the files in %s", directory);
            goto fail;
        }
        if (lstat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode) && depth < MAX_DEPTH)
            ZF_TRY(visit(walk, path, depth + 1, err));
        else if (S_ISREG(info.st_mode) && (size_t)info.st_size <= MAX_FILE &&
                 (ends_in(path, ".json") || ends_in(path, "/log.jsonl")))
            ZF_TRY(read_file(walk, directory, path, err));
    }
fail:
    zf_free(path);
    release_names(&names);
    return status;
}

enum zf_status zf_report_write(const char *directory, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct walk walk = {.top = directory};
    struct zf_section *sections = NULL;
    char *title = zf_format("Results in %s", directory), *lead = NULL;

    ZF_TRY(visit(&walk, directory, 0, err));
    if (walk.count == 0) {
        status = zf_fail(err, ZF_EINPUT,
                         "there are no results below %s: train, top and the experiments make them",
                         directory);
        goto fail;
    }
    lead = zf_format("%zu %s of zfscope, each with what was asked and the command that made it.",
                     walk.count, walk.count == 1 ? "result" : "results");
    sections = zf_alloc(walk.count, sizeof *sections);
    if (!title || !lead || !sections) {
        status = zf_fail(err, ZF_ENOMEM, "out of memory for the report of %s", directory);
        goto fail;
    }
    for (size_t i = 0; i < walk.count; i++)
        sections[i] = (struct zf_section){walk.results[i].root, walk.results[i].directory,
                                          walk.results[i].id};
    ZF_TRY(zf_sections_write(path, title, lead, sections, walk.count, err));
fail:
    zf_free(sections);
    zf_free(lead);
    zf_free(title);
    release_walk(&walk);
    return status;
}
