/* SPDX-License-Identifier: MIT */
/*
 * Do the features of a trained net serve another task? Each layer's are frozen and given to a new
 * linear classifier. (Paper: sections 5.2 and 5.3, tables 4, 5 and 7.)
 */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "experiments/transfer/twins.h"

#define PICTURED_TWINS 12

/* ---- Folds. ---- */

static enum zf_status draw_folds(struct zf_transfer_work *work, struct zf_error *err)
{
    const struct zf_transfer_options *options = &work->options;

    work->folds = zf_alloc((size_t)options->folds, sizeof *work->folds);
    if (!work->folds)
        return zf_no_memory(err, "%" PRId64 " folds", options->folds);
    for (int64_t f = 0; f < options->folds; f++)
        ZF_CHECK(zf_fold_draw(&work->folds[f], work->data, work->most, options->test_per_class,
                              (uint64_t)options->train.seed, f, err));
    return ZF_OK;
}

/* Every sample that some fold needs, ascending; owned by the caller. */
static enum zf_status needed_samples(const struct zf_transfer_work *work, int64_t **samples,
                                     int64_t *count, struct zf_error *err)
{
    const int64_t all = zf_data_count(work->data);
    bool *needed = zf_alloc((size_t)all, sizeof *needed);
    int64_t *found = zf_alloc((size_t)all, sizeof *found);
    int64_t n = 0;

    if (!needed || !found) {
        zf_free(needed);
        zf_free(found);
        return zf_no_memory(err, "%" PRId64 " pictures", all);
    }
    for (int64_t f = 0; f < work->options.folds; f++) {
        const struct zf_fold *fold = &work->folds[f];

        for (int64_t i = 0; i < fold->train_count; i++)
            needed[fold->train[i]] = true;
        for (int64_t i = 0; i < fold->test_count; i++)
            needed[fold->test[i]] = true;
    }
    for (int64_t i = 0; i < all; i++) {
        if (needed[i])
            found[n++] = i;
    }
    zf_free(needed);
    *samples = found;
    *count = n;
    return ZF_OK;
}

/* Mean over the classes of the share of their images that were answered rightly. Unread images have
   an answer of -1 and do not count; nor does a class without any. */
static double mean_accuracy(const struct zf_transfer_work *work, const struct zf_fold *fold,
                            const int32_t *answers, int64_t *tested, int64_t *right)
{
    const int64_t classes = zf_data_class_count(work->data);
    double sum = 0;
    int64_t counted = 0;

    memset(tested, 0, (size_t)classes * sizeof *tested);
    memset(right, 0, (size_t)classes * sizeof *right);
    for (int64_t i = 0; i < fold->test_count; i++) {
        const int64_t label = zf_data_label(work->data, fold->test[i]);

        tested[label] += answers[i] >= 0;
        right[label] += answers[i] == label;
    }
    for (int64_t k = 0; k < classes; k++) {
        struct zf_transfer *t = work->transfer;

        if (tested[k] == 0)
            continue;
        sum += (double)right[k] / (double)tested[k];
        counted++;
        if (t->fewest_tested == 0 || tested[k] < t->fewest_tested)
            t->fewest_tested = tested[k];
        if (tested[k] > t->most_tested)
            t->most_tested = tested[k];
    }
    return counted > 0 ? sum / (double)counted : 0;
}

static enum zf_status score(struct zf_transfer_work *work, size_t row, int64_t f,
                            const int32_t *answers, struct zf_error *err)
{
    const int64_t classes = zf_data_class_count(work->data);
    int64_t *counts = zf_alloc(2 * (size_t)classes, sizeof *counts);

    if (!counts)
        return zf_no_memory(err, "%" PRId64 " classes", classes);
    work->accuracies[(int64_t)row * work->options.folds + f] =
        mean_accuracy(work, &work->folds[f], answers, counts, counts + classes);
    zf_free(counts);
    work->done++;
    return ZF_OK;
}

/* ---- All of it. ---- */

