/* SPDX-License-Identifier: MIT */
/* An ONNX model of any origin as a net: all the parts, in order; and a way on where it cannot be
   read whole. */
#include "reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "assemble.h"
#include "batch.h"
#include "base/memory.h"
#include "base/status.h"
#include "bring.h"
#include "constant.h"
#include "emit.h"
#include "graph.h"
#include "operators.h"

#define MEMORY_BASE (INT64_C(8) << 20)
#define WORK_BASE (INT64_C(1) << 20)
#define MOST_FILLED 160000000 /* numbers; VGG with 19 layers has 144 million */
#define MOST_TRIES 12         /* ends that are tried before one is proposed */

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
                       "%s: written for ONNX opset %" PRId64
                       "; opsets %d to %d are read (exporters have "
                       "an option for it)",
                       import->path, import->opset, ZF_ONNX_FIRST_OPSET, ZF_ONNX_LAST_OPSET);
    import->graph = model->graph;
    if (!import->graph)
        return zf_fail(import->err, ZF_EINPUT, "%s: an ONNX model without a graph", import->path);
    return import->graph->n_node > 0
               ? ZF_OK
               : zf_fail(import->err, ZF_EINPUT, "%s: a graph without nodes", import->path);
}

/* Empty tensors have no business but as lists of nothing. */
static enum zf_status check_filled(const struct zf_import_node *node,
                                   const struct zf_operand *value)
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

    if (proto->n_input > ZF_ONNX_WIDTH || proto->n_output > ZF_ONNX_WIDTH)
        return zf_node_fail(node, ZF_EUNSUPPORTED, "%zu inputs and %zu outputs; the limit is %d",
                            proto->n_input, proto->n_output, ZF_ONNX_WIDTH);
    node->in_count = (int)proto->n_input;
    node->out_count = (int)proto->n_output;
    for (int i = 0; i < node->in_count; i++) {
        struct zf_definition *read =
            *proto->input[i] ? zf_import_find(import, proto->input[i]) : NULL;

        if (read && read->value.kind == ZF_OPERAND_NONE && read->tensor)
            ZF_CHECK(zf_import_constant(import, read->tensor, &read->value));
        if (read && read->value.kind == ZF_OPERAND_NONE)
            return zf_node_fail(node, ZF_EUNSUPPORTED,
                                "it reads \"%.100s\", a second output that is not computed",
                                proto->input[i]);
        node->in[i] = read ? &read->value : NULL;
        node->from[i] = read;
        ZF_CHECK(check_filled(node, node->in[i]));
    }
    for (int i = 0; i < node->out_count; i++) {
        struct zf_definition *made =
            *proto->output[i] ? zf_import_find(import, proto->output[i]) : NULL;

        node->out[i] = made && made->users > 0 ? made : NULL;
    }
    return ZF_OK;
}

static bool all_known(const struct zf_import_node *node)
{
    for (int i = 0; i < node->in_count; i++) {
        if (node->in[i] && !zf_operand_is_constant(node->in[i]))
            return false;
    }
    return true;
}

static bool is_standard(const Onnx__NodeProto *proto)
{
    return !proto->domain || !*proto->domain || strcmp(proto->domain, "ai.onnx") == 0;
}

static enum zf_status fail_unknown(const struct zf_import_node *node)
{
    const char *domain = node->proto->domain ? node->proto->domain : "";

    return zf_fail(node->import->err, ZF_EUNSUPPORTED,
                   "%s: node \"%.100s\" is a %.50s%s%.50s of opset %" PRId64
                   ", which this version does "
                   "not read",
                   node->import->path, zf_node_name(node->proto),
                   node->proto->op_type ? node->proto->op_type : "?", *domain ? " of " : "", domain,
                   node->import->opset);
}

static enum zf_status translate_node(struct zf_import *import, const Onnx__NodeProto *proto)
{
    const struct zf_operator *known =
        proto->op_type && is_standard(proto) ? zf_operator_find(proto->op_type) : NULL;
    struct zf_import_node node = {.import = import, .proto = proto};
    enum zf_status (*work)(struct zf_import_node *);

    ZF_CHECK(gather_node(&node));
    work = known == NULL ? NULL : all_known(&node) ? known->fold : known->translate;
    if (!work)
        return fail_unknown(&node);
    ZF_CHECK(work(&node));
    ZF_CHECK(zf_import_follow_batch(&node));
    for (int i = 0; i < node.out_count; i++)
        ZF_CHECK(check_filled(&node, node.out[i] ? &node.out[i]->value : NULL));
    return ZF_OK;
}

/* A node of a branch that is not taken may be anything; what it makes stays unknown. */
static enum zf_status translate_step(struct zf_import *import, const struct zf_import_step *step)
{
    const enum zf_status status = translate_node(import, step->proto);

    if (!step->optional || status == ZF_ENOMEM)
        return status;
    return ZF_OK;
}

/* What the net ends in must be a layer's whole output; a rearrangement at the end is settled. */
static enum zf_status settle_target(struct zf_import *import)
{
    struct zf_import_node node = {.import = import,
                                  .proto = import->steps[import->target->node].proto};
    struct zf_operand *value = &import->target->value;
    const int before = value->layer;

