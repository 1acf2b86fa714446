/* SPDX-License-Identifier: MIT */
/* Trainings that are killed, stopped and resumed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attempt.h"
#include "base/random.h"
#include "base/status.h"
#include "train/checkpoint.h"

#define KILLS 20
#define STOPPED 10 /* exit code of a child that stopped on request */

/* The same in a process of its own; returns its id. */
static pid_t train_in_child(struct attempt *a)
{
    const pid_t child = fork();

    if (child == 0) {
        const enum zf_status status = attempt_run(a);

        if (status != ZF_OK && status != ZF_ECANCELED)
            fprintf(stderr, "child: %s\n", a->err.message);
        _exit(status == ZF_OK ? 0 : status == ZF_ECANCELED ? STOPPED : 1);
    }
    assert_true(child > 0);
    return child;
}

static bool exists(const char *run, const char *name)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", run, name);
    return access(path, F_OK) == 0;
}

static void expect_same_file(const char *run, const char *other, const char *name)
{
    struct zf_bytes a = attempt_file(run, name), b = attempt_file(other, name);

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
    struct zf_bytes a = attempt_file(run, "log.jsonl"), b = attempt_file(other, "log.jsonl");
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
    struct attempt a = attempt_begin(run);
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
    whole = attempt_begin(unbroken);
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
            attempt_remove(broken);
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
    a = attempt_begin(unbroken);
    a.threads = 2;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_int_equal(a.steps, 5 * 6); /* 100 images, batches of 16, the last one left out */
    assert_int_equal(a.epochs, 5);
    a = attempt_begin(broken);
    a.threads = 2;
    for (int stop = 0; stop < 30; stop++) {
        a.resume = stop > 0;
        a.steps = 0;
        a.stop_after = 7;
        if (attempt_run(&a) == ZF_OK)
            break;
        assert_int_equal(a.err.status, ZF_ECANCELED);
        assert_non_null(strstr(a.err.message, "--resume"));
        assert_int_equal(a.steps, 7);
    }
    assert_int_equal(a.steps, 2);
    expect_same_run(broken, unbroken, 5);
    a.resume = true;
    assert_int_equal(attempt_run(&a), ZF_OK); /* nothing is left to do */
    assert_non_null(strstr(a.told, "has finished its 5 epochs"));
}

static void more_epochs_can_be_asked_for_later(void **state)
{
    char straight[96], longer[96];
    struct attempt a;

    snprintf(straight, sizeof straight, "%s/straight", (const char *)*state);
    snprintf(longer, sizeof longer, "%s/longer", (const char *)*state);
    a = attempt_begin(straight);
    assert_int_equal(attempt_run(&a), ZF_OK);
    a = attempt_begin(longer);
    a.recipe.epochs = 3;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_true(exists(longer, "epochs/0003.safetensors")); /* the last is kept */
    a.resume = true;
    a.recipe.epochs = 5;
    assert_int_equal(attempt_run(&a), ZF_OK);
    expect_same_run(longer, straight, 5);
}

static void a_run_is_not_begun_over_nor_resumed_as_another(void **state)
{
    char run[96];
    struct attempt a;

    snprintf(run, sizeof run, "%s/run", (const char *)*state);
    a = attempt_begin(run);
    a.resume = true;
    assert_int_equal(attempt_run(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "no checkpoint"));
    assert_int_not_equal(access(run, F_OK), 0);
    a.resume = false;
    a.recipe.epochs = 1;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_int_equal(attempt_run(&a), ZF_EINVAL);
    assert_non_null(strstr(a.err.message, "--resume"));
    a.resume = true;
    a.data = "synth:train:90";
    assert_int_equal(attempt_run(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "100"));
    assert_non_null(strstr(a.err.message, "90"));
    a.data = NULL;
    a.recipe.lr = 0.5;
    assert_int_equal(attempt_run(&a), ZF_EINPUT);
    assert_non_null(strstr(a.err.message, "lr 0.02"));
}

/* A run that begins another one in its own directory, at its first step. */
static bool intrude(void *user, const struct zf_train_state *at)
{
    const char *run = user;
    struct attempt second = attempt_begin(run);

    if (at->epoch == 1 && at->step == 1) {
        assert_int_equal(attempt_run(&second), ZF_EINPUT);
        assert_non_null(strstr(second.err.message, "another training"));
        assert_non_null(strstr(second.err.message, run));
        second.resume = true;
        assert_int_equal(attempt_run(&second), ZF_EINPUT);
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
    a = attempt_begin(run);
    a.recipe.epochs = 1;
    assert_int_equal(attempt_run_watched(&a, &monitor), ZF_OK);
    a.recipe.epochs = 2;
    a.resume = true;
    assert_int_equal(attempt_run(&a), ZF_OK); /* it is free again */
}

static void going_on_with_or_without_exact_is_told(void **state)
{
    char run[96];
    struct attempt a;

    snprintf(run, sizeof run, "%s/exact", (const char *)*state);
    a = attempt_begin(run);
    a.recipe.epochs = 1;
    a.exact = true;
    assert_int_equal(attempt_run(&a), ZF_OK);
    a.recipe.epochs = 2;
    a.resume = true;
    a.told[0] = '\0';
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_string_equal(a.told, "");
    a.recipe.epochs = 3;
    a.exact = false;
    assert_int_equal(attempt_run(&a), ZF_OK);
    assert_non_null(strstr(a.told, "--exact"));
}

#define IN_A_DIRECTORY(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, attempt_set_up, attempt_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(a_run_killed_at_any_moment_goes_on_to_the_same_bits),
        IN_A_DIRECTORY(a_stopped_run_goes_on_within_its_epoch),
        IN_A_DIRECTORY(more_epochs_can_be_asked_for_later),
        IN_A_DIRECTORY(a_run_is_not_begun_over_nor_resumed_as_another),
        IN_A_DIRECTORY(a_directory_in_which_a_training_runs_is_refused_to_another),
        IN_A_DIRECTORY(going_on_with_or_without_exact_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
