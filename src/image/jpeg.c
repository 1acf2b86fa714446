/* SPDX-License-Identifier: MIT */
/*
 * JPEG through libjpeg-turbo. The library reports errors by a callback that must not return, so
 * everything that may fail runs below one setjmp() in attempt(), and what has to survive the
 * jump lives in a struct of the caller's.
 *
 * A warning counts as an error: libjpeg fills what is missing of a truncated or damaged file with
 * grey and goes on, and such pictures poison a training set in silence. The few warnings after
 * which every pixel is there all the same (see on_message()) are noted as odd.
 */
#include "picture.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/memory.h"
#include "base/status.h"

/* A progressive file may refine its pixels any number of times; real ones do so about ten times. */
#define MAX_SCANS 100
#define MARKER_EXIF (JPEG_APP0 + 1)

struct job {
    struct jpeg_decompress_struct info;
    struct jpeg_error_mgr manager;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    const struct zf_source *source;
    struct zf_error *err;
    int64_t width, height; /* full size, as stored */
    int orientation;
    bool ended; /* the bytes are used up; libjpeg was given an end marker in their place */
    struct zf_box window; /* what is kept of the output, as stored */
    struct zf_decoded decoded;
    enum zf_status status;
};

static _Noreturn void give_up(struct job *job, enum zf_status status)
{
    job->status = status;
    longjmp(job->escape, 1);
}

static _Noreturn void give_up_truncated(struct job *job)
{
    give_up(job, zf_fail(job->err, ZF_EINPUT, "%s: a truncated JPEG, it breaks off at byte %zu",
                         job->source->name, job->source->size));
}

/* Whole, but of a kind that libjpeg does not decode. */
static bool is_unsupported(int code)
{
    return code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_EMPTY_IMAGE ||
           code == JERR_CCIR601_NOTIMPL || code == JERR_FRACT_SAMPLE_NOTIMPL ||
           code == JERR_CONVERSION_NOTIMPL;
}

static void on_error(j_common_ptr info)
{
    struct job *job = info->client_data;
    char reason[JMSG_LENGTH_MAX];

    job->manager.format_message(info, reason);
    if (job->manager.msg_code == JERR_OUT_OF_MEMORY)
        give_up(job, zf_fail(job->err, ZF_ENOMEM, "%s: no memory to decode it", job->source->name));
    if (job->ended)
        give_up_truncated(job);
    give_up(job, zf_fail(job->err, ZF_EINPUT, "%s: a %s (%s)", job->source->name,
                         is_unsupported(job->manager.msg_code) ? "JPEG of a kind that is not read"
                                                               : "damaged JPEG",
                         reason));
}

/* Level -1 is a warning. Where pixels are missing after one of these, another one follows, or
   check_complete() finds out. */
static void on_message(j_common_ptr info, int level)
{
    struct job *job = info->client_data;

    if (level >= 0)
        return;
    switch (info->err->msg_code) {
    case JWRN_JFIF_MAJOR:
    case JWRN_ADOBE_XFORM:
        break; /* say nothing about the pixels */
    case JWRN_JPEG_EOF:
        job->ended = true;
        zf_decoded_note(&job->decoded, "a JPEG without an end marker");
        break;
    case JWRN_EXTRANEOUS_DATA:
        zf_decoded_note(&job->decoded, "a JPEG with bytes that belong to no segment");
        break;
    case JWRN_NOT_SEQUENTIAL:
        zf_decoded_note(&job->decoded, "a sequential JPEG whose scan states a wrong selection");
        break;
    default:
        on_error(info);
    }
}

/* Of several scans: has each channel been in one, and where the bytes end without an end marker,
   have all its waves come to the last bit? */
static void check_complete(struct job *job)
{
    const struct jpeg_decompress_struct *info = &job->info;
    bool complete = true;

    for (int i = 0; i < info->num_components; i++) {
        complete = complete && info->comp_info[i].quant_table; /* set by its first scan */
        for (int k = 0; complete && job->ended && info->progressive_mode && k < DCTSIZE2; k++)
            complete = info->coef_bits[i][k] == 0; /* to its last bit */
    }
    if (!complete)
        give_up_truncated(job);
}

static void on_progress(j_common_ptr info)
{
    struct job *job = info->client_data;

    if (job->info.input_scan_number > MAX_SCANS)
        give_up(job, zf_fail(job->err, ZF_EINPUT, "%s: a JPEG of more than %d scans",
                             job->source->name, MAX_SCANS));
}

/* The coarsest of the scales that the fast transforms have and that keeps the wanted size. */
static unsigned int shrink_for(int64_t side, int64_t short_side)
{
    unsigned int shrink = 8;

    if (short_side <= 0)
        return 1;
    while (shrink > 1 && (side + shrink - 1) / shrink < short_side)
        shrink /= 2;
    return shrink;
}

