/* SPDX-License-Identifier: MIT */
/*
 * Which layers are looked at when none is named: every convolution of a small net; of a deep one
 * the layers that end a stage, behind which maps become smaller. They have seen all that their
 * stage does, and are few. Maps that are classes stand for the layer that they are made from.
 */
#include "choose.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "net/net.h"

#define SMALL_NET 8 /* convolutions that are all looked at */

static bool is(const struct zf_layer *layer, const char *type)
{
    return strcmp(layer->type->name, type) == 0;
}

static int64_t cells(struct zf_shape shape)
{
    return shape.h * shape.w;
}

/* Whether the maps of a layer are what the net says about its classes: nothing is learned behind.
 */
static bool are_classes(const struct zf_net *net, int layer)
{
    bool learned = net->layers[layer].inferred.out.c != net->classes;

    for (int i = layer + 1; i < net->layer_count; i++)
        learned = learned || net->layers[i].parameter_count > 0;
    return !learned;
}

/* What the classes are made from: the layer below the last learned one. */
static int below_classes(const struct zf_net *net, int layer)
{
    while (layer >= 0 && net->layers[layer].parameter_count == 0)
        layer = net->layers[layer].inputs[0];
    do
        layer = layer >= 0 ? net->layers[layer].inputs[0] : layer;
    while (layer >= 0 && is(&net->layers[layer], "dropout"));
    return layer;
}

/* Mark what a layer that makes maps smaller takes, unless that is a pooling itself. */
static void mark_inputs(const struct zf_net *net, int layer, bool *ends)
{
    const struct zf_layer *reader = &net->layers[layer];

    for (int i = 0; i < reader->input_count; i++) {
        const int from = reader->inputs[i];
        const struct zf_layer *source = from < 0 ? NULL : &net->layers[from];

        if (source && cells(source->inferred.out) > cells(reader->inferred.out) &&
            !is(source, "maxpool") && !is(source, "avgpool")) {
            const int end = are_classes(net, from) ? below_classes(net, from) : from;

            if (end >= 0)
                ends[end] = true;
        }
    }
}

enum zf_status zf_choose_stages(const struct zf_net *net, bool all, int **layers, size_t *count,
                                bool *stages, struct zf_error *err)
{
    bool *ends = zf_alloc((size_t)net->layer_count, sizeof *ends);
    int *made = zf_alloc((size_t)net->layer_count, sizeof *made);
    size_t convolutions = 0, found = 0;

    if (!ends || !made) {
        zf_free(ends);
        zf_free(made);
        return zf_no_memory(err, "the layers of %s", net->name);
    }
    for (int i = 0; i < net->layer_count; i++) {
        convolutions += is(&net->layers[i], "conv");
        mark_inputs(net, i, ends);
    }
    for (int i = 0; !all && convolutions > SMALL_NET && i < net->layer_count; i++) {
        if (ends[i])
            made[found++] = i;
    }
    *stages = found > 0;
    for (int i = 0; !*stages && i < net->layer_count; i++) {
        if (is(&net->layers[i], "conv"))
            made[found++] = i;
    }
    zf_free(ends);
    if (found == 0) {
        zf_free(made);
        made = NULL;
    }
    *layers = made;
    *count = found;
    return ZF_OK;
}
