/* SPDX-License-Identifier: MIT */
#include "image/pages.h"

#include "base/status.h"
#include "image/peek.h"

/* RIFF: chunks of a tag, a size and as many bytes, filled up to an even number. */
static int64_t count_frames(const struct zf_source *webp)
{
    int64_t frames = 0;
    uint64_t at = 12;

    while (at + 8 <= webp->size && frames <= ZF_MOST_PAGES) {
        const uint64_t size = zf_peek_number(webp, at + 4, 4, false);

        frames += zf_peek_is(webp, at, "ANMF", 4);
        at += 8 + size + (size & 1);
    }
    return frames;
}

/* Each directory ends in where the next one is. */
static int64_t count_directories(const struct zf_tiff *tiff)
{
    const struct zf_source *source = tiff->source;
    const int word = tiff->big ? 8 : 4, count_size = tiff->big ? 8 : 2;
    const uint64_t entry = tiff->big ? 20 : 12;
    uint64_t at = tiff->directory;
    int64_t pages = 0;

    while (at > 0 && at < source->size && pages <= ZF_MOST_PAGES) {
        const uint64_t entries = zf_peek_number(source, at, count_size, tiff->big_endian);

        pages++;
        if (entries > source->size / entry)
            break;
        at = zf_peek_number(source, at + (uint64_t)count_size + entries * entry, word,
                            tiff->big_endian);
    }
    return pages;
}

static int64_t count_pages(const struct zf_source *source)
{
    struct zf_tiff tiff;

    if (zf_peek_is(source, 0, "RIFF", 4) && zf_peek_is(source, 8, "WEBP", 4))
        return count_frames(source);
    return zf_tiff_begin(source, &tiff) ? count_directories(&tiff) : 1;
}

enum zf_status zf_pages_check(const struct zf_source *source, struct zf_error *err)
{
    if (count_pages(source) <= ZF_MOST_PAGES)
        return ZF_OK;
    return zf_fail(err, ZF_EINPUT, "%s: more than the limit of %d pages or frames", source->name,
                   ZF_MOST_PAGES);
}
