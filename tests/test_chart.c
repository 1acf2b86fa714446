/* SPDX-License-Identifier: MIT */
/* Charts: their axes, what they draw, and the way through JSON and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "page/chart.h"

/* A chart as text; free with free(). */
static char *drawn(const struct zf_chart *chart)
{
    FILE *stream = tmpfile();
    size_t size;
    char *text;

    assert_non_null(stream);
    zf_chart_write(stream, chart);
    size = (size_t)ftell(stream);
    rewind(stream);
    text = calloc(size + 1, 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, stream), size);
    fclose(stream);
    return text;
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + strlen(part), part))
        count++;
    return count;
}

/* ---- Axes. ---- */

static void assert_labels(const struct zf_axis *axis, const char *const *labels, size_t count)
{
    assert_int_equal(axis->tick_count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(axis->ticks[i].label, labels[i]);
}

static void ticks_stand_at_round_numbers(void **state)
{
    static const char *const tenths[] = {"0", "0.2", "0.4", "0.6", "0.8", "1.0"};
    static const char *const signs[] = {"−50", "0", "50", "100"};
    static const char *const huge[] = {"0", "0.5·10¹³", "1.0·10¹³", "1.5·10¹³"};
    static const char *const small[] = {"1·10⁻⁹", "2·10⁻⁹", "3·10⁻⁹"};
    struct zf_axis axis;

    (void)state;
    zf_axis_linear(&axis, 0.03, 0.93, 7, true, false);
    assert_labels(&axis, tenths, 6);
    assert_true(axis.low == 0 && axis.high == 1);
    zf_axis_linear(&axis, -60, 139, 5, false, false);
    assert_labels(&axis, signs, 4);
    assert_true(axis.low == -60 && axis.high == 139);
    zf_axis_linear(&axis, 1e12, 1.5e13, 5, true, false);
    assert_labels(&axis, huge, 4);
    zf_axis_linear(&axis, 1e-9, 3e-9, 4, true, false);
    assert_labels(&axis, small, 3);
}

static void any_range_has_two_ticks_within_it(void **state)
{
    static const double ranges[][2] = {
        {5, 5},         {0, 0},           {-3, -3},         {1e6, 1e6 + 1e-3},  {-1e300, 1e300},
        {0, 1e-290},    {1e-300, 2e-300}, {0.1, 0.1000001}, {-7.3, 12345.6789}, {1e15, 1e15 + 2},
        {99.99, 100.01}};

    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        for (size_t most = 3; most <= 9; most++) {
            for (int extend = 0; extend < 2; extend++) {
                struct zf_axis axis;

                zf_axis_linear(&axis, ranges[i][0], ranges[i][1], most, extend, false);
                assert_true(axis.low < axis.high);
                assert_in_range(axis.tick_count, 2, most < 5 ? 5 : most);
                assert_true(axis.low <= ranges[i][0] && axis.high >= ranges[i][1]);
                for (size_t t = 0; t < axis.tick_count; t++) {
                    const double place = zf_axis_place(&axis, axis.ticks[t].value);

                    assert_true(place > -1e-6 && place < 1 + 1e-6);
                    if (t > 0)
                        assert_string_not_equal(axis.ticks[t].label, axis.ticks[t - 1].label);
                }
            }
        }
    }
}

static void an_axis_of_whole_numbers_has_no_ticks_between_them(void **state)
{
    static const double ranges[][2] = {{1, 2}, {0, 1}, {0, 3},  {4, 5},     {3, 7},
                                       {5, 5}, {1, 1}, {-2, 3}, {0, 12000}, {7, 1000003}};
    static const char *const epochs[] = {"1", "2"};
    static const char *const pictures[] = {"0", "5\u202f000", "10\u202f000"};
    struct zf_axis axis;

    (void)state;
    zf_axis_linear(&axis, 1, 2, 9, false, true);
    assert_labels(&axis, epochs, 2);
    zf_axis_linear(&axis, 0, 12000, 4, false, true);
    assert_labels(&axis, pictures, 3);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        for (size_t most = 3; most <= 9; most++) {
            for (int extend = 0; extend < 2; extend++) {
                zf_axis_linear(&axis, ranges[i][0], ranges[i][1], most, extend, true);
                assert_true(axis.low <= ranges[i][0] && axis.high >= ranges[i][1]);
                assert_in_range(axis.tick_count, 2, most < 5 ? 5 : most);
                for (size_t t = 0; t < axis.tick_count; t++)
                    assert_true(axis.ticks[t].value == round(axis.ticks[t].value));
            }
        }
    }
}

