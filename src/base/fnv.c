/* SPDX-License-Identifier: MIT */
#include "fnv.h"

uint64_t zf_fnv(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *b = bytes;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ b[i]) * ZF_FNV_PRIME;
    return hash;
}
