/* SPDX-License-Identifier: MIT */
/*
 * BMP of Windows and OS/2: a header of 14 bytes with the place of the pixels, one of 12 to 124
 * bytes with their form, masks or a palette, and rows from the bottom (from the top where the
 * height is negative), each a multiple of 4 bytes; or runs of pixels. libvips has it only through
 * ImageMagick, which reads far more than anybody wants opened from outside.
 */
#include "picture.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"
#include "image/levels.h"

enum {
    FILE_HEADER = 14,
    ARRAY_HEADER = 14, /* of OS/2, before the first of several */
    CORE_HEADER = 12,  /* of OS/2 and Windows 2; its palette has no fourth byte */
    OS2_HEADER = 64,
    OS2_SHORT_HEADER = 16,
    INFO_HEADER = 40, /* what all later ones begin with */
    MASKS_IN_HEADER = 52,
    ALPHA_IN_HEADER = 56,
};

enum compression { RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHABITFIELDS, RLE24, HUFFMAN };

/* Some bits of a pixel: (pixel >> shift) & max. */
struct field {
    int shift;
    uint32_t max; /* 0 = there is none */
};

struct bmp {
    const struct zf_source *source;
    size_t at; /* of the file header */
    size_t header;
    int64_t width, height;
    bool top_down;
    uint32_t bits;
    enum compression compression;
    struct field fields[4]; /* red, green, blue, alpha; of pixels of 16 bits and more */
    uint8_t palette[256][3];
    size_t pixels; /* where they begin */
    bool any_alpha;
};

static uint32_t number(const uint8_t *bytes, int count)
{
    uint32_t value = 0;

    for (int k = 0; k < count; k++)
        value |= (uint32_t)bytes[k] << 8 * k;
    return value;
}

static enum zf_status damaged(const struct bmp *bmp, const char *what, struct zf_error *err)
{
    return zf_fail(err, ZF_EINPUT, "%s: a BMP %s", bmp->source->name, what);
}

/* A mask of ones that follow each other; false for any other. */
static bool field_of(uint32_t mask, struct field *field)
{
    *field = (struct field){0};
    if (mask == 0)
        return true;
    while ((mask >> field->shift & 1) == 0)
        field->shift++;
    field->max = mask >> field->shift;
    return (field->max & ((uint64_t)field->max + 1)) == 0;
}

/* The same numbers mean other things in the header of OS/2. */
static enum compression compression_of(uint32_t stated, size_t header)
{
    const bool os2 = header == OS2_HEADER || header == OS2_SHORT_HEADER;

    if (os2 && stated == BITFIELDS)
        return HUFFMAN;
    return os2 && stated == JPEG ? RLE24 : (enum compression)stated;
}

static bool bits_fit(const struct bmp *bmp)
{
    switch (bmp->compression) {
    case RGB:
        return bmp->bits == 1 || bmp->bits == 2 || bmp->bits == 4 || bmp->bits == 8 ||
               bmp->bits == 16 || bmp->bits == 24 || bmp->bits == 32;
    case RLE8:
        return bmp->bits == 8;
    case RLE4:
        return bmp->bits == 4;
    case RLE24:
        return bmp->bits == 24;
    case BITFIELDS:
    case ALPHABITFIELDS:
        return bmp->bits == 16 || bmp->bits == 32;
    case JPEG:
    case PNG:
    case HUFFMAN:
        break;
    }
    return false;
}

static enum zf_status read_form(struct bmp *bmp, struct zf_error *err)
{
    const uint8_t *header = bmp->source->bytes + bmp->at + FILE_HEADER;
    const size_t room = bmp->source->size - bmp->at - FILE_HEADER;
    uint32_t stated = RGB;

