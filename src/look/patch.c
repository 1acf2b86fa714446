/* SPDX-License-Identifier: MIT */
#include "look/patch.h"

#include <string.h>

#include "base/memory.h"

float *zf_patch_cut(const float *src, struct zf_shape shape, struct zf_box box)
{
    float *patch = zf_alloc_raw((size_t)(shape.c * box.height * box.width), sizeof *patch);

    for (int64_t c = 0; patch && c < shape.c; c++) {
        for (int64_t y = 0; y < box.height; y++)
            memcpy(patch + (c * box.height + y) * box.width,
                   src + (c * shape.h + box.y + y) * shape.w + box.x,
                   (size_t)box.width * sizeof *patch);
    }
    return patch;
}
