/* SPDX-License-Identifier: MIT */
/* One unit: its numbers against runs of the net that the test makes itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/memory.h"
#include "document_fixture.h"
#include "experiments/unit/unit.h"
#include "look_world.h"

#define MAP 7

static struct zf_unit *measure(struct world *w, const char *layer, int64_t map)
{
    const struct zf_unit_options options = {
        .layer = layer_index(w, layer), .map = map, .compute.engine = "reference"};
    struct zf_unit *unit = NULL;

    must(w, zf_unit_measure(w->net, w->data, &options, &unit, NULL, &w->err));
    return unit;
}

/* The strongest cell of a map, and the answer, of one picture; NULL = nothing silenced. */
static float run_alone(struct world *w, int64_t sample, const char *layer, int64_t map,
                       const struct zf_silence *silence, float scores[2])
{
    const int taps[] = {layer_index(w, layer), zf_net_class_layer(w->net)};
    struct zf_tensor input, out;
    struct zf_plan *plan = NULL;
    float *strongest;
    int32_t *where;
    float found;

    must(w, zf_tensor_init(&input, 1, 3, SIDE, SIDE, &w->err));
    prepared(w, sample, input.data);
    must(w, zf_plan_create(w->net,
                           &(struct zf_plan_options){.compute = {.engine = "reference", .batch = 1},
                                                     .purpose = ZF_INFER,
                                                     .taps = taps,
                                                     .tap_count = 2,
                                                     .silence = silence},
                           &plan, &w->err));
    zf_plan_forward(plan, &input);
    strongest = calloc(64, sizeof *strongest);
    where = calloc(64, sizeof *where);
    assert_true(strongest && where);
    zf_plan_maxima(plan, taps[0], strongest, where);
    found = strongest[map];
    out = zf_tensor_view(scores, 1, 2, 1, 1);
    zf_plan_read(plan, taps[1], &out);
    zf_plan_free(&plan);
    zf_tensor_release(&input);
    free(strongest);
    free(where);
    return found;
}

static void a_unit_s_groups_are_the_pictures_in_order_of_its_strongest_cell(void **state)
{
    struct world *w = *state;
    struct zf_unit *unit = measure(w, "relu2", MAP);
    const struct zf_unit_pictures *strongest = &unit->groups[ZF_UNIT_STRONGEST];
    const struct zf_unit_pictures *weakest = &unit->groups[ZF_UNIT_WEAKEST];
    struct zf_top *top = run_top(w, &(struct zf_top_options){.layers = &unit->layer,
                                                             .layer_count = 1,
                                                             .maps = &(const int64_t){MAP},
                                                             .map_count = 1});
    int64_t pictures = 0;
    float scores[2];

    assert_int_equal(unit->images, PICTURES);
    for (size_t i = 0; i < 9; i++) {
        const struct zf_top_entry *entry = &top->layers[0].maps[0].entries[i];

        assert_int_equal(strongest->entries[i].sample, entry->sample);
        assert_true(strongest->entries[i].activation == entry->activation);
        assert_memory_equal(&strongest->entries[i].patch, &entry->patch, sizeof entry->patch);
    }
    for (int64_t i = 0; i < PICTURES; i++) {
        const float value = run_alone(w, i, "relu2", MAP, NULL, scores);

        assert_true(value == unit->values[i]);
        assert_true(value >= weakest->entries[8].activation);
    }
    for (size_t k = 0; k < unit->class_count; k++)
        pictures += unit->classes[k].pictures;
    assert_int_equal(pictures, PICTURES);
    assert_int_equal(unit->classes[0].strongest + unit->classes[1].strongest, 9);
    assert_true(unit->classes[0].mean >= unit->classes[1].mean);
    zf_top_free(&top);
    zf_unit_free(&unit);
}

