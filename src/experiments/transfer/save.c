/* SPDX-License-Identifier: MIT */
/*
 * A model of the layers up to the best features and of the classifier that was fitted on them. A
 * picture's features are divided by their Euclidean length before the classifier sees them; in the
 * model a norm layer divides them by the root of the mean of their squares, which is that length
 * over the root of their number, and the weights make up for the difference.
 */
#include "experiments/transfer/transfer.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "learn/vectors.h"
#include "net/net.h"
#include "zf/model.h"

#define HELD_OUT "held-out.tsv"

/* ---- The classifier. ---- */

static void linear_release(struct zf_linear *linear)
{
    zf_free(linear->weights);
    zf_free(linear->biases);
}

static enum zf_status linear_init(struct zf_linear *linear, int64_t classes, int64_t stride,
                                  struct zf_error *err)
{
    linear->weights = zf_alloc((size_t)(classes * stride), sizeof *linear->weights);
    linear->biases = zf_alloc((size_t)classes, sizeof *linear->biases);
    return linear->weights && linear->biases
               ? ZF_OK
               : zf_no_memory(err, "a classifier of %" PRId64 " values", stride);
}

/* As the layer `head` of the net; rows lose their padding. */
static void put_in(struct zf_net *net, int head, const struct zf_linear *linear, int64_t stride)
{
    const struct zf_shape below = zf_net_layer(net, head - 1).shape;
    const int64_t width = below.c * below.h * below.w, classes = zf_net_class_count(net);
    const double scale = 1 / sqrt((double)width);

    for (int i = 0; i < net->slot_count; i++) {
        const struct zf_parameter_slot *slot = &net->slots[i];
        float *to = net->parameters + slot->offset;

        if (slot->layer != head)
            continue;
        if (slot->is_bias)
            memcpy(to, linear->biases, (size_t)classes * sizeof *to);
        else
            for (int64_t k = 0; k < classes; k++)
                for (int64_t j = 0; j < width; j++)
                    to[k * width + j] = (float)(scale * (double)linear->weights[k * stride + j]);
    }
}

static enum zf_status name_classes(struct zf_net *net, const struct zf_data *data,
                                   struct zf_error *err)
{
    enum zf_status status;
    const int64_t classes = zf_data_class_count(data);
    const char **labels = zf_alloc((size_t)classes, sizeof *labels);

    if (!labels)
        return zf_no_memory(err, "%" PRId64 " classes", classes);
    for (int64_t k = 0; k < classes; k++)
        labels[k] = zf_data_class(data, k);
    status = zf_net_set_labels(net, labels, err);
    zf_free(labels);
    return status;
}

/* ---- The net. ---- */

static enum zf_status build(const struct zf_transfer_work *work, int layer,
                            const struct zf_linear *linear, int64_t stride, struct zf_net **out,
                            struct zf_error *err)
{
    enum zf_status status;
    const struct zf_continuation how = {.classes = zf_data_class_count(work->data),
                                        .on_top = true,
                                        .normalised = true,
                                        .origin = zf_net_name(work->net)};
    struct zf_net *below = NULL, *net = NULL;
    int head;

    ZF_TRY(zf_net_cut(work->net, layer, &below, err));
    ZF_TRY(zf_net_continue(below, &how, &net, &head, err));
    put_in(net, head, linear, stride);
    ZF_TRY(name_classes(net, work->data, err));
    *out = net;
    net = NULL;
fail:
    zf_net_free(&below);
    zf_net_free(&net);
    return status;
}

/* ---- What it is measured on. ---- */

/* Where a list may name the picture: NULL for what is no file of its own, and for a name that would
   break its line. Free with free(). */
static char *listed_path(const char *path)
{
    struct stat info;
    char *whole = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? realpath(path, NULL) : NULL;

    if (whole && strpbrk(whole, "\t\n\r")) {
        free(whole);
        whole = NULL;
    }
    return whole;
}

static enum zf_status write_list(const struct zf_transfer_work *work, const struct zf_fold *fold,
                                 char **path, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct zf_output out = {0};
    bool complete = true;

    *path = zf_path_join(work->directory, HELD_OUT);
    if (!*path)
        return zf_no_memory(err, "the path of %s", HELD_OUT);
    ZF_TRY(zf_output_open(&out, *path, err));
    for (int64_t i = 0; complete && i < fold->test_count; i++) {
        const int64_t sample = fold->test[i];
        const char *class = zf_data_class(work->data, zf_data_label(work->data, sample));
        char *picture = listed_path(zf_data_path(work->data, sample));

        complete = picture && !strpbrk(class, "\t\n\r");
        if (complete)
            fprintf(out.stream, "%s\t%s\n", picture, class);
        free(picture);
    }
    if (complete)
        ZF_TRY(zf_output_commit(&out, err));
fail:
    zf_output_discard(&out);
    if (!complete || status != ZF_OK) {
        zf_free(*path);
        *path = NULL;
    }
    return status;
}

static enum zf_status measure(const struct zf_transfer_work *work, const struct zf_net *net,
                              const struct zf_fold *fold, struct zf_transfer_saved *saved,
                              struct zf_error *err)
{
    enum zf_status status;
    struct zf_data *held_out = NULL;
    struct zf_eval_result result;

    ZF_TRY(zf_data_subset(work->data, fold->test, fold->test_count, &held_out, err));
    ZF_TRY(zf_eval_run(
        &net, 1, held_out,
        &(struct zf_eval_options){.strict = work->options.train.strict, .compute = work->compute},
        &result, NULL, &saved->tested, &work->monitor, err));
    saved->top1_error = result.top1_error;
    saved->top5_error = result.top5_error;
fail:
    zf_data_free(&held_out);
    return status;
}

enum zf_status zf_transfer_save(const struct zf_transfer_work *work, const char *path,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_transfer *t = work->transfer;
    const struct zf_transfer_row *row = zf_transfer_best(t);
    const struct zf_fold *fold = &work->folds[0];
    const struct zf_transfer_fit fit = {zf_transfer_place(work, row->layer), row->classifier,
                                        row->per_class};
    const int64_t stride = zf_features_stride(work->features, fit.layer);
    struct zf_transfer_saved saved = {
        .row = row, .accuracy = work->accuracies[work->options.folds * (row - t->rows)]};
    struct zf_linear linear = {0};
    struct zf_net *net = NULL;
    int32_t *answers = zf_alloc((size_t)fold->test_count, sizeof *answers);

    if (!answers)
        return zf_no_memory(err, "%" PRId64 " pictures", fold->test_count);
    ZF_TRY(linear_init(&linear, t->classes, stride, err));
    ZF_TRY(zf_transfer_classify(work, &fit, fold, answers, &linear, err));
    ZF_TRY(build(work, row->layer, &linear, stride, &net, err));
    ZF_TRY(measure(work, net, fold, &saved, err));
    ZF_TRY(zf_model_save(net, path, err));
    saved.path = zf_strdup(path);
    if (!saved.path)
        ZF_LEAVE(zf_no_memory(err, "the path of %s", path));
    ZF_TRY(write_list(work, fold, &saved.held_out, err));
    t->saved = saved;
    saved = (struct zf_transfer_saved){0};
fail:
    zf_free(saved.path);
    zf_free(saved.held_out);
    zf_net_free(&net);
    linear_release(&linear);
    zf_free(answers);
    return status;
}
