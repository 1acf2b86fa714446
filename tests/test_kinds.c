/* SPDX-License-Identifier: MIT */
/* What libvips reads: every depth and type of number, inks, orientations, and kinds that it is
   asked for only behind a gate. TIFF files are built here, byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <vips/vips.h>

#include "image/picture.h"
#include "pictures.h"

enum { MOST = 4096, MOST_TAGS = 16, SHORT = 3, LONG = 4 };
enum { INTEGERS = 1, SIGNED, FLOATS }; /* sample formats */
enum { WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, INKS = 5 };

/* A TIFF of one strip; samples are given as they lie in the file. */
struct tiff {
    int width, height, bands, bits, format, meaning;
    const void *samples;
    size_t size;
    int extra;                 /* 0 none, 1 alpha multiplied in, 2 alpha, 3 not named */
    int orientation, its_type; /* 0 = not stated */
    const uint16_t *colours;   /* [3 << bits] for PALETTE */
};

struct bytes {
    uint8_t at[MOST];
    size_t size;
};

static void put(struct bytes *bytes, size_t at, uint32_t value, int count)
{
    for (int k = 0; k < count; k++)
        bytes->at[at + (size_t)k] = (uint8_t)(value >> 8 * k);
}

/* An entry whose values, all alike or from a list, lie behind the directory when they do not fit.
 */
static void tag(struct bytes *bytes, int number, int type, int count, uint32_t value,
                const uint16_t *list)
{
    const int width = type == SHORT || type == 8 ? 2 : type == 1 || type == 6 ? 1 : 4;
    const int entries = bytes->at[8]++;
    const size_t entry = 10 + 12 * (size_t)entries;
    size_t at = entry + 8;

    put(bytes, entry, (uint32_t)number, 2);
    put(bytes, entry + 2, (uint32_t)type, 2);
    put(bytes, entry + 4, (uint32_t)count, 4);
    if (count * width > 4) {
        at = bytes->size;
        put(bytes, entry + 8, (uint32_t)at, 4);
        bytes->size += (size_t)(count * width + 1) / 2 * 2;
    }
    for (int k = 0; k < count; k++)
        put(bytes, at + (size_t)(k * width), list ? list[k] : value, width);
}

static struct zf_picture tiff_decode(const struct tiff *tiff, struct zf_oddity *odd,
                                     const char *refused)
{
    static struct bytes bytes;
    struct zf_decoded decoded = {0};
    struct zf_error err = {0};
    struct zf_source source = {.bytes = bytes.at, .name = "cat.tif"};
    size_t samples;

    bytes = (struct bytes){.at = "II*\0\x08", .size = 10 + 12 * MOST_TAGS + 4};
    samples = bytes.size;
    memcpy(bytes.at + samples, tiff->samples, tiff->size);
    bytes.size += (tiff->size + 1) / 2 * 2;
    tag(&bytes, 256, LONG, 1, (uint32_t)tiff->width, NULL);
    tag(&bytes, 257, LONG, 1, (uint32_t)tiff->height, NULL);
    tag(&bytes, 258, SHORT, tiff->bands, (uint32_t)tiff->bits, NULL);
    tag(&bytes, 259, SHORT, 1, 1, NULL); /* not compressed */
    tag(&bytes, 262, SHORT, 1, (uint32_t)tiff->meaning, NULL);
    tag(&bytes, 273, LONG, 1, (uint32_t)samples, NULL);
    if (tiff->orientation)
        tag(&bytes, 274, tiff->its_type, 1, (uint32_t)tiff->orientation, NULL);
    tag(&bytes, 277, SHORT, 1, (uint32_t)tiff->bands, NULL);
    tag(&bytes, 278, LONG, 1, (uint32_t)tiff->height, NULL);
    tag(&bytes, 279, LONG, 1, (uint32_t)tiff->size, NULL);
    if (tiff->colours)
        tag(&bytes, 320, SHORT, 3 << tiff->bits, 0, tiff->colours);
    if (tiff->extra)
        tag(&bytes, 338, SHORT, 1, (uint32_t)tiff->extra % 3, NULL);
    tag(&bytes, 339, SHORT, tiff->bands, (uint32_t)tiff->format, NULL);
    source.size = bytes.size;
    if (zf_source_decode(&source, &decoded, &err) != ZF_OK) {
        if (!refused || !strstr(err.message, refused))
            fail_msg("%s", err.message);
        return decoded.picture;
    }
    assert_null(refused);
    if (odd)
        *odd = decoded.odd;
    return decoded.picture;
}

