/* SPDX-License-Identifier: MIT */
/*
 * Cameras store pixels as the sensor lay and note in EXIF how to hold the picture. An EXIF block
 * is a small TIFF file: "Exif\0\0", byte order ("II" or "MM"), 42, the offset of a directory;
 * the directory is a count and that many entries of 12 bytes: tag, type, count, value.
 */
#include "picture.h"

#include <string.h>

#include "base/memory.h"
#include "base/status.h"

enum {
    EXIF_PREFIX = 6, /* "Exif\0\0" */
    TIFF_HEADER = 8,
    TIFF_ENTRY = 12,
    TAG_ORIENTATION = 0x0112,
};

/* Bytes of a value, by its type: byte, short, long, and the same with a sign. */
static const uint8_t type_widths[] = {[1] = 1, [3] = 2, [4] = 4, [6] = 1, [8] = 2, [9] = 4};

struct tiff {
    const uint8_t *bytes;
    bool little_endian;
};

static uint32_t read16(struct tiff tiff, size_t at)
{
    const uint32_t a = tiff.bytes[at], b = tiff.bytes[at + 1];

    return tiff.little_endian ? b << 8 | a : a << 8 | b;
}

static uint32_t read32(struct tiff tiff, size_t at)
{
    const uint32_t a = read16(tiff, at), b = read16(tiff, at + 2);

    return tiff.little_endian ? b << 16 | a : a << 16 | b;
}

/* The first value of an entry of whole numbers; 0 for other types. Where an entry has more than fit
   its four bytes, those are the place of all. */
static uint32_t first_value(struct tiff tiff, size_t entry, size_t size)
{
    const uint32_t type = read16(tiff, entry + 2), count = read32(tiff, entry + 4);
    const size_t width = type < ZF_COUNT(type_widths) ? type_widths[type] : 0;
    size_t at = entry + 8;

    if (width == 0 || count == 0)
        return 0;
    if (count > 4 / width)
        at = read32(tiff, at);
    if (at > size - width)
        return 0;
    return width == 1 ? tiff.bytes[at] : width == 2 ? read16(tiff, at) : read32(tiff, at);
}

int zf_exif_orientation(const uint8_t *block, size_t size)
{
    struct tiff tiff;
    size_t directory, entries;

    if (size >= EXIF_PREFIX && memcmp(block, "Exif\0\0", EXIF_PREFIX) == 0) {
        block += EXIF_PREFIX;
        size -= EXIF_PREFIX;
    }
    if (size < TIFF_HEADER)
        return 1;
    tiff = (struct tiff){block, block[0] == 'I'};
    if (memcmp(tiff.bytes, tiff.little_endian ? "II" : "MM", 2) != 0 || read16(tiff, 2) != 42)
        return 1;
    directory = read32(tiff, 4);
    if (directory > size - 2)
        return 1;
    entries = read16(tiff, directory);
    for (size_t at = directory + 2; entries > 0 && at + TIFF_ENTRY <= size; at += TIFF_ENTRY) {
        if (read16(tiff, at) == TAG_ORIENTATION) {
            const uint32_t value = first_value(tiff, at, size);

            return value >= 1 && value <= 8 ? (int)value : 1;
        }
        entries--;
    }
    return 1;
}

/* How the upright picture reads the stored one: swap x and y, then count from the far end. */
static const struct turn {
    bool transpose, from_right, from_bottom;
} turns[] = {
    [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
    [4] = {false, false, true},  [5] = {true, false, false}, [6] = {true, false, true},
    [7] = {true, true, true},    [8] = {true, true, false},
};

static struct turn turn_of(int orientation)
{
    return turns[orientation >= 2 && orientation <= 8 ? orientation : 1];
}

static struct zf_box transpose(struct zf_box box)
{
    return (struct zf_box){box.y, box.x, box.height, box.width};
}

/* Count from the far ends of the stored picture. */
static struct zf_box flip(struct zf_box box, struct turn turn, int64_t width, int64_t height)
{
    if (turn.from_right)
        box.x = width - box.x - box.width;
    if (turn.from_bottom)
        box.y = height - box.y - box.height;
    return box;
}

struct zf_box zf_box_to_stored(struct zf_box upright, int orientation, int64_t width,
                               int64_t height)
{
    const struct turn turn = turn_of(orientation);

    return flip(turn.transpose ? transpose(upright) : upright, turn, width, height);
}

struct zf_box zf_box_to_upright(struct zf_box stored, int orientation, int64_t width,
                                int64_t height)
{
    const struct turn turn = turn_of(orientation);
    const struct zf_box flipped = flip(stored, turn, width, height);

    return turn.transpose ? transpose(flipped) : flipped;
}

enum zf_status zf_picture_orient(struct zf_picture *picture, int orientation, struct zf_error *err)
{
    struct zf_picture upright = {0};
    const int64_t width = picture->width, height = picture->height;
    const uint8_t *origin = picture->pixels;
    int64_t step_x = 3, step_y = width * 3; /* in the stored picture, along upright x and y */
    uint8_t *out;
    const struct turn turn = turn_of(orientation);

    if (orientation < 2 || orientation > 8)
        return ZF_OK;
    if (turn.from_right) {
        origin += (width - 1) * 3;
        step_x = -step_x;
    }
    if (turn.from_bottom) {
        origin += (height - 1) * width * 3;
        step_y = -step_y;
    }
    if (turn.transpose) {
        const int64_t along_rows = step_x;

        step_x = step_y;
        step_y = along_rows;
    }
    ZF_CHECK(zf_picture_init_raw(&upright, turn.transpose ? height : width,
                                 turn.transpose ? width : height, err));
    out = upright.pixels;
    for (int64_t y = 0; y < upright.height; y++) {
        for (int64_t x = 0; x < upright.width; x++, out += 3)
            memcpy(out, origin + y * step_y + x * step_x, 3);
    }
    zf_picture_release(picture);
    *picture = upright;
    return ZF_OK;
}
