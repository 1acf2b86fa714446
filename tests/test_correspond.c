/* SPDX-License-Identifier: MIT */
/* Lists of parts, where parts land, and Delta against loops over pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "experiments/correspond/correspond.h"
#include "look_world.h"
#include "zf/plan.h"

/* ---- Lists. ---- */

static enum zf_status load_text(struct world *w, const char *text, struct zf_parts **parts)
{
    char *path = in_world(w, "parts.tsv");
    enum zf_status status;

    must(w, zf_file_write(path, text, strlen(text), &w->err));
    status = zf_parts_load(path, parts, &w->err);
    zf_free(path);
    return status;
}

static void a_list_is_read_with_or_without_its_first_line(void **state)
{
    static const char *const texts[] = {
        "file\tpart\tx\ty\nb.png\tnose\t3\t4.5\r\n\n/a.png\tnose\t1\t2\t6\nb.png\teye\t7\t8",
        "b.png\tnose\t3\t4.5\n/a.png\tnose\t1\t2\t6\nb.png\teye\t7\t8\n"};
    struct world *w = *state;
    char *first = in_world(w, "b.png");

    for (int i = 0; i < 2; i++) {
        struct zf_parts *parts = NULL;

        must(w, load_text(w, texts[i], &parts));
        assert_int_equal(parts->picture_count, 2);
        assert_int_equal(parts->part_count, 2);
        assert_int_equal(parts->mark_count, 3);
        assert_string_equal(parts->pictures[0], first);
        assert_string_equal(parts->pictures[1], "/a.png");
        assert_string_equal(parts->parts[1], "eye");
        assert_int_equal(parts->marks[1].picture, 1);
        assert_float_equal(parts->marks[0].y, 4.5, 0.0);
        assert_float_equal(parts->marks[0].size, 0.0, 0.0);
        assert_float_equal(parts->marks[1].size, 6.0, 0.0);
        assert_int_equal(parts->marks[2].line, i == 0 ? 5 : 3);
        zf_parts_free(&parts);
    }
    zf_free(first);
}

static void a_line_that_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *text, *word;
    } bad[] = {
        {"a\tnose\t1\t2\nb\tnose\t1\n", "parts.tsv:2: too few"},
        {"a\tnose\t1\t2\t3\t4\n", "parts.tsv:1: too many"},
        {"a\tnose\tone\t2\n", "parts.tsv:1: a place"},
        {"a\tnose\t1\tnan\n", "parts.tsv:1: a place"},
        {"a\tnose\t1\t\n", "parts.tsv:1: a place"},
        {"a\tnose\t1\t2e9\n", "parts.tsv:1: a place"},
        {"a\tnose\t1\t2\t0\n", "parts.tsv:1: a size"},
        {"\tnose\t1\t2\n", "parts.tsv:1: an empty file"},
        {"a\t\t1\t2\n", "parts.tsv:1: an empty part"},
        {"a\tnose\t1\t2\nb\tnose\t1\t2\na\tnose\t5\t6\n", "parts.tsv:3: nose of"},
        {"a\tnose\t1\t2\na\teye\t1\t2\n", "parts of 1 picture,"},
        {"", "parts of 0 pictures"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct zf_parts *parts = NULL;

        assert_int_equal(load_text(w, bad[i].text, &parts), ZF_EINPUT);
        if (!strstr(w->err.message, bad[i].word))
            fail_msg("no '%s' in: %s", bad[i].word, w->err.message);
        assert_null(parts);
    }
}

/* ---- Where a point lands. ---- */

