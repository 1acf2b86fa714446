/* SPDX-License-Identifier: MIT */
/*
 * The graph as one flat list of nodes: a call of a function of the file becomes its nodes, and an
 * If is preceded by the nodes of both branches, which may fail where they are not taken. Names
 * inside get the name of the node in front, so that each stands once.
 *
 * An If in the list reads its condition, then the outputs of its then branch, then those of the
 * other.
 */
#include "graph.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_DEPTH 16

/* Names of an inner graph and what they are called outside. */
struct scope {
    struct zf_import *import;
    const struct scope *outer; /* NULL for a function's body, which sees nothing around it */
    const char *prefix;
    const char **inner, **renamed;
    size_t count, capacity, renamed_capacity;
    const Onnx__NodeProto *call; /* of a function: where its attributes are */
    bool optional;
    int depth;
};

static enum zf_status no_memory(const struct zf_import *import)
{
    return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
}

/* Memory that is freed with the import; NULL when it is short. */
static void *keep(struct zf_import *import, void *block)
{
    void *blocks = import->blocks;

    if (!block || !zf_grow(&blocks, &import->block_capacity, import->block_count + 1,
                           sizeof *import->blocks)) {
        zf_free(block);
        return NULL;
    }
    import->blocks = blocks;
    import->blocks[import->block_count++] = block;
    return block;
}

static enum zf_status add_step(struct zf_import *import, Onnx__NodeProto *proto, bool optional)
{
    void *steps = import->steps;

    if (import->step_count == ZF_ONNX_NODES)
        return zf_fail(import->err, ZF_EINPUT, "%s: more than %d nodes, which no net has",
                       import->path, ZF_ONNX_NODES);
    if (!zf_grow(&steps, &import->step_capacity, import->step_count + 1, sizeof *import->steps))
        return no_memory(import);
    import->steps = steps;
    import->steps[import->step_count++] = (struct zf_import_step){proto, optional};
    return ZF_OK;
}

static enum zf_status add_tensor(struct zf_import *import, const Onnx__TensorProto *tensor,
                                 const char *name)
{
    void *tensors = import->tensors, *names = import->tensor_names;
    size_t capacity = import->tensor_capacity;

    if (!zf_grow(&tensors, &capacity, import->tensor_count + 1, sizeof *import->tensors))
        return no_memory(import);
    import->tensors = tensors;
    if (!zf_grow(&names, &import->tensor_capacity, import->tensor_count + 1,
                 sizeof *import->tensor_names))
        return no_memory(import);
    import->tensor_names = names;
    import->tensors[import->tensor_count] = tensor;
    import->tensor_names[import->tensor_count++] = name;
    return ZF_OK;
}

/* ---- Names ---- */

static enum zf_status rename_as(struct scope *scope, const char *inner, const char *renamed)
{
    void *inners = scope->inner, *others = scope->renamed;

    if (!zf_grow(&inners, &scope->capacity, scope->count + 1, sizeof *scope->inner))
        return no_memory(scope->import);
    scope->inner = inners;
    if (!zf_grow(&others, &scope->renamed_capacity, scope->count + 1, sizeof *scope->renamed))
        return no_memory(scope->import);
    scope->renamed = others;
    scope->inner[scope->count] = inner;
    scope->renamed[scope->count++] = renamed;
    return ZF_OK;
}

/* A name made inside: with the prefix. */
static enum zf_status define(struct scope *scope, const char *name)
{
    const char *renamed;

    if (!name || !*name)
        return ZF_OK;
    renamed = keep(scope->import, zf_format("%s/%s", scope->prefix, name));
    return renamed ? rename_as(scope, name, renamed) : no_memory(scope->import);
}

static const char *look_up(const struct scope *scope, const char *name)
{
    for (const struct scope *s = scope; s && *name; s = s->outer)
        for (size_t i = s->count; i-- > 0;)
            if (strcmp(s->inner[i], name) == 0)
                return s->renamed[i];
    return name;
}

static void scope_release(struct scope *scope)
{
    zf_free(scope->inner);
    zf_free(scope->renamed);
}

/* ---- Nodes ---- */

