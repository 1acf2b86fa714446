/* SPDX-License-Identifier: MIT */
/**
 * Status codes, the error sentence, progress and cancellation.
 *
 * Every function that can fail returns `enum zf_status` and takes a `struct zf_error *err`,
 * which may be NULL. On failure *err holds one sentence that names the thing and the numbers;
 * output arguments are untouched unless the function says otherwise. Nothing in the library
 * prints, exits, or reads the environment.
 */
#ifndef ZF_BASE_H
#define ZF_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZF_API __attribute__((visibility("default")))
#define ZF_PRINTF(format_index, first_index)                                                       \
    __attribute__((format(printf, format_index, first_index)))

/* One list for the enum, the names and the descriptions. */
#define ZF_STATUS_MAP(X)                                                                           \
    X(OK, 0, "success")                                                                            \
    X(EINVAL, -1, "an argument is out of range")                                                   \
    X(ENOMEM, -2, "out of memory")                                                                 \
    X(EIO, -3, "reading or writing failed")                                                        \
    X(EINPUT, -4, "a file, model, spec or picture is not what it should be")                       \
    X(EUNSUPPORTED, -5, "valid, but outside of what this build can do")                            \
    X(ENUMERIC, -6, "a value is not finite")                                                       \
    X(ECANCELED, -7, "stopped on request")

enum zf_status {
#define X(name, value, text) ZF_##name = (value),
    ZF_STATUS_MAP(X)
#undef X
};

struct zf_error {
    enum zf_status status;
    char message[768]; /* one sentence, NUL terminated, no full stop needed by the reader */
};

/**
 * The description of a status, for instance "out of memory". Static storage, never NULL.
 */
ZF_API const char *zf_status_text(enum zf_status status);

/**
 * Fill *err (may be NULL) with a status and a formatted sentence, and return the status, so that
 * a failure is one line: `return zf_fail(err, ZF_EINPUT, "%s: ...", path);`
 */
ZF_API enum zf_status zf_fail(struct zf_error *err, enum zf_status status, const char *format, ...)
    ZF_PRINTF(3, 4);

/** ZF_ENOMEM with "out of memory for " and the formatted rest. */
ZF_API enum zf_status zf_no_memory(struct zf_error *err, const char *format, ...) ZF_PRINTF(2, 3);

/* A failure goes to the label `fail`, where what was acquired is given back; needs `enum zf_status
   status`, which holds ZF_OK behind it. */
#define ZF_TRY(expression)                                                                         \
    do {                                                                                           \
        status = (expression);                                                                     \
        if (status != ZF_OK)                                                                       \
            goto fail;                                                                             \
    } while (0)

/* To the label with a failure that is found here: ZF_LEAVE(zf_fail(err, ZF_EINPUT, "...", ...)); */
#define ZF_LEAVE(failure)                                                                          \
    do {                                                                                           \
        status = (failure);                                                                        \
        goto fail;                                                                                 \
    } while (0)

/* A failure is returned: for functions that have nothing to give back. */
#define ZF_CHECK(expression)                                                                       \
    do {                                                                                           \
        const enum zf_status zf_checked = (expression);                                            \
                                                                                                   \
        if (zf_checked != ZF_OK)                                                                   \
            return zf_checked;                                                                     \
    } while (0)

#define ZF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Free what the library has handed over as bytes or text; accepts NULL. */
ZF_API void zf_free(void *memory);

/**
 * The library's version, "MAJOR.MINOR.PATCH". Static storage.
 */
ZF_API const char *zf_version(void);

/**
 * Write `size` bytes as the file `path`, which appears whole or not at all: it is written under a
 * temporary name beside it, synced, and renamed. Returns ZF_EIO, with the system's reason, when it
 * cannot be written. From any thread.
 */
ZF_API enum zf_status zf_file_write(const char *path, const void *data, size_t size,
                                    struct zf_error *err);

/**
 * The path of the file that the library has mapped at `address`, NULL for none. For a handler of
 * SIGBUS, which reading a file that is cut off meanwhile ends in: the path may be cut off itself,
 * and only lasts as long as the handler does. From any thread, and from a handler.
 */
ZF_API const char *zf_mapped_file_at(const void *address);

/**
 * The first model's file that was written over while its numbers were in use, NULL for none: what
 * was computed may then be of neither state. Known once that model's net is freed. Static storage.
 * From any thread.
 */
ZF_API const char *zf_changed_file(void);

/** Cores that this process may use, >= 1: what `threads = 0` stands for everywhere. */
ZF_API int zf_core_count(void);

/**
 * How a long call reports back. Lent for the duration of the call; every field may be NULL,
 * and so may the pointer to the whole. All callbacks run on the thread that made the call.
 *
 * progress  `done` of `total` units of `stage` ("reading", "training", ...) are finished; total
 *           may be 0 when unknown. Called at most a few times a second. Returning false asks
 *           the call to stop soon and return ZF_ECANCELED.
 * message   one sentence that the user should see, such as the name of a skipped file.
 * cache_directory  where may be kept what can be made again, such as the index of shards beside
 *           which nothing can be written; made when it is needed.
 */
struct zf_monitor {
    void *user;
    bool (*progress)(void *user, const char *stage, int64_t done, int64_t total);
    void (*message)(void *user, const char *sentence);
    const char *cache_directory;
};

/**
 * Printed JSON that is valid whatever bytes the names of files are: each byte that is no UTF-8
 * becomes the escape \udc80 to \udcff, as Python has it, whose os.fsencode() gives the name back.
 *
 * printed  of cJSON_Print(), taken over; NULL gives NULL
 *
 * Returns the text, to be freed with cJSON_free(); NULL when memory is short.
 */
ZF_API char *zf_json_sound(char *printed);

#ifdef __cplusplus
}
#endif

#endif
