/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *zf_status_text(enum zf_status status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case ZF_##name:                                                                                \
        return text;
        ZF_STATUS_MAP(X)
#undef X
    }
    return "unknown status";
}

const char *zf_version(void)
{
    return ZF_VERSION;
}

enum zf_status zf_fail(struct zf_error *err, enum zf_status status, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->status = status;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return status;
}

enum zf_status zf_no_memory(struct zf_error *err, const char *format, ...)
{
    static const char beginning[] = "out of memory for ";

    if (err) {
        va_list args;

        va_start(args, format);
        err->status = ZF_ENOMEM;
        memcpy(err->message, beginning, sizeof beginning);
        vsnprintf(err->message + sizeof beginning - 1, sizeof err->message - sizeof beginning + 1,
                  format, args);
        va_end(args);
    }
    return ZF_ENOMEM;
}

/* The reason comes after what may be a path of any length, and must not be cut off with it. */
enum zf_status zf_fail_errno(struct zf_error *err, enum zf_status status, int error_number,
                             const char *format, ...)
{
    if (err) {
        static const char cut[] = "...";
        va_list args;
        char text[128] = "";
        size_t room;
        int length;

        if (strerror_r(error_number, text, sizeof text) != 0)
            snprintf(text, sizeof text, "error %d", error_number);
        room = sizeof err->message - strlen(text) - strlen(": ");
        va_start(args, format);
        err->status = status;
        length = vsnprintf(err->message, room, format, args);
        va_end(args);
        if (length >= (int)room)
            memcpy(err->message + room - sizeof cut, cut, sizeof cut);
        length = (int)strlen(err->message);
        snprintf(err->message + length, sizeof err->message - (size_t)length, ": %s", text);
    }
    return status;
}

bool zf_monitor_progress(const struct zf_monitor *monitor, const char *stage, int64_t done,
                         int64_t total)
{
    if (!monitor || !monitor->progress)
        return true;
    return monitor->progress(monitor->user, stage, done, total);
}

void zf_monitor_message(const struct zf_monitor *monitor, const char *format, ...)
{
    char sentence[1024];
    va_list args;

    if (!monitor || !monitor->message)
        return;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    monitor->message(monitor->user, sentence);
}
