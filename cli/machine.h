/* SPDX-License-Identifier: MIT */
/* What the program needs to know about the machine it runs on, and says of itself there. */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/engine.h"

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
