/* SPDX-License-Identifier: MIT */
/* Moved pictures, pixel by pixel, and what invariance says of them against one run at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/random.h"
#include "experiments/invariance/invariance.h"
#include "look_world.h"
#include "pictures.h"
#include "zf/plan.h"

/* ---- Transforms. ---- */

static struct zf_picture move(const struct zf_picture *picture, struct zf_transform transform)
{
    struct zf_picture moved = {0};
    struct zf_error err = {0};

    if (zf_picture_transform(picture, &transform, &moved, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return moved;
}

static struct zf_picture noise(int64_t width, int64_t height)
{
    struct zf_random random = zf_random_stream(5, ZF_RANDOM_TEST, 1, 0);
    struct zf_picture picture = {0};

    assert_int_equal(zf_picture_init(&picture, width, height, NULL), ZF_OK);
    for (int64_t i = 0; i < width * height * 3; i++)
        picture.pixels[i] = (uint8_t)zf_random_below(&random, 256);
    return picture;
}

static const uint8_t *pixel(const struct zf_picture *picture, int64_t x, int64_t y)
{
    return picture->pixels + (y * picture->width + x) * 3;
}

static int64_t within(int64_t value, int64_t count)
{
    return value < 0 ? 0 : value >= count ? count - 1 : value;
}

static void nothing_done_to_a_picture_gives_its_bytes(void **state)
{
    static const double degrees[] = {0.0, 360.0, -720.0};
    struct zf_picture picture = noise(17, 12);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct zf_picture moved =
            move(&picture, (struct zf_transform){.scale = 1.0, .degrees = degrees[i]});

        assert_memory_equal(moved.pixels, picture.pixels, 17 * 12 * 3);
        zf_picture_release(&moved);
    }
    zf_picture_release(&picture);
}

static void whole_shifts_copy_pixels_and_repeat_the_border(void **state)
{
    static const int64_t shifts[][2] = {{0, 3}, {0, -5}, {4, 0}, {-2, 7}, {0, 30}, {-40, -1}};
    struct zf_picture picture = noise(17, 12);

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        const int64_t dx = shifts[i][0], dy = shifts[i][1];
        struct zf_picture moved =
            move(&picture,
                 (struct zf_transform){.shift_x = (double)dx, .shift_y = (double)dy, .scale = 1.0});

        for (int64_t y = 0; y < 12; y++) {
            for (int64_t x = 0; x < 17; x++)
                assert_memory_equal(pixel(&moved, x, y),
                                    pixel(&picture, within(x - dx, 17), within(y - dy, 12)), 3);
        }
        zf_picture_release(&moved);
    }
    zf_picture_release(&picture);
}

static void quarter_turns_are_clockwise_and_exact(void **state)
{
    struct zf_picture picture = noise(14, 14);
    struct zf_picture quarter = move(&picture, (struct zf_transform){.scale = 1.0, .degrees = 90});
    struct zf_picture half = move(&picture, (struct zf_transform){.scale = 1.0, .degrees = 180});

    (void)state;
    for (int64_t y = 0; y < 14; y++) {
        for (int64_t x = 0; x < 14; x++) {
            /* The top left corner goes to the top right one. */
            assert_memory_equal(pixel(&quarter, 13 - y, x), pixel(&picture, x, y), 3);
            assert_memory_equal(pixel(&half, 13 - x, 13 - y), pixel(&picture, x, y), 3);
        }
    }
    zf_picture_release(&quarter);
    zf_picture_release(&half);
    zf_picture_release(&picture);
}