static void a_logarithmic_axis_has_powers_of_ten(void **state)
{
    static const char *const decades[] = {"1", "100", "10\u202f000", "1·10⁶"};
    static const char *const fine[] = {"0.02", "0.05", "0.1", "0.2", "0.5"};
    struct zf_axis axis;

    (void)state;
    zf_axis_log(&axis, 1, 1e6, 5);
    assert_labels(&axis, decades, 4);
    assert_true(fabs(zf_axis_place(&axis, 1000) - 0.5) < 1e-12);
    zf_axis_log(&axis, 0.02, 0.5, 9);
    assert_labels(&axis, fine, 5);
}

/* ---- Charts. ---- */

static void a_value_that_is_not_finite_leaves_a_gap(void **state)
{
    static const double x[] = {0, 1, 2, 3, 4, 5}, y[] = {1, 2, NAN, 4, INFINITY, 6};
    const struct zf_series series = {"loss", x, y, NULL, 6};
    const struct zf_chart chart = {.kind = ZF_CHART_LINES, .series = &series, .series_count = 1};
    char *text = drawn(&chart), path[256];
    const char *line = strstr(text, "<path class=\"zf-line\"");

    (void)state;
    assert_non_null(line);
    /* The legend's comes first, then the data's. */
    line = strstr(line + 1, "<path class=\"zf-line\"");
    assert_non_null(line);
    snprintf(path, sizeof path, "%.*s", (int)strcspn(line, ">"), line);
    assert_int_equal(count_of(path, "M"), 3); /* 0-1, 3, 5 */
    assert_int_equal(count_of(path, "L"), 1);
    assert_int_equal(count_of(text, "<title>"), 4);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    free(text);
}

static void charts_without_data_say_so(void **state)
{
    static const double nothing[] = {NAN};
    const struct zf_series series = {NULL, nothing, nothing, NULL, 1}, empty = {.name = "a"};
    const struct zf_chart charts[] = {
        {.kind = ZF_CHART_LINES},
        {.kind = ZF_CHART_POINTS, .series = &series, .series_count = 1},
        {.kind = ZF_CHART_LINES, .series = &empty, .series_count = 1, .log_x = true},
        {.kind = ZF_CHART_BARS, .series = &empty, .series_count = 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
        char *text = drawn(&charts[i]);

        assert_non_null(strstr(text, "no data"));
        assert_null(strstr(text, "nan"));
        free(text);
    }
}

static void one_point_is_a_mark_in_the_middle(void **state)
{
    static const double x[] = {5}, y[] = {1e6};
    const struct zf_series series = {NULL, x, y, NULL, 1};
    char *text = drawn(&(struct zf_chart){.series = &series, .series_count = 1});

    (void)state;
    assert_int_equal(count_of(text, "class=\"zf-mark\""), 1);
    assert_non_null(strstr(text, "(5, 1e+06)"));
    assert_null(strstr(text, "no data"));
    free(text);
}

static void bars_begin_at_zero(void **state)
{
    static const double y[] = {90, 100};
    static const char *const names[] = {"a<b", "c"};
    const struct zf_series series = {NULL, NULL, y, NULL, 2};
    const struct zf_chart chart = {.kind = ZF_CHART_BARS,
                                   .categories = names,
                                   .category_count = 2,
                                   .series = &series,
                                   .series_count = 1};
    struct zf_frame frame;
    char *text = drawn(&chart);

    (void)state;
    zf_frame_fit(&frame, &chart);
    assert_true(frame.y.low == 0);
    assert_int_equal(count_of(text, "<rect class=\"zf-bar\""), 2);
    assert_non_null(strstr(text, "a&lt;b"));
    assert_null(strstr(text, "a<b"));
    free(text);
}

static void names_of_points_do_not_overlap(void **state)
{
    static const double same[] = {1, 1, 1, 1, 1, 1, 1, 1};
    static const char *const names[] = {"one",  "two", "three", "four",
                                        "five", "six", "seven", "eight"};
    const struct zf_series series = {NULL, same, same, NULL, 8};
    const struct zf_chart chart = {
        .kind = ZF_CHART_POINTS, .point_names = names, .series = &series, .series_count = 1};
    char *text = drawn(&chart);
    size_t shown = 0;

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        char label[32];

        snprintf(label, sizeof label, ">%s</text>", names[i]);
        shown += count_of(text, label);
    }
    assert_int_equal(shown, 4); /* one on each side; the rest in their tips */
    assert_int_equal(count_of(text, "<title>"), 8);
    free(text);
}

