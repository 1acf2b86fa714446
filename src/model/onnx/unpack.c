/* SPDX-License-Identifier: MIT */
/*
 * From bytes to protobuf messages. protobuf-c follows nested messages as deep as they go, merges
 * what stands twice, and takes hundreds of bytes for an empty message of two: so a walk over the
 * bytes comes first, and an allocator that counts. It would also copy the weights, which are nearly
 * all of a file: so it gets the rest, and what initialisers hold is lent by the file.
 */
#include "import.h"
#include "reader.h"

#include <inttypes.h>
#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_DEPTH 32 /* model, graph, node, attribute, tensor: 5; each graph inside a node: 3 */
#define MEMORY_BASE (INT64_C(16) << 20)
#define MEMORY_PER_BYTE 3
#define ALLOCATION_COST 80 /* bytes that a small allocation takes, with alignment */

enum wire { WIRE_VARINT = 0, WIRE_8 = 1, WIRE_BYTES = 2, WIRE_4 = 5 };

struct walk {
    const char *path;
    const uint8_t *begin; /* of the file */
    size_t bytes;
    int64_t left; /* memory that its messages may still take */
    int nodes;
    struct zf_error *err;
};

static int64_t means_of(size_t bytes)
{
    return MEMORY_BASE + MEMORY_PER_BYTE * (int64_t)bytes;
}

static enum zf_status fail_unfolding(const char *path, size_t bytes, struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT,
                   "%s: its %zu bytes unfold to more than %" PRId64
                   " MiB, so it is no honest model",
                   path, bytes, (means_of(bytes) >> 20));
}

/* What protobuf-c will allocate for a message, a string or bytes. */
static enum zf_status spend(struct walk *walk, uint64_t size)
{
    walk->left -= (int64_t)size + ALLOCATION_COST;
    return walk->left < 0 ? fail_unfolding(walk->path, walk->bytes, walk->err) : ZF_OK;
}

static enum zf_status fail_at(const struct walk *walk, const uint8_t *at, const char *sentence)
{
    return zf_fail(walk->err, ZF_EINPUT, "%s: byte %zu: %s", walk->path, (size_t)(at - walk->begin),
                   sentence);
}

/* Moves *at behind the number; false if it does not end in 10 bytes or before `end`. */
static bool take_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 70 && *at < end; shift += 7) {
        const uint8_t byte = *(*at)++;

        *out |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* Moves *at behind a field's value; *size is that of its bytes, which end at *at. */
static enum zf_status skip_value(const struct walk *walk, unsigned wire, const uint8_t **at,
                                 const uint8_t *end, uint64_t *size)
{
    const uint8_t *start = *at;
    uint64_t number;

    switch (wire) {
    case WIRE_VARINT:
        *size = 0;
        return take_varint(at, end, &number) ? ZF_OK
                                             : fail_at(walk, start, "a number that does not end");
    case WIRE_4:
    case WIRE_8:
        *size = wire == WIRE_4 ? 4 : 8;
        break;
    case WIRE_BYTES:
        if (!take_varint(at, end, size))
            return fail_at(walk, start, "a length that does not end");
        break;
    default:
        return fail_at(walk, start, "no ONNX model: a protobuf field of an unknown kind");
    }
    if (*size > (uint64_t)(end - *at))
        return zf_fail(walk->err, ZF_EINPUT,
                       "%s: truncated or damaged: at byte %zu %" PRIu64
                       " bytes are announced, %zu follow",
                       walk->path, (size_t)(start - walk->begin), *size, (size_t)(end - *at));
    *at += *size;
    return ZF_OK;
}

static enum zf_status walk_message(struct walk *walk, const ProtobufCMessageDescriptor *descriptor,
                                   const uint8_t *at, const uint8_t *end, int depth)
{
    uint64_t seen = 0, tag, size; /* bits of the fields that may stand once */

    if (descriptor == &onnx__node_proto__descriptor && ++walk->nodes > ZF_ONNX_NODES)
        return zf_fail(walk->err, ZF_EINPUT, "%s: more than %d nodes, which no net has", walk->path,
                       ZF_ONNX_NODES);
    if (depth > MOST_DEPTH)
        return fail_at(walk, at, "messages inside messages, deeper than any model");
    ZF_CHECK(spend(walk, descriptor->sizeof_message));
    while (at < end) {
        const ProtobufCFieldDescriptor *field;
        const uint8_t *start = at;
        size_t index;

        if (!take_varint(&at, end, &tag) || tag >> 3 == 0 || tag >> 32 != 0)
            return fail_at(walk, start, "no ONNX model: not the start of a protobuf field");
        ZF_CHECK(skip_value(walk, (unsigned)(tag & 7), &at, end, &size));
        field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE) {
            if ((tag & 7) == WIRE_BYTES)
                ZF_CHECK(spend(walk, size));
            continue;
        }
        if ((tag & 7) != WIRE_BYTES)
            return fail_at(walk, start, "no ONNX model: a number where a message should be");
        index = (size_t)(field - descriptor->fields);
        if (field->label != PROTOBUF_C_LABEL_REPEATED && index < 64) {
            if (seen >> index & 1)
                return zf_fail(walk->err, ZF_EINPUT, "%s: byte %zu: a %s has two of its one %s",
                               walk->path, (size_t)(start - walk->begin), descriptor->short_name,
                               field->name);
            seen |= UINT64_C(1) << index;
        }
        ZF_CHECK(walk_message(walk, field->descriptor, at - size, at, depth + 1));
    }
    return ZF_OK;
}

