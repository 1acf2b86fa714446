/* SPDX-License-Identifier: MIT */
/*
 * A layer's numbers in words: what is wrong, each with the change to try, or that nothing is. The
 * limits are those of diagnose.h; for energies a third (choice: the paper looks, and gives no
 * number).
 */
#include "experiments/diagnose/diagnose.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define TOO_MUCH (1.0 / 3) /* of the energy: high frequencies, or folded ones */
#define NOISE 0.65 /* of the energy at high frequencies: little but noise (which has 0.80) */
#define LEAST_KERNEL                                                                               \
    5 /* smaller filters have no room for anything but high frequencies: any edge */
#define SENTENCES 8

struct verdict {
    char *parts[SENTENCES]; /* NULL where memory was short */
    size_t count;
};

/* A sentence for `count` maps; those after the first few go unnamed. */
static char *list_maps(const struct zf_diagnosis_layer *layer,
                       bool (*has)(const struct zf_diagnosis_map *map))
{
    char *text = zf_strdup("");
    size_t named = 0;

    for (size_t m = 0; text && m < layer->map_count; m++) {
        char *longer;

        if (!has(&layer->maps[m]))
            continue;
        if (named == 6) {
            longer = zf_format("%s, ...", text);
            zf_free(text);
            return longer;
        }
        longer = zf_format("%s%s%zu", text, named++ > 0 ? ", " : "", m);
        zf_free(text);
        text = longer;
    }
    return text;
}

static bool is_not_finite(const struct zf_diagnosis_map *map)
{
    return map->not_finite;
}

static bool is_dead(const struct zf_diagnosis_map *map)
{
    return map->dead;
}

static bool is_saturated(const struct zf_diagnosis_map *map)
{
    return map->saturated;
}

static bool is_dominating(const struct zf_diagnosis_map *map)
{
    return map->dominating;
}

static bool is_duplicate(const struct zf_diagnosis_map *map)
{
    return map->duplicate;
}

/* What may be wrong with single maps: how many, what, which, and the change. */
struct complaint {
    size_t count;
    bool (*has)(const struct zf_diagnosis_map *map);
    const char *what_one, *what_many;
    const char *change;
};

static void complain(struct verdict *verdict, const struct zf_diagnosis_layer *layer,
                     const struct complaint *complaint)
{
    char *names;

    if (complaint->count == 0)
        return;
    names = list_maps(layer, complaint->has);
    verdict->parts[verdict->count++] =
        names ? zf_format("%zu of %zu maps %s (%s): %s.", complaint->count, layer->map_count,
                          complaint->count == 1 ? complaint->what_one : complaint->what_many, names,
                          complaint->change)
              : NULL;
    zf_free(names);
}

static void judge_maps(struct verdict *verdict, const struct zf_diagnosis *diagnosis,
                       const struct zf_diagnosis_layer *layer)
{
    const bool seen = diagnosis->images > 0;
    const struct complaint complaints[] = {
        {layer->not_finite, is_not_finite, "has NaN or infinity in its weights or activations",
         "have NaN or infinity in their weights or activations",
         "what the net answers is worth nothing; go back to an epoch before, and train on with a "
         "lower learning rate"},
        {layer->dead, is_dead, seen ? "never fires, or almost never" : "has a filter of zeros",
         seen ? "never fire, or almost never" : "have filters of zeros",
         "try a lower learning rate or smaller first weights, or do with fewer maps"},
        {layer->dominating, is_dominating, "has a filter of more than 10 times the median RMS",
         "have filters of more than 10 times the median RMS",
         "train with the RMS rule (rms_limit = 0.1), which scales it back after each step"},
        {layer->saturated, is_saturated, "is above zero at 99 % of all places or more",
         "are above zero at 99 % of all places or more",
         "they pass everything on and select nothing; see whether their biases have grown"},
        {layer->duplicate, is_duplicate, "has a filter that an earlier one almost repeats",
         "have filters that an earlier one almost repeats",
         "fewer maps may do as well, or more dropout keep them apart"},
    };

    for (size_t i = 0; i < ZF_COUNT(complaints); i++)
        complain(verdict, layer, &complaints[i]);
}

