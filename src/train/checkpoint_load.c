/* SPDX-License-Identifier: MIT */
#include "checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/metadata.h"
#include "net/net.h"
#include "train/checkpoint_fields.h"

static const struct zf_model_limits limits = {.max_file_bytes = INT64_C(32) << 30};

/* A container whose CRC is not that of its contents is as bad as one that does not open. */
static enum zf_status check_crc(const struct zf_safetensors *file, const char *path,
                                struct zf_error *err)
{
    const size_t count = zf_safetensors_count(file);
    struct zf_note notes[ZF_KEPT_COUNT];
    uint32_t crc;

    for (int i = 0; i < ZF_KEPT_COUNT; i++) {
        notes[i].value = zf_safetensors_note(file, zf_kept_keys[i]);
        if (!notes[i].value)
            return zf_fail(err, ZF_EINPUT, "%s: not a checkpoint of zfscope: it lacks \"%s\"", path,
                           zf_kept_keys[i]);
    }
    crc = zf_checkpoint_crc(zf_safetensors_at(file, 0), count, notes, ZF_KEPT_CRC);
    if (crc != strtoul(notes[ZF_KEPT_CRC].value, NULL, 16))
        return zf_fail(err, ZF_EINPUT, "%s: damaged: its CRC is %08" PRIx32 " instead of %.16s",
                       path, crc, notes[ZF_KEPT_CRC].value);
    return ZF_OK;
}

static enum zf_status open_checked(const char *path, struct zf_safetensors **out,
                                   struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;

    ZF_TRY(zf_safetensors_open(path, &limits, &file, err));
    ZF_TRY(check_crc(file, path, err));
    *out = file;
    file = NULL;
fail:
    zf_safetensors_free(&file);
    return status;
}

/* The newest whole checkpoint. One that stands in for a damaged one takes its place, so that the
   next save does not push the damaged one over it. One that only could not be read, for now, is
   nobody's to replace. */
static enum zf_status open_newest(const char *run, struct zf_safetensors **out,
                                  const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_error newest = {0}, older = {0};
    char *current = zf_path_join(run, "checkpoint");
    char *previous = zf_path_join(run, "checkpoint.previous");

    if (!current || !previous)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", run));
    status = open_checked(current, out, &newest);
    if (status != ZF_EINPUT) {
        if (status != ZF_OK && err)
            *err = newest;
        goto fail;
    }
    status = open_checked(previous, out, &older);
    if (status != ZF_OK) {
        zf_fail(err, status, "no checkpoint to go on from: %.340s; %.340s", newest.message,
                older.message);
        goto fail;
    }
    zf_monitor_message(monitor, "%s; going on from %s", newest.message, previous);
    if (rename(previous, current) != 0)
        zf_monitor_message(monitor, "%s could not take the place of %s", previous, current);
fail:
    zf_free(current);
    zf_free(previous);
    return status;
}

/* The first line that differs says more than "another net". */
static enum zf_status compare_lines(const char *was, const char *now, struct zf_error *err)
{
    for (int line = 1; *was || *now; line++) {
        const size_t was_length = strcspn(was, "\n");
        const size_t now_length = strcspn(now, "\n");

        if (was_length != now_length || memcmp(was, now, was_length) != 0)
            return zf_fail(err, ZF_EINPUT,
                           "the checkpoint is of another net: line %d of its spec "
                           "is \"%.*s\", of this net's \"%.*s\"",
                           line, (int)(was_length < 80 ? was_length : 80), was,
                           (int)(now_length < 80 ? now_length : 80), now);
        was += was_length + (was[was_length] == '\n');
        now += now_length + (now[now_length] == '\n');
    }
    return ZF_OK;
}

static enum zf_status check_spec(const struct zf_safetensors *file, const struct zf_net *net,
                                 struct zf_error *err)
{
    enum zf_status status;
    char *spec = zf_metadata_spec(net);