struct purse {
    int64_t left;
    bool empty; /* more was asked for than the file may cost */
    bool short_of_memory;
};

static void *purse_alloc(void *data, size_t size)
{
    struct purse *purse = data;
    void *memory;
    const int64_t cost = size > INT64_MAX / 2 ? INT64_MAX / 2 : (int64_t)size + ALLOCATION_COST;

    purse->left -= cost;
    if (purse->left < 0) {
        purse->left = 0;
        purse->empty = true;
        return NULL;
    }
    memory = zf_alloc_raw(size, 1);
    purse->short_of_memory = purse->short_of_memory || !memory;
    return memory;
}

static void purse_free(void *data, void *memory)
{
    (void)data;
    zf_free(memory);
}

/* ---- From here on the bytes are known to be fields inside of one another ---- */

enum { MODEL_GRAPH = 7, GRAPH_INITIALIZER = 5, TENSOR_RAW_DATA = 9 }; /* in onnx.proto */

struct field {
    unsigned number, wire;
    const uint8_t *begin, *value, *end; /* of WIRE_BYTES, `value` is behind the length */
};

/* The field at *at, which is moved behind it; false at the end. */
static bool next_field(const uint8_t **at, const uint8_t *end, struct field *field)
{
    static const struct walk nobody;
    uint64_t tag, size;

    field->begin = *at;
    if (*at >= end || !take_varint(at, end, &tag))
        return false;
    field->number = (unsigned)(tag >> 3);
    field->wire = (unsigned)(tag & 7);
    if (skip_value(&nobody, field->wire, at, end, &size) != ZF_OK)
        return false;
    field->end = *at;
    field->value = *at - size;
    return true;
}

/* All of a message but one of its fields, which is the bulk of it; NULL when memory is short. */
static ProtobufCMessage *unpack_without(const ProtobufCMessageDescriptor *descriptor,
                                        unsigned without, const uint8_t *begin, const uint8_t *end,
                                        ProtobufCAllocator *allocator)
{
    ProtobufCMessage *message = NULL;
    struct field field;
    uint8_t *rest;
    size_t size = 0;

    for (const uint8_t *at = begin; next_field(&at, end, &field);)
        size += field.number == without ? 0 : (size_t)(field.end - field.begin);
    rest = allocator->alloc(allocator->allocator_data, size);
    if (!rest)
        return NULL;
    size = 0;
    for (const uint8_t *at = begin; next_field(&at, end, &field);) {
        if (field.number == without)
            continue;
        memcpy(rest + size, field.begin, (size_t)(field.end - field.begin));
        size += (size_t)(field.end - field.begin);
    }
    message = protobuf_c_message_unpack(descriptor, allocator, size, rest);
    allocator->free(allocator->allocator_data, rest);
    return message;
}

