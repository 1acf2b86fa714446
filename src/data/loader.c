/* SPDX-License-Identifier: MIT */
/*
 * Every slot of a batch is a pure function of (seed, epoch, sample), worked out by whichever thread
 * is free; the pipeline puts them in order. A pass is a row of visits to samples; visit v lies in
 * batch v / per_batch and in ring slot v % (RING * per_batch), so that a batch is contiguous.
 */
#include "data/data.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "data/augment.h"
#include "data/pipeline.h"

#define RING 3 /* batches in memory: one lent to the caller, two ahead */
#define KEPT_REASONS 100
#define TEN 10

/* How the work on one visit ended. */
struct visit {
    enum zf_status status;
    char *reason; /* NULL unless it failed */
};

/* A worker's own room. */
struct scratch {
    struct zf_picture square, resized;
};

struct zf_loader {
    const struct zf_data *data;
    const struct zf_net *net;
    const struct zf_preparation *preparation;
    struct zf_shape shape;
    struct zf_loader_options options;
    int64_t views;     /* inputs a sample */
    int64_t per_batch; /* samples a batch */
    int64_t listed;    /* samples in the order */
    int64_t visits;    /* of a pass: less than `listed` where a last batch is left out */
    int64_t batches;

    struct zf_pipeline *pipeline;
    struct scratch *scratch; /* [threads] */
    int64_t *order;          /* [listed]; NULL = as listed. Written only while no pass runs */
    int64_t epoch;
    float *inputs;      /* [RING][batch][c][h][w] */
    struct visit *ring; /* [RING * per_batch] */
    int32_t *labels;    /* [batch] of the batch lent */
    int64_t *samples;   /* [batch] likewise */

    int64_t next; /* batch to hand out */
    int64_t good; /* samples handed out in this pass */
    int64_t from; /* first batch of this pass */
    bool between_passes;
    struct zf_error failed; /* the first failure is also every later one */

    uint8_t *is_bad; /* [data->count] */
    int64_t skipped;
    char *reasons[KEPT_REASONS];
};

static struct zf_view view_of(const struct zf_loader *loader, int64_t sample, int64_t v,
                              struct scratch *scratch, const struct zf_picture **source)
{
    const struct zf_loader_options *options = &loader->options;

    *source = &scratch->square;
    if (options->views == ZF_VIEWS_TEN)
        return zf_view_ten(loader->preparation, loader->shape, (int)v);
    if (options->views == ZF_VIEWS_RANDOM) {
        struct zf_random random = zf_random_stream(options->seed, ZF_RANDOM_AUGMENT,
                                                   (uint64_t)loader->epoch, (uint64_t)sample);
        if (options->min_scale <= 0 || options->min_scale >= 1)
            return zf_augment_crop(&random, loader->preparation, loader->shape);
        *source = &scratch->resized;
        return zf_augment_window(&random, loader->preparation, loader->shape, options->min_scale,
                                 &scratch->square, &scratch->resized);
    }
    return zf_view_centre(loader->preparation, loader->shape);
}

static int64_t sample_at(const struct zf_loader *loader, int64_t visit)
{
    const struct zf_loader_options *options = &loader->options;

    if (options->of > 0)
        visit = visit / options->share * options->of + options->from + visit % options->share;
    if (loader->order)
        return loader->order[visit];
    return options->samples ? options->samples[visit] : visit;
}

/* A file that holds the net's input itself goes in as it is, whatever views are asked for but ten.
 */
static enum zf_status take_input(const struct zf_loader *loader, int64_t sample, float *dst,
                                 struct zf_error *err)
{
    const char *path = zf_data_path(loader->data, sample);
    struct zf_tensor input = {0};
    enum zf_status status;

    if (loader->views > 1)
        return zf_fail(err, ZF_EINPUT, "%s: a net's input as it is has one view, not ten", path);
    ZF_CHECK(zf_input_load(path, loader->net, &input, NULL, err));
    if (input.n == 1) {
        memcpy(dst, input.data, (size_t)zf_tensor_count(&input) * sizeof *dst);
        status = ZF_OK;
    } else {
        status =
            zf_fail(err, ZF_EINPUT, "%s: holds %" PRId64 " inputs, a sample is one", path, input.n);
    }
    zf_tensor_release(&input);
    return status;
}

