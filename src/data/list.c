/* SPDX-License-Identifier: MIT */
/*
 * list.tsv: a line for each picture, "path <tab> class"; a path may lead into a tar. A relative
 * path starts at the list's own folder. Empty lines, and the carriage returns and byte order marks
 * of other systems, do no harm. In list.csv commas or semicolons part the columns, which may be
 * quoted. A first line of headings says which columns are meant, where there are more.
 */
#include "data/data.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/listing.h"
#include "data/shards.h"

#define MAX_BYTES ((size_t)1 << 30)
#define MAX_LINE 8192

#define MOST_COLUMNS 64

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);

    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

static bool list_matches(const char *name, const struct stat *info)
{
    return (ends_in(name, ".tsv") || ends_in(name, ".csv")) && info && S_ISREG(info->st_mode);
}

struct reader {
    const char *name;
    size_t folder; /* bytes of `name` up to and with the last slash */
    char *joined;  /* the folder, then room for a relative path of a line */
    char *line;    /* [MAX_LINE] */
    char separator;
    bool begun, headed;
    size_t path, class; /* the columns; 0 and 1 without headings */
    struct zf_listing listing;
};

/* ---- Columns ---- */

static const char *name_of(char separator)
{
    return separator == '\t' ? "tab" : separator == ';' ? "semicolon" : "comma";
}

/* The next column of a line, without its quotes, in place; *line is NULL behind the last. */
static char *take_column(char **line, char separator)
{
    char *begin = *line, *out = begin, *p = begin;
    const bool quoted = separator != '\t' && *begin == '"';

    for (p += quoted; *p && (quoted || *p != separator); p++) {
        if (quoted && *p == '"' && *++p != '"')
            break;
        *out++ = *p;
    }
    *line = *p == separator ? p + 1 : NULL;
    *out = '\0';
    return begin;
}

/* How many columns a line has, the first of them in `columns`. */
static size_t split(char *line, char separator, char *columns[MOST_COLUMNS])
{
    size_t count = 0;

    while (line && count < MOST_COLUMNS)
        columns[count++] = take_column(&line, separator);
    return count + (line != NULL);
}

/* Which column has one of these headings; `count` for none. */
static size_t find_heading(char **columns, size_t count, const char *const *words)
{
    for (; *words; words++) {
        for (size_t k = 0; k < count; k++) {
            if (strcasecmp(columns[k], *words) == 0)
                return k;
        }
    }
    return count;
}

/* Headings name both columns. */
static bool take_headings(struct reader *reader, char **columns, size_t count)
{
    static const char *const paths[] = {"path",       "filepath", "file_path", "filename",
                                        "file_name",  "file",     "image",     "img",
                                        "image_path", "img_path", "picture",   NULL};
    static const char *const classes[] = {
        "class", "label", "class_name", "label_name", "category", "species", "target", "y", NULL};
    const size_t path = find_heading(columns, count, paths);
    const size_t class = find_heading(columns, count, classes);

    if (path == count || class == count)
        return false;
    reader->path = path;
    reader->class = class;
    reader->headed = true;
    return true;
}

/* ---- Lines ---- */

static enum zf_status add_line(struct reader *reader, int64_t number, struct zf_error *err)
{
    char *columns[MOST_COLUMNS];
    const char *parted = name_of(reader->separator), *path, *class;
    const size_t count = split(reader->line, reader->separator, columns);
    const bool first = !reader->begun;

    reader->begun = true;
    if (first && count <= MOST_COLUMNS && take_headings(reader, columns, count))
        return ZF_OK;
    if (count <= reader->path || count <= reader->class)
        return zf_fail(err, ZF_EINPUT, "%s:%" PRId64 ": no %s between a path and a class",
                       reader->name, number, parted);
    if (count > (reader->headed ? MOST_COLUMNS : 2))
        return zf_fail(err, ZF_EINPUT,
                       "%s:%" PRId64 ": a second %s where \"path <%s> class\" is expected",
                       reader->name, number, parted, parted);
    path = columns[reader->path];
    class = columns[reader->class];
    if (!*path || !*class)
        return zf_fail(err, ZF_EINPUT, "%s:%" PRId64 ": %s where \"path <%s> class\" is expected",
                       reader->name, number, *path ? "an empty class" : "an empty path", parted);
    if (*path != '/')
        memcpy(reader->joined + reader->folder, path, strlen(path) + 1);
    return zf_listing_add(&reader->listing, *path == '/' ? path : reader->joined, class, err);
}

