/* SPDX-License-Identifier: MIT */
/*
 * ONNX, bent by what protobuf-c knows of its messages: any field of any message. A text that
 * becomes another one of the model wires its graph otherwise.
 */
#include "bend.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "onnx.pb-c.h"

enum { MOST = 4096, MOST_BENDS = 4, MOST_ADDED = 16 };

/* What a model is made of; its memory goes with the pool. */
struct pool {
    ProtobufCAllocator allocator;
    void **blocks;
    size_t block_count, block_room;
    ProtobufCMessage *messages[MOST];
    const char *texts[MOST];
    size_t message_count, text_count;
    uint64_t state;
};

static void *allocate(void *user, size_t size)
{
    struct pool *pool = user;
    void *block;

    if (pool->block_count == pool->block_room) {
        const size_t room = 2 * pool->block_room + 64;
        void **grown = realloc(pool->blocks, room * sizeof *grown);

        if (!grown)
            return NULL;
        pool->blocks = grown;
        pool->block_room = room;
    }
    block = malloc(size ? size : 1);
    if (block)
        pool->blocks[pool->block_count++] = block;
    return block;
}

static void keep(void *user, void *block)
{
    (void)user;
    (void)block;
}

static void release(struct pool *pool)
{
    for (size_t i = 0; i < pool->block_count; i++)
        free(pool->blocks[i]);
    free(pool->blocks);
    free(pool);
}

/* ---- What there is. ---- */

static void *member(const ProtobufCMessage *message, unsigned offset)
{
    return (char *)(uintptr_t)message + offset;
}

static size_t count_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    size_t count;

    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        uint32_t chosen;

        memcpy(&chosen, member(message, field->quantifier_offset), sizeof chosen);
        return chosen == field->id;
    }
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return 1;
    memcpy(&count, member(message, field->quantifier_offset), sizeof count);
    return count;
}

static size_t width_of(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    }
    return 4;
}

/* Where the field's values lie: an array, or the one within the message. */
static char *values_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    char *array;

    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return member(message, field->offset);
    memcpy(&array, member(message, field->offset), sizeof array);
    return array;
}

static void gather(struct pool *pool, ProtobufCMessage *message)
{
    if (!message || pool->message_count == MOST)
        return;
    pool->messages[pool->message_count++] = message;
    for (unsigned f = 0; f < message->descriptor->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[f];
        const char *values = values_of(message, field);

        for (size_t i = 0; i < count_of(message, field); i++) {
            void *value;

            if (field->type != PROTOBUF_C_TYPE_MESSAGE && field->type != PROTOBUF_C_TYPE_STRING)
                break;
            memcpy(&value, values + i * sizeof value, sizeof value);
            if (field->type == PROTOBUF_C_TYPE_MESSAGE)
                gather(pool, value);
            else if (value && pool->text_count < MOST)
                pool->texts[pool->text_count++] = value;
        }
    }
}

/* ---- Changes. ---- */

static void bend_bytes(struct pool *pool, ProtobufCBinaryData *data)
{
    const size_t most = data->len + MOST_ADDED;
    const size_t length =
        fuzz_draw_below(&pool->state, 2) ? data->len : fuzz_draw_below(&pool->state, most);
    uint8_t *bent = allocate(pool, length);

    if (!bent)
        return;
    memset(bent, 0, length);
    if (data->len > 0)
        memcpy(bent, data->data, length < data->len ? length : data->len);
    if (length > 0)
        bent[fuzz_draw_below(&pool->state, length)] ^= (uint8_t)fuzz_draw(&pool->state);
    *data = (ProtobufCBinaryData){length, bent};
}

static char *bend_text(struct pool *pool, const char *text)
{
    const char *other =
        pool->text_count > 0 ? pool->texts[fuzz_draw_below(&pool->state, pool->text_count)] : "";
    char *bent = fuzz_bend_text(text ? text : "", other, &pool->state);
    char *kept = bent ? allocate(pool, strlen(bent) + 1) : NULL;

    if (kept)
        strcpy(kept, bent);
    free(bent);
    return kept;
}

