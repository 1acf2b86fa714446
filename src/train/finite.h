/* SPDX-License-Identifier: MIT */
#ifndef ZF_TRAIN_FINITE_H
#define ZF_TRAIN_FINITE_H

#include "net/net.h"
#include "zf/tensor.h"

/** Index of the first parameter tensor of `array` (in the net's layout) with a value that is not
 *  finite; -1 when there is none. */
int zf_find_not_finite(const struct zf_net *net, const float *array);

/**
 * Say where the first value that is not finite lies: in the pictures, in a layer's parameters, in
 * their gradients, or in its activations on one of the pictures.
 *
 * gradients  in the net's layout, or NULL
 * input      NULL, or the pictures that the net met
 * text       filled with, for instance, "the parameters of conv1"
 */
void zf_describe_not_finite(const struct zf_net *net, const float *gradients,
                            const struct zf_tensor *input, char *text, size_t size);

#endif
