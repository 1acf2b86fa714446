/* SPDX-License-Identifier: MIT */
/*
 * The native format: a safetensors file with the net's parameters under their own names, the
 * per-pixel mean, and the spec, labels and preparation in the metadata.
 */
#include "model/format.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/metadata.h"
#include "model/safetensors.h"
#include "net/net.h"

/* Reading: the spec says which tensors there must be; each must be there, and nothing else. */

static bool probe(const struct zf_bytes *bytes)
{
    return bytes->size > 8 && bytes->data[8] == '{';
}

/* The tensor of that name and shape, of numbers. */
static enum zf_status find_floats(const struct zf_safetensors *file, const char *path,
                                  const struct zf_parameter *wanted, const struct zf_stored **out,
                                  struct zf_error *err)
{
    const struct zf_stored *stored = zf_safetensors_find(file, wanted->name);
    char is[160], should[160];
    bool same;

    zf_shape_text(wanted->dims, wanted->rank, should, sizeof should);
    if (!stored)
        return zf_fail(err, ZF_EINPUT, "%s: the tensor \"%.100s\" %s is missing", path,
                       wanted->name, should);
    same = stored->rank == wanted->rank;
    for (int i = 0; i < wanted->rank && same; i++)
        same = stored->dims[i] == wanted->dims[i];
    if (!same)
        return zf_fail(err, ZF_EINPUT, "%s: the tensor \"%.100s\" is %s, its net needs %s", path,
                       wanted->name, zf_shape_text(stored->dims, stored->rank, is, sizeof is),
                       should);
    if (!zf_dtype_is_real(stored->dtype))
        return zf_fail(err, ZF_EINPUT, "%s: the tensor \"%.100s\" is of type %s, not float", path,
                       wanted->name, zf_dtype_name(stored->dtype));
    *out = stored;
    return ZF_OK;
}

static bool is_known(const struct zf_net *net, const char *name)
{
    for (int i = 0; i < net->slot_count; i++) {
        if (strcmp(net->slots[i].name, name) == 0)
            return true;
    }
    return strcmp(name, ZF_MEAN_IMAGE) == 0;
}

/* All that the net needs is there, and nothing else. */
static enum zf_status check_tensors(const struct zf_safetensors *file, const char *path,
                                    const struct zf_net *net, struct zf_error *err)
{
    const size_t count = zf_safetensors_count(file);
    const bool has_mean = zf_safetensors_find(file, ZF_MEAN_IMAGE) != NULL;
    const struct zf_stored *stored;
    char shape[160];

    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter wanted = zf_net_parameter(net, i);

        ZF_CHECK(find_floats(file, path, &wanted, &stored, err));
    }
    for (size_t i = 0; i < count && count > (size_t)net->slot_count + has_mean; i++) {
        stored = zf_safetensors_at(file, i);
        if (!is_known(net, stored->name))
            return zf_fail(err, ZF_EINPUT, "%s: its net has no tensor \"%.100s\" %s", path,
                           stored->name,
                           zf_shape_text(stored->dims, stored->rank, shape, sizeof shape));
    }
    return ZF_OK;
}

/* Where in the file the parameters begin, if they lie there as in the net's array; else 0. */
static size_t find_array(const struct zf_safetensors *file, const struct zf_bytes *bytes,
                         const struct zf_net *net)
{
    size_t begin = 0;

    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];
        const struct zf_stored *stored = zf_safetensors_find(file, slot->name);
        const size_t at = (size_t)((const uint8_t *)stored->data - bytes->data);

        if (i == 0)
            begin = at;
        if (stored->dtype != ZF_F32 || at != begin + (size_t)slot->offset * sizeof(float))
            return 0;
    }
    return begin;
}

static enum zf_status read_parameters(const struct zf_safetensors *file, struct zf_bytes *bytes,
                                      struct zf_net *net, struct zf_error *err)
{
    const size_t begin = find_array(file, bytes, net);
    const bool mapped = begin > 0 && zf_net_map_parameters(net, bytes, begin);
    const enum zf_status status = zf_net_allocate(net, err);

    for (int i = 0; !mapped && status == ZF_OK && i < net->slot_count; i++)
        zf_stored_floats(zf_safetensors_find(file, net->slots[i].name),
                         net->parameters + net->slots[i].offset);
    return status;
}

static enum zf_status read_preparation(const struct zf_safetensors *file, const char *path,
                                       struct zf_net *net, struct zf_error *err)
{
    enum zf_status status;
    const char *note = zf_safetensors_note(file, ZF_NOTE_PREPARATION);
    const struct zf_stored *stored = zf_safetensors_find(file, ZF_MEAN_IMAGE);
    struct zf_preparation preparation = *zf_net_preparation(net);
    struct zf_parameter wanted = {.name = ZF_MEAN_IMAGE, .rank = 3};
    float *mean = NULL;