static void choose_output(struct job *job)
{
    struct jpeg_decompress_struct *info = &job->info;
    const int64_t side = job->width < job->height ? job->width : job->height;
    const int64_t short_side = job->source->short_side;
    const J_COLOR_SPACE space = info->jpeg_color_space;

    if (space == JCS_CMYK || space == JCS_YCCK)
        info->out_color_space = JCS_CMYK;
    else if (space == JCS_GRAYSCALE || space == JCS_RGB || space == JCS_YCbCr)
        info->out_color_space = JCS_RGB;
    else
        give_up(job, zf_fail(job->err, ZF_EINPUT, "%s: a JPEG of %d channels is not a picture",
                             job->source->name, info->num_components));
    info->scale_num = 1;
    info->scale_denom = shrink_for(side, short_side);
    info->dct_method = JDCT_ISLOW;
    /* Smooth chroma costs a sixth of the time; the shrink that follows smooths it anyway. */
    info->do_fancy_upsampling = short_side <= 0 || side <= short_side;
}

/* The lower the byte, the more ink: Adobe's files say so by their marker, others mean the reverse.
   The product is how much light two layers of ink let through. */
static void cmyk_to_rgb(const uint8_t *cmyk, bool inverted, uint8_t *rgb, int64_t width)
{
    const unsigned int flip = inverted ? 0 : 255;

    for (int64_t x = 0; x < width; x++) {
        const unsigned int k = cmyk[4 * x + 3] ^ flip;

        for (int c = 0; c < 3; c++)
            rgb[3 * x + c] = (uint8_t)(((cmyk[4 * x + c] ^ flip) * k + 127) / 255);
    }
}

/*
 * Units beyond those that are kept which nevertheless shape them: smooth chroma takes the
 * sample next to it, and what a progressive file leaves open is filled in from two blocks around.
 */
static int64_t context_units(const struct jpeg_decompress_struct *info)
{
    return info->progressive_mode ? 2 : info->do_fancy_upsampling ? 1 : 0;
}

/* [*at, *at + *length) with `margin` units on both sides, as far as there is, in whole units. */
static void widen(int64_t *at, int64_t *length, int64_t margin, int64_t unit, int64_t whole)
{
    const int64_t low = *at / unit - margin;
    const int64_t high = (*at + *length + unit - 1) / unit + margin;

    *at = low > 0 ? low * unit : 0;
    *length = (high * unit < whole ? high * unit : whole) - *at;
}

/* How many columns and rows of the output are coded together. From version 7 on of its interface,
   which Ubuntu's library has, libjpeg tells the sides of a block apart. */
#if JPEG_LIB_VERSION >= 70
#define BLOCK_WIDTH(info) ((info)->min_DCT_h_scaled_size)
#define BLOCK_HEIGHT(info) ((info)->min_DCT_v_scaled_size)
#else
#define BLOCK_WIDTH(info) ((info)->min_DCT_scaled_size)
#define BLOCK_HEIGHT(info) ((info)->min_DCT_scaled_size)
#endif

static int64_t unit_columns(const struct jpeg_decompress_struct *info)
{
    return info->max_h_samp_factor * BLOCK_WIDTH(info);
}

static int64_t unit_rows(const struct jpeg_decompress_struct *info)
{
    return info->max_v_samp_factor * BLOCK_HEIGHT(info);
}

/* Leaves out of the output what the square will not take. */
static void choose_window(struct job *job)
{
    struct jpeg_decompress_struct *info = &job->info;
    const int64_t width = info->output_width, height = info->output_height;
    const struct zf_decoded *upright = &job->decoded;
    const int64_t margin = context_units(info);
    struct zf_box *window = &job->window;
    JDIMENSION x, columns;

    *window =
        zf_box_to_stored(zf_square_reach(upright->width, upright->height, *job->source->square),
                         job->orientation, width, height);
    widen(&window->x, &window->width, margin, unit_columns(info), width);
    widen(&window->y, &window->height, margin, unit_rows(info), height);
    /* Rows at multiples of 16 bytes are written past the cache, which costs a fifth of the time. */
    if (window->width % 2 == 0 && window->x + window->width < width)
        window->width++;
    x = (JDIMENSION)window->x;
    columns = (JDIMENSION)window->width;
    if (columns < info->output_width)
        jpeg_crop_scanline(info, &x, &columns);
    window->x = x;
    window->width = columns;
}

/* Which part of the output is kept, and what that is of the upright picture. */
static void place(struct job *job)
{
    const int orientation = job->orientation;
    const int64_t width = job->info.output_width, height = job->info.output_height;
    const struct zf_box full = {0, 0, job->width, job->height};
    const struct zf_box whole = {0, 0, width, height};
    const struct zf_box upright = zf_box_to_upright(whole, orientation, width, height);
    struct zf_box kept;

    job->decoded.width = upright.width;
    job->decoded.height = upright.height;
    job->decoded.original = zf_box_to_upright(full, orientation, job->width, job->height);
    job->window = whole;
    if (job->source->square)
        choose_window(job);
    kept = zf_box_to_upright(job->window, orientation, width, height);
    job->decoded.x = kept.x;
    job->decoded.y = kept.y;
}