    bmp->header = room >= 4 ? number(header, 4) : 0;
    if (bmp->header != CORE_HEADER && bmp->header != OS2_SHORT_HEADER &&
        (bmp->header < INFO_HEADER || bmp->header > 124))
        return damaged(bmp, "whose header is damaged", err);
    if (bmp->header > room)
        return damaged(bmp, "that is truncated in its header", err);
    if (bmp->header == CORE_HEADER) {
        bmp->width = number(header + 4, 2);
        bmp->height = number(header + 6, 2);
        bmp->bits = number(header + 10, 2);
    } else {
        bmp->width = (int32_t)number(header + 4, 4);
        bmp->height = (int32_t)number(header + 8, 4);
        bmp->bits = number(header + 14, 2);
        stated = bmp->header > OS2_SHORT_HEADER ? number(header + 16, 4) : RGB;
    }
    bmp->top_down = bmp->height < 0;
    bmp->height = bmp->top_down ? -bmp->height : bmp->height;
    bmp->compression = compression_of(stated, bmp->header);
    if (stated > ALPHABITFIELDS || !bits_fit(bmp))
        return zf_fail(
            err, ZF_EINPUT,
            "%s: a BMP of %u bits a pixel, compression %u, is not of a kind that is read",
            bmp->source->name, bmp->bits, stated);
    return zf_source_check_size(bmp->source, bmp->width, bmp->height, err);
}

/* The masks of pixels that have no palette; *after is where the header and its masks end. */
static enum zf_status read_fields(struct bmp *bmp, size_t *after, struct zf_error *err)
{
    static const uint32_t of_16[] = {0x7C00, 0x03E0, 0x001F, 0},
                          of_32[] = {0xFF0000, 0xFF00, 0xFF, 0};
    const uint32_t *plain = bmp->bits == 16 ? of_16 : of_32;
    const size_t form = bmp->at + FILE_HEADER;
    const bool stated = bmp->compression == BITFIELDS || bmp->compression == ALPHABITFIELDS;
    int count = 0;

    *after = form + bmp->header;
    if (stated) {
        count = bmp->compression == ALPHABITFIELDS || bmp->header >= ALPHA_IN_HEADER ? 4 : 3;
        if (bmp->header < MASKS_IN_HEADER)
            *after += (size_t)count * 4;
        if (*after > bmp->source->size)
            return damaged(bmp, "that is truncated in its header", err);
    }
    for (int c = 0; c < 4; c++) {
        const uint8_t *mask = bmp->source->bytes + form + INFO_HEADER + 4 * c;

        if (!field_of(c < count ? number(mask, 4) : stated ? 0 : plain[c], &bmp->fields[c]))
            return damaged(bmp, "whose colours are of scattered bits", err);
    }
    return ZF_OK;
}

/* Colours that the palette lacks are black. */
static void read_palette(struct bmp *bmp, size_t at)
{
    const uint8_t *form = bmp->source->bytes + bmp->at + FILE_HEADER;
    const size_t each = bmp->header == CORE_HEADER ? 3 : 4;
    const size_t size = bmp->source->size;
    const size_t end = bmp->pixels > at && bmp->pixels < size ? bmp->pixels : size;
    const uint32_t used = bmp->header >= INFO_HEADER ? number(form + 32, 4) : 0;
    size_t count = (size_t)1 << bmp->bits;

    if (used > 0 && used < count)
        count = used;
    for (size_t k = 0; k < count && at + each <= end; k++, at += each) {
        for (int c = 0; c < 3; c++)
            bmp->palette[k][c] = bmp->source->bytes[at + 2 - (size_t)c];
    }
    if (bmp->pixels < at)
        bmp->pixels = at;
}

static void read_pixel(struct bmp *bmp, uint32_t pixel, uint8_t *rgb)
{
    const struct field *alpha = &bmp->fields[3];
    uint32_t cover = 255;

    if (alpha->max > 0) {
        cover = zf_level(pixel >> alpha->shift & alpha->max, alpha->max);
        bmp->any_alpha = bmp->any_alpha || cover > 0;
    }
    for (int c = 0; c < 3; c++) {
        const struct field field = bmp->fields[c];
        const uint8_t level =
            field.max > 0 ? zf_level(pixel >> field.shift & field.max, field.max) : 0;

        rgb[c] = cover == 255 ? level : zf_level_on_white(level, cover);
    }
}