/* An attribute that the body takes from the call: renamed; NULL where the call has none. */
static Onnx__AttributeProto *attribute_of_call(const struct scope *scope,
                                               const Onnx__AttributeProto *attribute)
{
    const Onnx__NodeProto *call = scope->call;
    Onnx__AttributeProto *copy;

    for (size_t i = 0; call && i < call->n_attribute; i++) {
        if (!call->attribute[i]->name ||
            strcmp(call->attribute[i]->name, attribute->ref_attr_name) != 0)
            continue;
        copy = keep(scope->import, zf_alloc(1, sizeof *copy));
        if (!copy)
            return NULL;
        *copy = *call->attribute[i];
        copy->name = attribute->name;
        return copy;
    }
    return NULL;
}

static enum zf_status copy_attributes(const struct scope *scope, const Onnx__NodeProto *node,
                                      Onnx__NodeProto *copy)
{
    size_t count = 0;

    copy->attribute = keep(scope->import, zf_alloc(node->n_attribute + 1, sizeof(void *)));
    if (!copy->attribute)
        return no_memory(scope->import);
    for (size_t i = 0; i < node->n_attribute; i++) {
        Onnx__AttributeProto *attribute = node->attribute[i];
        const bool refers = attribute->ref_attr_name && *attribute->ref_attr_name;

        if (refers)
            attribute = attribute_of_call(scope, attribute);
        if (attribute)
            copy->attribute[count++] = attribute;
    }
    copy->n_attribute = count;
    return ZF_OK;
}

/* protobuf-c has no const; names are only read. */
static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* The node with the names that it has outside. */
static enum zf_status copy_node(const struct scope *scope, const Onnx__NodeProto *node,
                                Onnx__NodeProto **out)
{
    Onnx__NodeProto *copy = keep(scope->import, zf_alloc(1, sizeof *copy));
    char **inputs = keep(scope->import, zf_alloc(node->n_input + 1, sizeof *inputs));
    char **outputs = keep(scope->import, zf_alloc(node->n_output + 1, sizeof *outputs));
    const char *name = NULL;

    if (!copy || !inputs || !outputs)
        return no_memory(scope->import);
    *copy = *node;
    for (size_t i = 0; i < node->n_input; i++)
        inputs[i] = lent(look_up(scope, node->input[i]));
    for (size_t i = 0; i < node->n_output; i++)
        outputs[i] = lent(look_up(scope, node->output[i]));
    copy->input = inputs;
    copy->output = outputs;
    if (node->name && *node->name) {
        name = keep(scope->import, zf_format("%s/%s", scope->prefix, node->name));
        if (!name)
            return no_memory(scope->import);
        copy->name = lent(name);
    }
    *out = copy;
    return copy_attributes(scope, node, copy);
}

static enum zf_status inline_node(const struct scope *scope, Onnx__NodeProto *node);

/* ---- Functions ---- */

static bool same_domain(const char *a, const char *b)
{
    a = a && strcmp(a, "ai.onnx") != 0 ? a : "";
    b = b && strcmp(b, "ai.onnx") != 0 ? b : "";
    return strcmp(a, b) == 0;
}

static const Onnx__FunctionProto *find_function(const struct zf_import *import,
                                                const Onnx__NodeProto *node)
{
    for (size_t i = 0; node->op_type && i < import->model->n_functions; i++) {
        const Onnx__FunctionProto *function = import->model->functions[i];

        if (function->name && strcmp(function->name, node->op_type) == 0 &&
            same_domain(function->domain, node->domain))
            return function;
    }
    return NULL;
}

/* Inputs and outputs have the names of the call's; the rest is the body's own. */
static enum zf_status name_function(struct scope *scope, const Onnx__FunctionProto *function)
{
    const Onnx__NodeProto *call = scope->call;

    for (size_t i = 0; i < function->n_node; i++)
        for (size_t k = 0; k < function->node[i]->n_output; k++)
            ZF_CHECK(define(scope, function->node[i]->output[k]));
    for (size_t i = 0; i < function->n_input; i++)
        ZF_CHECK(rename_as(scope, function->input[i], i < call->n_input ? call->input[i] : ""));
    for (size_t i = 0; i < function->n_output && i < call->n_output; i++)
        if (*call->output[i])
            ZF_CHECK(rename_as(scope, function->output[i], call->output[i]));
    return ZF_OK;
}