/* Whether a is the better one to speak of. */
static bool is_better(const struct zf_transfer_row *a, const struct zf_transfer_row *b)
{
    if (isnan(a->accuracy.mean) || isnan(b->accuracy.mean))
        return isnan(b->accuracy.mean);
    if (a->per_class != b->per_class)
        return a->per_class > b->per_class;
    return a->accuracy.mean > b->accuracy.mean;
}

const struct zf_transfer_row *zf_transfer_best(const struct zf_transfer *t)
{
    const struct zf_transfer_row *best = NULL;

    for (size_t i = 0; i < t->row_count; i++) {
        const struct zf_transfer_row *row = &t->rows[i];

        if (row->layer >= 0 && (!best || is_better(row, best)))
            best = row;
    }
    return best;
}

static bool is_scratch(const struct zf_transfer_row *row)
{
    return row->layer < 0;
}

size_t zf_transfer_place(const struct zf_transfer_work *work, int layer)
{
    size_t i = 0;

    while (i < work->options.layer_count && work->options.layers[i] != layer)
        i++;
    return i;
}

/* A classifier that cannot take features so large leaves a gap in the table; the rest stands. */
static enum zf_status leave_out(struct zf_transfer_work *work, size_t row, int64_t f,
                                const struct zf_error *err)
{
    const struct zf_transfer_row *r = &work->transfer->rows[row];

    if (f == 0)
        zf_monitor_message(&work->monitor, "left out: %s at %" PRId64 " a class: %s",
                           work->transfer->layers[r->layer], r->per_class, err ? err->message : "");
    work->accuracies[(int64_t)row * work->options.folds + f] = NAN;
    work->done++;
    return ZF_OK;
}

static enum zf_status do_row(struct zf_transfer_work *work, size_t row, int64_t f, int32_t *answers,
                             struct zf_error *err)
{
    const struct zf_transfer_row *r = &work->transfer->rows[row];
    const struct zf_transfer_fit fit = {zf_transfer_place(work, r->layer), r->classifier,
                                        r->per_class};

    if (!zf_monitor_progress(&work->monitor, "classifiers", work->done, work->total))
        return zf_fail(err, ZF_ECANCELED, "stopped after %" PRId64 " of %" PRId64 " classifiers",
                       work->done, work->total);
    if (is_scratch(r)) {
        ZF_CHECK(zf_transfer_scratch(work, f, r->per_class, answers, err));
    } else {
        const enum zf_status status =
            zf_transfer_classify(work, &fit, &work->folds[f], answers, NULL, err);

        if (status == ZF_EUNSUPPORTED)
            return leave_out(work, row, f, err);
        ZF_CHECK(status);
    }
    ZF_CHECK(score(work, row, f, answers, err));
    work->measured++;
    return ZF_OK;
}

static enum zf_status do_folds(struct zf_transfer_work *work, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_transfer *t = work->transfer;
    const int64_t folds = work->options.folds;
    int32_t *answers = zf_alloc((size_t)zf_data_count(work->data), sizeof *answers);

    work->accuracies = zf_alloc(t->row_count * (size_t)folds, sizeof *work->accuracies);
    work->total = (int64_t)t->row_count * folds;
    if (!answers || !work->accuracies)
        ZF_LEAVE(zf_no_memory(err, "%" PRId64 " classifiers", work->total));
    /* What is quick first. */
    for (int64_t f = 0; f < folds; f++) {
        for (size_t row = 0; row < t->row_count; row++)
            if (!is_scratch(&t->rows[row]))
                ZF_TRY(do_row(work, row, f, answers, err));
    }
    for (int64_t f = 0; f < folds; f++) {
        for (size_t row = 0; row < t->row_count; row++)
            if (is_scratch(&t->rows[row]))
                ZF_TRY(do_row(work, row, f, answers, err));
    }
    if (work->measured == 0) {
        status = ZF_EUNSUPPORTED; /* reported by the last classifier */
        goto fail;
    }
    for (size_t row = 0; row < t->row_count; row++)
        t->rows[row].accuracy = zf_spread_of(work->accuracies + row * (size_t)folds, (size_t)folds,
                                             sizeof *work->accuracies);
fail:
    zf_free(answers);
    return status;
}

