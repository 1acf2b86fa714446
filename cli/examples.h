/* SPDX-License-Identifier: MIT */
/* Command lines to begin with, for the help. */
#ifndef CLI_EXAMPLES_H
#define CLI_EXAMPLES_H

#include <stddef.h>

#define EXAMPLES 3

/** The i-th example of a command; NULL past the last. */
const char *example_of(const char *command, size_t i);

#endif
