/* SPDX-License-Identifier: MIT */
/* The parts of training, each by itself: step, schedule, loss, checkpoint, log, events. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"
#include "net/net.h"
#include "train/checkpoint.h"
#include "train/log.h"
#include "train/loss.h"
#include "train/schedule.h"
#include "train/step.h"
#include "train/tensorboard.h"

static const char spec[] = "[net]\nname = tiny\ninput = 3x8x8\nclasses = 3\nsize = 10\n"
                           "[conv1]\ntype = conv\nmaps = 5\nkernel = 3\n"
                           "[relu1]\ntype = relu\n"
                           "[fc2]\ntype = fc\nmaps = classes\n"
                           "[prob]\ntype = softmax\n";

static const char *const class_names[] = {"cat\nwith a newline", "d\377g", "fox"};

static struct zf_net *make_net(uint64_t seed)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, seed);
    assert_int_equal(zf_net_set_labels(net, class_names, &err), ZF_OK);
    return net;
}

/* Random values where parameters lie; the gaps between them stay zero. */
static float *make_array(const struct zf_net *net, uint64_t key, double deviation)
{
    struct zf_random random = zf_random_stream(7, ZF_RANDOM_TEST, key, 0);
    float *array = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *array);

    assert_non_null(array);
    for (int i = 0; i < net->slot_count; i++) {
        for (int64_t k = 0; k < net->slots[i].count; k++)
            array[net->slots[i].offset + k] = (float)(deviation * zf_random_normal(&random));
    }
    return array;
}

static size_t array_bytes(const struct zf_net *net)
{
    return (size_t)zf_net_gradient_floats(net) * sizeof(float);
}

static bool holds(const uint8_t *bytes, size_t size, const void *part, size_t part_size)
{
    for (size_t i = 0; i + part_size <= size; i++) {
        if (memcmp(bytes + i, part, part_size) == 0)
            return true;
    }
    return false;
}

/* ---- Step ---- */

/* The formulas of step.h, value by value, in double. */
static void naive_step(const struct zf_net *net, const float *gradients, double *parameters,
                       double *velocity, const struct zf_step *step)
{
    for (int s = 0; s < net->slot_count; s++) {
        const struct zf_parameter_slot *slot = &net->slots[s];
        const bool filters = strcmp(slot->name, "conv1.weight") == 0;
        const int64_t size = filters ? slot->count / slot->dims.d[0] : slot->count;

        for (int64_t at = slot->offset; at < slot->offset + slot->count; at++) {
            const double decay = slot->is_bias ? 0 : step->weight_decay;

            velocity[at] = step->momentum * velocity[at] -
                           step->lr * ((double)gradients[at] + decay * parameters[at]);
            parameters[at] += velocity[at];
        }
        for (int64_t begin = slot->offset; filters && begin < slot->offset + slot->count;
             begin += size) {
            double squares = 0;

            for (int64_t at = begin; at < begin + size; at++)
                squares += parameters[at] * parameters[at];
            for (int64_t at = begin;
                 sqrt(squares / (double)size) > step->rms_limit && at < begin + size; at++)
                parameters[at] *= step->rms_limit / sqrt(squares / (double)size);
        }
    }
}

static double filter_rms(const struct zf_net *net, int64_t filter)
{
    const struct zf_parameter_slot *slot = &net->slots[0];
    const int64_t size = slot->count / slot->dims.d[0];
    double squares = 0;

    for (int64_t i = 0; i < size; i++) {
        const double w = (double)net->parameters[slot->offset + filter * size + i];
        squares += w * w;
    }
    return sqrt(squares / (double)size);
}

