/* SPDX-License-Identifier: MIT */
/* Inside of the decoder that libvips is. */
#ifndef ZF_IMAGE_VIPS_H
#define ZF_IMAGE_VIPS_H

#include "image/picture.h"
#include "image/vips_library.h"

/* Open a picture for reading from its top; handed over. ZF_EINPUT. */
enum zf_status zf_vips_open(const struct zf_source *source, VipsImage **image,
                            struct zf_error *err);

/* Sees row y of an image, from the top to the last. */
typedef void zf_vips_row(void *user, int y, const void *row);

/* False when pixels cannot be had; libvips has the reason. An image can be read once. */
bool zf_vips_rows(VipsImage *image, zf_vips_row *row, void *user);

/**
 * Bring what libvips makes of a file to 8-bit RGB.
 *
 * image  just opened from `source`
 * made   its picture has the image's size and is filled; what is odd is noted
 *
 * Returns ZF_EINPUT for damage, for other than 1 to 4 channels, and for values that no picture has.
 */
enum zf_status zf_vips_to_rgb(const struct zf_source *source, VipsImage *image,
                              struct zf_decoded *made, struct zf_error *err);

#endif
