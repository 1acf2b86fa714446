/* SPDX-License-Identifier: MIT */
/* Nets compared: variants trained from scratch, and ensembles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "document_fixture.h"
#include "experiments/ablate/ablate.h"
#include "base/status.h"
#include "data_fixture.h"
#include "train/loss.h"
#include "zf/model.h"
#include "zf/plan.h"

#define must(expression)                                                                           \
    do {                                                                                           \
        if ((expression) != ZF_OK)                                                                 \
            fail_msg("%s: %s", #expression, err.message);                                          \
    } while (0)

static const char spec[] = "[net]\nname = %s\ninput = 3x12x12\nclasses = %d\nsize = 16\n"
                           "scale = 0.02\n"
                           "[train]\nbatch = 16\nepochs = %d\nlr = 0.02\ninit = he\n"
                           "[conv1]\ntype = conv\nmaps = %d\nkernel = 5\nstride = 2\n"
                           "[relu1]\ntype = relu\n"
                           "[fc2]\ntype = fc\nmaps = %s\n"
                           "[prob]\ntype = softmax\n";

/* A spec file of that name; its path. */
static const char *write_spec(void **state, const char *name, int epochs, int maps,
                              const char *outputs)
{
    char file[64], text[1024];
    const char *path;

    snprintf(file, sizeof file, "%s.ini", name);
    path = fixture_path(state, file);
    snprintf(text, sizeof text, spec, name, 10, epochs, maps, outputs);
    fixture_write(path, text, strlen(text));
    return path;
}

static struct zf_variant variant(const char *path)
{
    struct zf_variant variant = {.net = path};
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    must(zf_net_load_spec(path, 0, &net, &err));
    variant.recipe = *zf_net_recipe(net);
    zf_net_free(&net);
    return variant;
}

/* One ablation of two nets and two seeds, and how it is disturbed. */
struct attempt {
    const char *directory;
    bool resume;
    int64_t stop_after; /* steps; 0 = never */
    int64_t steps;
    struct zf_error err;
};

static bool on_step(void *user, const struct zf_train_state *at)
{
    struct attempt *a = user;

    (void)at;
    return ++a->steps != a->stop_after;
}

static enum zf_status run(void **state, struct attempt *a, struct zf_ablation **ablation)
{
    enum zf_status status;
    const struct zf_variant variants[] = {variant(write_spec(state, "small", 2, 4, "classes")),
                                          variant(write_spec(state, "large", 2, 8, "classes"))};
    const struct zf_ablate_options options = {
        .variants = variants,
        .variant_count = 2,
        .seeds = 2,
        .train = {.seed = 3, .compute = {.threads = 1, .engine = "reference"}, .resume = a->resume},
    };
    const struct zf_train_monitor monitor = {.user = a, .step = on_step};
    struct zf_data *data = NULL, *val = NULL;

    ZF_TRY(zf_data_open("synth:train:60", &data, &a->err));
    ZF_TRY(zf_data_open("synth:val:30", &val, &a->err));
    status = zf_ablate_run(&options, data, val, a->directory, ablation, &monitor, &a->err);
fail:
    zf_data_free(&data);
    zf_data_free(&val);
    return status;
}

/* All but the time it took. */
static void assert_same_table(const struct zf_ablation *a, const struct zf_ablation *b)
{
    assert_int_equal(a->row_count, b->row_count);
    for (size_t i = 0; i < a->row_count; i++) {
        const struct zf_ablation_row *x = &a->rows[i], *y = &b->rows[i];

        assert_string_equal(x->net, y->net);
        assert_int_equal(x->parameters, y->parameters);
        assert_memory_equal(&x->train_top1_error, &y->train_top1_error, sizeof(struct zf_spread));
        assert_memory_equal(&x->val_top1_error, &y->val_top1_error, sizeof(struct zf_spread));
        assert_memory_equal(&x->val_top5_error, &y->val_top5_error, sizeof(struct zf_spread));
        assert_memory_equal(&x->epochs, &y->epochs, sizeof(struct zf_spread));
        for (int64_t s = 0; s < a->seeds; s++)
            assert_int_equal(x->runs[s].best_epoch, y->runs[s].best_epoch);
    }
}

