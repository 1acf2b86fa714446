/* SPDX-License-Identifier: MIT */
/*
 * What libvips makes of a file, as 8-bit RGB. Bytes go through its own steps; 16 bits, inks, and
 * numbers that are no bytes do not: it would take 12 bits in 16 for black, floats for light that
 * wants a gamma, and inks for those of one printing press.
 */
#include "image/vips.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/levels.h"

enum { STEPS = 6 };

/* A picture on its way from rows of another kind. */
struct copy {
    struct zf_picture *picture;
    int bands;
    int shift; /* of 16 bits: what the rows so far were shifted right by */
    float scale;
    struct zf_span span;
};

static uint8_t *row_of(const struct copy *copy, int y)
{
    return copy->picture->pixels + (int64_t)y * copy->picture->width * 3;
}

/* ---- Bytes ---- */

static void copy_row(void *user, int y, const void *row)
{
    const struct copy *copy = user;

    memcpy(row_of(copy, y), row, (size_t)copy->picture->width * 3);
}

/* Plain RGB of 8 bits, still lazy. Returns NULL on failure; the steps belong to `owner`. */
static VipsImage *plain_rgb(VipsObject *owner, VipsImage *image)
{
    VipsImage **step = (VipsImage **)zf_vips->object_local_array(owner, STEPS);

    if (zf_vips->colourspace(image, &step[0], VIPS_INTERPRETATION_sRGB, NULL) != 0)
        return NULL;
    image = step[0];
    if (zf_vips->image_hasalpha(image)) {
        const double white[] = {255.0, 255.0, 255.0};
        VipsArrayDouble *background = zf_vips->array_double_new(white, 3);
        const int failed = zf_vips->flatten(image, &step[1], "background", background, NULL);

        zf_vips->area_unref(VIPS_AREA(background));
        if (failed)
            return NULL;
        image = step[1];
    }
    if (image->Bands != 3) {
        if (zf_vips->extract_band(image, &step[2], 0, "n", 3, NULL) != 0)
            return NULL;
        image = step[2];
    }
    if (zf_vips->cast_uchar(image, &step[3], NULL) != 0)
        return NULL;
    return step[3];
}

/* ---- 16 bits ---- */

/*
 * The upper 8 of 16 bits; but where no sample has more than 12 bits, or than 8, those are all there
 * are. Which it is shows as rows come, and shifting what was written already gives the same levels
 * as shifting once.
 */
static void deep_row(void *user, int y, const void *row)
{
    struct copy *copy = user;
    const uint16_t *samples = row;
    const int64_t width = copy->picture->width;
    const int step = copy->bands == 3 ? 1 : 0;
    uint8_t *rgb = row_of(copy, y);
    uint16_t most = 0;
    int shift;

    for (int64_t i = 0; i < width * copy->bands; i++)
        most = samples[i] > most ? samples[i] : most;
    shift = most > 4095 ? 8 : most > 255 ? 4 : 0;
    if (shift > copy->shift) {
        for (uint8_t *p = copy->picture->pixels; p < rgb; p++)
            *p = (uint8_t)(*p >> (shift - copy->shift));
        copy->shift = shift;
    }
    for (int64_t x = 0; x < width; x++, samples += copy->bands, rgb += 3) {
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(samples[c * step] >> copy->shift);
    }
}

/* ---- Inks ---- */

/* The product is how much light two layers of ink let through, as for JPEG. */
static void ink_row(void *user, int y, const void *row)
{
    const struct copy *copy = user;
    const uint8_t *inks = row;
    uint8_t *rgb = row_of(copy, y);

    for (int64_t x = 0; x < copy->picture->width; x++, inks += copy->bands, rgb += 3) {
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(((255 - inks[c]) * (255 - inks[3]) + 127) / 255);
    }
}

/* ---- Numbers ---- */

static void span_row(void *user, int y, const void *row)
{
    struct copy *copy = user;

    (void)y;
    zf_span_add(&copy->span, row, copy->picture->width * copy->bands);
}

