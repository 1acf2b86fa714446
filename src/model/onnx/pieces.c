/* SPDX-License-Identifier: MIT */
/*
 * What exporters write as several nodes, found where their last node is read:
 *
 *     silu         x * sigmoid(x)
 *     mish         x * tanh(softplus(x))
 *     hardsigmoid  clip(x + 3, 0, 6) / 6
 *     hardswish    x * hardsigmoid(x), x * clip(x + 3, 0, 6) / 6
 *     gelu         x * (erf(x / sqrt 2) + 1) / 2, the half being anywhere
 *     norm         (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon), over cells or maps
 *
 * The nodes have become layers by then. Where nobody else reads them they are left out in the end.
 */
#include "pieces.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "emit.h"

#define CLOSE 1e-5 /* what constants of a few digits may differ by */
#define ROOT_HALF 0.70710678118654752

static bool is_close(double a, double b)
{
    return fabs(a - b) <= CLOSE * fmax(1, fabs(b));
}

static bool all_are(const float *numbers, int64_t count, double value)
{
    for (int64_t i = 0; i < count; i++) {
        if (!is_close((double)numbers[i], value))
            return false;
    }
    return true;
}

static struct zf_import_layer *layer_at(const struct zf_import_node *node, int i)
{
    return i == ZF_NET_INPUT ? NULL : &node->import->layers[i];
}

/* The layer's only input, if it is of that type; else NULL. */
static struct zf_import_layer *below(const struct zf_import_node *node,
                                     const struct zf_import_layer *layer, const char *type)
{
    struct zf_import_layer *found = layer ? layer_at(node, layer->inputs[0]) : NULL;

    return found && zf_import_is(found, type) ? found : NULL;
}

/* Is it a scale by the same number for all maps, and the same shift? */
static bool is_linear(const struct zf_import_layer *layer, double *factor, double *shift)
{
    if (!layer || !zf_import_is(layer, "scale") || layer->weight_count < 1)
        return false;
    *factor = (double)layer->owned_weight[0];
    *shift = (double)layer->owned_bias[0];
    return all_are(layer->owned_weight, layer->weight_count, *factor) &&
           all_are(layer->owned_bias, layer->bias_count, *shift);
}

/* One layer on `input` in place of `count` others. */
static enum zf_status replace(struct zf_import_node *node, const char *type,
                              const struct zf_key *keys, int input, const int *replaced, int count,
                              struct zf_operand *made)
{
    ZF_CHECK(zf_import_add(node, NULL, type, &input, 1, keys, &made->layer));
    for (int i = 0; i < count; i++)
        ZF_CHECK(zf_import_absorb(node->import, made->layer, replaced[i]));
    return zf_import_output(node, made);
}

/* factor * type(x) in place of the others; a factor that brings it back to 1 usually follows. */
static enum zf_status replace_scaled(struct zf_import_node *node, const char *type,
                                     const struct zf_operand *x, const int *replaced, int count,
                                     double factor)
{
    struct zf_operand inner = *x;

    if (is_close(factor, 1))
        return replace(node, type, NULL, x->layer, replaced, count, &inner);
    ZF_CHECK(zf_import_add(node, type, type, &x->layer, 1, NULL, &inner.layer));
    for (int i = 0; i < count; i++)
        ZF_CHECK(zf_import_absorb(node->import, inner.layer, replaced[i]));
    return zf_import_linear(node, &inner, factor, 0);
}

/* ---- Clipped ---- */

/* Is it clip(x + 3, 0, 6), x being the output of layer *source, with nobody else reading? */
static bool is_shifted_relu6(const struct zf_import_node *node, const struct zf_import_layer *clip,
                             int *shifted, int *source)
{
    const struct zf_import_layer *scale = below(node, clip, "scale");
    double factor, shift;

    if (!zf_import_is(clip, "clip") || zf_import_number(clip, "min") != 0 ||
        zf_import_number(clip, "max") != 6 || !scale || !scale->output ||
        scale->output->users != 1 || !is_linear(scale, &factor, &shift) || !is_close(factor, 1) ||
        !is_close(shift, 3))
        return false;
    *shifted = clip->inputs[0];
    *source = scale->inputs[0];
    return true;
}

/* ---- Gelu ---- */

/* Is it a * erf(x / sqrt 2) + a? */
static bool is_gelu_gate(const struct zf_import_node *node, const struct zf_import_layer *gate,
                         double *scale, int *erf, int *source)
{
    const struct zf_import_layer *function = below(node, gate, "function"), *inner;
    double shift, factor, nothing;

    if (!is_linear(gate, scale, &shift) || !is_close(*scale, shift) || !function ||
        zf_import_number(function, "of") != zf_import_choice("function", "of", "erf"))
        return false;
    inner = below(node, function, "scale");
    if (!is_linear(inner, &factor, &nothing) || !is_close(factor, ROOT_HALF) || nothing != 0)
        return false;
    *erf = gate->inputs[0];
    *source = inner->inputs[0];
    return true;
}

/* x * (a * erf + a), or f * x times that: 2 a f times a Gelu. */
static enum zf_status find_gelu(struct zf_import_node *node, struct zf_operand *x,
                                const struct zf_operand *gate, bool *done)
{
    const struct zf_import_layer *scaled = zf_import_sole(node, x);
    int parts[4] = {gate->layer, 0, 0, x->layer}, source, count = 3;
    double factor = 1, scale, nothing;
    struct zf_operand made = *x;

    if (!is_gelu_gate(node, layer_at(node, gate->layer), &scale, &parts[1], &source))
        return ZF_OK;
    parts[2] = layer_at(node, parts[1])->inputs[0];
    if (x->layer != source) {
        if (!is_linear(scaled, &factor, &nothing) || nothing != 0 || scaled->inputs[0] != source)
            return ZF_OK;
        count = 4;
    }
    made.layer = source;
    *done = true;
    return replace_scaled(node, "gelu", &made, parts, count, 2 * factor * scale);
}

