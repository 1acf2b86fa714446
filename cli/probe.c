/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "zf/report.h"

struct zf_compute probe_run(const struct call *call, int64_t batch)
{
    return (struct zf_compute){.batch = batch,
                               .threads = (int)call->common.threads,
                               .engine = call->common.engine,
                               .exact = call->common.exact,
                               .precision = (enum zf_precision)call->common.precision};
}

void probe_end(const struct call *call, const char *name, char *json)
{
    if (json)
        fprintf(call->out, "%s\n", json);
    zf_text_free(json);
    progress_say(call->progress, "wrote %s/index.html, %s.json and the figures", call->common.out,
                 name);
}

static bool is_prepared(const char *path)
{
    const size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".npy") == 0;
}

/* The size is in the file's header, so this costs little: a JPEG is decoded at an eighth. */
static enum zf_status check_size(const char *path, int64_t smallest, struct zf_error *err)
{
    struct zf_picture picture = {0};
    struct zf_box original;
    enum zf_status status;

    if (smallest <= 1 || is_prepared(path))
        return ZF_OK;
    status = zf_picture_load(path, 1, NULL, &picture, &original, err);
    zf_picture_release(&picture);
    if (status == ZF_OK && (original.width < smallest || original.height < smallest))
        status =
            fail(err, ZF_EINPUT, "%s: %lld x %lld px, smaller than the square of %lld px", path,
                 (long long)original.width, (long long)original.height, (long long)smallest);
    return status;
}

static char *name_of(const char *path, int64_t i, int64_t of)
{
    const size_t room = strlen(path) + 24;
    char *name = malloc(room);

    if (name && of > 1)
        snprintf(name, room, "%s#%lld", path, (long long)i);
    else if (name)
        snprintf(name, room, "%s", path);
    return name;
}

/* Take what was loaded from one file; `pictures` is emptied. */
static enum zf_status append(struct subjects *subjects, const char *path,
                             const struct zf_tensor *inputs, struct zf_picture *pictures,
                             struct zf_error *err)
{
    const size_t count = subjects->count + (size_t)inputs->n;
    const size_t each = (size_t)(inputs->c * inputs->h * inputs->w);
    float *data = realloc(subjects->inputs.data, count * each * sizeof *data);
    struct zf_picture *shown;
    char **names;

    if (!data)
        return fail(err, ZF_ENOMEM, "out of memory for %zu pictures", count);
    subjects->inputs.data = data;
    shown = realloc(subjects->shown, count * sizeof *shown);
    if (!shown)
        return fail(err, ZF_ENOMEM, "out of memory for %zu pictures", count);
    subjects->shown = shown;
    names = realloc(subjects->names, count * sizeof *names);
    if (!names)
        return fail(err, ZF_ENOMEM, "out of memory for %zu pictures", count);
    subjects->names = names;
    memcpy(data + subjects->count * each, inputs->data, (size_t)inputs->n * each * sizeof *data);
    for (int64_t i = 0; i < inputs->n; i++) {
        names[subjects->count] = name_of(path, i, inputs->n);
        if (!names[subjects->count])
            return fail(err, ZF_ENOMEM, "out of memory");
        shown[subjects->count++] = pictures[i];
        pictures[i] = (struct zf_picture){0};
    }
    subjects->inputs = zf_tensor_view(data, (int64_t)count, inputs->c, inputs->h, inputs->w);
    return ZF_OK;
}

enum zf_status subjects_load(struct subjects *subjects, const struct call *call,
                             const struct zf_net *net, int64_t smallest, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_tensor inputs = {0};
    struct zf_picture *pictures = NULL;

    for (size_t i = 1; i < call->args->word_count; i++) {
        const char *path = call->args->words[i];

        TRY(check_size(path, smallest, err));
        TRY(zf_input_load(path, net, &inputs, &pictures, err));
        TRY(append(subjects, path, &inputs, pictures, err));
        zf_pictures_free(&pictures, inputs.n);
        zf_tensor_release(&inputs);
    }
fail:
    zf_pictures_free(&pictures, inputs.n);
    zf_tensor_release(&inputs);
    return status;
}

void subjects_release(struct subjects *subjects)
{
    for (size_t i = 0; i < subjects->count; i++) {
        zf_picture_release(&subjects->shown[i]);
        free(subjects->names[i]);
    }
    free(subjects->inputs.data);
    free(subjects->shown);
    free(subjects->names);
    *subjects = (struct subjects){0};
}
