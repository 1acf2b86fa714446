/* SPDX-License-Identifier: MIT */
/* Some of a data set's samples, as a data set of its own. It has no name to be opened by. */
#include "data/data.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/cache.h"

struct state {
    const struct zf_data *whole;
    int64_t *samples; /* [count]: of `whole` */
};

static enum zf_status subset_square(const struct zf_data *data, int64_t i,
                                    struct zf_geometry geometry, struct zf_picture *square,
                                    struct zf_oddity *odd, struct zf_error *err)
{
    const struct state *state = data->state;

    return state->whole->kind->square(state->whole, state->samples[i], geometry, square, odd, err);
}

static void subset_close(struct zf_data *data)
{
    struct state *state = data->state;

    if (state)
        zf_free(state->samples);
    zf_free(state);
}

static const struct zf_data_kind subset_kind = {
    .name = "subset",
    .square = subset_square,
    .close = subset_close,
};

static bool copy_classes(struct zf_data *data, const struct zf_data *whole)
{
    data->classes = zf_alloc((size_t)whole->class_count, sizeof *data->classes);
    for (int64_t k = 0; data->classes && k < whole->class_count; k++) {
        data->classes[k] = zf_strdup(whole->classes[k]);
        if (!data->classes[k])
            return false;
        data->class_count = k + 1;
    }
    return data->classes != NULL;
}

enum zf_status zf_data_subset(const struct zf_data *whole, const int64_t *samples, int64_t count,
                              struct zf_data **out, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_data *data = zf_alloc(1, sizeof *data);
    struct state *state = zf_alloc(1, sizeof *state);

    if (data) {
        data->kind = &subset_kind;
        data->state = state;
        data->name = zf_format("%" PRId64 " pictures of %s", count, whole->name);
        data->cache = zf_cache_create();
        data->labels = zf_alloc_raw((size_t)count, sizeof *data->labels);
        data->path_at = data->owned_path_at = zf_alloc_raw((size_t)count, sizeof *data->path_at);
        data->paths = whole->paths;
        data->fixed = whole->fixed;
    }
    if (state)
        state->samples = zf_alloc_raw((size_t)count, sizeof *state->samples);
    if (!data || !state || !state->samples || !data->name || !data->cache || !data->labels ||
        !data->path_at || !copy_classes(data, whole)) {
        status =
            zf_fail(err, ZF_ENOMEM, "no memory for %" PRId64 " pictures of %s", count, whole->name);
        if (!data)
            zf_free(state);
        goto fail;
    }
    state->whole = whole;
    for (int64_t i = 0; i < count; i++) {
        if (samples[i] < 0 || samples[i] >= whole->count)
            ZF_LEAVE(zf_fail(err, ZF_EINVAL,
                             "sample %" PRId64 " is not one of the %" PRId64 " of %s", samples[i],
                             whole->count, whole->name));
        state->samples[i] = samples[i];
        data->labels[i] = (int32_t)zf_data_label(whole, samples[i]);
        data->owned_path_at[i] = whole->path_at[samples[i]];
    }
    data->count = count;
    *out = data;
    data = NULL;
fail:
    zf_data_free(&data);
    return status;
}
