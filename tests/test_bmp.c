/* SPDX-License-Identifier: MIT */
/* BMP of every header and depth, built here from the pages of Windows and OS/2 that define them. */
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

enum { MOST = 4096, WIDTH = 5, HEIGHT = 3 };

struct bmp {
    uint8_t bytes[MOST];
    size_t size;
};

static void add(struct bmp *bmp, uint64_t value, int count)
{
    for (int k = 0; k < count; k++, value >>= 8)
        bmp->bytes[bmp->size++] = (uint8_t)value;
}

static void add_bytes(struct bmp *bmp, const void *bytes, size_t count)
{
    memcpy(bmp->bytes + bmp->size, bytes, count);
    bmp->size += count;
}

/* What comes before the pixels. */
struct form {
    uint32_t header; /* bytes */
    int32_t height;  /* HEIGHT, or -HEIGHT: from the top */
    uint32_t bits, compression;
    uint32_t masks[4];
    uint32_t mask_count;    /* of those that follow a header of 40 bytes */
    const uint8_t *colours; /* [colour_count][3] RGB */
    uint32_t colour_count;
};

static void begin(struct bmp *bmp, const struct form *form)
{
    const bool core = form->header == 12;

    *bmp = (struct bmp){.size = 0};
    add_bytes(bmp, "BM\0\0\0\0\0\0\0\0\0\0\0\0", 14);
    add(bmp, form->header, 4);
    add(bmp, WIDTH, core ? 2 : 4);
    add(bmp, (uint64_t)form->height, core ? 2 : 4);
    add(bmp, 1, 2);
    add(bmp, form->bits, 2);
    if (form->header >= 40) {
        add(bmp, form->compression, 4);
        add(bmp, 0, 12);
        add(bmp, form->colour_count, 4);
        add(bmp, 0, 4);
        for (uint32_t c = 0; c < 4 && form->header >= 52 && form->header != 64; c++)
            if (40 + 4 * c < form->header)
                add(bmp, form->masks[c], 4);
        while (bmp->size < 14 + form->header)
            add(bmp, 0, 1);
    }
    for (uint32_t c = 0; c < form->mask_count; c++)
        add(bmp, form->masks[c], 4);
    for (uint32_t k = 0; k < form->colour_count; k++) {
        for (int c = 2; c >= 0; c--)
            add(bmp, form->colours[3 * k + (uint32_t)c], 1);
        if (!core)
            add(bmp, 0, 1);
    }
    bmp->bytes[10] = (uint8_t)bmp->size; /* where the pixels begin */
    bmp->bytes[11] = (uint8_t)(bmp->size >> 8);
}

/* Pixels of `bits` each, first the one at the highest bit of a byte; wider ones are little-endian.
 */
static void add_rows(struct bmp *bmp, const struct form *form, const uint32_t *pixels)
{
    for (int row = 0; row < HEIGHT; row++) {
        const int y = form->height < 0 ? row : HEIGHT - 1 - row;
        const size_t start = bmp->size;

        for (int x = 0; x < WIDTH; x++) {
            const uint32_t pixel = pixels[y * WIDTH + x], bit = (uint32_t)x * form->bits;

            if (form->bits >= 16)
                add(bmp, pixel, (int)form->bits / 8);
            else if (bit % 8 == 0)
                add(bmp, pixel << (8 - form->bits), 1);
            else
                bmp->bytes[bmp->size - 1] |= (uint8_t)(pixel << (8 - form->bits - bit % 8));
        }
        while ((bmp->size - start) % 4 != 0)
            add(bmp, 0xEE, 1); /* what fills a row up is not looked at */
    }
}

static void put_side(struct bmp *bmp, size_t at, uint32_t side)
{
    for (size_t k = 0; k < 4; k++)
        bmp->bytes[at + k] = (uint8_t)(side >> 8 * k);
}

