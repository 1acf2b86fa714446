/* SPDX-License-Identifier: MIT */
#include "picture.h"

#include <assert.h>
#include <inttypes.h>

#include "base/status.h"

struct zf_geometry zf_geometry_square(enum zf_resize resize, int64_t size)
{
    return (struct zf_geometry){.resize = resize, .height = size, .width = size};
}

struct zf_geometry zf_geometry_of(const struct zf_preparation *preparation, struct zf_shape input)
{
    const bool fit = preparation->resize == ZF_RESIZE_FIT;

    return (struct zf_geometry){
        .resize = preparation->resize,
        .height = preparation->size,
        .width = preparation->width ? preparation->width : preparation->size,
        .kept_height = fit ? input.h : 0,
        .kept_width = fit ? input.w : 0,
    };
}

struct zf_view zf_view_centre(const struct zf_preparation *preparation, struct zf_shape input)
{
    const struct zf_geometry square = zf_geometry_of(preparation, input);

    return (struct zf_view){(square.height - input.h) / 2, (square.width - input.w) / 2, false};
}

struct zf_view zf_view_ten(const struct zf_preparation *preparation, struct zf_shape input, int i)
{
    const struct zf_geometry square = zf_geometry_of(preparation, input);
    const int64_t bottom = square.height - input.h, right = square.width - input.w;
    const bool mirror = i >= 5;
    const int place = i % 5;
    struct zf_view view = zf_view_centre(preparation, input);

    assert(i >= 0 && i < 10);
    if (place < 4) { /* top left, top right, bottom left, bottom right; then the centre */
        view.y = place / 2 == 0 ? 0 : bottom;
        view.x = place % 2 == 0 ? 0 : right;
    }
    view.mirror = mirror;
    return view;
}

/* Which of red, green, blue is channel c of the input. */
static int64_t colour_of(const struct zf_preparation *preparation, int64_t c)
{
    return preparation->channels == ZF_CHANNELS_BGR ? 2 - c : c;
}

/* The row of the mean image that belongs to row y of the square, NULL when the mean is flat. A mean
   image is always a square. */
static const float *mean_row(const struct zf_preparation *preparation, int64_t c, int64_t y)
{
    const int64_t size = preparation->size;

    return preparation->mean_image
               ? preparation->mean_image + (colour_of(preparation, c) * size + y) * size
               : NULL;
}

/* 0.299 R + 0.587 G + 0.114 B in whole numbers until the division: a grey pixel keeps its level. */
static float grey_of(const uint8_t *pixel)
{
    return (float)(299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2]) / 1000.0f;
}

/* What is subtracted from a grey pixel at (y, x) of the square: the grey of the mean image. */
static float grey_mean(const struct zf_preparation *preparation, int64_t y, int64_t x)
{
    const int64_t size = preparation->size;
    const float *mean = preparation->mean_image;

    if (!mean)
        return preparation->mean[0];
    mean += y * size + x;
    return (299 * mean[0] + 587 * mean[size * size] + 114 * mean[2 * size * size]) / 1000;
}

/* dst[x] = (src[x] - mean[x]) * scale for one channel of a row; src steps by pixels. */
static void prepare_row(const uint8_t *src, const float *mean, float scale, int64_t w, float *dst)
{
    for (int64_t x = 0; x < w; x++)
        dst[x] = ((float)src[3 * x] - mean[x]) * scale;
}

/* The same with one mean for all places: then each of the 256 levels has one value. */
static void look_up_row(const uint8_t *src, const float *values, int64_t w, float *dst)
{
    for (int64_t x = 0; x < w; x++)
        dst[x] = values[src[3 * x]];
}

static void mirror_row(float *row, int64_t w)
{
    for (int64_t a = 0, b = w - 1; a < b; a++, b--) {
        const float kept = row[a];

        row[a] = row[b];
        row[b] = kept;
    }
}

static void prepare_grey(const struct zf_picture *square, const struct zf_preparation *preparation,
                         struct zf_shape input, struct zf_view view, float *dst)
{
    for (int64_t y = view.y; y < view.y + input.h; y++, dst += input.w) {
        const uint8_t *src = square->pixels + (y * square->width + view.x) * 3;

        for (int64_t x = 0; x < input.w; x++)
            dst[x] = (grey_of(src + 3 * x) - grey_mean(preparation, y, view.x + x)) *
                     preparation->scale[0];
        if (view.mirror)
            mirror_row(dst, input.w);
    }
}

