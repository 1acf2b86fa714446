/* SPDX-License-Identifier: MIT */
/* A diagnosis finds what the test has broken, and nothing else. */
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
#include "document_fixture.h"
#include "experiments/diagnose/diagnose.h"
#include "measure/spectrum.h"
#include "net/net.h"
#include "look_world.h"

#define MAPS 6 /* of conv1 */
#define FILTER (3 * 5 * 5)
#define KERNEL 11
#define PI 3.14159265358979323846

/* The values of a parameter, to change. */
static float *values_of(struct world *w, const char *name)
{
    for (int i = 0; i < zf_net_parameter_tensors(w->net); i++) {
        const struct zf_parameter parameter = zf_net_parameter(w->net, i);

        if (strcmp(parameter.name, name) == 0)
            return weights_of(w->net) + (parameter.data - weights_of(w->net));
    }
    fail_msg("there is no %s", name);
    return NULL;
}

static struct zf_diagnosis *diagnose(struct world *w, const struct zf_data *data)
{
    struct zf_diagnosis *diagnosis = NULL;

    must(w, zf_diagnose_run(w->net, data, &(struct zf_top_options){.compute.engine = "reference"},
                            &diagnosis, NULL, &w->err));
    return diagnosis;
}

static void kill_map(struct world *w, int map)
{
    memset(values_of(w, "conv1.weight") + map * FILTER, 0, FILTER * sizeof(float));
    values_of(w, "conv1.bias")[map] = -1.0f;
}

static void scale_filter(struct world *w, int map, float factor)
{
    for (int i = 0; i < FILTER; i++)
        values_of(w, "conv1.weight")[map * FILTER + i] *= factor;
}

/* ---- Maps. ---- */

static void exactly_the_killed_maps_are_dead(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis;

    kill_map(w, 1);
    kill_map(w, 4);
    diagnosis = diagnose(w, w->data);
    assert_int_equal(diagnosis->images, PICTURES);
    assert_int_equal(diagnosis->layer_count, 2);
    for (size_t m = 0; m < MAPS; m++)
        assert_int_equal(diagnosis->layers[0].maps[m].dead, m == 1 || m == 4);
    assert_int_equal(diagnosis->layers[0].dead, 2);
    assert_int_equal(diagnosis->layers[0].duplicate, 0);
    assert_non_null(strstr(diagnosis->layers[0].verdict, "2 of 6 maps never fire"));
    assert_non_null(strstr(diagnosis->layers[0].verdict, "(1, 4)"));
    assert_null(strstr(diagnosis->layers[0].verdict, "median"));
    zf_diagnosis_free(&diagnosis);
}

static void a_map_that_fires_in_one_picture_is_not_dead(void **state)
{
    struct world *w = *state;
    const struct zf_top_options options = {.k = PICTURES};
    struct zf_top *top;
    struct zf_diagnosis *diagnosis;
    const struct zf_top_map *map;

    /* A threshold between the two strongest pictures of map 3. */
    top = run_top(w, &options);
    map = &top->layers[0].maps[3];
    assert_true(map->entries[0].activation > map->entries[1].activation);
    values_of(w, "conv1.bias")[3] -= (map->entries[0].activation + map->entries[1].activation) / 2;
    zf_top_free(&top);
    diagnosis = diagnose(w, w->data);
    assert_true(fabs(diagnosis->layers[0].maps[3].fired_pictures - 1.0 / PICTURES) < 1e-12);
    assert_true(diagnosis->layers[0].maps[3].fired_positions > 0);
    assert_int_equal(diagnosis->layers[0].dead, 0);
    zf_diagnosis_free(&diagnosis);
}

static void firing_is_counted_by_picture_and_by_place(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = PICTURES});
    struct zf_diagnosis *diagnosis = diagnose(w, w->data);

    for (size_t l = 0; l < 2; l++) {
        for (size_t m = 0; m < diagnosis->layers[l].map_count; m++) {
            const struct zf_diagnosis_map *map = &diagnosis->layers[l].maps[m];
            int fired = 0;

            for (size_t k = 0; k < PICTURES; k++)
                fired += top->layers[l].maps[m].entries[k].activation > 0;
            assert_true(fabs(map->fired_pictures - fired / (double)PICTURES) < 1e-12);
            assert_true(map->fired_positions <= map->fired_pictures);
        }
    }
    zf_top_free(&top);
    zf_diagnosis_free(&diagnosis);
}

