/* SPDX-License-Identifier: MIT */
/* JPEG files that are not quite as they should be, but have every pixel: used, and said to be odd.
 */
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

enum { SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DHT = 0xC4 };

static const struct jpeg_kind baseline = {.across = 2, .down = 2};
static const struct jpeg_kind progressive = {.progressive = true, .across = 2, .down = 2};
static const struct jpeg_kind separate = {.separate = true};
static const struct jpeg_kind grey = {.pixels = JCS_GRAYSCALE};
static const struct jpeg_kind *const kinds[] = {&baseline, &progressive, &separate, &grey};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* A written JPEG and what it decodes to. */
struct sample {
    uint8_t *bytes;
    size_t size;
    struct zf_picture picture;
};

static struct sample sample_of(const struct jpeg_kind *kind)
{
    struct sample sample = {0};
    struct zf_picture scene = paint_scene(61, 47);

    sample.bytes = jpeg_write(&scene, NULL, kind, &sample.size);
    sample.picture = decode(sample.bytes, sample.size, 0, NULL);
    zf_picture_release(&scene);
    return sample;
}

static void sample_free(struct sample *sample)
{
    zf_picture_release(&sample->picture);
    free(sample->bytes);
}

static enum zf_status decode_noting(const uint8_t *bytes, size_t size, struct zf_decoded *decoded,
                                    struct zf_error *err)
{
    const struct zf_source source = {.bytes = bytes, .size = size, .name = "cat.jpg"};

    return zf_source_decode(&source, decoded, err);
}

/* It decodes to the sample's pixels, and `word` is in what is odd about it; NULL = nothing is. */
static void expect_odd(const struct sample *sample, const uint8_t *bytes, size_t size,
                       const char *word)
{
    struct zf_decoded decoded = {0};
    struct zf_error err = {0};

    if (decode_noting(bytes, size, &decoded, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(largest_difference(&decoded.picture, &sample->picture), 0);
    if (word ? !strstr(decoded.odd.text, word) : decoded.odd.text[0] != '\0')
        fail_msg("expected '%s' in '%s'", word ? word : "nothing", decoded.odd.text);
    zf_picture_release(&decoded.picture);
}

/* Where the n-th segment of this marker begins. */
static size_t find_segment(const struct sample *sample, int marker, int n)
{
    size_t at = 2;

    for (;;) {
        assert_int_equal(sample->bytes[at], 0xFF);
        if (sample->bytes[at + 1] == marker && n-- == 0)
            return at;
        at += 2 + (size_t)sample->bytes[at + 2] * 256 + sample->bytes[at + 3];
        while (sample->bytes[at] != 0xFF || sample->bytes[at + 1] == 0) /* over coded pixels */
            at++;
    }
}

/* The sample with `count` bytes of `value` put in; free with free(). */
static uint8_t *with_bytes(const struct sample *sample, size_t at, uint8_t value, size_t count)
{
    uint8_t *bytes = malloc(sample->size + count);

    assert_non_null(bytes);
    memcpy(bytes, sample->bytes, at);
    memset(bytes + at, value, count);
    memcpy(bytes + at + count, sample->bytes + at, sample->size - at);
    return bytes;
}

static void nothing_is_odd_about_an_ordinary_jpeg(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);

        expect_odd(&sample, sample.bytes, sample.size, NULL);
        sample_free(&sample);
    }
}

static void a_jpeg_without_its_end_marker_has_all_of_its_pixels(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);

        expect_odd(&sample, sample.bytes, sample.size - 2, "end marker");
        expect_odd(&sample, sample.bytes, sample.size - 1, "end marker");
        sample_free(&sample);
    }
}

/* Also where the bytes end between two scans, and the decoder has met no gap. */
static void a_jpeg_that_lacks_a_part_of_its_pixels_is_refused(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);

        for (size_t n = 3; n < sample.size - 2; n++)
            refuse(sample.bytes, n, NULL, "truncated");
        sample_free(&sample);
    }
}

/* With an end marker after its first scan, a JPEG of one scan a channel has no more channels. */
static void a_channel_without_a_scan_is_missed_in_spite_of_an_end_marker(void **state)
{
    struct sample sample = sample_of(&separate);

    (void)state;
    for (int scan = 1; scan < 3; scan++) {
        const size_t at = find_segment(&sample, SOS, scan);
        uint8_t *bytes = with_bytes(&sample, at, 0xFF, 2);

        bytes[at + 1] = EOI;
        refuse(bytes, at + 2, NULL, "truncated");
        free(bytes);
    }
    sample_free(&sample);
}