static enum zf_status extract(struct zf_transfer_work *work, struct zf_error *err)
{
    enum zf_status status;
    const struct zf_train_options *train = &work->options.train;
    struct zf_features_request request = {
        .net = work->net,
        .data = work->data,
        .layers = work->options.layers,
        .layer_count = work->options.layer_count,
        .directory = work->directory,
        .strict = train->strict,
        .compute = work->compute,
    };
    int64_t *samples = NULL;

    request.compute.ranks = work->ranks;
    ZF_TRY(needed_samples(work, &samples, &request.count, err));
    request.samples = samples;
    work->transfer->images = request.count;
    ZF_TRY(zf_features_create(&request, &work->features, &work->monitor, err));
fail:
    zf_free(samples);
    return status;
}

static enum zf_status name_twins(struct zf_transfer *t, const struct zf_data *data,
                                 const struct zf_data *seen, size_t count, struct zf_error *err)
{
    bool complete;

    t->twin_paths = zf_alloc(2 * count, sizeof *t->twin_paths);
    t->twin_count = t->twin_paths ? count : 0;
    complete = t->twin_count == count;
    for (size_t i = 0; i < t->twin_count; i++) {
        t->twin_paths[2 * i] = zf_strdup(zf_data_path(data, t->twins[i].sample));
        t->twin_paths[2 * i + 1] = zf_strdup(zf_data_path(seen, t->twins[i].seen));
        complete = complete && t->twin_paths[2 * i] && t->twin_paths[2 * i + 1];
    }
    return complete ? ZF_OK : zf_no_memory(err, "%zu pairs of pictures", count);
}

static enum zf_status picture_twins(struct zf_transfer *t, const struct zf_data *data,
                                    const struct zf_data *seen, struct zf_error *err)
{
    const size_t count = t->twin_count < PICTURED_TWINS ? t->twin_count : PICTURED_TWINS;

    t->twin_pictures = zf_alloc(2 * count, sizeof *t->twin_pictures);
    if (!t->twin_pictures)
        return zf_no_memory(err, "%zu pairs of pictures", count);
    t->twin_pictured = count;
    for (size_t i = 0; i < count; i++) {
        ZF_CHECK(zf_overlap_picture(data, t->twins[i].sample, &t->twin_pictures[2 * i], err));
        ZF_CHECK(zf_overlap_picture(seen, t->twins[i].seen, &t->twin_pictures[2 * i + 1], err));
    }
    return ZF_OK;
}

static enum zf_status compare_with_seen(struct zf_transfer_work *work, struct zf_error *err)
{
    struct zf_transfer *t = work->transfer;
    struct zf_data *seen = work->options.seen;
    const struct zf_overlap_options options = {work->options.same, work->compute};
    size_t count = 0;

    if (!seen)
        return ZF_OK;
    ZF_CHECK(zf_overlap_find(work->data, seen, &options, &t->twins, &count, &work->monitor, err));
    t->compared = true;
    t->seen_images = zf_data_count(seen);
    ZF_CHECK(name_twins(t, work->data, seen, count, err));
    ZF_CHECK(picture_twins(t, work->data, seen, err));
    return ZF_OK;
}

/* The rows in their order, without accuracies. */
static void list_rows(const struct zf_transfer_work *work, struct zf_transfer *t)
{
    const struct zf_transfer_options *o = &work->options;
    size_t row = 0;

    for (size_t n = 0; o->scratch && n < o->per_class_count; n++)
        t->rows[row++] = (struct zf_transfer_row){.layer = -1, .per_class = o->per_class[n]};
    for (size_t l = 0; l < o->layer_count; l++) {
        for (size_t c = 0; c < o->classifier_count; c++) {
            for (size_t n = 0; n < o->per_class_count; n++)
                t->rows[row++] = (struct zf_transfer_row){
                    o->layers[l], o->classifiers[c], o->per_class[n], {0, 0}};
        }
    }
}