/* A tensor whose raw_data stays where it is. */
static Onnx__TensorProto *unpack_tensor(const uint8_t *begin, const uint8_t *end,
                                        ProtobufCAllocator *allocator)
{
    ProtobufCMessage *message =
        unpack_without(&onnx__tensor_proto__descriptor, TENSOR_RAW_DATA, begin, end, allocator);
    Onnx__TensorProto *tensor = (Onnx__TensorProto *)message;
    struct field field;

    while (tensor && next_field(&begin, end, &field)) {
        if (field.number != TENSOR_RAW_DATA || field.wire != WIRE_BYTES)
            continue;
        tensor->has_raw_data = true;
        tensor->raw_data.data = (uint8_t *)(uintptr_t)field.value;
        tensor->raw_data.len = (size_t)(field.end - field.value);
    }
    return tensor;
}

static bool unpack_graph(Onnx__ModelProto *model, const uint8_t *begin, const uint8_t *end,
                         ProtobufCAllocator *allocator)
{
    Onnx__GraphProto *graph = (Onnx__GraphProto *)unpack_without(
        &onnx__graph_proto__descriptor, GRAPH_INITIALIZER, begin, end, allocator);
    struct field field;
    size_t count = 0;

    model->graph = graph;
    if (!graph)
        return false;
    for (const uint8_t *at = begin; next_field(&at, end, &field);)
        count += field.number == GRAPH_INITIALIZER;
    if (count == 0)
        return true;
    graph->initializer =
        allocator->alloc(allocator->allocator_data, count * sizeof(Onnx__TensorProto *));
    if (!graph->initializer)
        return false;
    for (const uint8_t *at = begin; next_field(&at, end, &field);) {
        Onnx__TensorProto *tensor;

        if (field.number != GRAPH_INITIALIZER)
            continue;
        tensor = unpack_tensor(field.value, field.end, allocator);
        if (!tensor)
            return false;
        graph->initializer[graph->n_initializer++] = tensor;
    }
    return true;
}

/* The weights of the graph are not copied: they are lent by the file. */
static Onnx__ModelProto *unpack_model(const struct zf_bytes *bytes, ProtobufCAllocator *allocator)
{
    const uint8_t *begin = bytes->data, *end = bytes->data + bytes->size;
    Onnx__ModelProto *model = (Onnx__ModelProto *)unpack_without(
        &onnx__model_proto__descriptor, MODEL_GRAPH, begin, end, allocator);
    struct field field;

    while (model && next_field(&begin, end, &field)) {
        if (field.number == MODEL_GRAPH &&
            !unpack_graph(model, field.value, field.end, allocator)) {
            zf_onnx_unpacked_free(&model);
            break;
        }
    }
    return model;
}

enum zf_status zf_onnx_unpack(const struct zf_bytes *bytes, const char *path,
                              Onnx__ModelProto **out, struct zf_error *err)
{
    struct walk walk = {.path = path,
                        .begin = bytes->data,
                        .bytes = bytes->size,
                        .left = means_of(bytes->size),
                        .err = err};
    struct purse purse = {.left = means_of(bytes->size)};
    ProtobufCAllocator allocator = {purse_alloc, purse_free, &purse};
    Onnx__ModelProto *model;

    ZF_CHECK(walk_message(&walk, &onnx__model_proto__descriptor, bytes->data,
                          bytes->data + bytes->size, 0));
    model = unpack_model(bytes, &allocator);
    if (model) {
        *out = model;
        return ZF_OK;
    }
    if (purse.empty)
        return fail_unfolding(path, bytes->size, err);
    if (purse.short_of_memory)
        return zf_fail(err, ZF_ENOMEM, "%s: out of memory", path);
    return zf_fail(err, ZF_EINPUT, "%s: damaged: its bytes are no ONNX model", path);
}

void zf_onnx_unpacked_free(Onnx__ModelProto **model)
{
    ProtobufCAllocator allocator = {purse_alloc, purse_free, NULL};
    const Onnx__GraphProto *graph = *model ? (*model)->graph : NULL;

    for (size_t i = 0; graph && i < graph->n_initializer; i++)
        graph->initializer[i]->raw_data = (ProtobufCBinaryData){0}; /* it is the file's */
    if (*model)
        onnx__model_proto__free_unpacked(*model, &allocator);
    *model = NULL;
}
