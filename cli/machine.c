/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* sched_getaffinity: under `taskset` there are fewer cores than in the box */
#include "machine.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

int machine_cores(void)
{
    cpu_set_t set;
    long online;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

double machine_peak_rss_mib(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (double)usage.ru_maxrss / 1024; /* Linux counts in KiB */
}
