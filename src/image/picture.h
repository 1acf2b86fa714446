/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: a file's bytes on their way to a picture or a square. */
#ifndef ZF_IMAGE_PICTURE_H
#define ZF_IMAGE_PICTURE_H

#include "image/oddity.h"
#include "base/file.h"
#include "zf/image.h"

/* The bytes of one picture file and what the caller wants of them; everything is lent. */
struct zf_source {
    const uint8_t *bytes;
    size_t size;      /* > 0 */
    const char *name; /* for error sentences */
    int64_t short_side;
    const struct zf_geometry *square; /* NULL, or all that is wanted is what makes this square */
    struct zf_picture_limits limits;
};

/* What a decoder hands over, upright: the whole picture, or the window of it that was asked for. */
struct zf_decoded {
    struct zf_picture picture;
    int64_t x, y;           /* its corner within the whole */
    int64_t width, height;  /* of the whole, at the scale of `picture` */
    struct zf_box original; /* {0, 0, width, height} of the whole at full scale */
    struct zf_oddity odd;
};

/* A decoded file that is the whole picture, upright and at full size, which is taken over. */
struct zf_decoded zf_decoded_whole(struct zf_picture *picture);

/* Say what is odd about it, unless something was said already. */
void zf_decoded_note(struct zf_decoded *decoded, const char *format, ...) ZF_PRINTF(2, 3);

/**
 * A way to read a kind of picture. `decode` finds the source's limits resolved, with no zeros left,
 * and fills *decoded (handed over) only on success.
 */
struct zf_decoder {
    const char *name;
    bool (*knows)(const struct zf_source *source);
    enum zf_status (*decode)(const struct zf_source *source, struct zf_decoded *decoded,
                             struct zf_error *err);
};

extern const struct zf_decoder zf_jpeg_decoder; /* libjpeg-turbo: fast, shrinks while decoding */
extern const struct zf_decoder zf_png_decoder;  /* libpng: PNG without oddities */
extern const struct zf_decoder zf_pnm_decoder;  /* PBM, PGM, PPM, PAM, PFM */
extern const struct zf_decoder zf_bmp_decoder;
extern const struct zf_decoder zf_vips_decoder; /* libvips: everything else */

/* zf_picture_encode() as PNG for somebody who waits: a sheet of 640 x 640 px takes a fifth of the
   time, and a quarter more bytes. */
enum zf_status zf_picture_encode_soon(const struct zf_picture *picture, uint8_t **bytes,
                                      size_t *size, struct zf_error *err);

/* zf_picture_decode(), with all that the decoder has to say. */
enum zf_status zf_source_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                struct zf_error *err);

/* zf_picture_load_square() of bytes; short_side and square of the source are set here. `odd` is
   NULL, or says how the file is unusual. */
enum zf_status zf_source_square(const struct zf_source *source, struct zf_geometry geometry,
                                struct zf_picture *square, struct zf_oddity *odd,
                                struct zf_error *err);

/* What a person sees of a view: its pixels, in grey for a net of one channel. *shown is
   overwritten, owned by the caller. */
enum zf_status zf_picture_crop(const struct zf_picture *square, struct zf_view view,
                               struct zf_shape shape, struct zf_picture *shown,
                               struct zf_error *err);

/* zf_picture_square() of a window that holds all pixels that the square takes. */
enum zf_status zf_decoded_square(const struct zf_decoded *decoded, struct zf_geometry geometry,
                                 struct zf_picture *square, struct zf_error *err);

/* The pixels of a picture that its square takes; all of them when none fits. */
struct zf_box zf_square_reach(int64_t width, int64_t height, struct zf_geometry geometry);

/* ZF_EINPUT when a picture of this size, read from the header, is beyond the source's limits. */
enum zf_status zf_source_check_size(const struct zf_source *source, int64_t width, int64_t height,
                                    struct zf_error *err);

/* zf_input_load() of the bytes of a .npy or .npz file in memory; `name`, with its ending, says
   which, and names it in error sentences. */
enum zf_status zf_input_parse(const struct zf_bytes *file, const char *name,
                              const struct zf_net *net, struct zf_tensor *dst,
                              struct zf_picture **shown, struct zf_error *err);

/* zf_picture_init() for a picture that is about to be written completely: not cleared. */
enum zf_status zf_picture_init_raw(struct zf_picture *picture, int64_t width, int64_t height,
                                   struct zf_error *err);

/**
 * The orientation (1 to 8) that an EXIF block states, 1 when it states none or is malformed.
 * block  the payload of a JPEG's APP1 segment, with "Exif\0\0" or without it, as PNG and WebP have
 *        it; any bytes are safe. Any type of whole number will do.
 */
int zf_exif_orientation(const uint8_t *block, size_t size);

/* Turn a picture upright in place; `orientation` as in EXIF, others than 2 to 8 change nothing. */
enum zf_status zf_picture_orient(struct zf_picture *picture, int orientation, struct zf_error *err);

/**
 * The same turn for a box: from upright to where those pixels are stored, and back.
 * width, height  of the whole picture as it is stored
 */
struct zf_box zf_box_to_stored(struct zf_box upright, int orientation, int64_t width,
                               int64_t height);
struct zf_box zf_box_to_upright(struct zf_box stored, int orientation, int64_t width,
                                int64_t height);

/* Start libvips, once for the process and thread-safe. ZF_EUNSUPPORTED when it does not start. */
enum zf_status zf_vips_start(struct zf_error *err);

/* Fail with "name: what: " and the text that libvips left behind, which is cleared. */
enum zf_status zf_vips_fail(struct zf_error *err, enum zf_status status, const char *name,
                            const char *what);

#endif
