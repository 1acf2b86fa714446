/* SPDX-License-Identifier: MIT */
#ifndef ZF_IMAGE_TIFF_H
#define ZF_IMAGE_TIFF_H

#include "image/picture.h"

/**
 * ZF_EINPUT, with what the file is, for a TIFF that libvips would refuse without a reason that
 * helps, and for a camera's raw file, whose first picture is a small one. Other files pass.
 */
enum zf_status zf_tiff_check(const struct zf_source *source, struct zf_error *err);

/* Whether there are channels behind a TIFF's colours that it does not call alpha. */
bool zf_tiff_has_unnamed(const struct zf_source *source);

#endif
