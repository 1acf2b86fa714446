/* SPDX-License-Identifier: MIT */
/* A page's pictures: within it, or, where they are many, in files beside it, which a browser loads
   when they come into view. */
#ifndef ZF_PAGE_BESIDE_H
#define ZF_PAGE_BESIDE_H

#include <stdio.h>

#include "zf/image.h"

#define ZF_PAGE_MOST (INT64_C(4) << 20) /* bytes of pictures that a page has within it */

struct zf_beside {
    const char *folder;  /* of the files, without a slash at its end; made with the first of them */
    const char *address; /* of the folder as seen from the page, percent-encoded, likewise */
    bool used;           /* pictures go there; false = within the page, as long as `held` allows */
    int64_t held;        /* bytes within the page; those beyond ZF_PAGE_MOST are not written */
    int count;           /* files so far */
};

/* Whether the pictures have become too many for the page itself. */
bool zf_beside_overflows(const struct zf_beside *beside);

/* Write src="..." of an image. beside: NULL = within the page. Returns ZF_EIO, ZF_ENOMEM. */
enum zf_status zf_source_write(FILE *out, struct zf_beside *beside, const uint8_t *bytes,
                               size_t size, bool jpeg, struct zf_error *err);

/* The same of a picture, as PNG, or as JPEG where that takes less than half as much: photos do, and
   maps of a few colours do not. */
enum zf_status zf_source_draw(FILE *out, struct zf_beside *beside, const struct zf_picture *picture,
                              struct zf_error *err);

#endif
