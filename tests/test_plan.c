/* SPDX-License-Identifier: MIT */
/* Plans: what they read and project, what they refuse, and that running them allocates nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "held.h"
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "net/net.h"
#include "plan_fixture.h"

/* From the rectifier's output or from its input, a positive activation projects alike; and the
   three rules give three pictures. (What they should be is the oracle's business.) */
static void the_rules_differ_only_at_the_rectifier(void **state)
{
    static const enum zf_rule rules[] = {ZF_RULE_DECONVNET, ZF_RULE_GRADIENT, ZF_RULE_GUIDED};
    float sums[3] = {0};
    const int taps[] = {5, 4}; /* r2, c2 */

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        for (int r = 0; r < 3; r++) {
            const struct zf_plan_options options = {
                .purpose = ZF_PROJECT,
                .rule = rules[r],
                .compute = {.engine = zf_engine_name(e), .threads = 1},
                .taps = taps,
                .tap_count = 2};
            const float one = 1;
            struct plan_fixture f;
            struct zf_tensor from_relu, from_conv;
            float strongest[BATCH * 5];
            int32_t where[BATCH * 5];
            struct zf_place place;
            int64_t best = 0;

            plan_set_up(&f, DEEP, "", options);
            assert_int_equal(zf_tensor_init(&from_relu, 1, 2, 9, 8, NULL), ZF_OK);
            assert_int_equal(zf_tensor_init(&from_conv, 1, 2, 9, 8, NULL), ZF_OK);
            zf_plan_forward(f.plan, &f.input);
            zf_plan_maxima(f.plan, 5, strongest, where);
            for (int64_t map = 1; map < 5; map++)
                best = strongest[map] > strongest[best] ? map : best;
            assert_true(strongest[best] > 0);
            place = (struct zf_place){0, best, where[best] / 4, where[best] % 4};
            assert_true(zf_plan_activation(f.plan, 5, place) == strongest[best]);
            zf_plan_project(f.plan, 5, &place, &one, 1, &from_relu);
            zf_plan_project(f.plan, 4, &place, &one, 1, &from_conv);
            assert_memory_equal(from_relu.data, from_conv.data, 2 * 9 * 8 * sizeof(float));
            for (int64_t i = 0; i < 2 * 9 * 8; i++)
                sums[r] += fabsf(from_relu.data[i]);
            zf_tensor_release(&from_relu);
            zf_tensor_release(&from_conv);
            plan_tear_down(&f);
        }
        assert_true(sums[0] > 0 && sums[2] > 0);
        assert_true(fabsf(sums[0] - sums[1]) > 1e-3f && fabsf(sums[1] - sums[2]) > 1e-3f);
    }
}

/* Relative L2 distance. */
static void a_projection_of_nothing_is_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int tap = 5;
        const struct zf_plan_options options = {.purpose = ZF_PROJECT,
                                                .compute.engine = zf_engine_name(e),
                                                .taps = &tap,
                                                .tap_count = 1,
                                                .taps_only = true};
        struct plan_fixture f;
        struct zf_tensor pixels;
        const struct zf_place place = {1, 0, 0, 0};

        plan_set_up(&f, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&pixels, BATCH, 2, 9, 8, NULL), ZF_OK);
        zf_plan_forward(f.plan, &f.input);
        zf_plan_project(f.plan, tap, &place, &(float){1}, 1, &pixels);
        for (int64_t i = 0; i < 2 * 9 * 8; i++)
            assert_true(pixels.data[i] == 0 && pixels.data[2 * 2 * 9 * 8 + i] == 0);
        zf_plan_project(f.plan, tap, NULL, NULL, 0, &pixels);
        for (int64_t i = 0; i < zf_tensor_count(&pixels); i++)
            assert_true(pixels.data[i] == 0);
        zf_tensor_release(&pixels);
        plan_tear_down(&f);
    }
}

static bool allow_nothing(size_t bytes)
{
    (void)bytes;
    return false;
}