static void bytes_between_segments_are_passed_over(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);
        const size_t places[] = {find_segment(&sample, 0xE0, 0) + 18, /* behind the JFIF segment */
                                 find_segment(&sample, DHT, 0), find_segment(&sample, SOS, 0)};

        for (int p = 0; p < 3; p++) {
            for (size_t count = 1; count <= 300; count += 13) {
                uint8_t *bytes = with_bytes(&sample, places[p], p == 1 ? 0x41 : 0, count);

                expect_odd(&sample, bytes, sample.size + count, "belong to no segment");
                free(bytes);
            }
        }
        sample_free(&sample);
    }
}

/* Less than the decoder reads ahead are not even noticed. */
static void bytes_before_the_end_marker_are_passed_over(void **state)
{
    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);

        for (size_t count = 10; count <= 1000; count += 31) {
            uint8_t *bytes = with_bytes(&sample, sample.size - 2, 0x11, count);

            expect_odd(&sample, bytes, sample.size + count, "belong to no segment");
            free(bytes);
        }
        sample_free(&sample);
    }
}

static void bytes_behind_the_end_marker_are_not_looked_at(void **state)
{
    struct sample sample = sample_of(&baseline);
    uint8_t *bytes = with_bytes(&sample, sample.size, 0xD8, 5000);

    (void)state;
    expect_odd(&sample, bytes, sample.size + 5000, NULL);
    free(bytes);
    sample_free(&sample);
}

/* Three bytes at the end of a scan's header: of a sequential one they can only be 0, 63 and 0. */
static void a_wrong_selection_of_a_sequential_scan_is_as_good_as_the_right_one(void **state)
{
    static const uint8_t wrong[][3] = {
        {0, 0, 0}, {0, 1, 0}, {1, 63, 0}, {0, 63, 1}, {255, 255, 255}};

    (void)state;
    for (int k = 0; k < KINDS; k++) {
        struct sample sample = sample_of(kinds[k]);
        const size_t at = find_segment(&sample, SOS, 0);
        uint8_t *selection = sample.bytes + at + 5 + 2 * (size_t)sample.bytes[at + 4];

        for (size_t i = 0; !kinds[k]->progressive && i < sizeof wrong / sizeof wrong[0]; i++) {
            memcpy(selection, wrong[i], 3);
            expect_odd(&sample, sample.bytes, sample.size, "selection");
        }
        sample_free(&sample);
    }
}

static void squares_of_an_odd_jpeg_are_those_of_a_plain_one(void **state)
{
    struct sample sample = sample_of(&baseline);
    struct zf_source source = {.bytes = sample.bytes, .size = sample.size, .name = "cat.jpg"};
    const struct zf_geometry geometry = zf_geometry_square(ZF_RESIZE_SHORT, 20);
    struct zf_picture plain = {0}, odd = {0};
    struct zf_oddity oddity;

    (void)state;
    assert_int_equal(zf_source_square(&source, geometry, &plain, &oddity, NULL), ZF_OK);
    assert_string_equal(oddity.text, "");
    source.size -= 2;
    assert_int_equal(zf_source_square(&source, geometry, &odd, &oddity, NULL), ZF_OK);
    assert_non_null(strstr(oddity.text, "end marker"));
    assert_int_equal(largest_difference(&plain, &odd), 0);
    zf_picture_release(&plain);
    zf_picture_release(&odd);
    sample_free(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_odd_about_an_ordinary_jpeg),
        cmocka_unit_test(a_jpeg_without_its_end_marker_has_all_of_its_pixels),
        cmocka_unit_test(a_jpeg_that_lacks_a_part_of_its_pixels_is_refused),
        cmocka_unit_test(a_channel_without_a_scan_is_missed_in_spite_of_an_end_marker),
        cmocka_unit_test(bytes_between_segments_are_passed_over),
        cmocka_unit_test(bytes_before_the_end_marker_are_passed_over),
        cmocka_unit_test(bytes_behind_the_end_marker_are_not_looked_at),
        cmocka_unit_test(a_wrong_selection_of_a_sequential_scan_is_as_good_as_the_right_one),
        cmocka_unit_test(squares_of_an_odd_jpeg_are_those_of_a_plain_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
