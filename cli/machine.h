/* SPDX-License-Identifier: MIT */
/* What the program needs to know about the machine it runs on. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

/** Cores that this process may use, at least 1. */
int machine_cores(void);

/** The most memory this process has held so far, MiB. */
double machine_peak_rss_mib(void);

#endif