static uint32_t next_random(void)
{
    static uint32_t state = 1;

    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static void expect(const struct bmp *bmp, const uint8_t *rgb, const char *what)
{
    struct zf_picture picture = decode(bmp->bytes, bmp->size, 0, NULL);

    if (picture.width != WIDTH || picture.height != HEIGHT ||
        memcmp(picture.pixels, rgb, WIDTH * HEIGHT * 3) != 0)
        fail_msg("%s differs", what);
    zf_picture_release(&picture);
}

static const uint32_t headers[] = {12, 16, 40, 52, 56, 64, 108, 124};
enum { HEADERS = sizeof headers / sizeof headers[0] };

static void palettes_of_every_depth_and_header_are_read(void **state)
{
    static const uint32_t depths[] = {1, 2, 4, 8};
    static uint8_t colours[256 * 3];
    static struct bmp bmp;

    (void)state;
    for (int i = 0; i < HEADERS * 4 * 2; i++) {
        const struct form form = {.header = headers[i / 8],
                                  .bits = depths[i / 2 % 4],
                                  .height = i % 2 == 1 && headers[i / 8] > 12 ? -HEIGHT : HEIGHT,
                                  .colours = colours,
                                  .colour_count = 1u << depths[i / 2 % 4]};
        uint32_t pixels[WIDTH * HEIGHT];
        uint8_t rgb[WIDTH * HEIGHT * 3];
        char what[64];

        for (size_t k = 0; k < sizeof colours; k++)
            colours[k] = (uint8_t)next_random();
        for (int p = 0; p < WIDTH * HEIGHT; p++) {
            pixels[p] = next_random() % form.colour_count;
            memcpy(rgb + 3 * p, colours + 3 * pixels[p], 3);
        }
        begin(&bmp, &form);
        add_rows(&bmp, &form, pixels);
        snprintf(what, sizeof what, "header %u, %u bits", form.header, form.bits);
        expect(&bmp, rgb, what);
    }
}

static void colours_of_every_depth_and_header_are_read(void **state)
{
    static const uint32_t depths[] = {16, 24, 32};
    static struct bmp bmp;

    (void)state;
    for (int i = 0; i < HEADERS * 3 * 2; i++) {
        const struct form form = {.header = headers[i / 6],
                                  .bits = depths[i / 2 % 3],
                                  .height = i % 2 == 1 && headers[i / 6] > 12 ? -HEIGHT : HEIGHT};
        uint32_t pixels[WIDTH * HEIGHT];
        uint8_t rgb[WIDTH * HEIGHT * 3];
        char what[64];

        for (int p = 0; p < WIDTH * HEIGHT; p++) {
            pixels[p] = next_random() << 16 ^ next_random();
            for (int c = 0; c < 3; c++) {
                if (form.bits == 16)
                    rgb[3 * p + c] = (uint8_t)((pixels[p] >> (10 - 5 * c) & 31) * 255.0 / 31 + 0.5);
                else
                    rgb[3 * p + c] = (uint8_t)(pixels[p] >> (16 - 8 * c));
            }
        }
        begin(&bmp, &form);
        add_rows(&bmp, &form, pixels);
        snprintf(what, sizeof what, "header %u, %u bits", form.header, form.bits);
        expect(&bmp, rgb, what);
    }
}

static void masks_say_which_bits_are_which_colour(void **state)
{
    static const struct {
        uint32_t bits, masks[4], pixel;
        uint8_t rgb[3];
    } cases[] = {
        {16, {0xF800, 0x07E0, 0x001F, 0}, 0xF800 | 32 << 5 | 16, {255, 130, 132}},
        {16, {0x7C00, 0x03E0, 0x001F, 0}, 31 << 10 | 16 << 5, {255, 132, 0}},
        {16, {0x0F00, 0x00F0, 0x000F, 0}, 0xA5F, {170, 85, 255}},
        {32, {0xFF, 0xFF00, 0xFF0000, 0}, 0x00030201, {1, 2, 3}},
        {32, {0xFF000000, 0xFF0000, 0xFF00, 0}, 0x01020300, {1, 2, 3}},
        {32, {0x3FF00000, 0xFFC00, 0x3FF, 0}, 1023u << 20 | 512 << 10, {255, 128, 0}},
        {32, {0xFF0000, 0xFF00, 0xFF, 0xFF000000}, 0xFF0A141E, {10, 20, 30}},
        {32,
         {0xFF0000, 0xFF00, 0xFF, 0xFF000000},
         0x800A141E,
         {132, 137, 142}}, /* half, on white */
        {16, {0x7C00, 0x03E0, 0x001F, 0x8000}, 0x8000, {0, 0, 0}},
    };
    static const uint32_t wide[] = {40, 56, 108, 124};
    static struct bmp bmp;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0] * 4; i++) {
        struct form form = {.header = wide[i % 4], .bits = cases[i / 4].bits, .height = HEIGHT};
        uint32_t pixels[WIDTH * HEIGHT];
        uint8_t rgb[WIDTH * HEIGHT * 3];
        char what[64];

        memcpy(form.masks, cases[i / 4].masks, sizeof form.masks);
        form.compression = form.header == 40 && form.masks[3] ? 6 : 3;
        form.mask_count = form.header > 40 ? 0 : form.masks[3] ? 4 : 3;
        for (int p = 0; p < WIDTH * HEIGHT; p++) {
            pixels[p] = cases[i / 4].pixel;
            memcpy(rgb + 3 * p, cases[i / 4].rgb, 3);
        }
        begin(&bmp, &form);
        add_rows(&bmp, &form, pixels);
        snprintf(what, sizeof what, "case %d, header %u", (int)i / 4, form.header);
        expect(&bmp, rgb, what);
    }
}