/* One value of a field, but a message: those have fields of their own. */
static void bend_value(struct pool *pool, ProtobufCType type, char *value)
{
    const int64_t edge = fuzz_draw_edge(&pool->state);

    if (type == PROTOBUF_C_TYPE_MESSAGE)
        return;
    if (type == PROTOBUF_C_TYPE_STRING) {
        char *text;

        memcpy(&text, value, sizeof text);
        text = bend_text(pool, text);
        if (text)
            memcpy(value, &text, sizeof text);
    } else if (type == PROTOBUF_C_TYPE_BYTES) {
        ProtobufCBinaryData data;

        memcpy(&data, value, sizeof data);
        bend_bytes(pool, &data);
        memcpy(value, &data, sizeof data);
    } else if (type == PROTOBUF_C_TYPE_FLOAT) {
        const float numbers[] = {(float)edge, NAN, INFINITY, 1e-40f, 0.5f};

        memcpy(value, &numbers[fuzz_draw_below(&pool->state, 5)], sizeof *numbers);
    } else if (type == PROTOBUF_C_TYPE_DOUBLE) {
        const double number = (double)edge / 2;

        memcpy(value, &number, sizeof number);
    } else if (type == PROTOBUF_C_TYPE_BOOL) {
        const protobuf_c_boolean flag = edge & 1;

        memcpy(value, &flag, sizeof flag);
    } else if (width_of(type) == 8) {
        memcpy(value, &edge, sizeof edge);
    } else {
        const int32_t small =
            type == PROTOBUF_C_TYPE_ENUM ? (int32_t)(edge & 31) : (int32_t)(edge & INT32_MAX);

        memcpy(value, &small, sizeof small);
    }
}

/* A list of values: one is left out, doubled, changed with another, or bent. */
static void bend_list(struct pool *pool, ProtobufCMessage *message,
                      const ProtobufCFieldDescriptor *field)
{
    const size_t width = width_of(field->type), count = count_of(message, field);
    const size_t i = count ? fuzz_draw_below(&pool->state, count) : 0;
    const size_t way = fuzz_draw_below(&pool->state, 5);
    const size_t became = count == 0 || way == 0 ? count + 1 : way == 1 ? count - 1 : count;
    char *values = values_of(message, field), *array;

    if (count == 0 && field->type == PROTOBUF_C_TYPE_MESSAGE)
        return;
    array = allocate(pool, (count + 1) * width);
    if (!array)
        return;
    memset(array, 0, (count + 1) * width);
    if (count > 0)
        memcpy(array, values, count * width);
    if (count == 0) {
        bend_value(pool, field->type, array);
        if (field->type == PROTOBUF_C_TYPE_STRING && !*(char **)(void *)array)
            return;
    } else if (way == 0) {
        memcpy(array + count * width, values + i * width, width);
    } else if (way == 1) {
        memmove(array + i * width, array + (i + 1) * width, (count - i - 1) * width);
    } else if (way == 2) {
        const size_t j = fuzz_draw_below(&pool->state, count);

        memcpy(array + i * width, values + j * width, width);
        memcpy(array + j * width, values + i * width, width);
    } else {
        bend_value(pool, field->type, array + i * width);
    }
    memcpy(member(message, field->offset), &array, sizeof array);
    memcpy(member(message, field->quantifier_offset), &became, sizeof became);
}

/* A single value: there or not, or another. */
static void bend_single(struct pool *pool, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field)
{
    const bool pointed =
        field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
    const bool there = fuzz_draw_below(&pool->state, 6) > 0;

    if (count_of(message, field) == 0 || (field->type == PROTOBUF_C_TYPE_MESSAGE && there))
        return;
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (there)
            bend_value(pool, field->type, member(message, field->offset));
        else
            memset(member(message, field->quantifier_offset), 0, sizeof(uint32_t));
        return;
    }
    if (pointed && !there)
        memset(member(message, field->offset), 0, sizeof(void *));
    else
        bend_value(pool, field->type, member(message, field->offset));
    if (!pointed) {
        const protobuf_c_boolean has = there;

        memcpy(member(message, field->quantifier_offset), &has, sizeof has);
    }
}

size_t fuzz_bend(uint8_t *bytes, size_t size, size_t room, uint64_t seed)
{
    struct pool *pool = calloc(1, sizeof *pool);
    Onnx__ModelProto *model;
    size_t packed = 0, bends;

    if (!pool)
        return 0;
    pool->allocator = (ProtobufCAllocator){allocate, keep, pool};
    pool->state = seed * 2 + 1;
    for (int i = 0; i < 8; i++)
        fuzz_draw(&pool->state);
    model = onnx__model_proto__unpack(&pool->allocator, size, bytes);
    if (model) {
        gather(pool, &model->base);
        bends = 1 + fuzz_draw_below(&pool->state, MOST_BENDS);
        for (size_t i = 0; i < bends; i++) {
            ProtobufCMessage *message =
                pool->messages[fuzz_draw_below(&pool->state, pool->message_count)];
            const ProtobufCMessageDescriptor *kind = message->descriptor;
            const ProtobufCFieldDescriptor *field =
                &kind->fields[fuzz_draw_below(&pool->state, kind->n_fields)];

            if (field->label == PROTOBUF_C_LABEL_REPEATED)
                bend_list(pool, message, field);
            else
                bend_single(pool, message, field);
        }
        packed = onnx__model_proto__get_packed_size(model);
        packed = packed <= room ? onnx__model_proto__pack(model, bytes) : 0;
    }
    release(pool);
    return packed;
}
