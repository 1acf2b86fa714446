/* SPDX-License-Identifier: MIT */
/* The growth of features over the kept epochs of a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "document_fixture.h"
#include "experiments/evolve/evolve.h"
#include "measure/similarity.h"
#include "look_world.h"
#include "zf/model.h"

#define FILTER (3 * 5 * 5) /* weights of one of conv1's */

static void save_epoch(struct world *w, int epoch)
{
    char name[64], *path;

    snprintf(name, sizeof name, "run/epochs/%04d.safetensors", epoch);
    path = in_world(w, name);
    must(w, zf_model_save(w->net, path, &w->err));
    zf_free(path);
}

static void turn_filter(struct world *w, int map)
{
    for (int i = 0; i < FILTER; i++)
        weights_of(w->net)[map * FILTER + i] *= -1.0f;
}

/* Epoch 1 with all filters of conv1 turned to their opposites, 2 with that of map 0 alone, 4 and
   10 with none. The net at hand is the last. */
static char *make_run(struct world *w)
{
    char *folder = in_world(w, "run/epochs");

    must(w, zf_directory_make(folder, &w->err));
    zf_free(folder);
    save_epoch(w, 10);
    save_epoch(w, 4);
    turn_filter(w, 0);
    save_epoch(w, 2);
    for (int map = 1; map < 6; map++)
        turn_filter(w, map);
    save_epoch(w, 1);
    for (int map = 0; map < 6; map++)
        turn_filter(w, map);
    return in_world(w, "run");
}

static const char *const names[] = {"conv1", "conv2"};

static struct zf_evolution *evolve(struct world *w, const char *run)
{
    const struct zf_evolve_options options = {.layers = names,
                                              .layer_count = 2,
                                              .maps = 3,
                                              .bound = 0.9,
                                              .look.compute.engine = "reference"};
    struct zf_evolution *evolution = NULL;

    must(w, zf_evolve_run(run, w->data, &options, &evolution, NULL, &w->err));
    return evolution;
}

static void kept_epochs_are_compared_with_the_last(void **state)
{
    struct world *w = *state;
    char *run = make_run(w);
    struct zf_evolution *evolution = evolve(w, run);
    static const int64_t epochs[] = {1, 2, 4, 10};
    static const double filters[2][4] = {{-1, -1, 1, 1}, {-1, 1, 1, 1}};

    assert_int_equal(evolution->epoch_count, 4);
    assert_memory_equal(evolution->epochs, epochs, sizeof epochs);
    assert_int_equal(evolution->layer_count, 2);
    assert_int_equal(evolution->layers[0].map_count, 3);
    for (size_t m = 0; m < 3; m++) {
        const struct zf_evolve_map *map = &evolution->layers[0].maps[m];

        assert_int_equal(map->map, m);
        assert_int_equal(map->settled, m == 0 ? 2 : 1);
        for (size_t e = 0; e < 4; e++)
            assert_true(fabs(map->similarity_filter[e] - filters[m > 0][e]) < 1e-6);
        assert_true(fabs(map->similarity_projection[2] - 1) < 1e-6);
        assert_false(map->changed[0]);
        assert_false(map->changed[3]);
    }
    assert_int_equal(evolution->layers[0].settled, 1); /* two of three maps */
    assert_false(evolution->drawn);
    for (size_t e = 0; e < 4; e++) { /* a filter's opposite, and from the first epoch on */
        assert_true(fabs(evolution->layers[0].maps[0].similarity_feature[e] - filters[0][e]) <
                    1e-6);
        assert_true(fabs(evolution->layers[0].maps[0].share[e] - (e < 2 ? 0 : 1)) < 1e-6);
    }
    /* conv2's filters never changed, but what they see did. */
    assert_true(evolution->layers[1].maps[0].similarity_filter[0] == 1);
    assert_true(evolution->layers[1].maps[0].similarity_feature[0] < 0.9);
    assert_int_equal(evolution->layers[1].settled, 1); /* five of the six are back */
    zf_evolution_free(&evolution);
    zf_free(run);
}

/* Kept as in the paper. */
static const int64_t paper[] = {0, 1, 2, 5, 10, 20, 30, 40, 64};
#define PAPER (sizeof paper / sizeof *paper)

/* A similarity that goes from `start` to 1, all but the share exp(-epoch / pace) of its way. */
static size_t settled_of(double start, double pace)
{
    double shares[PAPER];

    for (size_t e = 0; e < PAPER; e++)
        shares[e] = zf_evolve_share(1 - (1 - start) * exp(-(double)paper[e] / pace), start);
    return zf_evolve_settled(shares, PAPER, 0.9);
}

