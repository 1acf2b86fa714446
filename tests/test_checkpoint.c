/* SPDX-License-Identifier: MIT */
/* Checkpoints: they come back whole, or the one before does, or a sentence says why not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train_fixture.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "train/checkpoint_fields.h"

static void keep_message(void *user, const char *sentence)
{
    struct training_fixture *f = user;

    snprintf(f->told, sizeof f->told, "%s", sentence);
}

static void save(const struct training_fixture *f)
{
    struct zf_error err = {0};

    if (zf_checkpoint_save(f->run, f->net, f->velocity, &f->at, &err) != ZF_OK)
        fail_msg("%s", err.message);
}

/* Loads into another net and holds it against what was saved, at `epoch`. */
static void expect_loaded(struct training_fixture *f, int64_t epoch)
{
    const struct zf_monitor monitor = {.user = f, .message = keep_message};
    struct zf_net *net = training_net(99);
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    struct zf_checkpoint at, want = f->at;
    struct zf_error err = {0};

    f->told[0] = '\0';
    if (zf_checkpoint_load(f->run, net, velocity, &at, &monitor, &err) != ZF_OK)
        fail_msg("%s", err.message);
    want.epoch = epoch;
    assert_memory_equal(&at.score, &want.score, sizeof at.score);
    assert_memory_equal(&at.schedule, &want.schedule, sizeof at.schedule);
    assert_int_equal(at.epoch, epoch);
    assert_int_equal(at.batches, 17);
    assert_true(at.seconds == want.seconds);
    assert_int_equal(zf_checkpoint_compare(&at, &want, NULL, &err), ZF_OK);
    assert_string_equal(at.engine, "reference");
    assert_memory_equal(velocity, f->velocity, training_bytes(net));
    assert_memory_equal(net->parameters, f->net->parameters, training_bytes(net));
    assert_memory_equal(net->mean_image, f->net->mean_image, 300 * sizeof(float));
    for (int64_t k = 0; k < 3; k++)
        assert_string_equal(zf_net_label(net, k), training_classes[k]);
    zf_free(velocity);
    zf_net_free(&net);
}

static enum zf_status try_load(struct training_fixture *f, struct zf_net *net, struct zf_error *err)
{
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    struct zf_checkpoint at;
    enum zf_status status = zf_checkpoint_load(f->run, net, velocity, &at, NULL, err);

    zf_free(velocity);
    return status;
}

static void a_checkpoint_comes_back_bit_for_bit(void **state)
{
    struct training_fixture *f = *state;

    save(f);
    expect_loaded(f, 3);
    assert_string_equal(f->told, "");
    assert_int_not_equal(access(f->previous, F_OK), 0);
}

static void the_checkpoint_before_is_kept(void **state)
{
    struct training_fixture *f = *state;

    save(f);
    f->at.epoch = 4;
    save(f);
    expect_loaded(f, 4);
    assert_int_equal(unlink(f->current), 0);
    expect_loaded(f, 3);
    assert_non_null(strstr(f->told, "checkpoint.previous"));
    expect_loaded(f, 3); /* it has taken the place */
    assert_string_equal(f->told, "");
}

static long size_of(const char *path)
{
    FILE *stream = fopen(path, "rb");
    long size;

    assert_non_null(stream);
    fseek(stream, 0, SEEK_END);
    size = ftell(stream);
    fclose(stream);
    return size;
}

static void a_checkpoint_cut_anywhere_gives_way_to_the_one_before(void **state)
{
    struct training_fixture *f = *state;

    for (int cut = 0; cut < 12; cut++) {
        save(f);
        f->at.epoch = 4;
        save(f);
        assert_int_equal(truncate(f->current, size_of(f->current) * cut / 12), 0);
        expect_loaded(f, 3);
        assert_non_null(strstr(f->told, "going on from"));
        f->at.epoch = 3;
    }
}

static void flip_byte(const char *path, long at)
{
    FILE *stream = fopen(path, "r+b");
    int byte;

    assert_non_null(stream);
    fseek(stream, at, SEEK_SET);
    byte = fgetc(stream);
    fseek(stream, at, SEEK_SET);
    fputc(byte ^ 0x10, stream);
    fclose(stream);
}

