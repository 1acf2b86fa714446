/* SPDX-License-Identifier: MIT */
/* Every row of the table, run as a program that knows nothing else of it would, and with short
   memory. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "look_world.h"
#include "policy_fixture.h"
#include "zf/experiment.h"
#include "zf/model.h"

#define MOST_WORDS 8
#define POINTS 24 /* allocations that fail, one a run, of each experiment */

static const char tiny[] = "[net]\nname = tiny\ninput = 3x20x20\nclasses = 2\nsize = 20\n"
                           "[conv1]\ntype = conv\nmaps = 2\nkernel = 5\nstride = 4\n"
                           "[relu1]\ntype = relu\n[fc2]\ntype = fc\nmaps = 2\n"
                           "[prob]\ntype = softmax\n";

/* What each is given; "@name" is a file of the world. */
static const struct trial {
    const char *name;
    const char *arguments[3];
    const char *options[MOST_WORDS]; /* name, value, ... */
    bool trains;
} trials[] = {
    {"top", {NULL}, {"data", "@data", "k", "2", "layer", "conv1"}, false},
    {"unit", {NULL}, {"data", "@data", "layer", "relu2", "map", "3"}, false},
    {"evolve", {"@run", NULL}, {"data", "@data", "maps", "2"}, false},
    {"invariance", {"@data/cats/000.png", "@data/cats/001.png", NULL}, {"class", "1"}, false},
    {"diagnose", {NULL}, {"data", "@data"}, false},
    {"occlude", {"@data/cats/000.png", NULL}, {"data", "@data", "stride", "5"}, false},
    {"correspond", {"@parts.tsv", NULL}, {"repeats", "3", "permutations", "50"}, false},
    {"compare",
     {"@run/epochs/0001.safetensors", "@run/epochs/0002.safetensors", NULL},
     {"data", "@data", "shown", "3", "explain", "1"},
     false},
    {"ablate", {NULL}, {"nets", "@tiny.ini", "data", "@data", "val", "@data"}, true},
    {"transfer", {NULL}, {"data", "@data", "per_class", "3", "folds", "1", "layer", "relu1"}, true},
};

/* Text that lives until the test ends: what it is, or the path of a file of the world. */
static const char *word_of(struct world *w, const char *word, char **owned)
{
    *owned = *word == '@' ? in_world(w, word + 1) : NULL;
    return *owned ? *owned : word;
}

static void write_file(struct world *w, const char *name, const char *text)
{
    char *path = in_world(w, name);

    must(w, zf_file_write(path, text, strlen(text), &w->err));
    zf_free(path);
}

static void prepare_files(struct world *w)
{
    static const char *const epochs[] = {"run/epochs/0001.safetensors",
                                         "run/epochs/0002.safetensors"};
    char *folder = in_world(w, "run/epochs");

    must(w, zf_directory_make(folder, &w->err));
    for (size_t i = 0; i < 2; i++) {
        char *path = in_world(w, epochs[i]);

        must(w, zf_model_save(w->net, path, &w->err));
        zf_free(path);
    }
    write_file(w, "tiny.ini", tiny);
    write_file(w, "parts.tsv",
               "data/cats/000.png\teye\t4\t6\ndata/cats/001.png\teye\t5\t6\n"
               "data/cats/002.png\teye\t6\t6\n");
    zf_free(folder);
}

/* One run into a directory of its own; `allowed`, unless NULL, is asked before each allocation of
 * it. */
static enum zf_status attempt(struct world *w, const struct trial *trial, const char *directory,
                              bool (*allowed)(size_t bytes), struct zf_document **document)
{
    const struct zf_experiment *experiment = zf_experiment_find(trial->name);
    const struct zf_option *recipe;
    char *owned[2 * MOST_WORDS] = {NULL}, **next = owned;
    const char *arguments[3] = {NULL};
    struct zf_setting settings[2] = {{NULL, "1"}, {NULL, "8"}};
    struct zf_call call = {.arguments = arguments,
                           .compute = {.engine = "reference", .threads = 1},
                           .settings = settings,
                           .directory = directory};
    enum zf_status status;
    size_t recipe_count;
    void *options;

    assert_non_null(experiment);
    assert_int_equal(experiment->trains, trial->trains);
    options = calloc(1, experiment->options_size);
    zf_options_defaults(experiment->options, experiment->option_count, options);
    for (size_t i = 0; i < MOST_WORDS && trial->options[i]; i += 2) {
        const struct zf_option *option =
            zf_option_find(experiment->options, experiment->option_count, trial->options[i]);

        assert_non_null(option);
        must(w, zf_option_set(option, word_of(w, trial->options[i + 1], next++), options, &w->err));
    }
    while (trial->arguments[call.argument_count]) {
        arguments[call.argument_count] = word_of(w, trial->arguments[call.argument_count], next++);
        call.argument_count++;
    }
    recipe = zf_recipe_options(&recipe_count);
    settings[0].option = zf_option_find(recipe, recipe_count, "epochs");
    settings[1].option = zf_option_find(recipe, recipe_count, "batch");
    call.setting_count = experiment->trains ? 2 : 0;
    call.net = zf_takes_net(experiment->takes) ? w->net : NULL;
    call.other = experiment->takes == ZF_TAKES_TWO_MODELS ? w->net : NULL;
    call.options = options;
    zf_alloc_allowed = allowed;
    status = zf_experiment_run(experiment, &call, document, &w->err);
    zf_alloc_allowed = NULL;
    free(options);
    for (size_t i = 0; i < 2 * MOST_WORDS; i++)
        zf_free(owned[i]);
    return status;
}

