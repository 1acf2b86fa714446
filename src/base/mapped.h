/* SPDX-License-Identifier: MIT */
/**
 * Which files this process has mapped. One that is cut off while it is mapped ends the process by
 * SIGBUS, and one that is written over shows its new bytes: whoever is told so wants its name.
 */
#ifndef ZF_BASE_MAPPED_H
#define ZF_BASE_MAPPED_H

#include <sys/stat.h>

#include "zf/base.h"

/* What lies beyond this many mappings at once has no name. */
#define ZF_MOST_MAPPED 256

void zf_mapped_add(const void *data, size_t size, const char *path, const struct stat *info);

/* Look again when it is removed: its bytes are used all the while, and are in no checksum. */
void zf_mapped_watch(const void *data);

void zf_mapped_remove(const void *data); /* one that was not added is fine */

#endif
