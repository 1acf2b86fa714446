/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_CRC32C_H
#define ZF_BASE_CRC32C_H

#include "zf/base.h"

/**
 * CRC-32C (Castagnoli) of `size` bytes behind those that gave `crc`; start with 0. Checks our
 * checkpoints and packed pictures, and is what TensorBoard's files are framed with.
 */
uint32_t zf_crc32c(uint32_t crc, const void *data, size_t size);

#endif
