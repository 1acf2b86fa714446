/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "image/vips_library.h"

#define MOST_SIDE 10000000 /* px, of libvips 8.14; later versions take more */
#define SAVED_QUALITY "92" /* of what a person keeps as JPEG or WebP */

/* As libvips names them: what its name ends in says the format, options follow in brackets. */
static const struct {
    const char *ending, *format;
} formats[] = {
    {".png", ".png"},
    {".jpg", ".jpg[Q=" SAVED_QUALITY "]"},
    {".jpeg", ".jpg[Q=" SAVED_QUALITY "]"},
    {".webp", ".webp[Q=" SAVED_QUALITY "]"},
    {".tif", ".tif[compression=deflate]"},
    {".tiff", ".tif[compression=deflate]"},
};

/* The format of a file's name, or NULL. */
static const char *format_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < ZF_COUNT(formats); i++) {
        if (strcasecmp(dot, formats[i].ending) == 0)
            return formats[i].format;
    }
    return NULL;
}

enum zf_status zf_picture_check_ending(const char *path, struct zf_error *err)
{
    if (format_of(path))
        return ZF_OK;
    return zf_fail(err, ZF_EINVAL,
                   "cannot write %s: a picture's name ends in .png, .jpg, .webp or .tif", path);
}

/* The format as libvips names it. */
static enum zf_status encode(const struct zf_picture *picture, const char *format, uint8_t **bytes,
                             size_t *size, struct zf_error *err)
{
    enum zf_status status;
    VipsImage *image = NULL;
    void *encoded = NULL;
    uint8_t *copy;
    size_t length = 0;

    if (picture->width > MOST_SIDE || picture->height > MOST_SIDE)
        return zf_fail(err, ZF_EINVAL,
                       "a picture of %" PRId64 " x %" PRId64 " px is too large for %s",
                       picture->width, picture->height, format);
    ZF_TRY(zf_vips_start(err));
    image = zf_vips->image_new_from_memory(
        picture->pixels, (size_t)(picture->width * picture->height * 3), (int)picture->width,
        (int)picture->height, 3, VIPS_FORMAT_UCHAR);
    if (!image || zf_vips->image_write_to_buffer(image, format, &encoded, &length, NULL) != 0)
        ZF_LEAVE(zf_vips_fail(err, ZF_EIO, format, "cannot encode a picture"));
    /* Into our own kind of memory, so that zf_bytes_free() fits bytes of any origin. */
    copy = zf_alloc_raw(length, 1);
    if (!copy)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for %zu bytes of %s", length, format));
    memcpy(copy, encoded, length);
    *bytes = copy;
    *size = length;
fail:
    if (encoded)
        zf_vips->free(encoded);
    if (image)
        zf_vips->object_unref(image);
    return status;
}

enum zf_status zf_picture_encode(const struct zf_picture *picture, int quality, uint8_t **bytes,
                                 size_t *size, struct zf_error *err)
{
    char format[24];

    if (quality < 0 || quality > 100)
        return zf_fail(err, ZF_EINVAL, "a JPEG quality of %d is not in 1 .. 100", quality);
    snprintf(format, sizeof format, quality == 0 ? ".png" : ".jpg[Q=%d]", quality);
    return encode(picture, format, bytes, size, err);
}

enum zf_status zf_picture_encode_soon(const struct zf_picture *picture, uint8_t **bytes,
                                      size_t *size, struct zf_error *err)
{
    return encode(picture, ".png[compression=1]", bytes, size, err);
}

void zf_bytes_free(uint8_t *bytes)
{
    zf_free(bytes);
}

enum zf_status zf_picture_save_png(const struct zf_picture *picture, const char *path,
                                   struct zf_error *err)
{
    enum zf_status status;
    uint8_t *bytes = NULL;
    size_t size = 0;

    ZF_TRY(encode(picture, ".png", &bytes, &size, err));
    ZF_TRY(zf_file_write(path, bytes, size, err));
fail:
    zf_bytes_free(bytes);
    return status;
}

enum zf_status zf_picture_save(const struct zf_picture *picture, const char *path,
                               struct zf_error *err)
{
    enum zf_status status;
    uint8_t *bytes = NULL;
    size_t size = 0;

    ZF_TRY(zf_picture_check_ending(path, err));
    ZF_TRY(encode(picture, format_of(path), &bytes, &size, err));
    ZF_TRY(zf_file_write(path, bytes, size, err));
fail:
    zf_bytes_free(bytes);
    return status;
}
