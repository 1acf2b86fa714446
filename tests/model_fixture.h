/* SPDX-License-Identifier: MIT */
/* A tiny net and its file, for the tests of models. */
#ifndef ZF_TESTS_MODEL_FIXTURE_H
#define ZF_TESTS_MODEL_FIXTURE_H

#include "zf/net.h"

#define MODEL_MOST_BYTES 16384 /* of a file here */

extern const char model_spec[]; /* of the net */

/* A directory of its own, a saved model in it, and that file's bytes. */
struct model_fixture {
    char directory[64], good[128], bent[128];
    uint8_t bytes[MODEL_MOST_BYTES];
    size_t size;
};

/* The net, with everything odd that a file can hold: labels, per-pixel mean, preparation. */
struct zf_net *model_net(void);

void model_read(const char *path, uint8_t *bytes, size_t *size); /* room for MODEL_MOST_BYTES */
void model_write(const char *path, const void *bytes, size_t size);

/* cmocka set-up and tear-down: *state is the fixture. */
int model_set_up(void **state);
int model_tear_down(void **state);

#endif
