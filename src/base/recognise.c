/* SPDX-License-Identifier: MIT */
#include "base/recognise.h"

#include <string.h>
#include <strings.h>

#include "base/status.h"

#define BYTES(text) text, sizeof text - 1
static const struct {
    size_t at;
    const char *bytes;
    size_t size;
    const char *what;
} kinds[] = {
    {0, BYTES("version https://git-lfs"), "a pointer of Git LFS: `git lfs pull` gets the file"},
    {0, BYTES("PK\003\004"), "a zip archive: unpack it first"},
    {0, BYTES("7z\xBC\xAF\x27\x1C"), "a 7z archive: unpack it first"},
    {0, BYTES("Rar!\x1A\x07"), "a rar archive: unpack it first"},
    {0, BYTES("\x1F\x8B"), "compressed by gzip: unpack it first"},
    {0,
     BYTES("\xFD"
           "7zXZ"),
     "compressed by xz: unpack it first"},
    {0, BYTES("BZh"), "compressed by bzip2: unpack it first"},
    {0, BYTES("\x28\xB5\x2F\xFD"), "compressed by zstd: unpack it first"},
    {257, BYTES("ustar"), "a tar archive"},
    {0, BYTES("%PDF"), "a PDF"},
    {0, BYTES("%!PS"), "PostScript"},
    {0, BYTES("\xC5\xD0\xD3\xC6"), "PostScript"},
    {0, BYTES("8BPS"), "a Photoshop file"},
    {0, BYTES("gimp xcf"), "a GIMP file"},
    {0, BYTES("\0\0\1\0"), "an icon (ICO)"},
    {0, BYTES("icns"), "an icon (ICNS)"},
    {0, BYTES("\xFF\x0A"), "a JPEG XL picture"},
    {0, BYTES("\0\0\0\x0CJXL "), "a JPEG XL picture"},
    {0, BYTES("\x76\x2F\x31\x01"), "an OpenEXR picture"},
    {0, BYTES("#?RADIANCE"), "a Radiance picture (HDR)"},
    {0, BYTES("#?RGBE"), "a Radiance picture (HDR)"},
    {0, BYTES("DDS "), "a texture (DDS)"},
    {0, BYTES("qoif"), "a QOI picture"},
    {0, BYTES("\x01\xDA"), "an SGI picture"},
    {0, BYTES("/* XPM */"), "an XPM picture"},
    {0, BYTES("SIMPLE  ="), "a FITS file"},
    {128, BYTES("DICM"), "a DICOM file"},
    {0, BYTES("FUJIFILMCCD-RAW"), "a camera's raw file"},
    {0, BYTES("IIRO"), "a camera's raw file"},
    {0, BYTES("IIU\0"), "a camera's raw file"},
    {4, BYTES("ftypcrx "), "a camera's raw file"},
    {4, BYTES("ftyp"), "a film, or of a kind of HEIF that is not read"},
    {0, BYTES("\x1A\x45\xDF\xA3"), "a film"},
    {8, BYTES("AVI LIST"), "a film"},
    {0, BYTES("\x93NUMPY"), "a NumPy array, whose name would end in .npy"},
    {0, BYTES("\x89HDF\r\n\x1A\n"), "an HDF5 file"},
    {0, BYTES("PAR1"), "a Parquet table"},
    {0, BYTES("SQLite format 3"), "an SQLite database"},
    {0, BYTES("\x80\x02"), "a Python pickle"},
    {0, BYTES("\x80\x03"), "a Python pickle"},
    {0, BYTES("\x80\x04"), "a Python pickle"},
    {0, BYTES("\x80\x05"), "a Python pickle"},
    {0, BYTES("\xFF\xFE"), "text in UTF-16: save it as UTF-8"},
    {0, BYTES("\xFE\xFF"), "text in UTF-16: save it as UTF-8"},
};

/* Markup, behind a byte order mark and white space. */
static const struct {
    const char *begins, *what;
} markups[] = {
    {"<!doctype html", "a web page, as downloads that failed leave behind"},
    {"<html", "a web page, as downloads that failed leave behind"},
    {"<?xml", "an XML file"},
};

static bool holds_drawing(const char *text, size_t size)
{
    for (size_t i = 0; i + 4 <= size && i < 512; i++) {
        if (memcmp(text + i, "<svg", 4) == 0)
            return true;
    }
    return false;
}

static const char *markup_of(const char *text, size_t size)
{
    if (size > 0 && text[0] == '<' && holds_drawing(text, size))
        return "an SVG drawing";
    for (size_t k = 0; k < ZF_COUNT(markups); k++) {
        const size_t length = strlen(markups[k].begins);

        if (size >= length && strncasecmp(text, markups[k].begins, length) == 0)
            return markups[k].what;
    }
    return NULL;
}

static bool is_all_zeros(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (head[i] != 0)
            return false;
    }
    return size >= 16;
}

const char *zf_recognise(const uint8_t *head, size_t size)
{
    size_t at = size >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;

    for (size_t k = 0; k < ZF_COUNT(kinds); k++) {
        if (size >= kinds[k].at + kinds[k].size &&
            memcmp(head + kinds[k].at, kinds[k].bytes, kinds[k].size) == 0)
            return kinds[k].what;
    }
    if (is_all_zeros(head, size < 512 ? size : 512))
        return "nothing but zeros, as copies that failed leave behind";
    while (at < size && head[at] && strchr(" \t\r\n", head[at]))
        at++;
    return markup_of((const char *)head + at, size - at);
}