/* Were the centre off by half a pixel, mirroring before and after would differ. */
static void enlarging_keeps_the_middle_in_the_middle(void **state)
{
    struct zf_picture scene = paint_scene(40, 40), mirrored = paint_scene(40, 40);
    struct zf_picture large, large_mirrored;

    (void)state;
    for (int64_t i = 0; i < 40 * 40; i++)
        memcpy(mirrored.pixels + i * 3, scene.pixels + (40 * 40 - 1 - i) * 3, 3);
    large = move(&scene, (struct zf_transform){.scale = 1.7});
    large_mirrored = move(&mirrored, (struct zf_transform){.scale = 1.7});
    for (int64_t i = 0; i < 40 * 40 * 3; i++) {
        const int64_t other = (40 * 40 - 1 - i / 3) * 3 + i % 3;

        /* libvips looks bicubic weights up for 64ths of a pixel: a few levels. */
        assert_true(abs(large.pixels[i] - large_mirrored.pixels[other]) <= 4);
    }
    zf_picture_release(&scene);
    zf_picture_release(&mirrored);
    zf_picture_release(&large);
    zf_picture_release(&large_mirrored);
}

static void transforms_out_of_range_are_refused(void **state)
{
    static const struct zf_transform bad[] = {{.scale = 0.0},
                                              {.scale = 17.0},
                                              {.scale = NAN},
                                              {.scale = 1.0, .degrees = INFINITY},
                                              {.scale = 1.0, .shift_y = 69.0},
                                              {.scale = 1.0, .shift_x = NAN}};
    struct zf_picture picture = noise(17, 12), moved = {0};
    struct zf_error err;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(zf_picture_transform(&picture, &bad[i], &moved, &err), ZF_EINVAL);
        assert_null(moved.pixels);
    }
    zf_picture_release(&picture);
}

/* ---- The experiment. ---- */

static struct zf_invariance *run(struct world *w, const struct zf_picture *squares, size_t count,
                                 const struct zf_invariance_options *options)
{
    struct zf_invariance *result = NULL;

    must(w, zf_invariance_run(w->net, squares, count, options, &result, NULL, &w->err));
    return result;
}

static struct zf_picture square_of(struct world *w, int64_t i)
{
    struct zf_picture square = {0};

    must(w, zf_data_square(w->data, i, ZF_RESIZE_SHORT, SIDE, &square, &w->err));
    return square;
}

static void values_are_the_papers_in_proportion(void **state)
{
    struct world *w = *state;
    struct zf_picture square = square_of(w, 4);
    struct zf_invariance *result = run(w, &square, 1, &(struct zf_invariance_options){0});

    assert_int_equal(result->layer_count, 2);
    assert_int_equal(result->layers[0], layer_index(w, "pool1"));
    assert_int_equal(result->layers[1], layer_index(w, "relu2"));
    assert_int_equal(result->value_count[ZF_MOTION_TRANSLATION], 11); /* 60 / 224 * 20 = 5.4 */
    assert_float_equal(result->values[ZF_MOTION_TRANSLATION][0], -5.0, 0.0);
    assert_float_equal(result->values[ZF_MOTION_SCALE][0], 1.0, 0.0);
    assert_float_equal(result->values[ZF_MOTION_SCALE][16], 1.8, 1e-12);
    assert_int_equal(result->value_count[ZF_MOTION_ROTATION], 36);
    assert_float_equal(result->values[ZF_MOTION_ROTATION][35], 350.0, 0.0);
    zf_invariance_free(&result);
    zf_picture_release(&square);
}

/* One input at a time on the reference engine; returns the features' distance to `original`. */
struct twin {
    struct zf_plan *plan;
    struct zf_tensor input, features, original, probability;
    int layer;
};

static void twin_look(struct world *w, struct twin *twin, const struct zf_picture *square,
                      struct zf_transform transform)
{
    const struct zf_preparation *how = zf_net_preparation(w->net);
    const struct zf_shape in = {3, SIDE, SIDE};
    struct zf_picture moved = move(square, transform);

    zf_picture_prepare(&moved, how, in, zf_view_centre(how, in), twin->input.data);
    zf_plan_forward(twin->plan, &twin->input);
    zf_plan_read(twin->plan, twin->layer, &twin->features);
    zf_plan_read(twin->plan, zf_net_layer_count(w->net) - 1, &twin->probability);
    zf_picture_release(&moved);
}