static void running_a_plan_allocates_nothing(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        struct zf_plan_options options = {.purpose = ZF_TRAIN, .compute.engine = zf_engine_name(e)};
        const int tap = 4;
        struct plan_fixture train, project;
        struct zf_tensor pixels;

        plan_set_up(&train, DEEP, "[f]\ntype = fc\nmaps = 4\n[prob]\ntype = softmax\n", options);
        options = (struct zf_plan_options){.purpose = ZF_PROJECT,
                                           .compute.engine = zf_engine_name(e),
                                           .taps = &tap,
                                           .tap_count = 1};
        plan_set_up(&project, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&pixels, 1, 2, 9, 8, NULL), ZF_OK);
        zf_alloc_allowed = allow_nothing; /* whatever asked would dereference NULL or report */
        zf_plan_refresh(train.plan);
        zf_plan_forward_train(train.plan, &train.input, 1, 1);
        zf_plan_backward(train.plan, train.labels);
        zf_plan_forward(project.plan, &project.input);
        zf_plan_project(project.plan, tap, &(struct zf_place){0, 1, 1, 1}, NULL, 1, &pixels);
        zf_alloc_allowed = NULL;
        zf_tensor_release(&pixels);
        plan_tear_down(&train);
        plan_tear_down(&project);
    }
}

static void a_tap_on_a_convolution_reads_what_stands_before_the_rectifier(void **state)
{
    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int taps[] = {0, 1};
        const struct zf_plan_options options = {
            .purpose = ZF_INFER, .compute.engine = zf_engine_name(e), .taps = taps, .tap_count = 2};
        struct plan_fixture f;
        struct zf_tensor conv, relu;
        int negative = 0;

        plan_set_up(&f, DEEP, "", options);
        assert_int_equal(zf_tensor_init(&conv, BATCH, 6, 9, 8, NULL), ZF_OK);
        assert_int_equal(zf_tensor_init(&relu, BATCH, 6, 9, 8, NULL), ZF_OK);
        zf_plan_forward(f.plan, &f.input);
        zf_plan_read(f.plan, 0, &conv);
        zf_plan_read(f.plan, 1, &relu);
        for (int64_t i = 0; i < zf_tensor_count(&conv); i++) {
            negative += conv.data[i] < 0;
            assert_true(relu.data[i] == (conv.data[i] > 0 ? conv.data[i] : 0));
        }
        assert_true(negative > 0);
        zf_tensor_release(&conv);
        zf_tensor_release(&relu);
        plan_tear_down(&f);
    }
}

/* Filters transformed for Winograd's algorithm take room and time, and a plan of few runs does
   without, where one run is not worth it by itself. */
static void a_brief_plan_prepares_less_and_computes_the_same(void **state)
{
    static const char spec[] = "[net]\nname = wide\ninput = 3x12x12\n"
                               "[c1]\ntype = conv\nmaps = 64\nkernel = 5\npad = 2\n"
                               "[c2]\ntype = conv\nmaps = 64\nkernel = 3\npad = 1\n";
    enum { PIXELS = 3 * 12 * 12, CELLS = 64 * 12 * 12 };
    struct zf_plan_options options = {.compute = {.batch = 1, .threads = 1}, .purpose = ZF_INFER};
    struct zf_net *net = NULL;
    struct zf_plan *plans[2] = {0};
    struct zf_tensor input = {0}, outputs[2] = {0};
    struct zf_error err;
    double difference = 0, length = 0;

    (void)state;
    assert_int_equal(zf_net_parse_spec(spec, "wide", 0, &net, &err), ZF_OK);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 1);
    assert_int_equal(zf_tensor_init(&input, 1, 3, 12, 12, &err), ZF_OK);
    plan_fill(input.data, PIXELS, 1, 1);
    for (int i = 0; i < 2; i++) {
        options.brief = i == 1;
        assert_int_equal(zf_plan_create(net, &options, &plans[i], &err), ZF_OK);
        assert_int_equal(zf_tensor_init(&outputs[i], 1, 64, 12, 12, &err), ZF_OK);
        zf_plan_forward(plans[i], &input);
        zf_plan_read(plans[i], 1, &outputs[i]);
    }
    for (int64_t i = 0; i < CELLS; i++) {
        difference += pow((double)outputs[0].data[i] - (double)outputs[1].data[i], 2);
        length += pow((double)outputs[1].data[i], 2);
    }
    assert_true(length > 0);
    assert_true(sqrt(difference / length) < 1e-5);
    assert_true(zf_plan_memory(plans[0]) >= zf_plan_memory(plans[1]));
    if (difference == 0)
        print_message("no Winograd here: both plans are the same\n");
    else
        assert_true(zf_plan_memory(plans[0]) > zf_plan_memory(plans[1]));
    for (int i = 0; i < 2; i++) {
        zf_plan_free(&plans[i]);
        zf_tensor_release(&outputs[i]);
    }
    zf_tensor_release(&input);
    zf_net_free(&net);
}

