/* SPDX-License-Identifier: MIT */
/* Names and what makes them; which nodes the target needs, and in which order. */
#include "import.h"

#include <stdlib.h>
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
    size_t most = graph->n_initializer + graph->n_input;

    if (graph->n_node == 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: a graph without nodes", import->path);
    if (graph->n_initializer > (uint64_t)import->options->limits.max_tensors)
        return zf_fail(import->err, ZF_EINPUT, "%s: %zu tensors, more than the limit of %lld",
                       import->path, graph->n_initializer,
                       (long long)import->options->limits.max_tensors);
    if (graph->n_sparse_initializer > 0)
        return zf_fail(import->err, ZF_EUNSUPPORTED, "%s: sparse tensors are not read",
                       import->path);
    for (size_t i = 0; i < graph->n_node; i++)
        most += graph->node[i]->n_output;
    if (most > MOST_NAMES)
        return zf_fail(import->err, ZF_EINPUT, "%s: %zu names, more than %d", import->path, most,
                       MOST_NAMES);
    import->definitions = zf_alloc(most, sizeof *import->definitions);
    if (!import->definitions)
        return zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
    for (size_t i = 0; i < graph->n_initializer; i++)
        define(import, (struct zf_definition){.name = graph->initializer[i]->name,
                                              .tensor = graph->initializer[i],
                                              .node = -1});
    for (size_t i = 0; i < graph->n_input; i++)
        define(import, (struct zf_definition){
                           .name = graph->input[i]->name, .input = graph->input[i], .node = -1});
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t k = 0; k < graph->node[i]->n_output; k++)
            define(import,
                   (struct zf_definition){.name = graph->node[i]->output[k], .node = (int)i});
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

static enum zf_status find_target(struct zf_import *import)
{
    const Onnx__GraphProto *graph = import->graph;
    const char *name = import->options->until;

    for (size_t i = 0; name && i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];

        if (node->name && strcmp(node->name, name) == 0 && node->n_output > 0)
            import->target = zf_import_find(import, node->output[0]);
    }
    if (!name && (graph->n_output == 0 || !graph->output[0]->name))
        return zf_fail(import->err, ZF_EINPUT, "%s: a graph without outputs", import->path);
    if (!import->target)
        import->target = zf_import_find(import, name ? name : graph->output[0]->name);
    if (!import->target && name)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: no node and no tensor is called \"%.100s\"; the last node is \"%.100s\"",
            import->path, name, zf_node_name(graph->node[graph->n_node - 1]));
    if (!import->target || import->target->node < 0)
        return zf_fail(import->err, ZF_EINPUT, "%s: no node makes the output \"%.100s\"",
                       import->path, name ? name : graph->output[0]->name);
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
    enum zf_status status;
    int depth = 1;

    stack[0] = (struct visit){import->target->node, 0};
    marks[stack[0].node] = OPEN;
    while (depth > 0) {
        struct visit *top = &stack[depth - 1];
        const Onnx__NodeProto *node = import->graph->node[top->node];
        int below = -1;

        if (top->input == node->n_input) {
            marks[top->node] = DONE;
            import->order[import->order_count++] = top->node;
            depth--;
            continue;
        }
        ZF_TRY(producer(import, node, top->input++, &below));
        if (below >= 0 && marks[below] == OPEN)
            return zf_fail(import->err, ZF_EINPUT,
                           "%s: node \"%.100s\" needs its own output: the graph has a cycle",
                           import->path, zf_node_name(import->graph->node[below]));
        if (below >= 0 && marks[below] == UNSEEN) {
            marks[below] = OPEN;
            stack[depth++] = (struct visit){below, 0};
        }
    }
    status = ZF_OK;
fail:
    return status;
}

