/* SPDX-License-Identifier: MIT */
#include "recipes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preparation.h"

#define SAMPLE 200 /* pictures: a share of right answers to within about 0.03 */

static bool is_better(const struct zf_eval_result *a, const struct zf_eval_result *b)
{
    return a->top1_error < b->top1_error ||
           (!(b->top1_error < a->top1_error) && a->top5_error < b->top5_error);
}

/* Evenly over the data set, whose samples are ordered by class. A new one each time, because it is
   matched to the net. */
static enum zf_status evaluate(const struct zf_net *net, const struct zf_data *data,
                               const struct zf_eval_options *options, struct zf_eval_result *result,
                               int64_t *images, const struct zf_monitor *monitor,
                               struct zf_error *err)
{
    const int64_t all = zf_data_count(data), count = all < SAMPLE ? all : SAMPLE;
    struct zf_data *sample = NULL;
    int64_t samples[SAMPLE];
    enum zf_status status;

    for (int64_t i = 0; i < count; i++)
        samples[i] = i * all / count;
    status = zf_data_subset(data, samples, count, &sample, err);
    if (status == ZF_OK)
        status = zf_eval_run(&net, 1, sample, options, result, NULL, images, monitor, err);
    zf_data_free(&sample);
    return status;
}

/* What --resize would take for it. */
static void name_resize(const struct zf_preparation *preparation, char *text, size_t size)
{
    static const char *const names[] = {
        [ZF_RESIZE_SHORT] = "short", [ZF_RESIZE_WARP] = "warp", [ZF_RESIZE_FIT] = "fit"};

    if (preparation->width && preparation->width != preparation->size)
        snprintf(text, size, "warp:%" PRId64 "x%" PRId64, preparation->size, preparation->width);
    else
        snprintf(text, size, "%s:%" PRId64, names[preparation->resize], preparation->size);
}

/* The values of recipe i as the model resizes, or those of the best so far by a warp. False where a
   mean for each pixel does not fit that. */
static bool choose(int i, const struct zf_preparation *before, const struct zf_preparation *best,
                   struct zf_shape input, struct zf_preparation *out)
{
    *out = i < RECIPE_VALUES ? *before : *best;
    if (i < RECIPE_VALUES)
        return true;
    out->resize = ZF_RESIZE_WARP;
    out->size = i == RECIPE_VALUES ? input.h : before->size;
    out->width = i == RECIPE_VALUES ? input.w : before->width;
    return !out->mean_image ||
           (out->size == before->size && (!out->width || out->width == out->size));
}

enum zf_status recipes_try(const struct call *call, struct zf_net *net, const struct zf_data *data,
                           const struct zf_eval_options *options, struct recipes *found,
                           struct zf_error *err)
{
    const struct zf_shape input = zf_net_input(net);
    const struct zf_preparation *now = zf_net_preparation(net);
    struct zf_preparation before = *now, best = *now;
    float *mean_image = NULL;
    enum zf_status status = ZF_OK;

    if (input.c != 3)
        return zf_fail(err, ZF_EINPUT,
                       "%s takes %" PRId64 " channels; --prepare auto knows recipes of colour "
                       "pictures",
                       zf_net_name(net), input.c);
    if (before.mean_image) { /* the net's own goes when another preparation comes */
        const size_t bytes = 3 * sizeof *mean_image * (size_t)(before.size * before.size);

        mean_image = malloc(bytes);
        if (!mean_image)
            return zf_fail(err, ZF_ENOMEM, "out of memory");
        memcpy(mean_image, before.mean_image, bytes);
        before.mean_image = best.mean_image = mean_image;
    }
    found->count = found->best = 0;
    for (int i = 0; i < RECIPE_TRIALS && status == ZF_OK; i++) {
        struct recipe_trial *trial = &found->trials[found->count];
        struct zf_preparation tried;

        if (!choose(i, &before, &best, input, &tried))
            continue;
        trial->prepare =
            i < RECIPE_VALUES ? preparation_preset(i, &tried) : found->trials[found->best].prepare;
        name_resize(&tried, trial->resize, sizeof trial->resize);
        status = zf_net_set_preparation(net, &tried, err);
        if (status == ZF_OK)
            status =
                evaluate(net, data, options, &trial->result, &found->images, call->monitor, err);
        if (status == ZF_OK && is_better(&trial->result, &found->trials[found->best].result)) {
            found->best = found->count;
            best = tried;
        }
        found->count++;
    }
    if (status == ZF_OK)
        status = zf_net_set_preparation(net, &best, err);
    free(mean_image);
    return status;
}
