/* SPDX-License-Identifier: MIT */
/* The strongest pictures of each map, against an exhaustive search. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <math.h>

#include "base/file.h"
#include "base/memory.h"
#include "look/look.h"
#include "look_world.h"

/* All activations of a layer, picture by picture. */
static struct zf_tensor all_activations(struct world *w, int layer)
{
    struct zf_shape shape = zf_net_layer(w->net, layer).shape;
    struct zf_tensor all = {0}, input = {0};
    struct zf_plan *plan = NULL;

    must(w, zf_tensor_init(&all, PICTURES, shape.c, shape.h, shape.w, &w->err));
    must(w, zf_tensor_init(&input, 1, 3, SIDE, SIDE, &w->err));
    must(w, zf_plan_create(w->net,
                           &(struct zf_plan_options){.compute = {.batch = 1, .engine = "reference"},
                                                     .purpose = ZF_INFER,
                                                     .taps = &layer,
                                                     .tap_count = 1},
                           &plan, &w->err));
    for (int64_t i = 0; i < PICTURES; i++) {
        struct zf_tensor one = zf_tensor_view(all.data + i * shape.c * shape.h * shape.w, 1,
                                              shape.c, shape.h, shape.w);

        prepared(w, i, input.data);
        zf_plan_forward(plan, &input);
        zf_plan_read(plan, layer, &one);
    }
    zf_plan_free(&plan);
    zf_tensor_release(&input);
    return all;
}

/* The `rank`-th strongest picture of a map, by looking at everything `rank` times over. */
static struct zf_top_entry search(const struct zf_tensor *all, int64_t map, size_t rank)
{
    bool taken[PICTURES] = {false};
    struct zf_top_entry best = {0};

    for (size_t r = 0; r <= rank; r++) {
        best = (struct zf_top_entry){.sample = -1};
        for (int64_t i = 0; i < all->n; i++) {
            const float *cells = all->data + (i * all->c + map) * all->h * all->w;

            for (int64_t cell = 0; cell < all->h * all->w; cell++) {
                if (taken[i] || (best.sample >= 0 && !(cells[cell] > best.activation)))
                    continue;
                best = (struct zf_top_entry){i, cells[cell], cell / all->w, cell % all->w, {0}};
            }
        }
        taken[best.sample] = true;
    }
    return best;
}

static void assert_same_entry(const struct zf_top_entry *got, const struct zf_top_entry *expected)
{
    assert_int_equal(got->sample, expected->sample);
    assert_memory_equal(&got->activation, &expected->activation, sizeof(float));
    assert_int_equal(got->y, expected->y);
    assert_int_equal(got->x, expected->x);
}

static void the_strongest_are_those_of_an_exhaustive_search(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 4, .compute.batch = 5});

    assert_int_equal(top->layer_count, 2);
    assert_int_equal(top->images, PICTURES);
    assert_int_equal(top->skipped, 0);
    assert_true(top->images_per_second > 0);
    for (size_t l = 0; l < top->layer_count; l++) {
        const struct zf_top_layer *layer = &top->layers[l];
        struct zf_tensor all = all_activations(w, layer->layer);

        assert_string_equal(zf_net_layer(w->net, layer->layer).type, "conv");
        assert_int_equal(layer->map_count, all.c);
        for (size_t m = 0; m < layer->map_count; m++) {
            assert_int_equal(layer->maps[m].map, m);
            assert_int_equal(layer->maps[m].count, 4);
            for (size_t rank = 0; rank < 4; rank++) {
                struct zf_top_entry expected = search(&all, (int64_t)m, rank);
                const struct zf_top_entry *got = &layer->maps[m].entries[rank];
                struct zf_box patch = zf_net_patch(w->net, layer->layer, got->y, got->x);

                assert_same_entry(got, &expected);
                assert_memory_equal(&got->patch, &patch, sizeof patch);
            }
        }
        zf_tensor_release(&all);
    }
    zf_top_free(&top);
    assert_null(top);
}

static void assert_same_top(const struct zf_top *a, const struct zf_top *b)
{
    assert_int_equal(a->layer_count, b->layer_count);
    assert_int_equal(a->images, b->images);
    for (size_t l = 0; l < a->layer_count; l++) {
        assert_int_equal(a->layers[l].map_count, b->layers[l].map_count);
        for (size_t m = 0; m < a->layers[l].map_count; m++) {
            const struct zf_top_map *left = &a->layers[l].maps[m], *right = &b->layers[l].maps[m];

            assert_int_equal(left->count, right->count);
            for (size_t rank = 0; rank < left->count; rank++)
                assert_same_entry(&left->entries[rank], &right->entries[rank]);
        }
    }
}

