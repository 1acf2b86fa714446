/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <stdlib.h>

/* The first that is set tells. Slurm sets its own for whatever runs in a job, so there what MPI is
   started by must be there as well. */
static const struct {
    const char *count, *rank, *also;
} launchers[] = {
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", NULL},
    {"PMI_SIZE", "PMI_RANK", NULL},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "PMIX_RANK"},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "PMI_FD"},
};

static int number_of(const char *name)
{
    const char *text = getenv(name);
    const long number = text ? strtol(text, NULL, 10) : 0;

    return number > 0 && number < 1 << 20 ? (int)number : 0;
}

static size_t launcher(void)
{
    size_t i = 0;

    while (i < ZF_COUNT(launchers) && (number_of(launchers[i].count) == 0 ||
                                       (launchers[i].also && !getenv(launchers[i].also))))
        i++;
    return i;
}

int launched_count(void)
{
    const size_t i = launcher();

    return i < ZF_COUNT(launchers) ? number_of(launchers[i].count) : 0;
}

int launched_rank(void)
{
    const size_t i = launcher();

    return i < ZF_COUNT(launchers) ? number_of(launchers[i].rank) : 0;
}

enum zf_status launch_join(struct call *call, struct zf_error *err)
{
    const int count = launched_count();

    if (count == 0 || (count == 1 && (!call->command->shares || !zf_ranks_library())))
        return ZF_OK;
    if (!call->command->shares)
        return zf_fail(
            err, ZF_EUNSUPPORTED,
            "%s does not divide its work: each of the %d ranks would do all of it; start "
            "it without mpirun",
            call->command->name, count);
    return zf_ranks_join(&call->ranks, err);
}
