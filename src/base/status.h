/* SPDX-License-Identifier: MIT */
/* Making and passing on errors inside the library. */
#ifndef ZF_BASE_STATUS_H
#define ZF_BASE_STATUS_H

#include "zf/base.h"

/**
 * Fill *err (may be NULL) with a status and a formatted sentence, and return the status, so that
 * a failure is one line: `return zf_fail(err, ZF_EINPUT, "%s: ...", path);`
 */
enum zf_status zf_fail(struct zf_error *err, enum zf_status status, const char *format, ...)
    ZF_PRINTF(3, 4);

/**
 * The same for a failed system call: appends ": " and the text of `error_number`.
 */
enum zf_status zf_fail_errno(struct zf_error *err, enum zf_status status, int error_number,
                             const char *format, ...) ZF_PRINTF(4, 5);

/* Needs `enum zf_status status` and a `fail:` label in the function. */
#define ZF_TRY(expression)                                                                         \
    do {                                                                                           \
        status = (expression);                                                                     \
        if (status != ZF_OK)                                                                       \
            goto fail;                                                                             \
    } while (0)

#define ZF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Monitor helpers that accept a NULL monitor and NULL callbacks. */
bool zf_monitor_progress(const struct zf_monitor *monitor, const char *stage, int64_t done,
                         int64_t total);
void zf_monitor_message(const struct zf_monitor *monitor, const char *format, ...) ZF_PRINTF(2, 3);

#endif
