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

#endif
