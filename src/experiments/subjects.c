/* SPDX-License-Identifier: MIT */
#include "experiments/subjects.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/words.h"
#include "data/imagenet.h"
#include "data/names.h"
#include "tensor/array_file.h"

/* The size is in the file's header, so this costs little: a JPEG is decoded at an eighth. */
static enum zf_status check_size(const char *path, int64_t smallest, struct zf_error *err)
{
    struct zf_picture picture = {0};
    struct zf_box original;

    if (smallest <= 1 || zf_is_array(path))
        return ZF_OK;
    ZF_CHECK(zf_picture_load(path, 1, NULL, &picture, &original, err));
    zf_picture_release(&picture);
    if (original.width < smallest || original.height < smallest)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %" PRId64 " x %" PRId64 " px, smaller than the square of %" PRId64
                       " px",
                       path, original.width, original.height, smallest);
    return ZF_OK;
}

/* Room for `count` subjects of `each` values in all; what is there stays. */
static bool make_room(struct zf_subjects *subjects, size_t count, size_t each)
{
    float *data = zf_alloc_raw(count * each, sizeof *data);
    struct zf_picture *shown = zf_alloc(count, sizeof *shown);
    char **names = zf_alloc(count, sizeof *names);

    if (!data || !shown || !names) {
        zf_free(data);
        zf_free(shown);
        zf_free(names);
        return false;
    }
    if (subjects->count > 0) {
        memcpy(data, subjects->inputs.data, subjects->count * each * sizeof *data);
        memcpy(shown, subjects->shown, subjects->count * sizeof *shown);
        memcpy(names, subjects->names, subjects->count * sizeof *names);
    }
    zf_free(subjects->inputs.data);
    zf_free(subjects->shown);
    zf_free(subjects->names);
    subjects->inputs.data = data;
    subjects->shown = shown;
    subjects->names = names;
    return true;
}

/* Take what was loaded from one file; `pictures` is emptied. */
static enum zf_status append(struct zf_subjects *subjects, const char *path,
                             const struct zf_tensor *inputs, struct zf_picture *pictures,
                             struct zf_error *err)
{
    const size_t count = subjects->count + (size_t)inputs->n;
    const size_t each = (size_t)(inputs->c * inputs->h * inputs->w);

    if (!make_room(subjects, count, each))
        return zf_no_memory(err, "%zu pictures", count);
    memcpy(subjects->inputs.data + subjects->count * each, inputs->data,
           (size_t)inputs->n * each * sizeof(float));
    for (int64_t i = 0; i < inputs->n; i++) {
        char *name = inputs->n > 1 ? zf_format("%s#%" PRId64, path, i) : zf_strdup(path);

        if (!name)
            return zf_no_memory(err, "the names of %zu pictures", count);
        subjects->names[subjects->count] = name;
        subjects->shown[subjects->count++] = pictures[i];
        pictures[i] = (struct zf_picture){0};
    }
    subjects->inputs =
        zf_tensor_view(subjects->inputs.data, (int64_t)count, inputs->c, inputs->h, inputs->w);
    return ZF_OK;
}

enum zf_status zf_subjects_load(struct zf_subjects *subjects, const struct zf_call *call,
                                int64_t smallest, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_tensor inputs = {0};
    struct zf_picture *pictures = NULL;

    for (size_t i = 0; i < call->argument_count; i++) {
        const char *path = call->arguments[i];

        ZF_TRY(check_size(path, smallest, err));
        ZF_TRY(zf_input_load(path, call->net, &inputs, &pictures, err));
        ZF_TRY(append(subjects, path, &inputs, pictures, err));
        zf_pictures_free(&pictures, inputs.n);
        zf_tensor_release(&inputs);
    }
fail:
    zf_pictures_free(&pictures, inputs.n);
    zf_tensor_release(&inputs);
    return status;
}

void zf_subjects_release(struct zf_subjects *subjects)
{
    for (size_t i = 0; i < subjects->count; i++) {
        zf_picture_release(&subjects->shown[i]);
        zf_free(subjects->names[i]);
    }
    zf_free(subjects->inputs.data);
    zf_free(subjects->shown);
    zf_free(subjects->names);
    *subjects = (struct zf_subjects){0};
}

/* The class that the picture's folder names, by its label or ImageNet's number; -1 = none. */
static int64_t class_of_folder(const struct zf_net *net, const char *path)
{
    const char *end = strrchr(path, '/');
    const char *start = end;
    int64_t found = -1;
    char *folder;

    if (!end)
        return -1;
    while (start > path && start[-1] != '/')
        start--;
    folder = zf_format("%.*s", (int)(end - start), start);
    for (int64_t k = 0; folder && zf_net_has_labels(net) && k < zf_net_class_count(net); k++)
        if (zf_names_equal(zf_net_label(net, k), folder))
            found = k;
    if (folder && found < 0)
        found = zf_imagenet_output(net, folder);
    zf_free(folder);
    return found;
}

enum zf_status zf_subject_classes(const struct zf_net *net, const char *class,
                                  const char *const *paths, size_t count, int64_t **classes,
                                  struct zf_error *err)
{
    struct zf_error reason = {0};
    int64_t *made = zf_alloc(count, sizeof *made);
    int64_t wanted = -1;
    bool by_folder = !class, needed = false;
    enum zf_status status = ZF_OK;

    if (!made)
        return zf_no_memory(err, "%zu classes", count);
    if (class && zf_net_find_class(net, class, &wanted, &reason) != ZF_OK) {
        by_folder = needed = strcmp(class, "true") == 0;
        if (!needed && strcmp(class, "predicted") != 0)
            ZF_TRY(zf_fail(err, reason.status, "%s", reason.message));
    }
    for (size_t i = 0; i < count; i++) {
        made[i] = by_folder ? class_of_folder(net, paths[i]) : wanted;
        if (needed && made[i] < 0)
            ZF_TRY(zf_fail(err, ZF_EINPUT,
                           "%s: its folder is no class of %s, so the true one is not known",
                           paths[i], zf_net_name(net)));
    }
    *classes = made;
    made = NULL;
fail:
    zf_free(made);
    return status;
}

enum zf_status zf_option_needed(const char *experiment, const char *text, const char *what,
                                struct zf_error *err)
{
    return text ? ZF_OK : zf_fail(err, ZF_EINVAL, "%s needs %s", experiment, what);
}
