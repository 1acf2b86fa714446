/* SPDX-License-Identifier: MIT */
/* Picture files that tests make for themselves, so that none has to be shipped. */
#ifndef ZF_TESTS_PICTURES_H
#define ZF_TESTS_PICTURES_H

#include <stdio.h>

#include <jpeglib.h>

#include "zf/image.h"

/* How to write a JPEG; zeros give a plain baseline file without EXIF. */
struct jpeg_kind {
    J_COLOR_SPACE pixels; /* of what is painted: JCS_RGB (0 means it), JCS_GRAYSCALE, JCS_CMYK */
    J_COLOR_SPACE stored; /* in the file; 0 = libjpeg's choice */
    bool no_adobe_marker;
    bool progressive;
    bool separate;       /* a scan for each channel */
    int across, down;    /* pixels that share a sample of colour; 0 = 1 */
    int scans;           /* > 0: a progressive grey file of that many scans, at most 128 */
    const uint8_t *exif; /* APP1 payload */
    unsigned int exif_size;
};

/**
 * Write rows of `picture` as JPEG of quality 95. For JCS_GRAYSCALE its
 * first channel is taken; for JCS_CMYK `inks` holds 4 bytes a pixel as they go to the file.
 */
uint8_t *jpeg_write(const struct zf_picture *picture, const uint8_t *inks,
                    const struct jpeg_kind *kind, size_t *size);

/* An EXIF block with one entry: the orientation. Returns its size. */
unsigned int exif_write(uint8_t block[64], int orientation, bool little_endian);

/* Smooth waves in three phases, so that compression and resizing change little. */
struct zf_picture paint_scene(int64_t width, int64_t height);

/* A PNG through libvips of `bands` values a pixel, of 1 or 2 bytes each. Free with g_free(). */
uint8_t *png_write(const void *values, int width, int height, int bands, int bytes_each,
                   size_t *size);

/* The largest difference between two pictures of the same size, 256 if they differ in size. */
int largest_difference(const struct zf_picture *a, const struct zf_picture *b);

/* Decodes, or fails the test. */
struct zf_picture decode(const uint8_t *bytes, size_t size, int64_t short_side,
                         struct zf_box *original);

/* Is refused with a sentence that names the file and has this word; the outputs are untouched. */
void refuse(const uint8_t *bytes, size_t size, const struct zf_picture_limits *limits,
            const char *word);

void expect_pixel(const struct zf_picture *picture, int64_t x, int64_t y, int r, int g, int b,
                  int tolerance);

#endif