static void exactly_the_enlarged_filter_dominates(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis;

    scale_filter(w, 2, 20.0f);
    diagnosis = diagnose(w, NULL);
    assert_int_equal(diagnosis->images, 0);
    for (size_t m = 0; m < MAPS; m++)
        assert_int_equal(diagnosis->layers[0].maps[m].dominating, m == 2);
    assert_non_null(
        strstr(diagnosis->layers[0].verdict, "1 of 6 maps has a filter of more than 10"));
    assert_true(isnan(diagnosis->layers[0].maps[0].fired_pictures));
    assert_true(isnan(diagnosis->layers[1].aliasing));
    zf_diagnosis_free(&diagnosis);
}

/* The world's net was never trained; conv2 has 2160 weights, conv1 450, too few to tell. */
static void weights_as_they_were_drawn_are_named(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis = diagnose(w, NULL);
    const struct zf_parameter weight = zf_net_parameter(w->net, 2);
    float *values = weights_of(w->net) + zf_net_gradient_offset(w->net, 2);

    assert_string_equal(weight.name, "conv2.weight");
    assert_non_null(strstr(diagnosis->layers[1].verdict, "cannot be told from random numbers"));
    assert_null(strstr(diagnosis->layers[0].verdict, "random numbers"));
    assert_true(zf_diagnosis_weights_of(diagnosis, layer_index(w, "conv2"))->random);
    assert_true(
        isnan(zf_diagnosis_weights_of(diagnosis, layer_index(w, "conv1"))->randomness.most));
    assert_null(zf_diagnosis_weights_of(diagnosis, layer_index(w, "relu1")));
    zf_diagnosis_free(&diagnosis);

    for (int64_t i = 0; i < weight.count; i++) /* a direction that its filters share */
        values[i] += (float)(0.1 * sin((double)(i % (weight.count / 40))));
    diagnosis = diagnose(w, NULL);
    assert_false(zf_diagnosis_weights_of(diagnosis, layer_index(w, "conv2"))->random);
    assert_non_null(strstr(diagnosis->layers[1].verdict, "--data"));
    zf_diagnosis_free(&diagnosis);
}

static struct zf_diagnosis_course course_of(struct world *w, const char *model, int epochs,
                                            double pace, double gap)
{
    struct zf_diagnosis_course course = {0};
    char *log = in_world(w, "log.jsonl"), *path = in_world(w, model);
    FILE *file = fopen(log, "w");

    assert_non_null(file);
    for (int e = 1; e <= epochs; e++)
        fprintf(file, "{\"epoch\":%d,\"loss\":%g,\"train_top1_error\":%g,\"val_top1_error\":%g}\n",
                e, exp(-e * pace), 0.1, 0.1 + gap + 0.05 * exp(-e * pace));
    fprintf(file, "{\"epoch\":%d,\"lo", epochs + 1); /* as it is being written */
    fclose(file);
    must(w, zf_diagnose_log(path, &course, &w->err));
    zf_free(log);
    zf_free(path);
    return course;
}

static void the_log_tells_of_an_early_end_and_of_learning_by_heart(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis_course course = course_of(w, "model.safetensors", 12, 0.1, 0);

    assert_true(course.told && course.falling && !course.gap);
    assert_int_equal(course.epochs, 12);
    assert_int_equal(course.best_epoch, 12);
    assert_true(fabs(course.fall - (1 - exp(-0.4))) < 1e-4); /* a third is four epochs */
    course = course_of(w, "model.safetensors", 12, 0.001, 0.3);
    assert_true(course.told && !course.falling && course.gap);
    /* An epoch that was kept knows nothing of those after it. */
    course = course_of(w, "epochs/0006.safetensors", 12, 0.1, 0);
    assert_int_equal(course.epochs, 6);
    course = course_of(w, "epochs/0002.safetensors", 12, 0.1, 0);
    assert_false(course.told);
    course = (struct zf_diagnosis_course){0};
    must(w, zf_diagnose_log("/nowhere/model.onnx", &course, &w->err));
    assert_int_equal(course.epochs, 0);
}

