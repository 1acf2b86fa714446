/* SPDX-License-Identifier: MIT */
/* The parameters of a net: one array, a slot for each tensor, and their first values. */
#include "net/build.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <stdio.h>

#include "base/magnitude.h"
#include "base/mapped.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

#define MOST_PARAMETERS (INT64_C(1) << 31)
#define SLOT_ALIGNMENT 16 /* floats: a cache line */
#define SLOT_ALIGNMENT_BYTES (SLOT_ALIGNMENT * sizeof(float))

static int64_t dims_count(const struct zf_dims *dims)
{
    int64_t count = 1;

    for (int i = 0; i < dims->rank; i++)
        if (__builtin_mul_overflow(count, dims->d[i], &count) || count > MOST_PARAMETERS)
            return -1;
    return count;
}

static enum zf_status add_slot(struct zf_net *net, const char *origin, int layer, bool is_bias,
                               struct zf_error *err)
{
    struct zf_parameter_slot *slot = &net->slots[net->slot_count];
    const struct zf_inferred *inferred = &net->layers[layer].inferred;
    const struct zf_dims *dims = is_bias ? &inferred->bias : &inferred->weight;
    const int64_t count = dims_count(dims);

    if (dims->rank == 0)
        return ZF_OK;
    if (count < 0 || net->floats + count > MOST_PARAMETERS)
        return zf_fail(err, ZF_EINPUT, "%s: %s: more than %" PRId64 " parameters", origin,
                       net->layers[layer].name, MOST_PARAMETERS);
    slot->name = zf_format("%s.%s", net->layers[layer].name, is_bias ? "bias" : "weight");
    if (!slot->name)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    slot->dims = *dims;
    slot->count = count;
    slot->offset = net->floats;
    slot->layer = layer;
    slot->is_bias = is_bias;
    net->floats += (count + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT;
    net->slot_count++;
    return ZF_OK;
}

enum zf_status zf_net_lay_out(struct zf_net *net, const char *origin, struct zf_error *err)
{
    net->slots = zf_alloc((size_t)net->layer_count * ZF_LAYER_PARAMETERS, sizeof *net->slots);
    if (!net->slots)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (int i = 0; i < net->layer_count; i++) {
        struct zf_layer *layer = &net->layers[i];

        layer->first_parameter = net->slot_count;
        ZF_CHECK(add_slot(net, origin, i, false, err));
        ZF_CHECK(add_slot(net, origin, i, true, err));
        layer->parameter_count = net->slot_count - layer->first_parameter;
    }
    return ZF_OK;
}

bool zf_net_map_parameters(struct zf_net *net, struct zf_bytes *file, size_t offset)
{
    if (offset % SLOT_ALIGNMENT_BYTES != 0 || offset > file->size ||
        (uint64_t)net->floats > (file->size - offset) / sizeof *net->parameters ||
        !zf_bytes_make_writable(file))
        return false;
    net->parameters = (float *)(uintptr_t)(file->data + offset);
    net->file = *file;
    zf_mapped_watch(file->data);
    *file = (struct zf_bytes){0};
    return true;
}

enum zf_status zf_net_allocate_parameters(struct zf_net *net, struct zf_error *err)
{
    if (!net->parameters)
        net->parameters = zf_alloc((size_t)net->floats, sizeof *net->parameters);
    if (!net->parameters)
        return zf_fail(err, ZF_ENOMEM, "%s: no memory for %" PRId64 " parameters", net->name,
                       net->floats);
    return ZF_OK;
}

/*
 * He et al. 2015 suit layers between rectifiers. They assume inputs of deviation 1: pixels of
 * photos have about 64, times the scale of the preparation, and a first layer drawn as much smaller
 * hides less behind its first draw. The last layer has no rectifier behind it and starts small, so
 * that the first steps do not kill the maps below.
 */
static double he_deviation(const struct zf_net *net, const struct zf_parameter_slot *slot,
                           double init_std)
{
    const struct zf_layer *layer = &net->layers[slot->layer];
    const double deviation = sqrt(2.0 / (double)layer->inferred.fan_in);

    if (slot->layer == net->slots[net->slot_count - 1].layer)
        return init_std < deviation ? init_std : deviation;
    return layer->inputs[0] == ZF_NET_INPUT ? deviation / (64 * (double)net->preparation.scale[0])
                                            : deviation;
}

void zf_net_init_layer(struct zf_net *net, int layer, enum zf_init_kind kind, double init_std,
                       uint64_t seed)
{
    const int first = net->layers[layer].first_parameter;
    const double start = net->layers[layer].inferred.start;

    for (int i = first; i < first + net->layers[layer].parameter_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];
        const double deviation = kind == ZF_INIT_HE ? he_deviation(net, slot, init_std) : init_std;
        struct zf_random random = zf_random_stream(seed, ZF_RANDOM_INIT, (uint64_t)i, 0);
        float *data = net->parameters + slot->offset;

        for (int64_t k = 0; k < slot->count; k++)
            data[k] = slot->is_bias  ? 0
                      : start != 0.0 ? (float)start
                                     : (float)(deviation * zf_random_normal(&random));
    }
}

void zf_net_init_parameters(struct zf_net *net, enum zf_init_kind kind, double init_std,
                            uint64_t seed)
{
    for (int i = 0; i < net->layer_count; i++)
        zf_net_init_layer(net, i, kind, init_std, seed);
}

static int64_t count_not_finite(const float *numbers, int64_t count)
{
    int64_t found = 0;

    for (int64_t i = 0; i < count; i++)
        found += !isfinite(numbers[i]);
    return found;
}

enum zf_status zf_net_check_finite(const struct zf_net *net, struct zf_error *err)
{
    const struct zf_parameter_slot *first = NULL;
    int others = 0;
    char more[64] = "";

    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];

        if (isfinite(zf_largest_magnitude(net->parameters + slot->offset, slot->count)))
            continue;
        if (first)
            others++;
        else
            first = slot;
    }
    if (!first)
        return ZF_OK;
    if (others > 0)
        snprintf(more, sizeof more, "; so are some of %d other tensors", others);
    return zf_fail(err, ZF_EINPUT,
                   "%s: %" PRId64 " of the %" PRId64 " numbers of %s are NaN or infinite%s",
                   net->name, count_not_finite(net->parameters + first->offset, first->count),
                   first->count, first->name, more);
}

float *zf_net_parameters_mutable(struct zf_net *net, int64_t *floats)
{
    *floats = net->floats;
    return net->parameters;
}

int64_t zf_net_gradient_floats(const struct zf_net *net)
{
    return net->floats;
}

int64_t zf_net_gradient_offset(const struct zf_net *net, int i)
{
    return net->slots[i].offset;
}

int zf_net_parameter_tensors(const struct zf_net *net)
{
    return net->slot_count;
}

struct zf_parameter zf_net_parameter(const struct zf_net *net, int i)
{
    const struct zf_parameter_slot *slot = &net->slots[i];
    struct zf_parameter parameter = {
        .name = slot->name,
        .rank = slot->dims.rank,
        .count = slot->count,
        .data = net->parameters ? net->parameters + slot->offset : NULL,
    };

    for (int d = 0; d < slot->dims.rank; d++)
        parameter.dims[d] = slot->dims.d[d];
    return parameter;
}

int64_t zf_net_parameter_count(const struct zf_net *net)
{
    int64_t count = 0;

    for (int i = 0; i < net->slot_count; i++)
        count += net->slots[i].count;
    return count;
}