static void settling_is_as_late_as_the_way_is_slow_however_alike_the_start_was(void **state)
{
    static const double starts[] = {-0.5, 0, 0.5, 0.97, 0.999};
    static const double dips[] = {0, 0.95, 0.95, 0.5, 0.95, 0.85, 0.92, 0.97, 1};

    (void)state;
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        assert_int_equal(paper[settled_of(starts[s], 0.4)], 1);   /* log(10) paces: 0.9 epochs */
        assert_int_equal(paper[settled_of(starts[s], 2.0)], 5);   /* 4.6 */
        assert_int_equal(paper[settled_of(starts[s], 10.0)], 30); /* 23 */
        assert_int_equal(paper[settled_of(starts[s], 20.0)], 64); /* 46 */
    }
    assert_int_equal(paper[zf_evolve_settled(dips, PAPER, 0.9)], 30); /* and stays */
    assert_true(zf_evolve_share(1, 1) == 1);                          /* frozen: no way to go */
    assert_true(zf_evolve_share(0.2, 0.6) < 0);
}

/* Every weight of a layer from where it was drawn to where it ends, at a pace of its own. */
static void walk(struct world *w, int slot, const float *start, const float *end, double epochs,
                 double pace)
{
    const struct zf_parameter weight = zf_net_parameter(w->net, slot);
    const double left = exp(-epochs / pace);

    for (int64_t i = 0; i < weight.count; i++)
        weights_of(w->net)[zf_net_gradient_offset(w->net, slot) + i] =
            (float)((double)end[i] + left * ((double)start[i] - (double)end[i]));
}

static void a_slow_layer_settles_late_though_its_filters_hardly_move(void **state)
{
    struct world *w = *state;
    static const int slots[] = {0, 2}; /* the weights of conv1 and conv2 */
    static const double paces[] = {2, 30};
    float *start[2], *end[2];
    struct zf_evolution *evolution;
    char *folder = in_world(w, "run/epochs"), *run = in_world(w, "run");

    must(w, zf_directory_make(folder, &w->err));
    for (int s = 0; s < 2; s++) {
        const struct zf_parameter weight = zf_net_parameter(w->net, slots[s]);
        struct zf_random random = zf_random_stream(7, ZF_RANDOM_INIT, (uint64_t)s, 0);
        double squares = 0;

        assert_int_equal(weight.rank, 4);
        start[s] = zf_alloc((size_t)weight.count, sizeof(float));
        end[s] = zf_alloc((size_t)weight.count, sizeof(float));
        for (int64_t i = 0; i < weight.count; i++)
            squares += (double)weight.data[i] * (double)weight.data[i] / (double)weight.count;
        for (int64_t i = 0; i < weight.count; i++) {
            end[s][i] = weight.data[i];
            start[s][i] = weight.data[i] + (float)(0.3 * sqrt(squares) * zf_random_normal(&random));
        }
    }
    for (size_t e = 0; e < PAPER; e++) {
        for (int s = 0; s < 2; s++)
            walk(w, slots[s], start[s], end[s], paper[e] == 64 ? 1e9 : (double)paper[e], paces[s]);
        save_epoch(w, (int)paper[e]);
    }
    evolution = evolve(w, run);
    assert_true(evolution->drawn); /* epoch 0 is kept */
    /* 1 - r falls as the square: to a tenth after log(10) / 2 = 1.15 paces; for conv2 a little
       earlier, since a part of its way is conv1's. */
    assert_int_equal(paper[evolution->layers[0].settled], 5);
    assert_int_equal(paper[evolution->layers[1].settled], 30);
    for (size_t l = 0; l < 2; l++)
        for (size_t m = 0; m < 3; m++)
            assert_true(evolution->layers[l].maps[m].similarity_filter[0] > 0.9);
    zf_evolution_free(&evolution);
    for (int s = 0; s < 2; s++) {
        zf_free(start[s]);
        zf_free(end[s]);
    }
    zf_free(folder);
    zf_free(run);
}

static void each_epoch_has_the_strongest_picture_of_its_own_net(void **state)
{
    struct world *w = *state;
    char *run = make_run(w);
    struct zf_evolution *evolution = evolve(w, run);

    for (size_t e = 0; e < 4; e++) {
        char name[64], *path;
        struct zf_net *last = w->net;
        struct zf_top *top;

        snprintf(name, sizeof name, "run/epochs/%04d.safetensors", (int)evolution->epochs[e]);
        path = in_world(w, name);
        must(w, zf_model_load(path, NULL, &w->net, &w->err));
        top = run_top(w, &(struct zf_top_options){.k = 1});
        for (size_t l = 0; l < 2; l++) {
            for (size_t m = 0; m < 3; m++) {
                const struct zf_evolve_map *map = &evolution->layers[l].maps[m];
                const struct zf_top_entry *wanted = &top->layers[l].maps[map->map].entries[0];

                assert_int_equal(map->entries[e].sample, wanted->sample);
                assert_true(map->entries[e].activation == wanted->activation);
                assert_int_equal(map->entries[e].x, wanted->x);
                if (e > 0)
                    assert_int_equal(map->changed[e],
                                     map->entries[e].sample != map->entries[e - 1].sample);
            }
        }
        zf_top_free(&top);
        zf_net_free(&w->net);
        w->net = last;
        zf_free(path);
    }
    zf_evolution_free(&evolution);
    zf_free(run);
}

