/* SPDX-License-Identifier: MIT */
/* ONNX models of other programs: what each operator becomes, and what it computes. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_fixture.h"
#include "zf/model.h"
#include "zf/net.h"
#include "zf/plan.h"

#define MOST_VALUES 1024
/* Two correct float computations of these small sums differ by a few units in the last place. */
#define TOLERANCE 2e-6

static const char *note(const Onnx__ModelProto *model, const char *key)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        if (strcmp(model->metadata_props[i]->key, key) == 0)
            return model->metadata_props[i]->value;
    }
    return "";
}

static struct zf_net *load(const char *path, const struct zf_model_options *options)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_model_open(path, options, &net, &err) != ZF_OK)
        print_error("%s\n", err.message);
    return net;
}

static struct zf_net *load_named(const char *name, const struct zf_model_options *options)
{
    char path[1024];
    struct zf_net *net;

    snprintf(path, sizeof path, "%s/%s.onnx", getenv("ZF_TEST_ONNX"), name);
    net = load(path, options);
    assert_non_null(net);
    return net;
}

/* The picture that make.py computes with: cell i is (i * 37 mod 101) / 50 - 1. */
static struct zf_tensor picture(struct zf_shape shape)
{
    struct zf_tensor picture = {0};
    struct zf_error err;

    assert_int_equal(zf_tensor_init(&picture, 1, shape.c, shape.h, shape.w, &err), ZF_OK);
    for (int64_t i = 0; i < zf_tensor_count(&picture); i++)
        picture.data[i] = (float)(i * 37 % 101) / 50.0f - 1.0f;
    return picture;
}

/* A layer's output for the picture, on the reference engine. */
static struct zf_tensor run(const struct zf_net *net, int layer)
{
    const struct zf_plan_options options = {
        .compute = {.batch = 1, .engine = "reference", .threads = 1},
        .taps = &layer,
        .tap_count = 1};
    const struct zf_shape shape = zf_net_layer(net, layer).shape;
    struct zf_tensor src = picture(zf_net_input(net)), dst = {0};
    struct zf_plan *plan = NULL;
    struct zf_error err;

    if (zf_plan_create(net, &options, &plan, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_tensor_init(&dst, 1, shape.c, shape.h, shape.w, &err), ZF_OK);
    zf_plan_forward(plan, &src);
    zf_plan_read(plan, layer, &dst);
    zf_plan_free(&plan);
    zf_tensor_release(&src);
    return dst;
}

static const char *types(const struct zf_net *net, char *text, size_t size)
{
    text[0] = '\0';
    for (int i = 0; i < zf_net_layer_count(net); i++)
        snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? " " : "",
                 zf_net_layer(net, i).type);
    return text;
}

/* Prints what differs. */
static bool agrees(const char *path, const struct zf_net *net, const Onnx__ModelProto *model)
{
    const char *expected = note(model, "test.output");
    struct zf_tensor found;
    struct zf_error err;
    char text[400];
    int64_t i = 0;
    bool good = true;
    int layer = 0;

    if (strcmp(types(net, text, sizeof text), note(model, "test.layers")) != 0) {
        print_error("%s: expected %s, got %s\n", path, note(model, "test.layers"), text);
        return false;
    }
    if (zf_net_find_layer(net, "y", &layer, &err) != ZF_OK) {
        print_error("%s: %s\n", path, err.message);
        return false;
    }
    found = run(net, layer);
    for (; *expected && i < zf_tensor_count(&found); i++) {
        char *end;
        const double value = strtod(expected, &end);

        expected = end;
        if (good && !(fabs((double)found.data[i] - value) <= TOLERANCE * (1 + fabs(value)))) {
            print_error("%s: value %" PRId64 ": expected %.7g, got %.7g\n", path, i, value,
                        (double)found.data[i]);
            good = false;
        }
    }
    if (*expected || i != zf_tensor_count(&found)) {
        print_error("%s: %" PRId64 " values, expected another number\n", path,
                    zf_tensor_count(&found));
        good = false;
    }
    zf_tensor_release(&found);
    return good;
}

/* A model that is not read says why. Prints another sentence. */
static bool is_refused(const char *path, const char *sentence)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    const enum zf_status status = zf_model_open(path, NULL, &net, &err);

    if (status == ZF_EUNSUPPORTED && strstr(err.message, sentence))
        return true;
    print_error("%s: expected '%s', got '%s'\n", path, sentence, net ? "a net" : err.message);
    zf_net_free(&net);
    return false;
}

