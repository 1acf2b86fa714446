/* SPDX-License-Identifier: MIT */
/* top, stopped and killed wherever it may be, and gone on with: each run is a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/fnv.h"
#include "base/memory.h"
#include "look_world.h"
#include "zf/experiment.h"
#include "zf/model.h"

#define BAD "data/cats/007.png" /* is no picture */
#define MOST_CALLS 200
#define WAS_KILLED 1 /* no status */

enum ending { TO_THE_END, STOPPED, KILLED };

/* A run that ends at its `at`-th word of progress. */
struct course {
    enum ending ending;
    int at, calls;
};

static bool go_on(void *user, const char *stage, int64_t done, int64_t total)
{
    struct course *course = user;

    (void)stage;
    (void)done;
    (void)total;
    if (course->ending == TO_THE_END || ++course->calls < course->at)
        return true;
    if (course->ending == KILLED)
        raise(SIGKILL);
    return false;
}

static enum zf_status top(struct world *w, const char *out, const char *k, bool resume,
                          struct course *course)
{
    const struct zf_experiment *experiment = zf_experiment_find("top");
    const char *const given[][2] = {
        {"data", "data"}, {"k", k}, {"batch", "4"}, {"layer", "conv1,conv2"}, {"resume", "yes"}};
    const struct zf_monitor monitor = {.user = course, .progress = go_on};
    void *options = zf_alloc(1, experiment->options_size);
    char *data = in_world(w, "data"), *directory = in_world(w, out);
    enum zf_status status;

    zf_options_defaults(experiment->options, experiment->option_count, options);
    for (size_t i = 0; i < (resume ? ZF_COUNT(given) : ZF_COUNT(given) - 1); i++)
        must(w, zf_option_set(
                    zf_option_find(experiment->options, experiment->option_count, given[i][0]),
                    i == 0 ? data : given[i][1], options, &w->err));
    status = zf_experiment_run(experiment,
                               &(struct zf_call){.net = w->net,
                                                 .options = options,
                                                 .compute = {.engine = "reference", .threads = 1},
                                                 .directory = directory,
                                                 .monitor = &monitor},
                               NULL, &w->err);
    zf_free(directory);
    zf_free(data);
    zf_free(options);
    return status;
}

/* What the program is when it runs as a child: WORLD OUT again|anew ENDING AT. */
static int run_as_child(char **words)
{
    struct course course = {.ending = (enum ending)atoi(words[3]), .at = atoi(words[4])};
    struct world w = {0};
    char *model, *data;
    enum zf_status status;

    snprintf(w.directory, sizeof w.directory, "%s", words[0]);
    model = in_world(&w, "net.safetensors");
    data = in_world(&w, "data");
    status = zf_model_load(model, NULL, &w.net, &w.err);
    if (status == ZF_OK)
        status = zf_data_open(data, &w.data, &w.err);
    if (status == ZF_OK)
        status = top(&w, words[1], "2", strcmp(words[2], "again") == 0, &course);
    zf_data_free(&w.data);
    zf_net_free(&w.net);
    zf_free(data);
    zf_free(model);
    return -(int)status; /* which are negative */
}

/* Its status, or WAS_KILLED. */
static int run(struct world *w, const char *out, bool resume, enum ending ending, int at)
{
    char *model = in_world(w, "net.safetensors");
    char words[2][16];
    pid_t child;
    int state = 0;

    must(w, zf_model_save(w->net, model, &w->err));
    zf_free(model);
    snprintf(words[0], sizeof words[0], "%d", (int)ending);
    snprintf(words[1], sizeof words[1], "%d", at);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "top", w->directory, out, resume ? "again" : "anew", words[0],
              words[1], (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &state, 0), child);
    return WIFEXITED(state) ? -WEXITSTATUS(state) : WAS_KILLED;
}

/* ---- What lies in a directory. ---- */

static uint64_t tree;
static size_t tree_root, files;

/* Where a line of JSON with that key begins; NULL where there is none. */
static const char *find(const struct zf_bytes *bytes, const char *word)
{
    const char *text = (const char *)bytes->data;
    const size_t length = strlen(word);

    for (size_t i = 0; i + length <= bytes->size; i++) {
        if (memcmp(text + i, word, length) == 0)
            return text + i;
    }
    return NULL;
}

