/* SPDX-License-Identifier: MIT */
#include "operators.h"

#include <string.h>

#include "base/status.h"

static const struct zf_operator *const tables[] = {
    zf_operators_window, zf_operators_pointwise, zf_operators_combine, zf_operators_dense,
    zf_operators_layout, zf_operators_pick,      zf_operators_resize,  zf_operators_normal,
    zf_operators_reduce, zf_operators_quantise,  zf_operators_choose,  zf_operators_einsum,
    zf_operators_places, zf_operators_scatter,   zf_operators_powers,  zf_operators_fold,
};

const struct zf_operator *zf_operator_find(const char *name)
{
    for (size_t i = 0; i < ZF_COUNT(tables); i++) {
        for (const struct zf_operator *known = tables[i]; known->name; known++) {
            if (strcmp(known->name, name) == 0)
                return known;
        }
    }
    return NULL;
}
