/* SPDX-License-Identifier: MIT */
#include "message.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_ATTRIBUTES 8 /* of a node */

/* protobuf-c has no const; it only reads what is packed. */
static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void append(struct zf_onnx_message *m, struct zf_onnx_list *list, void *item)
{
    if (m->failed || !zf_grow(&list->items, &list->capacity, list->count + 1, sizeof item))
        m->failed = true;
    else
        ((void **)list->items)[list->count++] = item;
}

void *zf_onnx_memory(struct zf_onnx_message *m, size_t count, size_t size)
{
    void *memory = m->failed ? NULL : zf_alloc(count, size);
    const size_t before = m->blocks.count;

    if (!memory) {
        m->failed = true;
        return NULL;
    }
    append(m, &m->blocks, memory);
    if (m->blocks.count == before) {
        zf_free(memory);
        return NULL;
    }
    return memory;
}

void zf_onnx_message_release(struct zf_onnx_message *m)
{
    struct zf_onnx_list *const lists[] = {&m->blocks, &m->nodes, &m->initialisers, &m->values,
                                          &m->notes};

    for (size_t i = 0; i < m->blocks.count; i++)
        zf_free(((void **)m->blocks.items)[i]);
    for (size_t i = 0; i < ZF_COUNT(lists); i++)
        zf_free(lists[i]->items);
    *m = (struct zf_onnx_message){0};
}

const char *zf_onnx_text(struct zf_onnx_message *m, const char *format, ...)
{
    va_list args;
    char *text;
    int length;

    assert(format);
    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = zf_onnx_memory(m, (size_t)length + 1, 1);
    if (!text)
        return "";
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

/* ---- Nodes and their attributes ---- */

void zf_onnx_node(struct zf_onnx_message *m, const char *op, const char *name,
                  const char *const *inputs, size_t input_count, const char *output)
{
    Onnx__NodeProto *node = zf_onnx_memory(m, 1, sizeof *node);
    char **names = zf_onnx_memory(m, input_count + 1, sizeof *names);
    Onnx__AttributeProto **attributes = zf_onnx_memory(m, MOST_ATTRIBUTES, sizeof *attributes);

    m->node = attributes ? node : NULL;
    if (!m->node)
        return;
    for (size_t i = 0; i < input_count; i++)
        names[i] = lent(inputs[i]);
    names[input_count] = lent(output);
    *node = (Onnx__NodeProto)ONNX__NODE_PROTO__INIT;
    node->name = lent(name);
    node->op_type = lent(op);
    node->n_input = input_count;
    node->input = names;
    node->n_output = 1;
    node->output = names + input_count;
    node->attribute = attributes;
    append(m, &m->nodes, node);
}

static Onnx__AttributeProto *add_attribute(struct zf_onnx_message *m, const char *name,
                                           Onnx__AttributeProto__AttributeType type)
{
    Onnx__AttributeProto *attribute = zf_onnx_memory(m, 1, sizeof *attribute);

    if (!attribute)
        return NULL;
    *attribute = (Onnx__AttributeProto)ONNX__ATTRIBUTE_PROTO__INIT;
    attribute->name = lent(name);
    attribute->has_type = true;
    attribute->type = type;
    m->node->attribute[m->node->n_attribute++] = attribute;
    return attribute;
}

void zf_onnx_set_int(struct zf_onnx_message *m, const char *name, int64_t value)
{
    Onnx__AttributeProto *attribute =
        add_attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);

    if (attribute) {
        attribute->has_i = true;
        attribute->i = value;
    }
}

void zf_onnx_set_float(struct zf_onnx_message *m, const char *name, float value)
{
    Onnx__AttributeProto *attribute =
        add_attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);

    if (attribute) {
        attribute->has_f = true;
        attribute->f = value;
    }
}

void zf_onnx_set_text(struct zf_onnx_message *m, const char *name, const char *text)
{
    Onnx__AttributeProto *attribute =
        add_attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);

    if (attribute) {
        attribute->has_s = true;
        attribute->s.data = (uint8_t *)lent(text);
        attribute->s.len = strlen(text);
    }
}

void zf_onnx_set_ints(struct zf_onnx_message *m, const char *name, const int64_t *values,
                      size_t count)
{
    int64_t *copy = zf_onnx_memory(m, count, sizeof *copy);
    Onnx__AttributeProto *attribute =
        add_attribute(m, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);

    if (attribute) {
        memcpy(copy, values, count * sizeof *copy);
        attribute->n_ints = count;
        attribute->ints = copy;
    }
}

/* ---- Initialisers ---- */