    if (note)
        ZF_TRY(zf_metadata_read_preparation(note, path, net, &preparation, err));
    preparation.mean_image = NULL;
    if (stored) {
        wanted.dims[0] = 3;
        wanted.dims[1] = wanted.dims[2] = preparation.size;
        ZF_TRY(find_floats(file, path, &wanted, &stored, err));
        mean = zf_alloc((size_t)zf_stored_count(stored), sizeof *mean);
        if (!mean)
            ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory for the mean image", path));
        zf_stored_floats(stored, mean);
        preparation.mean_image = mean;
    }
    ZF_TRY(zf_metadata_set_preparation(net, &preparation, path, err));
fail:
    zf_free(mean);
    return status;
}

static enum zf_status load(struct zf_bytes *bytes, const char *path,
                           const struct zf_model_options *options, struct zf_net **out,
                           struct zf_error *err)
{
    enum zf_status status;
    struct zf_safetensors *file = NULL;
    struct zf_net *net = NULL;
    const char *spec, *answer, *labels;

    ZF_TRY(zf_safetensors_parse(bytes, path, &options->limits, &file, err));
    spec = zf_safetensors_note(file, ZF_NOTE_SPEC);
    if (!spec)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s: tensors without a net: its metadata has no \"" ZF_NOTE_SPEC
                         "\", which models saved by zfscope carry; of another program's, zfscope "
                         "convert NET OUT --weights takes them",
                         path));
    ZF_TRY(zf_net_parse_shapes(spec, path, 0, &net, err));
    ZF_TRY(check_tensors(file, path, net, err));
    ZF_TRY(read_parameters(file, bytes, net, err));
    ZF_TRY(read_preparation(file, path, net, err));
    answer = zf_safetensors_note(file, ZF_NOTE_ANSWER);
    labels = zf_safetensors_note(file, ZF_NOTE_LABELS);
    if (answer)
        ZF_TRY(zf_metadata_read_answer(answer, path, net, err));
    if (labels)
        ZF_TRY(zf_metadata_read_labels(labels, path, net, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    zf_safetensors_free(&file);
    return status;
}

/* Writing. */

static struct zf_stored stored_floats(const char *name, int rank, const int64_t *dims,
                                      const float *data)
{
    struct zf_stored stored = {.name = name, .dtype = ZF_F32, .rank = rank, .data = data};

    for (int i = 0; i < rank; i++)
        stored.dims[i] = dims[i];
    stored.bytes = (size_t)zf_stored_count(&stored) * sizeof *data;
    return stored;
}

/* tensors has room for one more than the net's parameters. Returns how many there are. */
static size_t list_tensors(const struct zf_net *net, struct zf_stored *tensors)
{
    const struct zf_preparation *preparation = zf_net_preparation(net);
    size_t count = 0;

    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        const struct zf_parameter p = zf_net_parameter(net, i);

        tensors[count++] = stored_floats(p.name, p.rank, p.dims, p.data);
    }
    if (preparation->mean_image) {
        const int64_t dims[] = {3, preparation->size, preparation->size};

        tensors[count++] = stored_floats(ZF_MEAN_IMAGE, 3, dims, preparation->mean_image);
    }
    return count;
}

static enum zf_status save(const struct zf_net *net, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};
    struct zf_stored *tensors =
        zf_alloc((size_t)zf_net_parameter_tensors(net) + 1, sizeof *tensors);
    char *spec = zf_metadata_spec(net);
    char *preparation = zf_metadata_preparation(net);
    char *labels = zf_net_has_labels(net) ? zf_metadata_labels(net) : NULL;
    const char *answer = zf_metadata_answer(net);
    struct zf_note notes[5] = {
        {ZF_NOTE_VERSION, zf_version()}, {ZF_NOTE_SPEC, spec}, {ZF_NOTE_PREPARATION, preparation}};
    size_t note_count = 3;

    if (!tensors || !spec || !preparation || (zf_net_has_labels(net) && !labels))
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    if (answer)
        notes[note_count++] = (struct zf_note){ZF_NOTE_ANSWER, answer};
    if (labels)
        notes[note_count++] = (struct zf_note){ZF_NOTE_LABELS, labels};
    ZF_TRY(zf_output_open(&output, path, err));
    ZF_TRY(
        zf_safetensors_write(&output, tensors, list_tensors(net, tensors), notes, note_count, err));
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    zf_free(labels);
    zf_free(preparation);
    zf_free(spec);
    zf_free(tensors);
    return status;
}

const struct zf_model_format zf_model_native = {
    .name = "safetensors",
    .suffix = ".safetensors",
    .probe = probe,
    .load = load,
    .save = save,
};