/* Smaller kernel, smaller stride: the paper's cure. */
static char *first_change(const struct zf_diagnosis_layer *first, const char *name)
{
    if (first->kernel > 7 && first->stride > 2)
        return zf_format("try a 7x7 %s with stride 2 in place of %" PRId64 "x%" PRId64
                         " with stride %" PRId64,
                         name, first->kernel, first->kernel, first->stride);
    if (first->stride > 1)
        return zf_format("try stride %" PRId64 " in place of %" PRId64 " in %s", first->stride / 2,
                         first->stride, name);
    return zf_strdup("train longer, or with more weight decay");
}

static void judge_first(struct verdict *verdict, const struct zf_diagnosis_layer *layer,
                        const char *name)
{
    const double high = layer->band[ZF_BAND_HIGH];
    char *change;

    if (layer->kernel < LEAST_KERNEL)
        return;
    if (high >= NOISE) {
        verdict->parts[verdict->count++] =
            zf_format("%.0f %% of its filters' energy lies above a quarter of the sampling rate, "
                      "where noise has 80 %%: train longer, or with a lower learning rate.",
                      100 * high);
        return;
    }
    change = first_change(layer, name);
    if (high > TOO_MUCH || layer->aliasing > TOO_MUCH)
        verdict->parts[verdict->count++] =
            change ? zf_format("%.0f %% of its filters' energy lies above a quarter of the "
                               "sampling rate, and %.0f %% beyond what its stride of %" PRId64
                               " can carry: %s.",
                               100 * high, 100 * layer->aliasing, layer->stride, change)
                   : NULL;
    else if (layer->band[ZF_BAND_MIDDLE] < NOISE / 8)
        verdict->parts[verdict->count++] =
            change ? zf_format("Only %.0f %% of its filters' energy lies at middle frequencies "
                               "(1/8 to 1/4 cycles per pixel): %s.",
                               100 * layer->band[ZF_BAND_MIDDLE], change)
                   : NULL;
    zf_free(change);
}

static void judge_second(struct verdict *verdict, const struct zf_diagnosis *diagnosis,
                         const struct zf_diagnosis_layer *layer, const char *first)
{
    char *change;

    if (isnan(layer->aliasing) || layer->aliasing <= TOO_MUCH)
        return;
    change = first_change(&diagnosis->layers[0], first);
    verdict->parts[verdict->count++] =
        change ? zf_format("%.0f %% of its projections' energy lies beyond what the stride of %s "
                           "(%" PRId64 ") can carry, and is aliased: %s.",
                           100 * layer->aliasing, first, diagnosis->layers[0].stride, change)
               : NULL;
    zf_free(change);
}

/* Whose weights may be random: nothing else about its filters is worth saying. */
static bool judge_random(struct verdict *verdict, const struct zf_diagnosis *diagnosis,
                         const struct zf_diagnosis_layer *layer)
{
    const struct zf_diagnosis_weights *weights = zf_diagnosis_weights_of(diagnosis, layer->layer);

    if (!weights || !weights->random)
        return false;
    verdict->parts[verdict->count++] = zf_strdup(ZF_RANDOM_WEIGHTS);
    return true;
}

static char *praise(const struct zf_diagnosis *diagnosis, const struct zf_diagnosis_layer *layer)
{
    if (diagnosis->images > 0)
        return zf_format("Nothing stands out: all %zu maps fire, and no filter dominates or "
                         "repeats another.",
                         layer->map_count);
    return zf_format("Nothing stands out in its %zu filters; whether their maps fire, only "
                     "pictures can tell (--data).",
                     layer->map_count);
}

enum zf_status zf_diagnose_verdict(struct zf_diagnosis *diagnosis, size_t i, const char *first,
                                   struct zf_error *err)
{
    struct zf_diagnosis_layer *layer = &diagnosis->layers[i];
    struct verdict verdict = {0};
    char *text = zf_strdup("");

    judge_maps(&verdict, diagnosis, layer);
    if (!judge_random(&verdict, diagnosis, layer) && i == 0)
        judge_first(&verdict, layer, first);
    if (i == 1)
        judge_second(&verdict, diagnosis, layer, first);
    layer->sound = verdict.count == 0;
    if (layer->sound)
        verdict.parts[verdict.count++] = praise(diagnosis, layer);
    for (size_t p = 0; p < verdict.count; p++) {
        char *longer = text && verdict.parts[p]
                           ? zf_format("%s%s%s", text, p > 0 ? " " : "", verdict.parts[p])
                           : NULL;

        zf_free(text);
        zf_free(verdict.parts[p]);
        text = longer;
    }
    if (!text)
        return zf_no_memory(err, "a verdict");
    layer->verdict = text;
    return ZF_OK;
}
