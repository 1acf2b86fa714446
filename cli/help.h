/* SPDX-License-Identifier: MIT */
/* Help, printed from the tables that the parser reads. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "command.h"

/** Every command with its summary. */
void help_overview(FILE *out, const struct command *const *commands, size_t count);

/** One command: usage, what it does, examples, its options; `all`: and those that many share. */
void help_command(FILE *out, const struct command *command, bool all);

#endif
