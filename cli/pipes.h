/* SPDX-License-Identifier: MIT */
/*
 * "-" on a command line: a picture from stdin, a file to stdout. Both go by way of files in a
 * directory of their own, since pictures are mapped and results are written whole or not at all.
 */
#ifndef CLI_PIPES_H
#define CLI_PIPES_H

#include "command.h"

struct pipes {
    char *directory; /* NULL = not made yet */
    char *in, *out;  /* files in it, or NULL */
};

/**
 * Take what the words and --out say of "-": the picture is read from stdin to its end, and its word
 * and common.out become paths. ZF_EINVAL, by name, where a command does not take it.
 */
enum zf_status pipes_open(struct call *call, struct args *args, struct zf_error *err);

/**
 * A file whose contents go to stdout when the command has succeeded.
 * ending  of its name, ".npy"
 * Lent, by the call. ZF_EINVAL on a terminal, or where --json wants stdout too.
 */
enum zf_status pipes_out(struct call *call, const char *ending, const char **path,
                         struct zf_error *err);

/** Write that file to stdout; the files go first. ZF_EIO. */
enum zf_status pipes_deliver(const struct call *call, struct zf_error *err);

/** What a path is called where a person or a program reads it: "-" for stdin, "stdout". */
const char *pipes_name(const struct call *call, const char *path);

void pipes_close(struct pipes *pipes);

#endif
