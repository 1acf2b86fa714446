/* SPDX-License-Identifier: MIT */
/* Training that goes on from a trained net: what is kept, what is new, what is frozen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attempt.h"
#include "base/memory.h"
#include "net/net.h"
#include "zf/model.h"

#define HEAD                                                                                       \
    "[net]\nname = t\ninput = 3x8x8\nclasses = 4\nsize = 9\n[c1]\ntype = conv\nmaps = 5\n"         \
    "kernel = 3\n[r1]\ntype = relu\n"

static struct zf_net *built(const char *spec)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "test", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_init_parameters(net, ZF_INIT_HE, 0.5, 3);
    return net;
}

static struct zf_net *continued(const struct zf_net *from, struct zf_continuation how, int *fresh)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    how.origin = "runs/base;1.onnx";
    if (zf_net_continue(from, &how, &net, fresh, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static const float *values(const struct zf_net *net, const char *name, int64_t *count)
{
    for (int i = 0; i < zf_net_parameter_tensors(net); i++) {
        const struct zf_parameter p = zf_net_parameter(net, i);

        if (strcmp(p.name, name) == 0) {
            *count = p.count;
            return p.data;
        }
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

static bool same(const struct zf_net *a, const struct zf_net *b, const char *name)
{
    int64_t count = 0, other = 0;
    const float *p = values(a, name, &count), *q = values(b, name, &other);

    return count == other && memcmp(p, q, (size_t)count * sizeof *p) == 0;
}

/* ---- The net. ---- */

static void the_last_layer_becomes_another_and_the_rest_stays(void **state)
{
    struct zf_net *from = built(HEAD "[fc]\ntype = fc\nmaps = classes\n[p]\ntype = softmax\n");
    const char *const labels[] = {"a", "b", "c", "d"};
    const struct zf_preparation preparation = {
        .size = 9, .mean = {1, 2, 3}, .scale = {0.5f, 0.5f, 0.5f}};
    struct zf_net *net;
    int fresh;

    (void)state;
    assert_int_equal(zf_net_set_labels(from, labels, NULL), ZF_OK);
    assert_int_equal(zf_net_set_preparation(from, &preparation, NULL), ZF_OK);
    net = continued(from, (struct zf_continuation){.classes = 7}, &fresh);
    assert_int_equal(fresh, 2);
    assert_int_equal(zf_net_class_count(net), 7);
    assert_false(zf_net_has_labels(net));
    assert_true(same(from, net, "c1.weight") && same(from, net, "c1.bias"));
    assert_true(zf_net_preparation(net)->mean[1] == 2 && zf_net_preparation(net)->scale[0] == 0.5f);
    assert_string_equal(zf_net_layer(net, 3).type, "softmax");
    zf_net_free(&net);

    net = continued(from, (struct zf_continuation){0}, &fresh);
    assert_int_equal(fresh, -1);
    assert_true(same(from, net, "fc.weight"));
    assert_string_equal(zf_net_label(net, 2), "c");
    assert_non_null(strstr(zf_net_from(net), "base_1.onnx, crc32c "));
    zf_net_free(&net);
    zf_net_free(&from);
}

/* SqueezeNet's last layer is a convolution, below a rectifier and a mean. */
static void a_last_convolution_becomes_another_under_what_is_above_it(void **state)
{
    struct zf_net *from = built(HEAD "[c2]\ntype = conv\nmaps = 4\nkernel = 1\n[r2]\ntype = relu\n"
                                     "[mean]\ntype = avgpool\nkernel = 6\n");
    int fresh;
    struct zf_net *net = continued(from, (struct zf_continuation){.classes = 3}, &fresh);

    (void)state;
    assert_int_equal(fresh, 2);
    assert_int_equal(zf_net_layer(net, 2).shape.c, 3);
    assert_int_equal(zf_net_layer_count(net), 6);
    assert_string_equal(zf_net_layer(net, 5).type, "softmax");
    assert_int_equal(zf_net_answer(net), ZF_ANSWER_SOFTMAX);
    zf_net_free(&net);
    zf_net_free(&from);
}

static void a_yes_or_no_becomes_classes_and_a_cut_net_gets_a_layer_on_top(void **state)
{
    struct zf_net *from = built("[net]\nname = t\ninput = 3x8x8\n[c1]\ntype = conv\nmaps = 5\n"
                                "kernel = 3\n[head]\ntype = fc\nmaps = 1\n[s]\ntype = sigmoid\n");
    int fresh;
    struct zf_net *net = continued(from, (struct zf_continuation){.classes = 2}, &fresh);

    (void)state;
    assert_int_equal(fresh, 1);
    assert_int_equal(zf_net_layer_count(net), 3);
    assert_string_equal(zf_net_layer(net, 2).type, "softmax");
    zf_net_free(&net);
    zf_net_free(&from);

    from = built("[net]\nname = t\ninput = 3x8x8\n[head]\ntype = conv\nmaps = 5\nkernel = 3\n");
    net = continued(from, (struct zf_continuation){.classes = 6, .on_top = true}, &fresh);
    assert_int_equal(fresh, 1);
    assert_string_equal(zf_net_layer(net, 1).name, "head_");
    assert_int_equal(zf_net_layer(net, 1).shape.c, 6);
    assert_true(same(from, net, "head.weight"));
    zf_net_free(&net);
    zf_net_free(&from);
}