static void a_step_is_what_its_formulas_say(void **state)
{
    const struct zf_step step = {
        .lr = 0.03, .momentum = 0.9, .weight_decay = 0.01, .rms_limit = 0.1, .threads = 2};
    struct zf_net *net = make_net(1);
    const int64_t floats = zf_net_gradient_floats(net);
    float *velocity = zf_alloc((size_t)floats, sizeof *velocity);
    double *parameters = zf_alloc((size_t)floats, sizeof *parameters);
    double *momentum = zf_alloc((size_t)floats, sizeof *momentum);

    (void)state;
    for (int64_t i = 0; i < floats; i++)
        parameters[i] = (double)net->parameters[i];
    for (uint64_t k = 0; k < 5; k++) {
        float *gradients = make_array(net, k, 1.0);

        zf_step_apply(net, gradients, velocity, &step);
        naive_step(net, gradients, parameters, momentum, &step);
        zf_free(gradients);
    }
    for (int64_t i = 0; i < floats; i++) {
        if (!(fabs(parameters[i] - (double)net->parameters[i]) < 2e-6))
            fail_msg("value %lld: expected %.9g, got %.9g", (long long)i, parameters[i],
                     (double)net->parameters[i]);
    }
    zf_free(velocity);
    zf_free(parameters);
    zf_free(momentum);
    zf_net_free(&net);
}

static void only_filters_above_the_limit_are_scaled_and_exactly_to_it(void **state)
{
    const struct zf_step step = {.rms_limit = 0.1, .threads = 1};
    struct zf_net *net = make_net(1);
    float *zeros = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *zeros);
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    const struct zf_parameter_slot *weight = &net->slots[0];
    const int64_t size = weight->count / weight->dims.d[0];
    const float *fc = net->parameters + net->slots[2].offset;

    (void)state;
    assert_string_equal(net->slots[2].name, "fc2.weight");
    for (int64_t i = 0; i < weight->count; i++)
        net->parameters[weight->offset + i] = (i & 1 ? -0.05f : 0.05f);
    for (int64_t i = 0; i < size; i++)
        net->parameters[weight->offset + 3 * size + i] = (float)(i % 5) - 1.5f;
    for (int64_t i = 0; i < net->slots[2].count; i++)
        net->parameters[net->slots[2].offset + i] = 3;
    zf_step_apply(net, zeros, velocity, &step);
    assert_true(net->parameters[weight->offset] == 0.05f);
    assert_true(fabs(filter_rms(net, 3) - 0.1) < 1e-7);
    assert_true(fc[0] == 3); /* a fully connected layer is no filter */
    zf_free(zeros);
    zf_free(velocity);
    zf_net_free(&net);
}

static void a_step_gives_the_same_bits_on_any_number_of_threads(void **state)
{
    /* Large enough to be shared among threads, and with filters of a size that is no multiple. */
    static const char large[] = "[net]\ninput = 3x40x40\nclasses = 7\n[conv1]\ntype = conv\n"
                                "maps = 900\nkernel = 9\nstride = 9\n[fc2]\ntype = fc\n"
                                "maps = classes\n[prob]\ntype = softmax\n";
    float *results[3] = {0};
    static const int threads[] = {1, 2, 5};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(threads); i++) {
        const struct zf_step step = {.lr = 0.01,
                                     .momentum = 0.9,
                                     .weight_decay = 5e-4,
                                     .rms_limit = 0.1,
                                     .threads = threads[i]};
        struct zf_net *net = NULL;
        float *gradients, *velocity;

        assert_int_equal(zf_net_parse_spec(large, "large", 0, &net, NULL), ZF_OK);
        zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 3);
        gradients = make_array(net, 1, 1.0);
        velocity = make_array(net, 2, 1.0);
        zf_step_apply(net, gradients, velocity, &step);
        results[i] = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof(float));
        memcpy(results[i], net->parameters, array_bytes(net));
        assert_memory_equal(results[0], results[i], array_bytes(net));
        zf_free(gradients);
        zf_free(velocity);
        zf_net_free(&net);
    }
    for (size_t i = 0; i < ZF_COUNT(threads); i++)
        zf_free(results[i]);
}

/* ---- Schedule ---- */

