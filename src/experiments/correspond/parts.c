/* SPDX-License-Identifier: MIT */
/*
 * A list of parts: a line for each, "file <tab> part <tab> x <tab> y [<tab> size]". Empty lines and
 * the carriage returns of other systems do no harm.
 */
#include "experiments/correspond/correspond.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#define MAX_BYTES ((size_t)16 << 20)
#define MAX_LINE 4096
#define MAX_PICTURES 256
#define MAX_PARTS 64
#define MAX_COORDINATE 1e6 /* px */
#define FIELDS 5

struct reader {
    struct zf_parts *parts;
    size_t folder; /* bytes of the list's name up to and with the last slash */
    size_t mark_capacity;
    int64_t line;
};

static enum zf_status complain(const struct reader *reader, const char *what, struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT,
                   "%s:%" PRId64 ": %s; a line is \"file <tab> part <tab> x <tab> y\", and "
                   "optionally \"<tab> size\"",
                   reader->parts->name, reader->line, what);
}

static bool parse_number(const char *text, double *value)
{
    char *end;

    errno = 0;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*value) &&
           fabs(*value) <= MAX_COORDINATE;
}

/* The index of `name`, added when it is new; *index is `limit` when there is no room. */
static enum zf_status intern(char **names, size_t *count, size_t limit, const char *name,
                             size_t *index, struct zf_error *err)
{
    for (*index = 0; *index < *count; ++*index) {
        if (strcmp(names[*index], name) == 0)
            return ZF_OK;
    }
    if (*count == limit)
        return ZF_OK;
    names[*count] = zf_strdup(name);
    if (!names[*count])
        return zf_no_memory(err, "a list of parts");
    ++*count;
    return ZF_OK;
}

static size_t split(char *line, char *fields[FIELDS])
{
    size_t count = 0;

    for (char *at = line; at; count++) {
        char *tab = strchr(at, '\t');

        if (count < FIELDS)
            fields[count] = at;
        if (tab)
            *tab++ = '\0';
        at = tab;
    }
    return count;
}

/* A picture's path as an owned string, from the list's own folder on where it is relative. */
static char *path_of(const struct reader *reader, const char *file)
{
    const size_t folder = *file == '/' ? 0 : reader->folder;

    return zf_format("%.*s%s", (int)folder, reader->parts->name, file);
}

static enum zf_status add_mark(struct reader *reader, struct zf_part_mark mark,
                               struct zf_error *err)
{
    struct zf_parts *parts = reader->parts;

    for (size_t i = 0; i < parts->mark_count; i++) {
        if (parts->marks[i].picture == mark.picture && parts->marks[i].part == mark.part)
            return zf_fail(err, ZF_EINPUT,
                           "%s:%" PRId64 ": %s of %s is marked already, on line %" PRId64,
                           parts->name, reader->line, parts->parts[mark.part],
                           parts->pictures[mark.picture], parts->marks[i].line);
    }
    if (!zf_grow((void **)&parts->marks, &reader->mark_capacity, parts->mark_count + 1,
                 sizeof *parts->marks))
        return zf_no_memory(err, "a list of parts");
    parts->marks[parts->mark_count++] = mark;
    return ZF_OK;
}

static enum zf_status add_line(struct reader *reader, char *line, struct zf_error *err)
{
    struct zf_parts *parts = reader->parts;
    struct zf_part_mark mark = {.line = reader->line};
    char *fields[FIELDS] = {NULL}, *path = NULL;
    const size_t count = split(line, fields);
    enum zf_status status = ZF_OK;

    if (count < FIELDS - 1 || count > FIELDS)
        return complain(reader, count < FIELDS ? "too few fields" : "too many fields", err);
    if (reader->line == 1 && strcmp(fields[0], "file") == 0 && strcmp(fields[1], "part") == 0 &&
        strcmp(fields[2], "x") == 0)
        return ZF_OK;
    if (*fields[0] == '\0' || *fields[1] == '\0')
        return complain(reader, *fields[0] ? "an empty part" : "an empty file name", err);
    if (!parse_number(fields[2], &mark.x) || !parse_number(fields[3], &mark.y))
        return complain(reader, "a place that is not two numbers", err);
    if (fields[4] && (!parse_number(fields[4], &mark.size) || mark.size < 1.0))
        return complain(reader, "a size that is not a number of at least 1", err);

    path = path_of(reader, fields[0]);
    if (!path)
        return zf_no_memory(err, "a list of parts");
    ZF_TRY(intern(parts->pictures, &parts->picture_count, MAX_PICTURES, path, &mark.picture, err));
    ZF_TRY(intern(parts->parts, &parts->part_count, MAX_PARTS, fields[1], &mark.part, err));
    if (mark.picture == MAX_PICTURES || mark.part == MAX_PARTS)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s:%" PRId64 ": more than the limit of %d pictures or %d parts",
                         parts->name, reader->line, MAX_PICTURES, MAX_PARTS));
    ZF_TRY(add_mark(reader, mark, err));
fail:
    zf_free(path);
    return status;
}

static enum zf_status read_lines(struct reader *reader, struct zf_bytes file, struct zf_error *err)
{
    char line[MAX_LINE];
    const char *at = (const char *)file.data, *end = at + file.size;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - at);

        reader->line++;
        if (length > 0 && at[length - 1] == '\r')
            length--;
        if (length >= sizeof line || memchr(at, '\0', length))
            return complain(reader,
                            length >= sizeof line ? "4096 bytes or more" : "not text: a zero byte",
                            err);
        memcpy(line, at, length);
        line[length] = '\0';
        if (length > 0)
            ZF_CHECK(add_line(reader, line, err));
        at = newline ? newline + 1 : end;
    }
    return ZF_OK;
}

enum zf_status zf_parts_load(const char *path, struct zf_parts **out, struct zf_error *err)
{
    const char *slash = strrchr(path, '/');
    struct zf_parts *parts = zf_alloc(1, sizeof *parts);
    struct reader reader = {.parts = parts, .folder = slash ? (size_t)(slash - path) + 1 : 0};
    struct zf_bytes file = {0};
    enum zf_status status;

    if (!parts)
        return zf_no_memory(err, "a list of parts");
    parts->name = zf_strdup(path);
    parts->pictures = zf_alloc(MAX_PICTURES, sizeof *parts->pictures);
    parts->parts = zf_alloc(MAX_PARTS, sizeof *parts->parts);
    if (!parts->name || !parts->pictures || !parts->parts)
        ZF_LEAVE(zf_no_memory(err, "a list of parts"));
    ZF_TRY(zf_bytes_map(&file, path, MAX_BYTES, err));
    if (file.size > 0)
        ZF_TRY(read_lines(&reader, file, err));
    if (parts->picture_count < 2)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s marks parts of %zu picture%s, and at least two are compared", path,
                         parts->picture_count, parts->picture_count == 1 ? "" : "s"));
    *out = parts;
    parts = NULL;
fail:
    zf_bytes_release(&file);
    zf_parts_free(&parts);
    return status;
}

void zf_parts_free(struct zf_parts **parts)
{
    if (!parts || !*parts)
        return;
    for (size_t i = 0; i < (*parts)->picture_count; i++)
        zf_free((*parts)->pictures[i]);
    for (size_t i = 0; i < (*parts)->part_count; i++)
        zf_free((*parts)->parts[i]);
    zf_free((*parts)->pictures);
    zf_free((*parts)->parts);
    zf_free((*parts)->marks);
    zf_free((*parts)->name);
    zf_free(*parts);
    *parts = NULL;
}