static void a_flipped_bit_in_the_data_gives_way_to_the_one_before(void **state)
{
    struct training_fixture *f = *state;
    struct zf_random random = zf_random_stream(3, ZF_RANDOM_TEST, 0, 0);
    const int64_t data_bytes = (int64_t)training_bytes(f->net);

    for (int i = 0; i < 20; i++) {
        const long back = 1 + (long)zf_random_below(&random, (uint64_t)data_bytes);

        save(f);
        f->at.epoch = 4;
        save(f);
        flip_byte(f->current, size_of(f->current) - back);
        expect_loaded(f, 3);
        assert_non_null(strstr(f->told, "damaged"));
        f->at.epoch = 3;
    }
}

/* What earlier versions did not write. */
static bool is_later(const char *name)
{
    static const char *const names[] = {"recipe.warmup", "recipe.lr_batch", "shards"};
    bool later = false;

    for (size_t i = 0; i < ZF_COUNT(names); i++)
        later |= strcmp(name, names[i]) == 0;
    return later;
}

/* The checkpoint as such a version would have written it. */
static void make_older(const char *run)
{
    char *path = zf_path_join(run, "checkpoint");
    struct zf_stored *tensors;
    struct zf_note notes[ZF_KEPT_COUNT];
    struct zf_safetensors *file = NULL;
    struct zf_output output = {0};
    size_t kept = 0;
    char crc[16];

    assert_int_equal(zf_safetensors_open(path, NULL, &file, NULL), ZF_OK);
    tensors = zf_alloc(zf_safetensors_count(file), sizeof *tensors);
    for (size_t i = 0; i < zf_safetensors_count(file); i++)
        if (!is_later(zf_safetensors_at(file, i)->name))
            tensors[kept++] = *zf_safetensors_at(file, i);
    assert_int_equal(kept + 3, zf_safetensors_count(file));
    for (int i = 0; i < ZF_KEPT_COUNT; i++)
        notes[i] = (struct zf_note){zf_kept_keys[i], zf_safetensors_note(file, zf_kept_keys[i])};
    notes[ZF_KEPT_VERSION].value = "0.0.9";
    snprintf(crc, sizeof crc, "%08" PRIx32, zf_checkpoint_crc(tensors, kept, notes, ZF_KEPT_CRC));
    notes[ZF_KEPT_CRC].value = crc;
    assert_int_equal(zf_output_open(&output, path, NULL), ZF_OK);
    assert_int_equal(zf_safetensors_write(&output, tensors, kept, notes, ZF_KEPT_COUNT, NULL),
                     ZF_OK);
    assert_int_equal(zf_output_commit(&output, NULL), ZF_OK);
    zf_safetensors_free(&file);
    zf_free(tensors);
    zf_free(path);
}

static void an_older_checkpoint_goes_on_in_one_shard_and_without_warm_up(void **state)
{
    struct training_fixture *f = *state;
    int64_t shards = 0;

    f->at.shards = 1;
    f->at.recipe.warmup = 0;
    f->at.recipe.lr_batch = 0;
    save(f);
    make_older(f->run);
    expect_loaded(f, f->at.epoch);
    assert_non_null(strstr(f->told, "begun by zfscope 0.0.9"));
    assert_int_equal(zf_checkpoint_shards(f->run, &shards, NULL, NULL), ZF_OK);
    assert_int_equal(shards, 1);
}

static void a_run_without_a_whole_checkpoint_is_refused_with_both_reasons(void **state)
{
    struct training_fixture *f = *state;
    struct zf_error err = {0};

    assert_false(zf_checkpoint_exists(f->run));
    save(f);
    save(f);
    assert_true(zf_checkpoint_exists(f->run));
    assert_int_equal(truncate(f->current, 100), 0);
    assert_int_equal(truncate(f->previous, 50), 0);
    assert_int_equal(try_load(f, f->net, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "checkpoint:"));
    assert_non_null(strstr(err.message, "checkpoint.previous:"));
}

