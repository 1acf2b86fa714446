/* SPDX-License-Identifier: MIT */
/* The log of a training as a document. */
#ifndef ZF_PAGE_LOG_H
#define ZF_PAGE_LOG_H

#include "zf/document.h"

/**
 * The curves of a run's log.jsonl; *document is handed over, and stays NULL for a log without a
 * line.
 *
 * text       of the file, NUL terminated
 * path       for error sentences
 * directory  of the run
 *
 * Returns ZF_EINPUT for a line that is no JSON object, ZF_ENOMEM.
 */
enum zf_status zf_log_document(const char *text, const char *path, const char *directory,
                               struct zf_document **document, struct zf_error *err);

#endif
