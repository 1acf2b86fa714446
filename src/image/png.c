/* SPDX-License-Identifier: MIT */
/*
 * PNG as most of them are, 8 bits of grey or RGB without transparency or interlacing, through
 * libpng alone, so that libvips need not be loaded for it. Where anything is unusual, down to a
 * warning of libpng, libvips reads the file instead, and says what is wrong with it.
 */
#include "image/picture.h"

#include <setjmp.h>
#include <string.h>

#include <png.h>

#include "base/status.h"
#include "image/peek.h"

enum { HEADER = 33, BIT_DEPTH = 24, COLOUR = 25, INTERLACED = 28, AROUND = 12 }; /* bytes */

struct job {
    const struct zf_source *source;
    size_t at; /* bytes that were read */
    png_structp png;
    png_infop info;
    struct zf_picture picture;
    jmp_buf escape;
};

static bool is_plain(const struct zf_source *source)
{
    static const char begin[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    uint64_t at = HEADER;
    uint8_t colour;

    if (source->size < HEADER || !zf_peek_is(source, 0, begin, sizeof begin - 1))
        return false;
    colour = source->bytes[COLOUR];
    if (source->bytes[BIT_DEPTH] != 8 || source->bytes[INTERLACED] != PNG_INTERLACE_NONE ||
        (colour != PNG_COLOR_TYPE_GRAY && colour != PNG_COLOR_TYPE_RGB))
        return false;
    while (at < source->size && !zf_peek_is(source, at + 4, "IDAT", 4)) {
        if (zf_peek_is(source, at + 4, "tRNS", 4)) /* a colour that is transparent */
            return false;
        at += AROUND + zf_peek_number(source, at, 4, true);
    }
    return at < source->size;
}

static void escape(png_structp png, png_const_charp text)
{
    struct job *job = png_get_error_ptr(png);

    (void)text;
    longjmp(job->escape, 1);
}

static void take(png_structp png, png_bytep out, png_size_t size)
{
    struct job *job = png_get_io_ptr(png);

    if (size > job->source->size - job->at)
        png_error(png, "truncated");
    memcpy(out, job->source->bytes + job->at, size);
    job->at += size;
}

/* No local variable of this function changes after setjmp(), so none is lost by the jump. */
static bool attempt(struct job *job)
{
    if (setjmp(job->escape) != 0)
        return false;
    job->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, escape, escape);
    job->info = job->png ? png_create_info_struct(job->png) : NULL;
    if (!job->info)
        return false;
    png_set_read_fn(job->png, job, take);
    png_read_info(job->png, job->info);
    if (zf_source_check_size(job->source, png_get_image_width(job->png, job->info),
                             png_get_image_height(job->png, job->info), NULL) != ZF_OK ||
        zf_picture_init_raw(&job->picture, png_get_image_width(job->png, job->info),
                            png_get_image_height(job->png, job->info), NULL) != ZF_OK)
        return false;
    png_set_gray_to_rgb(job->png);
    png_read_update_info(job->png, job->info);
    for (int64_t y = 0; y < job->picture.height; y++)
        png_read_row(job->png, job->picture.pixels + y * job->picture.width * 3, NULL);
    png_read_end(job->png, NULL);
    return true;
}

static enum zf_status png_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                 struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct job job = {.source = source};
    const bool read = attempt(&job);
    uint64_t at, size;

    if (job.png)
        png_destroy_read_struct(&job.png, &job.info, NULL);
    if (!read)
        ZF_LEAVE(zf_vips_decoder.decode(source, decoded, err));
    if (zf_png_exif(source, &at, &size))
        ZF_TRY(zf_picture_orient(&job.picture,
                                 zf_exif_orientation(source->bytes + at, (size_t)size), err));
    *decoded = zf_decoded_whole(&job.picture);
fail:
    zf_picture_release(&job.picture);
    return status;
}

const struct zf_decoder zf_png_decoder = {"png", is_plain, png_decode};
