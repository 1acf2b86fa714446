/* SPDX-License-Identifier: MIT */
/* Started by mpirun or srun, as one of several. */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "command.h"

/** How many the launcher says it has started; 0 = there was none. And which one this is. */
int launched_count(void);
int launched_rank(void);

/**
 * Meet the others, for a command that divides its work between ranks; call->ranks stays NULL where
 * there was no launcher.
 *
 * Returns ZF_EUNSUPPORTED where several were started of a command that would do all of its work as
 * often, or in a build without MPI.
 */
enum zf_status launch_join(struct call *call, struct zf_error *err);

#endif