/* Two grey pixels side by side, or one of colour above another. */
static void expect_grey(const struct tiff *tiff, int left, int right, int tolerance)
{
    struct zf_picture picture = tiff_decode(tiff, NULL, NULL);

    expect_pixel(&picture, 0, 0, left, left, left, tolerance);
    expect_pixel(&picture, 1, 0, right, right, right, tolerance);
    zf_picture_release(&picture);
}

#define GREY(bits, format, values)                                                                 \
    {                                                                                              \
        2, 1, 1, bits, format, BLACK_IS_ZERO, values, sizeof values, 0, 0, 0, NULL                 \
    }

static void numbers_of_every_type_have_a_white(void **state)
{
    static const float unit[] = {0.2f, 1.0f}, over[] = {-0.05f, 1.2f}, byte[] = {51.0f, 254.0f},
                       deep[] = {257.0f, 65535.0f};
    static const int32_t bytes32[] = {7, 200}, deep32[] = {25700, 65535};
    static const int16_t signed12[] = {2048, 4095}, small[] = {1, 2};
    static const uint16_t full[] = {25700, 65535}, twelve[] = {2063, 4095}, eight[] = {7, 255};
    static const int8_t signed8[] = {0, 127};
    const struct {
        struct tiff tiff;
        int left, right;
    } cases[] = {
        {GREY(32, FLOATS, unit), 51, 255},      {GREY(32, FLOATS, over), 0, 255},
        {GREY(32, FLOATS, byte), 51, 254},      {GREY(32, FLOATS, deep), 1, 255},
        {GREY(32, SIGNED, bytes32), 7, 200},    {GREY(32, INTEGERS, deep32), 100, 255},
        {GREY(16, SIGNED, signed12), 128, 255}, {GREY(16, SIGNED, small), 1, 2},
        {GREY(16, INTEGERS, full), 100, 255},   {GREY(16, INTEGERS, twelve), 128, 255},
        {GREY(16, INTEGERS, eight), 7, 255},    {GREY(8, SIGNED, signed8), 0, 127},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_grey(&cases[i].tiff, cases[i].left, cases[i].right, 0);
}

static void numbers_that_no_picture_has_are_refused(void **state)
{
    static const float huge[] = {0.0f, 1e6f}, negative[] = {-1.0f, 1.0f};
    static const uint32_t not_finite[] = {0x7FC00000, 0x3F800000};
    static const int16_t hounsfield[] = {-1000, 3000};
    static const uint8_t five[10];
    const struct tiff cases[] = {GREY(32, FLOATS, huge), GREY(32, FLOATS, negative),
                                 GREY(32, FLOATS, not_finite), GREY(16, SIGNED, hounsfield)};
    static const char *const words[] = {"from 0 to 1e+06", "from -1 to 1", "not finite",
                                        "from -1000 to 3000"};
    const struct tiff bands = {2,    1,           5, 8, INTEGERS, BLACK_IS_ZERO,
                               five, sizeof five, 0, 0, 0,        NULL};

    (void)state;
    for (int i = 0; i < 4; i++)
        tiff_decode(&cases[i], NULL, words[i]);
    tiff_decode(&bands, NULL, "5 channels");
}

/* The first rows look like bytes, later ones like 12 bits, the last one says that it is 16. */
static void the_depth_of_16_bits_shows_as_rows_come(void **state)
{
    static const uint16_t sixteen[] = {200, 255, 4095, 16, 65535, 300};
    static const uint16_t twelve[] = {200, 255, 4095, 16, 300, 0};
    struct tiff tiff = {2, 3, 1, 16,  INTEGERS, BLACK_IS_ZERO, sixteen, sizeof sixteen,
                        0, 0, 0, NULL};
    struct zf_oddity odd;
    struct zf_picture picture = tiff_decode(&tiff, &odd, NULL);

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_int_equal(picture.pixels[3 * i], sixteen[i] >> 8);
    assert_string_equal(odd.text, "");
    zf_picture_release(&picture);
    tiff.samples = twelve;
    picture = tiff_decode(&tiff, &odd, NULL);
    for (int i = 0; i < 6; i++)
        assert_int_equal(picture.pixels[3 * i], twelve[i] >> 4);
    assert_non_null(strstr(odd.text, "it uses 12"));
    zf_picture_release(&picture);
}

static void one_bit_palettes_and_either_zero_are_read(void **state)
{
    static const uint8_t bits[] = {0x40}, bytes[] = {7, 200}, numbers[] = {0x10};
    static const uint16_t colours[6] = {0, 200 * 257, 10 * 257, 200 * 257, 20 * 257, 200 * 257};
    struct tiff tiff = {2, 1, 1, 1, INTEGERS, BLACK_IS_ZERO, bits, sizeof bits, 0, 0, 0, NULL};
    struct zf_picture picture;

    (void)state;
    expect_grey(&tiff, 0, 255, 0);
    tiff.meaning = WHITE_IS_ZERO;
    expect_grey(&tiff, 255, 0, 0);
    tiff = (struct tiff){2, 1, 1, 8, INTEGERS, WHITE_IS_ZERO, bytes, sizeof bytes, 0, 0, 0, NULL};
    expect_grey(&tiff, 248, 55, 0);
    tiff = (struct tiff){2, 1, 1, 1, INTEGERS, PALETTE, numbers, sizeof numbers, 0, 0, 0, colours};
    picture = tiff_decode(&tiff, NULL, NULL);
    expect_pixel(&picture, 0, 0, 0, 10, 20, 0);
    zf_picture_release(&picture);
}

static void inks_and_alpha_become_light_on_white(void **state)
{
    static const uint8_t inks[] = {0, 255, 255, 0, 128, 0, 0, 128};
    static const uint8_t alpha[] = {10, 20, 30, 255, 200, 100, 0, 128};
    static const float light[] = {0.2f, 0.4f, 0.6f, 1.0f, 0.2f, 0.4f, 0.6f, 0.0f};
    struct tiff tiff = {2, 1, 4, 8, INTEGERS, INKS, inks, sizeof inks, 0, 0, 0, NULL};
    struct zf_picture picture = tiff_decode(&tiff, NULL, NULL);

    (void)state;
    expect_pixel(&picture, 0, 0, 255, 0, 0, 0);
    expect_pixel(&picture, 1, 0, 63, 127, 127, 0);
    zf_picture_release(&picture);
    tiff = (struct tiff){2, 1, 4, 8, INTEGERS, RGB, alpha, sizeof alpha, 2, 0, 0, NULL};
    picture = tiff_decode(&tiff, NULL, NULL);
    expect_pixel(&picture, 0, 0, 10, 20, 30, 1);
    expect_pixel(&picture, 1, 0, 227, 177, 127, 1);
    zf_picture_release(&picture);
    tiff = (struct tiff){2, 1, 4, 32, FLOATS, RGB, light, sizeof light, 2, 0, 0, NULL};
    picture = tiff_decode(&tiff, NULL, NULL);
    expect_pixel(&picture, 0, 0, 51, 102, 153, 0);
    expect_pixel(&picture, 1, 0, 255, 255, 255, 0);
    zf_picture_release(&picture);
}

static void an_orientation_of_any_whole_type_is_read(void **state)
{
    static const uint8_t types[] = {1, 3, 4, 6, 8, 9};
    static const uint8_t samples[] = {10, 20, 30, 40, 50, 60}; /* 3 across, 2 down */

    (void)state;
    for (int i = 0; i < 6; i++) {
        const struct tiff tiff = {
            3, 2, 1, 8, INTEGERS, BLACK_IS_ZERO, samples, sizeof samples, 0, 6, types[i], NULL};
        struct zf_picture picture = tiff_decode(&tiff, NULL, NULL);
        uint8_t exif[64];

        assert_int_equal(picture.width, 2);
        expect_pixel(&picture, 0, 0, 40, 40, 40, 0); /* row 0 is the right side */
        expect_pixel(&picture, 1, 2, 30, 30, 30, 0);
        zf_picture_release(&picture);
        for (int little = 0; little < 2; little++) {
            const int width = types[i] % 5 == 1 ? 1 : types[i] % 5 == 3 ? 2 : 4;
            const unsigned int size = exif_write(exif, 6, little);
            uint8_t *entry = exif + 6 + 8 + 2;

            entry[little ? 2 : 3] = types[i];
            memset(entry + 8, 0, 4);
            entry[8 + (little ? 0 : width - 1)] = 6;
            assert_int_equal(zf_exif_orientation(exif, size), 6);
            assert_int_equal(zf_exif_orientation(exif + 6, size - 6), 6); /* as PNG has it */
            entry[little ? 2 : 3] = 5;                                    /* a fraction */
            assert_int_equal(zf_exif_orientation(exif, size), 1);
        }
    }
}

/* Through libvips' own writer, where it has one for the kind. */
static void write_and_read(const char *suffix, const char *options, int tolerance)
{
    struct zf_picture scene = paint_scene(96, 80), picture;
    char format[64];
    VipsImage *image;
    void *bytes = NULL;
    size_t size;

    assert_int_equal(zf_vips_start(NULL), ZF_OK);
    image = vips_image_new_from_memory(scene.pixels, 96 * 80 * 3, 96, 80, 3, VIPS_FORMAT_UCHAR);
    image->Type = VIPS_INTERPRETATION_sRGB;
    snprintf(format, sizeof format, "%s%s", suffix, options);
    if (vips_image_write_to_buffer(image, format, &bytes, &size, NULL) != 0) {
        print_message("[  SKIPPED ] %s: not written here: %s", suffix, vips_error_buffer());
        vips_error_clear();
    } else {
        picture = decode(bytes, size, 0, NULL);
        assert_in_range(largest_difference(&scene, &picture), 0, tolerance);
        zf_picture_release(&picture);
        if (size > 300) {
            refuse(bytes, size / 3, NULL, "cat.jpg");
            refuse(bytes, 60, NULL, "cat.jpg");
        }
        g_free(bytes);
    }
    g_object_unref(image);
    zf_picture_release(&scene);
}

static void newer_kinds_are_read(void **state)
{
    (void)state;
    write_and_read(".jp2", "[lossless]", 0);
    write_and_read(".webp", "[lossless]", 0);
    write_and_read(".heic", "[Q=95]", 12);
    write_and_read(".avif", "[Q=95]", 12);
    write_and_read(".tif", "[compression=lzw]", 0);
}

/* Only its header is there: a decoder that believed it would ask for memory. */
static void a_jpeg_2000_file_is_bounded_before_it_is_opened(void **state)
{
    static const uint8_t sound[] = {0xFF, 0x4F, 0xFF, 0x51, 0, 0x29, 0, 0, 0, 0, 1, 0, 0, 0, 1,
                                    0,    0,    0,    0,    0, 0,    0, 0, 0, 0, 0, 1, 0, 0, 0,
                                    1,    0,    0,    0,    0, 0,    0, 0, 0, 0, 0, 1, 7, 1, 1};
    static const struct {
        size_t at;
        uint8_t value;
        const char *word;
    } bent[] = {
        {8, 1, "more than"},          /* 16 777 472 across and 256 down */
        {19, 1, "the grid's corner"}, /* one pixel from the left */
        {26, 0, "cannot be"},         /* tiles of nothing */
        {41, 5, "cannot be"},         /* channels that are not described */
        {42, 16, "more than"},        /* 17 bits */
        {3, 0x52, "not a picture"},
    };
    uint8_t file[sizeof sound];

    (void)state;
    for (size_t i = 0; i < sizeof bent / sizeof bent[0]; i++) {
        memcpy(file, sound, sizeof sound);
        file[bent[i].at] = bent[i].value;
        refuse(file, sizeof file, NULL, bent[i].word);
    }
    memcpy(file, sound, sizeof sound);
    file[26] = 0;
    file[27] = 7; /* 37 times 256 tiles of 7 x 1 px */
    file[30] = 0;
    file[31] = 1;
    refuse(file, sizeof file, NULL, "1024 tiles");
    for (size_t n = 12; n < 42; n++)
        refuse(sound, n, NULL, "cat.jpg");
}

static void channels_that_are_not_called_alpha_are_left_out(void **state)
{
    static const uint8_t grey[] = {10, 0, 200, 255}, red[] = {250, 20, 30, 0, 1, 2, 3, 4};

    (void)state;
    expect_grey(
        &(struct tiff){2, 1, 2, 8, INTEGERS, BLACK_IS_ZERO, grey, sizeof grey, 3, 0, 0, NULL}, 10,
        200, 0);
    expect_grey(
        &(struct tiff){2, 1, 2, 8, INTEGERS, BLACK_IS_ZERO, grey, sizeof grey, 2, 0, 0, NULL}, 255,
        200, 0);
    {
        const struct tiff colours = {2, 1, 4, 8, INTEGERS, RGB, red, sizeof red, 3, 0, 0, NULL};
        struct zf_picture picture = tiff_decode(&colours, NULL, NULL);

        expect_pixel(&picture, 0, 0, 250, 20, 30, 0);
        expect_pixel(&picture, 1, 0, 1, 2, 3, 0);
        zf_picture_release(&picture);
    }
}

static void a_tiff_that_is_not_read_says_what_it_is(void **state)
{
    static const double deep[] = {0.0, 1.0};
    static const uint16_t half[] = {0, 0x3C00};
    static const uint8_t packed[] = {0, 0x0F, 0xFF};
    static const struct {
        struct tiff tiff;
        const char *word;
    } unread[] = {
        {GREY(64, FLOATS, deep), "floats of 64 bits; save it with 32-bit floats"},
        {GREY(16, FLOATS, half), "floats of 16 bits"},
        {GREY(64, INTEGERS, deep), "integers of 64 bits"},
        {GREY(32, 6, deep), "complex numbers"},
        {GREY(12, INTEGERS, packed), "of 12 bits; save it with 16"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof unread / sizeof unread[0]; i++)
        tiff_decode(&unread[i].tiff, NULL, unread[i].word);
    /* Canon's begin like a TIFF; DNG has a tag. */
    refuse((const uint8_t *)"II*\0\x10\0\0\0CR\2\0\0\0\0\0\0\0", 20, NULL, "raw file");
    refuse((const uint8_t *)"MM\0*\0\0\0\x08\0\1\xC6\x12\0\1\0\0\0\4\1\4\0\0\0\0\0\0", 26, NULL,
           "raw file");
}

/* Transparent around a frame of 2 x 2 in a picture of 4 x 3. */
static void a_small_first_frame_of_a_gif_lies_on_white(void **state)
{
    static const uint8_t gif[] = "GIF89a\4\0\3\0\x80\0\0\0\0\0\xC8\x64\x32" /* colour 1 */
                                 "!\xFE\2hi\0"                              /* a comment */
                                 ",\1\0\1\0\2\0\2\0\0\2\3\x4C\x98\x14\0;";
    struct zf_picture picture = decode(gif, sizeof gif - 1, 0, NULL);

    (void)state;
    for (int64_t y = 0; y < 3; y++) {
        for (int64_t x = 0; x < 4; x++) {
            const bool inside = y > 0 && x > 0 && x < 3;

            expect_pixel(&picture, x, y, inside ? 200 : 255, inside ? 100 : 255, inside ? 50 : 255,
                         0);
        }
    }
    zf_picture_release(&picture);
}

/* Cameras' programs put it in front of the pixels or behind them. */
static void a_png_is_turned_by_exif_wherever_it_stands(void **state)
{
    static const uint8_t values[] = {10, 20}, end = 12; /* bytes of the last chunk */
    static uint8_t file[1024];
    uint8_t exif[64];
    const unsigned int exif_size = exif_write(exif, 6, false) - 6;
    size_t size;
    uint8_t *png = png_write(values, 2, 1, 1, 1, &size), *chunk = file + size - end;
    struct zf_picture picture;

    (void)state;
    assert_in_range(size, 40, 512);
    memcpy(file, png, size - end);
    memcpy(chunk, (const uint8_t[]){0, 0, 0, (uint8_t)exif_size, 'e', 'X', 'I', 'f'}, 8);
    memcpy(chunk + 8, exif + 6, exif_size);
    memcpy(chunk + 8 + exif_size, "\0\0\0\0", 4); /* the sum of what no pixel hangs on */
    memcpy(chunk + 12 + exif_size, png + size - end, end);
    picture = decode(file, size + 12 + exif_size, 0, NULL);
    assert_int_equal(picture.width, 1);
    expect_pixel(&picture, 0, 0, 10, 10, 10, 0);
    expect_pixel(&picture, 0, 1, 20, 20, 20, 0);
    zf_picture_release(&picture);
    g_free(png);
}

/* libvips has a loader for it, and does not know it by this name. */
static void a_sequence_of_avif_gives_its_first_picture(void **state)
{
    struct zf_picture scene = paint_scene(64, 48), picture;
    void *bytes = NULL;
    VipsImage *image;
    size_t size;

    (void)state;
    assert_int_equal(zf_vips_start(NULL), ZF_OK);
    image = vips_image_new_from_memory(scene.pixels, 64 * 48 * 3, 64, 48, 3, VIPS_FORMAT_UCHAR);
    image->Type = VIPS_INTERPRETATION_sRGB;
    if (vips_image_write_to_buffer(image, ".avif[Q=95]", &bytes, &size, NULL) == 0) {
        memcpy((uint8_t *)bytes + 8, "avis", 4);
        picture = decode(bytes, size, 0, NULL);
        assert_in_range(largest_difference(&scene, &picture), 0, 12);
        zf_picture_release(&picture);
        g_free(bytes);
    } else {
        vips_error_clear();
        print_message("[  SKIPPED ] AVIF is not written here\n");
    }
    g_object_unref(image);
    zf_picture_release(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_type_have_a_white),
        cmocka_unit_test(numbers_that_no_picture_has_are_refused),
        cmocka_unit_test(the_depth_of_16_bits_shows_as_rows_come),
        cmocka_unit_test(one_bit_palettes_and_either_zero_are_read),
        cmocka_unit_test(inks_and_alpha_become_light_on_white),
        cmocka_unit_test(an_orientation_of_any_whole_type_is_read),
        cmocka_unit_test(channels_that_are_not_called_alpha_are_left_out),
        cmocka_unit_test(a_tiff_that_is_not_read_says_what_it_is),
        cmocka_unit_test(a_small_first_frame_of_a_gif_lies_on_white),
        cmocka_unit_test(a_png_is_turned_by_exif_wherever_it_stands),
        cmocka_unit_test(newer_kinds_are_read),
        cmocka_unit_test(a_sequence_of_avif_gives_its_first_picture),
        cmocka_unit_test(a_jpeg_2000_file_is_bounded_before_it_is_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
