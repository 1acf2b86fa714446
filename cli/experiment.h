/* SPDX-License-Identifier: MIT */
/* A command of each experiment of the library: its help, its options, what it prints. */
#ifndef CLI_EXPERIMENT_H
#define CLI_EXPERIMENT_H

#include "command.h"

/** The command of zf_experiment_at(i); NULL past the last. */
const struct command *experiment_command(size_t i);

#endif
