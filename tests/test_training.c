/* SPDX-License-Identifier: MIT */
/* Whole trainings: what they learn and leave, and when they stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "base/memory.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "zf/model.h"

static void a_loss_that_is_not_finite_stops_with_place_and_advice(void **state)
{
    char run[96];
    struct attempt a;
    struct zf_checkpoint at;
    struct zf_net *net = attempt_net();
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    a = attempt_begin(run);
    a.recipe.lr = 1e30;
    assert_int_equal(attempt_run(&a), ZF_ENUMERIC);
    print_message("%s\n", a.err.message);
    assert_non_null(strstr(a.err.message, "epoch 1, step "));
    assert_non_null(strstr(a.err.message, "lower --lr (1e+30"));
    assert_true(strstr(a.err.message, "conv1") || strstr(a.err.message, "fc2") ||
                strstr(a.err.message, "fc3"));
    /* What is on disk is the last state that was fine. */
    assert_int_equal(zf_checkpoint_load(run, net, velocity, &at, NULL, &a.err), ZF_OK);
    for (int64_t i = 0; i < net->floats; i++)
        assert_true(isfinite(net->parameters[i]));
    zf_free(velocity);
    zf_net_free(&net);
}

static void expect_events_with_picture(const char *run)
{
    DIR *listing = opendir(run);
    const struct dirent *entry;
    int files = 0;

    assert_non_null(listing);
    while ((entry = readdir(listing))) {
        struct zf_bytes events;
        bool found = false;

        if (strncmp(entry->d_name, "events.out.tfevents.", 20) != 0)
            continue;
        files++;
        events = attempt_file(run, entry->d_name);
        for (size_t i = 0; i + 4 <= events.size && !found; i++)
            found = memcmp(events.data + i, "\x89PNG", 4) == 0;
        assert_true(found);
        zf_bytes_release(&events);
    }
    assert_int_equal(files, 1);
    closedir(listing);
}

/* A run that was killed before its first checkpoint is begun again, and so are its events. */
static void leave_events(const char *run)
{
    char path[160];

    assert_int_equal(zf_directory_make(run, NULL), ZF_OK);
    snprintf(path, sizeof path, "%s/events.out.tfevents.0000000001.00001.zfscope", run);
    assert_int_equal(zf_file_write(path, "old", 3, NULL), ZF_OK);
}

static void zero_epochs_write_the_untrained_net(void **state)
{
    char run[96], path[128];
    struct attempt a;
    struct zf_net *net = NULL, *untrained = attempt_net();

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    a = attempt_begin(run);
    a.recipe.epochs = 0;
    leave_events(run);
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_int_equal(a.steps, 0);
    zf_net_init_parameters(untrained, ZF_INIT_HE, a.recipe.init_std, 5);
    assert_int_equal(zf_model_load(path, NULL, &net, &a.err), ZF_OK);
    assert_memory_equal(net->parameters, untrained->parameters,
                        (size_t)net->floats * sizeof(float));
    assert_true(zf_net_has_labels(net));
    assert_non_null(zf_net_preparation(net)->mean_image);
    expect_events_with_picture(run);
    zf_net_free(&net);
    zf_net_free(&untrained);
}

static void training_learns_and_evaluation_sees_it(void **state)
{
    char run[96], path[128];
    struct attempt a;
    struct zf_eval_options options = {.compute.threads = 1};
    struct zf_eval_result one[2], ten[2], both;
    struct zf_net *net = NULL;
    const struct zf_net *nets[2];
    struct zf_data *data = NULL;
    int64_t images = 0;

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    a = attempt_begin(run);
    a.recipe.epochs = 60;
    a.recipe.patience = 100;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_int_equal(zf_model_load(path, NULL, &net, &a.err), ZF_OK);
    assert_int_equal(zf_data_open("synth:train:100", &data, &a.err), ZF_OK);
    nets[0] = nets[1] = net;
    assert_int_equal(zf_eval_run(nets, 1, data, &options, one, NULL, &images, NULL, &a.err), ZF_OK);
    assert_int_equal(images, 100);
    print_message("last loss %.3f, training error %.2f\n", a.last_loss, one[0].top1_error);
    assert_true(one[0].top1_error < 0.75); /* chance is 0.9 */
    assert_true(one[0].top5_error <= one[0].top1_error);
    options.ten_views = true;
    options.compute.batch = 64;
    assert_int_equal(zf_eval_run(nets, 2, data, &options, ten, &both, &images, NULL, &a.err),
                     ZF_OK);
    assert_int_equal(images, 100);
    assert_true(ten[0].top1_error == ten[1].top1_error && ten[0].top1_error < 0.75);
    assert_true(both.top1_error == ten[0].top1_error && both.top5_error == ten[0].top5_error);
    zf_data_free(&data);
    zf_net_free(&net);
}

static void models_of_other_classes_make_no_ensemble(void **state)
{
    static const char other[] = "[net]\ninput = 3x12x12\nclasses = 4\nsize = 16\n"
                                "[fc1]\ntype = fc\nmaps = classes\n[prob]\ntype = softmax\n";
    const struct zf_eval_options options = {.compute.threads = 1};
    struct zf_eval_result results[2];
    struct zf_net *first = attempt_net(), *second = NULL;
    const struct zf_net *nets[2];
    struct zf_data *data = NULL;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_net_parse_spec(other, "other", 0, &second, &err), ZF_OK);
    assert_int_equal(zf_data_open("synth:val:20", &data, &err), ZF_OK);
    nets[0] = first;
    nets[1] = second;
    assert_int_equal(zf_eval_run(nets, 2, data, &options, results, NULL, NULL, NULL, &err),
                     ZF_EINPUT);
    assert_non_null(strstr(err.message, "10"));
    assert_non_null(strstr(err.message, "4"));
    zf_data_free(&data);
    zf_net_free(&first);
    zf_net_free(&second);
}

