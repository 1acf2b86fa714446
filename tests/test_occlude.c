/* SPDX-License-Identifier: MIT */
/* Occlusion against hiding one place at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/memory.h"
#include "occlude_fixture.h"
#include "zf/plan.h"

/* What the net says of one input, and its layer's values, one run for one input. */
struct said {
    struct zf_plan *plan;
    struct zf_tensor probability, values;
    int layer;
};

static struct said ask(struct world *w, int layer, const float *input)
{
    struct said said = {.layer = layer};
    const struct zf_shape shape = zf_net_layer(w->net, layer).shape;
    struct zf_tensor src = {0};

    must(w, zf_tensor_init(&src, 1, 3, SIDE, SIDE, &w->err));
    memcpy(src.data, input, sizeof(float) * 3 * SIDE * SIDE);
    must(w, zf_tensor_init(&said.probability, 1, 2, 1, 1, &w->err));
    must(w, zf_tensor_init(&said.values, 1, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_plan_create(w->net,
                           &(struct zf_plan_options){.compute = {.batch = 1, .engine = "reference"},
                                                     .purpose = ZF_PROJECT,
                                                     .taps = &layer,
                                                     .tap_count = 1},
                           &said.plan, &w->err));
    zf_plan_forward(said.plan, &src);
    zf_plan_read(said.plan, zf_net_layer_count(w->net) - 1, &said.probability);
    zf_plan_read(said.plan, layer, &said.values);
    zf_tensor_release(&src);
    return said;
}

static void forget(struct said *said)
{
    zf_plan_free(&said->plan);
    zf_tensor_release(&said->probability);
    zf_tensor_release(&said->values);
}

static float sum_of(const struct said *said, int64_t map)
{
    const int64_t cells = said->values.h * said->values.w;
    double sum = 0.0;

    for (int64_t i = 0; i < cells; i++)
        sum += (double)said->values.data[map * cells + i];
    return (float)sum;
}

/* Every map of the result is that of a copy with the square painted in `paint`. */
static void compare(struct world *w, const struct zf_tensor *inputs,
                    const struct zf_occlusions *result, const float *paint)
{
    for (int64_t cell = 0; cell < IMAGES * result->rows * result->columns; cell++) {
        const int64_t each = result->rows * result->columns, place = cell % each;
        const struct zf_occlusion *image = &result->images[cell / each];
        const int64_t row = place / result->columns * result->stride;
        const int64_t column = place % result->columns * result->stride;
        const int64_t top = row + result->size > SIDE ? SIDE - result->size : row;
        const int64_t left = column + result->size > SIDE ? SIDE - result->size : column;
        float copy[3 * SIDE * SIDE];
        struct said said;

        memcpy(copy, inputs->data + cell / each * 3 * SIDE * SIDE, sizeof copy);
        for (int64_t i = 0; i < 3 * SIDE * SIDE; i++) {
            const int64_t y = i / SIDE % SIDE, x = i % SIDE;

            if (y >= top && y < top + result->size && x >= left && x < left + result->size)
                copy[i] = paint ? paint[i / (SIDE * SIDE)] : 0.0f;
        }
        said = ask(w, result->layer, copy);
        assert_memory_equal(&image->probability_map[place], &said.probability.data[image->target],
                            sizeof(float));
        assert_int_equal(image->class_map[place],
                         said.probability.data[1] > said.probability.data[0]);
        assert_float_equal(image->activation_map[place], sum_of(&said, image->map), 0.0);
        forget(&said);
    }
}

static void every_place_is_as_if_it_were_hidden_alone(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    struct zf_occlusions *result = run(w, &inputs, &options);

    assert_int_equal(result->rows, 6);
    assert_int_equal(result->columns, 6);
    assert_int_equal(result->layer, layer_index(w, "relu2"));
    compare(w, &inputs, result, NULL);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

/* The logits times `factor`: its last layer's weights and biases are. */
static void multiply_logits(struct world *w, float factor)
{
    const int count = zf_net_parameter_tensors(w->net);
    float *all = weights_of(w->net);

    for (int i = count - 2; i < count; i++) {
        const struct zf_parameter last = zf_net_parameter(w->net, i);
        float *values = all + (last.data - zf_net_parameter(w->net, 0).data);

        for (int64_t k = 0; k < last.count; k++)
            values[k] *= factor;
    }
}

static void a_net_that_is_sure_everywhere_has_a_lowest_place_all_the_same(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    struct zf_occlusions *plain = run(w, &inputs, &options), *sure;
    const float *odds = plain->images[0].odds_map;
    float factor;

    for (int k = 0; k < 36; k++) {
        const double p = (double)plain->images[0].probability_map[k];

        assert_true(fabs((double)odds[k] - log(p / (1.0 - p))) < 1e-5);
        assert_true(odds[k] >= odds[plain->images[0].lowest]);
    }
    factor = 20.0f / odds[plain->images[0].lowest]; /* exp(-20) is less than half a digit of 1 */
    assert_true(factor > 0.0f);
    multiply_logits(w, factor);
    sure = run(w, &inputs, &options);
    for (int k = 0; k < 36; k++) {
        assert_float_equal(sure->images[0].probability_map[k], 1.0, 0.0);
        /* Beyond exp(-80) the other's probability is on its way to 0. */
        if (factor * odds[k] < 80.0f)
            assert_true(fabsf(sure->images[0].odds_map[k] / (factor * odds[k]) - 1.0f) < 1e-4f);
        else
            assert_true(sure->images[0].odds_map[k] > 79.0f);
    }
    assert_int_equal(sure->images[0].lowest, plain->images[0].lowest);
    assert_int_not_equal(sure->images[0].lowest, 0); /* the first of equal probabilities */
    zf_occlude_free(&plain);
    zf_occlude_free(&sure);
    zf_tensor_release(&inputs);
}

/* What lowers one of two classes raises the other. */
static void hiding_raises_one_class_where_it_lowers_the_other(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlude_options options = exact();
    struct zf_occlusions *both[2];
    int64_t classes[8] = {0};

    assert_in_range(inputs.n, 1, 8);
    options.classes = classes;
    for (int64_t k = 0; k < 2; k++) {
        for (int64_t i = 0; i < inputs.n; i++)
            classes[i] = k;
        both[k] = run(w, &inputs, &options);
    }
    for (size_t i = 0; i < both[0]->count; i++) {
        const struct zf_occlusion *one = &both[0]->images[i], *other = &both[1]->images[i];
        int64_t raised = 0;

        for (int64_t k = 0; k < 36; k++)
            raised += one->odds_map[k] - one->odds > 1e-3f * fmaxf(1, fabsf(one->odds));
        assert_int_equal(one->target, 0);
        assert_int_equal(other->target, 1);
        assert_int_equal(one->raised, raised);
        assert_true(fabsf(one->odds + other->odds) < 1e-4f);
        assert_int_equal(one->highest, other->lowest);
        assert_int_equal(one->lowest, other->highest);
        assert_true(one->raised + other->raised <= 36);
        assert_true(one->dependence.value >= 0 && one->dependence.value <= 1);
    }
    zf_occlude_free(&both[0]);
    zf_occlude_free(&both[1]);
    zf_tensor_release(&inputs);
}

static void a_colour_is_prepared_like_a_picture(void **state)
{
    struct world *w = *state;
    const struct zf_preparation *how = zf_net_preparation(w->net);
    const float colour[] = {200.0f, 10.0f, 90.0f};
    float paint[3];
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlude_options options = exact();
    struct zf_occlusions *result;

    for (int c = 0; c < 3; c++)
        paint[c] = (colour[c] - how->mean[c]) * how->scale[c];
    options.colour = colour;
    options.stride = 5;
    result = run(w, &inputs, &options);
    compare(w, &inputs, result, paint);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

static void the_last_places_are_moved_in_so_that_every_pixel_is_hidden(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlude_options options = exact();
    struct zf_occlusions *result;
    bool hidden[SIDE * SIDE] = {false};

    options.stride = 4; /* to 12; 15 is the last */
    result = run(w, &inputs, &options);
    assert_int_equal(result->rows, 5);
    assert_int_equal(result->columns, 5);
    compare(w, &inputs, result, NULL);
    for (int64_t cell = 0; cell < 25; cell++) {
        const struct zf_box box = zf_occlude_place(result, cell);

        for (int64_t i = 0; i < box.width * box.height; i++)
            hidden[(box.y + i / box.width) * SIDE + box.x + i % box.width] = true;
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        assert_true(hidden[i]);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

static void the_whole_picture_gives_class_map_and_projection(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w), pixels = {0};
    struct zf_occlude_options options = exact();
    struct zf_occlusions *result;

    options.target = 1;
    options.layer = layer_index(w, "conv2");
    result = run(w, &inputs, &options);
    must(w, zf_tensor_init(&pixels, 1, 3, SIDE, SIDE, &w->err));
    for (int64_t i = 0; i < IMAGES; i++) {
        const struct zf_occlusion *image = &result->images[i];
        struct said said = ask(w, options.layer, inputs.data + i * 3 * SIDE * SIDE);
        const int64_t predicted = said.probability.data[1] > said.probability.data[0];
        const struct zf_place place = {0, image->map, image->y, image->x};

        assert_int_equal(image->target, 1);
        assert_float_equal(image->probability, said.probability.data[1], 0.0);
        assert_int_equal(image->predicted, predicted);
        assert_float_equal(image->predicted_probability, said.probability.data[predicted], 0.0);
        for (int64_t v = 0; v < zf_tensor_count(&said.values); v++)
            assert_true(said.values.data[v] <= image->activation);
        assert_float_equal(zf_plan_activation(said.plan, options.layer, place), image->activation,
                           0.0);
        assert_float_equal(image->total, sum_of(&said, image->map), 0.0);
        zf_plan_project(said.plan, options.layer, &place, NULL, 1, &pixels);
        assert_memory_equal(image->projection, pixels.data, sizeof(float) * 3 * SIDE * SIDE);
        forget(&said);
    }
    zf_tensor_release(&pixels);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

static void the_size_of_the_batch_and_the_threads_do_not_matter(void **state)
{
    static const struct zf_compute runs[] = {{.batch = 1},
                                             {.batch = 7, .threads = 1},
                                             {.batch = 100, .threads = 2},
                                             {.batch = 7, .threads = 1}};
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlusions *results[4];
    const size_t bytes = 36 * sizeof(float);

    for (int r = 0; r < 4; r++) {
        struct zf_occlude_options options = exact();

        options.compute = runs[r];
        results[r] = run(w, &inputs, &options);
    }
    for (int i = 0; i < IMAGES; i++) {
        for (int r = 1; r < 4; r++) {
            for (int k = 0; k < 36; k++) {
                const float whole = results[0]->images[i].total;

                assert_float_equal(results[0]->images[i].probability_map[k],
                                   results[r]->images[i].probability_map[k], 1e-5);
                assert_float_equal(results[0]->images[i].activation_map[k],
                                   results[r]->images[i].activation_map[k], 1e-5f * whole);
            }
        }
        /* Asked twice, the same bits. */
        assert_memory_equal(results[1]->images[i].probability_map,
                            results[3]->images[i].probability_map, bytes);
        assert_memory_equal(results[1]->images[i].activation_map,
                            results[3]->images[i].activation_map, bytes);
        assert_memory_equal(results[1]->images[i].class_map, results[3]->images[i].class_map,
                            36 * sizeof(int32_t));
    }
    for (int r = 0; r < 4; r++)
        zf_occlude_free(&results[r]);
    zf_tensor_release(&inputs);
}

static void defaults_are_the_papers_or_a_share_of_a_small_input(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlude_options options = exact();
    struct zf_occlusions *result;

    options.size = options.stride = 0;
    result = run(w, &inputs, &options);
    assert_int_equal(result->size, 6);   /* 64 / 224 * 20 = 5.7 */
    assert_int_equal(result->stride, 1); /* 8 / 224 * 20 = 0.7 */
    assert_int_equal(result->rows, 15);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

static void what_cannot_be_is_refused_with_the_numbers(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    struct zf_occlusions *result = NULL;
    struct zf_occlude_options options[6];
    static const float too_red[] = {256.0f, 0.0f, 0.0f};
    static const struct {
        enum zf_status status;
        const char *word;
    } expected[6] = {{ZF_EINPUT, "21"},    {ZF_EINVAL, "-1"},  {ZF_EINVAL, "class 2"},
                     {ZF_EINVAL, "batch"}, {ZF_EINVAL, "256"}, {ZF_EINVAL, "layer 7"}};

    for (int i = 0; i < 6; i++)
        options[i] = exact();
    options[0].size = 21;
    options[1].stride = -1;
    options[2].target = 2;
    options[3].compute.batch = -3;
    options[4].colour = too_red;
    options[5].layer = 7;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(zf_occlude_run(w->net, &inputs, &options[i], &result, NULL, &w->err),
                         expected[i].status);
        if (!strstr(w->err.message, expected[i].word))
            fail_msg("no '%s' in: %s", expected[i].word, w->err.message);
        assert_null(result);
    }
    zf_tensor_release(&inputs);
}

static void a_run_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    struct zf_occlusions *result = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_occlude_run(w->net, &inputs, &options, &result, &monitor, &w->err),
                     ZF_ECANCELED);
    assert_int_equal(calls, 1);
    assert_null(result);
    zf_tensor_release(&inputs);
}

/* ---- Short memory. ---- */

static int64_t allocations_left;

static bool allow(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

static void a_run_survives_each_allocation_failing(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    enum zf_status status = ZF_ENOMEM;
    int64_t n = 0;

    for (; status != ZF_OK; n++) {
        struct zf_occlusions *result = NULL;

        allocations_left = n;
        zf_alloc_allowed = allow;
        status = zf_occlude_run(w->net, &inputs, &options, &result, NULL, &w->err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK) {
            assert_int_equal(status, ZF_ENOMEM);
            assert_null(result);
        }
        zf_occlude_free(&result);
    }
    assert_true(n > 10);
    zf_tensor_release(&inputs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_place_is_as_if_it_were_hidden_alone),
        TEST(a_net_that_is_sure_everywhere_has_a_lowest_place_all_the_same),
        TEST(hiding_raises_one_class_where_it_lowers_the_other),
        TEST(a_colour_is_prepared_like_a_picture),
        TEST(the_last_places_are_moved_in_so_that_every_pixel_is_hidden),
        TEST(the_whole_picture_gives_class_map_and_projection),
        TEST(the_size_of_the_batch_and_the_threads_do_not_matter),
        TEST(defaults_are_the_papers_or_a_share_of_a_small_input),
        TEST(what_cannot_be_is_refused_with_the_numbers),
        TEST(a_run_can_be_cancelled),
        TEST(a_run_survives_each_allocation_failing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
