/* SPDX-License-Identifier: MIT */
/* Where results go: checks before the work, whole files after it, JSON and tables in between. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdio.h>

#include <cjson/cJSON.h>

#include "zf/base.h"
#include "zf/net.h"

/**
 * Whether a file of that name can be made; the check comes before the work, so that an hour of it
 * is not lost to a typing error. ZF_EINPUT with the reason.
 */
enum zf_status output_check_file(const char *path, struct zf_error *err);

/** The same for a directory, which may exist already. */
enum zf_status output_check_directory(const char *path, struct zf_error *err);

/**
 * Whether a path is meant as a file: an ending of letters alone (".json"), and no directory there.
 */
bool output_is_file(const char *path);

/** The directories that a file is in. Where one cannot be made, writing the file says so. */
void output_make_parents(const char *path);

/** ZF_EIO for an errno that another time may not bring, ZF_EINPUT for one that the path will. */
enum zf_status output_status(int error_number);

/** Print `json` and a newline, and delete it. Accepts NULL: ZF_ENOMEM, as cJSON returns it. */
enum zf_status output_json(FILE *out, cJSON *json, struct zf_error *err);

cJSON *json_box(struct zf_box box);
cJSON *json_shape(struct zf_shape shape);

/** "12 345 678", so that a person can read it. Returns `text`. */
const char *format_count(int64_t value, char *text, size_t size);

#endif
