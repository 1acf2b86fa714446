/* SPDX-License-Identifier: MIT */
/* What outputs mean: expected values are worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/net.h"
#include "onnx_fixture.h"
#include "zf/plan.h"

#define MOST 8 /* answers here */

/* One input pixel of 1 meets a fully connected layer: its weights are the net's outputs. */
static struct zf_net *net_of(int64_t outputs, const char *end, const float *values)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    char spec[400];
    int64_t floats;

    snprintf(spec, sizeof spec,
             "[net]\nname = told\ninput = 1x1x1\n[fc]\ntype = fc\nmaps = %d\nbias = no\n%s",
             (int)outputs, end);
    if (zf_net_parse_spec(spec, "spec", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    memcpy(zf_net_parameters_mutable(net, &floats), values, (size_t)outputs * sizeof *values);
    return net;
}

/* What the net says of two inputs of ones. */
static void answer(const struct zf_net *net, int64_t count, float *found)
{
    const struct zf_plan_options options = {
        .compute = {.batch = 2, .engine = "reference", .threads = 1}};
    const struct zf_shape in = zf_net_input(net);
    struct zf_tensor src = {0};
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};
    struct zf_tensor dst = zf_tensor_view(found, 2, count, 1, 1);

    assert_int_equal(zf_net_class_count(net), count);
    assert_int_equal(zf_tensor_init(&src, 2, in.c, in.h, in.w, &err), ZF_OK);
    for (int64_t i = 0; i < zf_tensor_count(&src); i++)
        src.data[i] = 1.0f;
    assert_int_equal(zf_plan_create(net, &options, &plan, &err), ZF_OK);
    zf_plan_forward(plan, &src);
    assert_int_equal(zf_plan_answer(plan, &dst, &err), ZF_OK);
    zf_plan_free(&plan);
    zf_tensor_release(&src);
}

static void assert_answers(const struct zf_net *net, const double *expected, int64_t count)
{
    float found[2 * MOST];

    answer(net, count, found);
    for (int64_t i = 0; i < 2 * count; i++)
        assert_float_equal(found[i], expected[i % count], 1e-6);
}

static void assert_refused(struct zf_net *net, enum zf_answer answer, enum zf_status status,
                           const char *sentence)
{
    const enum zf_answer before = zf_net_answer(net);
    struct zf_error err = {0};

    assert_int_equal(zf_net_set_answer(net, answer, &err), status);
    assert_non_null(strstr(err.message, sentence));
    assert_int_equal(zf_net_answer(net), before);
}

static void tell(struct zf_net *net, enum zf_answer answer)
{
    struct zf_error err = {0};

    if (zf_net_set_answer(net, answer, &err) != ZF_OK)
        fail_msg("%s", err.message);
}

/* exp of the outputs is 1, 2, 5. */
static const float logits[] = {0.0f, 0.69314718f, 1.60943791f};
static const double shares[] = {0.125, 0.25, 0.625};

static void numbers_are_classes_or_yes_or_no_when_they_are_said_to_be(void **state)
{
    static const double plain[] = {0, 0.69314718, 1.60943791};
    static const double each[] = {1 / 2.0, 2 / 3.0, 5 / 6.0};
    struct zf_net *net = net_of(3, "", logits);

    (void)state;
    assert_int_equal(zf_net_answer(net), ZF_ANSWER_NUMBERS);
    assert_string_equal(zf_net_answer_word(net), "value");
    assert_answers(net, plain, 3);
    tell(net, ZF_ANSWER_SOFTMAX);
    assert_string_equal(zf_net_answer_word(net), "probability");
    assert_answers(net, shares, 3);
    tell(net, ZF_ANSWER_SIGMOID);
    assert_answers(net, each, 3);
    zf_net_free(&net);
}

static void what_a_net_has_done_already_is_not_done_again(void **state)
{
    static const double squashed[] = {1 / 2.0, 2 / 3.0, 5 / 6.0};
    static const char *const ends[] = {
        "[p]\ntype = softmax\n", "[p]\ntype = softmax\n[l]\ntype = function\nof = log\n",
        "[p]\ntype = softmax\n[f]\ntype = flatten\n", "[p]\ntype = sigmoid\n"};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct zf_net *net = net_of(3, ends[i], logits);

        assert_int_equal(zf_net_answer(net), i == 3 ? ZF_ANSWER_SIGMOID : ZF_ANSWER_SOFTMAX);
        assert_answers(net, i == 3 ? squashed : shares, 3);
        zf_net_free(&net);
    }
}

