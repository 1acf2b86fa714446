/* SPDX-License-Identifier: MIT */
/* An ONNX model of any origin as a net: all the parts, in order. */
#include "import.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"

#define MEMORY_BASE (INT64_C(8) << 20)
#define WORK_BASE (INT64_C(1) << 20)

static enum zf_status find_opset(struct zf_import *import)
{
    const Onnx__ModelProto *model = import->model;

    for (size_t i = 0; i < model->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *set = model->opset_import[i];

        if (!set->domain || !*set->domain || strcmp(set->domain, "ai.onnx") == 0)
            import->opset = set->has_version ? set->version : 0;
    }
    if (import->opset < ZF_ONNX_FIRST_OPSET || import->opset > ZF_ONNX_LAST_OPSET)
        return zf_fail(import->err, ZF_EUNSUPPORTED,
                       "%s: written for ONNX opset %lld; opsets %d to %d are read (exporters have "
                       "an option for it)",
                       import->path, (long long)import->opset, ZF_ONNX_FIRST_OPSET,
                       ZF_ONNX_LAST_OPSET);
    import->graph = model->graph;
    return import->graph
               ? ZF_OK
               : zf_fail(import->err, ZF_EINPUT, "%s: an ONNX model without a graph", import->path);
}

/* Empty tensors have no business but as lists of nothing. */
static enum zf_status check_filled(const struct zf_import_node *node, const struct zf_value *value)
{
    for (int axis = 0; value && value->rank > 1 && axis < value->rank; axis++) {
        if (value->dims[axis] == 0)
            return zf_node_fail(node, ZF_EUNSUPPORTED, "a tensor without any numbers");
    }
    return ZF_OK;
}

/* The node's inputs by value, those of the file read when first needed. */
static enum zf_status gather_node(struct zf_import_node *node)
{
    struct zf_import *import = node->import;
    const Onnx__NodeProto *proto = node->proto;
    enum zf_status status = ZF_OK;

    if (proto->n_input > ZF_ONNX_WIDTH || proto->n_output > ZF_ONNX_WIDTH)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%zu inputs and %zu outputs; the limit is %d",
                            proto->n_input, proto->n_output, ZF_ONNX_WIDTH);
    node->in_count = (int)proto->n_input;
    node->out_count = (int)proto->n_output;
    for (int i = 0; i < node->in_count; i++) {
        struct zf_definition *read =
            *proto->input[i] ? zf_import_find(import, proto->input[i]) : NULL;

        if (read && read->value.kind == ZF_VALUE_NONE && read->tensor)
            ZF_TRY(zf_import_constant(import, read->tensor, &read->value));
        if (read && read->value.kind == ZF_VALUE_NONE)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "it reads \"%.100s\", a second output that is not computed",
                                proto->input[i]);
        node->in[i] = read ? &read->value : NULL;
        ZF_TRY(check_filled(node, node->in[i]));
    }
    for (int i = 0; i < node->out_count; i++) {
        struct zf_definition *made =
            *proto->output[i] ? zf_import_find(import, proto->output[i]) : NULL;

        node->out[i] = made && made->users > 0 ? made : NULL;
    }
fail:
    return status;
}

static bool all_known(const struct zf_import_node *node)
{
    for (int i = 0; i < node->in_count; i++) {
        if (node->in[i] && !zf_value_is_constant(node->in[i]))
            return false;
    }
    return true;
}

/* What feeds the node, and the way to see what is below it; "" where it hangs on constants. */
static const char *describe_below(const struct zf_import_node *node, char *text, size_t size)
{
    char shape[128];

    text[0] = '\0';
    for (int i = 0; i < node->in_count; i++) {
        const struct zf_value *value = node->in[i];

        if (!value || value->kind != ZF_VALUE_MAPS)
            continue;
        zf_shape_text(value->dims, value->rank, shape, sizeof shape);
        snprintf(text, size,
                 "; it is fed by \"%.100s\" %s; --until \"%.100s\" reads what is below it",
                 node->proto->input[i], shape, node->proto->input[i]);
        break;
    }
    return text;
}

static enum zf_status fail_unknown(const struct zf_import_node *node)
{
    const char *domain = node->proto->domain ? node->proto->domain : "";
    char below[400];

