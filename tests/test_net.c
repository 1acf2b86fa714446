/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "net/net.h"
#include "zf/net.h"

/* Facts of the paper's figure 3, as docs/architecture.md and PAPER state them. */
struct fact {
    const char *layer;
    int64_t c, h, parameters, field, stride;
};

static struct zf_net *load(const char *name, int64_t classes)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_load_spec(name, classes, &net, &err) != ZF_OK)
        fail_msg("%s: %s", name, err.message);
    return net;
}

static struct zf_net *parse(const char *text)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(text, "test.ini", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

/* The text is refused, and the sentence has all the words. */
static void refuse(const char *text, const char *word, const char *another)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    assert_int_equal(zf_net_parse_spec(text, "test.ini", 0, &net, &err), ZF_EINPUT);
    assert_null(net);
    if (!strstr(err.message, word) || !strstr(err.message, another))
        fail_msg("expected '%s' and '%s' in: %s", word, another, err.message);
}

static void zfnet_has_the_shapes_parameters_and_receptive_fields_of_the_paper(void **state)
{
    static const struct fact facts[] = {
        {"conv1", 96, 110, 14208, 7, 2},     {"pool1", 96, 55, 0, 11, 4},
        {"conv2", 256, 26, 614656, 27, 8},   {"pool2", 256, 13, 0, 43, 16},
        {"conv3", 384, 13, 885120, 75, 16},  {"conv4", 384, 13, 1327488, 107, 16},
        {"conv5", 256, 13, 884992, 139, 16}, {"pool5", 256, 6, 0, 171, 32},
        {"fc6", 4096, 1, 37752832, 0, 0},    {"fc7", 4096, 1, 16781312, 0, 0},
        {"fc8", 1000, 1, 4097000, 0, 0},
    };
    struct zf_net *net = load("zfnet", 0);

    (void)state;
    assert_int_equal(zf_net_parameter_count(net), 62357608);
    assert_true(zf_net_macs(net, -1) > 1165000000 && zf_net_macs(net, -1) < 1175000000);
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct zf_layer_info info;
        int layer = -1;

        assert_int_equal(zf_net_find_layer(net, facts[i].layer, &layer, NULL), ZF_OK);
        info = zf_net_layer(net, layer);
        assert_int_equal(info.shape.c, facts[i].c);
        assert_int_equal(info.shape.h, facts[i].h);
        assert_int_equal(info.shape.w, facts[i].h);
        assert_int_equal(info.parameters, facts[i].parameters);
        assert_int_equal(info.field.global, facts[i].field == 0);
        if (!info.field.global) {
            assert_int_equal(info.field.height, facts[i].field);
            assert_int_equal(info.field.stride_x, facts[i].stride);
        }
    }
    zf_net_free(&net);
    assert_null(net);
}

static void every_built_in_net_builds_under_its_own_name(void **state)
{
    size_t count = 0;

    (void)state;
    for (const char *name; (name = zf_net_builtin_name(count)); count++) {
        struct zf_net *net = load(name, 0);

        assert_string_equal(zf_net_name(net), name);
        assert_true(zf_net_parameter_count(net) > 100000);
        zf_net_free(&net);
    }
    assert_int_equal(count, 15);
}

static void the_variants_of_table_3_differ_from_their_base_as_their_names_say(void **state)
{
    struct zf_net *net = load("alexnet-no3467", 0);
    int layer;

    (void)state;
    assert_int_equal(zf_net_find_layer(net, "conv5", &layer, NULL), ZF_OK);
    assert_int_equal(zf_net_find_layer(net, "conv3", &layer, NULL), ZF_EINPUT);
    assert_int_equal(zf_net_find_layer(net, "fc7", &layer, NULL), ZF_EINPUT);
    assert_int_equal(zf_net_find_layer(net, "fc8", &layer, NULL), ZF_OK);
    assert_int_equal(zf_net_layer(net, layer).parameters, 1000 * (256 * 6 * 6 + 1));
    zf_net_free(&net);
    net = load("alexnet", 0);
    assert_int_equal(zf_net_find_layer(net, "conv1", &layer, NULL), ZF_OK);
    assert_int_equal(zf_net_layer(net, layer).shape.h, 55);
    assert_int_equal(zf_net_layer(net, layer).field.height, 11);
    zf_net_free(&net);
}

