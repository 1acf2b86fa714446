/* SPDX-License-Identifier: MIT */
/* What is unusual about a picture file that has all of its pixels nevertheless. */
#ifndef ZF_IMAGE_ODDITY_H
#define ZF_IMAGE_ODDITY_H

#include "zf/image.h"

struct zf_oddity {
    char text[120]; /* empty when nothing is */
};

/* zf_picture_load_square(), which also says that; `odd` may be NULL. */
enum zf_status zf_picture_load_noting(const char *path, struct zf_geometry geometry,
                                      const struct zf_picture_limits *limits,
                                      struct zf_picture *square, struct zf_oddity *odd,
                                      struct zf_error *err);

/* The same of a file's bytes, lent; `name` stands for the path. */
enum zf_status zf_picture_square_noting(const uint8_t *bytes, size_t size, const char *name,
                                        struct zf_geometry geometry, struct zf_picture *square,
                                        struct zf_oddity *odd, struct zf_error *err);

/* ZF_EINPUT for a file of more bytes than are read by default, before memory is asked for. */
enum zf_status zf_picture_check_bytes(uint64_t size, const char *name, struct zf_error *err);

#endif