void zf_picture_grey(struct zf_picture *picture)
{
    for (int64_t i = 0; i < picture->width * picture->height; i++) {
        uint8_t *pixel = picture->pixels + 3 * i;

        pixel[0] = pixel[1] = pixel[2] = (uint8_t)(grey_of(pixel) + 0.5f);
    }
}

void zf_picture_prepare(const struct zf_picture *square, const struct zf_preparation *preparation,
                        struct zf_shape input, struct zf_view view, float *dst)
{
    const struct zf_geometry geometry = zf_geometry_of(preparation, input);

    assert((input.c == 1 || input.c == 3) && square->width == geometry.width &&
           square->height == geometry.height);
    assert(view.y >= 0 && view.y + input.h <= geometry.height);
    assert(view.x >= 0 && view.x + input.w <= geometry.width);
    if (input.c == 1) {
        prepare_grey(square, preparation, input, view, dst);
        return;
    }
    for (int64_t c = 0; c < 3; c++) {
        const uint8_t *colour = square->pixels + colour_of(preparation, c);
        const float scale = preparation->scale[c];
        float values[256];

        for (int level = 0; level < 256; level++)
            values[level] = ((float)level - preparation->mean[c]) * scale;
        for (int64_t y = view.y; y < view.y + input.h; y++) {
            const uint8_t *src = colour + (y * geometry.width + view.x) * 3;
            const float *mean = mean_row(preparation, c, y);

            /* The mean belongs to places in the square, so it is mirrored along with the pixels. */
            if (mean)
                prepare_row(src, mean + view.x, scale, input.w, dst);
            else
                look_up_row(src, values, input.w, dst);
            if (view.mirror)
                mirror_row(dst, input.w);
            dst += input.w;
        }
    }
}

static uint8_t to_level(float value)
{
    if (!(value > 0.0f)) /* not a number is black */
        return 0;
    return value < 255.0f ? (uint8_t)(value + 0.5f) : 255;
}

static void undo_colours(const float *src, struct zf_shape input, struct zf_view centre,
                         const struct zf_preparation *preparation, struct zf_picture *picture)
{
    for (int64_t c = 0; c < 3; c++) {
        const float scale = preparation->scale[c];
        uint8_t *colour = picture->pixels + colour_of(preparation, c);

        for (int64_t y = 0; y < input.h; y++, src += input.w, colour += 3 * input.w) {
            const float *mean = mean_row(preparation, c, centre.y + y);

            for (int64_t x = 0; x < input.w; x++)
                colour[3 * x] = to_level((scale != 0.0f ? src[x] / scale : 0.0f) +
                                         (mean ? mean[centre.x + x] : preparation->mean[c]));
        }
    }
}

static void undo_grey(const float *src, struct zf_shape input, struct zf_view centre,
                      const struct zf_preparation *preparation, struct zf_picture *picture)
{
    const float scale = preparation->scale[0];
    uint8_t *pixel = picture->pixels;

    for (int64_t y = 0; y < input.h; y++) {
        for (int64_t x = 0; x < input.w; x++, src++, pixel += 3) {
            const float mean = grey_mean(preparation, centre.y + y, centre.x + x);

            pixel[0] = pixel[1] = pixel[2] = to_level((scale != 0.0f ? *src / scale : 0.0f) + mean);
        }
    }
}

enum zf_status zf_picture_from_input(const float *src, struct zf_shape input,
                                     const struct zf_preparation *preparation,
                                     struct zf_picture *picture, struct zf_error *err)
{
    const struct zf_view centre = zf_view_centre(preparation, input);
    struct zf_picture made = {0};

    if (input.c != 1 && input.c != 3) /* no colours and no grey: values as they are */
        return zf_picture_from_signal(src, input, (struct zf_box){0, 0, input.w, input.h}, 0.0f,
                                      preparation->channels, picture, err);
    if (preparation->mean_image && (centre.y < 0 || centre.x < 0))
        return zf_fail(err, ZF_EINVAL,
                       "a mean of %" PRId64 " x %" PRId64 " px does not cover an input of %" PRId64
                       " x "
                       "%" PRId64,
                       preparation->size, preparation->size, input.w, input.h);
    ZF_CHECK(zf_picture_init_raw(&made, input.w, input.h, err));
    if (input.c == 1)
        undo_grey(src, input, centre, preparation, &made);
    else
        undo_colours(src, input, centre, preparation, &made);
    *picture = made;
    return ZF_OK;
}