    if (!spec)
        return zf_no_memory(err, "the spec");
    status = compare_lines(zf_safetensors_note(file, zf_kept_keys[ZF_KEPT_SPEC]), spec, err);
    zf_free(spec);
    return status;
}

static enum zf_status missing(const char *name, struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT, "the checkpoint lacks \"%s\", or has it in another shape", name);
}

static enum zf_status read_scalar(const struct zf_safetensors *file, const char *name,
                                  enum zf_dtype dtype, void *value, struct zf_error *err)
{
    const struct zf_stored *stored = zf_safetensors_find(file, name);

    if (!stored || stored->dtype != dtype || stored->bytes != 8)
        return missing(name, err);
    memcpy(value, stored->data, 8);
    return ZF_OK;
}

static enum zf_status read_field(const struct zf_safetensors *file,
                                 const struct zf_checkpoint_field *field, void *value,
                                 struct zf_error *err)
{
    if (field->before == 0 || zf_safetensors_find(file, field->name))
        return read_scalar(file, field->name, field->dtype, value, err);
    memcpy(value, &field->before, sizeof field->before);
    return ZF_OK;
}

/* Of the recipe what checkpoints of 0.1.0 do not have; 0 is as it was then. */
static bool is_later(const char *option)
{
    return strcmp(option, "warmup") == 0 || strcmp(option, "lr_batch") == 0;
}

static enum zf_status read_numbers(const struct zf_safetensors *file,
                                   struct zf_checkpoint *checkpoint, struct zf_error *err)
{
    size_t count;
    const struct zf_checkpoint_field *fields = zf_checkpoint_fields(&count);
    const struct zf_option *options;
    char name[ZF_CHECKPOINT_NAME_BYTES];
    double value, most;

    for (size_t i = 0; i < count; i++)
        ZF_CHECK(read_field(file, &fields[i], (char *)checkpoint + fields[i].offset, err));
    options = zf_recipe_options(&count);
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "recipe.%s", options[i].name);
        if (is_later(options[i].name) && !zf_safetensors_find(file, name)) {
            zf_option_put(&options[i], 0, &checkpoint->recipe);
            continue;
        }
        ZF_CHECK(read_scalar(file, name, ZF_F64, &value, err));
        most = zf_option_largest(&options[i]);
        if (!(value >= options[i].min && value <= most))
            return zf_fail(err, ZF_EINPUT, "the checkpoint has %s %g, outside of %g to %g",
                           options[i].name, value, options[i].min, most);
        zf_option_put(&options[i], value, &checkpoint->recipe);
    }
    snprintf(checkpoint->engine, sizeof checkpoint->engine, "%s",
             zf_safetensors_note(file, zf_kept_keys[ZF_KEPT_ENGINE]));
    return ZF_OK;
}

static enum zf_status read_floats(const struct zf_safetensors *file, const char *prefix,
                                  const struct zf_parameter_slot *slot, float *dst,
                                  struct zf_error *err)
{
    char name[ZF_CHECKPOINT_NAME_BYTES];
    const struct zf_stored *stored;

    snprintf(name, sizeof name, "%s%s", prefix, slot->name);
    stored = zf_safetensors_find(file, name);
    if (!stored || stored->dtype != ZF_F32 || stored->bytes != (size_t)slot->count * sizeof *dst)
        return missing(name, err);
    memcpy(dst, stored->data, stored->bytes);
    return ZF_OK;
}

static enum zf_status read_mean(const struct zf_safetensors *file, struct zf_net *net,
                                struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_preparation preparation = net->preparation;
    const struct zf_stored *stored = zf_safetensors_find(file, ZF_MEAN_IMAGE);
    const int64_t floats = 3 * preparation.size * preparation.size;
    float *mean = NULL;

    if (!stored)
        return ZF_OK;
    if (stored->dtype != ZF_F32 || stored->bytes != (size_t)floats * sizeof *mean)
        return missing(ZF_MEAN_IMAGE, err);
    mean = zf_alloc_raw((size_t)floats, sizeof *mean);
    if (!mean)
        return zf_no_memory(err, "the mean image");
    memcpy(mean, stored->data, stored->bytes);
    preparation.mean_image = mean;
    status = zf_net_set_preparation(net, &preparation, err);
    zf_free(mean);
    return status;
}

