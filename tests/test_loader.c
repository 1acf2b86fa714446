/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader_record.h"

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

static void batches_are_the_same_with_one_two_and_five_threads(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    const char *set = fixture_folder(state, "set", 7);
    struct zf_data *data = fixture_open(set);
    struct zf_loader_options options = training;
    struct record one = record_run(data, net, &options, 3);

    assert_int_equal(one.batches, 3 * 6); /* 21 pictures in batches of 4, three times */
    assert_int_equal(one.counts[5], 1);
    for (int threads = 2; threads <= 5; threads += 3) {
        struct zf_data *fresh = fixture_open(set); /* with nothing in memory yet */
        struct record more;

        zf_data_keep(fresh);
        options.threads = threads;
        more = record_run(fresh, net, &options, 3);
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
        before = record_run(data, net, &centre, 1);
        assert_int_equal(before.samples[11], 11);
        fixture_picture(zf_data_path(data, 11), 1000 + kept);
        after = record_run(data, net, &centre, 1);
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
    struct record r = record_run(data, net, &training, 2);
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

    whole = record_run(data, net, &options, 3);
    options.epoch = 1;
    options.first_batch = 2;
    tail = record_run(data, net, &options, 2);
    expect_equal(&whole, &tail, 6 + 2, 4);
    record_release(&tail);
    options.first_batch = 6; /* the pass was over when the run stopped */
    tail = record_run(data, net, &options, 2);
    expect_equal(&whole, &tail, 12, 4);
    record_release(&tail);
    record_release(&whole);
    zf_data_free(&data);
    zf_net_free(&net);
}

/* Two loaders that take turns at the batches of one. */
static void loaders_that_divide_a_pass_make_the_batches_of_one(void **state)
{
    struct zf_net *net = fixture_net(CROP, SIZE, 3);
    struct zf_data *data = fixture_open(fixture_folder(state, "set", 7));
    struct zf_loader_options options = training;
    struct record whole;

    options.batch = 2;
    options.drop_last = true;
    whole = record_run(data, net, &options, 2); /* of 21 pictures ten batches, twice */
    options.of = 8;
    options.share = 4;
    for (options.from = 0; options.from < 8; options.from += 4) {
        struct record half = record_run(data, net, &options, 2);

        assert_int_equal(half.batches, 2 * 4); /* two times eight pictures of 21 */
        for (int64_t b = 0; b < half.batches; b++) {
            const int64_t pass = b / 4, eight = b % 4 / 2, own = options.from / 2 + b % 2;
            const int64_t there = pass * 10 + eight * 4 + own;

            assert_memory_equal(half.samples + b * 2, whole.samples + there * 2,
                                2 * sizeof *half.samples);
            assert_memory_equal(half.inputs + b * 2 * VALUES, whole.inputs + there * 2 * VALUES,
                                2 * VALUES * sizeof *half.inputs);
        }
        record_release(&half);
    }
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
    a = record_run(data, net, &training, 2);
    b = record_run(packed, net, &training, 2);
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
    good = record_run(data, net, &options, 1);
    zf_data_free(&data);
    fixture_write(fixture_path(state, "set/bee/1.png"), "broken", 6);
    fixture_write(fixture_path(state, "set/bee/2.png"), "", 0);
    data = fixture_open(set);
    bad = record_run(data, net, &options, 2);
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
    loader = loader_of(data, net, &options);
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
    loader = loader_of(data, net, &options);
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
    loader = loader_of(data, net, &options);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_OK);
    assert_int_equal(batch.count, 0);
    assert_false(done);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "ant/0.png"));
    zf_loader_free(&loader);
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
    struct record r = record_run(data, net, &options, 2);

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
        struct zf_loader *loader = loader_of(data, net, &options);
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

static const char two_channels[] = "[net]\nname = two\ninput = 2x4x4\nclasses = 2\n"
                                   "[fc1]\ntype = fc\nmaps = classes\n";

/* Value v of sample i is 100 i + v. */
static void save_input(const char *path, int i)
{
    float values[32];
    const struct zf_tensor input = zf_tensor_view(values, 1, 2, 4, 4);

    for (int v = 0; v < 32; v++)
        values[v] = (float)(100 * i + v);
    assert_int_equal(zf_tensor_save_npy(&input, path, NULL), ZF_OK);
}

static void arrays_in_class_folders_are_inputs_as_they_are(void **state)
{
    const struct zf_loader_options options = {.batch = 2, .views = ZF_VIEWS_RANDOM, .threads = 1};
    const char *set = fixture_folder(state, "arrays", 0);
    struct zf_net *net = NULL;
    struct zf_data *data;
    struct zf_loader *loader = NULL;
    struct zf_batch batch;
    struct zf_error err = {0};
    bool done;

    fixture_picture(fixture_path(state, "arrays/ant/0.png"), 0); /* makes the folders */
    fixture_picture(fixture_path(state, "arrays/bee/0.png"), 0);
    remove(fixture_path(state, "arrays/ant/0.png"));
    save_input(fixture_path(state, "arrays/ant/0.npy"), 0);
    save_input(fixture_path(state, "arrays/bee/1.npy"), 1);
    data = fixture_open(set);
    assert_int_equal(zf_data_count(data), 1); /* beside a picture, arrays are something else */
    zf_data_free(&data);
    remove(fixture_path(state, "arrays/bee/0.png"));
    data = fixture_open(set);
    assert_int_equal(zf_data_count(data), 2);
    assert_int_equal(zf_net_parse_spec(two_channels, "two", 0, &net, &err), ZF_OK);
    assert_int_equal(zf_loader_create(data, net, &options, &loader, &err), ZF_OK);
    assert_int_equal(zf_loader_next(loader, &batch, &done, &err), ZF_OK);
    assert_int_equal(batch.count, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(batch.labels[i], i);
        for (int v = 0; v < 32; v++)
            assert_true(batch.input.data[32 * i + v] == (float)(100 * i + v));
    }
    zf_loader_free(&loader);
    zf_net_free(&net);
    zf_data_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(batches_are_the_same_with_one_two_and_five_threads),
        TEST(squares_are_read_again_in_each_pass_unless_they_are_kept),
        TEST(each_pass_visits_every_sample_once_in_an_order_of_its_own),
        TEST(resuming_at_a_batch_gives_the_tail_of_an_unbroken_run),
        TEST(loaders_that_divide_a_pass_make_the_batches_of_one),
        TEST(packed_data_trains_to_the_same_bits_as_its_folder),
        TEST(packed_data_of_another_size_is_refused_when_the_loader_is_made),
        TEST(bad_files_are_left_out_of_their_batch_and_named_once),
        TEST(a_strict_loader_fails_at_the_first_bad_file),
        TEST(a_pass_without_one_good_picture_fails),
        TEST(drop_last_leaves_out_what_does_not_fill_a_batch),
        TEST(a_loader_can_be_freed_at_any_time),
        TEST(arrays_in_class_folders_are_inputs_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
