/* SPDX-License-Identifier: MIT */
/* Passes of a loader, recorded. */
#ifndef ZF_TESTS_LOADER_RECORD_H
#define ZF_TESTS_LOADER_RECORD_H

#include "data_fixture.h"

enum { CROP = 8, SIZE = 12, VALUES = 3 * CROP * CROP };

/* All that a row of passes gave, one batch after the other; record_release() it. */
struct record {
    float *inputs;
    int64_t *samples;
    int32_t *labels;
    int64_t *counts;
    int64_t batches;
};

/* Random views, shuffled, in batches of 4. */
extern const struct zf_loader_options training;

/* The test ends with the error of one that cannot be made. */
struct zf_loader *loader_of(const struct zf_data *data, const struct zf_net *net,
                            const struct zf_loader_options *options);

struct record record_run(const struct zf_data *data, const struct zf_net *net,
                         const struct zf_loader_options *options, int passes);
void record_release(struct record *record);

#endif
