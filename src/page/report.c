/* SPDX-License-Identifier: MIT */
/*
 * Everything below a directory as one page. A result is a KIND.json of a document, or the log of a
 * training; other files, and JSON of other kinds, are passed over. Links are not followed, so that
 * a walk ends; names are sorted, so that equal results give equal pages.
 */
#include "zf/document.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "page/document.h"
#include "page/links.h"
#include "page/log.h"
#include "page/sections.h"
#include "page/story.h"

#define MAX_DEPTH 16
#define MAX_ENTRIES 200000          /* files and folders looked at */
#define MAX_RESULTS 1000            /* on a page */
#define MAX_FILE ((size_t)64 << 20) /* bytes of a JSON file; larger ones are no results */

struct result {
    char *directory, *id;
    char *headline, *home;        /* see struct zf_section */
    cJSON *root;                  /* read from a file, ... */
    struct zf_document *document; /* ... or made of a log */
};

struct walk {
    const char *top;
    struct result *results;
    size_t count, capacity;
    size_t entries;
};

static void release_walk(struct walk *walk)
{
    for (size_t i = 0; i < walk->count; i++) {
        zf_free(walk->results[i].directory);
        zf_free(walk->results[i].id);
        zf_free(walk->results[i].headline);
        zf_free(walk->results[i].home);
        cJSON_Delete(walk->results[i].root);
        zf_document_free(&walk->results[i].document);
    }
    zf_free(walk->results);
}

/* ---- Files. ---- */

/* Takes what `found` owns. */
static enum zf_status add_result(struct walk *walk, struct result found, struct zf_error *err)
{
    if (walk->count < MAX_RESULTS &&
        zf_grow((void **)&walk->results, &walk->capacity, walk->count + 1, sizeof *walk->results)) {
        found.id = zf_format("result-%zu", walk->count + 1);
        walk->results[walk->count++] = found;
        return found.directory && found.id ? ZF_OK
                                           : zf_no_memory(err, "the results below %s", walk->top);
    }
    zf_free(found.directory);
    cJSON_Delete(found.root);
    zf_document_free(&found.document);
    return walk->count < MAX_RESULTS
               ? zf_no_memory(err, "the results below %s", walk->top)
               : zf_fail(err, ZF_EINPUT, "there are more than %d results below %s", MAX_RESULTS,
                         walk->top);
}

/* *root stays NULL for JSON of another kind than a document's. */
static enum zf_status parse_document(const char *text, const char *path, cJSON **root,
                                     struct zf_error *err)
{
    const char *end;
    cJSON *json;
    const enum zf_status status = zf_json_parse(text, strlen(text), &json, &end);

    if (status == ZF_ENOMEM)
        return zf_no_memory(err, "%s", path);
    if (!json || end[strspn(end, " \t\r\n")]) {
        cJSON_Delete(json);
        return zf_fail(err, ZF_EINPUT, "%s is no JSON: it cannot be read from byte %td on", path,
                       end - text);
    }
    if (cJSON_IsString(cJSON_GetObjectItemCaseSensitive(json, "kind")) &&
        cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(json, "blocks")))
        *root = json;
    else
        cJSON_Delete(json);
    return ZF_OK;
}

static enum zf_status read_file(struct walk *walk, const char *directory, const char *path,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes bytes = {0};
    struct result found = {0};
    char *text = NULL;

    ZF_TRY(zf_bytes_map(&bytes, path, MAX_FILE, err));
    text = zf_alloc_raw(bytes.size + 1, 1);
    if (!text) {
        status = zf_no_memory(err, "%s", path);
        goto fail;
    }
    if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    if (zf_ends_in(path, "/log.jsonl"))
        ZF_TRY(zf_log_document(text, path, directory, &found.document, err));
    else
        ZF_TRY(parse_document(text, path, &found.root, err));
    if (found.root || found.document) {
        found.directory = zf_strdup(directory);
        ZF_TRY(add_result(walk, found, err));
    }
fail:
    zf_free(text);
    zf_bytes_release(&bytes);
    return status;
}

/* ---- Folders. ---- */

static enum zf_status visit(struct walk *walk, const char *directory, int depth,
                            struct zf_error *err)
{
    enum zf_status status;
    struct zf_names names = {0};
    char *path = NULL;
    struct stat info;

