/* SPDX-License-Identifier: MIT */
/* Features under new classifiers: the features, twins, and the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "document_fixture.h"
#include "experiments/transfer/transfer.h"
#include "base/random.h"
#include "base/status.h"
#include "data_fixture.h"
#include "learn/features.h"
#include "experiments/transfer/twins.h"
#include "net/net.h"
#include "zf/model.h"

#define CLASSES 3

static const char spec[] = "[net]\nname = tiny\ninput = 3x12x12\nclasses = 3\nsize = 16\n"
                           "[train]\nbatch = 4\nepochs = 2\nlr = 0.001\n"
                           "[conv1]\ntype = conv\nmaps = 6\nkernel = 5\nstride = 2\n"
                           "[relu1]\ntype = relu\n"
                           "[fc2]\ntype = fc\nmaps = 24\n"
                           "[relu2]\ntype = relu\n"
                           "[drop2]\ntype = dropout\n"
                           "[fc3]\ntype = fc\nmaps = classes\n"
                           "[prob]\ntype = softmax\n";

#define must(expression)                                                                           \
    do {                                                                                           \
        if ((expression) != ZF_OK)                                                                 \
            fail_msg("%s: %s", #expression, err.message);                                          \
    } while (0)

static struct zf_net *make_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    must(zf_net_parse_spec(spec, "tiny", 0, &net, &err));
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.05, 3);
    return net;
}

/* ---- Features. ---- */

static void features_are_activations_of_length_one(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 3));
    struct zf_net *net = make_net();
    const int layers[] = {3, 1};
    const int64_t samples[] = {1, 2, 5, 8};
    struct zf_features *features = NULL;
    struct zf_error err = {0};
    const struct zf_features_request request = {.net = net,
                                                .data = data,
                                                .samples = samples,
                                                .count = 4,
                                                .layers = layers,
                                                .layer_count = 2,
                                                .directory = *state,
                                                .compute.threads = 1,
                                                .strict = true};

    must(zf_features_create(&request, &features, NULL, &err));
    assert_null(zf_features_row(features, 0, 0));
    for (size_t l = 0; l < 2; l++) {
        const struct zf_shape shape = zf_net_layer(net, layers[l]).shape;
        const int64_t width = shape.c * shape.h * shape.w;
        struct zf_tensor input = {0}, output = {0};
        struct zf_plan *plan = NULL;
        const float *row = zf_features_row(features, l, 5);
        double squares = 0;

        must(zf_input_load(zf_data_path(data, 5), net, &input, NULL, &err));
        must(zf_tensor_init(&output, 1, shape.c, shape.h, shape.w, &err));
        must(zf_plan_create(net,
                            &(struct zf_plan_options){.compute = {.batch = 1, .threads = 1},
                                                      .taps = &layers[l],
                                                      .tap_count = 1},
                            &plan, &err));
        zf_plan_forward(plan, &input);
        zf_plan_read(plan, layers[l], &output);
        for (int64_t i = 0; i < width; i++)
            squares += (double)output.data[i] * (double)output.data[i];
        assert_true(squares > 0);
        for (int64_t i = 0; i < width; i++)
            assert_true(fabs((double)row[i] - (double)output.data[i] / sqrt(squares)) < 1e-5);
        for (int64_t i = width; i < zf_features_stride(features, l); i++)
            assert_true(row[i] == 0);
        zf_plan_free(&plan);
        zf_tensor_release(&input);
        zf_tensor_release(&output);
    }
    zf_features_free(&features);
    zf_net_free(&net);
    zf_data_free(&data);
}

/* ---- Twins. ---- */

/* Smooth noise, so that another size is the same picture. */
static void save_blots(const char *path, int64_t side, uint64_t key)
{
    struct zf_random random = zf_random_stream(5, ZF_RANDOM_TEST, key, 0);
    struct zf_picture small, large = {0};
    struct zf_error err = {0};

    must(zf_picture_init(&small, 12, 12, &err));
    for (int i = 0; i < 12 * 12 * 3; i++)
        small.pixels[i] = (uint8_t)zf_random_below(&random, 256);
    must(zf_picture_square(&small, zf_geometry_square(ZF_RESIZE_WARP, side), &large, &err));
    must(zf_picture_save_png(&large, path, &err));
    zf_picture_release(&small);
    zf_picture_release(&large);
}

static struct zf_data *blots(void **state, const char *name, int count, uint64_t first)
{
    char path[64];
    struct zf_error err = {0};

    snprintf(path, sizeof path, "%s/a", name);
    must(zf_directory_make(fixture_path(state, path), &err));
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/a/%02d.png", name, i);
        save_blots(fixture_path(state, path), 80, first + (uint64_t)i);
    }
    return fixture_open(fixture_path(state, name));
}