static void an_ablation_stopped_anywhere_goes_on_to_the_same_table(void **state)
{
    struct attempt whole = {.directory = fixture_path(state, "whole")};
    struct zf_ablation *expected = NULL;

    if (run(state, &whole, &expected) != ZF_OK)
        fail_msg("%s", whole.err.message);
    assert_int_equal(whole.steps, 2 * 2 * 2 * 3);
    for (int64_t stop = 2; stop < whole.steps; stop += 7) {
        char name[32];
        struct attempt cut = {.stop_after = stop}, rest = {.resume = true};
        struct zf_ablation *got = NULL;

        snprintf(name, sizeof name, "cut-%d", (int)stop);
        cut.directory = rest.directory = fixture_path(state, name);
        assert_int_equal(run(state, &cut, &got), ZF_ECANCELED);
        assert_null(got);
        rest.directory = fixture_path(state, name);
        if (run(state, &rest, &got) != ZF_OK)
            fail_msg("%s", rest.err.message);
        assert_int_equal(rest.steps, whole.steps - stop);
        assert_same_table(expected, got);
        zf_ablation_free(&got);
    }
    zf_ablation_free(&expected);
}

static void finished_runs_are_not_done_again_nor_begun_over(void **state)
{
    struct attempt first = {.directory = fixture_path(state, "runs")};
    struct attempt again = {.directory = first.directory, .resume = true};
    struct attempt over = {.directory = first.directory};
    struct zf_ablation *a = NULL, *b = NULL, *c = NULL;

    assert_int_equal(run(state, &first, &a), ZF_OK);
    again.directory = over.directory = fixture_path(state, "runs");
    assert_int_equal(run(state, &again, &b), ZF_OK);
    assert_int_equal(again.steps, 0);
    assert_same_table(a, b);
    assert_int_equal(run(state, &over, &c), ZF_EINVAL);
    assert_non_null(strstr(over.err.message, "--resume"));
    assert_null(c);
    zf_ablation_free(&a);
    zf_ablation_free(&b);
}

static void the_errors_of_a_row_are_those_of_its_model(void **state)
{
    struct attempt attempt = {.directory = fixture_path(state, "runs")};
    const struct zf_eval_options options = {.compute = {.threads = 1, .engine = "reference"}};
    struct zf_eval_result on_train, on_val;
    struct zf_ablation *ablation = NULL;
    struct zf_document *document;
    struct zf_net *net = NULL;
    struct zf_data *data = NULL;
    struct zf_error err = {0};
    char *json = NULL;

    assert_int_equal(run(state, &attempt, &ablation), ZF_OK);
    must(zf_model_load(fixture_path(state, "runs/large-s4/model.safetensors"), NULL, &net, &err));
    must(zf_data_open("synth:train:60", &data, &err));
    must(zf_eval_run((const struct zf_net *const *)&net, 1, data, &options, &on_train, NULL, NULL,
                     NULL, &err));
    zf_data_free(&data);
    must(zf_data_open("synth:val:30", &data, &err));
    must(zf_eval_run((const struct zf_net *const *)&net, 1, data, &options, &on_val, NULL, NULL,
                     NULL, &err));
    {
        const struct zf_ablation_row *row = &ablation->rows[1];

        assert_string_equal(row->net, "large");
        assert_int_equal(row->parameters, zf_net_parameter_count(net));
        assert_int_equal(row->runs[1].seed, 4);
        assert_true(row->runs[1].train_top1_error == on_train.top1_error);
        assert_true(row->runs[1].val_top1_error == on_val.top1_error);
        assert_true(row->runs[1].val_top5_error == on_val.top5_error);
    }
    document = document_open(fixture_path(state, "runs"), "ablate", NULL);
    zf_ablate_page(ablation, document);
    json = document_close(&document);
    assert_non_null(strstr(json, "\"net\":\"large\""));
    zf_free(json);
    zf_net_free(&net);
    zf_data_free(&data);
    zf_ablation_free(&ablation);
}

/* Two variants must be refused, with both words. */
static void refuse(void **state, struct zf_variant a, struct zf_variant b, enum zf_status status,
                   const char *word, const char *another)
{
    const struct zf_variant variants[] = {a, b};
    const struct zf_ablate_options options = {
        .variants = variants, .variant_count = 2, .seeds = 1, .train.compute.threads = 1};
    struct zf_data *data = NULL;
    struct zf_ablation *ablation = NULL;
    struct zf_error err = {0};

    must(zf_data_open("synth:train:60", &data, &err));
    assert_int_equal(zf_ablate_run(&options, data, data, *state, &ablation, NULL, &err), status);
    if (!strstr(err.message, word) || !strstr(err.message, another))
        fail_msg("expected '%s' and '%s' in: %s", word, another, err.message);
    assert_null(ablation);
    zf_data_free(&data);
}

