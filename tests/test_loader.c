/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "data_fixture.h"

enum { CROP = 8, SIZE = 12, VALUES = 3 * CROP * CROP };

/* All that a row of passes gave, one batch after the other. */
struct record {
    float *inputs;
    int64_t *samples;
    int32_t *labels;
    int64_t *counts;
    int64_t batches;
};

static void record_release(struct record *record)
{
    free(record->inputs);
    free(record->samples);
    free(record->labels);
    free(record->counts);
}

static struct zf_loader *create(const struct zf_data *data, const struct zf_net *net,
                                const struct zf_loader_options *options)
{
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};

    if (zf_loader_create(data, net, options, &loader, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return loader;
}

static void append(struct record *r, const struct zf_batch *batch)
{
    const size_t n = (size_t)batch->input.n, b = (size_t)r->batches;

    r->inputs = realloc(r->inputs, (b + 1) * n * VALUES * sizeof *r->inputs);
    r->samples = realloc(r->samples, (b + 1) * n * sizeof *r->samples);
    r->labels = realloc(r->labels, (b + 1) * n * sizeof *r->labels);
    r->counts = realloc(r->counts, (b + 1) * sizeof *r->counts);
    assert_true(r->inputs && r->samples && r->labels && r->counts);
    memcpy(r->inputs + b * n * VALUES, batch->input.data, n * VALUES * sizeof *r->inputs);
    memcpy(r->samples + b * n, batch->samples, n * sizeof *r->samples);
    memcpy(r->labels + b * n, batch->labels, n * sizeof *r->labels);
    r->counts[r->batches++] = batch->count;
}

static struct record run(const struct zf_data *data, const struct zf_net *net,
                         const struct zf_loader_options *options, int passes)
{
    struct zf_loader *loader = create(data, net, options);
    struct record record = {0};
    struct zf_error err = {0};

    while (passes > 0) {
        struct zf_batch batch;
        bool done;
        if (zf_loader_next(loader, &batch, &done, &err) != ZF_OK)
            fail_msg("%s", err.message);
        if (done)
            passes--;
        else
            append(&record, &batch);
    }
    zf_loader_free(&loader);
    assert_null(loader);
    return record;
}

/* `b` equals `a` from batch `from` of `a` on. */
static void expect_equal(const struct record *a, const struct record *b, int64_t from, size_t n)
{
    const size_t batches = (size_t)b->batches, skip = (size_t)from;

    assert_int_equal(a->batches - from, b->batches);
    assert_memory_equal(a->inputs + skip * n * VALUES, b->inputs,
                        batches * n * VALUES * sizeof *a->inputs);
    assert_memory_equal(a->samples + skip * n, b->samples, batches * n * sizeof *a->samples);
    assert_memory_equal(a->labels + skip * n, b->labels, batches * n * sizeof *a->labels);
    assert_memory_equal(a->counts + skip, b->counts, batches * sizeof *a->counts);
}

static const struct zf_loader_options training = {
    .batch = 4,
    .views = ZF_VIEWS_RANDOM,
    .min_scale = 0.5,
    .shuffle = true,
    .threads = 1,
    .seed = 7,
};

static void batches_are_the_same_with_one_two_and_five_threads(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const char *set = fixture_folder(state, "set", 7);
    struct zf_data *data = fixture_open(set);
    struct zf_loader_options options = training;
    struct record one = run(data, net, &options, 3);

    assert_int_equal(one.batches, 3 * 6); /* 21 pictures in batches of 4, three times */
    assert_int_equal(one.counts[5], 1);
    for (int threads = 2; threads <= 5; threads += 3) {
        struct zf_data *fresh = fixture_open(set); /* with nothing in memory yet */
        struct record more;

        zf_data_keep(fresh);
        options.threads = threads;
        more = run(fresh, net, &options, 3);
        expect_equal(&one, &more, 0, 4);
        record_release(&more);
        zf_data_free(&fresh);
    }
    record_release(&one);
    zf_data_free(&data);
    zf_net_free(&net);
}

/* A file is changed between two passes, so that one sees whether it was read again. */
static void squares_are_read_again_in_each_pass_unless_they_are_kept(void **state)
{
    const struct zf_loader_options centre = {.batch = 4, .views = ZF_VIEWS_CENTRE, .threads = 2};
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const char *set = fixture_folder(state, "set", 4);

    for (int kept = 0; kept < 2; kept++) {
        struct zf_data *data = fixture_open(set);
        struct record before, after;
        const size_t others = 11 * VALUES;

        if (kept)
            zf_data_keep(data);
        before = run(data, net, &centre, 1);
        assert_int_equal(before.samples[11], 11);
        fixture_picture(zf_data_path(data, 11), 1000 + kept);
        after = run(data, net, &centre, 1);
        assert_memory_equal(before.inputs, after.inputs, others * sizeof *before.inputs);
        assert_int_equal(memcmp(before.inputs + others, after.inputs + others,
                                VALUES * sizeof *before.inputs) == 0,
                         kept);
        record_release(&before);
        record_release(&after);
        zf_data_free(&data);
    }
    zf_net_free(&net);
}

static void each_pass_visits_every_sample_once_in_an_order_of_its_own(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 8));
    struct record r = run(data, net, &training, 2);
    int visited[24] = {0};
    bool differs = false;

    for (int i = 0; i < 48; i++) {
        visited[r.samples[i]]++;
        assert_int_equal(r.labels[i], zf_data_label(data, r.samples[i]));
        differs = differs || (i < 24 && r.samples[i] != r.samples[i + 24]);
    }
    for (int i = 0; i < 24; i++)
        assert_int_equal(visited[i], 2);
    assert_true(differs);
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void resuming_at_a_batch_gives_the_tail_of_an_unbroken_run(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 7));
    struct zf_loader_options options = training;
    struct record whole, tail;

    whole = run(data, net, &options, 3);
    options.epoch = 1;
    options.first_batch = 2;
    tail = run(data, net, &options, 2);
    expect_equal(&whole, &tail, 6 + 2, 4);
    record_release(&tail);
    options.first_batch = 6; /* the pass was over when the run stopped */
    tail = run(data, net, &options, 2);
    expect_equal(&whole, &tail, 12, 4);
    record_release(&tail);
    record_release(&whole);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void packed_data_trains_to_the_same_bits_as_its_folder(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 5)), *packed;
    const char *file = fixture_path(state, "packed");
    struct zf_error err = {0};
    struct record a, b;

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, SIZE, 2, file, NULL, &err), ZF_OK);
    packed = fixture_open(file);
    a = run(data, net, &training, 2);
    b = run(packed, net, &training, 2);
    expect_equal(&a, &b, 0, 4);
    record_release(&a);
    record_release(&b);
    zf_data_free(&data);
    zf_data_free(&packed);
    zf_net_free(&net);
}

