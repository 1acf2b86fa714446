/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_RECOGNISE_H
#define ZF_BASE_RECOGNISE_H

#include "zf/base.h"

/**
 * What a file is that nothing here reads, as a sentence has it: "a PDF", "a zip archive: unpack it
 * first". NULL for what is not known, and for kinds that are read somewhere.
 *
 * head  [size] the first bytes; 512 are enough. Any bytes are safe
 */
const char *zf_recognise(const uint8_t *head, size_t size);

#endif