static void the_rate_falls_after_patience_epochs_without_a_lower_error(void **state)
{
    static const double errors[] = {0.9, 0.8, 0.8, 0.85, 0.7, 0.71, 0.72};
    static const double rates[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25};
    const struct zf_recipe recipe = {.lr = 1, .patience = 2, .lr_drop = 0.5};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(errors); i++) {
        const bool best = zf_schedule_epoch(&schedule, &recipe, (int64_t)i + 1, errors[i]);

        assert_int_equal(best, i == 0 || i == 1 || i == 4);
        if (schedule.lr != rates[i])
            fail_msg("epoch %zu: expected a rate of %g, got %g", i + 1, rates[i], schedule.lr);
    }
    assert_int_equal(schedule.best_epoch, 5);
    assert_int_equal(schedule.ended, 0);
}

static void training_ends_at_the_plateau_after_the_last_fall(void **state)
{
    const struct zf_recipe recipe = {.lr = 1, .patience = 1, .lr_drop = 0.1, .drops = 2};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);
    int64_t epochs = 0;

    (void)state;
    for (; !schedule.ended && epochs < 100; epochs++)
        zf_schedule_epoch(&schedule, &recipe, epochs + 1, 0.5);
    assert_int_equal(epochs, 4); /* the best, two falls, the end */
    assert_int_equal(schedule.falls, 2);
}

static void an_error_that_is_no_number_is_no_better(void **state)
{
    const struct zf_recipe recipe = {.lr = 1, .patience = 3, .lr_drop = 0.1};
    struct zf_schedule schedule = zf_schedule_begin(&recipe);

    (void)state;
    assert_false(zf_schedule_epoch(&schedule, &recipe, 1, (double)NAN));
    assert_int_equal(schedule.best_epoch, 0);
    assert_true(zf_schedule_epoch(&schedule, &recipe, 2, 1.0));
}

/* ---- Loss ---- */

static void errors_count_ties_by_index_and_never_a_nan(void **state)
{
    float rows[6][7] = {
        {0.4f, 0.4f, 0.2f, 0, 0, 0, 0},             /* label 0: first of a tie */
        {0.4f, 0.4f, 0.2f, 0, 0, 0, 0},             /* label 1: second of it */
        {0.3f, 0.2f, 0.2f, 0.1f, 0.1f, 0.1f, 0},    /* label 5: sixth */
        {0.3f, 0.2f, 0.2f, 0.1f, 0.1f, 0.1f, 0},    /* label 4: fifth */
        {NAN, NAN, NAN, NAN, NAN, NAN, NAN},        /* label 0 */
        {0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.4f}, /* no label */
    };
    const int32_t labels[] = {0, 1, 5, 4, 0, -1};
    struct zf_score score = {0};
    struct zf_tensor tensor = zf_tensor_view(rows[0], 4, 7, 1, 1);

    (void)state;
    zf_score_add(&score, &tensor, labels);
    assert_true(fabs(zf_score_loss(&score) - (2 * log(1 / 0.4) + 2 * log(1 / 0.1)) / 4) < 1e-6);
    tensor = zf_tensor_view(rows[4], 2, 7, 1, 1);
    zf_score_add(&score, &tensor, labels + 4);
    assert_int_equal(score.images, 5);
    assert_int_equal(score.top1_wrong, 4);
    assert_int_equal(score.top5_wrong, 2);
    assert_true(isnan(zf_score_loss(&score)));
    assert_true(zf_score_top1_error(&score) == 0.8);
}

static void a_probability_of_zero_costs_much_but_not_infinity(void **state)
{
    float row[] = {1, 0};
    const int32_t label = 1;
    const struct zf_tensor tensor = zf_tensor_view(row, 1, 2, 1, 1);
    struct zf_score score = {0};

    (void)state;
    assert_true(isnan(zf_score_loss(&score)));
    zf_score_add(&score, &tensor, &label);
    assert_true(fabs(score.loss + log((double)FLT_MIN)) < 1e-9);
}