/* The views of a picture. */
static enum zf_status take_views(struct zf_loader *loader, struct scratch *scratch, int64_t sample,
                                 float *dst, struct zf_error *err)
{
    const int64_t values = loader->shape.c * loader->shape.h * loader->shape.w;
    const struct zf_geometry geometry = zf_geometry_of(loader->preparation, loader->shape);

    ZF_CHECK(zf_input_takes_pictures(loader->net, err));
    ZF_CHECK(zf_data_pixels(loader->data, sample, geometry, scratch->square.pixels, NULL, err));
    for (int64_t v = 0; v < loader->views; v++) {
        const struct zf_picture *source;
        const struct zf_view view = view_of(loader, sample, v, scratch, &source);

        zf_picture_prepare(source, loader->preparation, loader->shape, view, dst + v * values);
    }
    return ZF_OK;
}

static void work(void *user, int worker, int64_t ticket, int64_t slot)
{
    struct zf_loader *loader = user;
    struct visit *visit = &loader->ring[slot];
    const int64_t values = loader->shape.c * loader->shape.h * loader->shape.w;
    const int64_t sample = sample_at(loader, ticket);
    float *dst = loader->inputs + slot * loader->views * values;
    struct zf_error error = {0};
    bool input = false;

    zf_free(visit->reason);
    visit->reason = NULL;
    visit->status = zf_data_is_input(loader->data, sample, loader->net, &input, &error);
    if (visit->status == ZF_OK)
        visit->status = input ? take_input(loader, sample, dst, &error)
                              : take_views(loader, &loader->scratch[worker], sample, dst, &error);
    if (visit->status != ZF_OK)
        visit->reason = zf_strdup(error.message);
}

/* Fisher and Yates, always from the order of the data set: no epoch depends on one before it. */
static void shuffle(struct zf_loader *loader)
{
    const int64_t *samples = loader->options.samples;
    struct zf_random random =
        zf_random_stream(loader->options.seed, ZF_RANDOM_ORDER, (uint64_t)loader->epoch, 0);

    for (int64_t i = 0; i < loader->listed; i++)
        loader->order[i] = samples ? samples[i] : i;
    for (int64_t i = loader->listed - 1; i > 0; i--) {
        const int64_t j = (int64_t)zf_random_below(&random, (uint64_t)(i + 1));
        const int64_t swapped = loader->order[i];

        loader->order[i] = loader->order[j];
        loader->order[j] = swapped;
    }
}

static void begin_pass(struct zf_loader *loader, int64_t first_batch)
{
    const int64_t first = first_batch * loader->per_batch;

    if (loader->order)
        shuffle(loader);
    loader->next = loader->from = first_batch;
    loader->good = 0;
    loader->between_passes = false;
    if (first < loader->visits)
        zf_pipeline_start(loader->pipeline, first, loader->visits - first);
}

static enum zf_status check_options(const struct zf_data *data, const struct zf_loader_options *o,
                                    struct zf_error *err)
{
    if (o->batch < 1 || (o->views == ZF_VIEWS_TEN && o->batch % TEN != 0))
        return zf_fail(err, ZF_EINVAL, "a batch of %" PRId64 " inputs: it must be %s", o->batch,
                       o->views == ZF_VIEWS_TEN ? "a multiple of 10 for ten views" : "1 or more");
    if (o->samples && o->sample_count < 1)
        return zf_fail(err, ZF_EINVAL, "an empty list of samples of %s", data->name);
    if (o->of < 0 || (o->of > 0 && (o->share < o->batch || o->share % o->batch != 0 ||
                                    !o->drop_last || o->from < 0 || o->from > o->of - o->share)))
        return zf_fail(err, ZF_EINVAL,
                       "%" PRId64 " of every %" PRId64 " visits from %" PRId64
                       " on, which are not whole batches of %" PRId64,
                       o->share, o->of, o->from, o->batch);
    for (int64_t i = 0; o->samples && i < o->sample_count; i++) {
        if (o->samples[i] < 0 || o->samples[i] >= data->count)
            return zf_fail(err, ZF_EINVAL, "sample %" PRId64 " is not one of the %" PRId64 " of %s",
                           o->samples[i], data->count, data->name);
    }
    return ZF_OK;
}

static enum zf_status count_batches(struct zf_loader *loader, struct zf_error *err)
{
    const struct zf_loader_options *o = &loader->options;

    loader->views = o->views == ZF_VIEWS_TEN ? TEN : 1;
    loader->per_batch = o->batch / loader->views;
    loader->listed = o->samples ? o->sample_count : loader->data->count;
    loader->visits = o->of > 0 ? loader->listed / o->of * o->share : loader->listed;
    loader->batches = loader->visits / loader->per_batch;
    if (o->drop_last)
        loader->visits = loader->batches * loader->per_batch;
    else
        loader->batches += loader->visits % loader->per_batch != 0;
    if (loader->batches == 0)
        return zf_fail(err, ZF_EINVAL,
                       "the %" PRId64 " pictures of %s do not fill one batch of %" PRId64,
                       loader->listed, loader->data->name, o->batch);
    if (o->first_batch < 0 || o->first_batch > loader->batches)
        return zf_fail(err, ZF_EINVAL,
                       "batch %" PRId64 " is not one of the %" PRId64 " of a pass over %s",
                       o->first_batch, loader->batches, loader->data->name);
    return ZF_OK;
}