static void a_planted_twin_is_found_and_nothing_else(void **state)
{
    const struct zf_overlap_options options = {.same = 0.97, .compute.threads = 1};
    struct zf_data *data = blots(state, "target", 20, 100), *seen = NULL;
    struct zf_transfer_twin *twins = NULL;
    struct zf_error err = {0};
    size_t count = 0;

    zf_data_free(&data);
    seen = blots(state, "seen", 300, 200); /* more than a batch */
    zf_data_free(&seen);
    save_blots(fixture_path(state, "seen/a/270.png"), 100, 107); /* target's 07, larger */
    data = fixture_open(fixture_path(state, "target"));
    seen = fixture_open(fixture_path(state, "seen"));
    must(zf_overlap_find(data, seen, &options, &twins, &count, NULL, &err));
    assert_int_equal(count, 1);
    assert_non_null(strstr(zf_data_path(data, twins[0].sample), "07.png"));
    assert_non_null(strstr(zf_data_path(seen, twins[0].seen), "270.png"));
    assert_true(twins[0].correlation >= 0.97 && twins[0].correlation < 1.001);
    zf_free(twins);
    zf_data_free(&data);
    zf_data_free(&seen);
}

/* ---- The whole. ---- */

/* Pictures whose class anybody sees: one channel is bright. */
static struct zf_data *plain_data(void **state, int each)
{
    static const char *const names[CLASSES] = {"blue", "green", "red"};
    struct zf_error err = {0};

    for (int k = 0; k < CLASSES; k++) {
        char path[64];

        snprintf(path, sizeof path, "plain/%s", names[k]);
        must(zf_directory_make(fixture_path(state, path), &err));
        for (int i = 0; i < each; i++) {
            struct zf_random random = zf_random_stream(6, ZF_RANDOM_TEST, (uint64_t)k, (uint64_t)i);
            struct zf_picture picture;

            must(zf_picture_init(&picture, 20, 20, &err));
            for (int p = 0; p < 20 * 20 * 3; p++)
                picture.pixels[p] =
                    (uint8_t)((p % 3 == 2 - k ? 200 : 0) + (int)zf_random_below(&random, 50));
            snprintf(path, sizeof path, "plain/%s/%d.png", names[k], i);
            must(zf_picture_save_png(&picture, fixture_path(state, path), &err));
            zf_picture_release(&picture);
        }
    }
    return fixture_open(fixture_path(state, "plain"));
}

static const int64_t per_class[] = {2, 4};

static struct zf_transfer_options default_options(void)
{
    return (struct zf_transfer_options){
        .per_class = per_class,
        .per_class_count = 2,
        .folds = 2,
        .train = {.compute = {.threads = 1, .engine = "reference"}, .strict = true},
    };
}

static void separable_features_give_an_accuracy_of_one(void **state)
{
    const enum zf_classifier both[] = {ZF_CLASSIFIER_SOFTMAX, ZF_CLASSIFIER_SVM};
    struct zf_data *data = plain_data(state, 7);
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_transfer *transfer = NULL;
    struct zf_document *document;
    struct zf_error err = {0};
    size_t classifiers = 2;
    enum zf_status status;

    options.classifiers = both;
    options.classifier_count = 2;
    status = zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err);
    if (status == ZF_EUNSUPPORTED) { /* a build without liblinear */
        options.classifier_count = classifiers = 1;
        status = zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err);
    }
    must(status);
    /* relu1 and relu2: the dropout behind relu2 is none of it, and fc3 is not features. */
    assert_int_equal(transfer->row_count, 2 * classifiers * 2);
    assert_int_equal(transfer->rows[0].layer, 1);
    assert_int_equal(transfer->rows[transfer->row_count - 1].layer, 3);
    assert_int_equal(transfer->fewest_tested, 3);
    for (size_t i = 0; i < transfer->row_count; i++) {
        assert_true(transfer->rows[i].accuracy.mean == 1.0);
        assert_true(transfer->rows[i].accuracy.deviation == 0.0);
        assert_int_equal(transfer->rows[i].per_class, per_class[i % 2]);
    }
    document = document_open(*state, "transfer", "zfscope transfer");
    zf_transfer_page(transfer, document);
    zf_free(document_close(&document));
    zf_transfer_free(&transfer);
    zf_net_free(&net);
    zf_data_free(&data);
}