static enum zf_status inline_function(const struct scope *outer, const Onnx__NodeProto *call,
                                      const Onnx__FunctionProto *function)
{
    struct scope scope = {.import = outer->import,
                          .prefix = zf_node_name(call),
                          .call = call,
                          .optional = outer->optional,
                          .depth = outer->depth + 1};
    enum zf_status status;

    ZF_TRY(name_function(&scope, function));
    for (size_t i = 0; i < function->n_node; i++) {
        Onnx__NodeProto *node;

        ZF_TRY(copy_node(&scope, function->node[i], &node));
        ZF_TRY(inline_node(&scope, node));
    }
fail:
    scope_release(&scope);
    return status;
}

/* ---- Branches ---- */

/* The nodes of a branch; outputs[i] are the names of its outputs outside. */
static enum zf_status inline_graph(const struct scope *outer, const char *prefix,
                                   const Onnx__GraphProto *graph, char **outputs, size_t count)
{
    struct scope scope = {.import = outer->import,
                          .outer = outer,
                          .prefix = prefix,
                          .call = outer->call,
                          .optional = true,
                          .depth = outer->depth + 1};
    enum zf_status status = ZF_OK;

    for (size_t i = 0; i < graph->n_initializer; i++) {
        ZF_TRY(define(&scope, graph->initializer[i]->name));
        if (graph->initializer[i]->name)
            ZF_TRY(add_tensor(outer->import, graph->initializer[i],
                              look_up(&scope, graph->initializer[i]->name)));
    }
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            ZF_TRY(define(&scope, graph->node[i]->output[k]));
    for (size_t i = 0; i < graph->n_node; i++) {
        Onnx__NodeProto *node;

        ZF_TRY(copy_node(&scope, graph->node[i], &node));
        ZF_TRY(inline_node(&scope, node));
    }
    for (size_t i = 0; i < count; i++)
        outputs[i] = lent(i < graph->n_output && graph->output[i]->name
                              ? look_up(&scope, graph->output[i]->name)
                              : "");
fail:
    scope_release(&scope);
    return status;
}

static const Onnx__GraphProto *branch_of(const Onnx__NodeProto *node, const char *name)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, name) == 0)
            return node->attribute[i]->g;
    return NULL;
}

static enum zf_status inline_if(const struct scope *scope, const Onnx__NodeProto *node)
{
    static const char *const names[] = {"then_branch", "else_branch"};
    struct zf_import *import = scope->import;
    const size_t count = node->n_output;
    Onnx__NodeProto *copy = keep(import, zf_alloc(1, sizeof *copy));
    char **inputs = keep(import, zf_alloc(1 + 2 * count, sizeof *inputs));

    if (!copy || !inputs)
        return no_memory(import);
    *copy = *node;
    copy->input = inputs;
    copy->n_input = 1 + 2 * count;
    inputs[0] = node->n_input > 0 ? node->input[0] : lent("");
    for (int k = 0; k < 2; k++) {
        const Onnx__GraphProto *graph = branch_of(node, names[k]);
        const char *prefix = keep(import, zf_format("%s/%.4s", zf_node_name(node), names[k]));

        if (!prefix)
            return no_memory(import);
        if (!graph)
            return zf_fail(import->err, ZF_EINPUT, "%s: node \"%.100s\" (If) has no %s",
                           import->path, zf_node_name(node), names[k]);
        ZF_CHECK(inline_graph(scope, prefix, graph, inputs + 1 + (size_t)k * count, count));
    }
    return add_step(import, copy, scope->optional);
}

/* The node's own names are those outside already. */
static enum zf_status inline_node(const struct scope *scope, Onnx__NodeProto *node)
{
    const Onnx__FunctionProto *function = find_function(scope->import, node);

    if (scope->depth > MOST_DEPTH)
        return zf_fail(scope->import->err, ZF_EINPUT,
                       "%s: node \"%.100s\": functions inside functions, deeper than any model",
                       scope->import->path, zf_node_name(node));
    if (function)
        return inline_function(scope, node, function);
    if (node->op_type && strcmp(node->op_type, "If") == 0 && same_domain(node->domain, ""))
        return inline_if(scope, node);
    return add_step(scope->import, node, scope->optional);
}

enum zf_status zf_import_inline(struct zf_import *import)
{
    const struct scope outermost = {.import = import, .prefix = ""};
    const Onnx__GraphProto *graph = import->graph;

    for (size_t i = 0; i < graph->n_initializer; i++)
        ZF_CHECK(add_tensor(import, graph->initializer[i], graph->initializer[i]->name));
    for (size_t i = 0; i < graph->n_node; i++)
        ZF_CHECK(inline_node(&outermost, graph->node[i]));
    return ZF_OK;
}