enum zf_status zf_checkpoint_load(const char *run, struct zf_net *net, float *velocity,
                                  struct zf_checkpoint *checkpoint,
                                  const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;
    struct zf_checkpoint read = {0};
    const char *version;

    ZF_TRY(open_newest(run, &file, monitor, err));
    version = zf_safetensors_note(file, zf_kept_keys[ZF_KEPT_VERSION]);
    if (strcmp(zf_safetensors_note(file, zf_kept_keys[ZF_KEPT_FORMAT]), ZF_CHECKPOINT_FORMAT) != 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "the checkpoint was written by zfscope %.20s in a form "
                         "that %s cannot read",
                         version, zf_version()));
    if (strcmp(version, zf_version()) != 0)
        zf_monitor_message(monitor,
                           "the run was begun by zfscope %s and goes on with %s: the "
                           "last bits may differ",
                           version, zf_version());
    ZF_TRY(check_spec(file, net, err));
    ZF_TRY(read_numbers(file, &read, err));
    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];

        ZF_TRY(read_floats(file, "", slot, net->parameters + slot->offset, err));
        ZF_TRY(read_floats(file, "velocity.", slot, velocity + slot->offset, err));
    }
    ZF_TRY(read_mean(file, net, err));
    ZF_TRY(zf_metadata_read_labels(zf_safetensors_note(file, zf_kept_keys[ZF_KEPT_LABELS]),
                                   "the checkpoint", net, err));
    *checkpoint = read;
fail:
    zf_safetensors_free(&file);
    return status;
}

enum zf_status zf_checkpoint_shards(const char *run, int64_t *shards,
                                    const struct zf_monitor *monitor, struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;
    struct zf_checkpoint numbers;

    ZF_TRY(open_newest(run, &file, monitor, err));
    ZF_TRY(read_numbers(file, &numbers, err));
    *shards = numbers.shards;
fail:
    zf_safetensors_free(&file);
    return status;
}

enum zf_status zf_checkpoint_verify(const char *path, int64_t *epochs, struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;
    struct zf_checkpoint numbers;

    ZF_TRY(open_checked(path, &file, err));
    ZF_TRY(read_numbers(file, &numbers, err));
    *epochs = numbers.epoch - 1; /* that one is in progress */
fail:
    zf_safetensors_free(&file);
    return status;
}

enum zf_status zf_checkpoint_planned(const char *run, int64_t *epochs, struct zf_error *err)
{
    char *path = zf_path_join(run, "checkpoint");
    struct zf_safetensors *file = NULL;
    enum zf_status status;
    double planned;

    if (!path)
        return zf_no_memory(err, "a path");
    ZF_TRY(zf_safetensors_open(path, &limits, &file, err));
    ZF_TRY(read_scalar(file, "recipe.epochs", ZF_F64, &planned, err));
    *epochs = planned >= 0 && planned < 1e9 ? (int64_t)planned : 0;
fail:
    zf_safetensors_free(&file);
    zf_free(path);
    return status;
}

bool zf_checkpoint_exists(const char *run)
{
    static const char *const names[] = {"checkpoint", "checkpoint.previous"};
    bool exists = false;

    for (size_t i = 0; i < ZF_COUNT(names) && !exists; i++) {
        char *path = zf_path_join(run, names[i]);

        /* What cannot be told, for now, is not taken for a free place. */
        exists = !path || access(path, F_OK) == 0 || zf_status_of_errno(errno) != ZF_EINPUT;
        zf_free(path);
    }
    return exists;
}
