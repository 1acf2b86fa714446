/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include "base/file.h"
#include "base/status.h"

static const struct zf_picture_limits default_limits = {
    .max_bytes = INT64_C(256) << 20,
    .max_side = 16384,
    .max_pixels = 100000000,
};

/* Asked in order, by content: a file's name says nothing reliable. The last one takes all. */
static const struct zf_decoder *const decoders[] = {&zf_jpeg_decoder, &zf_vips_decoder};

static struct zf_picture_limits resolve(const struct zf_picture_limits *limits)
{
    struct zf_picture_limits resolved = default_limits;

    if (limits && limits->max_bytes > 0)
        resolved.max_bytes = limits->max_bytes;
    if (limits && limits->max_side > 0)
        resolved.max_side = limits->max_side;
    if (limits && limits->max_pixels > 0)
        resolved.max_pixels = limits->max_pixels;
    return resolved;
}

enum zf_status zf_source_check_size(const struct zf_source *source, int64_t width, int64_t height,
                                    struct zf_error *err)
{
    const struct zf_picture_limits *limits = &source->limits;

    if (width < 1 || height < 1)
        return zf_fail(err, ZF_EINPUT, "%s: a picture of %lld x %lld px is empty", source->name,
                       (long long)width, (long long)height);
    if (width == 1 && height == 1)
        return zf_fail(err, ZF_EINPUT, "%s: 1 x 1 px, a single pixel shows nothing", source->name);
    if (width > limits->max_side || height > limits->max_side)
        return zf_fail(err, ZF_EINPUT, "%s: %lld x %lld px, more than the limit of %lld px a side",
                       source->name, (long long)width, (long long)height,
                       (long long)limits->max_side);
    if (width > limits->max_pixels / height)
        return zf_fail(err, ZF_EINPUT, "%s: %lld x %lld px, more than the limit of %lld pixels",
                       source->name, (long long)width, (long long)height,
                       (long long)limits->max_pixels);
    return ZF_OK;
}

enum zf_status zf_picture_decode(const void *bytes, size_t size, const char *name,
                                 int64_t short_side, const struct zf_picture_limits *limits,
                                 struct zf_picture *picture, struct zf_box *original,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct zf_box full;
    const struct zf_source source = {bytes, size, name, short_side, resolve(limits)};
    size_t i = 0;

    if (size == 0)
        return zf_fail(err, ZF_EINPUT, "%s: an empty file", name);
    if (size > (uint64_t)source.limits.max_bytes)
        return zf_fail(err, ZF_EINPUT, "%s: %zu bytes, more than the limit of %lld", name, size,
                       (long long)source.limits.max_bytes);
    while (!decoders[i]->knows(&source))
        i++;
    ZF_TRY(decoders[i]->decode(&source, picture, &full, err));
    if (original)
        *original = full;
fail:
    return status;
}

enum zf_status zf_picture_load(const char *path, int64_t short_side,
                               const struct zf_picture_limits *limits, struct zf_picture *picture,
                               struct zf_box *original, struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    status = zf_bytes_map(&file, path, (size_t)resolve(limits).max_bytes, err);
    if (status == ZF_EIO) { /* one that may not be opened is a bad sample like any other */
        status = ZF_EINPUT;
        if (err)
            err->status = status;
    }
    if (status == ZF_OK)
        status = zf_picture_decode(file.data, file.size, path, short_side, limits, picture,
                                   original, err);
    zf_bytes_release(&file);
    return status;
}
