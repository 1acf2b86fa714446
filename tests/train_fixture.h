/* SPDX-License-Identifier: MIT */
/* A tiny net and a run of it, for the tests of training. */
#ifndef ZF_TESTS_TRAIN_FIXTURE_H
#define ZF_TESTS_TRAIN_FIXTURE_H

#include "net/net.h"
#include "train/checkpoint.h"

extern const char *const training_spec;       /* of the net */
extern const char *const training_classes[3]; /* its labels */

/* The net, drawn by `seed`. */
struct zf_net *training_net(uint64_t seed);

/* Random values where parameters lie; the gaps between them stay zero. Free with zf_free(). */
float *training_array(const struct zf_net *net, uint64_t key, double deviation);
size_t training_bytes(const struct zf_net *net); /* of such an array */

/* A run in a directory of its own, between two epochs. */
struct training_fixture {
    char run[64], current[96], previous[96];
    struct zf_net *net;
    float *velocity;
    struct zf_checkpoint at;
    char told[768];
};

/* cmocka set-up and tear-down: *state is the fixture. */
int training_set_up(void **state);
int training_tear_down(void **state);

#endif
