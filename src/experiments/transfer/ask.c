/* SPDX-License-Identifier: MIT */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/words.h"
#include "learn/vectors.h"
#include "look/choose.h"
#include "net/net.h"

#define DEFAULT_COST 10
#define DEFAULT_TEST 50
#define DEFAULT_SAME 0.95
#define DEFAULT_SVM_MEMORY ((int64_t)2 << 30)
#define MOST_FOLDS 1000
#define SMALL_NET 8 /* layers whose features are all tried */

/* Mark what each layer with parameters takes: behind a rectifier, a pooling and a norm, but before
   the dropout, which does nothing here. The last one gives classes, not features; maps at the end
   are features as well. Returns how many. */
static size_t mark_features(const struct zf_net *net, bool *marked)
{
    const int last = net->layer_count - 1;
    const struct zf_shape end = net->layers[last].inferred.out;
    size_t found = 0;

    for (int i = 0; i <= last; i++) {
        int from = net->layers[i].inputs[0];

        if (net->layers[i].parameter_count == 0)
            continue;
        while (from >= 0 && strcmp(net->layers[from].type->name, "dropout") == 0)
            from = net->layers[from].inputs[0];
        if (from >= 0)
            marked[from] = true;
    }
    marked[last] = marked[last] || end.h * end.w > 1;
    for (int i = 0; i <= last; i++)
        found += marked[i];
    return found;
}

/* Of a deep net those that end a stage, and what the classes are made from. */
static enum zf_status leave_stages(const struct zf_net *net, bool *marked, bool *stages,
                                   struct zf_error *err)
{
    int *layers = NULL, last = net->layer_count - 1;
    size_t count = 0;

    ZF_CHECK(zf_choose_stages(net, false, &layers, &count, stages, err));
    while (last > 0 && !marked[last])
        last--;
    if (*stages) {
        memset(marked, 0, (size_t)net->layer_count * sizeof *marked);
        for (size_t i = 0; i < count; i++)
            marked[layers[i]] = true;
        marked[last] = true;
    }
    zf_free(layers);
    return ZF_OK;
}

/* Take those that a classifier can take; name the others. */
static void take_those_that_fit(struct zf_transfer_work *work, const bool *marked)
{
    const struct zf_net *net = work->net;
    char names[256] = "";
    size_t large = 0, found = 0;

    for (int i = 0; i < net->layer_count; i++) {
        const struct zf_shape shape = net->layers[i].inferred.out;

        if (!marked[i])
            continue;
        if (zf_vector_stride(shape.c * shape.h * shape.w) <= ZF_VECTOR_MOST) {
            work->layers[found++] = i;
            continue;
        }
        zf_add_name(names, sizeof names, net->layers[i].name);
        large++;
    }
    if (large > 0)
        zf_monitor_message(&work->monitor,
                           "left out: %s, with more than the %d values a picture that a classifier "
                           "takes",
                           names, ZF_VECTOR_MOST);
    work->options.layers = work->layers;
    work->options.layer_count = found;
}

static enum zf_status default_layers(struct zf_transfer_work *work, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    const struct zf_net *net = work->net;
    bool *marked = zf_alloc((size_t)net->layer_count, sizeof *marked);
    bool stages = false;

    work->layers = zf_alloc((size_t)net->layer_count, sizeof *work->layers);
    if (!work->layers || !marked)
        ZF_LEAVE(zf_no_memory(err, "%d layers", net->layer_count));
    if (mark_features(net, marked) > SMALL_NET)
        ZF_TRY(leave_stages(net, marked, &stages, err));
    take_those_that_fit(work, marked);
    if (work->options.layer_count == 0)
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s has no layer below its last one to take features from that a "
                         "classifier can take; --layer names one",
                         zf_net_name(net)));
    if (stages)
        zf_monitor_message(&work->monitor,
                           "features of %zu layers, those that end a stage and what the classes "
                           "are made from; --layer names others",
                           work->options.layer_count);
fail:
    zf_free(marked);
    return status;
}

static enum zf_status check_layers(const struct zf_transfer_work *work, struct zf_error *err)
{
    const struct zf_transfer_options *options = &work->options;

