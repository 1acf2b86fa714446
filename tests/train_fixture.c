/* SPDX-License-Identifier: MIT */
#include "train_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/status.h"

const char *const training_spec = "[net]\nname = tiny\ninput = 3x8x8\nclasses = 3\nsize = 10\n"
                                  "[conv1]\ntype = conv\nmaps = 5\nkernel = 3\n"
                                  "[relu1]\ntype = relu\n"
                                  "[fc2]\ntype = fc\nmaps = classes\n"
                                  "[prob]\ntype = softmax\n";

const char *const training_classes[3] = {"cat\nwith a newline", "d\377g", "fox"};

struct zf_net *training_net(uint64_t seed)
{
    struct zf_net *net = NULL;
    struct zf_error err = {0};

    if (zf_net_parse_spec(training_spec, "tiny", 0, &net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_net_init_parameters(net, ZF_INIT_NORMAL, 0.1, seed);
    assert_int_equal(zf_net_set_labels(net, training_classes, &err), ZF_OK);
    return net;
}

float *training_array(const struct zf_net *net, uint64_t key, double deviation)
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

size_t training_bytes(const struct zf_net *net)
{
    return (size_t)zf_net_gradient_floats(net) * sizeof(float);
}

int training_set_up(void **state)
{
    struct training_fixture *f = zf_alloc(1, sizeof *f);
    struct zf_preparation preparation;
    float mean[3 * 10 * 10];

    snprintf(f->run, sizeof f->run, "/tmp/zf-train-XXXXXX");
    assert_non_null(mkdtemp(f->run));
    snprintf(f->current, sizeof f->current, "%s/checkpoint", f->run);
    snprintf(f->previous, sizeof f->previous, "%s/checkpoint.previous", f->run);
    f->net = training_net(11);
    f->velocity = training_array(f->net, 12, 0.01);
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

int training_tear_down(void **state)
{
    struct training_fixture *f = *state;
    char command[96];

    snprintf(command, sizeof command, "rm -rf %s", f->run);
    assert_int_equal(system(command), 0);
    zf_net_free(&f->net);
    zf_free(f->velocity);
    zf_free(f);
    return 0;
}
