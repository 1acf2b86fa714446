/* SPDX-License-Identifier: MIT */
/*
 * Activations that are no numbers: they are found whatever hides them further up, with the first
 * layer where they are, and without a second look where they cannot be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "held.h"
#include "plan_fixture.h"
#include "base/memory.h"
#include "net/plan.h"

#define TWO                                                                                        \
    "[c1]\ntype = conv\nmaps = 6\nkernel = 3\npad = 1\n[r1]\ntype = relu\n"                        \
    "[c2]\ntype = conv\nmaps = 5\nkernel = 3\npad = 1\n"

static float *parameter(struct plan_fixture *f, const char *name, int64_t *count)
{
    for (int i = 0; i < f->net->slot_count; i++) {
        if (strcmp(f->net->slots[i].name, name) == 0) {
            *count = f->net->slots[i].count;
            return f->net->parameters + f->net->slots[i].offset;
        }
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

static void scale(struct plan_fixture *f, const char *name, float factor)
{
    int64_t count = 0;
    float *values = parameter(f, name, &count);

    for (int64_t i = 0; i < count; i++)
        values[i] *= factor;
    zf_plan_refresh(f->plan);
}

static enum zf_status look(struct plan_fixture *f, int64_t *sample, struct zf_error *err)
{
    zf_plan_forward(f->plan, &f->input);
    return zf_plan_check_finite(f->plan, &f->input, sample, err);
}

/* What hides it from the answer, and where the fault is. */
static void an_overflow_is_found_behind_whatever_hides_it(void **state)
{
    static const struct {
        const char *layers;
        const char *scaled[2];
        float factor;
        const char *said;
    } cases[] = {
        {TWO "[f]\ntype = fc\nmaps = 1\n[s]\ntype = sigmoid\n",
         {"c1.weight", "c2.weight"},
         1e20f,
         "c2 is the first layer with activations that are NaN or infinite"},
        {TWO "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n",
         {"c1.weight", "c2.weight"},
         1e20f,
         "c2 is the first layer"},
        {TWO "[r2]\ntype = relu\n[p]\ntype = maxpool\nkernel = 3\n[f]\ntype = fc\nmaps = 4\n",
         {"c1.weight", "c1.weight"},
         1e20f,
         "c1 is the first layer"},
        {TWO "[h]\ntype = clip\n", {"c1.weight", "c2.weight"}, 1e20f, "c2 is the first layer"},
        {"[c1]\ntype = conv\nmaps = 6\nkernel = 3\n[n1]\ntype = lrn\n[f]\ntype = fc\nmaps = 4\n",
         {"c1.weight", "c1.bias"},
         1e21f,
         "of its 252 inputs are so large that their squares are infinite"},
        {"[c1]\ntype = conv\nmaps = 6\nkernel = 3\n[e]\ntype = function\nof = exp\n"
         "[s]\ntype = sigmoid\n",
         {"c1.weight", "c1.bias"},
         1e4f,
         "e is the first layer"},
        {"[c1]\ntype = conv\nmaps = 6\nkernel = 3\n[z]\ntype = scale\n[q]\ntype = div\n"
         "inputs = z, z\n[s]\ntype = sigmoid\n",
         {"z.weight", "z.bias"},
         0,
         "q is the first layer with activations that are NaN or infinite, 252 of 252"},
    };

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            const struct zf_plan_options options = {
                .watched = true, .compute = {.engine = zf_engine_name(e), .threads = 1}};
            struct zf_error err = {0};
            struct plan_fixture f;

            plan_set_up(&f, cases[i].layers, "", options);
            if (cases[i].factor != 0.0f)
                assert_int_equal(look(&f, NULL, NULL), ZF_OK);
            scale(&f, cases[i].scaled[0], cases[i].factor);
            scale(&f, cases[i].scaled[1], cases[i].factor);
            if (look(&f, NULL, &err) != ZF_EINPUT || !strstr(err.message, cases[i].said))
                fail_msg("%s, %s: said '%s'", zf_engine_name(e), cases[i].layers, err.message);
            plan_tear_down(&f);
        }
}

static void overflow_below_zero(const char *engine, struct plan_fixture *f)
{
    struct zf_error err = {0};
    int64_t count = 0;
    float *weights;

    plan_set_up(f, TWO "[r2]\ntype = relu\n[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n", "",
                (struct zf_plan_options){.watched = true, .compute = {.engine = engine}});
    weights = parameter(f, "c1.weight", &count);
    for (int64_t i = 0; i < count; i++)
        weights[i] = 1e20f * fabsf(weights[i]);
    weights = parameter(f, "c2.weight", &count);
    for (int64_t i = 0; i < count; i++)
        weights[i] = -1e20f * fabsf(weights[i]);
    zf_plan_refresh(f->plan);
    for (int64_t i = 0; i < zf_tensor_count(&f->input); i++)
        f->input.data[i] = fabsf(f->input.data[i]);
    assert_int_equal(look(f, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "c2 is the first layer"));
}

/* A rectifier makes zeros of it, so the answer is that of the biases alone; oneDNN's makes NaN of
   it at SSE4.1. */
