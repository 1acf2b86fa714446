/* SPDX-License-Identifier: MIT */
/* What the program needs to know about the machine it runs on. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

/**
 * Have OpenMP's threads sleep soon when they wait, unless the user's environment says otherwise.
 * libgomp reads its settings before main() runs, so this starts the program once more, in place,
 * which costs the time to load its libraries again.
 */
void machine_share_cores(char **argv);

/** The most memory this process has held so far, MiB. */
double machine_peak_rss_mib(void);

#endif
