/* SPDX-License-Identifier: MIT */
/*
 * A file with a spec is only believed when the graph that would be written for the spec is the
 * graph in the file, node by node: a graph that was pruned or edited elsewhere keeps its metadata.
 */
#include "model/onnx/rebuild.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/base64.h"
#include "model/metadata.h"
#include "model/onnx/write.h"

const char *zf_onnx_find_note(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const Onnx__StringStringEntryProto *note = model->metadata_props[i];

        if (note->key && note->value && strcmp(note->key, key) == 0)
            return note->value;
    }
    return NULL;
}

/* ---- Is it the same graph? ---- */

/* Equal when they are the same bytes once packed. `scratch` lends the memory. */
static bool same_message(struct zf_onnx_message *scratch, const ProtobufCMessage *a,
                         const ProtobufCMessage *b)
{
    const size_t size = protobuf_c_message_get_packed_size(a);
    uint8_t *packed;

    if (protobuf_c_message_get_packed_size(b) != size)
        return false;
    packed = zf_onnx_memory(scratch, 2, size);
    if (!packed)
        return false;
    protobuf_c_message_pack(a, packed);
    protobuf_c_message_pack(b, packed + size);
    return memcmp(packed, packed + size, size) == 0;
}

static bool is_parameter(const struct zf_net *net, const char *name)
{
    for (int i = 0; i < net->slot_count; i++) {
        if (strcmp(net->slots[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Of a parameter the name, type and shape; of a constant its value as well. */
static bool same_initialiser(struct zf_onnx_message *scratch, const struct zf_net *net,
                             const Onnx__TensorProto *ours, const Onnx__TensorProto *theirs)
{
    if (!theirs->name || strcmp(ours->name, theirs->name) != 0)
        return false;
    if (!is_parameter(net, ours->name))
        return same_message(scratch, &ours->base, &theirs->base);
    return theirs->data_type == ours->data_type && theirs->n_dims == ours->n_dims &&
           memcmp(theirs->dims, ours->dims, ours->n_dims * sizeof *ours->dims) == 0 &&
           theirs->has_raw_data && theirs->raw_data.len == ours->raw_data.len;
}

static bool same_graph(struct zf_onnx_message *m, const struct zf_net *net,
                       const Onnx__GraphProto *graph)
{
    Onnx__NodeProto *const *nodes = m->nodes.items;
    Onnx__TensorProto *const *initialisers = m->initialisers.items;
    const size_t node_count = m->nodes.count, initialiser_count = m->initialisers.count;
    const Onnx__ValueInfoProto *input = zf_onnx_value(m, "input", net->input, false);
    bool same = input && graph->n_node == node_count && graph->n_initializer == initialiser_count &&
                graph->n_input == 1 && same_message(m, &input->base, &graph->input[0]->base);

    for (size_t i = 0; same && i < node_count; i++)
        same = same_message(m, &nodes[i]->base, &graph->node[i]->base);
    for (size_t i = 0; same && i < initialiser_count; i++)
        same = same_initialiser(m, net, initialisers[i], graph->initializer[i]);
    return same;
}

/* ---- What stands in the file ---- */

static void copy_parameters(struct zf_net *net, const Onnx__GraphProto *graph)
{
    int next = 0; /* slots and initialisers are in the same order, but for constants */

    for (size_t i = 0; i < graph->n_initializer && next < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[next];
        const Onnx__TensorProto *tensor = graph->initializer[i];

        if (strcmp(tensor->name, slot->name) != 0)
            continue;
        memcpy(net->parameters + slot->offset, tensor->raw_data.data, tensor->raw_data.len);
        next++;
    }
}

/* From base64 in the metadata. */
static enum zf_status read_mean_image(const char *text, const char *path,
                                      struct zf_preparation *preparation, float **out,
                                      struct zf_error *err)
{
    float *mean = NULL;
    int64_t bytes;

    if (!zf_mul3(3 * (int64_t)sizeof *mean, preparation->size, preparation->size, &bytes) ||
        (uint64_t)bytes > strlen(text))
        return zf_fail(err, ZF_EINPUT, "%s: its mean image is not [3, %" PRId64 ", %" PRId64 "]",
                       path, preparation->size, preparation->size);
    mean = zf_alloc((size_t)bytes, 1);
    if (!mean)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory for the mean image", path);
    if (!zf_base64_decode(text, mean, (size_t)bytes)) {
        zf_free(mean);
        return zf_fail(err, ZF_EINPUT,
                       "%s: its mean image is not [3, %" PRId64 ", %" PRId64 "] in base64", path,
                       preparation->size, preparation->size);
    }
    preparation->mean_image = *out = mean;
    return ZF_OK;
}

static enum zf_status read_notes(const Onnx__ModelProto *model, const char *path,
                                 struct zf_net *net, struct zf_error *err)
{
    enum zf_status status;
    const char *labels = zf_onnx_find_note(model, "labels");
    const char *answer = zf_onnx_find_note(model, ZF_NOTE_ANSWER);
    const char *note = zf_onnx_find_note(model, ZF_NOTE_PREPARATION);
    const char *image = zf_onnx_find_note(model, ZF_MEAN_IMAGE);
    struct zf_preparation preparation = *zf_net_preparation(net);
    float *mean = NULL;

    if (note)
        ZF_TRY(zf_metadata_read_preparation(note, path, net, &preparation, err));
    if (image)
        ZF_TRY(read_mean_image(image, path, &preparation, &mean, err));
    ZF_TRY(zf_metadata_set_preparation(net, &preparation, path, err));
    if (answer)
        ZF_TRY(zf_metadata_read_answer(answer, path, net, err));
    if (labels)
        ZF_TRY(zf_metadata_read_labels(labels, path, net, err));
fail:
    zf_free(mean);
    return status;
}

enum zf_status zf_onnx_rebuild(const Onnx__ModelProto *model, const char *path, struct zf_net **out,
                               struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_onnx_message m = {0};
    struct zf_net *net = NULL;
    struct zf_error inner = {0};
    const char *spec = zf_onnx_find_note(model, ZF_NOTE_SPEC);
    bool vector, same = false;

    *out = NULL;
    if (spec && model->graph)
        status = zf_net_parse_shapes(spec, path, 0, &net, &inner);
    if (status == ZF_OK && net)
        status = zf_onnx_write_layers(&m, net, zf_onnx_output_name(net), &vector, &inner);
    if (status == ZF_OK && net)
        same = same_graph(&m, net, model->graph);
    if (status == ZF_ENOMEM || m.failed)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    status = ZF_OK; /* a spec that says nothing to this version is as good as none */
    if (!same)
        goto fail;
    ZF_TRY(zf_net_allocate(net, err));
    copy_parameters(net, model->graph);
    ZF_TRY(read_notes(model, path, net, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&net);
    zf_onnx_message_release(&m);
    return status;
}