static void votes_are_what_the_scores_lose_without_the_unit(void **state)
{
    struct world *w = *state;
    struct zf_unit *unit = measure(w, "relu2", MAP);
    const struct zf_unit_pictures *strongest = &unit->groups[ZF_UNIT_STRONGEST];
    const struct zf_silence silence = {unit->layer, MAP};
    double sum[2] = {0, 0};

    assert_int_equal(unit->vote_count, 2);
    for (size_t i = 0; i < strongest->count; i++) {
        const struct zf_unit_answer *answer = &strongest->answers[i];
        float with[2], without[2];

        run_alone(w, strongest->entries[i].sample, "relu2", MAP, NULL, with);
        assert_true(run_alone(w, strongest->entries[i].sample, "relu2", MAP, &silence, without) ==
                    0.0f);
        for (int k = 0; k < 2; k++)
            sum[k] += ((double)with[k] - (double)without[k]) / (double)strongest->count;
        assert_int_equal(answer->class, with[1] > with[0]);
        assert_int_equal(answer->silenced_class, without[1] > without[0]);
    }
    assert_true(fabs(sum[0]) > 1e-4);
    for (int k = 0; k < 2; k++)
        assert_true(fabs(unit->votes[k] - sum[k]) < 1e-6);
    /* The next learned layer is the last one: its maps are the classes. */
    assert_int_equal(unit->fed_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_true(fabs(unit->fed[i].share - sum[unit->fed[i].map]) < 1e-6);
    zf_unit_free(&unit);
}

/* conv1 looks at three colours and fc3 at 40 maps of cells, so that of conv1 nothing is left out.
 */
static void what_feeds_a_unit_adds_up_to_it(void **state)
{
    static const char *const layers[] = {"relu1", "conv1"};
    struct world *w = *state;

    for (size_t l = 0; l < 2; l++) {
        struct zf_unit *unit = measure(w, layers[l], 2);
        double sum = unit->bias;

        assert_int_equal(unit->source, layer_index(w, "conv1"));
        assert_int_equal(unit->feed_count, 3);
        for (size_t i = 0; i < unit->feed_count; i++)
            sum += unit->feeds[i].share;
        assert_true(fabs(unit->source_value) > 1e-3);
        assert_true(fabs(sum - unit->source_value) < 1e-4 * fabs(unit->source_value) + 1e-5);
        zf_unit_free(&unit);
    }
}

static void an_output_unit_carries_its_class_s_name(void **state)
{
    static const char *const labels[] = {"cats", "d\xef\xbf\xbdgs <b>"};
    struct world *w = *state;
    struct zf_unit *unit;

    assert_null(zf_unit_class_name(w->net, layer_index(w, "fc3"), 1));
    must(w, zf_net_set_labels(w->net, labels, &w->err));
    unit = measure(w, "fc3", 1);
    assert_string_equal(zf_unit_class_name(w->net, unit->layer, 1), labels[1]);
    assert_null(zf_unit_class_name(w->net, layer_index(w, "conv2"), 1));
    assert_int_equal(unit->source, unit->layer);
    assert_int_equal(unit->fed_count, 0);
    assert_true(unit->votes[0] == 0.0 && unit->votes[1] != 0.0);
    zf_unit_free(&unit);
}

static void a_unit_that_is_not_there_is_refused(void **state)
{
    struct world *w = *state;
    const int layer = layer_index(w, "relu2");
    const struct zf_silence outside = {layer, 40};
    struct zf_plan *plan = NULL;
    struct zf_unit *unit = NULL;

    assert_int_equal(zf_unit_measure(w->net, w->data,
                                     &(struct zf_unit_options){.layer = layer, .map = 40}, &unit,
                                     NULL, &w->err),
                     ZF_EINVAL);
    assert_int_equal(zf_unit_measure(w->net, w->data,
                                     &(struct zf_unit_options){.layer = layer, .map = -1}, &unit,
                                     NULL, &w->err),
                     ZF_EINVAL);
    assert_null(unit);
    assert_int_equal(
        zf_plan_create(
            w->net,
            &(struct zf_plan_options){.compute.batch = 1, .purpose = ZF_INFER, .silence = &outside},
            &plan, &w->err),
        ZF_EINVAL);
    assert_null(plan);
}

static void its_page_says_how_often_it_answers_and_to_what(void **state)
{
    struct world *w = *state;
    struct zf_unit *unit = measure(w, "relu2", MAP);
    char *directory = in_world(w, "out"), *json;
    struct zf_document *document = document_open(directory, "unit", NULL);
    const cJSON *list;
    cJSON *root;

    must(w, zf_unit_page(w->net, w->data, unit, ZF_RULE_DECONVNET, document, &w->err));
    json = document_close(&document);
    root = cJSON_Parse(json);
    assert_non_null(root);
    assert_int_equal(cJSON_GetObjectItem(root, "above_zero")->valueint, unit->active);
    list = cJSON_GetObjectItem(root, "strongest");
    assert_int_equal(cJSON_GetArraySize(list), 9);
    assert_true((float)cJSON_GetObjectItem(list->child, "activation")->valuedouble ==
                unit->groups[ZF_UNIT_STRONGEST].entries[0].activation);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "middle")), 9);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "votes")), 2);
    cJSON_Delete(root);
    zf_free(json);
    zf_free(directory);
    zf_unit_free(&unit);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_unit_s_groups_are_the_pictures_in_order_of_its_strongest_cell),
        TEST(votes_are_what_the_scores_lose_without_the_unit),
        TEST(what_feeds_a_unit_adds_up_to_it),
        TEST(an_output_unit_carries_its_class_s_name),
        TEST(a_unit_that_is_not_there_is_refused),
        TEST(its_page_says_how_often_it_answers_and_to_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
