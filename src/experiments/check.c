/* SPDX-License-Identifier: MIT */
/*
 * What of a result on disk is whole: KIND.json, the figures that its blocks show, tables beside it,
 * and the page. Nothing is changed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/status.h"
#include "page/blocks.h"
#include "page/text.h"
#include "zf/experiment.h"

#define MAX_FILE ((size_t)1 << 30)  /* bytes of a page or a table */
#define MAX_JSON ((size_t)64 << 20) /* as `report` takes */
#define MAX_PICTURE ((size_t)64 << 20)

/* The kinds of results: members that the numbers of each have, and tables that lie beside them. */
static const struct kind {
    const char *name, *members[3], *tables[3];
} kinds[] = {
    {"top", {"net", "k", "layers"}, {NULL}},
    {"unit", {"net", "layer", "map"}, {NULL}},
    {"evolve", {"epochs", "layers"}, {NULL}},
    {"invariance", {"images"}, {NULL}},
    {"diagnose", {"net", "layers"}, {NULL}},
    {"occlude", {"images"}, {NULL}},
    {"correspond", {"layers", "pictures"}, {NULL}},
    {"compare", {"models", "images"}, {NULL}},
    {"ablate", {"rows"}, {NULL}},
    {"transfer", {"rows"}, {NULL}},
    {"eval", {"models", "images"}, {"classes.csv", "confusion.csv", "pictures.csv"}},
};

struct check {
    const char *directory;
    const struct kind *kind;
    zf_result_finding *finding;
    void *user;
    struct zf_result_found found;
    cJSON *root;        /* of KIND.json, where it could be read */
    const cJSON *block; /* whose figure is looked at */
};

/* Whether a file is whole: ZF_EINPUT and why, where it is not; `what` it holds, where it is. */
typedef enum zf_status look_at(struct check *check, const struct zf_bytes *bytes, const char *path,
                               char *what, size_t size, struct zf_error *err);

/* That the machine fails is no finding about a file. */
static bool is_about_the_file(enum zf_status status)
{
    return status == ZF_OK || status == ZF_EINPUT || status == ZF_EUNSUPPORTED;
}

static enum zf_status look(struct check *check, const char *name, size_t limit, look_at *at,
                           bool *whole, struct zf_error *err)
{
    struct zf_error reason = {0};
    struct zf_bytes bytes = {0};
    char *path = zf_path_join(check->directory, name);
    char what[64] = "";
    enum zf_status status;

    *whole = false;
    if (!path)
        return zf_no_memory(err, "%s in %s", name, check->directory);
    status = zf_bytes_map(&bytes, path, limit, &reason);
    if (status == ZF_OK)
        status = at(check, &bytes, path, what, sizeof what, &reason);
    zf_bytes_release(&bytes);
    zf_free(path);
    if (!is_about_the_file(status))
        return zf_fail(err, status, "%s", reason.message);
    *whole = status == ZF_OK;
    check->found.files++;
    check->found.bad += !*whole;
    check->finding(check->user, name, *whole ? what : reason.message, *whole);
    return ZF_OK;
}

static bool ends_in(const struct zf_bytes *bytes, const void *end, size_t length)
{
    return bytes->size >= length && memcmp(bytes->data + bytes->size - length, end, length) == 0;
}

/* ---- The numbers. ---- */

static enum zf_status judge_members(const struct kind *kind, const cJSON *root, const char *path,
                                    struct zf_error *err)
{
    if (strcmp(zf_text_of(root, "kind"), kind->name) != 0)
        return zf_fail(err, ZF_EINPUT, "%s is of the kind '%s', not '%s'", path,
                       zf_text_of(root, "kind"), kind->name);
    if (!cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(root, "blocks")))
        return zf_fail(err, ZF_EINPUT, "%s has no blocks", path);
    for (size_t i = 0; i < ZF_COUNT(kind->members) && kind->members[i]; i++) {
        if (!cJSON_HasObjectItem(root, kind->members[i]))
            return zf_fail(err, ZF_EINPUT, "%s has no '%s'", path, kind->members[i]);
    }
    return ZF_OK;
}