/* Of a .csv the one that its first line has, which semicolons are where commas stand in numbers. */
static char separator_of(const char *name, const char *at, const char *end)
{
    if (!ends_in(name, ".csv"))
        return '\t';
    for (; at < end && *at != '\n'; at++) {
        if (*at == ',' || *at == ';' || *at == '\t')
            return *at;
    }
    return ',';
}

static enum zf_status read_lines(struct reader *reader, const struct zf_bytes *file,
                                 struct zf_error *err)
{
    const char *at = (const char *)file->data, *end = at + file->size;

    if (file->size >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3; /* a byte order mark */
    if (file->size >= 2 && (memcmp(at, "\xFF\xFE", 2) == 0 || memcmp(at, "\xFE\xFF", 2) == 0))
        return zf_fail(err, ZF_EINPUT, "%s is written in UTF-16; save it as UTF-8", reader->name);
    reader->separator = separator_of(reader->name, at, end);
    for (int64_t number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - at);

        if (length > 0 && at[length - 1] == '\r')
            length--;
        if (length >= MAX_LINE || memchr(at, '\0', length))
            return zf_fail(err, ZF_EINPUT, "%s:%" PRId64 ": %s", reader->name, number,
                           length >= MAX_LINE ? "a line of 8192 bytes or more"
                                              : "a zero byte: this is not a text file");
        memcpy(reader->line, at, length);
        reader->line[length] = '\0';
        if (length > 0)
            ZF_CHECK(add_line(reader, number, err));
        at = newline ? newline + 1 : end;
    }
    if (reader->listing.count == 0)
        return zf_fail(err, ZF_EINPUT, "%s lists no pictures", reader->name);
    return ZF_OK;
}

enum zf_status zf_list_parse(const struct zf_bytes *file, struct zf_data *data,
                             struct zf_error *err)
{
    enum zf_status status;
    const char *slash = strrchr(data->name, '/');
    struct reader reader = {.name = data->name, .class = 1};

    if (file->size == 0)
        return zf_fail(err, ZF_EINPUT, "%s is empty", data->name);
    reader.folder = slash ? (size_t)(slash - data->name) + 1 : 0;
    reader.joined = zf_alloc_raw(reader.folder + MAX_LINE, 1);
    reader.line = zf_alloc_raw(MAX_LINE, 1);
    if (!reader.joined || !reader.line)
        ZF_LEAVE(zf_no_memory(err, "the list %s", reader.name));
    memcpy(reader.joined, data->name, reader.folder);
    ZF_TRY(read_lines(&reader, file, err));
    ZF_TRY(zf_listing_finish(&reader.listing, data, NULL, err));
fail:
    zf_listing_release(&reader.listing);
    zf_free(reader.line);
    zf_free(reader.joined);
    return status;
}

static enum zf_status list_open(struct zf_data *data, struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    ZF_TRY(zf_bytes_map(&file, data->name, MAX_BYTES, err));
    ZF_TRY(zf_list_parse(&file, data, err));
    ZF_TRY(zf_shards_find_listed(data, err));
fail:
    zf_bytes_release(&file);
    return status;
}

static enum zf_status list_square(const struct zf_data *data, int64_t i,
                                  struct zf_geometry geometry, struct zf_picture *square,
                                  struct zf_oddity *odd, struct zf_error *err)
{
    return data->state ? zf_shards_square(data, i, geometry, square, odd, err)
                       : zf_data_square_of_file(data, i, geometry, square, odd, err);
}

const struct zf_data_kind zf_data_list = {
    .name = "list",
    .form = "a .tsv or .csv list of path and class",
    .matches = list_matches,
    .open = list_open,
    .square = list_square,
    .close = zf_shards_close,
};
