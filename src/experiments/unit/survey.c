/* SPDX-License-Identifier: MIT */
/*
 * What a unit answers to. One pass keeps a number a picture, that of its strongest cell; from them
 * come all statistics, and which pictures are loaded again to be shown and projected.
 */
#include "experiments/unit/unit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/pass.h"

#define BATCH 64
#define TRIED 3 /* projections whose dependence is measured */

const char *zf_unit_class_name(const struct zf_net *net, int layer, int64_t map)
{
    if (!zf_net_has_labels(net) || layer < zf_net_class_layer(net) ||
        zf_net_layer(net, layer).shape.c != zf_net_class_count(net))
        return NULL;
    return zf_net_label(net, map);
}

/* ---- The pass. ---- */

struct survey {
    const struct zf_net *net;
    struct zf_unit *unit;
    int64_t maps;
    struct zf_shape shape; /* of the layer */
    float *strongest;      /* [batch * maps] */
    int32_t *where;
    int32_t *places; /* [samples] */
};

static enum zf_status survey_batch(void *user, struct zf_plan *plan, const struct zf_batch *batch,
                                   struct zf_error *err)
{
    const struct survey *survey = user;

    (void)err;
    zf_plan_maxima(plan, survey->unit->layer, survey->strongest, survey->where);
    for (int64_t n = 0; n < batch->count; n++) {
        const int64_t at = n * survey->maps + survey->unit->map;

        survey->unit->values[batch->samples[n]] = survey->strongest[at];
        survey->places[batch->samples[n]] = survey->where[at];
    }
    return ZF_OK;
}

static enum zf_status look_through(struct survey *survey, const struct zf_data *data,
                                   const struct zf_unit_options *options,
                                   const struct zf_monitor *monitor, struct zf_error *err)
{
    const int64_t samples = zf_data_count(data);
    const int64_t wished = options->compute.batch > 0 ? options->compute.batch : BATCH;
    const int64_t batch = wished < samples ? wished : samples;
    struct zf_passed passed;

    survey->strongest = zf_alloc_raw((size_t)(batch * survey->maps), sizeof *survey->strongest);
    survey->where = zf_alloc_raw((size_t)(batch * survey->maps), sizeof *survey->where);
    if (!survey->strongest || !survey->where)
        return zf_no_memory(err, "the maxima of %" PRId64 " pictures", batch);
    for (int64_t i = 0; i < samples; i++)
        survey->unit->values[i] = NAN;
    ZF_CHECK(
        zf_pass_run(&(struct zf_pass){.net = survey->net,
                                      .data = data,
                                      .plan = {.compute = zf_compute_batch(options->compute, batch),
                                               .purpose = ZF_INFER,
                                               .taps = &survey->unit->layer,
                                               .tap_count = 1,
                                               .taps_only = true},
                                      .strict = options->strict,
                                      .stage = "looking",
                                      .missing = "skipped",
                                      .visit = survey_batch,
                                      .user = survey},
                    &passed, monitor, err));
    survey->unit->images = passed.images;
    survey->unit->skipped = passed.skipped;
    return ZF_OK;
}

/* ---- Statistics. ---- */

struct rank {
    float value;
    int64_t sample;
};

/* Strongest first, ties by sample: the order of zf_top_run(). */
static int by_value(const void *left, const void *right)
{
    const struct rank *a = left, *b = right;

    if (a->value != b->value)
        return a->value < b->value ? 1 : -1;
    return (a->sample > b->sample) - (a->sample < b->sample);
}

static enum zf_status rank_pictures(const struct zf_unit *unit, int64_t samples,
                                    struct rank **ranks, struct zf_error *err)
{
    int64_t count = 0;

    *ranks = zf_alloc((size_t)unit->images, sizeof **ranks);
    if (!*ranks)
        return zf_no_memory(err, "%" PRId64 " pictures", unit->images);
    for (int64_t i = 0; i < samples; i++) {
        if (!isnan(unit->values[i]))
            (*ranks)[count++] = (struct rank){unit->values[i], i};
    }
    qsort(*ranks, (size_t)count, sizeof **ranks, by_value);
    return ZF_OK;
}

