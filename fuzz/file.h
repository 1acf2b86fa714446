/* SPDX-License-Identifier: MIT */
/* For readers that take the name of a file. */
#ifndef ZF_FUZZ_FILE_H
#define ZF_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/**
 * The path of a file with this name and these bytes, in a directory that is removed when the
 * program ends. Static, and good until the next call.
 */
const char *fuzz_file(const char *name, const uint8_t *bytes, size_t size);

/* That directory. */
const char *fuzz_directory(void);

#endif