static void the_size_of_the_batch_and_the_threads_change_nothing(void **state)
{
    struct world *w = *state;
    static const struct zf_top_options others[] = {{.compute = {.batch = 3, .threads = 1}},
                                                   {.compute = {.batch = 64, .threads = 2}},
                                                   {.compute = {.batch = 7, .threads = 4}},
                                                   {0}};
    struct zf_top *first =
        run_top(w, &(struct zf_top_options){.compute = {.batch = 1, .threads = 1}});

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct zf_top *other = run_top(w, &others[i]);

        assert_same_top(first, other);
        zf_top_free(&other);
    }
    zf_top_free(&first);
}

static void a_k_beyond_the_data_lists_every_picture_once(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 1000, .max_maps = 2});

    for (size_t m = 0; m < 2; m++) {
        const struct zf_top_map *map = &top->layers[0].maps[m];
        bool seen[PICTURES] = {false};

        assert_int_equal(map->count, PICTURES);
        for (size_t rank = 0; rank < map->count; rank++) {
            assert_false(seen[map->entries[rank].sample]);
            seen[map->entries[rank].sample] = true;
            if (rank > 0)
                assert_true(map->entries[rank - 1].activation >= map->entries[rank].activation);
        }
    }
    zf_top_free(&top);
}

static void of_two_equal_pictures_the_first_comes_first(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = PICTURES, .compute.batch = 4});

    for (size_t l = 0; l < top->layer_count; l++) {
        for (size_t m = 0; m < top->layers[l].map_count; m++) {
            const struct zf_top_entry *entries = top->layers[l].maps[m].entries;
            size_t rank = 0;

            while (entries[rank].sample != TWIN_A)
                rank++;
            assert_true(rank + 1 < PICTURES);
            assert_int_equal(entries[rank + 1].sample, TWIN_B);
            assert_true(entries[rank].activation == entries[rank + 1].activation);
        }
    }
    zf_top_free(&top);
}

static void a_list_does_not_depend_on_the_order_of_offers(void **state)
{
    static const float activations[] = {2, 5, 5, 1, 5, 3};
    static const int64_t expected[] = {1, 2, 4};
    struct zf_top_entry entries[3];

    (void)state;
    for (size_t start = 0; start < 6; start++) {
        struct zf_top_map map = {.entries = entries};

        for (size_t i = 0; i < 6; i++) {
            size_t sample = (start + 5 * i) % 6;
            struct zf_top_entry entry = {.sample = (int64_t)sample,
                                         .activation = activations[sample]};

            zf_top_offer(&map, 3, &entry);
        }
        assert_int_equal(map.count, 3);
        for (size_t rank = 0; rank < 3; rank++)
            assert_int_equal(entries[rank].sample, expected[rank]);
    }
}

static void layers_and_maps_can_be_chosen(void **state)
{
    struct world *w = *state;
    const int layers[] = {layer_index(w, "fc3"), layer_index(w, "relu1")};
    const int64_t maps[] = {1, 0};
    struct zf_top *top =
        run_top(w, &(struct zf_top_options){
                       .layers = layers, .layer_count = 2, .maps = maps, .map_count = 2, .k = 1});

    assert_int_equal(top->layer_count, 2);
    assert_int_equal(top->layers[0].layer, layers[0]);
    assert_int_equal(top->layers[1].layer, layers[1]);
    for (size_t l = 0; l < 2; l++) {
        struct zf_tensor all = all_activations(w, layers[l]);

        assert_int_equal(top->layers[l].map_count, 2);
        for (size_t m = 0; m < 2; m++) {
            struct zf_top_entry expected = search(&all, maps[m], 0);

            assert_int_equal(top->layers[l].maps[m].map, maps[m]);
            assert_same_entry(&top->layers[l].maps[m].entries[0], &expected);
        }
        zf_tensor_release(&all);
    }
    zf_top_free(&top);
}

