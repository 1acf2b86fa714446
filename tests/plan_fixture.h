/* SPDX-License-Identifier: MIT */
/* A small net and a plan of it, for the tests of layers and of plans. */
#ifndef ZF_TESTS_PLAN_FIXTURE_H
#define ZF_TESTS_PLAN_FIXTURE_H

#include "zf/plan.h"

#define BATCH 3

/* Two convolutions with all that may stand between them. */
#define DEEP                                                                                       \
    "[c1]\ntype = conv\nmaps = 6\nkernel = 3\npad = 1\n[r1]\ntype = relu\n"                        \
    "[p1]\ntype = maxpool\nkernel = 2\nstride = 2\nround = up\n[n1]\ntype = lrn\nalpha = 0.1\n"    \
    "[c2]\ntype = conv\nmaps = 5\nkernel = 3\npad = 1\n[r2]\ntype = relu\n"

struct plan_fixture {
    struct zf_net *net;
    struct zf_plan *plan;
    struct zf_tensor input;
    float *gradients;
    int32_t labels[BATCH];
};

/* Numbers of a deviation, by the stream's key. */
void plan_fill(float *data, int64_t count, double deviation, uint64_t stream);

/* The net of these layers over 2x9x8 inputs, and a plan of BATCH inputs with these options. */
void plan_set_up(struct plan_fixture *f, const char *layers, const char *end,
                 struct zf_plan_options options);
void plan_tear_down(struct plan_fixture *f);

#endif
