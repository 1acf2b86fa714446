/* SPDX-License-Identifier: MIT */
/*
 * Whether hiding the same part of different pictures changes their features alike. (Paper:
 * section 4.3, table 1.) With eps_i = x_i - x~_i, the change of the features of picture i,
 *
 *     Delta = mean over pairs i < j of  Hamming(sign eps_i, sign eps_j) / features.
 *
 * Where the paper is silent: squares keep their size by moving back into the input at its border;
 * random places are uniform over the marks and a square around them, but cover the middle of no
 * marked part; deviations are over pairs; and layers are taken before their rectifier. Behind it, a
 * feature that is off with and without the square has not changed, so that Delta says above all how
 * many features change: many on an object, few beside it.
 *
 * A sign makes a whole feature of the last digit of a float, so the net always runs exactly:
 * algorithms that trade digits round in another way for another batch or number of threads, and
 * Delta would be off by 1e-4.
 *
 * How the runs lie: of each picture the parts, then its random places, are `per_picture` vectors in
 * a row.
 */
#include "experiments/correspond/correspond.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "experiments/correspond/squares.h"
#include "image/array.h"
#include "look/choose.h"
#include "look/cover.h"

#define ROUNDING 1e-6f /* of a layer's largest activation: see zf_correspond_run() */

struct hiding {
    const struct zf_net *net;
    const struct zf_parts *parts;
    const struct zf_monitor *monitor;
    struct zf_correspondence *result;
    size_t per_picture; /* vectors */
    struct zf_cover cover;
    struct zf_tensor input;   /* [1, c, h, w] of the picture at hand */
    struct zf_box *boxes;     /* [1 + per_picture]: nothing hidden, parts, random places */
    struct zf_tensor *values; /* [layers]: [batch, shape] */
    float **base;             /* [layers]: features with nothing hidden */
    struct zf_signs *signs;   /* [layers] */
    double **changes;         /* [layers]: [pictures * per_picture] of length, as shares of it */
};

static void run_release(struct hiding *run)
{
    const size_t layers = run->result ? run->result->layer_count : 0;

    zf_cover_release(&run->cover);
    zf_tensor_release(&run->input);
    zf_free(run->boxes);
    for (size_t l = 0; l < layers; l++) {
        if (run->values)
            zf_tensor_release(&run->values[l]);
        if (run->base)
            zf_free(run->base[l]);
        if (run->signs)
            zf_signs_release(&run->signs[l]);
        if (run->changes)
            zf_free(run->changes[l]);
    }
    zf_free(run->values);
    zf_free(run->base);
    zf_free(run->signs);
    zf_free(run->changes);
}

/* ---- What is asked. ---- */

static enum zf_status check(const struct zf_net *net, const struct zf_correspond_options *options,
                            struct zf_correspondence *result, struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);

    result->input = input;
    result->seed = options->seed;
    result->repeats = options->repeats ? options->repeats : ZF_CORRESPOND_DEFAULT_REPEATS;
    result->permutations =
        options->permutations ? options->permutations : ZF_CORRESPOND_DEFAULT_PERMUTATIONS;
    ZF_CHECK(zf_choose_square(net, options->size, &result->size, err));
    if (result->repeats < 2 || result->repeats > ZF_CORRESPOND_MAX_REPEATS)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " random places are not in 2 .. %d",
                       result->repeats, ZF_CORRESPOND_MAX_REPEATS);
    if (result->permutations < 1 || result->permutations > ZF_CORRESPOND_MAX_PERMUTATIONS)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " permutations are not in 1 .. %d",
                       result->permutations, ZF_CORRESPOND_MAX_PERMUTATIONS);
    return ZF_OK;
}

static enum zf_status result_init(struct zf_correspondence *result, const struct zf_net *net,
                                  const struct zf_parts *parts,
                                  const struct zf_correspond_options *options, struct zf_error *err)
{
    const size_t layers = options->layers ? options->layer_count : 2;
    const size_t pictures = parts->picture_count, count = parts->part_count;

    result->layers = zf_alloc(layers, sizeof *result->layers);
    result->pictures_with = zf_alloc(count, sizeof *result->pictures_with);
    result->parts = zf_alloc(layers * count, sizeof *result->parts);
    result->random = zf_alloc(layers, sizeof *result->random);
    result->all = zf_alloc(layers, sizeof *result->all);
    result->boxes = zf_alloc(pictures * count, sizeof *result->boxes);
    result->shown = zf_alloc(pictures, sizeof *result->shown);
    if (!result->layers || !result->pictures_with || !result->parts || !result->random ||
        !result->all || !result->boxes || !result->shown)
        return zf_no_memory(err, "%zu pictures", pictures);
    result->layer_count = layers;
    result->part_count = count;
    result->picture_count = pictures;
    if (!options->layers) {
        ZF_CHECK(zf_choose_last_conv(net, false, &result->layers[0], err));
        ZF_CHECK(zf_choose_last_hidden(net, false, &result->layers[1], err));
    }
    for (size_t l = 0; options->layers && l < layers; l++)
        result->layers[l] = options->layers[l];
    ZF_CHECK(zf_check_layers(net, result->layers, layers, err));
    return ZF_OK;
}

