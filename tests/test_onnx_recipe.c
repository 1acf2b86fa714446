/* SPDX-License-Identifier: MIT */
/* What other programs say beside a model about preparing its pictures. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "onnx_fixture.h"
#include "zf/model.h"
#include "zf/net.h"

/* The test's own notes give way. */
static void rename_note(Onnx__ModelProto *model, size_t i, const char *key, const char *value)
{
    Onnx__StringStringEntryProto *note = model->metadata_props[i];

    assert_true(i < model->n_metadata_props);
    free(note->key);
    free(note->value);
    note->key = strdup(key);
    note->value = strdup(value);
}

/* Of a net of 6 x 5; values of 0 to 255 become (value - mean) * scale. */
static void recipes_of_other_programs_are_read(void **state)
{
    static const struct {
        const char *file, *text;
        double mean, scale;
        struct zf_preparation want;
    } cases[] = {
        {"config.json",
         "{\"pretrained_cfg\":{\"mean\":[0.5,0.5,0.5],\"std\":[0.25,0.25,0.25],\"crop_pct\":0.5}}",
         127.5,
         4 / 255.0,
         {.resize = ZF_RESIZE_SHORT, .size = 10}},
        {"config.json",
         "{\"mean\":0.5,\"std\":0.25,\"crop_pct\":1.0,\"crop_mode\":\"squash\"}",
         127.5,
         4 / 255.0,
         {.resize = ZF_RESIZE_WARP, .size = 6, .width = 5}},
        {"config.json", "{\"model_type\":\"resnet\"}", 0, 1, {.resize = ZF_RESIZE_FIT, .size = 7}},
        {"config.json", "no JSON", 0, 1, {.resize = ZF_RESIZE_FIT, .size = 7}},
        {"preprocessor_config.json",
         "{\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.5],\"size\":{\"shortest_edge\":7},"
         "\"crop_pct\":0.875}",
         127.5,
         2 / 255.0,
         {.resize = ZF_RESIZE_SHORT, .size = 8}},
        {"preprocessor_config.json",
         "{\"do_normalize\":false,\"size\":{\"height\":8,\"width\":9}}",
         0,
         1 / 255.0,
         {.resize = ZF_RESIZE_WARP, .size = 8, .width = 9}},
        {"preprocessor_config.json",
         "{\"image_mean\":[9,9,9],\"image_std\":[2,2,2],\"do_rescale\":false,\"size\":4}",
         9,
         0.5,
         {.resize = ZF_RESIZE_FIT, .size = 7}}, /* too small for the input */
        {"preprocessor_config.json",            /* ConvNeXt of 384: no share is cut */
         "{\"image_processor_type\":\"ConvNextImageProcessor\",\"do_normalize\":false,\"size\":{"
         "\"shortest_edge\":384},\"crop_pct\":0.875}",
         0,
         1 / 255.0,
         {.resize = ZF_RESIZE_WARP, .size = 384}},
        {"preprocessor_config.json", /* before sides had names */
         "{\"feature_extractor_type\":\"ViTFeatureExtractor\",\"do_normalize\":false,\"size\":8}",
         0,
         1 / 255.0,
         {.resize = ZF_RESIZE_WARP, .size = 8}},
        {"preprocessor_config.json",
         "{\"feature_extractor_type\":\"CLIPFeatureExtractor\",\"do_normalize\":false,\"size\":8}",
         0,
         1 / 255.0,
         {.resize = ZF_RESIZE_SHORT, .size = 8}},
        {"preprocessor_config.json",
         "{\"do_resize\":false,\"do_normalize\":false,\"size\":{\"shortest_edge\":9}}",
         0,
         1 / 255.0,
         {.resize = ZF_RESIZE_FIT, .size = 7}},
        {"metadata.json",
         "{\"tmVersion\":\"2.4.5\",\"labels\":[\"a\"],\"imageSize\":224}",
         127.5,
         1 / 127.5,
         {.resize = ZF_RESIZE_SHORT, .size = 6}},
        {"preprocessor.json",
         "{\"class_name\":\"ResNetImageClassifierPreprocessor\",\"config\":{\"image_converter\":"
         "{\"class_name\":\"ResNetImageConverter\",\"config\":{\"image_size\":[7,7],"
         "\"scale\":[0.25,0.25,0.25],\"offset\":[-2,-2,-2],\"crop_to_aspect_ratio\":true}}}}",
         8,
         0.25,
         {.resize = ZF_RESIZE_SHORT, .size = 7}},
        {"preprocessor.json",
         "{\"config\":{\"scale\":0.5,\"image_size\":[8,9],\"crop_to_aspect_ratio\":false}}",
         0,
         0.5,
         {.resize = ZF_RESIZE_WARP, .size = 8, .width = 9}},
        {"preprocessor.json",
         "{\"config\":{\"scale\":0}}",
         0,
         1,
         {.resize = ZF_RESIZE_FIT, .size = 7}},
        {NULL, "Ultralytics", 0, 1 / 255.0, {.resize = ZF_RESIZE_SHORT, .size = 6}},
    };
    struct onnx_place place;
    char path[256];

    (void)state;
    onnx_place_init(&place);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Onnx__ModelProto *model = onnx_model("conv");
        const struct zf_preparation *p;
        struct zf_net *net = NULL;
        struct zf_error err = {0};

        if (cases[i].file) {
            FILE *file;

            snprintf(path, sizeof path, "%s/%s", place.directory, cases[i].file);
            file = fopen(path, "w");
            assert_non_null(file);
            assert_true(fputs(cases[i].text, file) >= 0);
            assert_int_equal(fclose(file), 0);
        } else {
            rename_note(model, 0, "author", cases[i].text);
            rename_note(model, 1, "task", "classify");
        }
        onnx_write(&place, model);
        if (zf_model_open(place.path, NULL, &net, &err) != ZF_OK)
            fail_msg("case %zu: %s", i, err.message);
        p = zf_net_preparation(net);
        if (p->resize != cases[i].want.resize || p->size != cases[i].want.size ||
            p->width != cases[i].want.width)
            fail_msg("case %zu: got %d, %" PRId64 ", %" PRId64, i, p->resize, p->size, p->width);
        for (int c = 0; c < 3; c++) {
            assert_float_equal(p->mean[c], cases[i].mean, 1e-4);
            assert_float_equal(p->scale[c], cases[i].scale, 1e-7);
        }
        zf_net_free(&net);
        onnx__model_proto__free_unpacked(model, NULL);
        if (cases[i].file)
            assert_int_equal(remove(path), 0);
    }
    onnx_place_release(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipes_of_other_programs_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
