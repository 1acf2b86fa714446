/* SPDX-License-Identifier: MIT */
/* One attempt at training a tiny net on generated pictures, for the tests of training and of going
   on with it. */
#ifndef ZF_TESTS_ATTEMPT_H
#define ZF_TESTS_ATTEMPT_H

#include "base/file.h"
#include "zf/train.h"

/* What one training run is asked to do, and what was heard of it. */
struct attempt {
    const char *run;
    struct zf_recipe recipe; /* as of the spec */
    bool resume;
    bool exact;
    int64_t shards;     /* of a batch; 0 = one */
    int64_t threads;    /* one by default: a busy machine makes short loops of several slow */
    int64_t stop_after; /* steps of this attempt; 0 = never */
    const struct zf_net *from; /* NULL, or a net to go on from... */
    const bool *frozen;        /* ...with these layers frozen */
    const char *data;          /* NULL = synth:train:100 */
    int64_t steps, epochs;
    int64_t best_epoch;
    double last_loss;
    char told[768];
    struct zf_error err;
};

struct zf_net *attempt_net(void); /* the net, without parameters */

/* An attempt with the recipe of the net, into the directory `run`. */
struct attempt attempt_begin(const char *run);

/* What zf_train_run() returns; the sentence is in a->err. */
enum zf_status attempt_run(struct attempt *a);
enum zf_status attempt_run_watched(struct attempt *a, const struct zf_train_monitor *monitor);

/* A file of the run, or the test fails. Release with zf_bytes_release(). */
struct zf_bytes attempt_file(const char *run, const char *name);

void attempt_remove(const char *path); /* with all that is in it */

/* cmocka set-up and tear-down: *state is the path of a directory of the test's own. */
int attempt_set_up(void **state);
int attempt_tear_down(void **state);

#endif
