/* SPDX-License-Identifier: MIT */
#include "image/pages.h"

#include <string.h>

#include "base/status.h"

/* Whole numbers of either order; what lies outside of the file is 0, which ends every chain. */
static uint64_t number_at(const struct zf_source *source, uint64_t at, int bytes, bool big_endian)
{
    uint64_t value = 0;

    if (at > source->size || source->size - at < (uint64_t)bytes)
        return 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | source->bytes[at + (uint64_t)(big_endian ? i : bytes - 1 - i)];
    return value;
}

static bool begins_with(const struct zf_source *source, uint64_t at, const char *tag, size_t size)
{
    return at <= source->size && source->size - at >= size &&
           memcmp(source->bytes + at, tag, size) == 0;
}

/* RIFF: chunks of a tag, a size and as many bytes, filled up to an even number. */
static int64_t count_frames(const struct zf_source *webp)
{
    int64_t frames = 0;
    uint64_t at = 12;

    while (at + 8 <= webp->size && frames <= ZF_MOST_PAGES) {
        const uint64_t size = number_at(webp, at + 4, 4, false);

        frames += begins_with(webp, at, "ANMF", 4);
        at += 8 + size + (size & 1);
    }
    return frames;
}

/* A directory: the number of its entries, those, and where the next directory is. In a BigTIFF the
   number has 8 bytes, an entry 20, and an offset 8. */
static int64_t count_directories(const struct zf_source *tiff, bool big_endian, bool big_tiff)
{
    const int word = big_tiff ? 8 : 4, count_size = big_tiff ? 8 : 2;
    const uint64_t entry = big_tiff ? 20 : 12;
    uint64_t at = number_at(tiff, big_tiff ? 8 : 4, word, big_endian);
    int64_t pages = 0;

    while (at > 0 && at < tiff->size && pages <= ZF_MOST_PAGES) {
        const uint64_t entries = number_at(tiff, at, count_size, big_endian);

        pages++;
        if (entries > tiff->size / entry)
            break;
        at = number_at(tiff, at + (uint64_t)count_size + entries * entry, word, big_endian);
    }
    return pages;
}

static int64_t count_pages(const struct zf_source *source)
{
    if (begins_with(source, 0, "RIFF", 4) && begins_with(source, 8, "WEBP", 4))
        return count_frames(source);
    if (begins_with(source, 0, "II*\0", 4) || begins_with(source, 0, "II+\0", 4))
        return count_directories(source, false, source->bytes[2] == '+');
    if (begins_with(source, 0, "MM\0*", 4) || begins_with(source, 0, "MM\0+", 4))
        return count_directories(source, true, source->bytes[3] == '+');
    return 1;
}

enum zf_status zf_pages_check(const struct zf_source *source, struct zf_error *err)
{
    if (count_pages(source) <= ZF_MOST_PAGES)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT, "%s: more than the limit of %d pages or frames", source->name,
                   ZF_MOST_PAGES);
}
