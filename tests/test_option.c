/* SPDX-License-Identifier: MIT */
/* Option tables, and names listed in a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/words.h"
#include "zf/option.h"

/* ---- option tables ---- */

struct settings {
    int64_t count;
    double rate;
    bool strict;
    int rule;
    const char *name;
};

static const char *const rules[] = {"deconvnet", "gradient", NULL};
static const struct zf_option table[] = {
    ZF_OPTION_ROW_INT(settings, count, "images", "how many", 9, 1, 64),
    ZF_OPTION_ROW_AS("weight_decay", settings, rate, "", "how much", ZF_OPTION_REAL, 0.5, 0, 1,
                     NULL),
    ZF_OPTION_ROW(settings, strict, "", "whether", ZF_OPTION_FLAG, 1, 0, 0, NULL),
    ZF_OPTION_ROW_CHOICE(settings, rule, "", "which", 1, rules),
    ZF_OPTION_ROW_TEXT(settings, name, "NAME", "who"),
};

static void defaults_fill_every_kind_of_field(void **state)
{
    struct settings settings;

    (void)state;
    memset(&settings, 0xff, sizeof settings);
    zf_options_defaults(table, ZF_COUNT(table), &settings);
    assert_int_equal(settings.count, 9);
    assert_true(fabs(settings.rate - 0.5) < 1e-15);
    assert_true(settings.strict);
    assert_int_equal(settings.rule, 1);
    assert_null(settings.name);
}

static void good_values_are_set(void **state)
{
    struct settings settings = {0};
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_option_set(&table[0], "64", &settings, &err), ZF_OK);
    assert_int_equal(zf_option_set(&table[1], "2.5e-1", &settings, &err), ZF_OK);
    assert_int_equal(zf_option_set(&table[2], "no", &settings, &err), ZF_OK);
    assert_int_equal(zf_option_set(&table[3], "deconvnet", &settings, &err), ZF_OK);
    assert_int_equal(zf_option_set(&table[4], "zfnet", &settings, &err), ZF_OK);
    assert_int_equal(settings.count, 64);
    assert_true(fabs(settings.rate - 0.25) < 1e-15);
    assert_false(settings.strict);
    assert_int_equal(settings.rule, 0);
    assert_string_equal(settings.name, "zfnet");
}

static void values_read_back_as_numbers(void **state)
{
    static const double expected[] = {64, 0.25, 1, 1, 0};
    const struct settings settings = {64, 0.25, true, 1, "zfnet"};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(table); i++)
        assert_true(zf_option_number(&table[i], &settings) == expected[i]);
}

static void numbers_are_put_where_they_are_read(void **state)
{
    static const double values[] = {64, 0.25, 1, 0, 0}, largest[] = {64, 1, 1, 1, 0};
    struct settings settings = {0};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(table); i++) {
        zf_option_put(&table[i], values[i], &settings);
        assert_true(zf_option_number(&table[i], &settings) == values[i]);
        assert_true(zf_option_largest(&table[i]) == largest[i]);
    }
    settings.name = "zfnet";
    assert_ptr_equal(zf_option_text(&table[4], &settings), settings.name);
    assert_null(zf_option_text(&table[0], &settings));
}

static void bad_values_are_told_with_what_would_fit_and_change_nothing(void **state)
{
    static const struct {
        int option;
        const char *text, *expected;
    } cases[] = {
        {0, "0", "count takes a whole number from 1 to 64, not '0'"},
        {0, "65", "count takes a whole number from 1 to 64, not '65'"},
        {0, "12x", "count takes a whole number from 1 to 64, not '12x'"},
        {0, "", "count takes a whole number from 1 to 64, not ''"},
        {0, "99999999999999999999", NULL},
        {1, "nan", "weight_decay takes a number from 0 to 1, not 'nan'"},
        {1, "-0.1", NULL},
        {1, "0,5", NULL},
        {2, "maybe", "strict takes yes or no, not 'maybe'"},
        {3, "guided", "rule takes one of deconvnet, gradient, not 'guided'"},
    };

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(cases); i++) {
        struct settings settings = {3, 0.125, true, 1, NULL};
        struct zf_error err = {0};
        const enum zf_status status =
            zf_option_set(&table[cases[i].option], cases[i].text, &settings, &err);

        print_message("%s = '%s': %s\n", table[cases[i].option].name, cases[i].text, err.message);
        assert_int_equal(status, ZF_EINVAL);
        assert_string_not_equal(err.message, "");
        if (cases[i].expected)
            assert_string_equal(err.message, cases[i].expected);
        assert_int_equal(settings.count, 3);
        assert_true(fabs(settings.rate - 0.125) < 1e-15);
        assert_true(settings.strict);
        assert_int_equal(settings.rule, 1);
    }
}

static void dashes_and_underscores_find_the_same_option(void **state)
{
    (void)state;
    assert_ptr_equal(zf_option_find(table, ZF_COUNT(table), "weight-decay"), &table[1]);
    assert_ptr_equal(zf_option_find(table, ZF_COUNT(table), "weight_decay"), &table[1]);
    assert_null(zf_option_find(table, ZF_COUNT(table), "weight"));
    assert_null(zf_option_find(table, ZF_COUNT(table), "weight-decay-"));
}

/* ---- names ---- */

static void names_are_listed_until_they_do_not_fit(void **state)
{
    char names[16] = "";

    (void)state;
    zf_add_name(names, sizeof names, "conv1");
    assert_string_equal(names, "conv1");
    zf_add_name(names, sizeof names, "fc");
    assert_string_equal(names, "conv1, fc");
    zf_add_name(names, sizeof names, "softmax");
    assert_string_equal(names, "conv1, fc, ...");
    zf_add_name(names, sizeof names, "a");
    assert_string_equal(names, "conv1, fc, ...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_listed_until_they_do_not_fit),
        cmocka_unit_test(defaults_fill_every_kind_of_field),
        cmocka_unit_test(good_values_are_set),
        cmocka_unit_test(values_read_back_as_numbers),
        cmocka_unit_test(numbers_are_put_where_they_are_read),
        cmocka_unit_test(bad_values_are_told_with_what_would_fit_and_change_nothing),
        cmocka_unit_test(dashes_and_underscores_find_the_same_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