static void read_row(struct bmp *bmp, const uint8_t *row, uint8_t *rgb)
{
    for (int64_t x = 0; x < bmp->width; x++, rgb += 3) {
        if (bmp->bits <= 8) {
            const int64_t bit = x * bmp->bits;
            const uint32_t byte = row[bit / 8];

            memcpy(rgb, bmp->palette[byte >> (8 - bmp->bits - bit % 8) & ((1u << bmp->bits) - 1)],
                   3);
        } else if (bmp->bits == 24) {
            for (int c = 0; c < 3; c++)
                rgb[c] = row[3 * x + 2 - c];
        } else {
            const int bytes = (int)bmp->bits / 8;

            read_pixel(bmp, number(row + x * bytes, bytes), rgb);
        }
    }
}

static uint8_t *row_of(const struct bmp *bmp, const struct zf_picture *picture, int64_t y)
{
    return picture->pixels + (bmp->top_down ? y : bmp->height - 1 - y) * bmp->width * 3;
}

static enum zf_status read_rows(struct bmp *bmp, struct zf_picture *picture, struct zf_error *err)
{
    const int64_t used = (bmp->width * bmp->bits + 7) / 8, stride = (used + 3) / 4 * 4;
    const int64_t there =
        bmp->pixels < bmp->source->size ? (int64_t)(bmp->source->size - bmp->pixels) : 0;
    const uint8_t *rows = bmp->source->bytes + bmp->pixels;

    if (there < used || (there - used) / stride < bmp->height - 1)
        return damaged(bmp, "that is truncated, not all of its rows are there", err);
    for (int64_t y = 0; y < bmp->height; y++)
        read_row(bmp, rows + y * stride, row_of(bmp, picture, y));
    if (bmp->fields[3].max > 0 && !bmp->any_alpha) { /* all transparent: a fourth byte left at 0 */
        bmp->fields[3].max = 0;
        for (int64_t y = 0; y < bmp->height; y++)
            read_row(bmp, rows + y * stride, row_of(bmp, picture, y));
    }
    return ZF_OK;
}

/* Where runs are written; what falls beyond the right border is dropped. */
struct brush {
    struct bmp *bmp;
    struct zf_picture *picture;
    int64_t x, y;
};

static void put(struct brush *brush, const uint8_t *rgb)
{
    if (brush->x < brush->bmp->width && brush->y < brush->bmp->height)
        memcpy(row_of(brush->bmp, brush->picture, brush->y) + brush->x * 3, rgb, 3);
    brush->x++;
}

/* Pixel k of a run whose bytes, packed, begin here. */
static void put_packed(struct brush *brush, const uint8_t *bytes, uint32_t k)
{
    const struct bmp *bmp = brush->bmp;

    if (bmp->bits == 24)
        put(brush, (const uint8_t[]){bytes[3 * k + 2], bytes[3 * k + 1], bytes[3 * k]});
    else if (bmp->bits == 8)
        put(brush, bmp->palette[bytes[k]]);
    else
        put(brush, bmp->palette[k % 2 ? bytes[k / 2] & 15 : bytes[k / 2] >> 4]);
}

/*
 * A count and a colour (of 4 bits two, in turn); or 0 and: the row's end, the picture's end, a step
 * to the right and down, or a count of pixels that follow, filled up to an even number of bytes.
 * What steps leave out has the palette's first colour. False when the file ends before the picture.
 */
