/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: a file's bytes on their way to a picture. */
#ifndef ZF_IMAGE_PICTURE_H
#define ZF_IMAGE_PICTURE_H

#include "zf/image.h"

/* The bytes of one picture file and what the caller wants of them; everything is lent. */
struct zf_source {
    const uint8_t *bytes;
    size_t size;      /* > 0 */
    const char *name; /* for error sentences */
    int64_t short_side;
    struct zf_picture_limits limits; /* resolved: no zeros left */
};

/**
 * A way to read a kind of picture. `decode` fills *picture (handed over, upright) and *original
 * (its full size) only on success.
 */
struct zf_decoder {
    const char *name;
    bool (*knows)(const struct zf_source *source);
    enum zf_status (*decode)(const struct zf_source *source, struct zf_picture *picture,
                             struct zf_box *original, struct zf_error *err);
};

extern const struct zf_decoder zf_jpeg_decoder; /* libjpeg-turbo: fast, shrinks while decoding */
extern const struct zf_decoder zf_vips_decoder; /* libvips: everything else */

/* ZF_EINPUT when a picture of this size, read from the header, is beyond the source's limits. */
enum zf_status zf_source_check_size(const struct zf_source *source, int64_t width, int64_t height,
                                    struct zf_error *err);

/* zf_picture_init() for a picture that is about to be written completely: not cleared. */
enum zf_status zf_picture_init_raw(struct zf_picture *picture, int64_t width, int64_t height,
                                   struct zf_error *err);

/**
 * The orientation (1 to 8) that an EXIF block states, 1 when it states none or is malformed.
 * block  the payload of a JPEG's APP1 segment, "Exif\0\0" included; any bytes are safe
 */
int zf_exif_orientation(const uint8_t *block, size_t size);

/* Turn a picture upright in place; `orientation` as in EXIF, others than 2 to 8 change nothing. */
enum zf_status zf_picture_orient(struct zf_picture *picture, int orientation, struct zf_error *err);

/* Start libvips, once for the process and thread-safe. ZF_EUNSUPPORTED when it does not start. */
enum zf_status zf_vips_start(struct zf_error *err);

/* Fail with "name: what: " and the text that libvips left behind, which is cleared. */
enum zf_status zf_vips_fail(struct zf_error *err, enum zf_status status, const char *name,
                            const char *what);

#endif