    if (value->kind == ZF_OPERAND_MAPS)
        ZF_CHECK(zf_import_settle_end(&node, value));
    if (value->kind == ZF_OPERAND_MAPS && value->layer != before)
        ZF_CHECK(zf_import_rename(import, before, value->layer, import->target->name));
    if (value->kind != ZF_OPERAND_MAPS || value->layer == ZF_NET_INPUT)
        return zf_fail(import->err, ZF_EINPUT, "%s: \"%.100s\" is no output of any layer",
                       import->path, import->target->name);
    return ZF_OK;
}

static void import_release(struct zf_import *import)
{
    for (size_t i = 0; i < import->definition_count; i++)
        zf_free(import->definitions[i].value.owned);
    for (size_t i = 0; i < import->layer_count; i++) {
        struct zf_import_layer *layer = &import->layers[i];

        zf_free(layer->params);
        zf_free(layer->inputs);
        zf_free(layer->owned_weight);
        zf_free(layer->owned_bias);
        zf_free(layer->aka);
    }
    for (int i = 0; i < import->mapped_count; i++)
        zf_bytes_release(&import->mapped[i]);
    for (size_t i = 0; i < import->block_count; i++)
        zf_free(import->blocks[i]);
    zf_free(import->blocks);
    zf_free(import->steps);
    zf_free(import->tensors);
    zf_free(import->tensor_names);
    zf_free(import->definitions);
    zf_free(import->layers);
    zf_free(import->order);
}

/* ---- Reading, and a way on ---- */

/* Ends that were made before a node could not be read, the nearest first; lent by the model. */
struct ends {
    const char *names[MOST_TRIES];
    int count;
};

/* What feeds the node first, then what was made last. */
static void find_ends(const struct zf_import *import, int failed, struct ends *ends)
{
    const Onnx__NodeProto *node = import->steps[import->order[failed]].proto;

    for (int pass = 0; pass < 2; pass++) {
        for (int i = failed; i-- > 0 && ends->count < MOST_TRIES;) {
            const Onnx__NodeProto *made = import->steps[import->order[i]].proto;
            const struct zf_definition *out =
                made->n_output > 0 ? zf_import_find(import, made->output[0]) : NULL;
            bool feeds = false;

            if (import->steps[import->order[i]].optional || !out ||
                out->value.kind != ZF_OPERAND_MAPS || out->value.layer == ZF_NET_INPUT)
                continue;
            for (size_t k = 0; k < node->n_input; k++)
                feeds = feeds || strcmp(node->input[k], out->name) == 0;
            if (feeds == (pass == 0))
                ends->names[ends->count++] = out->name;
        }
    }
}

/* Weights that are spent on a try are those of the file again. */
static enum zf_status read_once(Onnx__ModelProto *model, size_t bytes, const char *path,
                                const struct zf_model_options *options, struct zf_net **out,
                                struct ends *ends, struct zf_error *err)
{
    struct zf_import import = {.path = path,
                               .options = options,
                               .err = err,
                               .model = model,
                               .memory = MEMORY_BASE,
                               .filled = MOST_FILLED,
                               .work = WORK_BASE};
    struct zf_net *net = NULL;
    enum zf_status status;
    int done = 0;

    zf_import_afford(&import, bytes);
    ZF_TRY(find_opset(&import));
    ZF_TRY(zf_import_inline(&import));
    ZF_TRY(zf_import_graph(&import));
    ZF_TRY(zf_import_picture(&import));
    for (; done < import.order_count; done++)
        ZF_TRY(translate_step(&import, &import.steps[import.order[done]]));
    ZF_TRY(settle_target(&import));
    ZF_TRY(zf_import_assemble(&import, &net));
    ZF_TRY(zf_import_answer(&import, net));
    ZF_TRY(zf_import_preparation(&import, net));
    *out = net;
    net = NULL;
fail:
    if (status == ZF_EUNSUPPORTED && ends && done < import.order_count)
        find_ends(&import, done, ends);
    zf_net_free(&net);
    import_release(&import);
    return status;
}

/* The first of the ends that a net can be read up to; NULL for none. */
static const char *try_ends(Onnx__ModelProto *model, size_t bytes, const char *path,
                            const struct zf_model_options *options, const struct ends *ends)
{
    for (int i = 0; i < ends->count; i++) {
        struct zf_model_options until = *options;
        struct zf_error reason = {0};
        struct zf_net *net = NULL;

        until.until = ends->names[i];
        if (read_once(model, bytes, path, &until, &net, NULL, &reason) == ZF_OK) {
            zf_net_free(&net);
            return ends->names[i];
        }
    }
    return NULL;
}

enum zf_status zf_onnx_read(Onnx__ModelProto *model, size_t bytes, const char *path,
                            const struct zf_model_options *options, struct zf_net **out,
                            struct zf_error *err)
{
    struct zf_error reason = {0};
    struct ends ends = {.count = 0};
    const enum zf_status status = read_once(model, bytes, path, options, out, &ends, &reason);
    const char *end;

    if (status == ZF_OK)
        return ZF_OK;
    end = status == ZF_EUNSUPPORTED ? try_ends(model, bytes, path, options, &ends) : NULL;
    if (end)
        return zf_fail(err, status, "%s; --until \"%s\" reads what is below it", reason.message,
                       end);
    return zf_fail(err, status, "%s", reason.message);
}
