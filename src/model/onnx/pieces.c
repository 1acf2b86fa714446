/* SPDX-License-Identifier: MIT */
/*
 * Activations that exporters write as several nodes, found where their last node is read:
 *
 *     silu         x * sigmoid(x)
 *     hardsigmoid  clip(x + 3, 0, 6) / 6
 *     hardswish    x * hardsigmoid(x), x * clip(x + 3, 0, 6) / 6
 *     gelu         x * (erf(x / sqrt 2) + 1) / 2, the half being anywhere
 *
 * The nodes have become layers by then, which the activation absorbs; each must have no other
 * reader.
 */
#include "import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

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

/* Is layer i a scale by one number for all maps, without a shift? */
static bool is_factor(const struct zf_import_layer *layer, double *factor)
{
    if (strcmp(layer->type, "scale") != 0 || layer->weight_count < 1)
        return false;
    *factor = (double)layer->owned_weight[0];
    return all_are(layer->owned_weight, layer->weight_count, *factor) &&
           all_are(layer->owned_bias, layer->bias_count, 0);
}

/* One layer on `input` in place of `count` others. */
static enum zf_status replace(struct zf_import_node *node, const char *type, const char *keys,
                              int input, const int *replaced, int count, struct zf_value *made)
{
    enum zf_status status;

    ZF_TRY(zf_import_add(node, NULL, type, &input, 1, keys, &made->layer));
    for (int i = 0; i < count; i++)
        ZF_TRY(zf_import_absorb(node->import, made->layer, replaced[i]));
    ZF_TRY(zf_import_output(node, made));
fail:
    return status;
}

/* factor * type(x) in place of the others; a factor that brings it back to 1 usually follows. */
static enum zf_status replace_scaled(struct zf_import_node *node, const char *type,
                                     const struct zf_value *x, const int *replaced, int count,
                                     double factor)
{
    const int64_t maps = zf_import_shape(node->import, x->layer).c;
    float *scale = zf_import_room(node->import, maps, sizeof *scale);
    float *zero = scale ? zf_alloc((size_t)maps, sizeof *zero) : NULL;
    struct zf_value inner = *x;
    enum zf_status status;

    if (!zero) {
        status = scale ? zf_node_fail(node, ZF_ENOMEM, "out of memory") : node->import->err->status;
        goto fail;
    }
    for (int64_t m = 0; m < maps; m++)
        scale[m] = (float)factor;
    ZF_TRY(zf_import_add(node, type, type, &x->layer, 1, "", &inner.layer));
    for (int i = 0; i < count; i++)
        ZF_TRY(zf_import_absorb(node->import, inner.layer, replaced[i]));
    ZF_TRY(zf_import_affine(node, &inner, scale, zero));
fail:
    zf_free(scale);
    zf_free(zero);
    return status;
}

/* ---- Clipped ---- */

/* Is layer i clip(x + 3, 0, 6), x being the output of layer *source, with nobody else reading? */
static bool is_shifted_relu6(const struct zf_import *import, const struct zf_import_layer *clip,
                             int *shifted, int *source)
{
    const struct zf_import_layer *scale;
    double min, max;

    if (strcmp(clip->type, "clip") != 0 || clip->inputs[0] == ZF_NET_INPUT ||
        sscanf(clip->keys, "min = %lf\nmax = %lf", &min, &max) != 2 || min != 0 || max != 6)
        return false;
    *shifted = clip->inputs[0];
    scale = &import->layers[*shifted];
    if (strcmp(scale->type, "scale") != 0 || !scale->output || scale->output->users != 1 ||
        !all_are(scale->owned_weight, scale->weight_count, 1) ||
        !all_are(scale->owned_bias, scale->bias_count, 3))
        return false;
    *source = scale->inputs[0];
    return true;
}

/* ---- Gelu ---- */

/* The layer is a gelu of x from here on; what it stands for is told by is_erf. */
enum zf_status zf_pieces_erf(struct zf_import_node *node)
{
    const struct zf_import_layer *below;
    struct zf_value *src = NULL, made;
    double factor = 0;
    enum zf_status status;
    int source;

    ZF_TRY(zf_node_maps(node, 0, &src));
    below = zf_import_sole(node, src);
    if (!below || !is_factor(below, &factor) || !is_close(factor, ROOT_HALF))
        return zf_node_fail(node, ZF_EUNSUPPORTED, "only erf(x / sqrt 2) of a Gelu is read");
    source = below->inputs[0];
    made = *src;
    ZF_TRY(replace(node, "gelu", "", source, &src->layer, 1, &made));
    node->import->layers[made.layer].is_erf = true;
    node->import->layers[made.layer].erf_scale = 1;
fail:
    return status;
}