/* The loss takes the logarithm itself; a softmax on that of a probability of 0 would give NaN. */
static void the_logarithm_of_a_softmax_is_left_off(void **state)
{
    struct zf_net *from = built(HEAD "[fc]\ntype = fc\nmaps = classes\n[p]\ntype = softmax\n"
                                     "[log]\ntype = function\nof = log\n");
    int fresh;

    (void)state;
    for (int64_t classes = 0; classes <= 7; classes += 7) {
        struct zf_net *net = continued(from, (struct zf_continuation){.classes = classes}, &fresh);

        assert_int_equal(fresh, classes > 0 ? 2 : -1);
        assert_int_equal(zf_net_layer_count(net), 4);
        assert_string_equal(zf_net_layer(net, 3).type, "softmax");
        assert_int_equal(zf_net_class_count(net), classes > 0 ? 7 : 4);
        zf_net_free(&net);
    }
    zf_net_free(&from);
}

static void what_has_no_last_layer_to_replace_is_refused(void **state)
{
    struct zf_net *from =
        built(HEAD "[fc]\ntype = fc\nmaps = 4\n[scale]\ntype = scale\n[p]\ntype = softmax\n");
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    int fresh;

    (void)state;
    assert_int_equal(
        zf_net_continue(from, &(struct zf_continuation){.classes = 3}, &net, &fresh, &err),
        ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "--until"));
    assert_null(net);
    zf_net_free(&from);

    from = built(HEAD "[c2]\ntype = conv\nmaps = 1\nkernel = 5\n[flat]\ntype = flatten\n");
    assert_int_equal(
        zf_net_continue(from, &(struct zf_continuation){.classes = 3}, &net, &fresh, &err),
        ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "whose maps could become other classes"));
    zf_net_free(&from);

    from = built("[net]\nname = t\ninput = 3x8x8\n[c1]\ntype = conv\nmaps = 5\nkernel = 3\n");
    assert_int_equal(zf_net_continue(from, &(struct zf_continuation){0}, &net, &fresh, &err),
                     ZF_EUNSUPPORTED);
    assert_int_equal(
        zf_net_continue(from, &(struct zf_continuation){.classes = 3}, &net, &fresh, &err),
        ZF_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "ends in c1, in 5 maps of 6 x 6"));
    zf_net_free(&from);
}

/* ---- Gradients. ---- */

/* Gradients of one batch, where `frozen` says so; everything begins as 77. */
static float *gradients_of(const struct zf_net *from, const bool *frozen, struct zf_net **net)
{
    struct zf_continuation how = {.frozen = frozen};
    struct zf_plan_options options = {.compute = {.batch = 2, .threads = 1}, .purpose = ZF_TRAIN};
    const int32_t labels[] = {1, 2};
    struct zf_tensor input = {0};
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};
    int fresh;

    *net = continued(from, how, &fresh);
    options.gradients = zf_alloc((size_t)zf_net_gradient_floats(*net), sizeof(float));
    for (int64_t i = 0; i < zf_net_gradient_floats(*net); i++)
        options.gradients[i] = 77;
    assert_int_equal(zf_tensor_init(&input, 2, 3, 8, 8, &err), ZF_OK);
    for (int64_t i = 0; i < 2 * 3 * 64; i++)
        input.data[i] = (float)sin((double)i);
    assert_int_equal(zf_plan_create(*net, &options, &plan, &err), ZF_OK);
    zf_plan_forward_train(plan, &input, 1, 1);
    zf_plan_backward(plan, labels);
    zf_plan_free(&plan);
    zf_tensor_release(&input);
    return options.gradients;
}

static void below_the_lowest_layer_that_is_trained_no_gradient_is_computed(void **state)
{
    struct zf_net *from = built(HEAD "[c2]\ntype = conv\nmaps = 6\nkernel = 3\n[r2]\ntype = relu\n"
                                     "[fc]\ntype = fc\nmaps = classes\n[p]\ntype = softmax\n");
    const bool frozen[] = {true, false, false, false, false, false};
    struct zf_net *whole = NULL, *part = NULL;
    float *all = gradients_of(from, NULL, &whole), *some = gradients_of(from, frozen, &part);

    (void)state;
    for (int i = 0; i < zf_net_parameter_tensors(part); i++) {
        const int64_t at = zf_net_gradient_offset(part, i);
        const struct zf_parameter p = zf_net_parameter(part, i);

        for (int64_t k = at; k < at + p.count; k++) {
            assert_true(all[k] != 77);
            assert_true(strncmp(p.name, "c1.", 3) == 0 ? some[k] == 77 : some[k] == all[k]);
        }
    }
    zf_free(all);
    zf_free(some);
    zf_net_free(&whole);
    zf_net_free(&part);
    zf_net_free(&from);
}

/* ---- Runs. ---- */

static struct zf_net *drawn_attempt(void)
{
    struct zf_net *net = attempt_net();
    struct zf_data *data = NULL;
    const char *labels[10];

