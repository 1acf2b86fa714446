/* SPDX-License-Identifier: MIT */
/* What a file's structure says that libvips does not pass on. Any bytes are safe. */
#ifndef ZF_IMAGE_PEEK_H
#define ZF_IMAGE_PEEK_H

#include "image/picture.h"

/* A whole number of `bytes` bytes in either order; 0 where it lies outside of the file. */
uint64_t zf_peek_number(const struct zf_source *source, uint64_t at, int bytes, bool big_endian);

/* Whether these bytes lie there. */
bool zf_peek_is(const struct zf_source *source, uint64_t at, const char *bytes, size_t size);

/* Where a TIFF's first directory is, and how its numbers are stored; false for another file. */
struct zf_tiff {
    const struct zf_source *source;
    bool big_endian, big; /* BigTIFF: its counts and places have eight bytes */
    uint64_t directory;
};
bool zf_tiff_begin(const struct zf_source *source, struct zf_tiff *tiff);

/* The first number of a tag in the first directory; `otherwise` where it is not there. */
uint64_t zf_tiff_value(const struct zf_tiff *tiff, int tag, uint64_t otherwise);

/* The eXIf chunk of a PNG, wherever it stands, as its size and where in the file; false for none.
 */
bool zf_png_exif(const struct zf_source *source, uint64_t *at, uint64_t *size);

/* Where the first frame of a GIF lies in the picture; false for another file, or for none. */
bool zf_gif_frame(const struct zf_source *source, struct zf_box *frame);

#endif