static void read_rgb(struct job *job)
{
    enum { ROWS = 16 };
    struct jpeg_decompress_struct *info = &job->info;
    const struct zf_box *window = &job->window;
    const JDIMENSION top = (JDIMENSION)window->y, end = top + (JDIMENSION)window->height;
    const size_t stride = (size_t)window->width * 3;
    JSAMPROW rows[ROWS];

    while (info->output_scanline < end) {
        const JDIMENSION left = end - info->output_scanline;
        const JDIMENSION count = left < ROWS ? left : ROWS;

        for (JDIMENSION i = 0; i < count; i++)
            rows[i] = job->decoded.picture.pixels + (info->output_scanline - top + i) * stride;
        jpeg_read_scanlines(info, rows, count);
    }
}

static void read_cmyk(struct job *job, JSAMPARRAY row)
{
    struct jpeg_decompress_struct *info = &job->info;
    uint8_t *rgb = job->decoded.picture.pixels;

    for (int64_t y = 0; y < job->window.height; y++, rgb += job->window.width * 3) {
        jpeg_read_scanlines(info, row, 1);
        cmyk_to_rgb(row[0], info->saw_Adobe_marker, rgb, job->window.width);
    }
}

/*
 * Skipping to the very end would not read what is skipped, and so not see what is wrong with it;
 * and libjpeg-turbo 2.1 loses count of rows when it skips to within a unit.
 */
static void read_window(struct job *job)
{
    struct jpeg_decompress_struct *info = &job->info;
    const JDIMENSION last_unit =
        (info->output_height - 1) / (JDIMENSION)unit_rows(info) * (JDIMENSION)unit_rows(info);
    const JSAMPARRAY row =
        info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE,
                                info->output_width * (JDIMENSION)info->out_color_components, 1);

    if (job->window.y > 0)
        jpeg_skip_scanlines(info, (JDIMENSION)job->window.y);
    if (info->out_color_space == JCS_CMYK)
        read_cmyk(job, row);
    else
        read_rgb(job);
    if (info->output_scanline < last_unit)
        jpeg_skip_scanlines(info, last_unit - info->output_scanline);
    while (info->output_scanline < info->output_height)
        jpeg_read_scanlines(info, row, 1);
}

/* Several kinds of blocks share the marker; at most one of them is EXIF. */
static int orientation_of(const struct jpeg_decompress_struct *info)
{
    int orientation = 1;

    for (jpeg_saved_marker_ptr m = info->marker_list; m && orientation == 1; m = m->next)
        orientation = zf_exif_orientation(m->data, m->data_length);
    return orientation;
}

static void check(struct job *job, enum zf_status status)
{
    if (status != ZF_OK)
        give_up(job, status);
}

/* No local variable of this function changes after setjmp(), so none is lost by the jump. */
static void attempt(struct job *job)
{
    struct jpeg_decompress_struct *const info = &job->info;
    struct zf_picture *const picture = &job->decoded.picture;

    if (setjmp(job->escape) != 0)
        return;
    jpeg_create_decompress(info);
    info->progress = &job->progress;
    jpeg_mem_src(info, job->source->bytes, job->source->size);
    jpeg_save_markers(info, MARKER_EXIF, 0xFFFF);
    jpeg_read_header(info, TRUE);
    job->width = info->image_width;
    job->height = info->image_height;
    check(job, zf_source_check_size(job->source, job->width, job->height, job->err));
    choose_output(job);
    job->orientation = orientation_of(info); /* the markers do not outlive the decoding */
    jpeg_start_decompress(info);
    if (jpeg_has_multiple_scans(info))
        check_complete(job); /* by now all of them have been read */
    place(job);
    check(job, zf_picture_init_raw(picture, job->window.width, job->window.height, job->err));
    read_window(job);
    jpeg_finish_decompress(info);       /* reads up to the end marker */
    if (job->ended && info->arith_code) /* which would go on in zeros, without a warning */
        give_up_truncated(job);
    check(job, zf_picture_orient(picture, job->orientation, job->err));
}

static enum zf_status jpeg_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                  struct zf_error *err)
{
    struct job job = {.source = source, .err = err, .status = ZF_OK};

    job.info.err = jpeg_std_error(&job.manager);
    job.info.client_data = &job;
    job.manager.error_exit = on_error;
    job.manager.emit_message = on_message;
    job.progress.progress_monitor = on_progress;
    attempt(&job);
    jpeg_destroy_decompress(&job.info);
    if (job.status != ZF_OK) {
        zf_picture_release(&job.decoded.picture);
        return job.status;
    }
    *decoded = job.decoded;
    return ZF_OK;
}

static bool jpeg_knows(const struct zf_source *source)
{
    return source->size >= 3 && memcmp(source->bytes, "\xFF\xD8\xFF", 3) == 0;
}

const struct zf_decoder zf_jpeg_decoder = {"jpeg", jpeg_knows, jpeg_decode};
