/* SPDX-License-Identifier: MIT */
/* What is computed in double: when, to what end, and the same on any number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "held.h"
#include "base/memory.h"
#include "base/random.h"
#include "net/net.h"
#include "zf/plan.h"

static struct zf_net *parsed(const char *spec)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "test", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static struct zf_plan *planned(const struct zf_net *net, const struct zf_plan_options *options)
{
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};

    if (zf_plan_create(net, options, &plan, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return plan;
}

/* The input, plus and minus what a float next to 1 cannot hold, and three times the rest. */
#define BARELY                                                                                     \
    "[net]\ninput = 1x1x1\n[up]\ntype = conv\nmaps = 1\nkernel = 1\n"                              \
    "[down]\ntype = conv\nmaps = 1\nkernel = 1\n[positive]\ntype = relu\n"                         \
    "[top]\ntype = conv\nmaps = 1\nkernel = 1\n"

static struct zf_net *barely_positive(void)
{
    static const float weights[] = {1, 1, 3}, biases[] = {0x1p-30f, -1, 1};
    struct zf_net *net = parsed(BARELY);

    for (int i = 0; i < 3; i++) {
        net->parameters[net->slots[2 * i].offset] = weights[i];
        net->parameters[net->slots[2 * i + 1].offset] = biases[i];
    }
    return net;
}

static struct zf_plan_options projecting(const int *tap)
{
    return (struct zf_plan_options){.compute.batch = 1,
                                    .purpose = ZF_PROJECT,
                                    .rule = ZF_RULE_GRADIENT,
                                    .taps = tap,
                                    .tap_count = 1,
                                    .taps_only = true};
}

/* Of the last layer, from 1, at an input of 1. */
static float gradient(const struct zf_net *net, const struct zf_plan_options *options)
{
    const struct zf_place place = {0, 0, 0, 0};
    float one = 1, answer = NAN;
    const struct zf_tensor input = zf_tensor_view(&one, 1, 1, 1, 1);
    struct zf_tensor pixels = zf_tensor_view(&answer, 1, 1, 1, 1);
    struct zf_plan *plan = planned(net, options);

    zf_plan_forward(plan, &input);
    zf_plan_project(plan, options->taps[0], &place, &one, 1, &pixels);
    zf_plan_free(&plan);
    return answer;
}

static void an_exact_projection_sees_a_sign_that_floats_lose(void **state)
{
    struct zf_net *net = barely_positive();
    const int top = 3;
    struct zf_plan_options options = projecting(&top);

    (void)state;
    options.compute.exact = true;
    assert_true(gradient(net, &options) == 3.0f);
    for (size_t e = 0; zf_engine_name(e); e++) {
        options.compute.engine = zf_engine_name(e);
        assert_true(gradient(net, &options) ==
                    (strcmp(options.compute.engine, "reference") == 0 ? 3.0f : 0.0f));
    }
    zf_net_free(&net);
}

static const char *engine_for(const struct zf_net *net, const struct zf_plan_options *options)
{
    struct zf_plan *plan = planned(net, options);
    const char *name = zf_plan_engine(plan);

    zf_plan_free(&plan);
    return name;
}

static void exact_chooses_the_engine_of_projections_that_name_none(void **state)
{
    struct zf_net *net = barely_positive();
    const int top = 3;
    struct zf_plan_options options = projecting(&top);

    (void)state;
    assert_string_equal(engine_for(net, &options), zf_engine_name(0));
    options.compute.exact = true;
    assert_string_equal(engine_for(net, &options), "reference");
    options.compute.engine = zf_engine_name(0);
    assert_string_equal(engine_for(net, &options), zf_engine_name(0));
    options.compute.engine = NULL;
    options.purpose = ZF_INFER;
    assert_string_equal(engine_for(net, &options), zf_engine_name(0));
    zf_net_free(&net);
}

static void an_exact_projection_in_bf16_is_refused(void **state)
{
    struct zf_net *net = barely_positive();
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};
    const int top = 3;
    struct zf_plan_options options = projecting(&top);

    (void)state;
    options.compute.exact = true;
    options.compute.precision = ZF_PRECISION_BF16;
    assert_int_equal(zf_plan_create(net, &options, &plan, &err), ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "exact"));
    assert_non_null(strstr(err.message, "bf16"));
    assert_null(plan);
    zf_net_free(&net);
}

