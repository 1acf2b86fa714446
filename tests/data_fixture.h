/* SPDX-License-Identifier: MIT */
/* Small data sets in a directory of their own, for the tests of data sets and loaders. */
#ifndef ZF_TESTS_DATA_FIXTURE_H
#define ZF_TESTS_DATA_FIXTURE_H

#include "zf/data.h"

#define FIXTURE_PATH 512

/* cmocka set-up and tear-down: *state is the directory's path, which is removed with all in it. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* "directory/name"; one of eight buffers in turn. */
const char *fixture_path(void *const *state, const char *name);

void fixture_write(const char *path, const void *bytes, size_t size);

/* Whole contents; free with free(). */
uint8_t *fixture_read(const char *path, size_t *size);

/* A PNG of 24 x 20 px unlike that of any other `number`; missing folders are made. */
void fixture_picture(const char *path, int number);

/* directory/name/<ant|bee|cat>/<0..each-1>.png; the path. */
const char *fixture_folder(void *const *state, const char *name, int each);

/* Fails the test with the sentence when it cannot be opened. */
struct zf_data *fixture_open(const char *name);

/* It must be refused with this status, and the sentence has both words. */
void fixture_refuse(const char *name, enum zf_status status, const char *word, const char *another);

/* A net with input 3 x crop x crop out of squares of `size`, for `classes` classes. */
struct zf_net *fixture_net(int crop, int size, int classes);

#endif
