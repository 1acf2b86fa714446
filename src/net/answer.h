/* SPDX-License-Identifier: MIT */
/* What the numbers that a net ends in mean; see answer.c and zf_net_answer(). */
#ifndef ZF_NET_ANSWER_H
#define ZF_NET_ANSWER_H

#include "net/net.h"

/** By enum zf_answer, NULL past the last: "numbers". */
extern const char *const zf_answer_names[];

/** What the last layers alone say: numbers, unless they end in a softmax or a sigmoid. */
enum zf_answer zf_answer_of_layers(const struct zf_net *net);

/** How many classes a net has, or numbers, if its outputs mean `answer`. */
int64_t zf_answer_classes(const struct zf_net *net, enum zf_answer answer);

/** zf_net_set_answer() without its checks. */
enum zf_status zf_net_take_answer(struct zf_net *net, enum zf_answer answer, struct zf_error *err);

/**
 * Outputs of `images` images become answers, in place: `values` holds zf_net_output_count() an
 * image and has room for zf_net_class_count(). Of a net that does not end in maps.
 */
void zf_answer_from_outputs(const struct zf_net *net, float *values, int64_t images);

#endif
