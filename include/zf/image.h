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

/* Limits for a file from outside. */
struct zf_picture_limits {
    int64_t max_bytes;  /* of the file; 0 = 256 MiB */
    int64_t max_side;   /* px; 0 = whatever max_pixels allows */
    int64_t max_pixels; /* 0 = 100 million */
};

/**
 * Decode a picture file to RGB: JPEG through libjpeg-turbo, plain PNG through libpng, BMP and
 * portable maps (PBM to PFM) by readers of our own, everything else through libvips. Grey,
 * palettes, CMYK and YCCK, alpha (over white), 16 bits, floats and EXIF rotation all come out as
 * plain RGB, as docs/pictures-and-folders.md says.
 *
 * short_side  px; > 0: the caller will shrink the shorter side to this, so a JPEG may be decoded at
 *             1/2, 1/4 or 1/8 if it stays at least that large; 0 = full size
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

/** The same from a file's bytes, lent; `name` stands for the path in error sentences. */
ZF_API enum zf_status zf_picture_decode(const void *bytes, size_t size, const char *name,
                                        int64_t short_side, const struct zf_picture_limits *limits,
                                        struct zf_picture *picture, struct zf_box *original,
                                        struct zf_error *err);

/** Write a picture as PNG; the file is whole or not there. ZF_EIO, ZF_ENOMEM. */
ZF_API enum zf_status zf_picture_save_png(const struct zf_picture *picture, const char *path,
                                          struct zf_error *err);

/**
 * Write a picture in the format that its name ends in: .png, .jpg or .jpeg, .webp, .tif or .tiff,
 * in letters of either case. ZF_EINVAL for another ending, before anything is written; otherwise as
 * zf_picture_save_png().
 */
ZF_API enum zf_status zf_picture_save(const struct zf_picture *picture, const char *path,
                                      struct zf_error *err);

/** ZF_EINVAL, with the endings that there are, where zf_picture_save() would not write `path`. */
ZF_API enum zf_status zf_picture_check_ending(const char *path, struct zf_error *err);

/**
 * Encode a picture as PNG (quality 0) or JPEG (1 to 100). *bytes is handed over; free it with
 * zf_bytes_free().
 * ZF_EINVAL for another quality or a picture too large for the format; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_picture_encode(const struct zf_picture *picture, int quality,
                                        uint8_t **bytes, size_t *size, struct zf_error *err);
ZF_API void zf_bytes_free(uint8_t *bytes);

/* What a picture is resized to, in px: a square, unless it is warped to another shape. */
struct zf_geometry {
    enum zf_resize resize;
    int64_t height, width;
    int64_t kept_height, kept_width; /* ZF_RESIZE_FIT: this size is left as it is; 0 = none */
};

ZF_API struct zf_geometry zf_geometry_square(enum zf_resize resize, int64_t size);

/** That of a net's preparation. */
ZF_API struct zf_geometry zf_geometry_of(const struct zf_preparation *preparation,
                                         struct zf_shape input);

/**
 * Resize to the square that crops are taken from; here and below, "square" includes the rectangle
 * of a warp. Bilinear with antialiasing: the filter's support grows with the shrink. Agrees with
 * PIL's BILINEAR and torchvision's Resize and CenterCrop to one level of 255.
 *
 * square  overwritten, owned by the caller
 *
 * Returns ZF_EINVAL for a side < 1; ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_picture_square(const struct zf_picture *picture,
                                        struct zf_geometry geometry, struct zf_picture *square,
                                        struct zf_error *err);

/**
 * Load the square of a file. The same bits as zf_picture_load() (its short_side the geometry's
 * longer side) and then zf_picture_square(), with the same errors, but faster: in a JPEG, only
 * pixels that the square takes are computed. Thread-safe.
 */
ZF_API enum zf_status zf_picture_load_square(const char *path, struct zf_geometry geometry,
                                             const struct zf_picture_limits *limits,
                                             struct zf_picture *square, struct zf_error *err);

/* Where a point of a picture lies in its square. Points are in px, 0 at the outer edge of the first
   pixel. */
struct zf_placing {
    double x, y;
    double scale_x, scale_y; /* pixels of the square that one pixel of the picture becomes */
};
ZF_API struct zf_placing zf_picture_place(int64_t width, int64_t height,
                                          struct zf_geometry geometry, double x, double y);

/* A picture is enlarged about its centre, turned clockwise about it, then shifted right and down.
 */
struct zf_transform {
    double shift_x, shift_y; /* px */
    double scale;            /* > 0 */
    double degrees;
};

/**
 * Transform a picture, keeping its size, by bicubic interpolation; outside it, its outermost pixels
 * are repeated. Shift 0, scale 1 and 0 degrees give the same bytes.
 *
 * moved  overwritten, owned by the caller
 *
 * Returns ZF_EINVAL for a scale not in 1/16 .. 16, a shift of more than 4 times the picture's
 * side, or an angle that is not finite; ZF_ENOMEM. Thread-safe.
 */