/* Each block but for pictures, which are files of their own, makes a part of a page. */
static enum zf_status judge_blocks(const struct check *check, const cJSON *root, int *count,
                                   struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *html = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&html, &size);
    const struct zf_block_place place = {out, check->directory, 2, true, NULL};
    const cJSON *block;

    if (!out)
        return zf_no_memory(err, "a page of %s", check->directory);
    cJSON_ArrayForEach(block, cJSON_GetObjectItemCaseSensitive(root, "blocks"))
    {
        ++*count;
        if (status == ZF_OK && strcmp(zf_text_of(block, "type"), "picture") != 0)
            status = zf_block_write(&place, block, err);
    }
    if (fclose(out) != 0 && status == ZF_OK)
        status = zf_no_memory(err, "a page of %s", check->directory);
    free(html);
    return status;
}

static enum zf_status look_at_numbers(struct check *check, const struct zf_bytes *bytes,
                                      const char *path, char *what, size_t size,
                                      struct zf_error *err)
{
    const char *text = (const char *)bytes->data, *end = text;
    enum zf_status status = zf_json_parse(text ? text : "", bytes->size, &check->root, &end);
    int count = 0;

    if (status == ZF_ENOMEM)
        return zf_no_memory(err, "%s", path);
    if (status != ZF_OK || end + strspn(end, " \t\r\n") != text + bytes->size)
        return zf_fail(err, ZF_EINPUT, "%s is no JSON: it cannot be read from byte %td of %zu on",
                       path, text ? end - text : 0, bytes->size);
    status = judge_members(check->kind, check->root, path, err);
    if (status == ZF_OK)
        status = judge_blocks(check, check->root, &count, err);
    if (status == ZF_OK)
        snprintf(what, size, "the numbers, and %d blocks", count);
    return status;
}

/* ---- What lies beside them. ---- */

static enum zf_status look_at_picture(struct check *check, const struct zf_bytes *bytes,
                                      const char *path, char *what, size_t size,
                                      struct zf_error *err)
{
    const cJSON *width = cJSON_GetObjectItemCaseSensitive(check->block, "width");
    const cJSON *height = cJSON_GetObjectItemCaseSensitive(check->block, "height");
    static const char end[] = "IEND\xae\x42\x60\x82";
    struct zf_picture picture = {0};
    enum zf_status status;

    if (!ends_in(bytes, end, sizeof end - 1)) /* without its last bytes libpng reads it still */
        return zf_fail(err, ZF_EINPUT, "%s ends before its end", path);
    ZF_TRY(zf_picture_decode(bytes->data, bytes->size, path, 0, NULL, &picture, NULL, err));
    if ((double)picture.width != cJSON_GetNumberValue(width) ||
        (double)picture.height != cJSON_GetNumberValue(height))
        status = zf_fail(err, ZF_EINPUT,
                         "%s has %" PRId64 " x %" PRId64 " px, where %s.json has %g x %g", path,
                         picture.width, picture.height, check->kind->name,
                         cJSON_GetNumberValue(width), cJSON_GetNumberValue(height));
    snprintf(what, size, "%" PRId64 " x %" PRId64 " px", picture.width, picture.height);
fail:
    zf_picture_release(&picture);
    return status;
}

static enum zf_status look_at_chart(struct check *check, const struct zf_bytes *bytes,
                                    const char *path, char *what, size_t size, struct zf_error *err)
{
    (void)check;
    snprintf(what, size, "a chart");
    return ends_in(bytes, "</svg>\n", 7) ? ZF_OK
                                         : zf_fail(err, ZF_EINPUT, "%s ends before its end", path);
}

static enum zf_status look_at_page(struct check *check, const struct zf_bytes *bytes,
                                   const char *path, char *what, size_t size, struct zf_error *err)
{
    (void)check;
    snprintf(what, size, "the page");
    return ends_in(bytes, "</html>\n", 8) ? ZF_OK
                                          : zf_fail(err, ZF_EINPUT, "%s ends before its end", path);
}

