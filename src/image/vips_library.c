/* SPDX-License-Identifier: MIT */
/* An object of its own, zfscope-vips.so: what brings libvips. */
#include "image/vips_library.h"

ZF_API const struct zf_vips zf_vips_functions = {
#define X(prefix, name) prefix##_##name,
    ZF_VIPS_FUNCTIONS(X)
#undef X
};
