/* SPDX-License-Identifier: MIT */
/**
 * Pictures: from a file of any kind to 8-bit RGB, from there to a net's input, and back to
 * something a person can look at. (Paper: section 3 for the preparation, and the ten views.)
 */
#ifndef ZF_IMAGE_H
#define ZF_IMAGE_H

#include "zf/base.h"
#include "zf/net.h"
#include "zf/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An 8-bit RGB picture, interleaved, rows without gaps. `pixels` is owned. */
struct zf_picture {
    int64_t width, height;
    uint8_t *pixels; /* height * width * 3 */
};

/**
 * A black picture. ZF_EINVAL for a side < 1 or a product that does not fit; ZF_ENOMEM. Release
 * with zf_picture_release().
 */
ZF_API enum zf_status zf_picture_init(struct zf_picture *picture, int64_t width, int64_t height,
                                      struct zf_error *err);
ZF_API void zf_picture_release(struct zf_picture *picture); /* accepts empty */

/* What a file from outside may cost at most. */
struct zf_picture_limits {
    int64_t max_bytes;  /* of the file; 0 = 256 MiB */
    int64_t max_side;   /* px; 0 = whatever max_pixels allows */
    int64_t max_pixels; /* 0 = 100 million */
};

/**
 * Decode a picture file to RGB: JPEG through libjpeg-turbo, BMP and portable maps (PBM to PFM) by
 * readers of our own, everything else through libvips. Grey, palettes, CMYK and YCCK, alpha (over
 * white), 16 bits, floats and EXIF rotation all come out as plain RGB, as
 * docs/pictures-and-folders.md says.
 *
 * short_side  > 0: the caller will shrink to this shorter side, so a JPEG may be decoded at 1/2,
 *             1/4, 1/8 as long as it stays at least that large; 0 = full size
 * limits      NULL for the defaults; checked from the header, before pixels are allocated
 * original    NULL, or filled with the upright picture's full size {0, 0, width, height}
 *
 * Returns ZF_EINPUT for a missing, empty, truncated, oversized or unreadable file, or one of a
 * single pixel, with its path and the reason; ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_picture_load(const char *path, int64_t short_side,
                                      const struct zf_picture_limits *limits,
                                      struct zf_picture *picture, struct zf_box *original,
                                      struct zf_error *err);

/** The same from a file's bytes; `name` stands for the path in error sentences. */
ZF_API enum zf_status zf_picture_decode(const void *bytes, size_t size, const char *name,
                                        int64_t short_side, const struct zf_picture_limits *limits,
                                        struct zf_picture *picture, struct zf_box *original,
                                        struct zf_error *err);

/** Write a picture as PNG; the file appears whole or not at all. ZF_EIO, ZF_ENOMEM. */
ZF_API enum zf_status zf_picture_save_png(const struct zf_picture *picture, const char *path,
                                          struct zf_error *err);

/**
 * A picture as PNG (quality 0) or JPEG (1 to 100) bytes, handed over; free with zf_bytes_free().
 * ZF_EINVAL for another quality or a picture too large for the format; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_picture_encode(const struct zf_picture *picture, int quality,
                                        uint8_t **bytes, size_t *size, struct zf_error *err);
ZF_API void zf_bytes_free(uint8_t *bytes);

/* What a picture is resized to, in px: a square, but for a warp to another shape. */
struct zf_geometry {
    enum zf_resize resize;
    int64_t height, width;
    int64_t kept_height, kept_width; /* of ZF_RESIZE_FIT: what is not resized; 0 = all is */
};
ZF_API struct zf_geometry zf_geometry_square(enum zf_resize resize, int64_t size);
ZF_API struct zf_geometry zf_geometry_of(const struct zf_preparation *preparation,
                                         struct zf_shape input);

/**
 * Resize to the square that crops are taken from (or the warp that is none, here and below), with
 * antialiasing (bilinear with a support that grows with the shrink).
 * *square is overwritten and owned by the caller. Agrees to a level with PIL's BILINEAR and
 * torchvision's Resize and CenterCrop. ZF_EINVAL for a side < 1; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_picture_square(const struct zf_picture *picture,
                                        struct zf_geometry geometry, struct zf_picture *square,
                                        struct zf_error *err);

/**
 * From a file to its square: the same bits as zf_picture_load() with the geometry's longer side as
 * its short side and then zf_picture_square(), but of a JPEG only the pixels that the square takes
 * are computed. The rest of it is read all the same, so a truncated or damaged file is refused as
 * there. Errors and limits are those of the two; thread-safe.
 */
ZF_API enum zf_status zf_picture_load_square(const char *path, struct zf_geometry geometry,
                                             const struct zf_picture_limits *limits,
                                             struct zf_picture *square, struct zf_error *err);

/**
 * Where a point of a picture lands in its square, and the pixels of the square that one pixel
 * becomes, in x and in y. Points are in pixels, 0 at the outer edge of the first one.
 */
struct zf_placing {
    double x, y;
    double scale_x, scale_y;
};
ZF_API struct zf_placing zf_picture_place(int64_t width, int64_t height,
                                          struct zf_geometry geometry, double x, double y);

