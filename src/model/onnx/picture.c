/* SPDX-License-Identifier: MIT */
/* Which input is the picture, and of what shape. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "graph.h"

#define MOST_NUMBERS (INT64_C(1) << 31) /* of one picture, as of any layer's output */

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

    if (options->height == 0)
        ZF_CHECK(zf_import_crop(import, &crop));
    input->h = height ? height : options->height ? options->height : crop.h;
    input->w = width ? width : options->width ? options->width : crop.w;
    if (input->h == 0 || input->w == 0)
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: its input \"%.100s\" leaves the %s open; say which with --input-size HxW",
            import->path, import->picture->name, input->h == 0 ? "height" : "width");
    if (crop.h != 0 && (crop.h != input->h || crop.w != input->w))
        return zf_fail(
            import->err, ZF_EINPUT,
            "%s: its metadata says a crop of %" PRId64 "x%" PRId64 ", and its input \"%.100s\" is "
            "%" PRId64 "x%" PRId64 " px; --crop %" PRId64 "x%" PRId64 " takes it as it is",
            import->path, crop.h, crop.w, import->picture->name, input->h, input->w, input->h,
            input->w);
    return ZF_OK;
}

/* ---- Channels left open ---- */

/* Operators that leave channels as they are. */
static bool passes_channels(const char *op)
{
    static const char *const names[] = {"Identity", "Cast", "Pad", "Sub",
                                        "Add",      "Mul",  "Div", "BatchNormalization",
                                        "Clip",     "Relu"};

    for (size_t i = 0; op && i < ZF_COUNT(names); i++)
        if (strcmp(op, names[i]) == 0)
            return true;
    return false;
}

/* What the first filters that see `name` say; 0 where none do. */
static int64_t channels_of(const struct zf_import *import, const char *name)
{
    for (int i = 0; i < import->order_count; i++) {
        const Onnx__NodeProto *node = import->steps[import->order[i]].proto;
        const struct zf_definition *weight;
        int64_t groups = 1;

        if (node->n_input == 0 || strcmp(node->input[0], name) != 0 || !node->op_type)
            continue;
        if (passes_channels(node->op_type) && node->n_output > 0) {
            name = node->output[0];
            continue;
        }
        weight = node->n_input > 1 ? zf_import_find(import, node->input[1]) : NULL;
        if (strcmp(node->op_type, "Conv") != 0 || !weight || !weight->tensor ||
            weight->tensor->n_dims != 4)
            continue;
        for (size_t k = 0; k < node->n_attribute; k++)
            if (node->attribute[k]->name && strcmp(node->attribute[k]->name, "group") == 0)
                groups = node->attribute[k]->i;
        return groups > 0 && groups <= 4096 && weight->tensor->dims[1] <= 4096
                   ? groups * weight->tensor->dims[1]
                   : 0;
    }
    return 0;
}

/* ---- Its shape ---- */

/* Is the first that computes with `name` an operator to which the second axis is that of the maps?
 */
static bool wants_channels_first(const struct zf_import *import, const char *name)
{
    static const char *const names[] = {"Conv",
                                        "ConvTranspose",
                                        "MaxPool",
                                        "AveragePool",
                                        "GlobalAveragePool",
                                        "GlobalMaxPool",
                                        "BatchNormalization",
                                        "InstanceNormalization",
                                        "GroupNormalization",
                                        "LRN",
                                        "DepthToSpace",
                                        "SpaceToDepth"};

    for (int i = 0; i < import->order_count; i++) {
        const Onnx__NodeProto *node = import->steps[import->order[i]].proto;

        if (node->n_input == 0 || strcmp(node->input[0], name) != 0 || !node->op_type)
            continue;
        for (size_t k = 0; k < ZF_COUNT(names); k++)
            if (strcmp(node->op_type, names[k]) == 0)
                return true;
        if (!passes_channels(node->op_type) || node->n_output == 0)
            return false;
        name = node->output[0];
    }
    return false;
}

