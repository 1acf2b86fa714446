/* SPDX-License-Identifier: MIT */
/* What top writes: its JSON, sheets, page and the files beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <cjson/cJSON.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "look_world.h"
#include "policy_fixture.h"
#include "document_fixture.h"
#include "experiments/top/top.h"
#include "image/signal.h"

/* ---- The report. ---- */

static char *read_text(struct world *w, const char *directory, const char *name)
{
    char *path = zf_path_join(directory, name);
    struct zf_bytes bytes = {0};
    char *text;

    must(w, zf_bytes_map(&bytes, path, (size_t)1 << 30, &w->err));
    text = calloc(bytes.size + 1, 1);
    assert_non_null(text);
    memcpy(text, bytes.data, bytes.size);
    zf_bytes_release(&bytes);
    zf_free(path);
    return text;
}

static const cJSON *key(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!value)
        fail_msg("there is no \"%s\"", name);
    return value;
}

static void assert_entry_json(struct world *w, const cJSON *json, const struct zf_top_entry *entry)
{
    const cJSON *patch = key(json, "patch");

    assert_non_null(strstr(key(json, "image")->valuestring, ".png"));
    assert_string_equal(key(json, "label")->valuestring, zf_data_label(w->data, entry->sample) == 0
                                                             ? "cats"
                                                             : "d\xef\xbf\xbdgs <b>");
    assert_true((float)key(json, "activation")->valuedouble == entry->activation);
    assert_int_equal(key(json, "y")->valueint, entry->y);
    assert_int_equal(key(json, "x")->valueint, entry->x);
    assert_int_equal(key(patch, "x")->valueint, entry->patch.x);
    assert_int_equal(key(patch, "y")->valueint, entry->patch.y);
    assert_int_equal(key(patch, "width")->valueint, entry->patch.width);
    assert_int_equal(key(patch, "height")->valueint, entry->patch.height);
}

static void assert_top_json(struct world *w, const char *text, const struct zf_top *top)
{
    cJSON *root = cJSON_Parse(text);
    const cJSON *layers;

    assert_non_null(root);
    assert_int_equal(key(root, "images")->valueint, PICTURES);
    assert_true(key(root, "images_per_second")->valuedouble > 0);
    layers = key(root, "layers");
    assert_int_equal(cJSON_GetArraySize(layers), top->layer_count);
    for (size_t l = 0; l < top->layer_count; l++) {
        const struct zf_top_layer *layer = &top->layers[l];
        const cJSON *object = cJSON_GetArrayItem(layers, (int)l), *maps = key(object, "maps");

        assert_string_equal(key(object, "name")->valuestring,
                            zf_net_layer(w->net, layer->layer).name);
        assert_int_equal(cJSON_GetArraySize(maps), layer->map_count);
        for (size_t m = 0; m < layer->map_count; m++) {
            const cJSON *map = cJSON_GetArrayItem(maps, (int)m), *list = key(map, "top");

            assert_int_equal(key(map, "map")->valueint, layer->maps[m].map);
            assert_int_equal(cJSON_GetArraySize(list), layer->maps[m].count);
            for (size_t rank = 0; rank < layer->maps[m].count; rank++)
                assert_entry_json(w, cJSON_GetArrayItem(list, (int)rank),
                                  &layer->maps[m].entries[rank]);
        }
    }
    cJSON_Delete(root);
}

static const struct zf_top_options on_reference = {.compute.engine = "reference"};

/* Returns the directory; the caller frees it. *numbers, unless NULL, too. */
static char *report(struct world *w, const struct zf_top *top, const char *command, int64_t tile,
                    int64_t sheet_maps, bool single_file, char **numbers)
{
    const struct zf_top_show show = {.net = w->net,
                                     .data = w->data,
                                     .top = top,
                                     .options = &on_reference,
                                     .tile = tile,
                                     .sheet_maps = sheet_maps,
                                     .single_file = single_file};
    char *directory = in_world(w, "out/top"), *json;
    struct zf_document *document = document_open(directory, "top", command);

    must(w, zf_top_fill(&show, document, NULL, &w->err));
    json = document_close(&document);
    if (numbers)
        *numbers = json;
    else
        zf_free(json);
    return directory;
}

static void the_json_has_the_promised_keys(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 3});
    char *text = NULL;

    zf_free(report(w, top, NULL, 0, 0, false, &text));
    assert_top_json(w, text, top);
    zf_free(text);
    zf_top_free(&top);
}

