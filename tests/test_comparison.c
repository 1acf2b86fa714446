/* SPDX-License-Identifier: MIT */
/* Two nets over one data set: nets that always say the same, so that what comes out is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "experiments/compare/compare.h"
#include "look_world.h"
#include "net/net.h"

#define CATS 20 /* pictures of the first class; the others are of the second */

static const char spec[] = "[net]\nname = constant\ninput = 3x20x20\nclasses = 2\nsize = 20\n"
                           "[fc1]\ntype = fc\nmaps = 2\n[prob]\ntype = softmax\n";

/* It says the second class with the probability whose logit that is. */
static struct zf_net *constant(struct world *w, float logit, const char *first, const char *second)
{
    const char *labels[] = {first, second};
    struct zf_net *net = NULL;
    struct zf_parameter bias;
    int64_t floats;
    float *weights;

    must(w, zf_net_parse_spec(spec, "test", 0, &net, &w->err));
    must(w, zf_net_set_labels(net, labels, &w->err));
    weights = zf_net_parameters_mutable(net, &floats);
    bias = zf_net_parameter(net, 1);
    assert_int_equal(bias.count, 2);
    weights[bias.data + 1 - weights] = logit;
    return net;
}

static struct zf_compared *compare(struct world *w, struct zf_net *a, struct zf_net *b)
{
    const struct zf_eval_options options = {.compute.engine = "reference"};
    struct zf_compared *compared = NULL;

    must(w, zf_compare_run(a, b, w->data, &options, &compared, NULL, &w->err));
    zf_net_free(&a);
    zf_net_free(&b);
    return compared;
}

static void each_picture_is_counted_by_who_has_it_right(void **state)
{
    struct world *w = *state;
    const char *cats = zf_data_class(w->data, 0), *dogs = zf_data_class(w->data, 1);
    struct zf_compared *compared =
        compare(w, constant(w, -2.0f, cats, dogs), constant(w, 1.0f, cats, dogs));

    assert_int_equal(compared->pictures, PICTURES);
    assert_int_equal(compared->counts[ZF_ONLY_FIRST], CATS);
    assert_int_equal(compared->counts[ZF_ONLY_SECOND], PICTURES - CATS);
    assert_int_equal(compared->counts[ZF_BOTH_RIGHT] + compared->counts[ZF_BOTH_WRONG], 0);
    assert_int_equal(compared->by_class[0][ZF_ONLY_FIRST], CATS);
    assert_int_equal(compared->by_class[1][ZF_ONLY_SECOND], PICTURES - CATS);
    assert_true(fabs(compared->results[0].top1_error - (double)(PICTURES - CATS) / PICTURES) <
                1e-12);
    assert_float_equal(compared->verdicts[0][0].confidence, 1.0f / (1.0f + expf(-2.0f)), 1e-6);
    assert_float_equal(compared->verdicts[0][PICTURES - 1].label_probability,
                       1.0f - 1.0f / (1.0f + expf(-2.0f)), 1e-6);
    zf_compared_free(&compared);
}

static void classes_in_another_order_are_the_same_classes(void **state)
{
    struct world *w = *state;
    const char *cats = zf_data_class(w->data, 0), *dogs = zf_data_class(w->data, 1);
    struct zf_net *b = constant(w, 1.0f, dogs, cats); /* its second class is cats, too */
    struct zf_compared *compared = compare(w, constant(w, -2.0f, cats, dogs), b);

    assert_int_equal(compared->counts[ZF_BOTH_RIGHT], CATS);
    assert_int_equal(compared->counts[ZF_BOTH_WRONG], PICTURES - CATS);
    assert_int_equal(compared->same_mistake, PICTURES - CATS);
    assert_int_equal(compared->second_labels[0], 1);
    assert_int_equal(compared->labels[0], 0);
    zf_compared_free(&compared);
}

static void the_surest_of_the_wrong_come_first(void **state)
{
    struct zf_verdict first[4] = {
        {0, true, 0.9f, 0.9f}, {1, true, 0.8f, 0.8f}, {0, true, 0.7f, 0.7f}, {-1, false, 0, 0}};
    struct zf_verdict second[4] = {{1, false, 0.6f, 0.1f},
                                   {0, false, 0.9f, 0.1f},
                                   {1, false, 0.6f, 0.2f},
                                   {1, false, 0.99f, 0.0f}};
    const struct zf_compared compared = {.samples = 4, .verdicts = {first, second}};
    int64_t samples[4];

    (void)state;
    assert_int_equal(zf_compare_choose(&compared, ZF_ONLY_FIRST, samples, 4), 3);
    assert_int_equal(samples[0], 1);
    assert_int_equal(samples[1], 0);
    assert_int_equal(samples[2], 2);
    assert_int_equal(zf_compare_choose(&compared, ZF_ONLY_SECOND, samples, 4), 0);
    assert_int_equal(zf_compare_choose(&compared, ZF_ONLY_FIRST, samples, 1), 1);
    assert_int_equal(samples[0], 1);
}

static void chance_is_that_of_the_sign_test(void **state)
{
    (void)state;
    assert_true(fabs(zf_compare_chance(0, 0) - 1.0) < 1e-12);
    assert_true(fabs(zf_compare_chance(0, 5) - 2.0 / 32.0) < 1e-9);
    assert_true(fabs(zf_compare_chance(9, 1) - 2.0 * 11.0 / 1024.0) < 1e-9);
    assert_true(fabs(zf_compare_chance(7, 7) - 1.0) < 1e-12);
    assert_true(zf_compare_chance(500, 300) < 1e-11);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(each_picture_is_counted_by_who_has_it_right),
        TEST(classes_in_another_order_are_the_same_classes),
        cmocka_unit_test(the_surest_of_the_wrong_come_first),
        cmocka_unit_test(chance_is_that_of_the_sign_test),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
