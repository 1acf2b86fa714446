/* SPDX-License-Identifier: MIT */
/* What start.c loads: the program but for its start, in a shared object of its own. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

struct program {
    int (*run)(int argc, char **argv); /* as main(); returns the exit code */
};

/* Found by its name once it is loaded. */
extern const struct program zfscope_program;

#endif
