/* SPDX-License-Identifier: MIT */
#include "images.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zf/data.h"

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A word that lives as long as the arguments. */
static enum zf_status keep(struct args *args, const char *word, const char **kept,
                           struct zf_error *err)
{
    char **joined = realloc(args->joined, (args->joined_count + 1) * sizeof *joined);

    if (joined)
        args->joined = joined;
    if (!joined || !(joined[args->joined_count] = strdup(word)))
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    *kept = joined[args->joined_count++];
    return ZF_OK;
}

static enum zf_status expand(const struct call *call, struct args *args, size_t at,
                             struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *data = NULL;
    const char **words;
    size_t count;

    ZF_TRY(zf_data_open_noting(args->words[at], call->monitor, &data, err));
    count = (size_t)zf_data_count(data);
    if (access(zf_data_path(data, 0), F_OK) != 0 && errno == ENOTDIR)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s holds tars, and an IMAGE is a file: unpack those that are wanted",
                         args->words[at]));
    words = realloc(args->words, (args->word_count + count) * sizeof *words);
    if (!words)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "out of memory for %zu pictures", count));
    args->words = words;
    memmove(words + at + count, words + at + 1, (args->word_count - at - 1) * sizeof *words);
    args->word_count += count - 1;
    for (size_t i = 0; i < count; i++)
        words[at + i] = "";
    for (size_t i = 0; i < count; i++)
        ZF_TRY(keep(args, zf_data_path(data, (int64_t)i), &words[at + i], err));
fail:
    zf_data_free(&data);
    return status;
}

enum zf_status images_expand(const struct call *call, struct args *args, struct zf_error *err)
{
    for (size_t at = args->word_count; at-- > 1;) {
        if (is_folder(args->words[at])) {
            ZF_CHECK(expand(call, args, at, err));
        }
    }
    return ZF_OK;
}
