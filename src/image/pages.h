/* SPDX-License-Identifier: MIT */
/* What a file asks for before its first picture is decoded. */
#ifndef ZF_IMAGE_PAGES_H
#define ZF_IMAGE_PAGES_H

#include "image/picture.h"

#define ZF_MOST_PAGES 4096 /* as many as libvips takes of a GIF */

/**
 * ZF_EINPUT for a WebP of more frames or a TIFF of more pages than ZF_MOST_PAGES. Their libraries
 * look at all of them before the first is decoded, at those of a WebP in time that grows with the
 * square of their number: 100 000 of 56 bytes took a minute. Other files pass.
 */
enum zf_status zf_pages_check(const struct zf_source *source, struct zf_error *err);

#endif