static void options_out_of_range_are_refused_with_the_numbers(void **state)
{
    struct world *w = *state;
    const int missing[] = {99}, twice[] = {0, 0}, first[] = {0};
    const int64_t map[] = {6}, maps_twice[] = {2, 2};
    const struct {
        struct zf_top_options options;
        const char *words;
    } cases[] = {
        {{.k = -1}, "-1"},
        {{.max_maps = -2}, "-2"},
        {{.compute.batch = -3}, "-3"},
        {{.layers = missing, .layer_count = 1}, "99"},
        {{.layers = twice, .layer_count = 2}, "conv1"},
        {{.layers = first, .layer_count = 1, .maps = map, .map_count = 1}, "0 to 5"},
        {{.maps = maps_twice, .map_count = 2}, "2"},
        {{.compute.engine = "steam"}, "steam"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct zf_top *top = NULL;
        enum zf_status status = zf_top_run(w->net, w->data, &cases[i].options, &top, NULL, &w->err);

        assert_int_equal(status, ZF_EINVAL);
        assert_non_null(strstr(w->err.message, cases[i].words));
        assert_null(top);
    }
}

static void remember_message(void *user, const char *sentence)
{
    snprintf(user, 256, "%s", sentence);
}

static void what_is_not_finite_never_enters(void **state)
{
    struct world *w = *state;
    struct zf_top *top = NULL;
    struct zf_net *net = w->net;
    char said[256] = "";
    const struct zf_monitor monitor = {.user = said, .message = remember_message};
    float *weights = weights_of(net);
    const int64_t filter = 3 * 5 * 5;
    struct zf_top_options options = {
        .compute.engine = "reference", .layers = (const int[]){0}, .layer_count = 1};

    for (int64_t i = 0; i < filter; i++) {
        weights[2 * filter + i] = NAN;   /* all of conv1's map 2 */
        weights[4 * filter + i] = 3e38f; /* map 4 overflows */
    }
    assert_int_equal(zf_top_run(net, w->data, &options, &top, &monitor, &w->err), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "000.png: tiny overflows: conv1 is the first layer"));
    options.any_numbers = true;
    must(w, zf_top_run(net, w->data, &options, &top, &monitor, &w->err));
    for (size_t m = 0; m < 6; m++) {
        const struct zf_top_map *map = &top->layers[0].maps[m];

        assert_int_equal(map->count, m == 2 ? 0 : m == 4 ? map->count : 9);
        for (size_t rank = 0; rank < map->count; rank++)
            assert_true(isfinite(map->entries[rank].activation));
    }
    assert_non_null(strstr(said, "not finite"));
    zf_top_free(&top);
}

static void a_bad_picture_is_skipped_counted_and_named(void **state)
{
    struct world *w = *state;
    struct zf_top *top = NULL;
    char *path = in_world(w, "data/cats/001.png");
    char said[256] = "";
    const struct zf_monitor monitor = {.user = said, .message = remember_message};
    struct zf_top_options options = {.compute = {.batch = 4, .engine = "reference"}};

    must(w, zf_file_write(path, "no picture", 10, &w->err));
    must(w, zf_top_run(w->net, w->data, &options, &top, &monitor, &w->err));
    assert_int_equal(top->images, PICTURES - 1);
    assert_int_equal(top->skipped, 1);
    assert_non_null(strstr(said, "001.png"));
    for (size_t m = 0; m < top->layers[0].map_count; m++) {
        for (size_t rank = 0; rank < top->layers[0].maps[m].count; rank++)
            assert_int_not_equal(top->layers[0].maps[m].entries[rank].sample, 1);
    }
    zf_top_free(&top);
    zf_free(path);
}

static void a_strict_run_stops_at_a_bad_picture_and_names_it(void **state)
{
    struct world *w = *state;
    struct zf_top *top = NULL;
    char *path = in_world(w, "data/cats/002.png");

    must(w, zf_file_write(path, "no picture", 10, &w->err));
    assert_int_equal(
        zf_top_run(w->net, w->data, &(struct zf_top_options){.strict = true}, &top, NULL, &w->err),
        ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "002.png"));
    assert_null(top);
    zf_free(path);
}

static void a_pass_can_be_cancelled(void **state)
{
    struct world *w = *state;
    struct zf_top *top = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_top_run(w->net, w->data, &(struct zf_top_options){.compute.batch = 2}, &top,
                                &monitor, &w->err),
                     ZF_ECANCELED);
    assert_int_equal(calls, 1);
    assert_null(top);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_strongest_are_those_of_an_exhaustive_search),
        TEST(the_size_of_the_batch_and_the_threads_change_nothing),
        TEST(a_k_beyond_the_data_lists_every_picture_once),
        TEST(of_two_equal_pictures_the_first_comes_first),
        cmocka_unit_test(a_list_does_not_depend_on_the_order_of_offers),
        TEST(layers_and_maps_can_be_chosen),
        TEST(options_out_of_range_are_refused_with_the_numbers),
        TEST(what_is_not_finite_never_enters),
        TEST(a_bad_picture_is_skipped_counted_and_named),
        TEST(a_strict_run_stops_at_a_bad_picture_and_names_it),
        TEST(a_pass_can_be_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
