/* SPDX-License-Identifier: MIT */
/**
 * Readers of files from outside, fed with anything. A target is one file that defines
 * fuzz_accepts(). libfuzzer.c makes inputs up for it (meson option `fuzz`); replay.c runs the kept
 * ones of corpus/ as an ordinary test.
 */
#ifndef ZF_FUZZ_TARGET_H
#define ZF_FUZZ_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read these bytes as such a file, look at all that was read, free it; was it accepted? */
bool fuzz_accepts(const uint8_t *bytes, size_t size);

#endif