static void a_point_lands_where_the_resize_takes_it(void **state)
{
    static const struct {
        int64_t width, height;
        enum zf_resize resize;
    } cases[] = {{90, 60, ZF_RESIZE_SHORT}, {64, 113, ZF_RESIZE_SHORT}, {97, 40, ZF_RESIZE_WARP}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const int64_t x = cases[i].width * 9 / 20, y = cases[i].height * 9 / 20;
        struct zf_picture picture = {0}, square = {0};
        struct zf_placing at = zf_picture_place(cases[i].width, cases[i].height,
                                                zf_geometry_square(cases[i].resize, 32),
                                                (double)x + 2.0, (double)y + 2.0);
        double sum = 0.0, sum_x = 0.0, sum_y = 0.0;

        /* The middle of mass of a dot of 4 x 4 px. */
        assert_int_equal(zf_picture_init(&picture, cases[i].width, cases[i].height, NULL), ZF_OK);
        for (int64_t k = 0; k < 16; k++)
            memset(picture.pixels + ((y + k / 4) * cases[i].width + x + k % 4) * 3, 255, 3);
        assert_int_equal(
            zf_picture_square(&picture, zf_geometry_square(cases[i].resize, 32), &square, NULL),
            ZF_OK);
        for (int64_t k = 0; k < 32 * 32; k++) {
            sum += square.pixels[k * 3];
            sum_x += square.pixels[k * 3] * ((double)(k % 32) + 0.5);
            sum_y += square.pixels[k * 3] * ((double)(k / 32) + 0.5);
        }
        /* Levels are rounded: a twentieth of a pixel. */
        assert_true(fabs(sum_x / sum - at.x) < 0.05);
        assert_true(fabs(sum_y / sum - at.y) < 0.05);
        zf_picture_release(&picture);
        zf_picture_release(&square);
    }
}

/* ---- The experiment. ---- */

/* Four pictures of the world with two parts each; the second of the third is not marked. */
static struct zf_parts *mark_files(struct world *w, const char *ending)
{
    struct zf_parts *parts = NULL;
    char text[1024] = "";

    for (int i = 0; i < 4; i++) {
        const char *folder = "data/cats";

        snprintf(text + strlen(text), sizeof text - strlen(text), "%s/%03d.%s\teye\t%d\t%d\n",
                 folder, i, ending, 4 + i, 6);
        if (i != 2)
            snprintf(text + strlen(text), sizeof text - strlen(text),
                     "%s/%03d.%s\tnose\t%d\t%d\t7\n", folder, i, ending, 19, 13 - i);
    }
    must(w, load_text(w, text, &parts));
    return parts;
}

static struct zf_parts *mark(struct world *w)
{
    return mark_files(w, "png");
}

static struct zf_correspondence *run(struct world *w, const struct zf_parts *parts,
                                     const struct zf_correspond_options *options)
{
    struct zf_correspondence *result = NULL;

    must(w, zf_correspond_run(w->net, parts, options, &result, NULL, &w->err));
    return result;
}

/* The layer's values with a box hidden. */
static void hide(struct world *w, struct zf_plan *plan, int layer, int64_t picture,
                 struct zf_box box, struct zf_tensor *values)
{
    struct zf_tensor input = {0};

    must(w, zf_tensor_init(&input, 1, 3, SIDE, SIDE, &w->err));
    prepared(w, picture, input.data);
    for (int64_t i = 0; i < 3 * SIDE * SIDE; i++) {
        const int64_t y = i / SIDE % SIDE, x = i % SIDE;

        if (y >= box.y && y < box.y + box.height && x >= box.x && x < box.x + box.width)
            input.data[i] = 0.0f;
    }
    zf_plan_forward(plan, &input);
    zf_plan_read(plan, layer, values);
    zf_tensor_release(&input);
}

/* Two parts together, one of them missing in a picture, against the mean of their means. */
static void parts_together_are_tested_by_their_mean(void **state)
{
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result = run(
        w, parts, &(struct zf_correspond_options){.size = 5, .repeats = 6, .permutations = 300});

    for (size_t l = 0; l < 2; l++) {
        const struct zf_consistency *of = result->parts + 2 * l;

        assert_true(fabs(result->all[l].mean - (of[0].mean + of[1].mean) / 2.0) < 1e-9);
        assert_true(result->all[l].p >= 1.0 / 301.0 && result->all[l].p <= 1.0);
    }
    zf_correspond_free(&result);
    zf_parts_free(&parts);
}

