/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "loader_record.h"

const struct zf_loader_options training = {
    .batch = 4,
    .views = ZF_VIEWS_RANDOM,
    .min_scale = 0.5,
    .shuffle = true,
    .threads = 1,
    .seed = 7,
};

void record_release(struct record *record)
{
    free(record->inputs);
    free(record->samples);
    free(record->labels);
    free(record->counts);
}

struct zf_loader *loader_of(const struct zf_data *data, const struct zf_net *net,
                            const struct zf_loader_options *options)
{
    struct zf_loader *loader = NULL;
    struct zf_error err = {0};

    if (zf_loader_create(data, net, options, &loader, &err) != ZF_OK)
        fail_msg("%s", err.message);
    return loader;
}

static void append(struct record *r, const struct zf_batch *batch)
{
    const size_t n = (size_t)batch->input.n, b = (size_t)r->batches;

    r->inputs = realloc(r->inputs, (b + 1) * n * VALUES * sizeof *r->inputs);
    r->samples = realloc(r->samples, (b + 1) * n * sizeof *r->samples);
    r->labels = realloc(r->labels, (b + 1) * n * sizeof *r->labels);
    r->counts = realloc(r->counts, (b + 1) * sizeof *r->counts);
    assert_true(r->inputs && r->samples && r->labels && r->counts);
    memcpy(r->inputs + b * n * VALUES, batch->input.data, n * VALUES * sizeof *r->inputs);
    memcpy(r->samples + b * n, batch->samples, n * sizeof *r->samples);
    memcpy(r->labels + b * n, batch->labels, n * sizeof *r->labels);
    r->counts[r->batches++] = batch->count;
}

struct record record_run(const struct zf_data *data, const struct zf_net *net,
                         const struct zf_loader_options *options, int passes)
{
    struct zf_loader *loader = loader_of(data, net, options);
    struct record record = {0};
    struct zf_error err = {0};

    while (passes > 0) {
        struct zf_batch batch;
        bool done;
        if (zf_loader_next(loader, &batch, &done, &err) != ZF_OK)
            fail_msg("%s", err.message);
        if (done)
            passes--;
        else
            append(&record, &batch);
    }
    zf_loader_free(&loader);
    assert_null(loader);
    return record;
}
