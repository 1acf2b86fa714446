/* SPDX-License-Identifier: MIT */
#include "measure/similarity.h"

#include <math.h>
#include <string.h>

static double cosine_of(double product, double square_a, double square_b)
{
    if (square_a == 0 && square_b == 0)
        return 1;
    if (square_a == 0 || square_b == 0)
        return 0;
    return fmax(-1, fmin(1, product / sqrt(square_a) / sqrt(square_b)));
}

static double square_of(const float *values, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sum;
}

double zf_cosine(const float *a, const float *b, size_t count)
{
    double product = 0;

    for (size_t i = 0; i < count; i++)
        product += (double)a[i] * (double)b[i];
    return cosine_of(product, square_of(a, count), square_of(b, count));
}

double zf_patch_cosine(const float *a, struct zf_box box_a, const float *b, struct zf_box box_b,
                       int64_t dy, int64_t dx, int64_t channels)
{
    double product = 0;

    for (int64_t c = 0; c < channels; c++) {
        for (int64_t y = 0; y < box_a.height; y++) {
            for (int64_t x = 0; x < box_a.width; x++) {
                const int64_t other_y = y - dy, other_x = x - dx;

                if (other_y >= 0 && other_y < box_b.height && other_x >= 0 && other_x < box_b.width)
                    product += (double)a[(c * box_a.height + y) * box_a.width + x] *
                               (double)b[(c * box_b.height + other_y) * box_b.width + other_x];
            }
        }
    }
    return cosine_of(product, square_of(a, (size_t)(channels * box_a.height * box_a.width)),
                     square_of(b, (size_t)(channels * box_b.height * box_b.width)));
}

bool zf_layer_filters(const struct zf_net *net, int layer, struct zf_parameter *weight,
                      size_t *length)
{
    const char *name = zf_net_layer(net, layer).name;
    const size_t prefix = strlen(name);

    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        const struct zf_parameter parameter = zf_net_parameter(net, i);

        if (strncmp(parameter.name, name, prefix) == 0 &&
            strcmp(parameter.name + prefix, ".weight") == 0) {
            *weight = parameter;
            *length = (size_t)(parameter.count / parameter.dims[0]);
            return true;
        }
    }
    return false;
}