static void a_copied_filter_is_a_duplicate_at_any_size(void **state)
{
    struct world *w = *state;
    float *weight = values_of(w, "conv1.weight");
    struct zf_diagnosis *diagnosis;

    memcpy(weight + 5 * FILTER, weight + 1 * FILTER, FILTER * sizeof(float));
    scale_filter(w, 5, 1.5f);
    memcpy(weight + 4 * FILTER, weight + 1 * FILTER, FILTER * sizeof(float));
    scale_filter(w, 4, -1.0f); /* the opposite is another filter */
    diagnosis = diagnose(w, NULL);
    for (size_t m = 0; m < MAPS; m++)
        assert_int_equal(diagnosis->layers[0].maps[m].duplicate, m == 5);
    assert_int_equal(diagnosis->layers[0].maps[5].twin, 1);
    assert_true(fabs(diagnosis->layers[0].maps[5].twin_cosine - 1) < 1e-6);
    zf_diagnosis_free(&diagnosis);
}

static void a_map_that_is_always_on_is_saturated(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis;

    values_of(w, "conv1.bias")[0] = 1e6f;
    diagnosis = diagnose(w, w->data);
    for (size_t m = 0; m < MAPS; m++)
        assert_int_equal(diagnosis->layers[0].maps[m].saturated, m == 0);
    zf_diagnosis_free(&diagnosis);
}

/* ---- Frequencies. ---- */

/* A wave of `cycles` per pixel along (cos angle, sin angle). */
static struct zf_spectrum wave(double cycles, double angle, int64_t stride)
{
    struct zf_spectrum spectrum = {0};
    float plane[KERNEL * KERNEL];

    for (int y = 0; y < KERNEL; y++) {
        for (int x = 0; x < KERNEL; x++)
            plane[y * KERNEL + x] =
                (float)sin(2 * PI * cycles * (x * cos(angle) + y * sin(angle)) + 0.3);
    }
    assert_int_equal(zf_spectrum_add(&spectrum, plane, KERNEL, KERNEL, 32, stride, NULL), ZF_OK);
    return spectrum;
}

static void a_wave_lies_in_its_band_whatever_its_direction(void **state)
{
    static const struct {
        double cycles;
        enum zf_band band;
    } waves[] = {{0.03, ZF_BAND_LOW}, {0.1875, ZF_BAND_MIDDLE}, {0.4, ZF_BAND_HIGH}};

    (void)state;
    for (size_t i = 0; i < sizeof waves / sizeof *waves; i++) {
        for (double angle = 0; angle < PI; angle += PI / 6) {
            const struct zf_spectrum spectrum = wave(waves[i].cycles, angle, 2);

            /* 11 values are a short wave: its line is 0.09 wide and leaks. */
            assert_true(spectrum.band[waves[i].band] > 0.7 * spectrum.total);
        }
    }
}

static void no_energy_is_lost_and_noise_fills_all_bands(void **state)
{
    struct zf_spectrum spectrum = {0};
    const float impulse[9] = {0, 0, 0, 0, 2, 0, 0, 0, 0};

    (void)state;
    assert_int_equal(zf_spectrum_add(&spectrum, impulse, 3, 3, 64, 1, NULL), ZF_OK);
    assert_true(fabs(spectrum.total / (64 * 64) - 4) < 1e-9); /* Parseval */
    assert_true(fabs(spectrum.band[0] + spectrum.band[1] + spectrum.band[2] - spectrum.total) <
                1e-6);
    /* A flat spectrum: the bands have the areas of rings of 1/8 and 1/4 in the unit square. */
    assert_true(fabs(spectrum.band[ZF_BAND_LOW] / spectrum.total - PI / 64) < 0.01);
    assert_true(fabs(spectrum.band[ZF_BAND_MIDDLE] / spectrum.total - 3 * PI / 64) < 0.01);
    assert_true(spectrum.folded == 0); /* stride 1 folds nothing */
}

static void a_stride_folds_what_is_above_half_its_rate(void **state)
{
    struct zf_spectrum fine = wave(0.4, 0, 2), coarse = wave(0.1, 0, 2);
    struct zf_spectrum strided = wave(0.1875, PI / 2, 4);

    (void)state;
    assert_true(fine.folded > 0.8 * fine.total);
    assert_true(coarse.folded < 0.1 * coarse.total);
    assert_true(strided.folded > 0.7 * strided.total); /* 4 carries up to 1/8 */
}

