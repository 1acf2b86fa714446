/* SPDX-License-Identifier: MIT */
/* Folds of a data set, and the part of it that they train on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/status.h"
#include "data_fixture.h"
#include "learn/folds.h"

#define CLASSES 3

#define must(expression)                                                                           \
    do {                                                                                           \
        if ((expression) != ZF_OK)                                                                 \
            fail_msg("%s: %s", #expression, err.message);                                          \
    } while (0)

static void a_fold_has_so_many_of_each_class_and_tests_on_others(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 9));
    struct zf_error err = {0};

    for (int64_t f = 0; f < 5; f++) {
        struct zf_fold fold = {0};
        int uses[27] = {0}, trained[CLASSES] = {0}, tested[CLASSES] = {0};

        must(zf_fold_draw(&fold, data, 4, 3, 7, f, &err));
        assert_int_equal(fold.train_count, 4 * CLASSES);
        assert_int_equal(fold.test_count, 3 * CLASSES);
        for (int64_t i = 0; i < fold.train_count; i++) {
            uses[fold.train[i]]++;
            trained[zf_data_label(data, fold.train[i])]++;
            assert_int_equal(zf_data_label(data, fold.train[i]), i % CLASSES);
        }
        for (int64_t i = 0; i < fold.test_count; i++) {
            uses[fold.test[i]]++;
            tested[zf_data_label(data, fold.test[i])]++;
        }
        for (int i = 0; i < 27; i++)
            assert_true(uses[i] <= 1);
        for (int k = 0; k < CLASSES; k++) {
            assert_int_equal(trained[k], 4);
            assert_int_equal(tested[k], 3);
        }
        zf_fold_release(&fold);
    }
    zf_data_free(&data);
}

static void folds_are_functions_of_seed_and_number(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 9));
    struct zf_fold folds[4] = {0};
    struct zf_error err = {0};
    const size_t bytes = 4 * CLASSES * sizeof(int64_t);

    must(zf_fold_draw(&folds[0], data, 4, 3, 7, 0, &err));
    must(zf_fold_draw(&folds[1], data, 4, 3, 7, 0, &err));
    must(zf_fold_draw(&folds[2], data, 4, 3, 7, 1, &err));
    must(zf_fold_draw(&folds[3], data, 4, 3, 8, 0, &err));
    assert_memory_equal(folds[0].train, folds[1].train, bytes);
    assert_memory_not_equal(folds[0].train, folds[2].train, bytes);
    assert_memory_not_equal(folds[0].train, folds[3].train, bytes);
    for (int i = 0; i < 4; i++)
        zf_fold_release(&folds[i]);
    zf_data_free(&data);
}

static void a_class_with_too_few_pictures_is_named(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 4));
    struct zf_fold fold = {0};
    struct zf_error err = {0};

    assert_int_equal(zf_fold_draw(&fold, data, 4, 3, 7, 0, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "class ant"));
    assert_non_null(strstr(err.message, "4 pictures"));
    assert_non_null(strstr(err.message, "need 5"));
    assert_null(fold.train);
    zf_data_free(&data);
}

/* ---- A subset of a data set. ---- */

static void a_subset_has_the_samples_asked_for_and_all_classes(void **state)
{
    const int64_t wanted[] = {7, 0, 4};
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 3)), *subset = NULL;
    struct zf_error err = {0};

    must(zf_data_subset(data, wanted, 3, &subset, &err));
    assert_int_equal(zf_data_count(subset), 3);
    assert_int_equal(zf_data_class_count(subset), CLASSES);
    for (int64_t i = 0; i < 3; i++) {
        struct zf_picture got = {0}, expected = {0};

        assert_int_equal(zf_data_label(subset, i), zf_data_label(data, wanted[i]));
        assert_string_equal(zf_data_path(subset, i), zf_data_path(data, wanted[i]));
        must(zf_data_square(subset, i, ZF_RESIZE_SHORT, 16, &got, &err));
        must(zf_data_square(data, wanted[i], ZF_RESIZE_SHORT, 16, &expected, &err));
        assert_memory_equal(got.pixels, expected.pixels, 16 * 16 * 3);
        zf_picture_release(&got);
        zf_picture_release(&expected);
    }
    zf_data_free(&subset);
    assert_int_equal(zf_data_subset(data, (int64_t[]){9}, 1, &subset, &err), ZF_EINVAL);
    assert_null(subset);
    zf_data_free(&data);
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(a_fold_has_so_many_of_each_class_and_tests_on_others),
        IN_A_DIRECTORY(folds_are_functions_of_seed_and_number),
        IN_A_DIRECTORY(a_class_with_too_few_pictures_is_named),
        IN_A_DIRECTORY(a_subset_has_the_samples_asked_for_and_all_classes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