static void the_spec_of_a_net_builds_the_same_net_with_its_new_classes(void **state)
{
    struct zf_net *net = load("zfnet64", 17), *again;

    (void)state;
    assert_int_equal(zf_net_class_count(net), 17);
    assert_non_null(strstr(zf_net_spec(net), "classes = 17"));
    again = parse(zf_net_spec(net));
    assert_int_equal(zf_net_class_count(again), 17);
    assert_int_equal(zf_net_parameter_count(again), zf_net_parameter_count(net));
    assert_int_equal(zf_net_layer_count(again), zf_net_layer_count(net));
    assert_string_equal(zf_net_spec(again), zf_net_spec(net));
    assert_memory_equal(zf_net_recipe(again), zf_net_recipe(net), sizeof(struct zf_recipe));
    assert_string_equal(zf_net_label(net, 16), "16");
    assert_false(zf_net_has_labels(net));
    zf_net_free(&net);
    zf_net_free(&again);
}

#define HEAD "[net]\ninput = 3x9x9\n"

static void a_mistake_in_a_spec_is_told_with_its_line_and_what_would_fit(void **state)
{
    (void)state;
    refuse(HEAD "[conv1]\ntype = conv\nmaps = 4\nkernel = 11\n", "test.ini:4",
           "conv1: a 11x11 kernel does not fit a 9x9 map");
    refuse(HEAD "[conv1]\ntype = conv\nmaps = 4\nkernal = 3\n", "test.ini:6",
           "no key 'kernal'; it takes type, inputs, name, aka, frozen, maps, kernel");
    refuse(HEAD "[conv1]\ntype = conf\n", "test.ini:4", "type = conf is not known; known are conv");
    refuse(HEAD "[conv1]\nmaps = 3\n", "test.ini:4", "needs type");
    refuse(HEAD "[conv1]\ntype = conv\nmaps = many\nkernel = 3\n", "test.ini:5", "maps");
    refuse(HEAD "[conv1]\ntype = conv\nmaps = 4\nkernel = 0\n", "test.ini:6", "kernel");
    refuse(HEAD "[conv1]\ntype = conv\nmaps = 4\n", "conv1", "needs kernel");
    refuse(HEAD "[conv1]\ntype = conv\nkernel = 3\n", "conv1", "needs maps");
    refuse(HEAD "[c]\ntype = conv\nmaps = 4\nkernel = 3\ngroups = 2\n", "groups", "3 inputs");
    refuse(HEAD "[r]\ntype = relu\ninputs = nobody\n", "test.ini:5", "'nobody' is no layer above");
    refuse(HEAD "[p]\ntype = norm\nover = groups\ngroups = 2\n", "p:", "3 maps");
    refuse("[net]\ninput = 3x0x9\n[r]\ntype = relu\n", "test.ini:2", "CxHxW");
    refuse("[net]\n[r]\ntype = relu\n", "test.ini", "input = CxHxW");
    refuse("[net]\ninput = 3x9x9\nbase = nonet\n", "test.ini:3", "no built-in net");
    refuse("[net]\nbase = zfnet\nremove = conv9\n", "test.ini:3", "[conv9]");
    refuse(HEAD "what is this\n", "test.ini:3", "neither");
    refuse("", "test.ini", "empty");
    refuse(HEAD, "test.ini", "0 layers");
    refuse(HEAD "classes = 5\n[f]\ntype = fc\nmaps = 7\n", "5 classes", "7 maps");
    refuse(HEAD "[f]\ntype = fc\nmaps = classes\n", "classes", "[net]");
    refuse("[net]\ninput = 3x9x9\nsize = 8\n[r]\ntype = relu\n", "size = 8", "9");
    refuse(HEAD "[f]\ntype = fc\nmaps = 1000000\n[g]\ntype = fc\nmaps = 1000000\n", "g",
           "parameters");
}

