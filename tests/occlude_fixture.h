/* SPDX-License-Identifier: MIT */
/* What the tests of occlusion and of its page begin with. */
#ifndef ZF_TESTS_OCCLUDE_FIXTURE_H
#define ZF_TESTS_OCCLUDE_FIXTURE_H

#include "experiments/occlude/occlude.h"
#include "look_world.h"

#define IMAGES 2

/* [IMAGES, 3, SIDE, SIDE]; release with zf_tensor_release(). */
struct zf_tensor inputs_of(struct world *w);

/* A square of 5 px in steps of 3, on the reference engine. */
struct zf_occlude_options exact(void);

struct zf_occlusions *run(struct world *w, const struct zf_tensor *inputs,
                          const struct zf_occlude_options *options);

#endif