static void a_chart_survives_json(void **state)
{
    struct zf_error err;
    static const double x[] = {0.1, 1e-12, 3}, y[] = {1, NAN, 1.0 / 3}, reach[] = {0.5, 0, NAN};
    static const char *const names[] = {"a", "b \"<&", "c"};
    const struct zf_series series[] = {{"first", x, y, reach, 3}, {NULL, x, y, NULL, 2}};
    const struct zf_chart charts[] = {
        {.kind = ZF_CHART_LINES,
         .title = "t",
         .x_label = "x",
         .y_label = "y",
         .series = series,
         .series_count = 2,
         .log_x = true,
         .from_zero = true},
        {.kind = ZF_CHART_POINTS, .point_names = names, .series = series, .series_count = 2},
        {.kind = ZF_CHART_BARS,
         .categories = names,
         .category_count = 3,
         .series = series,
         .series_count = 2},
        {.kind = ZF_CHART_LINES},
    };

    (void)state;
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
        cJSON *json = zf_chart_json(&charts[i]), *again;
        char *text = cJSON_Print(json), *first, *second;
        struct zf_chart chart = {0};

        again = cJSON_Parse(text);
        assert_int_equal(zf_chart_parse(again, &chart, &err), ZF_OK);
        first = drawn(&charts[i]);
        second = drawn(&chart);
        assert_string_equal(first, second);
        free(first);
        free(second);
        zf_chart_release(&chart);
        cJSON_free(text);
        cJSON_Delete(json);
        cJSON_Delete(again);
    }
}

static void json_that_is_no_chart_is_refused(void **state)
{
    struct zf_error err;
    static const char *const texts[] = {
        "{}",
        "{\"kind\":\"pie\",\"series\":[]}",
        "{\"kind\":\"lines\",\"series\":[{\"x\":[1],\"y\":[1,2]}]}",
        "{\"kind\":\"lines\",\"series\":[{\"y\":[1,2]}]}",
        "{\"kind\":\"points\",\"point_names\":[\"a\"],\"series\":[{\"x\":[1,2],\"y\":[1,2]}]}",
        "{\"kind\":\"points\",\"point_names\":[\"a\"],\"series\":[]}",
        "{\"kind\":\"lines\",\"series\":[{\"x\":[1],\"y\":[1],\"deviation\":3}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cJSON *json = cJSON_Parse(texts[i]);
        struct zf_chart chart = {0};

        assert_non_null(json);
        assert_int_equal(zf_chart_parse(json, &chart, &err), ZF_EINPUT);
        assert_null(chart.series);
        cJSON_Delete(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_stand_at_round_numbers),
        cmocka_unit_test(any_range_has_two_ticks_within_it),
        cmocka_unit_test(an_axis_of_whole_numbers_has_no_ticks_between_them),
        cmocka_unit_test(a_logarithmic_axis_has_powers_of_ten),
        cmocka_unit_test(a_value_that_is_not_finite_leaves_a_gap),
        cmocka_unit_test(charts_without_data_say_so),
        cmocka_unit_test(one_point_is_a_mark_in_the_middle),
        cmocka_unit_test(bars_begin_at_zero),
        cmocka_unit_test(names_of_points_do_not_overlap),
        cmocka_unit_test(a_chart_survives_json),
        cmocka_unit_test(json_that_is_no_chart_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
