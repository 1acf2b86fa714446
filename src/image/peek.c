/* SPDX-License-Identifier: MIT */
#include "image/peek.h"

#include <string.h>

#include "base/status.h"

uint64_t zf_peek_number(const struct zf_source *source, uint64_t at, int bytes, bool big_endian)
{
    uint64_t value = 0;

    if (at > source->size || source->size - at < (uint64_t)bytes)
        return 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | source->bytes[at + (uint64_t)(big_endian ? i : bytes - 1 - i)];
    return value;
}

bool zf_peek_is(const struct zf_source *source, uint64_t at, const char *bytes, size_t size)
{
    return at <= source->size && source->size - at >= size &&
           memcmp(source->bytes + at, bytes, size) == 0;
}

/* ---- TIFF: a directory is the number of its entries, those, and where the next one is ---- */

bool zf_tiff_begin(const struct zf_source *source, struct zf_tiff *tiff)
{
    const bool little = zf_peek_is(source, 0, "II", 2), big = zf_peek_is(source, 0, "MM", 2);
    const uint64_t version = zf_peek_number(source, 2, 2, big);

    if ((!little && !big) || (version != 42 && version != 43))
        return false;
    *tiff = (struct zf_tiff){.source = source, .big_endian = big, .big = version == 43};
    tiff->directory = zf_peek_number(source, tiff->big ? 8 : 4, tiff->big ? 8 : 4, big);
    return true;
}

/* An entry: its tag, type and count, and the value, or where that is if it does not fit. */
uint64_t zf_tiff_value(const struct zf_tiff *tiff, int tag, uint64_t otherwise)
{
    static const uint8_t widths[] = {
        [1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4, [16] = 8};
    const struct zf_source *source = tiff->source;
    const bool order = tiff->big_endian;
    const int word = tiff->big ? 8 : 4;
    const uint64_t entry = tiff->big ? 20 : 12;
    const int count_size = tiff->big ? 8 : 2;
    const uint64_t entries = zf_peek_number(source, tiff->directory, count_size, order);

    for (uint64_t i = 0; i < entries && i < source->size / entry; i++) {
        const uint64_t at = tiff->directory + (uint64_t)count_size + i * entry;
        const uint64_t type = zf_peek_number(source, at + 2, 2, order);
        const uint64_t count = zf_peek_number(source, at + 4, word, order);
        const uint64_t value = at + 4 + (uint64_t)word;
        const int width = type < ZF_COUNT(widths) ? widths[type] : 0;

        if (zf_peek_number(source, at, 2, order) != (uint64_t)tag)
            continue;
        if (width == 0 || count == 0)
            return otherwise;
        return zf_peek_number(
            source,
            count > (uint64_t)(word / width) ? zf_peek_number(source, value, word, order) : value,
            width, order);
    }
    return otherwise;
}

/* ---- PNG: chunks of a size, four letters, as many bytes and a sum ---- */

bool zf_png_exif(const struct zf_source *source, uint64_t *at, uint64_t *size)
{
    if (!zf_peek_is(source, 0, "\x89PNG\r\n\x1A\n", 8))
        return false;
    for (uint64_t chunk = 8; chunk + 12 <= source->size;) {
        *at = chunk + 8;
        *size = zf_peek_number(source, chunk, 4, true);
        if (*size > source->size - *at)
            return false;
        if (zf_peek_is(source, chunk + 4, "eXIf", 4))
            return true;
        chunk = *at + *size + 4;
    }
    return false;
}

/* ---- GIF: extensions of sub-blocks, then a frame's place and size ---- */

static uint64_t colours_size(uint64_t flags)
{
    return flags & 0x80 ? UINT64_C(3) << ((flags & 7) + 1) : 0;
}

bool zf_gif_frame(const struct zf_source *source, struct zf_box *frame)
{
    uint64_t at = 13 + colours_size(zf_peek_number(source, 10, 1, false));

    if (!zf_peek_is(source, 0, "GIF8", 4))
        return false;
    while (zf_peek_is(source, at, "!", 1)) {
        at += 2;
        for (uint64_t size; (size = zf_peek_number(source, at, 1, false)) > 0;)
            at += size + 1;
        at++;
    }
    if (!zf_peek_is(source, at, ",", 1))
        return false;
    *frame = (struct zf_box){(int64_t)zf_peek_number(source, at + 1, 2, false),
                             (int64_t)zf_peek_number(source, at + 3, 2, false),
                             (int64_t)zf_peek_number(source, at + 5, 2, false),
                             (int64_t)zf_peek_number(source, at + 7, 2, false)};
    return true;
}
