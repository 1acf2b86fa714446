/* SPDX-License-Identifier: MIT */
/* What the tests of looking and of reporting look at: a tiny net with random weights, and a folder
   of pictures of noise in two classes, made anew for each test. */
#ifndef ZF_TESTS_LOOK_WORLD_H
#define ZF_TESTS_LOOK_WORLD_H

#include "zf/look.h"

#define SIDE 20 /* px of a picture and of the net's input */
#define PICTURES 37
#define TWIN_A 5 /* these two are the same picture */
#define TWIN_B 21

struct world {
    char directory[64];
    struct zf_net *net;
    struct zf_data *data;
    struct zf_error err;
};

/* The expression succeeds, or the test ends with its error. */
#define must(world, expression)                                                                    \
    do {                                                                                           \
        enum zf_status status_ = (expression);                                                     \
        if (status_ != ZF_OK)                                                                      \
            fail_msg("%s: %s", #expression, (world)->err.message);                                 \
    } while (0)

int set_up(void **state);
int tear_down(void **state);

/* A name within the world's directory; free with zf_free(). */
char *in_world(const struct world *w, const char *name);

/* zf_top_run() on the reference engine: its sums do not depend on the size of the batch. */
struct zf_top *run_top(struct world *w, const struct zf_top_options *options);

/* Picture i as the net's input. */
void prepared(struct world *w, int64_t i, float *dst);

int layer_index(struct world *w, const char *name);

/* All weights; conv1's come first: six filters of 3x5x5. */
float *weights_of(struct zf_net *net);

/* A zf_monitor's progress that cancels; `user` is an int that counts its calls. */
bool stop_at_once(void *user, const char *stage, int64_t done, int64_t total);

#endif
