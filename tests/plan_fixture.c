/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "net/net.h"
#include "plan_fixture.h"

void plan_fill(float *data, int64_t count, double deviation, uint64_t stream)
{
    struct zf_random random = zf_random_stream(1, ZF_RANDOM_TEST, stream, 0);

    for (int64_t i = 0; i < count; i++)
        data[i] = (float)(deviation * zf_random_normal(&random));
}

void plan_set_up(struct plan_fixture *f, const char *layers, const char *end,
                 struct zf_plan_options options)
{
    struct zf_error err = {0};
    int last;
    char *spec = zf_format("[net]\ninput = 2x9x8\n%s%s", layers, end);

    assert_non_null(spec);
    *f = (struct plan_fixture){.labels = {2, 0, 3}};
    if (zf_net_parse_spec(spec, "test", 0, &f->net, &err) != ZF_OK)
        fail_msg("%s", err.message);
    zf_free(spec);
    plan_fill(f->net->parameters, f->net->floats, 0.4, 7);
    f->gradients = zf_alloc((size_t)f->net->floats, sizeof *f->gradients);
    options.compute.batch = BATCH;
    last = zf_net_layer_count(f->net) - 1;
    if (options.purpose == ZF_PROJECT && !options.taps) {
        options.taps = &last;
        options.tap_count = 1;
    }
    options.gradients = options.purpose == ZF_TRAIN ? f->gradients : NULL;
    if (zf_plan_create(f->net, &options, &f->plan, &err) != ZF_OK)
        fail_msg("%s", err.message);
    assert_int_equal(zf_tensor_init(&f->input, BATCH, 2, 9, 8, NULL), ZF_OK);
    plan_fill(f->input.data, zf_tensor_count(&f->input), 1, 8);
}

void plan_tear_down(struct plan_fixture *f)
{
    zf_plan_free(&f->plan);
    zf_net_free(&f->net);
    zf_tensor_release(&f->input);
    zf_free(f->gradients);
}
