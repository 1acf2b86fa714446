/* SPDX-License-Identifier: MIT */
/* A megabyte that was made to be expensive is refused cheaply, whatever reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/status.h"
#include "cost.h"
#include "data/listing.h"
#include "model/format.h"
#include "net/net.h"
#include "tensor/npy.h"

static enum zf_status read_npy(const struct zf_bytes *bytes, struct zf_error *err)
{
    struct zf_tensor tensor = {0};
    const enum zf_status status = zf_npy_parse(bytes, "hostile.npy", &tensor, NULL, err);

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
    struct zf_bytes lent = *bytes;
    struct zf_net *net = NULL;
    const enum zf_status status =
        zf_model_native.load(&lent, "hostile.safetensors", &options, &net, err);

    zf_net_free(&net);
    return status;
}

static const struct reader npy = {"npy", read_npy}, list = {"list", read_list},
                           spec = {"spec", read_spec}, model = {"model", read_model};

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
