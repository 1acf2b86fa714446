/* SPDX-License-Identifier: MIT */
/* What the library adds to zf/base.h to report errors, progress and messages. */
#ifndef ZF_BASE_STATUS_H
#define ZF_BASE_STATUS_H

#include "zf/base.h"

/**
 * zf_fail() for a failed system call: appends ": " and the text of `error_number`.
 */
enum zf_status zf_fail_errno(struct zf_error *err, enum zf_status status, int error_number,
                             const char *format, ...) ZF_PRINTF(4, 5);

/* Monitor helpers that accept a NULL monitor and NULL callbacks. */
bool zf_monitor_progress(const struct zf_monitor *monitor, const char *stage, int64_t done,
                         int64_t total);
void zf_monitor_message(const struct zf_monitor *monitor, const char *format, ...) ZF_PRINTF(2, 3);

#endif
