/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <inttypes.h>
#include <string.h>

#include <vips/vips.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

enum zf_status zf_picture_encode(const struct zf_picture *picture, int quality, uint8_t **bytes,
                                 size_t *size, struct zf_error *err)
{
    enum zf_status status;
    const char *format = quality == 0 ? "PNG" : "JPEG";
    VipsImage *image = NULL;
    void *encoded = NULL;
    uint8_t *copy;
    size_t length = 0;
    int failed;

    if (quality < 0 || quality > 100)
        return zf_fail(err, ZF_EINVAL, "a JPEG quality of %d is not in 1 .. 100", quality);
    if (picture->width > VIPS_MAX_COORD || picture->height > VIPS_MAX_COORD)
        return zf_fail(err, ZF_EINVAL,
                       "a picture of %" PRId64 " x %" PRId64 " px is too large for %s",
                       picture->width, picture->height, format);
    ZF_TRY(zf_vips_start(err));
    image =
        vips_image_new_from_memory(picture->pixels, (size_t)(picture->width * picture->height * 3),
                                   (int)picture->width, (int)picture->height, 3, VIPS_FORMAT_UCHAR);
    if (!image)
        failed = 1;
    else if (quality == 0)
        failed = vips_pngsave_buffer(image, &encoded, &length, NULL);
    else
        failed = vips_jpegsave_buffer(image, &encoded, &length, "Q", quality, NULL);
    if (failed)
        ZF_LEAVE(zf_vips_fail(err, ZF_EIO, format, "cannot encode a picture"));
    /* Into our own kind of memory, so that zf_bytes_free() fits bytes of any origin. */
    copy = zf_alloc_raw(length, 1);
    if (!copy)
        ZF_LEAVE(zf_fail(err, ZF_ENOMEM, "no memory for %zu bytes of %s", length, format));
    memcpy(copy, encoded, length);
    *bytes = copy;
    *size = length;
fail:
    g_free(encoded);
    if (image)
        g_object_unref(image);
    return status;
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

    ZF_TRY(zf_picture_encode(picture, 0, &bytes, &size, err));
    ZF_TRY(zf_file_write(path, bytes, size, err));
fail:
    zf_bytes_free(bytes);
    return status;
}
