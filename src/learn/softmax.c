/* SPDX-License-Identifier: MIT */
/*
 * A new softmax on frozen features. (Paper: section 5.2.) It is a net of one layer, so
 * probabilities and gradients come from the same engine as everything else, in batches over all
 * examples: memory is that of the weights and of one batch, however many examples there are. The
 * problem is convex, so there is one answer and no rate to choose; L-BFGS finds it.
 */
#include "learn/softmax.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "learn/lbfgs.h"
#include "learn/vectors.h"
#include "net/net.h"
#include "train/loss.h"
#include "zf/tensor.h"

#define BATCH 512
#define MOST_ITERATIONS 300
#define TOLERANCE 1e-3 /* of the gradient, beside the first one; 1e-4 gives the same accuracies */
#define HISTORY_BYTES ((size_t)1 << 30) /* of L-BFGS */

struct zf_softmax {
    struct zf_net *net;
    struct zf_plan *plan;
    struct zf_examples train; /* what it points to is lent */
    int64_t batch;
    double decay;    /* 1 / (C * examples): of the mean loss */
    float *gradient; /* of a batch, in the net's layout */
    struct zf_tensor input, probabilities;
};

enum zf_status zf_softmax_create(const struct zf_examples *train,
                                 const struct zf_fit_options *options, struct zf_softmax **out,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_softmax *s = zf_alloc(1, sizeof *s);

    if (!s)
        return zf_fail(err, ZF_ENOMEM, "out of memory");
    s->train = *train;
    s->batch = train->count < BATCH ? train->count : BATCH;
    s->decay = 1 / (options->cost * (double)train->count);
    ZF_TRY(zf_vector_net(train->stride, options->classes, true, &s->net, err));
    ZF_TRY(zf_tensor_init(&s->input, s->batch, 1, train->stride / ZF_VECTOR_UNIT, ZF_VECTOR_UNIT,
                          err));
    ZF_TRY(zf_tensor_init(&s->probabilities, s->batch, options->classes, 1, 1, err));
    s->gradient = zf_alloc((size_t)zf_net_gradient_floats(s->net), sizeof *s->gradient);
    if (!s->gradient)
        ZF_LEAVE(zf_no_memory(err, "a classifier of %" PRId64 " values", train->stride));
    ZF_TRY(zf_plan_create(
        s->net,
        &(struct zf_plan_options){.compute = zf_compute_batch(options->compute, s->batch),
                                  .purpose = ZF_TRAIN,
                                  .gradients = s->gradient},
        &s->plan, err));
    *out = s;
    s = NULL;
fail:
    zf_softmax_free(&s);
    return status;
}

void zf_softmax_free(struct zf_softmax **softmax)
{
    struct zf_softmax *s = softmax ? *softmax : NULL;

    if (!s)
        return;
    zf_plan_free(&s->plan);
    zf_net_free(&s->net);
    zf_tensor_release(&s->input);
    zf_tensor_release(&s->probabilities);
    zf_free(s->gradient);
    zf_free(s);
    *softmax = NULL;
}

const struct zf_net *zf_softmax_net(const struct zf_softmax *softmax)
{
    return softmax->net;
}

/* Probabilities of examples first .. first + n - 1. */
static struct zf_tensor run_batch(struct zf_softmax *s, const struct zf_examples *examples,
                                  int64_t first, int64_t n)
{
    struct zf_tensor input = s->input, probabilities = s->probabilities;

    input.n = probabilities.n = n;
    for (int64_t i = 0; i < n; i++)
        memcpy(input.data + i * examples->stride, examples->rows[first + i],
               (size_t)examples->stride * sizeof *input.data);
    zf_plan_forward(s->plan, &input);
    zf_plan_read(s->plan, zf_net_layer_count(s->net) - 1, &probabilities);
    return probabilities;
}

static int64_t batch_at(const struct zf_softmax *s, int64_t first, int64_t count)
{
    return count - first < s->batch ? count - first : s->batch;
}

