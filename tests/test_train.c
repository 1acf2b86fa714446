/* SPDX-License-Identifier: MIT */
/* The parts of training, each by itself: step, schedule, loss. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <string.h>

#include "train_fixture.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "train/loss.h"
#include "train/schedule.h"
#include "train/step.h"

/* ---- Step ---- */

/* The formulas of step.h, value by value, in double. */
static void naive_step(const struct zf_net *net, const float *gradients, double *parameters,
                       double *velocity, const struct zf_step *step)
{
    for (int s = 0; s < net->slot_count; s++) {
        const struct zf_parameter_slot *slot = &net->slots[s];
        const bool filters = strcmp(slot->name, "conv1.weight") == 0;
        const int64_t size = filters ? slot->count / slot->dims.d[0] : slot->count;

        for (int64_t at = slot->offset; at < slot->offset + slot->count; at++) {
            const double decay = slot->is_bias ? 0 : step->weight_decay;

            velocity[at] = step->momentum * velocity[at] -
                           step->lr * ((double)gradients[at] + decay * parameters[at]);
            parameters[at] += velocity[at];
        }
        for (int64_t begin = slot->offset; filters && begin < slot->offset + slot->count;
             begin += size) {
            double squares = 0;

            for (int64_t at = begin; at < begin + size; at++)
                squares += parameters[at] * parameters[at];
            for (int64_t at = begin;
                 sqrt(squares / (double)size) > step->rms_limit && at < begin + size; at++)
                parameters[at] *= step->rms_limit / sqrt(squares / (double)size);
        }
    }
}

static double filter_rms(const struct zf_net *net, int64_t filter)
{
    const struct zf_parameter_slot *slot = &net->slots[0];
    const int64_t size = slot->count / slot->dims.d[0];
    double squares = 0;

    for (int64_t i = 0; i < size; i++) {
        const double w = (double)net->parameters[slot->offset + filter * size + i];
        squares += w * w;
    }
    return sqrt(squares / (double)size);
}

static void a_step_is_what_its_formulas_say(void **state)
{
    const struct zf_step step = {
        .lr = 0.03, .momentum = 0.9, .weight_decay = 0.01, .rms_limit = 0.1, .threads = 2};
    struct zf_net *net = training_net(1);
    const int64_t floats = zf_net_gradient_floats(net);
    float *velocity = zf_alloc((size_t)floats, sizeof *velocity);
    double *parameters = zf_alloc((size_t)floats, sizeof *parameters);
    double *momentum = zf_alloc((size_t)floats, sizeof *momentum);

    (void)state;
    for (int64_t i = 0; i < floats; i++)
        parameters[i] = (double)net->parameters[i];
    for (uint64_t k = 0; k < 5; k++) {
        float *gradients = training_array(net, k, 1.0);

        zf_step_apply(net, gradients, velocity, &step);
        naive_step(net, gradients, parameters, momentum, &step);
        zf_free(gradients);
    }
    for (int64_t i = 0; i < floats; i++) {
        if (!(fabs(parameters[i] - (double)net->parameters[i]) < 2e-6))
            fail_msg("value %" PRId64 ": expected %.9g, got %.9g", i, parameters[i],
                     (double)net->parameters[i]);
    }
    zf_free(velocity);
    zf_free(parameters);
    zf_free(momentum);
    zf_net_free(&net);
}

static void only_filters_above_the_limit_are_scaled_and_exactly_to_it(void **state)
{
    const struct zf_step step = {.rms_limit = 0.1, .threads = 1};
    struct zf_net *net = training_net(1);
    float *zeros = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *zeros);
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    const struct zf_parameter_slot *weight = &net->slots[0];
    const int64_t size = weight->count / weight->dims.d[0];
    const float *fc = net->parameters + net->slots[2].offset;

    (void)state;
    assert_string_equal(net->slots[2].name, "fc2.weight");
    for (int64_t i = 0; i < weight->count; i++)
        net->parameters[weight->offset + i] = (i & 1 ? -0.05f : 0.05f);
    for (int64_t i = 0; i < size; i++)
        net->parameters[weight->offset + 3 * size + i] = (float)(i % 5) - 1.5f;
    for (int64_t i = 0; i < net->slots[2].count; i++)
        net->parameters[net->slots[2].offset + i] = 3;
    zf_step_apply(net, zeros, velocity, &step);
    assert_true(net->parameters[weight->offset] == 0.05f);
    assert_true(fabs(filter_rms(net, 3) - 0.1) < 1e-7);
    assert_true(fc[0] == 3); /* a fully connected layer is no filter */
    zf_free(zeros);
    zf_free(velocity);
    zf_net_free(&net);
}