/* Whether the only thing that is done with the picture is to bring its last dimension to the front,
   as exporters of programs do that have channels there. */
static bool moves_last_to_front(const struct zf_import *import, const char *name)
{
    static const int64_t order[] = {0, 3, 1, 2};
    bool moved = false;

    for (int i = 0; i < import->order_count; i++) {
        const Onnx__NodeProto *node = import->steps[import->order[i]].proto;

        for (size_t k = 0; k < node->n_input; k++) {
            const Onnx__AttributeProto *perm = node->n_attribute == 1 ? node->attribute[0] : NULL;

            if (strcmp(node->input[k], name) != 0)
                continue;
            if (!node->op_type || strcmp(node->op_type, "Transpose") != 0 || !perm ||
                perm->n_ints != ZF_COUNT(order) || memcmp(perm->ints, order, sizeof order) != 0)
                return false;
            moved = true;
        }
    }
    return moved;
}

/* Pictures have 1 or 3 channels, and maps are wider: so the last dimension tells [N, H, W, C],
   unless what is done with it says otherwise. */
static bool channels_last(const struct zf_import *import, const int64_t *dims)
{
    if (dims[1] != 1 && dims[1] != 3 && dims[3] > 0 &&
        moves_last_to_front(import, import->picture->name))
        return true;
    return (dims[3] == 1 || dims[3] == 3) && dims[1] != 1 && dims[1] != 3 &&
           !wants_channels_first(import, import->picture->name);
}

static enum zf_status read_picture(struct zf_import *import)
{
    static const struct zf_view first_view = {{ZF_ROLE_C, ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W}};
    static const struct zf_view last_view = {{ZF_ROLE_C, ZF_ROLE_H, ZF_ROLE_W, ZF_ROLE_C}};
    const Onnx__TypeProto *type = import->picture->input->type;
    const Onnx__TensorShapeProto *shape =
        type && type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE && type->tensor_type
            ? type->tensor_type->shape
            : NULL;
    int64_t dims[4] = {0, 0, 1, 1}, numbers;
    bool last;

    if (!shape || (shape->n_dim != 4 && shape->n_dim != 2))
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its input \"%.100s\" has %zu dimensions; a batch of pictures has 4",
                       import->path, import->picture->name, shape ? shape->n_dim : (size_t)0);
    for (size_t i = 0; i < shape->n_dim; i++)
        dims[i] = dimension(shape, i);
    import->batch = dims[0];
    last = shape->n_dim == 4 && channels_last(import, dims);
    import->input.c = dims[last ? 3 : 1];
    if (import->input.c == 0)
        import->input.c = channels_of(import, import->picture->name);
    if (import->input.c == 0)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its input \"%.100s\" leaves the number of channels open", import->path,
                       import->picture->name);
    if (shape->n_dim == 2) {
        import->input.h = import->input.w = 1;
    } else {
        ZF_CHECK(read_sides(import, dims[last ? 1 : 2], dims[last ? 2 : 3]));
    }
    if (!zf_mul3(import->input.c, import->input.h, import->input.w, &numbers) ||
        numbers > MOST_NUMBERS)
        return zf_fail(import->err, ZF_EINPUT,
                       "%s: its input \"%.100s\" of %" PRId64 "x%" PRId64 "x%" PRId64
                       " has more than %" PRId64 " numbers, the limit",
                       import->path, import->picture->name, import->input.c, import->input.h,
                       import->input.w, MOST_NUMBERS);
    dims[0] = 1;
    dims[last ? 3 : 1] = import->input.c;
    dims[last ? 1 : 2] = import->input.h;
    dims[last ? 2 : 3] = import->input.w;
    zf_operand_place(&import->picture->value, ZF_NET_INPUT, (int)shape->n_dim, dims,
                     last ? &last_view : &first_view);
    import->picture->batch.outside[0] = 1;
    return ZF_OK;
}

enum zf_status zf_import_picture(struct zf_import *import)
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
