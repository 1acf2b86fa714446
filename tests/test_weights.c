/* SPDX-License-Identifier: MIT */
/* Weights of other programs: which tensor becomes which layer's, and what is refused. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "model/safetensors.h"
#include "zf/model.h"

#define MOST_TENSORS 16
#define MOST_FLOATS 1024 /* of one tensor */

/* conv2 and conv3 have equal shapes. */
static const char spec[] = "[net]\nname = chain\ninput = 3x6x6\nclasses = 3\n"
                           "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\n"
                           "[conv2]\ntype = conv\nmaps = 4\nkernel = 3\npad = 1\n"
                           "[conv3]\ntype = conv\nmaps = 4\nkernel = 3\npad = 1\n"
                           "[fc4]\ntype = fc\nmaps = classes\n";

struct fixture {
    char path[64];
    struct zf_net *net;
    char messages[512];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct zf_error err;
    int fd;

    strcpy(f->path, "/tmp/zf-test-weights-XXXXXX");
    fd = mkstemp(f->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(zf_net_parse_spec(spec, "chain", 0, &f->net, &err), ZF_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    zf_net_free(&f->net);
    free(f);
    return 0;
}

struct tensor {
    const char *name;
    int rank;
    int64_t dims[4];
};

/* As state dicts come: sorted by name as text. All values of tensor i are i + 1. */
static void write_tensors(const struct fixture *f, const struct tensor *tensors, size_t count)
{
    static float values[MOST_TENSORS][MOST_FLOATS];
    struct zf_stored stored[MOST_TENSORS];
    struct zf_output output = {0};
    struct zf_error err;

    for (size_t i = 0; i < count; i++) {
        stored[i] = (struct zf_stored){
            .name = tensors[i].name, .dtype = ZF_F32, .rank = tensors[i].rank, .data = values[i]};
        memcpy(stored[i].dims, tensors[i].dims, sizeof tensors[i].dims);
        stored[i].bytes = (size_t)zf_stored_count(&stored[i]) * sizeof(float);
        for (int64_t k = 0; k < zf_stored_count(&stored[i]); k++)
            values[i][k] = (float)(i + 1);
    }
    assert_int_equal(zf_output_open(&output, f->path, &err), ZF_OK);
    assert_int_equal(zf_safetensors_write(&output, stored, count, NULL, 0, &err), ZF_OK);
    assert_int_equal(zf_output_commit(&output, &err), ZF_OK);
}

static void take_message(void *user, const char *sentence)
{
    struct fixture *f = user;
    const size_t used = strlen(f->messages);

    snprintf(f->messages + used, sizeof f->messages - used, "%s\n", sentence);
}

static enum zf_status load(struct fixture *f, struct zf_error *err)
{
    const struct zf_monitor monitor = {.user = f, .message = take_message};

    f->messages[0] = '\0';
    return zf_model_load_weights(f->net, f->path, NULL, &monitor, err);
}

/* The number of the tensor whose values parameter `name` has. */
static void assert_taken(const struct fixture *f, const char *name, int number)
{
    for (int i = 0; i < zf_net_parameter_tensors(f->net); i++) {
        const struct zf_parameter p = zf_net_parameter(f->net, i);

        if (strcmp(p.name, name) != 0)
            continue;
        for (int64_t k = 0; k < p.count; k++) {
            if (p.data[k] != (float)number)
                fail_msg("%s[%" PRId64 "]: expected %d, got %g", name, k, number,
                         (double)p.data[k]);
        }
        return;
    }
    fail_msg("there is no parameter %s", name);
}

static void assert_refused(struct fixture *f, const struct tensor *tensors, size_t count,
                           const char *expected)
{
    struct zf_error err = {0};

    write_tensors(f, tensors, count);
    if (load(f, &err) != ZF_EINPUT || !strstr(err.message, expected))
        fail_msg("expected '%s', got %d '%s'", expected, err.status, err.message);
    assert_taken(f, "conv1.weight", 0); /* nothing was copied */
    assert_taken(f, "fc4.bias", 0);
}

static void tensors_of_a_layers_name_are_its(void **state)
{
    static const struct tensor tensors[] = {
        {"conv3.bias", 1, {4}},
        {"conv3.weight", 4, {4, 4, 3, 3}},
        {"conv2.bias", 1, {4}},
        {"conv2.weight", 4, {4, 4, 3, 3}},
        {"conv1.weight", 4, {4, 3, 3, 3}},
        {"fc4.weight", 2, {3, 64}},
        {"fc4.bias", 1, {3}},
        {"conv1.bias", 1, {4}},
    };
    struct fixture *f = *state;
    struct zf_error err;

    write_tensors(f, tensors, ZF_COUNT(tensors));
    assert_int_equal(load(f, &err), ZF_OK);
    assert_taken(f, "conv1.weight", 5);
    assert_taken(f, "conv1.bias", 8);
    assert_taken(f, "conv2.weight", 4);
    assert_taken(f, "conv3.bias", 1);
    assert_taken(f, "fc4.weight", 6);
    assert_string_equal(f->messages, "");
}

/* "features.10" stands before "features.3" in the file, and comes after it in the net. */
static void modules_of_equal_shapes_go_by_their_numbers(void **state)
{
    static const struct tensor tensors[] = {
        {"classifier.1.bias", 1, {3}}, {"classifier.1.weight", 2, {3, 64}},
        {"features.0.bias", 1, {4}},   {"features.0.weight", 4, {4, 3, 3, 3}},
        {"features.10.bias", 1, {4}},  {"features.10.weight", 4, {4, 4, 3, 3}},
        {"features.3.bias", 1, {4}},   {"features.3.weight", 4, {4, 4, 3, 3}},
    };
    struct fixture *f = *state;
    struct zf_error err;

    write_tensors(f, tensors, ZF_COUNT(tensors));
    if (load(f, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_taken(f, "conv1.bias", 3);
    assert_taken(f, "conv1.weight", 4);
    assert_taken(f, "conv2.bias", 7);
    assert_taken(f, "conv2.weight", 8);
    assert_taken(f, "conv3.bias", 5);
    assert_taken(f, "conv3.weight", 6);
    assert_taken(f, "fc4.bias", 1);
    assert_taken(f, "fc4.weight", 2);
    assert_string_equal(f->messages, "conv1 takes \"features.0.weight\"\n"
                                     "conv2 takes \"features.3.weight\"\n"
                                     "conv3 takes \"features.10.weight\"\n"
                                     "fc4 takes \"classifier.1.weight\"\n");
}

static void names_and_shapes_may_mix(void **state)
{
    static const struct tensor tensors[] = {
        {"conv2.bias", 1, {4}},       {"conv2.weight", 4, {4, 4, 3, 3}},
        {"first.bias", 1, {4}},       {"first.weight", 4, {4, 3, 3, 3}},
        {"third.bias", 1, {4}},       {"third.weight", 4, {4, 4, 3, 3}},
        {"fc4.weight", 2, {3, 64}},   {"fc4.bias", 1, {3}},
        {"preparation.mean", 1, {7}}, /* of a model: no weight */
    };
    struct fixture *f = *state;
    struct zf_error err;

    write_tensors(f, tensors, ZF_COUNT(tensors));
    if (load(f, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_taken(f, "conv2.weight", 2);
    assert_taken(f, "conv3.weight", 6);
    assert_taken(f, "conv1.bias", 3);
}

static void what_leaves_a_choice_is_refused(void **state)
{
    static const struct tensor words[] = {
        {"first.bias", 1, {4}},      {"first.weight", 4, {4, 3, 3, 3}},
        {"second.bias", 1, {4}},     {"second.weight", 4, {4, 4, 3, 3}},
        {"third.bias", 1, {4}},      {"third.weight", 4, {4, 4, 3, 3}},
        {"last.weight", 2, {3, 64}}, {"last.bias", 1, {3}},
    };
    static const struct tensor more[] = {
        {"0.bias", 1, {4}},          {"0.weight", 4, {4, 3, 3, 3}},
        {"1.bias", 1, {4}},          {"1.weight", 4, {4, 4, 3, 3}},
        {"2.bias", 1, {4}},          {"2.weight", 4, {4, 4, 3, 3}},
        {"3.bias", 1, {4}},          {"3.weight", 4, {4, 4, 3, 3}},
        {"last.weight", 2, {3, 64}}, {"last.bias", 1, {3}},
    };

    assert_refused(*state, words, ZF_COUNT(words),
                   "2 layers, conv2 first, want [4, 4, 3, 3], and 2 tensors are, such as "
                   "\"second.weight\"");
    assert_refused(*state, more, ZF_COUNT(more),
                   "2 layers, conv2 first, want [4, 4, 3, 3], and 3 tensors are");
}

static void what_does_not_fit_is_listed_with_both_shapes(void **state)
{
    static const struct tensor shapes[] = {
        {"conv1.bias", 1, {4}},      {"conv1.weight", 4, {4, 3, 5, 5}},
        {"conv2.bias", 1, {4}},      {"conv2.weight", 4, {4, 4, 3, 3}},
        {"conv3.bias", 1, {4}},      {"conv3.weight", 4, {4, 4, 3, 3}},
        {"fc4.weight", 2, {10, 64}}, {"fc4.bias", 1, {10}},
    };
    static const struct tensor missing[] = {
        {"0.bias", 1, {4}}, {"0.weight", 4, {4, 3, 3, 3}},
        {"1.bias", 1, {4}}, {"1.weight", 4, {4, 4, 3, 3}},
        {"2.bias", 1, {4}}, {"2.weight", 4, {4, 4, 3, 3}},
    };

    assert_refused(*state, shapes, ZF_COUNT(shapes),
                   "does not fit chain: \"conv1.weight\" is [4, 3, 5, 5] of F32, the net needs "
                   "[4, 3, 3, 3]; \"fc4.weight\" is [10, 64] of F32, the net needs [3, 64]; "
                   "\"fc4.bias\" is [10] of F32, the net needs [3]");
    assert_refused(*state, missing, ZF_COUNT(missing), "nothing is [3, 64] for \"fc4.weight\"");
}

/* The statistics of a batch normalisation, for instance: without them the net would be another. */
static void tensors_that_no_layer_takes_are_refused(void **state)
{
    static const struct tensor tensors[] = {
        {"conv1.bias", 1, {4}},       {"conv1.weight", 4, {4, 3, 3, 3}},
        {"conv2.bias", 1, {4}},       {"conv2.weight", 4, {4, 4, 3, 3}},
        {"conv3.bias", 1, {4}},       {"conv3.weight", 4, {4, 4, 3, 3}},
        {"fc4.weight", 2, {3, 64}},   {"fc4.bias", 1, {3}},
        {"bn1.running_mean", 1, {4}},
    };

    assert_refused(*state, tensors, ZF_COUNT(tensors), "nothing takes \"bn1.running_mean\" [4]");
    assert_refused(*state, tensors, ZF_COUNT(tensors) - 2, "\"fc4.bias\" [3] is missing");
}

static void a_pickle_is_refused_with_the_way_out(void **state)
{
    static const char *const files[] = {"PK\003\004archive/data.pkl", "\200\002ctorch"};
    struct fixture *f = *state;
    struct zf_error err = {0};

    for (size_t i = 0; i < ZF_COUNT(files); i++) {
        assert_int_equal(zf_file_write(f->path, files[i], strlen(files[i]), &err), ZF_OK);
        assert_int_equal(load(f, &err), ZF_EINPUT);
        assert_non_null(strstr(err.message, "safetensors.torch.save_file"));
    }
    unlink(f->path);
    assert_int_equal(load(f, &err), ZF_EINPUT);
    assert_non_null(strstr(err.message, "No such file"));
}

static int allocations_left;

static bool allow_some(size_t bytes)
{
    (void)bytes;
    return allocations_left-- > 0;
}

static void every_failing_allocation_is_reported(void **state)
{
    static const struct tensor tensors[] = {
        {"0.bias", 1, {4}}, {"0.weight", 4, {4, 3, 3, 3}},
        {"1.bias", 1, {4}}, {"1.weight", 4, {4, 4, 3, 3}},
        {"2.bias", 1, {4}}, {"2.weight", 4, {4, 4, 3, 3}},
        {"3.bias", 1, {3}}, {"3.weight", 2, {3, 64}},
    };
    struct fixture *f = *state;
    struct zf_error err = {0};
    enum zf_status status = ZF_ENOMEM;
    int n;

    write_tensors(f, tensors, ZF_COUNT(tensors));
    for (n = 0; status != ZF_OK && n < 1000; n++) {
        allocations_left = n;
        zf_alloc_allowed = allow_some;
        status = load(f, &err);
        zf_alloc_allowed = NULL;
        if (status != ZF_OK && status != ZF_ENOMEM)
            fail_msg("allocation %d: status %d '%s'", n, status, err.message);
        if (status != ZF_OK)
            assert_taken(f, "conv1.weight", 0);
    }
    assert_true(n > 3);
    assert_int_equal(status, ZF_OK);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(tensors_of_a_layers_name_are_its),
        WITH_FILE(modules_of_equal_shapes_go_by_their_numbers),
        WITH_FILE(names_and_shapes_may_mix),
        WITH_FILE(what_leaves_a_choice_is_refused),
        WITH_FILE(what_does_not_fit_is_listed_with_both_shapes),
        WITH_FILE(tensors_that_no_layer_takes_are_refused),
        WITH_FILE(a_pickle_is_refused_with_the_way_out),
        WITH_FILE(every_failing_allocation_is_reported),
    };

    return cmocka_run_group_tests_name("weights", tests, NULL, NULL);
}
