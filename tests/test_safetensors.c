/* SPDX-License-Identifier: MIT */
/* The container by itself: tensors of any type, from any program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/status.h"
#include "model/safetensors.h"
#include "model_fixture.h"
#include "zf/model.h"

static void tensors_of_any_type_come_back(void **state)
{
    static const uint64_t counters[] = {1, UINT64_MAX};
    static const double reals[] = {1.0 / 3.0};
    static const uint8_t flags[] = {1, 0, 1};
    const struct zf_stored tensors[] = {
        {"counters", ZF_U64, 1, {2}, counters, sizeof counters},
        {"real", ZF_F64, 0, {0}, reals, sizeof reals},
        {"nothing", ZF_F32, 2, {4, 0}, NULL, 0},
        {"flags", ZF_U8, 3, {1, 3, 1}, flags, sizeof flags},
    };
    const struct zf_note notes[] = {{"step", "17"}, {"", "\"\\\n"}};
    const struct model_fixture *f = *state;
    struct zf_output output = {0};
    struct zf_safetensors *file = NULL;
    struct zf_error err;

    assert_int_equal(zf_output_open(&output, f->bent, &err), ZF_OK);
    assert_int_equal(zf_safetensors_write(&output, tensors, 4, notes, 2, &err), ZF_OK);
    assert_int_equal(zf_output_commit(&output, &err), ZF_OK);
    assert_int_equal(zf_safetensors_open(f->bent, NULL, &file, &err), ZF_OK);
    assert_int_equal(zf_safetensors_count(file), 4);
    for (size_t i = 0; i < 4; i++) {
        const struct zf_stored *read = zf_safetensors_find(file, tensors[i].name);

        assert_non_null(read);
        assert_ptr_equal(read, zf_safetensors_at(file, i));
        assert_int_equal(read->dtype, tensors[i].dtype);
        assert_int_equal(read->rank, tensors[i].rank);
        assert_int_equal(read->bytes, tensors[i].bytes);
        for (int d = 0; d < read->rank; d++)
            assert_int_equal(read->dims[d], tensors[i].dims[d]);
        if (read->bytes)
            assert_memory_equal(read->data, tensors[i].data, read->bytes);
    }
    assert_null(zf_safetensors_find(file, "flag"));
    assert_string_equal(zf_safetensors_note(file, "step"), "17");
    assert_string_equal(zf_safetensors_note(file, ""), "\"\\\n");
    assert_null(zf_safetensors_note(file, "steps"));
    zf_safetensors_free(&file);
    assert_null(file);
}

static void a_tensor_of_other_bytes_than_its_shape_is_not_written(void **state)
{
    const struct zf_stored tensor = {"w", ZF_F32, 2, {2, 3}, "", 23};
    const struct model_fixture *f = *state;
    struct zf_output output = {0};
    struct zf_error err;

    assert_int_equal(zf_output_open(&output, f->bent, &err), ZF_OK);
    assert_int_equal(zf_safetensors_write(&output, &tensor, 1, NULL, 0, &err), ZF_EINVAL);
    assert_non_null(strstr(err.message, "\"w\" [2, 3] of F32 does not take 23 bytes"));
    zf_output_discard(&output);
}

static void numbers_of_other_widths_become_floats(void **state)
{
    /* 1, -2, the smallest and largest subnormal, the largest half, minus zero, minus infinity. */
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0x8000, 0xfc00};
    static const float half_values[] = {1,        -2,    0x1p-24f, 1023 * 0x1p-24f,
                                        65504.0f, -0.0f, -INFINITY};
    static const uint16_t bfloats[] = {0x3f80, 0xc049, 0x7f80};
    static const float bfloat_values[] = {1, -3.140625f, INFINITY};
    static const double doubles[] = {1.0 / 3.0, -1e300};
    static const float double_values[] = {1.0f / 3.0f, -INFINITY};
    static const uint16_t nan_half = 0x7e01;
    const struct zf_stored half = {"h", ZF_F16, 1, {7}, halves, sizeof halves};
    const struct zf_stored bfloat = {"b", ZF_BF16, 1, {3}, bfloats, sizeof bfloats};
    const struct zf_stored real = {"d", ZF_F64, 1, {2}, doubles, sizeof doubles};
    const struct zf_stored nan = {"n", ZF_F16, 0, {0}, &nan_half, 2};
    const struct zf_stored bytes = {"u", ZF_U8, 1, {7}, halves, 7};
    float floats[7];

    (void)state;
    assert_true(zf_stored_floats(&half, floats));
    assert_memory_equal(floats, half_values, sizeof half_values);
    assert_true(zf_stored_floats(&bfloat, floats));
    assert_memory_equal(floats, bfloat_values, sizeof bfloat_values);
    assert_true(zf_stored_floats(&real, floats));
    assert_memory_equal(floats, double_values, sizeof double_values);
    assert_true(zf_stored_floats(&nan, floats));
    assert_true(isnan(floats[0]));
    assert_false(zf_stored_floats(&bytes, floats));
}

