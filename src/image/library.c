/* SPDX-License-Identifier: MIT */
#include "zf/image.h"

#include <stdio.h>

#include <jpeglib.h>
#include <vips/vips.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

bool zf_image_library(size_t i, struct zf_image_library *out)
{
    *out = (struct zf_image_library){0};
    switch (i) {
    case 0:
        out->name = "libvips";
        snprintf(out->version, sizeof out->version, "%d.%d.%d", vips_version(0), vips_version(1),
                 vips_version(2));
        return true;
    case 1:
#ifdef LIBJPEG_TURBO_VERSION
        out->name = "libjpeg-turbo";
        snprintf(out->version, sizeof out->version, "%s", TEXT(LIBJPEG_TURBO_VERSION));
#else
        out->name = "libjpeg";
        snprintf(out->version, sizeof out->version, "%g", JPEG_LIB_VERSION / 10.0);
#endif
        return true;
    default:
        return false;
    }
}
