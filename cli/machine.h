/* SPDX-License-Identifier: MIT */
/* What the program needs to know about the machine it runs on, and says of itself there. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/engine.h"

/**
 * Have OpenMP's threads sleep soon when they wait, and OpenBLAS, which liblinear may have brought,
 * start none: where address space is limited (`ulimit -v`), its threads ask for memory without end,
 * and ending the program waits for them. Both unless the user's environment says otherwise.
 * These libraries read their settings before main() runs, so this starts the program once more, in
 * place, which costs the time to load its libraries again. A debugger reports "executing new
 * program"; with GOMP_SPINCOUNT=10000 and OPENBLAS_NUM_THREADS=1 in the environment it does not
 * happen (CONTRIBUTING.md). A command that runs no net only needs it where address space is
 * limited.
 */
void machine_share_cores(char **argv, bool runs_net);

/** Where what can be made again may be kept: zfscope's folder in that of XDG_CACHE_HOME, or in
    ~/.cache. NULL where there is neither; free with free(). */
char *machine_cache_directory(void);

/** The most memory this process has held so far, MiB. */
double machine_peak_rss_mib(void);

/** Where this build has plain loops alone: a sentence that says so, with the way out. Else NULL. */
const char *machine_slow(void);

/** zfscope, its engine, the instruction set in use and the libraries below, one a line. */
void machine_print_versions(FILE *out);

/** The same as keys of `json`, of the engine named (NULL = the best). */
void machine_add_versions(cJSON *json, const char *engine);

#endif
