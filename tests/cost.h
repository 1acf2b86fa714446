/* SPDX-License-Identifier: MIT */
/**
 * What reading bytes costs: they are read in a process of its own, whose time and memory the system
 * tells. A megabyte that was made to be expensive takes under 100 ms of processor time and 64 MiB.
 */
#ifndef ZF_TESTS_COST_H
#define ZF_TESTS_COST_H

#include "base/file.h"

#define MEGABYTE ((size_t)1 << 20)

struct reader {
    const char *name;
    enum zf_status (*read)(const struct zf_bytes *bytes, struct zf_error *err);
};

/**
 * Fails unless the bytes are read cheaply and refused (ZF_EINPUT, ZF_EUNSUPPORTED) with `expected`
 * in the sentence, or accepted where `expected` is NULL.
 */
void handle_cheaply(const struct reader *reader, const char *what, const void *bytes, size_t size,
                    const char *expected);

/** Refused with any sentence. */
void refuse_cheaply(const struct reader *reader, const char *what, const void *bytes, size_t size);

#endif