static void number_row(void *user, int y, const void *row)
{
    const struct copy *copy = user;
    const int colours = copy->bands >= 3 ? 3 : 1;
    const float *values = row;
    uint8_t *rgb = row_of(copy, y);

    for (int64_t x = 0; x < copy->picture->width; x++, values += copy->bands, rgb += 3) {
        for (int c = 0; c < 3; c++) {
            const uint8_t level = zf_level_of_float(values[colours == 3 ? c : 0], copy->scale);

            rgb[c] = copy->bands > colours
                         ? zf_level_on_white(level, zf_level_of_float(values[colours], copy->scale))
                         : level;
        }
    }
}

/* All values are seen once before the first becomes a level, so the file is read twice. */
static bool find_span(const struct zf_source *source, struct copy *copy)
{
    VipsImage *image = NULL, *floats = NULL;
    bool ok = zf_vips_open(source, &image, NULL) == ZF_OK &&
              zf_vips->cast_float(image, &floats, NULL) == 0 &&
              zf_vips_rows(floats, span_row, copy);

    if (floats)
        zf_vips->object_unref(floats);
    if (image)
        zf_vips->object_unref(image);
    return ok;
}

/* ---- Which of these ---- */

static bool is_inks(const VipsImage *image)
{
    return image->Type == VIPS_INTERPRETATION_CMYK && image->Bands >= 4;
}

/* Rows of `image`, or of what comes of it, and what takes them; NULL on failure. */
static VipsImage *choose(VipsObject *owner, VipsImage *image, const struct copy *copy,
                         zf_vips_row **row)
{
    VipsImage **step = (VipsImage **)zf_vips->object_local_array(owner, 1);
    const bool whole = copy->bands == 1 || copy->bands == 3;

    if (is_inks(image)) {
        *row = ink_row;
        return zf_vips->cast(image, &step[0], VIPS_FORMAT_UCHAR, "shift", TRUE, NULL) == 0 ? step[0]
                                                                                           : NULL;
    }
    if (image->BandFmt == VIPS_FORMAT_USHORT && whole && image->Type != VIPS_INTERPRETATION_LAB) {
        *row = deep_row;
        return image;
    }
    if (image->BandFmt == VIPS_FORMAT_UCHAR || image->BandFmt == VIPS_FORMAT_USHORT ||
        image->Type == VIPS_INTERPRETATION_LAB || image->Type == VIPS_INTERPRETATION_LABS) {
        *row = copy_row;
        return plain_rgb(owner, image);
    }
    *row = number_row;
    return zf_vips->cast_float(image, &step[0], NULL) == 0 ? step[0] : NULL;
}

static void note_depth(const struct copy *copy, struct zf_decoded *made)
{
    if (copy->shift < 8)
        zf_decoded_note(made, "16 bits a sample, of which it uses %d: these are its levels",
                        8 + copy->shift);
}

enum zf_status zf_vips_to_rgb(const struct zf_source *source, VipsImage *image,
                              struct zf_decoded *made, struct zf_error *err)
{
    enum zf_status status = ZF_OK;
    struct copy copy = {.picture = &made->picture, .bands = image->Bands};
    VipsObject *owner = (VipsObject *)(zf_vips->image_new());
    VipsImage *rows;
    zf_vips_row *row = NULL;

    if (copy.bands > 4 && !is_inks(image))
        ZF_LEAVE(zf_fail(err, ZF_EINPUT,
                         "%s: %d channels, a picture has 1 to 4; give others as .npy", source->name,
                         copy.bands));
    rows = choose(owner, image, &copy, &row);
    if (!rows)
        ZF_LEAVE(zf_vips_fail(err, ZF_EINPUT, source->name, "has colours that are not understood"));
    if (row == number_row) {
        copy.span.whole =
            image->BandFmt != VIPS_FORMAT_FLOAT && image->BandFmt != VIPS_FORMAT_DOUBLE;
        if (!find_span(source, &copy))
            ZF_LEAVE(zf_vips_fail(err, ZF_EINPUT, source->name, "damaged or truncated"));
        ZF_TRY(zf_span_scale(&copy.span, source->name, &copy.scale, err));
    }
    if (!zf_vips_rows(rows, row, &copy))
        ZF_LEAVE(zf_vips_fail(err, ZF_EINPUT, source->name, "damaged or truncated"));
    if (row == deep_row)
        note_depth(&copy, made);
fail:
    zf_vips->object_unref(owner);
    return status;
}