/* A process without a free descriptor stands in for everything that passes. */
static void a_checkpoint_that_cannot_be_opened_for_now_keeps_its_place(void **state)
{
    struct training_fixture *f = *state;
    int result = -1;
    pid_t child;

    save(f);
    f->at.epoch = 4;
    save(f);
    child = fork();
    if (child == 0) {
        const struct rlimit limit = {0, 0};
        struct zf_error err = {0};
        enum zf_status status;

        setrlimit(RLIMIT_NOFILE, &limit);
        status = try_load(f, f->net, &err);
        _exit(status != ZF_EIO                              ? 1
              : !strstr(err.message, "/checkpoint:")        ? 2
              : !strstr(err.message, "Too many open files") ? 3
                                                            : 0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    expect_loaded(f, 4);
}

static void a_checkpoint_of_another_net_is_refused_with_the_line_that_differs(void **state)
{
    struct training_fixture *f = *state;
    struct zf_error err = {0};
    struct zf_net *other = NULL;
    char text[512];

    save(f);
    snprintf(text, sizeof text, "%s", training_spec);
    memcpy(strstr(text, "maps = 5"), "maps = 6", 8);
    assert_int_equal(zf_net_parse_spec(text, "other", 0, &other, &err), ZF_OK);
    assert_int_equal(try_load(f, other, &err), ZF_EINPUT);
    if (!strstr(err.message, "maps = 5") || !strstr(err.message, "maps = 6"))
        fail_msg("%s", err.message);
    zf_net_free(&other);
}

/* A limit on the size of files stands in for a full disk; the child keeps it to itself. */
static void a_full_disk_leaves_the_checkpoint_as_it_was_and_says_so(void **state)
{
    struct training_fixture *f = *state;
    int result = -1;
    pid_t child;

    save(f);
    f->at.epoch = 4;
    save(f);
    child = fork();
    if (child == 0) {
        const struct rlimit limit = {4096, 4096};
        struct zf_error err = {0};
        enum zf_status status;

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        status = zf_checkpoint_save(f->run, f->net, f->velocity, &f->at, &err);
        _exit(status != ZF_EIO                         ? 1
              : !strstr(err.message, "File too large") ? 2
              : !strstr(err.message, "checkpoint")     ? 3
                                                       : 0);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    expect_loaded(f, 4);
    assert_string_equal(f->told, "");
    assert_int_equal(unlink(f->current), 0);
    expect_loaded(f, 3);
}

static int allocations_left;

static bool deny_nth_countdown(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

static void short_memory_fails_cleanly_and_spares_the_checkpoint(void **state)
{
    struct training_fixture *f = *state;
    enum zf_status status = ZF_ENOMEM;
    int failures = 0;

    save(f);
    for (int n = 0; n < 2000 && status != ZF_OK; n++) {
        struct zf_error err = {0};

        allocations_left = n;
        zf_alloc_allowed = deny_nth_countdown;
        status = zf_checkpoint_save(f->run, f->net, f->velocity, &f->at, &err);
        zf_alloc_allowed = NULL;
        failures += status != ZF_OK;
        if (status != ZF_OK)
            assert_int_equal(err.status, ZF_ENOMEM);
    }
    assert_int_equal(status, ZF_OK);
    assert_true(failures > 5);
    expect_loaded(f, 3);
}

static void what_differs_from_the_run_is_named_with_both_values(void **state)
{
    struct training_fixture *f = *state;
    struct zf_checkpoint asked = f->at;
    struct zf_error err = {0};
    const struct zf_monitor monitor = {.user = f, .message = keep_message};

    asked.recipe.lr = 0.5;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "lr 0.01"));
    assert_non_null(strstr(err.message, "0.5"));
    asked = f->at;
    asked.recipe.init = ZF_INIT_HE;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "he"));
    asked = f->at;
    asked.data.hash++;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, NULL, &err), ZF_EINPUT);
    asked = f->at;
    asked.val.count = 9;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, NULL, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "validation"));
    asked = f->at;
    asked.seed = 1;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, NULL, &err), ZF_EINPUT);
    asked = f->at;
    asked.recipe.epochs += 10;
    asked.threads = 7;
    assert_int_equal(zf_checkpoint_compare(&f->at, &asked, &monitor, &err), ZF_OK);
    assert_non_null(strstr(f->told, "7"));
}

#define IN_A_RUN(test) cmocka_unit_test_setup_teardown(test, training_set_up, training_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_RUN(a_checkpoint_comes_back_bit_for_bit),
        IN_A_RUN(the_checkpoint_before_is_kept),
        IN_A_RUN(a_checkpoint_cut_anywhere_gives_way_to_the_one_before),
        IN_A_RUN(a_flipped_bit_in_the_data_gives_way_to_the_one_before),
        IN_A_RUN(an_older_checkpoint_goes_on_in_one_shard_and_without_warm_up),
        IN_A_RUN(a_run_without_a_whole_checkpoint_is_refused_with_both_reasons),
        IN_A_RUN(a_checkpoint_that_cannot_be_opened_for_now_keeps_its_place),
        IN_A_RUN(a_checkpoint_of_another_net_is_refused_with_the_line_that_differs),
        IN_A_RUN(a_full_disk_leaves_the_checkpoint_as_it_was_and_says_so),
        IN_A_RUN(short_memory_fails_cleanly_and_spares_the_checkpoint),
        IN_A_RUN(what_differs_from_the_run_is_named_with_both_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