static void every_small_model_becomes_what_it_says_and_computes_what_pytorch_does(void **state)
{
    char **paths = onnx_paths();
    const struct zf_model_options sized = {.height = 6, .width = 5};
    size_t count = 0, failed = 0;

    (void)state;
    for (; paths[count]; count++) {
        const char *name = strrchr(paths[count], '/') + 1;
        char stem[100] = "";
        Onnx__ModelProto *model;
        struct zf_net *net = NULL;

        memcpy(stem, name, strlen(name) - 5);
        model = onnx_model(stem);
        if (*note(model, "test.refused")) {
            failed += !is_refused(paths[count], note(model, "test.refused"));
        } else {
            net = load(paths[count], strcmp(stem, "open_size") == 0 ? &sized : NULL);
            failed += !net || !agrees(paths[count], net, model);
        }
        zf_net_free(&net);
        onnx__model_proto__free_unpacked(model, NULL);
    }
    onnx_paths_free(paths);
    assert_true(count > 80);
    assert_int_equal(failed, 0);
}

/* In the file they begin wherever the bytes before them end. */
static void weights_are_read_from_any_place_in_the_file(void **state)
{
    static const char *const names[] = {"conv", "gemm", "matmul_add", "batchnorm_folded",
                                        "weights_computed"};
    struct onnx_place place;

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t shift = 0; shift < 4; shift++) {
            Onnx__ModelProto *model = onnx_model(names[i]);
            struct zf_net *net;

            free(model->graph->name); /* stands before the tensors */
            model->graph->name = strdup(&"graph"[shift]);
            onnx_write(&place, model);
            net = load(place.path, NULL);
            assert_non_null(net);
            assert_true(agrees(place.path, net, model));
            zf_net_free(&net);
            onnx__model_proto__free_unpacked(model, NULL);
        }
    }
    onnx_place_release(&place);
}

static void layers_are_found_by_the_names_of_nodes_tensors_and_what_was_folded(void **state)
{
    static const struct {
        const char *model, *name;
        int layer;
    } names[] = {
        {"batchnorm_folded", "features.0", 0},
        {"batchnorm_folded", "c", 0},
        {"batchnorm_folded", "features.1", 0},
        {"batchnorm_folded", "n", 0},
        {"batchnorm_folded", "features.2", 1},
        {"batchnorm_folded", "y", 1},
        {"pad_into_conv", "pad", 0},
        {"pad_into_conv", "conv", 0},
        {"passed_on", "drop", 0},
        {"silu_in_pieces", "s", 0},
        {"matmul_add", "a", 0},
        {"channels_last", "bias", 0},
        {"channels_last", "fc", 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zf_net *net = load_named(names[i].model, NULL);
        struct zf_error err = {0};
        int layer = -1;

        if (zf_net_find_layer(net, names[i].name, &layer, &err) != ZF_OK || layer != names[i].layer)
            fail_msg("%s: '%s' should be layer %d, is %d %s", names[i].model, names[i].name,
                     names[i].layer, layer, err.message);
        zf_net_free(&net);
    }
}

static void a_net_can_end_at_a_node_or_a_tensor(void **state)
{
    static const char *const ends[] = {"features.0", "c"};
    char text[100];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct zf_net *net =
            load_named("batchnorm_folded", &(struct zf_model_options){.until = ends[i]});

        assert_string_equal(types(net, text, sizeof text), "conv");
        assert_int_equal(zf_net_parameter_tensors(net), 1); /* no shift from what follows */
        zf_net_free(&net);
    }
}

/* The note `was` becomes another one. */
static void set_note(Onnx__ModelProto *model, const char *was, const char *key, const char *value)
{
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        Onnx__StringStringEntryProto *prop = model->metadata_props[i];

        if (strcmp(prop->key, was) != 0)
            continue;
        free(prop->key);
        free(prop->value);
        prop->key = strdup(key);
        prop->value = strdup(value);
        return;
    }
    fail_msg("no note is called %s", was);
}

/* 0 x 0 asks for nothing: then it is the 6x5 of the metadata. */
static void net_of_size(const char *name, int64_t height, int64_t width)
{
    const struct zf_model_options options = {.height = height, .width = width};
    struct zf_net *net = load_named(name, &options);

    assert_int_equal(zf_net_input(net).h, height ? height : 6);
    assert_int_equal(zf_net_input(net).w, width ? width : 5);
    zf_net_free(&net);
}