/* ---- Checkpoint ---- */

struct fixture {
    char run[64], current[96], previous[96];
    struct zf_net *net;
    float *velocity;
    struct zf_checkpoint at;
    char told[768];
};

static void keep_message(void *user, const char *sentence)
{
    struct fixture *f = user;

    snprintf(f->told, sizeof f->told, "%s", sentence);
}

static int set_up(void **state)
{
    struct fixture *f = zf_alloc(1, sizeof *f);
    struct zf_preparation preparation;
    float mean[3 * 10 * 10];

    snprintf(f->run, sizeof f->run, "/tmp/zf-train-XXXXXX");
    assert_non_null(mkdtemp(f->run));
    snprintf(f->current, sizeof f->current, "%s/checkpoint", f->run);
    snprintf(f->previous, sizeof f->previous, "%s/checkpoint.previous", f->run);
    f->net = make_net(11);
    f->velocity = make_array(f->net, 12, 0.01);
    for (size_t i = 0; i < ZF_COUNT(mean); i++)
        mean[i] = (float)i / 3;
    preparation = *zf_net_preparation(f->net);
    preparation.mean_image = mean;
    assert_int_equal(zf_net_set_preparation(f->net, &preparation, NULL), ZF_OK);
    f->at = (struct zf_checkpoint){
        .epoch = 3,
        .batches = 17,
        .score = {0.1 + 0.2, 34, 5, 1},
        .seconds = 1.0 / 3,
        .recipe = *zf_net_recipe(f->net),
        .seed = INT64_MAX,
        .data = {100, UINT64_MAX - 5},
        .threads = 2,
        .engine = "reference",
    };
    f->at.schedule = zf_schedule_begin(&f->at.recipe);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", f->run);
    assert_int_equal(system(command), 0);
    zf_net_free(&f->net);
    zf_free(f->velocity);
    zf_free(f);
    return 0;
}

static void save(const struct fixture *f)
{
    struct zf_error err = {0};

    if (zf_checkpoint_save(f->run, f->net, f->velocity, &f->at, &err) != ZF_OK)
        fail_msg("%s", err.message);
}

/* Loads into another net and holds it against what was saved, at `epoch`. */
static void expect_loaded(struct fixture *f, int64_t epoch)
{
    const struct zf_monitor monitor = {.user = f, .message = keep_message};
    struct zf_net *net = make_net(99);
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
    assert_memory_equal(velocity, f->velocity, array_bytes(net));
    assert_memory_equal(net->parameters, f->net->parameters, array_bytes(net));
    assert_memory_equal(net->mean_image, f->net->mean_image, 300 * sizeof(float));
    for (int64_t k = 0; k < 3; k++)
        assert_string_equal(zf_net_label(net, k), class_names[k]);
    zf_free(velocity);
    zf_net_free(&net);
}

static enum zf_status try_load(struct fixture *f, struct zf_net *net, struct zf_error *err)
{
    float *velocity = zf_alloc((size_t)zf_net_gradient_floats(net), sizeof *velocity);
    struct zf_checkpoint at;
    enum zf_status status = zf_checkpoint_load(f->run, net, velocity, &at, NULL, err);

    zf_free(velocity);
    return status;
}

static void a_checkpoint_comes_back_bit_for_bit(void **state)
{
    struct fixture *f = *state;

    save(f);
    expect_loaded(f, 3);
    assert_string_equal(f->told, "");
    assert_int_not_equal(access(f->previous, F_OK), 0);
}

