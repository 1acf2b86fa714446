/* SPDX-License-Identifier: MIT */
/*
 * Many vectors against a matrix, on the engine that nets run on: a net of one fully connected
 * layer. Its input is written 1 x R x 128, so vectors are padded with zeros to a whole number of
 * 128 values, which change nothing.
 */
#ifndef ZF_LEARN_VECTORS_H
#define ZF_LEARN_VECTORS_H

#include "zf/net.h"
#include "zf/plan.h"

#define ZF_VECTOR_UNIT 128
#define ZF_VECTOR_MOST (4096 * ZF_VECTOR_UNIT) /* values */

/* Values that a vector of `width` takes with its padding. */
int64_t zf_vector_stride(int64_t width);

/**
 * A net from vectors of `stride` values to `outputs`, with biases, all parameters zero.
 * softmax  probabilities come out, and it can be trained
 */
enum zf_status zf_vector_net(int64_t stride, int64_t outputs, bool softmax, struct zf_net **out,
                             struct zf_error *err);

/* The matrix [outputs][stride] and the biases [outputs] of such a net, to be written. */
float *zf_vector_matrix(struct zf_net *net);

#endif