static void summarise(struct zf_unit *unit, const struct rank *ranks)
{
    double sum = 0.0;

    for (int64_t i = 0; i < unit->images; i++) {
        sum += (double)ranks[i].value;
        unit->active += ranks[i].value > 0.0f;
    }
    unit->mean = sum / (double)unit->images;
    unit->most = (double)ranks[0].value;
    unit->median =
        ((double)ranks[(unit->images - 1) / 2].value + (double)ranks[unit->images / 2].value) / 2.0;
}

static int by_mean(const void *left, const void *right)
{
    const struct zf_unit_class *a = left, *b = right;

    if (a->mean != b->mean)
        return a->mean < b->mean ? 1 : -1;
    return (a->class > b->class) - (a->class < b->class);
}

static enum zf_status count_classes(const struct zf_data *data, const struct rank *ranks,
                                    struct zf_unit *unit, struct zf_error *err)
{
    const int64_t classes = zf_data_class_count(data);

    unit->classes = zf_alloc((size_t)classes, sizeof *unit->classes);
    if (!unit->classes)
        return zf_no_memory(err, "%" PRId64 " classes", classes);
    for (int64_t k = 0; k < classes; k++)
        unit->classes[k].class = k;
    for (int64_t i = 0; i < unit->images; i++) {
        const int64_t label = zf_data_label(data, ranks[i].sample);
        struct zf_unit_class *class;

        if (label < 0 || label >= classes)
            continue;
        class = &unit->classes[label];
        class->pictures++;
        class->mean += (double)ranks[i].value;
        class->active += ranks[i].value > 0.0f;
        class->strongest += i < ZF_UNIT_SHOWN;
    }
    for (int64_t k = 0; k < classes; k++) {
        if (unit->classes[k].pictures > 0) {
            unit->classes[k].mean /= (double)unit->classes[k].pictures;
            unit->classes[unit->class_count++] = unit->classes[k];
        }
    }
    qsort(unit->classes, unit->class_count, sizeof *unit->classes, by_mean);
    return ZF_OK;
}

/* ---- The pictures that are shown. ---- */

