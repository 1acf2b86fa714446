/* SPDX-License-Identifier: MIT */
/* The step itself is public (zf/train.h); here is what it needs of the inside, and a step on some
   of the parameters: ranks (zf/ranks.h) share it. */
#ifndef ZF_TRAIN_STEP_H
#define ZF_TRAIN_STEP_H

#include "net/net.h"
#include "zf/train.h"

/* The last parameter up to `at` that a part may begin with: no filter is cut. */
int64_t zf_step_place(const struct zf_net *net, int64_t at);

/* zf_step_apply() for the parameters from `begin` to `end`, two places. */
void zf_step_apply_part(struct zf_net *net, const float *gradients, float *velocity, int64_t begin,
                        int64_t end, const struct zf_step *step);

#endif