static int compare_numbers(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

/* The file's own order where it is one: layers then stand as their author thought of them. */
static enum zf_status prefer_file_order(struct zf_import *import)
{
    enum zf_status status = ZF_OK;
    bool good = true;

    for (int i = 0; i < import->order_count && good; i++) {
        const Onnx__NodeProto *node = import->graph->node[import->order[i]];

        for (size_t k = 0; k < node->n_input && good; k++) {
            int below = -1;

            ZF_TRY(producer(import, node, k, &below));
            good = below < import->order[i];
        }
    }
    if (good)
        qsort(import->order, (size_t)import->order_count, sizeof *import->order, compare_numbers);
fail:
    return status;
}

static enum zf_status find_order(struct zf_import *import)
{
    enum zf_status status = ZF_OK;
    const size_t count = import->graph->n_node;
    struct visit *stack = zf_alloc(count, sizeof *stack);
    uint8_t *marks = zf_alloc(count, sizeof *marks);

    import->order = zf_alloc(count, sizeof *import->order);
    if (!stack || !marks || !import->order) {
        status = zf_fail(import->err, ZF_ENOMEM, "%s: out of memory", import->path);
        goto fail;
    }
    ZF_TRY(walk_up(import, stack, marks));
    ZF_TRY(prefer_file_order(import));
    for (int i = 0; i < import->order_count; i++) {
        const Onnx__NodeProto *node = import->graph->node[import->order[i]];

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

/* ---- The picture ---- */

/* A dimension of the input: its number, or 0 where the file leaves it open. */
static int64_t dimension(const Onnx__TensorShapeProto *shape, size_t i)
{
    const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];

    return d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0
               ? d->dim_value
               : 0;
}

/*
 * Where the file leaves a side open it is as asked, or as the metadata's crop says. That a fixed
 * side cannot become another one is told where the net is whole (zf_model_open()).
 */
static enum zf_status read_sides(struct zf_import *import, int64_t height, int64_t width)
{
    const struct zf_model_options *options = import->options;
    struct zf_shape *input = &import->input, crop = {0};
    enum zf_status status;

    if (options->height == 0)
        ZF_TRY(zf_import_crop(import, &crop));
    input->h = height ? height : options->height ? options->height : crop.h;
    input->w = width ? width : options->width ? options->width : crop.w;
    if (input->h == 0 || input->w == 0)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: its input \"%.100s\" leaves the %s open; say which with --input-size HxW",
            import->path, import->picture->name, input->h == 0 ? "height" : "width");
    if (crop.h != 0 && (crop.h != input->h || crop.w != input->w))
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its metadata says a crop of %lldx%lld, and its input \"%.100s\" is "
                       "%lldx%lld px; --crop %lldx%lld takes it as it is",
                       import->path, (long long)crop.h, (long long)crop.w, import->picture->name,
                       (long long)input->h, (long long)input->w, (long long)input->h,
                       (long long)input->w);
    status = ZF_OK;
fail:
    return status;
}

/* Pictures have 1 or 3 channels, and maps are wider: so the last dimension tells [N, H, W, C]. */
static bool channels_last(const int64_t *dims)
{
    return (dims[3] == 1 || dims[3] == 3) && dims[1] != 1 && dims[1] != 3;
}

static enum zf_status read_picture(struct zf_import *import)
{
    static const struct zf_roles first = {{1, 2, 3}}, last = {{3, 1, 2}};
    const Onnx__TypeProto *type = import->picture->input->type;
    const Onnx__TensorShapeProto *shape =
        type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && type->tensor_type
            ? type->tensor_type->shape
            : NULL;
    const struct zf_roles *roles;
    int64_t dims[4] = {0, 0, 1, 1};
    enum zf_status status;

    if (!shape || (shape->n_dim != 4 && shape->n_dim != 2))
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its input \"%.100s\" has %zu dimensions; a batch of pictures has 4",
                       import->path, import->picture->name, shape ? shape->n_dim : (size_t)0);
    for (size_t i = 0; i < shape->n_dim; i++)
        dims[i] = dimension(shape, i);
    import->batch = dims[0];
    roles = shape->n_dim == 4 && channels_last(dims) ? &last : &first;
    import->input.c = dims[roles->axis[0]];
    if (import->input.c == 0)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its input \"%.100s\" leaves the number of channels open", import->path,
                       import->picture->name);
    if (shape->n_dim == 2) {
        import->input.h = import->input.w = 1;
    } else {
        ZF_TRY(read_sides(import, dims[roles->axis[1]], dims[roles->axis[2]]));
    }
    zf_value_place(&import->picture->value, ZF_NET_INPUT, import->input, (int)shape->n_dim,
                   shape->n_dim == 4 ? roles : &(struct zf_roles){{1, -1, -1}});
    status = ZF_OK;
fail:
    return status;
}

static enum zf_status find_picture(struct zf_import *import)
{
    for (size_t i = 0; i < import->definition_count; i++) {
        struct zf_definition *definition = &import->definitions[i];

        if (!definition->input || definition->users == 0)
            continue;
        if (import->picture)
            return zf_fail(import->err, ZF_EUNSUPPORTED,
                           "%s: two inputs, \"%.100s\" and \"%.100s\"; a net here sees one picture",
                           import->path, import->picture->name, definition->name);
        import->picture = definition;
    }
    if (!import->picture)
        return zf_fail(import->err, ZF_EINPUT, "%s: its output depends on no input", import->path);
    return read_picture(import);
}

enum zf_status zf_import_graph(struct zf_import *import)
{
    enum zf_status status;

    ZF_TRY(collect(import));
    ZF_TRY(find_target(import));
    ZF_TRY(find_order(import));
    ZF_TRY(find_picture(import));
fail:
    return status;
}
