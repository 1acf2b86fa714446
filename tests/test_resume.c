/* SPDX-License-Identifier: MIT */
/* Whole runs of training: killed, stopped, resumed, diverging; and evaluation of what they made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "zf/model.h"
#include "zf/train.h"

#define KILLS 20
#define STOPPED 10 /* exit code of a child that stopped on request */

static const char spec[] =
    "[net]\nname = tiny\ninput = 3x12x12\nclasses = 10\nsize = 16\nscale = 0.02\n"
    "[train]\nbatch = 16\nepochs = 5\nlr = 0.02\ninit = he\npatience = 1\n"
    "[conv1]\ntype = conv\nmaps = 6\nkernel = 5\nstride = 2\nround = up\n"
    "[relu1]\ntype = relu\n"
    "[pool1]\ntype = maxpool\nkernel = 2\nstride = 2\n"
    "[fc2]\ntype = fc\nmaps = 24\n"
    "[relu2]\ntype = relu\n"
    "[drop2]\ntype = dropout\n"
    "[fc3]\ntype = fc\nmaps = classes\n"
    "[prob]\ntype = softmax\n";

/* What one training run is asked to do, and what was heard of it. */
struct attempt {
    const char *run;
    struct zf_recipe recipe; /* as of the spec */
    bool resume;
    bool exact;
    int64_t threads;    /* one by default: a busy machine makes short loops of several slow */
    int64_t stop_after; /* steps of this attempt; 0 = never */
    const char *data;   /* NULL = synth:train:100 */
    int64_t steps, epochs;
    int64_t best_epoch;
    double last_loss;
    char told[768];
    struct zf_error err;
};

static bool on_step(void *user, const struct zf_train_state *at)
{
    struct attempt *a = user;

    a->last_loss = at->loss;
    return ++a->steps != a->stop_after;
}

static void on_epoch(void *user, const struct zf_epoch *epoch, bool best)
{
    struct attempt *a = user;

    a->epochs++;
    if (best)
        a->best_epoch = epoch->epoch;
}

static void on_message(void *user, const char *sentence)
{
    struct attempt *a = user;

    snprintf(a->told, sizeof a->told, "%s", sentence);
}

static struct zf_net *make_net(void)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return net;
}

static struct attempt begin(const char *run)
{
    struct zf_net *net = make_net();
    struct attempt attempt = {.run = run, .recipe = *zf_net_recipe(net), .threads = 1};

    zf_net_free(&net);
    return attempt;
}

/* Stands in for zf_filters_picture(). */
static enum zf_status draw_filters(const struct zf_net *net, int layer, int64_t tile,
                                   struct zf_picture *picture, struct zf_error *err)
{
    assert_string_equal(zf_net_layer(net, layer).name, "conv1");
    return zf_picture_init(picture, tile, tile, err);
}

static enum zf_status train_watched(struct attempt *a, const struct zf_train_monitor *monitor)
{
    enum zf_status status;
    const struct zf_train_options options = {.recipe = a->recipe,
                                             .seed = 5,
                                             .threads = a->threads,
                                             .save_every_s = 1,
                                             .resume = a->resume,
                                             .exact = a->exact,
                                             .draw_filters = draw_filters};
    struct zf_net *net = NULL;
    struct zf_data *data = NULL, *val = NULL;

    ZF_TRY(zf_net_parse_spec(spec, "tiny", 0, &net, &a->err));
    ZF_TRY(zf_data_open(a->data ? a->data : "synth:train:100", &data, &a->err));
    ZF_TRY(zf_data_open("synth:val:40", &val, &a->err));
    ZF_TRY(zf_train_run(net, data, val, a->run, &options, monitor, &a->err));
fail:
    zf_net_free(&net);
    zf_data_free(&data);
    zf_data_free(&val);
    return status;
}

static enum zf_status train(struct attempt *a)
{
    const struct zf_train_monitor monitor = {
        .user = a, .step = on_step, .epoch = on_epoch, .message = on_message};

    return train_watched(a, &monitor);
}

/* The same in a process of its own; returns its id. */
static pid_t train_in_child(struct attempt *a)
{
    const pid_t child = fork();

    if (child == 0) {
        const enum zf_status status = train(a);

        if (status != ZF_OK && status != ZF_ECANCELED)
            fprintf(stderr, "child: %s\n", a->err.message);
        _exit(status == ZF_OK ? 0 : status == ZF_ECANCELED ? STOPPED : 1);
    }
    assert_true(child > 0);
    return child;
}

