/* SPDX-License-Identifier: MIT */
/* The projections of the strongest pictures, against projections made one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "look_world.h"

#define MOST_MAPS 40
#define MOST_K PICTURES

struct visitor {
    struct world *w;
    const struct zf_top *top;
    struct zf_plan *plans[2]; /* by layer: one picture at a time */
    struct zf_tensor input, projection;
    int visits[2][MOST_MAPS][MOST_K];
    int total, stop_at; /* 0 = never */
};

static void assert_zero_outside(const struct visitor *v, struct zf_box patch, const float *pixels)
{
    int64_t inside = 0;

    for (int64_t i = 0; i < 3 * SIDE * SIDE; i++) {
        int64_t y = i / SIDE % SIDE, x = i % SIDE;

        if (y >= patch.y && y < patch.y + patch.height && x >= patch.x && x < patch.x + patch.width)
            inside += pixels[i] != 0.0f;
        else
            assert_true(pixels[i] == 0.0f);
    }
    assert_true(inside > 0);
    (void)v;
}

static enum zf_status compare_entry(void *user, size_t layer, size_t map, size_t rank,
                                    const float *input, const float *projection,
                                    struct zf_error *err)
{
    struct visitor *v = user;
    const struct zf_top_layer *of = &v->top->layers[layer];
    const struct zf_top_entry *entry = &of->maps[map].entries[rank];
    const struct zf_place place = {0, of->maps[map].map, entry->y, entry->x};

    v->visits[layer][map][rank]++;
    if (++v->total == v->stop_at) {
        snprintf(err->message, sizeof err->message, "enough");
        return ZF_EUNSUPPORTED;
    }
    if (v->stop_at)
        return ZF_OK;
    prepared(v->w, entry->sample, v->input.data);
    assert_memory_equal(input, v->input.data, 3 * SIDE * SIDE * sizeof(float));
    zf_plan_forward(v->plans[layer], &v->input);
    zf_plan_project(v->plans[layer], of->layer, &place, NULL, 1, &v->projection);
    assert_memory_equal(projection, v->projection.data, 3 * SIDE * SIDE * sizeof(float));
    assert_zero_outside(v, entry->patch, projection);
    return ZF_OK;
}

static struct visitor make_visitor(struct world *w, const struct zf_top *top, enum zf_rule rule)
{
    struct visitor v = {.w = w, .top = top};

    must(w, zf_tensor_init(&v.input, 1, 3, SIDE, SIDE, &w->err));
    must(w, zf_tensor_init(&v.projection, 1, 3, SIDE, SIDE, &w->err));
    for (size_t l = 0; l < 2; l++)
        must(w, zf_plan_create(
                    w->net,
                    &(struct zf_plan_options){.compute = {.batch = 1, .engine = "reference"},
                                              .purpose = ZF_PROJECT,
                                              .rule = rule,
                                              .taps = &top->layers[l].layer,
                                              .tap_count = 1},
                    &v.plans[l], &w->err));
    return v;
}

static void visitor_release(struct visitor *v)
{
    zf_plan_free(&v->plans[0]);
    zf_plan_free(&v->plans[1]);
    zf_tensor_release(&v->input);
    zf_tensor_release(&v->projection);
}

/* 40 maps choose 9 of 37 pictures: some have many seeds, others few. At last they choose all, and
   a picture has more seeds than one slot takes. */
static void every_entry_is_projected_as_if_it_were_alone(void **state)
{
    struct world *w = *state;
    static const struct zf_top_options cases[] = {
        {.rule = ZF_RULE_DECONVNET, .k = 9, .compute.engine = "reference"},
        {.rule = ZF_RULE_GRADIENT, .compute.batch = 1, .k = 9, .compute.engine = "reference"},
        {.rule = ZF_RULE_GUIDED, .compute.batch = 5, .k = PICTURES, .compute.engine = "reference"},
        {.rule = ZF_RULE_DECONVNET, .k = 9, .compute.exact = true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct zf_top_options options = cases[i];
        struct zf_top *top = run_top(w, &options);
        struct visitor v = make_visitor(w, top, options.rule);

        must(w, zf_top_project(w->net, w->data, top, &options, compare_entry, &v, NULL, &w->err));
        assert_int_equal(v.total, (6 + 40) * options.k);
        for (size_t l = 0; l < 2; l++) {
            for (size_t m = 0; m < top->layers[l].map_count; m++) {
                for (int64_t rank = 0; rank < options.k; rank++)
                    assert_int_equal(v.visits[l][m][rank], 1);
            }
        }
        visitor_release(&v);
        zf_top_free(&top);
    }
}

static void a_visitor_stops_the_walk_with_its_own_error(void **state)
{
    struct world *w = *state;
    const struct zf_top_options options = {.compute.engine = "reference"};
    struct zf_top *top = run_top(w, &options);
    struct visitor v = {.w = w, .top = top, .stop_at = 61};

    assert_int_equal(
        zf_top_project(w->net, w->data, top, &options, compare_entry, &v, NULL, &w->err),
        ZF_EUNSUPPORTED);
    assert_string_equal(w->err.message, "enough");
    assert_int_equal(v.total, 61);
    zf_top_free(&top);
}

static void a_walk_can_be_cancelled(void **state)
{
    struct world *w = *state;
    const struct zf_top_options options = {.compute.engine = "reference"};
    struct zf_top *top = run_top(w, &options);
    struct visitor v = {.w = w, .top = top, .stop_at = INT32_MAX};
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(
        zf_top_project(w->net, w->data, top, &options, compare_entry, &v, &monitor, &w->err),
        ZF_ECANCELED);
    assert_int_equal(calls, 1);
    assert_true(v.total <= 16); /* what a batch has found is seen when all of it is there */
    zf_top_free(&top);
}

static void a_list_of_another_data_set_is_refused(void **state)
{
    struct world *w = *state;
    const struct zf_top_options options = {.compute.engine = "reference"};
    struct zf_top *top = run_top(w, &options);
    struct visitor v = {.w = w, .top = top, .stop_at = INT32_MAX};

    top->layers[0].maps[3].entries[0].sample = PICTURES;
    assert_int_equal(
        zf_top_project(w->net, w->data, top, &options, compare_entry, &v, NULL, &w->err),
        ZF_EINVAL);
    assert_non_null(strstr(w->err.message, "37"));
    zf_top_free(&top);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_entry_is_projected_as_if_it_were_alone),
        TEST(a_visitor_stops_the_walk_with_its_own_error),
        TEST(a_walk_can_be_cancelled),
        TEST(a_list_of_another_data_set_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
