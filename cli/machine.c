/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Rounds that a thread waits for the others before it sleeps: as fast as spinning on for
   milliseconds on a machine of one's own, and 40 % faster where other programs want the cores
   (docs/decisions.md). */
#define SPIN_COUNT "10000"

void machine_share_cores(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") ||
        setenv("GOMP_SPINCOUNT", SPIN_COUNT, 1) != 0)
        return;
    execv("/proc/self/exe", argv); /* where that is not to be had, go on as we are */
}

double machine_peak_rss_mib(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024; /* Linux counts in KiB */
}