/* Every operation that is shared out between threads, on maps large enough that it is. */
#define WIDE                                                                                       \
    "[net]\ninput = 3x67x61\n[c1]\ntype = conv\nmaps = 24\nkernel = 7\nstride = 2\n"               \
    "[r1]\ntype = relu\n[p1]\ntype = maxpool\nkernel = 3\nstride = 2\nround = up\n"                \
    "[n1]\ntype = lrn\n[c2]\ntype = conv\nmaps = 150\nkernel = 3\npad = 1\ngroups = 2\n"           \
    "[r2]\ntype = leaky\n[side]\ntype = conv\nmaps = 150\nkernel = 1\ninputs = n1\n"               \
    "[sum]\ntype = add\ninputs = r2, side\n[p2]\ntype = avgpool\nkernel = 3\nstride = 2\n"         \
    "[f3]\ntype = fc\nmaps = 40\n[r3]\ntype = relu\n[f4]\ntype = fc\nmaps = 5\n"                   \
    "[prob]\ntype = softmax\n"
#define BATCH 2
#define PIXELS (3 * 67 * 61)

static void fill(float *data, int64_t count, double deviation, uint64_t stream)
{
    struct zf_random random = zf_random_stream(1, ZF_RANDOM_TEST, stream, 0);

    for (int64_t i = 0; i < count; i++)
        data[i] = (float)(deviation * zf_random_normal(&random));
}

struct answers {
    float pixels[BATCH * PIXELS];
    float *gradients;
};

static struct answers *ask(struct zf_net *net, int threads)
{
    static const int32_t labels[BATCH] = {3, 0};
    const struct zf_place places[BATCH] = {{0, 2, 0, 0}, {1, 4, 0, 0}};
    const int tap = zf_net_layer_count(net) - 2;
    struct answers *answers = zf_alloc(1, sizeof *answers);
    float *data = zf_alloc(BATCH * PIXELS, sizeof *data);
    struct zf_tensor input, pixels;
    struct zf_plan_options options = projecting(&tap);
    struct zf_plan *plan;

    assert_true(answers && data);
    fill(data, BATCH * PIXELS, 1, 2);
    input = zf_tensor_view(data, BATCH, 3, 67, 61);
    pixels = zf_tensor_view(answers->pixels, BATCH, 3, 67, 61);
    options.compute.batch = BATCH;
    options.compute.engine = "reference";
    options.compute.threads = threads;
    plan = planned(net, &options);
    zf_plan_forward(plan, &input);
    zf_plan_project(plan, tap, places, NULL, BATCH, &pixels);
    zf_plan_free(&plan);
    answers->gradients = zf_alloc((size_t)net->floats, sizeof *answers->gradients);
    assert_non_null(answers->gradients);
    plan = planned(net, &(struct zf_plan_options){
                            .compute = {.batch = BATCH, .engine = "reference", .threads = threads},
                            .purpose = ZF_TRAIN,
                            .gradients = answers->gradients});
    zf_plan_forward_train(plan, &input, 1, 1);
    zf_plan_backward(plan, labels);
    zf_plan_free(&plan);
    zf_free(data);
    return answers;
}

static void forget(struct answers *answers)
{
    zf_free(answers->gradients);
    zf_free(answers);
}

static void any_number_of_threads_gives_the_same_bits(void **state)
{
    struct zf_net *net = parsed(WIDE);
    struct answers *one;
    double sum = 0;

    (void)state;
    fill(net->parameters, net->floats, 0.1, 1);
    one = ask(net, 1);
    for (int i = 0; i < BATCH * PIXELS; i++)
        sum += fabs((double)one->pixels[i]);
    assert_true(sum > 1e-3);
    for (int threads = 2; threads <= 5; threads += 3) {
        struct answers *more = ask(net, threads);

        assert_memory_equal(one->pixels, more->pixels, sizeof one->pixels);
        assert_memory_equal(one->gradients, more->gradients,
                            (size_t)net->floats * sizeof *one->gradients);
        forget(more);
    }
    forget(one);
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exact_projection_sees_a_sign_that_floats_lose),
        cmocka_unit_test(exact_chooses_the_engine_of_projections_that_name_none),
        cmocka_unit_test(an_exact_projection_in_bf16_is_refused),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
