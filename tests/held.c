/* SPDX-License-Identifier: MIT */
#include "held.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zf/engine.h"

#define EXIT_SKIPPED 77 /* as meson reads it */

int hold_processor(void **state)
{
    const char *name = getenv("ZF_TEST_CPU");
    struct zf_error err = {0};

    (void)state;
    if (!name || zf_cpu_limit(name, &err) == ZF_OK)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    for (size_t i = 0; zf_cpu_name(i); i++) {
        if (strcmp(zf_cpu_name(i), name) == 0)
            return -1; /* it is here, so the limit must hold */
    }
    exit(EXIT_SKIPPED);
}