static void packed_data_of_another_size_is_refused_when_the_loader_is_made(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 2)), *packed;
    const char *file = fixture_path(state, "packed");
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};

    assert_int_equal(zf_data_pack(data, ZF_RESIZE_SHORT, 16, 1, file, NULL, &err), ZF_OK);
    packed = fixture_open(file);
    assert_int_equal(zf_loader_create(packed, net, &training, &loader, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "pack"));
    assert_null(loader);
    zf_data_free(&data);
    zf_data_free(&packed);
    zf_net_free(&net);
}

static void bad_files_are_left_out_of_their_batch_and_named_once(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const char *set = fixture_folder(state, "set", 4);
    struct zf_loader_options options = {.batch = 4, .threads = 2};
    struct zf_error err = {0};
    struct zf_data *data;
    struct zf_loader *loader;
    struct record good, bad;

    data = fixture_open(set);
    good = run(data, net, &options, 1);
    zf_data_free(&data);
    fixture_write(fixture_path(state, "set/bee/1.png"), "broken", 6);
    fixture_write(fixture_path(state, "set/bee/2.png"), "", 0);
    data = fixture_open(set);
    bad = run(data, net, &options, 2);
    assert_int_equal(bad.batches, 6);
    for (int64_t b = 0; b < 6; b += 3) {
        const float *batch = bad.inputs + (b + 1) * 4 * VALUES;
        assert_int_equal(bad.counts[b], 4);
        assert_int_equal(bad.counts[b + 1], 2);
        assert_int_equal(bad.samples[(b + 1) * 4], 4);
        assert_int_equal(bad.samples[(b + 1) * 4 + 1], 7); /* moved up */
        assert_int_equal(bad.samples[(b + 1) * 4 + 2], -1);
        assert_int_equal(bad.labels[(b + 1) * 4 + 3], -1);
        assert_memory_equal(batch + VALUES, good.inputs + 7 * VALUES, VALUES * sizeof *batch);
        for (int i = 2 * VALUES; i < 4 * VALUES; i++)
            assert_true(batch[i] == 0);
        assert_memory_equal(bad.inputs + b * 4 * VALUES, good.inputs, 4 * VALUES * sizeof *batch);
    }
    loader = create(data, net, &options);
    for (int calls = 0; calls < 8; calls++) {
        struct zf_batch batch;
        bool done;
        assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_OK);
    }
    assert_int_equal(zf_loader_skipped(loader), 2);
    assert_non_null(strstr(zf_loader_skipped_reason(loader, 0), "bee/1.png"));
    assert_non_null(strstr(zf_loader_skipped_reason(loader, 1), "bee/2.png"));
    assert_null(zf_loader_skipped_reason(loader, 2));
    zf_loader_free(&loader);
    record_release(&good);
    record_release(&bad);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void a_strict_loader_fails_at_the_first_bad_file(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const char *set = fixture_folder(state, "set", 4);
    struct zf_loader_options options = {.batch = 4, .threads = 3, .strict = true};
    struct zf_error err = {0};
    struct zf_data *data;
    struct zf_loader *loader;
    struct zf_batch batch;
    bool done;

    fixture_write(fixture_path(state, "set/bee/1.png"), "broken", 6);
    fixture_write(fixture_path(state, "set/bee/3.png"), "broken", 6);
    data = fixture_open(set);
    loader = create(data, net, &options);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_OK);
    for (int again = 0; again < 2; again++) {
        memset(&err, 0, sizeof err);
        assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_EINPUT);
        assert_non_null(strstr(err.message, "bee/1.png"));
    }
    zf_loader_free(&loader);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void a_pass_without_one_good_picture_fails(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 1);
    struct zf_loader_options options = {.batch = 2, .threads = 2};
    struct zf_error err = {0};
    struct zf_data *data;
    struct zf_loader *loader;
    struct zf_batch batch;
    bool done = false;

    fixture_picture(fixture_path(state, "set/ant/0.png"), 0);
    fixture_write(fixture_path(state, "set/ant/0.png"), "broken", 6);
    data = fixture_open(fixture_path(state, "set"));
    loader = create(data, net, &options);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_OK);
    assert_int_equal(batch.count, 0);
    assert_false(done);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "ant/0.png"));
    zf_loader_free(&loader);
    zf_data_free(&data);
    zf_net_free(&net);
}