static enum zf_status run_init(struct hiding *run, const struct zf_compute *compute,
                               struct zf_error *err)
{
    const struct zf_correspondence *result = run->result;
    const struct zf_shape in = result->input;
    const size_t layers = result->layer_count;
    struct zf_compute exactly = *compute;

    exactly.exact = true;
    run->per_picture = result->part_count + (size_t)result->repeats;
    ZF_CHECK(zf_cover_init(&run->cover, run->net,
                           &(struct zf_cover_options){.taps = result->layers,
                                                      .tap_count = layers,
                                                      .taps_only = true,
                                                      .most = 1 + (int64_t)run->per_picture,
                                                      .box = result->size,
                                                      .compute = exactly},
                           err));
    ZF_CHECK(zf_tensor_init(&run->input, 1, in.c, in.h, in.w, err));
    run->boxes = zf_alloc(1 + run->per_picture, sizeof *run->boxes);
    run->values = zf_alloc(layers, sizeof *run->values);
    run->base = zf_alloc(layers, sizeof *run->base);
    run->signs = zf_alloc(layers, sizeof *run->signs);
    run->changes = zf_alloc(layers, sizeof *run->changes);
    if (!run->boxes || !run->values || !run->base || !run->signs || !run->changes)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    for (size_t l = 0; l < layers; l++) {
        const struct zf_shape shape = zf_net_layer(run->net, result->layers[l]).shape;
        const int64_t each = shape.c * shape.h * shape.w;

        ZF_CHECK(zf_tensor_init(&run->values[l], run->cover.batch, shape.c, shape.h, shape.w, err));
        ZF_CHECK(
            zf_signs_init(&run->signs[l], result->picture_count * run->per_picture, each, err));
        run->base[l] = zf_alloc((size_t)each, sizeof(float));
        run->changes[l] =
            zf_alloc(result->picture_count * run->per_picture, sizeof *run->changes[l]);
        if (!run->base[l] || !run->changes[l])
            return zf_no_memory(err, "%" PRId64 " features", each);
    }
    return ZF_OK;
}

/* ---- Features. ---- */

/* The picture of a file; or none, *is_input being true, of an array that is an input. */
static enum zf_status open_file(const struct hiding *run, const char *path,
                                struct zf_picture *picture, struct zf_box *original, bool *is_input,
                                struct zf_error *err)
{
    const struct zf_preparation *how = zf_net_preparation(run->net);
    const struct zf_shape in = run->result->input;
    bool levels;

    *is_input = false;
    if (!zf_is_array(path)) {
        ZF_CHECK(zf_input_takes_pictures(run->net, err));
        return zf_picture_load(path, how->size > how->width ? how->size : how->width, NULL, picture,
                               original, err);
    }
    ZF_CHECK(zf_array_open(path, &levels, picture, err));
    *is_input = !levels || !zf_are_colours(in.c);
    *original = *is_input ? (struct zf_box){0, 0, in.w, in.h}
                          : (struct zf_box){0, 0, picture->width, picture->height};
    return ZF_OK;
}

/* Fill in run->input, and how a person sees it. */
static enum zf_status prepare(struct hiding *run, const struct zf_picture *picture,
                              struct zf_picture *shown, struct zf_error *err)
{
    const struct zf_preparation *how = zf_net_preparation(run->net);
    const struct zf_shape in = run->result->input;
    struct zf_picture square = {0};
    enum zf_status status;

    ZF_TRY(zf_picture_square(picture, zf_geometry_of(how, in), &square, err));
    zf_picture_prepare(&square, how, in, zf_view_centre(how, in), run->input.data);
    ZF_TRY(zf_picture_from_input(run->input.data, in, how, shown, err));
fail:
    zf_picture_release(&square);
    return status;
}

static enum zf_status take_input(struct hiding *run, const char *path, struct zf_picture *shown,
                                 struct zf_error *err)
{
    struct zf_tensor input = {0};
    enum zf_status status;