static void choose(const struct survey *survey, const struct rank *ranks, int64_t first,
                   int64_t count, struct zf_unit_pictures *group)
{
    group->count = (size_t)count;
    for (int64_t i = 0; i < count; i++) {
        const struct rank *rank = &ranks[first + i];
        const int32_t place = survey->places[rank->sample];
        struct zf_top_entry *entry = &group->entries[i];

        *entry = (struct zf_top_entry){.sample = rank->sample,
                                       .activation = rank->value,
                                       .y = place / survey->shape.w,
                                       .x = place % survey->shape.w};
        entry->patch = zf_net_patch(survey->net, survey->unit->layer, entry->y, entry->x);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* No picture is in two groups. The middle is of the pictures where it is above zero, where there
   are more of them than the strongest: of a unit that is zero in most pictures, the median shows
   nothing. */
static void choose_groups(const struct survey *survey, const struct rank *ranks)
{
    struct zf_unit *unit = survey->unit;
    const int64_t all = unit->images, strongest = least(ZF_UNIT_SHOWN, all);
    const int64_t weakest = least(ZF_UNIT_SHOWN, all - strongest);
    const int64_t end = all - weakest;
    const int64_t between = (unit->active > strongest ? least(unit->active, end) : end) - strongest;
    const int64_t middle = least(ZF_UNIT_SHOWN, between);

    choose(survey, ranks, 0, strongest, &unit->groups[ZF_UNIT_STRONGEST]);
    choose(survey, ranks, strongest + (between - middle) / 2, middle,
           &unit->groups[ZF_UNIT_MIDDLE]);
    choose(survey, ranks, end, weakest, &unit->groups[ZF_UNIT_WEAKEST]);
}

static enum zf_status load_group(const struct zf_net *net, const struct zf_data *data,
                                 const struct zf_unit_options *options,
                                 struct zf_unit_pictures *group, struct zf_error *err)
{
    int64_t samples[ZF_UNIT_SHOWN];

    for (size_t i = 0; i < group->count; i++)
        samples[i] = group->entries[i].sample;
    return group->count == 0 ? ZF_OK
                             : zf_album_load(&group->album, net, data, samples, group->count,
                                             options->compute.threads, err);
}

/* One picture at a time: a projecting plan keeps all activations of its batch. */
static enum zf_status project_group(const struct survey *survey, struct zf_plan *plan,
                                    struct zf_unit_pictures *group, struct zf_error *err)
{
    const struct zf_shape in = zf_net_input(survey->net);
    const int64_t each = in.c * in.h * in.w;

    if (group->count == 0)
        return ZF_OK;
    ZF_CHECK(zf_tensor_init(&group->projections, (int64_t)group->count, in.c, in.h, in.w, err));
    for (size_t i = 0; i < group->count; i++) {
        const struct zf_top_entry *entry = &group->entries[i];
        const struct zf_place place = {0, survey->unit->map, entry->y, entry->x};
        const struct zf_tensor input =
            zf_tensor_view(group->album.inputs.data + (int64_t)i * each, 1, in.c, in.h, in.w);
        struct zf_tensor pixels =
            zf_tensor_view(group->projections.data + (int64_t)i * each, 1, in.c, in.h, in.w);

        zf_plan_forward(plan, &input);
        zf_plan_project_each(plan, survey->unit->layer, &place, NULL, &pixels);
    }
    return ZF_OK;
}

static enum zf_status project_groups(const struct survey *survey,
                                     const struct zf_unit_options *options, struct zf_error *err)
{
    struct zf_unit *unit = survey->unit;
    struct zf_plan *plan = NULL;
    enum zf_status status;

    ZF_TRY(
        zf_plan_create(survey->net,
                       &(struct zf_plan_options){.compute = zf_compute_batch(options->compute, 1),
                                                 .purpose = ZF_PROJECT,
                                                 .rule = options->rule,
                                                 .each = true,
                                                 .taps = &unit->layer,
                                                 .tap_count = 1,
                                                 .taps_only = true},
                       &plan, err));
    ZF_TRY(project_group(survey, plan, &unit->groups[ZF_UNIT_STRONGEST], err));
    ZF_TRY(project_group(survey, plan, &unit->groups[ZF_UNIT_MIDDLE], err));
fail:
    zf_plan_free(&plan);
    return status;
}

static enum zf_status measure_dependence(const struct survey *survey,
                                         const struct zf_unit_options *options,
                                         struct zf_error *err)
{
    const struct zf_unit_pictures *group = &survey->unit->groups[ZF_UNIT_STRONGEST];
    const struct zf_shape in = zf_net_input(survey->net);
    double sum = 0.0;
    int counted = 0;

    for (size_t i = 0; i < group->count && i < TRIED; i++) {
        const struct zf_top_entry *entry = &group->entries[i];
        const struct zf_tensor input = zf_tensor_view(
            group->album.inputs.data + (int64_t)i * in.c * in.h * in.w, 1, in.c, in.h, in.w);
        const struct zf_activation chosen = {.layer = survey->unit->layer,
                                             .map = survey->unit->map,
                                             .y = entry->y,
                                             .x = entry->x,
                                             .value = entry->activation,
                                             .patch = entry->patch};
        struct zf_dependence dependence;

        ZF_CHECK(zf_project_dependence(survey->net, &input, options->rule, &options->compute,
                                       &chosen, &dependence, err));
        if (!isnan(dependence.value)) {
            sum += dependence.value;
            counted++;
        }
    }
    survey->unit->dependence = counted > 0 ? sum / counted : NAN;
    return ZF_OK;
}

/* ---- All of it. ---- */

static enum zf_status check(const struct zf_net *net, const struct zf_unit_options *options,
                            struct zf_error *err)
{
    const struct zf_activation wanted = {
        .layer = options->layer, .map = options->map, .y = -1, .x = -1};

    ZF_CHECK(zf_activation_check(net, &wanted, err));
    if (options->map < 0)
        return zf_fail(err, ZF_EINVAL, "map %" PRId64 "; maps count from 0", options->map);
    return zf_input_takes_pictures(net, err);
}

static enum zf_status measure(struct survey *survey, const struct zf_data *data,
                              const struct zf_unit_options *options,
                              const struct zf_monitor *monitor, struct zf_error *err)
{
    struct rank *ranks = NULL;
    enum zf_status status;

    ZF_TRY(look_through(survey, data, options, monitor, err));
    ZF_TRY(rank_pictures(survey->unit, zf_data_count(data), &ranks, err));
    summarise(survey->unit, ranks);
    ZF_TRY(count_classes(data, ranks, survey->unit, err));
    choose_groups(survey, ranks);
    for (int g = 0; g < ZF_UNIT_GROUPS; g++)
        ZF_TRY(load_group(survey->net, data, options, &survey->unit->groups[g], err));
    ZF_TRY(project_groups(survey, options, err));
    ZF_TRY(measure_dependence(survey, options, err));
    ZF_TRY(zf_unit_wire(survey->net, options, survey->unit, monitor, err));
fail:
    zf_free(ranks);
    return status;
}

enum zf_status zf_unit_measure(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_unit_options *options, struct zf_unit **out,
                               const struct zf_monitor *monitor, struct zf_error *err)
{
    struct survey survey = {.net = net};
    struct zf_unit *unit = NULL;
    enum zf_status status;

    ZF_TRY(check(net, options, err));
    survey.shape = zf_net_layer(net, options->layer).shape;
    survey.maps = survey.shape.c;
    survey.unit = unit = zf_alloc(1, sizeof *unit);
    survey.places = zf_alloc((size_t)zf_data_count(data), sizeof *survey.places);
    if (unit)
        unit->values = zf_alloc((size_t)zf_data_count(data), sizeof *unit->values);
    if (!unit || !unit->values || !survey.places)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " pictures", zf_data_count(data)));
    unit->layer = options->layer;
    unit->map = options->map;
    ZF_TRY(measure(&survey, data, options, monitor, err));
    *out = unit;
    unit = NULL;
fail:
    zf_unit_free(&unit);
    zf_free(survey.strongest);
    zf_free(survey.where);
    zf_free(survey.places);
    return status;
}