static void step_in_parts(struct zf_net *net, const float *gradients, float *velocity, int parts,
                          const struct zf_step *step)
{
    int64_t begin = 0;

    for (int k = 1; k <= parts; k++) {
        const int64_t end = zf_step_place(net, zf_net_gradient_floats(net) * k / parts);

        zf_step_apply_part(net, gradients, velocity, begin, end, step);
        begin = end;
    }
    assert_int_equal(begin, zf_net_gradient_floats(net));
}

static void a_step_gives_the_same_bits_on_any_number_of_threads_and_in_any_parts(void **state)
{
    /* Large enough to be shared among threads, and with filters of a size that is no multiple. */
    static const char large[] = "[net]\ninput = 3x40x40\nclasses = 7\n[conv1]\ntype = conv\n"
                                "maps = 900\nkernel = 9\nstride = 9\n[fc2]\ntype = fc\n"
                                "maps = classes\n[prob]\ntype = softmax\n";
    static const struct {
        int threads, parts;
    } ways[] = {{1, 0}, {2, 0}, {5, 0}, {1, 2}, {2, 13}, {1, 5000}}; /* 0 = zf_step_apply() */
    float *results[ZF_COUNT(ways)] = {0};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(ways); i++) {
        const struct zf_step step = {.lr = 0.01,
                                     .momentum = 0.9,
                                     .weight_decay = 5e-4,
                                     .rms_limit = 0.1,
                                     .threads = ways[i].threads};
        struct zf_net *net = NULL;
        float *gradients, *velocity;

        assert_int_equal(zf_net_parse_spec(large, "large", 0, &net, NULL), ZF_OK);
        zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 3);
        gradients = training_array(net, 1, 1.0);
        velocity = training_array(net, 2, 1.0);
        if (ways[i].parts > 0)
            step_in_parts(net, gradients, velocity, ways[i].parts, &step);
        else
            zf_step_apply(net, gradients, velocity, &step);
        results[i] = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof(float));
        memcpy(results[i], net->parameters, training_bytes(net));
        assert_memory_equal(results[0], results[i], training_bytes(net));
        zf_free(gradients);
        zf_free(velocity);
        zf_net_free(&net);
    }
    for (size_t i = 0; i < ZF_COUNT(ways); i++)
        zf_free(results[i]);
}

/* ---- Schedule ---- */

static void the_rate_falls_after_patience_epochs_without_a_lower_error(void **state)
{
    static const double errors[] = {0.9, 0.8, 0.8, 0.85, 0.7, 0.71, 0.72};
    static const double rates[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25};
    const struct zf_recipe recipe = {.lr = 1, .patience = 2, .lr_drop = 0.5};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(errors); i++) {
        const bool best = zf_schedule_epoch(&schedule, &recipe, (int64_t)i + 1, errors[i]);

        assert_int_equal(best, i == 0 || i == 1 || i == 4);
        if (schedule.lr != rates[i])
            fail_msg("epoch %zu: expected a rate of %g, got %g", i + 1, rates[i], schedule.lr);
    }
    assert_int_equal(schedule.best_epoch, 5);
    assert_int_equal(schedule.ended, 0);
}

static void the_rate_rises_step_by_step_to_that_of_the_batch(void **state)
{
    const struct zf_recipe recipe = {.lr = 0.5, .batch = 512, .lr_batch = 128, .warmup = 1.5};
    const struct zf_schedule schedule = zf_schedule_begin(&recipe);

    (void)state;
    assert_float_equal(schedule.lr, 2, 0);
    for (int64_t step = 0; step < 20; step++) { /* 4 an epoch */
        const double expected = step < 5 ? 2 * (double)(step + 1) / 6 : 2;

        assert_float_equal(zf_schedule_rate(&schedule, &recipe, step, 4), expected, 1e-15);
    }
}

