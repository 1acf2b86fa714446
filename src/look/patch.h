/* SPDX-License-Identifier: MIT */
/* Projections are zero outside of their patch, so that is all that is kept of them. */
#ifndef ZF_LOOK_PATCH_H
#define ZF_LOOK_PATCH_H

#include "zf/net.h"

/**
 * The box of [c, h, w] as an array of its own, [c, height, width]; NULL when memory is short. Free
 * with zf_free().
 */
float *zf_patch_cut(const float *src, struct zf_shape shape, struct zf_box box);

#endif
