/* SPDX-License-Identifier: MIT */
/* Parts of a picture on a page, and the numbers of a scale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "model/base64.h"
#include "page/heat.h"
#include "page/panels.h"

#define WIDTH 9
#define HEIGHT 6

/* Each pixel tells where it was. */
static struct zf_picture numbered_picture(void)
{
    struct zf_picture picture = {0};

    assert_int_equal(zf_picture_init(&picture, WIDTH, HEIGHT, NULL), ZF_OK);
    for (int64_t i = 0; i < WIDTH * HEIGHT; i++) {
        picture.pixels[3 * i] = (uint8_t)(i % WIDTH * 20);
        picture.pixels[3 * i + 1] = (uint8_t)(i / WIDTH * 30);
        picture.pixels[3 * i + 2] = 7;
    }
    return picture;
}

/* The HTML of a block; free with free(). NULL after ZF_EINPUT, the only error that may come. */
static char *panels_html(const char *json, struct zf_error *err)
{
    struct zf_picture picture = numbered_picture();
    cJSON *block = cJSON_Parse(json);
    char *html = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&html, &size);
    enum zf_status status;

    assert_non_null(block);
    assert_non_null(stream);
    status = zf_panels_write(stream, block, &picture, NULL, "a.png", err);
    assert_int_equal(fclose(stream), 0);
    cJSON_Delete(block);
    zf_picture_release(&picture);
    if (status == ZF_OK)
        return html;
    assert_int_equal(status, ZF_EINPUT);
    free(html);
    return NULL;
}

/* The first picture within HTML. */
static struct zf_picture embedded_picture(const char *html)
{
    const char *text = strstr(html, "data:image/png;base64,");
    struct zf_picture picture = {0};
    size_t length, size;
    uint8_t *bytes;
    char *copy;

    assert_non_null(text);
    text += strlen("data:image/png;base64,");
    length = strcspn(text, "\"");
    copy = strndup(text, length);
    size = length / 4 * 3 - (copy[length - 1] == '=') - (copy[length - 2] == '=');
    bytes = malloc(size);
    assert_true(zf_base64_decode(copy, bytes, size));
    assert_int_equal(zf_picture_decode(bytes, size, "panel", 0, NULL, &picture, NULL, NULL), ZF_OK);
    free(bytes);
    free(copy);
    return picture;
}

static void a_panel_is_its_cells_without_the_gaps(void **state)
{
    char *html = panels_html("{\"panels\":[{\"x\":1,\"y\":0,\"width\":2,\"height\":2,\"columns\":2,"
                             "\"rows\":2,\"gap\":1,\"title\":\"one\"}]}",
                             NULL);
    struct zf_picture cells;

    (void)state;
    assert_non_null(html);
    cells = embedded_picture(html);
    assert_int_equal(cells.width, 4);
    assert_int_equal(cells.height, 4);
    for (int64_t i = 0; i < 16; i++) {
        const int64_t x = i % 4, y = i / 4;

        assert_int_equal(cells.pixels[3 * i], (1 + x + (x > 1)) * 20);
        assert_int_equal(cells.pixels[3 * i + 1], (y + (y > 1)) * 30);
    }
    zf_picture_release(&cells);
    free(html);
}

static void a_panel_s_words_are_text_beside_it(void **state)
{
    char *html = panels_html(
        "{\"panels\":[{\"x\":0,\"y\":0,\"width\":9,\"height\":6,\"columns\":1,\"rows\":1,"
        "\"gap\":0,\"title\":\"<b>\",\"note\":\"n\",\"heads\":[\"h\"],\"scale\":[\"0\","
        "\"1\"],\"legend\":[{\"colour\":\"#0b62a4\",\"text\":\"blue & co\"}]}]}",
        NULL);

    (void)state;
    assert_non_null(html);
    assert_non_null(strstr(html, "<p class=\"title\">&lt;b&gt;</p>"));
    assert_non_null(strstr(html, "alt=\"&lt;b&gt;: n\""));
    assert_non_null(strstr(html, "<span>h</span>"));
    assert_non_null(strstr(html, "<span>0</span><span>1</span>"));
    assert_non_null(strstr(html, "fill=\"#0b62a4\""));
    assert_non_null(strstr(html, "blue &amp; co"));
    free(html);
}

static void panels_that_anybody_wrote_cannot_leave_their_picture_or_attribute(void **state)
{
    static const char *const bad[] = {
        "\"x\":8,\"y\":0,\"width\":2,\"height\":2,\"columns\":1,\"rows\":1,\"gap\":0",
        "\"x\":-1,\"y\":0,\"width\":2,\"height\":2,\"columns\":1,\"rows\":1,\"gap\":0",
        "\"x\":0,\"y\":0,\"width\":2,\"height\":2,\"columns\":3,\"rows\":1,\"gap\":2",
        "\"x\":0,\"y\":0,\"width\":2,\"height\":2,\"columns\":1,\"rows\":4,\"gap\":0",
        "\"x\":0,\"y\":0,\"width\":1e30,\"height\":2,\"columns\":1,\"rows\":1,\"gap\":0",
        "\"x\":0,\"y\":0,\"width\":2,\"height\":2,\"columns\":1e18,\"rows\":1,\"gap\":0",
        "\"x\":\"0\",\"y\":0,\"width\":2,\"height\":2",
        "\"title\":\"nothing\"",
    };
    struct zf_error err = {0};
    char *html;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char json[256];

        snprintf(json, sizeof json, "{\"panels\":[{%s}]}", bad[i]);
        if ((html = panels_html(json, &err)) != NULL)
            fail_msg("%s was shown", json);
        assert_non_null(strstr(err.message, "a.png"));
    }
    html = panels_html("{\"panels\":[{\"x\":0,\"y\":0,\"width\":1,\"height\":1,\"columns\":1,"
                       "\"rows\":1,\"gap\":0,\"legend\":[{\"colour\":\"\\\" onload=\\\"x\"}]}]}",
                       &err);
    assert_non_null(html);
    assert_null(strstr(html, "onload"));
    free(html);
}

static void numbers_of_a_scale_have_three_digits_and_rarely_an_exponent(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},           {1, "1.00"},      {0.9996, "1.00"},   {9.996, "10.0"},
                 {99.96, "100"},     {1010, "1010"},   {-2871.4, "-2871"}, {12345, "12345"},
                 {0.0123, "0.0123"}, {0.482, "0.482"}, {0.1, "0.100"},     {123456, "1.23e+05"},
                 {1e-5, "1.00e-05"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[24];

        zf_heat_number(text, cases[i].value);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_panel_is_its_cells_without_the_gaps),
        cmocka_unit_test(a_panel_s_words_are_text_beside_it),
        cmocka_unit_test(panels_that_anybody_wrote_cannot_leave_their_picture_or_attribute),
        cmocka_unit_test(numbers_of_a_scale_have_three_digits_and_rarely_an_exponent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
