/* SPDX-License-Identifier: MIT */
/*
 * Layers as ONNX nodes: a layer type is a row of the table at the bottom. Most are one node whose
 * attributes are the layer's options under another name; the rest have a function.
 *
 * ONNX has vectors, [N, c], beside maps, [N, c, h, w], where this library has maps of one cell. A
 * row says what a type takes, and what does not fit is reshaped on the way.
 */
#include "model/onnx/write.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "model/onnx/write_layers.h"

/* What a type takes, and gives alike; FLATTENS takes either and gives a vector. */
enum form { EITHER, MAPS, VECTOR, FLATTENS };

struct row {
    const char *type, *op; /* the layer's, and that of the node of its name */
    enum form form;
    void (*emit)(struct zf_emission *e); /* NULL: one node with these attributes */
    struct {
        const char *name, *option;
    } attributes[5];
};

const struct zf_option *zf_emission_option(const struct zf_emission *e, const char *name)
{
    return zf_option_find(e->layer->type->options, e->layer->type->option_count, name);
}

double zf_emission_number(const struct zf_emission *e, const char *name)
{
    return zf_option_number(zf_emission_option(e, name), e->layer->params);
}

void zf_emission_node(struct zf_emission *e, const char *op)
{
    zf_onnx_node(e->m, op, e->layer->name, e->in, e->in_count, e->out);
}

const char *zf_emission_choice(const struct zf_emission *e, const char *name)
{
    return zf_emission_option(e, name)->choices[(int)zf_emission_number(e, name)];
}

const char *zf_emission_raw(struct zf_emission *e, const char *op, const char *suffix,
                            const char *a, const char *b)
{
    const char *inputs[] = {a, b};
    const char *name = zf_onnx_text(e->m, "%s/%s", e->layer->name, suffix);

    zf_onnx_node(e->m, op, name, inputs, b ? 2 : 1, name);
    return name;
}

const char *zf_emission_step(struct zf_emission *e, const char *op, const char *suffix,
                             const char *a, const char *b)
{
    const char *name = zf_emission_raw(e, op, suffix, a, b);

    zf_onnx_say_shape(e->m, name, e->shape, e->vector);
    return name;
}

const char *zf_emission_extra(const struct zf_emission *e, const char *what)
{
    return zf_onnx_text(e->m, "%s.%s", e->layer->name, what);
}

const char *zf_emission_scalar(struct zf_emission *e, const char *what, double value)
{
    return zf_onnx_scalar(e->m, zf_emission_extra(e, what), (float)value);
}

void zf_emission_input(struct zf_emission *e, const char *name)
{
    e->in[e->in_count++] = name;
}

void zf_emission_parameter(struct zf_emission *e, int k, int rank)
{
    const struct zf_parameter p = zf_net_parameter(e->net, e->layer->first_parameter + k);
    int64_t dims[4] = {1, 1, 1, 1};

    for (int i = 0; i < p.rank; i++)
        dims[i] = p.dims[i];
    zf_emission_input(e, zf_onnx_floats(e->m, p.name, dims, rank > p.rank ? rank : p.rank, p.data));
}

static void add_parameters(struct zf_emission *e)
{
    for (int k = 0; k < e->layer->parameter_count; k++)
        zf_emission_parameter(e, k, 1);
}

/* ---- Windows ---- */

static void set_pair(struct zf_emission *e, const char *name, int64_t h, int64_t w)
{
    zf_onnx_set_ints(e->m, name, (const int64_t[]){h, w}, 2);
}

static void set_window(struct zf_emission *e, bool rounds_up)
{
    const struct zf_window *w = &e->layer->inferred.window;
    const int64_t pads[] = {w->pad_top, w->pad_left, rounds_up ? w->pad_top : w->pad_bottom,
                            rounds_up ? w->pad_left : w->pad_right};

    set_pair(e, "kernel_shape", w->kernel_h, w->kernel_w);
    set_pair(e, "strides", w->stride_h, w->stride_w);
    zf_onnx_set_ints(e->m, "pads", pads, ZF_COUNT(pads));
    if (w->dilate_h > 0 || w->dilate_w > 0)
        set_pair(e, "dilations", w->dilate_h + 1, w->dilate_w + 1);
}

static void emit_conv(struct zf_emission *e)
{
    add_parameters(e);
    zf_emission_node(e, e->op);
    set_window(e, false);
    zf_onnx_set_int(e->m, "group", e->layer->inferred.window.groups);
}