static enum zf_status allocate(struct zf_loader *loader, struct zf_error *err)
{
    const struct zf_shape s = loader->shape;
    const struct zf_geometry square = zf_geometry_of(loader->preparation, loader->shape);
    const int64_t batch = loader->options.batch;
    int64_t input, ring;
    bool complete;

    if (!zf_mul3(s.c, s.h, s.w, &input) || !zf_mul3(RING, batch, input, &ring))
        return zf_fail(err, ZF_EINVAL, "a batch of %" PRId64 " inputs is too large", batch);
    loader->inputs = zf_alloc_raw((size_t)ring, sizeof *loader->inputs);
    loader->ring = zf_alloc((size_t)(RING * loader->per_batch), sizeof *loader->ring);
    loader->labels = zf_alloc((size_t)batch, sizeof *loader->labels);
    loader->samples = zf_alloc((size_t)batch, sizeof *loader->samples);
    if (loader->options.shuffle)
        loader->order = zf_alloc_raw((size_t)loader->listed, sizeof *loader->order);
    loader->is_bad = zf_alloc((size_t)loader->data->count, 1);
    loader->scratch = zf_alloc((size_t)loader->options.threads, sizeof *loader->scratch);
    complete = loader->inputs && loader->ring && loader->labels && loader->samples &&
               (loader->order || !loader->options.shuffle) && loader->is_bad && loader->scratch;
    for (int k = 0; complete && k < loader->options.threads; k++) {
        struct scratch *scratch = &loader->scratch[k];

        ZF_CHECK(zf_picture_init(&scratch->square, square.width, square.height, err));
        ZF_CHECK(zf_picture_init(&scratch->resized, square.width, square.height, err));
    }
    if (!complete)
        return zf_fail(err, ZF_ENOMEM, "no memory for %d batches of %" PRId64 " inputs", RING,
                       batch);
    return ZF_OK;
}

enum zf_status zf_loader_create(const struct zf_data *data, const struct zf_net *net,
                                const struct zf_loader_options *options, struct zf_loader **out,
                                struct zf_error *err)
{
    enum zf_status status;
    const struct zf_preparation *preparation = zf_net_preparation(net);
    const struct zf_geometry geometry = zf_geometry_of(preparation, zf_net_input(net));
    struct zf_loader *loader = NULL;

    ZF_TRY(zf_data_suits(data, net, err));
    ZF_TRY(check_options(data, options, err));
    ZF_TRY(zf_data_accepts(data, geometry, err));
    if (options->threads < 1 || options->threads > ZF_PIPELINE_MAX_THREADS)
        return zf_fail(err, ZF_EINVAL, "%d loader threads are not within 1 and %d",
                       options->threads, ZF_PIPELINE_MAX_THREADS);
    loader = zf_alloc(1, sizeof *loader);
    if (!loader)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for a loader"));
    loader->data = data;
    loader->net = net;
    loader->preparation = preparation;
    loader->shape = zf_net_input(net);
    loader->options = *options;
    loader->epoch = options->epoch;
    ZF_TRY(count_batches(loader, err));
    ZF_TRY(allocate(loader, err));
    ZF_TRY(zf_pipeline_create(options->threads, RING * loader->per_batch, work, loader,
                              &loader->pipeline, err));
    zf_data_cache(data, geometry);
    begin_pass(loader, options->first_batch);
    *out = loader;
    loader = NULL;
fail:
    zf_loader_free(&loader);
    return status;
}

void zf_loader_free(struct zf_loader **loader)
{
    struct zf_loader *l = loader ? *loader : NULL;

    if (!l)
        return;
    zf_pipeline_free(&l->pipeline); /* first: its workers use all the rest */
    for (int k = 0; l->scratch && k < l->options.threads; k++) {
        zf_picture_release(&l->scratch[k].square);
        zf_picture_release(&l->scratch[k].resized);
    }
    for (int64_t k = 0; l->ring && k < RING * l->per_batch; k++)
        zf_free(l->ring[k].reason);
    for (int k = 0; k < KEPT_REASONS; k++)
        zf_free(l->reasons[k]);
    zf_free(l->scratch);
    zf_free(l->order);
    zf_free(l->inputs);
    zf_free(l->ring);
    zf_free(l->labels);
    zf_free(l->samples);
    zf_free(l->is_bad);
    zf_free(l);
    *loader = NULL;
}