/* Programs that know no alpha leave it at zero. */
static void alpha_that_is_nowhere_above_zero_is_none(void **state)
{
    const struct form form = {.header = 124,
                              .bits = 32,
                              .height = HEIGHT,
                              .compression = 3,
                              .masks = {0xFF0000, 0xFF00, 0xFF, 0xFF000000}};
    static struct bmp bmp;
    uint32_t pixels[WIDTH * HEIGHT];
    uint8_t rgb[WIDTH * HEIGHT * 3];

    (void)state;
    for (int p = 0; p < WIDTH * HEIGHT; p++) {
        pixels[p] = 0x0A141E;
        memcpy(rgb + 3 * p, "\x0A\x14\x1E", 3);
    }
    begin(&bmp, &form);
    add_rows(&bmp, &form, pixels);
    expect(&bmp, rgb, "without alpha");
    bmp.bytes[bmp.size - 1] = 255; /* the last pixel, at the top right, is there; others are not */
    memset(rgb, 255, sizeof rgb);
    memcpy(rgb + 3 * (WIDTH - 1), "\x0A\x14\x1E", 3);
    expect(&bmp, rgb, "with alpha");
}

static const uint8_t four[] = {0, 0, 0, 250, 0, 0, 0, 240, 0, 0, 0, 230};

/* Five by three pixels by the number of their colour in `four`. */
static void expect_numbers(const struct bmp *bmp, const char *numbers)
{
    uint8_t rgb[WIDTH * HEIGHT * 3];

    for (int p = 0; p < WIDTH * HEIGHT; p++)
        memcpy(rgb + 3 * p, four + 3 * (numbers[p] - '0'), 3);
    expect(bmp, rgb, numbers);
}

static void expect_runs(uint32_t bits, const char *runs, size_t size, const char *numbers)
{
    const struct form form = {.header = 40,
                              .bits = bits,
                              .height = HEIGHT,
                              .compression = bits == 8 ? 1 : 2,
                              .colours = four,
                              .colour_count = 4};
    static struct bmp bmp;

    begin(&bmp, &form);
    add_bytes(&bmp, runs, size);
    if (numbers)
        expect_numbers(&bmp, numbers);
    else
        refuse(bmp.bytes, bmp.size, NULL, "truncated");
}

#define RUNS(text) text, sizeof text - 1

static void runs_of_8_and_4_bits_are_read(void **state)
{
    (void)state;
    expect_runs(8, RUNS("\5\1\0\0\5\2\0\0\5\3\0\1"), "333332222211111");
    expect_runs(8, RUNS("\2\1\0\3\1\2\3\0\0\0\0\5\3\2\1\2\3\0\0\0\5\2\0\1"), "222223212311123");
    expect_runs(4, RUNS("\5\x12\0\0\5\x30\0\0\5\x11\0\1"), "111113030312121");
    expect_runs(4, RUNS("\0\5\x12\x30\x10\0\0\0\5\x22\0\0\0\3\x12\x30\2\x11\0\1"),
                "123112222212301");
    /* a step to the right and up leaves colour 0 behind; the picture may end early by its own word
     */
    expect_runs(8, RUNS("\2\1\0\2\1\1\1\2\0\1"), "000000002011000");
    /* a run that is too long for its row ends there */
    expect_runs(8, RUNS("\x09\1\0\0\5\2\0\0\5\3\0\1"), "333332222211111");
}

