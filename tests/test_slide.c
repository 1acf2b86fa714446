/* SPDX-License-Identifier: MIT */
/* Figures for slides: what they are as pictures and as SVG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "page/slide.h"

#define MOST 96
#define SIDE 20 /* px of a panel's cell */

static const struct zf_lettering lettering = {15.0, {40, 42, 46}};

/* The SVG of a slide; free with free(). */
static char *svg_of(const struct zf_slide *slide)
{
    char path[] = "slide-test-XXXXXX", *text;
    const int file = mkstemp(path);
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};

    assert_true(file >= 0);
    close(file);
    if (zf_slide_write(slide, "a <title>", path, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_bytes_map(&bytes, path, 1 << 26, &err), ZF_OK);
    text = strndup((const char *)bytes.data, bytes.size);
    assert_non_null(text);
    zf_bytes_release(&bytes);
    unlink(path);
    return text;
}

static size_t count_of(const char *text, const char *word)
{
    size_t count = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        count++;
    return count;
}

static struct zf_rgb pixel_of(const struct zf_picture *picture, int64_t x, int64_t y)
{
    const uint8_t *pixel = picture->pixels + (y * picture->width + x) * 3;

    return (struct zf_rgb){pixel[0], pixel[1], pixel[2]};
}

static void a_slide_is_the_same_as_a_picture_and_as_svg(void **state)
{
    struct zf_slide slide = {.width = 100, .height = 60};
    struct zf_picture red = {0}, drawn = {0};
    struct zf_error err = {0};
    char *svg;

    (void)state;
    assert_int_equal(zf_picture_init(&red, 2, 2, &err), ZF_OK);
    for (int i = 0; i < 4; i++)
        red.pixels[3 * i] = 200;
    zf_slide_picture(&slide, (struct zf_box){10, 20, 30, 30}, &red, zf_picture_box(&red));
    zf_slide_box(&slide, (struct zf_box){50, 20, 10, 10}, 0, (struct zf_rgb){0, 0, 255});
    zf_slide_box(&slide, (struct zf_box){70, 20, 20, 20}, 4, (struct zf_rgb){0, 255, 0});
    zf_slide_words(&slide, &lettering, 5, 5, 90, "a<b\x01\xff");
    assert_int_equal(zf_slide_draw(&slide, &drawn, &err), ZF_OK);
    assert_int_equal(drawn.width, 100);
    assert_int_equal(drawn.height, 60);
    assert_int_equal(pixel_of(&drawn, 25, 35).r, 200);
    assert_int_equal(pixel_of(&drawn, 25, 35).g, 0);
    assert_int_equal(pixel_of(&drawn, 55, 25).r, 0);
    assert_int_equal(pixel_of(&drawn, 71, 21).r, 0);   /* the frame */
    assert_int_equal(pixel_of(&drawn, 80, 30).r, 255); /* what it is around */
    svg = svg_of(&slide);
    assert_non_null(strstr(svg, "viewBox=\"0 0 100 60\""));
    assert_non_null(strstr(svg, "<title>a &lt;title&gt;</title>"));
    assert_non_null(strstr(svg, "<image x=\"10\" y=\"20\" width=\"30\" height=\"30\""));
    assert_non_null(
        strstr(svg, "<rect x=\"50\" y=\"20\" width=\"10\" height=\"10\" fill=\"#0000ff\"/>"));
    assert_non_null(
        strstr(svg, "<rect x=\"72\" y=\"22\" width=\"16\" height=\"16\" fill=\"none\""));
    assert_non_null(strstr(svg, ">a&lt;b \xef\xbf\xbd</text>")); /* as XML takes it */
    free(svg);
    zf_picture_release(&drawn);
    zf_picture_release(&red);
    zf_slide_release(&slide);
}

/* What the SVG's texts say, joined by blanks; free with free(). */
static char *texts_of(const char *svg)
{
    char *joined = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&joined, &size);

    for (const char *at = svg; (at = strstr(at, "<text"));) {
        at = strchr(at, '>') + 1;
        fprintf(stream, "%s%.*s", ftell(stream) > 0 ? " " : "", (int)strcspn(at, "<"), at);
    }
    fclose(stream);
    return joined;
}

static void a_paragraph_loses_no_word_and_a_line_no_room(void **state)
{
    static const char text[] = "/features/features.12/conv/conv.3/Conv of a net, projected by the "
                               "deconvnet rule, with a word that is";
    struct zf_slide slide = {.width = 300, .height = 400};
    char *svg, *said;
    int64_t lines;

    (void)state;
    if (!zf_lettering_installed())
        skip();
    lines = zf_slide_paragraph(&slide, &lettering, 0, 0, 280, 30, 20, text);
    assert_in_range(lines, 4, 20);
    svg = svg_of(&slide);
    assert_int_equal(count_of(svg, "<text"), lines);
    said = texts_of(svg);
    /* The first word, longer than a line, is broken within itself. */
    for (char *from = said, *to = said; (*to = *from);) {
        from++;
        to += *to != ' ';
    }
    for (const char *word = text, *in = said; *word; word++) {
        if (*word != ' ')
            assert_int_equal(*word, *in++);
    }
    free(said);
    free(svg);
    zf_slide_release(&slide);

    /* With too few lines the last one says that it goes on. */
    slide = (struct zf_slide){.width = 300, .height = 400};
    assert_int_equal(zf_slide_paragraph(&slide, &lettering, 0, 0, 280, 30, 2, text), 2);
    svg = svg_of(&slide);
    assert_non_null(strstr(svg, "...</text>"));
    free(svg);
    zf_slide_release(&slide);
}

static void panels_of_any_number_fit_a_slide_or_can_be_read(void **state)
{
    static const size_t counts[] = {1, 2, 3, 7, 12, 30, MOST};
    struct zf_picture sheet = {0};
    struct zf_panel panels[MOST];
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_picture_init(&sheet, 2 * SIDE, MOST * SIDE, &err), ZF_OK);
    for (int64_t i = 0; i < MOST; i++)
        panels[i] = (struct zf_panel){.box = {0, i * SIDE, SIDE, SIDE},
                                      .columns = 2,
                                      .title = "a title",
                                      .low = i == 0 ? "0" : NULL,
                                      .high = i == 0 ? "1" : NULL,
                                      .note = "what is seen here"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct zf_slide slide;
        struct zf_picture drawn = {0};
        char *svg;

        zf_slide_panels(&slide, &sheet, panels, counts[i], "Of a slide", "What it shows.");
        assert_int_equal(slide.width, ZF_SLIDE_WIDTH);
        if (counts[i] <= 30)
            assert_in_range(slide.height, 200, ZF_SLIDE_HEIGHT);
        svg = svg_of(&slide);
        assert_int_equal(count_of(svg, "<image"), 2 * counts[i]);
        if (zf_lettering_installed())
            assert_int_equal(count_of(svg, ">a title</text>"), counts[i]);
        assert_non_null(strstr(svg, ">What it shows.</text>"));
        assert_int_equal(zf_slide_draw(&slide, &drawn, &err), ZF_OK);
        assert_int_equal(drawn.height, slide.height);
        free(svg);
        zf_picture_release(&drawn);
        zf_slide_release(&slide);
    }
    zf_picture_release(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slide_is_the_same_as_a_picture_and_as_svg),
        cmocka_unit_test(a_paragraph_loses_no_word_and_a_line_no_room),
        cmocka_unit_test(panels_of_any_number_fit_a_slide_or_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
