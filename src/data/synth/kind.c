/* SPDX-License-Identifier: MIT */
/* "synth:", "synth:train", "synth:val", each with ":N" for another number of pictures. */
#include "data/data.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/synth/scene.h"

#define PREFIX "synth:"
#define PATH_BYTES 32 /* "synth:train#1234567" and its NUL */

static const struct {
    const char *name;
    enum zf_synth_split split;
    int64_t count; /* unless said otherwise */
} splits[] = {
    {"train", ZF_SYNTH_TRAIN, 4000},
    {"val", ZF_SYNTH_VAL, 800},
};

struct state {
    enum zf_synth_split split;
    int64_t *index; /* [count]: the picture's number within its split */
};

static bool synth_matches(const char *name, const struct stat *info)
{
    (void)info;
    return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

/* Digits only, as strtoll would also take " +7". */
static bool parse_count(const char *text, int64_t *count)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *count = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static enum zf_status parse_name(const char *name, size_t *split, int64_t *count,
                                 struct zf_error *err)
{
    const char *word = name + strlen(PREFIX);
    const size_t length = strcspn(word, ":");
    size_t s = 0;

    while (length > 0 && s < ZF_COUNT(splits) &&
           (strlen(splits[s].name) != length || memcmp(splits[s].name, word, length) != 0))
        s++;
    if (s == ZF_COUNT(splits) || (length == 0 && word[0] != '\0'))
        return zf_fail(err, ZF_EINPUT,
                       "%s: expected synth:train or synth:val, with :N for N pictures", name);
    *split = s;
    *count = splits[s].count;
    if (word[length] == ':' && !parse_count(word + length + 1, count))
        return zf_fail(err, ZF_EINPUT, "%s: \"%s\" is not a number of pictures", name,
                       word + length + 1);
    if (*count < ZF_SYNTH_CLASSES || *count > ZF_SYNTH_MAX_IMAGES)
        return zf_fail(err, ZF_EINPUT, "%s: %" PRId64 " pictures are not within %d and %d", name,
                       *count, ZF_SYNTH_CLASSES, ZF_SYNTH_MAX_IMAGES);
    return ZF_OK;
}

/* By class, then by number within the split. */
static void list_samples(struct zf_data *data, struct state *state, const char *split)
{
    int64_t i = 0;

    for (int k = 0; k < ZF_SYNTH_CLASSES; k++) {
        for (int64_t index = k; index < data->count; index += ZF_SYNTH_CLASSES, i++) {
            state->index[i] = index;
            data->labels[i] = k;
            data->owned_path_at[i] = (uint64_t)i * PATH_BYTES;
            snprintf(data->owned_paths + i * PATH_BYTES, PATH_BYTES, PREFIX "%s#%" PRId64, split,
                     index);
        }
    }
}

static enum zf_status synth_open(struct zf_data *data, struct zf_error *err)
{
    struct state *state = zf_alloc(1, sizeof *state);
    size_t split = 0;
    int64_t count = 0;
    enum zf_status status = parse_name(data->name, &split, &count, err);
    bool complete;

    data->state = state;
    if (status != ZF_OK)
        return status;
    data->classes = zf_alloc(ZF_SYNTH_CLASSES, sizeof *data->classes);
    data->labels = zf_alloc_raw((size_t)count, sizeof *data->labels);
    data->path_at = data->owned_path_at = zf_alloc_raw((size_t)count, sizeof *data->path_at);
    data->owned_paths = zf_alloc((size_t)count, PATH_BYTES);
    if (state)
        state->index = zf_alloc_raw((size_t)count, sizeof *state->index);
    complete = state && state->index && data->classes && data->labels && data->path_at &&
               data->owned_paths;
    for (int k = 0; complete && k < ZF_SYNTH_CLASSES; k++) {
        data->classes[k] = zf_strdup(zf_synth_class(k));
        complete = data->classes[k] != NULL;
        data->class_count = k + 1;
    }
    if (!complete)
        return zf_fail(err, ZF_ENOMEM, "no memory for the %" PRId64 " pictures of %s", count,
                       data->name);
    state->split = splits[split].split;
    data->paths = data->owned_paths;
    data->count = count;
    list_samples(data, state, splits[split].name);
    return ZF_OK;
}

static void synth_close(struct zf_data *data)
{
    struct state *state = data->state;

    if (state)
        zf_free(state->index);
    zf_free(state);
}

static enum zf_status synth_square(const struct zf_data *data, int64_t i,
                                   struct zf_geometry geometry, struct zf_picture *square,
                                   struct zf_oddity *odd, struct zf_error *err)
{
    enum zf_status status;
    const struct state *state = data->state;
    struct zf_picture picture = {0};

    (void)odd;
    ZF_TRY(zf_synth_render(ZF_SYNTH_SEED, state->split, state->index[i], &picture, NULL, err));
    ZF_TRY(zf_picture_square(&picture, geometry, square, err));
fail:
    zf_picture_release(&picture);
    return status;
}

const struct zf_data_kind zf_data_synth = {
    .name = "synth",
    .form = "synth:train or synth:val",
    .matches = synth_matches,
    .open = synth_open,
    .square = synth_square,
    .close = synth_close,
};
