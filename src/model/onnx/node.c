/* SPDX-License-Identifier: MIT */
#include "node.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "graph.h"

enum zf_status zf_node_fail(const struct zf_import_node *node, enum zf_status status,
                            const char *format, ...)
{
    char sentence[400];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    return zf_fail(node->import->err, status, "%s: node \"%.100s\" (%.50s): %s", node->import->path,
                   zf_node_name(node->proto), node->proto->op_type ? node->proto->op_type : "",
                   sentence);
}

enum zf_status zf_node_no_memory(const struct zf_import_node *node)
{
    return zf_node_fail(node, ZF_ENOMEM, "out of memory");
}

/* ---- Attributes ---- */

const Onnx__AttributeProto *zf_node_attribute(const struct zf_import_node *node, const char *name)
{
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        const Onnx__AttributeProto *attribute = node->proto->attribute[i];

        if (attribute->name && strcmp(attribute->name, name) == 0)
            return attribute;
    }
    return NULL;
}

int64_t zf_node_integer(const struct zf_import_node *node, const char *name, int64_t otherwise)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);

    return attribute && attribute->has_i ? attribute->i : otherwise;
}

double zf_node_real(const struct zf_import_node *node, const char *name, double otherwise)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);

    return attribute && attribute->has_f ? (double)attribute->f : otherwise;
}

static bool is_word(const Onnx__AttributeProto *attribute, const char *word)
{
    return attribute->has_s && attribute->s.len == strlen(word) &&
           memcmp(attribute->s.data, word, attribute->s.len) == 0;
}

bool zf_node_says(const struct zf_import_node *node, const char *name, const char *word,
                  const char *otherwise)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);

    return attribute ? is_word(attribute, word) : strcmp(word, otherwise) == 0;
}

int zf_node_choice(const struct zf_import_node *node, const char *name, const char *const *words,
                   int otherwise)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);

    for (int i = 0; attribute && words[i]; i++) {
        if (is_word(attribute, words[i]))
            return i;
    }
    if (!attribute)
        return otherwise;
    zf_node_fail(node, ZF_EUNSUPPORTED, "its %s, %.*s, is not known", name,
                 attribute->has_s ? (int)(attribute->s.len < 50 ? attribute->s.len : 50) : 0,
                 attribute->has_s ? (const char *)attribute->s.data : "");
    return -1;
}

enum zf_status zf_node_integers(const struct zf_import_node *node, const char *name,
                                int64_t *numbers, int most, int *count)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);

    *count = 0;
    if (!attribute)
        return ZF_OK;
    if (attribute->n_ints > (size_t)most)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%s has %zu numbers, at most %d are expected",
                            name, attribute->n_ints, most);
    for (size_t i = 0; i < attribute->n_ints; i++)
        numbers[i] = attribute->ints[i];
    *count = (int)attribute->n_ints;
    return ZF_OK;
}

enum zf_status zf_node_list(const struct zf_import_node *node, const char *name, int i,
                            int64_t *numbers, int most, int *count)
{
    struct zf_operand *value = NULL;
    int64_t length;

    if (i >= node->in_count || !node->in[i])
        return zf_node_integers(node, name, numbers, most, count);
    ZF_CHECK(zf_node_constant(node, i, &value));
    length = zf_operand_count(value);
    if (value->kind != ZF_OPERAND_INTEGERS || value->rank > 1 || length > most)
        return zf_node_fail(node, ZF_EINPUT, "%s should be a list of at most %d whole numbers",
                            name, most);
    for (int64_t k = 0; k < length; k++)
        numbers[k] = value->integers[k];
    *count = (int)length;
    return ZF_OK;
}

enum zf_status zf_node_reals(const struct zf_import_node *node, const char *name, int i,
                             double *numbers, int most, int *count)
{
    const Onnx__AttributeProto *attribute = zf_node_attribute(node, name);
    struct zf_operand *value = NULL;
    int64_t length;

    *count = 0;
    if (i < 0 || !zf_node_has(node, i)) {
        for (size_t k = 0; attribute && k < attribute->n_floats && k < (size_t)most; k++)
            numbers[(*count)++] = (double)attribute->floats[k];
        return ZF_OK;
    }
    ZF_CHECK(zf_node_constant(node, i, &value));
    length = zf_operand_count(value);
    if (value->rank > 1 || length > most)
        return zf_node_fail(node, ZF_EINPUT, "%s should be a list of at most %d numbers", name,
                            most);
    for (int64_t k = 0; k < length; k++)
        numbers[k] = zf_operand_at(value, k);
    *count = (int)length;
    return ZF_OK;
}

/* ---- Inputs ---- */

bool zf_node_has(const struct zf_import_node *node, int i)
{
    return i < node->in_count && node->in[i];
}

enum zf_status zf_node_input(const struct zf_import_node *node, int i, struct zf_operand **out)
{
    if (!zf_node_has(node, i))
        return zf_node_fail(node, ZF_EINPUT, "input %d is missing", i);
    *out = node->in[i];
    return ZF_OK;
}

enum zf_status zf_node_maps(const struct zf_import_node *node, int i, struct zf_operand **out)
{
    if (i >= node->in_count || !node->in[i])
        return zf_node_fail(node, ZF_EINPUT, "input %d is missing", i);
    if (node->in[i]->kind != ZF_OPERAND_MAPS)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "\"%.100s\" is constant, not maps of the picture",
                            node->proto->input[i]);
    *out = node->in[i];
    return ZF_OK;
}

enum zf_status zf_node_constant(const struct zf_import_node *node, int i, struct zf_operand **out)
{
    if (i >= node->in_count || !node->in[i])
        return zf_node_fail(node, ZF_EINPUT, "input %d is missing", i);
    if (!zf_operand_is_constant(node->in[i]))
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "\"%.100s\" is computed from the picture; it must be constant",
                            node->proto->input[i]);
    *out = node->in[i];
    return ZF_OK;
}

enum zf_status zf_node_axis(const struct zf_import_node *node, int64_t axis, int rank, int *out)
{
    const int64_t positive = axis < 0 ? axis + rank : axis;

    if (positive < 0 || positive >= rank)
        return zf_node_fail(node, ZF_EINPUT, "axis %" PRId64 " of a tensor of %d dimensions", axis,
                            rank);
    *out = (int)positive;
    return ZF_OK;
}

enum zf_status zf_node_axes(const struct zf_import_node *node, int rank, bool *named)
{
    int64_t axes[ZF_ONNX_RANK];
    int count, axis = 0;

    ZF_CHECK(zf_node_list(node, "axes", 1, axes, ZF_ONNX_RANK, &count));
    for (int i = 0; i < rank; i++)
        named[i] = count == 0 && zf_node_integer(node, "noop_with_empty_axes", 0) == 0;
    for (int i = 0; i < count; i++) {
        ZF_CHECK(zf_node_axis(node, axes[i], rank, &axis));
        named[axis] = true;
    }
    return ZF_OK;
}