static const char *add_initialiser(struct zf_onnx_message *m, const char *name,
                                   Onnx__TensorProto__DataType type, const int64_t *dims, int rank,
                                   ProtobufCBinaryData bytes)
{
    Onnx__TensorProto *tensor = zf_onnx_memory(m, 1, sizeof *tensor);
    int64_t *copy = zf_onnx_memory(m, (size_t)rank, sizeof *copy);

    if (!copy)
        return name;
    *tensor = (Onnx__TensorProto)ONNX__TENSOR_PROTO__INIT;
    for (int i = 0; i < rank; i++)
        copy[i] = dims[i];
    tensor->name = lent(name);
    tensor->has_data_type = true;
    tensor->data_type = (int32_t)type;
    tensor->n_dims = (size_t)rank;
    tensor->dims = copy;
    tensor->has_raw_data = true;
    tensor->raw_data = bytes;
    append(m, &m->initialisers, tensor);
    return name;
}

const char *zf_onnx_floats(struct zf_onnx_message *m, const char *name, const int64_t *dims,
                           int rank, const float *data)
{
    size_t bytes = sizeof *data;

    for (int i = 0; i < rank; i++)
        bytes *= (size_t)dims[i];
    return add_initialiser(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, rank,
                           (ProtobufCBinaryData){bytes, (uint8_t *)(uintptr_t)data});
}

const char *zf_onnx_filled(struct zf_onnx_message *m, const char *name, int64_t count, float value)
{
    float *data = zf_onnx_memory(m, (size_t)count, sizeof *data);

    for (int64_t i = 0; data && i < count; i++)
        data[i] = value;
    return zf_onnx_floats(m, name, &count, 1, data);
}

const char *zf_onnx_scalar(struct zf_onnx_message *m, const char *name, float value)
{
    float *data = zf_onnx_memory(m, 1, sizeof *data);

    if (data)
        *data = value;
    return zf_onnx_floats(m, name, NULL, 0, data);
}

const char *zf_onnx_ints(struct zf_onnx_message *m, const char *name, const int64_t *values,
                         size_t count)
{
    const int64_t dims[] = {(int64_t)count};
    const size_t bytes = count * sizeof *values;
    uint8_t *data = zf_onnx_memory(m, bytes, 1);

    if (data)
        memcpy(data, values, bytes);
    return add_initialiser(m, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, dims, 1,
                           (ProtobufCBinaryData){bytes, data});
}

/* ---- Types of tensors ---- */

/* What a value's type is made of: one block. */
struct value_parts {
    Onnx__ValueInfoProto value;
    Onnx__TypeProto type;
    Onnx__TypeProto__Tensor tensor;
    Onnx__TensorShapeProto shape;
    Onnx__TensorShapeProto__Dimension extents[4], *pointers[4];
};

Onnx__ValueInfoProto *zf_onnx_value(struct zf_onnx_message *m, const char *name,
                                    struct zf_shape shape, bool vector)
{
    const int64_t extents[] = {0, shape.c, shape.h, shape.w};
    struct value_parts *parts = zf_onnx_memory(m, 1, sizeof *parts);

    if (!parts)
        return NULL;
    parts->value = (Onnx__ValueInfoProto)ONNX__VALUE_INFO_PROTO__INIT;
    parts->type = (Onnx__TypeProto)ONNX__TYPE_PROTO__INIT;
    parts->tensor = (Onnx__TypeProto__Tensor)ONNX__TYPE_PROTO__TENSOR__INIT;
    parts->shape = (Onnx__TensorShapeProto)ONNX__TENSOR_SHAPE_PROTO__INIT;
    for (size_t i = 0; i < ZF_COUNT(extents); i++) {
        Onnx__TensorShapeProto__Dimension *d = &parts->extents[i];

        *d = (Onnx__TensorShapeProto__Dimension)ONNX__TENSOR_SHAPE_PROTO__DIMENSION__INIT;
        d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        d->dim_value = extents[i];
        parts->pointers[i] = d;
    }
    parts->extents[0].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
    parts->extents[0].dim_param = lent("N");
    parts->shape.n_dim = vector ? 2 : 4;
    parts->shape.dim = parts->pointers;
    parts->tensor.has_elem_type = true;
    parts->tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    parts->tensor.shape = &parts->shape;
    parts->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    parts->type.tensor_type = &parts->tensor;
    parts->value.name = lent(name);
    parts->value.type = &parts->type;
    return &parts->value;
}

void zf_onnx_say_shape(struct zf_onnx_message *m, const char *name, struct zf_shape shape,
                       bool vector)
{
    append(m, &m->values, zf_onnx_value(m, name, shape, vector));
}

void zf_onnx_note(struct zf_onnx_message *m, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *note = zf_onnx_memory(m, 1, sizeof *note);

    if (!note)
        return;
    *note = (Onnx__StringStringEntryProto)ONNX__STRING_STRING_ENTRY_PROTO__INIT;
    note->key = lent(key);
    note->value = lent(value);
    append(m, &m->notes, note);
}