static void patches_are_laid_over_each_other(void **state)
{
    /* The same stroke, in the middle of one patch and cut by the edge of the other. */
    static const float whole[] = {0, 0, 0, 0, 1, 2, 0, 3, 4}, cut[] = {1, 2, 3, 4};
    const struct zf_box large = {0, 0, 3, 3}, small = {0, 0, 2, 2};

    (void)state;
    assert_true(fabs(zf_patch_cosine(whole, large, cut, small, 1, 1, 1) - 1) < 1e-12);
    assert_true(fabs(zf_patch_cosine(cut, small, whole, large, -1, -1, 1) - 1) < 1e-12);
    assert_true(fabs(zf_patch_cosine(whole, large, cut, small, 0, 0, 1) - 4.0 / 30) < 1e-12);
    assert_true(zf_patch_cosine(whole, large, cut, small, 9, 9, 1) == 0);
}

static void the_cosine_of_nothing_is_defined(void **state)
{
    static const float zero[] = {0, 0}, one[] = {3, 4}, other[] = {-4, 3};

    (void)state;
    assert_true(zf_cosine(zero, zero, 2) == 1);
    assert_true(zf_cosine(zero, one, 2) == 0);
    assert_true(zf_cosine(one, one, 2) == 1);
    assert_true(zf_cosine(one, other, 2) == 0);
}

static void a_run_that_keeps_one_epoch_is_refused(void **state)
{
    struct world *w = *state;
    const struct zf_evolve_options options = {.look.compute.engine = "reference"};
    char *folder = in_world(w, "run/epochs"), *run = in_world(w, "run");
    struct zf_evolution *evolution = NULL;

    assert_int_equal(zf_evolve_run(run, w->data, &options, &evolution, NULL, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "no run"));
    must(w, zf_directory_make(folder, &w->err));
    assert_int_equal(zf_evolve_run(run, w->data, &options, &evolution, NULL, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "keeps 0 epochs"));
    save_epoch(w, 3);
    assert_int_equal(zf_evolve_run(run, w->data, &options, &evolution, NULL, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "keeps 1 epoch,"));
    assert_null(evolution);
    zf_free(folder);
    zf_free(run);
}

static void an_unknown_layer_and_a_cancelled_run_leave_nothing(void **state)
{
    struct world *w = *state;
    static const char *const unknown[] = {"conv9"};
    char *run = make_run(w);
    struct zf_evolution *evolution = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_evolve_run(run, w->data,
                                   &(struct zf_evolve_options){.layers = unknown, .layer_count = 1},
                                   &evolution, NULL, &w->err),
                     ZF_EINPUT);
    assert_int_equal(
        zf_evolve_run(run, w->data, &(struct zf_evolve_options){0}, &evolution, &monitor, &w->err),
        ZF_ECANCELED);
    assert_int_equal(zf_evolve_run(run, w->data, &(struct zf_evolve_options){.bound = 2},
                                   &evolution, NULL, &w->err),
                     ZF_EINVAL);
    assert_null(evolution);
    zf_free(run);
}

static void the_report_has_rows_of_epochs_and_the_numbers(void **state)
{
    struct world *w = *state;
    char *run = make_run(w), *directory = in_world(w, "out");
    struct zf_evolution *evolution = evolve(w, run);
    static const char *const files[] = {"index.html", "evolve.json", "curves.svg", "conv1.png",
                                        "conv2.png"};
    struct zf_document *document = document_open(directory, "evolve", "zfscope evolve");
    char *json;

    zf_evolve_page(evolution, w->data, document);
    json = document_close(&document);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = zf_path_join(directory, files[i]);
        struct stat info;

        assert_int_equal(stat(path, &info), 0);
        zf_free(path);
    }
    assert_non_null(strstr(json, "{\"epochs\":[1,2,4,10],"));
    assert_non_null(strstr(json, "\"settled_epoch\":4"));
    assert_non_null(strstr(json, "\"changed\":false"));
    assert_non_null(strstr(json, "\"similarity_filter\":-1"));
    zf_free(json);
    zf_evolution_free(&evolution);
    zf_free(directory);
    zf_free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kept_epochs_are_compared_with_the_last, set_up, tear_down),
        cmocka_unit_test(settling_is_as_late_as_the_way_is_slow_however_alike_the_start_was),
        cmocka_unit_test_setup_teardown(a_slow_layer_settles_late_though_its_filters_hardly_move,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_epoch_has_the_strongest_picture_of_its_own_net, set_up,
                                        tear_down),
        cmocka_unit_test(patches_are_laid_over_each_other),
        cmocka_unit_test(the_cosine_of_nothing_is_defined),
        cmocka_unit_test_setup_teardown(a_run_that_keeps_one_epoch_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unknown_layer_and_a_cancelled_run_leave_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_report_has_rows_of_epochs_and_the_numbers, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
