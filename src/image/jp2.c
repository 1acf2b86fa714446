/* SPDX-License-Identifier: MIT */
/*
 * A .jp2 file is boxes (length, four letters, contents), of which "jp2c" holds the codestream; a
 * .j2k file is the codestream itself. That begins with the markers FF4F and FF51; behind the second
 * comes the size: of the segment, capabilities, and then in 32 bits the right and bottom of the
 * grid, the left and top, the tiles' sides, and their left and top; the number of channels, and of
 * each its depth.
 */
#include "image/jp2.h"

#include <string.h>

#include "base/status.h"

enum {
    MOST_BYTES = 64 << 20,
    MOST_PIXELS = 25000000,
    MOST_TILES = 1024,
    MOST_CHANNELS = 4,
    MOST_BITS = 16,
    MOST_BOXES = 100,
    SIZE_BYTES = 42, /* of the markers and the segment, up to the first channel */
};

static uint64_t number(const uint8_t *bytes, int count)
{
    uint64_t value = 0;

    for (int k = 0; k < count; k++)
        value = value << 8 | bytes[k];
    return value;
}

/* Where the codestream begins; the file's size when there is none. */
static size_t find_codestream(const struct zf_source *source)
{
    const uint8_t *bytes = source->bytes;
    size_t at = 0;

    if (source->size >= 2 && number(bytes, 2) == 0xFF4F)
        return 0;
    for (int box = 0; box < MOST_BOXES && source->size - at >= 16; box++) {
        uint64_t length = number(bytes + at, 4);
        const size_t header = length == 1 ? 16 : 8;

        if (memcmp(bytes + at + 4, "jp2c", 4) == 0)
            return at + header;
        if (length == 1)
            length = number(bytes + at + 8, 8);
        if (length < header || length > source->size - at)
            break;
        at += (size_t)length;
    }
    return source->size;
}

enum zf_status zf_jp2_check(const struct zf_source *source, struct zf_error *err)
{
    const size_t at = find_codestream(source);
    const uint8_t *size = source->bytes + at;
    uint64_t sides[8], channels, tiles;
    bool fits;

    if (source->size - at < SIZE_BYTES || number(size, 4) != 0xFF4FFF51)
        return zf_fail(err, ZF_EINPUT, "%s: a damaged JPEG 2000 file, it does not say its size",
                       source->name);
    for (int k = 0; k < 8; k++)
        sides[k] = number(size + 8 + 4 * k, 4);
    channels = number(size + 40, 2);
    if (sides[0] <= sides[2] || sides[1] <= sides[3] || sides[4] == 0 || sides[5] == 0 ||
        source->size - at - SIZE_BYTES < 3 * channels)
        return zf_fail(err, ZF_EINPUT, "%s: a damaged JPEG 2000 file, its sizes cannot be",
                       source->name);
    if (sides[2] != 0 || sides[3] != 0) /* libvips would move some of the tiles */
        return zf_fail(err, ZF_EINPUT,
                       "%s: a JPEG 2000 file whose picture does not begin at the grid's corner, "
                       "which is not read",
                       source->name);
    tiles = ((sides[0] + sides[4] - 1) / sides[4]) * ((sides[1] + sides[5] - 1) / sides[5]);
    fits = source->size <= MOST_BYTES && tiles <= MOST_TILES && channels <= MOST_CHANNELS &&
           sides[0] <= MOST_PIXELS / sides[1];
    for (uint64_t c = 0; fits && c < channels; c++)
        fits = (size[SIZE_BYTES + 3 * c] & 127) + 1 <= MOST_BITS;
    if (!fits)
        return zf_fail(
            err, ZF_EINPUT,
            "%s: a JPEG 2000 file of more than %d bytes, %d pixels, %d tiles, %d channels "
            "or %d bits",
            source->name, MOST_BYTES, MOST_PIXELS, MOST_TILES, MOST_CHANNELS, MOST_BITS);
    return ZF_OK;
}