static void remove_tree(const char *path)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static int make_directory(void **state)
{
    char *path = zf_strdup("/tmp/zf-resume-XXXXXX");

    assert_non_null(mkdtemp(path));
    *state = path;
    return 0;
}

static int remove_directory(void **state)
{
    remove_tree(*state);
    zf_free(*state);
    return 0;
}

static struct zf_bytes map(const char *run, const char *name)
{
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/%s", run, name);
    if (zf_bytes_map(&bytes, path, 1 << 28, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return bytes;
}

static bool exists(const char *run, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", run, name);
    return access(path, F_OK) == 0;
}

static void expect_same_file(const char *run, const char *other, const char *name)
{
    struct zf_bytes a = map(run, name), b = map(other, name);

    if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0)
        fail_msg("%s: not the bytes of the unbroken run", name);
    zf_bytes_release(&a);
    zf_bytes_release(&b);
}

/* A line's start up to the timings, which may differ. */
static size_t steady_part(const uint8_t *line, size_t size)
{
    for (size_t i = 0; i + 9 < size && line[i] != '\n'; i++) {
        if (memcmp(line + i, "\"seconds\"", 9) == 0)
            return i;
    }
    return 0;
}

static void expect_same_log(const char *run, const char *other, int epochs)
{
    struct zf_bytes a = map(run, "log.jsonl"), b = map(other, "log.jsonl");
    const uint8_t *p = a.data, *q = b.data;
    const uint8_t *const p_end = p + a.size, *const q_end = q + b.size;
    int lines = 0;

    for (; p < p_end && q < q_end; lines++) {
        const size_t steady = steady_part(p, (size_t)(p_end - p));

        assert_true(steady > 0);
        assert_memory_equal(p, q, steady);
        p = (const uint8_t *)memchr(p, '\n', (size_t)(p_end - p)) + 1;
        q = (const uint8_t *)memchr(q, '\n', (size_t)(q_end - q)) + 1;
    }
    assert_int_equal(lines, epochs);
    assert_true(p == p_end && q == q_end);
    zf_bytes_release(&a);
    zf_bytes_release(&b);
}

static void expect_same_run(const char *run, const char *unbroken, int epochs)
{
    static const char *const names[] = {"model.safetensors", "epochs/0001.safetensors",
                                        "epochs/0002.safetensors", "epochs/0005.safetensors"};

    for (size_t i = 0; i < ZF_COUNT(names); i++)
        expect_same_file(run, unbroken, names[i]);
    expect_same_log(run, unbroken, epochs);
}

static void expect_no_leftovers(const char *run)
{
    DIR *listing = opendir(run);
    const struct dirent *entry;

    assert_non_null(listing);
    while ((entry = readdir(listing))) {
        if (strstr(entry->d_name, ".tmp-"))
            fail_msg("left behind: %s", entry->d_name);
    }
    closedir(listing);
}

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void sleep_s(double seconds)
{
    const struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - floor(seconds)))};

    nanosleep(&time, NULL);
}

/* One attempt that may be stopped at a random step, and is killed at a random time unless it has
   ended by then. Returns its wait status. */
static int disturb(const char *run, struct zf_random *random, double longest_s)
{
    struct attempt a = begin(run);
    int result = 0;
    pid_t child;

    a.resume = zf_checkpoint_exists(run);
    a.stop_after = zf_random_below(random, 3) == 0 ? 1 + (int64_t)zf_random_below(random, 9) : 0;
    child = train_in_child(&a);
    sleep_s(longest_s * zf_random_uniform(random));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &result, 0), child);
    return result;
}

/* Runs first: a fork is only safe while this process has no threads of its own. */
static void a_run_killed_at_any_moment_goes_on_to_the_same_bits(void **state)
{
    struct zf_random random = zf_random_stream(2013, ZF_RANDOM_TEST, 0, 0);
    char unbroken[96], broken[96];
    struct attempt whole;
    int kills = 0, stops = 0, finished = 0, result = 0;
    double seconds = now_s();

    snprintf(unbroken, sizeof unbroken, "%s/unbroken", (const char *)*state);
    snprintf(broken, sizeof broken, "%s/broken", (const char *)*state);
    whole = begin(unbroken);
    assert_int_equal(waitpid(train_in_child(&whole), &result, 0) > 0 && result == 0, 1);
    seconds = now_s() - seconds;

    while (kills < KILLS || finished == 0) {
        result = disturb(broken, &random, kills < KILLS ? seconds : 10 * seconds);
        if (WIFSIGNALED(result)) {
            kills++;
        } else if (WEXITSTATUS(result) == STOPPED) {
            stops++;
        } else {
            assert_int_equal(WEXITSTATUS(result), 0);
            expect_same_run(broken, unbroken, 5);
            expect_no_leftovers(broken);
            finished++;
            remove_tree(broken);
        }
        assert_true(kills + stops < 40 * KILLS);
    }
    print_message("%d kills, %d stops, %d whole runs of %.2f s\n", kills, stops, finished, seconds);
}

