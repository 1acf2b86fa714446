/* SPDX-License-Identifier: MIT */
#include "finite.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "base/status.h"

static bool all_finite(const float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

int zf_find_not_finite(const struct zf_net *net, const float *array)
{
    for (int i = 0; i < net->slot_count; i++) {
        if (!all_finite(array + net->slots[i].offset, net->slots[i].count))
            return i;
    }
    return -1;
}

static int first_bad_layer(struct zf_plan *plan, const struct zf_net *net, struct zf_tensor *row)
{
    for (int i = 0; i < net->layer_count; i++) {
        const struct zf_shape shape = net->layers[i].inferred.out;
        struct zf_tensor out = zf_tensor_view(row->data, 1, shape.c, shape.h, shape.w);

        zf_plan_read(plan, i, &out);
        if (!all_finite(out.data, zf_tensor_count(&out)))
            return i;
    }
    return -1;
}

/* Runs the pictures one by one, in a small plan that keeps every layer. */
static int find_activation(const struct zf_net *net, const struct zf_tensor *input)
{
    struct zf_plan_options options = {.compute = {.batch = 1, .engine = "reference"},
                                      .purpose = ZF_INFER};
    struct zf_plan *plan = NULL;
    struct zf_tensor row = {0};
    int *taps = zf_alloc((size_t)net->layer_count, sizeof *taps);
    int64_t largest = 1;
    int found = -1;

    for (int i = 0; taps && i < net->layer_count; i++) {
        const struct zf_shape shape = net->layers[i].inferred.out;
        const int64_t size = shape.c * shape.h * shape.w;

        taps[i] = i;
        largest = size > largest ? size : largest;
    }
    options.taps = taps;
    options.tap_count = (size_t)net->layer_count;
    if (taps && zf_tensor_init(&row, 1, largest, 1, 1, NULL) == ZF_OK &&
        zf_plan_create(net, &options, &plan, NULL) == ZF_OK) {
        for (int64_t n = 0; n < input->n && found < 0; n++) {
            const int64_t size = input->c * input->h * input->w;
            const struct zf_tensor picture =
                zf_tensor_view(input->data + n * size, 1, input->c, input->h, input->w);

            zf_plan_forward(plan, &picture);
            found = first_bad_layer(plan, net, &row);
        }
    }
    zf_plan_free(&plan);
    zf_tensor_release(&row);
    zf_free(taps);
    return found;
}

void zf_describe_not_finite(const struct zf_net *net, const float *gradients,
                            const struct zf_tensor *input, char *text, size_t size)
{
    int slot = zf_find_not_finite(net, net->parameters);
    int layer = -1;

    if (input && !all_finite(input->data, zf_tensor_count(input))) {
        snprintf(text, size, "the prepared pictures");
        return;
    }
    if (slot >= 0) {
        snprintf(text, size, "the parameters of %s", net->layers[net->slots[slot].layer].name);
        return;
    }
    slot = gradients ? zf_find_not_finite(net, gradients) : -1;
    if (slot >= 0) {
        snprintf(text, size, "the gradients of %s", net->layers[net->slots[slot].layer].name);
        return;
    }
    layer = input ? find_activation(net, input) : -1;
    if (layer >= 0)
        snprintf(text, size, "the activations of %s", net->layers[layer].name);
    else
        snprintf(text, size, "the loss alone, while all parameters are finite");
}