static void a_plan_says_what_is_wrong_with_its_options(void **state)
{
    struct zf_net *net = NULL;
    struct zf_plan *plan = NULL;
    struct zf_error err;
    float gradient;
    const int tap = 99;

    (void)state;
    assert_int_equal(
        zf_net_parse_spec("[net]\ninput = 1x4x4\n[r]\ntype = relu\n", "t", 0, &net, &err), ZF_OK);
    assert_int_equal(
        zf_plan_create(net, &(struct zf_plan_options){.compute.batch = 0}, &plan, &err), ZF_EINVAL);
    assert_int_equal(
        zf_plan_create(net,
                       &(struct zf_plan_options){.compute.batch = 1, .taps = &tap, .tap_count = 1},
                       &plan, &err),
        ZF_EINVAL);
    assert_int_equal(zf_plan_create(net,
                                    &(struct zf_plan_options){.compute.batch = 1,
                                                              .purpose = ZF_TRAIN,
                                                              .gradients = &gradient},
                                    &plan, &err),
                     ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "softmax"));
    assert_int_equal(
        zf_plan_create(net, &(struct zf_plan_options){.compute = {.batch = 1, .engine = "steam"}},
                       &plan, &err),
        ZF_EINVAL);
    assert_non_null(strstr(err.message, "reference"));
    assert_null(plan);
    zf_net_free(&net);
}

static size_t allowed;

static bool count_down(size_t bytes)
{
    (void)bytes;
    return allowed-- > 0;
}

static void making_a_plan_survives_each_failing_allocation(void **state)
{
    struct zf_net *net = NULL;

    (void)state;
    assert_int_equal(zf_net_parse_spec("[net]\ninput = 2x9x8\n" DEEP, "t", 0, &net, NULL), ZF_OK);
    for (size_t e = 0; zf_engine_name(e); e++) {
        const int tap = 5;
        const struct zf_plan_options options = {
            .compute = {.batch = 2, .engine = zf_engine_name(e)},
            .purpose = ZF_PROJECT,
            .taps = &tap,
            .tap_count = 1};
        enum zf_status status = ZF_ENOMEM;
        struct zf_plan *plan = NULL;

        for (size_t n = 0; status != ZF_OK; n++) {
            allowed = n;
            zf_alloc_allowed = count_down;
            status = zf_plan_create(net, &options, &plan, NULL);
            zf_alloc_allowed = NULL;
            assert_true(status == ZF_OK || (status == ZF_ENOMEM && !plan));
            assert_true(n < 2000);
        }
        zf_plan_free(&plan);
    }
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_differ_only_at_the_rectifier),
        cmocka_unit_test(a_projection_of_nothing_is_nothing),
        cmocka_unit_test(running_a_plan_allocates_nothing),
        cmocka_unit_test(a_tap_on_a_convolution_reads_what_stands_before_the_rectifier),
        cmocka_unit_test(a_brief_plan_prepares_less_and_computes_the_same),
        cmocka_unit_test(a_plan_says_what_is_wrong_with_its_options),
        cmocka_unit_test(making_a_plan_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
