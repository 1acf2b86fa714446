/* SPDX-License-Identifier: MIT */
#include "image/tiff.h"

#include <inttypes.h>

#include "base/status.h"
#include "image/peek.h"

enum {
    TAG_SUBFILE = 254,
    TAG_BITS = 258,
    TAG_PHOTOMETRIC = 262,
    TAG_CHANNELS = 277,
    TAG_PLANAR = 284,
    TAG_TILE_WIDTH = 322,
    TAG_SUBDIRECTORIES = 330,
    TAG_EXTRA = 338,
    TAG_FORMAT = 339,
    TAG_DNG_VERSION = 50706,
};
enum { FORMAT_FLOAT = 3, FORMAT_COMPLEX = 5, PLANAR_SEPARATE = 2, REDUCED = 1 };

/* Adobe's DNG says so; those of makers begin with a small copy, and have the rest below it. */
static bool is_raw(const struct zf_tiff *tiff)
{
    return zf_tiff_value(tiff, TAG_DNG_VERSION, 0) != 0 || zf_peek_is(tiff->source, 8, "CR", 2) ||
           ((zf_tiff_value(tiff, TAG_SUBFILE, 0) & REDUCED) != 0 &&
            zf_tiff_value(tiff, TAG_SUBDIRECTORIES, 0) != 0);
}

enum zf_status zf_tiff_check(const struct zf_source *source, struct zf_error *err)
{
    struct zf_tiff tiff;
    uint64_t bits, format;

    if (!zf_tiff_begin(source, &tiff))
        return ZF_OK;
    if (is_raw(&tiff))
        return zf_fail(err, ZF_EINPUT,
                       "%s: a camera's raw file; save it as JPEG or TIFF of 16 bits", source->name);
    bits = zf_tiff_value(&tiff, TAG_BITS, 1);
    format = zf_tiff_value(&tiff, TAG_FORMAT, 1);
    if (bits > 32 || (format == FORMAT_FLOAT && bits != 32) || format >= FORMAT_COMPLEX)
        return zf_fail(err, ZF_EINPUT,
                       "%s: a TIFF of %s of %" PRIu64
                       " bits; save it with 32-bit floats or 16-bit integers, or give it as .npy",
                       source->name,
                       format == FORMAT_FLOAT     ? "floats"
                       : format >= FORMAT_COMPLEX ? "complex numbers"
                                                  : "integers",
                       bits);
    if (bits > 8 && bits % 8 != 0)
        return zf_fail(err, ZF_EINPUT, "%s: a TIFF of %" PRIu64 " bits; save it with 16",
                       source->name, bits);
    if (zf_tiff_value(&tiff, TAG_PLANAR, 1) == PLANAR_SEPARATE &&
        zf_tiff_value(&tiff, TAG_TILE_WIDTH, 0) != 0)
        return zf_fail(err, ZF_EINPUT,
                       "%s: a TIFF of tiles with a plane for each channel; save it with "
                       "interleaved channels",
                       source->name);
    return ZF_OK;
}

bool zf_tiff_has_unnamed(const struct zf_source *source)
{
    struct zf_tiff tiff;

    return zf_tiff_begin(source, &tiff) && zf_tiff_value(&tiff, TAG_EXTRA, UINT64_MAX) == 0;
}
