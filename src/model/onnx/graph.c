/* SPDX-License-Identifier: MIT */
/* Names and what makes them; which nodes the target needs, and in which order. */
#include "graph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define MOST_NAMES 32768

const char *zf_node_name(const Onnx__NodeProto *proto)
{
    if (proto->name && *proto->name)
        return proto->name;
    return proto->n_output > 0 && proto->output[0] ? proto->output[0] : "";
}

static int compare_definitions(const void *a, const void *b)
{
    const struct zf_definition *x = a, *y = b;
    const int order = strcmp(x->name, y->name);

    return order ? order : (x->tensor == NULL) - (y->tensor == NULL);
}

static const char *kind_of(const struct zf_definition *definition)
{
    return definition->tensor ? "a tensor" : definition->input ? "an input" : "a node's output";
}

/* Each name once; old files name their tensors among the inputs as well. */
static enum zf_status sort_definitions(struct zf_import *import)
{
    struct zf_definition *list = import->definitions;
    size_t kept = 0;

    qsort(list, import->definition_count, sizeof *list, compare_definitions);
    for (size_t i = 0; i < import->definition_count; i++) {
        const bool again = kept > 0 && strcmp(list[kept - 1].name, list[i].name) == 0;

        if (again && !(list[kept - 1].tensor && list[i].input))
            return zf_fail(import->err, ZF_EINPUT,
                           "%s: \"%.100s\" stands there twice, as %s and as %s", import->path,
                           list[i].name, kind_of(&list[kept - 1]), kind_of(&list[i]));
        if (!again)
            list[kept++] = list[i];
    }
    import->definition_count = kept;
    return ZF_OK;
}

static void define(struct zf_import *import, struct zf_definition definition)
{
    if (definition.name && *definition.name)
        import->definitions[import->definition_count++] = definition;
}

static enum zf_status collect(struct zf_import *import)
{
    const Onnx__GraphProto *graph = import->graph;
    size_t most = import->tensor_count + graph->n_input;

    if (graph->n_node == 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: a graph without nodes", import->path);
    if (graph->n_initializer > (uint64_t)import->options->limits.max_tensors)
        return zf_fail(import->err, ZF_EINPUT, "%s: %zu tensors, more than the limit of %" PRId64,
                       import->path, graph->n_initializer, import->options->limits.max_tensors);
    if (graph->n_sparse_initializer > 0)
        return zf_fail(import->err, ZF_EUNSUPPORTED, "%s: sparse tensors are not read",
                       import->path);
    for (size_t i = 0; i < import->step_count; i++)
        most += import->steps[i].proto->n_output;
    if (most > MOST_NAMES)
        return zf_fail(import->err, ZF_EINPUT, "%s: %zu names, more than %d", import->path, most,
                       MOST_NAMES);
    import->definitions = zf_alloc(most, sizeof *import->definitions);
    if (!import->definitions)
        return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    for (size_t i = 0; i < import->tensor_count; i++)
        define(import, (struct zf_definition){.name = import->tensor_names[i],
                                              .tensor = import->tensors[i],
                                              .node = -1});
    for (size_t i = 0; i < graph->n_input; i++)
        define(import, (struct zf_definition){
                           .name = graph->input[i]->name, .input = graph->input[i], .node = -1});
    for (size_t i = 0; i < import->step_count; i++)
        for (size_t k = 0; k < import->steps[i].proto->n_output; k++)
            define(import, (struct zf_definition){.name = import->steps[i].proto->output[k],
                                                  .node = (int)i});
    return sort_definitions(import);
}

static int compare_name(const void *name, const void *definition)
{
    return strcmp(name, ((const struct zf_definition *)definition)->name);
}

struct zf_definition *zf_import_find(const struct zf_import *import, const char *name)
{
    return bsearch(name, import->definitions, import->definition_count, sizeof *import->definitions,
                   compare_name);
}

/* ---- The target ---- */

/* The node or tensor that --until names. */
static enum zf_status find_until(struct zf_import *import, const char *name)
{
    for (size_t i = 0; i < import->step_count; i++) {
        const Onnx__NodeProto *node = import->steps[i].proto;

        if (node->name && strcmp(node->name, name) == 0 && node->n_output > 0)
            import->target = zf_import_find(import, node->output[0]);
    }
    if (!import->target)
        import->target = zf_import_find(import, name);
    if (!import->target)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: no node and no tensor is called \"%.100s\"; the last node is \"%.100s\"",
            import->path, name, zf_node_name(import->steps[import->step_count - 1].proto));
    return ZF_OK;
}