static void training_ends_at_the_plateau_after_the_last_fall(void **state)
{
    const struct zf_recipe recipe = {.lr = 1, .patience = 1, .lr_drop = 0.1, .drops = 2};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);
    int64_t epochs = 0;

    (void)state;
    for (; !schedule.ended && epochs < 100; epochs++)
        zf_schedule_epoch(&schedule, &recipe, epochs + 1, 0.5);
    assert_int_equal(epochs, 4); /* the best, two falls, the end */
    assert_int_equal(schedule.falls, 2);
}

static void an_error_that_is_no_number_is_no_better(void **state)
{
    const struct zf_recipe recipe = {.lr = 1, .patience = 3, .lr_drop = 0.1};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);

    (void)state;
    assert_false(zf_schedule_epoch(&schedule, &recipe, 1, (double)NAN));
    assert_int_equal(schedule.best_epoch, 0);
    assert_true(zf_schedule_epoch(&schedule, &recipe, 2, 1.0));
}

/* ---- Loss ---- */

static void errors_count_ties_by_index_and_never_a_nan(void **state)
{
    float rows[6][7] = {
        {0.4f, 0.4f, 0.2f, 0, 0, 0, 0},             /* label 0: first of a tie */
        {0.4f, 0.4f, 0.2f, 0, 0, 0, 0},             /* label 1: second of it */
        {0.3f, 0.2f, 0.2f, 0.1f, 0.1f, 0.1f, 0},    /* label 5: sixth */
        {0.3f, 0.2f, 0.2f, 0.1f, 0.1f, 0.1f, 0},    /* label 4: fifth */
        {NAN, NAN, NAN, NAN, NAN, NAN, NAN},        /* label 0 */
        {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.4f}, /* no label */
    };
    const int32_t labels[] = {0, 1, 5, 4, 0, -1};
    struct zf_score score = {0};
    struct zf_tensor tensor = zf_tensor_view(rows[0], 4, 7, 1, 1);

    (void)state;
    zf_score_add(&score, &tensor, labels);
    assert_true(fabs(zf_score_loss(&score) - (2 * log(1 / 0.4) + 2 * log(1 / 0.1)) / 4) < 1e-6);
    tensor = zf_tensor_view(rows[4], 2, 7, 1, 1);
    zf_score_add(&score, &tensor, labels + 4);
    assert_int_equal(score.images, 5);
    assert_int_equal(score.top1_wrong, 4);
    assert_int_equal(score.top5_wrong, 2);
    assert_true(isnan(zf_score_loss(&score)));
    assert_true(zf_score_top1_error(&score) == 0.8);
}

static void a_probability_of_zero_costs_much_but_not_infinity(void **state)
{
    float row[] = {1, 0};
    const int32_t label = 1;
    const struct zf_tensor tensor = zf_tensor_view(row, 1, 2, 1, 1);
    struct zf_score score = {0};

    (void)state;
    assert_true(isnan(zf_score_loss(&score)));
    zf_score_add(&score, &tensor, &label);
    assert_true(fabs(score.loss + log((double)FLT_MIN)) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_what_its_formulas_say),
        cmocka_unit_test(only_filters_above_the_limit_are_scaled_and_exactly_to_it),
        cmocka_unit_test(a_step_gives_the_same_bits_on_any_number_of_threads_and_in_any_parts),
        cmocka_unit_test(the_rate_falls_after_patience_epochs_without_a_lower_error),
        cmocka_unit_test(the_rate_rises_step_by_step_to_that_of_the_batch),
        cmocka_unit_test(training_ends_at_the_plateau_after_the_last_fall),
        cmocka_unit_test(an_error_that_is_no_number_is_no_better),
        cmocka_unit_test(errors_count_ties_by_index_and_never_a_nan),
        cmocka_unit_test(a_probability_of_zero_costs_much_but_not_infinity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