static bool sees_all(const struct zf_emission *e)
{
    const struct zf_window *w = &e->layer->inferred.window;

    return w->kernel_h == e->shape.h && w->kernel_w == e->shape.w && w->pad_top == 0 &&
           w->pad_left == 0 && w->pad_bottom == 0 && w->pad_right == 0;
}

/* Whether rounding up from pads as wide behind as in front gives this extent. */
static bool ceil_fits(int64_t in, int64_t reach, int64_t stride, int64_t pad, int64_t out)
{
    return (in + 2 * pad - reach + stride - 1) / stride + 1 == out;
}

/* What the layer's rounding up has added behind is said as ceil_mode where ONNX, whose versions
   differ in when a last window counts, gives the same extents; else as pads, which never win. */
static void emit_maxpool(struct zf_emission *e)
{
    const struct zf_window *w = &e->layer->inferred.window;
    const struct zf_shape out = e->layer->inferred.out;
    const bool uneven = w->pad_top != w->pad_bottom || w->pad_left != w->pad_right;
    const bool up = uneven &&
                    ceil_fits(e->shape.h, zf_window_reach(w->kernel_h, w->dilate_h), w->stride_h,
                              w->pad_top, out.h) &&
                    ceil_fits(e->shape.w, zf_window_reach(w->kernel_w, w->dilate_w), w->stride_w,
                              w->pad_left, out.w);

    if (sees_all(e)) {
        zf_emission_node(e, "GlobalMaxPool");
        return;
    }
    zf_emission_node(e, e->op);
    set_window(e, up);
    zf_onnx_set_int(e->m, "ceil_mode", up);
}

static void emit_avgpool(struct zf_emission *e)
{
    if (sees_all(e)) {
        zf_emission_node(e, "GlobalAveragePool");
        return;
    }
    zf_emission_node(e, e->op);
    set_window(e, false);
    zf_onnx_set_int(e->m, "count_include_pad", (int64_t)zf_emission_number(e, "count"));
}

/* ---- Layers with parameters, and constants as inputs ---- */

static void emit_fc(struct zf_emission *e)
{
    add_parameters(e);
    zf_emission_node(e, e->op);
    zf_onnx_set_int(e->m, "transB", 1);
}

/* A batch normalisation of mean 0 and variance 1: weight and bias keep their shapes and bits. */
static void emit_scale(struct zf_emission *e)
{
    add_parameters(e);
    zf_emission_input(e, zf_onnx_filled(e->m, zf_emission_extra(e, "mean"), e->shape.c, 0));
    zf_emission_input(e, zf_onnx_filled(e->m, zf_emission_extra(e, "variance"), e->shape.c, 1));
    zf_emission_node(e, e->op);
    zf_onnx_set_float(e->m, "epsilon", 0);
}

static void emit_prelu(struct zf_emission *e)
{
    zf_emission_parameter(e, 0, e->vector ? 1 : 3);
    zf_emission_node(e, e->op);
}

static void emit_dropout(struct zf_emission *e)
{
    zf_emission_input(e, zf_onnx_scalar(e->m, zf_emission_extra(e, "rate"),
                                        (float)zf_emission_number(e, "rate")));
    zf_emission_node(e, e->op);
}

static void emit_clip(struct zf_emission *e)
{
    zf_emission_input(
        e, zf_onnx_scalar(e->m, zf_emission_extra(e, "min"), (float)zf_emission_number(e, "min")));
    zf_emission_input(
        e, zf_onnx_scalar(e->m, zf_emission_extra(e, "max"), (float)zf_emission_number(e, "max")));
    zf_emission_node(e, e->op);
}

/* ---- Several inputs, and maps moved about ---- */

static void emit_add(struct zf_emission *e)
{
    zf_emission_node(e, e->in_count == 2 ? e->op : "Sum");
}

/* ONNX multiplies two at a time. */
static void emit_mul(struct zf_emission *e)
{
    const size_t count = e->in_count;

    for (size_t i = 1; i + 1 < count; i++) {
        const char *pair[] = {e->in[0], e->in[i]};
        const char *name = zf_onnx_text(e->m, "%s/%zu", e->layer->name, i);

        zf_onnx_node(e->m, "Mul", name, pair, 2, name);
        e->in[0] = name;
    }
    e->in[1] = e->in[count - 1];
    e->in_count = 2;
    zf_emission_node(e, e->op);
}