static bool read_runs(struct brush *brush)
{
    enum { END_OF_ROW, END_OF_PICTURE, STEP };
    const struct bmp *bmp = brush->bmp;
    const uint8_t *at = bmp->source->bytes + bmp->pixels,
                  *end = bmp->source->bytes + bmp->source->size;
    const size_t colour = bmp->bits == 24 ? 3 : 1;

    while (end - at >= 2) {
        const uint32_t count = at[0], code = at[1];

        if (count > 0) {
            if ((size_t)(end - at) < 1 + colour)
                break;
            for (uint32_t k = 0; k < count; k++)
                put_packed(brush, at + 1, bmp->bits == 4 ? k % 2 : 0);
            at += 1 + colour;
            continue;
        }
        at += 2;
        if (code == END_OF_ROW) {
            brush->x = 0;
            brush->y++;
        } else if (code == END_OF_PICTURE) {
            return true;
        } else if (code == STEP) {
            if (end - at < 2)
                break;
            brush->x += at[0];
            brush->y += at[1];
            at += 2;
        } else {
            const size_t bytes = (code * bmp->bits + 7) / 8;

            if ((size_t)(end - at) < bytes)
                break;
            for (uint32_t k = 0; k < code; k++)
                put_packed(brush, at, k);
            at += bytes + bytes % 2 <= (size_t)(end - at) ? bytes + bytes % 2 : bytes;
        }
    }
    return brush->y >= bmp->height || (brush->y == bmp->height - 1 && brush->x >= bmp->width);
}

static bool has_runs(const struct bmp *bmp)
{
    return bmp->compression == RLE4 || bmp->compression == RLE8 || bmp->compression == RLE24;
}

/* Two bytes are at most 255 pixels. A small file that states a vast picture gets no memory for it.
 */
static bool runs_can_fill(const struct bmp *bmp)
{
    return bmp->width * bmp->height / 128 <= (int64_t)bmp->source->size;
}

static enum zf_status read_all_runs(struct bmp *bmp, struct zf_picture *picture,
                                    struct zf_error *err)
{
    struct brush brush = {bmp, picture, 0, 0};

    for (int64_t i = 0; i < bmp->width * bmp->height; i++)
        memcpy(picture->pixels + 3 * i, bmp->palette[0], 3);
    if (bmp->pixels > bmp->source->size || !read_runs(&brush))
        return damaged(bmp, "that is truncated, its runs end before the picture does", err);
    return ZF_OK;
}

static enum zf_status bmp_decode(const struct zf_source *source, struct zf_decoded *decoded,
                                 struct zf_error *err)
{
    enum zf_status status;
    struct bmp bmp = {.source = source};
    struct zf_picture picture = {0};
    size_t after;

    if (source->bytes[1] == 'A')
        bmp.at = ARRAY_HEADER;
    if (source->size < bmp.at + FILE_HEADER)
        return damaged(&bmp, "that is truncated in its header", err);
    bmp.pixels = number(source->bytes + bmp.at + 10, 4);
    ZF_TRY(read_form(&bmp, err));
    ZF_TRY(read_fields(&bmp, &after, err));
    if (bmp.bits <= 8)
        read_palette(&bmp, after);
    else if (bmp.pixels < after)
        bmp.pixels = after;
    if (has_runs(&bmp) && !runs_can_fill(&bmp)) {
        status = damaged(&bmp, "that is truncated, its runs cannot fill the picture", err);
        goto fail;
    }
    ZF_TRY(zf_picture_init_raw(&picture, bmp.width, bmp.height, err));
    if (has_runs(&bmp))
        ZF_TRY(read_all_runs(&bmp, &picture, err));
    else
        ZF_TRY(read_rows(&bmp, &picture, err));
    *decoded = zf_decoded_whole(&picture);
fail:
    zf_picture_release(&picture);
    return status;
}

/* "BM" begins many a text: the size of the second header is what tells. */
static bool bmp_knows(const struct zf_source *source)
{
    const uint8_t *bytes = source->bytes;
    size_t at = 0;

    if (source->size >= ARRAY_HEADER + 2 && memcmp(bytes, "BA", 2) == 0)
        at = ARRAY_HEADER;
    return source->size >= at + FILE_HEADER + 4 && memcmp(bytes + at, "BM", 2) == 0 &&
           number(bytes + at + FILE_HEADER, 4) <= 124;
}

const struct zf_decoder zf_bmp_decoder = {"bmp", bmp_knows, bmp_decode};