static const Onnx__NodeProto *maker_of(const struct zf_import *import, const char *name)
{
    const struct zf_definition *definition = name && *name ? zf_import_find(import, name) : NULL;

    return definition && definition->node >= 0 ? import->steps[definition->node].proto : NULL;
}

/* How much an output looks like classes: a softmax, then what goes into one, then yes or no. */
static int rank_of(const struct zf_import *import, const char *name)
{
    static const char *const order[] = {"Softmax", "LogSoftmax", "Gemm", "MatMul", "Sigmoid"};
    const Onnx__NodeProto *node = maker_of(import, name);

    for (int k = 0; node && k < 2; k++) { /* an Add behind is a bias */
        for (size_t i = 0; i < ZF_COUNT(order); i++)
            if (node->op_type && strcmp(node->op_type, order[i]) == 0)
                return (int)i;
        if (!node->op_type || strcmp(node->op_type, "Add") != 0 || node->n_input == 0)
            break;
        node = maker_of(import, node->input[0]);
    }
    return ZF_COUNT(order);
}

/* The output asked for; else, of several, the one most like classes; the first of equals. */
static enum zf_status find_output(struct zf_import *import)
{
    const Onnx__GraphProto *graph = import->graph;
    const char *name = import->options->output, *best = NULL;
    char known[300] = "";

    for (size_t i = 0; i < graph->n_output; i++) {
        const char *output = graph->output[i]->name;

        if (!output || (name && strcmp(name, output) != 0))
            continue;
        if (!best || rank_of(import, output) < rank_of(import, best))
            best = output;
    }
    for (size_t i = 0; i < graph->n_output && strlen(known) < sizeof known - 60; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s\"%.50s\"", i ? ", " : "",
                 graph->output[i]->name ? graph->output[i]->name : "");
    if (!best && name)
        return zf_fail(import->err, ZF_EINPUT, "%s: no output is called \"%.100s\"; there is %s",
                       import->path, name, known);
    if (!best)
        return zf_fail(import->err, ZF_EINPUT, "%s: a graph without outputs", import->path);
    if (graph->n_output > 1 && !name)
        zf_monitor_message(import->options->monitor,
                           "note: %s has the outputs %s; looked at is \"%.50s\", --output NAME "
                           "takes another",
                           import->path, known, best);
    import->target = zf_import_find(import, best);
    if (!import->target || import->target->node < 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: no node makes the output \"%.100s\"",
                       import->path, best);
    return ZF_OK;
}

/* Which class is the strongest is no maps: a net that ends in that ends before it. */
static void leave_off_choice(struct zf_import *import)
{
    static const char *const passed[] = {"Cast",    "Squeeze",  "Unsqueeze",
                                         "Reshape", "Identity", "Flatten"};
    const Onnx__NodeProto *node = import->steps[import->target->node].proto;
    struct zf_definition *below;
    bool passes = true;

    while (node && node->op_type && passes) {
        const bool chosen =
            strcmp(node->op_type, "ArgMax") == 0 || strcmp(node->op_type, "TopK") == 0;

        below = node->n_input > 0 ? zf_import_find(import, node->input[0]) : NULL;
        if (chosen && below && below->node >= 0) {
            import->target = below;
            return;
        }
        passes = false;
        for (size_t i = 0; i < ZF_COUNT(passed); i++)
            passes = passes || strcmp(node->op_type, passed[i]) == 0;
        node = node->n_input > 0 ? maker_of(import, node->input[0]) : NULL;
    }
}

