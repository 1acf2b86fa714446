/* SPDX-License-Identifier: MIT */
/* How much a projection depends on the picture, where it is known beforehand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "plan_fixture.h"
#include "look/dependence.h"
#include "net/net.h"

/* Of the strongest activation of the last layer. */
static struct zf_dependence measure(const char *layers, enum zf_rule rule, char words[256])
{
    struct zf_activation chosen = {.map = -1, .y = -1, .x = -1};
    struct zf_dependence dependence = {0};
    const struct zf_compute compute = {.threads = 1};
    struct zf_tensor input, pixels;
    struct zf_error err = {0};
    struct plan_fixture f;

    plan_set_up(&f, layers, "", (struct zf_plan_options){0});
    input = zf_tensor_view(f.input.data, 1, 2, 9, 8);
    chosen.layer = zf_net_layer_count(f.net) - 1;
    assert_int_equal(zf_tensor_init(&pixels, 1, 2, 9, 8, NULL), ZF_OK);
    if (zf_project(f.net, &input, rule, &compute, &chosen, &pixels, &err) != ZF_OK ||
        zf_project_dependence(f.net, &input, rule, &compute, &chosen, &dependence, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_dependence_words(f.net, &dependence, words, 256);
    zf_tensor_release(&pixels);
    plan_tear_down(&f);
    return dependence;
}

#define STRIDED                                                                                    \
    "[c1]\ntype = conv\nmaps = 8\nkernel = 3\nstride = 2\n[r1]\ntype = relu\n"                     \
    "[c2]\ntype = conv\nmaps = 4\nkernel = 3\n[r2]\ntype = relu\n"

/* Its rectifiers look at the signal alone. */
static void without_switches_the_deconvnet_does_not_look_at_the_picture(void **state)
{
    char words[256];
    const struct zf_dependence d = measure(STRIDED, ZF_RULE_DECONVNET, words);

    (void)state;
    assert_true(d.value >= 0 && d.value < 1e-5);
    assert_int_equal(d.switches, 0);
    assert_true(d.better != ZF_RULE_DECONVNET && d.better_value >= ZF_DEPENDS_LITTLE);
    assert_non_null(strstr(words,
                           "hardly depends on the picture (0.00), since no max pooling below "
                           "r2 left switches; that by the rule g"));
}

static void the_gradient_looks_at_what_its_rectifiers_let_through(void **state)
{
    char words[256];
    const struct zf_dependence d = measure(STRIDED, ZF_RULE_GRADIENT, words);

    (void)state;
    assert_true(d.value >= ZF_DEPENDS_LITTLE && d.value <= 1);
    assert_int_equal(d.better, ZF_RULE_GRADIENT);
    assert_non_null(strstr(words, "depends on the picture by "));
}

static void switches_tell_pictures_apart(void **state)
{
    char words[256];
    const struct zf_dependence d = measure("[c1]\ntype = conv\nmaps = 8\nkernel = 3\n[r1]\n"
                                           "type = relu\n[p1]\ntype = maxpool\nkernel = 3\n"
                                           "stride = 3\n[c2]\ntype = conv\nmaps = 4\nkernel = 2\n",
                                           ZF_RULE_DECONVNET, words);

    (void)state;
    assert_true(d.value > 0.3 && d.value <= 1);
    assert_int_equal(d.switches, 1);
}

/* A linear net's projections are its filters, by any rule. */
static void no_rule_does_better_where_nothing_depends(void **state)
{
    char words[256];
    const struct zf_dependence d = measure("[c1]\ntype = conv\nmaps = 8\nkernel = 3\n[p]\n"
                                           "type = avgpool\nkernel = 2\nstride = 2\n",
                                           ZF_RULE_DECONVNET, words);

    (void)state;
    assert_true(d.value >= 0 && d.value < 1e-5);
    assert_int_equal(d.better, ZF_RULE_DECONVNET);
    assert_string_equal(words, "hardly depends on the picture (0.00), since no max pooling below p "
                               "left switches");
}

/* A constant is all that the last layer sees. */
static void what_reaches_no_pixel_is_nothing(void **state)
{
    char words[256];
    const struct zf_dependence d = measure("[given]\ntype = constant\nmaps = 2\nheight = 9\n"
                                           "width = 8\n[c]\ntype = conv\nmaps = 4\nkernel = 3\n",
                                           ZF_RULE_DECONVNET, words);

    (void)state;
    assert_true(isnan(d.value));
    assert_string_equal(words, "nothing reached the pixels");
}

static void correlation_is_pearsons(void **state)
{
    static const float a[4] = {1, 2, 3, 4}, line[4] = {3, 5, 7, 9}, back[4] = {8, 6, 4, 2},
                       flat[4] = {5, 5, 5, 5}, other[4] = {1, -1, -1, 1};

    (void)state;
    assert_true(fabs(zf_correlation(a, line, 4) - 1) < 1e-12);
    assert_true(fabs(zf_correlation(a, back, 4) + 1) < 1e-12);
    assert_true(zf_correlation(a, flat, 4) == 0 && fabs(zf_correlation(a, other, 4)) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_switches_the_deconvnet_does_not_look_at_the_picture),
        cmocka_unit_test(the_gradient_looks_at_what_its_rectifiers_let_through),
        cmocka_unit_test(switches_tell_pictures_apart),
        cmocka_unit_test(no_rule_does_better_where_nothing_depends),
        cmocka_unit_test(what_reaches_no_pixel_is_nothing),
        cmocka_unit_test(correlation_is_pearsons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
