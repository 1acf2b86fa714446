/* SPDX-License-Identifier: MIT */
#include "look/choose.h"

#include <inttypes.h>
#include <string.h>

#include "base/status.h"

#define PAPER_INPUT 224 /* px */

/* A smaller input gets a larger share hidden, up to 2/7: on generated pictures of 56 px a square of
   8 px is lowest on the object in 86 % of them, one of 16 px in 97 %, and parts are told from
   random places with it more often. */
#define SQUARE 32       /* px */
#define SMALL_SQUARE 64 /* px of 224 */

int64_t zf_choose_pixels(const struct zf_net *net, int64_t pixels)
{
    const struct zf_shape input = zf_net_input(net);
    const int64_t side = input.h < input.w ? input.h : input.w;
    const int64_t scaled = (pixels * side + PAPER_INPUT / 2) / PAPER_INPUT;

    return scaled > 1 ? scaled : 1;
}

int64_t zf_choose_at_most(const struct zf_net *net, int64_t pixels, int64_t of_paper)
{
    const int64_t most = zf_choose_pixels(net, of_paper);

    return pixels < most ? pixels : most;
}

enum zf_status zf_choose_square(const struct zf_net *net, int64_t wanted, int64_t *side,
                                struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);

    *side = wanted ? wanted : zf_choose_at_most(net, SQUARE, SMALL_SQUARE);
    if (*side < 1)
        return zf_fail(err, ZF_EINVAL, "a square of %" PRId64 " px hides nothing", *side);
    if (*side > (input.h < input.w ? input.h : input.w))
        return zf_fail(err, ZF_EINPUT,
                       "a square of %" PRId64 " px is larger than the net's input of %" PRId64
                       " x %" PRId64 " px",
                       *side, input.w, input.h);
    return ZF_OK;
}

static bool is(const struct zf_net *net, int layer, const char *type)
{
    return layer >= 0 && layer < zf_net_layer_count(net) &&
           strcmp(zf_net_layer(net, layer).type, type) == 0;
}

enum zf_status zf_choose_last_conv(const struct zf_net *net, bool rectified, int *layer,
                                   struct zf_error *err)
{
    int i = zf_net_layer_count(net) - 1;

    while (i >= 0 && !is(net, i, "conv"))
        i--;
    if (i < 0)
        return zf_fail(err, ZF_EUNSUPPORTED, "%s has no convolution: name a layer",
                       zf_net_name(net));
    *layer = rectified && is(net, i + 1, "relu") ? i + 1 : i;
    return ZF_OK;
}

enum zf_status zf_choose_first_stage(const struct zf_net *net, int *layer, struct zf_error *err)
{
    const int count = zf_net_layer_count(net);
    int i = 0;

    while (i < count && !is(net, i, "conv"))
        i++;
    if (i == count)
        return zf_fail(err, ZF_EUNSUPPORTED, "%s has no convolution: name a layer",
                       zf_net_name(net));
    while (i + 1 < count && zf_net_layer(net, i + 1).parameters == 0 && !is(net, i + 1, "softmax"))
        i++;
    *layer = i;
    return ZF_OK;
}

/* The last layer with weights before layer `end`, -1 without one. */
static int weighted_before(const struct zf_net *net, int end)
{
    int i = end - 1;

    while (i >= 0 && zf_net_layer(net, i).parameters == 0)
        i--;
    return i;
}

enum zf_status zf_choose_last_hidden(const struct zf_net *net, bool rectified, int *layer,
                                     struct zf_error *err)
{
    const int classifier = weighted_before(net, zf_net_layer_count(net));
    int i = classifier - 1;

    while (is(net, i, "dropout"))
        i--;
    if (!rectified)
        i = weighted_before(net, classifier);
    if (i < 0)
        return zf_fail(err, ZF_EUNSUPPORTED, "%s has no hidden layer: name a layer",
                       zf_net_name(net));
    *layer = i;
    return ZF_OK;
}

enum zf_status zf_check_layers(const struct zf_net *net, const int *layers, size_t count,
                               struct zf_error *err)
{
    const int all = zf_net_layer_count(net);

    if (count == 0)
        return zf_fail(err, ZF_EINVAL, "the list of layers is empty");
    for (size_t i = 0; i < count; i++) {
        if (layers[i] < 0 || layers[i] >= all)
            return zf_fail(err, ZF_EINVAL, "layer %d is not among the %d of %s", layers[i], all,
                           zf_net_name(net));
    }
    return ZF_OK;
}

int64_t zf_first_largest(const float *values, int64_t count)
{
    int64_t best = 0;

    for (int64_t i = 1; i < count; i++) {
        if (values[i] > values[best])
            best = i;
    }
    return best;
}