static enum zf_status find_target(struct zf_import *import)
{
    const char *until = import->options->until;

    if (until)
        ZF_CHECK(find_until(import, until));
    else
        ZF_CHECK(find_output(import));
    if (import->target->node < 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: no node makes \"%.100s\"", import->path,
                       import->target->name);
    if (!until)
        leave_off_choice(import);
    import->target->users++;
    return ZF_OK;
}

/* ---- The order ---- */

enum mark { UNSEEN, OPEN, DONE };

struct visit {
    int node;
    size_t input; /* the next one to look at */
};

/* The node that makes input k, -1 if none does. */
static enum zf_status producer(const struct zf_import *import, const Onnx__NodeProto *node,
                               size_t k, int *out)
{
    const char *name = node->input[k];
    const struct zf_definition *definition = *name ? zf_import_find(import, name) : NULL;

    if (*name && !definition)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: node \"%.100s\" (%.50s) reads \"%.100s\", which nothing makes",
                       import->path, zf_node_name(node), node->op_type ? node->op_type : "", name);
    *out = definition ? definition->node : -1;
    return ZF_OK;
}

/* Depth first, without recursion: a chain may be as long as the file has nodes. */
static enum zf_status walk_up(struct zf_import *import, struct visit *stack, uint8_t *marks)
{
    int depth = 1;

    stack[0] = (struct visit){import->target->node, 0};
    marks[stack[0].node] = OPEN;
    while (depth > 0) {
        struct visit *top = &stack[depth - 1];
        const Onnx__NodeProto *node = import->steps[top->node].proto;
        int below = -1;

        if (top->input == node->n_input) {
            marks[top->node] = DONE;
            import->order[import->order_count++] = top->node;
            depth--;
            continue;
        }
        ZF_CHECK(producer(import, node, top->input++, &below));
        if (below >= 0 && marks[below] == OPEN)
            return zf_fail(import->err, ZF_EINPUT,
                           "%s: node \"%.100s\" needs its own output: the graph has a cycle",
                           import->path, zf_node_name(import->steps[below].proto));
        if (below >= 0 && marks[below] == UNSEEN) {
            marks[below] = OPEN;
            stack[depth++] = (struct visit){below, 0};
        }
    }
    return ZF_OK;
}

static int compare_numbers(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* The file's own order where it is one: layers then stand as their author thought of them. */
static enum zf_status prefer_file_order(struct zf_import *import)
{
    bool good = true;

    for (int i = 0; i < import->order_count && good; i++) {
        const Onnx__NodeProto *node = import->steps[import->order[i]].proto;

        for (size_t k = 0; k < node->n_input && good; k++) {
            int below = -1;

            ZF_CHECK(producer(import, node, k, &below));
            good = below < import->order[i];
        }
    }
    if (good)
        qsort(import->order, (size_t)import->order_count, sizeof *import->order, compare_numbers);
    return ZF_OK;
}

static enum zf_status find_order(struct zf_import *import)
{
    enum zf_status status = ZF_OK;
    const size_t count = import->step_count;
    struct visit *stack = zf_alloc(count, sizeof *stack);
    uint8_t *marks = zf_alloc(count, sizeof *marks);

    import->order = zf_alloc(count, sizeof *import->order);
    if (!stack || !marks || !import->order)
        ZF_LEAVE(zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path));
    ZF_TRY(walk_up(import, stack, marks));
    ZF_TRY(prefer_file_order(import));
    for (int i = 0; i < import->order_count; i++) {
        const Onnx__NodeProto *node = import->steps[import->order[i]].proto;

        for (size_t k = 0; k < node->n_input; k++) {
            struct zf_definition *read = zf_import_find(import, node->input[k]);

            if (read)
                read->users++;
        }
    }
fail:
    zf_free(stack);
    zf_free(marks);
    return status;
}

enum zf_status zf_import_graph(struct zf_import *import)
{
    ZF_CHECK(collect(import));
    ZF_CHECK(find_target(import));
    return find_order(import);
}