static void a_plane_that_does_not_fit_is_refused(void **state)
{
    const float plane[4] = {0};
    struct zf_spectrum spectrum = {0};

    (void)state;
    assert_int_equal(zf_spectrum_add(&spectrum, plane, 2, 2, 1, 1, NULL), ZF_EINVAL);
    assert_int_equal(zf_spectrum_add(&spectrum, plane, 2, 2, 1024, 1, NULL), ZF_EINVAL);
    assert_int_equal(zf_spectrum_add(&spectrum, plane, 2, 2, 8, 0, NULL), ZF_EINVAL);
}

static void filters_of_waves_make_the_verdict(void **state)
{
    struct world *w = *state;
    float *weight = values_of(w, "conv1.weight");
    struct zf_diagnosis *diagnosis;

    /* A checkerboard: the highest frequency that there is. */
    for (int i = 0; i < MAPS * FILTER; i++)
        weight[i] = (i % 25 / 5 + i % 5) % 2 ? 1.0f : -1.0f;
    diagnosis = diagnose(w, NULL);
    assert_true(diagnosis->layers[0].band[ZF_BAND_HIGH] > 0.9);
    assert_true(diagnosis->layers[0].aliasing > 0.9);
    assert_int_equal(diagnosis->layers[0].stride, 2);
    assert_int_equal(diagnosis->layers[0].kernel, 5);
    assert_non_null(strstr(diagnosis->layers[0].verdict, "above a quarter of the sampling rate"));
    zf_diagnosis_free(&diagnosis);
}

