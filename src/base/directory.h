/* SPDX-License-Identifier: MIT */
#ifndef ZF_BASE_DIRECTORY_H
#define ZF_BASE_DIRECTORY_H

#include "zf/base.h"

struct zf_names {
    char **items;
    size_t count, capacity;
};

/**
 * The names in a directory, sorted bytewise, so that the order is the same on every machine; those
 * that begin with a dot do not count. ZF_EINPUT when it cannot be read; ZF_ENOMEM. Release with
 * zf_names_release() in any case.
 */
enum zf_status zf_directory_list(const char *path, struct zf_names *names, struct zf_error *err);
void zf_names_release(struct zf_names *names); /* accepts empty */

#endif