static void one_output_is_no_and_yes(void **state)
{
    static const float odds[] = {1.09861229f}; /* 3 to 1 */
    static const double expected[] = {0.25, 0.75}, value[] = {1.09861229};
    struct zf_net *net = net_of(1, "", odds);

    (void)state;
    tell(net, ZF_ANSWER_SIGMOID);
    assert_answers(net, expected, 2);
    assert_string_equal(zf_net_label(net, 0), "no");
    assert_string_equal(zf_net_label(net, 1), "yes");
    assert_false(zf_net_has_labels(net));
    assert_int_equal(zf_net_output_count(net), 1);
    assert_refused(net, ZF_ANSWER_SOFTMAX, ZF_EINPUT, "one output");
    tell(net, ZF_ANSWER_NUMBERS);
    assert_answers(net, value, 1);
    assert_string_equal(zf_net_label(net, 0), "0");
    zf_net_free(&net);
    net = net_of(1, "[s]\ntype = sigmoid\n", odds);
    assert_answers(net, expected, 2);
    zf_net_free(&net);
}

static void large_logits_neither_overflow_nor_lose_the_small_side(void **state)
{
    static const float far[] = {200.0f, -200.0f, 199.0f}, yes[] = {40.0f};
    const double rest = 1 / (1 + exp(1.0)), expected[] = {1 - rest, 0, rest};
    struct zf_net *net = net_of(3, "", far);
    const struct zf_plan_options options = {
        .compute = {.batch = 1, .engine = "reference", .threads = 1}};
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};
    float one = 1.0f, found[2];
    struct zf_tensor src = zf_tensor_view(&one, 1, 1, 1, 1),
                     dst = zf_tensor_view(found, 1, 2, 1, 1);

    (void)state;
    tell(net, ZF_ANSWER_SOFTMAX);
    assert_answers(net, expected, 3);
    zf_net_free(&net);
    net = net_of(1, "", yes);
    tell(net, ZF_ANSWER_SIGMOID);
    assert_int_equal(zf_plan_create(net, &options, &plan, &err), ZF_OK);
    zf_plan_forward(plan, &src);
    assert_int_equal(zf_plan_answer(plan, &dst, &err), ZF_OK);
    assert_true(fabs((double)found[0] / exp(-40.0) - 1) < 1e-6);
    zf_plan_free(&plan);
    zf_net_free(&net);
}

static void an_output_that_overflowed_is_no_certain_yes(void **state)
{
    static const float over[] = {INFINITY, 1.0f};
    float found[2 * MOST];

    (void)state;
    for (int64_t outputs = 1; outputs <= 2; outputs++) {
        struct zf_net *net = net_of(outputs, "", over);

        tell(net, ZF_ANSWER_SIGMOID);
        answer(net, 2, found);
        assert_true(isnan(found[0]));
        zf_net_free(&net);
    }
}

static void what_the_last_layers_cannot_mean_is_refused(void **state)
{
    struct zf_net *classes = net_of(3, "[p]\ntype = softmax\n", logits);
    struct zf_net *each = net_of(3, "[p]\ntype = sigmoid\n", logits);

    (void)state;
    assert_refused(classes, ZF_ANSWER_SIGMOID, ZF_EINPUT, "share one probability");
    assert_refused(each, ZF_ANSWER_SOFTMAX, ZF_EINPUT, "a yes or no each");
    zf_net_free(&classes);
    zf_net_free(&each);
}

static void maps_answer_with_their_means(void **state)
{
    static const double expected[] = {-2, 3};
    static const char spec[] = "[net]\nname = maps\ninput = 1x3x3\n[c]\ntype = conv\nmaps = 2\n"
                               "kernel = 1\nbias = no\n";
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    int64_t floats;
    float *weights;

    (void)state;
    assert_int_equal(zf_net_parse_spec(spec, "spec", 0, &net, &err), ZF_OK);
    weights = zf_net_parameters_mutable(net, &floats);
    weights[0] = -2;
    weights[1] = 3;
    assert_answers(net, expected, 2);
    assert_refused(net, ZF_ANSWER_SOFTMAX, ZF_EUNSUPPORTED, "maps of 3 x 3");
    zf_net_free(&net);
}

/* ---- Files ---- */

