/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "base/status.h"
#include "image/array.h"

static const struct zf_picture_limits default_limits = {
    .max_bytes = INT64_C(256) << 20,
    .max_side = 100000000, /* a panorama may be as long as its pixels allow */
    .max_pixels = 100000000,
};

/* Asked in order, by content: a file's name says nothing reliable. The last one takes all. */
static const struct zf_decoder *const decoders[] = {
    &zf_jpeg_decoder, &zf_png_decoder, &zf_pnm_decoder, &zf_bmp_decoder, &zf_vips_decoder};

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
        return zf_fail(err, ZF_EINPUT, "%s: a picture of %" PRId64 " x %" PRId64 " px is empty",
                       source->name, width, height);
    if (width == 1 && height == 1)
        return zf_fail(err, ZF_EINPUT, "%s: 1 x 1 px, a single pixel shows nothing", source->name);
    if (width > limits->max_side || height > limits->max_side)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %" PRId64 " x %" PRId64 " px, more than the limit of %" PRId64
                       " px a side",
                       source->name, width, height, limits->max_side);
    if (width > limits->max_pixels / height)
        return zf_fail(err, ZF_EINPUT,
                       "%s: %" PRId64 " x %" PRId64 " px, more than the limit of %" PRId64
                       " pixels",
                       source->name, width, height, limits->max_pixels);
    return ZF_OK;
}

static enum zf_status check_bytes(uint64_t size, int64_t limit, const char *name,
                                  struct zf_error *err)
{
    return size <= (uint64_t)limit
               ? ZF_OK
               : zf_fail(err, ZF_EINPUT, "%s: %" PRIu64 " bytes, more than the limit of %" PRId64,
                         name, size, limit);
}

enum zf_status zf_picture_check_bytes(uint64_t size, const char *name, struct zf_error *err)
{
    return check_bytes(size, default_limits.max_bytes, name, err);
}

/* The source's limits are the caller's, with zeros where the defaults hold. */
enum zf_status zf_source_decode(const struct zf_source *asked, struct zf_decoded *decoded,
                                struct zf_error *err)
{
    struct zf_source source = *asked;
    size_t i = 0;

    source.limits = resolve(&asked->limits);
    if (source.size == 0)
        return zf_fail(err, ZF_EINPUT, "%s: an empty file", source.name);
    ZF_CHECK(check_bytes(source.size, source.limits.max_bytes, source.name, err));
    while (!decoders[i]->knows(&source))
        i++;
    return decoders[i]->decode(&source, decoded, err);
}

enum zf_status zf_picture_decode(const void *bytes, size_t size, const char *name,
                                 int64_t short_side, const struct zf_picture_limits *limits,
                                 struct zf_picture *picture, struct zf_box *original,
                                 struct zf_error *err)
{
    struct zf_decoded decoded;
    const struct zf_source source = {
        .bytes = bytes,
        .size = size,
        .name = name,
        .short_side = short_side,
        .limits = limits ? *limits : default_limits,
    };

    ZF_CHECK(zf_source_decode(&source, &decoded, err));
    *picture = decoded.picture;
    if (original)
        *original = decoded.original;
    return ZF_OK;
}

enum zf_status zf_source_square(const struct zf_source *source, struct zf_geometry geometry,
                                struct zf_picture *square, struct zf_oddity *odd,
                                struct zf_error *err)
{
    enum zf_status status;
    struct zf_source wanted = *source;
    struct zf_decoded decoded = {0};

    wanted.short_side = geometry.height > geometry.width ? geometry.height : geometry.width;
    wanted.square = geometry.resize == ZF_RESIZE_WARP ? NULL : &geometry;
    ZF_TRY(zf_source_decode(&wanted, &decoded, err));
    ZF_TRY(zf_decoded_square(&decoded, geometry, square, err));
    if (odd)
        *odd = decoded.odd;
fail:
    zf_picture_release(&decoded.picture);
    return status;
}

enum zf_status zf_picture_square_noting(const uint8_t *bytes, size_t size, const char *name,
                                        struct zf_geometry geometry, struct zf_picture *square,
                                        struct zf_oddity *odd, struct zf_error *err)
{
    const struct zf_source source = {
        .bytes = bytes, .size = size, .name = name, .limits = default_limits};

    return zf_source_square(&source, geometry, square, odd, err);
}

/* A file that may not be opened is a bad sample like any other; one that cannot, for now, is none.
 */
static enum zf_status map_file(const char *path, const struct zf_picture_limits *limits,
                               struct zf_bytes *file, struct zf_error *err)
{
    enum zf_status status = zf_bytes_map(file, path, (size_t)resolve(limits).max_bytes, err);

    if (status == ZF_EIO && access(path, R_OK) != 0 && errno == EACCES) {
        status = ZF_EINPUT;
        if (err)
            err->status = status;
    }
    return status;
}

enum zf_status zf_picture_load(const char *path, int64_t short_side,
                               const struct zf_picture_limits *limits, struct zf_picture *picture,
                               struct zf_box *original, struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    ZF_TRY(map_file(path, limits, &file, err));
    ZF_TRY(
        zf_picture_decode(file.data, file.size, path, short_side, limits, picture, original, err));
fail:
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_picture_load_noting(const char *path, struct zf_geometry geometry,
                                      const struct zf_picture_limits *limits,
                                      struct zf_picture *square, struct zf_oddity *odd,
                                      struct zf_error *err)
{
    enum zf_status status;
    struct zf_bytes file = {0};

    if (zf_is_array(path))
        return zf_array_square(path, geometry, square, err);
    ZF_TRY(map_file(path, limits, &file, err));
    ZF_TRY(zf_source_square(
        &(struct zf_source){
            .bytes = file.data,
            .size = file.size,
            .name = path,
            .limits = limits ? *limits : default_limits,
        },
        geometry, square, odd, err));
fail:
    zf_bytes_release(&file);
    return status;
}

enum zf_status zf_picture_load_square(const char *path, struct zf_geometry geometry,
                                      const struct zf_picture_limits *limits,
                                      struct zf_picture *square, struct zf_error *err)
{
    return zf_picture_load_noting(path, geometry, limits, square, NULL, err);
}
