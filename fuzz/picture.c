/* SPDX-License-Identifier: MIT */
/* A picture file of any kind. Small ones only, as decoding large ones is slow rather than wrong. */
#include "target.h"

#include <stdlib.h>

#include "image/picture.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    static const struct zf_picture_limits limits = {.max_pixels = 10000};
    struct zf_picture picture = {0};
    struct zf_box original;
    struct zf_error err;
    uint32_t sum = 0;

    if (zf_picture_decode(bytes, size, "fuzz.jpg", 0, &limits, &picture, &original, &err) != ZF_OK)
        return false;
    if (original.width != picture.width || original.height != picture.height)
        abort();
    for (int64_t i = 0; i < picture.width * picture.height * 3; i++)
        sum += picture.pixels[i]; /* every pixel must have been written */
    if (sum == UINT32_MAX)
        abort();
    zf_picture_release(&picture);
    return true;
}
