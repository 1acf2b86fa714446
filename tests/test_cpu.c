/* SPDX-License-Identifier: MIT */
/* Instruction sets: which there are, and that a process is held to one. The last tests settle it,
   so their order matters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/engine.h"

static const char *const all_names[] = {"sse41", "avx", "avx2", "avx512", "avx512_bf16", "amx"};

static bool is_here(const char *name)
{
    for (size_t i = 0; zf_cpu_name(i); i++) {
        if (strcmp(zf_cpu_name(i), name) == 0)
            return true;
    }
    return false;
}

/* The refusal of `name`, checked to list all that there is. */
static void expect_refused(const char *name, const char *phrase)
{
    struct zf_error err = {0};

    assert_int_equal(zf_cpu_limit(name, &err), ZF_EINVAL);
    if (!strstr(err.message, phrase))
        fail_msg("%s: \"%s\" lacks \"%s\"", name, err.message, phrase);
    for (size_t i = 0; zf_cpu_name(i); i++)
        assert_non_null(strstr(err.message, zf_cpu_name(i)));
}

static void instruction_sets_are_listed_least_first_and_native_last(void **state)
{
    size_t count = 0, next = 0;

    (void)state;
    for (; zf_cpu_name(count + 1); count++) {
        while (next < 6 && strcmp(all_names[next], zf_cpu_name(count)) != 0)
            next++;
        assert_true(next < 6);
    }
    assert_string_equal(zf_cpu_name(count), "native");
}

static void a_set_that_does_not_exist_is_refused_with_those_that_do(void **state)
{
    (void)state;
    expect_refused("avx3", "no instruction set \"avx3\"");
    expect_refused("", "no instruction set \"\"");
    expect_refused("plain", "no instruction set \"plain\"");
}

static void a_set_that_the_processor_lacks_is_refused(void **state)
{
    bool any = false;

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        if (!is_here(all_names[i])) {
            expect_refused(all_names[i], "this processor has no ");
            any = true;
        }
    }
    if (!any)
        skip();
}

static void an_engine_that_does_not_exist_has_no_description(void **state)
{
    struct zf_engine_info info;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_engine_describe("abacus", &info, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "reference"));
}

/* From here on the process is held to the least. */
static void every_engine_is_held_to_a_limit(void **state)
{
    struct zf_engine_info info;
    struct zf_error err = {0};

    (void)state;
    if (!is_here("sse41") || zf_cpu_built_for() > ZF_CPU_SSE41)
        skip();
    assert_int_equal(zf_cpu_limit("sse41", &err), ZF_OK);
    for (size_t i = 0; zf_engine_name(i); i++) {
        const struct zf_engine_ops *op = zf_engine_at(i);

        assert_int_equal(zf_engine_describe(op->name, &info, &err), ZF_OK);
        assert_string_equal(info.name, op->name);
        assert_string_equal(info.isa, op->hold ? "sse41" : zf_cpu_built_for_text());
        assert_int_equal(info.library != NULL, info.version[0] != '\0');
        if (op->hold)
            assert_int_equal(zf_cpu_limit("native", &err), ZF_EINVAL);
    }
}

static void bf16_is_refused_below_its_instruction_set(void **state)
{
    const struct zf_engine_config config = {.batch = 1, .threads = 1, .bf16 = true};
    struct zf_engine *engine = NULL;
    struct zf_error err = {0};

    (void)state;
    if (!is_here("avx512_bf16") || !zf_engine_at(0)->hold ||
        strcmp(zf_engine_at(0)->isa(), "sse41") != 0)
        skip();
    assert_int_equal(zf_engine_at(0)->create(&config, &engine, &err), ZF_EUNSUPPORTED);
    assert_null(engine);
    assert_non_null(strstr(err.message, "held to sse41"));
    assert_non_null(strstr(err.message, "avx512_bf16"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instruction_sets_are_listed_least_first_and_native_last),
        cmocka_unit_test(a_set_that_does_not_exist_is_refused_with_those_that_do),
        cmocka_unit_test(a_set_that_the_processor_lacks_is_refused),
        cmocka_unit_test(an_engine_that_does_not_exist_has_no_description),
        cmocka_unit_test(every_engine_is_held_to_a_limit),
        cmocka_unit_test(bf16_is_refused_below_its_instruction_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
