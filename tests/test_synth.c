/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <cjson/cJSON.h>

#include "data_fixture.h"
#include "base/random.h"
#include "data/synth/pen.h"
#include "data/synth/scene.h"

static struct zf_picture render(uint64_t seed, enum zf_synth_split split, int64_t index,
                                struct zf_synth_truth *truth)
{
    struct zf_picture picture = {0};

    assert_int_equal(zf_synth_render(seed, split, index, &picture, truth, NULL), ZF_OK);
    return picture;
}

static bool same(const struct zf_picture *a, const struct zf_picture *b)
{
    return memcmp(a->pixels, b->pixels, (size_t)(a->width * a->height * 3)) == 0;
}

static void a_picture_depends_on_seed_split_and_index_only(void **state)
{
    struct zf_picture a = render(1, ZF_SYNTH_TRAIN, 25, NULL);
    struct zf_picture again = render(1, ZF_SYNTH_TRAIN, 25, NULL);
    struct zf_picture others[] = {render(2, ZF_SYNTH_TRAIN, 25, NULL),
                                  render(1, ZF_SYNTH_VAL, 25, NULL),
                                  render(1, ZF_SYNTH_TRAIN, 35, NULL)};

    (void)state;
    assert_true(same(&a, &again));
    for (int i = 0; i < 3; i++) {
        assert_false(same(&a, &others[i]));
        zf_picture_release(&others[i]);
    }
    zf_picture_release(&a);
    zf_picture_release(&again);
}

static void the_truth_lies_inside_the_picture_and_parts_inside_the_box(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) {
        struct zf_synth_truth t;
        struct zf_picture picture = render(5, ZF_SYNTH_TRAIN, i, &t);
        zf_picture_release(&picture);
        assert_int_equal(t.class, i % ZF_SYNTH_CLASSES);
        assert_true(t.box.x >= 0 && t.box.y >= 0);
        assert_true(t.box.x + t.box.width <= ZF_SYNTH_SIDE);
        assert_true(t.box.y + t.box.height <= ZF_SYNTH_SIDE);
        assert_true(t.box.width > ZF_SYNTH_SIDE / 5 && t.box.height > ZF_SYNTH_SIDE / 5);
        assert_true(t.part_count >= 2);
        for (int p = 0; p < t.part_count; p++) {
            const struct zf_synth_part part = t.parts[p];
            if (part.x < (double)t.box.x || part.x > (double)(t.box.x + t.box.width) ||
                part.y < (double)t.box.y || part.y > (double)(t.box.y + t.box.height))
                fail_msg("picture %d: the %s of a %s lies at %.1f,%.1f", i, part.name,
                         zf_synth_class(t.class), part.x, part.y);
        }
    }
}

/* A class told by its average colour would teach a net nothing about shapes. */
static void colour_does_not_tell_the_class(void **state)
{
    enum { EACH = 60 };
    double mean[ZF_SYNTH_CLASSES][3] = {{0}};
    int64_t right = 0;

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < EACH * ZF_SYNTH_CLASSES; i++) {
            struct zf_picture p = render(9, pass ? ZF_SYNTH_VAL : ZF_SYNTH_TRAIN, i, NULL);
            double sum[3] = {0}, least = 1e30;
            int nearest = -1;
            for (int v = 0; v < ZF_SYNTH_SIDE * ZF_SYNTH_SIDE * 3; v++)
                sum[v % 3] += p.pixels[v];
            zf_picture_release(&p);
            for (int c = 0; pass == 0 && c < 3; c++)
                mean[i % ZF_SYNTH_CLASSES][c] += sum[c] / EACH;
            for (int k = 0; k < ZF_SYNTH_CLASSES; k++) {
                double distance = 0;
                for (int c = 0; c < 3; c++)
                    distance += (sum[c] - mean[k][c]) * (sum[c] - mean[k][c]);
                if (distance < least) {
                    least = distance;
                    nearest = k;
                }
            }
            right += pass == 1 && nearest == i % ZF_SYNTH_CLASSES;
        }
    }
    /* Chance is a tenth; 600 tries deviate by 0.012. */
    assert_true((double)right < 0.16 * EACH * ZF_SYNTH_CLASSES);
}

static void the_named_data_sets_hold_every_class(void **state)
{
    struct zf_data *data = fixture_open("synth:"), *val = fixture_open("synth:val");
    struct zf_data *some = fixture_open("synth:train:37");
    struct zf_picture a, b, c;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_data_count(data), 4000);
    assert_int_equal(zf_data_count(val), 800);
    assert_int_equal(zf_data_class_count(data), 10);
    assert_string_equal(zf_data_path(data, 1), "synth:train#10");
    assert_int_equal(zf_data_count(some), 37);
    assert_int_equal(zf_data_label(some, 0), 0);
    assert_int_equal(zf_data_label(some, 36), 9);
    assert_string_equal(zf_data_path(some, 36), "synth:train#29");
    for (int k = 0; k < 9; k++)
        assert_true(strcmp(zf_data_class(data, k), zf_data_class(data, k + 1)) < 0);
    assert_int_equal(zf_data_square(data, 1, ZF_RESIZE_SHORT, 64, &a, &err), ZF_OK);
    assert_int_equal(zf_data_square(some, 1, ZF_RESIZE_SHORT, 64, &b, &err), ZF_OK);
    assert_int_equal(zf_data_square(val, 1, ZF_RESIZE_SHORT, 64, &c, &err), ZF_OK);
    assert_true(same(&a, &b)); /* a smaller set is part of the larger */
    assert_false(same(&a, &c));
    zf_picture_release(&a);
    zf_picture_release(&b);
    zf_picture_release(&c);
    zf_data_free(&data);
    zf_data_free(&val);
    zf_data_free(&some);
}