/* Lines with as many cells as the first, and an end of the last. */
static enum zf_status look_at_table(struct check *check, const struct zf_bytes *bytes,
                                    const char *path, char *what, size_t size, struct zf_error *err)
{
    size_t lines = 0, cells = 0, wanted = 0;
    bool quoted = false;

    (void)check;
    for (size_t i = 0; i < bytes->size; i++) {
        const char c = (char)bytes->data[i];

        quoted ^= c == '"';
        if (quoted || (c != ',' && c != '\n'))
            continue;
        cells++;
        if (c == ',')
            continue;
        lines++;
        wanted = lines == 1 ? cells : wanted;
        if (cells != wanted)
            return zf_fail(err, ZF_EINPUT, "%s, line %zu: %zu cells, where the first line has %zu",
                           path, lines, cells, wanted);
        cells = 0;
    }
    snprintf(what, size, "%zu lines", lines);
    return lines > 0 && ends_in(bytes, "\n", 1) && !quoted
               ? ZF_OK
               : zf_fail(err, ZF_EINPUT, "%s ends before its end, after line %zu", path, lines);
}

/* ---- All of it. ---- */

static enum zf_status look_at_figures(struct check *check, bool *all, struct zf_error *err)
{
    const cJSON *blocks = cJSON_GetObjectItemCaseSensitive(check->root, "blocks");
    bool whole;

    cJSON_ArrayForEach(check->block, blocks)
    {
        const char *file = zf_text_of(check->block, "file");
        const bool picture = strcmp(zf_text_of(check->block, "type"), "picture") == 0;

        if (*file == '\0' && !picture)
            continue;
        if (*file == '\0' || *file == '.' || strchr(file, '/')) {
            check->found.bad++;
            check->found.files++;
            check->finding(check->user, file, "is no name of a file beside the numbers", false);
            *all = false;
            continue;
        }
        ZF_CHECK(
            look(check, file, MAX_PICTURE, picture ? look_at_picture : look_at_chart, &whole, err));
        *all = *all && (whole || !picture); /* charts are in the numbers, too */
    }
    for (size_t i = 0; i < ZF_COUNT(check->kind->tables) && check->kind->tables[i]; i++)
        ZF_CHECK(look(check, check->kind->tables[i], MAX_FILE, look_at_table, &whole, err));
    return ZF_OK;
}

/* A KIND.json without a page may be what `eval -o FILE` wrote beside somebody's pictures. */
static bool says_its_kind(const char *path)
{
    struct zf_bytes bytes = {0};
    cJSON *root = NULL;
    bool says = false;

    if (zf_bytes_map(&bytes, path, MAX_JSON, NULL) == ZF_OK && bytes.size > 0 &&
        zf_json_parse((const char *)bytes.data, bytes.size, &root, NULL) == ZF_OK)
        says = cJSON_HasObjectItem(root, "kind");
    cJSON_Delete(root);
    zf_bytes_release(&bytes);
    return says;
}

static bool is_there(const char *directory, const char *name, const char *ending, bool with_page)
{
    char *path = zf_format("%s/%s%s", directory, name, ending);
    const bool there = path && access(path, F_OK) == 0 && (with_page || says_its_kind(path));

    zf_free(path);
    return there;
}

static const struct kind *find_kind(const char *directory)
{
    const bool page = is_there(directory, "index", ".html", true);

    for (size_t i = 0; i < ZF_COUNT(kinds); i++) {
        if (is_there(directory, kinds[i].name, ".json", page))
            return &kinds[i];
    }
    return NULL;
}

bool zf_result_exists(const char *directory)
{
    return find_kind(directory) != NULL;
}

enum zf_status zf_result_check(const char *directory, zf_result_finding *finding, void *user,
                               struct zf_result_found *found, struct zf_error *err)
{
    struct check check = {
        .directory = directory, .kind = find_kind(directory), .finding = finding, .user = user};
    enum zf_status status;
    char name[32];

    if (!check.kind)
        return zf_fail(err, ZF_EINPUT, "%s has no result of an experiment", directory);
    snprintf(name, sizeof name, "%s.json", check.kind->name);
    ZF_TRY(look(&check, name, MAX_JSON, look_at_numbers, &check.found.numbers, err));
    check.found.reports = check.found.numbers;
    ZF_TRY(look_at_figures(&check, &check.found.reports, err));
    ZF_TRY(look(&check, "index.html", MAX_FILE, look_at_page, &check.found.page, err));
    if (*zf_text_of(check.root, "command")) {
        check.found.command = zf_strdup(zf_text_of(check.root, "command"));
        if (!check.found.command)
            ZF_LEAVE(zf_no_memory(err, "the command of %s", directory));
    }
    *found = check.found;
fail:
    cJSON_Delete(check.root);
    return status;
}
