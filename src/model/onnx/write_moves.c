/* SPDX-License-Identifier: MIT */
/* Layers that move maps about, or make them larger. */
#include "write_layers.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "engine/sampling.h"
#include "net/layers/layers.h"

static void set_pair(struct zf_emission *e, const char *name, int64_t h, int64_t w)
{
    zf_onnx_set_ints(e->m, name, (const int64_t[]){h, w}, 2);
}

void zf_write_pad(struct zf_emission *e)
{
    const struct zf_window *w = &e->layer->inferred.window;
    const int64_t pads[] = {0, 0, w->pad_top, w->pad_left, 0, 0, w->pad_bottom, w->pad_right};
    const char *mode = zf_emission_choice(e, "mode");

    zf_emission_input(e, zf_onnx_ints(e->m, zf_emission_extra(e, "pads"), pads, ZF_COUNT(pads)));
    if (zf_emission_number(e, "value") != 0)
        zf_emission_input(e, zf_emission_scalar(e, "value", zf_emission_number(e, "value")));
    zf_emission_node(e, e->op);
    if (strcmp(mode, "number") != 0)
        zf_onnx_set_text(e->m, "mode", mode);
}

void zf_write_slice(struct zf_emission *e)
{
    const int64_t first = (int64_t)zf_emission_number(e, "first"), axis = 1;
    const int64_t end = first + e->layer->inferred.out.c;

    zf_emission_input(e, zf_onnx_ints(e->m, zf_emission_extra(e, "first"), &first, 1));
    zf_emission_input(e, zf_onnx_ints(e->m, zf_emission_extra(e, "end"), &end, 1));
    zf_emission_input(e, zf_onnx_ints(e->m, zf_emission_extra(e, "axis"), &axis, 1));
    zf_emission_node(e, e->op);
}

/* [N, g, c/g, h, w] with g and c/g exchanged. A 0 keeps N. */
void zf_write_shuffle(struct zf_emission *e)
{
    const struct zf_shape s = e->shape;
    const int64_t groups = (int64_t)zf_emission_number(e, "groups"), order[] = {0, 2, 1, 3, 4};
    const int64_t apart[] = {0, groups, s.c / groups, s.h, s.w}, together[] = {0, s.c, s.h, s.w};
    const char *name = e->layer->name;
    const char *split = zf_onnx_text(e->m, "%s/split", name);
    const char *turned = zf_onnx_text(e->m, "%s/transpose", name);

    zf_emission_input(e, zf_onnx_ints(e->m, zf_emission_extra(e, "split"), apart, ZF_COUNT(apart)));
    zf_onnx_node(e->m, "Reshape", split, e->in, 2, split);
    zf_onnx_node(e->m, "Transpose", turned, &split, 1, turned);
    zf_onnx_set_ints(e->m, "perm", order, ZF_COUNT(order));
    e->in[0] = turned;
    e->in[1] = zf_onnx_ints(e->m, zf_emission_extra(e, "shape"), together, ZF_COUNT(together));
    zf_emission_node(e, e->op);
}

void zf_write_convtranspose(struct zf_emission *e)
{
    const struct zf_window *w = &e->layer->inferred.window;
    const struct zf_shape out = e->layer->inferred.out;
    const int64_t pads[] = {w->pad_top, w->pad_left, w->pad_bottom, w->pad_right};
    const int64_t whole_h =
        (e->shape.h - 1) * w->stride_h + zf_window_reach(w->kernel_h, w->dilate_h);
    const int64_t whole_w =
        (e->shape.w - 1) * w->stride_w + zf_window_reach(w->kernel_w, w->dilate_w);

    for (int k = 0; k < e->layer->parameter_count; k++)
        zf_emission_parameter(e, k, 1);
    zf_emission_node(e, e->op);
    set_pair(e, "kernel_shape", w->kernel_h, w->kernel_w);
    set_pair(e, "strides", w->stride_h, w->stride_w);
    set_pair(e, "dilations", w->dilate_h + 1, w->dilate_w + 1);
    zf_onnx_set_ints(e->m, "pads", pads, ZF_COUNT(pads));
    set_pair(e, "output_padding", out.h + pads[0] + pads[2] - whole_h,
             out.w + pads[1] + pads[3] - whole_w);
    zf_onnx_set_int(e->m, "group", w->groups);
}

/* The layer's own scale, or one that comes to the extents when it is rounded down. */
static float scale_of(double said, int64_t from, int64_t to)
{
    float scale = said > 0 ? (float)said : (float)to / (float)from;

    while (said <= 0 && (int64_t)((float)from * scale) < to)
        scale = nextafterf(scale, INFINITY);
    return scale;
}

/* The matrix that a column of cells is multiplied by, or its transpose for a row of them. */
static const char *sampling_matrix(struct zf_emission *e, const char *what, bool rows)
{
    const int64_t from = rows ? e->shape.h : e->shape.w;
    const struct zf_sampling how = zf_resize_sampling(e->layer, rows, from);
    float *matrix = zf_onnx_memory(e->m, (size_t)(how.from * how.to), sizeof *matrix);

    if (!matrix)
        return NULL;
    memset(matrix, 0, (size_t)(how.from * how.to) * sizeof *matrix);
    for (int64_t at = 0; at < how.to * zf_sampling_parts(&how); at++) {
        const int64_t i = at / zf_sampling_parts(&how);
        struct zf_taps taps;

        zf_sampling_taps(&how, i, at % zf_sampling_parts(&how), &taps);
        for (int k = 0; k < taps.count; k++)
            matrix[rows ? i * how.from + taps.index[k] : taps.index[k] * how.to + i] +=
                (float)taps.weight[k];
    }
    return zf_onnx_floats(e->m, zf_emission_extra(e, what),
                          rows ? (const int64_t[]){how.to, how.from}
                               : (const int64_t[]){how.from, how.to},
                          2, matrix);
}