static void emit_concat(struct zf_emission *e)
{
    zf_emission_node(e, e->op);
    zf_onnx_set_int(e->m, "axis", 1);
}

static void emit_softmax(struct zf_emission *e)
{
    zf_emission_node(e, e->op);
    zf_onnx_set_int(e->m, "axis", 1);
}

/* ---- The table ---- */

static const struct row rows[] = {
    {"conv", "Conv", MAPS, emit_conv, {{0}}},
    {"maxpool", "MaxPool", MAPS, emit_maxpool, {{0}}},
    {"avgpool", "AveragePool", MAPS, emit_avgpool, {{0}}},
    {"relu", "Relu", EITHER, NULL, {{0}}},
    {"leaky", "LeakyRelu", EITHER, NULL, {{"alpha", "slope"}}},
    {"prelu", "PRelu", EITHER, emit_prelu, {{0}}},
    {"clip", "Clip", EITHER, emit_clip, {{0}}},
    {"elu", "Elu", EITHER, NULL, {{"alpha", "alpha"}}},
    {"sigmoid", "Sigmoid", EITHER, NULL, {{0}}},
    {"tanh", "Tanh", EITHER, NULL, {{0}}},
    {"hardsigmoid", "HardSigmoid", EITHER, NULL, {{"alpha", "alpha"}, {"beta", "beta"}}},
    {"hardswish", "Mul", EITHER, zf_write_hardswish, {{0}}},
    {"silu", "Mul", EITHER, zf_write_silu, {{0}}},
    {"gelu", "Mul", EITHER, zf_write_gelu, {{0}}},
    {"lrn",
     "LRN",
     MAPS,
     NULL,
     {{"size", "size"}, {"alpha", "alpha"}, {"beta", "beta"}, {"bias", "k"}}},
    {"scale", "BatchNormalization", EITHER, emit_scale, {{0}}},
    {"fc", "Gemm", VECTOR, emit_fc, {{0}}},
    {"flatten", "Flatten", FLATTENS, NULL, {{0}}},
    {"dropout", "Dropout", EITHER, emit_dropout, {{0}}},
    {"add", "Add", EITHER, emit_add, {{0}}},
    {"sub", "Sub", EITHER, NULL, {{0}}},
    {"mul", "Mul", EITHER, emit_mul, {{0}}},
    {"concat", "Concat", EITHER, emit_concat, {{0}}},
    {"slice", "Slice", EITHER, zf_write_slice, {{0}}},
    {"shuffle", "Reshape", MAPS, zf_write_shuffle, {{0}}},
    {"pad", "Pad", MAPS, zf_write_pad, {{0}}},
    {"gelu_tanh", "Mul", EITHER, zf_write_gelu_tanh, {{0}}},
    {"selu", "Selu", EITHER, NULL, {{"alpha", "alpha"}, {"gamma", "gamma"}}},
    {"softplus", "Softplus", EITHER, NULL, {{0}}},
    {"mish", "Mul", EITHER, zf_write_mish, {{0}}},
    {"threshold", "ThresholdedRelu", EITHER, NULL, {{"alpha", "threshold"}}},
    {"quantise", "Clip", EITHER, zf_write_quantise, {{0}}},
    {"function", "Abs", EITHER, zf_write_function, {{0}}},
    {"power", "Pow", EITHER, zf_write_power, {{0}}},
    {"norm", "Div", MAPS, zf_write_norm, {{0}}},
    {"convtranspose", "ConvTranspose", MAPS, zf_write_convtranspose, {{0}}},
    {"resize", "Resize", MAPS, zf_write_resize, {{0}}},
    {"arrange", "Reshape", MAPS, zf_write_arrange, {{0}}},
    {"constant", "Expand", MAPS, zf_write_constant, {{0}}},
    {"matmul", "MatMul", MAPS, NULL, {{0}}},
    {"div", "Div", EITHER, NULL, {{0}}},
    {"max", "Max", EITHER, NULL, {{0}}},
    {"min", "Min", EITHER, NULL, {{0}}},
    {"softmax", "Softmax", EITHER, emit_softmax, {{0}}},
};

static const struct row *row_of(const struct zf_layer_type *type)
{
    for (size_t i = 0; i < ZF_COUNT(rows); i++) {
        if (strcmp(rows[i].type, type->name) == 0)
            return &rows[i];
    }
    return NULL;
}

bool zf_onnx_writes(const struct zf_layer_type *type)
{
    return row_of(type) != NULL;
}