static void numbers_that_are_none_are_named_with_their_tensor(void **state)
{
    struct zf_net *net = parse(HEAD "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\n[f]\ntype = fc\n"
                                    "maps = 2\n");
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_net_check_finite(net, &err), ZF_OK);
    net->parameters[net->slots[0].offset + 5] = (float)NAN;
    net->parameters[net->slots[0].offset + 9] = (float)-INFINITY;
    net->parameters[net->slots[3].offset] = (float)NAN;
    assert_int_equal(zf_net_check_finite(net, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "2 of the 108 numbers of conv1.weight are NaN or infinite; "
                                        "so are some of 1 other"));
    zf_net_free(&net);
}

static void expect_class(const struct zf_net *net, const char *name, int64_t wanted)
{
    struct zf_error err = {0};
    int64_t found = -1;

    if (zf_net_find_class(net, name, &found, &err) != ZF_OK || found != wanted)
        fail_msg("'%s' is %d, not %d: %s", name, (int)found, (int)wanted, err.message);
}

static void classes_are_found_by_any_of_their_names_that_no_other_has(void **state)
{
    static const char *const labels[] = {"crane",    "Crane", "tench, Tinca tinca", "CRANE",
                                         "hot dog",  "1",     "Pug, pug-dog",       "crate",
                                         "hot dogs", "x, 1"};
    struct zf_net *net = load("zfnet32", ZF_COUNT(labels));
    struct zf_error err = {0};
    int64_t found = 77;

    (void)state;
    assert_int_equal(zf_net_set_labels(net, labels, NULL), ZF_OK);
    expect_class(net, "crane", 0);
    expect_class(net, "Crane", 1);
    expect_class(net, "tench", 2);
    expect_class(net, "tinca TINCA", 2);
    expect_class(net, "PUG-DOG", 6);
    expect_class(net, "1", 5); /* a label before an index */
    expect_class(net, "8", 8);
    assert_int_equal(zf_net_find_class(net, "cRANE", &found, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message,
                           "3 classes of zfnet32 can be 'cRANE': 0 (crane), 1 (Crane), "
                           "3 (CRANE); say which by its index"));
    assert_int_equal(zf_net_find_class(net, "g dog", &found, &err), ZF_EINPUT);
    assert_int_equal(zf_net_find_class(net, "10", &found, &err), ZF_EINPUT);
    assert_int_equal(zf_net_find_class(net, "-1", &found, &err), ZF_EINPUT);
    assert_int_equal(zf_net_find_class(net, "", &found, &err), ZF_EINPUT);
    assert_int_equal(zf_net_find_class(net, "Tinca", &found, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "it is in the names of 2 (tench, Tinca tinca)"));
    assert_int_equal(found, 77);
    zf_net_free(&net);
}

static void maps_at_the_end_are_found_by_their_class(void **state)
{
    static const char *const labels[] = {"cat", "dog"};
    struct zf_net *net = parse(HEAD "classes = 2\n[c]\ntype = conv\nmaps = 2\nkernel = 3\n[f]\n"
                                    "type = fc\nmaps = 2\n[p]\ntype = softmax\n");
    struct zf_net *yes = parse(HEAD "[f]\ntype = fc\nmaps = 1\n[p]\ntype = sigmoid\n");
    struct zf_error err = {0};
    int64_t map = -1;

    (void)state;
    assert_int_equal(zf_net_set_labels(net, labels, NULL), ZF_OK);
    assert_int_equal(zf_net_class_layer(net), 1);
    assert_int_equal(zf_net_find_map(net, 1, "dog", &map, &err), ZF_OK);
    assert_int_equal(map, 1);
    assert_int_equal(zf_net_find_map(net, 2, "Cat", &map, &err), ZF_OK);
    assert_int_equal(map, 0);
    assert_int_equal(zf_net_find_map(net, 0, "1", &map, &err), ZF_OK);
    assert_int_equal(map, 1);
    assert_int_equal(zf_net_find_map(net, 0, "dog", &map, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "here f"));
    assert_int_equal(zf_net_find_map(net, 1, "2", &map, &err), ZF_EINVAL);
    assert_int_equal(zf_net_class_layer(yes), 0);
    assert_int_equal(zf_net_find_map(yes, 0, zf_net_label(yes, 1), &map, &err), ZF_OK);
    assert_int_equal(map, 0);
    assert_int_equal(zf_net_find_map(yes, 0, zf_net_label(yes, 0), &map, &err), ZF_EINPUT);
    zf_net_free(&net);
    zf_net_free(&yes);
}