/* Every way to look at a sample, on a picture that is no square. */
static void a_warp_that_is_no_square_reaches_the_loader(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const struct zf_preparation how = {
        .resize = ZF_RESIZE_WARP, .size = CROP + 1, .width = 2 * SIZE, .scale = {1, 1, 1}};
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 2)), *packed;
    struct zf_loader_options options = {.batch = 10, .threads = 2};
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};
    struct zf_tensor alone = {0};
    struct record r;

    assert_int_equal(zf_net_set_preparation(net, &how, &err), ZF_OK);
    r = run(data, net, &options, 1);
    for (int64_t i = 0; i < zf_data_count(data); i++) {
        assert_int_equal(zf_input_load(zf_data_path(data, i), net, &alone, NULL, &err), ZF_OK);
        assert_memory_equal(r.inputs + i * VALUES, alone.data, VALUES * sizeof(float));
        zf_tensor_release(&alone);
    }
    record_release(&r);
    options.views = ZF_VIEWS_RANDOM;
    options.min_scale = 0.5;
    r = run(data, net, &options, 2);
    record_release(&r);
    options.min_scale = 0;
    r = run(data, net, &options, 2);
    record_release(&r);

    assert_int_equal(
        zf_data_pack(data, ZF_RESIZE_WARP, SIZE, 1, fixture_path(state, "packed"), NULL, &err),
        ZF_OK);
    packed = fixture_open(fixture_path(state, "packed"));
    assert_int_equal(zf_loader_create(packed, net, &options, &loader, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "holds squares"));
    assert_null(loader);
    zf_data_free(&packed);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void ten_views_of_a_sample_follow_each_other(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1));
    const struct zf_loader_options options = {.batch = 20, .views = ZF_VIEWS_TEN, .threads = 2};
    struct zf_loader_options wrong = options;
    struct record r = run(data, net, &options, 1);
    struct zf_loader *loader = NULL;
    struct zf_picture square;
    struct zf_error err = {0};
    float expected[VALUES];

    assert_int_equal(r.batches, 2);
    assert_int_equal(r.counts[0], 20);
    assert_int_equal(r.counts[1], 10);
    assert_int_equal(zf_data_square(data, 1, ZF_RESIZE_SHORT, SIZE, &square, &err), ZF_OK);
    for (int v = 0; v < 10; v++) {
        assert_int_equal(r.samples[10 + v], 1);
        zf_picture_prepare(&square, zf_net_preparation(net), zf_net_input(net),
                           zf_view_ten(zf_net_preparation(net), zf_net_input(net), v), expected);
        assert_memory_equal(r.inputs + (10 + v) * VALUES, expected, sizeof expected);
    }
    wrong.batch = 16;
    assert_int_equal(zf_loader_create(data, net, &wrong, &loader, &err), ZF_EINVAL);
    zf_picture_release(&square);
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void plain_random_views_are_crops_with_and_without_mirror(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 1));
    struct zf_loader_options options = training;
    struct zf_picture square;
    struct zf_error err = {0};
    struct record r;
    int found[SIZE - CROP + 1][2] = {{0}};

    options.min_scale = 1;
    options.batch = 1;
    options.samples = (const int64_t[]){2};
    options.sample_count = 1;
    r = run(data, net, &options, 60);
    assert_int_equal(zf_data_square(data, 2, ZF_RESIZE_SHORT, SIZE, &square, &err), ZF_OK);
    for (int64_t b = 0; b < 60; b++) {
        int matches = 0;
        for (int place = 0; place < 2 * (SIZE - CROP + 1) * (SIZE - CROP + 1); place++) {
            const struct zf_view view = {.y = place / 2 / (SIZE - CROP + 1),
                                         .x = place / 2 % (SIZE - CROP + 1),
                                         .mirror = place % 2};
            float expected[VALUES];
            zf_picture_prepare(&square, zf_net_preparation(net), zf_net_input(net), view, expected);
            if (memcmp(expected, r.inputs + b * VALUES, sizeof expected) == 0) {
                matches++;
                found[view.x][view.mirror]++;
            }
        }
        assert_int_equal(matches, 1);
    }
    for (int x = 0; x <= SIZE - CROP; x++)
        assert_true(found[x][0] + found[x][1] > 0);
    assert_true(found[0][1] + found[SIZE - CROP][1] > 0 && found[0][0] + found[SIZE - CROP][0] > 0);
    zf_picture_release(&square);
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void drop_last_leaves_out_what_does_not_fill_a_batch(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 3));
    struct zf_loader_options options = {.batch = 4, .drop_last = true, .threads = 2};
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};
    struct record r = run(data, net, &options, 2);

    assert_int_equal(r.batches, 4);
    for (int b = 0; b < 4; b++)
        assert_int_equal(r.counts[b], 4);
    options.batch = 10;
    assert_int_equal(zf_loader_create(data, net, &options, &loader, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "9 pictures"));
    record_release(&r);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void a_loader_can_be_freed_at_any_time(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 10);
    struct zf_loader_options options = {.batch = 8, .threads = 4};

    (void)state;
    for (int calls = 0; calls < 6; calls++) {
        struct zf_data *data = fixture_open("synth:train:40");
        struct zf_loader *loader = create(data, net, &options);
        for (int c = 0; c < calls; c++) {
            struct zf_batch batch;
            bool done;
            assert_int_equal(zf_loader_next(loader, &batch, &done, NULL), ZF_OK);
        }
        zf_loader_free(&loader);
        assert_null(loader);
        zf_data_free(&data);
    }
    zf_net_free(&net);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_are_the_same_with_one_two_and_five_threads),
        TEST(squares_are_read_again_in_each_pass_unless_they_are_kept),
        TEST(each_pass_visits_every_sample_once_in_an_order_of_its_own),
        TEST(resuming_at_a_batch_gives_the_tail_of_an_unbroken_run),
        TEST(packed_data_trains_to_the_same_bits_as_its_folder),
        TEST(packed_data_of_another_size_is_refused_when_the_loader_is_made),
        TEST(bad_files_are_left_out_of_their_batch_and_named_once),
        TEST(a_strict_loader_fails_at_the_first_bad_file),
        TEST(a_pass_without_one_good_picture_fails),
        TEST(a_warp_that_is_no_square_reaches_the_loader),
        TEST(ten_views_of_a_sample_follow_each_other),
        TEST(plain_random_views_are_crops_with_and_without_mirror),
        TEST(drop_last_leaves_out_what_does_not_fill_a_batch),
        TEST(a_loader_can_be_freed_at_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
