/* SPDX-License-Identifier: MIT */
/* Which tars a name of a data set stands for. */
#ifndef ZF_DATA_SHARD_NAMES_H
#define ZF_DATA_SHARD_NAMES_H

#include <sys/stat.h>

#include "base/directory.h"

/**
 * As a shell would: {000..127} counts, with zeros in front where one end has them, {a,b} names;
 * braces within braces too. A name without any is itself.
 *
 * names  appended to, in order
 *
 * ZF_EINPUT for more than ZF_MOST_SHARDS; ZF_ENOMEM.
 */
#define ZF_MOST_SHARDS 100000
enum zf_status zf_braces_expand(const char *name, struct zf_names *names, struct zf_error *err);

/* Whether a name, of a file or directory of that `info` or of neither (NULL), stands for tars: one,
   a directory of them that holds no folders and no pictures, or several in braces. */
bool zf_shard_names_match(const char *name, const struct stat *info);

/**
 * These tars, in order; release the names in any case. ZF_EINPUT for compressed ones, and for a
 * directory whose shards are of more than one part of a data set (train, val, test).
 */
enum zf_status zf_shard_names(const char *name, struct zf_names *names, struct zf_error *err);

#endif
