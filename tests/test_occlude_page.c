/* SPDX-License-Identifier: MIT */
/* The page of an occlusion, and its numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "base/file.h"
#include "base/memory.h"
#include "document_fixture.h"
#include "occlude_fixture.h"

static char *read_file(struct world *w, const char *directory, const char *name, size_t *size)
{
    char *folder = in_world(w, directory), *path = zf_path_join(folder, name);
    struct zf_bytes bytes = {0};
    char *text;

    must(w, zf_bytes_map(&bytes, path, 1 << 26, &w->err));
    text = malloc(bytes.size + 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    *size = bytes.size;
    zf_bytes_release(&bytes);
    zf_free(path);
    zf_free(folder);
    return text;
}

static void write_report(struct world *w, const struct zf_occlusions *result,
                         const struct zf_tensor *inputs, const char *directory)
{
    static const char *const names[] = {"a <b>.png", "c.png"};
    const struct zf_compute compute = {.engine = "reference"};
    struct zf_picture shown[IMAGES] = {{0}};
    struct zf_others *others = NULL;
    const struct zf_shape shape = {3, SIDE, SIDE};
    char *path = in_world(w, directory);
    struct zf_document *document = document_open(path, "occlude", NULL);

    for (int64_t i = 0; i < IMAGES; i++)
        must(w, zf_picture_from_input(inputs->data + i * 3 * SIDE * SIDE, shape,
                                      zf_net_preparation(w->net), &shown[i], &w->err));
    must(w, zf_others_find(w->net, w->data, result, shown, &compute, &others, NULL, &w->err));
    zf_occlude_page(w->net, result,
                    &(struct zf_occlude_show){
                        .names = names, .shown = shown, .colour = "mean", .others = others},
                    document);
    zf_free(document_close(&document));
    zf_others_free(&others, IMAGES);
    for (int i = 0; i < IMAGES; i++)
        zf_picture_release(&shown[i]);
    zf_free(path);
}

static void reports_of_one_result_are_the_same_bytes(void **state)
{
    static const char *const files[] = {"index.html", "occlude.json", "occlude-000.png",
                                        "occlude-001.png"};
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    struct zf_occlusions *result = run(w, &inputs, &options);

    write_report(w, result, &inputs, "one");
    write_report(w, result, &inputs, "two");
    for (size_t i = 0; i < 4; i++) {
        size_t size_one, size_two;
        char *one = read_file(w, "one", files[i], &size_one);
        char *two = read_file(w, "two", files[i], &size_two);

        assert_int_equal(size_one, size_two);
        assert_memory_equal(one, two, size_one);
        if (i == 0)
            assert_null(strstr(one, "<b>.png"));
        free(one);
        free(two);
    }
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

static void the_json_holds_the_maps_as_they_are(void **state)
{
    struct world *w = *state;
    struct zf_tensor inputs = inputs_of(w);
    const struct zf_occlude_options options = exact();
    struct zf_occlusions *result = run(w, &inputs, &options);
    size_t size;
    char *text;
    cJSON *json;

    write_report(w, result, &inputs, "one");
    text = read_file(w, "one", "occlude.json", &size);
    json = cJSON_Parse(text);
    assert_non_null(json);
    for (int i = 0; i < IMAGES; i++) {
        const cJSON *image = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "images"), i);
        const cJSON *map = cJSON_GetObjectItem(image, "probability_map");
        const cJSON *classes = cJSON_GetObjectItem(image, "class_map");
        const cJSON *layer = cJSON_GetObjectItem(image, "layer");

        assert_string_equal(cJSON_GetStringValue(layer), "relu2");
        assert_int_equal(cJSON_GetArraySize(map), 6);
        for (int k = 0; k < 36; k++) {
            const cJSON *value = cJSON_GetArrayItem(cJSON_GetArrayItem(map, k / 6), k % 6);
            const cJSON *class = cJSON_GetArrayItem(cJSON_GetArrayItem(classes, k / 6), k % 6);

            assert_float_equal((float)cJSON_GetNumberValue(value),
                               result->images[i].probability_map[k], 0.0);
            assert_int_equal((int)cJSON_GetNumberValue(class), result->images[i].class_map[k]);
        }
    }
    cJSON_Delete(json);
    free(text);
    zf_occlude_free(&result);
    zf_tensor_release(&inputs);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reports_of_one_result_are_the_same_bytes),
        TEST(the_json_holds_the_maps_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