/* Edges of 3x3 have what noise has at high frequencies, and are as good as such filters get. */
static void edges_in_small_filters_are_not_taken_for_noise(void **state)
{
    static const char spec[] = "[net]\nname = edges\ninput = 3x16x16\n[conv]\ntype = conv\n"
                               "maps = 2\nkernel = 3\n[relu]\ntype = relu\n";
    static const float sobel[] = {-1, 0, 1, -2, 0, 2, -1, 0, 1};
    const struct zf_top_options options = {.compute = {.threads = 1}};
    struct zf_diagnosis *diagnosis = NULL;
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    int64_t floats;
    float *weights;

    (void)state;
    assert_int_equal(zf_net_parse_spec(spec, "spec", 0, &net, &err), ZF_OK);
    weights = zf_net_parameters_mutable(net, &floats);
    for (int i = 0; i < 2 * 3 * 9; i++) /* the second map has them turned */
        weights[i] = i < 27 ? sobel[i % 9] : sobel[i % 9 % 3 * 3 + i % 9 / 3];
    if (zf_diagnose_run(net, NULL, &options, &diagnosis, NULL, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_null(strstr(diagnosis->layers[0].verdict, "train longer"));
    assert_true(diagnosis->layers[0].sound);
    zf_diagnosis_free(&diagnosis);
    zf_net_free(&net);
}

/* ---- The whole. ---- */

static void the_report_has_the_promised_keys_and_pictures(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis;
    char *directory = in_world(w, "out"), *json;
    struct zf_document *document;
    static const char *const files[] = {"index.html", "diagnose.json",   "conv1.png",
                                        "conv2.png",  "frequencies.svg", "maps.svg"};

    kill_map(w, 1);
    diagnosis = diagnose(w, w->data);
    assert_true(diagnosis->layers[1].aliasing >= 0 && diagnosis->layers[1].aliasing <= 1);
    document = document_open(directory, "diagnose", "zfscope diagnose");
    zf_diagnose_page(w->net, diagnosis, w->data, document);
    json = document_close(&document);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = in_world(w, "out");
        char name[64];
        struct stat info;

        zf_free(path);
        snprintf(name, sizeof name, "out/%s", files[i]);
        path = in_world(w, name);
        assert_int_equal(stat(path, &info), 0);
        zf_free(path);
    }
    assert_non_null(strstr(json, "{\"name\":\"conv1\",\"maps\":6,\"dead\":[1],\"dominating\":[]"));
    assert_non_null(strstr(json, "\"mid_frequency_share\":0."));
    assert_non_null(strstr(json, "\"aliasing\":0."));
    assert_non_null(strstr(json, "\"verdict\":\"1 of 6 maps never fires"));
    zf_free(json);
    zf_diagnosis_free(&diagnosis);
    zf_free(directory);
}

static void of_many_layers_some_become_curves(void **state)
{
    struct world *w = *state;
    char spec[2048] = "[net]\nname = deep\ninput = 3x20x20\nclasses = 2\nsize = 20\n";
    char *directory = in_world(w, "out"), *path = in_world(w, "out/maps.svg");
    struct zf_diagnosis *diagnosis;
    struct zf_document *document;
    struct zf_bytes svg = {0};
    size_t lines = 0;

    for (int i = 1; i <= 20; i++) {
        const size_t used = strlen(spec);

        snprintf(spec + used, sizeof spec - used,
                 "[conv%d]\ntype = conv\nmaps = 4\nkernel = 3\npad = 1\n", i);
    }
    strcat(spec, "[fc]\ntype = fc\nmaps = 2\n[prob]\ntype = softmax\n");
    zf_net_free(&w->net);
    must(w, zf_net_parse_spec(spec, "test", 0, &w->net, &w->err));
    zf_net_init_parameters(w->net, ZF_INIT_HE, 0.0, 3);
    diagnosis = diagnose(w, NULL);
    assert_int_equal(diagnosis->layer_count, 20);
    document = document_open(directory, "diagnose", NULL);
    zf_diagnose_page(w->net, diagnosis, NULL, document);
    zf_free(document_close(&document));
    must(w, zf_bytes_map(&svg, path, 1 << 24, &w->err));
    for (size_t i = 0; i + 14 <= svg.size; i++)
        lines += memcmp(svg.data + i, "<g class=\"zf-s", 14) == 0;
    assert_int_equal(lines, 2 * 7); /* every third of 20, in the legend and in the chart */
    zf_bytes_release(&svg);
    zf_diagnosis_free(&diagnosis);
    zf_free(path);
    zf_free(directory);
}

static void a_net_without_convolutions_is_refused(void **state)
{
    struct world *w = *state;
    static const char spec[] = "[net]\nname = flat\ninput = 3x20x20\nclasses = 2\nsize = 20\n"
                               "[fc1]\ntype = fc\nmaps = 2\n[prob]\ntype = softmax\n";
    struct zf_net *net = NULL;
    struct zf_diagnosis *diagnosis = NULL;

    must(w, zf_net_parse_spec(spec, "test", 0, &net, &w->err));
    assert_int_equal(
        zf_diagnose_run(net, NULL, &(struct zf_top_options){0}, &diagnosis, NULL, &w->err),
        ZF_EUNSUPPORTED);
    assert_null(diagnosis);
    zf_net_free(&net);
}

static void a_cancelled_diagnosis_leaves_nothing(void **state)
{
    struct world *w = *state;
    struct zf_diagnosis *diagnosis = NULL;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    assert_int_equal(zf_diagnose_run(w->net, w->data,
                                     &(struct zf_top_options){.compute.engine = "reference"},
                                     &diagnosis, &monitor, &w->err),
                     ZF_ECANCELED);
    assert_int_equal(calls, 1);
    assert_null(diagnosis);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_in_small_filters_are_not_taken_for_noise),
        IN_WORLD(exactly_the_killed_maps_are_dead),
        IN_WORLD(a_map_that_fires_in_one_picture_is_not_dead),
        IN_WORLD(firing_is_counted_by_picture_and_by_place),
        IN_WORLD(exactly_the_enlarged_filter_dominates),
        IN_WORLD(a_copied_filter_is_a_duplicate_at_any_size),
        IN_WORLD(a_map_that_is_always_on_is_saturated),
        cmocka_unit_test(a_wave_lies_in_its_band_whatever_its_direction),
        cmocka_unit_test(no_energy_is_lost_and_noise_fills_all_bands),
        cmocka_unit_test(a_stride_folds_what_is_above_half_its_rate),
        cmocka_unit_test(a_plane_that_does_not_fit_is_refused),
        IN_WORLD(filters_of_waves_make_the_verdict),
        IN_WORLD(weights_as_they_were_drawn_are_named),
        IN_WORLD(the_log_tells_of_an_early_end_and_of_learning_by_heart),
        IN_WORLD(the_report_has_the_promised_keys_and_pictures),
        IN_WORLD(of_many_layers_some_become_curves),
        IN_WORLD(a_net_without_convolutions_is_refused),
        IN_WORLD(a_cancelled_diagnosis_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
