/* SPDX-License-Identifier: MIT */
/*
 * list.tsv: a line for each picture, "path <tab> class". A relative path starts at the list's own
 * folder. Empty lines and the carriage returns of other systems do no harm.
 */
#include "data/data.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/listing.h"

#define MAX_BYTES ((size_t)1 << 30)
#define MAX_LINE 8192

static bool list_matches(const char *name)
{
    const size_t length = strlen(name);
    struct stat info;

    return length > 4 && strcasecmp(name + length - 4, ".tsv") == 0 && stat(name, &info) == 0 &&
           S_ISREG(info.st_mode);
}

struct reader {
    const char *name;
    size_t folder; /* bytes of `name` up to and with the last slash */
    struct zf_listing listing;
};

static enum zf_status add_line(struct reader *reader, char *line, int64_t number,
                               struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    char *joined = NULL;
    char *tab = strchr(line, '\t');
    const char *path = line;

    if (!tab)
        return zf_fail(err, ZF_EINPUT, "%s:%lld: no tab between a path and a class", reader->name,
                       (long long)number);
    *tab = '\0';
    if (tab == line || tab[1] == '\0' || strchr(tab + 1, '\t'))
        return zf_fail(err, ZF_EINPUT, "%s:%lld: %s where \"path <tab> class\" is expected",
                       reader->name, (long long)number,
                       tab == line      ? "an empty path"
                       : tab[1] == '\0' ? "an empty class"
                                        : "a second tab");
    if (path[0] != '/' && reader->folder > 0) {
        joined = zf_format("%.*s%s", (int)reader->folder, reader->name, path);
        if (!joined) {
            status = zf_fail(err, ZF_ENOMEM, "no memory to read %s", reader->name);
            goto fail;
        }
        path = joined;
    }
    ZF_TRY(zf_listing_add(&reader->listing, path, tab + 1, err));
fail:
    zf_free(joined);
    return status;
}

static enum zf_status read_lines(struct reader *reader, struct zf_bytes file, struct zf_error *err)
{
    char line[MAX_LINE];
    const char *at = (const char *)file.data, *end = at + file.size;

    for (int64_t number = 1; at < end; number++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - at);
        enum zf_status status;

        if (length > 0 && at[length - 1] == '\r')
            length--;
        if (length >= sizeof line || memchr(at, '\0', length))
            return zf_fail(err, ZF_EINPUT, "%s:%lld: %s", reader->name, (long long)number,
                           length >= sizeof line ? "a line of 8192 bytes or more"
                                                 : "a zero byte: this is not a text file");
        memcpy(line, at, length);
        line[length] = '\0';
        if (length > 0) {
            status = add_line(reader, line, number, err);
            if (status != ZF_OK)
                return status;
        }
        at = newline ? newline + 1 : end;
    }
    if (reader->listing.count == 0)
        return zf_fail(err, ZF_EINPUT, "%s lists no pictures", reader->name);
    return ZF_OK;
}

static enum zf_status list_open(struct zf_data *data, struct zf_error *err)
{
    enum zf_status status;
    const char *slash = strrchr(data->name, '/');
    struct reader reader = {.name = data->name};
    struct zf_bytes file = {0};

    reader.folder = slash ? (size_t)(slash - data->name) + 1 : 0;
    ZF_TRY(zf_bytes_map(&file, data->name, MAX_BYTES, err));
    if (file.size == 0) {
        status = zf_fail(err, ZF_EINPUT, "%s is empty", data->name);
        goto fail;
    }
    ZF_TRY(read_lines(&reader, file, err));
    ZF_TRY(zf_listing_finish(&reader.listing, data, err));
fail:
    zf_bytes_release(&file);
    zf_listing_release(&reader.listing);
    return status;
}

const struct zf_data_kind zf_data_list = {
    .name = "list",
    .form = "a .tsv list of path and class",
    .matches = list_matches,
    .open = list_open,
    .square = zf_data_square_of_file,
};