/* ---- Normalisation ---- */

/* Is layer m the mean of layer x over all cells of each map, or over the maps of each cell? A shift
   that has gone into it is left in *shift. */
static bool is_mean(const struct zf_import_node *node, int m, int x, bool *maps, double *shift)
{
    const struct zf_import_layer *mean = layer_at(node, m);
    struct zf_extents kernel;

    *shift = 0;
    if (!mean || mean->inputs[0] != x)
        return false;
    *maps = mean->mean_of > 0;
    if (*maps) {
        const float *weight = mean->owned_weight;

        *shift = mean->bias ? (double)mean->owned_bias[0] : 0;
        return all_are(weight, mean->weight_count, 1 / mean->mean_of);
    }
    if (!zf_import_is(mean, "avgpool"))
        return false;
    kernel = zf_import_extents(mean, "kernel");
    return kernel.count == 0;
}

/* Is layer s the square of layer x? */
static bool is_square(const struct zf_import_node *node, int s, int x)
{
    const struct zf_import_layer *square = layer_at(node, s);

    if (!square || square->inputs[0] != x)
        return false;
    if (zf_import_is(square, "power"))
        return zf_import_number(square, "exponent") == 2;
    return zf_import_is(square, "mul") && square->input_count == 2 && square->inputs[1] == x;
}

/* sqrt(mean of the square of layer x + epsilon), over what *maps says */
static bool is_deviation(const struct zf_import_node *node, const struct zf_import_layer *root,
                         int x, bool *maps, double *epsilon)
{
    double factor = 1, shift = 0, inside = 0;
    const struct zf_import_layer *mean;
    int at;

    if (!root || !zf_import_is(root, "power") || zf_import_number(root, "exponent") != 0.5)
        return false;
    at = root->inputs[0];
    if (is_linear(layer_at(node, at), &factor, &shift))
        at = layer_at(node, at)->inputs[0];
    mean = layer_at(node, at);
    *epsilon = shift;
    if (!mean || !is_close(factor, 1) || !is_square(node, mean->inputs[0], x) ||
        !is_mean(node, at, mean->inputs[0], maps, &inside))
        return false;
    *epsilon += inside;
    return *epsilon >= 0;
}

enum zf_status zf_pieces_divided(struct zf_import_node *node, struct zf_operand *x,
                                 struct zf_operand *root, bool *done)
{
    const struct zf_import_layer *centred = layer_at(node, x->layer);
    const struct zf_import_layer *power = layer_at(node, root->layer);
    struct zf_operand made = *x;
    bool maps, of_maps;
    double epsilon, shift;
    int source = x->layer;

    if (!is_deviation(node, power, x->layer, &maps, &epsilon))
        return ZF_OK;
    if (zf_import_is(centred, "sub") &&
        is_mean(node, centred->inputs[1], centred->inputs[0], &of_maps, &shift) &&
        of_maps == maps && shift == 0)
        source = centred->inputs[0];
    *done = true;
    return replace(
        node, "norm",
        ZF_KEYS(ZF_KEY("over", zf_import_choice("norm", "over", maps ? "maps" : "cells")),
                ZF_KEY("epsilon", epsilon), ZF_KEY("mean", source != x->layer)),
        source, NULL, 0, &made);
}

/* ---- Where they end ---- */

enum zf_status zf_pieces_scaled(struct zf_import_node *node, struct zf_operand *maps,
                                const float *scale, const float *shift, bool *done)
{
    struct zf_import_layer *layer = zf_import_sole(node, maps);
    int parts[2] = {0, maps->layer}, source;
    struct zf_operand made = *maps;

    if (!layer || !is_shifted_relu6(node, layer, &parts[0], &source) ||
        !all_are(scale, layer->shape.c, 1.0 / 6) || !all_are(shift, layer->shape.c, 0))
        return ZF_OK;
    *done = true;
    return replace(node, "hardsigmoid", ZF_KEYS(ZF_KEY("alpha", 1.0 / 6), ZF_KEY("beta", 0.5)),
                   source, parts, 2, &made);
}

enum zf_status zf_pieces_gated(struct zf_import_node *node, struct zf_operand *x,
                               struct zf_operand *gate, bool *done)
{
    const struct zf_import_layer *layer = zf_import_sole(node, gate), *inner;
    struct zf_operand made = *x;
    int parts[2] = {gate->layer, 0}, source;

    if (!layer || layer->part || !zf_operand_is_arranged_like(x, gate))
        return ZF_OK;
    inner = below(node, layer, "softplus");
    if (layer->inputs[0] == x->layer && zf_import_is(layer, "sigmoid")) {
        *done = true;
        return replace(node, "silu", NULL, x->layer, parts, 1, &made);
    }
    if (inner && inner->inputs[0] == x->layer && zf_import_is(layer, "tanh") && inner->output &&
        inner->output->users == 1) {
        parts[1] = layer->inputs[0];
        *done = true;
        return replace(node, "mish", NULL, x->layer, parts, 2, &made);
    }
    if (layer->inputs[0] == x->layer && zf_import_is(layer, "hardsigmoid") &&
        is_close(zf_import_number(layer, "alpha"), 1.0 / 6) &&
        is_close(zf_import_number(layer, "beta"), 0.5)) {
        *done = true;
        return replace(node, "hardswish", NULL, x->layer, parts, 1, &made);
    }
    if (is_shifted_relu6(node, layer, &parts[1], &source) && source == x->layer) {
        *done = true;
        return replace_scaled(node, "hardswish", x, parts, 2, 6);
    }
    return find_gelu(node, x, gate, done);
}