/* x * (a * erf + a), or f * x times that: 2 a f times a Gelu. */
static enum zf_status find_gelu(struct zf_import_node *node, struct zf_value *x,
                                const struct zf_value *gate, bool *done)
{
    const struct zf_import_layer *erf = &node->import->layers[gate->layer];
    const struct zf_import_layer *scaled = zf_import_sole(node, x);
    const int source = erf->inputs[0];
    const int parts[2] = {gate->layer, x->layer};
    struct zf_value made = *x;
    double factor = 1;
    bool half;

    half = scaled && scaled->inputs[0] == source && is_factor(scaled, &factor);
    if (!is_close(erf->erf_shift, erf->erf_scale) || (x->layer != source && !half))
        return ZF_OK;
    factor *= 2 * erf->erf_scale;
    *done = true;
    made.layer = source;
    return is_close(factor, 1) ? replace(node, "gelu", "", source, parts, half ? 2 : 1, &made)
                               : replace_scaled(node, "gelu", &made, parts, half ? 2 : 1, factor);
}

enum zf_status zf_pieces_check(const struct zf_import *import)
{
    for (size_t i = 0; i < import->layer_count; i++) {
        if (import->layers[i].is_erf && !import->layers[i].dropped)
            return zf_fail(
                import->err, ZF_EUNSUPPORTED,
                "%s: node \"%.100s\" (Erf): only that of a Gelu, x * (erf(x / sqrt 2) + 1) "
                "/ 2, is read",
                import->path, import->layers[i].name);
    }
    return ZF_OK;
}

/* ---- Where they end ---- */

enum zf_status zf_pieces_scaled(struct zf_import_node *node, struct zf_value *maps,
                                const float *scale, const float *shift, bool *done)
{
    struct zf_import_layer *layer = zf_import_sole(node, maps);
    int parts[2] = {0, maps->layer}, source;
    struct zf_value made = *maps;

    if (!layer)
        return ZF_OK;
    if (layer->is_erf && all_are(scale, layer->shape.c, (double)scale[0]) &&
        all_are(shift, layer->shape.c, (double)shift[0])) {
        layer->erf_scale *= (double)scale[0];
        layer->erf_shift = layer->erf_shift * (double)scale[0] + (double)shift[0];
        layer->output = node->out_count > 0 ? node->out[0] : NULL;
        *done = true;
        return zf_import_alias(node, maps);
    }
    if (!is_shifted_relu6(node->import, layer, &parts[0], &source) ||
        !all_are(scale, layer->shape.c, 1.0 / 6) || !all_are(shift, layer->shape.c, 0))
        return ZF_OK;
    *done = true;
    return replace(node, "hardsigmoid", "alpha = 0.166666667\nbeta = 0.5\n", source, parts, 2,
                   &made);
}

enum zf_status zf_pieces_gated(struct zf_import_node *node, struct zf_value *x,
                               struct zf_value *gate, bool *done)
{
    const struct zf_import_layer *layer = zf_import_sole(node, gate);
    struct zf_value made = *x;
    int parts[2] = {gate->layer, 0}, source;
    double alpha, beta;

    if (!layer || layer->part || !zf_value_is_arranged_like(x, gate))
        return ZF_OK;
    if (layer->is_erf)
        return find_gelu(node, x, gate, done);
    if (layer->inputs[0] == x->layer && strcmp(layer->type, "sigmoid") == 0) {
        *done = true;
        return replace(node, "silu", "", x->layer, parts, 1, &made);
    }
    if (layer->inputs[0] == x->layer && strcmp(layer->type, "hardsigmoid") == 0 &&
        sscanf(layer->keys, "alpha = %lf\nbeta = %lf", &alpha, &beta) == 2 &&
        is_close(alpha, 1.0 / 6) && is_close(beta, 0.5)) {
        *done = true;
        return replace(node, "hardswish", "", x->layer, parts, 1, &made);
    }
    if (is_shifted_relu6(node->import, layer, &parts[1], &source) && source == x->layer) {
        *done = true;
        return replace_scaled(node, "hardswish", x, parts, 2, 6);
    }
    return ZF_OK;
}
