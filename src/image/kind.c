/* SPDX-License-Identifier: MIT */
#include "image/kind.h"

#include <string.h>

#include "base/status.h"
#include "image/picture.h"

#define BYTES(text) text, sizeof text - 1
static const struct signature {
    const char *kind;
    size_t at;
    const char *bytes;
    size_t size;
} signatures[] = {
    {"JPEG", 0, BYTES("\xFF\xD8\xFF")},
    {"PNG", 0, BYTES("\x89PNG\r\n\x1A\n")},
    {"GIF", 0, BYTES("GIF87a")},
    {"GIF", 0, BYTES("GIF89a")},
    {"WebP", 8, BYTES("WEBP")},
    {"TIFF", 0, BYTES("II*\0")},
    {"TIFF", 0, BYTES("MM\0*")},
    {"TIFF", 0, BYTES("II+\0")},
    {"TIFF", 0, BYTES("MM\0+")},
    {"JPEG 2000", 0, BYTES("\0\0\0\x0CjP  \r\n\x87\n")},
    {"JPEG 2000", 0, BYTES("\xFF\x4F\xFF\x51")},
};

/* The first box of HEIC and AVIF names its brand, the one meant first; of sequences, which have a
   first picture, too. */
static const struct {
    const char *brand, *kind;
} brands[] = {
    {"heic", "HEIC"}, {"heix", "HEIC"}, {"heim", "HEIC"}, {"heis", "HEIC"}, {"mif1", "HEIC"},
    {"msf1", "HEIC"}, {"hevc", "HEIC"}, {"hevx", "HEIC"}, {"avif", "AVIF"}, {"avis", "AVIF"},
};

static const char *kind_of_boxes(const uint8_t *head, size_t size, uint64_t file_size)
{
    const uint64_t length =
        (uint64_t)head[0] << 24 | (uint64_t)head[1] << 16 | (uint64_t)head[2] << 8 | head[3];

    if (size < 12 || memcmp(head + 4, "ftyp", 4) != 0 || length >= file_size)
        return NULL;
    for (size_t k = 0; k < ZF_COUNT(brands); k++) {
        if (memcmp(head + 8, brands[k].brand, 4) == 0)
            return brands[k].kind;
    }
    return NULL;
}

const char *zf_picture_kind(const uint8_t *head, size_t head_size, uint64_t file_size)
{
    const struct zf_source source = {.bytes = head, .size = head_size};

    for (size_t k = 0; k < ZF_COUNT(signatures); k++) {
        const struct signature *s = &signatures[k];

        if (head_size >= s->at + s->size && memcmp(head + s->at, s->bytes, s->size) == 0)
            return s->kind;
    }
    if (zf_pnm_decoder.knows(&source))
        return "PNM";
    if (zf_bmp_decoder.knows(&source))
        return "BMP";
    return head_size >= 12 ? kind_of_boxes(head, head_size, file_size) : NULL;
}
