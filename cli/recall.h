/* SPDX-License-Identifier: MIT */
/* The command line of a run, kept in its directory, so that --resume need not repeat it. */
#ifndef CLI_RECALL_H
#define CLI_RECALL_H

#include "command.h"

/** Whether a training has left its checkpoint there: its records stay as they are. */
bool run_stands(const char *run);

/**
 * Write RUN/command.json: the words behind the command's name, and the directory in which they were
 * typed. RUN is made if missing.
 */
enum zf_status recall_write(const char *run, int argc, char **argv, struct zf_error *err);

/**
 * The words of RUN/command.json followed by those given now, of which the later ones count.
 *
 * words  handed over with all of its strings: free with recall_free()
 *
 * Returns ZF_EINPUT where there is no record, or it is none, and in another directory than the one
 * in which the paths were typed; ZF_ENOMEM.
 */
enum zf_status recall_read(const char *run, int argc, char **argv, char ***words, int *count,
                           struct zf_error *err);
void recall_free(char **words, int count);

#endif
