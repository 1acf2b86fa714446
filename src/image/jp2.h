/* SPDX-License-Identifier: MIT */
/* What a JPEG 2000 file may ask for, before a decoder that was not made for strangers' files sees
 * it. */
#ifndef ZF_IMAGE_JP2_H
#define ZF_IMAGE_JP2_H

#include "image/picture.h"

/**
 * Read the size segment of a JPEG 2000 file (.jp2, .j2k) and refuse what would cost OpenJPEG more
 * than a picture is worth: over 25 million pixels, 1024 tiles, 4 channels or 16 bits, and over 64
 * MiB of bytes. ZF_EINPUT with the source's name, also where there is no such segment.
 */
enum zf_status zf_jp2_check(const struct zf_source *source, struct zf_error *err);

#endif
