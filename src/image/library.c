/* SPDX-License-Identifier: MIT */
#include "zf/image.h"

#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "image/vips_library.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

bool zf_image_library(size_t i, struct zf_image_library *out)
{
    *out = (struct zf_image_library){0};
    switch (i) {
    case 0:
        out->name = "libvips";
        if (zf_vips_load(NULL) == ZF_OK)
            snprintf(out->version, sizeof out->version, "%d.%d.%d", zf_vips->version(0),
                     zf_vips->version(1), zf_vips->version(2));
        else
            snprintf(out->version, sizeof out->version, "missing");
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
    case 2:
        out->name = "libpng";
        snprintf(out->version, sizeof out->version, "%s", png_get_libpng_ver(NULL));
        return true;
    default:
        return false;
    }
}