    ZF_TRY(zf_directory_list(directory, &names, err));
    walk->entries += names.count;
    if (walk->entries > MAX_ENTRIES) {
        status = zf_fail(err, ZF_EINPUT,
                         "there are more than %d files below %s: name the directory of the "
                         "results alone",
                         MAX_ENTRIES, walk->top);
        goto fail;
    }
    for (size_t i = 0; i < names.count; i++) {
        zf_free(path);
        path = zf_path_join(directory, names.items[i]);
        if (!path) {
            status = zf_no_memory(err, "the files in %s", directory);
            goto fail;
        }
        if (lstat(path, &info) != 0) {
            if (errno == ENOENT) /* gone since it was listed */
                continue;
            ZF_LEAVE(zf_fail_errno(err, zf_status_of_errno(errno), errno, "%s", path));
        }
        if (S_ISDIR(info.st_mode) && depth < MAX_DEPTH)
            ZF_TRY(visit(walk, path, depth + 1, err));
        else if (S_ISREG(info.st_mode) && (size_t)info.st_size <= MAX_FILE &&
                 (zf_ends_in(path, ".json") || zf_ends_in(path, "/log.jsonl")))
            ZF_TRY(read_file(walk, directory, path, err));
    }
fail:
    zf_free(path);
    zf_names_release(&names);
    return status;
}

/* ---- The story. ---- */

static const cJSON *root_of(const struct result *result)
{
    return result->root ? result->root : result->document->root;
}

/* The results in the order of the story, each with its headline and its address. */
static enum zf_status tell(struct walk *walk, const char *path, struct zf_section *sections,
                           struct zf_error *err)
{
    enum zf_part last = ZF_PARTS;
    size_t told = 0;

    for (size_t place = 0; place < zf_story_places(); place++) {
        for (size_t i = 0; i < walk->count; i++) {
            struct result *result = &walk->results[i];
            const enum zf_part part = zf_story_part(root_of(result));

            if (zf_story_place(root_of(result)) != place)
                continue;
            ZF_CHECK(zf_link_home(path, result->directory, &result->home, err));
            result->headline = zf_story_headline(root_of(result));
            sections[told] = (struct zf_section){.root = root_of(result),
                                                 .directory = result->directory,
                                                 .id = result->id,
                                                 .part = part == last ? NULL : zf_part_title(part),
                                                 .question = zf_part_question(part),
                                                 .headline = result->headline,
                                                 .home = result->home};
            last = part;
            told++;
        }
    }
    return ZF_OK;
}

/* What the results are about, and how many there are; NULL when memory is short. */
static char *write_lead(const struct walk *walk)
{
    const cJSON **roots = zf_alloc(walk->count, sizeof *roots);
    char *task = NULL, *lead = NULL;

    if (!roots)
        return NULL;
    for (size_t i = 0; i < walk->count; i++)
        roots[i] = root_of(&walk->results[i]);
    task = zf_story_task(roots, walk->count);
    lead = zf_format("%s%s%zu %s, each with what was asked and the command that made it.",
                     task ? task : "", task ? " " : "", walk->count,
                     walk->count == 1 ? "result" : "results");
    zf_free(task);
    zf_free(roots);
    return lead;
}

/* "page_files" for "page.html", as browsers call what they save beside a page. */
static char *folder_beside(const char *path)
{
    const size_t ending = zf_ends_in(path, ".html") ? strlen(".html") : 0;

    return zf_format("%.*s_files", (int)(strlen(path) - ending), path);
}

static enum zf_status write_page(const char *title, const char *lead, const char *path,
                                 const struct zf_section *sections, size_t count,
                                 const struct zf_report_options *options, struct zf_error *err)
{
    char *folder = folder_beside(path);
    const char *name = folder ? strrchr(folder, '/') : NULL;
    char *address = folder ? zf_percent_encoded(name ? name + 1 : folder) : NULL;
    struct zf_beside beside = {.folder = folder, .address = address};
    enum zf_status status = address ? zf_sections_write(path, title, lead, sections, count,
                                                        options->single_file ? NULL : &beside, err)
                                    : zf_no_memory(err, "the files beside %s", path);

    if (status == ZF_OK && beside.count > 0)
        zf_monitor_message(options->monitor,
                           "%d pictures are in %s, which belongs to the page; --single-file has "
                           "them in it",
                           beside.count, folder);
    zf_free(address);
    zf_free(folder);
    return status;
}

enum zf_status zf_report_write(const char *directory, const char *path,
                               const struct zf_report_options *options, struct zf_error *err)
{
    static const struct zf_report_options defaults = {0};
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
    lead = write_lead(&walk);
    sections = zf_alloc(walk.count, sizeof *sections);
    if (!title || !lead || !sections) {
        status = zf_no_memory(err, "the report of %s", directory);
        goto fail;
    }
    ZF_TRY(tell(&walk, path, sections, err));
    ZF_TRY(write_page(title, lead, path, sections, walk.count, options ? options : &defaults, err));
fail:
    zf_free(sections);
    zf_free(lead);
    zf_free(title);
    release_walk(&walk);
    return status;
}