/* What is done to a picture: about its centre it is enlarged, then turned clockwise; then shifted
   right and down. */
struct zf_transform {
    double shift_x, shift_y; /* px */
    double scale;            /* > 0 */
    double degrees;
};

/**
 * Transform a picture, keeping its size: bicubic interpolation; beyond its border the picture goes
 * on with its outermost pixels. Shift 0, scale 1 and 0 degrees give the same bytes.
 *
 * moved  overwritten, owned by the caller
 *
 * Returns ZF_EINVAL for a scale not in 1/16 .. 16, a shift of more than 4 times the picture's
 * side, or an angle that is not finite; ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_picture_transform(const struct zf_picture *picture,
                                           const struct zf_transform *transform,
                                           struct zf_picture *moved, struct zf_error *err);

/* Which part of the square becomes the input. */
struct zf_view {
    int64_t y, x; /* corner of the crop within the square */
    bool mirror;  /* left-right, after cropping */
};

/** The centre crop. */
ZF_API struct zf_view zf_view_centre(const struct zf_preparation *preparation,
                                     struct zf_shape input);

/** The paper's ten views, 0 <= i < 10: four corners and the centre, then their mirrors. */
ZF_API struct zf_view zf_view_ten(const struct zf_preparation *preparation, struct zf_shape input,
                                  int i);

/**
 * Crop, subtract the mean, scale.
 *
 * square  `size` x `size` RGB, or `size` x `width`
 * dst     [c, h, w] of `input` values, written completely; c is 3, or 1 for a net that looks at
 *         grey: 0.299 R + 0.587 G + 0.114 B, of the mean image too, with mean[0] and scale[0]
 *
 * The mean image belongs to places in the square: a mirrored view subtracts it mirrored.
 */
ZF_API void zf_picture_prepare(const struct zf_picture *square,
                               const struct zf_preparation *preparation, struct zf_shape input,
                               struct zf_view view, float *dst);

/** Every pixel to its grey, 0.299 R + 0.587 G + 0.114 B rounded: what a grey net sees of it. */
ZF_API void zf_picture_grey(struct zf_picture *picture);

/** ZF_EINPUT unless the net takes 1 channel or 3, which pictures can give it. */
ZF_API enum zf_status zf_input_takes_pictures(const struct zf_net *net, struct zf_error *err);

/**
 * From a file to a net's input in one call: load, square, centre crop.
 *
 * path    a picture, or a .npy file of the net's input size, taken as it is: [N,C,H,W], [C,H,W],
 *         [N,H,W,C] or [H,W,C], the first that fits; of one channel also [N,H,W] and [H,W]
 * dst     [N, c, h, w], overwritten and owned by the caller; N = 1 for a picture
 * shown   NULL, or the cropped pictures as a person sees them (N of them for .npy: values
 *         brought back through zf_picture_from_input); free all N with zf_pictures_free()
 *
 * Returns ZF_EINPUT for a file that is not what it should be, for a .npy file of another shape
 * or with a value that is not finite, and for a picture where the net takes neither 1 channel
 * nor 3.
 */
ZF_API enum zf_status zf_input_load(const char *path, const struct zf_net *net,
                                    struct zf_tensor *dst, struct zf_picture **shown,
                                    struct zf_error *err);
ZF_API void zf_pictures_free(struct zf_picture **pictures, int64_t count);

/**
 * Undo scale and mean of a centre-crop input [c,h,w], clamp, and give the picture; of one channel,
 * in grey. Any other number of channels is shown like a signal, zero in grey.
 */
ZF_API enum zf_status zf_picture_from_input(const float *src, struct zf_shape input,
                                            const struct zf_preparation *preparation,
                                            struct zf_picture *picture, struct zf_error *err);

/**
 * A signed projection (or filter) as a picture: zero is mid grey, `limit` maps to the ends.
 *
 * src    [c, height, width] planes of `src_shape`, of which `box` is shown: three in colour, any
 *        other number in grey, by the value of largest magnitude at each place
 * limit  > 0 the value shown as white (-limit black); 0 = the largest magnitude in the box
 * channels  order of the planes
 */
ZF_API enum zf_status zf_picture_from_signal(const float *src, struct zf_shape src_shape,
                                             struct zf_box box, float limit,
                                             enum zf_channels channels, struct zf_picture *picture,
                                             struct zf_error *err);

/**
 * A convolution's filters as one sheet: each filter a tile of `tile` px, in a grid; as
 * zf_picture_from_signal() shows its channels. ZF_EINVAL when the layer has no filters, or
 * ones over more channels than the input has.
 */
ZF_API enum zf_status zf_filters_picture(const struct zf_net *net, int layer, int64_t tile,
                                         struct zf_picture *picture, struct zf_error *err);

/* A library that pictures are read and written with. Static storage. */
struct zf_image_library {
    const char *name; /* "libvips" */
    char version[32]; /* that runs here; of libjpeg, which does not say it, that of the build */
};

/** The i-th of them; false past the last. */
ZF_API bool zf_image_library(size_t i, struct zf_image_library *out);

#ifdef __cplusplus
}
#endif

#endif