static void an_overlong_line_is_refused_by_its_number(void **state)
{
    char text[512];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text, HEAD, strlen(HEAD));
    text[sizeof text - 1] = '\0';
    refuse(text, "test.ini:3", "longer than");
}

static void classes_cannot_be_changed_where_no_layer_depends_on_them(void **state)
{
    struct zf_net *net = NULL;
    struct zf_error err;

    (void)state;
    assert_int_equal(
        zf_net_parse_spec(HEAD "[f]\ntype = fc\nmaps = 7\n", "test.ini", 9, &net, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "9 classes"));
}

static void a_layer_is_found_by_name_by_a_unique_beginning_and_by_index(void **state)
{
    struct zf_net *net = load("zfnet", 0);
    struct zf_error err;
    int layer = -1;

    (void)state;
    assert_int_equal(zf_net_find_layer(net, "conv1", &layer, &err), ZF_OK);
    assert_int_equal(layer, 0);
    assert_int_equal(zf_net_find_layer(net, "prob", &layer, &err), ZF_OK);
    assert_int_equal(layer, zf_net_layer_count(net) - 1);
    assert_int_equal(zf_net_find_layer(net, "pr", &layer, &err), ZF_OK);
    assert_int_equal(zf_net_find_layer(net, "2", &layer, &err), ZF_OK);
    assert_int_equal(layer, 2);
    layer = 77;
    assert_int_equal(zf_net_find_layer(net, "conv", &layer, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "5 layers begin with 'conv'"));
    assert_int_equal(zf_net_find_layer(net, "conv9", &layer, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "norm2"));
    assert_int_equal(zf_net_find_layer(net, "99", &layer, &err), ZF_EINPUT);
    assert_int_equal(zf_net_find_layer(net, "", &layer, &err), ZF_EINPUT);
    assert_int_equal(layer, 77);
    zf_net_free(&net);
}

/* By brute force: which input cells lie in the windows of windows ... of a cell? */
static void brute_patch(const struct zf_net *net, int layer, int64_t y, int64_t *top,
                        int64_t *bottom)
{
    int64_t first = y, last = y;

    for (int i = layer; i >= 0; i--) {
        const struct zf_window *w = &net->layers[i].inferred.window;

        first = first * w->stride_h - w->pad_top;
        last = last * w->stride_h - w->pad_top + w->kernel_h - 1;
    }
    *top = first < 0 ? 0 : first;
    *bottom = last >= net->input.h ? net->input.h - 1 : last;
}

static void patches_are_the_windows_of_windows_clipped_to_the_picture(void **state)
{
    struct zf_net *net = load("zfnet", 0);

    (void)state;
    for (int layer = 0; !zf_net_layer(net, layer).field.global; layer++) {
        const int64_t extent = zf_net_layer(net, layer).shape.h;

        for (int64_t y = 0; y < extent; y++) {
            const struct zf_box box = zf_net_patch(net, layer, y, extent - 1 - y);
            int64_t top, bottom, left, right;

            brute_patch(net, layer, y, &top, &bottom);
            brute_patch(net, layer, extent - 1 - y, &left, &right);
            assert_int_equal(box.y, top);
            assert_int_equal(box.height, bottom - top + 1);
            assert_int_equal(box.x, left);
            assert_int_equal(box.width, right - left + 1);
        }
    }
    zf_net_free(&net);
}

