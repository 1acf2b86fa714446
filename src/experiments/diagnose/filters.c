/* SPDX-License-Identifier: MIT */
#include "experiments/diagnose/diagnose.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/status.h"
#include "measure/similarity.h"

#define SIDE                                                                                       \
    16 /* px: a kernel of 3 is seen at 16 frequencies; larger kernels take their double            \
        */

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static enum zf_status measure_rms(struct zf_diagnosis_layer *layer, const float *weight,
                                  size_t length, struct zf_error *err)
{
    double *sorted = zf_alloc(layer->map_count, sizeof *sorted);
    size_t finite = 0;

    if (!sorted)
        return zf_no_memory(err, "%zu filters", layer->map_count);
    for (size_t m = 0; m < layer->map_count; m++) {
        double sum = 0;

        for (size_t i = 0; i < length; i++)
            sum += (double)weight[m * length + i] * (double)weight[m * length + i];
        layer->maps[m].rms = sqrt(sum / (double)length);
        layer->maps[m].not_finite = !isfinite(sum);
        if (isfinite(sum))
            sorted[finite++] = layer->maps[m].rms;
    }
    qsort(sorted, finite, sizeof *sorted, compare_doubles);
    layer->median_rms = finite > 0 ? sorted[(finite - 1) / 2] : NAN;
    zf_free(sorted);
    for (size_t m = 0; m < layer->map_count; m++) {
        struct zf_diagnosis_map *map = &layer->maps[m];

        if (map->not_finite)
            continue;
        map->dominating = map->rms > ZF_DOMINATING * layer->median_rms && map->rms > 0;
        map->dead = map->rms <= ZF_DEAD_RMS * layer->median_rms;
        layer->dominating += map->dominating;
    }
    return ZF_OK;
}

/* Filters without weights are alike, and dead rather than duplicates. */
static void find_duplicates(struct zf_diagnosis_layer *layer, const float *weight, size_t length)
{
    for (size_t m = 0; m < layer->map_count; m++) {
        struct zf_diagnosis_map *map = &layer->maps[m];

        map->twin = -1;
        map->twin_cosine = -1;
        for (size_t other = 0; map->rms > 0 && !map->not_finite && other < m; other++) {
            const double cosine = zf_cosine(weight + m * length, weight + other * length, length);

            if (layer->maps[other].rms > 0 && !layer->maps[other].not_finite &&
                cosine > map->twin_cosine) {
                map->twin = (int64_t)other;
                map->twin_cosine = cosine;
            }
        }
        map->duplicate =
            map->twin >= 0 && map->twin_cosine >= ZF_DUPLICATE && length >= ZF_DUPLICATE_LEAST;
        layer->duplicate += map->duplicate;
    }
}

/* Shares of `spectrum`; zeros where it has no energy. */
static void share(const struct zf_spectrum *spectrum, double band[ZF_BANDS])
{
    for (int b = 0; b < ZF_BANDS; b++)
        band[b] = spectrum->total > 0 ? spectrum->band[b] / spectrum->total : 0;
}

static enum zf_status measure_bands(struct zf_diagnosis_layer *layer,
                                    const struct zf_parameter *weight, bool first,
                                    struct zf_error *err)
{
    const int64_t height = weight->dims[2], width = weight->dims[3], plane = height * width;
    const int64_t largest = height > width ? height : width;
    const int64_t side = 2 * largest > SIDE ? 2 * largest : SIDE;
    struct zf_spectrum all = {0};

    for (size_t m = 0; m < layer->map_count; m++) {
        struct zf_spectrum spectrum = {0};

        for (int64_t c = 0; !layer->maps[m].not_finite && c < weight->dims[1]; c++)
            ZF_CHECK(zf_spectrum_add(&spectrum,
                                     weight->data + ((int64_t)m * weight->dims[1] + c) * plane,
                                     height, width, side, layer->stride, err));
        share(&spectrum, layer->maps[m].band);
        for (int b = 0; b < ZF_BANDS; b++)
            all.band[b] += spectrum.band[b];
        all.folded += spectrum.folded;
        all.total += spectrum.total;
    }
    share(&all, layer->band);
    if (first)
        layer->aliasing = all.total > 0 ? all.folded / all.total : 0;
    return ZF_OK;
}

enum zf_status zf_diagnose_filters(const struct zf_net *net, struct zf_diagnosis *diagnosis,
                                   struct zf_error *err)
{
    for (size_t i = 0; i < diagnosis->layer_count; i++) {
        struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
        struct zf_parameter weight = {0};
        size_t length = 0;

        if (!zf_layer_filters(net, layer->layer, &weight, &length))
            return zf_fail(err, ZF_EUNSUPPORTED, "%s has no filters",
                           zf_net_layer(net, layer->layer).name);
        ZF_CHECK(measure_rms(layer, weight.data, length, err));
        ZF_CHECK(measure_bands(layer, &weight, i == 0, err));
        find_duplicates(layer, weight.data, length);
    }
    return ZF_OK;
}
