/* SPDX-License-Identifier: MIT */
/*
 * list.tsv: a line for each picture, "path <tab> class"; a path may lead into a tar. A relative
 * path starts at the list's own folder. Empty lines, and the carriage returns and byte order marks
 * of other systems, do no harm.
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

static bool list_matches(const char *name, const struct stat *info)
{
    const size_t length = strlen(name);

    return length > 4 && strcasecmp(name + length - 4, ".tsv") == 0 && info &&
           S_ISREG(info->st_mode);
}

struct reader {
    const char *name;
    size_t folder; /* bytes of `name` up to and with the last slash */
    char *joined;  /* the folder, then room for a line: a relative path is joined where it lies */
    struct zf_listing listing;
};

static enum zf_status add_line(struct reader *reader, int64_t number, struct zf_error *err)
{
    char *line = reader->joined + reader->folder;
    char *tab = strchr(line, '\t');

    if (!tab)
        return zf_fail(err, ZF_EINPUT, "%s:%" PRId64 ": no tab between a path and a class",
                       reader->name, number);
    *tab = '\0';
    if (tab == line || tab[1] == '\0' || strchr(tab + 1, '\t'))
        return zf_fail(err, ZF_EINPUT, "%s:%" PRId64 ": %s where \"path <tab> class\" is expected",
                       reader->name, number,
                       tab == line      ? "an empty path"
                       : tab[1] == '\0' ? "an empty class"
                                        : "a second tab");
    return zf_listing_add(&reader->listing, line[0] == '/' ? line : reader->joined, tab + 1, err);
}

static enum zf_status read_lines(struct reader *reader, const struct zf_bytes *file,
                                 struct zf_error *err)
{
    char *line = reader->joined + reader->folder;
    const char *at = (const char *)file->data, *end = at + file->size;

    if (file->size >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3; /* a byte order mark */
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
        memcpy(line, at, length);
        line[length] = '\0';
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
    struct reader reader = {.name = data->name};

    if (file->size == 0)
        return zf_fail(err, ZF_EINPUT, "%s is empty", data->name);
    reader.folder = slash ? (size_t)(slash - data->name) + 1 : 0;
    reader.joined = zf_alloc_raw(reader.folder + MAX_LINE, 1);
    if (!reader.joined)
        return zf_fail(err, ZF_ENOMEM, "no memory to read %s", reader.name);
    memcpy(reader.joined, data->name, reader.folder);
    ZF_TRY(read_lines(&reader, file, err));
    ZF_TRY(zf_listing_finish(&reader.listing, data, NULL, err));
fail:
    zf_listing_release(&reader.listing);
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
    .form = "a .tsv list of path and class",
    .matches = list_matches,
    .open = list_open,
    .square = list_square,
    .close = zf_shards_close,
};
