/* SPDX-License-Identifier: MIT */
/* The operators that are known, and what their translations share: attributes and inputs. */
#include "import.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

static const struct zf_operator *const tables[] = {
    zf_operators_window, zf_operators_pointwise, zf_operators_combine,
    zf_operators_dense,  zf_operators_layout,    zf_operators_fold,
};

const struct zf_operator *zf_operator_find(const char *name)
{
    for (size_t i = 0; i < ZF_COUNT(tables); i++) {
        for (const struct zf_operator *operator= tables[i]; operator->name; operator++) {
            if (strcmp(operator->name, name) == 0)
                return operator;
        }
    }
    return NULL;
}

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
    struct zf_value *value = NULL;
    enum zf_status status;
    int64_t length;

    if (i >= node->in_count || !node->in[i])
        return zf_node_integers(node, name, numbers, most, count);
    ZF_TRY(zf_node_constant(node, i, &value));
    length = zf_value_count(value);
    if (value->kind != ZF_VALUE_INTEGERS || value->rank > 1 || length > most)
        return zf_node_fail(node, ZF_EINPUT, "%s should be a list of at most %d whole numbers",
                            name, most);
    for (int64_t k = 0; k < length; k++)
        numbers[k] = value->integers[k];
    *count = (int)length;
fail:
    return status;
}

/* ---- Inputs ---- */

enum zf_status zf_node_maps(const struct zf_import_node *node, int i, struct zf_value **out)
{
    if (i >= node->in_count || !node->in[i])
        return zf_node_fail(node, ZF_EINPUT, "input %d is missing", i);
    if (node->in[i]->kind != ZF_VALUE_MAPS)
        return zf_node_fail(node, ZF_EUNSUPPORTED,
                            "\"%.100s\" is constant, not maps of the picture",
                            node->proto->input[i]);
    *out = node->in[i];
    return ZF_OK;
}

enum zf_status zf_node_constant(const struct zf_import_node *node, int i, struct zf_value **out)
{
    if (i >= node->in_count || !node->in[i])
        return zf_node_fail(node, ZF_EINPUT, "input %d is missing", i);
    if (!zf_value_is_constant(node->in[i]))
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
        return zf_node_fail(node, ZF_EINPUT, "axis %lld of a tensor of %d dimensions",
                            (long long)axis, rank);
    *out = (int)positive;
    return ZF_OK;
}