static void a_single_file_is_complete_and_refers_to_nothing_outside(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){0});
    char *directory = report(w, top, "zfscope top </script> & \"more\"", 0, 0, true, NULL);
    char *page = read_text(w, directory, "index.html");
    char *policy = assert_policy_holds(page);
    char *json = read_text(w, directory, "top.json");
    cJSON *root = cJSON_Parse(json);

    assert_non_null(strstr(policy, "; img-src data:"));
    assert_null(strstr(policy, "file:"));
    assert_null(strstr(policy, "strict-dynamic"));
    assert_top_json(w, json, top);
    assert_string_equal(key(root, "rule")->valuestring, "deconvnet");
    assert_int_equal(key(root, "k")->valueint, 9);
    assert_null(strstr(page, "://"));
    assert_null(strstr(page, "{{"));
    assert_null(strstr(page, "<b>\""));
    assert_non_null(strstr(page, "zfscope top &lt;/script&gt; &amp; &quot;more&quot;"));
    for (size_t l = 0; l < top->layer_count; l++) {
        for (size_t m = 0; m < top->layers[l].map_count; m++) {
            char anchor[64];

            snprintf(anchor, sizeof anchor, "id=\"%s/%d\"", l == 0 ? "conv1" : "conv2", (int)m);
            assert_non_null(strstr(page, anchor));
        }
    }
    cJSON_Delete(root);
    free(policy);
    free(page);
    free(json);
    zf_free(directory);
    zf_top_free(&top);
}

static void a_sheet_shows_as_many_maps_as_asked(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 4});
    char *directory = report(w, top, NULL, 16, 2, false, NULL);
    char *path = zf_path_join(directory, "conv2.png");
    struct zf_picture sheet = {0};

    /* Two blocks beside each other: margins, two halves of 2x2 tiles, a seam, heads. */
    must(w, zf_picture_load(path, 0, NULL, &sheet, NULL, &w->err));
    assert_int_equal(sheet.width, 12 + 2 * (4 * 16 + 2 + 12));
    assert_int_equal(sheet.height, 3 * 12 + 14 + 20 + 2 * 16 + 12);
    zf_picture_release(&sheet);
    zf_free(path);
    zf_free(directory);
    zf_top_free(&top);
}

static bool lies_beside(struct world *w, const char *directory, const char *name)
{
    char *path = zf_path_join(directory, name);
    const bool found = access(path, R_OK) == 0;

    (void)w;
    zf_free(path);
    return found;
}

static void a_layer_has_as_many_sheets_as_show_all_its_maps(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 1});
    char *numbers = NULL, *directory = report(w, top, NULL, 16, 2, false, &numbers);
    cJSON *root = cJSON_Parse(numbers);
    const cJSON *layer = cJSON_GetArrayItem(key(root, "layers"), 0);
    const int sheets = ((int)top->layers[0].map_count + 1) / 2;
    char last[32];

    assert_true(sheets > 1);
    assert_int_equal(cJSON_GetArraySize(key(layer, "sheets")), sheets);
    assert_string_equal(key(layer, "sheet")->valuestring, "conv1.png");
    snprintf(last, sizeof last, "conv1+%d.png", sheets);
    assert_string_equal(cJSON_GetArrayItem(key(layer, "sheets"), sheets - 1)->valuestring, last);
    assert_true(lies_beside(w, directory, last));
    cJSON_Delete(root);
    zf_free(numbers);
    zf_free(directory);
    zf_top_free(&top);
}

static void a_page_is_small_and_finds_its_maps_beside_it(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 2});
    char *directory = report(w, top, NULL, 0, 0, false, NULL);
    char *page = read_text(w, directory, "index.html");
    char *script = read_text(w, directory, "maps/conv2.js"), *end;
    char *policy = assert_policy_holds(page);
    cJSON *layer;

    assert_non_null(strstr(policy, "' 'strict-dynamic'; img-src data: 'self' file:"));
    free(policy);
    assert_non_null(strstr(page, "data-source=\"maps/conv2\""));
    assert_null(strstr(page, "data:image/jpeg"));
    assert_null(strstr(page, "id=\"conv1/0\""));
    assert_int_equal(strncmp(script, "zfLayer(\"conv2\", '{", 19), 0);
    end = strrchr(script, ')');
    assert_string_equal(end, ");\n");
    end[-1] = '\0';
    layer = cJSON_Parse(strchr(script, '{'));
    assert_int_equal(cJSON_GetArraySize(key(layer, "maps")), top->layers[1].map_count);
    for (size_t m = 0; m < top->layers[1].map_count; m++) {
        const struct zf_top_map *map = &top->layers[1].maps[m];
        char name[64];

        snprintf(name, sizeof name, "maps/conv2/%d.jpg", (int)map->map);
        assert_true(lies_beside(w, directory, name));
        snprintf(name, sizeof name, "photos/%d.jpg", (int)map->entries[0].sample);
        assert_true(lies_beside(w, directory, name));
    }
    cJSON_Delete(layer);
    free(script);
    free(page);
    zf_free(directory);
    zf_top_free(&top);
}

/* Goes on until the second layer begins. */
static bool stop_at_the_second_layer(void *user, const char *stage, int64_t done, int64_t total)
{
    const int64_t *first = user;

    (void)stage;
    (void)total;
    return done <= *first;
}

