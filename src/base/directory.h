/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_DIRECTORY_H
#define ZF_BASE_DIRECTORY_H

#include <dirent.h>

#include "zf/base.h"

struct zf_names {
    char **items;
    size_t count, capacity;
};

/**
 * The names in a directory, sorted bytewise, so that the order is the same on every machine; those
 * that begin with a dot do not count. ZF_EINPUT when there is none to be opened; ZF_EIO, ZF_ENOMEM.
 * Release with zf_names_release() in any case.
 */
enum zf_status zf_directory_list(const char *path, struct zf_names *names, struct zf_error *err);

/**
 * The next entry of a directory that is open; NULL at its end, and where reading fails: then
 * `status` becomes ZF_EIO, which a loop over readdir() alone takes for the end. `path` names it.
 */
const struct dirent *zf_directory_next(DIR *directory, const char *path, enum zf_status *status,
                                       struct zf_error *err);

void zf_names_release(struct zf_names *names); /* accepts empty */

#endif
