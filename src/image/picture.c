/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/status.h"

enum zf_status zf_picture_init_raw(struct zf_picture *picture, int64_t width, int64_t height,
                                   struct zf_error *err)
{
    int64_t bytes;
    uint8_t *pixels;

    if (width < 1 || height < 1 || !zf_mul3(width, height, 3, &bytes))
        return zf_fail(err, ZF_EINVAL, "a picture of %" PRId64 " x %" PRId64 " px cannot exist",
                       width, height);
    pixels = zf_alloc_raw((size_t)bytes, 1);
    if (!pixels)
        return zf_fail(err, ZF_ENOMEM, "no memory for a picture of %" PRId64 " x %" PRId64 " px",
                       width, height);
    *picture = (struct zf_picture){width, height, pixels};
    return ZF_OK;
}

enum zf_status zf_picture_init(struct zf_picture *picture, int64_t width, int64_t height,
                               struct zf_error *err)
{
    enum zf_status status = zf_picture_init_raw(picture, width, height, err);

    if (status == ZF_OK)
        memset(picture->pixels, 0, (size_t)(width * height * 3));
    return status;
}

void zf_picture_release(struct zf_picture *picture)
{
    zf_free(picture->pixels);
    *picture = (struct zf_picture){0};
}

void zf_pictures_free(struct zf_picture **pictures, int64_t count)
{
    if (!pictures || !*pictures)
        return;
    for (int64_t i = 0; i < count; i++)
        zf_picture_release(&(*pictures)[i]);
    zf_free(*pictures);
    *pictures = NULL;
}

struct zf_decoded zf_decoded_whole(struct zf_picture *picture)
{
    const struct zf_decoded decoded = {
        .picture = *picture,
        .width = picture->width,
        .height = picture->height,
        .original = {0, 0, picture->width, picture->height},
    };

    *picture = (struct zf_picture){0};
    return decoded;
}

void zf_decoded_note(struct zf_decoded *decoded, const char *format, ...)
{
    va_list arguments;

    if (decoded->odd.text[0] != '\0')
        return;
    va_start(arguments, format);
    vsnprintf(decoded->odd.text, sizeof decoded->odd.text, format, arguments);
    va_end(arguments);
}
