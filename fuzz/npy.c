/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <stdlib.h>

#include "tensor/npz.h"

bool fuzz_accepts(const uint8_t *bytes, size_t size)
{
    const struct zf_bytes file = {.data = bytes, .size = size};
    struct zf_tensor tensor = {0};
    struct zf_error err;
    const bool archive = size > 1 && bytes[0] == 'P' && bytes[1] == 'K';

    if ((archive ? zf_npz_parse : zf_npy_parse)(&file, "fuzz.npy", &tensor, NULL, &err) != ZF_OK)
        return false;
    if (tensor.data[zf_tensor_count(&tensor) - 1] == 17.0f) /* the last value must be there */
        tensor.data[0] = 0.0f;
    zf_tensor_release(&tensor);
    return true;
}