static void written_pictures_are_those_generated_in_memory(void **state)
{
    const char *out = fixture_path(state, "out");
    struct zf_error err = {0};
    struct zf_data *files, *memory = fixture_open("synth:train:50");
    struct zf_picture a, b;

    if (zf_synth_write(out, 50, ZF_SYNTH_SEED, 2, NULL, &err) != ZF_OK)
        fail_msg("%s", err.message);
    files = fixture_open(fixture_path(state, "out/train"));
    assert_int_equal(zf_data_count(files), 50);
    for (int64_t i = 0; i < 50; i++) {
        assert_int_equal(zf_data_square(files, i, ZF_RESIZE_WARP, 64, &a, &err), ZF_OK);
        assert_int_equal(zf_data_square(memory, i, ZF_RESIZE_WARP, 64, &b, &err), ZF_OK);
        assert_true(same(&a, &b));
        zf_picture_release(&a);
        zf_picture_release(&b);
    }
    assert_int_equal(zf_synth_write(out, 50, 1, 2, NULL, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "already"));
    zf_data_free(&files);
    zf_data_free(&memory);
}

static void truth_json_describes_every_picture(void **state)
{
    static const char *const sides[] = {"x", "y", "width", "height"};
    struct zf_error err = {0};
    size_t size;
    uint8_t *bytes;
    cJSON *root, *image;
    struct zf_synth_truth truth;
    struct zf_picture picture;
    int images = 0;

    assert_int_equal(zf_synth_write(fixture_path(state, "out"), 50, 3, 2, NULL, &err), ZF_OK);
    bytes = fixture_read(fixture_path(state, "out/truth.json"), &size);
    root = cJSON_ParseWithLength((const char *)bytes, size);
    assert_non_null(root);
    cJSON_ArrayForEach(image, cJSON_GetObjectItem(root, "images"))
    {
        const cJSON *path = cJSON_GetObjectItem(image, "path");
        char *full = strdup(fixture_path(state, "out/"));
        FILE *file;
        full = realloc(full, strlen(full) + strlen(path->valuestring) + 1);
        file = fopen(strcat(full, path->valuestring), "rb");
        assert_non_null(file);
        fclose(file);
        free(full);
        assert_non_null(
            strstr(path->valuestring, cJSON_GetObjectItem(image, "label")->valuestring));
        images++;
    }
    assert_int_equal(images, 60);
    image = cJSON_GetArrayItem(cJSON_GetObjectItem(root, "images"), 36);
    picture = render(3, ZF_SYNTH_TRAIN, 36, &truth);
    zf_picture_release(&picture);
    assert_string_equal(cJSON_GetObjectItem(image, "path")->valuestring, "train/fish/00036.png");
    for (int s = 0; s < 4; s++) {
        const int64_t box[] = {truth.box.x, truth.box.y, truth.box.width, truth.box.height};
        const cJSON *item = cJSON_GetObjectItem(cJSON_GetObjectItem(image, "box"), sides[s]);
        assert_int_equal(item->valueint, box[s]);
    }
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(image, "parts")), truth.part_count);
    cJSON_Delete(root);
    free(bytes);
}

/* The area a shape covers, summed over pixels, is that of the shape, wherever it lies. */
static void coverage_is_the_exact_area(void **state)
{
    enum { SIDE = 16 };
    static float canvas[SIDE * SIDE * 3], cover[SIDE * (SIDE + 2)];
    const struct zf_paint white = {.a = {1, 1, 1}, .period = 1, .opacity = 1};
    struct zf_pen pen = {.side = SIDE, .canvas = canvas, .cover = cover, .map = {.xx = 1, .yy = 1}};
    struct zf_random random = zf_random_stream(1, ZF_RANDOM_TEST, 0, 0);

    (void)state;
    for (int t = 0; t < 500; t++) {
        struct zf_point p[3];
        double sum = 0, area;
        for (int k = 0; k < 3; k++)
            p[k] = (struct zf_point){SIDE * zf_random_uniform(&random),
                                     SIDE * zf_random_uniform(&random)};
        memset(canvas, 0, sizeof canvas);
        zf_pen_polygon(&pen, p, 3, &white);
        for (int i = 0; i < SIDE * SIDE; i++)
            sum += (double)canvas[i * 3];
        area =
            0.5 * ((p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y));
        area = area < 0 ? -area : area;
        /* Pixels below 1e-4 are not painted; the rest is float rounding. */
        if (sum < area - 5e-3 || sum > area + 1e-3)
            fail_msg("triangle %d: painted %.6f of %.6f", t, sum, area);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_picture_depends_on_seed_split_and_index_only),
        TEST(the_truth_lies_inside_the_picture_and_parts_inside_the_box),
        TEST(colour_does_not_tell_the_class),
        TEST(the_named_data_sets_hold_every_class),
        TEST(written_pictures_are_those_generated_in_memory),
        TEST(truth_json_describes_every_picture),
        TEST(coverage_is_the_exact_area),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