static void a_stopped_run_goes_on_within_its_epoch(void **state)
{
    char unbroken[96], broken[96];
    struct attempt a;

    snprintf(unbroken, sizeof unbroken, "%s/unbroken", (const char *)*state);
    snprintf(broken, sizeof broken, "%s/broken", (const char *)*state);
    a = begin(unbroken);
    a.threads = 2;
    assert_int_equal(train(&a), ZF_OK);
    assert_int_equal(a.steps, 5 * 6); /* 100 images, batches of 16, the last one left out */
    assert_int_equal(a.epochs, 5);
    a = begin(broken);
    a.threads = 2;
    for (int stop = 0; stop < 30; stop++) {
        a.resume = stop > 0;
        a.steps = 0;
        a.stop_after = 7;
        if (train(&a) == ZF_OK)
            break;
        assert_int_equal(a.err.status, ZF_ECANCELED);
        assert_non_null(strstr(a.err.message, "--resume"));
        assert_int_equal(a.steps, 7);
    }
    assert_int_equal(a.steps, 2);
    expect_same_run(broken, unbroken, 5);
    a.resume = true;
    assert_int_equal(train(&a), ZF_OK); /* nothing is left to do */
    assert_non_null(strstr(a.told, "has finished its 5 epochs"));
}

static void more_epochs_can_be_asked_for_later(void **state)
{
    char straight[96], longer[96];
    struct attempt a;

    snprintf(straight, sizeof straight, "%s/straight", (const char *)*state);
    snprintf(longer, sizeof longer, "%s/longer", (const char *)*state);
    a = begin(straight);
    assert_int_equal(train(&a), ZF_OK);
    a = begin(longer);
    a.recipe.epochs = 3;
    assert_int_equal(train(&a), ZF_OK);
    assert_true(exists(longer, "epochs/0003.safetensors")); /* the last is kept */
    a.resume = true;
    a.recipe.epochs = 5;
    assert_int_equal(train(&a), ZF_OK);
    expect_same_run(longer, straight, 5);
}

static void a_run_is_not_begun_over_nor_resumed_as_another(void **state)
{
    char run[96];
    struct attempt a;

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    a = begin(run);
    a.resume = true;
    assert_int_equal(train(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "no checkpoint"));
    assert_int_not_equal(access(run, F_OK), 0);
    a.resume = false;
    a.recipe.epochs = 1;
    assert_int_equal(train(&a), ZF_OK);
    assert_int_equal(train(&a), ZF_EINVAL);
    assert_non_null(strstr(a.err.message, "--resume"));
    a.resume = true;
    a.data = "synth:train:90";
    assert_int_equal(train(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "100"));
    assert_non_null(strstr(a.err.message, "90"));
    a.data = NULL;
    a.recipe.lr = 0.5;
    assert_int_equal(train(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "lr 0.02"));
}

/* A run that begins another one in its own directory, at its first step. */
static bool intrude(void *user, const struct zf_train_state *at)
{
    const char *run = user;
    struct attempt second = begin(run);

    if (at->epoch == 1 && at->step == 1) {
        assert_int_equal(train(&second), ZF_EINPUT);
        assert_non_null(strstr(second.err.message, "another training"));
        assert_non_null(strstr(second.err.message, run));
        second.resume = true;
        assert_int_equal(train(&second), ZF_EINPUT);
        assert_non_null(strstr(second.err.message, "another training"));
    }
    return true;
}

static void a_directory_in_which_a_training_runs_is_refused_to_another(void **state)
{
    char run[96];
    struct attempt a;
    struct zf_train_monitor monitor = {.user = run, .step = intrude};

    snprintf(run, sizeof run, "%s/shared", (const char *)*state);
    a = begin(run);
    a.recipe.epochs = 1;
    assert_int_equal(train_watched(&a, &monitor), ZF_OK);
    a.recipe.epochs = 2;
    a.resume = true;
    assert_int_equal(train(&a), ZF_OK); /* it is free again */
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
    struct attempt a = begin(*state);
    struct zf_bytes log;
    char line[1024] = "";
    const char *logged;

    a.recipe.epochs = 1;
    assert_int_equal(train_watched(&a, &monitor), ZF_OK);
    assert_true(waits.seconds > 0);
    assert_true(waits.epoch == waits.step);
    assert_true(fabs(waits.epoch - waits.waited_seconds / waits.seconds) < 1e-12);
    log = map(*state, "log.jsonl");
    memcpy(line, log.data, log.size < sizeof line ? log.size : sizeof line - 1);
    logged = strstr(line, "\"wait\":");
    assert_non_null(logged);
    assert_true(fabs(strtod(logged + strlen("\"wait\":"), NULL) - waits.epoch) < 1e-12);
    zf_bytes_release(&log);
}