    ZF_TRY(zf_input_load(path, run->net, &input, NULL, err));
    if (input.n != 1)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT, "%s holds %" PRId64 " inputs; parts are marked in one",
                         path, input.n));
    memcpy(run->input.data, input.data, (size_t)zf_tensor_count(&input) * sizeof *input.data);
    ZF_TRY(zf_picture_from_input(run->input.data, run->result->input, zf_net_preparation(run->net),
                                 shown, err));
fail:
    zf_tensor_release(&input);
    return status;
}

/* The picture as input, as a person sees it, and its squares. */
static enum zf_status open_picture(struct hiding *run, size_t i, struct zf_error *err)
{
    const struct zf_parts *parts = run->parts;
    struct zf_hiding hiding = {.net = run->net,
                               .parts = parts,
                               .monitor = run->monitor,
                               .size = run->result->size,
                               .repeats = run->result->repeats,
                               .seed = run->result->seed};
    struct zf_box *boxes = run->result->boxes + i * parts->part_count, original;
    struct zf_picture picture = {0}, *shown = &run->result->shown[i];
    enum zf_status status;

    ZF_TRY(open_file(run, parts->pictures[i], &picture, &original, &hiding.prepared, err));
    if (hiding.prepared)
        ZF_TRY(take_input(run, parts->pictures[i], shown, err));
    else
        ZF_TRY(prepare(run, &picture, shown, err));
    for (size_t m = 0; m < parts->mark_count; m++) {
        const struct zf_part_mark *mark = &parts->marks[m];

        if (mark->picture == i)
            ZF_TRY(zf_square_of_mark(&hiding, mark, original, &boxes[mark->part], err));
    }
    run->boxes[0] = (struct zf_box){0};
    for (size_t p = 0; p < parts->part_count; p++) {
        run->boxes[1 + p] = boxes[p];
        run->result->pictures_with[p] += boxes[p].width > 0;
    }
    zf_squares_at_random(&hiding, i, boxes, run->boxes + 1 + parts->part_count);
fail:
    zf_picture_release(&picture);
    return status;
}

static float largest(const float *values, int64_t count)
{
    float most = 0.0f;

    for (int64_t i = 0; i < count; i++)
        most = fmaxf(most, fabsf(values[i]));
    return most;
}

/* |base - changed| / |base|. */
static double change(const float *base, const float *changed, int64_t count)
{
    double moved = 0.0, length = 0.0;

    for (int64_t i = 0; i < count; i++) {
        const double by = (double)base[i] - (double)changed[i];

        moved += by * by;
        length += (double)base[i] * (double)base[i];
    }
    return length > 0.0 ? sqrt(moved / length) : 0.0;
}

/* The last run was on boxes [first, first + count) of picture i: keep how features changed. */
static void keep_signs(struct hiding *run, size_t i, size_t first, size_t count)
{
    for (size_t l = 0; l < run->result->layer_count; l++) {
        struct zf_tensor values = run->values[l];
        const int64_t each = values.c * values.h * values.w;
        size_t from = 0;
        float least;

        values.n = (int64_t)count;
        zf_plan_read(run->cover.plan, run->result->layers[l], &values);
        if (first == 0) {
            memcpy(run->base[l], values.data, (size_t)each * sizeof(float));
            from = 1;
        }
        least = ROUNDING * largest(run->base[l], each);
        for (size_t b = from; b < count; b++) {
            const size_t vector = i * run->per_picture + first + b - 1;
            const float *changed = values.data + (int64_t)b * each;

            zf_signs_set(&run->signs[l], vector, run->base[l], changed, least);
            run->changes[l][vector] = change(run->base[l], changed, each);
        }
    }
}

static enum zf_status look_at_picture(struct hiding *run, size_t i, struct zf_error *err)
{
    const size_t boxes = 1 + run->per_picture, batch = (size_t)run->cover.batch;
    const int64_t total = (int64_t)(run->parts->picture_count * boxes);

    ZF_CHECK(open_picture(run, i, err));
    zf_cover_picture(&run->cover, run->input.data);
    for (size_t first = 0; first < boxes; first += batch) {
        const size_t count = boxes - first < batch ? boxes - first : batch;
        const int64_t done = (int64_t)(i * boxes + first + count);

        ZF_CHECK(zf_cover_run(&run->cover, run->boxes + first, (int64_t)count, err));
        keep_signs(run, i, first, count);
        if (!zf_monitor_progress(run->monitor, "hiding", done, total))
            return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " squares",
                           done, total);
    }
    return ZF_OK;
}