static void an_overflow_below_zero_is_found_though_no_number_above_shows_it(void **state)
{
    struct plan_fixture f;
    struct zf_tensor out;

    (void)state;
    for (size_t e = 0; zf_engine_name(e); e++) {
        overflow_below_zero(zf_engine_name(e), &f);
        plan_tear_down(&f);
    }
    overflow_below_zero("reference", &f);
    assert_int_equal(zf_tensor_init(&out, BATCH, 4, 1, 1, NULL), ZF_OK);
    zf_plan_read(f.plan, zf_net_layer_count(f.net) - 1, &out);
    for (int k = 0; k < 4 * BATCH; k++)
        assert_true(isfinite(out.data[k]) && out.data[k] == out.data[k % 4]);
    zf_tensor_release(&out);
    plan_tear_down(&f);
}

static void the_input_at_fault_is_named(void **state)
{
    struct plan_fixture f;
    int64_t sample = -1;

    (void)state;
    plan_set_up(&f, TWO, "", (struct zf_plan_options){.watched = true});
    scale(&f, "c1.weight", 1e15f);
    assert_int_equal(look(&f, &sample, NULL), ZF_OK);
    for (int64_t i = 0; i < 2 * 9 * 8; i++)
        f.input.data[2 * 9 * 8 + i] *= 1e25f;
    assert_int_equal(look(&f, &sample, NULL), ZF_EINPUT);
    assert_int_equal(sample, 1);
    f.input.data[2] = (float)NAN;
    assert_int_equal(look(&f, &sample, NULL), ZF_EINPUT);
    assert_int_equal(sample, 0);
    plan_tear_down(&f);
}

/* Large, but numbers: such a net is run a second time, and passes. */
static void what_is_only_large_passes(void **state)
{
    struct plan_fixture f;

    (void)state;
    plan_set_up(&f, TWO, "", (struct zf_plan_options){.watched = true});
    scale(&f, "c1.weight", 1e33f);
    assert_int_equal(look(&f, NULL, NULL), ZF_OK);
    assert_non_null(f.plan->watch.slow);
    plan_tear_down(&f);
}

static void what_no_tap_needs_may_overflow(void **state)
{
    const int first = 0;
    struct plan_fixture f;

    (void)state;
    plan_set_up(&f, TWO, "",
                (struct zf_plan_options){
                    .watched = true, .taps = &first, .tap_count = 1, .taps_only = true});
    scale(&f, "c1.weight", 1e20f);
    scale(&f, "c2.weight", 1e20f);
    assert_int_equal(look(&f, NULL, NULL), ZF_OK);
    plan_tear_down(&f);
}

/* The logarithm of a probability that is nothing in float32 is infinite, and right. */
static void a_log_softmax_that_is_sure_is_no_overflow(void **state)
{
    struct plan_fixture f;

    (void)state;
    plan_set_up(&f,
                "[f]\ntype = fc\nmaps = 4\n[s]\ntype = softmax\n[l]\ntype = function\nof = log\n",
                "", (struct zf_plan_options){.watched = true});
    scale(&f, "f.weight", 1e30f);
    assert_int_equal(look(&f, NULL, NULL), ZF_OK);
    plan_tear_down(&f);
}

/* Sixty layers, each of which could make its input a hundred times as large, and does not: bounds
   start anew from a few outputs, and nothing is run twice. */
static void a_deep_net_is_looked_at_in_a_few_places(void **state)
{
    const size_t size = 60 * 80;
    char *layers = zf_alloc(size, 1);
    struct zf_error err = {0};
    struct plan_fixture f;
    int looked = 0;

    (void)state;
    assert_non_null(layers);
    for (size_t i = 0, at = 0; i < 60; i++)
        at += (size_t)snprintf(layers + at, size - at,
                               "[c%zu]\ntype = conv\nmaps = 32\nkernel = 3\npad = 1\n"
                               "[r%zu]\ntype = relu\n",
                               i, i);
    plan_set_up(&f, layers, "", (struct zf_plan_options){.watched = true});
    zf_net_init_parameters(f.net, ZF_INIT_HE, 0.01, 3);
    zf_plan_refresh(f.plan);
    if (look(&f, NULL, &err) != ZF_OK)
        fail_msg("%s", err.message);
    for (int i = 0; i < zf_net_layer_count(f.net); i++)
        looked += f.plan->watch.looked[i];
    assert_in_range(looked, 2, 12);
    assert_null(f.plan->watch.slow);
    scale(&f, "c40.weight", 1e30f);
    scale(&f, "c41.weight", 1e30f);
    assert_int_equal(look(&f, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "c41 is the first layer"));
    plan_tear_down(&f);
    zf_free(layers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overflow_is_found_behind_whatever_hides_it),
        cmocka_unit_test(an_overflow_below_zero_is_found_though_no_number_above_shows_it),
        cmocka_unit_test(the_input_at_fault_is_named),
        cmocka_unit_test(what_is_only_large_passes),
        cmocka_unit_test(what_no_tap_needs_may_overflow),
        cmocka_unit_test(a_log_softmax_that_is_sure_is_no_overflow),
        cmocka_unit_test(a_deep_net_is_looked_at_in_a_few_places),
    };

    return cmocka_run_group_tests(tests, hold_processor, NULL);
}