    for (size_t i = 0; i < options->layer_count; i++) {
        if (options->layers[i] < 0 || options->layers[i] >= zf_net_layer_count(work->net))
            return zf_fail(err, ZF_EINVAL, "layer %d is not one of the %d of %s",
                           options->layers[i], zf_net_layer_count(work->net),
                           zf_net_name(work->net));
    }
    return ZF_OK;
}

static enum zf_status check_counts(struct zf_transfer_work *work, struct zf_error *err)
{
    const struct zf_transfer_options *options = &work->options;

    if (options->per_class_count == 0)
        return zf_fail(err, ZF_EINVAL, "no number of training pictures a class");
    for (size_t i = 0; i < options->per_class_count; i++) {
        if (options->per_class[i] < 1)
            return zf_fail(err, ZF_EINVAL,
                           "%" PRId64 " training pictures a class, but must be 1 or more",
                           options->per_class[i]);
        if (options->per_class[i] > work->most)
            work->most = options->per_class[i];
    }
    if (options->folds < 1 || options->folds > MOST_FOLDS)
        return zf_fail(err, ZF_EINVAL, "%" PRId64 " folds, but must be 1 to %d", options->folds,
                       MOST_FOLDS);
    if (!(options->cost > 0) || options->test_per_class < 0 || !(options->same > 0) ||
        options->svm_memory < 0)
        return zf_fail(err, ZF_EINVAL,
                       "cost %g, correlation %g, %" PRId64 " test pictures and %" PRId64
                       " bytes must be positive",
                       options->cost, options->same, options->test_per_class, options->svm_memory);
    if (zf_data_class_count(work->data) < 2)
        return zf_fail(err, ZF_EINPUT, "%s has %" PRId64 " class%s: nothing to tell apart",
                       zf_data_name(work->data), zf_data_class_count(work->data),
                       zf_data_class_count(work->data) == 1 ? "" : "es");
    return ZF_OK;
}

static enum zf_status check_classifiers(const struct zf_transfer_work *work, struct zf_error *err)
{
    for (size_t i = 0; i < work->options.classifier_count; i++) {
        const struct zf_classifier_type *type = zf_classifier_at((int)work->options.classifiers[i]);

        if (!type)
            return zf_fail(err, ZF_EINVAL, "there is no classifier %d",
                           (int)work->options.classifiers[i]);
        if (!type->built_in)
            return zf_fail(err, ZF_EUNSUPPORTED,
                           "%s is not part of this build, which had no liblinear; choose "
                           "--classifier softmax",
                           type->name);
    }
    return ZF_OK;
}

/* Rather than after the work. */
static enum zf_status check_save(const char *path, struct zf_error *err)
{
    struct zf_output out = {0};
    const enum zf_status status = path ? zf_output_open(&out, path, err) : ZF_OK;

    zf_output_discard(&out);
    return status;
}

enum zf_status zf_transfer_ask(struct zf_transfer_work *work, struct zf_error *err)
{
    static const enum zf_classifier softmax = ZF_CLASSIFIER_SOFTMAX;
    struct zf_transfer_options *options = &work->options;

    if (options->cost == 0)
        options->cost = DEFAULT_COST;
    if (options->test_per_class == 0)
        options->test_per_class = DEFAULT_TEST;
    if (options->svm_memory == 0)
        options->svm_memory = DEFAULT_SVM_MEMORY;
    if (options->same == 0)
        options->same = DEFAULT_SAME;
    if (!options->classifiers) {
        options->classifiers = &softmax;
        options->classifier_count = 1;
    }
    work->ranks = options->train.compute.ranks;
    options->train.compute = zf_compute_alone(options->train.compute);
    work->compute = zf_compute_alone(options->train.compute);
    if (work->compute.threads == 0)
        work->compute.threads = zf_core_count();
    ZF_CHECK(check_counts(work, err));
    ZF_CHECK(check_classifiers(work, err));
    if (!options->layers)
        ZF_CHECK(default_layers(work, err));
    ZF_CHECK(check_layers(work, err));
    if (zf_ranks_rank(work->ranks) == 0)
        ZF_CHECK(check_save(options->save, err));
    return ZF_OK;
}