static void an_svm_beyond_its_memory_leaves_a_gap(void **state)
{
    const enum zf_classifier both[] = {ZF_CLASSIFIER_SOFTMAX, ZF_CLASSIFIER_SVM};
    struct zf_data *data = plain_data(state, 7);
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_transfer *transfer = NULL;
    struct zf_document *document;
    struct zf_error err = {0};

    options.classifiers = both;
    options.classifier_count = 2;
    options.svm_memory = 100;
    if (zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err) == ZF_EUNSUPPORTED) {
        assert_non_null(strstr(err.message, "liblinear"));
    } else {
        for (size_t i = 0; i < transfer->row_count; i++)
            assert_int_equal(isnan(transfer->rows[i].accuracy.mean),
                             transfer->rows[i].classifier == ZF_CLASSIFIER_SVM);
        document = document_open(*state, "transfer", NULL);
        zf_transfer_page(transfer, document);
        zf_free(document_close(&document));
        zf_transfer_free(&transfer);
        options.classifiers = &both[1];
        options.classifier_count = 1;
        assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err),
                         ZF_EUNSUPPORTED);
        assert_non_null(strstr(err.message, "MiB"));
    }
    zf_net_free(&net);
    zf_data_free(&data);
}

/* ---- Saving. ---- */

static struct zf_eval_result evaluated(const char *model, struct zf_data *data, int64_t *images)
{
    struct zf_net *net = NULL;
    struct zf_eval_result result;
    struct zf_error err = {0};

    must(zf_model_load(model, NULL, &net, &err));
    must(zf_eval_run(
        (const struct zf_net *const *)&net, 1, data,
        &(struct zf_eval_options){.strict = true, .compute = {.threads = 1, .engine = "reference"}},
        &result, NULL, images, NULL, &err));
    assert_int_equal(zf_net_answer(net), ZF_ANSWER_SOFTMAX);
    assert_string_equal(zf_net_label(net, 1), "bee");
    assert_true(zf_net_preparation(net)->mean[0] == 100 && zf_net_preparation(net)->size == 16);
    zf_net_free(&net);
    return result;
}

/* Pictures of noise, so that a good part of the answers is wrong, and not the same part for another
   classifier. Each class is tested on as many pictures, so that the mean of the classes' accuracies
   is that of the pictures. */
static void a_saved_model_answers_as_the_classifier_did(void **state)
{
    static const char *const endings[] = {"safetensors", "onnx"};
    const struct zf_preparation preparation = {
        .size = 16, .mean = {100, 110, 120}, .scale = {0.02f, 0.02f, 0.02f}};
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 9));
    struct zf_net *net = make_net();
    struct zf_error err = {0};

    must(zf_net_set_preparation(net, &preparation, &err));
    for (int c = 0; zf_classifier_name(c); c++) {
        for (int layer = 1; layer <= 3; layer += 2) {
            const enum zf_classifier classifier = (enum zf_classifier)c;
            struct zf_transfer_options options = default_options();
            struct zf_transfer *transfer = NULL;
            struct zf_data *held_out = NULL;
            struct zf_eval_result result;
            int64_t images;
            char name[64];

            snprintf(name, sizeof name, "%d-%d.%s", c, layer, endings[layer / 2]);
            options.layers = &layer;
            options.layer_count = 1;
            options.classifiers = &classifier;
            options.classifier_count = 1;
            options.save = fixture_path(state, name);
            if (zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err) != ZF_OK) {
                assert_non_null(strstr(err.message, "liblinear"));
                continue;
            }
            assert_int_equal(transfer->saved.row->per_class, 4);
            assert_true(transfer->saved.accuracy < 0.9 && transfer->saved.accuracy > 0.1);
            held_out = fixture_open(fixture_path(state, "held-out.tsv"));
            result = evaluated(options.save, held_out, &images);
            assert_int_equal(images, 15);
            assert_int_equal(transfer->saved.tested, images);
            assert_true(result.top1_error == transfer->saved.top1_error);
            assert_true(fabs(result.top1_error - (1 - transfer->saved.accuracy)) < 1e-9);
            zf_data_free(&held_out);
            zf_transfer_free(&transfer);
        }
    }
    zf_net_free(&net);
    zf_data_free(&data);
}

/* The JSON of a transfer on drawings, with runs from scratch. */
static char *transfer_json(void **state, const char *directory, bool resume)
{
    struct zf_data *data = NULL;
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_variant scratch = {.net = fixture_path(state, "tiny.ini")};
    struct zf_transfer *transfer = NULL;
    struct zf_error err = {0};
    struct zf_document *document;
    char *json;

    fixture_write(scratch.net, spec, strlen(spec));
    must(zf_data_open("synth:train:80", &data, &err));
    scratch.recipe = *zf_net_recipe(net);
    options.scratch = &scratch;
    options.train.resume = resume;
    must(zf_transfer_run(net, data, &options, fixture_path(state, directory), &transfer, NULL,
                         &err));
    assert_int_equal(transfer->row_count, 6);
    assert_int_equal(transfer->rows[0].layer, -1);
    for (size_t i = 0; i < transfer->row_count; i++)
        assert_true(transfer->rows[i].accuracy.mean >= 0 && transfer->rows[i].accuracy.mean <= 1);
    document = document_open(fixture_path(state, directory), "transfer", NULL);
    zf_transfer_page(transfer, document);
    json = document_close(&document);
    zf_transfer_free(&transfer);
    zf_net_free(&net);
    zf_data_free(&data);
    return json;
}

