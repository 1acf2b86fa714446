/* SPDX-License-Identifier: MIT */
/*
 * What a net's first layers say of the values that they were made for. Exporters leave a rescaling,
 * a normalisation or a batch normalisation of the input in the graph; here each is a scale layer on
 * the input or on some of its channels, value -> a * value + b. Pictures have a mean near 0.45 and
 * a deviation near 0.25 of their range. So a layer that brings that mean near 0 and makes the
 * deviation about 1, or divides the range to 0 .. 1, was made for values of that range; a batch
 * normalisation behind values that are normalised already is close to the identity, and says
 * nothing.
 */
#include "zf/image.h"

#include <math.h>
#include <string.h>

#include "net/net.h"

#define MEAN 0.45
#define OFF_CENTRE 0.35 /* of the range: how far from 0 the mean may come out */

/* Whether a layer rearranges or parts the input, so that values are still as they came. */
static bool moves(const struct zf_layer *layer)
{
    static const char *const types[] = {"slice", "concat", "shuffle", "arrange", "flatten"};

    for (size_t i = 0; i < ZF_COUNT(types); i++) {
        if (strcmp(layer->type->name, types[i]) == 0)
            return true;
    }
    return false;
}

/* Whether layer i reads nothing but what came in. */
static bool reads_input(const struct zf_net *net, int i)
{
    const struct zf_layer *layer = &net->layers[i];

    for (int k = 0; k < layer->input_count; k++) {
        const int from = layer->inputs[k];

        if (from != ZF_NET_INPUT && !(moves(&net->layers[from]) && reads_input(net, from)))
            return false;
    }
    return true;
}

/* The range that a * value + b is made for: 255, 1, or 0 for none of these. */
static int range_of(double a, double b)
{
    const double whole = a * 255;

    if (a >= 1.6 && a <= 10 && fabs(a * MEAN + b) <= OFF_CENTRE * a)
        return 1;
    if (whole >= 0.8 && whole <= 300 && fabs(whole * MEAN + b) <= OFF_CENTRE * whole)
        return 255;
    return whole >= 0.8 && whole <= 2.2 && fabs(b) <= 0.2 ? 255 : 0;
}

static int range_of_layer(const struct zf_net *net, int i)
{
    const struct zf_layer *layer = &net->layers[i];
    const struct zf_parameter_slot *slots = &net->slots[layer->first_parameter];
    const float *weight = net->parameters + slots[0].offset;
    const float *bias = net->parameters + slots[1].offset;
    const int range = range_of((double)weight[0], (double)bias[0]);

    for (int64_t c = 1; c < slots[0].count; c++) {
        if (range_of((double)weight[c], (double)bias[c]) != range)
            return 0;
    }
    return range;
}

int zf_net_expects(const struct zf_net *net, const char **layer)
{
    int range = 0;

    for (int i = 0; i < net->layer_count; i++) {
        int here;

        if (strcmp(net->layers[i].type->name, "scale") != 0 || !reads_input(net, i))
            continue;
        here = range_of_layer(net, i);
        if (here == 0 || (range != 0 && here != range))
            return 0;
        if (range == 0)
            *layer = net->layers[i].name;
        range = here;
    }
    return range;
}