enum zf_status zf_unit_connect(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_unit_options *options,
                               const struct zf_top_entry *entries, size_t count,
                               struct zf_unit **out, const struct zf_monitor *monitor,
                               struct zf_error *err)
{
    struct zf_unit_pictures *strongest;
    struct zf_unit *unit = NULL;
    enum zf_status status;

    ZF_TRY(check(net, options, err));
    if (count < 1 || count > ZF_UNIT_SHOWN)
        ZF_LEAVE(zf_fail(err, ZF_EINVAL, "%zu pictures of a unit are not 1 to %d", count,
                         ZF_UNIT_SHOWN));
    unit = zf_alloc(1, sizeof *unit);
    if (!unit)
        ZF_LEAVE(zf_no_memory(err, "a unit"));
    unit->layer = options->layer;
    unit->map = options->map;
    strongest = &unit->groups[ZF_UNIT_STRONGEST];
    memcpy(strongest->entries, entries, count * sizeof *entries);
    strongest->count = count;
    ZF_TRY(load_group(net, data, options, strongest, err));
    ZF_TRY(zf_unit_wire(net, options, unit, monitor, err));
    *out = unit;
    unit = NULL;
fail:
    zf_unit_free(&unit);
    return status;
}

void zf_unit_free(struct zf_unit **unit)
{
    struct zf_unit *u = unit ? *unit : NULL;

    if (!u)
        return;
    for (int g = 0; g < ZF_UNIT_GROUPS; g++) {
        zf_album_release(&u->groups[g].album);
        zf_tensor_release(&u->groups[g].projections);
    }
    zf_free(u->values);
    zf_free(u->classes);
    zf_free(u->votes);
    zf_free(u);
    *unit = NULL;
}