static void what_cannot_be_compared_is_refused_before_the_first_run(void **state)
{
    const struct zf_variant good = variant(write_spec(state, "good", 2, 4, "classes"));
    const struct zf_variant longer = variant(write_spec(state, "longer", 3, 4, "classes"));
    struct zf_variant seven = {.net = write_spec(state, "seven", 2, 4, "7"), .recipe = good.recipe};

    refuse(state, good, longer, ZF_EINVAL, "for 2 epochs", "--epochs");
    refuse(state, good, good, ZF_EINPUT, "both called good", "good.ini");
    refuse(state, good, seven, ZF_EINPUT, "seven", "10");
}

/* ---- Ensembles. ---- */

/* Three random nets that prepare pictures each in its own way. */
static struct zf_net *member(int i)
{
    static const char *const ways[] = {"input = 3x12x12\nsize = 16\nscale = 0.02",
                                       "input = 3x20x20\nsize = 20\nscale = 0.01\nresize = warp",
                                       "input = 3x9x9\nsize = 24\nscale = 0.05"};
    struct zf_net *net = NULL;
    struct zf_error err = {0};
    char text[512];

    snprintf(text, sizeof text,
             "[net]\nname = member\nclasses = 3\n%s\n[fc1]\ntype = fc\nmaps = classes\n"
             "[prob]\ntype = softmax\n",
             ways[i]);
    must(zf_net_parse_spec(text, "member", 0, &net, &err));
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, (uint64_t)i + 1);
    return net;
}

/* A member's probabilities of one picture, by the shortest way. */
static void answer(const struct zf_net *net, const char *path, float *probabilities)
{
    struct zf_tensor input = {0}, output = zf_tensor_view(probabilities, 1, 3, 1, 1);
    struct zf_plan *plan = NULL;
    struct zf_error err = {0};

    must(zf_input_load(path, net, &input, NULL, &err));
    must(zf_plan_create(net, &(struct zf_plan_options){.compute = {.batch = 1, .threads = 1}},
                        &plan, &err));
    zf_plan_forward(plan, &input);
    zf_plan_read(plan, zf_net_layer_count(net) - 1, &output);
    zf_plan_free(&plan);
    zf_tensor_release(&input);
}

static void an_ensemble_averages_members_that_each_prepare_in_their_way(void **state)
{
    struct zf_data *data = fixture_open(fixture_folder(state, "data", 8));
    struct zf_net *nets[3] = {member(0), member(1), member(2)};
    const struct zf_eval_options options = {.compute.threads = 1};
    struct zf_eval_result results[3], whole;
    struct zf_error err = {0};
    int64_t images = 0, wrong[4] = {0};

    must(zf_eval_run((const struct zf_net *const *)nets, 3, data, &options, results, &whole,
                     &images, NULL, &err));
    assert_int_equal(images, 24);
    for (int64_t i = 0; i < 24; i++) {
        const int32_t label = (int32_t)zf_data_label(data, i);
        float sum[3] = {0};

        for (int m = 0; m < 3; m++) {
            float probabilities[3];

            answer(nets[m], zf_data_path(data, i), probabilities);
            wrong[m] += zf_most_probable(probabilities, 3) != label;
            for (int k = 0; k < 3; k++)
                sum[k] += probabilities[k];
        }
        wrong[3] += zf_most_probable(sum, 3) != label;
    }
    for (int m = 0; m < 3; m++)
        assert_true(results[m].top1_error == (double)wrong[m] / 24);
    assert_true(whole.top1_error == (double)wrong[3] / 24);
    /* The test would be worth little if all of them were alike. */
    assert_true(wrong[3] != wrong[0] || wrong[3] != wrong[1] || wrong[3] != wrong[2]);
    for (int m = 0; m < 3; m++)
        zf_net_free(&nets[m]);
    zf_data_free(&data);
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_DIRECTORY(an_ablation_stopped_anywhere_goes_on_to_the_same_table),
        IN_A_DIRECTORY(finished_runs_are_not_done_again_nor_begun_over),
        IN_A_DIRECTORY(the_errors_of_a_row_are_those_of_its_model),
        IN_A_DIRECTORY(what_cannot_be_compared_is_refused_before_the_first_run),
        IN_A_DIRECTORY(an_ensemble_averages_members_that_each_prepare_in_their_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