static double twin_distance(const struct twin *twin)
{
    double sum = 0.0;

    for (int64_t i = 0; i < zf_tensor_count(&twin->features); i++)
        sum += pow((double)twin->features.data[i] - (double)twin->original.data[i], 2.0);
    return sqrt(sum);
}

static void curves_are_those_of_one_picture_at_a_time(void **state)
{
    struct world *w = *state;
    const int layer = layer_index(w, "conv2");
    const struct zf_shape shape = zf_net_layer(w->net, layer).shape;
    const int64_t classes[] = {1, -1};
    struct zf_picture squares[] = {square_of(w, 4), square_of(w, 30)};
    struct zf_invariance *result =
        run(w, squares, 2,
            &(struct zf_invariance_options){.layers = &layer,
                                            .layer_count = 1,
                                            .classes = classes,
                                            .compute = {.engine = "reference", .batch = 7}});
    struct twin twin = {.layer = layer};

    must(w, zf_tensor_init(&twin.input, 1, 3, SIDE, SIDE, &w->err));
    must(w, zf_tensor_init(&twin.probability, 1, 2, 1, 1, &w->err));
    must(w, zf_tensor_init(&twin.features, 1, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_tensor_init(&twin.original, 1, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_plan_create(w->net,
                           &(struct zf_plan_options){.compute = {.batch = 1, .engine = "reference"},
                                                     .taps = &layer,
                                                     .tap_count = 1},
                           &twin.plan, &w->err));
    for (int i = 0; i < 2; i++) {
        const struct zf_invariance_image *image = &result->images[i];

        twin_look(w, &twin, &squares[i], (struct zf_transform){.scale = 1.0});
        memcpy(twin.original.data, twin.features.data,
               sizeof(float) * (size_t)zf_tensor_count(&twin.features));
        assert_int_equal(image->target,
                         i == 0 ? 1 : twin.probability.data[1] > twin.probability.data[0]);
        for (int m = 0; m < ZF_MOTIONS; m++) {
            for (size_t v = 0; v < result->value_count[m]; v++) {
                const double value = result->values[m][v];
                struct zf_transform transform = {.scale = 1.0};

                if (m == ZF_MOTION_TRANSLATION)
                    transform.shift_y = value;
                else if (m == ZF_MOTION_SCALE)
                    transform.scale = value;
                else
                    transform.degrees = value;
                twin_look(w, &twin, &squares[i], transform);
                assert_float_equal((float)image->curves[m].distance[v], (float)twin_distance(&twin),
                                   0.0);
                assert_float_equal((float)image->curves[m].probability[v],
                                   twin.probability.data[image->target], 0.0);
            }
        }
        zf_picture_release(&squares[i]);
    }
    zf_plan_free(&twin.plan);
    zf_tensor_release(&twin.input);
    zf_tensor_release(&twin.features);
    zf_tensor_release(&twin.original);
    zf_tensor_release(&twin.probability);
    zf_invariance_free(&result);
}

static void a_picture_that_is_not_moved_is_at_distance_zero(void **state)
{
    static const int64_t batches[] = {1, 3, 32};
    struct world *w = *state;
    struct zf_picture square = square_of(w, 4);

    for (int b = 0; b < 3; b++) {
        struct zf_invariance *result =
            run(w, &square, 1, &(struct zf_invariance_options){.compute = {.batch = batches[b]}});
        const struct zf_invariance_image *image = &result->images[0];
        const size_t none[ZF_MOTIONS] = {5, 0, 0};

        for (int m = 0; m < ZF_MOTIONS; m++) {
            for (size_t l = 0; l < 2; l++) {
                const double *distance = image->curves[m].distance + l * result->value_count[m];

                assert_true(!(distance[none[m]] > 0.0) && !(distance[none[m]] < 0.0));
                assert_true(distance[none[m] + 1] > 0.0);
            }
            assert_memory_equal(&image->curves[m].probability[none[m]], &image->probability,
                                sizeof(double));
        }
        zf_invariance_free(&result);
    }
    zf_picture_release(&square);
}

static void the_size_of_the_batch_and_the_threads_do_not_matter(void **state)
{
    static const struct zf_compute runs[] = {
        {.batch = 1}, {.batch = 5, .threads = 2}, {.batch = 5, .threads = 2}};
    struct world *w = *state;
    struct zf_picture square = square_of(w, 11);
    struct zf_invariance *results[3];

    for (int r = 0; r < 3; r++)
        results[r] = run(w, &square, 1, &(struct zf_invariance_options){.compute = runs[r]});
    for (int m = 0; m < ZF_MOTIONS; m++) {
        const size_t count = 2 * results[0]->value_count[m];
        const struct zf_invariance_curve *one = &results[0]->images[0].curves[m];
        const struct zf_invariance_curve *five = &results[1]->images[0].curves[m];

        for (size_t i = 0; i < count; i++)
            assert_float_equal((float)one->distance[i], (float)five->distance[i],
                               (float)(1e-5 * results[0]->images[0].norms[i * 2 / count]));
        assert_memory_equal(five->distance, results[2]->images[0].curves[m].distance,
                            count * sizeof(double));
    }
    for (int r = 0; r < 3; r++)
        zf_invariance_free(&results[r]);
    zf_picture_release(&square);
}

static void what_cannot_be_is_refused_with_the_numbers(void **state)
{
    struct world *w = *state;
    struct zf_picture square = square_of(w, 4), wide = noise(21, 20);
    struct zf_invariance *result = NULL;
    const int64_t class = 2;
    const int layer = 9;
    const struct zf_invariance_options none = {0}, bad_class = {.classes = &class},
                                       bad_layer = {.layers = &layer, .layer_count = 1};

    assert_int_equal(zf_invariance_run(w->net, &wide, 1, &none, &result, NULL, &w->err), ZF_EINVAL);
    assert_non_null(strstr(w->err.message, "21 x 20"));
    assert_int_equal(zf_invariance_run(w->net, &square, 1, &bad_class, &result, NULL, &w->err),
                     ZF_EINVAL);
    assert_non_null(strstr(w->err.message, "class 2"));
    assert_int_equal(zf_invariance_run(w->net, &square, 1, &bad_layer, &result, NULL, &w->err),
                     ZF_EINVAL);
    assert_non_null(strstr(w->err.message, "layer 9"));
    assert_int_equal(zf_invariance_run(w->net, &square, 0, &none, &result, NULL, &w->err),
                     ZF_EINVAL);
    assert_null(result);
    zf_picture_release(&square);
    zf_picture_release(&wide);
}

static void a_run_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct zf_picture square = square_of(w, 4);
    struct zf_invariance *result = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_invariance_run(w->net, &square, 1, &(struct zf_invariance_options){0},
                                       &result, &monitor, &w->err),
                     ZF_ECANCELED);
    assert_int_equal(calls, 1);
    zf_picture_release(&square);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_done_to_a_picture_gives_its_bytes),
        cmocka_unit_test(whole_shifts_copy_pixels_and_repeat_the_border),
        cmocka_unit_test(quarter_turns_are_clockwise_and_exact),
        cmocka_unit_test(enlarging_keeps_the_middle_in_the_middle),
        cmocka_unit_test(transforms_out_of_range_are_refused),
        TEST(values_are_the_papers_in_proportion),
        TEST(curves_are_those_of_one_picture_at_a_time),
        TEST(a_picture_that_is_not_moved_is_at_distance_zero),
        TEST(the_size_of_the_batch_and_the_threads_do_not_matter),
        TEST(what_cannot_be_is_refused_with_the_numbers),
        TEST(a_run_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