static void every_row_has_what_a_command_and_a_form_need(void **state)
{
    size_t count = 0;

    (void)state;
    for (const struct zf_experiment *e; (e = zf_experiment_at(count)) != NULL; count++) {
        assert_true(*e->name && *e->figure && *e->title && *e->summary && *e->details);
        assert_ptr_equal(zf_experiment_find(e->name), e);
        for (size_t i = 0; i < e->option_count; i++) {
            assert_true(*e->options[i].help);
            assert_true(e->options[i].offset < e->options_size);
            assert_ptr_equal(zf_option_find(e->options, e->option_count, e->options[i].name),
                             &e->options[i]);
        }
    }
    assert_int_equal(count, sizeof trials / sizeof *trials);
    assert_null(zf_experiment_find("nothing"));
}

static void assert_page_holds_its_policy(struct world *w, const char *path)
{
    struct zf_bytes bytes = {0};
    char *text;

    must(w, zf_bytes_map(&bytes, path, (size_t)1 << 30, &w->err));
    text = strndup((const char *)bytes.data, bytes.size);
    assert_non_null(text);
    free(assert_policy_holds(text));
    free(text);
    zf_bytes_release(&bytes);
}

static void every_experiment_leaves_a_page_numbers_and_lines(void **state)
{
    struct world *w = *state;

    prepare_files(w);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        char *directory = in_world(w, trials[i].name), *page, *name, *file, *json = NULL;
        struct zf_document *document = NULL;

        must(w, attempt(w, &trials[i], directory, NULL, &document));
        must(w, zf_document_json(document, &json, &w->err));
        assert_true(strlen(json) > 20);
        assert_true(strlen(zf_document_said(document)) > 20);
        page = zf_path_join(directory, "index.html");
        name = zf_format("%s.json", trials[i].name);
        file = zf_path_join(directory, name);
        assert_page_holds_its_policy(w, page);
        assert_int_equal(access(file, R_OK), 0);
        zf_document_free(&document);
        zf_free(json);
        zf_free(file);
        zf_free(name);
        zf_free(page);
        zf_free(directory);
    }
}

/* ---- Short memory. ---- */

static _Atomic int64_t asked, failing; /* allocations so far, and which of them fails */

static bool allow(size_t bytes)
{
    (void)bytes;
    return atomic_fetch_add(&asked, 1) != atomic_load(&failing);
}

/* The run with its allocation n failing, none with n = -1; returns how many were asked for. */
static int64_t run_short(struct world *w, const struct trial *trial, int64_t n)
{
    char *name = zf_format("%s-%" PRId64, trial->name, n), *directory = in_world(w, name);
    struct zf_document *document = NULL;
    enum zf_status status;

    atomic_store(&asked, 0);
    atomic_store(&failing, n);
    status = attempt(w, trial, directory, allow, &document);
    if (status != ZF_OK && (status != ZF_ENOMEM || n < 0))
        fail_msg("%s, allocation %" PRId64 ": %s", trial->name, n, w->err.message);
    assert_int_equal(document != NULL, status == ZF_OK);
    zf_document_free(&document);
    zf_free(directory);
    zf_free(name);
    return atomic_load(&asked);
}

static void every_experiment_survives_an_allocation_that_fails(void **state)
{
    struct world *w = *state;

    prepare_files(w);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const int64_t all = run_short(w, &trials[i], -1);

        assert_true(all > POINTS);
        for (int64_t p = 0; p < POINTS; p++)
            run_short(w, &trials[i], all * p / POINTS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_what_a_command_and_a_form_need),
        cmocka_unit_test_setup_teardown(every_experiment_leaves_a_page_numbers_and_lines, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_experiment_survives_an_allocation_that_fails, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