static void going_on_with_or_without_exact_is_told(void **state)
{
    char run[96];
    struct attempt a;

    snprintf(run, sizeof run, "%s/exact", (const char *)*state);
    a = begin(run);
    a.recipe.epochs = 1;
    a.exact = true;
    assert_int_equal(train(&a), ZF_OK);
    a.recipe.epochs = 2;
    a.resume = true;
    a.told[0] = '\0';
    assert_int_equal(train(&a), ZF_OK);
    assert_string_equal(a.told, "");
    a.recipe.epochs = 3;
    a.exact = false;
    assert_int_equal(train(&a), ZF_OK);
    assert_non_null(strstr(a.told, "--exact"));
}

static void a_loss_that_is_not_finite_stops_with_place_and_advice(void **state)
{
    char run[96];
    struct attempt a;
    struct zf_checkpoint at;
    struct zf_net *net = make_net();
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    a = begin(run);
    a.recipe.lr = 1e30;
    assert_int_equal(train(&a), ZF_ENUMERIC);
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
        events = map(run, entry->d_name);
        for (size_t i = 0; i + 4 <= events.size && !found; i++)
            found = memcmp(events.data + i, "\x89PNG", 4) == 0;
        assert_true(found);
        zf_bytes_release(&events);
    }
    assert_int_equal(files, 1);
    closedir(listing);
}

static void zero_epochs_write_the_untrained_net(void **state)
{
    char run[96], path[128];
    struct attempt a;
    struct zf_net *net = NULL, *untrained = make_net();

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    a = begin(run);
    a.recipe.epochs = 0;
    assert_int_equal(train(&a), ZF_OK);
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
    struct zf_eval_options options = {.threads = 1};
    struct zf_eval_result one[2], ten[2], both;
    struct zf_net *net = NULL;
    const struct zf_net *nets[2];
    struct zf_data *data = NULL;
    int64_t images = 0;

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    snprintf(path, sizeof path, "%s/model.safetensors", run);
    a = begin(run);
    a.recipe.epochs = 60;
    a.recipe.patience = 100;
    assert_int_equal(train(&a), ZF_OK);
    assert_int_equal(zf_model_load(path, NULL, &net, &a.err), ZF_OK);
    assert_int_equal(zf_data_open("synth:train:100", &data, &a.err), ZF_OK);
    nets[0] = nets[1] = net;
    assert_int_equal(zf_eval_run(nets, 1, data, &options, one, NULL, &images, NULL, &a.err), ZF_OK);
    assert_int_equal(images, 100);
    print_message("last loss %.3f, training error %.2f\n", a.last_loss, one[0].top1_error);
    assert_true(one[0].top1_error < 0.75); /* chance is 0.9 */
    assert_true(one[0].top5_error <= one[0].top1_error);
    options.ten_views = true;
    options.batch = 64;
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
    const struct zf_eval_options options = {.threads = 1};
    struct zf_eval_result results[2];
    struct zf_net *first = make_net(), *second = NULL;
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

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(a_run_killed_at_any_moment_goes_on_to_the_same_bits),
        IN_A_DIRECTORY(a_stopped_run_goes_on_within_its_epoch),
        IN_A_DIRECTORY(more_epochs_can_be_asked_for_later),
        IN_A_DIRECTORY(a_run_is_not_begun_over_nor_resumed_as_another),
        IN_A_DIRECTORY(a_directory_in_which_a_training_runs_is_refused_to_another),
        IN_A_DIRECTORY(the_share_of_time_that_a_run_waits_for_pictures_is_told_and_logged),
        IN_A_DIRECTORY(going_on_with_or_without_exact_is_told),
        IN_A_DIRECTORY(a_loss_that_is_not_finite_stops_with_place_and_advice),
        IN_A_DIRECTORY(zero_epochs_write_the_untrained_net),
        IN_A_DIRECTORY(training_learns_and_evaluation_sees_it),
        cmocka_unit_test(models_of_other_classes_make_no_ensemble),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
