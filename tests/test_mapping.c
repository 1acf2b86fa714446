/* SPDX-License-Identifier: MIT */
/* Models whose parameters are used where they lie in the file, and those that are copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/net.h"
#include "zf/model.h"

/* Of tensors of whole cache lines but for the last, as the file needs no gaps then. */
static const char even_spec[] = "[net]\nname = even\ninput = 3x6x6\nclasses = 3\n"
                                "[conv1]\ntype = conv\nmaps = 16\nkernel = 3\nstride = 2\n"
                                "[fc2]\ntype = fc\nmaps = classes\n"
                                "[prob]\ntype = softmax\n";

/* Where the net's array has a gap behind a bias of 4. */
static const char odd_spec[] = "[net]\nname = odd\ninput = 3x6x6\nclasses = 3\n"
                               "[conv1]\ntype = conv\nmaps = 4\nkernel = 3\nstride = 2\n"
                               "[fc2]\ntype = fc\nmaps = classes\n"
                               "[prob]\ntype = softmax\n";

struct fixture {
    char directory[64], path[128];
    struct zf_net *net;
};

static struct zf_net *make_net(const char *spec)
{
    struct zf_preparation preparation;
    struct zf_net *net = NULL;
    struct zf_error err;
    float mean[3 * 6 * 6] = {1};

    assert_int_equal(zf_net_parse_spec(spec, "net", 0, &net, &err), ZF_OK);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, 1);
    preparation = *zf_net_preparation(net);
    preparation.size = 6;
    preparation.mean_image = mean; /* behind the parameters, so that their last gap is there too */
    assert_int_equal(zf_net_set_preparation(net, &preparation, &err), ZF_OK);
    return net;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    strcpy(f->directory, "/tmp/zf-test-mapping-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(f->path, sizeof f->path, "%s/model.safetensors", f->directory);
    f->net = make_net(even_spec);
    assert_int_equal(zf_model_save(f->net, f->path, NULL), ZF_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    zf_net_free(&f->net);
    unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0);
    free(f);
    return 0;
}

static struct zf_net *load(const struct fixture *f)
{
    struct zf_net *net = NULL;
    struct zf_error err;

    assert_int_equal(zf_model_load(f->path, NULL, &net, &err), ZF_OK);
    return net;
}

static void assert_equal_parameters(const struct zf_net *a, const struct zf_net *b)
{
    for (int i = 0; i < zf_net_parameter_tensors(a); i++) {
        const struct zf_parameter x = zf_net_parameter(a, i), y = zf_net_parameter(b, i);

        assert_memory_equal(x.data, y.data, (size_t)x.count * sizeof(float));
    }
}

static void parameters_that_lie_in_the_file_as_in_the_net_are_not_copied(void **state)
{
    const struct fixture *f = *state;
    struct zf_net *loaded = load(f);

    assert_true(loaded->file.mapped);
    assert_int_equal((uintptr_t)loaded->parameters % 64, 0);
    assert_equal_parameters(loaded, f->net);
    zf_net_free(&loaded);
}

static void parameters_with_gaps_between_them_are_copied(void **state)
{
    struct fixture *f = *state;
    struct zf_net *loaded;

    zf_net_free(&f->net);
    f->net = make_net(odd_spec);
    assert_int_equal(zf_model_save(f->net, f->path, NULL), ZF_OK);
    loaded = load(f);
    assert_false(loaded->file.mapped);
    assert_equal_parameters(loaded, f->net);
    zf_net_free(&loaded);
}

static void training_a_mapped_net_changes_neither_its_file_nor_another_net(void **state)
{
    const struct fixture *f = *state;
    struct zf_net *one = load(f), *other = load(f), *after;
    int64_t floats;
    float *parameters = zf_net_parameters_mutable(one, &floats);

    for (int64_t i = 0; i < floats; i++)
        parameters[i] = -1;
    assert_true(one->file.mapped);
    after = load(f);
    assert_equal_parameters(other, f->net);
    assert_equal_parameters(after, f->net);
    assert_true(zf_net_parameter(one, 0).data[0] == -1.0f);
    zf_net_free(&one);
    zf_net_free(&other);
    zf_net_free(&after);
}

static void a_mapped_net_outlives_a_new_file_in_place_of_its_own(void **state)
{
    const struct fixture *f = *state;
    struct zf_net *old = load(f), *changed = load(f), *new;
    int64_t floats;

    zf_net_parameters_mutable(changed, &floats)[0] = 7;
    assert_int_equal(zf_model_save(changed, f->path, NULL), ZF_OK);
    assert_equal_parameters(old, f->net);
    new = load(f);
    assert_equal_parameters(new, changed);
    zf_net_free(&old);
    zf_net_free(&changed);
    zf_net_free(&new);
}

#define WITH_FILE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static void
a_file_that_is_written_over_in_use_is_named_and_one_that_is_replaced_is_not(void **state)
{
    const struct fixture *f = *state;
    const struct timespec long_ago[2] = {{1000, 0}, {1000, 0}};
    struct zf_net *loaded = load(f);
    FILE *file;

    assert_int_equal(zf_model_save(f->net, f->path, NULL), ZF_OK);
    assert_string_equal(zf_mapped_file_at(loaded->parameters), f->path);
    zf_net_free(&loaded);
    assert_null(zf_changed_file());

    utimensat(AT_FDCWD, f->path, long_ago, 0); /* times of files go by ticks */
    loaded = load(f);
    file = fopen(f->path, "r+b");
    assert_non_null(file);
    fseek(file, -4, SEEK_END);
    fwrite("abcd", 1, 4, file);
    fclose(file);
    assert_null(zf_changed_file());
    zf_net_free(&loaded);
    assert_string_equal(zf_changed_file(), f->path);
    assert_null(zf_mapped_file_at(f->net->parameters));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILE(parameters_that_lie_in_the_file_as_in_the_net_are_not_copied),
        WITH_FILE(parameters_with_gaps_between_them_are_copied),
        WITH_FILE(training_a_mapped_net_changes_neither_its_file_nor_another_net),
        WITH_FILE(a_mapped_net_outlives_a_new_file_in_place_of_its_own),
        WITH_FILE(a_file_that_is_written_over_in_use_is_named_and_one_that_is_replaced_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
