/* SPDX-License-Identifier: MIT */
/* Portable maps of every flavour, byte by byte, and the pixels that netpbm's pages say they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "image/picture.h"
#include "pictures.h"

/* A file, with its zeros, and the grey levels or the RGB of its two pixels side by side. */
#define FILE_OF(text) text, sizeof text - 1
struct map {
    const char *bytes;
    size_t size;
    uint8_t left[3], right[3];
};

static void expect_map(const struct map *map)
{
    struct zf_picture picture = decode((const uint8_t *)map->bytes, map->size, 0, NULL);

    if (picture.width != 2 || picture.height != 1 || memcmp(picture.pixels, map->left, 3) != 0 ||
        memcmp(picture.pixels + 3, map->right, 3) != 0)
        fail_msg("%.20s: %d %d %d, %d %d %d", map->bytes, picture.pixels[0], picture.pixels[1],
                 picture.pixels[2], picture.pixels[3], picture.pixels[4], picture.pixels[5]);
    zf_picture_release(&picture);
}

static void every_flavour_is_read(void **state)
{
    static const struct map maps[] = {
        {FILE_OF("P1\n2 1\n0 1\n"), {255, 255, 255}, {0, 0, 0}},
        {FILE_OF("P1 2 1 10"), {0, 0, 0}, {255, 255, 255}}, /* digits need no space */
        {FILE_OF("P2\n2 1\n255\n7 200\n"), {7, 7, 7}, {200, 200, 200}},
        {FILE_OF("P3\n2 1\n255\n1 2 3\n250 251 252\n"), {1, 2, 3}, {250, 251, 252}},
        {FILE_OF("P4\n2 1\n\x80"), {0, 0, 0}, {255, 255, 255}},
        {FILE_OF("P5\n2 1\n255\n\x07\xC8"), {7, 7, 7}, {200, 200, 200}},
        {FILE_OF("P6\n2 1\n255\n\x01\x02\x03\xFA\xFB\xFC"), {1, 2, 3}, {250, 251, 252}},
        {FILE_OF("P6 2 1 255 \n\x02\x03\xFA\xFB\xFC"), {10, 2, 3}, {250, 251, 252}},
        {FILE_OF("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE BLACKANDWHITE\nENDHDR\n\0\1"),
         {0, 0, 0},
         {255, 255, 255}},
        {FILE_OF("P7\nHEIGHT 1\nWIDTH 2\nMAXVAL 255\nDEPTH 2\nENDHDR\n\x0A\xFF\x0A\x80"),
         {10, 10, 10},
         {132, 132, 132}}, /* 10 * 128 / 255 + 255 * 127 / 255 */
        {FILE_OF("P7\n# made\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"
                 "\x01\x02\x03\xFA\xFB\xFC"),
         {1, 2, 3},
         {250, 251, 252}},
        {FILE_OF("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
                 "\x01\x02\x03\xFF\xFA\xFB\xFC\0"),
         {1, 2, 3},
         {255, 255, 255}},
        /* 1.0 and 0.2 in either byte order */
        {FILE_OF("Pf\n2 1\n-1.0\n\0\0\x80\x3F\xCD\xCC\x4C\x3E"), {255, 255, 255}, {51, 51, 51}},
        {FILE_OF("Pf\n2 1\n1.0\n\x3F\x80\0\0\x3E\x4C\xCC\xCD"), {255, 255, 255}, {51, 51, 51}},
        {FILE_OF("PF 2 1 -1 \0\0\x80\x3F\0\0\0\0\0\0\0\0\0\0\0\0\xCD\xCC\x4C\x3E\0\0\x80\x3F"),
         {255, 0, 0},
         {0, 51, 255}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        expect_map(&maps[i]);
}

/* Of 16 bits the upper 8, like a PNG; of others v * 255 / white, to the nearest. */
static void samples_are_parts_of_what_the_header_calls_white(void **state)
{
    static const struct map maps[] = {
        {FILE_OF("P5 2 1 1 \0\1"), {0, 0, 0}, {255, 255, 255}},
        {FILE_OF("P5 2 1 15 \7\x0F"), {119, 119, 119}, {255, 255, 255}},
        {FILE_OF("P5 2 1 100 \x32\x64"), {128, 128, 128}, {255, 255, 255}},
        {FILE_OF("P2 2 1 1023 511 1023"), {127, 127, 127}, {255, 255, 255}},
        {FILE_OF("P5 2 1 4095 \x07\xFF\x0F\xFF"), {127, 127, 127}, {255, 255, 255}},
        {FILE_OF("P5 2 1 65535 \xC8\xFF\xFF\xFF"), {200, 200, 200}, {255, 255, 255}},
        {FILE_OF("P6 2 1 65535 \x01\x01\x02\0\xFF\0\x10\x00\x20\x00\x30\x00"),
         {1, 2, 255},
         {16, 32, 48}},
        {FILE_OF("P3 2 1 65535 257 512 65280 4096 8192 12288"), {1, 2, 255}, {16, 32, 48}},
        {FILE_OF("Pf 2 1 -1 \0\0\x7F\x43\0\0\x48\x42"),
         {255, 255, 255},
         {50, 50, 50}}, /* 255, 50 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        expect_map(&maps[i]);
}

static void comments_and_any_white_space_part_the_header(void **state)
{
    static const struct map maps[] = {
        {FILE_OF("P6#a comment\n# another 9 9\n2#\n\t1\r\n255\n\1\2\3\4\5\6"),
         {1, 2, 3},
         {4, 5, 6}},
        {FILE_OF("P3\r\n2\r\n1\r\n255\r\n1 2 # three\r\n3 4\v5\f6"), {1, 2, 3}, {4, 5, 6}},
        {FILE_OF("P2\n2 1 255\n7 9 P2 the next picture"), {7, 7, 7}, {9, 9, 9}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++)
        expect_map(&maps[i]);
}

static void rows_go_down_and_those_of_floats_go_up(void **state)
{
    static const char bytes[] = "P5 1 3 255 \1\2\3";
    static const char floats[] = "Pf 1 2 -1 \0\0\x80\x3F\0\0\0\0";
    struct zf_picture picture = decode((const uint8_t *)bytes, sizeof bytes - 1, 0, NULL);

    (void)state;
    for (int y = 0; y < 3; y++)
        expect_pixel(&picture, 0, y, y + 1, y + 1, y + 1, 0);
    zf_picture_release(&picture);
    picture = decode((const uint8_t *)floats, sizeof floats - 1, 0, NULL);
    expect_pixel(&picture, 0, 0, 0, 0, 0, 0);
    expect_pixel(&picture, 0, 1, 255, 255, 255, 0);
    zf_picture_release(&picture);
}

static void a_sample_above_white_is_white_and_odd(void **state)
{
    static const char bytes[] = "P2 2 1 100 100 101";
    const struct zf_source source = {
        .bytes = (const uint8_t *)bytes, .size = sizeof bytes - 1, .name = "map"};
    struct zf_decoded decoded = {0};

    (void)state;
    assert_int_equal(zf_source_decode(&source, &decoded, NULL), ZF_OK);
    expect_pixel(&decoded.picture, 1, 0, 255, 255, 255, 0);
    assert_non_null(strstr(decoded.odd.text, "above the 100"));
    zf_picture_release(&decoded.picture);
}

static void what_a_map_lacks_is_said(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *word;
    } wrong[] = {
        {FILE_OF("P6 2 1 255 \1\2\3\4\5"), "truncated"},
        {FILE_OF("P5 2 1 256 \1\2\3"), "truncated"},
        {FILE_OF("P4 9 2 \1\2\3"), "truncated"},
        {FILE_OF("P1 2 2 1 0 1"), "truncated"},
        {FILE_OF("P3 2 1 255 10 20 30 40 50 "), "truncated"},
        {FILE_OF("Pf 2 1 -1 \0\0\0\0\0\0\0"), "truncated"},
        {FILE_OF("P1 2 1 1 2"), "neither 0 nor 1"},
        {FILE_OF("P2 2 1 255 1 x3"), "no number"},
        {FILE_OF("P5 2 1 65536 \1\2\3\4"), "header is damaged"},
        {FILE_OF("P5 2 1 0 \1\2\3\4"), "header is damaged"},
        {FILE_OF("P5 2 1 -1 \1\2\3\4"), "header is damaged"},
        {FILE_OF("P5 2"), "header is damaged"},
        {FILE_OF("P5 12345678901 1 255 "), "header is damaged"},
        {FILE_OF("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n1234567890"), "header"},
        {FILE_OF("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\n"), "header is damaged"},
        {FILE_OF("P6 0 1 255 \1\2\3"), "empty"},
        {FILE_OF("P4 99999 99999 \1"), "limit"},
        {FILE_OF("Pf 2 1 -1 \0\0\x80\x7F\0\0\0\0"), "not finite"},
        {FILE_OF("Pf 2 1 -1 \0\0\x80\xBF\0\0\0\0"), "from -1 to 0"},
        {FILE_OF("Pf 2 1 1 \x49\0\0\0\0\0\0\0"), "from 0 to 524288"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        refuse((const uint8_t *)wrong[i].bytes, wrong[i].size, NULL, wrong[i].word);
}

static void letters_that_begin_like_a_map_are_no_picture(void **state)
{
    static const char *const texts[] = {"P5 is a phosphorus molecule.", "P6\n\nHello", "P1",
                                        "Pf x"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        refuse((const uint8_t *)texts[i], strlen(texts[i]), NULL, "not a picture");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flavour_is_read),
        cmocka_unit_test(samples_are_parts_of_what_the_header_calls_white),
        cmocka_unit_test(comments_and_any_white_space_part_the_header),
        cmocka_unit_test(rows_go_down_and_those_of_floats_go_up),
        cmocka_unit_test(a_sample_above_white_is_white_and_odd),
        cmocka_unit_test(what_a_map_lacks_is_said),
        cmocka_unit_test(letters_that_begin_like_a_map_are_no_picture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
