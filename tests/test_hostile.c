/* SPDX-License-Identifier: MIT */
/*
 * A megabyte that was made to be expensive is refused in under 100 ms of processor time and 64 MiB
 * of memory, whatever reads it. Each is read in a process of its own, whose cost the system tells.
 */
#define _DEFAULT_SOURCE /* wait4() */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"
#include "data/listing.h"
#include "model/format.h"
#include "net/net.h"
#include "tensor/npy.h"

#define MEGABYTE ((size_t)1 << 20)
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

typedef enum zf_status read_bytes(const struct zf_bytes *bytes, struct zf_error *err);

static enum zf_status read_npy(const struct zf_bytes *bytes, struct zf_error *err)
{
    struct zf_tensor tensor = {0};
    const enum zf_status status = zf_npy_parse(bytes, "hostile.npy", &tensor, err);

    zf_tensor_release(&tensor);
    return status;
}

static enum zf_status read_list(const struct zf_bytes *bytes, struct zf_error *err)
{
    struct zf_data *data = zf_alloc(1, sizeof *data);
    enum zf_status status;

    data->kind = &zf_data_list;
    data->name = zf_strdup("a/folder/of/a/name/that/is/not/short/at/all/hostile.tsv");
    status = zf_list_parse(bytes, data, err);
    zf_data_free(&data);
    return status;
}

static enum zf_status read_spec(const struct zf_bytes *bytes, struct zf_error *err)
{
    struct zf_net *net = NULL;
    const enum zf_status status =
        zf_net_parse_shapes((const char *)bytes->data, "hostile.ini", 0, &net, err);

    zf_net_free(&net);
    return status;
}

static enum zf_status read_model(const struct zf_bytes *bytes, struct zf_error *err)
{
    const struct zf_model_options options = {.limits = zf_model_limits_full(NULL)};
    struct zf_net *net = NULL;
    const enum zf_status status =
        zf_model_native.load(bytes, "hostile.safetensors", &options, &net, err);

    zf_net_free(&net);
    return status;
}

static const struct reader {
    const char *name;
    read_bytes *read;
} npy = {"npy", read_npy}, list = {"list", read_list}, spec = {"spec", read_spec},
  model = {"model", read_model};

/* What the process that read it took, above one that reads nothing. */
struct cost {
    long ms, kib;
    bool refused;
};

static struct cost cost_of(const struct reader *reader, const struct zf_bytes *bytes)
{
    const pid_t child = fork();
    struct rusage usage;
    int result;

    if (child == 0) {
        struct zf_error err = {0};
        const enum zf_status status = reader ? reader->read(bytes, &err) : ZF_EINPUT;

        if (reader && status == ZF_EINPUT)
            fprintf(stderr, "%.150s\n", err.message);
        _exit(status == ZF_EINPUT ? 0 : 1);
    }
    assert_true(child > 0);
    assert_int_equal(wait4(child, &result, 0, &usage), child);
    return (struct cost){
        .ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
              (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000,
        .kib = usage.ru_maxrss,
        .refused = WIFEXITED(result) && WEXITSTATUS(result) == 0,
    };
}

/* The text is read with its final NUL, which does not count. */
static void refuse_cheaply(const struct reader *reader, const char *what, const char *text,
                           size_t size)
{
    const struct zf_bytes bytes = {(const uint8_t *)text, size};
    const struct cost nothing = cost_of(NULL, &bytes);
    struct cost cost = cost_of(reader, &bytes);

    for (int again = 0; again < 3 && cost.ms > MOST_MS; again++) /* a busy machine takes longer */
        cost = cost_of(reader, &bytes);
    if (!cost.refused)
        fail_msg("%s: %s was not refused", reader->name, what);
    if (cost.ms > MOST_MS || (!SANITIZED && cost.kib - nothing.kib > MOST_KIB))
        fail_msg("%s: %s took %ld ms and %ld KiB; at most %d and %d", reader->name, what, cost.ms,
                 cost.kib - nothing.kib, MOST_MS, MOST_KIB);
}

/* `before`, then `unit` again and again up to `size` bytes, then `after`. Free with free(). */
static char *repeat(const char *before, const char *unit, const char *after, size_t size)
{
    const size_t length = strlen(unit), tail = strlen(after);
    char *text = malloc(size + length + tail + 1);
    size_t at = strlen(before);

    assert_non_null(text);
    memcpy(text, before, at);
    for (; at + length + tail <= size; at += length)
        memcpy(text + at, unit, length);
    memcpy(text + at, after, tail + 1);
    return text;
}

static void refuse_repeated(const struct reader *reader, const char *before, const char *unit,
                            const char *after, size_t size)
{
    char *text = repeat(before, unit, after, size);

    refuse_cheaply(reader, unit, text, strlen(text));
    free(text);
}

static void a_hostile_list_is_refused_cheaply(void **state)
{
    (void)state;
    refuse_repeated(&list, "", "a\ta\n", "no tab", MEGABYTE);
    refuse_repeated(&list, "", "\n", "", MEGABYTE);
    refuse_repeated(&list, "", "a", "", MEGABYTE);
    refuse_repeated(&list, "", "\t", "", MEGABYTE);
}

static void a_hostile_spec_is_refused_cheaply(void **state)
{
    static const char net[] = "[net]\nname = a\ninput = 3x8x8\n";
    const size_t most = MEGABYTE - 1; /* more is refused unread */

    (void)state;
    refuse_repeated(&spec, net, "[a]\ntype=relu\n", "", 2 * MEGABYTE);
    refuse_repeated(&spec, net, "[a]\ntype=relu\n", "", most);
    refuse_repeated(&spec, net, "[a]\n[b]\n", "", most);
    refuse_repeated(&spec, net, "[a]\ntype=relu\n[b]\ntype=relu\n", "", most);
    refuse_repeated(&spec, net, "k=1\n", "", most);
    refuse_repeated(&spec, "[net]\nbase=zfnet\n[new]\n", "type=relu\n", "", most);
    refuse_repeated(&spec, "[net]\nname=a\ninput=3x8x8\n[a]\ntype=relu\n", "aka=a,a,a,a,a,a\n", "",
                    most);
    refuse_repeated(&spec, "[net]\nbase=zfnet\nremove=", "conv1,", "", most);
    refuse_repeated(&spec, net, "[", "", most);
    refuse_repeated(&spec, "[net]\nname=a\nclasses=2147483647\ninput=3x9x9\n", "; nothing\n",
                    "[fc]\ntype=fc\nmaps=classes\n", most);
    refuse_repeated(&spec, "[net]\nname=a\ninput=3x99999x99999\n", "; nothing\n",
                    "[fc]\ntype=fc\nmaps=2147483647\n", most);
}

/* Nothing is wrong with it until its last line, so every layer is built. */
static void a_spec_of_very_many_layers_is_refused_cheaply(void **state)
{
    char *text = malloc(MEGABYTE);
    size_t at = 0;

    (void)state;
    assert_non_null(text);
    at += (size_t)sprintf(text, "[net]\nname = a\ninput = 3x8x8\n[l0]\ntype = relu\n");
    for (int i = 1; i < 4095; i++)
        at += (size_t)sprintf(
            text + at, "[l%d]\ntype = relu\ninputs = l%d\nname = a%d\naka = b%d\n", i, i - 1, i, i);
    at += (size_t)sprintf(text + at, "[last]\ntype = relu\ninputs = nothing\n");
    refuse_cheaply(&spec, "4096 layers", text, at);
    free(text);
}

static void a_hostile_npy_file_is_refused_cheaply(void **state)
{
    static const char *const units[] = {"(", "'", "{'descr': ", "9", " ", "{'shape': (1, "};

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(units); i++) {
        char *text = repeat("123456789012", units[i], "", MEGABYTE);

        memcpy(text, "\x93NUMPY\2\0\xFF\xFF\0\0", 12);
        refuse_cheaply(&npy, units[i], text, MEGABYTE);
        free(text);
    }
}

