/* SPDX-License-Identifier: MIT */
#include "checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/metadata.h"
#include "net/net.h"
#include "train/checkpoint_fields.h"

/* All that will stand in the file; pointers into the net, the velocity and the checkpoint. */
struct contents {
    struct zf_stored *tensors;
    size_t count, capacity;
    double *recipe;                          /* one a recipe option */
    char (*names)[ZF_CHECKPOINT_NAME_BYTES]; /* made up here: of recipe options and velocities */
    size_t name_count;
    char *spec, *labels, crc[16];
    struct zf_note notes[ZF_KEPT_COUNT];
};

static void contents_release(struct contents *contents)
{
    zf_free(contents->tensors);
    zf_free(contents->recipe);
    zf_free(contents->names);
    zf_free(contents->spec);
    zf_free(contents->labels);
}

static enum zf_status contents_init(struct contents *contents, size_t options, size_t slots,
                                    struct zf_error *err)
{
    size_t fields;

    zf_checkpoint_fields(&fields);
    contents->capacity = fields + options + 2 * slots + 1;
    contents->tensors = zf_alloc(contents->capacity, sizeof *contents->tensors);
    contents->recipe = zf_alloc(options, sizeof *contents->recipe);
    contents->names = zf_alloc(options + slots, sizeof *contents->names);
    if (!contents->tensors || !contents->recipe || !contents->names)
        return zf_no_memory(err, "a checkpoint of %zu tensors", slots);
    return ZF_OK;
}

/* "prefix" "name", kept with the contents. */
static const char *make_name(struct contents *contents, const char *prefix, const char *name)
{
    char *made = contents->names[contents->name_count++];

    snprintf(made, ZF_CHECKPOINT_NAME_BYTES, "%s%s", prefix, name);
    return made;
}

static void add_scalar(struct contents *contents, const char *name, enum zf_dtype dtype,
                       const void *value)
{
    contents->tensors[contents->count++] =
        (struct zf_stored){.name = name, .dtype = dtype, .data = value, .bytes = 8};
}

static void add_floats(struct contents *contents, const char *name, struct zf_dims dims,
                       const float *data)
{
    struct zf_stored *tensor = &contents->tensors[contents->count++];

    *tensor = (struct zf_stored){.name = name, .dtype = ZF_F32, .rank = dims.rank, .data = data};
    tensor->bytes = sizeof *data;
    for (int i = 0; i < dims.rank; i++) {
        tensor->dims[i] = dims.d[i];
        tensor->bytes *= (size_t)dims.d[i];
    }
}

static void add_numbers(struct contents *contents, const struct zf_checkpoint *checkpoint)
{
    size_t count;
    const struct zf_checkpoint_field *fields = zf_checkpoint_fields(&count);
    const struct zf_option *options;

    for (size_t i = 0; i < count; i++)
        add_scalar(contents, fields[i].name, fields[i].dtype,
                   (const char *)checkpoint + fields[i].offset);
    options = zf_recipe_options(&count);
    for (size_t i = 0; i < count; i++) {
        contents->recipe[i] = zf_option_number(&options[i], &checkpoint->recipe);
        add_scalar(contents, make_name(contents, "recipe.", options[i].name), ZF_F64,
                   &contents->recipe[i]);
    }
}

static void add_parameters(struct contents *contents, const struct zf_net *net,
                           const float *velocity)
{
    const struct zf_preparation *preparation = &net->preparation;

    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];

        add_floats(contents, slot->name, slot->dims, net->parameters + slot->offset);
        add_floats(contents, make_name(contents, "velocity.", slot->name), slot->dims,
                   velocity + slot->offset);
    }
    if (preparation->mean_image)
        add_floats(contents, ZF_MEAN_IMAGE,
                   (struct zf_dims){3, {3, preparation->size, preparation->size}},
                   preparation->mean_image);
}

static enum zf_status add_notes(struct contents *contents, const struct zf_net *net,
                                const struct zf_checkpoint *checkpoint, struct zf_error *err)
{
    contents->spec = zf_metadata_spec(net);
    contents->labels = zf_metadata_labels(net);
    if (!contents->spec || !contents->labels)
        return zf_no_memory(err, "%" PRId64 " labels", net->classes);
    for (int i = 0; i < ZF_KEPT_COUNT; i++)
        contents->notes[i].key = zf_kept_keys[i];
    contents->notes[ZF_KEPT_FORMAT].value = ZF_CHECKPOINT_FORMAT;
    contents->notes[ZF_KEPT_VERSION].value = zf_version();
    contents->notes[ZF_KEPT_SPEC].value = contents->spec;
    contents->notes[ZF_KEPT_LABELS].value = contents->labels;
    contents->notes[ZF_KEPT_ENGINE].value = checkpoint->engine;
    snprintf(contents->crc, sizeof contents->crc, "%08" PRIx32,
             zf_checkpoint_crc(contents->tensors, contents->count, contents->notes, ZF_KEPT_CRC));
    contents->notes[ZF_KEPT_CRC].value = contents->crc;
    return ZF_OK;
}

static enum zf_status write_file(const char *path, const struct contents *contents,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};

    ZF_TRY(zf_output_open(&output, path, err));
    ZF_TRY(zf_safetensors_write(&output, contents->tensors, contents->count, contents->notes,
                                ZF_KEPT_COUNT, err));
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    return status;
}

/* `fresh` becomes `current`, which becomes `previous`; `current` exists all the while. */
static enum zf_status rotate(const char *fresh, const char *current, const char *previous,
                             const char *link_name, struct zf_error *err)
{
    unlink(link_name);
    if (link(current, link_name) == 0) {
        if (rename(link_name, previous) != 0)
            return zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", previous);
        unlink(link_name); /* stays where both were one file already */
    } else if (errno != ENOENT && rename(current, previous) != 0)
        return zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", previous);
    if (rename(fresh, current) != 0)
        return zf_fail_errno(err, ZF_EIO, errno, "cannot write %s", current);
    return ZF_OK;
}

static enum zf_status write_and_rotate(const char *run, const struct contents *contents,
                                       struct zf_error *err)
{
    enum zf_status status;
    char *current = zf_path_join(run, "checkpoint");
    char *previous = zf_path_join(run, "checkpoint.previous");
    char *fresh = zf_path_join(run, "checkpoint.tmp-1"); /* names that the next run clears away */
    char *link_name = zf_path_join(run, "checkpoint.tmp-2");

    if (!current || !previous || !fresh || !link_name)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", run));
    ZF_TRY(write_file(fresh, contents, err));
    status = rotate(fresh, current, previous, link_name, err);
    if (status != ZF_OK) {
        unlink(fresh);
        unlink(link_name);
    }
fail:
    zf_free(current);
    zf_free(previous);
    zf_free(fresh);
    zf_free(link_name);
    return status;
}

enum zf_status zf_checkpoint_save(const char *run, const struct zf_net *net, const float *velocity,
                                  const struct zf_checkpoint *checkpoint, struct zf_error *err)
{
    enum zf_status status;
    struct contents contents = {0};
    size_t options;

    zf_recipe_options(&options);
    ZF_TRY(contents_init(&contents, options, (size_t)net->slot_count, err));
    add_numbers(&contents, checkpoint);
    add_parameters(&contents, net, velocity);
    ZF_TRY(add_notes(&contents, net, checkpoint, err));
    ZF_TRY(write_and_rotate(run, &contents, err));
fail:
    contents_release(&contents);
    return status;
}