int64_t zf_loader_batches(const struct zf_loader *loader)
{
    return loader->batches;
}

int64_t zf_loader_skipped(const struct zf_loader *loader)
{
    return loader->skipped;
}

const char *zf_loader_skipped_reason(const struct zf_loader *loader, int64_t i)
{
    const bool known = i >= 0 && i < loader->skipped && i < KEPT_REASONS;

    return known ? loader->reasons[i] : NULL;
}

/* The same bad sample in a later pass is not news. */
static enum zf_status skip(struct zf_loader *loader, int64_t sample, struct visit *visit,
                           struct zf_error *err)
{
    if (!visit->reason)
        return zf_fail(err, ZF_ENOMEM, "no memory to read %s", zf_data_path(loader->data, sample));
    if (loader->options.strict || !zf_data_is_bad_sample(visit->status))
        return zf_fail(err, visit->status, "%s", visit->reason);
    if (loader->is_bad[sample])
        return ZF_OK;
    loader->is_bad[sample] = 1;
    if (loader->skipped < KEPT_REASONS) {
        loader->reasons[loader->skipped] = visit->reason;
        visit->reason = NULL;
    }
    loader->skipped++;
    return ZF_OK;
}

/* Close the gaps that bad samples left, and say what lies where. */
static enum zf_status assemble(struct zf_loader *loader, int64_t first, int64_t visits,
                               struct zf_batch *batch, struct zf_error *err)
{
    const struct zf_shape s = loader->shape;
    const int64_t per_visit = loader->views * s.c * s.h * s.w;
    const int64_t slot = first % (RING * loader->per_batch), inputs = loader->options.batch;
    float *data = loader->inputs + slot * per_visit;
    int64_t kept = 0;

    for (int64_t v = 0; v < visits; v++) {
        const int64_t sample = sample_at(loader, first + v);
        if (loader->ring[slot + v].status != ZF_OK) {
            ZF_CHECK(skip(loader, sample, &loader->ring[slot + v], err));
            continue;
        }
        if (kept < v)
            memcpy(data + kept * per_visit, data + v * per_visit, (size_t)per_visit * sizeof *data);
        for (int64_t k = kept * loader->views; k < (kept + 1) * loader->views; k++) {
            loader->samples[k] = sample;
            loader->labels[k] = (int32_t)zf_data_label(loader->data, sample);
        }
        kept++;
    }
    loader->good += kept;
    memset(data + kept * per_visit, 0,
           (size_t)((loader->per_batch - kept) * per_visit) * sizeof *data);
    for (int64_t k = kept * loader->views; k < inputs; k++) {
        loader->samples[k] = -1;
        loader->labels[k] = -1;
    }
    batch->input = zf_tensor_view(data, inputs, s.c, s.h, s.w);
    batch->labels = loader->labels;
    batch->samples = loader->samples;
    batch->count = kept * loader->views;
    return ZF_OK;
}

enum zf_status zf_data_none_good(const struct zf_data *data, int64_t visits, const char *reason,
                                 struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT, "none of the %" PRId64 " pictures of %s can be read: %s", visits,
                   data->name, reason ? reason : "all are bad");
}

static enum zf_status end_pass(struct zf_loader *loader, struct zf_error *err)
{
    loader->between_passes = true;
    if (loader->good > 0 || loader->from == loader->batches || loader->options.of > 0 ||
        loader->options.part)
        return ZF_OK;
    return zf_data_none_good(loader->data, loader->visits, loader->reasons[0], err);
}

enum zf_status zf_loader_next(struct zf_loader *loader, struct zf_batch *batch, bool *done,
                              struct zf_error *err)
{
    enum zf_status status = loader->failed.status;
    int64_t first, visits;
    struct zf_batch result = {0};

    if (status != ZF_OK)
        return zf_fail(err, status, "%s", loader->failed.message);
    if (loader->between_passes) {
        loader->epoch++;
        begin_pass(loader, 0);
    }
    first = loader->next * loader->per_batch;
    if (loader->next == loader->batches) {
        ZF_TRY(end_pass(loader, &loader->failed));
    } else {
        visits = loader->visits - first;
        if (visits > loader->per_batch)
            visits = loader->per_batch;
        zf_pipeline_release(loader->pipeline, first);
        result.waited_s = zf_pipeline_wait(loader->pipeline, first + visits - 1);
        ZF_TRY(assemble(loader, first, visits, &result, &loader->failed));
        loader->next++;
    }
    *done = loader->between_passes;
    *batch = result;
    return ZF_OK;
fail:
    return zf_fail(err, status, "%s", loader->failed.message);
}