    return zf_fail(node->import->err, ZF_EUNSUPPORTED,
                   "%s: node \"%.100s\" is a %.50s%s%.50s of opset %lld, which this version does "
                   "not read%s",
                   node->import->path, zf_node_name(node->proto),
                   node->proto->op_type ? node->proto->op_type : "?", *domain ? " of " : "", domain,
                   (long long)node->import->opset, describe_below(node, below, sizeof below));
}

static bool is_standard(const Onnx__NodeProto *proto)
{
    return !proto->domain || !*proto->domain || strcmp(proto->domain, "ai.onnx") == 0;
}

static enum zf_status translate_node(struct zf_import *import, const Onnx__NodeProto *proto)
{
    const struct zf_operator *operator= proto->op_type && is_standard(proto)
        ? zf_operator_find(proto->op_type)
        : NULL;
    struct zf_import_node node = {.import = import, .proto = proto};
    enum zf_status (*work)(struct zf_import_node *);
    enum zf_status status;

    ZF_TRY(gather_node(&node));
    work = operator== NULL ? NULL : all_known(&node) ? operator->fold : operator->translate;
    if (!work)
        return fail_unknown(&node);
    ZF_TRY(work(&node));
    for (int i = 0; i < node.out_count; i++)
        ZF_TRY(check_filled(&node, node.out[i] ? &node.out[i]->value : NULL));
fail:
    if (status == ZF_EUNSUPPORTED) { /* a known operator in a way that is not read */
        const struct zf_error said = *import->err;
        char below[400];

        zf_fail(import->err, status, "%s%s", said.message,
                describe_below(&node, below, sizeof below));
    }
    return status;
}

/* What the net ends in must be a layer's whole output; a rearrangement at the end is settled. */
static enum zf_status settle_target(struct zf_import *import)
{
    struct zf_import_node node = {.import = import,
                                  .proto = import->graph->node[import->target->node]};
    struct zf_value *value = &import->target->value;
    struct zf_roles roles;

    enum zf_status status = ZF_OK;

    if (value->kind == ZF_VALUE_MAPS)
        ZF_TRY(zf_import_settle(&node, value, &roles));
    if (value->kind != ZF_VALUE_MAPS || value->layer == ZF_NET_INPUT)
        status = zf_fail(import->err, ZF_EINPUT, "%s: \"%.100s\" is no output of any layer",
                         import->path, import->target->name);
fail:
    return status;
}

static void import_release(struct zf_import *import)
{
    for (size_t i = 0; i < import->definition_count; i++)
        zf_free(import->definitions[i].value.owned);
    for (size_t i = 0; i < import->layer_count; i++) {
        struct zf_import_layer *layer = &import->layers[i];

        zf_free(layer->keys);
        zf_free(layer->inputs);
        zf_free(layer->owned_weight);
        zf_free(layer->owned_bias);
        zf_free(layer->aka);
    }
    for (int i = 0; i < import->mapped_count; i++)
        zf_bytes_release(&import->mapped[i]);
    zf_free(import->definitions);
    zf_free(import->layers);
    zf_free(import->order);
}

enum zf_status zf_onnx_read(Onnx__ModelProto *model, size_t bytes, const char *path,
                            const struct zf_model_options *options, struct zf_net **out,
                            struct zf_error *err)
{
    struct zf_error reason = {0};
    struct zf_import import = {.path = path,
                               .options = options,
                               .err = &reason,
                               .model = model,
                               .memory = MEMORY_BASE,
                               .work = WORK_BASE};
    struct zf_net *net = NULL;
    enum zf_status status;

    zf_import_afford(&import, bytes);
    ZF_TRY(find_opset(&import));
    ZF_TRY(zf_import_graph(&import));
    for (int i = 0; i < import.order_count; i++)
        ZF_TRY(translate_node(&import, import.graph->node[import.order[i]]));
    ZF_TRY(zf_pieces_check(&import));
    ZF_TRY(settle_target(&import));
    ZF_TRY(zf_import_assemble(&import, &net));
    ZF_TRY(zf_import_preparation(&import, net));
    *out = net;
    net = NULL;
fail:
    if (status != ZF_OK && err)
        *err = reason;
    zf_net_free(&net);
    import_release(&import);
    return status;
}