static void the_checkpoint_before_is_kept(void **state)
{
    struct fixture *f = *state;

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
    struct fixture *f = *state;

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
    struct fixture *f = *state;
    struct zf_random random = zf_random_stream(3, ZF_RANDOM_TEST, 0, 0);
    const int64_t data_bytes = (int64_t)array_bytes(f->net);

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

static void a_run_without_a_whole_checkpoint_is_refused_with_both_reasons(void **state)
{
    struct fixture *f = *state;
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

static void a_checkpoint_of_another_net_is_refused_with_the_line_that_differs(void **state)
{
    struct fixture *f = *state;
    struct zf_error err = {0};
    struct zf_net *other = NULL;
    char text[sizeof spec];

    save(f);
    memcpy(text, spec, sizeof spec);
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
    struct fixture *f = *state;
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
    struct fixture *f = *state;
    enum zf_status status = ZF_ENOMEM;
    int failures = 0;

    save(f);
    for (int n = 0; n < 200 && status != ZF_OK; n++) {
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
    struct fixture *f = *state;
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

/* ---- Log ---- */

static void the_log_has_each_epoch_once_after_a_cut(void **state)
{
    struct fixture *f = *state;
    struct zf_epoch epoch = {.loss = 1.5, .val_top1_error = (double)NAN, .lr = 0.01};
    struct zf_bytes bytes = {0};
    char path[96];
    FILE *stream;
    int lines = 0;

    snprintf(path, sizeof path, "%s/log.jsonl", f->run);
    assert_int_equal(zf_log_cut(path, 2, NULL), ZF_OK); /* a missing file is fine */
    for (epoch.epoch = 1; epoch.epoch <= 4; epoch.epoch++)
        assert_int_equal(zf_log_append(path, &epoch, false, NULL), ZF_OK);
    stream = fopen(path, "ab");
    fputs("{\"epoch\":5,\"lo", stream); /* cut off by a kill */
    fclose(stream);
    assert_int_equal(zf_log_cut(path, 2, NULL), ZF_OK);
    epoch.epoch = 3;
    assert_int_equal(zf_log_append(path, &epoch, true, NULL), ZF_OK);
    assert_int_equal(zf_bytes_map(&bytes, path, 1 << 20, NULL), ZF_OK);
    for (size_t i = 0; i < bytes.size; i++)
        lines += bytes.data[i] == '\n';
    assert_int_equal(lines, 3);
    assert_true(holds(bytes.data, bytes.size, "\"val_top1_error\":null", 21));
    zf_bytes_release(&bytes);
}

/* ---- Events ---- */

/* Bit by bit, as the polynomial says. */
static uint32_t slow_crc(const uint8_t *data, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

static void the_crc_is_castagnolis_in_one_piece_or_many(void **state)
{
    const char *digits = "123456789";
    uint8_t bytes[100];

    (void)state;
    assert_int_equal(zf_crc32c(0, digits, 9), 0xE3069283); /* the catalogue's check value */
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37);
    for (size_t split = 0; split <= sizeof bytes; split++)
        assert_int_equal(zf_crc32c(zf_crc32c(0, bytes, split), bytes + split, 100 - split),
                         slow_crc(bytes, 100));
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t masked(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + UINT32_C(0xA282EAD8);
}

/* The records of an event file after their framing was checked; returns how many. */
static int read_records(const struct zf_bytes *file, const uint8_t **events, size_t *sizes,
                        int most)
{
    int count = 0;

    for (size_t at = 0; at < file->size; count++) {
        const uint8_t *record = file->data + at;
        size_t size;

        assert_true(file->size - at >= 16);
        size = read_u32(record);
        assert_int_equal(read_u32(record + 4), 0);
        assert_int_equal(read_u32(record + 8), masked(slow_crc(record, 8)));
        assert_true(file->size - at >= 16 + size);
        assert_int_equal(read_u32(record + 12 + size), masked(slow_crc(record + 12, size)));
        assert_true(count < most);
        events[count] = record + 12;
        sizes[count] = size;
        at += 16 + size;
    }
    return count;
}

static void event_files_are_framed_as_tensorboard_reads_them(void **state)
{
    /* Summary.Value{tag: "loss", simple_value: 2.5}, and an Event's step: 7 and START. */
    static const uint8_t loss[] = {0x0A, 11, 0x0A, 4, 'l', 'o', 's', 's', 0x15, 0, 0, 0x20, 0x40};
    static const uint8_t step[] = {0x10, 7}, start[] = {0x10, 7, 0x3A, 2, 0x08, 1};
    struct fixture *f = *state;
    const struct zf_epoch epoch = {.epoch = 7, .loss = 2.5, .val_top1_error = (double)NAN};
    struct zf_picture picture = {0};
    struct zf_events events = {0};
    struct zf_bytes bytes = {0};
    const uint8_t *records[8];
    size_t sizes[8];

    assert_int_equal(zf_picture_init(&picture, 4, 3, NULL), ZF_OK);
    assert_int_equal(zf_events_epoch(&events, &epoch, NULL), ZF_OK); /* empty: nothing */
    assert_int_equal(zf_events_open(&events, f->run, 7, NULL), ZF_OK);
    assert_int_equal(zf_events_epoch(&events, &epoch, NULL), ZF_OK);
    assert_int_equal(zf_events_picture(&events, "conv1", 300, &picture, NULL), ZF_OK);
    assert_non_null(strstr(events.path, "/events.out.tfevents."));
    assert_int_equal(zf_bytes_map(&bytes, events.path, 1 << 20, NULL), ZF_OK);
    assert_int_equal(read_records(&bytes, records, sizes, 8), 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(records[i][0], 0x09); /* wall_time, a double */
    assert_true(holds(records[0], sizes[0],
                      "\x1A\x0D"
                      "brain.Event:2",
                      15));
    assert_true(holds(records[1], sizes[1], start, sizeof start));
    assert_true(holds(records[2], sizes[2], step, sizeof step));
    assert_true(holds(records[2], sizes[2], loss, sizeof loss));
    assert_true(holds(records[2], sizes[2], "images_per_second", 17));
    assert_false(holds(records[2], sizes[2], "val_top1_error", 14));
    assert_true(holds(records[3], sizes[3], "\x10\xAC\x02", 3)); /* step 300 */
    assert_true(holds(records[3], sizes[3], "\x08\x03\x10\x04\x18\x03\x22", 7));
    assert_true(holds(records[3], sizes[3], "\x89PNG", 4));
    zf_bytes_release(&bytes);
    zf_events_close(&events);
    zf_picture_release(&picture);
}

#define IN_A_RUN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_what_its_formulas_say),
        cmocka_unit_test(only_filters_above_the_limit_are_scaled_and_exactly_to_it),
        cmocka_unit_test(a_step_gives_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(the_rate_falls_after_patience_epochs_without_a_lower_error),
        cmocka_unit_test(training_ends_at_the_plateau_after_the_last_fall),
        cmocka_unit_test(an_error_that_is_no_number_is_no_better),
        cmocka_unit_test(errors_count_ties_by_index_and_never_a_nan),
        cmocka_unit_test(a_probability_of_zero_costs_much_but_not_infinity),
        IN_A_RUN(a_checkpoint_comes_back_bit_for_bit),
        IN_A_RUN(the_checkpoint_before_is_kept),
        IN_A_RUN(a_checkpoint_cut_anywhere_gives_way_to_the_one_before),
        IN_A_RUN(a_flipped_bit_in_the_data_gives_way_to_the_one_before),
        IN_A_RUN(a_run_without_a_whole_checkpoint_is_refused_with_both_reasons),
        IN_A_RUN(a_checkpoint_of_another_net_is_refused_with_the_line_that_differs),
        IN_A_RUN(a_full_disk_leaves_the_checkpoint_as_it_was_and_says_so),
        IN_A_RUN(short_memory_fails_cleanly_and_spares_the_checkpoint),
        IN_A_RUN(what_differs_from_the_run_is_named_with_both_values),
        IN_A_RUN(the_log_has_each_epoch_once_after_a_cut),
        cmocka_unit_test(the_crc_is_castagnolis_in_one_piece_or_many),
        IN_A_RUN(event_files_are_framed_as_tensorboard_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