static void equal_seeds_draw_equal_weights_of_the_stated_deviation(void **state)
{
    struct zf_net *net = load("zfnet32", 0), *other = load("zfnet32", 0);
    double sum = 0, squares = 0;
    int64_t floats;
    struct zf_parameter weight;

    (void)state;
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.01, 5);
    zf_net_init_parameters(other, ZF_INIT_NORMAL, 0.01, 5);
    zf_net_parameters_mutable(net, &floats);
    assert_memory_equal(net->parameters, other->parameters, (size_t)floats * sizeof(float));
    zf_net_init_parameters(other, ZF_INIT_NORMAL, 0.01, 6);
    assert_memory_not_equal(net->parameters, other->parameters, (size_t)floats * sizeof(float));
    weight = zf_net_parameter(net, 2);
    assert_string_equal(weight.name, "conv2.weight");
    for (int64_t i = 0; i < weight.count; i++) {
        sum += (double)weight.data[i];
        squares += (double)weight.data[i] * (double)weight.data[i];
    }
    /* 51200 draws: the mean is within 5 standard errors, the variance within 5 %. */
    assert_true(sum / (double)weight.count < 5 * 0.01 / 226 &&
                sum / (double)weight.count > -5 * 0.01 / 226);
    assert_true(squares / (double)weight.count > 0.95e-4 &&
                squares / (double)weight.count < 1.05e-4);
    assert_true(zf_net_parameter(net, 3).data[0] == 0);
    zf_net_free(&net);
    zf_net_free(&other);
}

static void labels_and_preparation_are_copied(void **state)
{
    struct zf_net *net = load("zfnet32", 2);
    char cat[] = "cat", dog[] = "dog";
    const char *labels[] = {cat, dog};
    struct zf_preparation preparation = *zf_net_preparation(net);
    float *mean = zf_alloc(3 * 32 * 32, sizeof *mean);

    (void)state;
    assert_non_null(mean);
    mean[7] = 42;
    preparation.mean_image = mean;
    assert_int_equal(zf_net_set_labels(net, labels, NULL), ZF_OK);
    assert_int_equal(zf_net_set_preparation(net, &preparation, NULL), ZF_OK);
    memset(cat, 'x', 3);
    zf_free(mean);
    assert_string_equal(zf_net_label(net, 0), "cat");
    assert_true(zf_net_has_labels(net));
    assert_true(zf_net_preparation(net)->mean_image[7] == 42);
    preparation.size = 20;
    assert_int_equal(zf_net_set_preparation(net, &preparation, NULL), ZF_EINVAL);
    zf_net_free(&net);
}

static size_t allowed;

static bool count_down(size_t bytes)
{
    (void)bytes;
    return allowed-- > 0;
}

static void building_a_net_survives_each_failing_allocation(void **state)
{
    struct zf_net *net = NULL;
    enum zf_status status = ZF_ENOMEM;

    (void)state;
    for (size_t n = 0; status != ZF_OK; n++) {
        allowed = n;
        zf_alloc_allowed = count_down;
        status = zf_net_load_spec("alexnet-no34", 12, &net, NULL);
        zf_alloc_allowed = NULL;
        assert_true(status == ZF_OK || status == ZF_ENOMEM);
        assert_true(n < 2000);
    }
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zfnet_has_the_shapes_parameters_and_receptive_fields_of_the_paper),
        cmocka_unit_test(every_built_in_net_builds_under_its_own_name),
        cmocka_unit_test(the_variants_of_table_3_differ_from_their_base_as_their_names_say),
        cmocka_unit_test(the_spec_of_a_net_builds_the_same_net_with_its_new_classes),
        cmocka_unit_test(a_mistake_in_a_spec_is_told_with_its_line_and_what_would_fit),
        cmocka_unit_test(numbers_that_are_none_are_named_with_their_tensor),
        cmocka_unit_test(classes_are_found_by_any_of_their_names_that_no_other_has),
        cmocka_unit_test(maps_at_the_end_are_found_by_their_class),
        cmocka_unit_test(an_overlong_line_is_refused_by_its_number),
        cmocka_unit_test(classes_cannot_be_changed_where_no_layer_depends_on_them),
        cmocka_unit_test(a_layer_is_found_by_name_by_a_unique_beginning_and_by_index),
        cmocka_unit_test(patches_are_the_windows_of_windows_clipped_to_the_picture),
        cmocka_unit_test(equal_seeds_draw_equal_weights_of_the_stated_deviation),
        cmocka_unit_test(labels_and_preparation_are_copied),
        cmocka_unit_test(building_a_net_survives_each_failing_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