/* Of names and contents, in any order; how fast it went differs from run to run. */
static int add_file(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    struct zf_bytes bytes = {0};
    const char *cut = NULL, *end;
    uint64_t hash;

    (void)info;
    (void)walk;
    if (kind != FTW_F)
        return 0;
    if (zf_bytes_map(&bytes, path, (size_t)1 << 30, NULL) != ZF_OK)
        return 1;
    end = (const char *)bytes.data + bytes.size;
    if (strstr(path, "/top.json"))
        cut = find(&bytes, "\"images_per_second\"");
    hash = zf_fnv(ZF_FNV_START, path + tree_root, strlen(path + tree_root));
    hash = zf_fnv(hash, bytes.data, cut ? (size_t)(cut - (const char *)bytes.data) : bytes.size);
    if (cut) {
        const char *next = memchr(cut, '\n', (size_t)(end - cut));

        hash = zf_fnv(hash, next, (size_t)(end - next));
    }
    zf_bytes_release(&bytes);
    tree += hash;
    files++;
    return 0;
}

static uint64_t tree_of(struct world *w, const char *name)
{
    char *path = in_world(w, name);

    tree = 0;
    files = 0;
    tree_root = strlen(path);
    assert_int_equal(nftw(path, add_file, 8, FTW_PHYS), 0);
    assert_true(files > 60); /* pages, sheets, maps and photos */
    zf_free(path);
    return tree;
}

static bool stands(struct world *w, const char *name)
{
    char *path = in_world(w, name);
    const bool there = access(path, F_OK) == 0;

    zf_free(path);
    return there;
}

static void damage(struct world *w)
{
    char *path = in_world(w, BAD);

    must(w, zf_file_write(path, "no picture", 10, &w->err));
    zf_free(path);
}

/* ---- The tests. ---- */

static void a_run_that_is_stopped_and_killed_anywhere_ends_with_the_same_files(void **state)
{
    struct world *w = *state;
    uint64_t whole;
    int at = 1;

    damage(w);
    assert_int_equal(run(w, "whole", false, TO_THE_END, 0), ZF_OK);
    assert_false(stands(w, "whole/unfinished"));
    whole = tree_of(w, "whole");
    for (;; at += 4) {
        const int status = run(w, "parts", false, STOPPED, at);

        assert_true(stands(w, "parts/index.html"));
        if (status == ZF_OK)
            break;
        assert_int_equal(status, ZF_ECANCELED);
        assert_int_equal(run(w, "parts", true, KILLED, 1 + at % 3), WAS_KILLED);
        assert_true(stands(w, "parts/index.html"));
        assert_int_equal(run(w, "parts", true, TO_THE_END, 0), ZF_OK);
        assert_false(stands(w, "parts/unfinished"));
        assert_true(tree_of(w, "parts") == whole);
        assert_true(at < MOST_CALLS);
    }
    assert_true(at > 15); /* batches that are looked at, and projections of both layers */
}

/* What it says is the child's; so it is asked here. */
static void only_a_run_of_the_same_question_goes_on(void **state)
{
    struct world *w = *state;
    struct course course = {TO_THE_END, 0, 0};

    assert_int_equal(top(w, "out", "2", true, &course), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "holds no unfinished run of top"));
    assert_int_equal(run(w, "out", false, KILLED, 3), WAS_KILLED);
    assert_int_equal(top(w, "out", "3", true, &course), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "other options"));
    weights_of(w->net)[0] += 1;
    assert_int_equal(top(w, "out", "2", true, &course), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "another net"));
    assert_int_equal(top(w, "out", "2", false, &course), ZF_OK);
    assert_int_equal(top(w, "out", "2", true, &course), ZF_EINPUT);
    assert_non_null(strstr(w->err.message, "it is finished"));
}

static void a_file_of_lists_that_is_damaged_is_refused(void **state)
{
    struct world *w = *state;
    struct course course = {TO_THE_END, 0, 0};
    char *path = in_world(w, "out/unfinished/strongest");
    struct zf_bytes bytes = {0};
    uint8_t *copy;
    size_t size;

    assert_int_equal(run(w, "out", false, STOPPED, 14), ZF_ECANCELED); /* with lists */
    must(w, zf_bytes_map(&bytes, path, (size_t)1 << 30, &w->err));
    size = bytes.size;
    copy = zf_alloc(size, 1);
    memcpy(copy, bytes.data, size);
    zf_bytes_release(&bytes);
    for (size_t cut = 0; cut < size; cut += 1 + size / 40) {
        must(w, zf_file_write(path, copy, cut, &w->err));
        assert_int_equal(top(w, "out", "2", true, &course), ZF_EINPUT);
    }
    must(w, zf_file_write(path, copy, size, &w->err));
    assert_int_equal(top(w, "out", "2", true, &course), ZF_OK);
    zf_free(copy);
    zf_free(path);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_run_that_is_stopped_and_killed_anywhere_ends_with_the_same_files),
        TEST(only_a_run_of_the_same_question_goes_on),
        TEST(a_file_of_lists_that_is_damaged_is_refused),
    };

    if (argc == 6)
        return run_as_child(argv + 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