static void a_run_that_is_stopped_leaves_a_page_of_the_layers_that_are_done(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 1});
    char *directory = in_world(w, "stopped"), *page;
    const struct zf_top_show show = {
        .net = w->net, .data = w->data, .top = top, .options = &on_reference};
    struct zf_document *document = document_open(directory, "top", NULL);
    int64_t first = (int64_t)top->layers[0].map_count;
    const struct zf_monitor monitor = {.user = &first, .progress = stop_at_the_second_layer};

    assert_int_equal(zf_top_fill(&show, document, &monitor, &w->err), ZF_ECANCELED);
    zf_document_free(&document);
    page = read_text(w, directory, "index.html");
    assert_non_null(strstr(page, "data-source=\"maps/conv1\""));
    assert_null(strstr(page, "data-source=\"maps/conv2\""));
    assert_non_null(strstr(page, "</html>"));
    free(page);
    zf_free(directory);
    zf_top_free(&top);
}

static void contrast_is_shared_as_asked(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 2});
    static const enum zf_contrast contrasts[] = {ZF_CONTRAST_IMAGE, ZF_CONTRAST_MAP,
                                                 ZF_CONTRAST_SHARED};

    for (size_t c = 0; c < 3; c++) {
        struct zf_sprites sprites = {0};
        float input[3 * SIDE * SIDE] = {0};
        int reach[2][2]; /* [map][rank]: how far from grey */

        must(w, zf_sprites_init(&sprites, w->net, top, 0, 16, &w->err));
        for (size_t map = 0; map < 2; map++) {
            for (size_t rank = 0; rank < 2; rank++) {
                float projection[3 * SIDE * SIDE];

                for (size_t i = 0; i < 3 * SIDE * SIDE; i++)
                    projection[i] = (float)(map == 0 ? 4 : 1) / (float)(rank + 1);
                must(w, zf_sprites_draw(&sprites, map, rank, input, projection, &w->err));
            }
        }
        zf_sprites_finish(&sprites, contrasts[c]);
        for (size_t map = 0; map < 2; map++) {
            for (size_t rank = 0; rank < 2; rank++)
                reach[map][rank] =
                    sprites.pictures[map]
                        .pixels[3 * (8 * sprites.pictures[map].width + 16 * (int64_t)rank + 8)] -
                    ZF_GREY;
        }
        assert_int_equal(reach[0][0], 127);
        assert_in_range(reach[0][1], c == 0 ? 127 : 63, c == 0 ? 127 : 64);
        assert_in_range(reach[1][0], c < 2 ? 127 : 31, c < 2 ? 127 : 32);
        zf_sprites_release(&sprites);
    }
    zf_top_free(&top);
}

static void a_cancelled_report_leaves_no_page(void **state)
{
    struct world *w = *state;
    struct zf_top *top = run_top(w, &(struct zf_top_options){.k = 1});
    char *directory = in_world(w, "cancelled");
    char *page = zf_path_join(directory, "index.html");
    const struct zf_top_show show = {
        .net = w->net, .data = w->data, .top = top, .options = &on_reference};
    struct zf_document *document;
    int calls = 0;
    const struct zf_monitor monitor = {.user = &calls, .progress = stop_at_once};

    document = document_open(directory, "top", NULL);
    assert_int_equal(zf_top_fill(&show, document, &monitor, &w->err), ZF_ECANCELED);
    zf_document_free(&document);
    assert_int_not_equal(access(page, F_OK), 0);
    zf_free(page);
    zf_free(directory);
    zf_top_free(&top);
}

static void a_dead_map_is_marked_and_listed(void **state)
{
    struct world *w = *state;
    float *weights = weights_of(w->net);
    struct zf_top *top;
    char *directory, *page;

    memset(weights + 3 * 75, 0, 75 * sizeof(float)); /* conv1's map 3 */
    top = run_top(w, &(struct zf_top_options){.layers = (const int[]){0}, .layer_count = 1});
    directory = report(w, top, NULL, 0, 0, true, NULL);
    page = read_text(w, directory, "index.html");
    assert_non_null(strstr(page, "1 dead map, never above zero on any picture: 3."));
    assert_non_null(strstr(page, "class=\"map dead\" id=\"conv1/3\""));
    assert_non_null(strstr(page, "class=\"map\" id=\"conv1/2\""));
    free(page);
    zf_free(directory);
    zf_top_free(&top);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_json_has_the_promised_keys),
        TEST(a_single_file_is_complete_and_refers_to_nothing_outside),
        TEST(a_sheet_shows_as_many_maps_as_asked),
        TEST(a_layer_has_as_many_sheets_as_show_all_its_maps),
        TEST(a_page_is_small_and_finds_its_maps_beside_it),
        TEST(a_run_that_is_stopped_leaves_a_page_of_the_layers_that_are_done),
        TEST(contrast_is_shared_as_asked),
        TEST(a_cancelled_report_leaves_no_page),
        TEST(a_dead_map_is_marked_and_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