static enum zf_status check_parts(const struct hiding *run, struct zf_error *err)
{
    for (size_t p = 0; p < run->parts->part_count; p++) {
        if (run->result->pictures_with[p] < 2)
            return zf_fail(err, ZF_EINPUT,
                           "%s: %s shows in %zu picture%s, and at least two are "
                           "compared",
                           run->parts->name, run->parts->parts[p], run->result->pictures_with[p],
                           run->result->pictures_with[p] == 1 ? "" : "s");
    }
    return ZF_OK;
}

/* ---- Numbers. ---- */

static enum zf_status compare(struct hiding *run, size_t l, struct zf_error *err)
{
    struct zf_correspondence *result = run->result;
    const size_t parts = result->part_count;
    const int64_t tests = (int64_t)(result->layer_count * (parts + 1));
    struct zf_trial trial = {.pictures = result->picture_count,
                             .parts = parts,
                             .per_picture = run->per_picture,
                             .boxes = result->boxes,
                             .changes = run->changes[l]};
    struct zf_consistency *all = &result->all[l];
    enum zf_status status;

    ZF_TRY(zf_trial_measure(&trial, &run->signs[l], err));
    result->random[l] = zf_consistency_of_random(&trial);
    for (size_t p = 0; p <= parts; p++) {
        const bool one = p < parts;
        struct zf_consistency *it = one ? &result->parts[l * parts + p] : all;

        if (one) {
            *it = zf_consistency_of_part(&trial, p);
            all->mean += it->mean / (double)parts;
        }
        ZF_TRY(zf_consistency_test(&trial, one ? p : 0, one ? 1 : parts, result->permutations,
                                   zf_random_stream(result->seed, ZF_RANDOM_PERMUTE, l, p), it,
                                   err));
        if (!zf_monitor_progress(run->monitor, "comparing", (int64_t)(l * (parts + 1) + p) + 1,
                                 tests))
            ZF_LEAVE(zf_fail(err, ZF_ECANCELED, "stopped while comparing"));
    }
fail:
    zf_trial_release(&trial);
    return status;
}

/* Of parts that no p could tell from chance: the same in all layers. */
static void warn(const struct hiding *run)
{
    const struct zf_consistency *parts = run->result->parts;
    size_t hopeless = 0, worst = 0;

    for (size_t p = 0; p < run->result->part_count; p++) {
        hopeless += parts[p].least_p >= ZF_SIGNIFICANT;
        worst = parts[p].least_p > parts[worst].least_p ? p : worst;
    }
    if (hopeless > 0)
        zf_monitor_message(
            run->monitor,
            "%zu of %zu parts cannot have p below %g, however alike the pictures are "
            "(%s: %.2g at least): take more pictures, random places or permutations",
            hopeless, run->result->part_count, ZF_SIGNIFICANT, run->parts->parts[worst],
            parts[worst].least_p);
}

enum zf_status zf_correspond_run(const struct zf_net *net, const struct zf_parts *parts,
                                 const struct zf_correspond_options *options,
                                 struct zf_correspondence **out, const struct zf_monitor *monitor,
                                 struct zf_error *err)
{
    struct zf_correspondence *result = zf_alloc(1, sizeof *result);
    struct hiding run = {.net = net, .parts = parts, .monitor = monitor, .result = result};
    enum zf_status status;

    if (!result)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    ZF_TRY(check(net, options, result, err));
    ZF_TRY(result_init(result, net, parts, options, err));
    ZF_TRY(run_init(&run, &options->compute, err));
    for (size_t i = 0; i < parts->picture_count; i++)
        ZF_TRY(look_at_picture(&run, i, err));
    ZF_TRY(check_parts(&run, err));
    for (size_t l = 0; l < result->layer_count; l++)
        ZF_TRY(compare(&run, l, err));
    warn(&run);
    *out = result;
    result = NULL;
fail:
    run_release(&run);
    zf_correspond_free(&result);
    return status;
}

void zf_correspond_free(struct zf_correspondence **result)
{
    if (!result || !*result)
        return;
    for (size_t i = 0; i < (*result)->picture_count; i++)
        zf_picture_release(&(*result)->shown[i]);
    zf_free((*result)->layers);
    zf_free((*result)->pictures_with);
    zf_free((*result)->parts);
    zf_free((*result)->random);
    zf_free((*result)->all);
    zf_free((*result)->boxes);
    zf_free((*result)->shown);
    zf_free(*result);
    *result = NULL;
}
