/* SPDX-License-Identifier: MIT */
/* Words in pictures. A machine without a font skips what needs one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "page/canvas.h"

#define WIDTH 120
#define HEIGHT 40

static const struct zf_lettering letters = {10.0, {0, 0, 0}};

/* The box of what is not paper; of width 0 when all is. */
static struct zf_box ink_of(const struct zf_picture *canvas)
{
    int64_t left = WIDTH, top = HEIGHT, right = 0, bottom = 0;

    for (int64_t i = 0; i < WIDTH * HEIGHT; i++) {
        const int64_t x = i % WIDTH, y = i / WIDTH;

        if (canvas->pixels[i * 3] > 200)
            continue;
        left = x < left ? x : left;
        right = x >= right ? x + 1 : right;
        top = y < top ? y : top;
        bottom = y >= bottom ? y + 1 : bottom;
    }
    return right == 0 ? (struct zf_box){0} : (struct zf_box){left, top, right - left, bottom - top};
}

static struct zf_box written(double x, double y, double room, const char *text)
{
    struct zf_picture canvas = {0};
    struct zf_box ink;

    assert_int_equal(zf_canvas_init(&canvas, WIDTH, HEIGHT, NULL), ZF_OK);
    zf_canvas_text(&canvas, &letters, x, y, room, text);
    ink = ink_of(&canvas);
    zf_picture_release(&canvas);
    return ink;
}

static void need_font(void)
{
    if (!zf_lettering_installed()) {
        print_message("no font is installed\n");
        skip();
    }
}

static void a_capital_stands_where_it_is_wanted_and_as_high(void **state)
{
    const struct zf_box ink = written(20.0, 12.0, WIDTH, "H");

    (void)state;
    need_font();
    assert_in_range(ink.y, 11, 13);
    assert_in_range(ink.height, 9, 11);
    assert_in_range(ink.x, 20, 23);
}

static void the_line_is_the_same_whatever_letters_stand_on_it(void **state)
{
    const struct zf_box low = written(20.0, 12.0, WIDTH, "x"),
                        high = written(20.0, 12.0, WIDTH, "H");

    (void)state;
    need_font();
    assert_in_range(low.y + low.height - high.y - high.height + 1, 0, 2);
    assert_true(low.y > high.y);
}

static void what_is_too_wide_is_shortened_to_its_room(void **state)
{
    const struct zf_box cut = written(10.0, 10.0, 60.0, "a name that is longer than its room");
    const struct zf_box none = written(10.0, 10.0, 1.0, "a name");

    (void)state;
    need_font();
    assert_in_range(cut.width, 30, 61);
    assert_int_equal(none.width, 0);
}

static void words_beyond_the_canvas_are_clipped(void **state)
{
    (void)state;
    need_font();
    assert_true(written(-6.0, -4.0, 500.0, "WWWW").width > 0);
    assert_true(written(WIDTH - 8.0, HEIGHT - 5.0, 500.0, "WWWW").width > 0);
    assert_int_equal(written(WIDTH + 50.0, 5.0, 500.0, "W").width, 0);
}

static void markup_control_characters_and_broken_text_are_written(void **state)
{
    static const char *const texts[] = {"<b> & \"x\"", "a\nb\tc\x01", "\xff\xfe", "na\xc3\xafve"};

    (void)state;
    need_font();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(zf_lettering_width(&letters, texts[i]) > 0.0);
        assert_true(written(4.0, 12.0, WIDTH, texts[i]).width > 0);
    }
    assert_true(zf_lettering_width(&letters, "<b>") > zf_lettering_width(&letters, "b"));
    assert_int_equal(written(4.0, 12.0, WIDTH, "").width, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_capital_stands_where_it_is_wanted_and_as_high),
        cmocka_unit_test(the_line_is_the_same_whatever_letters_stand_on_it),
        cmocka_unit_test(what_is_too_wide_is_shortened_to_its_room),
        cmocka_unit_test(words_beyond_the_canvas_are_clipped),
        cmocka_unit_test(markup_control_characters_and_broken_text_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