static void emit_plain(struct zf_emission *e, const struct row *row)
{
    zf_emission_node(e, e->op);
    for (size_t i = 0; row->attributes[i].name; i++) {
        const double value = zf_emission_number(e, row->attributes[i].option);

        if (zf_emission_option(e, row->attributes[i].option)->kind == ZF_OPTION_INT)
            zf_onnx_set_int(e->m, row->attributes[i].name, (int64_t)value);
        else
            zf_onnx_set_float(e->m, row->attributes[i].name, (float)value);
    }
}

/* ---- From layer to layer ---- */

/* A tensor of the graph so far. */
struct known {
    const char *name;
    struct zf_shape shape;
    bool vector;
};

/* The k-th input of the layer in the form that it takes. */
static const char *reshaped(struct zf_emission *e, size_t k, const struct known *from)
{
    const char *name = from->name;
    const int64_t maps[] = {0, from->shape.c, from->shape.h, from->shape.w};
    const struct zf_shape vector = {from->shape.c * from->shape.h * from->shape.w, 1, 1};

    if (from->vector == e->vector)
        return name;
    if (e->vector) {
        name = zf_onnx_text(e->m, "%s/flatten", e->layer->name);
        zf_onnx_node(e->m, "Flatten", name, &from->name, 1, name);
        zf_onnx_say_shape(e->m, name, vector, true);
    } else {
        const char *inputs[] = {from->name, NULL};

        name = zf_onnx_text(e->m, "%s/maps%zu", e->layer->name, k);
        inputs[1] = zf_onnx_ints(e->m, zf_onnx_text(e->m, "%s.maps%zu", e->layer->name, k), maps,
                                 ZF_COUNT(maps));
        zf_onnx_node(e->m, "Reshape", name, inputs, 2, name);
        zf_onnx_say_shape(e->m, name, from->shape, false);
    }
    return name;
}

/* tensors[0] is the input, [i + 1] the output of layer i; fills in that of `layer`. */
static void write_layer(struct zf_emission *e, const struct row *row, struct known *tensors)
{
    const struct zf_layer *layer = e->layer;
    struct known *to = &tensors[layer - e->net->layers + 1];
    bool all_vectors = true;

    for (int k = 0; k < layer->input_count; k++)
        all_vectors = all_vectors && tensors[layer->inputs[k] + 1].vector;
    e->vector = row->form == VECTOR || (row->form != MAPS && all_vectors);
    e->shape = tensors[layer->inputs[0] + 1].shape;
    for (int k = 0; k < layer->input_count; k++)
        zf_emission_input(e, reshaped(e, (size_t)k, &tensors[layer->inputs[k] + 1]));
    e->out = zf_onnx_text(e->m, "%s_out", layer->name);
    *to = (struct known){e->out, layer->inferred.out, row->form == FLATTENS || e->vector};
    if (row->emit)
        row->emit(e);
    else
        emit_plain(e, row);
}

enum zf_status zf_onnx_write_layers(struct zf_onnx_message *m, const struct zf_net *net,
                                    const char *output, bool *vector, struct zf_error *err)
{
    struct known *tensors = zf_onnx_memory(m, (size_t)net->layer_count + 1, sizeof *tensors);
    struct known *last;

    if (!tensors)
        return ZF_OK;
    tensors[0] = (struct known){"input", net->input, false};
    for (int i = 0; i < net->layer_count && !m->failed; i++) {
        struct zf_emission e = {.m = m, .net = net, .layer = &net->layers[i]};

        const struct row *row = row_of(e.layer->type);

        if (!row)
            return zf_fail(err, ZF_EUNSUPPORTED, "%s: no way yet to say a layer of type %s in ONNX",
                           e.layer->name, e.layer->type->name);
        e.op = row->op;
        write_layer(&e, row, tensors);
        if (i + 1 < net->layer_count)
            zf_onnx_say_shape(m, tensors[i + 1].name, tensors[i + 1].shape, tensors[i + 1].vector);
    }
    if (m->failed)
        return ZF_OK;
    last = &tensors[net->layer_count];
    *vector = last->vector || (last->shape.h == 1 && last->shape.w == 1);
    if (*vector == last->vector) { /* the last node is the last layer's: give its tensor the name */
        m->node->output[0] = (char *)(uintptr_t)output;
    } else {
        zf_onnx_say_shape(m, last->name, last->shape, false);
        zf_onnx_node(m, "Flatten", output, &last->name, 1, output);
    }
    return ZF_OK;
}