/* What was told of the waiting: after the last step, and of the epoch. */
struct waits {
    double step, epoch, seconds, waited_seconds;
};

static bool hear_step(void *user, const struct zf_train_state *at)
{
    struct waits *waits = user;

    assert_true(at->wait >= 0 && at->wait <= 1);
    waits->step = at->wait;
    return true;
}

static void hear_epoch(void *user, const struct zf_epoch *epoch, bool best)
{
    struct waits *waits = user;

    (void)best;
    waits->epoch = epoch->wait;
    waits->seconds = epoch->seconds;
    waits->waited_seconds = epoch->waited_seconds;
}

static void the_share_of_time_that_a_run_waits_for_pictures_is_told_and_logged(void **state)
{
    struct waits waits = {0};
    const struct zf_train_monitor monitor = {
        .user = &waits, .step = hear_step, .epoch = hear_epoch};
    struct attempt a = attempt_begin(*state);
    struct zf_bytes log;
    char line[1024] = "";
    const char *logged;

    a.recipe.epochs = 1;
    assert_int_equal(attempt_run_watched(&a, &monitor), ZF_OK);
    assert_true(waits.seconds > 0);
    assert_true(waits.epoch == waits.step);
    assert_true(fabs(waits.epoch - waits.waited_seconds / waits.seconds) < 1e-12);
    log = attempt_file(*state, "log.jsonl");
    memcpy(line, log.data, log.size < sizeof line ? log.size : sizeof line - 1);
    logged = strstr(line, "\"wait\":");
    assert_non_null(logged);
    assert_true(fabs(strtod(logged + strlen("\"wait\":"), NULL) - waits.epoch) < 1e-12);
    zf_bytes_release(&log);
}

/* The parameters that one epoch in so many shards comes to; free with zf_free(). */
static float *parameters_of(const char *directory, int64_t shards, int64_t *floats)
{
    struct zf_net *net = attempt_net();
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity), *copy;
    struct zf_checkpoint at;
    struct attempt a;
    char run[96];

    snprintf(run, sizeof run, "%s/%d", directory, (int)shards);
    a = attempt_begin(run);
    a.recipe.epochs = 1;
    a.shards = shards;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_int_equal(zf_checkpoint_load(run, net, velocity, &at, NULL, &a.err), ZF_OK);
    assert_int_equal(at.shards, shards);
    *floats = net->floats;
    copy = zf_alloc((size_t)net->floats, sizeof *copy);
    memcpy(copy, net->parameters, (size_t)net->floats * sizeof *copy);
    zf_free(velocity);
    zf_net_free(&net);
    return copy;
}

/* Crops, dropout and the mean over the batch are those of the whole: a mask at another place, or a
   mean of means, changes the second digit. */
static void shards_of_a_batch_come_to_the_whole_but_for_rounding(void **state)
{
    int64_t floats;
    float *whole = parameters_of(*state, 1, &floats);

    for (int64_t shards = 2; shards <= 16; shards *= 2) {
        float *parts = parameters_of(*state, shards, &floats);
        double distance = 0, length = 0;

        for (int64_t i = 0; i < floats; i++) {
            distance += pow((double)parts[i] - (double)whole[i], 2);
            length += pow((double)whole[i], 2);
        }
        print_message("%d shards: %g\n", (int)shards, sqrt(distance / length));
        assert_true(sqrt(distance / length) < 1e-5);
        zf_free(parts);
    }
    zf_free(whole);
}

static void shards_that_a_batch_does_not_have_are_refused(void **state)
{
    static const struct {
        int64_t shards;
        const char *sentence;
    } wrong[] = {
        {3, "3 shards, but must be 1, 2, 4"},
        {512, "512 shards, but must be 1, 2, 4"},
        {32, "a batch of 16 pictures does not come in 32 equal shards"},
    };

    for (size_t i = 0; i < ZF_COUNT(wrong); i++) {
        struct attempt a = attempt_begin(*state);

        a.shards = wrong[i].shards;
        assert_int_equal(attempt_run(&a), ZF_EINVAL);
        assert_non_null(strstr(a.err.message, wrong[i].sentence));
    }
}

static void a_run_goes_on_in_the_shards_that_it_was_begun_with(void **state)
{
    struct attempt a = attempt_begin(*state);

    a.shards = 4;
    a.stop_after = 2;
    assert_int_equal(attempt_run(&a), ZF_ECANCELED);
    a.resume = true;
    a.shards = 8;
    assert_int_equal(attempt_run(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "begun with 4 shards a batch"));
    a.shards = 0;
    a.stop_after = 0;
    assert_int_equal(attempt_run(&a), ZF_OK);
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, attempt_set_up, attempt_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(a_loss_that_is_not_finite_stops_with_place_and_advice),
        IN_A_DIRECTORY(zero_epochs_write_the_untrained_net),
        IN_A_DIRECTORY(training_learns_and_evaluation_sees_it),
        IN_A_DIRECTORY(the_share_of_time_that_a_run_waits_for_pictures_is_told_and_logged),
        IN_A_DIRECTORY(shards_of_a_batch_come_to_the_whole_but_for_rounding),
        IN_A_DIRECTORY(shards_that_a_batch_does_not_have_are_refused),
        IN_A_DIRECTORY(a_run_goes_on_in_the_shards_that_it_was_begun_with),
        cmocka_unit_test(models_of_other_classes_make_no_ensemble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
