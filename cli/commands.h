/* SPDX-License-Identifier: MIT */
/* All commands, and the options that each has. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "command.h"

#define MOST_COMMANDS 64

/** All commands, in the order of the help; returns how many. */
size_t list_commands(const struct command *commands[MOST_COMMANDS]);

/** The options that every command takes, rows of struct common_options. */
struct option_table common_option_table(void);

#define MOST_TABLES 5

struct command_table {
    struct option_table table;
    const char *title; /* above it, in the help */
    bool own;          /* of the command alone: stands in the short help */
};

/** The tables of a command's options; returns how many. */
size_t command_tables(const struct command *command, struct command_table tables[MOST_TABLES]);

/** Say in `err` which other commands have an option that this one has not, where there are some. */
void commands_fail_foreign(const struct command *command, const char *option, struct zf_error *err);

#endif
