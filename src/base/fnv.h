/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_FNV_H
#define ZF_BASE_FNV_H

#include "zf/base.h"

/*
 * FNV-1a, 64 bits, of `size` bytes behind those that gave `hash`; begin with ZF_FNV_START. The
 * tables of packed files and a run's pictures are known by it: their files have 64-bit fields for
 * it. What guards values against a faulty disk is CRC-32C (crc32c.h).
 */
#define ZF_FNV_START UINT64_C(0xcbf29ce484222325)
#define ZF_FNV_PRIME UINT64_C(0x100000001b3)
uint64_t zf_fnv(uint64_t hash, const void *bytes, size_t size);

#endif