/* Biases are not held back. */
static double add_decay(const struct zf_softmax *s, const float *x, float *gradient)
{
    double squares = 0;

    for (int k = 0; k < s->net->slot_count; k++) {
        const struct zf_parameter_slot *slot = &s->net->slots[k];

        for (int64_t i = slot->offset; !slot->is_bias && i < slot->offset + slot->count; i++) {
            squares += (double)x[i] * (double)x[i];
            gradient[i] += (float)s->decay * x[i];
        }
    }
    return s->decay * squares / 2;
}

double zf_softmax_objective(void *softmax, const float *x, float *gradient)
{
    struct zf_softmax *s = softmax;
    const struct zf_examples *train = &s->train;
    const int64_t floats = zf_net_gradient_floats(s->net);
    struct zf_score score = {0};

    memcpy(s->net->parameters, x, (size_t)floats * sizeof *x);
    zf_plan_refresh(s->plan);
    memset(gradient, 0, (size_t)floats * sizeof *gradient);
    for (int64_t at = 0; at < train->count; at += s->batch) {
        const int64_t n = batch_at(s, at, train->count);
        const struct zf_tensor probabilities = run_batch(s, train, at, n);
        const float share = (float)((double)n / (double)train->count);

        zf_score_add(&score, &probabilities, train->labels + at);
        zf_plan_backward(s->plan, train->labels + at);
        for (int64_t i = 0; i < floats; i++)
            gradient[i] += share * s->gradient[i];
    }
    return zf_score_loss(&score) + add_decay(s, x, gradient);
}

enum zf_status zf_softmax_fit(struct zf_softmax *softmax, struct zf_error *err)
{
    enum zf_status status;
    const int64_t floats = zf_net_gradient_floats(softmax->net);
    const struct zf_lbfgs_options options = {MOST_ITERATIONS, TOLERANCE, HISTORY_BYTES};
    struct zf_lbfgs_result result;
    float *x = zf_alloc((size_t)floats, sizeof *x);

    if (!x)
        return zf_no_memory(err, "%" PRId64 " weights", floats);
    ZF_TRY(zf_lbfgs_run(zf_softmax_objective, softmax, x, floats, &options, &result, err));
    memcpy(softmax->net->parameters, x, (size_t)floats * sizeof *x);
    zf_plan_refresh(softmax->plan);
fail:
    zf_free(x);
    return status;
}

void zf_softmax_answer(struct zf_softmax *softmax, const struct zf_examples *examples,
                       int32_t *answer)
{
    for (int64_t at = 0; at < examples->count; at += softmax->batch) {
        const int64_t n = batch_at(softmax, at, examples->count);
        const struct zf_tensor probabilities = run_batch(softmax, examples, at, n);

        for (int64_t i = 0; i < n; i++)
            answer[at + i] =
                zf_most_probable(probabilities.data + i * probabilities.c, probabilities.c);
    }
}

/* Weights and biases, as the net has them. */
static void hand_over(const struct zf_softmax *softmax, const struct zf_linear *fitted)
{
    for (int i = 0; i < zf_net_parameter_tensors(softmax->net); i++) {
        const struct zf_parameter p = zf_net_parameter(softmax->net, i);

        memcpy(softmax->net->slots[i].is_bias ? fitted->biases : fitted->weights, p.data,
               (size_t)p.count * sizeof *p.data);
    }
}

static enum zf_status run(const struct zf_examples *train, const struct zf_examples *test,
                          const struct zf_fit_options *options, int32_t *answer,
                          const struct zf_linear *fitted, struct zf_error *err)
{
    enum zf_status status;
    struct zf_softmax *softmax = NULL;

    ZF_TRY(zf_softmax_create(train, options, &softmax, err));
    ZF_TRY(zf_softmax_fit(softmax, err));
    zf_softmax_answer(softmax, test, answer);
    if (fitted)
        hand_over(softmax, fitted);
fail:
    zf_softmax_free(&softmax);
    return status;
}

const struct zf_classifier_type zf_classifier_softmax = {
    .name = "softmax",
    .built_in = true,
    .run = run,
};
