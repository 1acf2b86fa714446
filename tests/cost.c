/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* wait4() */
#include "cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_KIB (64 << 10)

/* Sanitizers multiply the time, and their shadows are no memory of the reader's. */
#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x) /* clang */
#else
#define HAS_FEATURE(x) 0
#endif
/* 100 ms on a quiet machine is the aim, and what it takes there. Tests run on busy ones, which were
   seen to take several times as long; what grows with the square of the size takes many seconds. */
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
enum { SANITIZED = 1, MOST_MS = 5000 };
#else
enum { SANITIZED = 0, MOST_MS = 1000 };
#endif

/* What the process that read it took, above one that reads nothing. */
struct cost {
    long ms, kib;
    bool good; /* it ended as it should */
};

static bool ends_well(const struct reader *reader, const struct zf_bytes *bytes,
                      const char *expected)
{
    struct zf_error err = {0};
    const enum zf_status status = reader->read(bytes, &err);
    const bool refused = status == ZF_EINPUT || status == ZF_EUNSUPPORTED;

    if (refused)
        fprintf(stderr, "%.150s\n", err.message);
    return expected ? refused && strstr(err.message, expected) : status == ZF_OK;
}

static struct cost cost_of(const struct reader *reader, const struct zf_bytes *bytes,
                           const char *expected)
{
    const pid_t child = fork();
    struct rusage usage;
    int result;

    if (child == 0)
        _exit(!reader || ends_well(reader, bytes, expected) ? 0 : 1);
    assert_true(child > 0);
    assert_int_equal(wait4(child, &result, 0, &usage), child);
    return (struct cost){
        .ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
              (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
        .kib = usage.ru_maxrss,
        .good = WIFEXITED(result) && WEXITSTATUS(result) == 0,
    };
}

void handle_cheaply(const struct reader *reader, const char *what, const void *text, size_t size,
                    const char *expected)
{
    const struct zf_bytes bytes = {.data = text, .size = size};
    const struct cost nothing = cost_of(NULL, &bytes, NULL);
    struct cost cost = cost_of(reader, &bytes, expected);

    for (int again = 0; again < 3 && cost.ms > MOST_MS; again++) /* a busy machine takes longer */
        cost = cost_of(reader, &bytes, expected);
    if (!cost.good)
        fail_msg("%s: %s: expected %s%s", reader->name, what,
                 expected ? "refusal with " : "success", expected ? expected : "");
    if (cost.ms > MOST_MS || (!SANITIZED && cost.kib - nothing.kib > MOST_KIB))
        fail_msg("%s: %s took %ld ms and %ld KiB; at most %d and %d", reader->name, what, cost.ms,
                 cost.kib - nothing.kib, MOST_MS, MOST_KIB);
}

void refuse_cheaply(const struct reader *reader, const char *what, const void *bytes, size_t size)
{
    handle_cheaply(reader, what, bytes, size, "");
}
