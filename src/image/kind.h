/* SPDX-License-Identifier: MIT */
/* What kind of picture a file is, by its first bytes. */
#ifndef ZF_IMAGE_KIND_H
#define ZF_IMAGE_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZF_KIND_BYTES 64 /* of a file's beginning are looked at */

/**
 * The name of a kind that can be decoded ("PNG"), or NULL. A file may still be damaged.
 *
 * head       [head_size] the first bytes, at most ZF_KIND_BYTES
 * file_size  of the whole, which must hold what the first bytes promise
 */
const char *zf_picture_kind(const uint8_t *head, size_t head_size, uint64_t file_size);

#endif