static void runs_that_need_no_end_may_lack_it_and_others_may_not(void **state)
{
    (void)state;
    expect_runs(8, RUNS("\5\1\0\0\5\2\0\0\5\3"), "333332222211111");
    expect_runs(8, RUNS("\5\1\0\0\5\2\0\0\4\3"), NULL);
    expect_runs(8, RUNS("\5\1\0\0\5\2\0\0"), NULL);
    expect_runs(8, RUNS("\5\1\0\0\5\2\0\0\0\5\1"), NULL);
    expect_runs(8, RUNS("\0\2"), NULL);
    expect_runs(8, RUNS(""), NULL);
}

static void a_vast_picture_of_a_few_runs_gets_no_memory(void **state)
{
    const struct form form = {.header = 40,
                              .bits = 8,
                              .height = HEIGHT,
                              .compression = 1,
                              .colours = four,
                              .colour_count = 4};
    static struct bmp bmp;

    (void)state;
    begin(&bmp, &form);
    add_bytes(&bmp, "\0\1", 2);
    put_side(&bmp, 18, 9999);
    put_side(&bmp, 22, 9999);
    refuse(bmp.bytes, bmp.size, NULL, "cannot fill");
}

static void os2_has_runs_of_24_bits_and_several_pictures_in_one(void **state)
{
    const struct form form = {.header = 64, .bits = 24, .height = HEIGHT, .compression = 4};
    static const char runs[] = "\5\0\0\xFA\0\0\5\0\xF0\0\0\0"
                               "\0\3\xE6\0\0\xE6\0\0\xE6\0\0\0\2\xE6\0\0\0\1";
    static struct bmp bmp, array;

    (void)state;
    begin(&bmp, &form);
    add_bytes(&bmp, runs, sizeof runs - 1);
    expect_numbers(&bmp, "333332222211111");
    add_bytes(&array, "BA\x28\0\0\0\0\0\0\0\0\0\0\0", 14);
    add_bytes(&array, bmp.bytes, bmp.size);
    array.bytes[14 + 10] = (uint8_t)(bmp.bytes[10] + 14);
    expect_numbers(&array, "333332222211111");
}

static void a_place_of_the_pixels_that_is_not_stated_is_worked_out(void **state)
{
    const struct form form = {
        .header = 40, .bits = 8, .height = HEIGHT, .colours = four, .colour_count = 4};
    static const uint32_t pixels[] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2};
    static struct bmp bmp;

    (void)state;
    begin(&bmp, &form);
    add_rows(&bmp, &form, pixels);
    memset(bmp.bytes + 10, 0, 4);
    expect_numbers(&bmp, "012301230123012");
}

static void what_a_bmp_lacks_is_said(void **state)
{
    const struct form form = {.header = 40, .bits = 24, .height = HEIGHT};
    static const struct {
        size_t at;
        uint8_t value;
        const char *word;
    } wrong[] = {
        {14, 39, "header is damaged"},
        {18, 0, "empty"},
        {21, 7, "limit"},
        {28, 7, "7 bits"},
        {30, 1, "compression 1"},
        {30, 4, "compression 4"},
        {30, 5, "compression 5"},
        {30, 99, "compression 99"},
        {11, 200, "truncated"},
    };
    uint32_t pixels[WIDTH * HEIGHT] = {0};
    static struct bmp bmp, bent;

    (void)state;
    begin(&bmp, &form);
    add_rows(&bmp, &form, pixels);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        bent = bmp;
        bent.bytes[wrong[i].at] = wrong[i].value;
        refuse(bent.bytes, bent.size, NULL, wrong[i].word);
    }
    for (size_t n = 18; n < bmp.size - 1; n++) /* the last row's filling alone may be missing */
        refuse(bmp.bytes, n, NULL, "truncated");
    refuse((const uint8_t *)"BMW is not a picture, nor is this letter", 40, NULL, "not a picture");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(palettes_of_every_depth_and_header_are_read),
        cmocka_unit_test(colours_of_every_depth_and_header_are_read),
        cmocka_unit_test(masks_say_which_bits_are_which_colour),
        cmocka_unit_test(alpha_that_is_nowhere_above_zero_is_none),
        cmocka_unit_test(runs_of_8_and_4_bits_are_read),
        cmocka_unit_test(runs_that_need_no_end_may_lack_it_and_others_may_not),
        cmocka_unit_test(a_vast_picture_of_a_few_runs_gets_no_memory),
        cmocka_unit_test(os2_has_runs_of_24_bits_and_several_pictures_in_one),
        cmocka_unit_test(a_place_of_the_pixels_that_is_not_stated_is_worked_out),
        cmocka_unit_test(what_a_bmp_lacks_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
