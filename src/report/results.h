/* SPDX-License-Identifier: MIT */
/* Results on disk as documents. */
#ifndef ZF_REPORT_RESULTS_H
#define ZF_REPORT_RESULTS_H

#include <cjson/cJSON.h>

#include "zf/base.h"

/**
 * The document that a file holds: a KIND.json of zf_document_save(), a top.json, or the log.jsonl
 * of a run. *root stays NULL for JSON of another kind; release with cJSON_Delete().
 *
 * text  of the file, NUL terminated
 * path  for error sentences
 *
 * Returns ZF_EINPUT for what is no JSON, with the place; ZF_ENOMEM.
 */
enum zf_status zf_result_parse(const char *text, const char *path, cJSON **root,
                               struct zf_error *err);

/* ---- results_log.c ---- */

enum zf_status zf_log_document(const char *text, const char *path, cJSON **root,
                               struct zf_error *err);

/* ---- results_top.c ---- */

/* NULL when memory is short. */
cJSON *zf_top_document(const cJSON *top);

#endif
