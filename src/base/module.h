/* SPDX-License-Identifier: MIT */
/* Objects that are loaded where they are needed, for the libraries that come with them. */
#ifndef ZF_BASE_MODULE_H
#define ZF_BASE_MODULE_H

#include "zf/base.h"

/**
 * What an object of zfscope's own has under a name. It stands beside the library that this function
 * is in, where both were built, and in its folder "zfscope" where they are installed; it is never
 * unloaded.
 *
 * file, symbol  "zfscope-vips.so", and the name of a constant in it
 *
 * Returns NULL with ZF_EIO where it, or a library that comes with it, cannot be loaded.
 */
const void *zf_module_load(const char *file, const char *symbol, struct zf_error *err);

#endif