static float largest(const struct zf_tensor *values)
{
    float most = 0.0f;

    for (int64_t i = 0; i < zf_tensor_count(values); i++)
        most = fmaxf(most, fabsf(values->data[i]));
    return most;
}

static void delta_is_that_of_a_loop_over_pairs(void **state)
{
    enum { PICTURES_MARKED = 4, MOST = 2000 };
    struct world *w = *state;
    const int layer = layer_index(w, "relu2");
    const struct zf_shape shape = zf_net_layer(w->net, layer).shape;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result =
        run(w, parts,
            &(struct zf_correspond_options){.layers = &layer,
                                            .layer_count = 1,
                                            .size = 5,
                                            .repeats = 3,
                                            .permutations = 99,
                                            .compute = {.engine = "reference"}});
    const int64_t count = shape.c * shape.h * shape.w;
    static int signs[PICTURES_MARKED][MOST];
    struct zf_tensor whole = {0}, hidden = {0};
    struct zf_plan *plan = NULL;

    assert_true(count <= MOST);
    must(w, zf_tensor_init(&whole, 1, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_tensor_init(&hidden, 1, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_plan_create(w->net,
                           &(struct zf_plan_options){.compute = {.batch = 1, .engine = "reference"},
                                                     .taps = &layer,
                                                     .tap_count = 1},
                           &plan, &w->err));
    for (size_t p = 0; p < 2; p++) {
        double sum = 0.0, squares = 0.0, pairs = 0.0, changes = 0.0;

        for (int i = 0; i < PICTURES_MARKED; i++) {
            const struct zf_box box = result->boxes[(size_t)i * 2 + p];
            double moved = 0.0, length = 0.0;
            float least;

            hide(w, plan, layer, i, (struct zf_box){0}, &whole);
            hide(w, plan, layer, i, box, &hidden);
            least = 1e-6f * largest(&whole);
            for (int64_t v = 0; v < count; v++) {
                const float change = whole.data[v] - hidden.data[v];

                signs[i][v] = (change > least) - (change < -least);
                moved += (double)change * (double)change;
                length += (double)whole.data[v] * (double)whole.data[v];
            }
            changes += box.width > 0 ? sqrt(moved / length) : 0.0;
        }
        for (int i = 0; i < PICTURES_MARKED; i++) {
            for (int j = i + 1; j < PICTURES_MARKED; j++) {
                double different = 0.0;

                if (p == 1 && (i == 2 || j == 2))
                    continue;
                for (int64_t v = 0; v < count; v++)
                    different += signs[i][v] != signs[j][v];
                different /= (double)count;
                sum += different;
                squares += different * different;
                pairs += 1.0;
            }
        }
        /* Distances are kept as floats. */
        assert_true(fabs(result->parts[p].mean - sum / pairs) < 1e-7);
        assert_true(fabs(result->parts[p].std -
                         sqrt((squares - sum * sum / pairs) / (pairs - 1.0))) < 1e-7);
        assert_true(fabs(result->parts[p].change - changes / (p == 0 ? 4 : 3)) < 1e-6);
        assert_true(result->parts[p].change > 0.01);
    }
    assert_int_equal(result->pictures_with[0], 4);
    assert_int_equal(result->pictures_with[1], 3);
    zf_plan_free(&plan);
    zf_tensor_release(&whole);
    zf_tensor_release(&hidden);
    zf_correspond_free(&result);
    zf_parts_free(&parts);
}

static void squares_are_around_their_marks_and_within_the_input(void **state)
{
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result =
        run(w, parts, &(struct zf_correspond_options){.size = 5, .repeats = 2, .permutations = 1});

    for (size_t i = 0; i < 4; i++) {
        const struct zf_box eye = result->boxes[i * 2], nose = result->boxes[i * 2 + 1];

        assert_int_equal(eye.x, 2 + (int64_t)i);
        assert_int_equal(eye.y, 4);
        assert_int_equal(eye.width, 5);
        assert_int_equal(nose.width, i == 2 ? 0 : 7);
        if (i != 2) {
            assert_int_equal(nose.x, SIDE - 7); /* moved back from the border */
            assert_int_equal(nose.y, 10 - (int64_t)i);
        }
    }
    zf_correspond_free(&result);
    zf_parts_free(&parts);
}

static void the_square_is_the_papers_or_a_share_of_a_small_input(void **state)
{
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result =
        run(w, parts, &(struct zf_correspond_options){.repeats = 2, .permutations = 1});

    assert_int_equal(result->size, 6); /* 64 / 224 * 20 = 5.7 */
    assert_int_equal(result->boxes[0].width, 6);
    assert_int_equal(result->boxes[1].width, 7); /* said by the list */
    zf_correspond_free(&result);
    zf_parts_free(&parts);
}

static void only_the_seed_changes_the_result(void **state)
{
    static const struct {
        struct zf_compute compute;
        uint64_t seed;
    } how[] = {{{.batch = 1}, 4}, {{.batch = 3, .threads = 2}, 4}, {{.batch = 100}, 5}};
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *results[3];

    for (int r = 0; r < 3; r++)
        results[r] = run(w, parts,
                         &(struct zf_correspond_options){.size = 5,
                                                         .repeats = 5,
                                                         .permutations = 200,
                                                         .seed = how[r].seed,
                                                         .compute = how[r].compute});
    for (size_t i = 0; i < 4; i++) { /* two layers, two parts */
        assert_true(fabs(results[0]->parts[i].mean - results[1]->parts[i].mean) < 1e-5);
        assert_true(fabs(results[0]->parts[i].p - results[1]->parts[i].p) < 1e-12);
        assert_true(fabs(results[0]->parts[i].mean - results[2]->parts[i].mean) < 1e-5);
    }
    for (size_t l = 0; l < 2; l++) {
        assert_true(fabs(results[0]->random[l].mean - results[1]->random[l].mean) < 1e-5);
        assert_true(fabs(results[0]->random[l].mean - results[2]->random[l].mean) > 1e-5);
        assert_true(results[0]->random[l].standard_error > 0.0);
    }
    for (int r = 0; r < 3; r++)
        zf_correspond_free(&results[r]);
    zf_parts_free(&parts);
}

static void parts_of_arrays_are_those_of_the_pictures_that_they_were_made_from(void **state)
{
    const struct zf_correspond_options options = {.size = 5, .repeats = 3, .permutations = 20};
    struct world *w = *state;
    struct zf_parts *parts = mark(w), *arrays;
    struct zf_correspondence *result = run(w, parts, &options), *same;

    for (int i = 0; i < 4; i++) {
        char path[128];
        struct zf_tensor input = {0};

        must(w, zf_input_load(parts->pictures[i], w->net, &input, NULL, &w->err));
        snprintf(path, sizeof path, "%s/data/cats/%03d.npy", w->directory, i);
        must(w, zf_tensor_save_npy(&input, path, &w->err));
        zf_tensor_release(&input);
    }
    arrays = mark_files(w, "npy");
    same = run(w, arrays, &options);
    assert_memory_equal(same->boxes, result->boxes, 8 * sizeof *result->boxes);
    for (size_t i = 0; i < 4; i++) /* two layers, two parts */
        assert_true(fabs(same->parts[i].mean - result->parts[i].mean) < 1e-9);
    zf_correspond_free(&same);
    zf_correspond_free(&result);
    zf_parts_free(&arrays);
    zf_parts_free(&parts);
}

static void hear(void *user, const char *sentence)
{
    char *heard = user;

    snprintf(heard + strlen(heard), 400 - strlen(heard), "%s\n", sentence);
}

static void parts_that_nobody_sees_are_named(void **state)
{
    struct world *w = *state;
    const struct zf_correspond_options options = {.size = 5, .repeats = 2, .permutations = 1};
    struct zf_parts *parts = NULL;
    struct zf_correspondence *result = NULL;
    struct zf_picture wide = {0};
    char *path = in_world(w, "wide.png"), heard[400] = "";
    const struct zf_monitor monitor = {.user = heard, .message = hear};

    must(w, zf_picture_init(&wide, 3 * SIDE, SIDE, &w->err));
    must(w, zf_picture_save_png(&wide, path, &w->err));
    zf_picture_release(&wide);
    zf_free(path);

    must(w, load_text(w, "wide.png\te\t60\t3\ndata/cats/001.png\te\t1\t1\n", &parts));
    assert_int_equal(zf_correspond_run(w->net, parts, &options, &result, NULL, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "parts.tsv:1: e at (60, 3) is outside of"));
    assert_non_null(strstr(w->err.message, "60 x 20"));
    zf_parts_free(&parts);

    /* Within the picture, but left of the centre crop. */
    must(w,
         load_text(w, "wide.png\te\t19\t3\ndata/cats/001.png\te\t1\t1\ndata/cats/002.png\te\t1\t1",
                   &parts));
    must(w, zf_correspond_run(w->net, parts, &options, &result, &monitor, &w->err));
    assert_non_null(strstr(heard, "parts.tsv:1: e of"));
    assert_non_null(strstr(heard, "1 of 1 parts cannot have p below 0.01"));
    assert_non_null(strstr(heard, "e: 0.5 at least"));
    assert_int_equal(result->pictures_with[0], 2);
    zf_correspond_free(&result);
    zf_parts_free(&parts);

    must(w, load_text(w, "wide.png\te\t19\t3\ndata/cats/001.png\te\t1\t1\n", &parts));
    assert_int_equal(zf_correspond_run(w->net, parts, &options, &result, NULL, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "e shows in 1 picture,"));
    assert_null(result);
    zf_parts_free(&parts);
}

static void what_cannot_be_is_refused_with_the_numbers(void **state)
{
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result = NULL;
    const int layer = 12;
    const struct {
        struct zf_correspond_options options;
        enum zf_status status;
        const char *word;
    } bad[] = {{{.size = 21}, ZF_EINPUT, "21"},
               {{.repeats = 1}, ZF_EINVAL, "1 random"},
               {{.permutations = -1}, ZF_EINVAL, "-1 perm"},
               {{.layers = &layer, .layer_count = 1}, ZF_EINVAL, "layer 12"}};

    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(zf_correspond_run(w->net, parts, &bad[i].options, &result, NULL, &w->err),
                         bad[i].status);
        assert_non_null(strstr(w->err.message, bad[i].word));
        assert_null(result);
    }
    zf_parts_free(&parts);
}

static void a_run_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct zf_parts *parts = mark(w);
    struct zf_correspondence *result = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_correspond_run(w->net, parts, &(struct zf_correspond_options){0}, &result,
                                       &monitor, &w->err),
                     ZF_ECANCELED);
    assert_int_equal(calls, 1);
    assert_null(result);
    zf_parts_free(&parts);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_read_with_or_without_its_first_line),
        TEST(a_line_that_does_not_fit_is_named),
        cmocka_unit_test(a_point_lands_where_the_resize_takes_it),
        TEST(parts_together_are_tested_by_their_mean),
        TEST(delta_is_that_of_a_loop_over_pairs),
        TEST(squares_are_around_their_marks_and_within_the_input),
        TEST(the_square_is_the_papers_or_a_share_of_a_small_input),
        TEST(only_the_seed_changes_the_result),
        TEST(parts_of_arrays_are_those_of_the_pictures_that_they_were_made_from),
        TEST(parts_that_nobody_sees_are_named),
        TEST(what_cannot_be_is_refused_with_the_numbers),
        TEST(a_run_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