static void a_size_that_the_model_leaves_open_is_asked_for(void **state)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    char path[1024];

    (void)state;
    snprintf(path, sizeof path, "%s/open_size.onnx", getenv("ZF_TEST_ONNX"));
    assert_int_equal(zf_model_open(path, NULL, &net, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "--input-size"));
    net = load(path, &(struct zf_model_options){.height = 9, .width = 7});
    assert_int_equal(zf_net_input(net).h, 9);
    assert_int_equal(zf_net_input(net).w, 7);
    zf_net_free(&net);
    snprintf(path, sizeof path, "%s/conv.onnx", getenv("ZF_TEST_ONNX"));
    assert_int_equal(
        zf_model_open(path, &(struct zf_model_options){.height = 7, .width = 5}, &net, &err),
        ZF_EINPUT);
    assert_non_null(strstr(err.message, "its input is 6x5 px, which cannot become 7x5"));
}

static void a_crop_in_the_metadata_gives_an_open_size_and_cannot_differ_from_another(void **state)
{
    static const struct {
        const char *model, *crop, *expected;
        int64_t h, w; /* of the net that is read */
    } cases[] = {
        {"open_size", "9x7", NULL, 9, 7},
        {"open_size", "(9, 7)", NULL, 9, 7},
        {"open_size", "9", NULL, 9, 9},
        {"conv", "6x5", NULL, 6, 5},
        {"conv", "5x6", "a crop of 5x6, and its input \"x\" is 6x5 px; --crop 6x5", 0, 0},
        {"open_size", "", "its crop is \"\", not HxW", 0, 0},
        {"open_size", "0x7", "its crop is \"0x7\", not HxW", 0, 0},
        {"open_size", "6.5", "its crop is \"6.5\", not HxW", 0, 0},
        {"open_size", "9x7x3", "its crop is \"9x7x3\", not HxW", 0, 0},
        {"open_size", "wide", "its crop is \"wide\", not HxW", 0, 0},
        {"open_size", "99999999999999999999", "not HxW", 0, 0},
    };
    struct onnx_place place;

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Onnx__ModelProto *model = onnx_model(cases[i].model);
        struct zf_net *net = NULL;

        set_note(model, "test.layers", "crop", cases[i].crop);
        onnx_write(&place, model);
        if (cases[i].expected) {
            onnx_assert_refused(&place, NULL, ZF_EINPUT, cases[i].expected);
        } else {
            net = load(place.path, NULL);
            assert_non_null(net);
            assert_int_equal(zf_net_input(net).h, cases[i].h);
            assert_int_equal(zf_net_input(net).w, cases[i].w);
        }
        zf_net_free(&net);
        onnx__model_proto__free_unpacked(model, NULL);
    }
    onnx_place_release(&place);
    /* Who says the size on the command line knows better than the file. */
    net_of_size("open_size_crop", 8, 7);
    net_of_size("open_size_crop", 0, 0);
}

static void metadata_gives_labels_and_preparation(void **state)
{
    struct zf_net *net = load_named("metadata", NULL);
    const struct zf_preparation *p = zf_net_preparation(net);

    (void)state;
    assert_string_equal(zf_net_label(net, 0), "a cat");
    assert_string_equal(zf_net_label(net, 1), "the dog's");
    assert_int_equal(p->channels, ZF_CHANNELS_BGR);
    assert_int_equal(p->resize, ZF_RESIZE_WARP);
    assert_int_equal(p->size, 9);
    assert_float_equal(p->mean[1], 0.25f * 255.0f, 1e-4); /* given for values of 0..1 */
    assert_float_equal(p->scale[1], 1.0f / (0.25f * 255.0f), 1e-7);
    zf_net_free(&net);
}

static void a_resize_of_the_metadata_is_read_in_its_forms(void **state)
{
    static const struct {
        const char *text;
        struct zf_preparation want;
    } cases[] = {
        {"short:9", {.resize = ZF_RESIZE_SHORT, .size = 9}},
        {"9", {.resize = ZF_RESIZE_SHORT, .size = 9}},
        {"fit:9", {.resize = ZF_RESIZE_FIT, .size = 9}},
        {"", {.resize = ZF_RESIZE_FIT, .size = 7}}, /* not said: 256 for 224 */
        {"warp:9", {.resize = ZF_RESIZE_WARP, .size = 9}},
        {"warp:9x8", {.resize = ZF_RESIZE_WARP, .size = 9, .width = 8}},
        {"warp", {.resize = ZF_RESIZE_WARP, .size = 6, .width = 5}}, /* as the input is */
    };
    struct onnx_place place;

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Onnx__ModelProto *model = onnx_model("conv");
        const struct zf_preparation *p;
        struct zf_net *net;

        if (*cases[i].text)
            set_note(model, "test.layers", "resize", cases[i].text);
        onnx_write(&place, model);
        net = load(place.path, NULL);
        assert_non_null(net);
        p = zf_net_preparation(net);
        if (p->resize != cases[i].want.resize || p->size != cases[i].want.size ||
            p->width != cases[i].want.width)
            fail_msg("%s: got %d, %" PRId64 ", %" PRId64, cases[i].text, p->resize, p->size,
                     p->width);
        zf_net_free(&net);
        onnx__model_proto__free_unpacked(model, NULL);
    }
    onnx_place_release(&place);
}