static struct zf_net *load(const char *path)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_model_open(path, NULL, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static void a_file_keeps_the_meaning_and_gets_no_layer_for_it(void **state)
{
    static const char *const ends[] = {"/net.safetensors", "/net.onnx"};
    static const float odds[] = {1.09861229f};
    static const double expected[] = {0.25, 0.75};
    struct zf_error err = {0};
    struct onnx_place place;

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < 2; i++) {
        struct zf_net *net = net_of(1, "", odds), *back;

        snprintf(place.path, sizeof place.path, "%s%s", place.directory, ends[i]);
        tell(net, ZF_ANSWER_SIGMOID);
        assert_int_equal(zf_net_set_labels(net, (const char *const[]){"cat", "dog"}, &err), ZF_OK);
        assert_int_equal(zf_model_save(net, place.path, &err), ZF_OK);
        back = load(place.path);
        assert_int_equal(zf_net_layer_count(back), 1);
        assert_answers(back, expected, 2);
        assert_string_equal(zf_net_label(back, 1), "dog");
        zf_net_free(&net);
        zf_net_free(&back);
        remove(place.path);
    }
    onnx_place_release(&place);
}

/* A model of tests/onnx, its output renamed, its metadata replaced by one note. */
static enum zf_answer meaning(const char *model_name, const char *output, const char *key,
                              const char *value)
{
    Onnx__ModelProto *model = onnx_model(model_name);
    Onnx__GraphProto *graph = model->graph;
    Onnx__NodeProto *last = graph->node[graph->n_node - 1];
    Onnx__StringStringEntryProto *note = model->metadata_props[0];
    struct onnx_place place;
    enum zf_answer answer;
    struct zf_net *net;

    free(note->key);
    free(note->value);
    note->key = strdup(key);
    note->value = strdup(value);
    free(graph->output[0]->name);
    free(last->output[0]);
    graph->output[0]->name = strdup(output);
    last->output[0] = strdup(output);
    onnx_place_init(&place);
    onnx_write(&place, model);
    net = load(place.path);
    answer = zf_net_answer(net);
    zf_net_free(&net);
    onnx_place_release(&place);
    onnx__model_proto__free_unpacked(model, NULL);
    return answer;
}

static void a_model_from_elsewhere_is_read_by_notes_names_and_last_layers(void **state)
{
    static const struct {
        const char *model, *output, *key, *value;
        enum zf_answer answer;
    } cases[] = {
        {"gemm", "y", "-", "-", ZF_ANSWER_SOFTMAX},
        {"gemm", "logits", "-", "-", ZF_ANSWER_SOFTMAX},
        {"gemm", "face_landmarks", "-", "-", ZF_ANSWER_NUMBERS},
        {"gemm", "headPose", "-", "-", ZF_ANSWER_NUMBERS},
        {"gemm", "package", "-", "-", ZF_ANSWER_SOFTMAX}, /* "age" is no word of it */
        {"gemm", "y", "task", "regression", ZF_ANSWER_NUMBERS},
        {"gemm", "y", "problem_type", "multi_label_classification", ZF_ANSWER_SIGMOID},
        {"gemm", "y", "answer", "numbers", ZF_ANSWER_NUMBERS},
        {"logsoftmax", "y", "-", "-", ZF_ANSWER_SOFTMAX},
        {"squeeze_input", "y", "-", "-", ZF_ANSWER_NUMBERS}, /* rectified */
        {"conv", "y", "-", "-", ZF_ANSWER_NUMBERS},          /* maps */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (meaning(cases[i].model, cases[i].output, cases[i].key, cases[i].value) !=
            cases[i].answer)
            fail_msg("%s with output %s and %s = %s", cases[i].model, cases[i].output, cases[i].key,
                     cases[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_classes_or_yes_or_no_when_they_are_said_to_be),
        cmocka_unit_test(what_a_net_has_done_already_is_not_done_again),
        cmocka_unit_test(one_output_is_no_and_yes),
        cmocka_unit_test(large_logits_neither_overflow_nor_lose_the_small_side),
        cmocka_unit_test(an_output_that_overflowed_is_no_certain_yes),
        cmocka_unit_test(what_the_last_layers_cannot_mean_is_refused),
        cmocka_unit_test(maps_answer_with_their_means),
        cmocka_unit_test(a_file_keeps_the_meaning_and_gets_no_layer_for_it),
        cmocka_unit_test(a_model_from_elsewhere_is_read_by_notes_names_and_last_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