    assert_int_equal(zf_data_open("synth:train:100", &data, NULL), ZF_OK);
    for (int k = 0; k < 10; k++)
        labels[k] = zf_data_class(data, k);
    assert_int_equal(zf_net_set_labels(net, labels, NULL), ZF_OK);
    zf_data_free(&data);
    zf_net_init_parameters(net, ZF_INIT_HE, 0.01, 9);
    return net;
}

static struct zf_net *load(const char *run, const char *name)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/%s", run, name);
    if (zf_model_load(path, NULL, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static void frozen_layers_keep_every_bit_and_the_others_learn(void **state)
{
    const char *directory = *state;
    struct zf_net *from = drawn_attempt(), *net;
    bool frozen[8] = {false, false, false, true};
    struct attempt a = attempt_begin(directory);

    assert_string_equal(zf_net_layer(from, 3).name, "fc2");
    a.from = from;
    a.frozen = frozen;
    a.recipe.epochs = 2;
    a.recipe.rms_limit = 1e-3; /* which would scale all filters that are not frozen */
    if (attempt_run(&a) != ZF_OK)
        fail_msg("%s", a.err.message);
    net = load(directory, "model.safetensors");
    assert_true(same(from, net, "fc2.weight") && same(from, net, "fc2.bias"));
    assert_false(same(from, net, "conv1.weight"));
    assert_false(same(from, net, "fc3.weight"));
    assert_true(zf_net_layer(net, 3).frozen && !zf_net_layer(net, 0).frozen);
    assert_null(zf_net_preparation(net)->mean_image); /* as before */
    zf_net_free(&net);
    zf_net_free(&from);
}

static void a_run_that_goes_on_begins_where_the_model_ended(void **state)
{
    struct zf_net *from = drawn_attempt(), *net;
    struct attempt a = attempt_begin(*state);

    a.from = from;
    a.recipe.epochs = 0;
    assert_int_equal(attempt_run(&a), ZF_OK);
    net = load(*state, "model.safetensors");
    for (int i = 0; i < zf_net_parameter_tensors(from); i++)
        assert_true(same(from, net, zf_net_parameter(from, i).name));
    zf_net_free(&net);
    zf_net_free(&from);
}

static void expect_same_file(const char *run, const char *other, const char *name)
{
    struct zf_bytes a = attempt_file(run, name), b = attempt_file(other, name);

    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    zf_bytes_release(&a);
    zf_bytes_release(&b);
}

static void a_stopped_fine_tuning_is_resumed_to_the_same_bits(void **state)
{
    const char *directory = *state;
    struct zf_net *from = drawn_attempt(), *other = drawn_attempt();
    const bool frozen[8] = {true};
    char whole[128], parts[128];
    struct attempt a, b;

    snprintf(whole, sizeof whole, "%s/whole", directory);
    snprintf(parts, sizeof parts, "%s/parts", directory);
    a = attempt_begin(whole);
    b = attempt_begin(parts);
    a.from = b.from = from;
    a.frozen = b.frozen = frozen;
    a.recipe.epochs = b.recipe.epochs = 3;
    assert_int_equal(attempt_run(&a), ZF_OK);
    b.stop_after = 8; /* within the second epoch of six steps */
    assert_int_equal(attempt_run(&b), ZF_ECANCELED);
    b.stop_after = 0;
    b.resume = true;

    /* Not as another run: other weights to begin with, other frozen layers. */
    other->parameters[0] += 1;
    b.from = other;
    assert_int_equal(attempt_run(&b), ZF_EINPUT);
    assert_non_null(strstr(b.err.message, "crc32c"));
    b.from = from;
    b.frozen = NULL;
    assert_int_equal(attempt_run(&b), ZF_EINPUT);
    assert_non_null(strstr(b.err.message, "frozen = yes"));
    b.frozen = frozen;
    if (attempt_run(&b) != ZF_OK)
        fail_msg("%s", b.err.message);
    expect_same_file(whole, parts, "model.safetensors");
    expect_same_file(whole, parts, "epochs/0003.safetensors");
    zf_net_free(&from);
    zf_net_free(&other);
}

int main(void)
{
#define IN_A_DIRECTORY(f) cmocka_unit_test_setup_teardown(f, attempt_set_up, attempt_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_layer_becomes_another_and_the_rest_stays),
        cmocka_unit_test(a_last_convolution_becomes_another_under_what_is_above_it),
        cmocka_unit_test(a_yes_or_no_becomes_classes_and_a_cut_net_gets_a_layer_on_top),
        cmocka_unit_test(the_logarithm_of_a_softmax_is_left_off),
        cmocka_unit_test(what_has_no_last_layer_to_replace_is_refused),
        cmocka_unit_test(below_the_lowest_layer_that_is_trained_no_gradient_is_computed),
        IN_A_DIRECTORY(frozen_layers_keep_every_bit_and_the_others_learn),
        IN_A_DIRECTORY(a_run_that_goes_on_begins_where_the_model_ended),
        IN_A_DIRECTORY(a_stopped_fine_tuning_is_resumed_to_the_same_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