static void a_header_that_is_no_utf8_is_refused_at_its_byte(void **state)
{
    static const char *const bad[] = {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xe2\x82"};
    static const char good[] = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x95";
    const struct model_fixture *f = *state;
    struct zf_safetensors *file = NULL;
    struct zf_output output = {0};
    struct zf_error err;

    for (size_t i = 0; i <= ZF_COUNT(bad); i++) {
        char text[64];
        const int size = snprintf(text, sizeof text, "{\"__metadata__\":{\"a\":\"%s\"}}",
                                  i < ZF_COUNT(bad) ? bad[i] : good);
        const uint64_t length = (uint64_t)size;

        assert_int_equal(zf_output_open(&output, f->bent, &err), ZF_OK);
        fwrite(&length, sizeof length, 1, output.stream);
        fwrite(text, 1, (size_t)size, output.stream);
        assert_int_equal(zf_output_commit(&output, &err), ZF_OK);
        if (i < ZF_COUNT(bad)) {
            assert_int_equal(zf_safetensors_open(f->bent, NULL, &file, &err), ZF_EINPUT);
            assert_non_null(strstr(err.message, "UTF-8 (see byte 30)"));
        } else {
            assert_int_equal(zf_safetensors_open(f->bent, NULL, &file, &err), ZF_OK);
            assert_string_equal(zf_safetensors_note(file, "a"), good);
            zf_safetensors_free(&file);
        }
    }
}

/* As other programs write it: another order of the header, half floats, no padding. */
static void a_model_of_half_floats_in_another_order_opens(void **state)
{
    const struct model_fixture *f = *state;
    struct zf_safetensors *file = NULL;
    struct zf_net *net = model_net(), *loaded = NULL;
    struct zf_error err;
    struct zf_output output = {0};
    struct zf_stored tensors[5];
    uint16_t ones[108];

    for (size_t i = 0; i < ZF_COUNT(ones); i++)
        ones[i] = 0x3c00;
    assert_int_equal(zf_safetensors_open(f->good, NULL, &file, &err), ZF_OK);
    for (size_t i = 0; i < 5; i++)
        tensors[4 - i] = *zf_safetensors_at(file, i);
    tensors[4].dtype = ZF_F16;
    tensors[4].data = ones;
    tensors[4].bytes = sizeof ones;
    assert_string_equal(tensors[4].name, "conv1.weight");
    assert_int_equal(zf_output_open(&output, f->bent, &err), ZF_OK);
    assert_int_equal(
        zf_safetensors_write(
            &output, tensors, 5,
            &(struct zf_note){"zfscope.spec", zf_safetensors_note(file, "zfscope.spec")}, 1, &err),
        ZF_OK);
    assert_int_equal(zf_output_commit(&output, &err), ZF_OK);
    assert_int_equal(zf_model_load(f->bent, NULL, &loaded, &err), ZF_EINPUT);
    assert_non_null(
        strstr(err.message, "\"preparation.mean\" is [3, 8, 8], its net needs [3, 6, 6]"));
    assert_int_equal(zf_output_open(&output, f->bent, &err), ZF_OK);
    assert_int_equal(
        zf_safetensors_write(
            &output, tensors + 1, 4,
            &(struct zf_note){"zfscope.spec", zf_safetensors_note(file, "zfscope.spec")}, 1, &err),
        ZF_OK);
    assert_int_equal(zf_output_commit(&output, &err), ZF_OK);
    assert_int_equal(zf_model_load(f->bent, NULL, &loaded, &err), ZF_OK);
    for (size_t i = 0; i < ZF_COUNT(ones); i++)
        assert_true(zf_net_parameter(loaded, 0).data[i] == 1.0f);
    assert_memory_equal(zf_net_parameter(loaded, 2).data, zf_net_parameter(net, 2).data,
                        48 * sizeof(float));
    zf_safetensors_free(&file);
    zf_net_free(&net);
    zf_net_free(&loaded);
}

#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, model_set_up, model_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FILES(tensors_of_any_type_come_back),
        WITH_FILES(a_tensor_of_other_bytes_than_its_shape_is_not_written),
        cmocka_unit_test(numbers_of_other_widths_become_floats),
        WITH_FILES(a_header_that_is_no_utf8_is_refused_at_its_byte),
        WITH_FILES(a_model_of_half_floats_in_another_order_opens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