ZF_API enum zf_status zf_picture_transform(const struct zf_picture *picture,
                                           const struct zf_transform *transform,
                                           struct zf_picture *moved, struct zf_error *err);

/** The i-th preset, "torchvision", "caffe", "tensorflow", "unit", "clip", "none"; NULL past the
 * last.
 */
ZF_API const char *zf_preparation_preset_name(size_t i);

/** Set mean, scale and channels as the models of that framework want them; how pictures are resized
 *  stays. ZF_EINVAL for a name that is no preset. */
ZF_API enum zf_status zf_preparation_preset(struct zf_preparation *preparation, const char *name,
                                            struct zf_error *err);

/** The same of a net that is not shared. ZF_EINVAL; ZF_EINPUT for one that takes no colours;
 *  ZF_ENOMEM. */
ZF_API enum zf_status zf_net_prepare_as(struct zf_net *net, const char *name, struct zf_error *err);

/**
 * For which values of pictures a net's first layers were made, where they bring them to a range of
 * their own (a rescaling, a normalisation, a batch normalisation of the input): 255 for 0 to 255, 1
 * for 0 to 1, 0 where they do not say.
 *
 * layer  set to the name of the first such layer, unless 0 is returned; lent by the net
 */
ZF_API int zf_net_expects(const struct zf_net *net, const char **layer);

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

/** Turn every pixel to grey, 0.299 R + 0.587 G + 0.114 B rounded, as a net of one channel sees it.
 */
ZF_API void zf_picture_grey(struct zf_picture *picture);

/** ZF_EINPUT unless the net's input has 1 or 3 channels, so that it can take pictures. */
ZF_API enum zf_status zf_input_takes_pictures(const struct zf_net *net, struct zf_error *err);

/**
 * From a file to a net's input in one call: load, square, centre crop.
 *
 * path    a picture, or a .npy or .npz file of the net's input size, taken as it is: [N,C,H,W],
 *         [C,H,W], [N,H,W,C] or [H,W,C], the first that fits; of one channel also [N,H,W] and
 *         [H,W]. One of uint8 holds the levels of pictures of any size, [N,H,W,3], [N,3,H,W],
 *         [N,H,W] or one of them, and is prepared as these, where the net takes 1 or 3 channels
 * dst     [N, c, h, w], overwritten and owned by the caller; N = 1 for a picture
 * shown   NULL, or the cropped pictures as a person sees them (N of them for .npy: values
 *         brought back through zf_picture_from_input); free all N with zf_pictures_free()
 *
 * Returns ZF_EINPUT for a picture that zf_picture_load() refuses, a .npy file of another shape or
 * with a value that is not finite, or a picture where the net's input has neither 1 channel nor 3;
 * ZF_ENOMEM.
 */
ZF_API enum zf_status zf_input_load(const char *path, const struct zf_net *net,
                                    struct zf_tensor *dst, struct zf_picture **shown,
                                    struct zf_error *err);
ZF_API void zf_pictures_free(struct zf_picture **pictures, int64_t count);

/**
 * The picture that a net's input [c,h,w] of a centre crop was made from: scale and mean undone,
 * clamped; in grey for 1 channel. Where c is neither 1 nor 3, as zf_picture_from_signal() shows it.
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
 * The weights [maps, channels, height, width] of a convolution whose filters can be seen, lent by
 * the net. ZF_EINVAL where the layer has no filters, or filters over more channels than the input
 * has.
 */
ZF_API enum zf_status zf_filters_weight(const struct zf_net *net, int layer,
                                        struct zf_parameter *weight, struct zf_error *err);

#define ZF_FILTER_GAP 2 /* px between and around the tiles */

/**
 * A convolution's filters as one sheet: a grid of tiles of `tile` px, each filter as
 * zf_picture_from_signal() shows it. ZF_EINVAL where the layer has no filters, or filters over more
 * channels than the input has; ZF_ENOMEM.
 */
ZF_API enum zf_status zf_filters_picture(const struct zf_net *net, int layer, int64_t tile,
                                         struct zf_picture *picture, struct zf_error *err);

/** One of them, a pixel a weight; the same errors, and ZF_EINVAL for a map that is not there. */
ZF_API enum zf_status zf_filter_picture(const struct zf_net *net, int layer, int64_t map,
                                        struct zf_picture *picture, struct zf_error *err);

/* A library that pictures are read and written with. Static storage. */
struct zf_image_library {
    const char *name; /* "libvips" */
    char version[32]; /* in use; for libjpeg, which does not report it, that of the build */
};

/** Library i; false past the last. */
ZF_API bool zf_image_library(size_t i, struct zf_image_library *out);

#ifdef __cplusplus
}
#endif

#endif