/* Opset 13 has no antialiasing: as the two matrices that it is. */
static void write_matrices(struct zf_emission *e)
{
    const char *rows = sampling_matrix(e, "rows", true);
    const char *columns = sampling_matrix(e, "columns", false);

    if (!rows || !columns)
        return;
    e->in[0] = zf_emission_raw(e, "MatMul", "resized", rows, e->in[0]);
    e->in[1] = columns;
    e->in_count = 2;
    zf_emission_node(e, "MatMul");
}

void zf_write_resize(struct zf_emission *e)
{
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor",
                                            "ceil"};
    const struct zf_shape out = e->layer->inferred.out;
    const bool grows = out.h >= e->shape.h && out.w >= e->shape.w;
    const size_t rounding = (size_t)zf_emission_number(e, "rounding");
    float *numbers = zf_onnx_memory(e->m, 12, sizeof *numbers), *scales = numbers + 8;

    if (!numbers)
        return;
    if (zf_emission_number(e, "antialias") != 0) {
        write_matrices(e);
        return;
    }
    numbers[2] = (float)zf_emission_number(e, "top");
    numbers[3] = (float)zf_emission_number(e, "left");
    numbers[6] = (float)zf_emission_number(e, "bottom");
    numbers[7] = (float)zf_emission_number(e, "right");
    numbers[4] = numbers[5] = scales[0] = scales[1] = 1;
    scales[2] = scale_of(zf_emission_number(e, "scale_h"), e->shape.h, out.h);
    scales[3] = scale_of(zf_emission_number(e, "scale_w"), e->shape.w, out.w);
    zf_emission_input(
        e, zf_onnx_floats(e->m, zf_emission_extra(e, "roi"), (const int64_t[]){8}, 1, numbers));
    zf_emission_input(
        e, zf_onnx_floats(e->m, zf_emission_extra(e, "scales"), (const int64_t[]){4}, 1, scales));
    zf_emission_node(e, e->op);
    zf_onnx_set_text(e->m, "mode", zf_emission_choice(e, "mode"));
    zf_onnx_set_text(e->m, "coordinate_transformation_mode", zf_emission_choice(e, "place"));
    zf_onnx_set_text(e->m, "nearest_mode",
                     rounding < ZF_COUNT(roundings) ? roundings[rounding]
                                                    : roundings[grows ? 2 : 3]);
    zf_onnx_set_float(e->m, "cubic_coeff_a", (float)zf_emission_number(e, "cubic"));
    zf_onnx_set_int(e->m, "exclude_outside", zf_emission_number(e, "inside") != 0);
}

/* The place of each number of the result: what the layer's runs say, one by one. */
static void fill_places(const struct zf_emission *e, int64_t *places, int64_t count)
{
    const int64_t offset = (int64_t)zf_emission_number(e, "offset");
    int64_t extents[8], strides[8];
    int runs = 0;

    for (int i = 1; i <= 8; i++) {
        const char name[] = {'r', 'u', 'n', (char)('0' + i), 0};
        const struct zf_extents *run =
            (const struct zf_extents *)((const char *)e->layer->params +
                                        zf_emission_option(e, name)->offset);

        if (run->count != 2)
            continue;
        extents[runs] = run->value[0];
        strides[runs++] = run->value[1];
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t left = i;

        places[i] = offset;
        for (int k = runs; k-- > 0; left /= extents[k])
            places[i] += left % extents[k] * strides[k];
    }
}

void zf_write_arrange(struct zf_emission *e)
{
    const struct zf_shape out = e->layer->inferred.out;
    const int64_t count = out.c * out.h * out.w, shape[] = {0, out.c, out.h, out.w};
    int64_t *places = zf_onnx_memory(e->m, (size_t)count, sizeof *places);
    const char *flat = zf_emission_raw(e, "Flatten", "flat", e->in[0], NULL);

    if (!places)
        return;
    fill_places(e, places, count);
    e->in[0] =
        zf_emission_raw(e, "Gather", "picked", flat,
                        zf_onnx_ints(e->m, zf_emission_extra(e, "places"), places, (size_t)count));
    zf_onnx_set_int(e->m, "axis", 1);
    e->in[1] = zf_onnx_ints(e->m, zf_emission_extra(e, "shape"), shape, 4);
    e->in_count = 2;
    zf_emission_node(e, e->op);
}

/* Repeated for each picture of the batch. */
void zf_write_constant(struct zf_emission *e)
{
    const struct zf_shape out = e->layer->inferred.out;
    const struct zf_parameter p = zf_net_parameter(e->net, e->layer->first_parameter);
    const int64_t maps[] = {1, out.c, out.h, out.w}, ones[] = {1, 1, 1}, first[] = {0};
    const char *shape = zf_emission_raw(e, "Shape", "all", e->in[0], NULL);

    shape = zf_emission_raw(e, "Gather", "batch", shape,
                            zf_onnx_ints(e->m, zf_emission_extra(e, "first"), first, 1));
    shape = zf_emission_raw(e, "Concat", "shape", shape,
                            zf_onnx_ints(e->m, zf_emission_extra(e, "ones"), ones, 3));
    zf_onnx_set_int(e->m, "axis", 0);
    e->in[0] = zf_onnx_floats(e->m, p.name, maps, 4, p.data);
    e->in[1] = shape;
    e->in_count = 2;
    zf_emission_node(e, e->op);
}
