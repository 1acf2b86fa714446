/* SPDX-License-Identifier: MIT */
/* Multinomial logistic regression; see softmax.c. */
#ifndef ZF_LEARN_SOFTMAX_H
#define ZF_LEARN_SOFTMAX_H

#include "learn/classifier.h"
#include "zf/net.h"

/* Its objective at work. */
struct zf_softmax;

enum zf_status zf_softmax_create(const struct zf_examples *train,
                                 const struct zf_fit_options *options, struct zf_softmax **out,
                                 struct zf_error *err);
void zf_softmax_free(struct zf_softmax **softmax);

/* Weights and biases, in the layout of the net of zf_vector_net(). */
const struct zf_net *zf_softmax_net(const struct zf_softmax *softmax);

/* A zf_objective: (|w|^2 / (2 C) + sum of the cross-entropies) / examples. */
double zf_softmax_objective(void *softmax, const float *x, float *gradient);

/* Minimise it from zero. */
enum zf_status zf_softmax_fit(struct zf_softmax *softmax, struct zf_error *err);

/* The most probable class of each row; equal ones by index. */
void zf_softmax_answer(struct zf_softmax *softmax, const struct zf_examples *examples,
                       int32_t *answer);

#endif
