/* SPDX-License-Identifier: MIT */
/*
 * A net as an ONNX file. The graph runs in any ONNX runtime; what ONNX has no place for stands in
 * metadata_props: for people and other programs as plain words (labels, mean, scale, channels,
 * resize, crop), and once more exactly, so that reading gives back every bit.
 */
#include "model/onnx/write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/base64.h"
#include "model/metadata.h"

#define MOST_BYTES INT32_MAX /* protobuf's limit */

/* ---- metadata_props ---- */

/* A note whose text was allocated, or could not be; takes it. */
static void take_note(struct zf_onnx_message *m, const char *key, char *text)
{
    if (text)
        zf_onnx_note(m, key, zf_onnx_text(m, "%s", text));
    else
        m->failed = true;
    zf_free(text);
}

static const char *three(struct zf_onnx_message *m, const float *values)
{
    return zf_onnx_text(m, "%.7g,%.7g,%.7g", (double)values[0], (double)values[1],
                        (double)values[2]);
}

/* The mean of each channel, in the order of the channels: of a mean image, its average. */
static void mean_of(const struct zf_preparation *p, float mean[3])
{
    const int64_t pixels = p->size * p->size;

    for (int c = 0; c < 3; c++) {
        const float *map =
            p->mean_image ? p->mean_image + (p->channels == ZF_CHANNELS_BGR ? 2 - c : c) * pixels
                          : NULL;
        double sum = 0;

        for (int64_t i = 0; map && i < pixels; i++)
            sum += (double)map[i];
        mean[c] = map ? (float)(sum / (double)pixels) : p->mean[c];
    }
}

static void write_notes(struct zf_onnx_message *m, const struct zf_net *net)
{
    const struct zf_preparation *p = &net->preparation;
    float mean[3];

    mean_of(p, mean);
    if (zf_net_has_labels(net))
        take_note(m, "labels", zf_metadata_labels(net));
    zf_onnx_note(m, "mean", three(m, mean));
    zf_onnx_note(m, "scale", three(m, p->scale));
    zf_onnx_note(m, "channels", zf_channels_name(p->channels));
    take_note(m, "resize", zf_metadata_resize(p));
    zf_onnx_note(m, "crop", zf_onnx_text(m, "%" PRId64 "x%" PRId64, net->input.h, net->input.w));
    zf_onnx_note(m, ZF_NOTE_VERSION, zf_version());
    if (zf_metadata_answer(net))
        zf_onnx_note(m, ZF_NOTE_ANSWER, zf_metadata_answer(net));
    take_note(m, ZF_NOTE_SPEC, zf_metadata_spec(net));
    take_note(m, ZF_NOTE_PREPARATION, zf_metadata_preparation(net));
    if (p->mean_image)
        take_note(m, ZF_MEAN_IMAGE,
                  zf_base64_encode(p->mean_image,
                                   3 * (size_t)(p->size * p->size) * sizeof *p->mean_image));
}

/* ---- The file ---- */

/* A sink of protobuf-c that is a stream, so that no second copy of the weights is made. */
struct stream_buffer {
    ProtobufCBuffer base;
    FILE *stream;
};

static void append_to_stream(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    if (size > 0) /* errors are sticky in the stream */
        fwrite(data, 1, size, ((struct stream_buffer *)buffer)->stream);
}

static enum zf_status write_file(const Onnx__ModelProto *model, const char *path,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_output output = {0};
    struct stream_buffer buffer = {.base.append = append_to_stream};
    const size_t size = onnx__model_proto__get_packed_size(model);

    if (size > MOST_BYTES)
        return zf_fail(err, ZF_EUNSUPPORTED,
                       "%s: %zu bytes, and an ONNX file ends at %d"
                       "; save it as .safetensors",
                       path, size, MOST_BYTES);
    ZF_TRY(zf_output_open(&output, path, err));
    buffer.stream = output.stream;
    onnx__model_proto__pack_to_buffer(model, &buffer.base);
    ZF_TRY(zf_output_commit(&output, err));
fail:
    zf_output_discard(&output);
    return status;
}

const char *zf_onnx_output_name(const struct zf_net *net)
{
    const char *type = net->layers[net->layer_count - 1].type->name;

    return strcmp(type, "softmax") == 0 ? "probabilities" : "output";
}

enum zf_status zf_onnx_save(const struct zf_net *net, const char *path, struct zf_error *err)
{
    enum zf_status status;
    struct zf_onnx_message m = {0};
    Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets = &opset;
    const struct zf_layer *last = &net->layers[net->layer_count - 1];
    const char *name = zf_onnx_output_name(net);
    Onnx__ValueInfoProto *input = zf_onnx_value(&m, "input", net->input, false), *output;
    bool vector = false;

    ZF_TRY(zf_onnx_write_layers(&m, net, name, &vector, err));
    output = zf_onnx_value(&m, name, last->inferred.out, vector);
    write_notes(&m, net);
    if (m.failed)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "%s: out of memory", path));
    opset.domain = (char *)(uintptr_t) "";
    opset.has_version = true;
    opset.version = ZF_ONNX_OPSET;
    graph.name = net->name;
    graph.n_node = m.nodes.count;
    graph.node = m.nodes.items;
    graph.n_initializer = m.initialisers.count;
    graph.initializer = m.initialisers.items;
    graph.n_input = graph.n_output = 1;
    graph.input = &input;
    graph.output = &output;
    graph.n_value_info = m.values.count;
    graph.value_info = m.values.items;
    model.has_ir_version = true;
    model.ir_version = ZF_ONNX_IR_VERSION;
    model.producer_name = (char *)(uintptr_t) "zfscope";
    model.producer_version = (char *)(uintptr_t)zf_version();
    model.n_opset_import = 1;
    model.opset_import = &opsets;
    model.graph = &graph;
    model.n_metadata_props = m.notes.count;
    model.metadata_props = m.notes.items;
    ZF_TRY(write_file(&model, path, err));
fail:
    zf_onnx_message_release(&m);
    return status;
}
