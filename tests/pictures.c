/* SPDX-License-Identifier: MIT */
#include "pictures.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vips/vips.h>

#include "image/picture.h"

/* One scan for the mean of the blocks and one for each of the 63 waves; then a bit more of each. */
static void fill_scans(jpeg_scan_info scans[128])
{
    for (int i = 0; i < 128; i++) {
        const int wave = i % 64, refine = i / 64;

        scans[i] = (jpeg_scan_info){
            .comps_in_scan = 1, .Ss = wave, .Se = wave, .Ah = refine ? 1 : 0, .Al = refine ? 0 : 1};
    }
}

uint8_t *jpeg_write(const struct zf_picture *picture, const uint8_t *inks,
                    const struct jpeg_kind *kind, size_t *size)
{
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr manager;
    jpeg_scan_info scans[128];
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    const J_COLOR_SPACE pixels = kind->pixels ? kind->pixels : JCS_RGB;
    uint8_t *row = malloc((size_t)picture->width * 4);

    info.err = jpeg_std_error(&manager);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &length);
    info.image_width = (JDIMENSION)picture->width;
    info.image_height = (JDIMENSION)picture->height;
    info.in_color_space = pixels;
    info.input_components = pixels == JCS_GRAYSCALE ? 1 : pixels == JCS_CMYK ? 4 : 3;
    jpeg_set_defaults(&info);
    if (kind->stored)
        jpeg_set_colorspace(&info, kind->stored);
    jpeg_set_quality(&info, 95, TRUE);
    info.comp_info[0].h_samp_factor = kind->across ? kind->across : 1;
    info.comp_info[0].v_samp_factor = kind->down ? kind->down : 1;
    if (kind->no_adobe_marker)
        info.write_Adobe_marker = FALSE;
    if (kind->progressive)
        jpeg_simple_progression(&info);
    if (kind->separate) {
        for (int i = 0; i < info.num_components; i++)
            scans[i] = (jpeg_scan_info){.comps_in_scan = 1, .component_index = {i}, .Se = 63};
        info.scan_info = scans;
        info.num_scans = info.num_components;
    }
    if (kind->scans > 0) {
        fill_scans(scans);
        info.scan_info = scans;
        info.num_scans = kind->scans;
    }
    jpeg_start_compress(&info, TRUE);
    if (kind->exif)
        jpeg_write_marker(&info, JPEG_APP0 + 1, kind->exif, kind->exif_size);
    for (int64_t y = 0; y < picture->height; y++) {
        const uint8_t *src = picture->pixels + y * picture->width * 3;

        if (pixels == JCS_CMYK)
            memcpy(row, inks + y * picture->width * 4, (size_t)picture->width * 4);
        else if (pixels == JCS_GRAYSCALE)
            for (int64_t x = 0; x < picture->width; x++)
                row[x] = src[3 * x];
        else
            memcpy(row, src, (size_t)picture->width * 3);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    free(row);
    *size = length;
    return bytes;
}

unsigned int exif_write(uint8_t block[64], int orientation, bool little_endian)
{
    static const uint8_t little[] = "Exif\0\0II\x2A\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\0\0"
                                    "\0\0\0\0\0";
    static const uint8_t big[] = "Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0"
                                 "\0\0\0\0\0";
    enum { VALUE = 6 + 8 + 2 + 8, SIZE = VALUE + 4 + 4 };

    memcpy(block, little_endian ? little : big, SIZE);
    block[VALUE + (little_endian ? 0 : 1)] = (uint8_t)orientation;
    return SIZE;
}

struct zf_picture paint_scene(int64_t width, int64_t height)
{
    struct zf_picture scene = {0};
    uint8_t *out;

    if (zf_picture_init(&scene, width, height, NULL) != ZF_OK)
        abort();
    out = scene.pixels;
    for (int64_t y = 0; y < height; y++) {
        for (int64_t x = 0; x < width; x++) {
            for (int c = 0; c < 3; c++)
                *out++ = (uint8_t)(128.0 + 60.0 * sin((double)x / 17.0 + 2.0 * c) +
                                   60.0 * cos((double)y / 23.0 + c));
        }
    }
    return scene;
}

uint8_t *png_write(const void *values, int width, int height, int bands, int bytes_each,
                   size_t *size)
{
    VipsImage *image, *typed = NULL;
    void *bytes = NULL;
    const bool deep = bytes_each == 2, colour = bands >= 3;
    const VipsInterpretation kind =
        colour ? (deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB)
               : (deep ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_B_W);

    if (zf_vips_start(NULL) != ZF_OK)
        abort();
    image =
        vips_image_new_from_memory(values, (size_t)(width * height * bands * bytes_each), width,
                                   height, bands, deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR);
    /* Stripped of the EXIF that later versions add. */
    if (!image || vips_copy(image, &typed, "interpretation", kind, NULL) != 0 ||
        vips_pngsave_buffer(typed, &bytes, size, "strip", TRUE, NULL) != 0)
        abort();
    g_object_unref(typed);
    g_object_unref(image);
    return bytes;
}

int largest_difference(const struct zf_picture *a, const struct zf_picture *b)
{
    int largest = 0;

    if (a->width != b->width || a->height != b->height)
        return 256;
    for (int64_t i = 0; i < a->width * a->height * 3; i++) {
        const int difference = abs(a->pixels[i] - b->pixels[i]);

        largest = difference > largest ? difference : largest;
    }
    return largest;
}

struct zf_picture decode(const uint8_t *bytes, size_t size, int64_t short_side,
                         struct zf_box *original)
{
    struct zf_picture picture = {0};
    struct zf_error err = {0};

    if (zf_picture_decode(bytes, size, "test", short_side, NULL, &picture, original, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return picture;
}

void refuse(const uint8_t *bytes, size_t size, const struct zf_picture_limits *limits,
            const char *word)
{
    struct zf_picture picture = {.width = 77};
    struct zf_box original = {.width = 77};
    struct zf_error err = {0};

    assert_int_equal(
        zf_picture_decode(bytes, size, "cat.jpg", 0, limits, &picture, &original, &err), ZF_EINPUT);
    if (!strstr(err.message, word) || strncmp(err.message, "cat.jpg: ", 9) != 0)
        fail_msg("expected 'cat.jpg' and '%s' in: %s", word, err.message);
    assert_int_equal(picture.width, 77);
    assert_null(picture.pixels);
    assert_int_equal(original.width, 77);
}

void expect_pixel(const struct zf_picture *picture, int64_t x, int64_t y, int r, int g, int b,
                  int tolerance)
{
    const uint8_t *p = picture->pixels + (y * picture->width + x) * 3;

    if (abs(p[0] - r) > tolerance || abs(p[1] - g) > tolerance || abs(p[2] - b) > tolerance)
        fail_msg("at %d,%d: expected %d %d %d, got %d %d %d", (int)x, (int)y, r, g, b, p[0], p[1],
                 p[2]);
}