static void a_transfer_is_the_same_twice_also_when_its_runs_are_there(void **state)
{
    char *first = transfer_json(state, "first", false);
    char *second = transfer_json(state, "second", false);
    char *again = transfer_json(state, "first", true);

    assert_string_equal(first, second);
    assert_string_equal(first, again);
    zf_free(first);
    zf_free(second);
    zf_free(again);
}

static void an_unreadable_picture_is_left_out_or_refused(void **state)
{
    struct zf_data *data = NULL;
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_transfer *transfer = NULL;
    struct zf_error err = {0};

    data = plain_data(state, 7);
    zf_data_free(&data);
    fixture_write(fixture_path(state, "plain/red/3.png"), "no picture", 10);
    data = fixture_open(fixture_path(state, "plain"));
    assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err),
                     ZF_EINPUT);
    assert_non_null(strstr(err.message, "3.png"));
    options.train.strict = false;
    must(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err));
    for (size_t i = 0; i < transfer->row_count; i++)
        assert_true(transfer->rows[i].accuracy.mean == 1.0);
    zf_transfer_free(&transfer);
    zf_net_free(&net);
    zf_data_free(&data);
}

static bool stop_at_classifiers(void *user, const char *stage, int64_t done, int64_t total)
{
    (void)user;
    assert_true(done >= 0 && done <= total);
    return strcmp(stage, "classifiers") != 0 || done < 3;
}

static void a_transfer_stops_on_request_and_leaves_nothing(void **state)
{
    const struct zf_train_monitor monitor = {.progress = stop_at_classifiers};
    struct zf_data *data = plain_data(state, 7);
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_transfer *transfer = NULL;
    struct zf_error err = {0};
    const char *directory = fixture_path(state, "stopped");

    assert_int_equal(zf_transfer_run(net, data, &options, directory, &transfer, &monitor, &err),
                     ZF_ECANCELED);
    assert_non_null(strstr(err.message, "3 of 8"));
    assert_null(transfer);
    assert_int_equal(rmdir(directory), 0); /* it was empty */
    zf_net_free(&net);
    zf_data_free(&data);
}

static void what_cannot_be_done_is_refused_before_the_work(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 5)), *one = NULL;
    struct zf_net *net = make_net();
    struct zf_transfer_options options = default_options();
    struct zf_transfer *transfer = NULL;
    struct zf_error err = {0};
    const int layer = 99;

    options.layers = &layer;
    options.layer_count = 1;
    assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err),
                     ZF_EINVAL);
    assert_non_null(strstr(err.message, "layer 99"));
    options = default_options();
    options.folds = 0;
    assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err),
                     ZF_EINVAL);
    assert_non_null(strstr(err.message, "0 folds"));
    options = default_options();
    one = blots(state, "one", 9, 1);
    assert_int_equal(zf_transfer_run(net, one, &options, *state, &transfer, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "1 class"));
    options.per_class = (const int64_t[]){2, 5};
    assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err),
                     ZF_EINPUT);
    assert_non_null(strstr(err.message, "class ant"));
    options = default_options();
    options.save = fixture_path(state, "nowhere/model.onnx");
    assert_int_equal(zf_transfer_run(net, data, &options, *state, &transfer, NULL, &err), ZF_EIO);
    assert_non_null(strstr(err.message, "nowhere/model.onnx"));
    assert_null(transfer);
    zf_net_free(&net);
    zf_data_free(&one);
    zf_data_free(&data);
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(features_are_activations_of_length_one),
        IN_A_DIRECTORY(a_planted_twin_is_found_and_nothing_else),
        IN_A_DIRECTORY(separable_features_give_an_accuracy_of_one),
        IN_A_DIRECTORY(an_svm_beyond_its_memory_leaves_a_gap),
        IN_A_DIRECTORY(a_saved_model_answers_as_the_classifier_did),
        IN_A_DIRECTORY(a_transfer_is_the_same_twice_also_when_its_runs_are_there),
        IN_A_DIRECTORY(an_unreadable_picture_is_left_out_or_refused),
        IN_A_DIRECTORY(a_transfer_stops_on_request_and_leaves_nothing),
        IN_A_DIRECTORY(what_cannot_be_done_is_refused_before_the_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