static bool copy_names(const struct zf_transfer_work *work, struct zf_transfer *t)
{
    t->model = zf_strdup(zf_net_name(work->net));
    t->data_name = zf_strdup(zf_data_name(work->data));
    t->scratch = work->options.scratch ? zf_strdup(work->options.scratch->net) : NULL;
    t->layers = zf_alloc((size_t)zf_net_layer_count(work->net), sizeof *t->layers);
    t->layer_count = t->layers ? zf_net_layer_count(work->net) : 0;
    for (int i = 0; i < t->layer_count; i++) {
        t->layers[i] = zf_strdup(zf_net_layer(work->net, i).name);
        if (!t->layers[i])
            return false;
    }
    return t->model && t->data_name && t->layers && (t->scratch || !work->options.scratch);
}

static enum zf_status transfer_create(struct zf_transfer_work *work, struct zf_error *err)
{
    const struct zf_transfer_options *o = &work->options;
    const size_t each = o->layer_count * o->classifier_count + (o->scratch != NULL);
    struct zf_transfer *t = zf_alloc(1, sizeof *t);

    if (t)
        t->rows = zf_alloc(each * o->per_class_count, sizeof *t->rows);
    if (!t || !t->rows || !copy_names(work, t)) {
        zf_transfer_free(&t);
        return zf_no_memory(err, "%zu rows", each * o->per_class_count);
    }
    t->row_count = each * o->per_class_count;
    t->per_class_count = o->per_class_count;
    list_rows(work, t);
    t->folds = o->folds;
    t->test_per_class = o->test_per_class;
    t->classes = zf_data_class_count(work->data);
    t->seed = o->train.seed;
    t->cost = o->cost;
    t->same = o->same;
    t->chance = 1 / (double)t->classes;
    work->transfer = t;
    return ZF_OK;
}

static void work_release(struct zf_transfer_work *work)
{
    for (int64_t f = 0; work->folds && f < work->options.folds; f++)
        zf_fold_release(&work->folds[f]);
    zf_free(work->folds);
    zf_free(work->layers);
    zf_free(work->accuracies);
    zf_features_free(&work->features);
    zf_transfer_free(&work->transfer);
}

enum zf_status zf_transfer_run(const struct zf_net *net, struct zf_data *data,
                               const struct zf_transfer_options *options, const char *directory,
                               struct zf_transfer **out, const struct zf_train_monitor *monitor,
                               struct zf_error *err)
{
    enum zf_status status;
    struct zf_transfer_work work = {
        .options = *options, .net = net, .data = data, .directory = directory, .told = monitor};

    if (monitor)
        work.monitor = (struct zf_monitor){
            .user = monitor->user, .progress = monitor->progress, .message = monitor->message};
    ZF_TRY(zf_transfer_ask(&work, err));
    ZF_TRY(draw_folds(&work, err));
    ZF_TRY(zf_transfer_check_scratch(&work, err));
    ZF_TRY(transfer_create(&work, err));
    if (zf_ranks_rank(work.ranks) > 0) { /* all that it is there for */
        ZF_TRY(extract(&work, err));
        goto fail;
    }
    ZF_TRY(zf_directory_make(directory, err));
    ZF_TRY(compare_with_seen(&work, err));
    ZF_TRY(extract(&work, err));
    ZF_TRY(do_folds(&work, err));
    if (options->save)
        ZF_TRY(zf_transfer_save(&work, options->save, err));
    *out = work.transfer;
    work.transfer = NULL;
fail:
    work_release(&work);
    return status;
}

void zf_transfer_free(struct zf_transfer **transfer)
{
    struct zf_transfer *t = transfer ? *transfer : NULL;

    if (!t)
        return;
    for (int i = 0; i < t->layer_count; i++)
        zf_free(t->layers[i]);
    for (size_t i = 0; i < 2 * t->twin_count; i++)
        zf_free(t->twin_paths[i]);
    zf_free(t->layers);
    for (size_t i = 0; i < 2 * t->twin_pictured; i++)
        zf_picture_release(&t->twin_pictures[i]);
    zf_free(t->twin_pictures);
    zf_free(t->twin_paths);
    zf_free(t->twins);
    zf_free(t->rows);
    zf_free(t->saved.path);
    zf_free(t->saved.held_out);
    zf_free(t->model);
    zf_free(t->data_name);
    zf_free(t->scratch);
    zf_free(t);
    *transfer = NULL;
}
