/* SPDX-License-Identifier: MIT */
/* Folders where pictures are asked for. */
#ifndef CLI_IMAGES_H
#define CLI_IMAGES_H

#include "command.h"

/**
 * Put the pictures of each folder among the words behind the first in its place, as a data set of
 * that name has them. For commands that take IMAGE...; `args` is that of `call`.
 */
enum zf_status images_expand(const struct call *call, struct args *args, struct zf_error *err);

#endif
