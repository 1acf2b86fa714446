/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "occlude_fixture.h"

struct zf_tensor inputs_of(struct world *w)
{
    struct zf_tensor inputs = {0};

    must(w, zf_tensor_init(&inputs, IMAGES, 3, SIDE, SIDE, &w->err));
    for (int64_t i = 0; i < IMAGES; i++)
        prepared(w, 3 * i, inputs.data + i * 3 * SIDE * SIDE);
    return inputs;
}

struct zf_occlude_options exact(void)
{
    return (struct zf_occlude_options){
        .size = 5, .stride = 3, .target = -1, .layer = -1, .compute = {.engine = "reference"}};
}

struct zf_occlusions *run(struct world *w, const struct zf_tensor *inputs,
                          const struct zf_occlude_options *options)
{
    struct zf_occlusions *result = NULL;

    must(w, zf_occlude_run(w->net, inputs, options, &result, NULL, &w->err));
    return result;
}