/* A header of a whole megabyte. */
static void a_hostile_safetensors_header_is_refused_cheaply(void **state)
{
    static const char *const units[][3] = {
        {"{\"a\":", "[", ""},
        {"{", "\"\":[", ""},
        {"{\"a\":{\"shape\":[", "0,", "0]}}"},
        {"{", "\"a\":0,", "\"b\":0}"},
        {"{", "\"a\":{},", "\"b\":{}}"},
        {"{\"__metadata__\":{", "\"a\":\"\",", "\"a\":\"\"}}"},
        {"{\"", "\\u00e9", "\":0}"},
        {"{\"", "\\\"", "\":0}"},
        {"{\"a\":", "9", "}"},
        {"{", " ", "}"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]", ",\"a\":0", "}}"},
    };

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(units); i++) {
        char before[128], *text;
        uint64_t length;

        snprintf(before, sizeof before, "12345678%s", units[i][0]);
        text = repeat(before, units[i][1], units[i][2], MEGABYTE);
        length = strlen(text) - sizeof length;
        memcpy(text, &length, sizeof length);
        refuse_cheaply(&model, units[i][1], text, sizeof length + length);
        free(text);
    }
}

/* Each asks for memory that the file's own size does not warrant. */
static void a_model_that_promises_much_is_refused_cheaply(void **state)
{
    static const char *const specs[] = {
        "[net]\\nname=a\\ninput=3x99x99\\n[fc]\\ntype=fc\\nmaps=70000\\n",
        "[net]\\nname=a\\nclasses=2000000000\\ninput=1x1x1\\n[fc]\\ntype=fc\\nmaps=classes\\n",
        "[net]\\nname=a\\nclasses=1000000\\ninput=1x1x1\\n[fc]\\ntype=fc\\nmaps=classes\\n",
        "[net]\\nname=a\\nsize=16384\\ninput=3x9x9\\n[fc]\\ntype=fc\\nmaps=2\\n",
    };

    (void)state;
    for (size_t i = 0; i < ZF_COUNT(specs); i++) {
        char text[512];
        uint64_t length;

        snprintf(text, sizeof text, "12345678{\"__metadata__\":{\"zfscope.spec\":\"%s\"}}",
                 specs[i]);
        length = strlen(text) - sizeof length;
        memcpy(text, &length, sizeof length);
        refuse_cheaply(&model, specs[i], text, sizeof length + length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_list_is_refused_cheaply),
        cmocka_unit_test(a_hostile_spec_is_refused_cheaply),
        cmocka_unit_test(a_spec_of_very_many_layers_is_refused_cheaply),
        cmocka_unit_test(a_hostile_npy_file_is_refused_cheaply),
        cmocka_unit_test(a_hostile_safetensors_header_is_refused_cheaply),
        cmocka_unit_test(a_model_that_promises_much_is_refused_cheaply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