static void what_the_metadata_does_not_say_is_not_guessed(void **state)
{
    struct zf_net *net = load_named("conv", NULL);
    const struct zf_preparation *p = zf_net_preparation(net);

    (void)state;
    assert_false(zf_net_has_labels(net));
    assert_int_equal(p->channels, ZF_CHANNELS_RGB);
    assert_int_equal(p->resize, ZF_RESIZE_FIT);
    assert_int_equal(p->size, 7); /* 6 * 256 / 224 */
    for (int i = 0; i < 3; i++) {
        assert_float_equal(p->mean[i], 0, 0);
        assert_float_equal(p->scale[i], 1, 0);
    }
    zf_net_free(&net);
}

static void an_imported_net_is_saved_and_comes_back_the_same(void **state)
{
    static const char *const suffixes[] = {"safetensors", "onnx"};
    struct zf_net *net = load_named("channels_last", NULL), *again = NULL;
    struct zf_tensor before = run(net, zf_net_layer_count(net) - 1), after;
    struct onnx_place place;
    struct zf_error err;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        onnx_place_init(&place);
        snprintf(place.path, sizeof place.path, "%s/again.%s", place.directory, suffixes[i]);
        if (zf_model_save(net, place.path, &err) != ZF_OK ||
            zf_model_load(place.path, NULL, &again, &err) != ZF_OK)
            fail_msg("%s", err.message);
        after = run(again, zf_net_layer_count(again) - 1);
        assert_int_equal(zf_tensor_count(&after), zf_tensor_count(&before));
        assert_memory_equal(after.data, before.data,
                            (size_t)zf_tensor_count(&before) * sizeof *before.data);
        zf_tensor_release(&after);
        zf_net_free(&again);
        onnx_place_release(&place);
    }
    zf_tensor_release(&before);
    zf_net_free(&net);
}

static void squeezenet_of_the_shared_folder_has_its_layers_and_labels(void **state)
{
    const char *shared = getenv("ZFSCOPE_SHARED");
    struct zf_net *net;
    struct zf_error err;
    char path[1024];
    int layer = -1;

    (void)state;
    if (!shared)
        skip();
    snprintf(path, sizeof path, "%s/models/squeezenet1.0.onnx", shared);
    net = load(path, NULL);
    assert_non_null(net);
    assert_int_equal(zf_net_input(net).h, 227);
    assert_int_equal(zf_net_class_count(net), 1000);
    assert_string_equal(zf_net_label(net, 0), "tench");
    assert_float_equal(zf_net_preparation(net)->mean[0], 123, 0);
    assert_int_equal(zf_net_find_layer(net, "fire9/concat", &layer, &err), ZF_OK);
    assert_int_equal(zf_net_layer(net, layer).shape.c, 512);
    assert_int_equal(zf_net_parameter_count(net), 1248424);
    zf_net_free(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_small_model_becomes_what_it_says_and_computes_what_pytorch_does),
        cmocka_unit_test(weights_are_read_from_any_place_in_the_file),
        cmocka_unit_test(layers_are_found_by_the_names_of_nodes_tensors_and_what_was_folded),
        cmocka_unit_test(a_net_can_end_at_a_node_or_a_tensor),
        cmocka_unit_test(a_size_that_the_model_leaves_open_is_asked_for),
        cmocka_unit_test(a_crop_in_the_metadata_gives_an_open_size_and_cannot_differ_from_another),
        cmocka_unit_test(metadata_gives_labels_and_preparation),
        cmocka_unit_test(a_resize_of_the_metadata_is_read_in_its_forms),
        cmocka_unit_test(what_the_metadata_does_not_say_is_not_guessed),
        cmocka_unit_test(an_imported_net_is_saved_and_comes_back_the_same),
        cmocka_unit_test(squeezenet_of_the_shared_folder_has_its_layers_and_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
