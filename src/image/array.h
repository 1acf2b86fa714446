/* SPDX-License-Identifier: MIT */
/* Arrays of uint8 whose numbers are a picture's levels, or those of several. */
#ifndef ZF_IMAGE_ARRAY_H
#define ZF_IMAGE_ARRAY_H

#include "tensor/array_file.h"
#include "zf/image.h"

/* How many channels a picture may give: grey or colour. */
bool zf_are_colours(int64_t channels);

/* `count` pictures; strides in numbers. */
struct zf_levels_array {
    int64_t count, height, width, channels;
    int64_t picture, row, column, channel;
};

/** [N,H,W,C], [N,C,H,W], [H,W,C], [C,H,W], [N,H,W] or [H,W], C being 1 or 3; ZF_EINPUT for others.
 */
enum zf_status zf_array_find(const char *path, const struct zf_tensor *file, int rank,
                             struct zf_levels_array *out, struct zf_error *err);

/** Picture i of them. */
enum zf_status zf_array_picture(const struct zf_levels_array *levels, const struct zf_tensor *file,
                                int64_t i, struct zf_picture *picture, struct zf_error *err);

/** The picture of a file of one; or none, *are_levels being false, of numbers that are a net's
 *  input. ZF_EINPUT for several pictures. */
enum zf_status zf_array_open(const char *path, bool *are_levels, struct zf_picture *picture,
                             struct zf_error *err);

/** The square of a file of one picture. ZF_EINPUT for numbers that are none. */
enum zf_status zf_array_square(const char *path, struct zf_geometry geometry,
                               struct zf_picture *square, struct zf_error *err);

#endif
