/* SPDX-License-Identifier: MIT */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

#define DEFAULT_COST 10
#define DEFAULT_TEST 50
#define DEFAULT_SAME 0.95
#define DEFAULT_SVM_MEMORY ((int64_t)2 << 30)
#define MOST_FOLDS 1000

static bool has_parameters(const struct zf_net *net, int layer)
{
    return zf_net_layer(net, layer).parameters > 0;
}

/* What each layer with parameters hands to the next one: behind its rectifier, pooling and norm,
   but before the dropout, which does nothing here. The last one gives classes, not features. */
static enum zf_status default_layers(struct zf_transfer_work *work, struct zf_error *err)
{
    const int count = zf_net_layer_count(work->net);
    size_t found = 0;
    bool begun = false;

    work->layers = zf_alloc((size_t)count, sizeof *work->layers);
    if (!work->layers)
        return zf_no_memory(err, "%d layers", count);
    for (int i = 0; i < count; i++) {
        int last = i - 1;

        if (!has_parameters(work->net, i))
            continue;
        while (last > 0 && strcmp(zf_net_layer(work->net, last).type, "dropout") == 0)
            last--;
        if (begun)
            work->layers[found++] = last;
        begun = true;
    }
    if (found == 0)
        return zf_fail(err, ZF_EINPUT, "%s has no layer below its last one to take features from",
                       zf_net_name(work->net));
    work->options.layers = work->layers;
    work->options.layer_count = found;
    return ZF_OK;
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
    work->compute = options->train.compute;
    if (work->compute.threads == 0)
        work->compute.threads = zf_core_count();
    ZF_CHECK(check_counts(work, err));
    ZF_CHECK(check_classifiers(work, err));
    if (!options->layers)
        ZF_CHECK(default_layers(work, err));
    ZF_CHECK(check_layers(work, err));
    return ZF_OK;
}
